//! The resources below `/jobs/ingest`.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::dialect::{Dialect, invalid_value, known_properties, text};
use super::job::{Job, Made, State, answer, invalid_state};
use super::row::Operation;
use super::upload::{Results, Upload};
use crate::org::error::{ApiError, ApiResult, json_response};
use crate::org::request::ApiRequest;
use crate::org::schema::Field;
use crate::org::server::Org;
use crate::org::store::Store;

/// What the body of a create may hold.
const PROPERTIES: [&str; 7] = [
    "assignmentRuleId",
    "columnDelimiter",
    "contentType",
    "externalIdFieldName",
    "lineEnding",
    "object",
    "operation",
];

/// Handles `/jobs/ingest` and what is below it.
pub(super) fn route(org: &Org, request: &ApiRequest) -> ApiResult<Response> {
    let below: Vec<String> = request.path[2..].iter().map(|part| part.to_ascii_lowercase()).collect();
    let below: Vec<&str> = below.iter().map(String::as_str).collect();
    let id = request.path.get(2).map_or("", String::as_str);
    match (request.method.as_str(), &below[..]) {
        ("POST", []) => create(org, request),
        ("GET", []) => Ok(json_response(StatusCode::OK, &org.bulk.ingest.list(org, request)?)),
        ("GET", [_]) => org.bulk.ingest.with(id, |job| Ok(answer(job.info()))),
        ("PATCH", [_]) => {
            let (_, body) = request.json()?;
            let state = text(&body, "state")?.unwrap_or_default();
            org.bulk.ingest.change(org, (id, state), |job| answer(job.summary()))
        }
        ("DELETE", [_]) => {
            org.bulk.ingest.remove(id, &[State::Open, State::InProgress])?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        ("PUT", [_, "batches"]) => upload(org, request, id),
        ("GET", [_, "successfulresults"]) => results(org, id, Results::Successful),
        ("GET", [_, "failedresults"]) => results(org, id, Results::Failed),
        ("GET", [_, "unprocessedrecords"]) => results(org, id, Results::Unprocessed),
        (method, []) => Err(ApiError::method_not_allowed(method, "GET,POST")),
        (method, [_]) => Err(ApiError::method_not_allowed(method, "DELETE,GET,PATCH")),
        (method, [_, "batches"]) => Err(ApiError::method_not_allowed(method, "PUT")),
        (method, [_, "successfulresults" | "failedresults" | "unprocessedrecords"]) => {
            Err(ApiError::method_not_allowed(method, "GET"))
        }
        _ => Err(ApiError::resource_not_found()),
    }
}

fn create(org: &Org, request: &ApiRequest) -> ApiResult<Response> {
    let (_, body) = request.json()?;
    known_properties(&body, &PROPERTIES)?;
    let operation = text(&body, "operation")?.unwrap_or_default();
    let operation = Operation::named(operation).ok_or_else(|| invalid_value("operation", operation))?;
    let content_type = text(&body, "contentType")?.unwrap_or("CSV");
    if content_type != "CSV" {
        return Err(invalid_value("contentType", content_type));
    }
    let dialect = Dialect::read(&body)?;
    let store = org.read();
    let name = text(&body, "object")?.unwrap_or_default();
    let object = store.schema.index_of(name);
    let object = object.ok_or_else(|| invalid_job(format!("Unable to find object: {name}")))?;
    let mut upload = Upload::new(operation, object);
    if operation == Operation::Upsert {
        upload.external_id = Some(external_id(&store, object, &body)?);
    }
    upload.assignment_rule = text(&body, "assignmentRuleId")?.map(str::to_owned);
    // Whoever takes the next steps holds the jobs, and then wants the store.
    drop(store);
    let job = Job::new(org, request, Made { operation: operation.name(), object, dialect, work: upload });
    Ok(org.bulk.ingest.add(org, job, |job| answer(job.summary())))
}

fn invalid_job(message: impl std::fmt::Display) -> ApiError {
    ApiError::bad_request("INVALIDJOB", format!("InvalidJob : {message}"))
}

/// The field by which an upsert finds its records.
fn external_id(store: &Store, object: usize, body: &Map<String, Value>) -> ApiResult<String> {
    let definition = store.object(object);
    let name = &definition.name;
    let given = text(body, "externalIdFieldName")?.ok_or_else(|| {
        invalid_job(format!("External ID was blank for {name}. An External ID must be specified for upsert."))
    })?;
    let field = definition.field(given).filter(|field| Field::is_external_key(field));
    let field = field.ok_or_else(|| {
        invalid_job(format!(
            "Field name provided, {given} does not match an External ID, Salesforce Id, or indexed field for {name}"
        ))
    })?;
    Ok(field.name.clone())
}

/// Takes the data, once.
fn upload(org: &Org, request: &ApiRequest, id: &str) -> ApiResult<Response> {
    let content_type = request.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default();
    if !content_type.to_ascii_lowercase().starts_with("text/csv") {
        let message =
            format!("Content-Type header specified in HTTP request is not supported: {content_type}");
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(ApiError::new(status, "UNSUPPORTED_MEDIA_TYPE", message));
    }
    org.bulk.ingest.with(id, |job| {
        if job.state != State::Open {
            let message = format!("InvalidJobState : Data cannot be added to a job in state {}", job.state.name());
            return Err(invalid_state(message));
        }
        if job.work.data.is_some() {
            let short = &job.id[..15];
            let message = format!(
                "Found multiple contents for job: <{short}>, please 'Close' / 'Abort' / 'Delete' the current Job then \
                 create a new Job and make sure you only do 'PUT' once on a given Job."
            );
            return Err(ApiError::bad_request("BULK_API_ERROR", message));
        }
        job.work.data = Some(request.body.clone());
        Ok(StatusCode::CREATED.into_response())
    })
}

fn results(org: &Org, id: &str, wanted: Results) -> ApiResult<Response> {
    org.bulk.ingest.with(id, |job| {
        let csv = job.work.results(job.dialect, wanted);
        Ok(([(header::CONTENT_TYPE, "text/csv")], csv).into_response())
    })
}
