//! Jobs that are asked for. No error ends this loop.
//!
//! Without a stream this is a long poll. Beside an open stream it does not wait at the gateway: a waiting
//! poll would hold permits that pushed jobs need. It then only sweeps up what the stream cannot bring, and
//! rests the longer the less there is.

use std::{pin::pin, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout_at};
use tonic::Code;

use super::{
    GatewayError, JobHandler,
    crew::{Arrival, Crew},
    error::Cause,
    options::millis,
    permits::{Permit, Share},
    protocol::ActivateJobsRequest,
    status::StreamState,
};
use crate::metrics::JobSource;

/// How long a poll may go on after the stop; an answer that is on its way gets here in that time.
const LAST_ANSWER: Duration = Duration::from_secs(1);

const RPC: &str = "ActivateJobs";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Beside a stream: no waiting at the gateway.
    Sweep,
    /// The stream is down; it may come up while this poll waits.
    LongBesideNone,
    /// Streaming is off.
    Long,
}

/// Polls until the drain.
pub(super) async fn run<H: JobHandler>(crew: Arc<Crew<H>>) {
    let (mut empties, mut failures) = (0, 0);
    // When the last poll began, if it found nothing.
    let mut none_at = None;
    loop {
        let mode = Mode::beside(crew.board.stream());
        let permit = tokio::select! {
            biased;
            () = crew.phases.drain.cancelled() => return,
            permit = crew.permits.for_poll(mode.share()) => permit,
        };
        let began = Instant::now();
        let polled = {
            let mut poll = pin!(poll(&crew, mode, permit));
            tokio::select! {
                biased;
                polled = &mut poll => polled,
                () = last_answer_is_due(&crew) => return,
            }
        };
        let pause = match polled {
            Ok(0) => {
                (empties, failures, none_at) = (empties + 1, 0, Some(began));
                crew.pause_after_empty(mode, empties)
            }
            Ok(_) => {
                if let (Mode::Sweep, Some(none_at)) = (mode, none_at.take()) {
                    crew.misses.polled(none_at);
                }
                (empties, failures) = (0, 0);
                continue;
            }
            Err(error) => {
                failures += 1;
                log_failure(&error);
                crew.error_pause(&error, failures)
            }
        };
        if rest(&crew, pause).await == Wake::Early {
            // The gateway may have put jobs aside.
            (empties, none_at) = (0, None);
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Wake {
    InTime,
    Early,
}

/// Rests, but not when there is a reason to look at once: the stream has just opened, so that what came
/// before it must be found; or it had to wait, so that the gateway may have put jobs aside.
async fn rest<H: JobHandler>(crew: &Crew<H>, pause: Duration) -> Wake {
    let least = crew.reporter.tuning.poll_pause.min(pause);
    let mut board = crew.board.watch();
    let was = board.borrow_and_update().stream;
    let opened = board.wait_for(|health| health.stream == StreamState::Open && health.stream != was);
    let began = Instant::now();
    tokio::select! {
        () = crew.phases.drain.cancelled() => return Wake::InTime,
        () = sleep(pause) => return Wake::InTime,
        _ = opened => {}
        () = crew.permits.contended() => {}
    }
    // Under full load there is always a reason; a pause there must be all the same.
    tokio::time::sleep_until(began + least).await;
    Wake::Early
}

async fn last_answer_is_due<H>(crew: &Crew<H>) {
    crew.phases.drain.cancelled().await;
    sleep(LAST_ANSWER).await;
}

/// Asks for as many jobs as there are permits and starts them; gives their number. What was started before
/// an error stays so.
async fn poll<H: JobHandler>(crew: &Arc<Crew<H>>, mode: Mode, permit: Permit) -> Result<usize, GatewayError> {
    let wait = mode.request_timeout(crew.options.request_timeout);
    let after = crew.options.request_timeout + crew.reporter.tuning.poll_offset;
    let mut taken = 0;
    let answer = receive(crew, wait, permit, &mut taken);
    let result = match timeout_at(Instant::now() + after, answer).await {
        Ok(result) => result,
        Err(_) => Err(GatewayError(Cause::Timeout { rpc: RPC, after })),
    };
    let metrics = &crew.reporter.metrics;
    match &result {
        Ok(()) => metrics.poll_ended(taken),
        Err(_) => metrics.poll_failed(),
    }
    // An overloaded gateway is one that answers.
    let answered = result.as_ref().err().is_none_or(|error| error.code() == Some(Code::ResourceExhausted));
    crew.board.gateway_answered(answered);
    result.map(|()| taken)
}

async fn receive<H: JobHandler>(
    crew: &Arc<Crew<H>>,
    request_timeout: i64,
    mut permit: Permit,
    taken: &mut usize,
) -> Result<(), GatewayError> {
    let options = &crew.options;
    let request = ActivateJobsRequest {
        r#type: options.job_type.clone(),
        worker: options.name.clone(),
        timeout: options.lock_millis(),
        max_jobs_to_activate: i32::try_from(permit.count()).unwrap_or(i32::MAX),
        fetch_variable: options.fetch_variables.clone(),
        request_timeout,
        tenant_ids: options.tenants(),
        tenant_filter: options.tenant_filter(),
        with_lease: options.with_lease,
    };
    let mut answer = crew.reporter.gateway.activate_jobs(request).await?;
    while let Some(batch) = answer.message().await.map_err(|status| GatewayError::status(RPC, status))? {
        let arrival = Arrival { source: JobSource::Poll, not_before: Instant::now() };
        for job in batch.jobs {
            *taken += 1;
            // More jobs than asked for are a fault of the gateway; they are given back.
            crew.start(job, arrival, permit.split_one());
        }
    }
    Ok(())
}

impl<H> Crew<H> {
    fn pause_after_empty(&self, mode: Mode, empties: u32) -> Duration {
        let tuning = &self.reporter.tuning;
        match mode {
            Mode::Sweep => tuning.idle_poll_backoff.delay(empties),
            Mode::Long | Mode::LongBesideNone => tuning.poll_pause,
        }
    }
}

impl Mode {
    fn beside(stream: StreamState) -> Self {
        match stream {
            StreamState::Open | StreamState::Opening => Self::Sweep,
            StreamState::Down => Self::LongBesideNone,
            StreamState::Disabled => Self::Long,
        }
    }

    fn share(self) -> Share {
        if self == Self::LongBesideNone { Share::Half } else { Share::All }
    }

    /// As the protocol has it: below 0 the gateway does not wait.
    fn request_timeout(self, wait: Duration) -> i64 {
        if self == Self::Sweep { -1 } else { millis(wait) }
    }
}

fn log_failure(error: &GatewayError) {
    match error.code() {
        Some(Code::ResourceExhausted) => tracing::trace!(%error, "no jobs by polling"),
        Some(Code::Unavailable) if error.text().contains("504") => {
            tracing::debug!(%error, "no jobs by polling");
        }
        _ => tracing::warn!(%error, "no jobs by polling"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_beside_a_stream_does_not_wait_at_the_gateway() {
        let wait = Duration::from_secs(10);
        for (stream, request_timeout, share) in [
            (StreamState::Open, -1, Share::All),
            (StreamState::Opening, -1, Share::All),
            (StreamState::Down, 10_000, Share::Half),
            (StreamState::Disabled, 10_000, Share::All),
        ] {
            let mode = Mode::beside(stream);
            assert_eq!((mode.request_timeout(wait), mode.share()), (request_timeout, share), "{stream:?}");
        }
    }
}
