//! Reaching the gateway, and being let in.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use salesforce_connector::zeebe::{GatewayAuthentication, GatewayOptions};
use salesforce_connector_dev::gateway::{DevGateway, DevIdentity, JobState};

use super::{Setup, address, completing, new_job, soon, until};

fn oauth(gateway: &DevGateway, identity: &DevIdentity, secret: &str) -> GatewayOptions {
    let authentication = GatewayAuthentication::OAuth {
        token_url: identity.token_url(),
        client_id: "dev-client".into(),
        client_secret: secret.into(),
        audience: "zeebe".into(),
        scope: Some("jobs".into()),
    };
    GatewayOptions { authentication, ..address(gateway.url()) }
}

fn basic(gateway: &DevGateway, password: &str) -> GatewayOptions {
    let authentication = GatewayAuthentication::Basic { username: "demo".into(), password: password.into() };
    GatewayOptions { authentication, ..address(gateway.url()) }
}

#[tokio::test]
async fn the_gateway_tells_what_it_is() {
    let gateway = DevGateway::builder().gateway_version("8.9.1").start().await.unwrap();
    let info = soon(Setup::of(&gateway).client().info()).await.unwrap();
    assert_eq!((info.version.as_str(), info.brokers, info.partitions), ("8.9.1", 1, 1));
}

#[tokio::test]
async fn a_gateway_that_is_not_there_is_an_error_that_says_why() {
    let gateway = DevGateway::start().await.unwrap();
    let client = Setup::of(&gateway).client();
    gateway.go_down().await;
    let error = soon(client.info()).await.unwrap_err().to_string();
    assert!(error.starts_with("Topology: Unavailable") && error.contains("refused"), "{error}");
}

#[tokio::test]
async fn a_worker_waits_for_a_gateway_that_comes_up_later() {
    let gateway = DevGateway::start().await.unwrap();
    gateway.go_down().await;
    let worker = Setup::of(&gateway).run(completing);
    tokio::task::yield_now().await;
    assert!(!worker.status.is_ready());
    gateway.come_up().await.unwrap();
    soon(worker.status.ready()).await;
    let key = gateway.create_job(new_job());
    soon(gateway.finished(key)).await;
    assert_eq!(worker.drain().await.completed, 1);
}

#[tokio::test]
async fn a_worker_outlives_restarts_of_the_gateway() {
    let gateway = DevGateway::start().await.unwrap();
    let worker = Setup::of(&gateway).run_ready(completing).await;
    for round in 0..3 {
        gateway.go_down().await;
        until(|| !worker.status.is_ready()).await;
        gateway.create_jobs((0..5).map(|_| new_job()));
        gateway.come_up().await.unwrap();
        let account = soon(gateway.all_finished()).await;
        assert_eq!(account.completed, (round + 1) * 5);
        soon(worker.status.ready()).await;
    }
    assert_eq!(worker.drain().await.completed, 15);
}

#[tokio::test]
async fn basic_credentials_let_us_in() {
    let gateway = DevGateway::builder().require_basic("demo", "geheim").start().await.unwrap();
    let worker = Setup::at(basic(&gateway, "geheim")).run_ready(completing).await;
    let key = gateway.create_job(new_job());
    assert_eq!(soon(gateway.finished(key)).await.state, JobState::Completed);
    worker.drain().await;
    assert_eq!(gateway.account().unauthenticated, 0);
}

#[tokio::test]
async fn a_wrong_password_is_an_error_with_a_hint_and_without_the_password() {
    let gateway = DevGateway::builder().require_basic("demo", "geheim").start().await.unwrap();
    let error = soon(Setup::at(basic(&gateway, "falsch")).client().info()).await.unwrap_err().to_string();
    assert!(error.contains("Unauthenticated") && error.contains("check the way"), "{error}");
    assert!(!error.contains("falsch"), "{error}");
}

