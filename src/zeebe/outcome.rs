//! What a handler decides about a job.

use std::time::Duration;

use serde_json::{Map, Value};

/// The one decision that a [`JobHandler`](super::JobHandler) makes about a job; the worker reports it.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The work is done: `CompleteJob`. The variables go to the scope that defines them, else to the process.
    Complete {
        /// The process variables to set.
        variables: Map<String, Value>,
    },
    /// The work is not done: `FailJob`.
    Fail(Failure),
    /// Not now: `FailJob` with unchanged retries. The job comes again after the pause.
    Park {
        /// How long the job rests before it may be activated again.
        after: Duration,
        /// Notes for its next activation: set in the job's own scope, never in the process.
        variables: Map<String, Value>,
    },
    /// A business error that a boundary event or an event sub-process may catch: `ThrowError`.
    ThrowError {
        /// The error code that a catching event names.
        code: String,
        /// For people.
        message: String,
        /// Set in the scope of the catching event.
        variables: Map<String, Value>,
    },
}

/// Why and how a job is failed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failure {
    /// The text of the incident when no retries are left.
    pub message: String,
    /// How many retries are left from now on, an absolute number; 0 raises an incident.
    pub retries: i32,
    /// How long the job rests before it may be activated again.
    pub backoff: Duration,
    /// Set in the job's own scope, never in the process.
    pub variables: Map<String, Value>,
}

impl Outcome {
    /// The label of this outcome in metrics and logs.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Complete { .. } => "completed",
            Self::Fail(_) => "failed",
            Self::Park { .. } => "parked",
            Self::ThrowError { .. } => "error_thrown",
        }
    }
}
