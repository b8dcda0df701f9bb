//! Logins, tokens, and what a 401 costs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::json;

use super::super::{
    ApiVersion, Credentials, Error, ErrorClass, LoginAddress, OAuthClient, Response, SalesforceClient,
};
use super::server::{
    Reply, Server, answer, create, expired_session, grant, of_each_class, patient, query, refusal, text,
    transport, within,
};

fn created() -> Reply {
    answer(201, &json!({"id": "001D000000IRFmaIAH", "success": true, "errors": []}))
}

/// A hundred creates, each in its own task.
async fn a_hundred(client: &SalesforceClient) -> Vec<Result<Response, Error>> {
    let one = |client: SalesforceClient| async move { client.send(&create(), patient()).await };
    let tasks = (0..100).map(|_| tokio::spawn(one(client.clone())));
    join_all(tasks).await.into_iter().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_concurrent_calls_cost_one_login() {
    let org = Server::org(|_| created()).await;
    let client = org.client();
    let answers = a_hundred(&client).await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().status == 201));
    assert_eq!((org.logins(), org.calls()), (1, 100));
}

#[tokio::test]
async fn clients_with_equal_credentials_share_a_login_and_others_do_not() {
    let org = Server::org(|_| created()).await;
    let transport = transport();
    for version in ["v66.0", "v67.0"] {
        let client = transport.client(&org.url(), version.parse().unwrap(), grant()).unwrap();
        client.send(&create(), patient()).await.unwrap();
    }
    assert_eq!(org.logins(), 1);
    let rotated = Credentials::client_credentials("consumer-key", "rotated");
    let client = transport.client(&org.url(), ApiVersion::DEFAULT, rotated).unwrap();
    client.send(&create(), patient()).await.unwrap();
    assert_eq!(org.logins(), 2);
}

#[tokio::test]
async fn calls_and_logins_are_counted() {
    let org = Server::org(|seen| if seen.number == 1 { Reply::Cut } else { created() }).await;
    let transport = transport();
    let client = transport.client(&org.url(), ApiVersion::DEFAULT, grant()).unwrap();
    client.send(&query(), patient()).await.unwrap();
    let page = transport.metrics().encode();
    for line in [
        r#"salesforce_calls_total{status="2xx"} 1"#,
        r#"salesforce_calls_total{status="error"} 1"#,
        r#"{issuer="salesforce",result="issued"} 1"#,
    ] {
        assert!(page.contains(line), "{line} is missing in\n{page}");
    }
}

#[tokio::test]
async fn the_login_is_a_client_credentials_grant_in_a_form() {
    let org = Server::org(|_| created()).await;
    assert_eq!(org.client().log_in(patient()).await.unwrap(), org.url());
    let login = &org.seen()[0];
    assert_eq!(
        (login.method.as_str(), login.header("content-type")),
        ("POST", "application/x-www-form-urlencoded")
    );
    assert_eq!(
        login.body,
        "grant_type=client_credentials&client_id=consumer-key&client_secret=consumer-s3cret"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_401_in_the_middle_costs_exactly_one_more_login_for_all() {
    let revoked = Arc::new(AtomicBool::new(false));
    let is_revoked = Arc::clone(&revoked);
    let org = Server::org(move |seen| {
        let old = is_revoked.load(Ordering::SeqCst) && seen.token() == "token-1";
        if old { expired_session() } else { created() }
    })
    .await;
    let client = org.client();
    client.send(&create(), patient()).await.unwrap();
    revoked.store(true, Ordering::SeqCst);
    let answers = a_hundred(&client).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(org.logins(), 2);
    let accepted = org.seen().iter().filter(|seen| seen.token() == "token-2").count();
    assert_eq!(accepted, 100, "each call was replayed once");
}

#[tokio::test]
async fn a_401_without_a_code_is_a_refused_session_too() {
    let org =
        Server::org(
            |seen| if seen.token() == "token-1" { text(401, "<html>Unauthorized") } else { created() },
        )
        .await;
    org.client().send(&create(), patient()).await.unwrap();
    assert_eq!(org.logins(), 2);
}

#[tokio::test]
async fn a_second_401_is_an_authentication_error_and_not_a_login_per_call() {
    let org = Server::org(|_| expired_session()).await;
    let client = org.client();
    let error = client.send(&query(), patient()).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("AUTHENTICATION_FAILED", ErrorClass::Authentication));
    assert_eq!(error.errors()[0].error_code, "INVALID_SESSION_ID");
    assert_eq!((org.logins(), org.calls()), (2, 2));
    tokio::time::pause();
    for _ in 0..1000 {
        let error = client.send(&query(), patient()).await.unwrap_err();
        assert_eq!((error.code(), error.class()), ("AUTHENTICATION_FAILED", ErrorClass::Authentication));
        assert!(
            error.response().is_none() && !error.to_string().contains("/query"),
            "not another call's answer"
        );
    }
    assert_eq!((org.logins(), org.calls()), (2, 2));
}

#[tokio::test]
async fn a_static_bearer_token_is_never_refreshed() {
    let org = Server::org(|_| expired_session()).await;
    let error = org.bearer_client("given").send(&query(), patient()).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("AUTHENTICATION_FAILED", ErrorClass::Authentication));
    assert_eq!((org.logins(), org.calls()), (0, 1));
    assert_eq!(org.bearer_client("given").log_in(patient()).await.unwrap(), org.url());
    assert_eq!(org.seen()[0].token(), "given");
}

