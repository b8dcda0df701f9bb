//! Apex classes that are REST resources, and any request: what a class refuses, and no second effect.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use salesforce_connector_dev::org::{Apex, DevOrg, Exception, Fault, Reply};
use serde_json::{Value, json};

use crate::handler::{Bench, code};

/// An org with a class that makes an account of each order, and counts how often it was called.
async fn with_orders() -> (Bench, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let place = move |apex: &mut Apex<'_>| {
        counted.fetch_add(1, Ordering::SeqCst);
        if apex.body["name"] == "taken" {
            let told = json!({"reason": "the name is taken"}).to_string();
            return Ok(Reply::new(409, told));
        }
        let id = apex.insert("Account", &json!({"Name": apex.body["name"]}))?;
        if apex.body["fails"] == true {
            return Err(Exception::new(
                "System.NullPointerException",
                "Attempt to de-reference a null object",
            ));
        }
        Ok(Reply::new(201, json!({"orderId": id, "path": apex.path, "query": apex.query}).to_string()))
    };
    let read =
        |apex: &mut Apex<'_>| Ok(Reply::new(200, json!({"orders": apex.records("Account")}).to_string()));
    let echo = |apex: &mut Apex<'_>| Ok(Reply::new(200, json!({"body": apex.body}).to_string()));
    let org = DevOrg::builder()
        .apex_rest("POST", "/Orders/*", place)
        .apex_rest("GET", "/Orders/*", read)
        .apex_rest("PUT", "/Echo", echo)
        .start()
        .await
        .unwrap();
    (Bench::start_with(org, |_| ()), calls)
}

fn order(name: &str) -> Value {
    json!({"type": "apexRest", "method": "POST", "path": ["Orders", "a/b"], "body": {"name": name},
        "queryParameters": {"dry run": "no&yes"}})
}

fn stored(bench: &Bench) -> usize {
    bench.org.records("Account").len()
}

#[tokio::test]
async fn apex_rest_reaches_the_class_with_path_query_and_body() {
    let (bench, _) = with_orders().await;
    let body = bench.result(order("Acme"), "body").await;
    assert_eq!((&body["path"], &body["query"]), (&json!("/Orders/a/b"), &json!([["dry run", "no&yes"]])));
    let read = json!({"type": "apexRest", "method": "GET", "path": "/Orders"});
    let read = bench.result(read, "body").await;
    assert_eq!(read["orders"][0]["Id"], body["orderId"]);
    let text = json!({"type": "apexRest", "method": "PUT", "path": "Echo", "body": "a;b", "contentType": "text/plain"});
    assert_eq!(bench.result(text, "body").await["body"], "a;b");
}

#[tokio::test]
async fn an_exception_of_apex_is_its_error_and_undoes_what_the_class_did() {
    let (bench, _) = with_orders().await;
    let mut operation = order("Acme");
    operation["body"]["fails"] = json!(true);
    let failure = bench.failure(operation, &[]).await;
    assert_eq!((code(&failure), failure.retries, stored(&bench)), ("APEX_ERROR", 0, 0));
    let message = &failure.variables["error"]["errors"][0]["message"];
    assert_eq!(message, "System.NullPointerException: Attempt to de-reference a null object");

    let nameless = json!({"type": "apexRest", "method": "POST", "path": "/Orders", "body": {}});
    let failure = bench.failure(nameless, &[]).await;
    assert!(failure.message.contains("REQUIRED_FIELD_MISSING"), "{}", failure.message);

    let failure = bench.failure(order("taken"), &[]).await;
    let error = &failure.variables["error"];
    assert_eq!((code(&failure), &error["status"]), ("HTTP_409", &json!(409)));
    assert_eq!(error["variables"]["response"]["body"]["reason"], "the name is taken");
}

