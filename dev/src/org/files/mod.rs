//! Files: ContentVersion with its content, the ContentDocument that holds the versions, and links to records.
//!
//! Sources: Object Reference, "ContentVersion", "ContentDocument", "ContentDocumentLink"; REST API Developer Guide,
//! "Insert or Update Blob Data".

use std::borrow::Cow;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::error::{ApiError, ApiResult};
use super::request::ApiRequest;
use super::store::Store;
use super::validate::Save;
use crate::multipart;

const VERSION: &str = "ContentVersion";
const DOCUMENT: &str = "ContentDocument";
const LINK: &str = "ContentDocumentLink";
/// The field with the content.
const DATA: &str = "VersionData";
/// The part of a multipart body that holds the other fields.
const ENTITY: &str = "entity_content";

/// The fields of a create: JSON, or for an object with a binary field parts, of which one is JSON. The binary part
/// becomes the text that it would have been in JSON.
pub(crate) fn body(request: &ApiRequest) -> ApiResult<(Cow<'_, str>, Map<String, Value>)> {
    let content_type = request.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let Some(content_type) = content_type.filter(|text| multipart::is_multipart(text)) else {
        return request.json().map(|(text, body)| (Cow::Borrowed(text), body));
    };
    let malformed = |reason: &str| ApiError::bad_request("INVALID_MULTIPART_REQUEST", reason);
    let parts = multipart::read(content_type, &request.body).map_err(|reason| malformed(&reason))?;
    let (mut text, mut fields) = (String::new(), None);
    let mut binary = Vec::new();
    for part in parts {
        if part.content_type.as_deref().is_some_and(|kind| kind.starts_with("application/json")) {
            text = String::from_utf8_lossy(&part.content).into_owned();
            fields = serde_json::from_str::<Map<String, Value>>(&text).ok();
        } else if part.file_name.is_some() {
            binary.push(part);
        }
    }
    let mut fields =
        fields.ok_or_else(|| malformed(&format!("expected a part {ENTITY} that is a JSON object")))?;
    for part in binary {
        fields.insert(part.name, Value::String(STANDARD.encode(&part.content)));
    }
    Ok((Cow::Owned(text), fields))
}

/// `GET /sobjects/ContentVersion/068…/VersionData`: the content as it is.
pub(crate) fn content(store: &Store, object: usize, id: &str) -> ApiResult<Response> {
    let row = store.live_row(object, id)?;
    let content = store.blobs.get(&store.tables[object].records[row].id).cloned().unwrap_or_default();
    Ok(([(header::CONTENT_TYPE, "application/octetstream")], content).into_response())
}

/// Whether this part of a path is the content of a record of this object.
pub(crate) fn is_content(store: &Store, object: usize, field: &str) -> bool {
    store.object(object).name == VERSION && field.eq_ignore_ascii_case(DATA)
}

/// The creates that have rules of their own; `None`: an ordinary record.
pub(crate) fn create(
    store: &mut Store,
    object: usize,
    body: &Map<String, Value>,
    save: Save<'_>,
) -> Option<ApiResult<String>> {
    match store.object(object).name.as_str() {
        VERSION => Some(create_version(store, object, body, save)),
        LINK => Some(create_link(store, object, body, save)),
        _ => None,
    }
}

fn create_version(
    store: &mut Store,
    object: usize,
    body: &Map<String, Value>,
    save: Save<'_>,
) -> ApiResult<String> {
    let mut fields = body.clone();
    let data = fields.keys().find(|name| name.eq_ignore_ascii_case(DATA)).cloned();
    let data = data.and_then(|name| fields.shift_remove(&name)).filter(|data| !data.is_null());
    let content = decoded(data.as_ref())?;
    let named =
        |name: &str| body.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let file_name = named("PathOnClient").and_then(Value::as_str).unwrap_or_default();
    let file_name = file_name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    let (title, extension) = file_name.rsplit_once('.').unwrap_or((&file_name, ""));
    if named("Title").is_none_or(Value::is_null) && !title.is_empty() {
        fields.insert("Title".to_owned(), json!(title));
    }
    let location = named("FirstPublishLocationId").and_then(Value::as_str).map(str::to_owned);
    if named("ContentDocumentId").is_some_and(Value::is_string) && location.is_some() {
        let message = "You can't specify a first publish location for a new version of a document.";
        return Err(ApiError::save("INVALID_FIELD", message, &["FirstPublishLocationId"]));
    }
    let id = store.create_record(object, &fields, save)?;
    let derived = json!({ "ContentSize": content.len(), "FileExtension": extension, "FileType": file_type(extension),
        "IsLatest": true, "VersionNumber": "1" });
    set(store, VERSION, &id, &derived);
    store.blobs.insert(id.clone(), content);
    file(store, &id, location.as_deref())?;
    Ok(id)
}

