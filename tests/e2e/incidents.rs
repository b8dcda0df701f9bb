//! Failures that a person has to look at: what the incident says, and that mending helps.

use serde_json::{Value, json};

use crate::{House, ServiceTask, records::Record};

/// Deploys the process of a task, starts an instance, and answers its incident.
async fn incident(house: &mut House, task: ServiceTask, variables: Value) -> Record {
    house.deploy(&task).await;
    let _worker = house.worker();
    let instance = house.create(&variables).await;
    let incident = house.records.incident(instance).await;
    assert_eq!(incident.text("errorType"), "JOB_NO_RETRIES");
    assert_eq!(incident.text("elementId"), "task");
    incident
}

#[track_caller]
fn assert_says(incident: &Record, parts: &[&str]) {
    let message = incident.text("errorMessage");
    for part in parts {
        assert!(message.contains(part), "{part:?} is missing in {message:?}");
    }
}

/// Nothing was sent to the org: no call, and no login for it.
#[track_caller]
fn assert_no_call(house: &House) {
    assert_eq!(house.org.requests().len(), 0);
}

#[tokio::test]
async fn an_unknown_field_in_a_query_is_named_and_the_mended_job_completes() {
    let mut house = House::open("unknown-field").await;
    house.org.insert("Account", json!({ "Name": "Acme" })).expect("the account is valid");
    let task = ServiceTask::new("query")
        .field("soqlQuery", "SELECT Id, Nmae FROM Account")
        .header("resultVariable", "accounts")
        .header("resultContent", "records");
    let incident = incident(&mut house, task, json!({})).await;
    assert_says(&incident, &["INVALID_FIELD", "Nmae"]);

    let request = json!({ "connection": { "name": "dev" },
        "operation": { "type": "query", "soqlQuery": "SELECT Id, Name FROM Account" } });
    let task = incident.number("elementInstanceKey");
    let mended = json!({ "salesforceRequest": request });
    house.engine.set_local_variables(task, &mended).await.expect("the task waits");
    house.engine.update_retries(incident.number("jobKey"), 1).await.expect("the job waits");
    house.engine.resolve_incident(incident.key).await.expect("the incident is there");
    let _worker = house.worker();

    house.records.completed(&[incident.number("processInstanceKey")]).await;
}

#[tokio::test]
async fn a_missing_required_field_is_named() {
    let mut house = House::open("missing-field").await;
    let task = ServiceTask::new("createRecord")
        .field("objectType", "Contact")
        .field("body", "={FirstName: \"Ada\"}");
    let incident = incident(&mut house, task, json!({})).await;
    assert_says(&incident, &["REQUIRED_FIELD_MISSING", "LastName"]);
    assert_eq!(house.org.records("Contact").len(), 0);
}

#[tokio::test]
async fn a_missing_input_is_named_by_its_path_before_any_call() {
    let mut house = House::open("missing-input").await;
    let task = ServiceTask::new("createRecord").field("body", "={Name: \"Acme\"}");
    let incident = incident(&mut house, task, json!({})).await;
    assert_says(&incident, &["INVALID_INPUT", "salesforceRequest.operation.objectType"]);
    assert_no_call(&house);
}

#[tokio::test]
async fn an_unknown_input_is_named_by_its_path_before_any_call() {
    let mut house = House::open("unknown-input").await;
    let task = ServiceTask::new("query").field("soql", "SELECT Id FROM Account");
    let incident = incident(&mut house, task, json!({})).await;
    assert_says(&incident, &["INVALID_INPUT", "salesforceRequest.operation.soql"]);
    assert_no_call(&house);
}

#[tokio::test]
async fn a_task_without_any_input_says_what_it_expected() {
    let mut house = House::open("no-input").await;
    let incident = incident(&mut house, ServiceTask::bare(), json!({ "unrelated": 1 })).await;
    assert_says(&incident, &["INVALID_INPUT", "salesforceRequest"]);
    assert_no_call(&house);
}

/// A query over an inline connection to the org of the test.
fn inline(house: &House, secret: &str) -> ServiceTask {
    ServiceTask::bare()
        .input("salesforceRequest.connection.baseUrl", &house.org.base_url())
        .input("salesforceRequest.connection.authentication.type", "oauth-client-credentials-flow")
        .input("salesforceRequest.connection.authentication.clientId", "dev-client")
        .input("salesforceRequest.connection.authentication.clientSecret", secret)
        .input("salesforceRequest.operation.type", "query")
        .field("soqlQuery", "SELECT Id FROM Account")
}

#[tokio::test]
async fn a_missing_secret_is_named_before_any_call() {
    let mut house = House::open("missing-secret").await;
    let task = inline(&house, "{{secrets.NOT_THERE}}");
    let incident = incident(&mut house, task, json!({})).await;
    assert_says(&incident, &["SECRET_NOT_FOUND", "NOT_THERE"]);
    assert_no_call(&house);
}

#[tokio::test]
async fn a_refused_login_is_said_without_showing_the_secret() {
    const WRONG: &str = "correct-horse-battery-staple";
    let mut house = House::open("wrong-secret").await;
    house.secret("WRONG", WRONG);
    let task = inline(&house, "{{secrets.WRONG}}");
    let incident = incident(&mut house, task, json!({})).await;
    assert_says(&incident, &["AUTHENTICATION_FAILED"]);
    assert!(!incident.value.to_string().contains(WRONG), "{}", incident.value);
    assert_eq!(house.org.counters().tokens_issued, 0);
}

#[tokio::test]
async fn a_host_that_is_not_allowed_is_refused_before_any_call() {
    let mut house = House::open("foreign-host").await;
    let task = ServiceTask::bare()
        .input("salesforceRequest.connection.baseUrl", "https://salesforce.example.com")
        .input("salesforceRequest.connection.authentication.type", "bearer")
        .input("salesforceRequest.connection.authentication.token", "{{secrets.DEV_CLIENT_SECRET}}")
        .input("salesforceRequest.operation.type", "query")
        .field("soqlQuery", "SELECT Id FROM Account");
    let incident = incident(&mut house, task, json!({})).await;
    assert_says(&incident, &["HOST_NOT_ALLOWED", "salesforce.example.com"]);
}

#[tokio::test]
async fn a_result_too_large_for_the_engine_says_what_helps() {
    let mut house = House::open("too-large").await;
    let description = "x".repeat(30_000);
    for number in 0..60 {
        let account = json!({ "Name": format!("Account {number}"), "Description": description });
        house.org.insert("Account", account).expect("the account is valid");
    }
    let task = ServiceTask::new("query")
        .field("soqlQuery", "SELECT Id, Description FROM Account")
        .header("resultVariable", "accounts");
    let incident = incident(&mut house, task, json!({})).await;
    assert_says(&incident, &["RESULT_TOO_LARGE", "LIMIT"]);
}
