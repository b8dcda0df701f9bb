//! `getUpdatedRecords`: which records of an object were created or changed in a span of time?

use serde::Deserialize;

use super::{
    Operate,
    descriptor::{Area, Descriptor, Examples, ResultContent},
    fields,
    period::{self, Period},
};
use crate::{
    connector::InvalidInput,
    salesforce::{CallClass, Request},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "getUpdatedRecords",
    area: Area::Other,
    label: "List records changed since",
    summary: "Lists the ids of the records of an object that were created or changed in a span of time.",
    keywords: &["updated", "changed", "created", "since", "replication", "delta", "sync", "modified"],
    class: CallClass::Read,
    class_with: None,
    calls: "one, `GET /sobjects/{objectType}/updated`.",
    body: "`ids`, at most 600,000, and `latestDateCovered`: the start of the next span, so that nothing is left out.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[fields::OBJECT_TYPE, period::START, period::END],
    examples: Examples {
        answer: (
            200,
            r#"{"ids": ["001Hp00002abcDEFGH"], "latestDateCovered": "2026-11-22T11:00:00.000+0000"}"#,
        ),
        refusal: (
            400,
            r#"[{"errorCode": "INVALID_REPLICATION_DATE", "message": "startDate cannot be more than 30 days ago"}]"#,
        ),
        result: "={changed: body.ids, lastCovered: body.latestDateCovered}",
        error: "=if error.code = \"INVALID_REPLICATION_DATE\" then bpmnError(\"too long ago\", error.message) else null",
    },
};

/// The input of `getUpdatedRecords`.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct GetUpdatedRecords(Period);

impl Operate for GetUpdatedRecords {
    fn checked(self) -> Result<Self, InvalidInput> {
        self.0.checked().map(Self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        Ok(Request::updated(&self.0.object_type, self.0.bounds()))
    }
}
