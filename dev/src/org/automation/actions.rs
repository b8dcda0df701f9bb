//! `/actions`: invocable actions, flows among them.
//!
//! Source: Actions Developer Guide, and replies in the field: where every input fails the status is 400, else 200, with a
//! result for each input in both.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::apex::{Apex, Exception, transaction};
use crate::org::error::{ApiError, ApiResult, json_response};
use crate::org::request::ApiRequest;
use crate::org::server::Org;

/// What an action does with one input: its outputs.
pub(crate) type Code = Arc<dyn Fn(&mut Apex<'_>) -> Result<Value, Exception> + Send + Sync>;

/// An action that the org has.
#[derive(Clone)]
pub(crate) struct Action {
    /// Below `/actions`, such as `custom/flow/Close_Case`.
    pub(crate) name: String,
    /// The inputs that it knows, and whether each must be there; `None` takes any.
    pub(crate) inputs: Option<Vec<(String, bool)>>,
    pub(crate) code: Code,
}

impl std::fmt::Debug for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Action {
    fn is_flow(&self) -> bool {
        self.name.starts_with("custom/flow/")
    }

    fn last_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }

    /// What the inputs have too much or too little.
    fn refusal(&self, input: &Map<String, Value>) -> Option<String> {
        let known = self.inputs.as_ref()?;
        if let Some(name) = input.keys().find(|name| !known.iter().any(|(own, _)| own == *name)) {
            return Some(format!("Invalid input parameter: {name}"));
        }
        let missing = |name: &String| input.get(name).is_none_or(Value::is_null);
        let (name, _) = known.iter().find(|(name, required)| *required && missing(name))?;
        Some(format!("Missing required input parameter: {name}"))
    }

    fn described(&self) -> Value {
        let inputs = self
            .inputs
            .iter()
            .flatten()
            .map(|(name, required)| json!({ "name": name, "required": required }));
        json!({ "name": self.last_name(), "label": self.last_name(), "inputs": inputs.collect::<Vec<_>>() })
    }
}

/// Handles everything below `/actions`.
pub(crate) fn route(org: &Org, request: &ApiRequest) -> ApiResult<Response> {
    let name = request.path[1..].join("/");
    let actions = &org.automation.actions;
    let found = actions.iter().find(|action| action.name.eq_ignore_ascii_case(&name));
    match (found, &request.method) {
        (Some(action), &Method::GET) => Ok(json_response(StatusCode::OK, &action.described())),
        (Some(action), &Method::POST) => invoke(org, request, action),
        (Some(_), method) => Err(ApiError::method_not_allowed(method.as_str(), "GET,HEAD,POST")),
        (None, &Method::GET) if !name.is_empty() => {
            let root = format!("{}/", name.to_ascii_lowercase());
            let below = actions.iter().filter(|action| action.name.to_ascii_lowercase().starts_with(&root));
            let below: Vec<Value> = below
                .map(|action| {
                    let url = request.url(&format!("actions/{}", action.name));
                    json!({ "name": action.last_name(), "label": action.last_name(), "url": url })
                })
                .collect();
            if below.is_empty() {
                return Err(ApiError::resource_not_found());
            }
            Ok(json_response(StatusCode::OK, &json!({ "actions": below })))
        }
        _ => Err(ApiError::resource_not_found()),
    }
}

fn invoke(org: &Org, request: &ApiRequest, action: &Action) -> ApiResult<Response> {
    let (_, body) = request.json()?;
    let inputs = body.get("inputs").and_then(Value::as_array).filter(|inputs| !inputs.is_empty());
    let inputs =
        inputs.ok_or_else(|| ApiError::bad_request("INVALID_API_INPUT", "The list of inputs is missing"))?;
    let results: Vec<Value> = inputs.iter().map(|input| run(org, action, input)).collect();
    let all_failed = results.iter().all(|result| result["isSuccess"] == false);
    let status = if all_failed { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Ok(json_response(status, &results.into()))
}

/// One run, in a transaction of its own.
fn run(org: &Org, action: &Action, input: &Value) -> Value {
    let given = input.as_object().cloned().unwrap_or_default();
    if let Some(message) = action.refusal(&given) {
        return failed(action, "INVALID_API_INPUT", &message);
    }
    let outputs = transaction(&mut org.write(), |store| {
        (action.code)(&mut Apex { method: "POST", path: &action.name, query: &[], body: input, store })
    });
    match outputs {
        Ok(outputs) => succeeded(action, outputs),
        Err(exception) if action.is_flow() => {
            let code = exception.code.as_deref().filter(|code| *code == "UNABLE_TO_LOCK_ROW");
            let message = "An error occurred when executing a flow interview.";
            failed(action, code.unwrap_or("UNKNOWN_EXCEPTION"), message)
        }
        Err(exception) => failed(action, "APEX_ERROR", &exception.told()),
    }
}

fn succeeded(action: &Action, outputs: Value) -> Value {
    let mut outputs = match outputs {
        Value::Object(outputs) => outputs,
        Value::Null => Map::new(),
        // What an invocable method returns that is no class of its own.
        other => Map::from_iter([("output".to_owned(), other)]),
    };
    if action.is_flow() {
        outputs.entry("Flow__InterviewStatus").or_insert_with(|| "Finished".into());
        let guid = format!("{:024x}", fastrand::u128(..) >> 32);
        outputs.insert("Flow__InterviewGuid".into(), guid.into());
    }
    let outputs = if outputs.is_empty() { Value::Null } else { Value::Object(outputs) };
    json!({ "actionName": action.last_name(), "errors": null, "invocationId": null, "isSuccess": true, "outcome": null,
        "outputValues": outputs, "sortOrder": -1, "version": 1 })
}

fn failed(action: &Action, code: &str, message: &str) -> Value {
    let errors = json!([{ "statusCode": code, "message": message, "fields": [] }]);
    json!({ "actionName": action.last_name(), "errors": errors, "invocationId": null, "isSuccess": false, "outcome": null,
        "outputValues": null, "sortOrder": -1, "version": 1 })
}
