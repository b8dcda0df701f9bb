//! `queryAll`: how do I find records that were deleted or archived?

use serde::Deserialize;

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, ResultContent},
    fields,
    query::{self, Query},
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{CallClass, Path, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "queryAll",
    area: Area::Query,
    label: "Query records, deleted and archived too (SOQL)",
    summary: "Reads records with a SOQL query, also those in the recycle bin and archived activities.",
    keywords: &["soql", "query all", "deleted", "archived", "recycle bin", "find"],
    class: CallClass::Read,
    class_with: None,
    calls: "one for each page, `GET /queryAll`, then the `nextRecordsUrl` of the page before. With `allPages` also one for \
            each further page of a sub-query.",
    body: "`totalSize`, `done` and `records`; `nextRecordsUrl` where there is more to read. The field `IsDeleted` tells what is \
           in the recycle bin.",
    contents: &[
        ResultContent::Response,
        ResultContent::Body,
        ResultContent::Records,
        ResultContent::FirstRecord,
    ],
    inputs: &[
        query::SOQL_QUERY,
        query::PARAMETERS,
        fields::ALL_PAGES,
        fields::MAX_RECORDS,
        fields::BATCH_SIZE,
    ],
    examples: Examples {
        answer: (
            200,
            r#"{"totalSize": 1, "done": true, "records": [{"Id": "003Hp00001aaaAAAAA", "IsDeleted": true}]}"#,
        ),
        refusal: (400, r#"[{"errorCode": "MALFORMED_QUERY", "message": "unexpected token: FORM"}]"#),
        result: "={found: body.totalSize, ids: body.records.Id}",
        error: "=if error.code = \"MALFORMED_QUERY\" then bpmnError(\"not a query\", error.message) else null",
    },
};

/// The input of `queryAll`: that of `query`.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct QueryAll(Query);

impl Operate for QueryAll {
    fn checked(self) -> Result<Self, InvalidInput> {
        self.0.checked().map(Self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        self.0.request().map(among_all)
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        self.0.read(call, among_all).await
    }
}

fn among_all(request: Request) -> Request {
    Request { path: Path::Versioned("/queryAll".to_owned()), ..request }
}
