//! ActivateJobs: an answer at once if there are jobs, else a wait.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::hub::Hub;
use super::proto::ActivateJobsResponse;
use super::state::Activation;
use super::subscription::{Subscription, duration};

/// How long a poll with `requestTimeout` 0 waits.
pub(super) const DEFAULT_WAIT: Duration = Duration::from_secs(10);

/// The `requestTimeout` of a poll as a time to wait.
pub(super) fn wait_of(request_timeout: i64) -> Duration {
    match request_timeout {
        ..0 => Duration::ZERO,
        0 => DEFAULT_WAIT,
        millis => duration(millis),
    }
}

/// Activated jobs on their way into an answer. Dropping them before that gives them back.
pub(super) struct Batch {
    hub: Arc<Hub>,
    jobs: Vec<Activation>,
}

impl Batch {
    /// Waits for jobs; empty when the time is over. A poll that is dropped while it waits has activated nothing.
    pub(super) async fn wait(hub: Arc<Hub>, wanted: &Subscription, most: usize, wait: Duration) -> Self {
        let until = Instant::now() + wait;
        hub.apply(|inner, _| inner.broker.account.polls += 1);
        let bell = hub.bell(&wanted.job_type);
        let mut parked = None;
        loop {
            let mut rung = std::pin::pin!(bell.notified());
            // From here on no ring is missed, so a job that comes after the look below wakes this poll.
            rung.as_mut().enable();
            let jobs = hub.activate_batch(wanted, most);
            if !jobs.is_empty() {
                return Self { hub, jobs };
            }
            if Instant::now() >= until {
                hub.apply(|inner, _| inner.broker.account.empty_polls += 1);
                return Self { hub, jobs };
            }
            parked.get_or_insert_with(|| Parked::new(&hub));
            // Whether a bell or the clock ended the wait, one more look decides.
            let _ = tokio::time::timeout_at(until, rung).await;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// The answer; from here on the jobs are the worker's.
    pub(super) fn into_response(mut self) -> ActivateJobsResponse {
        let jobs = std::mem::take(&mut self.jobs);
        ActivateJobsResponse { jobs: jobs.into_iter().map(|job| job.message).collect() }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if !self.jobs.is_empty() {
            self.hub.give_back(std::mem::take(&mut self.jobs));
        }
    }
}

/// Counts a waiting poll as long as it waits.
struct Parked {
    hub: Arc<Hub>,
}

impl Parked {
    fn new(hub: &Arc<Hub>) -> Self {
        hub.apply(|inner, _| inner.broker.account.parked_polls += 1);
        Self { hub: Arc::clone(hub) }
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        self.hub.apply(|inner, _| inner.broker.account.parked_polls -= 1);
    }
}
