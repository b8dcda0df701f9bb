//! Which jobs are in hand: the gateway may send one again that is.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Lock, report::Assignment};

/// The jobs whose handlers run or whose completion is being reported.
#[derive(Default)]
pub(super) struct InHand(Mutex<HashMap<i64, Lock>>);

impl InHand {
    /// False when the job is in hand already; its lock is then the newer one.
    pub(super) fn insert(&self, job: &Assignment) -> bool {
        let mut jobs = self.jobs();
        if let Some(lock) = jobs.get(&job.key) {
            lock.replace_by(&job.lock);
            return false;
        }
        jobs.insert(job.key, job.lock.clone());
        true
    }

    /// Does nothing when a newer activation of the same job has taken the place.
    pub(super) fn remove(&self, job: &Assignment) {
        let mut jobs = self.jobs();
        if jobs.get(&job.key).is_some_and(|lock| lock.is(&job.lock)) {
            jobs.remove(&job.key);
        }
    }

    fn jobs(&self) -> MutexGuard<'_, HashMap<i64, Lock>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;
    use crate::zeebe::JobScope;

    fn assignment(key: i64) -> Assignment {
        let (lock, scope) = (Lock::until(Instant::now()), JobScope::detached());
        Assignment { key, retries: 3, lock, scope }
    }

    #[test]
    fn a_job_in_hand_takes_over_the_lock_of_its_second_coming() {
        let in_hand = InHand::default();
        let (first, mut second) = (assignment(7), assignment(7));
        assert!(in_hand.insert(&first));
        let later = Instant::now() + Duration::from_mins(1);
        second.lock = Lock::leased(later, Some("newer".into()));
        assert!(!in_hand.insert(&second));
        assert_eq!((first.lock.deadline(), first.lock.lease().as_deref()), (later, Some("newer")));
    }

    #[test]
    fn the_end_of_an_older_activation_leaves_the_newer_in_hand() {
        let in_hand = InHand::default();
        let (first, second) = (assignment(7), assignment(7));
        in_hand.insert(&first);
        in_hand.remove(&first);
        assert!(in_hand.insert(&second));
        in_hand.remove(&first);
        assert!(!in_hand.insert(&assignment(7)));
        in_hand.remove(&second);
        assert!(in_hand.insert(&assignment(7)));
    }
}
