//! DevVault: HashiCorp Vault's HTTP API as far as a reader of secrets sees it, in memory.
//!
//! Key-value store version 2 (read), `auth/kubernetes/login`, `auth/token/renew-self`. Source: Vault's API
//! documentation, "KV secrets engine - version 2", "Kubernetes auth method", "Token auth method".

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A running Vault; it ends when it is dropped.
#[derive(Debug)]
pub struct DevVault {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    running: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    /// By `mount/path`; `None`: the newest version is deleted.
    secrets: BTreeMap<String, Option<Value>>,
    /// With whether they can be renewed.
    tokens: BTreeMap<String, bool>,
    /// The service account's token by role.
    roles: BTreeMap<String, String>,
    lease_seconds: u64,
    namespace: Option<String>,
    /// Answers everything, while it is set.
    broken: Option<(StatusCode, String)>,
    /// Answers wait while it is false.
    answering: watch::Sender<bool>,
    requests: Vec<String>,
    denied: BTreeSet<String>,
    issued: u64,
}

impl DevVault {
    /// On a free port of 127.0.0.1, empty.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State {
            secrets: BTreeMap::new(),
            tokens: BTreeMap::new(),
            roles: BTreeMap::new(),
            lease_seconds: 3600,
            namespace: None,
            broken: None,
            answering: watch::Sender::new(true),
            requests: Vec::new(),
            denied: BTreeSet::new(),
            issued: 0,
        }));
        let routes = Router::new().fallback(answer).with_state(Arc::clone(&state));
        let running = tokio::spawn(async move { drop(axum::serve(listener, routes).await) });
        Ok(Self { address, state, running })
    }

    /// Its address, such as `http://127.0.0.1:8200`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Writes a new version of the secret at `mount/path`.
    pub fn put(&self, path: &str, data: Value) {
        self.state().secrets.insert(path.to_owned(), Some(data));
    }

    /// Deletes the newest version of the secret at `mount/path`.
    pub fn delete(&self, path: &str) {
        self.state().secrets.insert(path.to_owned(), None);
    }

    /// Accepts this token from now on.
    pub fn add_token(&self, token: &str, renewable: bool) {
        self.state().tokens.insert(token.to_owned(), renewable);
    }

    /// Forgets all tokens, as after their leases.
    pub fn revoke_tokens(&self) {
        self.state().tokens.clear();
    }

    /// Lets the service account with this token log in as this role.
    pub fn add_role(&self, role: &str, jwt: &str) {
        self.state().roles.insert(role.to_owned(), jwt.to_owned());
    }

    /// How long tokens are good that are granted from now on.
    pub fn grant_for(&self, seconds: u64) {
        self.state().lease_seconds = seconds;
    }

    /// Serves this namespace only.
    pub fn serve_namespace(&self, namespace: &str) {
        self.state().namespace = Some(namespace.to_owned());
    }

    /// Refuses to read the secret at `mount/path`, whatever the token.
    pub fn deny(&self, path: &str) {
        self.state().denied.insert(path.to_owned());
    }

    /// Answers everything with this, or as usual again.
    pub fn break_with(&self, broken: Option<(u16, &str)>) {
        let broken = broken.map(|(status, body)| {
            (StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT), body.to_owned())
        });
        self.state().broken = broken;
    }

    /// Seals it: nothing is answered until it is unsealed.
    pub fn seal(&self) {
        self.break_with(Some((503, r#"{"errors":["Vault is sealed"]}"#)));
    }

    /// Holds all answers back, or lets them go.
    pub fn hold(&self, hold: bool) {
        self.state().answering.send_replace(!hold);
    }

    /// What was asked so far, such as `GET secret/data/app`.
    pub fn requests(&self) -> Vec<String> {
        self.state().requests.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for DevVault {
    fn drop(&mut self) {
        self.running.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(
    Shared(state): Shared<Arc<Mutex<State>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().trim_start_matches("/v1/").to_owned();
    let mut answering = {
        let mut state = lock(&state);
        state.requests.push(format!("{method} {path}"));
        state.answering.subscribe()
    };
    if answering.wait_for(|answering| *answering).await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let (status, body) = lock(&state).answer(&method, &path, &headers, &body);
    (status, [("content-type", "application/json")], body).into_response()
}

type Answer = (StatusCode, String);

fn errors(status: StatusCode, texts: &[&str]) -> Answer {
    (status, json!({"errors": texts}).to_string())
}

impl State {
    fn answer(&mut self, method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Answer {
        if let Some(broken) = &self.broken {
            return broken.clone();
        }
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if self.namespace.as_deref() != header("x-vault-namespace") {
            return errors(StatusCode::FORBIDDEN, &["permission denied"]);
        }
        let token = header("x-vault-token").unwrap_or_default();
        match (method, path.split('/').collect::<Vec<_>>().as_slice()) {
            (&Method::POST, ["auth", "token", "renew-self"]) => self.renew(token),
            (&Method::POST, ["auth", "kubernetes", "login"]) => self.log_in(body),
            (&Method::GET, [mount, "data", ..]) => {
                let secret = path.replacen(&format!("{mount}/data/"), &format!("{mount}/"), 1);
                self.read(&secret, token)
            }
            _ => errors(
                StatusCode::NOT_FOUND,
                &[&format!("no handler for route {path:?}. route entry not found.")],
            ),
        }
    }

    fn renew(&self, token: &str) -> Answer {
        match self.tokens.get(token) {
            Some(true) => self.granted(token),
            Some(false) => errors(StatusCode::BAD_REQUEST, &["lease is not renewable"]),
            None => errors(StatusCode::FORBIDDEN, &["permission denied"]),
        }
    }

    fn log_in(&mut self, body: &[u8]) -> Answer {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let (role, jwt) =
            (body["role"].as_str().unwrap_or_default(), body["jwt"].as_str().unwrap_or_default());
        match self.roles.get(role) {
            None => errors(StatusCode::BAD_REQUEST, &[&format!("invalid role name {role:?}")]),
            // The real one does not repeat the token; a proxy in front of it might.
            Some(expected) if expected != jwt => errors(StatusCode::FORBIDDEN, &["permission denied", jwt]),
            Some(_) => {
                self.issued += 1;
                let token = format!("hvs.issued-{}", self.issued);
                self.tokens.insert(token.clone(), true);
                self.granted(&token)
            }
        }
    }

    fn granted(&self, token: &str) -> Answer {
        let auth = json!({"client_token": token, "lease_duration": self.lease_seconds, "renewable": true});
        (StatusCode::OK, json!({"request_id": "r", "data": null, "auth": auth}).to_string())
    }

    fn read(&self, secret: &str, token: &str) -> Answer {
        if !self.tokens.contains_key(token) || self.denied.contains(secret) {
            return errors(StatusCode::FORBIDDEN, &["1 error occurred:\n\t* permission denied\n\n"]);
        }
        match self.secrets.get(secret) {
            None => errors(StatusCode::NOT_FOUND, &[]),
            Some(None) => {
                let metadata =
                    json!({"deletion_time": "2026-01-01T00:00:00Z", "destroyed": false, "version": 2});
                (StatusCode::NOT_FOUND, json!({"data": {"data": null, "metadata": metadata}}).to_string())
            }
            Some(Some(data)) => {
                let metadata = json!({"deletion_time": "", "destroyed": false, "version": 1});
                (
                    StatusCode::OK,
                    json!({"data": {"data": data, "metadata": metadata}, "auth": null}).to_string(),
                )
            }
        }
    }
}
