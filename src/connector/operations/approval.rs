//! What submitting, approving and rejecting have in common.

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value, json};

use super::{
    Call,
    descriptor::{Input, InputKind},
    fields,
    list_account::detail,
};
use crate::{
    connector::{Error, InvalidInput, codes},
    salesforce::{CallClass, RecordId, Request, Response},
};

pub(super) const COMMENTS: Input = Input {
    name: "comments",
    label: "Comments",
    kind: InputKind::LongText,
    required: false,
    tooltip: "What the approval history shows, such as \"Discount of 12 % for order 17\".",
    placeholder: "=reason",
};

pub(super) const NEXT_APPROVERS: Input = Input {
    name: "nextApproverIds",
    label: "Next approvers",
    kind: InputKind::List,
    required: false,
    tooltip: "Ids of users (005…) or queues (00G…), where the approval process lets the one before choose who is next, such as \
              [\"005D00000015rY9IAI\"].",
    placeholder: "=[managerId]",
};

/// The refusal of a work item that somebody has decided about.
pub(super) const DECIDED_ALREADY: (u16, &str) = (
    400,
    r#"[{"errors": [{"statusCode": "INVALID_CROSS_REFERENCE_KEY", "message": "invalid cross reference id",
            "fields": []}], "success": false}]"#,
);

/// What the answer holds, for the reference.
pub(super) const BODY: &str = "`instanceStatus` of the approval (`Pending`, `Approved`, `Rejected`), `instanceId`, `entityId` (the \
    record), `newWorkitemIds` and `actorIds` of the step that waits now, if one does.";

/// Reads ids of users or queues, or one of them.
pub(super) fn approvers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<RecordId>, D::Error> {
    const EXPECTED: &str = "expected a list of ids of users (005…) or queues (00G…)";
    let ids: Vec<Value> = match Value::deserialize(deserializer)? {
        Value::Array(ids) => ids,
        one @ Value::String(_) => vec![one],
        _ => return Err(D::Error::custom(EXPECTED)),
    };
    let id = |id: Value| {
        let id = id.as_str().and_then(|text| text.parse().ok());
        id.filter(is_approver).ok_or_else(|| D::Error::custom(EXPECTED))
    };
    ids.into_iter().map(id).collect()
}

/// The same for one, where the field may be left out.
pub(super) fn approver<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RecordId>, D::Error> {
    let id = Option::<RecordId>::deserialize(deserializer)?;
    if id.as_ref().is_some_and(|id| !is_approver(id)) {
        return Err(D::Error::custom("expected the id of a user (005…) or a queue (00G…)"));
    }
    Ok(id)
}

fn is_approver(id: &RecordId) -> bool {
    id.as_str().starts_with("005") || id.as_str().starts_with("00G")
}

/// The input of `approve` and `reject`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Decision {
    pub(super) object_id: RecordId,
    work_item_id: Option<RecordId>,
    #[serde(default, deserialize_with = "approver")]
    approver_id: Option<RecordId>,
    comments: Option<String>,
    #[serde(default, deserialize_with = "approvers")]
    next_approver_ids: Vec<RecordId>,
}

pub(super) const DECISION_INPUTS: &[Input] = &[
    Input {
        tooltip: "The id of the record that waits for approval, such as 001D000000IRFmaIAH.",
        ..fields::OBJECT_ID
    },
    COMMENTS,
    Input {
        name: "approverId",
        label: "In the place of",
        kind: InputKind::Text { pattern: None },
        required: false,
        tooltip: "Where several must decide, whose decision it is: the id of the user (005…) or queue (00G…) to whom the request is \
                  assigned. Empty: of the only one who has to.",
        placeholder: "=approverId",
    },
    Input {
        name: "workItemId",
        label: "Work item",
        kind: InputKind::Text { pattern: None },
        required: false,
        tooltip: "The id of the approval request (04i…), such as one of newWorkitemIds of Submit for approval. Empty: the one that \
                  waits for the record now, which costs a query.",
        placeholder: "=workItemId",
    },
    NEXT_APPROVERS,
];

