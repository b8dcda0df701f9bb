//! Every way in, over real HTTP: what is sent, what is kept, and what a refusal costs.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::super::{
    ApiVersion, ClientAuthentication, Credentials, Error, ErrorClass, LoginAddress, Network, OAuthClient,
    SalesforceClient, TimeLimit,
};
use super::server::{
    Reply, Seen, Server, answer, create, expired_session, patient, query, text, transport, within,
};

const KEY: &str = include_str!("keys/rsa.pkcs8.pem");
const PASSWORD: &str = "pässwörd+&=%";

fn app() -> OAuthClient {
    OAuthClient::new("consumer-key", "consumer-s3cret")
}

fn jwt() -> Credentials {
    Credentials::JwtBearer {
        login: LoginAddress::BaseUrl,
        client_id: "consumer-key".to_owned(),
        username: "u@acme.com".to_owned(),
        private_key: KEY.into(),
        audience: None,
    }
}

fn refresh(state_file: Option<std::path::PathBuf>) -> Credentials {
    let (login, refresh_token) = (LoginAddress::BaseUrl, "refresh-0".into());
    Credentials::RefreshToken {
        login,
        client: OAuthClient::public("consumer-key"),
        refresh_token,
        state_file,
    }
}

fn password() -> Credentials {
    Credentials::Password {
        login: LoginAddress::BaseUrl,
        client: app(),
        username: "u+x@acme.com".to_owned(),
        password: PASSWORD.into(),
        security_token: Some("t0ken99".into()),
    }
}

fn client_credentials() -> Credentials {
    Credentials::ClientCredentials { login: LoginAddress::BaseUrl, client: app() }
}

fn every_way() -> [Credentials; 4] {
    [client_credentials(), jwt(), refresh(None), password()]
}

fn client(org: &Server, credentials: Credentials) -> SalesforceClient {
    transport().client(&org.url(), ApiVersion::DEFAULT, credentials).unwrap()
}

fn form(seen: &Seen) -> Vec<(String, String)> {
    url::form_urlencoded::parse(seen.body.as_bytes()).into_owned().collect()
}

fn value(seen: &Seen, name: &str) -> String {
    form(seen).into_iter().find(|(key, _)| key == name).map(|(_, value)| value).unwrap_or_default()
}

fn refused(error: &str, description: &str) -> Reply {
    answer(400, &json!({"error": error, "error_description": description}))
}

async fn error_of(org: &Server, credentials: Credentials) -> Error {
    client(org, credentials).send(&query(), patient()).await.unwrap_err()
}

fn done() -> Reply {
    answer(200, &json!({"totalSize": 0, "done": true, "records": []}))
}

#[tokio::test]
async fn each_way_sends_its_own_form_and_logs_in_once() {
    let names = [
        &["grant_type", "client_id", "client_secret"][..],
        &["grant_type", "assertion"],
        &["grant_type", "client_id", "refresh_token"],
        &["grant_type", "client_id", "client_secret", "username", "password"],
    ];
    for (credentials, names) in every_way().into_iter().zip(names) {
        let org = Server::org(|_| done()).await;
        let client = client(&org, credentials);
        client.send(&query(), patient()).await.unwrap();
        client.send(&query(), patient()).await.unwrap();
        assert_eq!((org.logins(), org.calls()), (1, 2));
        let sent = form(&org.seen()[0]);
        assert_eq!(sent.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), names);
    }
}

#[tokio::test]
async fn a_password_of_any_characters_and_the_security_token_arrive_as_one() {
    let org = Server::org(|_| done()).await;
    client(&org, password()).log_in(patient()).await.unwrap();
    let seen = &org.seen()[0];
    assert_eq!(value(seen, "grant_type"), "password");
    assert_eq!(value(seen, "username"), "u+x@acme.com");
    assert_eq!(value(seen, "password"), format!("{PASSWORD}t0ken99"));
}

#[tokio::test]
async fn an_assertion_names_app_user_and_audience_and_lives_three_minutes() {
    let org = Server::org(|_| done()).await;
    client(&org, jwt()).log_in(patient()).await.unwrap();
    let seen = &org.seen()[0];
    assert_eq!(value(seen, "grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let assertion = value(seen, "assertion");
    let claims = URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!("consumer-key"), &json!("u@acme.com")));
    assert_eq!(claims["aud"], json!(org.url()));
    let life = claims["exp"].as_i64().unwrap() - jiff::Timestamp::now().as_second();
    assert!((120..=180).contains(&life), "{life}");
}

