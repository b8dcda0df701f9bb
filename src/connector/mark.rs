//! The mark that a write leaves on the engine which must not happen twice, and what it means to find one.
//!
//! The mark stands in the job's own scope while the write is under way. A success ends the scope; every other outcome
//! takes it back. Who gets a job with a mark knows that it was cut in the middle: its worker died, or lost the job.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    codes,
    error::Error,
    failure::{self, Situation},
    redactor::Redactor,
};
use crate::{
    salesforce,
    zeebe::{Failure, Job, LockError, Outcome},
};

/// The one variable that the worker keeps for itself, in the scope of a task.
pub const STATE_VARIABLE: &str = "salesforceState";

/// What is kept free at the end of the lock for the report, at most.
const MAX_RESERVE: Duration = Duration::from_secs(2);

/// How long a job rests whose lock the gateway could not renew for now.
const GATEWAY_REST: Duration = Duration::from_secs(5);

/// With less time than this, or than what the task allows, an attempt is not begun: its answer would likely be lost.
const LEAST_TIME: Duration = Duration::from_secs(1);

/// What the worker notes down about a job.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    sent: Mark,
}

/// What was sent when, and for which job.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mark {
    /// By the worker's clock, in UTC.
    at: String,
    operation: String,
    /// Method and path.
    request: String,
    /// As text, since a key is too large for some readers of JSON. A mark of any other job is none: a variable of the
    /// process may have the same name, or a task may have handed its own on.
    job_key: String,
    #[serde(flatten)]
    progress: Progress,
}

/// How far an operation of several calls has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// What the call is about that is sent, where there are several, such as `records 200 to 399`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    part: Option<String>,
    /// What those before it have done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    done: Option<String>,
}

impl Mark {
    fn new(job: &Job, operation: &str, request: &str, progress: Progress) -> Self {
        // Whole seconds are enough for a person who looks for a record.
        let at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let (operation, request) = (operation.to_owned(), request.to_owned());
        Self { at, operation, request, job_key: job.key.to_string(), progress }
    }

    /// The mark with which this job came.
    fn of(job: &Job) -> Option<Self> {
        let state = State::deserialize(job.variables.get(STATE_VARIABLE)?).ok()?;
        Some(state.sent).filter(|mark| mark.job_key == job.key.to_string())
    }

    /// What it means for a job to come with it.
    fn found(&self) -> Error {
        let (at, request, check) = (&self.at, self.sent(), self.how_to_check());
        let message = format!(
            "{request} was sent at {at} by a worker that died, or lost the job, before it knew the outcome. {check}"
        );
        Error::new(&codes::OUTCOME_UNKNOWN, message)
    }

    /// What is reported when the job must be given up now.
    fn cut(&self) -> Error {
        let (at, request, check) = (&self.at, self.sent(), self.how_to_check());
        Error::new(
            &codes::OUTCOME_UNKNOWN,
            format!("{request} was sent at {at}, and no answer was seen. {check}"),
        )
    }

    /// What was sent, and what had been done before it.
    fn sent(&self) -> String {
        let Progress { part, done } = &self.progress;
        let done = done.as_ref().map(|done| format!("After {done} were done, ")).unwrap_or_default();
        let part = part.as_ref().map(|part| format!(" with {part}")).unwrap_or_default();
        format!("{done}{}{part}", self.request)
    }

    fn how_to_check(&self) -> String {
        let object = self.request.strip_prefix("POST ").and_then(|path| path.split_once("/sobjects/"));
        match object {
            Some((_, object)) if !object.contains('/') && !object.ends_with("__e") => format!(
                "Whether it was carried out is seen in Salesforce: SELECT Id, CreatedDate FROM {object} WHERE \
                 CreatedBy.Username = '(the connection's user)' AND CreatedDate >= {} ORDER BY CreatedDate",
                self.at
            ),
            _ => format!(
                "Whether it was carried out is seen in Salesforce, in what the connection's user did at {}",
                self.at
            ),
        }
    }
}

/// The error of a job that came with a mark: it must not be carried out again before somebody has looked.
pub(super) fn found(job: &Job) -> Option<Error> {
    Mark::of(job).map(|mark| mark.found())
}

/// Has the last word before a write of this job leaves that must not happen twice.
pub(crate) struct Watchman<'a> {
    pub(super) job: &'a Job,
    pub(super) situation: Situation<'a>,
    pub(super) redactor: &'a Redactor,
    /// How long one attempt may take.
    pub(super) timeout: Duration,
    /// Whether a mark is left on the engine.
    pub(super) leaves_marks: bool,
    /// The mark that was left. It stands until the job's outcome is reported, further attempts included.
    pub(super) left: Mutex<Option<Mark>>,
    /// How far the operation has come, where it has several calls.
    pub(super) progress: Mutex<Progress>,
}

