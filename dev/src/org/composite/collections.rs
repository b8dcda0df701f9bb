//! sObject collections: up to 200 records saved or deleted in one call, each with a result of its own.

use std::collections::HashSet;

use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::org::error::{ApiError, ApiResult, json_response};
use crate::org::ids;
use crate::org::request::ApiRequest;
use crate::org::rest;
use crate::org::server::Org;
use crate::org::store::Store;
use crate::org::validate::Purpose;

const MOST_RECORDS: usize = 200;
const MOST_RETRIEVED: usize = 2000;
/// Runs of records of one object.
const MOST_CHUNKS: usize = 10;

/// What happens to each record of a call.
type SaveOne<'a> = &'a dyn Fn(&mut Store, usize, &mut Map<String, Value>) -> ApiResult<Value>;

/// Handles `/composite/sobjects` and what is below it.
pub(super) fn route(org: &Org, request: &ApiRequest, below: &[String]) -> ApiResult<Response> {
    match (request.method.as_str(), below) {
        ("POST", []) => {
            save(org, request, None, &|store, object, record| create(store, request, object, record))
        }
        ("PATCH", []) => {
            save(org, request, None, &|store, object, record| update(store, request, object, record))
        }
        ("DELETE", []) => delete(org, request),
        ("PATCH", [object, field]) => upsert(org, request, object, field),
        ("GET" | "POST", [object]) => retrieve(org, request, object),
        (method, []) => Err(ApiError::method_not_allowed(method, "DELETE,PATCH,POST")),
        (method, [_]) => Err(ApiError::method_not_allowed(method, "GET,POST")),
        (method, [_, _]) => Err(ApiError::method_not_allowed(method, "PATCH")),
        _ => Err(ApiError::resource_not_found()),
    }
}

/// Saves each record of the body; with `allOrNone` all of them or nothing.
fn save(org: &Org, request: &ApiRequest, only: Option<usize>, one: SaveOne<'_>) -> ApiResult<Response> {
    let (_, body) = request.json()?;
    let Some(Value::Array(records)) = body.get("records") else {
        return Err(ApiError::bad_request("JSON_PARSER_ERROR", "The list of records is missing"));
    };
    within(records.len())?;
    let mut store = org.write();
    let objects: Vec<usize> =
        records.iter().map(|record| object_of(&store, record, only)).collect::<ApiResult<_>>()?;
    let chunks = 1 + objects.windows(2).filter(|two| two[0] != two[1]).count();
    if chunks > MOST_CHUNKS {
        let message = "Cannot have more than 10 chunks in a single operation. Please rearrange the data to reduce chunking.";
        return Err(ApiError::bad_request("LIMIT_EXCEEDED", message));
    }
    let saves = records.iter().zip(objects);
    carry_out(
        &mut store,
        body.get("allOrNone") == Some(&Value::Bool(true)),
        saves,
        |store, (record, object)| {
            let mut record = record.as_object().cloned().unwrap_or_default();
            one(store, object, &mut record)
        },
    )
}

fn within(count: usize) -> ApiResult<()> {
    if count > MOST_RECORDS {
        let message = "record limit reached. cannot submit more than 200 records into this call";
        return Err(ApiError::bad_request("EXCEEDED_ID_LIMIT", message));
    }
    Ok(())
}

fn object_of(store: &Store, record: &Value, only: Option<usize>) -> ApiResult<usize> {
    let name = record["attributes"]["type"].as_str().ok_or_else(|| {
        ApiError::bad_request("INVALID_INPUT", "Each object must contain an attributes map with its type")
    })?;
    let object = store.schema.index_of(name).filter(|object| only.is_none_or(|only| only == *object));
    object.ok_or_else(|| {
        ApiError::bad_request("INVALID_TYPE", format!("sObject type '{name}' is not supported."))
    })
}

