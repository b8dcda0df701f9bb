//! Platform events: published as records are created, and never read.
//!
//! Source: Platform Events Developer Guide, "Publish Event Messages with Salesforce APIs". The answer tells the event's UUID
//! as if it were an error; nobody can set it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::org::DevOrg;
use crate::org::error::{ApiError, ApiResult, json_response};
use crate::org::ids;
use crate::org::request::ApiRequest;
use crate::org::server::Org;

/// A platform event that the org knows.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EventDefinition {
    /// Ends with `__e`.
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) fields: Vec<EventField>,
}

/// One of its fields.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EventField {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) required: bool,
}

/// The events that were published, by their names in the schema.
#[derive(Debug, Default)]
pub(crate) struct Published(Mutex<HashMap<String, Vec<Value>>>);

impl Published {
    /// Those of one name, the oldest first.
    pub(crate) fn of(&self, name: &str) -> Vec<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned().unwrap_or_default()
    }

    /// Keeps one; how many there are now.
    fn add(&self, name: &str, event: Value) -> u64 {
        let mut published = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let events = published.entry(name.to_owned()).or_default();
        events.push(event);
        events.len() as u64
    }
}

impl DevOrg {
    /// The platform events of this name that were published, the oldest first, each with its `EventUuid`.
    pub fn events(&self, name: &str) -> Vec<Value> {
        self.org.automation.published.of(name)
    }
}

/// Handles `POST /sobjects/X__e`.
pub(crate) fn route(org: &Org, request: &ApiRequest, name: &str) -> ApiResult<Response> {
    let known = org.automation.events.iter().find(|event| event.name.eq_ignore_ascii_case(name));
    let event = known.ok_or_else(ApiError::resource_not_found)?;
    if request.method != Method::POST {
        return Err(ApiError::method_not_allowed(request.method.as_str(), "POST"));
    }
    let (_, body) = request.json()?;
    let mut fields = checked(event, body)?;
    let uuid = uuid();
    fields.insert("EventUuid".to_owned(), uuid.as_str().into());
    let number = org.automation.published.add(&event.name, Value::Object(fields));
    let errors = json!([{ "statusCode": "OPERATION_ENQUEUED", "message": uuid, "fields": [] }]);
    let body = json!({ "id": ids::generate("e00", number), "success": true, "errors": errors });
    Ok(json_response(StatusCode::CREATED, &body))
}

/// The fields under their own names; each must be known, and those that are required there.
fn checked(event: &EventDefinition, body: Map<String, Value>) -> ApiResult<Map<String, Value>> {
    let mut fields = Map::new();
    for (name, value) in body.into_iter().filter(|(name, _)| name != "attributes") {
        let field = event.fields.iter().find(|field| field.name.eq_ignore_ascii_case(&name));
        let field = field.ok_or_else(|| ApiError::no_such_column(&name, &event.name))?;
        fields.insert(field.name.clone(), value);
    }
    let is_missing =
        |field: &&EventField| field.required && fields.get(&field.name).is_none_or(Value::is_null);
    let missing: Vec<&str> =
        event.fields.iter().filter(is_missing).map(|field| field.name.as_str()).collect();
    if missing.is_empty() {
        return Ok(fields);
    }
    let message = format!("Required fields are missing: [{}]", missing.join(", "));
    Err(ApiError::save("REQUIRED_FIELD_MISSING", message, &missing))
}

fn uuid() -> String {
    let bits = format!("{:032x}", fastrand::u128(..));
    format!("{}-{}-4{}-a{}-{}", &bits[..8], &bits[8..12], &bits[13..16], &bits[17..20], &bits[20..])
}
