//! What the org does by itself, and any request: errors that come with a success, and no second effect.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use salesforce_connector::zeebe::Outcome;
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

/// An org with a flow that closes a case, an Apex action that opens accounts, and one that never works.
async fn with_actions() -> Bench {
    let open = |apex: &mut Apex<'_>| {
        let id = apex.insert("Account", &json!({"Name": apex.body["name"]}))?;
        Ok(json!({"accountId": id}))
    };
    let halted = |_: &mut Apex<'_>| Ok(json!({"Flow__InterviewStatus": "Error"}));
    let seed = json!({
        "records": {"Case": [{"Id": "500Dv0000000017IAA", "Subject": "Broken"}]},
        "automation": {"actions": [{
            "name": "custom/flow/Close_Case",
            "inputs": [{"name": "caseId", "required": true}, {"name": "reason"}],
            "does": {
                "updates": {"object": "Case", "id": "{!caseId}", "fields": {"Status": "Closed"}},
                "outputs": {"told": "closed for {!reason}"},
            },
        }]},
    });
    let org = DevOrg::builder()
        .seed(seed)
        .action("custom/apex/OpenAccount", open)
        .action("custom/flow/Halted", halted)
        .start()
        .await
        .unwrap();
    Bench::start_with(org, |_| ())
}

fn open_accounts(names: &[&str]) -> Value {
    let inputs: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
    json!({"type": "invokeAction", "actionType": "apex", "actionName": "OpenAccount", "inputs": inputs})
}

fn close_case(id: &str) -> Value {
    json!({"type": "startFlow", "flowName": "Close_Case", "inputVariables": {"caseId": id, "reason": "good"}})
}

const CASE: &str = "500Dv0000000017IAA";

#[tokio::test]
async fn a_flow_takes_its_inputs_and_gives_its_outputs() {
    let bench = with_actions().await;
    let body = bench.result(close_case(CASE), "body").await;
    assert_eq!(
        (&body["status"], &body["outputs"]),
        (&json!("Finished"), &json!({"told": "closed for good"}))
    );
    assert!(body["interviewGuid"].is_string());
    assert_eq!(bench.org.records("Case")[0]["Status"], "Closed");
}

#[tokio::test]
async fn a_flow_that_fails_is_an_error_whatever_the_status() {
    let bench = with_actions().await;
    let failure = bench.failure(close_case("500Dv0000000099IAA"), &[]).await;
    let error = &failure.variables["error"];
    assert_eq!((code(&failure), failure.retries), ("UNKNOWN_EXCEPTION", 0));
    assert_eq!((&error["status"], &error["type"]), (&json!(400), &json!("business")));
    assert_eq!(error["variables"]["response"]["body"]["results"][0]["success"], false);

    let halted = json!({"type": "startFlow", "flowName": "Halted"});
    let failure = bench.failure(halted, &[]).await;
    assert_eq!((code(&failure), &failure.variables["error"]["status"]), ("ACTION_FAILED", &json!(200)));

    let mut wrong = close_case(CASE);
    wrong["inputVariables"] = json!({"reason": "good"});
    let outcome = bench.run(wrong, &[("bpmnErrors", "INVALID_API_INPUT")]).await;
    let Outcome::ThrowError { code: thrown, message, .. } = outcome else { panic!("{outcome:#?}") };
    assert_eq!(thrown, "INVALID_API_INPUT");
    assert!(message.contains("Missing required input parameter: caseId"), "{message}");

    let unknown = json!({"type": "startFlow", "flowName": "Nowhere"});
    assert_eq!(code(&bench.failure(unknown, &[]).await), "NOT_FOUND");
}

