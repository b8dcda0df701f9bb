//! Carrying out jobs: each in a task of its own, from its receipt to the end of its report.

use std::{
    any::Any,
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::FutureExt;
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

use super::{
    Failure, Job, JobHandler, Lock, Outcome, WorkerOptions,
    job_timeout::job_timeout,
    locking::{Renewal, after},
    permits::{Permit, PermitPool},
    protocol::ActivatedJob,
    report::{Assignment, Reporter},
    status::StatusBoard,
    summary::{End, Tally},
};
use crate::metrics::JobSource;

/// What stream, poll and jobs share.
pub(super) struct Crew<H> {
    pub(super) options: WorkerOptions,
    pub(super) reporter: Reporter,
    pub(super) permits: PermitPool,
    pub(super) board: StatusBoard,
    pub(super) phases: Phases,
    pub(super) tasks: TaskTracker,
    pub(super) tally: Tally,
    pub(super) handler: H,
    pub(super) in_hand: InHand,
}

/// How far the stop has come.
#[derive(Clone, Debug)]
pub(super) struct Phases {
    /// No new jobs.
    pub(super) drain: CancellationToken,
    /// Running jobs are handed back.
    pub(super) grace_over: CancellationToken,
    /// Nothing more is sent.
    pub(super) abort: CancellationToken,
}

/// When and how a job came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) source: JobSource,
    /// The job was not here before; its lock may run since then.
    pub(super) not_before: Instant,
}

/// The jobs whose handlers run or whose completion is being reported.
#[derive(Default)]
pub(super) struct InHand(Mutex<HashMap<i64, Lock>>);

/// What came of the handler.
enum Ran {
    Outcome(Outcome),
    Superseded,
    GraceOver,
}

const SHUT_DOWN: &str =
    "The worker was shut down before it finished the job; the job was given back with unchanged retries.";
const NOT_STARTED: &str =
    "The worker was shutting down when it received the job; the job was given back with unchanged retries.";

impl<H: JobHandler> Crew<H> {
    /// Takes a job in hand. While draining it is handed back instead, and needs no permit for that.
    pub(super) fn start(self: &Arc<Self>, proto: ActivatedJob, arrival: Arrival, permit: Option<Permit>) {
        self.tally.taken();
        self.reporter.metrics.job_activated(arrival.source);
        let deadline = after(arrival.not_before, self.options.job_timeout);
        let lock = Lock::leased(deadline, proto.job_lease_token.clone());
        let job = Assignment { key: proto.key, retries: proto.retries, lock };
        let span = tracing::info_span!(
            "job",
            "job.key" = proto.key,
            "job.type" = %proto.r#type,
            "process.instance" = proto.process_instance_key,
            "bpmn.process" = %proto.bpmn_process_id,
            "element" = %proto.element_id,
        );
        if !self.in_hand.insert(&job) {
            span.in_scope(|| {
                tracing::info!("the job came again while in hand; its newer lock is taken over");
            });
            self.tally.ended(End::Duplicate);
            return;
        }
        let crew = Arc::clone(self);
        let task = async move {
            let end = tokio::select! {
                biased;
                () = crew.phases.abort.cancelled() => End::Abandoned,
                end = crew.carry_out(proto, &job) => end,
            };
            crew.tally.ended(end);
            crew.count_unreported(end);
            crew.in_hand.remove(&job);
            drop(permit);
        };
        self.tasks.spawn(task.instrument(span));
    }

    async fn carry_out(&self, proto: ActivatedJob, job: &Assignment) -> End {
        if self.phases.drain.is_cancelled() {
            return self.hand_back(job, NOT_STARTED).await;
        }
        let began = Instant::now();
        let parsed = match Job::parse(proto, job.lock.clone()) {
            Ok(parsed) => parsed,
            Err(malformed) => return self.fail(job, began, 0, malformed.to_string()).await,
        };
        let length = match self.settle_lock(&parsed, job).await {
            Ok(length) => length,
            Err(NotStarted::Ended(end)) => return end,
            Err(NotStarted::Failed { retries, message }) => {
                return self.fail(job, began, retries, message).await;
            }
        };
        match self.run(&parsed, job, length).await {
            Ok(Ran::Outcome(outcome)) => self.report(job, outcome).await,
            Ok(Ran::Superseded) => End::Superseded,
            Ok(Ran::GraceOver) => self.hand_back(job, SHUT_DOWN).await,
            Err(panic) => {
                tracing::error!(panic, "the handler panicked");
                let message = format!("The handler panicked: {panic}");
                self.fail(job, began, job.retries - 1, message).await
            }
        }
    }

