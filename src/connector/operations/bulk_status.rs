//! `bulkStatus`: how far is a bulk job?

use serde::Deserialize;

use super::{
    Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
};
use crate::{
    connector::InvalidInput,
    salesforce::{BulkJob, BulkKind, CallClass, RecordId, Request},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "bulkStatus",
    area: Area::Bulk,
    label: "Look at bulk job",
    summary: "Tells how far a bulk job is.",
    keywords: &["bulk", "status", "state", "job", "poll", "progress"],
    class: CallClass::Read,
    class_with: None,
    calls: "one, `GET /jobs/{jobType}/{bulkJobId}`.",
    body: "the job as Salesforce tells it: `state` (`Open`, `UploadComplete`, `InProgress`, `JobComplete`, `Failed`, `Aborted`), \
           `numberRecordsProcessed`, `numberRecordsFailed`, `errorMessage` and more. A job that is complete may have refused records.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[BULK_JOB_ID, JOB_TYPE],
    examples: Examples {
        answer: (
            200,
            r#"{"id": "7505g00000XyZaBAAV", "operation": "upsert", "object": "Account", "state": "InProgress",
            "numberRecordsProcessed": 4000, "numberRecordsFailed": 2}"#,
        ),
        refusal: (404, r#"[{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]"#),
        result: "={bulkState: body.state, processed: body.numberRecordsProcessed}",
        error: "=if body.state = \"Failed\" then bpmnError(\"bulk failed\", body.errorMessage) \
                else if error.code = \"NOT_FOUND\" then bpmnError(\"no such job\", error.message) else null",
    },
};

pub(super) const BULK_JOB_ID: Input = Input {
    name: "bulkJobId",
    label: "Bulk job",
    kind: fields::OBJECT_ID.kind,
    required: true,
    tooltip: "The id of the bulk job, as Begin bulk job gives it, such as 7505g00000XyZaBAAV.",
    placeholder: "=bulkJobId",
};

pub(super) const JOB_TYPE: Input = Input {
    name: "jobType",
    label: "The bulk job",
    kind: InputKind::Choice {
        choices: &[("ingest", "saves or deletes records"), ("query", "reads records")],
    },
    required: false,
    tooltip: "What the bulk job does; Salesforce keeps the two kinds apart.",
    placeholder: "",
};

/// Which kind of bulk job.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum JobType {
    #[default]
    Ingest,
    Query,
}

impl JobType {
    /// The job of this kind that has this id.
    pub(super) fn job(self, id: RecordId) -> BulkJob {
        let kind = match self {
            Self::Ingest => BulkKind::Ingest,
            Self::Query => BulkKind::Query,
        };
        BulkJob { kind, id }
    }
}

/// The input of `bulkStatus`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BulkStatus {
    bulk_job_id: RecordId,
    #[serde(default)]
    job_type: JobType,
}

impl Operate for BulkStatus {
    fn request(self) -> Result<Request, InvalidInput> {
        Ok(self.job_type.job(self.bulk_job_id).look())
    }
}
