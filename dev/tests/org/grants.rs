//! Password, refresh token and client credentials, and what an administrator may do to them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use salesforce_connector_dev::org::{DevOrg, Fault, FaultRule, Grant, Reply, UserAccess};

use crate::client::{Answer, Client, send, token};

const CLIENT: &str = "client_id=dev-client&client_secret=dev-secret";
const PASSWORD: &str = "grant_type=password&client_id=dev-client&client_secret=dev-secret&username=dev%40example.com&password=dev-passworddev-token";
const CREDENTIALS: &str = "grant_type=client_credentials&client_id=dev-client&client_secret=dev-secret";
const REFRESH: &str = "grant_type=refresh_token&client_id=dev-client&refresh_token=dev-refresh";

/// `granted`, or the error and its description.
fn outcome(answer: &Answer) -> String {
    if answer.status == 200 {
        return "granted".into();
    }
    assert_eq!(answer.status, 400, "{}", answer.text);
    let text = |name: &str| answer.body[name].as_str().unwrap_or("-");
    format!("{}: {}", text("error"), text("error_description"))
}

async fn try_token(org: &DevOrg, form: &str) -> String {
    outcome(&token(org, form).await)
}

fn client(org: &DevOrg, answer: &Answer) -> Client {
    let token = answer.body["access_token"].as_str().expect("a token").to_owned();
    Client { address: org.address(), token, version: "v67.0" }
}

#[tokio::test]
async fn a_password_needs_the_security_token_behind_it() {
    let org = DevOrg::start().await.unwrap();
    assert_eq!(try_token(&org, PASSWORD).await, "granted");
    assert_eq!(try_token(&org, &PASSWORD.replace("dev%40", "DEV%40")).await, "granted");
    let failure = "invalid_grant: authentication failure";
    assert_eq!(try_token(&org, &PASSWORD.replace("dev-passworddev-token", "dev-password")).await, failure);
    assert_eq!(try_token(&org, &PASSWORD.replace("dev%40", "other%40")).await, failure);
    let missing = PASSWORD.replace("&username=dev%40example.com", "");
    assert_eq!(try_token(&org, &missing).await, "invalid_request: missing required parameter: username");
    let wrong = PASSWORD.replace("dev-secret", "guess");
    assert_eq!(try_token(&org, &wrong).await, "invalid_client: invalid client credentials");
}

#[tokio::test]
async fn a_password_may_hold_any_character() {
    let org =
        DevOrg::builder().username("jürgen@example.com").password("pä ss+&=", "tok").start().await.unwrap();
    let form = format!(
        "grant_type=password&{CLIENT}&username=j%C3%BCrgen@example.com&password=p%C3%A4+ss%2B%26%3Dtok"
    );
    let answer = token(&org, &form).await;
    assert_eq!(outcome(&answer), "granted");
    let info = client(&org, &answer).get("/services/oauth2/userinfo").await;
    assert_eq!(info.body["preferred_username"], "jürgen@example.com");
    let users = client(&org, &answer).get("query?q=SELECT+Username+FROM+User").await;
    assert_eq!(users.body["records"][0]["Username"], "jürgen@example.com");
}

#[tokio::test]
async fn a_blocked_password_flow_looks_like_a_wrong_password() {
    let org = DevOrg::builder()
        .login_policy(|policy| {
            policy.refused_grants.extend([Grant::Password, Grant::RefreshToken]);
        })
        .start()
        .await
        .unwrap();
    assert_eq!(try_token(&org, PASSWORD).await, "invalid_grant: authentication failure");
    assert_eq!(try_token(&org, REFRESH).await, "unsupported_grant_type: grant type not supported");
    assert_eq!(try_token(&org, CREDENTIALS).await, "granted");
    org.login_policy(|policy| policy.refused_grants.clear());
    assert_eq!(try_token(&org, PASSWORD).await, "granted");
}