/// A result for each item. A body that cannot be read at all refuses the whole call, and undoes what was done of it.
fn carry_out<T>(
    store: &mut Store,
    all_or_none: bool,
    items: impl Iterator<Item = T>,
    mut one: impl FnMut(&mut Store, T) -> ApiResult<Value>,
) -> ApiResult<Response> {
    let before = store.tables.clone();
    let mut results = Vec::new();
    for item in items {
        match one(store, item) {
            Ok(result) => results.push(result),
            Err(error) if error.code() == "JSON_PARSER_ERROR" => {
                store.tables = before;
                return Err(error);
            }
            Err(error) => results.push(error.save_result()),
        }
    }
    let has_failed = results.iter().any(|result| result["success"] == false);
    if all_or_none && has_failed {
        store.tables = before;
        for result in results.iter_mut().filter(|result| result["success"] == true) {
            *result = rolled_back();
        }
    }
    Ok(json_response(StatusCode::OK, &Value::Array(results)))
}

fn rolled_back() -> Value {
    let message =
        "Record rolled back because not all records were valid and the request was using AllOrNone header";
    ApiError::save("ALL_OR_NONE_OPERATION_ROLLED_BACK", message, &[]).save_result()
}

fn saved(id: &str) -> Value {
    json!({ "id": id, "success": true, "errors": [] })
}

fn create(
    store: &mut Store,
    request: &ApiRequest,
    object: usize,
    record: &mut Map<String, Value>,
) -> ApiResult<Value> {
    if take(record, "Id").is_some_and(|id| !id.is_null()) {
        let message = "cannot specify Id in an insert call";
        return Err(ApiError::save("INVALID_FIELD_FOR_INSERT_UPDATE", message, &["Id"]));
    }
    if !store.object(object).createable {
        return Err(ApiError::save(
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
            "entity type cannot be inserted",
            &[],
        ));
    }
    store.create(object, record, rest::save(request, "", Purpose::Create)).map(|id| saved(&id))
}

fn update(
    store: &mut Store,
    request: &ApiRequest,
    object: usize,
    record: &mut Map<String, Value>,
) -> ApiResult<Value> {
    let id = take(record, "Id").and_then(|id| id.as_str().map(str::to_owned));
    let id =
        id.ok_or_else(|| ApiError::save("MISSING_ARGUMENT", "Id not specified in an update call", &[]))?;
    let row = live_row(store, object, &id)?;
    if !store.object(object).updateable {
        return Err(ApiError::save(
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
            "entity type cannot be updated",
            &[],
        ));
    }
    store.update(object, row, record, rest::save(request, "", Purpose::Update))?;
    Ok(saved(&store.tables[object].records[row].id))
}

/// A record that does not exist is told in other words than by its own address.
fn live_row(store: &Store, object: usize, id: &str) -> ApiResult<usize> {
    store.live_row(object, id).map_err(|error| match error.code() {
        "NOT_FOUND" => ApiError::save("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[]),
        _ => error,
    })
}

fn take(record: &mut Map<String, Value>, field: &str) -> Option<Value> {
    let name = record.keys().find(|name| name.eq_ignore_ascii_case(field))?.clone();
    record.remove(&name)
}

fn upsert(org: &Org, request: &ApiRequest, object: &str, field: &str) -> ApiResult<Response> {
    let (object, key) = {
        let store = org.read();
        let object = store.schema.index_of(object).ok_or_else(ApiError::resource_not_found)?;
        let key = store.object(object).field(field).filter(|key| key.is_external_key() || key.name == "Id");
        (object, key.ok_or_else(|| ApiError::external_id_not_found(field))?.name.clone())
    };
    let twice = given_twice(request, &key)?;
    save(org, request, Some(object), &|store, object, record| {
        let value = take(record, &key).map(|value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        });
        let value = value.filter(|value| !value.is_empty() && value != "null");
        if key == "Id" && value.is_none() {
            let id = store.create(object, record, rest::save(request, "", Purpose::Create))?;
            return Ok(upserted(&id, true));
        }
        let missing = || ApiError::save("MISSING_ARGUMENT", format!("{key} not specified"), &[]);
        let value = value.ok_or_else(missing)?;
        if twice.contains(&value) {
            let message = format!("Duplicate external id specified: {value}");
            return Err(ApiError::save("DUPLICATE_VALUE", message, &[&key]));
        }
        upsert_one(store, request, object, (&key, value), record)
    })
}

