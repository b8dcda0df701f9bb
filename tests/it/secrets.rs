//! Secrets through the whole house: a store that is down and comes back, and values that cannot be used.

use salesforce_connector::{
    config::Config,
    connector::{ConnectionAuthentication, SecretProvider, VaultAuthentication, VaultOptions},
};
use salesforce_connector_dev::{gateway::JobState, org::Fault, org::Reply, vault::DevVault};
use serde_json::{Value, json};
use std::time::Duration;

use crate::support::{House, job, strike};

fn query() -> Value {
    json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"})
}

async fn vault() -> DevVault {
    let vault = DevVault::start().await.unwrap();
    vault.add_token("hvs.static", false);
    vault.put("secret/salesforce", json!({"CLIENT": "dev-secret", "EMPTY": "", "BLANK": " \n"}));
    vault
}

/// Secrets come from Vault, and the connection `dev` takes this one of them.
fn with(vault: &DevVault, secret: &str) -> impl FnOnce(&mut Config) {
    let vault = VaultOptions {
        address: vault.url(),
        allow_http: false,
        namespace: None,
        mount: "secret".to_owned(),
        path: "salesforce".to_owned(),
        key: "value".to_owned(),
        ca_certificate: None,
        refresh: Duration::from_mins(5),
        authentication: VaultAuthentication::Token("hvs.static".into()),
    };
    let reference = format!("{{{{secrets.{secret}}}}}");
    move |config| {
        config.connector.secrets.providers = vec![SecretProvider::Vault];
        config.connector.secrets.vault = Some(vault);
        config.connector.connections.get_mut("dev").unwrap().authentication =
            ConnectionAuthentication::client_credentials("dev-client", reference);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_starts_while_vault_is_down_and_its_jobs_wait_for_it() {
    let vault = vault().await;
    vault.seal();
    let house = House::start_with(with(&vault, "CLIENT")).await;
    let key = house.gateway.create_job(job(query()).retries(100).headers([("retryBackoff", "PT0.2S")]));
    house.gateway.wait_until(|account| account.failed > 0).await;
    let failed = house.gateway.job(key).unwrap();
    let message = failed.error_message.unwrap();
    assert!(failed.incident_key.is_none() && message.contains(" SECRETS_UNAVAILABLE: "), "{message}");
    for part in ["connections.dev.authentication.client_secret", "Vault", "It is tried again"] {
        assert!(message.contains(part), "{part:?} is missing in {message}");
    }
    assert_eq!(house.org.counters().token_requests, 0, "no login without the secret");

    vault.break_with(None);
    let done = house.gateway.finished(key).await;
    assert_eq!((done.state, house.org.counters().token_requests), (JobState::Completed, 1));
    house.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_secret_is_an_incident_that_names_it_and_nothing_is_called() {
    for secret in ["EMPTY", "BLANK"] {
        let vault = vault().await;
        let house = House::start_with(with(&vault, secret)).await;
        let record = house.run(query(), &[]).await;
        let message = record.error_message.unwrap();
        assert!(record.incident_key.is_some() && message.contains(" SECRET_NOT_FOUND: "), "{message}");
        for part in ["connections.dev.authentication.client_secret", secret, "empty", "Vault"] {
            assert!(message.contains(part), "{part:?} is missing in {message}");
        }
        assert_eq!(house.org.requests().len(), 0);
        house.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_token_endpoint_repeats_is_masked_in_the_status_too() {
    let vault = vault().await;
    vault.put("secret/salesforce", json!({"CLIENT": "wrong/secret+1"}));
    let house = House::start_with(with(&vault, "CLIENT")).await;
    // Of `dev-client:wrong/secret+1`, in Base64, and percent-encoded in small letters.
    let words = "you sent ZGV2LWNsaWVudDp3cm9uZy9zZWNyZXQrMQ== and wrong%2fsecret%2b1";
    let body = json!({"error": "invalid_client", "error_description": words}).to_string();
    let reply = Reply::new(400, body).header("content-type", "application/json");
    strike(&house.org, "POST", "/services/oauth2/token", Fault::Respond(reply));
    let record = house.run(query(), &[]).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let status =
        client.get(format!("{}/api/status", house.admin)).send().await.unwrap().text().await.unwrap();
    for text in [record.error_message.unwrap(), status] {
        assert!(text.contains("you sent") && text.contains("***"), "{text}");
        for trace in ["3cm9uZy9zZWNyZXQrM", "wrong%2f", "secret%2b"] {
            assert!(!text.contains(trace), "{trace} in {text}");
        }
    }
    house.drain().await;
}
