//! The Salesforce client against DevOrg: the same calls as the operations make, over real HTTP.

use std::{sync::Arc, time::Duration};

use salesforce_connector::{
    metrics::Metrics,
    salesforce::{
        AllowedHosts, ApiVersion, Credentials, ErrorClass, ExternalId, ObjectName, RecordId, Request,
        Response, SalesforceClient, TimeLimit, Transport, TransportOptions,
    },
};
use salesforce_connector_dev::org::{DevOrg, Fault, FaultRule};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

fn client(org: &DevOrg, secret: &str) -> SalesforceClient {
    let hosts = AllowedHosts::new(&[], true, true).unwrap();
    let options = TransportOptions { hosts, ..TransportOptions::default() };
    let transport = Transport::new(options, Arc::new(Metrics::new())).unwrap();
    let credentials = Credentials::client_credentials("dev-client", secret);
    transport.client(&org.base_url(), ApiVersion::DEFAULT, credentials).unwrap()
}

fn limit() -> TimeLimit {
    let request_timeout = Duration::from_secs(20);
    TimeLimit { request_timeout, deadline: Instant::now() + Duration::from_mins(1) }
}

fn account() -> ObjectName {
    "Account".parse().unwrap()
}

fn fields(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn id(response: &Response) -> RecordId {
    response.body["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_record_is_created_read_changed_queried_and_deleted_with_one_login() {
    let org = DevOrg::start().await.unwrap();
    let client = client(&org, "dev-secret");
    let created =
        client.send(&Request::create(&account(), fields(&json!({"Name": "Acme"}))), limit()).await.unwrap();
    assert_eq!((created.status, created.body["success"].as_bool()), (201, Some(true)));
    let id = id(&created);
    let read = client.send(&Request::get(&account(), &id, None), limit()).await.unwrap();
    assert_eq!(read.body["Name"], "Acme");
    assert!(read.headers.contains_key("sforce-limit-info"));
    let update = Request::update(&account(), &id, fields(&json!({"Name": "Acme & Söhne"})));
    assert_eq!(client.send(&update, limit()).await.unwrap().status, 204);
    let query = Request::query("SELECT Id FROM Account WHERE Name = 'Acme & Söhne'");
    assert_eq!(client.send(&query, limit()).await.unwrap().body["totalSize"], 1);
    let delete = Request::delete(&account(), &id);
    assert_eq!(client.send(&delete, limit()).await.unwrap().status, 204);
    let error = client.send(&delete, limit()).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("ENTITY_IS_DELETED", ErrorClass::Business), "{error}");
    assert_eq!(org.counters().tokens_issued, 1);
}

#[tokio::test]
async fn an_upsert_whose_answer_was_lost_is_repeated_and_makes_one_record() {
    let org = DevOrg::start().await.unwrap();
    let client = client(&org, "dev-secret");
    org.faults().add(FaultRule::new(Fault::CloseAfter).method("PATCH").times(1));
    let key = ExternalId::new("External_Key__c".parse().unwrap(), "order/7 & co").unwrap();
    let upsert = Request::upsert(&account(), &key, fields(&json!({"Name": "Acme"})));
    let response = client.send(&upsert, limit()).await.unwrap();
    assert!(matches!(response.status, 200 | 204), "the second upsert finds the record of the first");
    assert_eq!(org.records("Account").len(), 1);
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_is_not_repeated() {
    let org = DevOrg::start().await.unwrap();
    let client = client(&org, "dev-secret");
    for fault in [Fault::CloseAfter, Fault::CloseBefore] {
        org.faults().add(FaultRule::new(fault).method("POST").path("/sobjects/Account").times(1));
        let create = Request::create(&account(), fields(&json!({"Name": "Acme"})));
        let error = client.send(&create, limit()).await.unwrap_err();
        assert_eq!((error.code(), error.class()), ("OUTCOME_UNKNOWN", ErrorClass::OutcomeUnknown), "{error}");
    }
    assert_eq!(
        org.records("Account").len(),
        1,
        "one of two was carried out, and the client cannot know which"
    );
}

#[tokio::test]
async fn a_delete_whose_answer_was_lost_is_a_success() {
    let org = DevOrg::start().await.unwrap();
    let client = client(&org, "dev-secret");
    let id: RecordId = org.insert("Account", json!({"Name": "Acme"})).unwrap().parse().unwrap();
    org.faults().add(FaultRule::new(Fault::CloseAfter).method("DELETE").times(1));
    let response = client.send(&Request::delete(&account(), &id), limit()).await.unwrap();
    assert_eq!(response.status, 204);
    assert!(org.records("Account").is_empty());
}

#[tokio::test]
async fn revoked_tokens_cost_one_more_login() {
    let org = DevOrg::start().await.unwrap();
    let client = client(&org, "dev-secret");
    let query = Request::query("SELECT Id FROM Account");
    client.send(&query, limit()).await.unwrap();
    org.revoke_tokens();
    let calls = (0..50).map(|_| client.send(&query, limit()));
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(org.counters().tokens_issued, 2);
}

#[tokio::test]
async fn a_wrong_secret_is_asked_about_once() {
    let org = DevOrg::start().await.unwrap();
    let client = client(&org, "wr0ng");
    let query = Request::query("SELECT Id FROM Account");
    let calls = (0..50).map(|_| client.send(&query, limit()));
    for answer in futures_util::future::join_all(calls).await {
        let error = answer.unwrap_err();
        assert_eq!(
            (error.code(), error.class()),
            ("AUTHENTICATION_FAILED", ErrorClass::Authentication),
            "{error}"
        );
        assert!(!error.to_string().contains("wr0ng"), "{error}");
    }
    assert_eq!(org.counters().tokens_refused, 1);
}

#[tokio::test]
async fn refusals_of_the_org_have_its_codes() {
    let org = DevOrg::start().await.unwrap();
    let client = client(&org, "dev-secret");
    for (request, code, class) in [
        (Request::query("SELEC Id FROM Account"), "MALFORMED_QUERY", ErrorClass::Permanent),
        (Request::query("SELECT Nope FROM Account"), "INVALID_FIELD", ErrorClass::Permanent),
        (Request::create(&account(), Map::new()), "REQUIRED_FIELD_MISSING", ErrorClass::Business),
        (
            Request::get(&account(), &"001000000000000AAA".parse().unwrap(), None),
            "NOT_FOUND",
            ErrorClass::Business,
        ),
    ] {
        let error = client.send(&request, limit()).await.unwrap_err();
        assert_eq!((error.code(), error.class()), (code, class), "{error}");
    }
}
