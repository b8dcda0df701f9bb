//! R1–R20: variables from a response.

use salesforce_connector_dev::org::DevOrg;
use serde_json::{Value, json};

use super::{answered, completed, failed, with_body};
use crate::handler::{Bench, create};

async fn mapped(body: Value, expression: &str) -> Value {
    completed(with_body(body, &[("resultExpression", expression)]).await)
}

async fn kept(body: &str) -> Value {
    completed(answered(200, body, &[("resultVariable", "result"), ("resultContent", "body")]).await)
}

/// A result expression that must fail after a call: never again, with the answer.
async fn refused(body: Value, expression: &str, words: &[&str]) {
    let failure = failed(with_body(body.clone(), &[("resultExpression", expression)]).await);
    assert_eq!(failure.retries, 0, "{failure:?}");
    for word in words {
        assert!(failure.message.contains(word), "{word} is not in {}", failure.message);
    }
    let error = &failure.variables["error"];
    assert_eq!(error["type"], "result");
    assert_eq!(error["variables"]["response"]["body"], body, "{error}");
}

#[tokio::test]
async fn r01_without_a_result_variable_there_are_no_variables() {
    let body = json!({"hello": "world"});
    assert_eq!(completed(with_body(body.clone(), &[]).await), json!({}));
    for blank in ["", " ", "\t", "\n"] {
        let headers = [("resultVariable", blank), ("resultExpression", blank), ("errorExpression", blank)];
        assert_eq!(completed(with_body(body.clone(), &headers).await), json!({}));
    }
}

