//! Jobs that the gateway pushes. No error ends this loop.

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tonic::{Code, Streaming};

use super::{
    GatewayError, JobHandler,
    crew::{Arrival, Crew},
    locking::after,
    protocol::{ActivatedJob, StreamActivatedJobsRequest},
    status::StreamState,
};
use crate::metrics::JobSource;

/// A gateway sends headers only with the first job. A call that was not refused for this long, on a
/// connection that works, counts as an open stream.
const SETTLED_AFTER: Duration = Duration::from_millis(100);
/// A stream that lived this long ends a row of failures.
const PROVEN_AFTER: Duration = Duration::from_secs(10);
/// At the stop a stream is read on until it was silent for a while; under load it never is. This bounds the
/// wait, and the next the jobs.
const LAST_READ: Duration = Duration::from_secs(1);
/// More than the receive window can hold of the smallest jobs.
const MOST_UNREAD: usize = 1_024;

const RPC: &str = "StreamActivatedJobs";

/// Why a stream is over.
enum Closed {
    Draining,
    /// Replaced as planned.
    Planned(&'static str),
    /// The gateway ended it in good order.
    ByGateway,
    Failed(GatewayError),
}

impl From<GatewayError> for Closed {
    fn from(error: GatewayError) -> Self {
        Self::Failed(error)
    }
}

/// Serves streams until the drain.
pub(super) async fn run<H: JobHandler>(crew: Arc<Crew<H>>) {
    let mut failures = 0;
    loop {
        let began = Instant::now();
        let lifetime = jittered(crew.reporter.tuning.stream_lifetime);
        let mut stream =
            JobStream { crew: &crew, began, lifetime, last_empty: began, last_job: began, is_open: false };
        let closed = stream.serve().await;
        if stream.is_open {
            crew.reporter.metrics.stream_closed(closed.label());
        }
        match &closed {
            Closed::Draining => return,
            Closed::Planned(reason) => {
                tracing::debug!(reason, "the job stream is replaced");
                crew.reporter.gateway.renew_stream_connection();
                failures = 0;
                continue;
            }
            Closed::ByGateway => tracing::debug!("the gateway ended the job stream"),
            Closed::Failed(error) => log_failure(error),
        }
        crew.board.stream_is(StreamState::Down);
        let had_a_job = stream.last_job > began;
        failures = if had_a_job || began.elapsed() >= PROVEN_AFTER { 1 } else { failures + 1 };
        let pause = crew.pause_after(&closed, failures);
        tokio::select! {
            () = crew.phases.drain.cancelled() => return,
            () = sleep(pause) => {}
        }
    }
}

struct JobStream<'a, H> {
    crew: &'a Arc<Crew<H>>,
    began: Instant,
    lifetime: Duration,
    /// When nothing unread was here for the last time.
    last_empty: Instant,
    last_job: Instant,
    is_open: bool,
}

