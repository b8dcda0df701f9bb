//! Carrying out jobs: each in a task of its own, from its receipt to the end of its report.

use std::{any::Any, panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::time::{Instant, timeout_at};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument, Span};

use super::{
    Failure, Job, JobHandler, JobLabels, JobScope, Lock, Outcome, WorkerOptions,
    given_back::{GivenBack, NOT_STARTED, SHUT_DOWN, SURPLUS, UNLEASED},
    in_hand::InHand,
    job_timeout::job_timeout,
    locking::{Renewal, after},
    misses::Misses,
    permits::{Permit, PermitPool},
    protocol::ActivatedJob,
    report::{Assignment, Reporter},
    spans,
    status::StatusBoard,
    summary::{End, Tally},
};
use crate::metrics::{JobEnd, JobSource};

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
    pub(super) misses: Misses,
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

/// What is needed to count a job.
struct Hand {
    received: Instant,
    labels: JobLabels,
    trace: Span,
}

/// What came of the handler.
enum Ran {
    Outcome(Outcome),
    /// It ended after the gateway had said that the job is no longer ours.
    Late(Outcome),
    Panicked(String),
    Cut(Cut),
}

type Panic = Box<dyn Any + Send>;

/// Why a handler does not get to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Superseded,
    GraceOver,
}

/// Follows what the handler wished to be said of a job that is cut.
const CUT_SHORT: &str = "The worker was shut down before it knew the outcome.";

impl<H: JobHandler> Crew<H> {
    /// Takes a job in hand. While draining it is handed back instead, and needs no permit for that; else one
    /// without a permit is given back as well.
    pub(super) fn start(self: &Arc<Self>, proto: ActivatedJob, arrival: Arrival, permit: Option<Permit>) {
        self.tally.taken();
        self.reporter.metrics.job_activated(arrival.source);
        let (received, trace) = (Instant::now(), spans::traced(&proto));
        let hand = Hand { received, labels: JobLabels::default(), trace };
        let deadline = after(arrival.not_before, self.options.job_timeout);
        let lock = Lock::leased(deadline, proto.job_lease_token.clone());
        let scope = JobScope::new(self.reporter.clone(), proto.element_instance_key, lock.clone());
        let job = Assignment { key: proto.key, retries: proto.retries, lock, scope };
        let (span, trace) = (spans::logged(&proto), hand.trace.clone());
        if !self.in_hand.insert(&job) {
            span.in_scope(|| {
                tracing::info!("the job came again while in hand; its newer lock is taken over");
            });
            self.ended(End::Duplicate, &hand);
            return;
        }
        let crew = Arc::clone(self);
        let back = self.not_to_be_started(&job, permit.is_some());
        let task = async move {
            let end = tokio::select! {
                biased;
                () = crew.phases.abort.cancelled() => End::Abandoned,
                end = async {
                    match back {
                        Some(why) => crew.give_back(&job, why).await,
                        None => crew.carry_out(proto, &job, &hand).await,
                    }
                } => end,
            };
            crew.ended(end, &hand);
            crew.in_hand.remove(&job);
            drop(permit);
        };
        self.tasks.spawn(task.instrument(span).instrument(trace));
    }

    /// Why a job that has just come goes back at once.
    fn not_to_be_started(&self, job: &Assignment, has_permit: bool) -> Option<GivenBack> {
        if self.phases.drain.is_cancelled() {
            return Some(NOT_STARTED);
        }
        if !has_permit {
            tracing::warn!(
                job.key,
                "the gateway sent more jobs than it was asked for; this one is given back"
            );
            return Some(SURPLUS);
        }
        if self.options.with_lease && job.lock.lease().is_none() {
            tracing::error!(
                job.key,
                "the gateway gives no leases, which the worker is set to ask for; no job is carried out"
            );
            return Some(UNLEASED);
        }
        None
    }

