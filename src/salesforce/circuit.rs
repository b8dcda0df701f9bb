//! The circuit of an org: whether it is called at all.
//!
//! Closed, calls go through. What shows that the org answers nobody opens it for a pause. After the pause exactly one
//! call goes through, the probe: if it is answered the circuit closes, else the next pause is twice as long, up to
//! [`LONGEST_PAUSE`]. Nothing here sleeps or calls; time comes from outside.

use std::time::Duration;

use tokio::time::Instant;

use crate::backoff::Backoff;

/// The longest pause between two probes, but for what the org itself asks for.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// So many calls in a row without an answer open the circuit.
const UNANSWERED_IN_A_ROW: u32 = 5;

/// So many answers in a row that the server is not available open it: one alone is an everyday matter.
const UNAVAILABLE_IN_A_ROW: u32 = 3;

/// An outage that lasts longer is no longer waited out: jobs fail as usual, so that people see it.
pub(super) const LONGEST_OUTAGE: Duration = Duration::from_hours(24);

/// A job that comes back does not find the circuit open by a hair.
const SHORTEST_REST: Duration = Duration::from_secs(2);

/// What shows that an org answers nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The API requests of the day are used up.
    DailyLimit,
    /// Too many requests that take long are under way.
    ConcurrencyLimit,
    /// Reads are answered, writes are refused.
    ReadOnly,
    /// 503: maintenance or overload.
    Unavailable,
    /// No answer: not reached, cut, or none in time.
    Unanswered,
}

impl Cause {
    /// The first pause; each further one is twice as long.
    fn first_pause(self) -> Duration {
        Duration::from_secs(match self {
            Self::DailyLimit => 60,
            Self::ReadOnly | Self::Unavailable => 15,
            Self::ConcurrencyLimit | Self::Unanswered => 5,
        })
    }

    fn pause(self, openings: u32) -> Duration {
        let backoff = Backoff::new(self.first_pause(), LONGEST_PAUSE, 2.0, 0.2);
        backoff.expect("seconds to minutes, doubling, a fifth of jitter").delay(openings)
    }

    /// How many of them in a row open the circuit.
    fn threshold(self) -> u32 {
        match self {
            Self::DailyLimit | Self::ConcurrencyLimit | Self::ReadOnly => 1,
            Self::Unavailable => UNAVAILABLE_IN_A_ROW,
            Self::Unanswered => UNANSWERED_IN_A_ROW,
        }
    }
}

/// Why a circuit is not closed.
#[derive(Clone, Debug)]
pub(super) struct Outage {
    pub(super) cause: Cause,
    /// What was seen last, in words.
    pub(super) reason: String,
    since: Instant,
    openings: u32,
    pause: Duration,
}

impl Outage {
    /// Whether jobs still wait for its end.
    pub(super) fn is_waited_out(&self) -> bool {
        self.since.elapsed() < LONGEST_OUTAGE
    }

    pub(super) fn lasted(&self) -> Duration {
        self.since.elapsed()
    }
}

/// Whether calls go through.
#[derive(Debug)]
pub(super) enum Circuit {
    /// They do; with the failures in a row.
    Closed { failures: u32 },
    /// They do not, until then.
    Open { outage: Outage, until: Instant },
    /// One does.
    HalfOpen { outage: Outage },
}

impl Default for Circuit {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

/// What a circuit says to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Go.
    Go,
    /// Go, and tell what became of it: everybody waits for that.
    Probe,
    /// Come again after this.
    Wait(Duration),
}

/// What became of the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    None,
    /// Opened, for so long.
    Opened(Duration),
    /// Opened again after a probe, for so long.
    Reopened(Duration),
    Closed,
}

impl Circuit {
    /// Whether a call goes through; the first after the pause becomes the probe.
    pub(super) fn ask(&mut self) -> Word {
        let left = match self {
            Self::Closed { .. } => return Word::Go,
            Self::HalfOpen { .. } => Duration::ZERO,
            Self::Open { until, .. } => until.saturating_duration_since(Instant::now()),
        };
        match self {
            Self::Open { outage, .. } if left.is_zero() => {
                *self = Self::HalfOpen { outage: outage.clone() };
                Word::Probe
            }
            Self::Open { outage, .. } | Self::HalfOpen { outage } => Word::Wait(rest(left, outage.pause)),
            Self::Closed { .. } => Word::Go,
        }
    }

