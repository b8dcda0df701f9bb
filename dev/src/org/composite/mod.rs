//! The `composite` resources: several records or requests in one call.
//!
//! Source: REST API Developer Guide, "Composite Resources", and recorded replies.

mod batch;
mod collections;
mod graph;
mod in_order;
mod references;
mod sub_request;
mod tree;

use axum::response::Response;
use serde_json::{Map, Value};

use super::error::{ApiError, ApiResult};
use super::request::ApiRequest;
use super::server::Org;

/// Handles `/composite` and everything below.
pub(crate) fn route(org: &Org, request: &ApiRequest) -> ApiResult<Response> {
    let path: Vec<String> = request.path[1..].iter().map(|part| part.to_ascii_lowercase()).collect();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match (request.method.as_str(), &path[..]) {
        (_, ["sobjects", ..]) => collections::route(org, request, &request.path[2..]),
        ("POST", []) => in_order::route(org, request),
        ("POST", ["batch"]) => batch::route(org, request),
        ("POST", ["graph"]) => graph::route(org, request),
        ("POST", ["tree", object]) => tree::route(org, request, object),
        (method, [] | ["batch" | "graph"] | ["tree", _]) => Err(ApiError::method_not_allowed(method, "POST")),
        _ => Err(ApiError::resource_not_found()),
    }
}

/// Whether nothing else may happen meanwhile, because what it does may have to be taken back.
pub(crate) fn is_transaction(request: &ApiRequest) -> bool {
    let is = |part: &String, name: &str| part.eq_ignore_ascii_case(name);
    match &request.path[..] {
        [first] => is(first, "composite"),
        [first, second] => is(first, "composite") && is(second, "graph"),
        _ => false,
    }
}

/// A text that must be there.
fn text<'a>(value: &'a Value, name: &str) -> ApiResult<&'a str> {
    let missing = || ApiError::bad_request("JSON_PARSER_ERROR", format!("The member {name} is missing"));
    value[name].as_str().filter(|text| !text.is_empty()).ok_or_else(missing)
}

/// A list of at least one and at most so many.
fn list<'a>(body: &'a Map<String, Value>, name: &str, most: usize) -> ApiResult<&'a [Value]> {
    let items = body.get(name).and_then(Value::as_array).filter(|items| !items.is_empty());
    let missing =
        || ApiError::bad_request("JSON_PARSER_ERROR", format!("The list {name} is missing or empty"));
    let items = items.ok_or_else(missing)?;
    if items.len() > most {
        let message = format!("{name}: {} were given, and {most} are allowed", items.len());
        return Err(ApiError::bad_request("LIMIT_EXCEEDED", message));
    }
    Ok(items)
}

fn flag(body: &Map<String, Value>, name: &str) -> bool {
    body.get(name) == Some(&Value::Bool(true))
}
