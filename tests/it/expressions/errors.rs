//! E1–E20: what an error expression makes of a success or a failure.
//!
//! The exception of the runtime's tests is a refusal by Salesforce here: its code is 1013, its message ends with
//! `1013: exception message`, and `error.variables` holds the response.

use std::time::Duration;

use salesforce_connector::zeebe::{Failure, Outcome};
use salesforce_connector_dev::org::{DevOrg, Fault};
use serde_json::{Value, json};

use super::{answered, completed, failed, refused, thrown, with_body};
use crate::handler::{Bench, create, query};

/// What becomes of a read that succeeds.
async fn succeeded(body: Value, expression: &str) -> Outcome {
    with_body(body, &[("errorExpression", expression)]).await
}

#[tokio::test]
async fn e01_an_expression_that_decides_nothing_leaves_the_failure_as_it_is() {
    // The answer's headers tell the time.
    let told = |failure: &Failure| (failure.message.clone(), failure.retries, failure.backoff);
    let default = failed(refused("").await);
    assert!(default.message.contains("1013: exception message"));
    for expression in [
        " ",
        "= if error.code = \"other\" then bpmnError(\"123\", \"\") else {}",
        "= if error.code = \"other\" then bpmnError(\"123\", \"\") else null",
        "= if unknown(error.code) then bpmnError(\"123\", \"\") else null",
        "= unknown(error.code)",
        "= {errorType: \"bpmnError\"}",
    ] {
        assert_eq!(told(&failed(refused(expression).await)), told(&default), "{expression}");
    }
}

#[tokio::test]
async fn e02_a_code_that_is_no_text_fails_the_job() {
    let failure = failed(refused("= bpmnError(123, \"\")").await);
    assert_eq!((failure.retries, &failure.variables["error"]["code"]), (0, &json!("EXPRESSION_FAILED")));
    let words = "Parameter 'errorCode' of function 'bpmnError' must be a String";
    assert!(failure.message.contains(words), "{}", failure.message);
    assert!(failure.message.contains("1013: exception message"), "{}", failure.message);
    assert_eq!(failure.variables["error"]["variables"]["response"]["status"], 400);
}

#[tokio::test]
async fn e03_a_context_written_by_hand_throws_a_bpmn_error() {
    let expression = "= if error.code != null then {\"errorType\": \"bpmnError\", \"errorCode\": error.code, \
                      \"errorMessage\": \"Message: \" + error.message} else {}";
    let (code, message, variables) = thrown(refused(expression).await);
    assert_eq!((code.as_str(), variables.len()), ("1013", 0));
    assert!(message.starts_with("Message: ") && message.contains("exception message"), "{message}");
}

#[tokio::test]
async fn e04_the_errors_variables_can_be_handed_over() {
    let expression = "= {errorType: \"bpmnError\", errorCode: error.code, variables: error.variables}";
    let (_, _, variables) = thrown(refused(expression).await);
    assert_eq!(variables["response"]["status"], 400);
    assert_eq!(variables["response"]["body"][0]["errorCode"], "1013");
}

#[tokio::test]
async fn e05_a_bpmn_error_needs_no_message() {
    let outcome = refused("= if contains(error.code, \"10\") then bpmnError(error.code) else null").await;
    assert_eq!(thrown(outcome), ("1013".to_owned(), String::new(), serde_json::Map::new()));
}

#[tokio::test]
async fn e06_a_success_can_be_thrown_as_a_bpmn_error() {
    let expression = "= if response.body.testProperty = \"foo\" then bpmnError(\"9999\", \"m\") else if error.code != null \
                      then bpmnError(\"1\") else {}";
    let (code, message, _) = thrown(succeeded(json!({"testProperty": "foo"}), expression).await);
    assert_eq!((code.as_str(), message.as_str()), ("9999", "m"));
}

#[tokio::test]
async fn e07_the_expression_sees_the_mapped_variables_and_still_the_response() {
    let conditions = [
        "testProperty = \"foo\"",
        "response.testProperty = \"foo\"",
        // Not so upstream, where mapped variables hide the response.
        "status = 200 and body = \"foo\" and response.status = 200",
        "job.retries = 3 and response.job = null and error = null",
    ];
    for condition in conditions {
        let expression = format!("= if {condition} then bpmnError(\"9999\", \"m\") else {{}}");
        let headers = [
            ("resultVariable", "testProperty"),
            ("resultContent", "body"),
            ("errorExpression", expression.as_str()),
        ];
        assert_eq!(thrown(with_body(json!("foo"), &headers).await).0, "9999", "{condition}");
    }
    let headers = [
        ("resultExpression", "= {status: \"mapped\", body: 1}"),
        ("errorExpression", "= bpmnError(status, \"\", {b: response.body, r: reason})"),
    ];
    let (code, _, variables) = thrown(with_body(json!("foo"), &headers).await);
    assert_eq!((code.as_str(), &variables["b"], &variables["r"]), ("mapped", &json!(1), &json!("OK")));
}

