//! `getRecentItems`: what has the user used lately?

use serde::Deserialize;

use super::{
    Operate,
    descriptor::{Area, Descriptor, Examples, Input, ResultContent},
    fields,
};
use crate::{
    connector::InvalidInput,
    salesforce::{CallClass, Request},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "getRecentItems",
    area: Area::Other,
    label: "List recently used records",
    summary: "Lists the records that the user of the connection has viewed or changed lately, the last one first.",
    keywords: &["recent", "recently viewed", "mru", "last used", "history"],
    class: CallClass::Read,
    class_with: None,
    calls: "one, `GET /recent`.",
    body: "A list of the records, each with `attributes`, `Id` and `Name`.",
    contents: &[
        ResultContent::Response,
        ResultContent::Body,
        ResultContent::Records,
        ResultContent::FirstRecord,
    ],
    inputs: &[Input {
        tooltip: "Gives at most this many records, such as 10. Empty: 200, which is the most there can be.",
        placeholder: "10",
        ..fields::MAX_RECORDS
    }],
    examples: Examples {
        answer: (
            200,
            r#"[{"attributes": {"type": "Account"}, "Id": "001Hp00002abcDEFGH", "Name": "Acme"},
            {"attributes": {"type": "Contact"}, "Id": "003Hp00001aaaAAAAA", "Name": "Ada Lovelace"}]"#,
        ),
        refusal: (
            403,
            r#"[{"errorCode": "API_DISABLED_FOR_ORG", "message": "The REST API is not enabled for this Organization."}]"#,
        ),
        result: "={lastUsed: body[1].Id}",
        error: "=if error.code = \"API_DISABLED_FOR_ORG\" then bpmnError(\"no access\", error.message) else null",
    },
};

/// The input of `getRecentItems`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetRecentItems {
    #[serde(default, deserialize_with = "fields::count")]
    max_records: Option<usize>,
}

impl Operate for GetRecentItems {
    fn request(self) -> Result<Request, InvalidInput> {
        Ok(Request::recent(self.max_records))
    }
}
