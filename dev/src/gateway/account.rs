//! What happened so far, in numbers.

use serde::Serialize;

/// Counts of everything that happened on a gateway since it started. Gauges say what is the case now.
///
/// Every created job is in exactly one state, so
/// `created == activatable + activated_now + backing_off + finished()` holds at every moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Account {
    /// Jobs created.
    pub created: usize,
    /// Activations, by push and by poll; a job that comes back counts again.
    pub activated: usize,
    /// Activations that went out on a stream.
    pub pushed: usize,
    /// Activations that went out as an answer to ActivateJobs.
    pub polled: usize,
    /// Jobs completed.
    pub completed: usize,
    /// FailJob commands accepted.
    pub failed: usize,
    /// FailJob commands accepted that left the retries as they were: a job handed back.
    pub returned_unchanged: usize,
    /// ThrowError commands accepted.
    pub thrown: usize,
    /// Incidents raised: no retries left, an error that nobody catches, a job too large to be sent.
    pub incidents: usize,
    /// Locks that ran out before the job was reported.
    pub expired_locks: usize,
    /// Activations taken back because the message could not be handed to the client's connection.
    pub given_back: usize,
    /// Jobs that matched a stream but found each one full, and so went to the backlog.
    pub yielded: usize,
    /// UpdateJobTimeout commands accepted.
    pub timeout_updates: usize,
    /// Commands refused for the state of the job, its lease, or because there is no such job.
    pub refused: usize,
    /// Of these: completions of a job that was completed already.
    pub double_completions_refused: usize,
    /// ActivateJobs calls that were accepted.
    pub polls: usize,
    /// Of these: calls that ended without a job.
    pub empty_polls: usize,
    /// StreamActivatedJobs calls that were accepted.
    pub streams_opened: usize,
    /// Calls turned away for their authorization.
    pub unauthenticated: usize,
    /// Gauge: streams open and registered.
    pub open_streams: usize,
    /// Gauge: ActivateJobs calls waiting for a job.
    pub parked_polls: usize,
    /// Gauge: jobs that could be activated.
    pub activatable: usize,
    /// Gauge: jobs locked by a worker.
    pub activated_now: usize,
    /// Gauge: failed jobs that wait for their backoff to end.
    pub backing_off: usize,
    /// Gauge: jobs in state Completed.
    pub completed_now: usize,
    /// Gauge: jobs in state Incident.
    pub incidents_now: usize,
    /// Gauge: jobs in state ErrorThrown.
    pub thrown_now: usize,
}

impl Account {
    /// Jobs in a terminal state now: completed, with an incident, or ended by an error.
    pub fn finished(&self) -> usize {
        self.completed_now + self.incidents_now + self.thrown_now
    }

    /// Whether every created job is in a terminal state.
    pub fn all_finished(&self) -> bool {
        self.finished() == self.created
    }
}
