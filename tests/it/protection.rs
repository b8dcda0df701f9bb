//! Orgs that are throttled, down or slow: what becomes of their jobs, and what an operator sees.

use salesforce_connector::{connector::ConnectionStatus, salesforce::CircuitState, zeebe::Outcome};
use salesforce_connector_dev::org::{DevOrg, Fault, Reply};
use serde_json::{Value, json};

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
        "latencyMs",
    ];
    assert_eq!(names, expected);
}
