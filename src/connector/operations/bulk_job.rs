//! A job of the Bulk API as its task follows it: what is noted of it, how far it is, and waiting for it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::Call;
use crate::{
    connector::{Error, codes},
    salesforce::{BulkJob, BulkKind, RecordId, Response},
};

/// The name of the note in the job's state.
const NOTE: &str = "bulk";

/// The pauses between looks while waiting in place: the first, doubled after each, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A job that is given back looks again after so long at most.
const LONGEST_REST: Duration = Duration::from_mins(1);

/// A job whose upload got no answer rests so long, and longer after each further one; so many in a row cost one of its
/// retries.
const REST_AFTER_LOSS: Duration = Duration::from_secs(10);
const MOST_LOSSES: u32 = 3;

/// How far the task has brought its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Stage {
    /// It is there. Its data may be there or not, and it was not told to begin.
    Created,
    /// Its data is there, or it needs none: it may have been told to begin.
    Uploaded,
}

/// What a task's next try must know of its bulk job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Note {
    id: RecordId,
    pub(super) stage: Stage,
    /// How many rows were uploaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rows: Option<u64>,
    /// How many uploads before this one got no answer, one after the other.
    #[serde(default, skip_serializing_if = "is_none")]
    pub(super) losses: u32,
    /// When it began, in seconds since 1970.
    since: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_none(count: &u32) -> bool {
    *count == 0
}

impl Note {
    /// The note with which the task's job came.
    pub(super) fn of(call: &Call<'_>) -> Option<Self> {
        call.watchman.note(NOTE)
    }

    /// The note of a job that was just made.
    pub(super) fn new(created: &Response, stage: Stage) -> Result<Self, Error> {
        let id = created.body["id"].as_str().unwrap_or_default();
        let Ok(id) = id.parse() else {
            let message =
                format!("expected the id of a bulk job, found something else (HTTP {})", created.status);
            return Err(Error::new(&codes::INVALID_RESPONSE, message).with_response(created.clone()));
        };
        Ok(Self { id, stage, rows: None, losses: 0, since: jiff::Timestamp::now().as_second() })
    }

    /// The job that it is about.
    pub(super) fn job(&self, kind: BulkKind) -> BulkJob {
        BulkJob { kind, id: self.id.clone() }
    }

    pub(super) async fn leave(&self, call: &Call<'_>) -> Result<(), Error> {
        call.watchman.leave_note(NOTE, self).await
    }

    /// The upload got no answer: the task's job goes back with unchanged retries, and after several such times with one less.
    pub(super) fn lost(&self, call: &Call<'_>) -> Error {
        let message = format!(
            "the bulk job {}: the upload got no answer; nothing comes of it, for the job was not told to begin",
            self.id.as_str()
        );
        let losses = (self.losses + 1) % MOST_LOSSES;
        let note = call.watchman.noted(NOTE, &Self { losses, ..self.clone() });
        let error = Error::new(&codes::CONNECTION_LOST, message).noting(note);
        if losses == 0 { error } else { error.parked(REST_AFTER_LOSS * losses) }
    }

    /// The task's job goes back, and comes again after a while that grows with what the bulk job has taken so far.
    fn rest(&self, call: &Call<'_>, standing: &Standing) -> Error {
        let taken = jiff::Timestamp::now().as_second().saturating_sub(self.since);
        let taken = Duration::from_secs(u64::try_from(taken).unwrap_or_default());
        let rest = (taken / 4).min(LONGEST_REST).max(call.bulk_wait);
        let message = format!("the bulk job {} is {}", self.id.as_str(), standing.state());
        Error::new(&codes::BULK_JOB_RUNNING, message).parked(rest).noting(call.watchman.noted(NOTE, self))
    }
}

/// What a job says of itself.
#[derive(Clone, Debug)]
pub(super) struct Standing(pub(super) Response);

impl Standing {
    pub(super) fn state(&self) -> &str {
        self.0.body["state"].as_str().unwrap_or_default()
    }

    /// Whether it goes on without its client.
    pub(super) fn is_running(&self) -> bool {
        matches!(self.state(), "UploadComplete" | "InProgress")
    }

    pub(super) fn count(&self, name: &str) -> u64 {
        let count = &self.0.body[name];
        count.as_u64().or_else(|| count.as_str()?.parse().ok()).unwrap_or_default()
    }

    /// Why it failed, in Salesforce's words.
    pub(super) fn error_message(&self) -> Option<&str> {
        self.0.body["errorMessage"].as_str().filter(|text| !text.trim().is_empty())
    }
}

/// How far a job is; `None` where there is none of this id.
pub(super) async fn look(call: &Call<'_>, job: &BulkJob) -> Result<Option<Standing>, Error> {
    match call.send(&job.look()).await {
        Ok(response) if response.body["state"].is_string() => Ok(Some(Standing(response))),
        Ok(response) => {
            let message =
                format!("expected how far {job} is, found something else (HTTP {})", response.status);
            Err(Error::new(&codes::INVALID_RESPONSE, message).with_response(response))
        }
        Err(error) if error.response().is_some_and(|response| response.status == 404) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Waits until a job is over: in place for a moment where the task has just begun it, then by giving the task's job back.
///
/// # Errors
/// One that rests ([`Error::parks`]) as long as the bulk job goes on.
pub(super) async fn over(
    call: &Call<'_>,
    (note, kind): (&Note, BulkKind),
    is_new: bool,
) -> Result<Standing, Error> {
    let patience = Instant::now() + if is_new { call.bulk_wait } else { Duration::ZERO };
    let mut pause = FIRST_PAUSE;
    loop {
        let job = note.job(kind);
        let standing = look(call, &job).await?.ok_or_else(|| gone(&job))?;
        if !standing.is_running() {
            return Ok(standing);
        }
        if Instant::now() + pause > patience {
            return Err(note.rest(call, &standing));
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The error of a job that is there no longer, though it had begun.
pub(super) fn gone(job: &BulkJob) -> Error {
    let message = format!("{job} is not there any more; Salesforce keeps bulk jobs for a week");
    Error::new(&codes::BULK_JOB_FAILED, message).noting(Value::Null)
}

/// Whether a call was refused because of the state that its job has.
pub(super) fn is_of_state(error: &Error) -> bool {
    error.codes().any(|code| matches!(code, "INVALIDJOBSTATE" | "INVALIDJOB"))
}
