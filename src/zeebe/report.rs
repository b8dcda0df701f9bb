//! Telling the gateway what became of a job: until it is accepted, rejected, or too late.

use std::{sync::Arc, time::Duration};

use prost::Message;
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep};

use super::{
    Failure, GatewayClient, GatewayError, JobScope, Lock, Outcome, WorkerTuning,
    gateway::label,
    given_back::GivenBack,
    locking::after,
    options::millis,
    protocol::{CompleteJobRequest, FailJobRequest, ThrowErrorRequest},
    summary::End,
    verdict::{Verdict, judge},
};
use crate::metrics::Metrics;

/// An incident's text and an error's message are cut to this many characters, as in Camunda's runtime.
const MESSAGE_LIMIT: usize = 6_000;
/// A late command gets this much time: the job's lock is over, but nobody else may have taken the job yet.
const LEAST_TIMEOUT: Duration = Duration::from_secs(1);

/// Reports outcomes. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Reporter {
    pub(super) gateway: GatewayClient,
    pub(super) tuning: Arc<WorkerTuning>,
    pub(super) metrics: Arc<Metrics>,
}

/// What a command needs to know of its job.
#[derive(Clone, Debug)]
pub(super) struct Assignment {
    pub(super) key: i64,
    pub(super) retries: i32,
    pub(super) lock: Lock,
    /// What was set in it is cleared with a job that goes back.
    pub(super) scope: JobScope,
}

/// What became of a report.
pub(super) struct Reported {
    pub(super) end: End,
    /// The incident that was reported in place of what the gateway would never take.
    pub(super) instead: Option<Failure>,
}

/// What became of one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Accepted,
    NotFound,
    NotOurs,
    TooLarge,
    Refused,
    TooLate,
}

enum Command {
    Complete(CompleteJobRequest),
    /// What it counts as depends on why it is sent.
    Fail(FailJobRequest, End),
    ThrowError(ThrowErrorRequest),
}

impl Reporter {
    /// Sends the outcome. One that the gateway can never take becomes a failure without retries, so that the
    /// job does not hang until its lock ends and is then carried out again.
    pub(super) async fn report(&self, job: &Assignment, outcome: Outcome) -> Reported {
        let command = Command::new(job, outcome);
        let (sent, reason) = self.send(job, &command).await;
        if !matches!(sent, Sent::TooLarge | Sent::Refused) {
            return Reported { end: command.end(sent), instead: None };
        }
        let (message, variables) = (command.refusal(sent, &reason), job.scope.cleared());
        let failure = Failure { message, variables, ..Failure::default() };
        let fallback = Command::new(job, Outcome::Fail(failure.clone()));
        let (sent, _) = self.send(job, &fallback).await;
        Reported { end: fallback.end(sent), instead: Some(failure) }
    }

    /// Gives the job back with unchanged retries; mostly without a pause, so that another worker takes it at once.
    pub(super) async fn give_back(&self, job: &Assignment, why: GivenBack) -> End {
        let (message, variables) = (why.message.into(), job.scope.cleared());
        let failure = Failure { message, retries: job.retries, backoff: why.pause, variables };
        let command = Command::Fail(failed(job, failure), why.end);
        let (sent, _) = self.send(job, &command).await;
        command.end(sent)
    }

    async fn send(&self, job: &Assignment, command: &Command) -> (Sent, String) {
        let patience_ends = after(Instant::now(), self.tuning.report_patience);
        let mut attempt = 0;
        let mut in_doubt = false;
        loop {
            attempt += 1;
            let timeout = self.timeout(job.lock.deadline());
            let Err(error) = command.send(&self.gateway, timeout).await else {
                return self.settled(command, Sent::Accepted, attempt, None);
            };
            let sent = match judge(&error, command.size(), attempt) {
                Verdict::Retry { outcome_unknown } => {
                    in_doubt |= outcome_unknown;
                    None
                }
                // The first try, whose answer was lost, won.
                Verdict::NotFound if in_doubt => Some(Sent::Accepted),
                Verdict::NotOurs if in_doubt && !command.is_complete() => Some(Sent::Accepted),
                Verdict::NotFound => Some(Sent::NotFound),
                Verdict::NotOurs => Some(Sent::NotOurs),
                Verdict::TooLarge => Some(Sent::TooLarge),
                Verdict::Refused => Some(Sent::Refused),
            };
            if let Some(sent) = sent {
                return self.settled(command, sent, attempt, Some(error));
            }
            let pause = self.tuning.error_backoff.delay(attempt);
            // The lock is renewed meanwhile.
            if Instant::now() + pause >= job.lock.deadline().min(patience_ends) {
                return self.settled(command, Sent::TooLate, attempt, Some(error));
            }
            self.metrics.command_retried(command.label(), error.label());
            tracing::debug!(command = command.rpc(), attempt, ?pause, %error, "the gateway did not take a command; trying again");
            sleep(pause).await;
        }
    }

