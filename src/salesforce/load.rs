//! How busy an org is from here: calls under way, and how long its answers take.

use std::time::Duration;

use tokio::time::Instant;

/// The weight of the newest answer in the average.
const NEWEST: f64 = 1.0 / 8.0;

/// Calls under way to one org, and the time of its answers.
#[derive(Debug, Default)]
pub(super) struct Load {
    in_flight: usize,
    /// The moving average of the time from a call to its answer, in seconds.
    latency: Option<f64>,
}

impl Load {
    pub(super) fn begun(&mut self) {
        self.in_flight += 1;
    }

    pub(super) fn ended(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// An answer came to a call that began then.
    pub(super) fn answered(&mut self, began: Instant) {
        let seconds = began.elapsed().as_secs_f64();
        self.latency = Some(self.latency.map_or(seconds, |old| old + (seconds - old) * NEWEST));
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// The average time of an answer, once there was one.
    pub(super) fn latency(&self) -> Option<Duration> {
        self.latency.map(Duration::from_secs_f64)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_average_follows_the_answers_and_forgets_old_ones() {
        let mut load = Load::default();
        assert_eq!(load.latency(), None);
        for (seconds, expected) in [(1, 1.0), (9, 2.0), (2, 2.0)] {
            let began = Instant::now();
            advance(Duration::from_secs(seconds)).await;
            load.answered(began);
            assert!((load.latency().unwrap().as_secs_f64() - expected).abs() < 1e-9, "{load:?}");
        }
    }
}
