//! What the contract with the modeler takes for granted of the engine, through the worker's eyes.

use salesforce_connector_dev::org::{Fault, FaultRule, Reply};
use serde_json::json;

use crate::{House, ServiceTask};

#[tokio::test]
async fn a_process_variable_named_like_the_input_does_not_leak_into_it() {
    let mut house = House::open("leak").await;
    house
        .deploy(
            &ServiceTask::new("createRecord").field("objectType", "Account").field("body", "={Name: name}"),
        )
        .await;
    let _worker = house.worker();
    let stray = json!({ "connection": { "baseUrl": "https://salesforce.example.com" }, "stray": true,
        "operation": { "type": "deleteRecord", "objectId": "001000000000001", "body": { "Phone": "1" } } });

    let variables = house.run(json!({ "name": "Acme", "salesforceRequest": stray })).await;

    let accounts = house.org.records("Account");
    assert_eq!(
        (accounts.len(), &accounts[0]["Name"], &accounts[0]["Phone"]),
        (1, &json!("Acme"), &json!(null))
    );
    assert_eq!(variables["salesforceRequest"], stray, "nor does the input reach the process");
}

#[tokio::test]
async fn a_result_goes_only_into_its_variable() {
    let mut house = House::open("result").await;
    house.org.insert("Account", json!({ "Name": "Acme" })).expect("the account is valid");
    let task = ServiceTask::new("query")
        .field("soqlQuery", "SELECT Name FROM Account")
        .header("resultVariable", "first")
        .header("resultContent", "firstRecord");
    house.deploy(&task).await;
    let _worker = house.worker();

    let variables = house.run(json!({ "before": [1.50, null, "ä"] })).await;

    assert_eq!(variables["first"]["Name"], "Acme");
    assert_eq!(variables["before"], json!([1.50, null, "ä"]));
    assert_eq!(variables.as_object().expect("variables are an object").len(), 2, "{variables}");
}

#[tokio::test]
async fn output_mappings_choose_from_the_result() {
    let mut house = House::open("output").await;
    let task = ServiceTask::new("createRecord")
        .field("objectType", "Account")
        .field("body", "={Name: \"Acme\"}")
        .header("resultVariable", "response")
        .output("status", "=response.status")
        .output("accountId", "=response.body.id");
    house.deploy(&task).await;
    let _worker = house.worker();

    let variables = house.run(json!({})).await;

    let id = house.org.records("Account")[0]["Id"].clone();
    assert_eq!(variables, json!({ "status": 201, "accountId": id }));
}

/// A record that others write to, for a while.
fn row_lock() -> FaultRule {
    let busy = Reply::error(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record");
    FaultRule::new(Fault::Respond(busy)).method("PATCH")
}

/// Renames the account in the process variable `accountId`.
fn rename() -> ServiceTask {
    ServiceTask::new("updateRecord")
        .field("objectType", "Account")
        .field("objectId", "=accountId")
        .field("body", "={Name: \"Acme Corporation\"}")
        .header("retryBackoff", "PT1S")
}

#[tokio::test]
async fn a_row_lock_that_passes_is_not_seen_by_the_process() {
    let mut house = House::open("short-lock").await;
    let account = house.org.insert("Account", json!({ "Name": "Acme" })).expect("the account is valid");
    house.deploy(&rename()).await;
    house.org.faults().add(row_lock());
    let _worker = house.worker();

    let instance = house.create(&json!({ "accountId": account })).await;

    house.records.completed(&[instance]).await;
    assert_eq!(house.records.failed_jobs(instance), 0);
    assert_eq!(house.org.faults().pending(), 0, "the lock was met");
    assert_eq!(house.org.records("Account")[0]["Name"], "Acme Corporation");
}

#[tokio::test]
async fn a_job_that_met_a_long_row_lock_comes_back_after_its_backoff_and_completes() {
    let mut house = House::open("long-lock").await;
    let account = house.org.insert("Account", json!({ "Name": "Acme" })).expect("the account is valid");
    house.deploy(&rename()).await;
    // As often as one job tries.
    house.org.faults().add(row_lock().times(3));
    let _worker = house.worker();

    let instance = house.create(&json!({ "accountId": account })).await;

    let failed = house.records.failed_job(instance, 2).await;
    assert_eq!(failed.number("retryBackoff"), 1000);
    assert!(failed.text("errorMessage").contains("UNABLE_TO_LOCK_ROW"), "{}", failed.text("errorMessage"));
    house.records.completed(&[instance]).await;
    assert_eq!(house.records.failed_jobs(instance), 1);
    assert_eq!(house.org.records("Account")[0]["Name"], "Acme Corporation");
}

#[tokio::test]
async fn a_job_that_takes_longer_than_its_lock_is_kept_by_renewing_the_lock() {
    let mut house = House::open("renew").await;
    house.configure("WORKER__JOB_TIMEOUT", "10s");
    // One more than a page: two calls, each of which takes half a lock.
    for number in 0..=2000 {
        house.org.insert("Account", json!({ "Name": format!("Account {number}") })).expect("it is valid");
    }
    let task =
        ServiceTask::new("query").field("soqlQuery", "SELECT Id FROM Account").field("allPages", "=true");
    house.deploy(&task).await;
    let pages = [house.hold("GET", "/query", 1), house.hold("GET", "/query", 1)];
    let _worker = house.worker();
    let instance = house.create(&json!({})).await;

    for (page, renewals) in pages.iter().zip(1..) {
        page.held(1).await;
        house.records.renewed(&house.job_type.clone(), renewals).await;
        page.open();
    }

    house.records.completed(&[instance]).await;
    assert_eq!(house.records.timed_out_jobs(&house.job_type), 0);
}

#[tokio::test]
async fn jobs_that_wait_before_the_worker_comes_are_taken_without_a_stream() {
    let mut house = House::open("poll").await;
    house.deploy(&ServiceTask::new("query").field("soqlQuery", "SELECT Id FROM Account")).await;
    let instances = [house.create(&json!({})).await, house.create(&json!({})).await];
    house.configure("WORKER__STREAM_ENABLED", "false");

    let _worker = house.worker();

    house.records.completed(&instances).await;
}
