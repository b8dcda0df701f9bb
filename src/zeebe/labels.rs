//! What a handler says of its job, for metrics.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a handler says of its job, for metrics; clones share it. Only words from small closed sets: each makes a
/// series of its own.
#[derive(Clone, Debug, Default)]
pub struct JobLabels(Arc<Mutex<Labels>>);

#[derive(Clone, Copy, Debug)]
struct Labels {
    operation: &'static str,
    reason: &'static str,
}

impl Default for Labels {
    fn default() -> Self {
        Self { operation: "unknown", reason: "none" }
    }
}

impl JobLabels {
    /// Says what the job asks for; `unknown` until then.
    pub fn set_operation(&self, operation: &'static str) {
        self.labels().operation = operation;
    }

    /// Says why the job ends as it does; `none` until then.
    pub fn set_reason(&self, reason: &'static str) {
        self.labels().reason = reason;
    }

    /// What was said of the operation and of the reason.
    pub(super) fn said(&self) -> (&'static str, &'static str) {
        let Labels { operation, reason } = *self.labels();
        (operation, reason)
    }

    fn labels(&self) -> MutexGuard<'_, Labels> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