    /// How long one command may take that is of use until then.
    pub(super) fn timeout(&self, until: Instant) -> Duration {
        let left = until.saturating_duration_since(Instant::now());
        self.tuning.command_timeout.min(left.max(LEAST_TIMEOUT))
    }

    /// Counts and logs the end of a command, once.
    fn settled(
        &self,
        command: &Command,
        sent: Sent,
        attempts: u32,
        error: Option<GatewayError>,
    ) -> (Sent, String) {
        self.metrics.command_sent(command.label(), sent.label());
        let rpc = command.rpc();
        let reason = error.map(|error| error.to_string()).unwrap_or_default();
        match sent {
            Sent::Accepted => tracing::debug!(command = rpc, attempts, "job reported"),
            Sent::NotFound => {
                tracing::info!(command = rpc, attempts, %reason, "the job had ended already: cancelled, or finished elsewhere");
            }
            Sent::NotOurs => {
                tracing::info!(command = rpc, attempts, %reason, "the job is no longer this worker's");
            }
            Sent::TooLate => {
                tracing::warn!(command = rpc, attempts, %reason, "the gateway took no report before the job's lock ended");
            }
            Sent::TooLarge | Sent::Refused => {
                tracing::error!(command = rpc, attempts, %reason, "the gateway refuses the report of a job");
            }
        }
        (sent, reason)
    }
}

impl Sent {
    fn label(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::NotFound => "not_found",
            Self::NotOurs => "precondition_failed",
            Self::TooLarge => "too_large",
            Self::Refused => "refused",
            Self::TooLate => "too_late",
        }
    }
}

impl Command {
    fn new(job: &Assignment, outcome: Outcome) -> Self {
        let (job_key, job_lease_token) = (job.key, job.lock.lease());
        match outcome {
            Outcome::Complete { variables } => {
                Self::Complete(CompleteJobRequest { job_key, variables: json(&variables), job_lease_token })
            }
            Outcome::Fail(failure) => Self::Fail(failed(job, failure), End::Failed),
            Outcome::Park { after, variables } => {
                let message = format!(
                    "The job was given back with unchanged retries, to be taken again after {after:?}."
                );
                let failure = Failure { message, retries: job.retries, backoff: after, variables };
                Self::Fail(failed(job, failure), End::Parked)
            }
            Outcome::ThrowError { code, message, variables } => Self::ThrowError(ThrowErrorRequest {
                job_key,
                error_code: code,
                error_message: cut(message),
                variables: json(&variables),
                job_lease_token,
            }),
        }
    }

    async fn send(&self, gateway: &GatewayClient, timeout: Duration) -> Result<(), GatewayError> {
        match self {
            Self::Complete(request) => gateway.complete_job(request.clone(), timeout).await,
            Self::Fail(request, _) => gateway.fail_job(request.clone(), timeout).await,
            Self::ThrowError(request) => gateway.throw_error(request.clone(), timeout).await,
        }
    }

    fn end(&self, sent: Sent) -> End {
        match (sent, self) {
            (Sent::Accepted, Self::Complete(_)) => End::Completed,
            (Sent::Accepted, Self::Fail(_, end)) => *end,
            (Sent::Accepted, Self::ThrowError(_)) => End::Thrown,
            (Sent::TooLate, _) => End::TooLate,
            _ => End::Rejected,
        }
    }

