//! sObject tree: records with the records below them, all of them or nothing.

use std::collections::{HashMap, HashSet};

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::org::error::{ApiError, ApiResult, json_response};
use crate::org::request::ApiRequest;
use crate::org::rest;
use crate::org::server::Org;
use crate::org::store::Store;
use crate::org::validate::Purpose;

const MOST_RECORDS: usize = 200;
const MOST_LEVELS: usize = 5;
const MOST_TYPES: usize = 5;

/// One record of the tree: its fields without those below it.
struct Node {
    reference: String,
    object: usize,
    fields: Map<String, Value>,
    /// The record above, and the field that points there.
    parent: Option<(String, usize)>,
    level: usize,
}

/// Handles `POST /composite/tree/<object>`.
pub(super) fn route(org: &Org, request: &ApiRequest, object: &str) -> ApiResult<Response> {
    let (_, body) = request.json()?;
    let mut store = org.write();
    let object = store.schema.index_of(object).ok_or_else(ApiError::resource_not_found)?;
    let nodes = match flatten(&store, object, &body) {
        Ok(nodes) => nodes,
        Err((reference, error)) => return Ok(refused(&reference, error)),
    };
    let before = store.tables.clone();
    let mut ids: HashMap<&str, String> = HashMap::new();
    for node in &nodes {
        let mut fields = node.fields.clone();
        if let Some((parent, field)) = &node.parent {
            let name = store.object(node.object).fields[*field].name.clone();
            fields.insert(name, Value::from(ids.get(parent.as_str()).cloned()));
        }
        match store.create(node.object, &fields, rest::save(request, "", Purpose::Create)) {
            Ok(id) => ids.insert(&node.reference, id),
            Err(error) => {
                store.tables = before;
                return Ok(refused(&node.reference, error));
            }
        };
    }
    let results =
        nodes.iter().map(|node| json!({ "referenceId": node.reference, "id": ids[node.reference.as_str()] }));
    let body = json!({ "hasErrors": false, "results": results.collect::<Vec<_>>() });
    Ok(json_response(StatusCode::CREATED, &body))
}

fn refused(reference: &str, error: ApiError) -> Response {
    let errors = error.save_result()["errors"].take();
    let body = json!({ "hasErrors": true, "results": [{ "referenceId": reference, "errors": errors }] });
    json_response(StatusCode::BAD_REQUEST, &body)
}

type Refusal = (String, ApiError);

/// The tree level by level, so that a record comes after the one above it.
fn flatten(store: &Store, object: usize, body: &Map<String, Value>) -> Result<Vec<Node>, Refusal> {
    let invalid = |reference: &str, message: String| {
        (reference.to_owned(), ApiError::bad_request("INVALID_INPUT", message))
    };
    let mut nodes: Vec<Node> = Vec::new();
    let mut level = read_level(store, body.get("records"), object, None)?;
    while !level.is_empty() {
        let mut next = Vec::new();
        for node in &mut level {
            let names: Vec<String> = node.fields.keys().cloned().collect();
            for name in names {
                let Some(child) = store.schema.child_relationship(node.object, &name) else { continue };
                let below = node.fields.remove(&name).unwrap_or_default();
                let parent = (node.reference.clone(), child.field, node.level + 1);
                next.extend(read_level(store, below.get("records"), child.object, Some(&parent))?);
            }
        }
        nodes.append(&mut level);
        level = next;
    }
    let (mut seen, mut types) = (HashSet::new(), HashSet::new());
    for node in &nodes {
        types.insert(node.object);
        if !seen.insert(node.reference.as_str()) {
            return Err(invalid(
                &node.reference,
                format!("Duplicate ReferenceId provided in the request: {}", node.reference),
            ));
        }
        if node.level > MOST_LEVELS {
            return Err(invalid(&node.reference, format!("The tree has more than {MOST_LEVELS} levels")));
        }
    }
    match (nodes.len(), types.len()) {
        (0, _) => Err(invalid("", "Include at least one record in the request".to_owned())),
        (MOST_RECORDS.., _) if nodes.len() > MOST_RECORDS => {
            Err(invalid("", format!("Include up to {MOST_RECORDS} records in the request")))
        }
        (_, types) if types > MOST_TYPES => {
            Err(invalid("", format!("Include up to {MOST_TYPES} types of records in the request")))
        }
        _ => Ok(nodes),
    }
}

fn read_level(
    store: &Store,
    records: Option<&Value>,
    object: usize,
    parent: Option<&(String, usize, usize)>,
) -> Result<Vec<Node>, Refusal> {
    let records = records.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let read = records.iter().map(|record| {
        let reference = record["attributes"]["referenceId"].as_str().unwrap_or_default().to_owned();
        let invalid = |message: &str| (reference.clone(), ApiError::bad_request("INVALID_INPUT", message));
        if reference.is_empty() {
            return Err(invalid("Include a reference ID for each record in the request"));
        }
        let named = record["attributes"]["type"].as_str().and_then(|name| store.schema.index_of(name));
        if named != Some(object) {
            return Err(invalid("The type of the record does not fit its place in the tree"));
        }
        let mut fields = record.as_object().cloned().unwrap_or_default();
        fields.remove("attributes");
        let level = parent.map_or(1, |(.., level)| *level);
        let parent = parent.map(|(parent, field, _)| (parent.clone(), *field));
        Ok(Node { reference, object, fields, parent, level })
    });
    read.collect()
}