    /// Makes sure that the job is ours, for how long, and that there is time to begin. Gives the lock's length.
    async fn settle_lock(&self, parsed: &Job, job: &Assignment) -> Result<Duration, NotStarted> {
        let wanted =
            job_timeout(&parsed.headers).map_err(|message| NotStarted::Failed { retries: 0, message })?;
        let length = wanted.unwrap_or(self.options.job_timeout);
        let left = job.lock.deadline().saturating_duration_since(Instant::now());
        // A job may have waited unread, in the receive window, while all permits were out.
        let is_stale = left < self.options.job_timeout / 2;
        if wanted.is_some() || is_stale {
            let asked = Instant::now();
            match self.reporter.renew_lock(job, length).await {
                Renewal::Renewed => {}
                Renewal::Superseded => return Err(NotStarted::Ended(End::Superseded)),
                Renewal::Unreached(error) => {
                    tracing::warn!(%error, "the job's timeout could not be set; the earlier of both deadlines holds");
                    job.lock.extend_to(job.lock.deadline().min(after(asked, length)));
                }
                Renewal::Refused(error) if wanted.is_some() => {
                    let message =
                        format!("The job timeout of the header \"jobTimeout\" could not be set: {error}");
                    return Err(NotStarted::Failed { retries: job.retries - 1, message });
                }
                Renewal::Refused(error) => {
                    tracing::warn!(%error, "the lock of a job that waited could not be renewed");
                }
            }
        }
        if !job.lock.has_ended() {
            return Ok(length);
        }
        if wanted.is_some() {
            let message =
                "The job timeout of the header \"jobTimeout\" was over before the job began.".into();
            return Err(NotStarted::Failed { retries: job.retries - 1, message });
        }
        tracing::info!("the job's lock ended before the job began; the engine will hand it out again");
        Err(NotStarted::Ended(End::Expired))
    }

    /// Runs the handler while the lock is kept; an error is the text of a panic.
    async fn run(&self, parsed: &Job, job: &Assignment, length: Duration) -> Result<Ran, String> {
        // The inner block also catches what panics before the first await.
        let work = AssertUnwindSafe(async { self.handler.handle(parsed).await }).catch_unwind();
        tokio::select! {
            biased;
            result = work => result.map(Ran::Outcome).map_err(|panic| panic_text(panic.as_ref())),
            () = self.reporter.keep_lock(job, length) => Ok(Ran::Superseded),
            () = self.phases.grace_over.cancelled() => Ok(Ran::GraceOver),
        }
    }

    async fn report(&self, job: &Assignment, outcome: Outcome) -> End {
        // A job that is failed may be sent again before the answer to FailJob is here; one that is completed may not.
        if matches!(outcome, Outcome::Fail(_)) {
            self.in_hand.remove(job);
        }
        self.reporter.report(job, outcome).await
    }

    /// Fails a job that no handler has an outcome for.
    async fn fail(&self, job: &Assignment, began: Instant, retries: i32, message: String) -> End {
        self.reporter.metrics.job_handled("unknown", "failed", began.elapsed());
        tracing::warn!(%message, "job failed by the worker");
        let failure = Failure { message, retries: retries.max(0), ..Failure::default() };
        self.report(job, Outcome::Fail(failure)).await
    }

    async fn hand_back(&self, job: &Assignment, message: &str) -> End {
        self.in_hand.remove(job);
        self.reporter.hand_back(job, message).await
    }

    fn count_unreported(&self, end: End) {
        let reason = match end {
            End::HandedBack => "shutdown",
            End::Expired => "expired",
            End::Superseded => "superseded",
            _ => return,
        };
        self.reporter.metrics.job_returned(reason);
    }
}

/// Why a handler did not get its job.
enum NotStarted {
    Ended(End),
    Failed { retries: i32, message: String },
}

impl InHand {
    /// False when the job is in hand already; its lock is then the newer one.
    fn insert(&self, job: &Assignment) -> bool {
        let mut jobs = self.jobs();
        if let Some(lock) = jobs.get(&job.key) {
            lock.replace_by(&job.lock);
            return false;
        }
        jobs.insert(job.key, job.lock.clone());
        true
    }

    /// Does nothing when a newer activation of the same job has taken the place.
    fn remove(&self, job: &Assignment) {
        let mut jobs = self.jobs();
        if jobs.get(&job.key).is_some_and(|lock| lock.is(&job.lock)) {
            jobs.remove(&job.key);
        }
    }

    fn jobs(&self) -> MutexGuard<'_, HashMap<i64, Lock>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assignment(key: i64) -> Assignment {
        Assignment { key, retries: 3, lock: Lock::until(Instant::now()) }
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

    #[test]
    fn a_panic_of_any_kind_has_a_text() {
        assert_eq!(panic_text(&"plain"), "plain");
        assert_eq!(panic_text(&String::from("formatted")), "formatted");
        assert_eq!(panic_text(&5), "without a message");
    }
}
