//! The JWT bearer flow: assertions signed here, checked there.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use salesforce_connector_dev::org::{DevOrg, UserAccess};
use serde_json::{Value, json};

use crate::client::{Answer, send, token};

const PRIVATE: &str = include_str!("keys/jwt-private.pem");
const OTHER: &str = include_str!("keys/other-private.pem");
const PUBLIC: &str = include_str!("keys/jwt-public.pem");
const CERTIFICATE: &str = include_str!("keys/jwt-certificate.pem");

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs()
}

fn signed(key: &str, header: &Value, claims: &Value) -> String {
    let der: String = key.lines().filter(|line| !line.starts_with('-')).collect();
    let key =
        RsaKeyPair::from_pkcs8(&STANDARD.decode(der).expect("a key in PKCS#8")).expect("a key in PKCS#8");
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
        .expect("a key long enough");
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn claims() -> Value {
    json!({ "iss": "dev-client", "sub": "dev@example.com", "aud": "https://login.salesforce.com", "exp": now() + 180 })
}

async fn start() -> DevOrg {
    DevOrg::builder().jwt_public_key(PUBLIC).start().await.expect("a free port")
}

async fn present(org: &DevOrg, assertion: &str) -> Answer {
    let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
    token(org, &format!("{grant}&assertion={assertion}")).await
}

/// Presents good claims with one of them changed; `null` leaves it out.
async fn refusal(org: &DevOrg, claim: &str, value: Value) -> String {
    let mut claims = claims();
    if value.is_null() {
        claims.as_object_mut().expect("an object").remove(claim);
    } else {
        claims[claim] = value;
    }
    described(&present(org, &signed(PRIVATE, &json!({ "alg": "RS256" }), &claims)).await)
}

fn described(answer: &Answer) -> String {
    if answer.status == 200 {
        return "granted".into();
    }
    assert_eq!((answer.status, answer.header("cache-control")), (400, Some("no-cache, no-store")));
    let text = |name: &str| answer.body[name].as_str().unwrap_or("-").to_owned();
    format!("{}: {}", text("error"), text("error_description"))
}

#[tokio::test]
async fn an_assertion_of_the_right_key_is_a_login() {
    for key in [PUBLIC, CERTIFICATE] {
        let org = DevOrg::builder().jwt_public_key(key).start().await.unwrap();
        let answer =
            present(&org, &signed(PRIVATE, &json!({ "alg": "RS256", "typ": "JWT" }), &claims())).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let bearer = format!("Bearer {}", answer.body["access_token"].as_str().unwrap());
        let limits =
            send(org.address(), "GET", "/services/data/v67.0/limits", &[("authorization", &bearer)], "")
                .await;
        assert_eq!(limits.unwrap().status, 200);
        assert_eq!(answer.body.get("refresh_token"), None);
    }
}

#[tokio::test]
async fn each_wrong_claim_has_its_own_error() {
    let org = start().await;
    let wrong_audience = "invalid_grant: Audience validation failed";
    let invalid = "invalid_grant: invalid assertion";
    for (claim, value, expected) in [
        ("aud", json!("https://example.com"), wrong_audience),
        ("aud", Value::Null, wrong_audience),
        ("aud", json!("https://test.salesforce.com"), "granted"),
        ("aud", json!(org.base_url()), "granted"),
        ("iss", json!("nobody"), "invalid_client_id: client identifier invalid"),
        ("iss", Value::Null, invalid),
        ("sub", json!("DEV@example.com"), "granted"),
        ("sub", json!("other@example.com"), "invalid_grant: user hasn't approved this consumer"),
        ("sub", Value::Null, invalid),
        ("exp", json!(now() - 120), "granted"),
        ("exp", json!(now() - 240), "invalid_grant: expired authorization code"),
        ("exp", json!((now() + 60).to_string()), "granted"),
        ("exp", Value::Null, invalid),
    ] {
        assert_eq!(refusal(&org, claim, value.clone()).await, expected, "{claim} {value}");
    }
}

#[tokio::test]
async fn a_signature_of_another_key_or_of_other_claims_is_refused() {
    let org = start().await;
    let (header, claims) = (json!({ "alg": "RS256" }), claims());
    let invalid = "invalid_grant: invalid assertion";
    assert_eq!(described(&present(&org, &signed(OTHER, &header, &claims)).await), invalid);
    let good = signed(PRIVATE, &header, &claims);
    let (_, signature) = good.rsplit_once('.').unwrap();
    let mut grown = claims.clone();
    grown["exp"] = json!(now() + 86_400);
    let forged = signed(OTHER, &header, &grown);
    let (message, _) = forged.rsplit_once('.').unwrap();
    assert_eq!(described(&present(&org, &format!("{message}.{signature}")).await), invalid);
    let unsigned = signed(PRIVATE, &json!({ "alg": "none" }), &claims);
    assert_eq!(described(&present(&org, &unsigned).await), invalid);
    assert_eq!(described(&present(&org, "x").await), invalid);
    assert_eq!(described(&present(&org, &good).await), "granted");
}

#[tokio::test]
async fn an_org_without_a_key_takes_no_assertion() {
    let org = DevOrg::start().await.unwrap();
    let answer = present(&org, &signed(PRIVATE, &json!({ "alg": "RS256" }), &claims())).await;
    assert_eq!(described(&answer), "invalid_grant: invalid assertion");
}

#[tokio::test]
async fn a_user_who_was_never_approved_is_refused_for_jwt_only() {
    let org = start().await;
    org.login_policy(|policy| policy.user_access = UserAccess::NotApproved);
    let refused = refusal(&org, "aud", json!("https://login.salesforce.com")).await;
    assert_eq!(refused, "invalid_grant: user hasn't approved this consumer");
    let form = "grant_type=client_credentials&client_id=dev-client&client_secret=dev-secret";
    assert_eq!(token(&org, form).await.status, 200);
}

#[tokio::test]
async fn audiences_may_be_narrowed() {
    let org = start().await;
    org.login_policy(|policy| policy.jwt_audiences = vec!["https://test.salesforce.com".into()]);
    let test = json!("https://test.salesforce.com");
    assert_eq!(refusal(&org, "aud", test).await, "granted");
    let own = json!(org.base_url());
    assert_eq!(refusal(&org, "aud", own).await, "invalid_grant: Audience validation failed");
}

#[tokio::test]
async fn an_org_whose_clock_is_two_hours_ahead_says_so_in_its_date_and_refuses() {
    let org = start().await;
    org.login_policy(|policy| policy.clock_skew_seconds = 7200);
    let answer = present(&org, &signed(PRIVATE, &json!({ "alg": "RS256" }), &claims())).await;
    assert_eq!(described(&answer), "invalid_grant: expired authorization code");
    let date =
        jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(answer.header("date").unwrap()).unwrap();
    let ahead = date.as_second() - i64::try_from(now()).unwrap();
    assert!((7190..=7200).contains(&ahead), "{ahead}");
    org.login_policy(|policy| policy.clock_skew_seconds = -7200);
    assert_eq!(refusal(&org, "aud", json!(org.base_url())).await, "granted");
}

#[tokio::test]
async fn a_key_that_is_none_is_an_error_of_the_start() {
    let error = DevOrg::builder().jwt_public_key(PRIVATE).start().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert!(error.to_string().starts_with("the JWT public key is a PRIVATE KEY"), "{error}");
}
