//! A worker that dies in the middle of a call: its job is not lost, and nothing is doubled.
//!
//! The dead worker's lock runs out, the engine gives the job to the second worker, and its jobs keep their retries.

use serde_json::{Value, json};

use crate::{House, ServiceTask};

/// A house whose workers hold short locks, so that what a killed one held is soon given to another.
async fn open(name: &str) -> House {
    let mut house = House::open(name).await;
    house.configure("WORKER__JOB_TIMEOUT", "10s");
    house
}

fn query() -> ServiceTask {
    ServiceTask::new("query")
        .field("soqlQuery", "SELECT Id, Name FROM Account ORDER BY Name")
        .header("resultVariable", "accounts")
        .header("resultContent", "records")
}

fn upsert() -> ServiceTask {
    ServiceTask::new("upsertRecord")
        .field("objectType", "Account")
        .field("externalIdField", "External_Key__c")
        .field("externalId", "=key")
        .field("body", "={Name: \"Acme\"}")
        .header("resultVariable", "account")
        .header("resultContent", "body")
}

/// The external ids of the accounts in the org.
fn keys(house: &House) -> Vec<Value> {
    house.org.records("Account").iter().map(|account| account["External_Key__c"].clone()).collect()
}

#[tokio::test]
async fn a_query_of_a_killed_worker_is_finished_by_a_second_one() {
    let mut house = open("kill-query").await;
    house.org.insert("Account", json!({ "Name": "Acme" })).expect("the account is valid");
    house.deploy(&query()).await;
    let held = house.hold("GET", "/query", 1);
    let first = house.worker();
    let running = house.start(json!({}));
    held.held(1).await;

    first.kill().await;
    let _second = house.worker();

    let variables = house.finish(running).await;
    assert_eq!(variables["accounts"][0]["Name"], "Acme", "{variables}");
    house.records.timed_out(&house.job_type).await;
}

#[tokio::test]
async fn an_upsert_that_was_done_before_its_worker_was_killed_is_done_once() {
    let mut house = open("kill-upsert").await;
    house.deploy(&upsert()).await;
    let held = house.hold_answer("PATCH", "/sobjects/Account/External_Key__c/");
    let first = house.worker();
    let running = house.start(json!({ "key": "acme" }));
    held.held(1).await;
    assert_eq!(keys(&house), ["acme"], "the org has done it, and its answer is on the way");

    first.kill().await;
    let _second = house.worker();

    let variables = house.finish(running).await;
    assert_eq!(variables["account"]["created"], false, "{variables}");
    assert_eq!(keys(&house), ["acme"]);
}

#[tokio::test]
async fn an_upsert_that_is_done_after_its_worker_was_killed_is_done_once() {
    let mut house = open("kill-late-upsert").await;
    house.deploy(&upsert()).await;
    let held = house.hold("PATCH", "/sobjects/Account/External_Key__c/", 1);
    let first = house.worker();
    let running = house.start(json!({ "key": "acme" }));
    held.held(1).await;
    assert!(keys(&house).is_empty(), "the request is on the way");

    first.kill().await;
    let _second = house.worker();

    let variables = house.finish(running).await;
    assert_eq!(variables["account"]["created"], true, "{variables}");
    held.open();
    assert_eq!(keys(&house), ["acme"]);
}
