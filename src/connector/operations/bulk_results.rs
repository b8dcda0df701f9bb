//! `bulkResults`: what became of each record of a bulk job, and what did a bulk query find?

use serde::Deserialize;
use serde_json::json;

use super::{
    Call, Operate, bulk_pages,
    bulk_pages::Reading,
    bulk_rows::{self, Bounds, Table},
    bulk_status::BULK_JOB_ID,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
};
use crate::{
    connector::{Error, InvalidInput, codes},
    salesforce::{BulkJob, BulkKind, BulkResult, CallClass, RecordId, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "bulkResults",
    area: Area::Bulk,
    label: "Read bulk results",
    summary: "Reads what a bulk job gives: the records that it saved, refused or did not come to, or what it found.",
    keywords: &["bulk", "results", "failed", "successful", "unprocessed", "rows", "query", "csv", "job"],
    class: CallClass::Read,
    class_with: None,
    calls: "one for each page, `GET /jobs/ingest/{bulkJobId}/successfulResults`, `…/failedResults`, `…/unprocessedrecords` or \
            `GET /jobs/query/{bulkJobId}/results`.",
    body: "`records` and `done`: false where `maxRecords` left some out. A record of a query has its fields, all of them texts as in \
           CSV, and null where a cell is empty; one that was uploaded has `success`, `id`, `errors` and the `record` that was sent.",
    contents: &[
        ResultContent::Response,
        ResultContent::Body,
        ResultContent::Records,
        ResultContent::FirstRecord,
    ],
    inputs: &[
        BULK_JOB_ID,
        Input {
            name: "rows",
            label: "Records",
            kind: InputKind::Choice {
                choices: &[
                    ("failed", "that were refused"),
                    ("successful", "that were saved or deleted"),
                    ("unprocessed", "that the bulk job did not come to"),
                    ("query", "that a bulk query found"),
                ],
            },
            required: false,
            tooltip: "Which records of the bulk job are read, in no certain order.",
            placeholder: "",
        },
        MOST_RECORDS,
    ],
    examples: Examples {
        answer: (
            200,
            r#"{"done": true, "records": [{"success": false, "id": null, "errors": [{"errorCode": "REQUIRED_FIELD_MISSING",
            "message": "Required fields are missing: [Name]", "fields": ["Name"]}], "record": {"External_Key__c": "A-17"}}]}"#,
        ),
        refusal: (404, r#"[{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]"#),
        result: "={refused: body.records.record}",
        error: "=if error.code = \"NOT_FOUND\" then bpmnError(\"no such job\", error.message) else null",
    },
};

const MOST_RECORDS: Input = Input {
    tooltip: "Reads at most this many records. Empty: all of them, as long as they fit into the result.",
    ..fields::MAX_RECORDS
};

/// Which rows.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Which {
    #[default]
    Failed,
    Successful,
    Unprocessed,
    Query,
}

impl Which {
    fn is(self) -> (BulkKind, BulkResult, Reading) {
        match self {
            Self::Failed => (BulkKind::Ingest, BulkResult::Failed, bulk_rows::result),
            Self::Successful => (BulkKind::Ingest, BulkResult::Successful, bulk_rows::result),
            Self::Unprocessed => (BulkKind::Ingest, BulkResult::Unprocessed, bulk_rows::unprocessed),
            Self::Query => (BulkKind::Query, BulkResult::Query, bulk_rows::found),
        }
    }
}

/// The input of `bulkResults`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BulkResults {
    bulk_job_id: RecordId,
    #[serde(default)]
    rows: Which,
    #[serde(default, deserialize_with = "fields::count")]
    max_records: Option<usize>,
}

impl Operate for BulkResults {
    fn request(self) -> Result<Request, InvalidInput> {
        let (kind, which, _) = self.rows.is();
        Ok(BulkJob { kind, id: self.bulk_job_id }.rows(which, (None, None), usize::MAX))
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let (kind, which, reading) = self.rows.is();
        let job = BulkJob { kind, id: self.bulk_job_id };
        all(call, (&job, which), self.max_records, reading).await
    }
}

/// All rows, or so many: more than may be handed over are refused.
pub(super) async fn all(
    call: &Call<'_>,
    (job, which): (&BulkJob, BulkResult),
    most: Option<usize>,
    reading: Reading,
) -> Result<Response, Error> {
    let bounds = Bounds { rows: most.unwrap_or(usize::MAX), bytes: call.max_result_bytes };
    let mut rows = Table::default();
    let last = bulk_pages::read(call, (job, which), (&mut rows, bounds), reading).await?;
    if rows.were_cut && most.is_none_or(|most| rows.rows.len() < most) {
        let message = format!(
            "the rows of {job} are larger than {} bytes after {}; reading was stopped",
            bounds.bytes,
            rows.rows.len()
        );
        return Err(Error::new(&codes::RESULT_TOO_LARGE, message));
    }
    let body = json!({"done": !rows.were_cut, "records": rows.rows});
    Ok(Response { body, ..last })
}
