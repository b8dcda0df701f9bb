//! Authorization: fixed credentials, and tokens of a DevIdentity.

use std::time::Duration;

use salesforce_connector_dev::gateway::{DevGateway, DevIdentity};
use serde_json::Value;
use tonic::{Code, Request};

use crate::client::*;
use crate::http;

async fn post(identity: &DevIdentity, form: &str, header: &str) -> (u16, Value) {
    let headers = format!("{header}Content-Type: application/x-www-form-urlencoded\r\n");
    http::send(identity.address(), "POST /oauth/token", &headers, form).await
}

const FORM: &str =
    "grant_type=client_credentials&client_id=dev-client&client_secret=dev-secret&audience=zeebe";

fn with(authorization: &str) -> Request<TopologyRequest> {
    let mut request = Request::new(TopologyRequest {});
    request.metadata_mut().insert("authorization", authorization.parse().unwrap());
    request
}

#[tokio::test]
async fn without_the_right_authorization_nothing_is_answered() {
    let gateway = DevGateway::builder().require_basic("demo", "demo").start().await.unwrap();
    let mut client = connect(&gateway).await;
    assert_eq!(client.topology(TopologyRequest {}).await.unwrap_err().code(), Code::Unauthenticated);
    gateway.require_bearer("one");
    client.topology(with("Bearer one")).await.unwrap();
    assert_eq!(gateway.account().unauthenticated, 1);
    gateway.require_nothing();
    client.topology(TopologyRequest {}).await.unwrap();
}

#[tokio::test]
async fn a_token_of_the_identity_opens_the_gateway_until_it_is_revoked() {
    let identity = DevIdentity::builder().audience("zeebe").start().await.unwrap();
    let gateway = DevGateway::builder().oauth(&identity).start().await.unwrap();
    let mut client = connect(&gateway).await;
    let (status, body) = post(&identity, FORM, "").await;
    assert_eq!((status, &body["token_type"], &body["expires_in"]), (200, &"Bearer".into(), &300.into()));
    let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
    client.topology(with(&bearer)).await.unwrap();
    identity.revoke_all();
    assert_eq!(client.topology(with(&bearer)).await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(identity.tokens_issued(), 1);
    assert_eq!(identity.requests()[0].audience.as_deref(), Some("zeebe"));
}

#[tokio::test]
async fn a_token_ends_with_its_lifetime() {
    let identity = DevIdentity::builder().token_lifetime(Duration::ZERO).start().await.unwrap();
    let gateway = DevGateway::start().await.unwrap();
    gateway.require_identity(&identity);
    let (_, body) = post(&identity, FORM, "").await;
    let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
    let status = connect(&gateway).await.topology(with(&bearer)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn wrong_credentials_a_wrong_audience_and_scripted_refusals_give_no_token() {
    let identity = DevIdentity::builder().audience("zeebe").start().await.unwrap();
    let wrong = |from: &str, to: &str| FORM.replace(from, to);
    assert_eq!(post(&identity, &wrong("dev-secret", "x"), "").await.0, 401);
    assert_eq!(post(&identity, &wrong("zeebe", "x"), "").await.0, 403);
    assert_eq!(post(&identity, &wrong("client_credentials", "password"), "").await.0, 400);
    identity.refuse(1, 503);
    assert_eq!(post(&identity, FORM, "").await.0, 503);
    let basic = "Authorization: Basic ZGV2LWNsaWVudDpkZXYtc2VjcmV0\r\n";
    assert_eq!(post(&identity, "grant_type=client_credentials&audience=zeebe", basic).await.0, 200);
    let statuses: Vec<u16> = identity.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [401, 403, 400, 503, 200]);
    assert!(identity.requests()[4].basic);
    assert!(!format!("{identity:?} {:?}", identity.requests()).contains("dev-secret"));
}
