//! Failures that the process handles: BPMN errors and their boundary events.

use serde_json::{Value, json};

use crate::{House, ServiceTask};

/// Creates an account with the external id in the process variable `key`.
fn create_account() -> ServiceTask {
    ServiceTask::new("createRecord")
        .field("objectType", "Account")
        .field("body", "={Name: \"Acme\", External_Key__c: key}")
}

/// Lets an account exist that has the external id `acme`.
fn with_acme(house: &House) {
    let acme = json!({ "Name": "Acme", "External_Key__c": "acme" });
    house.org.insert("Account", acme).expect("the account is valid");
}

#[tokio::test]
async fn a_boundary_event_catches_a_business_error_and_maps_it_out() {
    let mut house = House::open("caught").await;
    with_acme(&house);
    let outputs = [("duplicate", "=error"), ("keyOfDuplicate", "=key")];
    house
        .deploy(&create_account().header("bpmnErrors", "business").catching("DUPLICATE_VALUE", &outputs))
        .await;
    let _worker = house.worker();

    let variables = house.run(json!({ "key": "acme" })).await;

    let error = &variables["duplicate"];
    assert_eq!(error["code"], "DUPLICATE_VALUE", "{variables}");
    assert_eq!(error["type"], "business");
    assert_eq!(error["status"], 400);
    assert_eq!(error["errors"][0]["errorCode"], "DUPLICATE_VALUE");
    assert!(error["message"].as_str().is_some_and(|text| text.contains("External_Key__c")), "{error}");
    assert_eq!(variables["keyOfDuplicate"], "acme");
    assert_eq!(variables.get("error"), None, "the error is the boundary event's own: {variables}");
    assert_eq!(house.org.records("Account").len(), 1);
}

#[tokio::test]
async fn a_boundary_event_without_output_mapping_keeps_the_error_to_itself() {
    let mut house = House::open("kept").await;
    with_acme(&house);
    house
        .deploy(&create_account().header("bpmnErrors", "DUPLICATE_VALUE").catching("DUPLICATE_VALUE", &[]))
        .await;
    let _worker = house.worker();

    let variables = house.run(json!({ "key": "acme" })).await;

    assert_eq!(variables, json!({ "key": "acme" }));
}

#[tokio::test]
async fn a_missing_record_is_caught_by_its_code() {
    let mut house = House::open("not-found").await;
    let task = ServiceTask::new("getRecord")
        .field("objectType", "Account")
        .field("objectId", "001000000000001")
        .header("resultVariable", "account")
        .header("bpmnErrors", "NOT_FOUND")
        .catching("NOT_FOUND", &[("missing", "=error.errors[1].errorCode")]);
    house.deploy(&task).await;
    let _worker = house.worker();

    let variables = house.run(json!({})).await;

    assert_eq!(variables["missing"], "NOT_FOUND");
    assert_eq!(variables.get("account"), None::<&Value>);
}

#[tokio::test]
async fn an_error_that_is_not_listed_is_an_incident() {
    let mut house = House::open("not-listed").await;
    with_acme(&house);
    house.deploy(&create_account().header("bpmnErrors", "NOT_FOUND").catching("DUPLICATE_VALUE", &[])).await;
    let _worker = house.worker();

    let instance = house.create(&json!({ "key": "acme" })).await;

    let incident = house.records.incident(instance).await;
    assert_eq!(incident.text("errorType"), "JOB_NO_RETRIES");
    assert!(incident.text("errorMessage").contains("DUPLICATE_VALUE"), "{}", incident.text("errorMessage"));
}
