//! What a bulk job has done with its records, and whether that is an error.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Call,
    bulk_job::{Note, Standing},
    bulk_pages,
    bulk_rows::{self, Bounds, Table},
    descriptor::{Input, InputKind},
    list_account::detail,
    list_input::{FailOn, no_answer},
};
use crate::{
    connector::{Error, codes},
    salesforce::{BulkJob, BulkKind, BulkResult, Response},
};

/// The rows of an error are kept up to this, so that they stay whole in the `error` variable.
const MOST_BYTES_OF_ERROR: usize = 100_000;
const MOST_ERRORS: usize = 100;

/// Which rows the answer has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum WantedRows {
    #[default]
    Failed,
    All,
    None,
}

pub(super) const RESULTS: Input = Input {
    name: "results",
    label: "Records in the answer",
    kind: InputKind::Choice {
        choices: &[
            ("failed", "those that were refused"),
            ("all", "all of them"),
            ("none", "none, only their numbers"),
        ],
    },
    required: false,
    tooltip: "The records that body.results holds, each with its id, success, errors and what was sent. As many as fit into the \
              result; body.resultsComplete says whether they are all. The operation Read bulk results gives the rest.",
    placeholder: "",
};

/// How a job is judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    pub(super) fail_on: FailOn,
    pub(super) results: WantedRows,
    /// A second time has a second effect.
    pub(super) is_unsafe: bool,
}

/// How many records met which fate.
#[derive(Clone, Copy, Debug)]
struct Counts {
    total: u64,
    succeeded: u64,
    unprocessed: u64,
}

impl Counts {
    fn failed(self) -> u64 {
        self.total - self.succeeded
    }

    /// What the job says, and how many rows it was given: some that it did not come to it does not count.
    fn of(standing: &Standing, uploaded: Option<u64>) -> Self {
        let processed = standing.count("numberRecordsProcessed");
        let total = uploaded.unwrap_or(processed).max(processed);
        let succeeded = processed.saturating_sub(standing.count("numberRecordsFailed"));
        Self { total, succeeded, unprocessed: total - processed }
    }
}

/// The account of no records, for which there is no job.
pub(super) fn of_nothing() -> Response {
    let body = json!({"id": null, "state": "JobComplete", "total": 0, "succeeded": 0, "failed": 0, "results": [],
        "resultsComplete": true, "job": null});
    Response { body, ..no_answer() }
}

/// The account of a job that is over.
///
/// # Errors
/// `BULK_JOB_FAILED` where it did not come to its end, `RECORDS_FAILED` by the policy; both take the task's note back.
pub(super) async fn settle(
    call: &Call<'_>,
    note: &Note,
    standing: Standing,
    policy: Policy,
) -> Result<Response, Error> {
    let job = note.job(BulkKind::Ingest);
    let counts = Counts::of(&standing, note.rows);
    let is_whole = standing.state() == "JobComplete";
    let judged = policy.fail_on.is_error(number(counts.failed()), number(counts.succeeded));
    let is_error = judged || !is_whole;
    let bytes =
        if is_error { MOST_BYTES_OF_ERROR.min(call.max_result_bytes) } else { call.max_result_bytes / 4 * 3 };
    let bounds = Bounds { rows: usize::MAX, bytes };
    let rows = read(call, &job, (&counts, note.rows.is_none()), (policy, is_error), bounds).await?;
    let complete = !rows.were_cut && (policy.results != WantedRows::None || is_error);
    let body = json!({"id": job.id, "state": standing.state(), "total": counts.total, "succeeded": counts.succeeded,
        "failed": counts.failed(), "results": rows.rows, "resultsComplete": complete, "job": standing.0.body});
    let response = Response { body, ..standing.0.clone() };
    if !is_error {
        return Ok(response);
    }
    let error = if is_whole { refused(counts, &rows, policy) } else { broken(&job, &standing, counts) };
    let details = rows.rows.iter().filter_map(|row| row["errors"].as_array()).flatten().map(detail);
    let error = error.with_details(details.take(MOST_ERRORS)).with_response(response).noting(Value::Null);
    Err(if policy.is_unsafe && counts.succeeded > 0 { error.after_writing() } else { error })
}

/// The rows that are wanted, the refused ones first.
async fn read(
    call: &Call<'_>,
    job: &BulkJob,
    (counts, is_uncounted): (&Counts, bool),
    (policy, is_error): (Policy, bool),
    bounds: Bounds,
) -> Result<Table, Error> {
    let mut rows = Table::default();
    if policy.results == WantedRows::None && !is_error {
        return Ok(rows);
    }
    if counts.failed() > 0 {
        let which = (job, BulkResult::Failed);
        bulk_pages::read(call, which, (&mut rows, bounds), bulk_rows::result).await?;
    }
    if counts.unprocessed > 0 || is_uncounted {
        let which = (job, BulkResult::Unprocessed);
        bulk_pages::read(call, which, (&mut rows, bounds), bulk_rows::unprocessed).await?;
    }
    if policy.results == WantedRows::All && counts.succeeded > 0 && !rows.were_cut {
        let which = (job, BulkResult::Successful);
        bulk_pages::read(call, which, (&mut rows, bounds), bulk_rows::result).await?;
    }
    Ok(rows)
}

fn refused(counts: Counts, rows: &Table, policy: Policy) -> Error {
    let mut message = format!(
        "{} of {} records were refused, {} are done (failOn: {})",
        counts.failed(),
        counts.total,
        counts.succeeded,
        policy.fail_on.name()
    );
    if let Some(first) = rows.rows.iter().find_map(|row| row["errors"].get(0)) {
        let first = detail(first);
        message = format!("{message}; the first: {}: {}", first.error_code, first.message);
    }
    let error = Error::new(&codes::RECORDS_FAILED, message);
    let is_undone = !policy.is_unsafe || counts.succeeded == 0;
    if is_undone && !rows.were_cut && all_pass(&rows.rows) { error.passing() } else { error }
}

/// Whether another try of the whole has a good chance: somebody else held the records for a moment.
fn all_pass(rows: &[Value]) -> bool {
    let failed = rows.iter().filter(|row| row["success"] == false);
    let mut codes = failed.map(|row| row["errors"][0]["errorCode"].as_str()).peekable();
    codes.peek().is_some() && codes.all(|code| code == Some("UNABLE_TO_LOCK_ROW"))
}

fn broken(job: &BulkJob, standing: &Standing, counts: Counts) -> Error {
    let why = standing.error_message().map(|why| format!(": {why}")).unwrap_or_default();
    let (state, Counts { total, succeeded, .. }) = (standing.state(), counts);
    Error::new(
        &codes::BULK_JOB_FAILED,
        format!("{job} ended as {state}{why}; {succeeded} of {total} records are done"),
    )
}

fn number(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
