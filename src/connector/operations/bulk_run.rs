//! `bulkRun`: how do I save very many records, and go on when that is done?

use serde::Deserialize;
use serde_json::Value;

use super::{
    Call, Operate,
    bulk_account::{self, Policy, RESULTS, WantedRows},
    bulk_ingest,
    bulk_input::{ASSIGNMENT_RULE, BULK_OPERATION, EXTERNAL_ID_FIELD, Ingest, Parts, RECORDS, Verb},
    bulk_job,
    descriptor::{Area, Descriptor, Examples, ResultContent},
    fields,
    list_input::{FAIL_ON, FailOn},
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{BulkKind, CallClass, FieldName, ObjectName, RecordId, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "bulkRun",
    area: Area::Bulk,
    label: "Run bulk job",
    summary: "Saves or deletes very many records with a bulk job, waits for its end, and says which were refused.",
    keywords: &[
        "bulk", "run", "wait", "job", "csv", "upload", "insert", "upsert", "update", "delete", "load", "many",
    ],
    class: CallClass::IdempotentWrite,
    class_with: None,
    calls: "three to begin, `POST /jobs/ingest`, `PUT /jobs/ingest/{id}/batches` and `PATCH /jobs/ingest/{id}`; then one for each look, \
            `GET /jobs/ingest/{id}`; at the end one for each kind of rows that is wanted. None for an empty list.",
    body: "`id` and `state` of the bulk job, `total`, `succeeded`, `failed`, `results` (each with `success`, `id`, `errors` and the \
           `record` that was sent, in no certain order), `resultsComplete`, and in `job` what Salesforce tells of it. A repeated task \
           goes on with the same bulk job.",
    contents: &[ResultContent::Response, ResultContent::Body, ResultContent::Id],
    inputs: &[
        fields::OBJECT_TYPE,
        BULK_OPERATION,
        EXTERNAL_ID_FIELD,
        RECORDS,
        ASSIGNMENT_RULE,
        FAIL_ON,
        RESULTS,
    ],
    examples: Examples {
        answer: (
            200,
            r#"{"id": "7505g00000XyZaBAAV", "state": "JobComplete", "total": 10000, "succeeded": 10000, "failed": 0,
            "results": [], "resultsComplete": true, "job": {"id": "7505g00000XyZaBAAV", "object": "Account",
            "operation": "upsert", "state": "JobComplete", "numberRecordsProcessed": 10000, "numberRecordsFailed": 0}}"#,
        ),
        refusal: (
            200,
            r#"{"id": "7505g00000XyZaBAAV", "state": "JobComplete", "total": 10000, "succeeded": 9999, "failed": 1,
            "results": [{"success": false, "id": null, "errors": [{"errorCode": "REQUIRED_FIELD_MISSING",
            "message": "Required fields are missing: [Name]", "fields": ["Name"]}], "record": {"External_Key__c": "A-17"}}],
            "resultsComplete": true, "job": {"id": "7505g00000XyZaBAAV", "state": "JobComplete"}}"#,
        ),
        result: "={saved: body.succeeded, refused: body.failed}",
        error: super::ON_REFUSED_RECORDS,
    },
};

/// The input of `bulkRun`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BulkRun {
    object_type: ObjectName,
    bulk_operation: Verb,
    external_id_field: Option<FieldName>,
    records: Value,
    assignment_rule_id: Option<RecordId>,
    #[serde(default)]
    fail_on: FailOn,
    #[serde(default)]
    results: WantedRows,
    #[serde(skip)]
    ingest: Option<Ingest>,
}

impl BulkRun {
    fn ingest(self) -> Ingest {
        self.ingest.expect("it was checked")
    }
}

impl Operate for BulkRun {
    fn checked(mut self) -> Result<Self, InvalidInput> {
        let parts = Parts {
            object: &self.object_type,
            verb: self.bulk_operation,
            key: self.external_id_field.as_ref(),
            assignment_rule: self.assignment_rule_id.as_ref(),
        };
        self.ingest = Some(Ingest::of(&parts, self.records.take())?);
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        Ok(self.ingest().create())
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let is_unsafe = self.bulk_operation == Verb::Insert;
        let policy = Policy { fail_on: self.fail_on, results: self.results, is_unsafe };
        let ingest = self.ingest();
        if ingest.is_empty() {
            return Ok(bulk_account::of_nothing());
        }
        let Some(begun) = bulk_ingest::begin(call, &ingest).await? else {
            return Ok(bulk_account::of_nothing());
        };
        drop(ingest);
        let standing = bulk_job::over(call, (&begun.note, BulkKind::Ingest), begun.is_new).await?;
        bulk_account::settle(call, &begun.note, standing, policy).await
    }
}
