//! Jobs over HTTP, for a gateway that runs by itself: from outside, nobody can call `create_job`.
//!
//! | Request | Answer |
//! |---|---|
//! | `POST /jobs` with `{"type": …, "variables": {…}, "headers": {…}, …}` | 201 and `{"key": …}` |
//! | `GET /jobs/{key}` | the job as it stands, 404 if there is none |
//! | `GET /jobs/{key}/finished` | the same, as soon as the job is in a terminal state |
//! | `GET /account` | the counts |

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::account::Account;
use super::hub::Hub;
use super::job::{JobRecord, NewJob};

/// The HTTP side of a gateway, without authentication. Dropping it stops it.
#[derive(Debug)]
pub struct JobsApi {
    address: SocketAddr,
    _stop: DropGuard,
}

impl JobsApi {
    pub(super) async fn start(hub: Arc<Hub>, listen: SocketAddr) -> io::Result<Self> {
        let socket = TcpListener::bind(listen).await?;
        let address = socket.local_addr()?;
        let router = Router::new()
            .route("/jobs", post(create))
            .route("/jobs/{key}", get(show))
            .route("/jobs/{key}/finished", get(show_finished))
            .route("/account", get(account))
            .with_state(hub);
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                _ = axum::serve(socket, router).into_future() => {}
            }
        });
        Ok(Self { address, _stop: stop.drop_guard() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A job as somebody outside asks for it; what is left out is as in [`NewJob::new`].
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wish {
    r#type: String,
    #[serde(default)]
    variables: Map<String, Value>,
    #[serde(default)]
    headers: Map<String, Value>,
    retries: Option<i32>,
    element_id: Option<String>,
    bpmn_process_id: Option<String>,
    tenant_id: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    priority: i32,
    #[serde(default)]
    business_id: String,
}

impl From<Wish> for NewJob {
    fn from(wish: Wish) -> Self {
        let default = Self::new(wish.r#type);
        Self {
            variables: wish.variables,
            headers: wish.headers,
            retries: wish.retries.unwrap_or(default.retries),
            element_id: wish.element_id.unwrap_or(default.element_id),
            bpmn_process_id: wish.bpmn_process_id.unwrap_or(default.bpmn_process_id),
            tenant: wish.tenant_id.unwrap_or(default.tenant),
            tags: wish.tags,
            priority: wish.priority,
            business_id: wish.business_id,
            ..default
        }
    }
}

type Answer = (StatusCode, Json<Value>);

async fn create(State(hub): State<Arc<Hub>>, wish: Result<Json<Wish>, JsonRejection>) -> Answer {
    match wish {
        Ok(Json(wish)) => {
            let key = hub.apply(|inner, now| inner.broker.create(wish.into(), now));
            (StatusCode::CREATED, Json(json!({ "key": key })))
        }
        Err(rejection) => (rejection.status(), Json(json!({ "error": rejection.body_text() }))),
    }
}

async fn show(State(hub): State<Arc<Hub>>, Path(key): Path<i64>) -> Answer {
    hub.record(key).map_or_else(|| no_such_job(key), |record| found(&record))
}

async fn show_finished(State(hub): State<Arc<Hub>>, Path(key): Path<i64>) -> Answer {
    let finished = hub.record_when(key, |record| record.state.is_terminal()).await;
    finished.map_or_else(|| no_such_job(key), |record| found(&record))
}

async fn account(State(hub): State<Arc<Hub>>) -> Json<Account> {
    Json(hub.read(|broker| broker.account))
}

fn no_such_job(key: i64) -> Answer {
    (StatusCode::NOT_FOUND, Json(json!({ "error": format!("there is no job with key {key}") })))
}

fn found(record: &JobRecord) -> Answer {
    let body = json!({
        "key": record.key,
        "type": record.job_type,
        "state": format!("{:?}", record.state),
        "retries": record.retries,
        "activations": record.activations(),
        "worker": record.worker,
        "variables": record.variables,
        "localVariables": record.local_variables,
        "result": record.result,
        "errorMessage": record.error_message,
        "errorCode": record.error_code,
    });
    (StatusCode::OK, Json(body))
}
