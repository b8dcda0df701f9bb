//! Until when a job is ours, and making sure that it is for long enough.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::{
    JobScope,
    locking::Renewal,
    report::{Assignment, Reporter},
};

/// How often a renewal is tried that somebody waits for.
const TRIES: u32 = 3;

/// The time until which a job is locked for this worker, by our monotonic clock; clones share it.
#[derive(Clone)]
pub struct Lock(Arc<Inner>);

struct Inner {
    state: Mutex<LockState>,
    /// Held during a renewal: two that cross each other could shorten the lock.
    renewing: tokio::sync::Mutex<()>,
    keeper: OnceLock<Keeper>,
}

#[derive(Clone)]
struct LockState {
    deadline: Instant,
    lease: Option<String>,
    /// The gateway has said that the job is no longer ours.
    is_lost: bool,
}

/// Who renews the lock, and for how long as a rule.
struct Keeper {
    reporter: Reporter,
    job_key: i64,
    length: Duration,
}

/// Why a lock does not hold for as long as it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// The gateway says that the job is gone or in other hands. Whatever the handler decides is not reported.
    #[error("the job is no longer this worker's")]
    Lost,
    /// The lock is as it was, and will not be renewed.
    #[error("only {left:.1?} of the job's lock are left, and it could not be renewed: {reason}")]
    NotRenewed {
        /// What is left of it.
        left: Duration,
        /// What the gateway said, if it said anything.
        reason: String,
    },
    /// The lock is as it was, because the gateway was not reached, was overloaded or took too long: later it may be
    /// renewed.
    #[error("only {left:.1?} of the job's lock are left, and it could not be renewed for now: {reason}")]
    NotReached {
        /// What is left of it.
        left: Duration,
        /// What happened instead.
        reason: String,
    },
}

impl Lock {
    /// A lock that ends then, and that nobody renews: for tests of handlers.
    pub fn until(deadline: Instant) -> Self {
        Self::leased(deadline, None)
    }

    pub(super) fn leased(deadline: Instant, lease: Option<String>) -> Self {
        let state = Mutex::new(LockState { deadline, lease, is_lost: false });
        Self(Arc::new(Inner { state, renewing: tokio::sync::Mutex::default(), keeper: OnceLock::new() }))
    }

    /// When it ends.
    pub fn deadline(&self) -> Instant {
        self.state().deadline
    }

    /// What is left of it.
    pub fn left(&self) -> Duration {
        self.deadline().saturating_duration_since(Instant::now())
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.left().is_zero()
    }

    /// Makes sure that it holds for this long from now on: renews it where it does not. It is never shortened.
    pub async fn ensure(&self, length: Duration) -> Result<(), LockError> {
        let renewing = self.renewing().await;
        if self.is_lost() {
            return Err(LockError::Lost);
        }
        if self.left() >= length {
            return Ok(());
        }
        let not_renewed = |reason| Err(LockError::NotRenewed { left: self.left(), reason });
        let not_reached = |reason| Err(LockError::NotReached { left: self.left(), reason });
        let Some(keeper) = self.0.keeper.get() else { return not_renewed("nobody renews it".into()) };
        let renewal = keeper.renew(self, length).await;
        drop(renewing);
        match renewal {
            // What it took to renew it is not made good for.
            Renewal::Renewed if self.left() >= length => Ok(()),
            Renewal::Renewed => not_reached("the gateway took too long".into()),
            Renewal::Superseded => Err(LockError::Lost),
            Renewal::Refused(reason) => not_renewed(reason),
            Renewal::Unreached(error) => not_reached(error.to_string()),
        }
    }

    /// From now on it can be renewed: as a rule for this long.
    pub(super) fn kept_by(&self, reporter: Reporter, job_key: i64, length: Duration) {
        // A lock has one job, and that one keeper.
        let _ = self.0.keeper.set(Keeper { reporter, job_key, length });
    }

    /// No renewal of somebody else begins while this is held.
    pub(super) async fn renewing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.renewing.lock().await
    }

    /// Moves the end, to a later or an earlier time.
    pub(super) fn extend_to(&self, deadline: Instant) {
        self.state().deadline = deadline;
    }

    pub(super) fn lose(&self) {
        self.state().is_lost = true;
    }

    pub(super) fn is_lost(&self) -> bool {
        self.state().is_lost
    }

    pub(super) fn lease(&self) -> Option<String> {
        self.state().lease.clone()
    }

    /// Takes over a newer activation of the same job.
    pub(super) fn replace_by(&self, newer: &Self) {
        let newer = newer.state().clone();
        *self.state() = newer;
    }

    /// Whether both are the same lock, not only alike.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn state(&self) -> MutexGuard<'_, LockState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeper {
    /// A little longer than it must be, since asking takes time.
    async fn renew(&self, lock: &Lock, length: Duration) -> Renewal {
        let length = self.length.max(length.saturating_add(length / 10));
        let (lock, scope) = (lock.clone(), JobScope::detached());
        let job = Assignment { key: self.job_key, retries: 0, lock, scope };
        for attempt in 1.. {
            let renewal = self.reporter.renew_lock(&job, length).await;
            if attempt == TRIES || !matches!(renewal, Renewal::Unreached(_)) {
                return renewal;
            }
            sleep(self.reporter.tuning.error_backoff.delay(attempt)).await;
        }
        unreachable!("the last try returns")
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("deadline", &self.deadline()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_lock_share_its_end() {
        let now = Instant::now();
        let lock = Lock::until(now);
        let clone = lock.clone();
        clone.extend_to(now + Duration::from_mins(1));
        assert_eq!(lock.deadline(), now + Duration::from_mins(1));
        assert!(!lock.has_ended());
        lock.replace_by(&Lock::leased(now, Some("newer".into())));
        assert_eq!(clone.lease().as_deref(), Some("newer"));
        assert!(clone.has_ended());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lock_that_nobody_renews_holds_as_long_as_it_is() {
        let lock = Lock::until(Instant::now() + Duration::from_secs(5));
        assert_eq!(lock.ensure(Duration::from_secs(5)).await, Ok(()));
        let error = lock.ensure(Duration::from_secs(6)).await.unwrap_err();
        let words = "only 5.0s of the job's lock are left, and it could not be renewed: nobody renews it";
        assert_eq!(error.to_string(), words);
        lock.lose();
        assert_eq!(lock.ensure(Duration::ZERO).await, Err(LockError::Lost));
    }
}