fn decoded(data: Option<&Value>) -> ApiResult<Bytes> {
    let Some(data) = data else {
        let message = format!("Required fields are missing: [{DATA}]");
        return Err(ApiError::save("REQUIRED_FIELD_MISSING", message, &[DATA]));
    };
    let content = data.as_str().and_then(|text| STANDARD.decode(text).ok());
    let message = format!("{DATA}: value not of required type: not Base64");
    content.map(Bytes::from).ok_or_else(|| ApiError::bad_request("JSON_PARSER_ERROR", message))
}

fn file_type(extension: &str) -> String {
    match extension.to_ascii_lowercase().as_str() {
        "txt" => "TEXT".to_owned(),
        known @ ("pdf" | "png" | "jpg" | "csv" | "xml" | "zip") => known.to_ascii_uppercase(),
        _ => "UNKNOWN".to_owned(),
    }
}

/// Puts a new version into its document, which is made where there is none yet.
fn file(store: &mut Store, version: &str, location: Option<&str>) -> ApiResult<()> {
    let text = |store: &Store, name: &str| value(store, VERSION, version, name);
    let shown = json!({ "Title": text(store, "Title"), "FileExtension": text(store, "FileExtension"),
        "FileType": text(store, "FileType"), "ContentSize": text(store, "ContentSize"),
        "LatestPublishedVersionId": version });
    if let Some(document) = text(store, "ContentDocumentId").as_str().map(str::to_owned) {
        let before = value(store, DOCUMENT, &document, "LatestPublishedVersionId");
        if let Some(before) = before.as_str() {
            let number = value(store, VERSION, before, "VersionNumber");
            let number =
                number.as_str().and_then(|number| number.parse::<u32>().ok()).unwrap_or_default() + 1;
            set(store, VERSION, before, &json!({ "IsLatest": false }));
            set(store, VERSION, version, &json!({ "VersionNumber": number.to_string() }));
        }
        set(store, DOCUMENT, &document, &shown);
        return Ok(());
    }
    let document = make(store, DOCUMENT, &shown)?;
    set(store, VERSION, version, &json!({ "ContentDocumentId": document }));
    // Whoever uploads a file owns it, and it is shared with them.
    let owner = store.user.clone();
    make(store, LINK, &json!({ "ContentDocumentId": document, "LinkedEntityId": owner, "ShareType": "I" }))?;
    if let Some(location) = location.filter(|location| !owner.starts_with(*location)) {
        make(
            store,
            LINK,
            &json!({ "ContentDocumentId": document, "LinkedEntityId": location, "ShareType": "V" }),
        )?;
    }
    Ok(())
}

fn create_link(
    store: &mut Store,
    object: usize,
    body: &Map<String, Value>,
    save: Save<'_>,
) -> ApiResult<String> {
    let id = |name: &str| {
        let text = body.iter().find(|(own, _)| own.eq_ignore_ascii_case(name))?.1.as_str()?;
        super::ids::normalize(text)
    };
    if let (Some(document), Some(entity)) = (id("ContentDocumentId"), id("LinkedEntityId")) {
        let definition = store.object(object);
        let fields =
            ["ContentDocumentId", "LinkedEntityId"].map(|name| definition.index_of(name).unwrap_or(0));
        let of_document = store.rows_by(object, fields[0], &document);
        if of_document.intersection(store.rows_by(object, fields[1], &entity)).next().is_some() {
            let message =
                format!("Document with ID: {document} is already linked with the entity with ID: {entity}");
            return Err(ApiError::save("DUPLICATE_VALUE", message, &["LinkedEntityId"])
                .status(StatusCode::BAD_REQUEST));
        }
    }
    store.create_record(object, body, save)
}

fn make(store: &mut Store, name: &str, fields: &Value) -> ApiResult<String> {
    let object = store.schema.index_of(name).ok_or_else(ApiError::resource_not_found)?;
    let fields = fields.as_object().cloned().unwrap_or_default();
    store.create_record(object, &fields, Save::SEED)
}

fn value(store: &Store, name: &str, id: &str, field: &str) -> Value {
    let found = store.find(id).filter(|(object, _)| store.object(*object).name == name);
    let value = found.and_then(|(object, record)| {
        store.object(object).index_of(field).map(|index| record.values[index].clone())
    });
    value.unwrap_or_default()
}

/// Sets what the API does not let anybody set.
fn set(store: &mut Store, name: &str, id: &str, fields: &Value) {
    let Some(object) = store.schema.index_of(name) else { return };
    let Some(row) = store.tables[object].row(id) else { return };
    let mut values = store.tables[object].records[row].values.clone();
    for (name, value) in fields.as_object().into_iter().flatten() {
        if let Some(index) = store.object(object).index_of(name) {
            values[index] = value.clone();
        }
    }
    store.replace(object, row, values);
}
