//! The `sobjects` resources: create, read, update, upsert, delete.

use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::assignment::Assign;
use super::error::{ApiError, ApiResult, json_response};
use super::request::ApiRequest;
use super::schema::{Field, FieldType, Object};
use super::server::Org;
use super::store::{self, Record, Store};
use super::validate::{Purpose, Save};
use super::{about, describe, files, ids, query};

/// From this version on, an upsert that updates answers 200 with a body, before it 204.
const UPSERT_BODY_VERSION: u32 = 46;

/// Handles everything at and below `/sobjects`.
pub(crate) fn route(org: &Org, request: &ApiRequest) -> ApiResult<Response> {
    let Some(name) = request.path.get(1) else {
        only_get(request)?;
        return Ok(json_response(StatusCode::OK, &describe::global(org, request)));
    };
    let object = org.read().schema.index_of(name).ok_or_else(ApiError::resource_not_found)?;
    match &request.path[2..] {
        [] => match request.method {
            Method::POST => create(org, request, object),
            Method::GET | Method::HEAD => {
                let document = describe::basic(&org.read(), object, request);
                Ok(json_response(StatusCode::OK, &document))
            }
            _ => Err(ApiError::method_not_allowed(request.method.as_str(), "GET,HEAD,POST")),
        },
        [part] if part.eq_ignore_ascii_case("describe") => {
            only_get(request)?;
            Ok(json_response(StatusCode::OK, &describe::object(&org.read().schema, object, request)))
        }
        [part] if part.eq_ignore_ascii_case("updated") || part.eq_ignore_ascii_case("deleted") => {
            only_get(request)?;
            about::changed(org, request, object, part.eq_ignore_ascii_case("deleted"))
        }
        [id] => by_id(org, request, object, id),
        [id, field] if files::is_content(&org.read(), object, field) => {
            only_get(request)?;
            files::content(&org.read(), object, id)
        }
        [field, value] if is_key(&org.read(), object, field) => by_key(org, request, object, field, value),
        [id, relationships @ ..] if ids::is_id_shaped(id) => {
            only_get(request)?;
            related(org, request, object, id, relationships)
        }
        [field, ..] => Err(ApiError::external_id_not_found(field)),
    }
}

fn only_get(request: &ApiRequest) -> ApiResult<()> {
    match request.method {
        Method::GET | Method::HEAD => Ok(()),
        _ => Err(ApiError::method_not_allowed(request.method.as_str(), "GET,HEAD")),
    }
}

fn is_key(store: &Store, object: usize, field: &str) -> bool {
    store.object(object).field(field).is_some_and(Field::is_external_key)
}

/// How a request wants its records saved.
pub(crate) fn save<'a>(request: &'a ApiRequest, text: &'a str, purpose: Purpose) -> Save<'a> {
    let allow = request.setting("sforce-duplicate-rule-header", "allowSave");
    let is_true = |value: Option<String>| value.is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let allow_duplicates = is_true(allow);
    let duplicate_details = is_true(request.setting("sforce-duplicate-rule-header", "includeRecordDetails"));
    let assign = request.headers.get("sforce-auto-assign").and_then(|value| value.to_str().ok());
    let assign = Assign::of_header(assign);
    Save { purpose, text, trusted: false, allow_duplicates, duplicate_details, assign }
}

fn create(org: &Org, request: &ApiRequest, object: usize) -> ApiResult<Response> {
    let (text, body) = files::body(request)?;
    let mut store = org.write();
    if !store.object(object).createable {
        return Err(ApiError::method_not_allowed("POST", "GET,HEAD"));
    }
    refuse(&body, "Id")?;
    let id = store.create(object, &body, save(request, &text, Purpose::Create))?;
    Ok(created(request, store.object(object), &id, &json!({ "id": id, "success": true, "errors": [] })))
}

fn created(request: &ApiRequest, object: &Object, id: &str, body: &Value) -> Response {
    let location = request.url(&format!("sobjects/{}/{id}", object.name));
    ([(header::LOCATION, location)], json_response(StatusCode::CREATED, body)).into_response()
}

/// The key in the path may not stand in the body as well.
fn refuse(body: &Map<String, Value>, field: &str) -> ApiResult<()> {
    if body.keys().any(|name| name.eq_ignore_ascii_case(field)) {
        let message = format!("The {field} field should not be specified in the sobject data.");
        return Err(ApiError::save("INVALID_FIELD", message, &[field]));
    }
    Ok(())
}

