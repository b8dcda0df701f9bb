//! `/services/apexrest`: classes that are REST resources.
//!
//! Source: Apex Developer Guide, "Exposing Apex Classes as REST Web Services".

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::apex::{Apex, Exception, transaction};
use super::apex_error;
use crate::org::error::{ApiError, ApiResult, JSON};
use crate::org::faults::Reply;
use crate::org::request::ApiRequest;
use crate::org::server::Org;

/// What a class does with a request.
pub(crate) type Code = Arc<dyn Fn(&mut Apex<'_>) -> Result<Reply, Exception> + Send + Sync>;

/// One method of a class, and where it listens.
#[derive(Clone)]
pub(crate) struct Resource {
    pub(crate) method: String,
    /// As in `urlMapping`: `/Orders/*`.
    pub(crate) mapping: String,
    pub(crate) code: Code,
}

impl std::fmt::Debug for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.mapping)
    }
}

impl Resource {
    fn listens_at(&self, path: &str) -> bool {
        match self.mapping.strip_suffix('*') {
            Some(root) => {
                path.strip_suffix('/').unwrap_or(path) == root.trim_end_matches('/') || path.starts_with(root)
            }
            None => path.trim_end_matches('/') == self.mapping.trim_end_matches('/'),
        }
    }
}

/// Handles everything below `/services/apexrest`.
pub(crate) fn route(org: &Org, request: &ApiRequest) -> ApiResult<Response> {
    let path = format!("/{}", request.path.join("/"));
    let here: Vec<&Resource> = org.automation.resources.iter().filter(|one| one.listens_at(&path)).collect();
    if here.is_empty() {
        return Err(ApiError::new(StatusCode::NOT_FOUND, "NOT_FOUND", "Could not find a match for URL"));
    }
    let method = request.method.as_str();
    let Some(resource) = here.iter().find(|one| one.method.eq_ignore_ascii_case(method)) else {
        let allowed: Vec<&str> = here.iter().map(|one| one.method.as_str()).collect();
        return Err(ApiError::method_not_allowed(method, &allowed.join(",")));
    };
    let body = serde_json::from_slice(&request.body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&request.body).into_owned()));
    let reply = transaction(&mut org.write(), |store| {
        let mut apex = Apex { method, path: &path, query: &request.query, body: &body, store };
        (resource.code)(&mut apex)
    });
    reply.map(answered).map_err(|exception| apex_error(&exception))
}

fn answered(reply: Reply) -> Response {
    let mut response = (reply.status, reply.body).into_response();
    *response.headers_mut() = reply.headers;
    response
        .headers_mut()
        .entry(axum::http::header::CONTENT_TYPE)
        .or_insert(axum::http::HeaderValue::from_static(JSON));
    response
}
