//! One request inside another: carried out as if it had come by itself.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::FutureExt;
use serde_json::{Map, Value};

use super::text;
use crate::org::dispatch;
use crate::org::error::{ApiError, ApiResult};
use crate::org::request::{self, ApiRequest};
use crate::org::server::Org;

/// Those of the call around them hold; a sub-request may not have its own.
const INHERITED: &[&str] = &["accept", "authorization", "content-type"];

/// What a sub-request was answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: Map<String, Value>,
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn has_failed(&self) -> bool {
        let refused = |item: &Value| item["success"] == false;
        self.status.as_u16() >= 400 || self.body.as_array().is_some_and(|items| items.iter().any(refused))
    }

    /// One that was not carried out.
    pub(super) fn halted(status: StatusCode, code: &str, message: &str) -> Self {
        Self::of(ApiError::new(status, code, message).into_response())
    }

    /// Replies of this server are whole when they are made.
    fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).now_or_never().and_then(Result::ok);
        let location = parts.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
        let headers = location.map(|location| ("Location".to_owned(), Value::from(location)));
        let body = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or(Value::Null);
        Self { status: parts.status, headers: headers.into_iter().collect(), body }
    }
}

/// A resource: its version, its path below that, decoded, and its query.
struct Resource<'a> {
    version: u32,
    path: Vec<String>,
    query: &'a str,
}

/// Reads `v67.0/sobjects/Account?fields=Id`.
fn resource(below_data: &str) -> ApiResult<Resource<'_>> {
    let (path, query) = below_data.split_once('?').unwrap_or((below_data, ""));
    let mut parts = path.split('/').filter(|part| !part.is_empty()).map(request::decode);
    let version = parts.next().and_then(|part| request::version(&part));
    let version = version.ok_or_else(ApiError::resource_not_found)?;
    Ok(Resource { version, path: parts.collect(), query })
}

/// Whether it counts against the bound of queries and lists of records.
pub(super) fn is_query(below_data: &str) -> bool {
    let Ok(resource) = resource(below_data) else { return false };
    let first = resource.path.first().map(|part| part.to_ascii_lowercase());
    first.is_some_and(|first| matches!(first.as_str(), "query" | "queryall" | "composite"))
}

/// The methods in capitals, and no headers that are those of the call around: all else refuses the whole call.
pub(super) fn check(sub: &Value) -> ApiResult<()> {
    let method = text(sub, "method")?;
    text(sub, "url")?;
    if !["GET", "POST", "PATCH", "PUT", "DELETE"].contains(&method) {
        return Err(ApiError::bad_request("JSON_PARSER_ERROR", format!("Invalid method: {method}")));
    }
    let headers = sub["httpHeaders"].as_object();
    let inherited = headers
        .into_iter()
        .flatten()
        .find(|(name, _)| INHERITED.iter().any(|inherited| name.eq_ignore_ascii_case(inherited)));
    if let Some((name, _)) = inherited {
        let message = format!("The header {name} is not allowed in a subrequest");
        return Err(ApiError::bad_request("INVALID_INPUT", message));
    }
    Ok(())
}

/// Carries one out; what goes several ways at once may not be nested.
pub(super) fn carry_out(org: &Org, sub: &Value, below_data: &str, body: Option<&Value>) -> Answer {
    let answer = || {
        let Resource { version, path, query } = resource(below_data)?;
        let second = path.get(1).map(|part| part.to_ascii_lowercase());
        let is_composite = path.first().is_some_and(|part| part.eq_ignore_ascii_case("composite"));
        if is_composite && second.as_deref() != Some("sobjects") {
            let message = "Composite, batch, tree and graph requests cannot be part of another one";
            return Err(ApiError::bad_request("INVALID_INPUT", message));
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in sub["httpHeaders"].as_object().into_iter().flatten() {
            let (name, value) = (name.parse::<HeaderName>(), value.as_str().unwrap_or_default().parse());
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.insert(name, value);
            }
        }
        let method = Method::from_bytes(text(sub, "method")?.as_bytes());
        let method = method.map_err(|_| ApiError::bad_request("INVALID_INPUT", "Invalid method"))?;
        let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let query = request::form(query);
        dispatch::route(org, &ApiRequest { method, version, path, query, headers, body }, 0)
    };
    Answer::of(answer().unwrap_or_else(IntoResponse::into_response))
}
