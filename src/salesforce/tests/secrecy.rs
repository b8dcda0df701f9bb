//! No secret leaves by an error, a printed value or a wrong address.

use serde_json::json;

use super::super::{ApiVersion, Error};
use super::server::{
    Reply, Seen, Server, answer, create, grant, of_each_class, patient, query, text, transport,
};

/// All that must not be seen: the client's secret, tokens, and the data in a query.
const SECRETS: [&str; 3] = ["s3cret", "token-", "Confidential"];

fn assert_silent(error: &Error) {
    let printed = format!("{error} {error:?}");
    for secret in SECRETS {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}

/// A server that is too talkative: it answers with what it was sent.
fn echo(status: u16) -> impl Fn(&Seen) -> Reply + Send + Sync + 'static {
    move |seen| {
        let sent = format!("{:?} {}", seen.headers, seen.body);
        let headers = vec![("x-echo", seen.header("authorization").to_owned())];
        Reply::Answer(status, headers, json!([{"errorCode": "X", "message": sent}]).to_string().into_bytes())
    }
}

#[tokio::test]
async fn an_org_that_echoes_the_token_is_not_believed() {
    for status in [400, 401, 403, 500] {
        let org = Server::org(echo(status)).await;
        for request in of_each_class() {
            assert_silent(&org.client().send(&request, patient()).await.unwrap_err());
        }
    }
}

#[tokio::test]
async fn a_token_endpoint_that_echoes_the_secret_is_not_believed() {
    for status in [200, 302, 400, 401, 500] {
        let org = Server::start(echo(status), |_| text(200, "")).await;
        assert_silent(&org.client().send(&query(), patient()).await.unwrap_err());
        let org = Server::start(move |seen| text(status, &seen.body), |_| text(200, "")).await;
        assert_silent(&org.client().send(&query(), patient()).await.unwrap_err());
    }
}

#[tokio::test]
async fn a_token_in_a_reply_that_is_refused_is_not_told() {
    let reply = json!({"access_token": "token-9 ", "instance_url": "https://evil.example"});
    let org = Server::start(move |_| answer(200, &reply), |_| text(200, "")).await;
    assert_silent(&org.client().send(&query(), patient()).await.unwrap_err());
}

#[tokio::test]
async fn lost_connections_do_not_tell_the_query() {
    for lost in [Reply::Cut, Reply::CutInBody(200, vec![]), text(502, "")] {
        let org = Server::org(move |_| lost.clone()).await;
        assert_silent(&org.client().send(&query(), patient()).await.unwrap_err());
    }
}

#[tokio::test]
async fn clients_and_transports_print_without_secrets() {
    let org = Server::org(|_| text(200, "")).await;
    let transport = transport();
    let client = transport.client(&org.url(), ApiVersion::DEFAULT, grant()).unwrap();
    client.send(&create(), patient()).await.unwrap();
    let printed = format!("{transport:?} {client:?} {:?}", grant());
    for secret in SECRETS {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}