#[tokio::test]
async fn the_two_401_texts_that_a_new_token_would_not_change_do_not_refresh() {
    for message in
        ["Connected app is not attached to Agent", "This session is not valid for use with the REST API"]
    {
        let org = Server::org(move |_| refusal(401, "INVALID_SESSION_ID", message)).await;
        let error = org.client().send(&query(), patient()).await.unwrap_err();
        assert_eq!((error.code(), error.class()), ("AUTHENTICATION_FAILED", ErrorClass::Authentication));
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!((org.logins(), org.calls()), (1, 1));
    }
}

#[tokio::test]
async fn other_authentication_codes_keep_their_name_and_do_not_refresh() {
    let org = Server::org(|_| refusal(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")).await;
    let error = org.client().send(&query(), patient()).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("INVALID_AUTH_HEADER", ErrorClass::Authentication));
    assert_eq!((org.logins(), org.calls()), (1, 1));
}

#[tokio::test]
async fn a_wrong_secret_is_tried_once_in_a_while_and_explained() {
    let refused = json!({"error": "invalid_client", "error_description": "invalid client credentials"});
    let org = Server::start(move |_| answer(400, &refused), |_| created()).await;
    let client = org.client();
    let requests: Vec<_> = (0..1000).map(|_| create()).collect();
    let answers = join_all(requests.iter().map(|request| client.send(request, patient()))).await;
    for answer in answers {
        let error = answer.unwrap_err();
        assert_eq!((error.code(), error.class()), ("AUTHENTICATION_FAILED", ErrorClass::Authentication));
        assert!(error.to_string().contains("invalid_client: invalid client credentials"), "{error}");
        assert!(error.to_string().contains("client secret"), "{error}");
    }
    assert_eq!((org.logins(), org.calls()), (1, 0));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(1)).await;
    tokio::time::resume();
    client.send(&create(), patient()).await.unwrap_err();
    assert_eq!(org.logins(), 2);
}

#[tokio::test]
async fn a_refusal_without_a_description_is_explained_too() {
    let org =
        Server::start(|_| answer(400, &json!({"error": "unsupported_grant_type"})), |_| created()).await;
    let error = org.client().log_in(patient()).await.unwrap_err();
    assert!(error.to_string().contains("unsupported_grant_type; most likely"), "{error}");
}

#[tokio::test]
async fn trouble_at_the_token_endpoint_that_passes_is_transient_and_sends_no_call() {
    for (login, class) in [
        (text(503, "<html><title>Maintenance</title>"), ErrorClass::Transient),
        (text(500, ""), ErrorClass::Transient),
        (Reply::Cut, ErrorClass::Transient),
        (Reply::CutInBody(200, b"{".to_vec()), ErrorClass::Transient),
        (
            answer(400, &json!({"error": "unknown_error", "error_description": "retry"})),
            ErrorClass::Transient,
        ),
        (
            answer(400, &json!({"error": "invalid_grant", "error_description": "login rate exceeded"})),
            ErrorClass::Throttled,
        ),
        (text(429, ""), ErrorClass::Throttled),
    ] {
        let reply = login.clone();
        let org = Server::start(move |_| reply.clone(), |_| created()).await;
        for request in of_each_class() {
            let error = org.client().send(&request, patient()).await.unwrap_err();
            assert_eq!((error.code(), error.class()), ("TOKEN_ENDPOINT_UNAVAILABLE", class), "{login:?}");
            assert_eq!(error.retry_after().is_some(), class == ErrorClass::Throttled);
        }
        assert_eq!((org.logins(), org.calls()), (3, 0), "one for each of the three transports");
    }
}

