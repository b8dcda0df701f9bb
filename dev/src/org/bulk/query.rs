//! The resources below `/jobs/query`.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;

use super::dialect::{Dialect, invalid_value, known_properties, text};
use super::job::{Job, Made, State, answer, invalid_state};
use super::selection::Selection;
use crate::org::error::{ApiError, ApiResult, json_response};
use crate::org::request::ApiRequest;
use crate::org::server::Org;

/// What the body of a create may hold.
const PROPERTIES: [&str; 5] = ["columnDelimiter", "contentType", "lineEnding", "operation", "query"];
const LOCATOR: &str = "sforce-locator";
const RECORDS: &str = "sforce-numberofrecords";

/// Handles `/jobs/query` and what is below it.
pub(super) fn route(org: &Org, request: &ApiRequest) -> ApiResult<Response> {
    let below: Vec<String> = request.path[2..].iter().map(|part| part.to_ascii_lowercase()).collect();
    let below: Vec<&str> = below.iter().map(String::as_str).collect();
    let id = request.path.get(2).map_or("", String::as_str);
    match (request.method.as_str(), &below[..]) {
        ("POST", []) => create(org, request),
        ("GET", []) => Ok(json_response(StatusCode::OK, &org.bulk.query.list(org, request)?)),
        ("GET", [_]) => org.bulk.query.with(id, |job| Ok(answer(job.info()))),
        ("PATCH", [_]) => {
            let (_, body) = request.json()?;
            let state = text(&body, "state")?.unwrap_or_default();
            org.bulk.query.change(org, (id, state), |job| answer(job.summary()))
        }
        ("DELETE", [_]) => {
            org.bulk.query.remove(id, &[State::UploadComplete, State::InProgress])?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        ("GET", [_, "results"]) => results(org, request, id),
        (method, []) => Err(ApiError::method_not_allowed(method, "GET,POST")),
        (method, [_]) => Err(ApiError::method_not_allowed(method, "DELETE,GET,PATCH")),
        (method, [_, "results"]) => Err(ApiError::method_not_allowed(method, "GET")),
        _ => Err(ApiError::resource_not_found()),
    }
}

fn create(org: &Org, request: &ApiRequest) -> ApiResult<Response> {
    let (_, body) = request.json()?;
    known_properties(&body, &PROPERTIES)?;
    let (operation, deleted) = match text(&body, "operation")?.unwrap_or_default() {
        "query" => ("query", false),
        "queryAll" => ("queryAll", true),
        other => return Err(invalid_value("operation", other)),
    };
    let dialect = Dialect::read(&body)?;
    let query = text(&body, "query")?.filter(|query| !query.trim().is_empty());
    let query = query
        .ok_or_else(|| ApiError::bad_request("MALFORMED_QUERY", "A query string has to be specified"))?;
    let (work, object) = Selection::new(&org.read(), query, request.version, deleted)?;
    let job = Job::new(org, request, Made { operation, object, dialect, work });
    Ok(org.bulk.query.add(org, job, |job| answer(job.summary())))
}

/// A page of the result; where the next one begins is told by a header, and `null` at the end.
fn results(org: &Org, request: &ApiRequest, id: &str) -> ApiResult<Response> {
    let most = match request.parameter("maxRecords") {
        None => org.page_size,
        Some(text) => {
            let most = text.parse().ok().filter(|most| *most > 0);
            most.ok_or_else(|| invalid_value("maxRecords", text))?
        }
    };
    let start = match request.parameter("locator") {
        None => 0,
        Some(text) => offset(text).ok_or_else(|| invalid_value("locator", text))?,
    };
    org.bulk.query.with(id, |job| {
        if job.state != State::JobComplete {
            let state = job.state.name();
            return Err(invalid_state(format!("InvalidJobState : A job in state {state} has no results")));
        }
        let (csv, records, next) = job.work.page(job.dialect, start, most);
        if start > 0 && records == 0 {
            return Err(invalid_value("locator", &start.to_string()));
        }
        let mut response = ([(header::CONTENT_TYPE, "text/csv")], csv).into_response();
        let locator = next.and_then(|next| HeaderValue::try_from(BASE64.encode(next.to_string())).ok());
        let headers = response.headers_mut();
        headers.insert(LOCATOR, locator.unwrap_or(HeaderValue::from_static("null")));
        headers.insert(RECORDS, HeaderValue::from(records));
        Ok(response)
    })
}

fn offset(locator: &str) -> Option<usize> {
    String::from_utf8(BASE64.decode(locator).ok()?).ok()?.parse().ok()
}
