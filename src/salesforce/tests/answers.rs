//! What a call looks like on the wire, and what becomes of each shape of answer.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::metrics::Metrics;

use super::super::{AllowedHosts, ApiVersion, ErrorClass, Request, Transport, TransportOptions};
use super::server::{
    Reply, Server, absolute, answer, create, grant, patient, query, refusal, text, transport_with, update,
};

#[tokio::test]
async fn a_call_carries_its_token_the_products_name_and_its_body() {
    let org = Server::org(|_| answer(201, &json!({"id": "001D000000IRFmaIAH", "success": true}))).await;
    let mut request = create();
    request.headers.push(("Sforce-Auto-Assign", "FALSE".to_owned()));
    let response = org.client().send(&request, patient()).await.unwrap();
    assert_eq!((response.status, response.reason.as_str()), (201, "Created"));
    assert_eq!(response.body["id"], "001D000000IRFmaIAH");
    assert_eq!(response.headers["content-type"], "application/json");
    let call = &org.seen()[1];
    assert_eq!(
        (call.method.as_str(), call.target.as_str()),
        ("POST", "/services/data/v67.0/sobjects/Account")
    );
    assert_eq!(call.token(), "token-1");
    let product = concat!("salesforce-connector/", env!("CARGO_PKG_VERSION"));
    assert_eq!(call.header("user-agent"), product);
    assert_eq!(call.header("sforce-call-options"), format!("client={product}"));
    assert_eq!(call.header("sforce-auto-assign"), "FALSE");
    assert!(call.header("content-type").starts_with("application/json"));
    assert!(call.header("accept-encoding").contains("gzip"));
    assert_eq!(call.body, r#"{"Name":"Acme"}"#);
}

#[tokio::test]
async fn a_transport_as_the_program_has_it_calls_this_machine() {
    let org = Server::org(|_| answer(200, &json!({}))).await;
    let hosts = AllowedHosts::new(&[], true, true).unwrap();
    let options = TransportOptions { hosts, ..TransportOptions::default() };
    let transport = Transport::new(options, Arc::new(Metrics::new())).unwrap();
    let client = transport.client(&org.url(), ApiVersion::DEFAULT, grant()).unwrap();
    assert_eq!(client.send(&query(), patient()).await.unwrap().status, 200);
}

#[tokio::test]
async fn numbers_survive_in_both_directions() {
    let exact = r#"{"amount":12345678901234567890.12,"small":0.1000}"#;
    let org = Server::org(|seen| text(200, &seen.body)).await;
    let fields = serde_json::from_str::<Value>(exact).unwrap().as_object().unwrap().clone();
    let request = Request::create(&"Account".parse().unwrap(), fields);
    let response = org.client().send(&request, patient()).await.unwrap();
    assert_eq!(response.body.to_string(), exact);
}

#[tokio::test]
async fn an_empty_answer_is_null() {
    let org = Server::org(|_| Reply::Answer(204, vec![], vec![])).await;
    let response = org.client().send(&update(), patient()).await.unwrap();
    assert_eq!((response.status, response.body), (204, Value::Null));
}

#[tokio::test]
async fn a_compressed_answer_is_read() {
    // gzip of {"ok":true}
    const GZIP: [u8; 31] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 202, 207, 86, 178, 42, 41, 42, 77, 173, 5, 0, 144, 95, 212,
        167, 11, 0, 0, 0,
    ];
    let org =
        Server::org(|_| Reply::Answer(200, vec![("content-encoding", "gzip".to_owned())], GZIP.to_vec()))
            .await;
    assert_eq!(org.client().send(&query(), patient()).await.unwrap().body, json!({"ok": true}));
}

#[tokio::test]
async fn an_oversized_answer_is_refused_also_when_it_was_compressed() {
    // gzip of 5000 times "a"
    const GZIP: [u8; 41] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 237, 193, 49, 1, 0, 0, 0, 194, 160, 172, 235, 95, 194, 20, 126, 64,
        1, 0, 0, 0, 0, 111, 3, 118, 89, 244, 76, 136, 19, 0, 0,
    ];
    let plain = Reply::Answer(200, vec![], vec![b'a'; 1001]);
    let compressed = Reply::Answer(200, vec![("content-encoding", "gzip".to_owned())], GZIP.to_vec());
    for reply in [plain, compressed] {
        let org = Server::org(move |_| reply.clone()).await;
        let transport = transport_with(|options| options.max_body_bytes = 1000);
        let client = transport.client(&org.url(), ApiVersion::DEFAULT, grant()).unwrap();
        let error = client.send(&query(), patient()).await.unwrap_err();
        assert_eq!((error.code(), error.class()), ("BODY_TOO_LARGE", ErrorClass::Permanent));
        assert!(error.to_string().contains("larger than 1000 bytes"), "{error}");
        assert_eq!(org.calls(), 1);
    }
}

#[tokio::test]
async fn an_error_keeps_the_answer_and_names_what_was_called() {
    let body = json!([{"message": "Required fields are missing: [LastName]", "errorCode": "REQUIRED_FIELD_MISSING",
        "fields": ["LastName"]}, {"message": "bad", "errorCode": "INVALID_EMAIL_ADDRESS", "fields": ["Email"]}]);
    let sent = body.clone();
    let org = Server::org(move |_| answer(400, &sent)).await;
    let error = org.client().send(&create(), patient()).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("REQUIRED_FIELD_MISSING", ErrorClass::Business));
    assert_eq!(error.errors().len(), 2);
    assert_eq!(error.response().unwrap().body, body);
    assert_eq!(
        error.to_string(),
        "POST /services/data/v67.0/sobjects/Account: 400 Bad Request: REQUIRED_FIELD_MISSING: Required fields are \
         missing: [LastName]; INVALID_EMAIL_ADDRESS: bad (fields: Email)"
    );
    assert_eq!(org.calls(), 1);
}

