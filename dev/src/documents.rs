//! DevDocuments: the documents of a Camunda cluster as its REST API serves them (8.7 and later), in memory.
//!
//! `POST /v2/documents` and `GET /v2/documents/{id}`. Source: Camunda's documentation, "Orchestration Cluster REST
//! API", "Upload document" and "Download document".

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::multipart;

/// The id of the one store.
const STORE: &str = "in-memory";

/// A cluster with documents; it ends when it is dropped.
#[derive(Debug)]
pub struct DevDocuments {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    running: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct State {
    documents: BTreeMap<String, Document>,
    /// What `Authorization` must be.
    authorization: Option<String>,
    /// Answers the next requests, each once.
    script: Vec<Answer>,
    /// Serves no documents, like a cluster before 8.6.
    has_none: bool,
    requests: Vec<String>,
    issued: u64,
}

#[derive(Debug)]
struct Document {
    content: Bytes,
    metadata: Value,
}

/// What is done with a request instead of serving it.
#[derive(Clone, Debug)]
enum Answer {
    Status(u16, String),
    /// It is done, and the connection breaks in the middle of the answer.
    Cut,
}

impl DevDocuments {
    /// On a free port of 127.0.0.1, without documents.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::<Mutex<State>>::default();
        let routes = Router::new().fallback(answer).with_state(Arc::clone(&state));
        let running = tokio::spawn(async move { drop(axum::serve(listener, routes).await) });
        Ok(Self { address, state, running })
    }

    /// The address of its REST API, without `/v2`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Puts a document into the store and gives its reference.
    pub fn put(&self, content: impl Into<Bytes>, metadata: Value) -> Value {
        let mut state = self.state();
        let id = state.next_id();
        state.store(id, Document { content: content.into(), metadata })
    }

    /// The content of a document.
    pub fn content(&self, id: &str) -> Option<Bytes> {
        self.state().documents.get(id).map(|document| document.content.clone())
    }

    /// How many documents there are.
    pub fn count(&self) -> usize {
        self.state().documents.len()
    }

    /// Serves only those who send this `Authorization`.
    pub fn expect(&self, authorization: &str) {
        self.state().authorization = Some(authorization.to_owned());
    }

    /// Serves no documents from now on, like a cluster that has none.
    pub fn remove_api(&self) {
        self.state().has_none = true;
    }

    /// Answers the next request with this status and text.
    pub fn answer_next(&self, status: u16, text: &str) {
        self.state().script.push(Answer::Status(status, text.to_owned()));
    }

    /// Does what the next request asks, and breaks the connection in the middle of the answer.
    pub fn cut_next(&self) {
        self.state().script.push(Answer::Cut);
    }