    /// A call was answered. While the circuit is not closed, only the probe's answer counts: what was sent before the
    /// outage may still be answered.
    pub(super) fn answered(&mut self, is_probe: bool) -> Change {
        if !is_probe {
            if let Self::Closed { failures } = self {
                *failures = 0;
            }
            return Change::None;
        }
        *self = Self::default();
        Change::Closed
    }

    /// A call met an outage; `asked` is how long the org wants to be left alone. Calls that were under way when the
    /// circuit opened change nothing.
    pub(super) fn failed(
        &mut self,
        is_probe: bool,
        (cause, reason): (Cause, &str),
        asked: Option<Duration>,
    ) -> Change {
        let (since, openings) = match self {
            Self::Closed { failures } => {
                *failures += 1;
                if *failures < cause.threshold() {
                    return Change::None;
                }
                (Instant::now(), 1)
            }
            Self::Open { outage, .. } | Self::HalfOpen { outage } if is_probe => {
                (outage.since, outage.openings + 1)
            }
            Self::Open { .. } | Self::HalfOpen { .. } => return Change::None,
        };
        let pause = cause.pause(openings).max(asked.unwrap_or_default());
        let outage = Outage { cause, reason: reason.to_owned(), since, openings, pause };
        *self = Self::Open { outage, until: Instant::now() + pause };
        if openings == 1 { Change::Opened(pause) } else { Change::Reopened(pause) }
    }

    /// The probe ended without a word about the org: the next call is the probe.
    pub(super) fn released(&mut self) {
        if let Self::HalfOpen { outage } = self {
            *self = Self::Open { outage: outage.clone(), until: Instant::now() };
        }
    }

    /// Why it is not closed.
    pub(super) fn outage(&self) -> Option<&Outage> {
        match self {
            Self::Closed { .. } => None,
            Self::Open { outage, .. } | Self::HalfOpen { outage } => Some(outage),
        }
    }

    /// How long a job should rest that has just met the outage; `None` while calls go through.
    pub(super) fn rest(&self) -> Option<Duration> {
        match self {
            Self::Closed { .. } => None,
            Self::HalfOpen { outage } => Some(rest(Duration::ZERO, outage.pause)),
            Self::Open { outage, until } => {
                Some(rest(until.saturating_duration_since(Instant::now()), outage.pause))
            }
        }
    }

    /// What is left of the pause; `None` where no pause is on.
    pub(super) fn left(&self) -> Option<Duration> {
        match self {
            Self::Open { until, .. } => Some(until.saturating_duration_since(Instant::now())),
            Self::Closed { .. } | Self::HalfOpen { .. } => None,
        }
    }
}