    async fn carry_out(&self, proto: ActivatedJob, job: &Assignment, hand: &Hand) -> End {
        let parsed = match Job::parse(proto, job.lock.clone()) {
            Ok(parsed) => parsed,
            Err(malformed) => {
                let unhandled = Unhandled { reason: "malformed", failure: failure(0, malformed.to_string()) };
                return self.fail(job, &malformed.job, hand, unhandled).await;
            }
        };
        let (labels, scope) = (hand.labels.clone(), job.scope.clone());
        let documents = self.reporter.gateway.documents().clone();
        let parsed = Job { scope, documents, labels, ..parsed };
        let length = match self.settle_lock(&parsed, job).await {
            Ok(length) => length,
            Err(NotStarted::Ended(end)) => return end,
            Err(NotStarted::Failed(failure)) => {
                let unhandled = Unhandled { reason: "job_timeout", failure };
                return self.fail(job, &parsed, hand, unhandled).await;
            }
        };
        self.reporter.metrics.job_started(hand.received.elapsed());
        job.lock.kept_by(self.reporter.clone(), job.key, length);
        let ran = self.run(&parsed, job, length).await;
        let if_cut = parsed.commit_point.if_cut();
        match (ran, if_cut) {
            (Ran::Outcome(outcome), _) => self.report(job, &parsed, outcome, length).await,
            (Ran::Late(outcome), _) => self.report_late(job, &parsed, outcome, length).await,
            (Ran::Panicked(panic), if_cut) => {
                let variables = job.scope.cleared();
                let message = format!("The handler panicked: {panic}");
                let failure = match if_cut {
                    Some(cut) => Failure { message: format!("{} {message}", cut.message), ..cut },
                    None => Failure { variables, ..failure(job.retries - 1, message) },
                };
                self.fail(job, &parsed, hand, Unhandled { reason: "panic", failure }).await
            }
            (Ran::Cut(Cut::Superseded), _) => End::Superseded,
            (Ran::Cut(Cut::GraceOver), None) => self.give_back(job, SHUT_DOWN).await,
            (Ran::Cut(Cut::GraceOver), Some(cut)) => {
                let message = format!("{} {CUT_SHORT}", cut.message);
                let unhandled = Unhandled { reason: "shutdown", failure: Failure { message, ..cut } };
                self.fail(job, &parsed, hand, unhandled).await
            }
        }
    }

