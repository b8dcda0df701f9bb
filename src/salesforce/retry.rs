//! When a call is sent again.
//!
//! | What happened | read | idempotent write | unsafe write |
//! |---|---|---|---|
//! | held: the org is left alone for now | job is parked | job is parked | job is parked |
//! | never sent, or not one byte of the body | again | again | again |
//! | sent, no complete answer | again | again | `OUTCOME_UNKNOWN` |
//! | answered: nothing done, passes by itself (429, 503, row lock …) | again | again | again |
//! | answered: 5xx that does not say what was done | again | again | `OUTCOME_UNKNOWN` |
//! | answered: over a limit, maintenance (`Throttled`) | job's retry | job's retry | job's retry |
//! | answered: everything else | refused | refused | refused |
//!
//! "Again" is at most [`RetryPolicy::attempts`] times in all, after a pause that grows, never past the deadline, and
//! once only where a second refusal settles it. `Retry-After` lengthens the pause; a longer one than
//! [`LONGEST_PAUSE`] is left to the job's retry, which then carries it.

use std::time::Duration;

use tokio::time::Instant;

use crate::backoff::Backoff;

use super::CallClass;
use super::Response;
use super::client::TimeLimit;
use super::codes;
use super::error::{Error, ErrorClass, OUTCOME_UNKNOWN_HINT};
use super::error_codes::Repeat;
use super::failure::{Failure, Kind};

/// The longest pause that a call waits out in place.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A `Retry-After` beyond this is taken as this.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);

/// How often and after which pauses.
#[derive(Clone, Debug)]
pub(super) struct RetryPolicy {
    /// All attempts, the first one too.
    pub(super) attempts: u32,
    pub(super) backoff: Backoff,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        let backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5), 2.0, 0.25);
        Self { attempts: 3, backoff: backoff.expect("0.2 s to 5 s, doubling, a quarter of jitter") }
    }
}

/// One call's way through its attempts.
pub(super) struct Attempts<'a> {
    policy: &'a RetryPolicy,
    limit: TimeLimit,
    started: Instant,
    made: u32,
}

/// A failed attempt, and whether another one is of use.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: Error,
    pub(super) repeat: Repeat,
    /// Whether the org may have done what was asked all the same.
    pub(super) may_be_done: bool,
}

impl Failed {
    /// Nothing was done, and nothing will come of another try.
    pub(super) fn finally(error: Error) -> Self {
        Self { error, repeat: Repeat::Never, may_be_done: false }
    }

    /// Whether the attempt has certainly done nothing. An answer that was too large to be read may have been a success.
    pub(super) fn is_undone(&self) -> bool {
        let has_unclear_answer =
            self.error.class == ErrorClass::OutcomeUnknown || self.error.code == codes::BODY_TOO_LARGE;
        !self.may_be_done && !has_unclear_answer
    }
}

impl Failed {
    /// The same where the org is left alone from now on: another attempt would be held, and a job whose call was not
    /// carried out waits as the others do.
    pub(super) fn while_paused(mut self, rest: impl FnOnce() -> Option<Duration>, is_paused: bool) -> Self {
        if !is_paused {
            return self;
        }
        self.repeat = Repeat::Never;
        let passes = matches!(self.error.class, ErrorClass::Transient | ErrorClass::Throttled);
        if passes && !self.may_be_done && self.error.rest.is_none() {
            self.error.rest = rest();
        }
        self
    }
}

impl<'a> Attempts<'a> {
    pub(super) fn new(policy: &'a RetryPolicy, limit: TimeLimit) -> Self {
        Self { policy, limit, started: Instant::now(), made: 0 }
    }

    /// Begins an attempt.
    pub(super) fn begin(&mut self) {
        self.made += 1;
    }

    /// How many were begun.
    pub(super) fn made(&self) -> u32 {
        self.made
    }

