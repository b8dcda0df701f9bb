//! `submitForApproval`: how do I start the approval of a record?

use serde::Deserialize;
use serde_json::{Map, json};

use super::{
    Call, Operate,
    approval::{self, COMMENTS, NEXT_APPROVERS},
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{CallClass, RecordId, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "submitForApproval",
    area: Area::Automation,
    label: "Submit for approval",
    summary: "Submits a record to an approval process of the org.",
    keywords: &["submit", "approval", "approve", "process", "request", "work item"],
    class: CallClass::UnsafeWrite,
    class_with: None,
    calls: "one, `POST /process/approvals`.",
    body: approval::BODY,
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[
        Input { tooltip: "The id of the record to submit, such as 001D000000IRFmaIAH.", ..fields::OBJECT_ID },
        COMMENTS,
        Input {
            name: "processDefinitionNameOrId",
            label: "Approval process",
            kind: InputKind::Text { pattern: None },
            required: false,
            tooltip: "API name or id of the approval process, such as Discount_Approval. Empty: the first active one whose entry \
                      criteria the record meets.",
            placeholder: "Discount_Approval",
        },
        Input {
            name: "skipEntryCriteria",
            label: "Skip the entry criteria",
            kind: InputKind::Boolean { default: false },
            required: false,
            tooltip: "When checked, the record enters the named approval process whatever its entry criteria say.",
            placeholder: "",
        },
        NEXT_APPROVERS,
        Input {
            name: "contextActorId",
            label: "Submitted by",
            kind: InputKind::Text { pattern: None },
            required: false,
            tooltip: "The id of the user (005…) for whom it is submitted, who must be one of the process's submitters. Empty: the \
                      user of the connection.",
            placeholder: "=employeeId",
        },
    ],
    examples: Examples {
        answer: (
            200,
            r#"{"actorIds": ["005Hp00000abcDEAAA"], "entityId": "001Hp00002abcDEFGH", "errors": null,
            "instanceId": "04gHp0000000001AAA", "instanceStatus": "Pending", "newWorkitemIds": ["04iHp0000000001AAA"],
            "success": true}"#,
        ),
        refusal: (
            400,
            r#"[{"errors": [{"statusCode": "ALREADY_IN_PROCESS", "message": "Cannot submit object already in process.",
            "fields": []}], "success": false}]"#,
        ),
        result: "={workItemId: body.newWorkitemIds[1]}",
        error: "=if error.code = \"ALREADY_IN_PROCESS\" then bpmnError(\"under way\", error.message) else null",
    },
};

/// The input of `submitForApproval`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubmitForApproval {
    object_id: RecordId,
    comments: Option<String>,
    process_definition_name_or_id: Option<String>,
    #[serde(default, deserialize_with = "fields::flag")]
    skip_entry_criteria: bool,
    #[serde(default, deserialize_with = "approval::approvers")]
    next_approver_ids: Vec<RecordId>,
    #[serde(default, deserialize_with = "approval::approver")]
    context_actor_id: Option<RecordId>,
}

impl Operate for SubmitForApproval {
    fn checked(self) -> Result<Self, InvalidInput> {
        if self.skip_entry_criteria && self.process_definition_name_or_id.is_none() {
            let expected = "the approval process whose entry criteria are skipped";
            return Err(InvalidInput::new("processDefinitionNameOrId", expected, "nothing"));
        }
        Ok(self)
    }

    fn record_id(&self) -> Option<&RecordId> {
        Some(&self.object_id)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        let mut request = Map::new();
        request.insert("contextId".to_owned(), json!(self.object_id));
        if let Some(process) = self.process_definition_name_or_id {
            request.insert("processDefinitionNameOrId".to_owned(), process.into());
        }
        if self.skip_entry_criteria {
            request.insert("skipEntryCriteria".to_owned(), true.into());
        }
        if let Some(submitter) = self.context_actor_id {
            request.insert("contextActorId".to_owned(), json!(submitter));
        }
        approval::add(&mut request, self.comments.as_deref(), &self.next_approver_ids);
        Ok(Request::approval("Submit", request))
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        approval::send(call, &self.request()?).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::connector::operations::{Operation, tests::mistake};

    #[test]
    fn only_what_is_filled_is_sent() {
        let request = |input: serde_json::Value| {
            Operation::parse("submitForApproval", input.as_object().unwrap()).unwrap().request().unwrap().body
        };
        let plain = json!({"objectId": "001D000000IRFmaIAH", "skipEntryCriteria": false, "comments": " "});
        let expected = json!({"requests": [{"actionType": "Submit", "contextId": "001D000000IRFmaIAH"}]});
        assert_eq!(request(plain), Some(expected));
        let full = json!({"objectId": "001D000000IRFmaIAH", "processDefinitionNameOrId": "P", "skipEntryCriteria": "true",
            "contextActorId": "005D00000015rZy"});
        let expected = json!({"requests": [{"actionType": "Submit", "contextId": "001D000000IRFmaIAH",
            "processDefinitionNameOrId": "P", "skipEntryCriteria": true, "contextActorId": "005D00000015rZy"}]});
        assert_eq!(request(full), Some(expected));
        let message = mistake(
            "submitForApproval",
            json!({"objectId": "001D000000IRFmaIAH", "skipEntryCriteria": true}),
        );
        assert_eq!(
            message,
            "processDefinitionNameOrId: expected the approval process whose entry criteria are skipped, found nothing"
        );
    }
}
