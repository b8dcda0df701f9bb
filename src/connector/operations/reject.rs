//! `reject`: how do I reject what waits for a decision about a record?

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
    name: "reject",
    area: Area::Automation,
    label: "Reject record",
    summary: "Rejects the step of an approval process at which a record waits.",
    keywords: &["reject", "decline", "approval", "process", "work item", "decision"],
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
            "instanceStatus": "Rejected", "newWorkitemIds": [], "success": true}"#,
        ),
        refusal: approval::DECIDED_ALREADY,
        result: "={status: body.instanceStatus}",
        error: "=if error.code = \"INVALID_CROSS_REFERENCE_KEY\" then bpmnError(\"decided already\", error.message) else null",
    },
};

/// The input of `reject`.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Reject(Decision);

impl Operate for Reject {
    fn checked(self) -> Result<Self, InvalidInput> {
        self.0.checked().map(Self)
    }

    fn record_id(&self) -> Option<&RecordId> {
        Some(&self.0.object_id)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        Ok(self.0.request("Reject"))
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        self.0.run("Reject", call).await
    }
}
