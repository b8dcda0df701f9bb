//! `/process/approvals`: records are submitted, approved step by step, or rejected.
//!
//! Source: REST API Developer Guide, "Process Approvals". What is known of an approval are records, as in an org:
//! `ProcessDefinition`, `ProcessInstance`, `ProcessInstanceWorkitem` (what waits for a decision) and
//! `ProcessInstanceStep` (what was decided). Differences on purpose: records are not locked while they wait, and everybody
//! may decide, as an administrator may.

use std::sync::PoisonError;

use axum::http::{Method, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::org::datetime;
use crate::org::error::{ApiError, ApiResult, json_response};
use crate::org::ids;
use crate::org::request::ApiRequest;
use crate::org::schema::Schema;
use crate::org::seed::SeedError;
use crate::org::server::Org;
use crate::org::store::Store;
use crate::org::validate::Save;

/// How records of an object are approved.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ApprovalProcess {
    /// Its API name.
    pub(crate) name: String,
    pub(crate) object: String,
    /// Only records with these values enter; nothing lets all of them in.
    #[serde(default)]
    pub(crate) entry_criteria: Map<String, Value>,
    /// The approvers of each step, by user name or id; all of a step must approve. Nobody: the one user of the org, once.
    #[serde(default)]
    pub(crate) steps: Vec<Vec<String>>,
}

/// Lets approvals be about any object that the org has.
pub(crate) fn point_anywhere(schema: &mut Schema) {
    let all: Vec<String> = schema.objects.iter().map(|object| object.name.clone()).collect();
    if let Some(index) = schema.index_of("ProcessInstance") {
        let fields = &mut schema.objects[index].fields;
        for field in fields.iter_mut().filter(|field| field.name == "TargetObjectId") {
            field.reference_to.clone_from(&all);
        }
    }
}

/// Makes the records that tell of the processes.
pub(crate) fn define(store: &mut Store, processes: &[ApprovalProcess]) -> Result<(), SeedError> {
    for process in processes {
        if store.schema.index_of(&process.object).is_none() {
            let reason = format!("the org has no object {}", process.object);
            return Err(SeedError::new(format!("automation.approvalProcesses: {}", process.name), reason));
        }
        let fields = json!({ "Name": process.name, "DeveloperName": process.name, "Type": "Approval", "State": "Active",
            "TableEnumOrId": process.object });
        made(store, "ProcessDefinition", &fields)
            .map_err(|error| SeedError::new("automation", error.summary()))?;
    }
    Ok(())
}

/// Handles `/process/approvals`.
pub(crate) fn route(org: &Org, request: &ApiRequest) -> ApiResult<Response> {
    match request.method {
        Method::GET | Method::HEAD => Ok(json_response(StatusCode::OK, &listed(org))),
        Method::POST => {
            let (_, body) = request.json()?;
            let requests = body.get("requests").and_then(Value::as_array);
            let requests = requests.ok_or_else(|| {
                ApiError::bad_request("JSON_PARSER_ERROR", "The list of requests is missing")
            })?;
            let mut store = org.write();
            let results = requests.iter().map(|one| {
                let before = store.tables.clone();
                process(org, &mut store, one).unwrap_or_else(|error| {
                    store.tables = before;
                    failed(error)
                })
            });
            let results: Vec<Value> = results.collect();
            let all_failed = results.iter().all(|result| result["success"] == false);
            let status = if all_failed { StatusCode::BAD_REQUEST } else { StatusCode::OK };
            Ok(json_response(status, &results.into()))
        }
        _ => Err(ApiError::method_not_allowed(request.method.as_str(), "GET,HEAD,POST")),
    }
}

fn listed(org: &Org) -> Value {
    let store = org.read();
    let mut approvals: Map<String, Value> = Map::new();
    for process in &org.automation.approvals {
        let id = definition(&store, &process.name);
        let list = approvals.entry(process.object.clone()).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            let order = list.len() + 1;
            list.push(json!({ "description": null, "id": id, "name": process.name, "object": process.object,
                "sortOrder": order }));
        }
    }
    json!({ "approvals": approvals })
}

fn failed(error: ApiError) -> Value {
    let errors = error.save_result()["errors"].clone();
    json!({ "actorIds": null, "entityId": null, "errors": errors, "instanceId": null, "instanceStatus": null,
        "newWorkitemIds": null, "success": false })
}

fn process(org: &Org, store: &mut Store, one: &Value) -> ApiResult<Value> {
    let text = |name: &str| one[name].as_str().unwrap_or_default();
    match text("actionType").to_ascii_lowercase().as_str() {
        "submit" => submit(org, store, one),
        "approve" => decide(org, store, one, "Approved"),
        "reject" => decide(org, store, one, "Rejected"),
        other => Err(ApiError::save("INVALID_INPUT", format!("Unknown actionType: {other}"), &[])),
    }
}