#[tokio::test]
async fn fail_on_decides_when_some_inputs_of_an_action_fail() {
    let bench = with_actions().await;
    let body = bench.result(open_accounts(&["A", "B"]), "body").await;
    assert_eq!((&body["total"], &body["failed"]), (&json!(2), &json!(0)));
    let id = &body["results"][1]["outputs"]["accountId"];
    assert_eq!(bench.org.records("Account")[1]["Id"], *id);

    let mut mixed = open_accounts(&["C", "D"]);
    mixed["inputs"][0]["name"] = Value::Null;
    let again = [("errorExpression", "=if error = null then null else jobError(\"again\", {}, 5)")];
    let failure = bench.failure(mixed.clone(), &again).await;
    assert_eq!(failure.retries, 0, "one of them is done: {failure:#?}");
    let failure = bench.failure(mixed.clone(), &[]).await;
    assert_eq!(code(&failure), "RECORDS_FAILED");
    let first = &failure.variables["error"]["errors"][0];
    assert_eq!((&first["index"], &first["errorCode"]), (&json!(0), &json!("APEX_ERROR")));
    mixed["failOn"] = json!("all");
    assert_eq!(bench.result(mixed.clone(), "body").await["succeeded"], 1);

    mixed["inputs"] = json!([{"name": null}]);
    let failure = bench.failure(mixed.clone(), &[]).await;
    assert_eq!(code(&failure), "APEX_ERROR");
    assert!(failure.message.contains("REQUIRED_FIELD_MISSING"), "{}", failure.message);
    mixed["failOn"] = json!("none");
    assert_eq!(bench.result(mixed, "body").await["failed"], 1);
}

#[tokio::test]
async fn an_action_whose_answer_is_lost_is_not_run_again_unless_the_modeler_says_so() {
    let bench = with_actions().await;
    bench.strike("POST", "/actions/custom/apex", Fault::CloseAfter);
    let failure = bench.failure(open_accounts(&["A"]), &[]).await;
    assert_eq!((code(&failure), failure.retries, stored(&bench)), ("OUTCOME_UNKNOWN", 0, 1));
    bench.strike("POST", "/actions/custom/flow", Fault::CloseAfter);
    assert_eq!(code(&bench.failure(close_case(CASE), &[]).await), "OUTCOME_UNKNOWN");
    let mut again = close_case(CASE);
    again["class"] = json!("idempotentWrite");
    bench.strike("POST", "/actions/custom/flow", Fault::CloseAfter);
    assert_eq!(bench.result(again, "body").await["status"], "Finished");
}

#[tokio::test]
async fn a_row_that_is_locked_for_a_flow_is_tried_again() {
    let bench = with_actions().await;
    let locked = json!([{"actionName": "Close_Case", "isSuccess": false, "outputValues": null,
        "errors": [{"statusCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access", "fields": []}]}]);
    bench.strike("POST", "/actions", Fault::Respond(Reply::new(200, locked.to_string())));
    let failure = bench.failure(close_case(CASE), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("UNABLE_TO_LOCK_ROW", 2));
}

#[tokio::test]
async fn what_is_not_the_answer_of_an_action_is_told() {
    let bench = with_actions().await;
    bench.strike("POST", "/actions", Fault::Respond(Reply::new(200, "[]")));
    assert_eq!(code(&bench.failure(close_case(CASE), &[]).await), "INVALID_RESPONSE");
}

/// An org with a quick action on cases, a global one, and a platform event.
async fn with_actions_and_events() -> Bench {
    let seed = json!({
        "records": {"Case": [{"Id": CASE, "Subject": "Broken"}]},
        "automation": {
            "quickActions": [
                {"object": "Case", "name": "LogACall", "does": {
                    "creates": {"object": "Task", "fields": {"WhatId": "{!contextId}", "Subject": "{!Subject}"}}}},
                {"name": "NewAccount", "does": {"creates": {"object": "Account", "fields": {"Name": "{!Name}"}}}},
            ],
            "events": [{"name": "Order__e", "fields": [{"name": "Number__c", "required": true}, {"name": "Key__c"}]}],
        },
    });
    Bench::start_with(DevOrg::builder().seed(seed).start().await.unwrap(), |_| ())
}

fn log_a_call() -> Value {
    json!({"type": "quickAction", "objectType": "Case", "quickActionName": "LogACall", "objectId": CASE,
        "record": {"Subject": "Called back"}})
}

