//! What the org does by itself: errors that come with a success, and no second effect.

use salesforce_connector::zeebe::Outcome;
use salesforce_connector_dev::org::{Apex, DevOrg, Fault, Reply};
use serde_json::{Value, json};

use crate::handler::{Bench, code};

fn stored(bench: &Bench) -> usize {
    bench.org.records("Account").len()
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