#[tokio::test]
async fn the_app_can_authenticate_in_the_header() {
    let org = Server::org(|_| done()).await;
    let app = OAuthClient { authentication: ClientAuthentication::Basic, ..app() };
    let credentials = Credentials::ClientCredentials { login: LoginAddress::BaseUrl, client: app };
    client(&org, credentials).log_in(patient()).await.unwrap();
    let seen = &org.seen()[0];
    assert_eq!(seen.header("authorization"), "Basic Y29uc3VtZXIta2V5OmNvbnN1bWVyLXMzY3JldA==");
    assert_eq!(seen.body, "grant_type=client_credentials");
}

#[tokio::test]
async fn the_previous_secret_is_tried_once_where_the_current_one_is_refused() {
    let rotating = |previous: &str| {
        let client = OAuthClient { previous_secret: Some(previous.into()), ..app() };
        Credentials::ClientCredentials { login: LoginAddress::BaseUrl, client }
    };
    let login = |seen: &Seen| match value(seen, "client_secret").as_str() {
        "old-s3cret" => answer(200, &json!({"access_token": "t"})),
        _ => refused("invalid_client", "invalid client credentials"),
    };
    let org = Server::start(login, |_| done()).await;
    client(&org, rotating("old-s3cret")).log_in(patient()).await.unwrap();
    assert_eq!(org.logins(), 2);
    let org = Server::start(login, |_| done()).await;
    let client = client(&org, rotating("wrong-too"));
    for _ in 0..100 {
        let error = client.send(&query(), patient()).await.unwrap_err();
        assert!(!error.to_string().contains("wrong-too"), "{error}");
    }
    assert_eq!((org.logins(), org.calls()), (2, 0), "one for each secret, then it is remembered");
    let org =
        Server::start(|_| refused("invalid_grant", "no client credentials user enabled"), |_| done()).await;
    error_of(&org, rotating("old-s3cret")).await;
    assert_eq!(org.logins(), 1, "another secret would not help");
}

#[tokio::test]
async fn a_refresh_token_that_is_replaced_is_kept_for_the_process_and_in_the_state_file() {
    let rotates = || async {
        let current = Arc::new(Mutex::new("refresh-0".to_owned()));
        Server::start(
            move |seen| {
                let mut current = current.lock().unwrap();
                if value(seen, "refresh_token") != *current {
                    return refused("invalid_grant", "expired access/refresh token");
                }
                *current = format!("refresh-{}", seen.number);
                answer(200, &json!({"access_token": format!("t{}", seen.number), "refresh_token": *current}))
            },
            |seen| if seen.number.is_multiple_of(2) { done() } else { expired_session() },
        )
        .await
    };
    let org = rotates().await;
    client(&org, refresh(None)).send(&query(), patient()).await.unwrap();
    assert_eq!(org.logins(), 2, "the second login used the new token");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let org = rotates().await;
    client(&org, refresh(Some(file.clone()))).send(&query(), patient()).await.unwrap();
    // Another process: it begins with what the file says.
    client(&org, refresh(Some(file.clone()))).log_in(patient()).await.unwrap();
    let sent: Vec<String> = org
        .seen()
        .iter()
        .map(|seen| value(seen, "refresh_token"))
        .filter(|token| !token.is_empty())
        .collect();
    assert_eq!(sent, ["refresh-0", "refresh-1", "refresh-2"]);
    // Somebody logged in again and configured the new token: the kept one is dead, the configured one good.
    std::fs::write(&file, r#"{"refresh_token": "revoked"}"#).unwrap();
    let org = rotates().await;
    client(&org, refresh(Some(file.clone()))).log_in(patient()).await.unwrap();
    assert_eq!(org.logins(), 2);
    assert!(std::fs::read_to_string(&file).unwrap().contains("refresh-2"));
}

#[tokio::test]
async fn a_dead_refresh_token_is_final() {
    let org = Server::start(|_| refused("invalid_grant", "expired access/refresh token"), |_| done()).await;
    let client = client(&org, refresh(None));
    let error = client.send(&query(), patient()).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("REFRESH_TOKEN_EXPIRED", ErrorClass::Authentication));
    assert!(error.to_string().contains("log in again"), "{error}");
    tokio::time::pause();
    for _ in 0..20 {
        tokio::time::advance(Duration::from_mins(2)).await;
        assert_eq!(client.send(&query(), patient()).await.unwrap_err().code(), "REFRESH_TOKEN_EXPIRED");
    }
    assert_eq!((org.logins(), org.calls()), (1, 0), "it is never tried again");
}

