//! The broker's wall clock.

use tokio::time::Instant;

/// Goes on with tokio's clock from a given moment, so that paused time pauses it too; can be wrong on purpose.
pub(super) struct Clock {
    started: Instant,
    epoch_millis: i64,
    skew_millis: i64,
}

impl Clock {
    /// `epoch_millis` is what the clock shows at `started`.
    pub(super) fn new(started: Instant, epoch_millis: i64) -> Self {
        Self { started, epoch_millis, skew_millis: 0 }
    }

    pub(super) fn skew(&mut self, millis: i64) {
        self.skew_millis = millis;
    }

    /// What the clock shows then, in milliseconds since the epoch.
    pub(super) fn millis(&self, at: Instant) -> i64 {
        let elapsed = at.saturating_duration_since(self.started).as_millis();
        let elapsed = i64::try_from(elapsed).unwrap_or(i64::MAX);
        self.epoch_millis.saturating_add(elapsed).saturating_add(self.skew_millis)
    }
}