#[tokio::test]
async fn every_shape_of_error_has_a_code_and_a_class() {
    let xml = "<?xml version=\"1.0\"?><Errors><Error><errorCode>INVALID_TYPE</errorCode><message>no</message></Error></Errors>";
    let failed_save = json!({"id": null, "success": false, "errors": [
        {"statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "too cheap", "fields": ["Amount"]}]});
    for (reply, code, class) in [
        (refusal(404, "NOT_FOUND", "gone"), "NOT_FOUND", ErrorClass::Business),
        (refusal(400, "MALFORMED_QUERY", "unexpected token"), "MALFORMED_QUERY", ErrorClass::Permanent),
        (refusal(400, "SOMETHING_NEW", "no"), "SOMETHING_NEW", ErrorClass::Business),
        (
            answer(400, &json!({"statusCode": "MALFORMED_ID", "message": "bad id"})),
            "MALFORMED_ID",
            ErrorClass::Permanent,
        ),
        (answer(403, &json!({"error": "insufficient_scope"})), "insufficient_scope", ErrorClass::Permanent),
        (answer(400, &failed_save), "FIELD_CUSTOM_VALIDATION_EXCEPTION", ErrorClass::Business),
        (answer(200, &failed_save), "FIELD_CUSTOM_VALIDATION_EXCEPTION", ErrorClass::Business),
        (text(400, xml), "INVALID_TYPE", ErrorClass::Permanent),
        (text(404, "<!DOCTYPE html><title>URL No Longer Exists</title>"), "HTTP_404", ErrorClass::Permanent),
        (text(403, ""), "HTTP_403", ErrorClass::Permanent),
        (
            answer(300, &json!(["/services/data/v67.0/sobjects/Account/001"])),
            "MULTIPLE_CHOICES",
            ErrorClass::Business,
        ),
        (Reply::Answer(304, vec![], vec![]), "NOT_MODIFIED", ErrorClass::Business),
        (text(431, ""), "REQUEST_TOO_LONG", ErrorClass::Permanent),
    ] {
        let org = Server::org(move |_| reply.clone()).await;
        let error = org.client().send(&create(), patient()).await.unwrap_err();
        assert_eq!((error.code(), error.class()), (code, class));
        assert!(error.response().is_some());
        assert_eq!(org.calls(), 1, "{code} is not repeated");
    }
}

#[tokio::test]
async fn several_records_of_one_external_id_are_named() {
    let urls =
        json!(["/services/data/v67.0/sobjects/Account/001A", "/services/data/v67.0/sobjects/Account/001B"]);
    let org = Server::org(move |_| answer(300, &urls)).await;
    let error = org.client().send(&update(), patient()).await.unwrap_err();
    assert!(
        error.to_string().contains("names 2 records: /services/data/v67.0/sobjects/Account/001A, "),
        "{error}"
    );
}

#[tokio::test]
async fn a_maintenance_page_is_told_by_its_title_and_cut() {
    let page = format!("<html><head><title>Down for Maintenance</title></head>{}", "x".repeat(100_000));
    let org = Server::org(move |_| text(503, &page)).await;
    let error = org.client().send(&query(), patient()).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("HTTP_503", ErrorClass::Transient));
    assert!(error.to_string().contains("an HTML page titled \"Down for Maintenance\""), "{error}");
    assert_eq!(error.response().unwrap().body.as_str().unwrap().len(), 8 * 1024);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::org(|_| answer(200, &json!({}))).await;
    for status in [301, 302, 303, 307, 308] {
        let target = format!("{}/services/data?secret=1", elsewhere.url());
        let org =
            Server::org(move |_| Reply::Answer(status, vec![("location", target.clone())], vec![])).await;
        let error = org.client().send(&query(), patient()).await.unwrap_err();
        assert_eq!((error.code(), error.class()), ("REDIRECT_NOT_FOLLOWED", ErrorClass::Permanent));
        assert!(error.to_string().contains("127.0.0.1") && !error.to_string().contains("secret"), "{error}");
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn the_next_page_stays_on_the_org() {
    let org = Server::org(|_| answer(200, &json!({"done": true}))).await;
    let client = org.client();
    client.send(&absolute("/services/data/v67.0/query/01gD0000002HU6KIAW-2000"), patient()).await.unwrap();
    assert_eq!(org.seen()[1].target, "/services/data/v67.0/query/01gD0000002HU6KIAW-2000");
    for path in ["https://evil.example/services/data", "//evil.example/services/", "/secur/frontdoor.jsp"] {
        let error = client.send(&absolute(path), patient()).await.unwrap_err();
        assert_eq!((error.code(), error.class()), ("INVALID_ADDRESS", ErrorClass::Permanent));
    }
    assert_eq!(org.calls(), 1);
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_is_refused() {
    let org = Server::org(|_| answer(200, &json!({}))).await;
    let mut request = query();
    request.headers.push(("Sforce-Query-Options", "batchSize=200\r\nX-Evil: 1".to_owned()));
    let error = org.client().send(&request, patient()).await.unwrap_err();
    assert_eq!((error.code(), error.class(), org.calls()), ("INVALID_REQUEST", ErrorClass::Permanent, 0));
}