    /// What was asked so far, such as `GET /v2/documents/1`.
    pub fn requests(&self) -> Vec<String> {
        self.state().requests.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for DevDocuments {
    fn drop(&mut self) {
        self.running.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn next_id(&mut self) -> String {
        self.issued += 1;
        format!("document-{}", self.issued)
    }

    fn store(&mut self, id: String, document: Document) -> Value {
        let reference = json!({
            "camunda.document.type": "camunda",
            "storeId": STORE,
            "documentId": id,
            "contentHash": hash(&document.content),
            "metadata": document.metadata,
        });
        self.documents.insert(id, document);
        reference
    }

    /// What is answered instead of serving the request: by the script, or because the API is not there or not for the caller.
    fn instead(&mut self, headers: &HeaderMap, path: &str, method: &Method) -> Option<Answer> {
        self.requests.push(format!("{method} {path}"));
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if self.authorization.is_some() && self.authorization.as_deref() != given {
            return Some(Answer::Status(401, String::new()));
        }
        if self.has_none {
            let body = json!({"timestamp": "2026-01-01T00:00:00.000+00:00", "status": 404, "error": "Not Found", "path": path});
            return Some(Answer::Status(404, body.to_string()));
        }
        if self.script.is_empty() { None } else { Some(self.script.remove(0)) }
    }
}

fn hash(content: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, content);
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

async fn answer(Shared(state): Shared<Arc<Mutex<State>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut state = lock(&state);
    let scripted = state.instead(&parts.headers, parts.uri.path(), &parts.method);
    if let Some(Answer::Status(status, text)) = scripted {
        return (StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT), text).into_response();
    }
    let response = match (&parts.method, parts.uri.path().strip_prefix("/v2/documents")) {
        (&Method::POST, Some("")) => upload(&mut state, &parts.headers, &parts.uri, &body),
        (&Method::GET, Some(id)) => download(&state, id.trim_start_matches('/'), &parts.uri),
        _ => problem(404, "NOT_FOUND", "No endpoint"),
    };
    if scripted.is_some() { cut(response) } else { response }
}

/// The head of an answer whose body never comes to its end.
fn cut(response: Response) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let broken = futures_util::stream::iter([
        Ok(Bytes::from_static(b"{")),
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
    ]);
    Response::from_parts(parts, Body::from_stream(broken))
}

fn problem(status: u16, title: &str, detail: &str) -> Response {
    let body = json!({"type": "about:blank", "title": title, "status": status, "detail": detail,
        "instance": "/v2/documents"});
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let pairs = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.filter(|(own, _)| *own == name).map(|(_, value)| value).next()?;
    Some(percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned())
}

fn upload(state: &mut State, headers: &HeaderMap, uri: &Uri, body: &Bytes) -> Response {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let Some(content_type) = content_type.filter(|text| multipart::is_multipart(text)) else {
        return problem(415, "Unsupported Media Type", "expected multipart/form-data");
    };
    let parts = match multipart::read(content_type, body) {
        Ok(parts) => parts,
        Err(reason) => return problem(400, "Bad Request", &reason),
    };
    let part = |name: &str| parts.iter().find(|part| part.name == name);
    let Some(file) = part("file") else { return problem(400, "Bad Request", "the part file is missing") };
    let metadata =
        part("metadata").map_or(Ok(json!({})), |part| serde_json::from_slice::<Value>(&part.content));
    let Ok(Value::Object(mut metadata)) = metadata else {
        return problem(400, "Bad Request", "the part metadata is no JSON object");
    };
    metadata.entry("size").or_insert_with(|| json!(file.content.len()));
    metadata.entry("fileName").or_insert_with(|| json!(file.file_name));
    metadata.entry("contentType").or_insert_with(|| json!(file.content_type));
    let id = parameter(uri, "documentId").unwrap_or_else(|| state.next_id());
    if state.documents.contains_key(&id) {
        return problem(409, "ALREADY_EXISTS", &format!("Document with id {id} already exists"));
    }
    let document = Document { content: file.content.clone(), metadata: Value::Object(metadata) };
    (StatusCode::CREATED, axum::Json(state.store(id, document))).into_response()
}

fn download(state: &State, id: &str, uri: &Uri) -> Response {
    let id = percent_decode_str(id).decode_utf8_lossy().into_owned();
    if let Some(store) = parameter(uri, "storeId").filter(|store| store != STORE) {
        return problem(400, "INVALID_ARGUMENT", &format!("Document store with id '{store}' does not exist"));
    }
    let Some(Document { content, metadata }) = state.documents.get(&id) else {
        return problem(404, "NOT_FOUND", &format!("Document with id '{id}' not found"));
    };
    if parameter(uri, "contentHash").as_deref() != Some(hash(content).as_str()) {
        let detail = format!("Document hash for document {id} doesn't match the expected hash");
        return problem(400, "INVALID_ARGUMENT", &detail);
    }
    let kind = metadata["contentType"].as_str().unwrap_or("application/octet-stream").to_owned();
    ([(header::CONTENT_TYPE, kind)], content.clone()).into_response()
}