#[tokio::test]
async fn a_class_that_is_not_there_or_has_no_such_method_is_told() {
    let (bench, _) = with_orders().await;
    let call = |method: &str, path: &str| json!({"type": "apexRest", "method": method, "path": path});
    let failure = bench.failure(call("GET", "/Nowhere"), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("NOT_FOUND", 0));
    let failure = bench.failure(call("DELETE", "/Orders/1"), &[]).await;
    assert_eq!(code(&failure), "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn a_call_that_must_not_happen_twice_does_not_when_its_answer_is_lost() {
    let (bench, calls) = with_orders().await;
    bench.strike("POST", "/services/apexrest", Fault::CloseAfter);
    let failure = bench.failure(order("Acme"), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("OUTCOME_UNKNOWN", 0));
    assert_eq!((calls.load(Ordering::SeqCst), stored(&bench)), (1, 1));
}

#[tokio::test]
async fn the_modeler_may_say_that_a_second_time_does_no_harm() {
    let (bench, calls) = with_orders().await;
    bench.strike("POST", "/services/apexrest", Fault::CloseAfter);
    let mut operation = order("taken");
    operation["class"] = json!("idempotentWrite");
    assert_eq!(code(&bench.failure(operation, &[]).await), "HTTP_409");
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    bench.strike("GET", "/services/apexrest", Fault::CloseAfter);
    let read = json!({"type": "apexRest", "method": "GET", "path": "/Orders"});
    assert_eq!(bench.result(read, "body").await["orders"], json!([]));
}

#[tokio::test]
async fn after_a_write_no_expression_asks_for_a_result_again_and_after_a_read_it_may() {
    let (bench, calls) = with_orders().await;
    let again = [
        ("resultVariable", "r"),
        ("resultExpression", "= 1"),
        ("errorExpression", "= if error = null then null else jobError(\"again\", {}, 5)"),
    ];
    let failure = bench.failure(order("Acme"), &again).await;
    assert_eq!((failure.retries, calls.load(Ordering::SeqCst)), (0, 1), "{failure:#?}");
    let read = json!({"type": "apexRest", "method": "GET", "path": "/Orders"});
    assert_eq!(bench.failure(read, &again).await.retries, 5);
}

#[tokio::test]
async fn any_request_goes_where_it_says_with_its_headers() {
    let bench = Bench::start().await;
    let request = |fields: Value| {
        let mut operation = json!({"type": "request"});
        operation.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        operation
    };
    let limits = bench.result(request(json!({"method": "GET", "path": "/limits"})), "body").await;
    assert!(limits["DailyApiRequests"]["Max"].is_number());
    let whole = request(json!({"method": "get", "path": "/services/data/v60.0/limits/"}));
    assert!(bench.result(whole, "body").await["DailyApiRequests"].is_object());

    let create = request(json!({"method": "POST", "path": ["sobjects", "Account"], "body": {"Name": "Acme"},
        "headers": {"Sforce-Call-Options": "client=mine", "X-Reason": "order 17"}}));
    let id = bench.result(create, "body").await["id"].clone();
    let sent = bench.org.requests().into_iter().rfind(|request| request.method == "POST").unwrap();
    let header =
        |name: &str| sent.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
    assert_eq!((header("sforce-call-options"), header("x-reason")), (Some("client=mine"), Some("order 17")));
    assert_eq!(header("content-type"), Some("application/json; charset=utf-8"));

    let path = json!(["sobjects", "Account", id]);
    let update = request(json!({"method": "PATCH", "path": path, "body": {"Phone": "5"}}));
    assert_eq!(bench.result(update, "response").await["status"], 204);
    bench.strike("DELETE", "/sobjects/Account", Fault::CloseAfter);
    let delete = request(json!({"method": "DELETE", "path": path}));
    assert_eq!(bench.result(delete, "response").await["status"], 204, "it was deleted by the lost call");
    assert_eq!(stored(&bench), 0);
}

#[tokio::test]
async fn any_request_that_must_not_happen_twice_does_not() {
    let bench = Bench::start().await;
    bench.strike("POST", "/sobjects/Account", Fault::CloseAfter);
    let create =
        json!({"type": "request", "method": "POST", "path": "/sobjects/Account", "body": {"Name": "Acme"}});
    let failure = bench.failure(create, &[]).await;
    assert_eq!((code(&failure), failure.retries, stored(&bench)), ("OUTCOME_UNKNOWN", 0, 1));
    let failure = bench.failure(json!({"type": "request", "method": "GET", "path": "/nowhere"}), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("NOT_FOUND", 0));
}
