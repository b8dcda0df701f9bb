//! The worker: it takes the jobs of one type and has them carried out.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Failure, GatewayClient, Job, Outcome, StopSignal, WorkerOptions, WorkerStatus, WorkerSummary,
    WorkerTuning,
    crew::{Crew, Phases},
    in_hand::InHand,
    locking::after,
    misses::Misses,
    permits::PermitPool,
    poll,
    report::Reporter,
    status::StatusBoard,
    stream,
    summary::Tally,
};
use crate::metrics::Metrics;

/// How long the last reports may take after the grace period.
const LAST_REPORTS: Duration = Duration::from_secs(5);
/// How long stream and poll may take to end after the grace period; they need less.
const LAST_SOURCES: Duration = Duration::from_secs(3);
/// Between the panic of a loop, which is a bug, and its next life.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// What is done with a job: a total function.
pub trait JobHandler: Send + Sync + 'static {
    /// Decides about a job. A panic becomes `FailJob` with one retry less. The future is dropped when the job
    /// is no longer this worker's, and at the end of the grace period, unless it has passed the job's
    /// [`CommitPoint`](super::CommitPoint).
    fn handle(&self, job: &Job) -> impl Future<Output = Outcome> + Send;

    /// Hears of a job that the worker fails by itself, which is logged: it is `malformed`, or its `job_timeout` could not be
    /// set; the handler ended in a `panic`, or was past its commit point at the `shutdown`; or the engine refuses its
    /// `result` for good. Does nothing where an implementation has no use for it.
    fn unhandled(&self, job: &Job, reason: &'static str, failure: &Failure) {
        let _ = (job, reason, failure);
    }
}

/// Carries out the jobs of one type.
pub struct Worker<H> {
    handler: H,
    gateway: GatewayClient,
    options: WorkerOptions,
    tuning: WorkerTuning,
    metrics: Arc<Metrics>,
    board: StatusBoard,
}

impl<H: JobHandler> Worker<H> {
    /// Puts a worker together; it does nothing before [`Worker::run`].
    pub fn new(gateway: GatewayClient, handler: H, options: WorkerOptions, metrics: Arc<Metrics>) -> Self {
        let board = StatusBoard::new(options.stream_enabled);
        Self { handler, gateway, options, tuning: WorkerTuning::default(), metrics, board }
    }

    /// The same with other than the usual timing.
    #[must_use]
    pub fn with_tuning(self, tuning: WorkerTuning) -> Self {
        Self { tuning, ..self }
    }

    /// For readiness.
    pub fn status(&self) -> WorkerStatus {
        self.board.status()
    }

    /// Runs until told to stop and every job in hand is reported or handed back; says what became of all jobs.
    ///
    /// No error ends it. At a stop, running jobs get the grace period, and those left then another five
    /// seconds to be handed back; those past their commit point have the committed grace before. When this future is dropped, all work stops at once, as by an abort.
    pub async fn run(self, stop: StopSignal) -> WorkerSummary {
        let abort = stop.abort.child_token();
        let _stop_with_this_future = abort.clone().drop_guard();
        let phases = Phases { drain: stop.drain.child_token(), grace_over: CancellationToken::new(), abort };
        let crew = Arc::new(Crew {
            permits: PermitPool::new(self.options.max_jobs_active, Arc::clone(&self.metrics)),
            reporter: Reporter {
                gateway: self.gateway,
                tuning: Arc::new(self.tuning),
                metrics: self.metrics,
            },
            options: self.options,
            board: self.board,
            phases: phases.clone(),
            tasks: TaskTracker::new(),
            tally: Tally::default(),
            handler: self.handler,
            in_hand: InHand::default(),
            misses: Misses::default(),
        });
        let sources = take_jobs(&crew);
        tokio::select! {
            () = phases.abort.cancelled() => phases.drain.cancel(),
            () = phases.drain.cancelled() => {}
        }
        tokio::select! {
            biased;
            () = phases.abort.cancelled() => tracing::info!("the worker is stopped at once"),
            () = wind_up(&crew, sources) => {}
        }
        crew.phases.abort.cancel();
        crew.tasks.close();
        // Tasks see the abort at their next await.
        let _ = timeout(LAST_REPORTS, crew.tasks.wait()).await;
        crew.tally.summary()
    }
}

/// Starts stream and poll; the tracker ends when both have.
fn take_jobs<H: JobHandler>(crew: &Arc<Crew<H>>) -> TaskTracker {
    let sources = TaskTracker::new();
    sources.spawn(supervise("poll", Arc::clone(crew), poll::run));
    if crew.options.stream_enabled {
        sources.spawn(supervise("stream", Arc::clone(crew), stream::run));
    }
    sources.close();
    sources
}

/// A loop that panics is a bug, but not the end of the worker.
async fn supervise<H, F, R>(name: &'static str, crew: Arc<Crew<H>>, run: F)
where
    H: JobHandler,
    F: Fn(Arc<Crew<H>>) -> R,
    R: Future<Output = ()>,
{
    let supervised = async {
        while AssertUnwindSafe(run(Arc::clone(&crew))).catch_unwind().await.is_err() {
            tracing::error!(name, "a loop of the worker panicked; it is started again");
            sleep(AFTER_PANIC).await;
        }
    };
    tokio::select! {
        () = crew.phases.abort.cancelled() => {}
        () = supervised => {}
    }
}

/// The shutdown in good order: no new jobs, grace for the running ones, the rest handed back.
async fn wind_up<H: JobHandler>(crew: &Crew<H>, sources: TaskTracker) {
    let grace_ends = after(Instant::now(), crew.options.shutdown_grace);
    crew.board.stopping();
    tracing::info!(jobs = crew.tasks.len(), grace = ?crew.options.shutdown_grace, "the worker takes no more jobs");
    let work = async {
        sources.wait().await;
        crew.tasks.close();
        crew.tasks.wait().await;
    };
    if timeout_at(grace_ends, work).await.is_ok() {
        return;
    }
    // What is handed back while a stream is open may come back on it; both sources end soon by themselves.
    let _ = timeout(LAST_SOURCES, sources.wait()).await;
    tracing::info!(jobs = crew.tasks.len(), "the grace period is over; the remaining jobs are handed back");
    crew.phases.grace_over.cancel();
    crew.tasks.close();
    let last_reports = crew.reporter.tuning.committed_grace.saturating_add(LAST_REPORTS);
    if timeout(last_reports, crew.tasks.wait()).await.is_err() {
        tracing::warn!(jobs = crew.tasks.len(), "some jobs could not be handed back; their locks run out");
    }
}