/// What is left, and then up to half a pause more, so that those who wait do not all come at once.
fn rest(left: Duration, pause: Duration) -> Duration {
    let spread = (pause / 2).max(Duration::from_secs(5));
    left.max(SHORTEST_REST) + spread.mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const LIMIT: (Cause, &str) = (Cause::ConcurrencyLimit, "over its limit");
    const SILENCE: (Cause, &str) = (Cause::Unanswered, "no answer");

    fn opened_for(change: Change) -> f64 {
        match change {
            Change::Opened(pause) | Change::Reopened(pause) => pause.as_secs_f64(),
            other => panic!("{other:?}"),
        }
    }

    fn open() -> Circuit {
        let mut circuit = Circuit::default();
        opened_for(circuit.failed(false, LIMIT, None));
        circuit
    }

    /// Waits until the probe goes.
    async fn probe(circuit: &mut Circuit) {
        advance(circuit.left().unwrap()).await;
        assert_eq!(circuit.ask(), Word::Probe);
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_opens_it_at_once_and_after_the_pause_exactly_one_call_goes_through() {
        let mut circuit = Circuit::default();
        assert_eq!(circuit.ask(), Word::Go);
        let pause = opened_for(circuit.failed(false, LIMIT, None));
        assert!((4.0..=6.0).contains(&pause), "{pause}");
        advance(Duration::from_secs(3)).await;
        assert!(matches!(circuit.ask(), Word::Wait(_)));
        probe(&mut circuit).await;
        assert!(matches!(circuit.ask(), Word::Wait(_)) && matches!(circuit.ask(), Word::Wait(_)));
        assert_eq!(circuit.answered(true), Change::Closed);
        assert_eq!(circuit.ask(), Word::Go);
    }

    #[tokio::test(start_paused = true)]
    async fn each_failed_probe_doubles_the_pause_up_to_five_minutes_and_success_begins_anew() {
        let mut circuit = open();
        let mut pauses = Vec::new();
        for _ in 0..10 {
            probe(&mut circuit).await;
            pauses.push(opened_for(circuit.failed(true, LIMIT, None)));
        }
        for (pause, expected) in pauses.iter().zip([10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]) {
            assert!((expected * 0.8..=expected * 1.2).contains(pause), "{pauses:?}");
        }
        probe(&mut circuit).await;
        circuit.answered(true);
        assert!(opened_for(circuit.failed(false, LIMIT, None)) <= 6.0);
    }

    #[tokio::test(start_paused = true)]
    async fn five_calls_in_a_row_without_an_answer_open_it_and_an_answer_between_them_does_not() {
        let mut circuit = Circuit::default();
        for _ in 0..4 {
            assert_eq!(circuit.failed(false, SILENCE, None), Change::None);
        }
        circuit.answered(false);
        for _ in 0..4 {
            assert_eq!(circuit.failed(false, SILENCE, None), Change::None);
        }
        opened_for(circuit.failed(false, SILENCE, None));
    }

    #[tokio::test(start_paused = true)]
    async fn three_answers_in_a_row_that_it_is_not_available_open_it() {
        let mut circuit = Circuit::default();
        for _ in 0..2 {
            assert_eq!(circuit.failed(false, (Cause::Unavailable, "503"), None), Change::None);
        }
        opened_for(circuit.failed(false, (Cause::Unavailable, "503"), None));
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_were_under_way_neither_close_it_nor_lengthen_the_pause() {
        let mut circuit = open();
        let left = circuit.left();
        for _ in 0..100 {
            assert_eq!(circuit.failed(false, LIMIT, None), Change::None);
            assert_eq!(circuit.answered(false), Change::None);
        }
        assert_eq!(circuit.left(), left);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_was_dropped_leaves_its_place_to_the_next_call() {
        let mut circuit = open();
        probe(&mut circuit).await;
        circuit.released();
        assert_eq!(circuit.ask(), Word::Probe);
    }

    #[tokio::test(start_paused = true)]
    async fn the_pause_is_as_long_as_the_org_asks_if_that_is_longer() {
        let mut circuit = Circuit::default();
        let asked = Duration::from_mins(20);
        assert_eq!(circuit.failed(false, LIMIT, Some(asked)), Change::Opened(asked));
        advance(Duration::from_mins(19)).await;
        assert!(matches!(circuit.ask(), Word::Wait(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_that_wait_come_back_after_the_pause_and_not_at_once() {
        let mut circuit = open();
        let left = circuit.left().unwrap();
        let mut rests: Vec<_> = (0..1000)
            .map(|_| match circuit.ask() {
                Word::Wait(rest) => rest,
                word => panic!("{word:?}"),
            })
            .collect();
        rests.sort_unstable();
        assert!(rests[0] >= left && rests[999] <= left + Duration::from_secs(5), "{rests:?}");
        assert!(rests[900] > rests[100] + Duration::from_secs(3), "they are spread");
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_meet_the_probe_rest_at_least_two_seconds() {
        let mut circuit = open();
        probe(&mut circuit).await;
        for _ in 0..100 {
            let Word::Wait(rest) = circuit.ask() else { panic!("a second probe") };
            assert!((2.0..=7.0).contains(&rest.as_secs_f64()), "{rest:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_day_an_outage_is_no_longer_waited_out() {
        let mut circuit = open();
        assert!(circuit.outage().unwrap().is_waited_out());
        advance(LONGEST_OUTAGE).await;
        assert_eq!(circuit.ask(), Word::Probe);
        circuit.failed(true, LIMIT, None);
        assert!(!circuit.outage().unwrap().is_waited_out(), "it began a day ago, not with the last probe");
    }
}