#[tokio::test]
async fn a_state_file_that_cannot_be_written_or_read_is_told_and_costs_no_job_that_has_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let org =
        Server::start(|_| answer(200, &json!({"access_token": "t", "refresh_token": "new"})), |_| done())
            .await;
    client(&org, refresh(Some(folder.path().join("none/state")))).send(&query(), patient()).await.unwrap();
    let file = folder.path().join("state");
    std::fs::write(&file, "hunter2-hunter2").unwrap();
    let error = error_of(&org, refresh(Some(file))).await;
    assert_eq!(error.code(), "INVALID_CREDENTIALS");
    assert!(error.to_string().contains("state file") && !error.to_string().contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_clock_that_is_off_is_named_with_its_size() {
    for (hours, words) in [(2, "2 h 0 min behind"), (-2, "2 h 0 min ahead of")] {
        let login = move |_: &Seen| {
            let theirs = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours);
            let date = theirs.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            let body = json!({"error": "invalid_grant", "error_description": "invalid assertion"});
            let headers = vec![("content-type", "application/json".to_owned()), ("date", date)];
            Reply::Answer(400, headers, body.to_string().into_bytes())
        };
        let org = Server::start(login, |_| done()).await;
        let error = error_of(&org, jwt()).await;
        assert_eq!((error.code(), error.class()), ("CLOCK_SKEW", ErrorClass::Authentication));
        assert!(error.to_string().contains(words), "{error}");
        let error = error_of(&org, client_credentials()).await;
        assert_eq!(error.code(), "AUTHENTICATION_FAILED", "{error}");
    }
}

#[tokio::test]
async fn refusals_of_a_jwt_name_the_user_and_the_audience() {
    for (description, code, word) in [
        ("audience validation failed", "AUTHENTICATION_FAILED", "audience"),
        ("invalid assertion", "AUTHENTICATION_FAILED", "certificate"),
        ("user hasn't approved this consumer", "USER_NOT_APPROVED", "pre-authorized"),
    ] {
        let org = Server::start(move |_| refused("invalid_grant", description), |_| done()).await;
        let error = error_of(&org, jwt()).await;
        assert_eq!((error.code(), error.class()), (code, ErrorClass::Authentication));
        for part in [word, "u@acme.com", &org.url()] {
            assert!(error.to_string().contains(part), "{part}: {error}");
        }
    }
}

#[tokio::test]
async fn no_secret_survives_whatever_the_token_endpoint_echoes() {
    for credentials in every_way() {
        let echo = |seen: &Seen| {
            let raw = format!(
                "{} {}",
                seen.body,
                form(seen).iter().map(|(_, value)| value.as_str()).collect::<String>()
            );
            answer(400, &json!({"error": "invalid_grant", "error_description": raw}))
        };
        let org = Server::start(echo, |_| done()).await;
        let error = error_of(&org, credentials).await;
        let told = format!("{error} {error:?}");
        let assertion = value(&org.seen()[0], "assertion");
        let signature = assertion.rsplit('.').next().unwrap_or_default();
        for secret in ["consumer-s3cret", "refresh-0", PASSWORD, "t0ken99", "p%C3%A4ssw", &KEY[40..90]] {
            assert!(!told.contains(secret), "{secret}: {told}");
        }
        assert!(signature.is_empty() || !told.contains(signature), "{told}");
    }
}

#[tokio::test]
async fn whatever_is_no_token_is_told_in_words_and_remembered_in_every_way() {
    let huge = "x".repeat(10 * 1024 * 1024);
    for (reply, word) in [
        (text(200, "<html><title>Login</title></html>"), "an HTML page"),
        (text(200, "{}"), "JSON without it"),
        (text(500, "<html>oops"), "500"),
        (Reply::Cut, "no access token for now"),
        (text(200, &huge), "larger than 65536 bytes"),
    ] {
        for credentials in every_way() {
            let reply = reply.clone();
            let org = Server::start(move |_| reply.clone(), |_| done()).await;
            let client = client(&org, credentials);
            tokio::time::pause();
            for _ in 0..20 {
                let error = client.log_in(patient()).await.unwrap_err();
                assert!(error.to_string().contains(word), "{word}: {error}");
            }
            tokio::time::resume();
            assert_eq!((org.logins(), org.calls()), (1, 0), "{word}");
        }
    }
}

#[tokio::test]
async fn jobs_wait_for_an_endpoint_that_is_not_available_but_not_for_ever() {
    let [credentials, ..] = every_way();
    let (org, broken) = (Server::start(|_| text(500, "oops"), |_| done()).await, 4);
    let client = client(&org, credentials);
    for _ in 0..broken {
        let error = client.log_in(patient()).await.unwrap_err();
        assert_eq!(
            (error.code(), error.rest()),
            ("TOKEN_ENDPOINT_UNAVAILABLE", Some(Duration::from_secs(5)))
        );
        // Longer than any failure is remembered.
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(61)).await;
        tokio::time::resume();
    }
    let error = client.log_in(patient()).await.unwrap_err();
    assert_eq!((error.rest(), org.logins()), (None, broken + 1), "{error}");
}