    /// The text of the incident when the gateway will never take this command.
    fn refusal(&self, sent: Sent, reason: &str) -> String {
        let what = match self {
            Self::Complete(_) => "The job was done, but its result".into(),
            Self::ThrowError(request) => {
                format!("The job ended with the error {:?}, but its report", request.error_code)
            }
            Self::Fail(request, _) => format!("{} The report of this failure", request.error_message),
        };
        let why = match sent {
            Sent::TooLarge => {
                format!("is too large for the engine ({} bytes of variables and text)", self.size())
            }
            _ => "was refused by the engine".into(),
        };
        format!("{what} {why}; {reason}")
    }

    fn is_complete(&self) -> bool {
        matches!(self, Self::Complete(_))
    }

    fn size(&self) -> usize {
        match self {
            Self::Complete(request) => request.encoded_len(),
            Self::Fail(request, _) => request.encoded_len(),
            Self::ThrowError(request) => request.encoded_len(),
        }
    }

    fn rpc(&self) -> &'static str {
        match self {
            Self::Complete(_) => "CompleteJob",
            Self::Fail(..) => "FailJob",
            Self::ThrowError(_) => "ThrowError",
        }
    }

    fn label(&self) -> &'static str {
        label(self.rpc())
    }
}

fn failed(job: &Assignment, failure: Failure) -> FailJobRequest {
    FailJobRequest {
        job_key: job.key,
        retries: failure.retries.max(0),
        error_message: cut(failure.message),
        retry_back_off: if failure.backoff.is_zero() { 0 } else { millis(failure.backoff) },
        variables: json(&failure.variables),
        job_lease_token: job.lock.lease(),
    }
}

fn json(variables: &Map<String, Value>) -> String {
    serde_json::to_string(variables).expect("a JSON object has only texts as keys")
}

fn cut(message: String) -> String {
    match message.char_indices().nth(MESSAGE_LIMIT) {
        None => message,
        Some(_) => message.chars().take(MESSAGE_LIMIT - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assignment() -> Assignment {
        let lock = Lock::leased(Instant::now() + Duration::from_mins(1), Some("lease".into()));
        Assignment { key: 7, retries: 3, lock, scope: JobScope::detached() }
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let exact = "ä".repeat(MESSAGE_LIMIT);
        assert_eq!(cut(exact.clone()), exact);
        let long = cut("ä".repeat(MESSAGE_LIMIT + 1));
        assert_eq!(long.chars().count(), MESSAGE_LIMIT);
        assert!(long.ends_with("ä…"));
    }

    #[test]
    fn each_command_carries_the_key_and_the_lease() {
        let outcome = Outcome::Complete { variables: Map::from_iter([("a".into(), Value::from(1))]) };
        let Command::Complete(request) = Command::new(&assignment(), outcome) else { panic!() };
        assert_eq!((request.job_key, request.variables.as_str()), (7, r#"{"a":1}"#));
        assert_eq!(request.job_lease_token.as_deref(), Some("lease"));

        let failure = Failure {
            message: "m".into(),
            retries: -4,
            backoff: Duration::from_millis(1500),
            variables: Map::new(),
        };
        let Command::Fail(request, _) = Command::new(&assignment(), Outcome::Fail(failure)) else { panic!() };
        assert_eq!((request.retries, request.retry_back_off), (0, 1500));
        assert_eq!((request.job_key, request.job_lease_token.as_deref()), (7, Some("lease")));

        let outcome = Outcome::Park { after: Duration::from_secs(2), variables: Map::new() };
        let Command::Fail(request, end) = Command::new(&assignment(), outcome) else { panic!() };
        assert_eq!((request.retries, request.retry_back_off, end), (3, 2000, End::Parked));

        let outcome = Outcome::ThrowError { code: "c".into(), message: "m".into(), variables: Map::new() };
        let Command::ThrowError(request) = Command::new(&assignment(), outcome) else { panic!() };
        assert_eq!((request.error_code.as_str(), request.job_lease_token.as_deref()), ("c", Some("lease")));
    }

    #[test]
    fn an_end_is_what_the_gateway_confirmed() {
        let command = Command::new(&assignment(), Outcome::Complete { variables: Map::new() });
        assert_eq!(command.end(Sent::Accepted), End::Completed);
        assert_eq!(command.end(Sent::NotFound), End::Rejected);
        assert_eq!(command.end(Sent::TooLate), End::TooLate);
    }
}
