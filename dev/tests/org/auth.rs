use salesforce_connector_dev::org::DevOrg;

use crate::client::{Client, get_all_on_one_connection, send, token};

const GOOD: &str = "grant_type=client_credentials&client_id=dev-client&client_secret=dev-secret";

#[tokio::test]
async fn a_token_reply_has_no_lifetime() {
    let org = DevOrg::start().await.unwrap();
    let answer = token(&org, GOOD).await;
    let mut names: Vec<&String> = answer.body.as_object().unwrap().keys().collect();
    names.sort();
    let expected = ["access_token", "id", "instance_url", "issued_at", "scope", "signature", "token_type"];
    assert_eq!(names, expected);
    assert_eq!(answer.body["instance_url"], org.base_url());
    assert!(answer.body["issued_at"].as_str().unwrap().parse::<u64>().unwrap() > 1_600_000_000_000);
    assert_eq!(answer.header("cache-control"), Some("no-cache, no-store"));
}

#[tokio::test]
async fn credentials_may_come_as_http_basic() {
    let org = DevOrg::builder().client("me", "p:w").start().await.unwrap();
    let headers =
        [("authorization", "Basic bWU6cDp3"), ("content-type", "application/x-www-form-urlencoded")];
    let answer =
        send(org.address(), "POST", "/services/oauth2/token", &headers, "grant_type=client_credentials")
            .await;
    assert_eq!(answer.unwrap().status, 200);
}

#[tokio::test]
async fn wrong_credentials_are_counted_as_refused() {
    let org = DevOrg::start().await.unwrap();
    let wrong = token(&org, &GOOD.replace("dev-secret", "guess")).await;
    assert_eq!((wrong.status, wrong.body["error"].as_str()), (400, Some("invalid_client")));
    assert_eq!(wrong.body["error_description"], "invalid client credentials");
    let unknown = token(&org, &GOOD.replace("dev-client", "nobody")).await;
    assert_eq!((unknown.status, unknown.body["error"].as_str()), (400, Some("invalid_client_id")));
    let counters = org.counters();
    assert_eq!((counters.token_requests, counters.tokens_issued, counters.tokens_refused), (2, 0, 2));
}

#[tokio::test]
async fn a_call_without_a_good_token_is_401() {
    let org = DevOrg::start().await.unwrap();
    let mut client = Client::login(&org).await;
    assert_eq!(client.get("limits").await.status, 200);
    org.revoke_tokens();
    let answer = client.get("limits").await;
    assert_eq!((answer.status, answer.code()), (401, "INVALID_SESSION_ID"));
    assert_eq!(answer.message(), "Session expired or invalid");
    client.token = Client::login(&org).await.token;
    assert_eq!(client.get("limits").await.status, 200);
    assert_eq!(org.counters().unauthorized_requests, 1);
}

#[tokio::test]
async fn versions_are_public_and_retired_ones_are_gone() {
    let org = DevOrg::start().await.unwrap();
    let list = send(org.address(), "GET", "/services/data/", &[], "").await.unwrap();
    let versions = list.body.as_array().unwrap();
    assert_eq!(versions.first().unwrap()["version"], "31.0");
    assert_eq!(versions.last().unwrap()["label"], "Winter '27");
    let client = Client::login(&org).await;
    assert_eq!(client.get("/services/data/v30.0/limits").await.status, 410);
    assert_eq!(client.get("/services/data/v69.0/limits").await.status, 404);
    assert_eq!(client.get("/services/data/67.0/limits").await.code(), "NOT_FOUND");
}

#[tokio::test]
async fn userinfo_and_identity_name_the_org() {
    let org = DevOrg::start().await.unwrap();
    let client = Client::login(&org).await;
    let answer = client.get("/services/oauth2/userinfo").await;
    let (organization, user) = (answer.body["organization_id"].as_str(), answer.body["user_id"].as_str());
    assert!(organization.unwrap().starts_with("00D") && user.unwrap().starts_with("005"));
    assert_eq!(client.get(&format!("/id/{}/{}", organization.unwrap(), user.unwrap())).await.status, 200);
}

#[tokio::test]
async fn each_reply_tells_the_api_usage() {
    let org = DevOrg::start().await.unwrap();
    let client = Client::login(&org).await;
    client.get("limits").await;
    let answer = client.get("limits/").await;
    assert_eq!(answer.header("sforce-limit-info"), Some("api-usage=2/15000"));
    assert_eq!(answer.body["DailyApiRequests"]["Remaining"], 14_998);
    assert_eq!(org.counters().by_resource["GET limits"], 2);
}

#[tokio::test]
async fn the_log_shows_requests_but_no_credentials() {
    let org = DevOrg::start().await.unwrap();
    let client = Client::login(&org).await;
    client.get("sobjects/Account?fields=Id").await;
    let request = org.requests().pop().unwrap();
    assert_eq!(
        (request.path.as_str(), request.query.as_str()),
        ("/services/data/v67.0/sobjects/Account", "fields=Id")
    );
    assert_eq!((request.header("authorization"), request.status), (Some("***"), Some(200)));
}

#[tokio::test]
async fn one_connection_serves_many_requests_and_ends_with_the_org() {
    let org = DevOrg::start().await.unwrap();
    let client = Client::login(&org).await;
    let before = org.counters().connections;
    let statuses =
        get_all_on_one_connection(&client, &["limits", "sobjects", "sobjects/Nothing"]).await.unwrap();
    assert_eq!(statuses, [200, 200, 404]);
    assert_eq!(org.counters().connections, before + 1);
    org.stop().await;
    assert!(get_all_on_one_connection(&client, &["limits"]).await.is_err());
}
