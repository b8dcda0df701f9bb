//! The point from which on a job must not simply be given to somebody else.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::Failure;

/// Whether a job's handler has begun what must not happen twice; clones share it.
///
/// Before this point a job that its worker cannot keep is given back as if nothing had been done. From here
/// on that would carry it out twice, so that the worker acts differently:
///
/// | What happens | Before | From here on |
/// |---|---|---|
/// | the job is no longer ours | the handler is dropped | it may end within what is left of the lock; a success or a BPMN error is still reported, since the engine takes it as long as nobody else has finished the job; a failure is dropped |
/// | the grace period is over | handed back with unchanged retries | it may end within [`committed_grace`](super::WorkerTuning::committed_grace), else the failure given here is reported |
/// | the handler panics | one retry less | the failure given here is reported |
/// | the worker is aborted or dies | the lock runs out, and the job is handed out again | the same: only a mark in the job's own scope ([`JobScope`](super::JobScope)) tells the next worker |
#[derive(Clone, Default)]
pub struct CommitPoint(Arc<Mutex<Option<Failure>>>);

impl CommitPoint {
    /// Passes the point: to be called before the first byte is sent. `if_cut` is what is reported of the job
    /// when the worker has to give it up before its handler has an outcome.
    pub fn pass(&self, if_cut: Failure) {
        *self.state() = Some(if_cut);
    }

    /// Takes it back: nothing was done after all, and it is certain.
    pub fn revoke(&self) {
        *self.state() = None;
    }

    /// Whether it is passed.
    pub fn is_passed(&self) -> bool {
        self.state().is_some()
    }

    /// What to report of a job that is cut now.
    pub(super) fn if_cut(&self) -> Option<Failure> {
        self.state().clone()
    }

    fn state(&self) -> MutexGuard<'_, Option<Failure>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CommitPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommitPoint").field("is_passed", &self.is_passed()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_point_and_it_can_be_taken_back() {
        let point = CommitPoint::default();
        let clone = point.clone();
        assert!(!clone.is_passed());
        point.pass(Failure { message: "cut".into(), ..Failure::default() });
        assert_eq!(clone.if_cut().map(|failure| failure.message).as_deref(), Some("cut"));
        clone.revoke();
        assert!(!point.is_passed());
    }

    #[test]
    fn the_failure_is_not_shown_since_it_may_hold_data() {
        let point = CommitPoint::default();
        point.pass(Failure { message: "about Ada".into(), ..Failure::default() });
        assert_eq!(format!("{point:?}"), "CommitPoint { is_passed: true }");
    }
}
