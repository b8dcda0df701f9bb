//! The API version is checked once for each org, before the first call.

use salesforce_connector_dev::org::{DevOrg, Fault, FaultRule, Reply};
use serde_json::json;

use crate::support::{House, JOB_TYPE, strike};
use salesforce_connector_dev::gateway::{JobRecord, NewJob};

fn questions(org: &DevOrg) -> usize {
    org.requests().iter().filter(|request| request.path == "/services/data").count()
}

async fn query_with(house: &House, api_version: &str) -> JobRecord {
    let operation = json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"});
    let request = json!({"connection": {"name": "dev"}, "apiVersion": api_version, "operation": operation});
    let job = NewJob::new(JOB_TYPE).variables(json!({"salesforceRequest": request}));
    house.gateway.finished(house.gateway.create_job(job)).await
}

#[tokio::test]
async fn an_org_is_asked_once_however_many_jobs_come_at_once() {
    let house = House::start().await;
    let query = json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"});
    let jobs = (0..20).map(|_| house.run(query.clone(), &[]));
    let records = futures_util::future::join_all(jobs).await;
    assert!(records.iter().all(|record| record.error_message.is_none()), "{records:?}");
    assert_eq!(questions(&house.org), 1);
    house.drain().await;
}

#[tokio::test]
async fn a_version_that_the_org_lacks_is_refused_with_what_it_has_and_where_it_was_set() {
    let house = House::start().await;
    let record = query_with(&house, "v90.0").await;
    let message = record.error_message.clone().unwrap();
    assert!(record.incident_key.is_some() && message.contains("UNSUPPORTED_API_VERSION: "), "{message}");
    for part in ["salesforceRequest.apiVersion", "v90.0", "v31.0 to v68.0"] {
        assert!(message.contains(part), "{part:?} is missing in {message}");
    }
    assert_eq!(house.org.counters().api_requests, 0, "nothing was called");
    house.drain().await;

    let house = House::start_with(|config| {
        config.connector.connections.get_mut("dev").unwrap().api_version = "v90.0".parse().unwrap();
    })
    .await;
    let record = house.run(json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"}), &[]).await;
    let message = record.error_message.clone().unwrap();
    assert!(message.contains("connections.dev.api_version: "), "{message}");
    house.drain().await;
}

#[tokio::test]
async fn jobs_go_on_where_the_org_does_not_say_what_it_has() {
    for fault in [
        Fault::CloseBefore,
        Fault::Respond(Reply::error(503, "SERVER_UNAVAILABLE", "maintenance")),
        Fault::Respond(Reply::error(404, "NOT_FOUND", "no")),
    ] {
        let house = House::start().await;
        house.org.faults().add(FaultRule::new(fault).method("GET").path("/services/data"));
        for _ in 0..3 {
            let record = query_with(&house, "v67.0").await;
            assert_eq!(record.error_message, None);
        }
        assert_eq!(questions(&house.org), 1, "the silence is remembered for a while");
        house.drain().await;
    }
}

#[tokio::test]
async fn a_lost_question_costs_no_record() {
    let house = House::start().await;
    strike(&house.org, "GET", "/services/data", Fault::CloseAfter);
    let create = json!({"type": "createRecord", "objectType": "Account", "body": {"Name": "Acme"}});
    house.run(create, &[]).await;
    assert_eq!(house.org.records("Account").len(), 1);
    house.drain().await;
}
