//! What a worker is doing, for readiness.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::watch;

/// What a worker is doing, for readiness. Cheap to clone.
#[derive(Clone, Debug)]
pub struct WorkerStatus(watch::Receiver<Health>);

/// What a worker is doing, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerHealth {
    /// Whether jobs are being taken.
    pub ready: bool,
    /// Whether the gateway's last answer was one.
    pub gateway_answers: bool,
    /// `off`, `opening`, `open` or `down`.
    pub stream: &'static str,
    /// Whether a stop was asked for.
    pub stopping: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Health {
    /// The gateway's last answer was one, not a lost connection.
    pub(super) gateway: bool,
    pub(super) stream: StreamState,
    pub(super) stopping: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamState {
    /// Streaming is off.
    Disabled,
    /// Not yet open for the first time, and no error so far.
    Opening,
    Open,
    /// The last one ended with an error, and the next is not open yet.
    Down,
}

/// The worker's side: what it tells.
#[derive(Clone, Debug)]
pub(super) struct StatusBoard(Arc<watch::Sender<Health>>);

impl WorkerStatus {
    /// The gateway answered and a stream is open (or streaming is off). False before, and while draining.
    pub fn is_ready(&self) -> bool {
        self.0.borrow().is_ready()
    }

    /// What the worker is doing now.
    pub fn health(&self) -> WorkerHealth {
        let health = *self.0.borrow();
        WorkerHealth {
            ready: health.is_ready(),
            gateway_answers: health.gateway,
            stream: match health.stream {
                StreamState::Disabled => "off",
                StreamState::Opening => "opening",
                StreamState::Open => "open",
                StreamState::Down => "down",
            },
            stopping: health.stopping,
        }
    }

    /// Completes when ready; never when the worker ends without having been.
    pub async fn ready(&self) {
        let mut health = self.0.clone();
        if health.wait_for(|health| health.is_ready()).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Health {
    fn is_ready(self) -> bool {
        self.gateway && !self.stopping && matches!(self.stream, StreamState::Open | StreamState::Disabled)
    }
}

impl StatusBoard {
    pub(super) fn new(stream_enabled: bool) -> Self {
        let stream = if stream_enabled { StreamState::Opening } else { StreamState::Disabled };
        Self(Arc::new(watch::Sender::new(Health { gateway: false, stream, stopping: false })))
    }

    pub(super) fn status(&self) -> WorkerStatus {
        WorkerStatus(self.0.subscribe())
    }

    pub(super) fn watch(&self) -> watch::Receiver<Health> {
        self.0.subscribe()
    }

    pub(super) fn stream(&self) -> StreamState {
        self.0.borrow().stream
    }

    pub(super) fn gateway_answered(&self, answered: bool) {
        self.change(|health| health.gateway = answered);
    }

    pub(super) fn stream_is(&self, state: StreamState) {
        self.change(|health| health.stream = state);
    }

    pub(super) fn stopping(&self) {
        self.change(|health| health.stopping = true);
    }

    fn change(&self, change: impl FnOnce(&mut Health)) {
        self.0.send_if_modified(|health| {
            let before = *health;
            change(health);
            *health != before
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ready_is_a_gateway_that_answers_and_an_open_stream() {
        let board = StatusBoard::new(true);
        let status = board.status();
        board.gateway_answered(true);
        assert!(!status.is_ready());
        board.stream_is(StreamState::Open);
        status.ready().await;
        board.stream_is(StreamState::Down);
        assert!(!status.is_ready());
        board.stream_is(StreamState::Open);
        board.gateway_answered(false);
        assert!(!status.is_ready());
    }

    #[tokio::test]
    async fn without_streaming_the_gateway_is_enough_until_the_stop() {
        let board = StatusBoard::new(false);
        let status = board.status();
        assert!(!status.is_ready());
        board.gateway_answered(true);
        status.ready().await;
        board.stopping();
        assert!(!status.is_ready());
    }
}