impl Decision {
    pub(super) fn checked(self) -> Result<Self, InvalidInput> {
        match &self.work_item_id {
            Some(id) if !id.as_str().starts_with("04i") => Err(InvalidInput::new(
                "workItemId",
                "the id of an approval request (04i…)",
                format!("{:?}", id.as_str()),
            )),
            _ => Ok(self),
        }
    }

    /// Decides about the work item; Salesforce takes nothing else, so that a record's is looked up before.
    pub(super) fn request(&self, action: &str) -> Request {
        let mut fields = Map::new();
        let item = self.work_item_id.as_ref().unwrap_or(&self.object_id);
        fields.insert("contextId".to_owned(), json!(item));
        add(&mut fields, self.comments.as_deref(), &self.next_approver_ids);
        Request::approval(action, fields)
    }

    pub(super) async fn run(mut self, action: &str, call: &Call<'_>) -> Result<Response, Error> {
        if self.work_item_id.is_none() {
            self.work_item_id = Some(self.look_up(call).await?);
        }
        send(call, &self.request(action)).await
    }

    /// The request that waits for a decision about the record.
    async fn look_up(&self, call: &Call<'_>) -> Result<RecordId, Error> {
        let Self { object_id, approver_id, .. } = self;
        let of = approver_id.as_ref().map(|id| format!(" AND ActorId = '{id}'")).unwrap_or_default();
        let soql = format!(
            "SELECT Id, ActorId FROM ProcessInstanceWorkitem WHERE ProcessInstance.TargetObjectId = '{object_id}'{of}"
        );
        let response = call.send(&Request::query(&soql)).await?;
        let items = response.body["records"].as_array().map(Vec::as_slice).unwrap_or_default();
        match items {
            [item] => item["Id"].as_str().and_then(|id| id.parse().ok()).ok_or_else(|| {
                let message = "expected the id of the approval request, found something else";
                Error::new(&codes::INVALID_RESPONSE, message).with_response(response.clone())
            }),
            [] => {
                let of = approver_id.as_ref().map(|id| format!(" of {id}")).unwrap_or_default();
                let message = format!(
                    "no approval request{of} waits for a decision about {object_id}; nothing was decided"
                );
                Err(Error::new(&codes::NO_WORK_ITEM, message))
            }
            several => {
                let actors: Vec<&str> = several.iter().filter_map(|item| item["ActorId"].as_str()).collect();
                let message = format!(
                    "{} approval requests wait for decisions about {object_id}, of {}; approverId says whose it is. Nothing was \
                     decided",
                    several.len(),
                    actors.join(", ")
                );
                Err(Error::new(&codes::SEVERAL_WORK_ITEMS, message))
            }
        }
    }
}

/// Adds what is filled.
pub(super) fn add(fields: &mut Map<String, Value>, comments: Option<&str>, next: &[RecordId]) {
    if let Some(comments) = comments {
        fields.insert("comments".to_owned(), comments.into());
    }
    if !next.is_empty() {
        fields.insert("nextApproverIds".to_owned(), json!(next));
    }
}

/// Sends the one request; its result is the answer's body, or the error that it is.
pub(super) async fn send(call: &Call<'_>, request: &Request) -> Result<Response, Error> {
    debug_assert_eq!(request.class, CallClass::UnsafeWrite, "a second time decides about the next step");
    let mut response = call.send(request).await?;
    match &mut response.body {
        Value::Array(results) if results.len() == 1 && results[0]["success"] == true => {
            response.body = results[0].take();
            Ok(response)
        }
        Value::Array(results) if results.len() == 1 && results[0]["success"] == false => {
            let errors = results[0]["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
            let errors: Vec<_> = errors.iter().map(detail).collect();
            let first = errors.first().map(|first| format!("{}: {}", first.error_code, first.message));
            let message = format!("the approval was refused: {}", first.unwrap_or_default());
            Err(Error::refused(&codes::ACTION_FAILED, errors, message).with_response(response))
        }
        _ => {
            let message = "expected the result of one approval request, found something else";
            Err(Error::new(&codes::INVALID_RESPONSE, message).with_response(response))
        }
    }
}