#[tokio::test]
async fn a_quick_action_makes_its_record() {
    let bench = with_actions_and_events().await;
    let id = bench.result(log_a_call(), "id").await;
    let task = bench.org.records("Task").pop().unwrap();
    assert_eq!((&task["Id"], &task["WhatId"], &task["Subject"]), (&id, &json!(CASE), &json!("Called back")));
    let global = json!({"type": "quickAction", "quickActionName": "NewAccount", "record": {"Name": "Acme"}});
    assert_eq!(bench.result(global.clone(), "body").await["created"], true);

    let mut nameless = global;
    nameless["record"] = json!({});
    let failure = bench.failure(nameless, &[]).await;
    assert_eq!((code(&failure), stored(&bench)), ("REQUIRED_FIELD_MISSING", 1));
    let mut unknown = log_a_call();
    unknown["quickActionName"] = json!("Nothing");
    assert_eq!(code(&bench.failure(unknown, &[]).await), "NOT_FOUND");
    let refused =
        json!({"success": false, "errors": [{"statusCode": "ENTITY_IS_LOCKED", "message": "m"}]}).to_string();
    bench.strike("POST", "/quickActions", Fault::Respond(Reply::new(200, refused)));
    assert_eq!(code(&bench.failure(log_a_call(), &[]).await), "ENTITY_IS_LOCKED");
}

#[tokio::test]
async fn a_quick_action_whose_answer_is_lost_is_not_run_again() {
    let bench = with_actions_and_events().await;
    bench.strike("POST", "/quickActions/LogACall", Fault::CloseAfter);
    let failure = bench.failure(log_a_call(), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("OUTCOME_UNKNOWN", 0));
    assert_eq!(bench.org.records("Task").len(), 1);
}

fn order_event() -> Value {
    json!({"type": "publishEvent", "eventName": "Order__e", "body": {"Number__c": "17"}})
}

#[tokio::test]
async fn an_event_is_published_and_its_uuid_told() {
    let bench = with_actions_and_events().await;
    let body = bench.result(order_event(), "body").await;
    let events = bench.org.events("Order__e");
    assert_eq!((&body["eventUuid"], &body["errors"]), (&events[0]["EventUuid"], &json!([])));
    assert_eq!(events[0]["Number__c"], "17");
    for (event, expected) in [
        (json!({"eventName": "Order__e", "body": {}}), "REQUIRED_FIELD_MISSING"),
        (json!({"eventName": "Order__e", "body": {"Number__c": "1", "EventUuid": "x"}}), "INVALID_FIELD"),
        (json!({"eventName": "Other__e", "body": {}}), "NOT_FOUND"),
    ] {
        let mut operation = event;
        operation["type"] = json!("publishEvent");
        assert_eq!(code(&bench.failure(operation, &[]).await), expected);
    }
}

#[tokio::test]
async fn an_event_is_published_again_only_where_subscribers_can_tell() {
    let bench = with_actions_and_events().await;
    bench.strike("POST", "/sobjects/Order__e", Fault::CloseAfter);
    let failure = bench.failure(order_event(), &[]).await;
    assert_eq!(
        (code(&failure), failure.retries, bench.org.events("Order__e").len()),
        ("OUTCOME_UNKNOWN", 0, 1)
    );

    bench.strike("POST", "/sobjects/Order__e", Fault::CloseAfter);
    let mut keyed = order_event();
    keyed["keyField"] = json!("Key__c");
    let body = bench.result(keyed, "body").await;
    let keys: Vec<Value> =
        bench.org.events("Order__e").into_iter().map(|event| event["Key__c"].clone()).collect();
    // Of the process instance and the run of the task that the bench names.
    assert_eq!((&body["key"], keys), (&json!("2-4"), vec![Value::Null, json!("2-4"), json!("2-4")]));
}

fn graphql(document: &str, variables: Value) -> Value {
    json!({"type": "graphql", "query": document, "variables": variables})
}