#[tokio::test]
async fn one_token_serves_all_calls() {
    let identity = DevIdentity::start().await.unwrap();
    let gateway = DevGateway::builder().oauth(&identity).start().await.unwrap();
    let worker = Setup::at(oauth(&gateway, &identity, "dev-secret")).run_ready(completing).await;
    gateway.create_jobs((0..50).map(|_| new_job()));
    soon(gateway.all_finished()).await;
    worker.drain().await;
    let requests = identity.requests();
    assert_eq!((requests.len(), gateway.account().unauthenticated), (1, 0));
    assert_eq!(requests[0].audience.as_deref(), Some("zeebe"));
    assert_eq!((requests[0].scope.as_deref(), requests[0].basic), (Some("jobs"), false));
}

#[tokio::test]
async fn a_token_that_is_not_accepted_any_more_is_replaced_once_for_all() {
    let identity = DevIdentity::start().await.unwrap();
    let gateway = DevGateway::builder().oauth(&identity).start().await.unwrap();
    let worker = Setup::at(oauth(&gateway, &identity, "dev-secret")).run_ready(completing).await;
    identity.revoke_all();
    gateway.create_jobs((0..20).map(|_| new_job()));
    assert_eq!(soon(gateway.all_finished()).await.completed, 20);
    assert_eq!(worker.drain().await.completed, 20);
    assert_eq!(identity.tokens_issued(), 2);
}

#[tokio::test]
async fn a_short_lived_token_is_replaced_before_it_ends() {
    let lifetime = Duration::from_secs(1);
    let identity = DevIdentity::builder().token_lifetime(lifetime).start().await.unwrap();
    let gateway = DevGateway::builder().oauth(&identity).start().await.unwrap();
    let worker = Setup::at(oauth(&gateway, &identity, "dev-secret")).run_ready(completing).await;
    // The sweeping poll keeps asking.
    soon(gateway.wait_until(|_| identity.tokens_issued() >= 3)).await;
    assert_eq!(gateway.account().unauthenticated, 0);
    worker.drain().await;
}

#[tokio::test]
async fn a_wrong_secret_does_not_become_a_storm_of_token_requests() {
    let identity = DevIdentity::start().await.unwrap();
    let gateway = DevGateway::builder().oauth(&identity).start().await.unwrap();
    let setup = Setup::at(oauth(&gateway, &identity, "falsch"));
    let client = setup.client();
    for _ in 0..200 {
        let error = soon(client.info()).await.unwrap_err().to_string();
        assert!(error.contains("no access token") && error.contains("401"), "{error}");
        assert!(error.contains("***") && !error.contains("falsch"), "{error}");
        assert!(!error.contains(&STANDARD.encode("dev-client:falsch")[..20]), "{error}");
    }
    assert!(identity.requests().len() <= 2, "{}", identity.requests().len());
}

#[tokio::test]
async fn tokens_that_the_gateway_never_accepts_are_not_asked_for_again_and_again() {
    let identity = DevIdentity::start().await.unwrap();
    let gateway = DevGateway::builder().require_bearer("quite another").start().await.unwrap();
    let setup = Setup::at(oauth(&gateway, &identity, "dev-secret"));
    let client = setup.client();
    for _ in 0..200 {
        soon(client.info()).await.unwrap_err();
    }
    assert!(identity.requests().len() <= 4, "{}", identity.requests().len());
}

#[tokio::test]
async fn a_token_endpoint_that_fails_for_a_while_does_not_end_the_worker() {
    let identity = DevIdentity::start().await.unwrap();
    identity.refuse(1, 503);
    let gateway = DevGateway::builder().oauth(&identity).start().await.unwrap();
    let worker = Setup::at(oauth(&gateway, &identity, "dev-secret")).run(completing);
    let key = gateway.create_job(new_job());
    assert_eq!(soon(gateway.finished(key)).await.state, JobState::Completed);
    worker.drain().await;
    assert_eq!(identity.requests().len(), 2);
}