#[tokio::test]
async fn a_refresh_token_stays_good_and_is_not_repeated() {
    let org = DevOrg::start().await.unwrap();
    for _ in 0..2 {
        let answer = token(&org, REFRESH).await;
        assert_eq!((answer.status, answer.body.get("refresh_token")), (200, None));
        assert_eq!(client(&org, &answer).get("limits").await.status, 200);
    }
    let dead = "invalid_grant: expired access/refresh token";
    assert_eq!(try_token(&org, &REFRESH.replace("dev-refresh", "guess")).await, dead);
    assert_eq!(try_token(&org, &format!("{REFRESH}&client_secret=dev-secret")).await, "granted");
    let wrong = format!("{REFRESH}&client_secret=guess");
    assert_eq!(try_token(&org, &wrong).await, "invalid_client: invalid client credentials");
    org.revoke_refresh_tokens();
    assert_eq!(try_token(&org, REFRESH).await, dead);
}

#[tokio::test]
async fn a_rotated_refresh_token_replaces_the_one_before() {
    let org = DevOrg::start().await.unwrap();
    org.login_policy(|policy| policy.rotate_refresh_tokens = true);
    let answer = token(&org, REFRESH).await;
    let next = answer.body["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(next, "dev-refresh");
    assert_eq!(try_token(&org, REFRESH).await, "invalid_grant: expired access/refresh token");
    assert_eq!(try_token(&org, &REFRESH.replace("dev-refresh", &next)).await, "granted");
    assert_eq!(client(&org, &answer).get("limits").await.status, 200, "the first access token lives on");
}

#[tokio::test]
async fn of_two_that_rotate_one_token_at_once_one_wins() {
    let org =
        DevOrg::builder().login_policy(|policy| policy.rotate_refresh_tokens = true).start().await.unwrap();
    let (first, second) = tokio::join!(try_token(&org, REFRESH), try_token(&org, REFRESH));
    let mut outcomes = [first, second];
    outcomes.sort();
    assert_eq!(outcomes, ["granted", "invalid_grant: expired access/refresh token"]);
}

#[tokio::test]
async fn all_flows_take_the_client_as_http_basic() {
    let org = DevOrg::start().await.unwrap();
    let basic = format!("Basic {}", STANDARD.encode("dev-client:dev-secret"));
    let headers = [("authorization", basic.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    for form in [
        "grant_type=client_credentials",
        "grant_type=password&username=dev%40example.com&password=dev-passworddev-token",
        "grant_type=refresh_token&refresh_token=dev-refresh",
    ] {
        let answer = send(org.address(), "POST", "/services/oauth2/token", &headers, form).await.unwrap();
        assert_eq!(outcome(&answer), "granted", "{form}");
    }
    let wrong = format!("Basic {}", STANDARD.encode("dev-client:guess"));
    let headers = [("authorization", wrong.as_str())];
    let form = "grant_type=client_credentials";
    let answer = send(org.address(), "POST", "/services/oauth2/token", &headers, form);
    assert_eq!(outcome(&answer.await.unwrap()), "invalid_client: invalid client credentials");
}

#[tokio::test]
async fn a_rotated_client_secret_may_leave_the_one_before_good() {
    let org = DevOrg::builder().previous_client_secret("older").start().await.unwrap();
    let (older, new) = (CREDENTIALS.replace("dev-secret", "older"), CREDENTIALS.replace("dev-secret", "new"));
    assert_eq!(try_token(&org, &older).await, "granted");
    org.rotate_client_secret("new", true);
    assert_eq!(try_token(&org, CREDENTIALS).await, "granted");
    assert_eq!(try_token(&org, &new).await, "granted");
    let wrong = "invalid_client: invalid client credentials";
    assert_eq!(try_token(&org, &older).await, wrong);
    org.rotate_client_secret("newest", false);
    assert_eq!(try_token(&org, &new).await, wrong);
}

#[tokio::test]
async fn client_credentials_need_a_user_and_a_my_domain() {
    let org = DevOrg::start().await.unwrap();
    org.login_policy(|policy| policy.run_as_user = false);
    assert_eq!(try_token(&org, CREDENTIALS).await, "invalid_grant: no client credentials user enabled");
    assert_eq!(try_token(&org, PASSWORD).await, "granted");
    org.login_policy(|policy| policy.my_domain = false);
    assert_eq!(try_token(&org, CREDENTIALS).await, "invalid_grant: request not supported on this domain");
}

#[tokio::test]
async fn a_user_who_may_not_log_in_is_told_why() {
    let org = DevOrg::start().await.unwrap();
    for (access, expected) in [
        (UserAccess::NotAdminApproved, "invalid_app_access: user is not admin approved to access this app"),
        (UserAccess::UserInactive, "inactive_user: -"),
        (UserAccess::OrgInactive, "inactive_org: -"),
        (UserAccess::Denied, "granted"),
        (UserAccess::Granted, "granted"),
    ] {
        org.login_policy(|policy| policy.user_access = access);
        for form in [CREDENTIALS, PASSWORD, REFRESH] {
            assert_eq!(try_token(&org, form).await, expected, "{access:?} {form}");
        }
    }
}

#[tokio::test]
async fn a_refused_user_does_not_use_a_refresh_token_up() {
    let org =
        DevOrg::builder().login_policy(|policy| policy.rotate_refresh_tokens = true).start().await.unwrap();
    org.login_policy(|policy| policy.user_access = UserAccess::UserInactive);
    assert_eq!(try_token(&org, REFRESH).await, "inactive_user: -");
    org.login_policy(|policy| policy.user_access = UserAccess::Granted);
    assert_eq!(try_token(&org, REFRESH).await, "granted");
}

#[tokio::test]
async fn logins_of_all_flows_share_one_limit_and_failed_ones_count() {
    let org = DevOrg::builder().login_policy(|policy| policy.logins_per_hour = 3).start().await.unwrap();
    let wrong_secret = CREDENTIALS.replace("dev-secret", "guess");
    assert_eq!(try_token(&org, &wrong_secret).await, "invalid_client: invalid client credentials");
    assert_eq!(try_token(&org, CREDENTIALS).await, "granted");
    assert_eq!(try_token(&org, REFRESH).await, "granted");
    assert_eq!(
        try_token(&org, &PASSWORD.replace("dev-token", "")).await,
        "invalid_grant: authentication failure"
    );
    assert_eq!(try_token(&org, PASSWORD).await, "rate_limit_exceeded: login rate exceeded");
    let counters = org.counters();
    assert_eq!((counters.token_requests, counters.tokens_issued, counters.tokens_refused), (5, 2, 3));
    org.login_policy(|policy| policy.logins_per_hour = 4);
    assert_eq!(try_token(&org, PASSWORD).await, "granted");
}

#[tokio::test]
async fn a_session_that_timed_out_is_401() {
    let org = DevOrg::start().await.unwrap();
    let client = Client::login(&org).await;
    org.login_policy(|policy| policy.session_timeout = std::time::Duration::ZERO);
    assert_eq!(client.get("limits").await.code(), "INVALID_SESSION_ID");
}

#[tokio::test]
async fn the_signature_is_that_of_identity_and_time() {
    let org = DevOrg::start().await.unwrap();
    let body = token(&org, CREDENTIALS).await.body;
    let text = |name: &str| body[name].as_str().unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"dev-secret");
    let signature = STANDARD.decode(text("signature")).unwrap();
    hmac::verify(&key, format!("{}{}", text("id"), text("issued_at")).as_bytes(), &signature).unwrap();
}

#[tokio::test]
async fn only_a_post_gets_a_token() {
    let org = DevOrg::start().await.unwrap();
    let target = format!("/services/oauth2/token?{CREDENTIALS}");
    let answer = send(org.address(), "GET", &target, &[], "").await.unwrap();
    assert_eq!(outcome(&answer), "invalid_request: must use HTTP POST");
}

#[tokio::test]
async fn a_clock_that_is_off_shows_in_every_reply_but_not_over_a_script() {
    let org =
        DevOrg::builder().login_policy(|policy| policy.clock_skew_seconds = -86_400).start().await.unwrap();
    let answer = token(&org, CREDENTIALS).await;
    let issued: i64 = answer.body["issued_at"].as_str().unwrap().parse().unwrap();
    let behind = jiff::Timestamp::now().as_second() - issued / 1000;
    assert!((86_399..=86_410).contains(&behind), "{behind}");
    let date = answer.header("date").unwrap().to_owned();
    let day = jiff::Timestamp::from_millisecond(issued).unwrap().strftime("%a, %d %b %Y").to_string();
    assert!(date.starts_with(&day) && date.ends_with(" GMT"), "{date}");
    let scripted = Reply::new(200, "{}").header("date", "Thu, 01 Jan 1970 00:00:00 GMT");
    org.faults().add(FaultRule::new(Fault::Respond(scripted)));
    assert_eq!(token(&org, CREDENTIALS).await.header("date"), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
}
