//! Jobs that were not carried out: each is one log line, and the last fifty are kept for the admin page.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

use super::{
    codes::{self, ErrorType},
    error::Error,
    redactor::Redactor,
    request,
};
use crate::zeebe::{Failure, Job, Outcome};

/// How many are kept.
const KEPT: usize = 50;
/// Characters of a message that are shown.
const MESSAGE_LIMIT: usize = 400;
/// Where Salesforce names the request, for its support.
const REQUEST_IDS: &[&str] = &["x-sfdc-request-id", "x-request-id"];

/// A job that was not carried out, without secrets and without data of records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedJob {
    /// When, in UTC: `2026-11-27T12:00:00Z`.
    pub at: String,
    /// The job's key.
    pub job_key: i64,
    /// The key of its process instance.
    pub process_instance_key: i64,
    /// The id of its process.
    pub process: String,
    /// The id of its task.
    pub element: String,
    /// What it asked for, or `unknown`.
    pub operation: &'static str,
    /// The connection's name; `None` for one written in the task, or where the job did not get that far.
    pub connection: Option<String>,
    /// The host of its org; `None` where the job did not get that far.
    pub org: Option<String>,
    /// What became of it: `failed`, `error_thrown`, `parked`, or `completed` where an expression ignored the error.
    pub outcome: &'static str,
    /// The retries left, where it failed; 0 is an incident.
    pub retries: Option<i32>,
    /// The error's stable code; where the worker failed the job by itself, why: `malformed`, `panic`, …
    pub code: String,
    /// The error's type; `worker` where the worker failed the job by itself.
    pub error_type: &'static str,
    /// What happened. Where it is about a record's data, the data is left out.
    pub message: String,
    /// Salesforce's name of the request, where it gave one.
    pub request_id: Option<String>,
}

/// The last failures, the newest first.
#[derive(Debug, Default)]
pub struct FailureLog(Mutex<VecDeque<FailedJob>>);

impl FailureLog {
    /// The last fifty.
    pub fn last(&self) -> Vec<FailedJob> {
        self.failures().iter().cloned().collect()
    }

    /// Logs a failure, and keeps it.
    pub(super) fn note(&self, failed: FailedJob) {
        failed.log();
        self.keep(failed);
    }

    /// Keeps one that is logged already.
    pub(super) fn keep(&self, failed: FailedJob) {
        let mut failures = self.failures();
        failures.truncate(KEPT - 1);
        failures.push_front(failed);
    }

    fn failures(&self) -> MutexGuard<'_, VecDeque<FailedJob>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FailedJob {
    pub(super) fn new(job: &Job, error: &Error, outcome: &Outcome, redactor: &Redactor) -> Self {
        let retries = if let Outcome::Fail(failure) = outcome { Some(failure.retries) } else { None };
        let header = |name: &&str| error.response().and_then(|answer| answer.header(name));
        let request_id = REQUEST_IDS.iter().find_map(header);
        Self {
            outcome: outcome.label(),
            retries,
            code: redactor.text(error.code()).into_owned(),
            error_type: error.error_type().name(),
            message: message(error, redactor),
            request_id: request_id.map(|id| redactor.text(id).into_owned()),
            ..Self::of(job)
        }
    }

    /// A job that the worker failed by itself. What a write that was cut is reported with has a code of ours; else the
    /// reason is one.
    pub(super) fn by_the_worker(job: &Job, reason: &'static str, failure: &Failure) -> Self {
        let named =
            failure.variables.get("error").and_then(|error| error["code"].as_str()).and_then(codes::find);
        let (code, error_type) = named.map_or((reason, "worker"), |code| (code.name, code.error_type.name()));
        // These texts may quote what the handler was at work on.
        let message = match reason {
            "panic" => "the handler panicked, which is a bug: see the log".to_owned(),
            "result" => "the engine refuses the job's report for good: see the incident".to_owned(),
            _ => shortened(&failure.message),
        };
        let (code, retries) = (code.to_owned(), Some(failure.retries));
        Self { retries, code, error_type, message, ..Self::of(job) }
    }

    /// Which job failed, just now.
    fn of(job: &Job) -> Self {
        Self {
            at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            job_key: job.key,
            process_instance_key: job.process_instance_key,
            process: job.bpmn_process_id.clone(),
            element: job.element_id.clone(),
            operation: request::operation_named(&job.variables).map_or("unknown", |operation| operation.name),
            connection: None,
            org: None,
            outcome: "failed",
            retries: None,
            code: String::new(),
            error_type: "worker",
            message: String::new(),
            request_id: None,
        }
    }

    /// An incident is somebody's work; what is tried again or caught in the process is not.
    fn log(&self) {
        let Self { operation, outcome, retries, code, error_type, message, .. } = self;
        let (connection, org) = (self.connection.as_deref(), self.org.as_deref());
        let request_id = self.request_id.as_deref();
        if *retries == Some(0) {
            tracing::warn!(
                operation,
                connection,
                org,
                outcome,
                retries,
                code,
                error_type,
                request_id,
                error = message,
                "job failed: an incident"
            );
        } else {
            tracing::info!(
                operation,
                connection,
                org,
                outcome,
                retries,
                code,
                error_type,
                request_id,
                error = message,
                "job not carried out"
            );
        }
    }
}

/// What rules of an org say quotes the data that they are about, and so does what is said of a result.
fn message(error: &Error, redactor: &Redactor) -> String {
    if matches!(error.error_type(), ErrorType::Business | ErrorType::Result) {
        return "about a record's data: see the incident, or the variable error".to_owned();
    }
    shortened(&redactor.text(&error.to_string()))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MESSAGE_LIMIT) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(job_key: i64) -> FailedJob {
        FailedJob {
            at: "2026-11-27T12:00:00Z".to_owned(),
            job_key,
            process_instance_key: 2,
            process: "orders".to_owned(),
            element: "create".to_owned(),
            operation: "query",
            connection: None,
            org: None,
            outcome: "failed",
            retries: Some(0),
            code: "TIMEOUT".to_owned(),
            error_type: "transient",
            message: "late".to_owned(),
            request_id: None,
        }
    }

    #[test]
    fn the_last_fifty_are_kept_and_the_newest_is_first() {
        let log = FailureLog::default();
        for key in 0..120 {
            log.note(failed(key));
        }
        let keys: Vec<_> = log.last().iter().map(|failed| failed.job_key).collect();
        assert_eq!(keys, (70..120).rev().collect::<Vec<_>>());
    }
}