#[tokio::test]
async fn an_answer_that_comes_byte_by_byte_is_waited_for_no_longer_than_any_other() {
    let org = Server::start(|_| Reply::Drip, |_| done()).await;
    for credentials in every_way() {
        let limit = TimeLimit { request_timeout: Duration::from_millis(200), ..patient() };
        let error = client(&org, credentials).send(&query(), limit).await.unwrap_err();
        assert_eq!((error.code(), error.class()), ("TOKEN_ENDPOINT_UNAVAILABLE", ErrorClass::Transient));
        assert!(error.to_string().contains("no complete answer within 0.2 s"), "{error}");
    }
    assert_eq!((org.logins(), org.calls()), (4, 0), "one for each way");
}

#[tokio::test]
async fn what_lacks_a_part_is_refused_without_a_call() {
    let org = Server::org(|_| done()).await;
    let login = || LoginAddress::BaseUrl;
    for credentials in [
        Credentials::ClientCredentials { login: login(), client: OAuthClient::public("c") },
        Credentials::JwtBearer {
            login: login(),
            client_id: "c".to_owned(),
            username: "u".to_owned(),
            private_key: "hunter2-hunter2".into(),
            audience: None,
        },
        Credentials::RefreshToken {
            login: login(),
            client: app(),
            refresh_token: " ".into(),
            state_file: None,
        },
        Credentials::Password {
            login: login(),
            client: app(),
            username: String::new(),
            password: "p".into(),
            security_token: None,
        },
    ] {
        let error = transport().client(&org.url(), ApiVersion::DEFAULT, credentials).unwrap_err();
        assert_eq!((error.code(), error.class()), ("INVALID_CREDENTIALS", ErrorClass::Permanent));
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    assert!(org.seen().is_empty());
}

#[tokio::test]
async fn the_login_may_be_at_another_host_than_the_calls() {
    let org = Server::org(|_| done()).await;
    let (url, is_first) = (org.url(), AtomicBool::new(true));
    let issuer = Server::start(
        move |_| {
            assert!(is_first.swap(false, Ordering::SeqCst));
            answer(200, &json!({"access_token": "t", "instance_url": url}))
        },
        |_| done(),
    )
    .await;
    let credentials =
        Credentials::ClientCredentials { login: LoginAddress::Host(issuer.url()), client: app() };
    let client = transport().client("", ApiVersion::DEFAULT, credentials).unwrap();
    client.send(&query(), patient()).await.unwrap();
    assert_eq!((issuer.logins(), org.calls()), (1, 1));
}

#[test]
fn client_credentials_are_refused_for_the_shared_login_hosts() {
    let transport = super::super::Transport::new(
        super::super::TransportOptions::default(),
        Arc::new(crate::metrics::Metrics::new()),
    );
    let transport = transport.unwrap();
    for (base, login) in [
        ("https://login.salesforce.com", LoginAddress::BaseUrl),
        ("https://acme.my.salesforce.com", LoginAddress::Production),
        ("", LoginAddress::Sandbox),
        ("", LoginAddress::Host("https://test.salesforce.com".to_owned())),
    ] {
        let credentials = Credentials::ClientCredentials { login, client: app() };
        let error = transport.client(base, ApiVersion::DEFAULT, credentials).unwrap_err();
        assert_eq!(error.code(), "INVALID_ADDRESS");
        assert!(error.to_string().contains("org's own domain"), "{error}");
    }
}

#[tokio::test]
async fn no_more_requests_than_the_connection_allows_are_under_way() {
    let org = Server::org(|seen| if seen.number == 1 { Reply::Hang } else { done() }).await;
    let network = Network { max_concurrent_requests: Some(1), ..Network::default() };
    let transport = transport().over(&network).unwrap();
    let client = transport.client(&org.url(), ApiVersion::DEFAULT, client_credentials()).unwrap();
    client.log_in(patient()).await.unwrap();
    let (first, request) = (query(), create());
    let mut hanging = Box::pin(client.send(&first, patient()));
    while org.calls() == 0 {
        tokio::select! {
            _ = &mut hanging => unreachable!("it hangs"),
            () = tokio::task::yield_now() => {}
        }
    }
    let error = client.send(&request, within(Duration::from_millis(50))).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("ORG_BUSY", ErrorClass::Throttled), "it was never sent");
    let rest = error.rest().unwrap().as_secs_f64();
    assert!((5.0..=10.0).contains(&rest), "its job comes again: {rest}");
    assert!(error.to_string().contains("max_concurrent_requests"), "{error}");
    drop(hanging);
    client.send(&query(), patient()).await.unwrap();
    assert_eq!(org.calls(), 2);
}
