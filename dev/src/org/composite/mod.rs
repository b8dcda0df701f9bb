//! The `composite` resources: several records or requests in one call.
//!
//! Source: REST API Developer Guide, "Composite Resources", and recorded replies.

mod collections;

use axum::response::Response;

use super::error::{ApiError, ApiResult};
use super::request::ApiRequest;
use super::server::Org;

/// Handles everything below `/composite`.
pub(crate) fn route(org: &Org, request: &ApiRequest) -> ApiResult<Response> {
    let path: Vec<String> = request.path[1..].iter().map(|part| part.to_ascii_lowercase()).collect();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path[..] {
        ["sobjects", ..] => collections::route(org, request, &request.path[2..]),
        _ => Err(ApiError::resource_not_found()),
    }
}
