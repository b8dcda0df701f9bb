//! Files over DevOrg: uploaded once, linked once, and downloaded as they are.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use salesforce_connector_dev::org::{DevOrg, Fault, FaultRule, Reply};
use serde_json::{Value, json};

use crate::handler::{Bench, code};

pub(super) fn upload(further: Value) -> Value {
    let mut operation = json!({"type": "uploadFile", "content": "UXVvdGU=", "pathOnClient": "quote.txt"});
    operation.as_object_mut().unwrap().append(&mut further.as_object().unwrap().clone());
    operation
}

pub(super) fn download(id: &Value, content_as: &str) -> Value {
    json!({"type": "downloadFile", "fileId": id, "contentAs": content_as})
}

fn account(bench: &Bench) -> String {
    bench.org.insert("Account", json!({"Name": "Acme"})).unwrap()
}

fn links_of(bench: &Bench, record: &str) -> Vec<Value> {
    let links = bench.org.records("ContentDocumentLink");
    links.into_iter().filter(|link| link["LinkedEntityId"] == record).collect()
}

#[tokio::test]
async fn an_uploaded_file_is_linked_at_once_and_tells_both_ids() {
    let bench = Bench::start().await;
    let record = account(&bench);
    let further =
        json!({"title": "The quote", "firstPublishLocationId": record, "body": {"Description": "signed"}});
    let body = bench.result(upload(further), "body").await;
    let version = &bench.org.records("ContentVersion")[0];
    assert_eq!((&body["id"], &body["contentDocumentId"]), (&version["Id"], &version["ContentDocumentId"]));
    assert_eq!((&version["Title"], &version["Description"]), (&json!("The quote"), &json!("signed")));
    assert_eq!(bench.org.file(body["id"].as_str().unwrap()).unwrap(), "Quote");
    assert_eq!(links_of(&bench, &record)[0]["ContentDocumentId"], body["contentDocumentId"]);
    assert_eq!(bench.result(upload(json!({})), "id").await.as_str().unwrap().len(), 18);
}

#[tokio::test]
async fn any_bytes_arrive_as_they_are() {
    let bench = Bench::start().await;
    let nasty = b"\r\n--\x00\xff\"; filename=\r\n\r\n--".repeat(5000);
    let further = json!({"content": STANDARD.encode(&nasty), "pathOnClient": "a\"b\r\nc.bin"});
    let id = bench.result(upload(further), "id").await;
    assert_eq!(bench.org.file(id.as_str().unwrap()).unwrap(), nasty);
    let body = bench.result(download(&id, "base64"), "body").await;
    assert_eq!(STANDARD.decode(body["content"].as_str().unwrap()).unwrap(), nasty);
    assert_eq!(body["size"], nasty.len());
}

#[tokio::test]
async fn a_new_version_is_what_is_downloaded_from_then_on() {
    let bench = Bench::start().await;
    let first = bench.result(upload(json!({})), "body").await;
    let next =
        json!({"contentDocumentId": first["contentDocumentId"], "encoding": "text", "content": "Größer"});
    let second = bench.result(upload(next), "body").await;
    assert_eq!(second["contentDocumentId"], first["contentDocumentId"]);
    let latest = bench.result(download(&first["contentDocumentId"], "text"), "body").await;
    assert_eq!((&latest["content"], &latest["versionNumber"]), (&json!("Größer"), &json!("2")));
    assert_eq!((&latest["id"], &latest["size"]), (&second["id"], &json!(8)));
    let old = bench.result(download(&first["id"], "text"), "body").await;
    assert_eq!((&old["content"], &old["fileName"]), (&json!("Quote"), &json!("quote.txt")));
    assert_eq!(bench.result(download(&first["id"], "base64"), "id").await, first["id"]);
}

#[tokio::test]
async fn an_upload_whose_answer_was_lost_is_not_sent_again() {
    let bench = Bench::start().await;
    bench.strike("POST", "/sobjects/ContentVersion", Fault::CloseAfter);
    let failure = bench.failure(upload(json!({})), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("OUTCOME_UNKNOWN", 0));
    assert_eq!(bench.org.records("ContentVersion").len(), 1);
}

#[tokio::test]
async fn an_upload_that_is_refused_leaves_nothing() {
    let bench = Bench::start().await;
    let failure = bench.failure(upload(json!({"firstPublishLocationId": "001000000000001AAA"})), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("INVALID_CROSS_REFERENCE_KEY", 0));
    assert_eq!(bench.org.records("ContentVersion").len(), 0);
}

#[tokio::test]
async fn a_new_version_is_not_linked_a_first_time() {
    let bench = Bench::start().await;
    let both = json!({"contentDocumentId": "069D00000000so2", "firstPublishLocationId": account(&bench)});
    let failure = bench.failure(upload(both), &[]).await;
    assert_eq!((code(&failure), bench.org.counters().api_requests), ("INVALID_INPUT", 0));
}

