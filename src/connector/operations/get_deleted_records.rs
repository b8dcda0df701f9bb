//! `getDeletedRecords`: which records of an object were deleted in a span of time?

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
    name: "getDeletedRecords",
    area: Area::Other,
    label: "List records deleted since",
    summary: "Lists the records of an object that were deleted in a span of time.",
    keywords: &["deleted", "removed", "since", "replication", "delta", "sync", "recycle bin"],
    class: CallClass::Read,
    class_with: None,
    calls: "one, `GET /sobjects/{objectType}/deleted`.",
    body: "`deletedRecords`, each with `id` and `deletedDate`; `earliestDateAvailable`, before which nothing is known any more; \
           `latestDateCovered`: the start of the next span, so that nothing is left out.",
    contents: &[
        ResultContent::Response,
        ResultContent::Body,
        ResultContent::Records,
        ResultContent::FirstRecord,
    ],
    inputs: &[fields::OBJECT_TYPE, period::START, period::END],
    examples: Examples {
        answer: (
            200,
            r#"{"deletedRecords": [{"id": "001Hp00002abcDEFGH", "deletedDate": "2026-11-22T10:21:00.000+0000"}],
            "earliestDateAvailable": "2026-11-08T10:00:00.000+0000", "latestDateCovered": "2026-11-22T11:00:00.000+0000"}"#,
        ),
        refusal: (
            400,
            r#"[{"errorCode": "INVALID_REPLICATION_DATE", "message": "startDate cannot be more than 30 days ago"}]"#,
        ),
        result: "={deleted: body.deletedRecords.id, lastCovered: body.latestDateCovered}",
        error: "=if error.code = \"INVALID_REPLICATION_DATE\" then bpmnError(\"too long ago\", error.message) else null",
    },
};

/// The input of `getDeletedRecords`.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct GetDeletedRecords(Period);

impl Operate for GetDeletedRecords {
    fn checked(self) -> Result<Self, InvalidInput> {
        self.0.checked().map(Self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        Ok(Request::deleted(&self.0.object_type, self.0.bounds()))
    }
}
