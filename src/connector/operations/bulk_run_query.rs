//! `bulkRunQuery`: how do I read records by a query that takes minutes?

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Call, Operate, bulk_job, bulk_results, bulk_rows,
    bulk_start_query::{DELETED_TOO, SOQL_QUERY, begin, request},
    descriptor::{Area, Descriptor, Examples, ResultContent},
    fields, query,
};
use crate::{
    connector::{Error, InvalidInput, codes},
    salesforce::{BulkKind, BulkResult, CallClass, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "bulkRunQuery",
    area: Area::Bulk,
    label: "Run bulk query",
    summary: "Reads very many records with a bulk job, and waits for its end.",
    keywords: &["bulk", "query", "run", "wait", "soql", "extract", "export", "read", "job"],
    class: CallClass::Read,
    class_with: None,
    calls: "one to begin, `POST /jobs/query`; then one for each look, `GET /jobs/query/{id}`; at the end one for each page, \
            `GET /jobs/query/{id}/results`.",
    body: "`id` and `state` of the bulk job, `totalSize`, `done` (false where `maxRecords` left some out), and `records`: each with its \
           fields, all of them texts as in CSV, and null where a cell is empty.",
    contents: &[
        ResultContent::Response,
        ResultContent::Body,
        ResultContent::Records,
        ResultContent::FirstRecord,
    ],
    inputs: &[SOQL_QUERY, query::PARAMETERS, DELETED_TOO, fields::MAX_RECORDS],
    examples: Examples {
        answer: (
            200,
            r#"{"id": "7505g00000XyZaCAAV", "state": "JobComplete", "totalSize": 2, "done": true, "records": [
            {"Id": "003Hp00001aaaAAAAA", "Name": "Ada Lovelace", "Email": "ada@example.com"},
            {"Id": "003Hp00001bbbBBBBB", "Name": "Charles Babbage", "Email": null}]}"#,
        ),
        refusal: (400, r#"[{"errorCode": "MALFORMED_QUERY", "message": "unexpected token: FORM"}]"#),
        result: "={found: body.totalSize, names: body.records.Name}",
        error: "=if error.code = \"MALFORMED_QUERY\" then bpmnError(\"not a bulk query\", error.message) else null",
    },
};

/// The input of `bulkRunQuery`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BulkRunQuery {
    #[serde(rename = "soqlQuery")]
    soql: String,
    #[serde(default, deserialize_with = "fields::object")]
    parameters: Map<String, Value>,
    #[serde(default, deserialize_with = "fields::flag")]
    deleted_too: bool,
    #[serde(default, deserialize_with = "fields::count")]
    max_records: Option<usize>,
}

impl Operate for BulkRunQuery {
    fn checked(self) -> Result<Self, InvalidInput> {
        query::bound(&self.soql, &self.parameters)?;
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        request(&self.soql, &self.parameters, self.deleted_too)
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let most = self.max_records;
        let (note, _, is_new) = begin(call, &self.request()?).await?;
        let (job, kind) = (note.job(BulkKind::Query), BulkKind::Query);
        let standing = bulk_job::over(call, (&note, kind), is_new).await?;
        if standing.state() != "JobComplete" {
            let why = standing.error_message().map(|why| format!(": {why}")).unwrap_or_default();
            let message = format!("{job} ended as {}{why}", standing.state());
            let error = Error::new(&codes::BULK_JOB_FAILED, message).with_response(standing.0);
            return Err(error.noting(Value::Null));
        }
        let mut response = bulk_results::all(call, (&job, BulkResult::Query), most, bulk_rows::found).await?;
        let records = response.body.take();
        response.body = json!({"id": job.id, "state": standing.state(),
            "totalSize": standing.count("numberRecordsProcessed")});
        if let (Value::Object(body), Value::Object(records)) = (&mut response.body, records) {
            body.extend(records);
        }
        Ok(response)
    }
}