#[tokio::test]
async fn a_file_whose_document_cannot_be_told_is_not_uploaded_again() {
    let bench = Bench::start().await;
    let refusal = Reply::error(400, "INVALID_FIELD", "No such column 'ContentDocumentId'");
    bench.strike("GET", "/sobjects/ContentVersion", Fault::Respond(refusal.clone()));
    let failure = bench.failure(upload(json!({})), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("PARTLY_DONE", 0));
    let id = &bench.org.records("ContentVersion")[0]["Id"];
    assert_eq!(failure.variables["error"]["variables"]["response"]["body"]["id"], *id);
    assert!(failure.message.contains(id.as_str().unwrap()), "{}", failure.message);
    bench.strike("GET", "/sobjects/ContentVersion", Fault::Respond(refusal));
    let failure =
        bench.failure(upload(json!({})), &[("errorExpression", "=jobError(\"again\", {}, 2)")]).await;
    assert_eq!(failure.retries, 0, "whatever an expression says");
}

#[tokio::test]
async fn a_file_is_linked_once_however_often_it_is_asked() {
    let bench = Bench::start().await;
    let record = account(&bench);
    let file = bench.result(upload(json!({})), "body").await["contentDocumentId"].clone();
    let link =
        json!({"type": "linkFile", "contentDocumentId": file, "linkedEntityId": record, "shareType": "C"});
    let body = bench.result(link.clone(), "body").await;
    assert_eq!((&body["success"], &body["created"]), (&json!(true), &json!(true)));
    let mut again = link.clone();
    again["shareType"] = json!("I");
    let second = bench.result(again, "body").await;
    assert_eq!((&second["created"], &second["id"]), (&json!(false), &body["id"]));
    assert_eq!(links_of(&bench, &record)[0]["ShareType"], "C", "the link stays as it is");
    let mut wrong = link;
    wrong["linkedEntityId"] = json!("001000000000001AAA");
    assert_eq!(code(&bench.failure(wrong, &[]).await), "INVALID_CROSS_REFERENCE_KEY");
}

#[tokio::test]
async fn a_link_whose_answer_was_lost_is_made_once() {
    let bench = Bench::start().await;
    let record = account(&bench);
    let file = bench.result(upload(json!({})), "body").await["contentDocumentId"].clone();
    bench.strike("POST", "/sobjects/ContentDocumentLink", Fault::CloseAfter);
    let link = json!({"type": "linkFile", "contentDocumentId": file, "linkedEntityId": record});
    let body = bench.result(link, "body").await;
    assert_eq!(body["created"], false, "the second try found it");
    assert_eq!(links_of(&bench, &record)[0]["Id"], body["id"]);
    assert_eq!(links_of(&bench, &record).len(), 1);
}

#[tokio::test]
async fn a_duplicate_that_is_no_link_stays_an_error() {
    let bench = Bench::start().await;
    let taken = Reply::error(400, "DUPLICATE_VALUE", "a trigger said so");
    let rule = FaultRule::new(Fault::Respond(taken)).method("POST").path("/sobjects/ContentDocumentLink");
    bench.org.faults().add(rule.times(usize::MAX));
    let record = account(&bench);
    let file = bench.result(upload(json!({})), "body").await["contentDocumentId"].clone();
    let link = json!({"type": "linkFile", "contentDocumentId": file, "linkedEntityId": record});
    let failure = bench.failure(link, &[]).await;
    assert_eq!(code(&failure), "DUPLICATE_VALUE");
    assert!(failure.message.contains("a trigger said so"), "{}", failure.message);
}

#[tokio::test]
async fn a_file_that_is_too_large_for_a_variable_is_not_fetched() {
    let bench =
        Bench::start_with(DevOrg::start().await.unwrap(), |options| options.max_result_bytes = 20_000);
    let large = |bytes: usize| upload(json!({"encoding": "text", "content": "x".repeat(bytes)}));
    let id = bench.result(large(10_000), "id").await;
    assert_eq!(bench.result(download(&id, "text"), "body").await["size"], 10_000);
    let failure = bench.failure(download(&id, "base64"), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("RESULT_TOO_LARGE", 0));
    let expected = "the file \"quote.txt\" has 10000 bytes, 13336 as Base64, and a result may have 20000; it was not fetched. \
                    Hand it over as a Camunda document (contentAs: document)";
    assert!(failure.message.contains(expected), "{}", failure.message);
    assert_eq!(fetched(&bench), 1);
}

/// How often a content was asked for.
pub(super) fn fetched(bench: &Bench) -> usize {
    bench.org.requests().iter().filter(|request| request.path.ends_with("/VersionData")).count()
}

#[tokio::test]
async fn a_download_is_repeated_when_its_answer_is_lost_and_refused_when_there_is_no_file() {
    let bench = Bench::start().await;
    let id = bench.result(upload(json!({})), "id").await;
    bench.strike("GET", "/VersionData", Fault::CloseAfter);
    assert_eq!(bench.result(download(&id, "text"), "body").await["content"], "Quote");
    assert_eq!(fetched(&bench), 2);
    for (id, expected) in [("068000000000001AAA", "NOT_FOUND"), ("069000000000001AAA", "NOT_FOUND")] {
        assert_eq!(code(&bench.failure(download(&json!(id), "text"), &[]).await), expected);
    }
    let failure = bench.failure(download(&json!("001000000000001AAA"), "text"), &[]).await;
    assert!(
        failure.message.contains("fileId: expected the id of a file (069…) or of a version (068…)"),
        "{}",
        failure.message
    );
}
