//! `bulkStart`: how do I begin a bulk job, and look after it in the process itself?

use serde::Deserialize;
use serde_json::Value;

use super::{
    Call, Operate, bulk_ingest,
    bulk_input::{ASSIGNMENT_RULE, BULK_OPERATION, EXTERNAL_ID_FIELD, Ingest, Parts, RECORDS, Verb},
    descriptor::{Area, Descriptor, Examples, ResultContent},
    fields,
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{CallClass, FieldName, ObjectName, RecordId, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "bulkStart",
    area: Area::Bulk,
    label: "Begin bulk job",
    summary: "Begins a bulk job that saves or deletes very many records, and does not wait for it.",
    keywords: &[
        "bulk", "start", "begin", "job", "csv", "upload", "insert", "upsert", "update", "delete", "many",
    ],
    class: CallClass::IdempotentWrite,
    class_with: None,
    calls: "three, `POST /jobs/ingest`, `PUT /jobs/ingest/{id}/batches` and `PATCH /jobs/ingest/{id}`; after a cut, one or two more \
            to find out where to go on.",
    body: "the job as Salesforce tells it: `id`, `state`, `object`, `operation` and more.",
    contents: &[ResultContent::Response, ResultContent::Body, ResultContent::Id],
    inputs: &[fields::OBJECT_TYPE, BULK_OPERATION, EXTERNAL_ID_FIELD, RECORDS, ASSIGNMENT_RULE],
    examples: Examples {
        answer: (
            200,
            r#"{"id": "7505g00000XyZaBAAV", "operation": "upsert", "object": "Account", "state": "UploadComplete",
            "externalIdFieldName": "External_Key__c", "contentType": "CSV", "lineEnding": "LF", "columnDelimiter": "COMMA"}"#,
        ),
        refusal: (
            400,
            r#"[{"errorCode": "INVALIDENTITY", "message": "Entity 'Foo__c' is not supported by the Bulk API."}]"#,
        ),
        result: "={bulkJobId: body.id}",
        error: "=if error.code = \"INVALIDENTITY\" then bpmnError(\"not for bulk\", error.message) else null",
    },
};

/// The input of `bulkStart`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BulkStart {
    object_type: ObjectName,
    bulk_operation: Verb,
    external_id_field: Option<FieldName>,
    records: Value,
    assignment_rule_id: Option<RecordId>,
    #[serde(skip)]
    ingest: Option<Ingest>,
}

impl BulkStart {
    fn ingest(self) -> Ingest {
        self.ingest.expect("it was checked")
    }
}

impl Operate for BulkStart {
    fn checked(mut self) -> Result<Self, InvalidInput> {
        let parts = Parts {
            object: &self.object_type,
            verb: self.bulk_operation,
            key: self.external_id_field.as_ref(),
            assignment_rule: self.assignment_rule_id.as_ref(),
        };
        let ingest = Ingest::of(&parts, self.records.take())?;
        if ingest.is_empty() {
            return Err(InvalidInput::new("records", "at least one record", "none"));
        }
        self.ingest = Some(ingest);
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        Ok(self.ingest().create())
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let begun = bulk_ingest::begin(call, &self.ingest()).await?;
        let begun = begun
            .ok_or_else(|| InvalidInput::new("records.csvUrl", "a file with at least one record", "none"));
        Ok(begun?.standing.0)
    }
}
