//! `/composite/graph`: each graph by itself, all of it or nothing.

use std::collections::HashSet;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::{in_order, list, text};
use crate::org::error::{ApiError, ApiResult, json_response};
use crate::org::request::ApiRequest;
use crate::org::server::Org;

const MOST_NODES: usize = 500;
const MOST_GRAPHS: usize = 75;
const FIRST_VERSION: u32 = 50;

/// Handles `POST /composite/graph`.
pub(super) fn route(org: &Org, request: &ApiRequest) -> ApiResult<Response> {
    if request.version < FIRST_VERSION {
        return Err(ApiError::resource_not_found());
    }
    let (_, body) = request.json()?;
    let graphs = list(&body, "graphs", MOST_GRAPHS)?;
    let (mut ids, mut read) = (HashSet::new(), Vec::new());
    for graph in graphs {
        let id = text(graph, "graphId")?;
        if !ids.insert(id) {
            return Err(ApiError::bad_request("INVALID_INPUT", format!("Duplicate graphId: {id}")));
        }
        let nodes = graph.as_object().map(|graph| list(graph, "compositeRequest", MOST_NODES));
        let nodes = nodes.unwrap_or(Ok(&[]))?;
        in_order::check(nodes)?;
        nodes.iter().try_for_each(check_node)?;
        read.push((id, nodes));
    }
    let total: usize = read.iter().map(|(_, nodes)| nodes.len()).sum();
    if total > MOST_NODES {
        let message = format!("{total} nodes were given, and {MOST_NODES} are allowed");
        return Err(ApiError::bad_request("LIMIT_EXCEEDED", message));
    }
    let answers = read.into_iter().map(|(id, nodes)| {
        let outcome = in_order::carry_out(org, nodes, true);
        json!({ "graphId": id, "graphResponse": { "compositeResponse": outcome.answers },
            "isSuccessful": outcome.is_successful })
    });
    Ok(json_response(StatusCode::OK, &json!({ "graphs": answers.collect::<Vec<_>>() })))
}

/// A node is a record: created at its object, else addressed by its id or an external id.
fn check_node(node: &Value) -> ApiResult<()> {
    let path = node["url"].as_str().unwrap_or_default().split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).skip(3).collect();
    let is_good = match (&parts[..], node["method"].as_str().unwrap_or_default()) {
        (["sobjects", _], method) => method == "POST",
        (["sobjects", _, _] | ["sobjects", _, _, _], method) => matches!(method, "DELETE" | "GET" | "PATCH"),
        _ => false,
    };
    if is_good {
        return Ok(());
    }
    Err(ApiError::bad_request("INVALID_INPUT", format!("Not supported in a composite graph: {path}")))
}