fn submit(org: &Org, store: &mut Store, one: &Value) -> ApiResult<Value> {
    let target = ids::normalize(one["contextId"].as_str().unwrap_or_default())
        .ok_or_else(|| ApiError::save("MALFORMED_ID", "bad id", &["contextId"]))?;
    let (object, record) = live(store, &target)?;
    if !rows(store, "ProcessInstance", "TargetObjectId", &target, |row| row["Status"] == "Pending").is_empty()
    {
        return Err(ApiError::save("ALREADY_IN_PROCESS", "Cannot submit object already in process.", &[]));
    }
    let wanted = one["processDefinitionNameOrId"].as_str();
    let skips = one["skipEntryCriteria"] == true || one["skipEntryCriteria"] == "true";
    let fits = |process: &&ApprovalProcess| {
        let is_wanted = wanted.is_none_or(|wanted| {
            process.name.eq_ignore_ascii_case(wanted)
                || definition(store, &process.name).as_deref() == Some(wanted)
        });
        let enters = skips || process.entry_criteria.iter().all(|(name, value)| record[name] == *value);
        process.object.eq_ignore_ascii_case(&object) && is_wanted && enters
    };
    let process = org.automation.approvals.iter().find(fits);
    let process = process.ok_or_else(|| {
        ApiError::save("NO_APPLICABLE_PROCESS", "No applicable approval process was found.", &[])
    })?;
    let submitter = one["contextActorId"].as_str().unwrap_or(&store.user).to_owned();
    let fields = json!({ "ProcessDefinitionId": definition(store, &process.name), "TargetObjectId": target,
        "Status": "Pending", "SubmittedById": submitter, "LastActorId": submitter });
    let instance = made(store, "ProcessInstance", &fields)?;
    step(store, &instance, "Started", &submitter, one)?;
    let items = next_step(org, store, (process, &instance), one)?;
    Ok(told(store, &instance, &items))
}

/// Opens the next step: a work item for each of its approvers; none after the last step.
fn next_step(
    org: &Org,
    store: &mut Store,
    (process, instance): (&ApprovalProcess, &str),
    one: &Value,
) -> ApiResult<Vec<String>> {
    let steps = &process.steps;
    let only = [Vec::new()];
    let steps = if steps.is_empty() { &only[..] } else { &steps[..] };
    let mut levels = org.automation.levels.lock().unwrap_or_else(PoisonError::into_inner);
    let level = levels.get(instance).copied().unwrap_or_default();
    let Some(approvers) = steps.get(level) else { return Ok(Vec::new()) };
    let given: Vec<String> = one["nextApproverIds"]
        .as_array()
        .map(|ids| ids.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_default();
    let approvers = match (given.is_empty(), approvers.is_empty()) {
        (false, _) => given,
        (true, true) => vec![store.user.clone()],
        (true, false) => approvers.iter().map(|approver| user(store, approver)).collect::<ApiResult<_>>()?,
    };
    let items = approvers.iter().map(|approver| {
        let fields =
            json!({ "ProcessInstanceId": instance, "ActorId": approver, "OriginalActorId": approver });
        made(store, "ProcessInstanceWorkitem", &fields)
    });
    let items = items.collect::<ApiResult<_>>()?;
    levels.insert(instance.to_owned(), level + 1);
    Ok(items)
}

fn decide(org: &Org, store: &mut Store, one: &Value, status: &str) -> ApiResult<Value> {
    let gone = || ApiError::save("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[]);
    let item = ids::normalize(one["contextId"].as_str().unwrap_or_default()).ok_or_else(gone)?;
    let items = store.schema.index_of("ProcessInstanceWorkitem").ok_or_else(gone)?;
    let row = store.live_row(items, &item).map_err(|_| gone())?;
    let fields = rest_fields(store, items, row);
    let instance = fields["ProcessInstanceId"].as_str().unwrap_or_default().to_owned();
    let actor = fields["ActorId"].as_str().unwrap_or_default().to_owned();
    step(store, &instance, status, &actor, one)?;
    store.recycle(items, row);
    let waiting = rows(store, "ProcessInstanceWorkitem", "ProcessInstanceId", &instance, |_| true);
    if status == "Rejected" {
        for row in waiting {
            store.recycle(items, row);
        }
        return finish(store, &instance, status, &actor);
    }
    if !waiting.is_empty() {
        return Ok(told(store, &instance, &[]));
    }
    let opened = match process_of(org, store, &instance) {
        Some(process) => next_step(org, store, (process, &instance), one)?,
        None => Vec::new(),
    };
    if opened.is_empty() {
        finish(store, &instance, status, &actor)
    } else {
        Ok(told(store, &instance, &opened))
    }
}

fn finish(store: &mut Store, instance: &str, status: &str, actor: &str) -> ApiResult<Value> {
    let object = store.schema.index_of("ProcessInstance").ok_or_else(ApiError::resource_not_found)?;
    let row = store.live_row(object, instance)?;
    let now = datetime::format(Timestamp::now());
    let fields = json!({ "Status": status, "CompletedDate": now, "LastActorId": actor });
    store.update(object, row, fields.as_object().unwrap_or(&Map::new()), Save::SEED)?;
    Ok(told(store, instance, &[]))
}

fn told(store: &Store, instance: &str, opened: &[String]) -> Value {
    let about = record(store, instance);
    let mut actors: Vec<Value> = Vec::new();
    for id in opened {
        let actor = record(store, id)["ActorId"].clone();
        if !actors.contains(&actor) {
            actors.push(actor);
        }
    }
    let actors = if actors.is_empty() { Value::Null } else { actors.into() };
    json!({ "actorIds": actors, "entityId": about["TargetObjectId"], "errors": null, "instanceId": instance,
        "instanceStatus": about["Status"], "newWorkitemIds": opened, "success": true })
}

fn step(store: &mut Store, instance: &str, status: &str, actor: &str, one: &Value) -> ApiResult<String> {
    let fields = json!({ "ProcessInstanceId": instance, "StepStatus": status, "ActorId": actor, "OriginalActorId": actor,
        "Comments": one["comments"] });
    made(store, "ProcessInstanceStep", &fields)
}

fn made(store: &mut Store, object: &str, fields: &Value) -> ApiResult<String> {
    let index = store.schema.index_of(object).ok_or_else(ApiError::resource_not_found)?;
    store.create(index, fields.as_object().unwrap_or(&Map::new()), Save::SEED)
}

fn process_of<'a>(org: &'a Org, store: &Store, instance: &str) -> Option<&'a ApprovalProcess> {
    let id = record(store, instance)["ProcessDefinitionId"].clone();
    org.automation.approvals.iter().find(|process| definition(store, &process.name).as_deref() == id.as_str())
}