#[tokio::test]
async fn e08_a_job_error_sets_the_retries() {
    let expression = "= jobError(\"m\", {}, job.retries - 1)";
    let failure = failed(succeeded(json!({"testProperty": "foo"}), expression).await);
    assert_eq!((failure.retries, failure.backoff), (2, Duration::ZERO));
    assert!(failure.message.starts_with('m'));
    let headers = [("retryBackoff", "PT9M"), ("errorExpression", "= jobError(\"m\", {}, 1.9, @\"PT1M\")")];
    let failure = failed(with_body(json!({}), &headers).await);
    assert_eq!((failure.retries, failure.backoff), (1, Duration::from_mins(1)));
}

#[tokio::test]
async fn e09_a_job_error_has_variables_and_no_retries_by_default() {
    let failure = failed(refused("= jobError(\"MyError\", {\"myVar\": \"myVal\"})").await);
    assert_eq!((failure.retries, failure.message.as_str()), (0, "MyError"));
    assert_eq!(Value::Object(failure.variables), json!({"myVar": "myVal", "error": "MyError"}));
}

#[tokio::test]
async fn e10_the_message_of_a_job_error_wins_over_a_variable_error() {
    let expression = "= jobError(\"ActualError\", {\"error\": \"User\", \"otherVar\": \"v\"})";
    let failure = failed(refused(expression).await);
    assert_eq!(Value::Object(failure.variables), json!({"error": "ActualError", "otherVar": "v"}));
}

#[tokio::test]
async fn e11_an_ignored_error_completes_the_job_with_variables() {
    let expression = "= if contains(error.code, \"10\") then ignoreError({code: error.code, \
                      first: error.errors[1].message, status: error.status}) else null";
    let expected = json!({"code": "1013", "first": "exception message", "status": 400});
    assert_eq!(completed(refused(expression).await), expected);
}

#[tokio::test]
async fn e12_an_ignored_error_needs_no_variables() {
    assert_eq!(completed(refused("= ignoreError()").await), json!({}));
}

#[tokio::test]
async fn e13_on_a_success_an_ignored_error_replaces_the_mapped_variables() {
    let headers = [("resultVariable", "r"), ("errorExpression", "= ignoreError({\"recovered\": true})")];
    assert_eq!(completed(with_body(json!({}), &headers).await), json!({"recovered": true}));
}

#[tokio::test]
async fn e14_what_is_no_context_fails_the_job() {
    for (expression, kind) in
        [("= [1, 2, 3]", "array"), ("= \"a\"", "string"), ("= 1", "number"), ("= false", "boolean")]
    {
        for outcome in [refused(expression).await, succeeded(json!({}), expression).await] {
            let failure = failed(outcome);
            assert_eq!(failure.retries, 0);
            let words = format!("Error expression must return a JSON object, but got {kind}");
            assert!(failure.message.contains(&words), "{}", failure.message);
        }
    }
    let failure = failed(refused("= {message: error.message}").await);
    assert!(failure.message.contains("expected bpmnError(…), jobError(…), ignoreError(…) or null"));
}

/// The fields are ours (docs/errors.md): `type` is a word instead of the name of a Java class.
#[tokio::test]
async fn e15_without_an_expression_the_job_holds_the_error() {
    let mut failure = failed(refused("").await);
    let error = &mut failure.variables["error"];
    error["variables"]["response"]["headers"].take();
    let body = json!([{"errorCode": "1013", "message": "exception message"}]);
    assert_eq!(
        *error,
        json!({
            "code": "1013",
            "message": error["message"],
            "type": "business",
            "status": 400,
            "errors": [{"errorCode": "1013", "message": "exception message", "fields": []}],
            "variables": {"response": {"status": 400, "headers": null, "body": body}},
        })
    );
}

#[tokio::test]
async fn e16_a_long_message_is_cut() {
    let long = json!({"testProperty": "x".repeat(8400)});
    let (_, message, _) = thrown(succeeded(long.clone(), "= bpmnError(\"500\", body.testProperty)").await);
    let failure = failed(succeeded(long, "= jobError(body.testProperty)").await);
    for text in [&message, &failure.message] {
        assert!(text.chars().count() <= 6000 && text.ends_with("… [cut]"));
    }
}

#[tokio::test]
async fn e17_the_body_of_an_error_can_be_asked_and_handed_over() {
    let body = json!({"message": "custom message", "booleanField": true, "temp": 36});
    let expression = "= if matches(error.code, \"400\") and error.variables.response.body.temp = 36 then bpmnError(\
                      \"Too hot\", error.variables.response.body.message, error.variables.response.body) else null";
    let outcome = answered(400, body.to_string(), &[("errorExpression", expression)]).await;
    let (code, message, variables) = thrown(outcome);
    assert_eq!((code.as_str(), message.as_str()), ("Too hot", "custom message"));
    assert_eq!(Value::Object(variables), body);
}

