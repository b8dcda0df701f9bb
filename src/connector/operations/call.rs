//! How an operation calls Salesforce: its client, and how long it may take.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    connector::{Error, codes, file_room::FileRoom, mark::Watchman},
    salesforce::{CallClass, Request, Response, SalesforceClient, TimeLimit},
    zeebe::{Documents, Lock},
};

/// What is kept free at the end of a lock for the report, at most.
const MAX_RESERVE: Duration = Duration::from_secs(2);

/// What an operation needs to call Salesforce.
pub(crate) struct Call<'a> {
    /// Knows the org and how to log in.
    pub(crate) client: &'a SalesforceClient,
    /// The job's lock; it may be renewed while the operation runs.
    pub(crate) lock: &'a Lock,
    /// The documents of the job's cluster.
    pub(crate) documents: &'a Documents,
    /// Keeps the files in bounds that jobs hold at the same time.
    pub(crate) files: &'a FileRoom,
    /// Is asked before a write leaves that must not be repeated.
    pub(crate) watchman: &'a Watchman<'a>,
    /// Names the job's step: the same for each try of it, another for the next round of a loop.
    pub(crate) step: String,
    /// For one request.
    pub(crate) timeout: Duration,
    /// A result larger than this cannot be handed over.
    pub(crate) max_result_bytes: usize,
    /// How long to wait in place for what goes on in the org.
    pub(crate) bulk_wait: Duration,
}

impl Call<'_> {
    /// Sends one request: its attempts end with the job's lock as it stands now, but the first may take its whole
    /// timeout, since the worker renews the lock meanwhile. A write that must not be repeated is sent only while the
    /// lock outlasts it.
    pub(crate) async fn send(&self, request: &Request) -> Result<Response, Error> {
        let is_unsafe = request.class == CallClass::UnsafeWrite;
        if is_unsafe {
            self.watchman.ensure_lock(self.timeout).await?;
        }
        let limit = time_limit(self.timeout, Instant::now(), self.lock.deadline())?;
        let answer = if is_unsafe {
            self.client.send_guarded(request, limit, self.watchman).await
        } else {
            self.client.send(request, limit).await
        };
        Ok(answer?)
    }

    /// Sends a write of which nothing comes until something else is sent, so that it needs no mark: its attempts take
    /// so long at most. Where no answer came, what became of it is not known.
    pub(crate) async fn send_without_mark(
        &self,
        request: &Request,
        timeout: Duration,
    ) -> Result<Response, Error> {
        let limit = TimeLimit { request_timeout: timeout, deadline: Instant::now() + timeout };
        Ok(self.client.send(request, limit).await?)
    }
}

/// How long all attempts may take, and each of them.
fn time_limit(request_timeout: Duration, now: Instant, lock_end: Instant) -> Result<TimeLimit, Error> {
    let left = lock_end.saturating_duration_since(now);
    let usable = left.saturating_sub(MAX_RESERVE.min(left / 10));
    if usable.is_zero() {
        let message = format!("only {left:.1?} of the job's lock were left; the call was not begun");
        return Err(Error::new(&codes::TOO_LITTLE_TIME, message));
    }
    Ok(TimeLimit { request_timeout, deadline: now + usable.max(request_timeout) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(left: f64) -> Result<f64, Error> {
        let now = Instant::now();
        let limit = time_limit(Duration::from_secs(5), now, now + Duration::from_secs_f64(left))?;
        Ok((limit.deadline - now).as_secs_f64())
    }

    #[test]
    fn a_call_may_take_its_whole_timeout_though_the_lock_is_shorter() {
        assert!((limit(3.0).unwrap() - 5.0).abs() < 1e-6);
    }

    #[test]
    fn a_tenth_of_the_lock_but_no_more_than_two_seconds_is_kept_for_the_report() {
        assert!((limit(60.0).unwrap() - 58.0).abs() < 1e-6);
        assert!((limit(10.0).unwrap() - 9.0).abs() < 1e-6);
    }

    #[test]
    fn nothing_is_begun_after_the_lock_has_ended() {
        let error = limit(0.0).unwrap_err();
        assert_eq!(error.code(), "TOO_LITTLE_TIME");
        assert!(error.error_type().is_repeated());
        assert_eq!(error.to_string(), "only 0.0ns of the job's lock were left; the call was not begun");
    }
}
