use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use salesforce_connector_dev::org::{DevOrg, Fault, FaultRule, Gate, Reply};
use serde_json::json;

use crate::client::{Client, token};

const ACCOUNT: &str = r#"{"Name":"Acme"}"#;

async fn start() -> (DevOrg, Client) {
    let org = DevOrg::start().await.expect("a free port");
    let client = Client::login(&org).await;
    (org, client)
}

#[tokio::test]
async fn a_scripted_reply_stands_in_for_the_request() {
    let (org, client) = start().await;
    let reply = Reply::error(503, "SERVER_UNAVAILABLE", "maintenance").header("Retry-After", "7");
    org.faults().add(FaultRule::new(Fault::Respond(reply)).method("POST").path("/sobjects/account"));
    let answer = client.call("POST", "sobjects/Account", ACCOUNT).await;
    assert_eq!(
        (answer.status, answer.code(), answer.header("retry-after")),
        (503, "SERVER_UNAVAILABLE", Some("7"))
    );
    assert!(org.records("Account").is_empty());
    client.create("Account", &json!({ "Name": "Acme" })).await;
}

#[tokio::test]
async fn a_disguised_success_leaves_a_record() {
    let (org, client) = start().await;
    let reply = Reply::new(500, "<html>oops</html>").header("content-type", "text/html");
    org.faults().add(FaultRule::new(Fault::RespondAfter(reply)));
    let answer = client.call("POST", "sobjects/Account", ACCOUNT).await;
    assert_eq!((answer.status, answer.text.as_str()), (500, "<html>oops</html>"));
    assert_eq!(org.records("Account").len(), 1);
}

#[tokio::test]
async fn a_cut_connection_gives_no_byte_of_an_answer() {
    let (org, client) = start().await;
    org.faults().add(FaultRule::new(Fault::CloseBefore));
    org.faults().add(FaultRule::new(Fault::CloseAfter));
    for records in [0, 1] {
        let error = client.try_send("POST", "sobjects/Account", &[], ACCOUNT).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset), "{error}");
        assert_eq!(org.records("Account").len(), records);
    }
    assert_eq!(org.requests().pop().unwrap().status, None);
    assert_eq!(client.get("limits").await.status, 200);
}

#[tokio::test]
async fn a_held_request_waits_for_the_gate() {
    let (org, client) = start().await;
    let (before, after) = (Gate::new(), Gate::new());
    org.faults().add(FaultRule::new(Fault::Hold(before.clone())));
    org.faults().add(FaultRule::new(Fault::HoldAfter(after.clone())));
    let client = Arc::new(client);
    let call = || {
        let client = Arc::clone(&client);
        tokio::spawn(async move { client.call("POST", "sobjects/Account", ACCOUNT).await.status })
    };
    let first = call();
    before.held(1).await;
    assert_eq!(org.records("Account").len(), 0);
    let second = call();
    after.held(1).await;
    assert_eq!(org.records("Account").len(), 1);
    after.open();
    before.open();
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (201, 201));
}

#[tokio::test]
async fn a_held_request_is_carried_out_even_if_its_client_has_gone() {
    let (org, client) = start().await;
    let gate = Gate::new();
    org.faults().add(FaultRule::new(Fault::Hold(gate.clone())));
    let call = tokio::spawn(async move { client.try_send("POST", "sobjects/Account", &[], ACCOUNT).await });
    gate.held(1).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    gate.open();
    while org.records("Account").is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_delayed_request_is_carried_out() {
    let (org, client) = start().await;
    org.faults().add(FaultRule::new(Fault::Delay(Duration::from_millis(1))).times(2));
    for records in [1, 2] {
        assert_eq!(client.call("POST", "sobjects/Account", ACCOUNT).await.status, 201);
        assert_eq!(org.records("Account").len(), records);
    }
    assert_eq!(org.faults().pending(), 0);
}

#[tokio::test]
async fn token_requests_are_counted_even_if_a_fault_strikes() {
    let (org, _client) = start().await;
    org.faults().add(FaultRule::new(Fault::Respond(Reply::new(500, ""))).path("/oauth2/token"));
    assert_eq!(token(&org, "grant_type=client_credentials").await.status, 500);
    let counters = org.counters();
    assert_eq!((counters.token_requests, counters.tokens_issued, counters.tokens_refused), (2, 1, 0));
}

#[tokio::test]
async fn a_stopped_org_refuses_connections_and_drops_held_requests() {
    let (org, client) = start().await;
    let (gate, address) = (Gate::new(), org.address());
    org.faults().add(FaultRule::new(Fault::Hold(gate.clone())));
    let held = tokio::spawn(async move { client.try_send("GET", "limits", &[], "").await });
    gate.held(1).await;
    org.stop().await;
    assert!(held.await.unwrap().is_err());
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