#[tokio::test]
async fn e18_the_retries_are_beside_the_response_and_not_in_it() {
    let expression = "= if response.status = 204 then ignoreError({retries: job.retries, \
                      responseRetries: response.job.retries}) else null";
    let outcome = answered(204, "", &[("errorExpression", expression)]).await;
    assert_eq!(completed(outcome), json!({"retries": 3, "responseRetries": null}));
}

#[tokio::test]
async fn e19_an_unguarded_expression_fails_the_job_after_a_success() {
    let bench = Bench::start().await;
    let expression = "= bpmnError(error.code, error.message)";
    let failure = bench.failure(create("Acme"), &[("errorExpression", expression)]).await;
    assert_eq!(failure.retries, 0);
    assert!(failure.message.contains("must be a String"), "{}", failure.message);
    let error = &failure.variables["error"];
    assert_eq!(error["variables"]["response"]["status"], 201, "the write was done: {error}");
    assert_eq!(bench.org.records("Account").len(), 1);
}

/// Upstream an evaluation can be interrupted, and the job is then forgotten. Ours has a budget and comes to an end.
#[tokio::test]
async fn e20_an_evaluation_that_costs_too_much_ends_by_itself() {
    let failure = failed(refused("= {a: for x in 1..1000000000 return x}").await);
    assert_eq!((failure.retries, &failure.variables["error"]["code"]), (0, &json!("EXPRESSION_FAILED")));
    assert!(failure.message.contains("more than"), "{}", failure.message);
}

/// As upstream up to 8.8. Later releases unwrap a list of one error, and lose a longer one.
#[tokio::test]
async fn the_body_of_an_error_is_as_salesforce_sent_it() {
    let expression = "= ignoreError({second: error.variables.response.body[2].errorCode, \
                      codes: error.variables.response.body.errorCode, same: error.errors.errorCode})";
    let body = json!([{"errorCode": "A", "message": "a"}, {"errorCode": "B", "message": "b"}]);
    let variables = completed(answered(400, body.to_string(), &[("errorExpression", expression)]).await);
    assert_eq!(variables, json!({"second": "B", "codes": ["A", "B"], "same": ["A", "B"]}));
}

#[tokio::test]
async fn the_expression_goes_before_bpmn_errors_and_may_leave_it_to_them() {
    let body = json!([{"errorCode": "1013", "message": "m"}]).to_string();
    for (expression, expected) in [("= bpmnError(\"MINE\")", "MINE"), ("= null", "1013")] {
        let headers = [("bpmnErrors", "1013"), ("errorExpression", expression)];
        assert_eq!(thrown(answered(400, body.clone(), &headers).await).0, expected);
    }
}

#[tokio::test]
async fn what_is_refused_before_the_call_is_seen_as_well() {
    let bench = Bench::start().await;
    let headers = [("errorExpression", "= bpmnError(error.code, error.type)")];
    let (code, kind, _) = thrown(bench.run(json!({"type": "getRecord"}), &headers).await);
    assert_eq!((code.as_str(), kind.as_str()), ("INVALID_INPUT", "input"));
    assert_eq!(bench.org.requests().len(), 0);
}

#[tokio::test]
async fn variables_that_are_too_large_fail_the_job() {
    let bench = Bench::start_with(DevOrg::start().await.unwrap(), |options| {
        options.max_result_bytes = 500;
    });
    for function in ["bpmnError(\"A\", \"\", {a: x})", "jobError(\"A\", {a: x}, 2)", "ignoreError({a: x})"] {
        let expression = format!("= {{x: string join(for i in 1..600 return \"x\"), r: {function}}}.r");
        let failure = bench.failure(query(), &[("errorExpression", &expression)]).await;
        assert_eq!((failure.retries, &failure.variables["error"]["code"]), (0, &json!("RESULT_TOO_LARGE")));
    }
}

/// The engine would do a write a second time that may have been done.
#[tokio::test]
async fn a_job_error_does_not_repeat_a_write_of_unknown_outcome() {
    let bench = Bench::start().await;
    bench.strike("POST", "/sobjects", Fault::CloseAfter);
    let headers = [("errorExpression", "= jobError(error.code, {}, 5, @\"PT1M\")")];
    let failure = bench.failure(create("Acme"), &headers).await;
    assert_eq!((failure.retries, failure.backoff), (0, Duration::ZERO));
    assert!(failure.message.starts_with("OUTCOME_UNKNOWN. It is not tried again"), "{}", failure.message);
}