fn by_id(org: &Org, request: &ApiRequest, object: usize, id: &str) -> ApiResult<Response> {
    match request.method {
        Method::GET | Method::HEAD => {
            let store = org.read();
            let row = store.live_row(object, id)?;
            record(&store, request, object, row)
        }
        Method::PATCH => {
            let (text, body) = request.json()?;
            let mut store = org.write();
            let row = store.live_row(object, id)?;
            if was_modified(&store, request, object, row)? {
                return Ok(StatusCode::PRECONDITION_FAILED.into_response());
            }
            update(&mut store, request, object, row, (text, &body))?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        Method::DELETE => delete(&mut org.write(), object, |store| store.live_row(object, id)),
        _ => Err(ApiError::method_not_allowed(request.method.as_str(), "DELETE,GET,HEAD,PATCH")),
    }
}

/// Whether the record was modified after `If-Unmodified-Since`, in whole seconds; a value that is no date is refused.
fn was_modified(store: &Store, request: &ApiRequest, object: usize, row: usize) -> ApiResult<bool> {
    let Some(value) = request.headers.get(header::IF_UNMODIFIED_SINCE) else { return Ok(false) };
    let since = value.to_str().ok().and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
    let since =
        since.ok_or_else(|| ApiError::bad_request("INVALID_HEADER", "If-Unmodified-Since is not a date"))?;
    let modified = store.object(object).index_of("LastModifiedDate");
    let modified = modified
        .and_then(|field| super::datetime::parse(store.tables[object].records[row].values[field].as_str()?));
    Ok(modified.is_some_and(|modified| modified > since.timestamp()))
}

fn update(
    store: &mut Store,
    request: &ApiRequest,
    object: usize,
    row: usize,
    (text, body): (&str, &Map<String, Value>),
) -> ApiResult<()> {
    if !store.object(object).updateable {
        return Err(ApiError::method_not_allowed("PATCH", "GET,HEAD"));
    }
    refuse(body, "Id")?;
    store.update(object, row, body, save(request, text, Purpose::Update))
}

fn delete(
    store: &mut Store,
    object: usize,
    row: impl FnOnce(&Store) -> ApiResult<usize>,
) -> ApiResult<Response> {
    if !store.object(object).deletable {
        return Err(ApiError::method_not_allowed("DELETE", "GET,HEAD,PATCH"));
    }
    let row = row(store)?;
    store.delete(object, row)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `/sobjects/X/<field>/<value>`: read, upsert and delete by an external id.
fn by_key(org: &Org, request: &ApiRequest, object: usize, field: &str, value: &str) -> ApiResult<Response> {
    if field.eq_ignore_ascii_case("Id") && request.method != Method::PATCH {
        return by_id(org, request, object, value);
    }
    match request.method {
        Method::GET | Method::HEAD => {
            let store = org.read();
            match key_rows(&store, object, field, value)[..] {
                [] => Err(ApiError::resource_not_found()),
                [row] => record(&store, request, object, row),
                ref rows => Ok(multiple_choices(&store, request, object, rows)),
            }
        }
        Method::DELETE => {
            let mut store = org.write();
            match key_rows(&store, object, field, value)[..] {
                [] => Err(ApiError::resource_not_found()),
                [row] => delete(&mut store, object, |_| Ok(row)),
                ref rows => Ok(multiple_choices(&store, request, object, rows)),
            }
        }
        Method::PATCH => upsert(org, request, object, field, value),
        _ => Err(ApiError::method_not_allowed(request.method.as_str(), "DELETE,GET,HEAD,PATCH")),
    }
}

/// The live rows that an external id names.
pub(crate) fn key_rows(store: &Store, object: usize, field: &str, value: &str) -> Vec<usize> {
    let Some(index) = store.object(object).index_of(field) else { return Vec::new() };
    if store.object(object).fields[index].name == "Id" {
        return store.live_row(object, value).into_iter().collect();
    }
    store.rows_by(object, index, value).iter().copied().collect()
}

fn multiple_choices(store: &Store, request: &ApiRequest, object: usize, rows: &[usize]) -> Response {
    let name = &store.object(object).name;
    let urls: Value = rows
        .iter()
        .map(|row| {
            Value::String(request.url(&format!("sobjects/{name}/{}", store.tables[object].records[*row].id)))
        })
        .collect();
    json_response(StatusCode::MULTIPLE_CHOICES, &urls)
}

fn upsert(org: &Org, request: &ApiRequest, object: usize, field: &str, value: &str) -> ApiResult<Response> {
    let (text, mut body) = request.json()?;
    // One lock for look-up and write: two upserts of one key never both create.
    let mut store = org.write();
    let definition = store.object(object);
    let key = definition.field(field).map_or_else(|| field.to_owned(), |field| field.name.clone());
    refuse(&body, &key)?;
    let rows = key_rows(&store, object, field, value);
    match rows[..] {
        [row] => {
            update(&mut store, request, object, row, (text, &body))?;
            if request.version < UPSERT_BODY_VERSION {
                return Ok(StatusCode::NO_CONTENT.into_response());
            }
            let id = &store.tables[object].records[row].id;
            let body = json!({ "id": id, "success": true, "errors": [], "created": false });
            Ok(json_response(StatusCode::OK, &body))
        }
        [] if key == "Id" || request.parameter("updateOnly") == Some("true") => {
            Err(ApiError::resource_not_found())
        }
        [] => {
            if !store.object(object).createable {
                return Err(ApiError::method_not_allowed("PATCH", "GET,HEAD"));
            }
            body.insert(key, Value::String(value.to_owned()));
            let id = store.create(object, &body, save(request, text, Purpose::Create))?;
            let body = json!({ "id": id, "success": true, "errors": [], "created": true });
            Ok(created(request, store.object(object), &id, &body))
        }
        ref rows => Ok(multiple_choices(&store, request, object, rows)),
    }
}

/// `/sobjects/X/<id>/<relationship>...`: the parent, or the page of children, at the end of the way.
fn related(
    org: &Org,
    request: &ApiRequest,
    mut object: usize,
    id: &str,
    relationships: &[String],
) -> ApiResult<Response> {
    let store = org.read();
    let mut row = store.live_row(object, id)?;
    for (position, name) in relationships.iter().enumerate() {
        if let Some(field) = store.object(object).parent_relationship(name) {
            let parent =
                store.tables[object].records[row].values[field].as_str().and_then(|id| store.find(id));
            let (parent_object, parent) =
                parent.filter(|(_, parent)| !parent.deleted).ok_or_else(ApiError::resource_not_found)?;
            row = store.tables[parent_object].row(&parent.id).ok_or_else(ApiError::resource_not_found)?;
            object = parent_object;
        } else if let Some(child) = store.schema.child_relationship(object, name) {
            if position + 1 < relationships.len() {
                return Err(ApiError::resource_not_found());
            }
            let id = &store.tables[object].records[row].id;
            let rows = store.rows_by(child.object, child.field, id);
            let fields = chosen_fields(&store, request, child.object)?;
            let records = rows.iter().map(|row| {
                let record = &store.tables[child.object].records[*row];
                with_attributes(&store, request.version, child.object, record, &fields)
            });
            return Ok(query::answer(org, request, records.collect()));
        } else {
            return Err(ApiError::resource_not_found());
        }
    }
    record(&store, request, object, row)
}

fn record(store: &Store, request: &ApiRequest, object: usize, row: usize) -> ApiResult<Response> {
    let fields = chosen_fields(store, request, object)?;
    let record = &store.tables[object].records[row];
    store.recent.note(&record.id);
    Ok(json_response(StatusCode::OK, &with_attributes(store, request.version, object, record, &fields)))
}

/// The fields that `?fields=` asks for, and always the id; all of them without it.
fn chosen_fields(store: &Store, request: &ApiRequest, object: usize) -> ApiResult<Vec<usize>> {
    let definition = store.object(object);
    let Some(list) = request.parameter("fields") else { return Ok((0..definition.fields.len()).collect()) };
    fields_named(store, object, list.split(','))
}

/// The fields of these names, and always the id.
pub(crate) fn fields_named<'a>(
    store: &Store,
    object: usize,
    names: impl Iterator<Item = &'a str>,
) -> ApiResult<Vec<usize>> {
    let definition = store.object(object);
    let mut fields = Vec::new();
    for name in names.map(str::trim).filter(|name| !name.is_empty()) {
        let index = definition.index_of(name).ok_or_else(|| {
            ApiError::bad_request("INVALID_FIELD", super::soql::no_such_column(name, &definition.name))
        })?;
        if !fields.contains(&index) {
            fields.push(index);
        }
    }
    if let Some(id) = definition.index_of("Id").filter(|id| !fields.contains(id)) {
        fields.push(id);
    }
    Ok(fields)
}

/// A record as the API shows it: `attributes` first, then the fields.
pub(crate) fn with_attributes(
    store: &Store,
    version: u32,
    object: usize,
    record: &Record,
    fields: &[usize],
) -> Value {
    let definition = store.object(object);
    let mut members = Map::new();
    members.insert("attributes".into(), attributes(definition, &record.id, version));
    for field in fields {
        let Field { name, kind, .. } = &definition.fields[*field];
        let value = match kind {
            FieldType::Base64 => json!(format!("{}/{name}", url(definition, &record.id, version))),
            _ => store::read(definition, record, *field),
        };
        members.insert(name.clone(), value);
    }
    Value::Object(members)
}

/// The type and address of a record.
pub(crate) fn attributes(object: &Object, id: &str, version: u32) -> Value {
    json!({ "type": object.name, "url": url(object, id, version) })
}

fn url(object: &Object, id: &str, version: u32) -> String {
    format!("/services/data/v{version}.0/sobjects/{}/{id}", object.name)
}

/// A record with all its fields and nothing else.
pub(crate) fn all_fields(object: &Object, record: &Record) -> Value {
    let fields = object.fields.iter().enumerate();
    Value::Object(
        fields.map(|(index, field)| (field.name.clone(), store::read(object, record, index))).collect(),
    )
}
