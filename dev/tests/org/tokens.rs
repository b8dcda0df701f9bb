//! What may be asked about tokens and their owner.

use salesforce_connector_dev::org::DevOrg;

use crate::client::{Answer, Client, send, token};

const CLIENT: &str = "client_id=dev-client&client_secret=dev-secret";

async fn post(org: &DevOrg, path: &str, form: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    send(org.address(), "POST", path, &headers, form).await.expect("an answer")
}

async fn introspect(org: &DevOrg, token: &str) -> Answer {
    let form = format!("token={}&token_type_hint=access_token&{CLIENT}", token.replace('!', "%21"));
    post(org, "/services/oauth2/introspect", &form).await
}

async fn from_refresh(org: &DevOrg) -> Client {
    let form = "grant_type=refresh_token&client_id=dev-client&refresh_token=dev-refresh";
    let token = token(org, form).await.body["access_token"].as_str().expect("a token").to_owned();
    Client { address: org.address(), token, version: "v67.0" }
}

#[tokio::test]
async fn introspection_tells_the_real_expiry_of_a_session() {
    let org = DevOrg::start().await.unwrap();
    let client = Client::login(&org).await;
    let answer = introspect(&org, &client.token).await;
    assert_eq!((answer.status, answer.body["active"].as_bool()), (200, Some(true)), "{}", answer.text);
    let text = |name: &str| answer.body[name].as_str().unwrap();
    assert_eq!((text("username"), text("client_id")), ("dev@example.com", "dev-client"));
    assert_eq!((text("token_type"), text("scope")), ("access_token", "api"));
    let seconds = |name: &str| answer.body[name].as_i64().unwrap();
    assert!((7190..=7201).contains(&(seconds("exp") - seconds("iat"))), "{}", answer.text);
    assert_eq!(seconds("nbf"), seconds("iat"));
    assert_eq!(answer.header("cache-control"), Some("no-cache, no-store"));
}

#[tokio::test]
async fn introspection_knows_refresh_tokens_and_says_nothing_of_dead_ones() {
    let org = DevOrg::start().await.unwrap();
    let refresh = introspect(&org, "dev-refresh").await.body;
    assert_eq!((refresh["token_type"].as_str(), refresh.get("exp")), (Some("refresh_token"), None));
    let client = Client::login(&org).await;
    org.revoke_tokens();
    assert_eq!(introspect(&org, &client.token).await.text, r#"{"active":false}"#);
    assert_eq!(introspect(&org, "guess").await.text, r#"{"active":false}"#);
}

#[tokio::test]
async fn introspection_is_for_the_client_only() {
    let org = DevOrg::start().await.unwrap();
    let path = "/services/oauth2/introspect";
    let anonymous = post(&org, path, "token=dev-refresh").await;
    assert_eq!((anonymous.status, anonymous.body["error"].as_str()), (400, Some("invalid_request")));
    let wrong = post(&org, path, "token=dev-refresh&client_id=dev-client&client_secret=guess").await;
    assert_eq!((wrong.status, wrong.body["error"].as_str()), (400, Some("invalid_client")));
    let basic = [("authorization", "Basic ZGV2LWNsaWVudDpkZXYtc2VjcmV0")];
    let good = send(org.address(), "POST", path, &basic, "token=dev-refresh").await.unwrap();
    assert_eq!(good.body["active"], true);
}

#[tokio::test]
async fn a_revoked_access_token_is_dead_and_its_refresh_token_is_not() {
    let org = DevOrg::start().await.unwrap();
    let client = from_refresh(&org).await;
    let form = format!("token={}", client.token.replace('!', "%21"));
    let answer = post(&org, "/services/oauth2/revoke", &form).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!(client.get("limits").await.status, 401);
    assert_eq!(from_refresh(&org).await.get("limits").await.status, 200);
    let again = post(&org, "/services/oauth2/revoke", &form).await;
    assert_eq!((again.status, again.body["error"].as_str()), (400, Some("invalid_token")));
}

#[tokio::test]
async fn a_revoked_refresh_token_takes_its_sessions_with_it() {
    let org = DevOrg::start().await.unwrap();
    let (own, other) = (from_refresh(&org).await, Client::login(&org).await);
    assert_eq!(post(&org, "/services/oauth2/revoke", "token=dev-refresh").await.status, 200);
    assert_eq!(own.get("limits").await.status, 401);
    assert_eq!(other.get("limits").await.status, 200);
}

#[tokio::test]
async fn ending_all_refresh_tokens_ends_their_sessions_only() {
    let org = DevOrg::start().await.unwrap();
    let (own, other) = (from_refresh(&org).await, Client::login(&org).await);
    org.revoke_refresh_tokens();
    assert_eq!((own.get("limits").await.status, other.get("limits").await.status), (401, 200));
    let again = from_refresh_status(&org).await;
    assert_eq!(again, 400);
}

async fn from_refresh_status(org: &DevOrg) -> u16 {
    token(org, "grant_type=refresh_token&client_id=dev-client&refresh_token=dev-refresh").await.status
}

#[tokio::test]
async fn the_identity_url_is_the_one_of_the_token_reply() {
    let org = DevOrg::start().await.unwrap();
    let client = Client::login(&org).await;
    let info = client.get("/services/oauth2/userinfo").await.body;
    let url = info["sub"].as_str().unwrap().to_owned();
    let path = url.strip_prefix(&org.base_url()).unwrap();
    let identity = client.get(path).await.body;
    assert_eq!(
        (identity["id"].as_str(), identity["username"].as_str()),
        (Some(url.as_str()), Some("dev@example.com"))
    );
    let (organization, user) = path.trim_start_matches("/id/").split_once('/').unwrap();
    let short = client.get(&format!("/id/{}/{}", &organization[..15], &user[..15])).await;
    assert_eq!(short.status, 200, "15 characters will do");
    let elsewhere = client.get(&format!("/id/00D000000000001/{user}")).await;
    assert_eq!((elsewhere.status, elsewhere.text.as_str()), (403, "Wrong_Org"));
    let nobody = client.get(&format!("/id/{organization}/005000000000001")).await;
    assert_eq!((nobody.status, nobody.text.as_str()), (404, "Bad_Id"));
}

#[tokio::test]
async fn identity_endpoints_refuse_with_one_word() {
    let org = DevOrg::start().await.unwrap();
    let path = "/services/oauth2/userinfo";
    let missing = send(org.address(), "GET", path, &[], "").await.unwrap();
    assert_eq!((missing.status, missing.text.as_str()), (403, "Missing_OAuth_Token"));
    let bad = send(org.address(), "GET", path, &[("authorization", "Bearer x")], "").await.unwrap();
    assert_eq!((bad.status, bad.text.as_str()), (403, "Bad_OAuth_Token"));
    assert_eq!(org.counters().unauthorized_requests, 2);
}
