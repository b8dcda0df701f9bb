//! The seed's `automation`, read.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::apex::Apex;
use super::approvals::ApprovalProcess;
use super::events::EventDefinition;
use super::quick_actions;
use super::script::Script;
use super::{Action, Automation, QuickAction, Resource};
use crate::org::faults::Reply;
use crate::org::seed::SeedError;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Members {
    apex_rest: Vec<ApexRest>,
    actions: Vec<SeedAction>,
    quick_actions: Vec<SeedQuickAction>,
    events: Vec<EventDefinition>,
    approval_processes: Vec<ApprovalProcess>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeedQuickAction {
    object: Option<String>,
    name: String,
    #[serde(default)]
    does: Script,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeedAction {
    /// Below `/actions`, such as `custom/flow/Close_Case`.
    name: String,
    #[serde(default)]
    inputs: Vec<Parameter>,
    #[serde(default)]
    does: Script,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Parameter {
    name: String,
    #[serde(default)]
    required: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ApexRest {
    method: String,
    url_mapping: String,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    does: Script,
}

fn ok() -> u16 {
    200
}

/// Reads what the org does by itself.
pub(crate) fn read(automation: &Value) -> Result<Automation, SeedError> {
    if automation.is_null() {
        return Ok(Automation::default());
    }
    let refused = |error: serde_json::Error| SeedError::new("automation", error.to_string());
    let members: Members = serde_json::from_value(automation.clone()).map_err(refused)?;
    let actions = members.actions.into_iter().map(action).collect();
    let resources = members.apex_rest.into_iter().map(resource).collect::<Result<_, _>>()?;
    let quick_actions = members.quick_actions.into_iter().map(quick_action).collect();
    let (events, approvals) = (members.events, members.approval_processes);
    if let Some(event) = events.iter().find(|event| !event.name.ends_with("__e")) {
        let reason = "expected a name that ends with __e";
        return Err(SeedError::new(format!("automation.events: {}", event.name), reason));
    }
    Ok(Automation { resources, actions, quick_actions, events, approvals, ..Automation::default() })
}

fn quick_action(SeedQuickAction { object, name, does }: SeedQuickAction) -> QuickAction {
    let code = move |apex: &mut Apex<'_>| {
        does.run(apex, &quick_actions::inputs(apex.body)).map(|given| given["id"].clone())
    };
    QuickAction { object, name, code: Arc::new(code) }
}

fn action(SeedAction { name, inputs, does }: SeedAction) -> Action {
    let inputs = inputs.into_iter().map(|parameter| (parameter.name, parameter.required)).collect();
    let code = move |apex: &mut Apex<'_>| does.run(apex, &apex.body.as_object().cloned().unwrap_or_default());
    Action { name, inputs: Some(inputs), code: Arc::new(code) }
}

fn resource(ApexRest { method, url_mapping, status, does }: ApexRest) -> Result<Resource, SeedError> {
    if !url_mapping.starts_with('/') || !(200..600).contains(&status) {
        let reason = "expected a urlMapping that starts with / and a status from 200 to 599";
        return Err(SeedError::new(format!("automation.apexRest: {url_mapping}"), reason));
    }
    let code = move |apex: &mut Apex<'_>| {
        let inputs = inputs(apex);
        does.run(apex, &inputs).map(|outputs| Reply::new(status, outputs.to_string()))
    };
    Ok(Resource { method, mapping: url_mapping, code: Arc::new(code) })
}

/// What a class was called with: the parameters of the address, and the members of the body.
fn inputs(apex: &Apex<'_>) -> Map<String, Value> {
    let mut inputs: Map<String, Value> =
        apex.query.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    inputs.extend(apex.body.as_object().cloned().unwrap_or_default());
    inputs.insert("path".to_owned(), apex.path.into());
    inputs
}
