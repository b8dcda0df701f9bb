//! `bulkAbort`: how do I stop a bulk job?

use serde::Deserialize;

use super::{
    Call, Operate, bulk_job,
    bulk_status::{BULK_JOB_ID, JOB_TYPE, JobType},
    descriptor::{Area, Descriptor, Examples, ResultContent},
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{CallClass, RecordId, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "bulkAbort",
    area: Area::Bulk,
    label: "Stop bulk job",
    summary: "Stops a bulk job that is not over; what it has saved stays saved.",
    keywords: &["bulk", "abort", "stop", "cancel", "job"],
    class: CallClass::IdempotentWrite,
    class_with: None,
    calls: "one, `PATCH /jobs/{jobType}/{bulkJobId}`; where that is refused, one more to see whether it is stopped already.",
    body: "the job as Salesforce tells it, with the `state` `Aborted`.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[BULK_JOB_ID, JOB_TYPE],
    examples: Examples {
        answer: (
            200,
            r#"{"id": "7505g00000XyZaBAAV", "operation": "upsert", "object": "Account", "state": "Aborted"}"#,
        ),
        refusal: (
            400,
            r#"[{"errorCode": "INVALIDJOBSTATE", "message": "Aborting already Completed Job not allowed"}]"#,
        ),
        result: "={bulkState: body.state}",
        error: "=if error.code = \"INVALIDJOBSTATE\" then ignoreError({bulkState: \"over\"}) else null",
    },
};

/// The input of `bulkAbort`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BulkAbort {
    bulk_job_id: RecordId,
    #[serde(default)]
    job_type: JobType,
}

impl Operate for BulkAbort {
    fn request(self) -> Result<Request, InvalidInput> {
        Ok(self.job_type.job(self.bulk_job_id).abort())
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let job = self.job_type.job(self.bulk_job_id);
        let refused = match call.send(&job.abort()).await {
            Err(error) if bulk_job::is_of_state(&error) => error,
            other => return other,
        };
        // An earlier try may have stopped it.
        match bulk_job::look(call, &job).await? {
            Some(standing) if standing.state() == "Aborted" => Ok(standing.0),
            _ => Err(refused),
        }
    }
}