#[tokio::test]
async fn what_is_no_token_reply_is_told_in_words() {
    let huge = "x".repeat(100_000);
    for (login, word) in [
        (text(200, "<html><title>Login</title></html>"), "an HTML page titled \"Login\""),
        (text(200, ""), "an empty body"),
        (text(200, "token=abc"), "found text"),
        (answer(200, &json!({"id": "x"})), "JSON without it"),
        (answer(200, &json!({"access_token": 7})), "JSON without it"),
        (answer(200, &json!({"access_token": ""})), "the access_token is empty"),
        (answer(200, &json!({"access_token": "a\r\nb"})), "characters that no token has"),
        (text(200, &huge), "larger than 65536 bytes"),
        (text(404, "<html>Not here"), "404"),
        (
            Reply::Answer(302, vec![("location", "https://login.example/?startURL=x".to_owned())], vec![]),
            "login.example",
        ),
    ] {
        let org = Server::start(move |_| login.clone(), |_| created()).await;
        let error = org.client().send(&create(), patient()).await.unwrap_err();
        assert_eq!(
            (error.code(), error.class()),
            ("AUTHENTICATION_FAILED", ErrorClass::Authentication),
            "{word}"
        );
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(org.calls(), 0);
    }
}

#[tokio::test]
async fn calls_go_to_the_instance_that_the_login_names() {
    let instance = Server::org(|_| created()).await;
    let url = instance.url();
    let login = Server::start(
        move |_| answer(200, &json!({"access_token": "t", "instance_url": url, "scope": "api"})),
        |_| created(),
    )
    .await;
    let client = login.client();
    client.send(&create(), patient()).await.unwrap();
    assert_eq!((login.logins(), login.calls(), instance.logins(), instance.calls()), (1, 0, 0, 1));
    assert_eq!(client.log_in(patient()).await.unwrap(), instance.url());
}

#[tokio::test]
async fn an_instance_on_a_foreign_host_is_refused_before_anything_is_sent_there() {
    for (instance, code) in [
        ("https://evil.example", "HOST_NOT_ALLOWED"),
        ("https://a:b@evil.example/x", "INVALID_ADDRESS"),
        ("", "INVALID_ADDRESS"),
    ] {
        let org = Server::start(
            move |_| answer(200, &json!({"access_token": "t", "instance_url": instance})),
            |_| created(),
        )
        .await;
        let error = org.client().send(&create(), patient()).await.unwrap_err();
        assert_eq!((error.code(), error.class()), (code, ErrorClass::Permanent));
        assert_eq!(org.calls(), 0);
    }
}

#[tokio::test]
async fn a_token_endpoint_of_its_own_is_used_if_its_host_is_allowed() {
    let (org, issuer) = (Server::org(|_| created()).await, Server::org(|_| created()).await);
    let credentials = |endpoint: String| Credentials::ClientCredentials {
        login: LoginAddress::Endpoint(endpoint),
        client: OAuthClient::new("consumer-key", "consumer-s3cret"),
    };
    let endpoint = format!("{}/services/oauth2/token", issuer.url());
    let client = transport().client(&org.url(), ApiVersion::DEFAULT, credentials(endpoint)).unwrap();
    client.send(&create(), patient()).await.unwrap();
    assert_eq!((org.logins(), issuer.logins(), org.calls()), (0, 1, 1));
    let foreign = credentials("https://evil.example/services/oauth2/token".to_owned());
    let error = transport().client(&org.url(), ApiVersion::DEFAULT, foreign).unwrap_err();
    assert_eq!(error.code(), "HOST_NOT_ALLOWED");
}

#[tokio::test]
async fn empty_credentials_are_refused_without_a_call() {
    let org = Server::org(|_| created()).await;
    let grant = |id: &str, secret: &str| Credentials::client_credentials(id, secret);
    for credentials in [
        grant("", "s"),
        grant("i", " "),
        Credentials::Bearer { token: "".into() },
        Credentials::Bearer { token: "a b".into() },
    ] {
        let error = transport().client(&org.url(), ApiVersion::DEFAULT, credentials).unwrap_err();
        assert_eq!((error.code(), error.class()), ("INVALID_CREDENTIALS", ErrorClass::Permanent));
    }
    assert!(org.seen().is_empty());
}

#[tokio::test]
async fn a_caller_whose_deadline_ends_at_the_login_spoils_nothing_for_others() {
    let first = AtomicBool::new(true);
    let org = Server::start(
        move |_| {
            let hangs = first.swap(false, Ordering::SeqCst);
            if hangs { Reply::Hang } else { answer(200, &json!({"access_token": "t"})) }
        },
        |_| created(),
    )
    .await;
    let client = org.client();
    let request = create();
    let hurried = client.send(&request, within(Duration::from_millis(50)));
    let (hurried, waiting) = tokio::join!(hurried, client.send(&request, patient()));
    let error = hurried.unwrap_err();
    assert_eq!((error.code(), error.class()), ("TIMEOUT", ErrorClass::Transient), "nothing was sent");
    assert_eq!(waiting.unwrap().status, 201);
}
