//! How an operation calls Salesforce: its client, and how long it may take.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    connector::{Error, codes},
    salesforce::{CallClass, Request, Response, SalesforceClient, TimeLimit},
    zeebe::Lock,
};

/// What is kept free at the end of a lock for the report, at most.
const MAX_RESERVE: Duration = Duration::from_secs(2);

/// With less time than this, a write that must not be repeated is not begun: its answer would likely be lost.
const MIN_FOR_UNSAFE_WRITE: Duration = Duration::from_secs(1);

/// What an operation needs to call Salesforce.
pub(crate) struct Call<'a> {
    /// Knows the org and how to log in.
    pub(crate) client: &'a SalesforceClient,
    /// The job's lock; it may be renewed while the operation runs.
    pub(crate) lock: &'a Lock,
    /// For one request.
    pub(crate) timeout: Duration,
    /// A result larger than this cannot be handed over.
    pub(crate) max_result_bytes: usize,
}

impl Call<'_> {
    /// Sends one request: its attempts end with the job's lock as it stands now, but the first may take its whole
    /// timeout, since the worker renews the lock meanwhile.
    pub(crate) async fn send(&self, request: &Request) -> Result<Response, Error> {
        let limit = time_limit(request.class, self.timeout, Instant::now(), self.lock.deadline())?;
        Ok(self.client.send(request, limit).await?)
    }
}

fn time_limit(
    class: CallClass,
    request_timeout: Duration,
    now: Instant,
    lock_end: Instant,
) -> Result<TimeLimit, Error> {
    let left = lock_end.saturating_duration_since(now);
    let usable = left.saturating_sub(MAX_RESERVE.min(left / 10));
    let needed = if class == CallClass::UnsafeWrite { MIN_FOR_UNSAFE_WRITE } else { Duration::ZERO };
    if usable.is_zero() || usable < needed {
        let message = format!("only {left:.1?} of the job's lock were left; the call was not begun");
        return Err(Error::new(&codes::TOO_LITTLE_TIME, message));
    }
    Ok(TimeLimit { request_timeout, deadline: now + usable.max(request_timeout) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(class: CallClass, left: f64) -> Result<f64, Error> {
        let now = Instant::now();
        let limit = time_limit(class, Duration::from_secs(5), now, now + Duration::from_secs_f64(left))?;
        Ok((limit.deadline - now).as_secs_f64())
    }

    #[test]
    fn a_call_may_take_its_whole_timeout_though_the_lock_is_shorter() {
        assert!((limit(CallClass::UnsafeWrite, 3.0).unwrap() - 5.0).abs() < 1e-6);
    }

    #[test]
    fn a_tenth_of_the_lock_but_no_more_than_two_seconds_is_kept_for_the_report() {
        assert!((limit(CallClass::Read, 60.0).unwrap() - 58.0).abs() < 1e-6);
        assert!((limit(CallClass::Read, 10.0).unwrap() - 9.0).abs() < 1e-6);
    }

    #[test]
    fn an_unsafe_write_is_not_begun_when_its_answer_would_come_too_late() {
        assert!(limit(CallClass::IdempotentWrite, 1.0).is_ok());
        assert!(limit(CallClass::UnsafeWrite, 1.2).is_ok());
        let error = limit(CallClass::UnsafeWrite, 1.0).unwrap_err();
        assert_eq!(error.code(), "TOO_LITTLE_TIME");
        assert!(error.error_type().is_repeated());
        assert_eq!(error.to_string(), "only 1.0s of the job's lock were left; the call was not begun");
    }

    #[test]
    fn nothing_is_begun_after_the_lock_has_ended() {
        let now = Instant::now();
        assert!(time_limit(CallClass::Read, Duration::from_secs(30), now, now).is_err());
    }
}
