//! `approve`: how do I approve what waits for a decision about a record?

use serde::Deserialize;

use super::{
    Call, Operate,
    approval::{self, Decision},
    descriptor::{Area, Descriptor, Examples, ResultContent},
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{CallClass, RecordId, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "approve",
    area: Area::Automation,
    label: "Approve record",
    summary: "Approves the step of an approval process at which a record waits.",
    keywords: &["approve", "approval", "process", "work item", "decision", "accept"],
    class: CallClass::UnsafeWrite,
    class_with: None,
    calls: "two, `GET /query` for the work item and `POST /process/approvals`; one with `workItemId`.",
    body: approval::BODY,
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: approval::DECISION_INPUTS,
    examples: Examples {
        answer: (
            200,
            r#"{"actorIds": null, "entityId": "001Hp00002abcDEFGH", "errors": null, "instanceId": "04gHp0000000001AAA",
            "instanceStatus": "Approved", "newWorkitemIds": [], "success": true}"#,
        ),
        refusal: approval::DECIDED_ALREADY,
        result: "={status: body.instanceStatus}",
        error: "=if error.code = \"INVALID_CROSS_REFERENCE_KEY\" then ignoreError({status: null}) else null",
    },
};

/// The input of `approve`.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Approve(Decision);

impl Operate for Approve {
    fn checked(self) -> Result<Self, InvalidInput> {
        self.0.checked().map(Self)
    }

    fn record_id(&self) -> Option<&RecordId> {
        Some(&self.0.object_id)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        Ok(self.0.request("Approve"))
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        self.0.run("Approve", call).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::connector::operations::{Operation, tests::mistake};

    const RECORD: &str = "001D000000IRFmaIAH";

    #[test]
    fn what_is_filled_goes_to_the_work_item() {
        let input = json!({"objectId": RECORD, "workItemId": "04iD0000000Cw6S", "comments": "ok",
            "nextApproverIds": "005D00000015rY9"});
        let request = Operation::parse("approve", input.as_object().unwrap()).unwrap().request().unwrap();
        let expected = json!({"requests": [{"actionType": "Approve", "contextId": "04iD0000000Cw6S", "comments": "ok",
            "nextApproverIds": ["005D00000015rY9"]}]});
        assert_eq!(request.body, Some(expected));
    }

    #[test]
    fn ids_of_other_things_are_refused() {
        for (field, value, message) in [
            (
                "workItemId",
                json!("04gD0000000Cvm5"),
                "workItemId: expected the id of an approval request (04i…), found \"04gD0000000Cvm5\"",
            ),
            (
                "approverId",
                json!("003D00000015rY9"),
                "approverId: expected the id of a user (005…) or a queue (00G…), found the string \"003D00000015rY9\"",
            ),
            (
                "nextApproverIds",
                json!(["005"]),
                "nextApproverIds: expected a list of ids of users (005…) or queues (00G…), found a list of 1",
            ),
        ] {
            let mut input = json!({"objectId": RECORD});
            input[field] = value;
            assert_eq!(mistake("approve", input), message);
        }
    }
}