#[tokio::test]
async fn graphql_reads_records_by_variables() {
    let bench = Bench::start().await;
    for name in ["Acme", "O'Brien", "Zeta"] {
        bench.org.insert("Account", json!({"Name": name})).unwrap();
    }
    let document = "query named($name: Picklist) { uiapi { query { Account(where: {Name: {eq: $name}}) {
        edges { node { Id Name { value } } } totalCount } } } }";
    bench.strike("POST", "/graphql", Fault::CloseAfter);
    let body = bench.result(graphql(document, json!({"name": "O'Brien"})), "body").await;
    let found = &body["data"]["uiapi"]["query"]["Account"];
    assert_eq!(
        (&found["totalCount"], &found["edges"][0]["node"]["Name"]["value"]),
        (&json!(1), &json!("O'Brien"))
    );
    let names = "= {names: body.data.uiapi.query.Account.edges.node.Name.value}";
    let all = graphql(
        "{ uiapi { query { Account(first: 2, orderBy: {Name: {order: DESC}}) { edges { node { Name { value } } } } } } }",
        json!({}),
    );
    let outcome = bench.run(all, &[("resultExpression", names)]).await;
    let Outcome::Complete { variables } = outcome else { panic!("{outcome:#?}") };
    assert_eq!(variables["names"], json!(["Zeta", "O'Brien"]));
}

#[tokio::test]
async fn errors_of_graphql_are_errors_though_the_status_is_success() {
    let bench = Bench::start().await;
    for (document, expected) in [
        ("{ uiapi { query { Account { edges { node { Nam { value } } } } } } }", "ValidationError"),
        ("{ uiapi { query { Nothing { totalCount } } } }", "ValidationError"),
        ("{ uiapi(x: [1) { a } }", "INVALID_INPUT"),
        ("{ uiapi }}", "INVALID_INPUT"),
        ("{ uiapi { query { Account(first: ) { totalCount } } } }", "InvalidSyntax"),
    ] {
        let failure = bench.failure(graphql(document, json!({})), &[]).await;
        assert_eq!((code(&failure), failure.retries), (expected, 0), "{document}");
    }
    let document = "{ uiapi { query { Account { edges { node { Nam { value } } } } } } }";
    let failure = bench.failure(graphql(document, json!({})), &[]).await;
    let error = &failure.variables["error"];
    assert_eq!(
        (&error["status"], &error["errors"][0]["fields"]),
        (&json!(200), &json!(["uiapi.query.Account"]))
    );
}

const CREATE: &str = "mutation open($name: String) { uiapi { AccountCreate(input: {Account: {Name: $name}}) { Record { Id } } } }";

#[tokio::test]
async fn a_mutation_changes_records_once() {
    let bench = Bench::start().await;
    let body = bench.result(graphql(CREATE, json!({"name": "Acme"})), "body").await;
    let id = &body["data"]["uiapi"]["AccountCreate"]["Record"]["Id"];
    assert_eq!(bench.org.records("Account")[0]["Id"], *id);
    let failure = bench.failure(graphql(CREATE, json!({"name": null})), &[]).await;
    assert_eq!((code(&failure), stored(&bench)), ("DataFetchingException", 1));
    bench.strike("POST", "/graphql", Fault::CloseAfter);
    let failure = bench.failure(graphql(CREATE, json!({"name": "Beta"})), &[]).await;
    assert_eq!((code(&failure), failure.retries, stored(&bench)), ("OUTCOME_UNKNOWN", 0, 2));
}

#[tokio::test]
async fn a_mutation_that_is_partly_done_is_not_sent_again_by_an_expression() {
    let bench = Bench::start().await;
    let document = "mutation { uiapi(input: {allOrNone: false}) { a: AccountCreate(input: {Account: {Name: \"A\"}}) { Record { Id } }
        b: AccountCreate(input: {Account: {}}) { Record { Id } } } }";
    let again = [("errorExpression", "=if error = null then null else jobError(\"again\", {}, 5)")];
    let failure = bench.failure(graphql(document, json!({})), &again).await;
    assert_eq!((failure.retries, stored(&bench)), (0, 1), "{failure:#?}");
    let all = document.replace("allOrNone: false", "allOrNone: true");
    let failure = bench.failure(graphql(&all, json!({})), &again).await;
    assert_eq!((failure.retries, stored(&bench)), (5, 1));
}