fn definition(store: &Store, name: &str) -> Option<String> {
    let index = store.schema.index_of("ProcessDefinition")?;
    let mut rows = store.tables[index].live().map(|row| rest_fields(store, index, row));
    rows.find(|row| row["DeveloperName"] == name).and_then(|row| row["Id"].as_str().map(str::to_owned))
}

/// The id of a user who is named by it or by the user name.
fn user(store: &Store, name: &str) -> ApiResult<String> {
    if let Some(id) = ids::normalize(name).filter(|id| store.find(id).is_some()) {
        return Ok(id);
    }
    let unknown = || ApiError::save("INVALID_CROSS_REFERENCE_KEY", format!("no such approver: {name}"), &[]);
    let users = store.schema.index_of("User").ok_or_else(unknown)?;
    let mut all = store.tables[users].live().map(|row| rest_fields(store, users, row));
    let found =
        all.find(|user| user["Username"] == name).and_then(|user| user["Id"].as_str().map(str::to_owned));
    found.ok_or_else(unknown)
}

/// The object of a live record, and the record.
fn live(store: &Store, id: &str) -> ApiResult<(String, Value)> {
    let invalid = || ApiError::save("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[]);
    let object = store.schema.object_of_id(id).ok_or_else(invalid)?;
    let row = store.live_row(object, id).map_err(|_| invalid())?;
    Ok((store.object(object).name.clone(), rest_fields(store, object, row)))
}

fn record(store: &Store, id: &str) -> Value {
    live(store, id).map(|(_, record)| record).unwrap_or_default()
}

/// The live rows that point to `parent` and are meant.
fn rows(
    store: &Store,
    object: &str,
    field: &str,
    parent: &str,
    meant: impl Fn(&Value) -> bool,
) -> Vec<usize> {
    let Some(object) = store.schema.index_of(object) else { return Vec::new() };
    let Some(field) = store.object(object).index_of(field) else { return Vec::new() };
    let rows = store.rows_by(object, field, parent).iter().copied();
    rows.filter(|row| meant(&rest_fields(store, object, *row))).collect()
}

fn rest_fields(store: &Store, object: usize, row: usize) -> Value {
    crate::org::rest::all_fields(store.object(object), &store.tables[object].records[row])
}