    /// After a failed attempt: the pause before the next one, or the error that the call ends with.
    pub(super) fn after(&self, failed: Failed) -> Result<Duration, Error> {
        let Failed { mut error, repeat, .. } = failed;
        let wanted = match repeat {
            Repeat::Never => false,
            Repeat::Once => self.made < 2,
            Repeat::Yes => true,
        };
        if wanted && self.made < self.policy.attempts {
            let pause = self.policy.backoff.delay(self.made).max(error.retry_after.unwrap_or_default());
            if pause <= LONGEST_PAUSE && Instant::now() + pause < self.limit.deadline {
                return Ok(pause);
            }
        }
        if repeat == Repeat::Once && self.made > 1 && error.class == ErrorClass::Transient {
            // It was tried again and stayed: it does not pass by itself.
            error.class = ErrorClass::Permanent;
        }
        if self.made > 1 {
            let elapsed = self.started.elapsed().as_secs_f64();
            error.message = format!("{} ({} attempts in {elapsed:.1} s)", error.message, self.made);
        }
        Err(error)
    }
}

/// The error that a request without a complete answer is.
pub(super) fn unanswered(call: &str, class: CallClass, failure: &Failure) -> Failed {
    let unsafe_write = class == CallClass::UnsafeWrite;
    let (code, class, repeat) = match failure.kind {
        Kind::Held(code) => (code, ErrorClass::Throttled, Repeat::Never),
        Kind::NeverSent => (codes::CONNECTION_FAILED, ErrorClass::Transient, Repeat::Yes),
        Kind::Forbidden => (codes::HOST_NOT_ALLOWED, ErrorClass::Permanent, Repeat::Never),
        Kind::TimedOut | Kind::Lost if unsafe_write => {
            (codes::OUTCOME_UNKNOWN, ErrorClass::OutcomeUnknown, Repeat::Never)
        }
        Kind::TimedOut => (codes::TIMEOUT, ErrorClass::Transient, Repeat::Yes),
        Kind::Lost => (codes::CONNECTION_LOST, ErrorClass::Transient, Repeat::Yes),
        Kind::TooLarge => (codes::BODY_TOO_LARGE, ErrorClass::Permanent, Repeat::Never),
        Kind::TooLong => (codes::REQUEST_TOO_LONG, ErrorClass::Permanent, Repeat::Never),
        Kind::Unbuildable => (codes::INVALID_REQUEST, ErrorClass::Permanent, Repeat::Never),
    };
    let what = match failure.kind {
        Kind::Held(_) => "not sent: ",
        Kind::NeverSent => "no connection to ",
        Kind::Lost => "the connection was lost: ",
        _ => "",
    };
    let hint = if class == ErrorClass::OutcomeUnknown { OUTCOME_UNKNOWN_HINT } else { "" };
    let mut error = Error::new(code, class, format!("{call}: {what}{}{hint}", failure.detail));
    error.rest = failure.rest;
    Failed { error, repeat, may_be_done: matches!(failure.kind, Kind::TimedOut | Kind::Lost) }
}

