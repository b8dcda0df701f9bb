//! What the end of one call says about its org: well, over a limit, in maintenance, or silent.

use std::time::Duration;

use super::Response;
use super::budget::Usage;
use super::circuit::Cause;
use super::error_body;
use super::failure::{Failure, Kind};
use super::retry::retry_after;

/// A timeout that was shorter says nothing about the org.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the end of one call says about its org.
#[derive(Debug, Default)]
pub(super) struct Signal {
    /// What shows that it answers nobody, in words too.
    pub(super) outage: Option<(Cause, String)>,
    /// How long it wants to be left alone.
    pub(super) asked: Option<Duration>,
    pub(super) usage: Option<Usage>,
    answered: bool,
}

impl Signal {
    /// Of a call that was given `time`; `answered` when at least the head of an answer came.
    pub(super) fn of(result: &Result<Response, Failure>, answered: bool, time: Duration) -> Self {
        let answer = match result {
            Ok(answer) => answer,
            Err(failure) => return Self::of_failure(failure, answered, time),
        };
        let (usage, asked) = (Usage::told_by(answer), retry_after(answer));
        Self { outage: of_answer(answer), asked, usage, answered: true }
    }

    fn of_failure(failure: &Failure, answered: bool, time: Duration) -> Self {
        let is_silence = match failure.kind {
            Kind::NeverSent | Kind::Lost => true,
            Kind::TimedOut => !answered && time >= PATIENCE,
            _ => false,
        };
        let outage = is_silence.then(|| (Cause::Unanswered, failure.detail.clone()));
        Self { outage, answered, ..Self::default() }
    }

    /// Whether something answered, well or not.
    pub(super) fn is_answer(&self) -> bool {
        self.answered
    }

    /// Whether it says nothing at all about the org.
    pub(super) fn is_silent(&self) -> bool {
        !self.answered && self.outage.is_none()
    }
}

fn of_answer(answer: &Response) -> Option<(Cause, String)> {
    if answer.status < 300 {
        return None;
    }
    let errors = error_body::details(&answer.body);
    let (code, text) = errors.first().map_or(("", ""), |first| (&first.error_code, &first.message));
    let cause = match (code, answer.status) {
        ("REQUEST_LIMIT_EXCEEDED", _) if text.contains("oncurrent") => Cause::ConcurrencyLimit,
        ("REQUEST_LIMIT_EXCEEDED", _) => Cause::DailyLimit,
        ("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", _) => Cause::ReadOnly,
        ("SERVER_UNAVAILABLE", _) | ("", 503) => Cause::Unavailable,
        // Said by something between us and the org.
        ("", 502 | 504) => Cause::Unanswered,
        _ => return None,
    };
    let told = match code {
        "" => format!("{} {}", answer.status, error_body::describe(&answer.body)),
        code => format!("{code}: {}", error_body::shortened(text, 200)),
    };
    Some((cause, told))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;

    fn cause(status: u16, body: Value) -> Option<Cause> {
        let answer = Response { status, reason: String::new(), headers: Map::new(), body };
        Signal::of(&Ok(answer), true, PATIENCE).outage.map(|(cause, _)| cause)
    }

    fn named(status: u16, code: &str, message: &str) -> Option<Cause> {
        cause(status, json!([{"errorCode": code, "message": message}]))
    }

    #[test]
    fn answers_tell_limits_and_maintenance_from_everything_else() {
        let limit = "REQUEST_LIMIT_EXCEEDED";
        assert_eq!(named(403, limit, "TotalRequests Limit exceeded."), Some(Cause::DailyLimit));
        assert_eq!(
            named(403, limit, "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
            Some(Cause::ConcurrencyLimit)
        );
        let read_only = "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE";
        assert_eq!(named(503, read_only, "read only"), Some(Cause::ReadOnly));
        assert_eq!(named(503, "SERVER_UNAVAILABLE", "overload"), Some(Cause::Unavailable));
        assert_eq!(cause(503, json!("<html><title>Down for Maintenance</title>")), Some(Cause::Unavailable));
        assert_eq!(cause(502, Value::Null), Some(Cause::Unanswered));
        assert_eq!(named(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred"), None);
        assert_eq!(named(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access"), None);
        assert_eq!(cause(429, Value::Null), None);
        assert_eq!(cause(200, json!([{"errorCode": limit, "message": "a record's field"}])), None);
    }

    #[test]
    fn a_silence_that_was_too_short_to_tell_and_a_begun_answer_say_nothing_bad() {
        let of = |kind, answered, seconds| {
            let result = Err(Failure::new(kind, "detail"));
            let signal = Signal::of(&result, answered, Duration::from_secs(seconds));
            (signal.outage.is_some(), signal.is_silent())
        };
        assert_eq!(of(Kind::NeverSent, false, 1), (true, false));
        assert_eq!(of(Kind::Lost, false, 1), (true, false));
        assert_eq!(of(Kind::TimedOut, false, 5), (true, false));
        assert_eq!(of(Kind::TimedOut, false, 4), (false, true));
        assert_eq!(of(Kind::TimedOut, true, 5), (false, false));
        assert_eq!(of(Kind::Forbidden, false, 5), (false, true));
        assert_eq!(of(Kind::TooLarge, true, 5), (false, false));
    }
}
