//! Files that are documents of the cluster, and the bounds of all files.

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
    org::DevOrg,
};
use serde_json::{Value, json};

use super::files::{download, fetched, upload};
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
