use base64::{Engine as _, engine::general_purpose::STANDARD};
use salesforce_connector::{
    connector::FileOptions,
    metrics::Metrics,
    zeebe::{
        Documents, Failure, GatewayAuthentication, GatewayClient, GatewayOptions, Job, JobHandler, Outcome,
    },
};
use salesforce_connector_dev::{
    documents::DevDocuments,
    gateway::{DevGateway, DevIdentity, JobState},
    org::{DevOrg, Fault, FaultRule, Reply},
};
use serde_json::{Value, json};

use crate::{
    handler::{Bench, code, failed, job},
    support::House,
};

/// A bench whose jobs come from a cluster with documents.
struct Cluster {
    bench: Bench,
    documents: DevDocuments,
    client: Documents,
}

impl Cluster {
    async fn start() -> Self {
        Self::start_with(FileOptions::default(), GatewayAuthentication::None).await
    }

    async fn start_with(files: FileOptions, authentication: GatewayAuthentication) -> Self {
        let bench = Bench::start_with(DevOrg::start().await.unwrap(), |options| options.files = files);
        let documents = DevDocuments::start().await.unwrap();
        let client = client(&documents, authentication);
        Self { bench, documents, client }
    }

    fn job(&self, operation: &Value, headers: &[(&str, &str)]) -> Job {
        let request = json!({"connection": {"name": "dev"}, "operation": operation});
        Job { documents: self.client.clone(), ..job(request, headers) }
    }

    async fn body(&self, operation: Value) -> Value {
        let job = self.job(&operation, &[("resultVariable", "result"), ("resultContent", "body")]);
        let outcome = self.bench.connector.handle(&job).await;
        let Outcome::Complete { mut variables } = outcome else { panic!("{outcome:#?}") };
        variables.remove("result").unwrap()
    }

    async fn failure(&self, operation: Value) -> Failure {
        failed(self.bench.connector.handle(&self.job(&operation, &[])).await)
    }
}

fn client(documents: &DevDocuments, authentication: GatewayAuthentication) -> Documents {
    let options = GatewayOptions {
        address: "http://127.0.0.1:1".to_owned(),
        ca_certificate: None,
        override_authority: None,
        rest_address: Some(documents.url()),
        authentication,
    };
    GatewayClient::new(options, std::sync::Arc::new(Metrics::new())).unwrap().documents().clone()
}

fn upload(further: Value) -> Value {
    let mut operation = json!({"type": "uploadFile", "content": "UXVvdGU=", "pathOnClient": "quote.txt"});
    operation.as_object_mut().unwrap().append(&mut further.as_object().unwrap().clone());
    operation
}