/// The pause that the answer asks for: seconds, or a date, seen from the answer's own date where it has one.
pub(super) fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER));
    }
    let parser = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
    let date = |text: &str| parser.parse_timestamp(text).ok();
    let now = response.header("date").and_then(date).unwrap_or_else(jiff::Timestamp::now);
    let seconds = date(text)?.duration_since(now).as_secs();
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)).min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::time::advance;

    use super::*;

    fn limit(seconds: u64) -> TimeLimit {
        let request_timeout = Duration::from_secs(20);
        TimeLimit { request_timeout, deadline: Instant::now() + Duration::from_secs(seconds) }
    }

    fn failed(repeat: Repeat) -> Failed {
        let error = Error::new("X", ErrorClass::Transient, "GET /x: failed");
        Failed { error, repeat, may_be_done: false }
    }

    fn answer(status: u16, headers: &serde_json::Value, body: serde_json::Value) -> Response {
        let headers = headers.as_object().unwrap().clone();
        Response { status, reason: String::new(), headers, body }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_attempted_three_times_and_the_error_says_so() {
        let policy = RetryPolicy::default();
        let mut attempts = Attempts::new(&policy, limit(60));
        for _ in 0..2 {
            attempts.begin();
            let pause = attempts.after(failed(Repeat::Yes)).unwrap();
            assert!((Duration::from_millis(100)..LONGEST_PAUSE).contains(&pause), "{pause:?}");
        }
        attempts.begin();
        advance(Duration::from_millis(1500)).await;
        let error = attempts.after(failed(Repeat::Yes)).unwrap_err();
        assert_eq!(error.to_string(), "GET /x: failed (3 attempts in 1.5 s)");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_must_not_be_repeated_ends_at_once() {
        let policy = RetryPolicy::default();
        let mut attempts = Attempts::new(&policy, limit(60));
        attempts.begin();
        let error = attempts.after(failed(Repeat::Never)).unwrap_err();
        assert_eq!(error.to_string(), "GET /x: failed", "one attempt is not worth a word");
    }

    #[tokio::test(start_paused = true)]
    async fn what_stays_after_one_more_try_is_permanent() {
        let policy = RetryPolicy::default();
        let mut attempts = Attempts::new(&policy, limit(60));
        attempts.begin();
        assert!(attempts.after(failed(Repeat::Once)).is_ok());
        attempts.begin();
        assert_eq!(attempts.after(failed(Repeat::Once)).unwrap_err().class(), ErrorClass::Permanent);
    }

    #[tokio::test(start_paused = true)]
    async fn no_pause_reaches_past_the_deadline() {
        let policy = RetryPolicy::default();
        let mut attempts = Attempts::new(&policy, limit(5));
        attempts.begin();
        let mut patient = failed(Repeat::Yes);
        patient.error.retry_after = Some(Duration::from_secs(5));
        let error = attempts.after(patient).unwrap_err();
        assert_eq!(error.class(), ErrorClass::Transient);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(5)));
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_lengthens_the_pause_and_a_long_one_is_left_to_the_job() {
        let policy = RetryPolicy::default();
        let mut attempts = Attempts::new(&policy, limit(600));
        attempts.begin();
        let mut asked = failed(Repeat::Yes);
        asked.error.retry_after = Some(Duration::from_secs(7));
        assert_eq!(attempts.after(asked).unwrap(), Duration::from_secs(7));
        let mut asked = failed(Repeat::Yes);
        asked.error.retry_after = Some(Duration::from_secs(11));
        assert!(attempts.after(asked).is_err());
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let date = "Wed, 21 Oct 2015 07:28:00 GMT";
        for (after, now, expected) in [
            ("0", None, Some(0)),
            (" 120 ", None, Some(120)),
            ("99999999", None, Some(3600)),
            ("-1", None, None),
            ("soon", None, None),
            (date, None, Some(0)),
            (date, Some("Wed, 21 Oct 2015 07:27:30 GMT"), Some(30)),
            (date, Some("Wed, 21 Oct 2015 08:27:30 GMT"), Some(0)),
            ("Fri, 31 Dec 2199 23:59:59 GMT", None, Some(3600)),
        ] {
            let mut headers = json!({"retry-after": after});
            if let Some(now) = now {
                headers["date"] = json!(now);
            }
            let found = retry_after(&answer(503, &headers, json!(null)));
            assert_eq!(found, expected.map(Duration::from_secs), "{after}");
        }
    }

    #[test]
    fn what_a_lost_answer_means_depends_on_the_class() {
        let lost = Failure::new(Kind::Lost, "connection closed");
        let timed_out = Failure::new(Kind::TimedOut, "no answer within 20 s");
        let never_sent = Failure::new(Kind::NeverSent, "connection refused");
        let judge = |class, failure| {
            let failed = unanswered("POST /x", class, failure);
            (failed.error.code, failed.error.class, failed.repeat)
        };
        let unknown = ("OUTCOME_UNKNOWN".to_owned(), ErrorClass::OutcomeUnknown, Repeat::Never);
        assert_eq!(judge(CallClass::UnsafeWrite, &lost), unknown);
        assert_eq!(judge(CallClass::UnsafeWrite, &timed_out), unknown);
        let again = |code: &str| (code.to_owned(), ErrorClass::Transient, Repeat::Yes);
        assert_eq!(judge(CallClass::UnsafeWrite, &never_sent), again("CONNECTION_FAILED"));
        assert_eq!(judge(CallClass::IdempotentWrite, &lost), again("CONNECTION_LOST"));
        assert_eq!(judge(CallClass::Read, &timed_out), again("TIMEOUT"));
    }

    #[test]
    fn a_limit_without_retry_after_asks_for_a_minute() {
        let body =
            json!([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]);
        let failed = Error::from_answer("GET /x", CallClass::Read, answer(403, &json!({}), body));
        let error = failed.error;
        assert_eq!((error.class(), failed.repeat), (ErrorClass::Throttled, Repeat::Never));
        assert_eq!(error.retry_after(), Some(Duration::from_mins(1)));
    }
}
