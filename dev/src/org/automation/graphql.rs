//! `/graphql`: records by the schema of the UI API, read and changed.
//!
//! Source: GraphQL API Developer Guide. Of queries the org knows `first`, `where` with one level of fields, and `orderBy`; of
//! mutations create, update and delete. An error comes with status 200 and an `ErrorType`.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::graphql_document::{Field, Operation, parse};
use crate::org::error::{ApiError, ApiResult, json_response};
use crate::org::request::ApiRequest;
use crate::org::rest;
use crate::org::server::Org;
use crate::org::soql::{self, QueryResult, Run};
use crate::org::store::Store;
use crate::org::validate::{Purpose, Save};

/// From this version on mutations are there.
const FIRST_WITH_MUTATIONS: u32 = 66;

/// What went wrong: its `ErrorType`, and a text.
type Fault = (&'static str, String);

fn invalid(message: impl Into<String>) -> Fault {
    ("ValidationError", message.into())
}

/// Handles `POST /graphql`.
pub(crate) fn route(org: &Org, request: &ApiRequest) -> ApiResult<Response> {
    if request.method != Method::POST {
        return Err(ApiError::method_not_allowed(request.method.as_str(), "POST"));
    }
    let (_, body) = request.json()?;
    let (data, errors) = match meant(&body, request) {
        Ok(operation) => carried_out(org, request, &operation),
        Err(fault) => (Value::Null, vec![told(&fault, &[])]),
    };
    Ok(json_response(StatusCode::OK, &json!({ "data": data, "errors": errors })))
}

fn told((kind, message): &Fault, path: &[&str]) -> Value {
    json!({ "message": message, "locations": [], "paths": path, "extensions": { "ErrorType": kind } })
}

fn meant(body: &Map<String, Value>, request: &ApiRequest) -> Result<Operation, Fault> {
    let text = body.get("query").and_then(Value::as_str).unwrap_or_default();
    let none = Map::new();
    let variables = body.get("variables").and_then(Value::as_object).unwrap_or(&none);
    let operations = parse(text, variables).map_err(|error| ("InvalidSyntax", error))?;
    let name = body.get("operationName").and_then(Value::as_str);
    let is_alone = operations.len() == 1;
    let operation = operations.into_iter().find(|one| match name {
        Some(name) => one.name.as_deref() == Some(name),
        None => is_alone,
    });
    let operation = operation.ok_or_else(|| ("OperationNotSupported", "Unknown operation".to_owned()))?;
    if operation.is_mutation && request.version < FIRST_WITH_MUTATIONS {
        return Err(("OperationNotSupported", "Schema is not configured for mutations.".to_owned()));
    }
    Ok(operation)
}

fn carried_out(org: &Org, request: &ApiRequest, operation: &Operation) -> (Value, Vec<Value>) {
    let (mut data, mut errors) = (Map::new(), Vec::new());
    for root in &operation.selection {
        let result = match (root.name.as_str(), operation.is_mutation) {
            ("uiapi", false) => Ok(read(org, request, root, &mut errors)),
            ("uiapi", true) => Ok(changed(org, request, root, &mut errors)),
            (other, _) => Err(invalid(format!("Field '{other}' in type 'Query' is undefined"))),
        };
        match result {
            Ok(value) => drop(data.insert(root.alias.clone(), value)),
            Err(fault) => errors.push(told(&fault, &[&root.alias])),
        }
    }
    (data.into(), errors)
}

fn read(org: &Org, request: &ApiRequest, root: &Field, errors: &mut Vec<Value>) -> Value {
    let mut answer = Map::new();
    for query in &root.selection {
        let mut objects = Map::new();
        for field in &query.selection {
            let result = if query.name == "query" {
                connection(&org.read(), request.version, field)
            } else {
                Err(invalid(format!("Field '{}' in type 'UIAPI' is undefined", query.name)))
            };
            let value = result.unwrap_or_else(|fault| {
                errors.push(told(&fault, &["uiapi", &query.alias, &field.alias]));
                Value::Null
            });
            objects.insert(field.alias.clone(), value);
        }
        answer.insert(query.alias.clone(), objects.into());
    }
    answer.into()
}

/// The records of an object, as a connection of edges.
fn connection(store: &Store, version: u32, field: &Field) -> Result<Value, Fault> {
    let object = store.schema.index_of(&field.name);
    let object = object
        .ok_or_else(|| invalid(format!("Field '{}' in type 'RecordQuery' is undefined", field.name)))?;
    let nodes = nodes_of(field);
    for node in &nodes {
        if node.name != "ApiName" && store.object(object).field(&node.name).is_none() {
            let message =
                format!("Validation error: Field '{}' in type '{}' is undefined", node.name, field.name);
            return Err(invalid(message));
        }
    }
    let first = field.arguments.get("first").map_or(Some(10), Value::as_u64);
    let first =
        first.filter(|first| (1..=2000).contains(first)).ok_or_else(|| invalid("first is from 1 to 2000"))?;
    let text = soql_text(field)?;
    let run = Run { version, now: Timestamp::now(), deleted: false };
    let found = soql::run(store, &text, run).map_err(|error| invalid(error.summary()))?;
    let QueryResult::Records(records) = found else { return Err(invalid("no records")) };
    let total = records.len();
    let shown: Vec<Value> = records
        .iter()
        .take(usize::try_from(first).unwrap_or(usize::MAX))
        .filter_map(|record| row_of(store, object, record))
        .map(|record| json!({ "node": node(&record, &field.name, &nodes) }))
        .collect();
    let mut answer = Map::new();
    for part in &field.selection {
        let value = match part.name.as_str() {
            "edges" => Value::Array(shown.clone()),
            "totalCount" => total.into(),
            "pageInfo" => json!({ "hasNextPage": total > shown.len(), "hasPreviousPage": false }),
            other => {
                return Err(invalid(format!(
                    "Field '{other}' in type '{}Connection' is undefined",
                    field.name
                )));
            }
        };
        answer.insert(part.alias.clone(), value);
    }
    Ok(answer.into())
}

fn nodes_of(field: &Field) -> Vec<Field> {
    let edges = field.selection.iter().filter(|part| part.name == "edges").flat_map(|edges| &edges.selection);
    edges.filter(|part| part.name == "node").flat_map(|node| node.selection.clone()).collect()
}

fn row_of(store: &Store, object: usize, record: &Value) -> Option<Value> {
    let row = store.live_row(object, record["Id"].as_str()?).ok()?;
    Some(rest::all_fields(store.object(object), &store.tables[object].records[row]))
}

/// The fields that are asked for: ids are plain, all others objects with a value.
fn node(record: &Value, object: &str, fields: &[Field]) -> Value {
    let fields = fields.iter().map(|field| {
        let value = match field.name.as_str() {
            "Id" => record["Id"].clone(),
            "ApiName" => object.into(),
            name => {
                let own =
                    record.as_object().into_iter().flatten().find(|(own, _)| own.eq_ignore_ascii_case(name));
                let value = own.map(|(_, value)| value.clone()).unwrap_or_default();
                let parts = field.selection.iter().map(|part| {
                    let part_value = if part.name == "value" { value.clone() } else { Value::Null };
                    (part.alias.clone(), part_value)
                });
                Value::Object(parts.collect())
            }
        };
        (field.alias.clone(), value)
    });
    Value::Object(fields.collect())
}

fn soql_text(field: &Field) -> Result<String, Fault> {
    let mut text = format!("SELECT Id FROM {}", field.name);
    let list = |name: &str| field.arguments.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    let conditions: Vec<String> = list("where")
        .iter()
        .flat_map(|(name, tests)| tests.as_object().into_iter().flatten().map(move |test| (name, test)))
        .map(|(name, (operator, value))| condition(name, operator, value))
        .collect::<Result<_, _>>()?;
    if !conditions.is_empty() {
        text = format!("{text} WHERE {}", conditions.join(" AND "));
    }
    let orders: Vec<String> = list("orderBy")
        .iter()
        .map(|(name, how)| format!("{name} {}", if how["order"] == "DESC" { "DESC" } else { "ASC" }))
        .collect();
    if !orders.is_empty() {
        text = format!("{text} ORDER BY {}", orders.join(", "));
    }
    Ok(text)
}

fn condition(name: &str, operator: &str, value: &Value) -> Result<String, Fault> {
    let sign = match operator {
        "eq" => "=",
        "ne" => "!=",
        "lt" => "<",
        "lte" => "<=",
        "gt" => ">",
        "gte" => ">=",
        "like" => "LIKE",
        "in" => "IN",
        other => return Err(invalid(format!("The operator {other} is not known"))),
    };
    Ok(format!("{name} {sign} {}", literal(value)))
}

fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => {
            format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
        }
        Value::Array(items) => format!("({})", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// Each change in turn; with `allOrNone`, which is the default, one that fails undoes the others.
fn changed(org: &Org, request: &ApiRequest, root: &Field, errors: &mut Vec<Value>) -> Value {
    let all_or_none = root.arguments.get("input").is_none_or(|input| input["allOrNone"] != false);
    let mut store = org.write();
    let before = store.tables.clone();
    let mut answer = Map::new();
    for field in &root.selection {
        let value = change(&mut store, request, field).unwrap_or_else(|fault| {
            errors.push(told(&fault, &["uiapi", &field.alias]));
            Value::Null
        });
        answer.insert(field.alias.clone(), value);
    }
    if all_or_none && !errors.is_empty() {
        store.tables = before;
        answer.values_mut().for_each(|value| *value = Value::Null);
    }
    answer.into()
}

fn change(store: &mut Store, request: &ApiRequest, field: &Field) -> Result<Value, Fault> {
    let split = ["Create", "Update", "Delete"]
        .into_iter()
        .find_map(|verb| Some((field.name.strip_suffix(verb)?, verb)));
    let unknown = || invalid(format!("Field '{}' in type 'UIAPIMutations' is undefined", field.name));
    let (name, verb) = split.ok_or_else(unknown)?;
    let object = store.schema.index_of(name).ok_or_else(unknown)?;
    let input = field.arguments.get("input").cloned().unwrap_or_default();
    let fields = input[name].as_object().cloned().unwrap_or_default();
    let id = input["Id"].as_str().unwrap_or_default().to_owned();
    let failed = |error: ApiError| ("DataFetchingException", error.summary());
    let id = match verb {
        "Create" => {
            store.create(object, &fields, rest::save(request, "", Purpose::Create)).map_err(failed)?
        }
        "Update" => {
            let row = store.live_row(object, &id).map_err(failed)?;
            let save: Save<'_> = rest::save(request, "", Purpose::Update);
            store.update(object, row, &fields, save).map_err(failed)?;
            id
        }
        _ => {
            let row = store.live_row(object, &id).map_err(failed)?;
            store.delete(object, row).map_err(failed)?;
            return Ok(json!({ "Id": id }));
        }
    };
    let record = row_of(store, object, &json!({ "Id": id })).unwrap_or_default();
    let parts = field.selection.iter().map(|part| match part.name.as_str() {
        "Record" => (part.alias.clone(), node(&record, name, &part.selection)),
        "success" => (part.alias.clone(), true.into()),
        _ => (part.alias.clone(), Value::Null),
    });
    Ok(Value::Object(parts.collect()))
}