impl<H: JobHandler> JobStream<'_, H> {
    async fn serve(&mut self) -> Closed {
        let mut stream = match self.open().await {
            Ok(stream) => stream,
            Err(closed) => return closed,
        };
        let closed = self.read(&mut stream).await;
        if matches!(closed, Closed::Draining) {
            self.hand_back_unread(stream).await;
        }
        closed
    }

    async fn open(&mut self) -> Result<Streaming<ActivatedJob>, Closed> {
        let drain = &self.crew.phases.drain;
        let gateway = &self.crew.reporter.gateway;
        tokio::select! {
            biased;
            () = drain.cancelled() => return Err(Closed::Draining),
            reached = gateway.reach_for_streams() => reached?,
        }
        self.crew.board.gateway_answered(true);
        let mut call = pin!(gateway.stream_jobs(self.request()));
        let called = Instant::now();
        let life_ends = after(self.began, self.lifetime);
        let silence_ends = after(called, self.crew.reporter.tuning.stream_inactivity);
        let stream = loop {
            tokio::select! {
                biased;
                stream = &mut call => break stream?,
                () = drain.cancelled() => match timeout(self.crew.reporter.tuning.stream_quiet, &mut call).await {
                    Ok(Ok(stream)) => break stream,
                    _ => return Err(Closed::Draining),
                },
                () = sleep_until(called + SETTLED_AFTER), if !self.is_open => self.opened(),
                () = sleep_until(life_ends) => return Err(Closed::Planned("lifetime")),
                () = sleep_until(silence_ends) => return Err(Closed::Planned("inactivity")),
                () = self.crew.misses.too_many(), if self.is_open => return Err(Closed::Planned("missed")),
            }
        };
        if !self.is_open {
            self.opened();
        }
        self.last_empty = Instant::now();
        Ok(stream)
    }

    fn opened(&mut self) {
        self.is_open = true;
        self.crew.reporter.metrics.stream_opened();
        self.crew.misses.stream_opened();
        self.crew.board.stream_is(StreamState::Open);
        tracing::debug!("job stream open");
    }

    /// A permit first, then one job. While a poll starves, no permit is held without a job.
    async fn read(&mut self, stream: &mut Streaming<ActivatedJob>) -> Closed {
        let crew = self.crew;
        let tuning = &crew.reporter.tuning;
        loop {
            let permit = tokio::select! {
                biased;
                () = crew.phases.drain.cancelled() => return Closed::Draining,
                permit = crew.permits.for_push() => permit,
            };
            let message = if let Some(message) = stream.message().now_or_never() {
                message
            } else {
                let (retires, silence_ends) =
                    (self.retires(), after(self.last_job, tuning.stream_inactivity));
                let message = tokio::select! {
                    biased;
                    message = stream.message() => Some(message),
                    () = crew.phases.drain.cancelled() => return Closed::Draining,
                    () = crew.permits.poll_starves() => None,
                    () = sleep_until(retires) => return Closed::Planned("lifetime"),
                    () = sleep_until(silence_ends) => return Closed::Planned("inactivity"),
                    // Nothing is unread here.
                    () = crew.misses.too_many() => return Closed::Planned("missed"),
                };
                self.last_empty = Instant::now();
                let Some(message) = message else { continue };
                message
            };
            match message {
                Ok(Some(job)) => {
                    self.last_job = Instant::now();
                    crew.misses.pushed();
                    crew.start(job, self.arrival(), Some(permit));
                }
                Ok(None) => return Closed::ByGateway,
                Err(status) => return Closed::Failed(GatewayError::status(RPC, status)),
            }
        }
    }

    /// What the gateway has sent already would stay locked until its timeout. It is given back once the
    /// stream is closed, or it would come here again. What is sent in the very moment of closing is lost to us.
    async fn hand_back_unread(&mut self, mut stream: Streaming<ActivatedJob>) {
        let last = Instant::now() + LAST_READ;
        let silence = self.crew.reporter.tuning.stream_quiet;
        let mut unread = Vec::new();
        while unread.len() < MOST_UNREAD {
            let quiet = last.min(Instant::now() + silence);
            let Ok(Ok(Some(job))) = timeout_at(quiet, stream.message()).await else { break };
            unread.push(job);
        }
        drop(stream);
        for job in unread {
            self.crew.start(job, self.arrival(), None);
        }
    }

    /// When the stream is to be replaced: at the end of its life, in a quiet moment if there is one, since
    /// what is sent in the moment of closing stays locked until its timeout.
    fn retires(&self) -> Instant {
        let life_ends = after(self.began, self.lifetime);
        life_ends
            .max(self.last_job + self.crew.reporter.tuning.stream_quiet)
            .min(life_ends + self.lifetime / 10)
    }

    fn arrival(&self) -> Arrival {
        Arrival { source: JobSource::Stream, not_before: self.last_empty }
    }

    fn request(&self) -> StreamActivatedJobsRequest {
        let options = &self.crew.options;
        StreamActivatedJobsRequest {
            r#type: options.job_type.clone(),
            worker: options.name.clone(),
            timeout: options.lock_millis(),
            fetch_variable: options.fetch_variables.clone(),
            tenant_ids: options.tenants(),
            tenant_filter: options.tenant_filter(),
            with_lease: options.with_lease,
        }
    }
}

/// Less up to a tenth, so that workers that were started together do not change their streams together.
fn jittered(lifetime: Duration) -> Duration {
    lifetime.saturating_sub(lifetime.mul_f64(0.1 * fastrand::f64()))
}

impl<H> Crew<H> {
    fn pause_after(&self, closed: &Closed, failures: u32) -> Duration {
        match closed {
            Closed::Failed(error) => self.error_pause(error, failures),
            _ => self.reporter.tuning.error_backoff.delay(failures),
        }
    }

    /// How long to wait after the nth error in a row.
    pub(super) fn error_pause(&self, error: &GatewayError, failures: u32) -> Duration {
        let tuning = &self.reporter.tuning;
        let backoff = if error.code() == Some(Code::Unauthenticated) {
            &tuning.credentials_backoff
        } else {
            &tuning.error_backoff
        };
        backoff.delay(failures)
    }
}

impl Closed {
    fn label(&self) -> &'static str {
        match self {
            Self::Draining => "drain",
            Self::Planned(reason) => reason,
            Self::ByGateway => "ended",
            Self::Failed(_) => "error",
        }
    }
}

/// Overload and the cuts of proxies are ordinary.
fn log_failure(error: &GatewayError) {
    match error.code() {
        Some(Code::ResourceExhausted) => tracing::trace!(%error, "no job stream"),
        Some(Code::Unavailable) if error.text().contains("504") => tracing::debug!(%error, "no job stream"),
        _ => tracing::warn!(%error, "no job stream"),
    }
}
