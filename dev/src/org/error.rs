//! Salesforce's error bodies.
//!
//! A REST error is an array of `{message, errorCode}`; errors of a save also carry `fields`. Source: REST API
//! Developer Guide, "Status Codes and Error Responses", and recorded replies.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// The content type of every JSON reply of the API.
pub(crate) const JSON: &str = "application/json;charset=UTF-8";

/// What a request is refused with.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    status: StatusCode,
    body: Vec<Map<String, Value>>,
}

/// The answer of a handler.
pub(crate) type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// An error without `fields`, as requests that never reach a record get it.
    pub(crate) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        let mut item = Map::new();
        item.insert("message".into(), Value::String(message.into()));
        item.insert("errorCode".into(), Value::String(code.into()));
        Self { status, body: vec![item] }
    }

    /// A 400 without `fields`.
    pub(crate) fn bad_request(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// An error of a save: 400, with the names of the fields at fault.
    pub(crate) fn save(code: &str, message: impl Into<String>, fields: &[&str]) -> Self {
        Self::bad_request(code, message).with("fields", json!(fields))
    }

    /// Adds a member to the error, for the few that carry more than a message.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        if let Some(item) = self.body.first_mut() {
            item.insert(name.into(), value);
        }
        self
    }

    /// The same error under another status.
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same error under another code.
    pub(crate) fn renamed(self, code: &str) -> Self {
        self.with("errorCode", code.into())
    }

    /// The code of the first error.
    pub(crate) fn code(&self) -> &str {
        let code = self.body.first().and_then(|item| item.get("errorCode"));
        code.and_then(Value::as_str).unwrap_or_default()
    }

    /// The same as the result of one record among several, where the code goes by another name.
    pub(crate) fn save_result(self) -> Value {
        let errors = self.body.into_iter().map(|mut item| {
            let code = item.remove("errorCode").unwrap_or_default();
            item.entry("fields").or_insert_with(|| json!([]));
            let mut error = Map::from_iter([("statusCode".to_owned(), code)]);
            error.append(&mut item);
            Value::Object(error)
        });
        json!({ "success": false, "errors": errors.collect::<Vec<_>>() })
    }

    /// The message and code of the first error, for callers that are no HTTP clients.
    pub(crate) fn summary(&self) -> String {
        let item = self.body.first();
        let text =
            |name: &str| item.and_then(|item| item.get(name)).and_then(Value::as_str).unwrap_or_default();
        format!("{}: {}", text("errorCode"), text("message"))
    }

    /// A resource that is not there, or an object that the org does not have.
    pub(crate) fn resource_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", "The requested resource does not exist")
    }

    /// No record or external id field under the last part of the path.
    pub(crate) fn external_id_not_found(part: &str) -> Self {
        let message = format!("Provided external ID field does not exist or is not accessible: {part}");
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
    }

    /// A field that the object does not have, in the body of a save.
    pub(crate) fn no_such_column(field: &str, object: &str) -> Self {
        Self::bad_request("INVALID_FIELD", format!("No such column '{field}' on sobject of type {object}"))
    }

    /// A record in the recycle bin.
    pub(crate) fn entity_is_deleted() -> Self {
        Self::save("ENTITY_IS_DELETED", "entity is deleted", &[]).status(StatusCode::NOT_FOUND)
    }

    /// A method that the resource does not know.
    pub(crate) fn method_not_allowed(method: &str, allowed: &str) -> Self {
        let message = format!("HTTP Method '{method}' not allowed. Allowed are {allowed}");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Value::Array(self.body.into_iter().map(Value::Object).collect());
        json_response(self.status, &body)
    }
}

/// A JSON reply with the content type that Salesforce sends.
pub(crate) fn json_response(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, JSON)], body.to_string()).into_response()
}
