//! `nextRecords`: how do I go on with a query that had more to read?

use serde::Deserialize;

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
    pages::Wanted,
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{CallClass, NextRecordsUrl, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "nextRecords",
    area: Area::Query,
    label: "Read the next records of a query",
    summary: "Goes on with a query where its last answer ended; for processes that work page by page.",
    keywords: &["soql", "query more", "next page", "paging", "continue", "nextRecordsUrl"],
    class: CallClass::Read,
    class_with: None,
    calls: "one for each page, `GET` the `nextRecordsUrl`.",
    body: "`totalSize`, `done` and `records`; `nextRecordsUrl` where there is more to read.",
    contents: &[
        ResultContent::Response,
        ResultContent::Body,
        ResultContent::Records,
        ResultContent::FirstRecord,
    ],
    inputs: &[
        Input {
            name: "nextRecordsUrl",
            label: "Next records URL",
            kind: InputKind::Text { pattern: None },
            required: true,
            tooltip: "body.nextRecordsUrl of the answer before, such as /services/data/v67.0/query/01gD0000002HU6KIAW-2000. \
                      Salesforce forgets it after two days at most.",
            placeholder: "=nextRecordsUrl",
        },
        Input {
            tooltip: "When checked, the pages after it are read too, those of sub-queries as well, one call each, and merged \
                      into one result.",
            ..fields::ALL_PAGES
        },
        Input {
            tooltip: "Keeps at most this many of the next records and reads no page beyond them. Empty: no maximum.",
            ..fields::MAX_RECORDS
        },
        Input {
            tooltip: "From 200 to 2000. Salesforce takes it as advice. Empty: as Salesforce chooses.",
            ..fields::BATCH_SIZE
        },
    ],
    examples: Examples {
        answer: (
            200,
            r#"{"totalSize": 4001, "done": false, "nextRecordsUrl":
            "/services/data/v67.0/query/01gD0000002HU6KIAW-4000", "records": [{"Id": "003Hp00001aaaAAAAA"}]}"#,
        ),
        refusal: (400, r#"[{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}]"#),
        result: "={contacts: body.records, nextRecordsUrl: body.nextRecordsUrl}",
        error: "=if error.code = \"INVALID_QUERY_LOCATOR\" then bpmnError(\"start over\", error.message) else null",
    },
};

/// The input of `nextRecords`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NextRecords {
    #[serde(rename = "nextRecordsUrl")]
    url: NextRecordsUrl,
    #[serde(default, deserialize_with = "fields::flag")]
    all_pages: bool,
    #[serde(default, deserialize_with = "fields::count")]
    max_records: Option<usize>,
    #[serde(default, deserialize_with = "fields::batch_size")]
    batch_size: Option<usize>,
}

impl Operate for NextRecords {
    fn request(self) -> Result<Request, InvalidInput> {
        Ok(Request::next_records(&self.url))
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let Self { all_pages, max_records, batch_size, .. } = self;
        let wanted = Wanted { all_pages, max_records, batch_size };
        wanted.read(self.request()?, call).await
    }
}