impl Watchman<'_> {
    /// The next call of several is about this.
    pub(crate) fn begins(&self, part: &str) {
        lock(&self.progress).part = Some(part.to_owned());
    }

    /// The calls so far have done this. From here on a refusal of a further one does not mean that nothing was done.
    pub(crate) fn has_done(&self, done: &str) {
        lock(&self.progress).done = Some(done.to_owned());
    }

    /// Makes sure that nobody else gets the job while an attempt is under way that takes so long.
    pub(crate) async fn ensure_lock(&self, time: Duration) -> Result<(), Error> {
        let ensured = self.job.lock.ensure(time.saturating_add(MAX_RESERVE.min(time / 10))).await;
        ensured.map_err(|lock_error| {
            let error = Error::new(&codes::TOO_LITTLE_TIME, format!("{lock_error}; the call was not begun"));
            // A gateway in trouble is no fault of the job: it would use up its retries within seconds.
            let passes = matches!(lock_error, LockError::NotReached { .. });
            if passes { error.parked(GATEWAY_REST) } else { error }
        })
    }

    async fn leave(&self, mark: &Mark) -> Result<(), Error> {
        let state = Map::from_iter([(STATE_VARIABLE.to_owned(), json!({ "sent": mark }))]);
        let left = self.job.scope.set_local(&state).await;
        left.map_err(|error| {
            Error::new(
                &codes::MARK_NOT_SET,
                format!("{}: not sent, for it left no mark: {error}", mark.request),
            )
        })
    }

    /// The lock is looked at before the mark, which would be left in vain, and after it, which takes its time.
    async fn make_ready(&self, call: &str, time: Duration) -> Result<(), Error> {
        if time < LEAST_TIME.min(self.timeout) {
            let message = format!("{call}: only {time:.1?} were left for it; it was not sent");
            return Err(Error::new(&codes::TOO_LITTLE_TIME, message));
        }
        let operation = self.situation.operation.map_or("unknown", |operation| operation.name);
        let progress = lock(&self.progress).clone();
        let mark = Mark::new(self.job, operation, &self.redactor.text(call), progress);
        self.ensure_lock(time).await?;
        // A further attempt of the same call needs no further mark.
        let is_left = lock(&self.left).as_ref().is_some_and(|left| left.progress == mark.progress);
        if self.leaves_marks && !is_left {
            self.leave(&mark).await?;
            self.ensure_lock(time).await?;
        }
        let mut left = lock(&self.left);
        let left = if is_left { left.get_or_insert(mark) } else { left.insert(mark) };
        self.job.commit_point.pass(self.if_cut(left));
        Ok(())
    }

    fn if_cut(&self, mark: &Mark) -> Failure {
        let mut failure = self.situation.failure(&mark.cut());
        failure.variables.insert(STATE_VARIABLE.to_owned(), Value::Null);
        match failure::fitted(self.redactor.outcome(Outcome::Fail(failure))) {
            Outcome::Fail(failure) => failure,
            other => unreachable!("neither changes the kind of an outcome: {other:?}"),
        }
    }
}

impl salesforce::Guard for Watchman<'_> {
    async fn before(&self, call: &str, time: Duration) -> Result<(), salesforce::Error> {
        self.make_ready(call, time).await.map_err(Error::for_client)
    }

    fn nothing_done(&self) {
        if lock(&self.progress).done.is_none() {
            self.job.commit_point.revoke();
        }
    }
}

fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the mark back with an outcome that says what there is to say. A completion ends the scope, and the mark with it.
///
/// The variables of a BPMN error go elsewhere, and where nobody catches it, the same job may come again. A note that an
/// error brings goes with a failure alone: who resolves the incident of an uncaught BPMN error finds the same bulk job again.
pub(super) async fn cleared(job: &Job, outcome: Outcome, note: Option<&Value>) -> Outcome {
    if let (Outcome::Fail(failure), Some(note)) = (&outcome, note) {
        let mut failure = failure.clone();
        failure.variables.insert(STATE_VARIABLE.to_owned(), note.clone());
        return Outcome::Fail(failure);
    }
    let came_with_one = Mark::of(job).is_some();
    if !came_with_one && !job.scope.cleared().contains_key(STATE_VARIABLE) {
        return outcome;
    }
    let with_null = |mut variables: Map<String, Value>| {
        variables.insert(STATE_VARIABLE.to_owned(), Value::Null);
        variables
    };
    match outcome {
        Outcome::Fail(failure) => {
            Outcome::Fail(Failure { variables: with_null(failure.variables), ..failure })
        }
        Outcome::Park { after, variables } => Outcome::Park { after, variables: with_null(variables) },
        Outcome::ThrowError { .. } => {
            if let Err(error) = job.scope.set_local(&with_null(Map::new())).await {
                tracing::warn!(%error, "the mark of a write could not be taken back; if the error is not caught, the job comes again as one whose outcome is unknown");
            }
            outcome
        }
        Outcome::Complete { .. } => outcome,
    }
}
