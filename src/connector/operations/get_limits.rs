//! `getLimits`: what has the org left of its limits?

use serde::Deserialize;

use super::{
    Operate,
    descriptor::{Area, Descriptor, Examples, ResultContent},
};
use crate::{
    connector::InvalidInput,
    salesforce::{CallClass, Request},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "getLimits",
    area: Area::Other,
    label: "Get the limits of the org",
    summary: "Tells what the org may have and has left: API requests, bulk batches, storage and more.",
    keywords: &["limits", "api usage", "quota", "remaining", "storage", "DailyApiRequests"],
    class: CallClass::Read,
    class_with: None,
    calls: "one, `GET /limits`. The user needs the permission View Setup and Configuration.",
    body: "Each limit by its name, such as `DailyApiRequests`, with `Max` and `Remaining`.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[],
    examples: Examples {
        answer: (
            200,
            r#"{"DailyApiRequests": {"Max": 15000, "Remaining": 14998}, "DataStorageMB": {"Max": 5, "Remaining": 4}}"#,
        ),
        refusal: (
            403,
            r#"[{"errorCode": "INSUFFICIENT_ACCESS", "message": "insufficient access rights on object id"}]"#,
        ),
        result: "={callsLeft: body.DailyApiRequests.Remaining}",
        error: "=if error.code = \"INSUFFICIENT_ACCESS\" then ignoreError({callsLeft: null}) else null",
    },
};

/// The input of `getLimits`: nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetLimits {}

impl Operate for GetLimits {
    fn request(self) -> Result<Request, InvalidInput> {
        Ok(Request::limits())
    }
}
