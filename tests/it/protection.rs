//! Orgs that are throttled, down or slow: what becomes of their jobs, and what an operator sees.

use salesforce_connector::{connector::ConnectionStatus, salesforce::CircuitState, zeebe::Outcome};
use salesforce_connector_dev::org::{DevOrg, Fault, Reply};
use serde_json::{Value, json};

use std::time::Duration;

use super::handler::{Bench, job, login};

fn query() -> Value {
    json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"})
}

fn status(bench: &Bench) -> ConnectionStatus {
    let mut all = bench.connector.connections().status();
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

#[tokio::test]
async fn the_status_of_a_connection_begins_empty_and_fills_with_what_its_calls_tell() {
    let bench = Bench::start().await;
    assert_eq!(bench.connector.connections().status(), []);
    bench.connector.connections().check().await.unwrap();
    let before = status(&bench);
    assert_eq!(before.connection.as_deref(), Some("dev"));
    assert_eq!(before.org.host, bench.org.base_url().trim_start_matches("http://"));
    assert_eq!((before.token_age_seconds, &before.org.api_usage, before.org.latency_ms), (None, &None, None));
    assert!(matches!(bench.run(query(), &[]).await, Outcome::Complete { .. }));
    let after = status(&bench);
    assert!(after.token_age_seconds.is_some() && after.org.latency_ms.is_some());
    let usage = after.org.api_usage.unwrap();
    assert!(usage.used >= 1 && usage.max > usage.used, "{usage:?}");
    assert_eq!((after.org.circuit.state, after.org.calls_in_flight), (CircuitState::Closed, 0));
    assert_eq!(after.org.last_error, None);
}

#[tokio::test]
async fn the_last_error_is_told_without_the_query_and_business_errors_are_not_told() {
    let bench = Bench::start().await;
    let refused = Reply::error(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Mr. Confidential has no phone");
    bench.strike("GET", "/query", Fault::Respond(refused));
    bench.failure(query(), &[]).await;
    assert_eq!(status(&bench).org.last_error, None);
    bench.strike("GET", "/query", Fault::Respond(Reply::error(403, "API_DISABLED_FOR_ORG", "no API")));
    bench.failure(query(), &[]).await;
    let error = status(&bench).org.last_error.unwrap();
    assert_eq!(error.code, "API_DISABLED_FOR_ORG");
    assert!(error.message.contains("/query: 403") && !error.message.contains("SELECT"), "{error:?}");
    assert!(error.at.ends_with('Z') && error.at.len() == 20, "{error:?}");
}

#[tokio::test]
async fn an_org_that_only_a_task_names_is_shown_without_a_connection() {
    let bench = Bench::start_with(DevOrg::start().await.unwrap(), |options| options.connections.clear());
    let connection = json!({"baseUrl": bench.org.base_url(), "authentication": {
        "type": "oauth-client-credentials-flow", "clientId": "dev-client", "clientSecret": "dev-secret"}});
    let job = job(json!({"connection": connection, "operation": query()}), &[]);
    let outcome = salesforce_connector::zeebe::JobHandler::handle(&bench.connector, &job).await;
    assert!(matches!(outcome, Outcome::Complete { .. }), "{outcome:?}");
    let status = status(&bench);
    assert_eq!((status.connection, status.token_age_seconds), (None, None));
    assert!(status.org.latency_ms.is_some());
}

#[tokio::test]
async fn the_status_is_json_in_camel_case() {
    let bench = Bench::start_with(DevOrg::start().await.unwrap(), |options| {
        let dev = options.connections.get_mut("dev").unwrap();
        dev.authentication = login("wrong");
    });
    bench.failure(query(), &[]).await;
    let shown = serde_json::to_value(status(&bench)).unwrap();
    assert_eq!(shown["lastError"]["code"], "AUTHENTICATION_FAILED");
    assert_eq!(shown["circuit"], json!({"state": "closed", "reason": null, "retryInSeconds": null}));
    let names: Vec<_> = shown.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "connection",
        "tokenAgeSeconds",
        "host",
        "lastError",
        "apiUsage",
        "circuit",
        "callsInFlight",
        "callsWaiting",
        "latencyMs",
    ];
    assert_eq!(names, expected);
}

fn create() -> Value {
    json!({"type": "createRecord", "objectType": "Account", "body": {"Name": "Acme"}})
}

/// The rest of a job that was parked, without notes.
fn parked(outcome: Outcome) -> Duration {
    let Outcome::Park { after, variables } = outcome else { panic!("{outcome:#?}") };
    assert!(variables.is_empty());
    after
}

const LIMIT: &str = "TotalRequests Limit exceeded.";

#[tokio::test]
async fn the_job_that_meets_the_limit_and_those_after_it_are_parked_and_nothing_is_called() {
    let bench = Bench::start().await;
    bench.strike("POST", "/sobjects", Fault::Respond(Reply::error(403, "REQUEST_LIMIT_EXCEEDED", LIMIT)));
    let catching_all = [
        ("bpmnErrors", "REQUEST_LIMIT_EXCEEDED, ORG_PAUSED"),
        ("errorExpression", "if error = null then null else bpmnError(error.code)"),
    ];
    let first = parked(bench.run(create(), &catching_all).await);
    assert!((48.0..=110.0).contains(&first.as_secs_f64()), "{first:?}");
    let calls = bench.org.requests().len();
    for _ in 0..20 {
        assert!(parked(bench.run(query(), &catching_all).await) > Duration::from_secs(40));
    }
    assert_eq!(bench.org.requests().len(), calls, "not one of them was called");
    let status = status(&bench);
    assert_eq!(status.org.circuit.state, CircuitState::Open);
    assert_eq!(status.org.circuit.reason.unwrap(), format!("REQUEST_LIMIT_EXCEEDED: {LIMIT}"));
    assert_eq!(status.org.last_error.unwrap().code, "REQUEST_LIMIT_EXCEEDED");
}

#[tokio::test]
async fn a_maintenance_page_parks_the_job_once_it_stays() {
    let bench = Bench::start().await;
    let page = Reply::new(503, "<html><title>Down for Maintenance</title></html>")
        .header("content-type", "text/html");
    let rule =
        salesforce_connector_dev::org::FaultRule::new(Fault::Respond(page)).path("/query").times(usize::MAX);
    bench.org.faults().add(rule);
    parked(bench.run(query(), &[]).await);
    let reason = status(&bench).org.circuit.reason.unwrap();
    assert_eq!(reason, "503 an HTML page titled \"Down for Maintenance\"");
}

#[tokio::test]
async fn in_read_only_maintenance_writes_are_parked_and_reads_go_on() {
    let bench = Bench::start().await;
    let code = "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE";
    bench.strike("POST", "/sobjects", Fault::Respond(Reply::error(503, code, "read only")));
    parked(bench.run(create(), &[]).await);
    parked(bench.run(create(), &[]).await);
    assert!(matches!(bench.run(query(), &[]).await, Outcome::Complete { .. }));
    assert_eq!(status(&bench).org.circuit.state, CircuitState::ReadOnly);
}

#[tokio::test]
async fn below_the_connections_own_reserve_creates_are_parked_and_reads_go_on() {
    let bench = Bench::start_with(DevOrg::start().await.unwrap(), |options| {
        options.connections.get_mut("dev").unwrap().api_reserve = Some(0.2);
    });
    let answer = Reply::new(200, r#"{"totalSize": 0, "done": true, "records": []}"#);
    let answer = answer.header("Sforce-Limit-Info", "api-usage=81/100");
    bench.strike("GET", "/query", Fault::Respond(answer.clone()));
    assert!(matches!(bench.run(query(), &[]).await, Outcome::Complete { .. }));
    let after = parked(bench.run(create(), &[]).await);
    assert!((60.0..=180.0).contains(&after.as_secs_f64()), "{after:?}");
    assert!(matches!(bench.run(query(), &[]).await, Outcome::Complete { .. }));
    assert!(
        matches!(bench.run(create(), &[]).await, Outcome::Complete { .. }),
        "the org has said better numbers"
    );
}

#[tokio::test]
async fn a_configured_org_that_cannot_be_reached_parks_its_jobs_after_five_failures() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let bench = Bench::start_with(DevOrg::start().await.unwrap(), |options| {
        let dev = options.connections.get_mut("dev").unwrap();
        dev.base_url = url;
        dev.authentication = salesforce_connector::connector::ConnectionAuthentication::bearer("given");
    });
    let first = bench.failure(query(), &[]).await;
    assert_eq!((first.retries, first.variables["error"]["code"].as_str()), (2, Some("CONNECTION_FAILED")));
    assert!(first.message.contains("no connection to 127.0.0.1:"), "{}", first.message);
    parked(bench.run(query(), &[]).await);
    parked(bench.run(query(), &[]).await);
}