    /// Makes sure that the job is ours, for how long, and that there is time to begin. Gives the lock's length.
    async fn settle_lock(&self, parsed: &Job, job: &Assignment) -> Result<Duration, NotStarted> {
        let wanted = job_timeout(&parsed.headers).map_err(|message| NotStarted::failed(0, message))?;
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
                    return Err(NotStarted::failed(job.retries - 1, message));
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
            return Err(NotStarted::failed(job.retries - 1, message));
        }
        tracing::info!("the job's lock ended before the job began; the engine will hand it out again");
        Err(NotStarted::Ended(End::Expired))
    }

    /// Runs the handler while the lock is kept. What has passed its commit point is not cut at once.
    async fn run(&self, parsed: &Job, job: &Assignment, length: Duration) -> Ran {
        // The inner block also catches what panics before the first await.
        let work = AssertUnwindSafe(async { self.handler.handle(parsed).await }).catch_unwind();
        let mut work = pin!(work);
        let cut = tokio::select! {
            biased;
            result = &mut work => return match result {
                result if !job.lock.is_lost() => result.into(),
                Ok(outcome) => Ran::Late(outcome),
                Err(_) => Ran::Cut(Cut::Superseded),
            },
            () = self.reporter.keep_lock(job, length) => Cut::Superseded,
            () = self.phases.grace_over.cancelled() => Cut::GraceOver,
        };
        if !parsed.commit_point.is_passed() {
            return Ran::Cut(cut);
        }
        tracing::info!(?cut, "the job has passed its commit point; its handler may go on for a little while");
        let enough = after(Instant::now(), self.reporter.tuning.committed_grace);
        match cut {
            Cut::GraceOver => {
                let work = self.reporter.keeping(job, length, timeout_at(enough, work));
                work.await.map_or(Ran::Cut(cut), Ran::from)
            }
            Cut::Superseded => match timeout_at(enough.max(job.lock.deadline()), work).await {
                Ok(Ok(outcome)) => Ran::Late(outcome),
                _ => Ran::Cut(cut),
            },
        }
    }

    /// Reports while the lock is kept: a report that is tried again needs the job to stay ours.
    async fn report(&self, job: &Assignment, parsed: &Job, outcome: Outcome, length: Duration) -> End {
        // A job that is failed may be sent again before the answer to FailJob is here; one that is completed may not.
        if matches!(outcome, Outcome::Fail(_) | Outcome::Park { .. }) {
            self.in_hand.remove(job);
        }
        let reported = self.reporter.keeping(job, length, self.reporter.report(job, outcome)).await;
        if let Some(instead) = &reported.instead {
            parsed.labels.set_reason("result");
            self.handler.unhandled(parsed, "result", instead);
        }
        reported.end
    }

    /// What was done is true whoever holds the job by now; what was not done is for its new holder to find out.
    async fn report_late(&self, job: &Assignment, parsed: &Job, outcome: Outcome, length: Duration) -> End {
        match outcome {
            Outcome::Complete { .. } | Outcome::ThrowError { .. } => {
                self.report(job, parsed, outcome, length).await
            }
            Outcome::Fail(_) => {
                tracing::info!("the job is no longer this worker's; its failure is not reported");
                End::Superseded
            }
            Outcome::Park { .. } => End::Superseded,
        }
    }

    /// Fails a job that no handler has an outcome for.
    async fn fail(
        &self,
        job: &Assignment,
        parsed: &Job,
        hand: &Hand,
        Unhandled { reason, failure }: Unhandled,
    ) -> End {
        hand.labels.set_reason(reason);
        let (operation, _) = hand.labels.said();
        self.reporter.metrics.job_handled(operation, "failed", hand.received.elapsed());
        let Failure { message, retries, .. } = &failure;
        tracing::warn!(operation, reason, retries, error = message, "job failed by the worker");
        self.handler.unhandled(parsed, reason, &failure);
        self.report(job, parsed, Outcome::Fail(failure), self.options.job_timeout).await
    }

    async fn give_back(&self, job: &Assignment, why: GivenBack) -> End {
        self.in_hand.remove(job);
        self.reporter.give_back(job, why).await
    }

    /// Counts the end of a job, once.
    fn ended(&self, end: End, hand: &Hand) {
        self.tally.ended(end);
        let (operation, reason) = hand.labels.said();
        let reason = match end {
            End::HandedBack => "shutdown",
            End::Surplus => "surplus",
            End::Unleased => "unleased",
            _ => reason,
        };
        spans::ended(&hand.trace, end, operation, reason);
        let end = JobEnd { operation, end: end.label(), reason };
        self.reporter.metrics.job_ended(end, hand.received.elapsed());
    }
}

/// What becomes of a job that no handler has an outcome for.
struct Unhandled {
    /// A word for metrics.
    reason: &'static str,
    failure: Failure,
}

/// Why a handler did not get its job.
enum NotStarted {
    Ended(End),
    Failed(Failure),
}

impl NotStarted {
    fn failed(retries: i32, message: String) -> Self {
        Self::Failed(failure(retries, message))
    }
}

impl From<Result<Outcome, Panic>> for Ran {
    fn from(result: Result<Outcome, Panic>) -> Self {
        match result {
            Ok(outcome) => Self::Outcome(outcome),
            Err(panic) => Self::Panicked(panic_text(panic.as_ref())),
        }
    }
}

fn failure(retries: i32, message: String) -> Failure {
    Failure { message, retries: retries.max(0), ..Failure::default() }
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

    #[test]
    fn a_panic_of_any_kind_has_a_text() {
        assert_eq!(panic_text(&"plain"), "plain");
        assert_eq!(panic_text(&String::from("formatted")), "formatted");
        assert_eq!(panic_text(&5), "without a message");
    }
}
