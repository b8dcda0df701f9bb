//! A worker that dies in the middle of a call: its job is not lost, and nothing is doubled.
//!
//! The dead worker's lock runs out, the engine gives the job to the second worker, and its jobs keep their retries. What
//! must not happen twice is an incident then, and a person decides.

use salesforce_connector_dev::org::{Fault, FaultRule, Reply};
use serde_json::{Value, json};

use crate::{House, ServiceTask};

/// A house whose workers hold short locks, so that what a killed one held is soon given to another.
async fn open(name: &str) -> House {
    let mut house = House::open(name).await;
    house.configure("WORKER__JOB_TIMEOUT", "10s");
    // A lock outlasts a write that must not happen twice.
    house.configure("SALESFORCE__REQUEST_TIMEOUT", "8s");
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

fn create() -> ServiceTask {
    ServiceTask::new("createRecord")
        .field("objectType", "Account")
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

#[tokio::test]
async fn a_create_that_was_cut_by_a_kill_is_an_incident_and_is_sent_again_when_that_is_resolved() {
    for (done, name) in [(true, "kill-create"), (false, "kill-early-create")] {
        let mut house = open(name).await;
        house.deploy(&create()).await;
        let held = if done {
            house.hold_answer("POST", "/sobjects/Account")
        } else {
            house.hold("POST", "/sobjects/Account", 1)
        };
        let first = house.worker();
        let instance = house.create(&json!({})).await;
        held.held(1).await;

        first.kill().await;
        let _second = house.worker();

        let incident = house.records.incident(instance).await;
        let message = incident.text("errorMessage");
        for words in ["OUTCOME_UNKNOWN", "/sobjects/Account was sent at 20", "SELECT Id", "upsertRecord"] {
            assert!(message.contains(words), "{words:?} is missing in: {message}");
        }
        assert_eq!(house.org.records("Account").len(), usize::from(done), "it was not sent again");
        house.engine.update_retries(incident.number("jobKey"), 1).await.expect("the job waits");
        house.engine.resolve_incident(incident.key).await.expect("the incident is there");
        house.records.completed(&[instance]).await;
        assert_eq!(house.org.records("Account").len(), usize::from(done) + 1, "a person wished it");
    }
}

#[tokio::test]
async fn a_variable_of_the_process_named_like_the_mark_is_none_and_the_mark_does_not_reach_the_process() {
    let mut house = open("no-mark").await;
    house.deploy(&create()).await;
    let _worker = house.worker();
    let stray = json!({ "sent": { "at": "2026-01-01T00:00:00Z", "operation": "createRecord", "request": "POST /x",
        "jobKey": "2251799813685249" } });
    let variables = house.run(json!({ "salesforceState": stray })).await;
    assert_eq!(variables["salesforceState"], stray);
    let variables = house.run(json!({})).await;
    assert_eq!(variables.as_object().expect("variables").keys().collect::<Vec<_>>(), ["account"]);
    assert_eq!(house.org.records("Account").len(), 2);
}

#[tokio::test]
async fn a_create_that_the_org_refused_leaves_no_mark_to_the_next_try() {
    let mut house = open("refused-create").await;
    house.deploy(&create().header("retryBackoff", "PT1S")).await;
    let busy = Reply::error(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record");
    house.org.faults().add(FaultRule::new(Fault::Respond(busy)).method("POST").path("/sobjects/").times(3));
    let _worker = house.worker();
    let instance = house.create(&json!({})).await;
    house.records.failed_job(instance, 2).await;
    house.records.completed(&[instance]).await;
    assert_eq!((house.records.failed_jobs(instance), house.org.records("Account").len()), (1, 1));
}
