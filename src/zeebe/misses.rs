//! Jobs that a poll found although an open stream should have brought them: a sign that the stream is dead.
//!
//! The gateway pushes what becomes available while a stream is open. So what a sweep finds that was not there at the sweep
//! before should have come by the stream. Once, that proves little: another worker's stream may have been chosen and was
//! full. Again and again, with nothing pushed in between, it does.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

/// So many in a row are too many.
const MOST: u32 = 3;
/// A gateway takes a moment to tell its brokers of a stream.
const KNOWN_AFTER: Duration = Duration::from_secs(10);

/// What the polls missed since the stream brought something.
#[derive(Debug, Default)]
pub(super) struct Misses {
    state: Mutex<State>,
    missed: Notify,
}

#[derive(Debug, Default)]
struct State {
    opened: Option<Instant>,
    count: u32,
}

impl Misses {
    /// There is a new stream.
    pub(super) fn stream_opened(&self) {
        *self.state() = State { opened: Some(Instant::now()), count: 0 };
    }

    /// The stream has brought a job.
    pub(super) fn pushed(&self) {
        self.state().count = 0;
    }

    /// A poll beside the stream found jobs of which there were none at this time.
    pub(super) fn polled(&self, none_at: Instant) {
        let mut state = self.state();
        let is_known = |opened: Instant| none_at.saturating_duration_since(opened) >= KNOWN_AFTER;
        if state.opened.is_some_and(is_known) {
            state.count += 1;
            self.missed.notify_one();
        }
    }

    /// Completes when there are too many.
    pub(super) async fn too_many(&self) {
        while self.state().count < MOST {
            self.missed.notified().await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn three_in_a_row_are_too_many_and_a_job_of_the_stream_begins_anew() {
        let misses = Misses::default();
        misses.stream_opened();
        advance(KNOWN_AFTER).await;
        for _ in 0..3 {
            for _ in 0..MOST - 1 {
                misses.polled(Instant::now());
            }
            assert!(misses.too_many().now_or_never().is_none());
            misses.pushed();
        }
        for _ in 0..MOST {
            misses.polled(Instant::now());
        }
        misses.too_many().await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_have_come_before_the_stream_was_known_does_not_count() {
        let misses = Misses::default();
        misses.polled(Instant::now());
        misses.stream_opened();
        let young = Instant::now() + KNOWN_AFTER - Duration::from_millis(1);
        advance(KNOWN_AFTER).await;
        for _ in 0..MOST {
            misses.polled(young);
        }
        assert!(misses.too_many().now_or_never().is_none());
    }
}