fn download(id: &Value, content_as: &str) -> Value {
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
fn fetched(bench: &Bench) -> usize {
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

#[tokio::test]
async fn bytes_that_are_no_text_and_a_file_beyond_the_limit_are_refused() {
    let files = FileOptions { max_bytes: 100, max_bytes_in_hand: 200 };
    let cluster = Cluster::start_with(files, GatewayAuthentication::None).await;
    let id = cluster.body(upload(json!({"content": "//79"}))).await["id"].clone();
    let failure = cluster.failure(download(&id, "text")).await;
    assert_eq!((code(&failure), failure.retries), ("INVALID_RESPONSE", 0));
    assert!(failure.message.contains("is no text in UTF-8; hand it over as Base64"), "{}", failure.message);
    let large = "x".repeat(101);
    let failure = cluster.failure(upload(json!({"encoding": "text", "content": large}))).await;
    assert_eq!((code(&failure), failure.retries), ("FILE_TOO_LARGE", 0));
    let id = cluster
        .bench
        .org
        .insert("ContentVersion", json!({"PathOnClient": "a", "VersionData": "eHh4".repeat(40)}))
        .unwrap();
    assert_eq!(code(&cluster.failure(download(&json!(id), "document")).await), "FILE_TOO_LARGE");
    assert_eq!(fetched(&cluster.bench), 1);
}

#[tokio::test]
async fn a_document_is_uploaded_under_its_own_name_with_its_own_bytes() {
    let cluster = Cluster::start().await;
    let metadata = json!({"fileName": "Vertrag.pdf", "contentType": "application/pdf", "size": 5});
    let document = cluster.documents.put(&b"%PDF\xff"[..], metadata);
    let body = cluster.body(json!({"type": "uploadFile", "content": [document]})).await;
    let version = &cluster.bench.org.records("ContentVersion")[0];
    assert_eq!((&version["PathOnClient"], &version["FileType"]), (&json!("Vertrag.pdf"), &json!("PDF")));
    assert_eq!(cluster.bench.org.file(body["id"].as_str().unwrap()).unwrap(), &b"%PDF\xff"[..]);
}

#[tokio::test]
async fn a_file_becomes_a_document_of_the_cluster() {
    let cluster = Cluster::start().await;
    let id = cluster.body(upload(json!({"pathOnClient": "C:\\tmp\\Größe \"1\".csv"}))).await["id"].clone();
    let body = cluster.body(download(&id, "document")).await;
    let document = &body["document"];
    assert_eq!((&document["camunda.document.type"], body.get("content")), (&json!("camunda"), None));
    let expected = json!({"contentType": "text/csv", "fileName": "Größe \"1\".csv", "size": 5});
    assert_eq!(document["metadata"], expected);
    assert_eq!(cluster.documents.content(document["documentId"].as_str().unwrap()).unwrap(), "Quote");
    // And back again, as a process would.
    let again = cluster.body(json!({"type": "uploadFile", "content": document})).await;
    assert_eq!(cluster.bench.org.file(again["id"].as_str().unwrap()).unwrap(), "Quote");
}

#[tokio::test]
async fn a_document_that_cannot_be_had_ends_the_job_before_anything_is_uploaded() {
    let cluster = Cluster::start().await;
    let document = cluster.documents.put("Quote", json!({"fileName": "quote.txt", "size": 5}));
    let changed = |name: &str, value: Value| {
        let mut document = document.clone();
        document[name] = value;
        document
    };
    let told = |size: u64| json!({"fileName": "quote.txt", "size": size});
    let cases = [
        (
            changed("documentId", json!("gone/../x")),
            "DOCUMENT_NOT_FOUND",
            "Document with id 'gone/../x' not found",
        ),
        (changed("contentHash", json!("0")), "DOCUMENT_REFUSED", "doesn't match the expected hash"),
        (changed("contentHash", Value::Null), "DOCUMENT_REFUSED", "400 Bad Request"),
        (
            changed("storeId", json!("other")),
            "DOCUMENT_REFUSED",
            "Document store with id 'other' does not exist",
        ),
        (changed("metadata", told(4)), "FILE_TOO_LARGE", "has more than 4 bytes"),
        (
            changed("metadata", told(60_000_000)),
            "FILE_TOO_LARGE",
            "has 60000000 bytes, and 52428800 are taken at most",
        ),
    ];
    for (document, expected, text) in cases {
        let failure = cluster.failure(json!({"type": "uploadFile", "content": document})).await;
        assert_eq!((code(&failure), failure.retries), (expected, 0), "{}", failure.message);
        assert!(failure.message.contains(text), "{}", failure.message);
    }
    let operation = json!({"type": "uploadFile", "content": document});
    cluster.documents.answer_next(503, "starting");
    let failure = cluster.failure(operation.clone()).await;
    assert_eq!((code(&failure), failure.retries), ("DOCUMENTS_UNAVAILABLE", 2));
    cluster.documents.cut_next();
    assert_eq!(code(&cluster.failure(operation.clone()).await), "DOCUMENTS_UNAVAILABLE");
    cluster.documents.remove_api();
    let failure = cluster.failure(operation).await;
    assert_eq!((code(&failure), failure.retries), ("DOCUMENTS_NOT_SUPPORTED", 0));
    assert!(failure.message.contains("documents need Camunda 8.7 or later"), "{}", failure.message);
    assert_eq!(cluster.bench.org.counters().api_requests, 0);
}

#[tokio::test]
async fn without_an_address_of_the_rest_api_documents_are_refused_before_any_call() {
    let bench = Bench::start().await;
    let document =
        json!({"camunda.document.type": "camunda", "documentId": "d", "metadata": {"fileName": "a"}});
    for operation in
        [json!({"type": "uploadFile", "content": document}), download(&json!("069D00000000so2"), "document")]
    {
        let failure = bench.failure(operation, &[]).await;
        assert_eq!((code(&failure), failure.retries), ("DOCUMENTS_NOT_CONFIGURED", 0));
        assert!(failure.message.contains("gateway.rest_address"), "{}", failure.message);
    }
    assert_eq!(bench.org.counters().api_requests, 0);
}

#[tokio::test]
async fn a_document_that_could_not_be_stored_is_stored_by_the_next_try() {
    let cluster = Cluster::start().await;
    let id = cluster.body(upload(json!({}))).await["id"].clone();
    cluster.documents.cut_next();
    let failure = cluster.failure(download(&id, "document")).await;
    assert_eq!((code(&failure), failure.retries), ("DOCUMENTS_UNAVAILABLE", 2));
    cluster.documents.answer_next(413, "too large");
    let failure = cluster.failure(download(&id, "document")).await;
    assert_eq!((code(&failure), failure.retries), ("DOCUMENT_REFUSED", 0));
    assert!(cluster.body(download(&id, "document")).await["document"].is_object());
    assert_eq!(cluster.documents.count(), 2, "one more, to which nobody refers, where an answer was lost");
    cluster.documents.remove_api();
    assert_eq!(code(&cluster.failure(download(&id, "document")).await), "DOCUMENTS_NOT_SUPPORTED");
}

#[tokio::test]
async fn documents_are_asked_for_with_the_gateways_own_credentials() {
    let password = "geheim".into();
    let basic = GatewayAuthentication::Basic { username: "demo".to_owned(), password };
    let cluster = Cluster::start_with(FileOptions::default(), basic).await;
    cluster.documents.expect("Basic ZGVtbzpnZWhlaW0=");
    let document = cluster.documents.put("Quote", json!({"fileName": "quote.txt"}));
    let operation = json!({"type": "uploadFile", "content": document});
    assert_eq!(cluster.body(operation.clone()).await["success"], true);
    cluster.documents.expect("Basic b3RoZXI6b3RoZXI=");
    let failure = cluster.failure(operation).await;
    assert_eq!((code(&failure), failure.retries), ("DOCUMENT_REFUSED", 0));
    assert!(failure.message.contains("401 Unauthorized"), "{}", failure.message);
}

#[tokio::test]
async fn a_token_that_the_rest_api_does_not_accept_is_renewed_once() {
    let identity = DevIdentity::start().await.unwrap();
    let oauth = GatewayAuthentication::OAuth {
        token_url: identity.token_url(),
        client_id: "dev-client".to_owned(),
        client_secret: "dev-secret".into(),
        audience: "zeebe".to_owned(),
        scope: None,
    };
    let cluster = Cluster::start_with(FileOptions::default(), oauth).await;
    let document = cluster.documents.put("Quote", json!({"fileName": "quote.txt"}));
    cluster.documents.answer_next(401, "");
    assert_eq!(cluster.body(json!({"type": "uploadFile", "content": document})).await["success"], true);
    assert_eq!((cluster.documents.requests().len(), identity.tokens_issued()), (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_knows_the_rest_api_carries_a_document_there_and_back() {
    let documents = DevDocuments::start().await.unwrap();
    let (org, gateway) = (DevOrg::start().await.unwrap(), DevGateway::start().await.unwrap());
    let address = documents.url();
    let house =
        House::start_between(org, gateway, |config| config.gateway.rest_address = Some(address)).await;
    let document = documents.put("Quote", json!({"fileName": "quote.txt"}));
    let headers = [("resultExpression", "={file: body.contentDocumentId}")];
    let record = house.run(json!({"type": "uploadFile", "content": document}), &headers).await;
    assert_eq!(record.state, JobState::Completed, "{record:#?}");
    let file = record.result.unwrap()["file"].clone();
    let headers = [("resultExpression", "={document: body.document}")];
    let record = house.run(download(&file, "document"), &headers).await;
    assert_eq!(record.state, JobState::Completed, "{record:#?}");
    let stored = record.result.unwrap()["document"]["documentId"].clone();
    assert_eq!(documents.content(stored.as_str().unwrap()).unwrap(), "Quote");
}