/// The keys that stand in the body more than once: none of their records is saved.
fn given_twice(request: &ApiRequest, key: &str) -> ApiResult<HashSet<String>> {
    let (_, body) = request.json()?;
    let records = body.get("records").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let (mut seen, mut twice) = (HashSet::new(), HashSet::new());
    for value in records.iter().filter_map(Value::as_object).filter_map(|record| {
        record.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
    }) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if !seen.insert(text.clone()) {
            twice.insert(text);
        }
    }
    Ok(twice)
}

fn upserted(id: &str, created: bool) -> Value {
    let mut result = saved(id);
    result["created"] = created.into();
    result
}

fn upsert_one(
    store: &mut Store,
    request: &ApiRequest,
    object: usize,
    (key, value): (&str, String),
    record: &mut Map<String, Value>,
) -> ApiResult<Value> {
    if key == "Id" {
        let row = live_row(store, object, &value)?;
        store.update(object, row, record, rest::save(request, "", Purpose::Update))?;
        return Ok(upserted(&store.tables[object].records[row].id, false));
    }
    match rest::key_rows(store, object, key, &value)[..] {
        [row] => {
            store.update(object, row, record, rest::save(request, "", Purpose::Update))?;
            Ok(upserted(&store.tables[object].records[row].id, false))
        }
        [] => {
            record.insert(key.to_owned(), Value::String(value));
            let id = store.create(object, record, rest::save(request, "", Purpose::Create))?;
            Ok(upserted(&id, true))
        }
        ref rows => {
            let message =
                format!("{key}: more than one record found for external id field: {} of them", rows.len());
            Err(ApiError::save("DUPLICATE_EXTERNAL_ID", message, &[]))
        }
    }
}

fn delete(org: &Org, request: &ApiRequest) -> ApiResult<Response> {
    let ids: Vec<&str> = request.parameter("ids").unwrap_or_default().split(',').map(str::trim).collect();
    within(ids.len())?;
    let all_or_none = request.parameter("allOrNone").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    carry_out(&mut org.write(), all_or_none, ids.into_iter(), |store, id| {
        let malformed = || ApiError::save("MALFORMED_ID", format!("malformed id {id}"), &[]);
        let normal = ids::normalize(id).ok_or_else(malformed)?;
        let object = store.schema.object_of_id(&normal).ok_or_else(malformed)?;
        let row = live_row(store, object, id)?;
        store.delete(object, row)?;
        Ok(saved(&normal))
    })
}

/// Records by their ids, in the order of the ids, with null for what is not there.
fn retrieve(org: &Org, request: &ApiRequest, object: &str) -> ApiResult<Response> {
    let (ids, fields): (Vec<String>, Vec<String>) = if request.method == Method::POST {
        let (_, body) = request.json()?;
        (texts(&body, "ids")?, texts(&body, "fields")?)
    } else {
        let list =
            |name| request.parameter(name).unwrap_or_default().split(',').map(|part| part.trim().to_owned());
        (list("ids").collect(), list("fields").collect())
    };
    if ids.len() > MOST_RETRIEVED {
        let message = "record limit reached. cannot submit more than 2000 records into this call";
        return Err(ApiError::bad_request("EXCEEDED_ID_LIMIT", message));
    }
    let store = org.read();
    let object = store.schema.index_of(object).ok_or_else(ApiError::resource_not_found)?;
    let fields = rest::fields_named(&store, object, fields.iter().map(String::as_str))?;
    let records = ids.iter().map(|id| match store.live_row(object, id) {
        Ok(row) => {
            let record = &store.tables[object].records[row];
            rest::with_attributes(&store, request.version, object, record, &fields)
        }
        Err(_) => Value::Null,
    });
    Ok(json_response(StatusCode::OK, &records.collect()))
}

fn texts(body: &Map<String, Value>, name: &str) -> ApiResult<Vec<String>> {
    let texts = body
        .get(name)
        .and_then(Value::as_array)
        .map(|items| items.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>());
    texts.ok_or_else(|| ApiError::bad_request("JSON_PARSER_ERROR", format!("The list of {name} is missing")))
}
