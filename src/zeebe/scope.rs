//! A job's own variables on the engine: notes that outlive this worker.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Map, Value};
use tokio::time::{Instant, sleep};

use super::{
    GatewayError, Lock,
    protocol::SetVariablesRequest,
    report::Reporter,
    verdict::{Verdict, judge},
};

/// The scope of the task that a job belongs to. Its variables are seen by every later activation of the job
/// that fetches them, never by the process, and vanish when the task ends. Clones are the same scope.
///
/// When the worker hands a job back that had not passed its [`CommitPoint`](super::CommitPoint), or has to report
/// a failure of its own in place of what the handler decided, it sets to null what was set here during this activation,
/// but for what was [kept](Self::keep_local).
#[derive(Clone, Default)]
pub struct JobScope(Option<Arc<Inner>>);

struct Inner {
    reporter: Reporter,
    element_instance_key: i64,
    lock: Lock,
    /// What was set, or may have been.
    names: Mutex<BTreeSet<String>>,
}

/// Why variables were not set, or perhaps not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// They are certainly not set: refused, or never carried out while there was time.
    #[error("the variables were not set in the job's scope: {0}")]
    NotSet(String),
    /// They may be set or not: no answer came while there was time.
    #[error("it is not known whether the variables were set in the job's scope: {0}")]
    Unknown(String),
}

impl JobScope {
    pub(super) fn new(reporter: Reporter, element_instance_key: i64, lock: Lock) -> Self {
        let names = Mutex::default();
        Self(Some(Arc::new(Inner { reporter, element_instance_key, lock, names })))
    }

    /// A scope without an engine, for tests of handlers: nothing is ever set in it.
    pub fn detached() -> Self {
        Self::default()
    }

    /// Sets variables in this scope: `SetVariables`, local. What was not processed, or whose answer was lost,
    /// is tried again until the job's lock ends as it stands now, since it may be repeated without harm.
    ///
    /// A caller that stops waiting does not know what became of them.
    pub async fn set_local(&self, variables: &Map<String, Value>) -> Result<(), ScopeError> {
        if let Some(inner) = &self.0 {
            inner.names().extend(variables.keys().cloned());
        }
        self.keep_local(variables).await
    }

    /// The same for what whoever gets the job next shall see, also where it is handed back.
    pub async fn keep_local(&self, variables: &Map<String, Value>) -> Result<(), ScopeError> {
        let Some(inner) = &self.0 else {
            return Err(ScopeError::NotSet("this scope belongs to no engine".into()));
        };
        let result = inner.set(variables).await;
        inner.reporter.metrics.command_sent("set_variables", label(&result));
        result
    }

    /// Null for each name that this activation has set, or may have: the variables of a failure that takes it back.
    pub fn cleared(&self) -> Map<String, Value> {
        let names = self.0.as_ref().map(|inner| inner.names().clone()).unwrap_or_default();
        names.into_iter().map(|name| (name, Value::Null)).collect()
    }
}

impl Inner {
    async fn set(&self, variables: &Map<String, Value>) -> Result<(), ScopeError> {
        let request = SetVariablesRequest {
            element_instance_key: self.element_instance_key,
            variables: serde_json::to_string(variables).expect("a JSON object has only texts as keys"),
            local: true,
            operation_reference: None,
        };
        let (until, size) = (self.lock.deadline(), request.variables.len());
        let (mut attempt, mut in_doubt) = (0, false);
        loop {
            attempt += 1;
            let timeout = self.reporter.timeout(until);
            let Err(error) = self.reporter.gateway.set_variables(request.clone(), timeout).await else {
                return Ok(());
            };
            match judge(&error, size, attempt) {
                Verdict::Retry { outcome_unknown } => in_doubt |= outcome_unknown,
                // Whatever came of an earlier try has vanished with the scope, or was refused in the same way.
                Verdict::NotFound | Verdict::TooLarge => return Err(ScopeError::NotSet(error.to_string())),
                Verdict::NotOurs | Verdict::Refused => return Err(unset(in_doubt, &error)),
            }
            let pause = self.reporter.tuning.error_backoff.delay(attempt);
            if Instant::now() + pause >= until {
                return Err(unset(in_doubt, &error));
            }
            self.reporter.metrics.command_retried("set_variables", error.label());
            tracing::debug!(attempt, ?pause, %error, "the job's scope could not be written; trying again");
            sleep(pause).await;
        }
    }

    fn names(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unset(in_doubt: bool, error: &GatewayError) -> ScopeError {
    if in_doubt { ScopeError::Unknown(error.to_string()) } else { ScopeError::NotSet(error.to_string()) }
}

fn label(result: &Result<(), ScopeError>) -> &'static str {
    match result {
        Ok(()) => "accepted",
        Err(ScopeError::NotSet(_)) => "refused",
        Err(ScopeError::Unknown(_)) => "unknown",
    }
}

impl fmt::Debug for JobScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.0.as_ref().map(|inner| inner.element_instance_key);
        f.debug_struct("JobScope").field("element_instance_key", &key).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_detached_scope_says_that_nothing_was_set() {
        let scope = JobScope::detached();
        let variables = Map::from_iter([("mark".to_owned(), Value::from(1))]);
        assert!(matches!(scope.set_local(&variables).await, Err(ScopeError::NotSet(_))));
        assert!(scope.cleared().is_empty());
    }
}
