//! How busy an org is from here: calls in hand, how long they take, and whether the org may have more of them.

use std::time::Duration;

use tokio::time::Instant;

/// The weight of the newest call in the averages.
const NEWEST: f64 = 1.0 / 8.0;

/// Calls that take longer on average, or a time without any answer that is longer, make an org slow.
pub(super) const SLOW: Duration = Duration::from_secs(2);

/// The bounds of a rest.
const SHORTEST_REST: Duration = Duration::from_secs(5);
const LONGEST_REST: Duration = Duration::from_mins(5);

/// Calls in hand for one org, and how long they take.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// Under way, or waiting to be.
    in_hand: usize,
    in_flight: usize,
    /// The time from a call to its answer.
    latency: Average,
    /// The same with the time that the call waited here: how long a job is held up.
    turnaround: Average,
    /// The last answer, or the begin of the first call after idleness.
    alive: Option<Instant>,
    /// When the last of those comes back that were turned away.
    last_return: Option<Instant>,
}

/// A moving average, in seconds.
#[derive(Debug, Default)]
struct Average(Option<f64>);

impl Average {
    fn add(&mut self, time: Duration) {
        let seconds = time.as_secs_f64();
        self.0 = Some(self.0.map_or(seconds, |old| old + (seconds - old) * NEWEST));
    }

    fn get(&self) -> Option<Duration> {
        self.0.map(Duration::from_secs_f64)
    }
}

impl Load {
    /// A call comes.
    pub(super) fn came(&mut self) {
        if self.in_hand == 0 {
            self.alive = Some(Instant::now());
        }
        self.in_hand += 1;
    }

    /// It goes out.
    pub(super) fn sent(&mut self) {
        self.in_flight += 1;
    }

    /// It was answered; with when it came, and when it went out.
    pub(super) fn answered(&mut self, came: Instant, sent: Instant) {
        self.latency.add(sent.elapsed());
        self.turnaround.add(came.elapsed());
        self.alive = Some(Instant::now());
    }

    /// It ended without an answer.
    pub(super) fn unanswered(&mut self, came: Instant) {
        self.turnaround.add(came.elapsed());
    }

    pub(super) fn ended(&mut self, was_sent: bool) {
        self.in_hand = self.in_hand.saturating_sub(1);
        self.in_flight = self.in_flight.saturating_sub(usize::from(was_sent));
    }

    /// Whether a slow org has `share` calls in hand already: the rest of the permits is for others.
    pub(super) fn is_full(&self, share: usize) -> bool {
        self.in_hand >= share && self.is_slow()
    }

    /// Whether its calls take long, or it has been silent for long.
    pub(super) fn is_slow(&self) -> bool {
        self.turnaround.get().is_some_and(|time| time > SLOW) || self.silence() > SLOW
    }

    fn silence(&self) -> Duration {
        self.alive.filter(|_| self.in_hand > 0).map(|alive| alive.elapsed()).unwrap_or_default()
    }

    /// How long a job rests that is turned away. They come back one after the other, as fast as the org does its work,
    /// so that a long queue does not go in circles.
    pub(super) fn turn_away(&mut self) -> Duration {
        let now = Instant::now();
        let held_up = self.turnaround.get().unwrap_or_default().max(self.silence());
        let apart = held_up / u32::try_from(self.in_hand.max(1)).unwrap_or(u32::MAX);
        let earliest = now + SHORTEST_REST;
        let back =
            (self.last_return.map_or(earliest, |last| last.max(earliest)) + apart).min(now + LONGEST_REST);
        self.last_return = Some(back);
        (back - now).mul_f64(1.0 + 0.1 * fastrand::f64())
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub(super) fn waiting(&self) -> usize {
        self.in_hand - self.in_flight
    }

    /// The average time of an answer, once there was one.
    pub(super) fn latency(&self) -> Option<Duration> {
        self.latency.get()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    async fn call(load: &mut Load, seconds: u64) {
        let now = Instant::now();
        load.came();
        load.sent();
        advance(Duration::from_secs(seconds)).await;
        load.answered(now, now);
        load.ended(true);
    }

    #[tokio::test(start_paused = true)]
    async fn the_average_follows_the_answers_and_forgets_old_ones() {
        let mut load = Load::default();
        assert_eq!(load.latency(), None);
        for (seconds, expected) in [(1, 1.0), (9, 2.0), (2, 2.0)] {
            call(&mut load, seconds).await;
            assert!((load.latency().unwrap().as_secs_f64() - expected).abs() < 1e-9, "{load:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_quick_org_may_have_everything() {
        let mut load = Load::default();
        call(&mut load, 1).await;
        for _ in 0..100 {
            load.came();
        }
        assert!(!load.is_full(75));
    }

    #[tokio::test(start_paused = true)]
    async fn an_org_that_falls_silent_has_its_share_and_no_more() {
        let mut load = Load::default();
        call(&mut load, 1).await;
        advance(Duration::from_hours(1)).await;
        for _ in 0..75 {
            load.came();
        }
        assert!(!load.is_full(75), "idleness is not silence");
        advance(SLOW + Duration::from_millis(1)).await;
        assert!(load.is_full(75) && !load.is_full(76));
    }

    #[tokio::test(start_paused = true)]
    async fn an_org_whose_calls_take_long_has_its_share_though_it_answers() {
        let mut load = Load::default();
        call(&mut load, 10).await;
        for _ in 0..75 {
            load.came();
        }
        assert!(load.is_full(75));
    }

    #[tokio::test(start_paused = true)]
    async fn those_turned_away_come_back_as_fast_as_the_org_works_and_within_minutes() {
        let mut load = Load::default();
        call(&mut load, 10).await;
        for _ in 0..100 {
            load.came();
        }
        let rests: Vec<_> = (0..10_000).map(|_| load.turn_away().as_secs_f64()).collect();
        assert!(rests.iter().all(|rest| (5.0..=330.0).contains(rest)));
        // A hundred in hand for ten seconds each: ten a second.
        assert!((15.0..=16.6).contains(&rests[100]), "{}", rests[100]);
        assert!((105.0..=115.6).contains(&rests[1000]), "{}", rests[1000]);
    }
}
