//! The admin port: `/live`, `/ready` and `/metrics`.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT, CONTENT_TYPE},
    },
    response::IntoResponse,
    routing::get,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{metrics::Metrics, zeebe::WorkerStatus};

/// The admin port, bound but not yet served.
#[derive(Debug)]
pub struct Admin {
    listener: TcpListener,
    address: SocketAddr,
}

#[derive(Clone)]
struct Shown {
    metrics: Arc<Metrics>,
    status: WorkerStatus,
}

impl Admin {
    /// Binds the port; port 0 takes a free one.
    pub async fn bind(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until told to stop.
    pub async fn serve(self, metrics: Arc<Metrics>, status: WorkerStatus, stop: CancellationToken) {
        let routes = Router::new()
            .route("/live", get(live))
            .route("/ready", get(ready))
            .route("/metrics", get(metrics_page))
            .with_state(Shown { metrics, status });
        let served = axum::serve(self.listener, routes).with_graceful_shutdown(stop.cancelled_owned()).await;
        if let Err(error) = served {
            tracing::error!(%error, "the admin port is no longer served");
        }
    }
}

async fn live() -> &'static str {
    "live\n"
}

async fn ready(State(shown): State<Shown>) -> impl IntoResponse {
    if shown.status.is_ready() {
        return (StatusCode::OK, "ready\n");
    }
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "not ready: the gateway has not answered yet, no job stream is open, or a stop was asked for\n",
    )
}

async fn metrics_page(State(shown): State<Shown>, headers: HeaderMap) -> impl IntoResponse {
    let accepted = headers.get(ACCEPT).and_then(|accepted| accepted.to_str().ok()).unwrap_or_default();
    if accepted.contains("application/openmetrics-text") {
        let openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        return ([(CONTENT_TYPE, openmetrics)], shown.metrics.encode());
    }
    let plain = "text/plain; version=0.0.4; charset=utf-8";
    ([(CONTENT_TYPE, plain)], shown.metrics.encode_plain())
}
