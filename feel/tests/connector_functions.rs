//! The functions of the connector runtime: what they make, and what fails the evaluation.

use camunda_feel::{Engine, EvalError, Expression, Scope, connector_functions};
use serde_json::{Value as Json, json};

fn evaluate(text: &str) -> Result<Json, EvalError> {
    let engine = Engine::new().with_functions(connector_functions::FUNCTIONS);
    let data = json!({"error": {"code": "1013", "message": "no", "variables": {"foo": "bar"}}, "job": {"retries": 5}});
    let expression = Expression::parse(text).expect("the expression parses");
    expression.evaluate_with(&engine, &Scope::from(&data))?.to_json()
}

fn failure(text: &str) -> String {
    match evaluate(text) {
        Err(EvalError::Failed(reason)) => reason,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn bpmn_error_has_the_entries_that_are_given() {
    assert_eq!(
        evaluate("= bpmnError(error.code)"),
        Ok(json!({"errorType": "bpmnError", "errorCode": "1013"}))
    );
    assert_eq!(
        evaluate("bpmnError(\"A\", \"m\")"),
        Ok(json!({"errorType": "bpmnError", "errorCode": "A", "errorMessage": "m"}))
    );
    assert_eq!(
        evaluate("bpmnError(errorCode: \"A\", errorMessage: \"m\", variables: error.variables)"),
        Ok(
            json!({"errorType": "bpmnError", "errorCode": "A", "errorMessage": "m", "variables": {"foo": "bar"}})
        )
    );
}

#[test]
fn job_error_always_has_five_entries() {
    assert_eq!(
        evaluate("jobError(\"m\")"),
        Ok(
            json!({"errorType": "jobError", "errorMessage": "m", "variables": {}, "retries": 0, "retryBackoff": "PT0S"})
        )
    );
    assert_eq!(
        evaluate("jobError(\"m\", {a: 1}, job.retries - 1, @\"PT1M\")"),
        Ok(
            json!({"errorType": "jobError", "errorMessage": "m", "variables": {"a": 1}, "retries": 4, "retryBackoff": "PT1M"})
        )
    );
}

#[test]
fn ignore_error_may_have_variables() {
    assert_eq!(evaluate("ignoreError()"), Ok(json!({"errorType": "ignoreError"})));
    assert_eq!(
        evaluate("ignoreError({recovered: true})"),
        Ok(json!({"errorType": "ignoreError", "variables": {"recovered": true}}))
    );
}

#[test]
fn a_wrong_type_fails_the_evaluation_and_names_the_parameter() {
    for (text, parameter, function, kind) in [
        ("bpmnError(400)", "errorCode", "bpmnError", "String"),
        ("bpmnError(\"A\", null)", "errorMessage", "bpmnError", "String"),
        ("bpmnError(\"A\", \"m\", null)", "variables", "bpmnError", "Context"),
        ("{x: [bpmnError(missing)]}", "errorCode", "bpmnError", "String"),
        ("jobError(1)", "errorMessage", "jobError", "String"),
        ("jobError(\"m\", null)", "variables", "jobError", "Context"),
        ("jobError(\"m\", {}, \"3\")", "retries", "jobError", "Number"),
        ("ignoreError(\"x\")", "variables", "ignoreError", "Context"),
        ("backoff(\"1\")", "attempt", "backoff", "Number"),
    ] {
        let expected = format!("Parameter '{parameter}' of function '{function}' must be a {kind}");
        assert_eq!(failure(text), expected, "{text}");
    }
    for text in ["jobError(\"m\", {}, 1, \"PT1M\")", "jobError(\"m\", {}, 1, @\"P1M\")"] {
        assert!(failure(text).contains("day-time duration"), "{text}");
    }
}

#[test]
fn a_wrong_number_of_arguments_is_an_unknown_function() {
    for text in
        ["bpmnError()", "bpmnError(1, 2, 3, 4)", "jobError()", "ignoreError({}, {})", "createDocument()"]
    {
        assert_eq!(evaluate(text), Ok(Json::Null), "{text}");
    }
}

#[test]
fn backoff_grows_by_its_factor_between_its_bounds() {
    let exact = |text: &str| evaluate(text).expect("it evaluates");
    assert_eq!(exact("backoff(1, @\"PT1S\", 2, @\"PT10S\", 0)"), json!("PT1S"));
    assert_eq!(exact("backoff(3, @\"PT1S\", 2, @\"PT10S\", 0)"), json!("PT4S"));
    assert_eq!(exact("backoff(30, @\"PT1S\", 2, @\"PT10S\", 0)"), json!("PT10S"));
    assert_eq!(exact("backoff(2147483647, @\"PT1S\", 2, @\"PT10S\", 0)"), json!("PT10S"));
    for _ in 0..100 {
        let jittered = evaluate("backoff(1) >= @\"PT0.045S\" and backoff(1) <= @\"PT0.055S\"");
        assert_eq!(jittered, Ok(json!(true)));
    }
    for (text, reason) in [
        ("backoff(0)", "'attempt' must be >= 1"),
        ("backoff(1, @\"PT1S\", 0)", "'factor' must be > 0"),
        ("backoff(1, @\"PT9S\", 2, @\"PT1S\")", "'minDelay' must be <= 'maxDelay'"),
        ("backoff(1, @\"PT1S\", 2, @\"PT9S\", -1)", "'jitterFactor' must be >= 0"),
    ] {
        assert!(failure(text).contains(reason), "{text}");
    }
}

#[test]
fn create_document_marks_its_value_with_a_mark_that_no_response_knows() {
    let marked =
        evaluate("{file: createDocument({content: \"aGk=\", name: \"a.txt\"})}").expect("it evaluates");
    let file = &marked["file"];
    assert_eq!(file[connector_functions::DOCUMENT_MARK], connector_functions::document_mark());
    assert_eq!(file[connector_functions::DOCUMENT_VALUE], json!({"content": "aGk=", "name": "a.txt"}));
    assert!(connector_functions::document_mark().len() > 32);
}
