//! The admin port: a page for people at `/`, the same as JSON at `/api/status`, and `/live`, `/ready` and `/metrics`.

mod page;
mod status;

use std::net::SocketAddr;

use axum::{
    Json, Router,
    extract::State,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{
            ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::map_response,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use status::Sources;

/// No scripts, no forms, no frames; styles from here, and the empty icon.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// The admin port, bound but not yet served.
#[derive(Debug)]
pub struct Admin {
    listener: TcpListener,
    address: SocketAddr,
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
    pub async fn serve(self, sources: Sources, stop: CancellationToken) {
        let routes = Router::new()
            .route("/", get(page))
            .route("/style.css", get(style))
            .route("/api/status", get(api_status))
            .route("/live", get(live))
            .route("/ready", get(ready))
            .route("/metrics", get(metrics_page))
            .fallback(unknown)
            .with_state(sources)
            .layer(map_response(guarded));
        let served = axum::serve(self.listener, routes).with_graceful_shutdown(stop.cancelled_owned()).await;
        if let Err(error) = served {
            tracing::error!(%error, "the admin port is no longer served");
        }
    }
}

/// What every answer says to a browser: keep nothing, load nothing from elsewhere, run nothing.
async fn guarded(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    answer
}

async fn page(State(sources): State<Sources>) -> Html<String> {
    Html(page::render(&sources.status()))
}

async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], page::STYLE)
}

async fn api_status(State(sources): State<Sources>) -> impl IntoResponse {
    Json(sources.status())
}

async fn unknown() -> impl IntoResponse {
    (StatusCode::NOT_FOUND, "not found; here are /, /api/status, /metrics, /ready and /live\n")
}

async fn live() -> &'static str {
    "live\n"
}

async fn ready(State(sources): State<Sources>) -> impl IntoResponse {
    if sources.worker.is_ready() {
        return (StatusCode::OK, "ready\n");
    }
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "not ready: the gateway has not answered yet, no job stream is open, or a stop was asked for\n",
    )
}

async fn metrics_page(State(sources): State<Sources>, headers: HeaderMap) -> impl IntoResponse {
    let accepted = headers.get(ACCEPT).and_then(|accepted| accepted.to_str().ok()).unwrap_or_default();
    if accepted.contains("application/openmetrics-text") {
        let openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        return ([(CONTENT_TYPE, openmetrics)], sources.metrics.encode());
    }
    let plain = "text/plain; version=0.0.4; charset=utf-8";
    ([(CONTENT_TYPE, plain)], sources.metrics.encode_plain())
}
