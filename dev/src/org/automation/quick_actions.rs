//! Quick actions: of an object below `/sobjects/X/quickActions`, global ones below `/quickActions`.
//!
//! Source: REST API Developer Guide, "Quick Actions".

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::apex::{Apex, Exception, transaction};
use crate::org::error::{ApiError, ApiResult, json_response};
use crate::org::request::ApiRequest;
use crate::org::server::Org;

/// What an action does; its body is `{contextId, record}`, and it gives the id of the record that it made or changed.
pub(crate) type Code = Arc<dyn Fn(&mut Apex<'_>) -> Result<Value, Exception> + Send + Sync>;

/// A quick action.
#[derive(Clone)]
pub(crate) struct QuickAction {
    /// `None` for a global one.
    pub(crate) object: Option<String>,
    pub(crate) name: String,
    pub(crate) code: Code,
}

impl std::fmt::Debug for QuickAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.object.as_deref().unwrap_or_default(), self.name)
    }
}

impl QuickAction {
    fn listed(&self, request: &ApiRequest, root: &str) -> Value {
        let url = request.url(&format!("{root}/{}", self.name));
        json!({ "label": self.name, "name": self.name, "type": "Create", "urls": { "quickAction": url } })
    }
}

/// Handles both places; `object` is the one in the path, `below` what follows `quickActions`.
pub(crate) fn route(
    org: &Org,
    request: &ApiRequest,
    object: Option<&str>,
    below: &[String],
) -> ApiResult<Response> {
    let is_here = |action: &&QuickAction| match (&action.object, object) {
        (None, None) => true,
        (Some(own), Some(object)) => own.eq_ignore_ascii_case(object),
        _ => false,
    };
    if object.is_some_and(|object| org.read().schema.index_of(object).is_none()) {
        return Err(ApiError::resource_not_found());
    }
    let mut here = org.automation.quick_actions.iter().filter(is_here);
    let root = object.map_or("quickActions".to_owned(), |object| format!("sobjects/{object}/quickActions"));
    match (request.method.as_str(), below) {
        ("GET" | "HEAD", []) => {
            let list: Vec<Value> = here.map(|action| action.listed(request, &root)).collect();
            Ok(json_response(StatusCode::OK, &list.into()))
        }
        ("GET" | "POST", [name]) => {
            let action = here.find(|action| action.name.eq_ignore_ascii_case(name));
            let action = action.ok_or_else(ApiError::resource_not_found)?;
            if request.method == Method::POST {
                return run(org, request, action);
            }
            Ok(json_response(StatusCode::OK, &action.listed(request, &root)))
        }
        (method, _) => Err(ApiError::method_not_allowed(method, "GET,HEAD,POST")),
    }
}

fn run(org: &Org, request: &ApiRequest, action: &QuickAction) -> ApiResult<Response> {
    let (_, body) = request.json()?;
    let (context, body) = (body.get("contextId").cloned().unwrap_or_default(), Value::Object(body));
    let id = transaction(&mut org.write(), |store| {
        (action.code)(&mut Apex { method: "POST", path: &action.name, query: &[], body: &body, store })
    });
    let id = id.map_err(|exception| {
        let code = exception.code.clone().unwrap_or_else(|| "UNKNOWN_EXCEPTION".to_owned());
        ApiError::save(&code, exception.message, &[])
    })?;
    let body = json!({ "id": id, "feedItemIds": null, "success": true, "created": id.is_string(), "errors": [],
        "contextId": context });
    Ok(json_response(StatusCode::CREATED, &body))
}

/// What a script of the seed sees: the fields under their names, and `contextId`.
pub(super) fn inputs(body: &Value) -> Map<String, Value> {
    let mut inputs = body["record"].as_object().cloned().unwrap_or_default();
    inputs.insert("contextId".to_owned(), body["contextId"].clone());
    inputs
}
