//! Keeping a job ours: the lock is renewed at half-life while the handler runs.

use std::{
    future::{Future, pending},
    time::Duration,
};

use tokio::time::{Instant, sleep, sleep_until};

use super::{
    GatewayError,
    options::millis,
    protocol::UpdateJobTimeoutRequest,
    report::{Assignment, Reporter},
    verdict::{Verdict, judge},
};

/// The shortest time between two renewals, for locks that a modeler made absurdly short.
const LEAST_PAUSE: Duration = Duration::from_millis(10);

/// What the gateway said of a new lock.
#[derive(Debug)]
pub(super) enum Renewal {
    /// The lock is moved.
    Renewed,
    /// The job is gone or in other hands.
    Superseded,
    /// The gateway does not do it; the job is still ours.
    Refused(String),
    /// No answer; the lock is as it was.
    Unreached(GatewayError),
}

impl Reporter {
    /// Asks once for a lock of this length from now on.
    pub(super) async fn renew_lock(&self, job: &Assignment, length: Duration) -> Renewal {
        let request = UpdateJobTimeoutRequest {
            job_key: job.key,
            timeout: millis(length),
            operation_reference: None,
            job_lease_token: job.lock.lease(),
        };
        // The gateway counts from its receipt, so that the lock ends no sooner than this.
        let asked = Instant::now();
        let result = self.gateway.update_job_timeout(request, self.tuning.command_timeout).await;
        let renewal = match result {
            Ok(()) => {
                job.lock.extend_to(after(asked, length));
                Renewal::Renewed
            }
            Err(error) => match judge(&error, 0, u32::MAX) {
                Verdict::NotFound | Verdict::NotOurs => {
                    job.lock.lose();
                    Renewal::Superseded
                }
                Verdict::Refused | Verdict::TooLarge => Renewal::Refused(error.to_string()),
                Verdict::Retry { .. } => Renewal::Unreached(error),
            },
        };
        self.metrics.lock_renewed(renewal.label());
        renewal
    }

    /// Does this while the lock is kept. A lock that is lost is no end of it: what it does tells the gateway,
    /// and the gateway's answer counts.
    pub(super) async fn keeping<T>(
        &self,
        job: &Assignment,
        length: Duration,
        work: impl Future<Output = T>,
    ) -> T {
        let kept = async {
            self.keep_lock(job, length).await;
            pending().await
        };
        tokio::select! {
            biased;
            result = work => result,
            never = kept => never,
        }
    }

    /// Renews the lock at each half-life of `length`. Completes when the job is no longer ours.
    pub(super) async fn keep_lock(&self, job: &Assignment, length: Duration) {
        let mut failures = 0;
        loop {
            sleep_until(half_life(job, length).max(Instant::now() + LEAST_PAUSE)).await;
            match self.renew_when_due(job, length).await {
                None | Some(Renewal::Renewed) => failures = 0,
                Some(Renewal::Unreached(error)) => {
                    failures += 1;
                    self.metrics.command_retried("update_timeout", error.label());
                    let pause = self.tuning.error_backoff.delay(failures);
                    tracing::debug!(%error, failures, ?pause, "the lock could not be renewed; trying again");
                    sleep(pause).await;
                }
                Some(Renewal::Refused(error)) => {
                    tracing::warn!(%error, "the gateway does not renew the lock of this job; it goes on without");
                    return pending().await;
                }
                Some(Renewal::Superseded) => {
                    tracing::info!("the job is no longer this worker's");
                    return;
                }
            }
        }
    }

    /// The handler may have had the lock lengthened meanwhile; a renewal never makes it shorter.
    async fn renew_when_due(&self, job: &Assignment, length: Duration) -> Option<Renewal> {
        let _renewing = job.lock.renewing().await;
        if half_life(job, length) > Instant::now() {
            return None;
        }
        Some(self.renew_lock(job, length).await)
    }
}

fn half_life(job: &Assignment, length: Duration) -> Instant {
    job.lock.deadline().checked_sub(length / 2).unwrap_or_else(Instant::now)
}

impl Renewal {
    fn label(&self) -> &'static str {
        match self {
            Self::Renewed => "renewed",
            Self::Superseded => "superseded",
            Self::Refused(_) => "refused",
            Self::Unreached(_) => "error",
        }
    }
}

/// Instants end; a lock of centuries is as good as one of thirty years.
pub(super) fn after(start: Instant, length: Duration) -> Instant {
    start + length.min(Duration::from_hours(24 * 365 * 30))
}
