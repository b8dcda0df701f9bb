//! What can be refused without a call is refused without a call, in words that name the field.

use salesforce_connector_dev::gateway::{JobRecord, JobState, NewJob};
use serde_json::{Value, json};

use crate::support::{House, JOB_TYPE};

type Headers = &'static [(&'static str, &'static str)];

/// Runs a job that must be refused: an incident at once, and no call made.
async fn refused(house: &House, variables: Value, headers: &[(&str, &str)]) -> String {
    let job = NewJob::new(JOB_TYPE).variables(variables).headers(headers.iter().copied());
    let record: JobRecord = house.gateway.finished(house.gateway.create_job(job)).await;
    assert_eq!(
        (record.state, record.retries, record.activations()),
        (JobState::Incident, 0, 1),
        "{record:#?}"
    );
    assert_eq!(house.org.requests().len(), 0, "a call was made");
    record.error_message.unwrap()
}

fn request(operation: Value) -> Value {
    json!({"salesforceRequest": {"connection": {"name": "dev"}, "operation": operation}})
}

fn assert_says(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "{word:?} is missing in: {message}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_in_the_request_name_the_path_what_was_expected_and_what_was_found() {
    let house = House::start().await;
    let get = |id: Value| request(json!({"type": "getRecord", "objectType": "Account", "objectId": id}));
    let cases: Vec<(Value, &[&str])> = vec![
        (json!({}), &["salesforceRequest"]),
        (json!({"salesforceRequest": "query"}), &["salesforceRequest", "\"query\""]),
        (
            json!({"salesforceRequest": {"operation": {"type": "query"}}}),
            &["salesforceRequest", "connection"],
        ),
        (
            request(json!({"type": "qurey", "soqlQuery": "x"})),
            &["salesforceRequest.operation.type", "qurey", "query"],
        ),
        (request(json!({"type": "query"})), &["salesforceRequest.operation", "soqlQuery"]),
        (
            request(json!({"type": "query", "soqlQuery": 5})),
            &["salesforceRequest.operation.soqlQuery", "5", "string"],
        ),
        (
            request(json!({"type": "query", "soqlQuery": "x", "maxRecords": -1})),
            &["salesforceRequest.operation.maxRecords", "-1"],
        ),
        (request(json!({"type": "query", "soqlQuery": "x", "limit": 1})), &["limit", "soqlQuery"]),
        (get(json!("123")), &["salesforceRequest.operation.objectId", "15 or 18", "123"]),
        (get(json!(["001D000000IRFmaIAH"])), &["salesforceRequest.operation.objectId"]),
        (
            request(
                json!({"type": "deleteRecord", "objectType": "Acc/ount", "objectId": "001D000000IRFmaIAH"}),
            ),
            &["salesforceRequest.operation.objectType", "Acc/ount"],
        ),
        (
            request(json!({"type": "createRecord", "objectType": "Account", "body": "Name"})),
            &["salesforceRequest.operation.body"],
        ),
    ];
    for (variables, words) in cases {
        assert_says(&refused(&house, variables, &[]).await, words);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_connection_lists_the_known_ones() {
    let house = House::start().await;
    let operation = json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"});
    let variables = json!({"salesforceRequest": {"connection": {"name": "prod"}, "operation": operation}});
    assert_says(&refused(&house, variables, &[]).await, &["prod", "dev"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_that_cannot_be_honoured_are_refused_before_the_call() {
    let house = House::start().await;
    let query = || request(json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"}));
    let cases: &[(Headers, &[&str])] = &[
        (&[("resultExpression", "={x: 1")], &["resultExpression", "line 1"]),
        (&[("errorExpression", "=null null")], &["errorExpression", "line 1"]),
        (&[("resultVariable", "r"), ("resultContent", "id")], &["resultContent", "id", "firstRecord"]),
        (&[("resultVariable", "r"), ("resultContent", "all")], &["resultContent", "all"]),
        (&[("retryBackoff", "30 seconds please")], &["retryBackoff", "PT"]),
        (&[("jobTimeout", "PT0S")], &["jobTimeout"]),
    ];
    for (headers, words) in cases {
        assert_says(&refused(&house, query(), headers).await, words);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_secret_is_named_and_nothing_is_sent() {
    let house = House::start().await;
    let authentication = json!({"type": "bearer", "token": "{{secrets.NO_SUCH_SECRET}}"});
    let connection = json!({"baseUrl": house.org.base_url(), "authentication": authentication});
    let operation = json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"});
    let variables = json!({"salesforceRequest": {"connection": connection, "operation": operation}});
    assert_says(&refused(&house, variables, &[]).await, &["SECRET_NOT_FOUND", "NO_SUCH_SECRET"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_not_allowed_gets_no_secret() {
    let house = House::start().await;
    let authentication =
        json!({"type": "oauth-client-credentials-flow", "clientId": "i", "clientSecret": "hidden-secret"});
    let operation = json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"});
    for base_url in [
        "https://evil.example.com",
        "https://my.salesforce.com.evil.example",
        "http://acme.my.salesforce.com.evil.example",
    ] {
        let connection = json!({"baseUrl": base_url, "authentication": authentication});
        let variables = json!({"salesforceRequest": {"connection": connection, "operation": operation}});
        let message = refused(&house, variables, &[]).await;
        assert_says(&message, &["HOST_NOT_ALLOWED"]);
        assert!(!message.contains("hidden-secret"), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_whose_variables_are_not_an_object_is_failed_with_a_clear_text() {
    let house = House::start().await;
    let key = house.gateway.create_job(NewJob::new(JOB_TYPE).malformed_variables("[1, 2"));
    let record = house.gateway.finished(key).await;
    assert_eq!((record.state, record.retries), (JobState::Incident, 0), "{record:#?}");
    assert_says(&record.error_message.unwrap(), &["variables"]);
}
