//! Exponential backoff with jitter.

use std::time::Duration;

/// Delays that grow from `min` by `factor` up to `max`, each moved by up to ± `jitter` of itself.
///
/// The bounds hold before the jitter: the longest delay is `max` × (1 + `jitter`), so that many
/// clients that all wait at the upper bound still spread out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    factor: f64,
    jitter: f64,
}

/// Why a [`Backoff`] cannot be made of these numbers.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum InvalidBackoff {
    /// A delay of nothing never grows.
    #[error("the shortest delay of a backoff must be longer than zero")]
    ZeroMin,
    /// The bounds are crossed.
    #[error("the shortest delay of a backoff ({min:?}) must not be longer than the longest ({max:?})")]
    MinAboveMax {
        /// The lower bound given.
        min: Duration,
        /// The upper bound given.
        max: Duration,
    },
    /// Delays must not shrink.
    #[error("the factor of a backoff must be a finite number of at least 1, but is {0}")]
    Factor(f64),
    /// A jitter of 1 or more would allow a delay of nothing.
    #[error("the jitter of a backoff must be at least 0 and below 1, but is {0}")]
    Jitter(f64),
}

impl Backoff {
    /// For loops that never give up: 50 ms × 1.6 … 5 s, ± 10 %, as Camunda's Java client has it.
    pub const SUPERVISED: Self =
        Self { min: Duration::from_millis(50), max: Duration::from_secs(5), factor: 1.6, jitter: 0.1 };

    /// A checked backoff: 0 < `min` ≤ `max`, `factor` ≥ 1, 0 ≤ `jitter` < 1.
    pub fn new(min: Duration, max: Duration, factor: f64, jitter: f64) -> Result<Self, InvalidBackoff> {
        if min.is_zero() {
            return Err(InvalidBackoff::ZeroMin);
        }
        if min > max {
            return Err(InvalidBackoff::MinAboveMax { min, max });
        }
        if !factor.is_finite() || factor < 1.0 {
            return Err(InvalidBackoff::Factor(factor));
        }
        if !(0.0..1.0).contains(&jitter) {
            return Err(InvalidBackoff::Jitter(jitter));
        }
        Ok(Self { min, max, factor, jitter })
    }

    /// The delay before attempt `attempt` + 1 (`attempt` counts the failures so far, from 1).
    pub fn delay(&self, attempt: u32) -> Duration {
        self.delay_with(attempt, &mut fastrand::Rng::new())
    }

    /// The same with a random source of the caller's choice: equal seeds give equal delays.
    pub fn delay_with(&self, attempt: u32, rng: &mut fastrand::Rng) -> Duration {
        let spread = 1.0 + self.jitter * (rng.f64() * 2.0 - 1.0);
        let seconds = self.without_jitter(attempt).as_secs_f64() * spread;
        Duration::try_from_secs_f64(seconds).unwrap_or(self.max)
    }

    /// The shortest delay, before jitter.
    pub fn min(&self) -> Duration {
        self.min
    }

    /// The longest delay, before jitter.
    pub fn max(&self) -> Duration {
        self.max
    }

    /// A hint from outside (a `Retry-After`, say), moved into the bounds of this backoff.
    pub fn clamp(&self, hint: Duration) -> Duration {
        hint.clamp(self.min, self.max)
    }

    fn without_jitter(&self, attempt: u32) -> Duration {
        let steps = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.min.as_secs_f64() * self.factor.powi(steps);
        Duration::try_from_secs_f64(seconds).unwrap_or(self.max).clamp(self.min, self.max)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn millis(range: std::ops::Range<u64>) -> impl Strategy<Value = Duration> {
        range.prop_map(Duration::from_millis)
    }

    prop_compose! {
        fn backoffs()(
            min in millis(1..10_000),
            more in millis(0..1_000_000),
            factor in 1.0..10.0,
            jitter in 0.0..0.99,
        ) -> Backoff {
            Backoff::new(min, min + more, factor, jitter).unwrap()
        }
    }

    proptest! {
        #[test]
        fn a_delay_stays_within_the_bounds_and_their_jitter(
            backoff in backoffs(), attempt: u32, seed: u64,
        ) {
            let delay = backoff.delay_with(attempt, &mut fastrand::Rng::with_seed(seed)).as_secs_f64();
            let slack = 1e-6;
            prop_assert!(delay >= backoff.min.as_secs_f64() * (1.0 - backoff.jitter) - slack);
            prop_assert!(delay <= backoff.max.as_secs_f64() * (1.0 + backoff.jitter) + slack);
        }

        #[test]
        fn without_jitter_no_delay_is_shorter_than_the_one_before(backoff in backoffs(), attempt in 1..200_u32) {
            prop_assert!(backoff.without_jitter(attempt) <= backoff.without_jitter(attempt + 1));
        }

        #[test]
        fn equal_seeds_give_equal_delays(backoff in backoffs(), attempt in 1..50_u32, seed: u64) {
            let one = backoff.delay_with(attempt, &mut fastrand::Rng::with_seed(seed));
            prop_assert_eq!(one, backoff.delay_with(attempt, &mut fastrand::Rng::with_seed(seed)));
        }

        #[test]
        fn a_hint_is_moved_into_the_bounds(backoff in backoffs(), hint in millis(0..10_000_000)) {
            let clamped = backoff.clamp(hint);
            prop_assert!((backoff.min()..=backoff.max()).contains(&clamped));
            prop_assert!(clamped == hint || hint < backoff.min() || hint > backoff.max());
        }
    }

    #[test]
    fn the_curve_starts_at_min_and_ends_at_max() {
        let delays: Vec<_> =
            [0, 1, 2, 3, 10, 11, 12].map(|n| Backoff::SUPERVISED.without_jitter(n).as_millis()).into();
        assert_eq!(delays, [50, 50, 80, 128, 3435, 5000, 5000]);
        let longest = Backoff::SUPERVISED.without_jitter(u32::MAX);
        assert_eq!(longest, Duration::from_secs(5));
    }

    #[test]
    fn the_longest_durations_do_not_overflow() {
        let endless = Backoff::new(Duration::from_secs(1), Duration::MAX, 2.0, 0.5).unwrap();
        assert!(endless.delay(u32::MAX) > Duration::from_secs(1));
    }

    #[test]
    fn impossible_numbers_are_refused() {
        let (short, long) = (Duration::from_millis(1), Duration::from_secs(1));
        assert_eq!(Backoff::new(Duration::ZERO, long, 2.0, 0.1), Err(InvalidBackoff::ZeroMin));
        assert_eq!(
            Backoff::new(long, short, 2.0, 0.1),
            Err(InvalidBackoff::MinAboveMax { min: long, max: short })
        );
        for factor in [0.99, -1.0, f64::INFINITY] {
            assert_eq!(Backoff::new(short, long, factor, 0.1), Err(InvalidBackoff::Factor(factor)));
        }
        for jitter in [1.0, -0.1] {
            assert_eq!(Backoff::new(short, long, 2.0, jitter), Err(InvalidBackoff::Jitter(jitter)));
        }
        assert!(Backoff::new(short, long, f64::NAN, 0.1).is_err());
        assert!(Backoff::new(short, long, 2.0, f64::NAN).is_err());
    }

    #[test]
    fn the_supervised_backoff_passes_its_own_check() {
        let Backoff { min, max, factor, jitter } = Backoff::SUPERVISED;
        assert_eq!(Backoff::new(min, max, factor, jitter), Ok(Backoff::SUPERVISED));
    }
}