#[tokio::test]
async fn r02_a_result_variable_holds_the_whole() {
    assert_eq!(kept(r#"{"hello":"world"}"#).await, json!({"result": {"hello": "world"}}));
}

#[tokio::test]
async fn r03_a_null_is_a_result() {
    assert_eq!(kept("").await, json!({"result": null}));
}

#[tokio::test]
async fn r04_a_number_is_a_result() {
    assert_eq!(kept("1").await, json!({"result": 1}));
}

#[tokio::test]
async fn r05_the_whole_response_is_there_with_and_without_the_sign_of_equality() {
    let body = json!({"callStatus": {"statusCode": "200 OK"}});
    for sign in ["", "=", " = "] {
        let expression = format!("{sign}{{\"processedOutput\": response.body.callStatus }}");
        let expected = json!({"processedOutput": {"statusCode": "200 OK"}});
        assert_eq!(mapped(body.clone(), &expression).await, expected);
    }
}

#[tokio::test]
async fn r06_the_fields_of_the_response_are_there_by_themselves() {
    let body = json!({"callStatus": {"statusCode": "200 OK"}});
    let variables =
        mapped(body, "= {\"processedOutput\": {status: body.callStatus.statusCode}, status: status}").await;
    assert_eq!(variables, json!({"processedOutput": {"status": "200 OK"}, "status": 200}));
}

#[tokio::test]
async fn r07_a_context_of_the_response_is_spread_into_variables() {
    assert_eq!(mapped(json!({"value": "x"}), "= response.body").await, json!({"value": "x"}));
    let variables = mapped(json!({"value": "x"}), "= response").await;
    let names: Vec<&String> = variables.as_object().unwrap().keys().collect();
    assert_eq!(names, ["status", "reason", "headers", "body"]);
    assert_eq!(variables["headers"]["content-type"], "application/json;charset=UTF-8");
}

#[tokio::test]
async fn r08_a_field_of_null_is_null() {
    let outcome = answered(200, "", &[("resultExpression", "{\"processedOutput\": body.callStatus }")]).await;
    assert_eq!(completed(outcome), json!({"processedOutput": null}));
}

#[tokio::test]
async fn r09_a_text_can_be_put_into_a_variable() {
    assert_eq!(mapped(json!("FOO"), "{processedOutput: body}").await, json!({"processedOutput": "FOO"}));
}

#[tokio::test]
async fn r10_a_text_alone_is_no_variables() {
    let words = ["Result expression must return a JSON object", "string", "Evaluated value: \"FOO\""];
    refused(json!("FOO"), "= response.body", &words).await;
}

#[tokio::test]
async fn r11_a_text_in_the_response_is_no_variables() {
    refused(json!({"FOO": "BAR"}), "= body.FOO", &["must return a JSON object", "got string"]).await;
}

#[tokio::test]
async fn r12_lists_numbers_and_booleans_are_no_variables() {
    for (expression, kind) in [("= [1, 2, 3]", "array"), ("= 42", "number"), ("= true", "boolean")] {
        refused(json!({}), expression, &["must return a JSON object", &format!("got {kind}")]).await;
    }
}

#[tokio::test]
async fn r13_a_result_variable_and_an_expression_both_apply_and_the_expression_wins() {
    let body = json!({"callStatus": {"statusCode": "200 OK"}});
    let variable = [("resultVariable", "result"), ("resultContent", "body")];
    let expression = "= {\"processedOutput\": body.callStatus, \"nullVar\": null}";
    let headers = [&variable[..], &[("resultExpression", expression)]].concat();
    let status = &body["callStatus"];
    let expected = json!({"result": body, "processedOutput": status, "nullVar": null});
    assert_eq!(completed(with_body(body.clone(), &headers).await), expected);

    let headers = [&variable[..], &[("resultExpression", "= {result: 1}")]].concat();
    assert_eq!(completed(with_body(body.clone(), &headers).await), json!({"result": 1}));
}

#[tokio::test]
async fn r14_a_null_result_sets_no_variables() {
    for expression in ["test", "null", "= unknown(1)"] {
        assert_eq!(mapped(json!({"a": 1}), expression).await, json!({}), "{expression}");
    }
}

#[tokio::test]
async fn r15_functions_work_on_the_response() {
    let variables =
        mapped(json!({"callStatus": "done"}), "{\"o\": upper case(response.body.callStatus)}").await;
    assert_eq!(variables, json!({"o": "DONE"}));
}

#[tokio::test]
async fn r16_filters_projections_and_dates_work_on_the_response() {
    let body =
        json!({"data": [{"date": "2024-01-01", "attr": "value1"}, {"date": "2024-02-01", "attr": "value2"}]});
    let expression = "={data: body.data, res1: data[item.attr = \"value1\"][1].date, res2: \"hallo\" + res1, \
                      res3: 1 + 2, res4: data[item.date = \"2024-02-01\"][1].attr, \
                      res5: data[date(item.date) = date(\"2024-02-01\")][1].attr}";
    let mut variables = mapped(body, expression).await;
    variables.as_object_mut().unwrap().remove("data");
    let expected = json!({"res1": "2024-01-01", "res2": "hallo2024-01-01", "res3": 3, "res4": "value2", "res5": "value2"});
    assert_eq!(variables, expected);
}

#[tokio::test]
async fn r17_a_large_integer_stays_exact() {
    let variables = mapped(json!({}), "={bigNumber: 9223372036854775807}").await;
    assert_eq!(variables["bigNumber"].as_i64(), Some(i64::MAX));
}

#[tokio::test]
async fn r18_what_camundas_connectors_would_execute_does_not_leave() {
    let expression = "{\"camunda.function.type\": body.myfun, \"params\": [\"t\"]}";
    let by_data = json!({"Description": {"camunda.function.type": "base64"}});
    for (body, header) in [
        (json!({"myfun": "x"}), ("resultExpression", expression)),
        (json!({"myfun": "x"}), ("errorExpression", expression)),
        (by_data.clone(), ("resultExpression", "= body")),
        (by_data.clone(), ("errorExpression", "= ignoreError(body)")),
        (by_data, ("resultVariable", "account")),
    ] {
        let failure = failed(with_body(body, &[header]).await);
        assert_eq!((failure.retries, &failure.variables["error"]["code"]), (0, &json!("FORBIDDEN_RESULT")));
        assert!(failure.message.contains("forbidden literal"), "{}", failure.message);
    }
}

/// Upstream the text offers to create a document, which this worker does not.
#[tokio::test]
async fn r19_a_result_that_is_too_large_fails_with_its_size() {
    let body = json!("x".repeat(1_572_865));
    let failure = failed(with_body(body, &[("resultExpression", "= {text: body}")]).await);
    assert_eq!((failure.retries, &failure.variables["error"]["code"]), (0, &json!("RESULT_TOO_LARGE")));
    assert!(failure.message.contains("1572864 may be handed over"), "{}", failure.message);
}

/// Upstream makes the call, fails with one retry less, and makes it again.
#[tokio::test]
async fn r20_a_syntax_error_is_found_before_the_call() {
    let bench = Bench::start().await;
    for header in ["resultExpression", "errorExpression"] {
        let failure = bench.failure(create("Acme"), &[(header, "= {id: body.id,, a: 1}")]).await;
        assert_eq!((failure.retries, &failure.variables["error"]["code"]), (0, &json!("INVALID_INPUT")));
        let caret = "\n  = {id: body.id,, a: 1}\n                 ^\nIt is not tried again by itself.";
        assert!(failure.message.contains(caret), "{}", failure.message);
        assert!(failure.message.contains(&format!("task header {header}")), "{}", failure.message);
    }
    assert_eq!(bench.org.requests().len(), 0);
}

#[tokio::test]
async fn an_expression_that_fails_after_a_write_does_not_repeat_it_and_keeps_the_answer() {
    let bench = Bench::start().await;
    for expression in ["= {a: for x in 1..1000000000 return x}", "= {a: bpmnError(400)}", "= body.id"] {
        let headers = [
            ("resultExpression", expression),
            (
                "errorExpression",
                "= if error != null then jobError(error.message, {}, 2, @\"PT1M\") else null",
            ),
        ];
        let with_word = bench.failure(create("Acme"), &headers).await;
        let failure = bench.failure(create("Acme"), &headers[..1]).await;
        assert_eq!((with_word.retries, failure.retries), (0, 0), "{expression}");
        assert!(with_word.message.contains("It is not tried again"), "{}", with_word.message);
        let error = &failure.variables["error"];
        assert_eq!(error["code"], "EXPRESSION_FAILED");
        assert!(error["variables"]["response"]["body"]["id"].is_string(), "{error}");
        assert!(failure.message.contains("The write itself was done"), "{}", failure.message);
    }
    assert_eq!(bench.org.records("Account").len(), 6, "one for each job");
}

#[tokio::test]
async fn process_variables_are_not_there() {
    assert_eq!(mapped(json!({}), "= {a: salesforceRequest, b: job}").await, json!({"a": null, "b": null}));
}

#[tokio::test]
async fn secrets_are_masked_in_what_expressions_make() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("SF_SECRET"), "dev-secret").unwrap();
    let bench = Bench::start_with(DevOrg::start().await.unwrap(), |options| {
        options.secrets.directory = Some(directory.path().to_owned());
        let connection = options.connections.get_mut("dev").unwrap();
        connection.authentication = crate::handler::login("{{secrets.SF_SECRET}}");
    });
    bench.org.insert("Account", json!({"Name": "it is dev-secret"})).unwrap();
    for headers in [
        [("resultExpression", "= {name: body.records[1].Name}")],
        [("errorExpression", "= bpmnError(body.records[1].Name, body.records[1].Name, {a: body.records})")],
        [("errorExpression", "= jobError(body.records[1].Name, {a: body.records})")],
        [("errorExpression", "= ignoreError({a: body.records})")],
        [("errorExpression", "= body.records[1].Name")],
        [("resultExpression", "= assert(null, false, body.records[1].Name)")],
        [("errorExpression", "= assert(null, false, body.records[1].Name)")],
    ] {
        let shown = format!("{:?}", bench.run(crate::handler::query(), &headers).await);
        assert!(shown.contains("it is ***") && !shown.contains("dev-secret"), "{shown}");
    }
}
