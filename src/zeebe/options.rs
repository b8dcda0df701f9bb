//! How a worker takes jobs, and how it is told to stop.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::protocol::TenantFilter;
use crate::backoff::Backoff;

/// How a worker takes jobs.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// The job type; not blank.
    pub job_type: String,
    /// The worker's name; not blank, and the same for the whole fleet, since the gateway balances among
    /// streams of one name only.
    pub name: String,
    /// How many jobs are in hand at most, from stream and poll together; at least 1.
    pub max_jobs_active: usize,
    /// How long a job is locked for this worker; renewed at half-life while its handler runs. Short locks
    /// (30 to 60 seconds) let the jobs of a lost worker move on soon.
    pub job_timeout: Duration,
    /// How long the gateway may hold a poll while it has no jobs, used where no stream brings them.
    pub request_timeout: Duration,
    /// The variables to fetch; empty: all that the job can see.
    pub fetch_variables: Vec<String>,
    /// The tenants whose jobs are taken; empty: the default tenant, `<default>`, as in Camunda's Java client.
    /// A gateway without multi-tenancy accepts no other; one with it refuses a request that names none.
    pub tenant_ids: Vec<String>,
    /// Whether the jobs of every tenant are taken that the client is assigned to (8.9 and later); `tenant_ids` does
    /// not count then.
    pub assigned_tenants: bool,
    /// Whether jobs are taken with a lease (8.10 and later), so that a command for a job that another worker holds
    /// by now is refused. All workers of a job type must agree on it. A gateway that gives none, such as an older
    /// one, gets each job back with unchanged retries.
    pub with_lease: bool,
    /// Whether the gateway pushes jobs. The poll beside it stays: it finds what became activatable before
    /// the stream opened, or while the worker was busy.
    pub stream_enabled: bool,
    /// How long running jobs may go on after a stop.
    pub shutdown_grace: Duration,
}

/// What a worker does that is seldom changed. The defaults are those of Camunda's Java client of 8.10 where
/// it has them.
#[derive(Clone, Debug)]
pub struct WorkerTuning {
    /// How long the gateway may take to answer one command; 10 s.
    pub command_timeout: Duration,
    /// How old a stream gets, less up to a tenth at random, before it is replaced on a new connection, which
    /// spreads the load after a gateway came back; 8 h.
    pub stream_lifetime: Duration,
    /// After how long a silence a stream is replaced, since a dead one looks like an idle one; 10 min.
    pub stream_inactivity: Duration,
    /// How long a stream must be silent before it is closed, so that what is on its way is not lost; 200 ms.
    pub stream_quiet: Duration,
    /// The pause after an empty poll without a stream; 100 ms.
    pub poll_pause: Duration,
    /// The pauses after empty polls beside a stream; 100 ms × 1.6 … 1 min.
    pub idle_poll_backoff: Backoff,
    /// The pauses after errors; [`Backoff::SUPERVISED`].
    pub error_backoff: Backoff,
    /// The pauses after the gateway did not accept the credentials; 1 s × 2 … 1 min.
    pub credentials_backoff: Backoff,
    /// How long the report of a job is tried, its lock being renewed all the while; 5 min. Then the lock runs
    /// out, and the job is handed out again.
    pub report_patience: Duration,
    /// How much longer than the grace period a handler may run that has passed its
    /// [`CommitPoint`](super::CommitPoint); 5 s.
    pub committed_grace: Duration,
    /// How much longer than the gateway a poll waits for its answer: a late one holds jobs that are locked
    /// for us; 5 s.
    pub poll_offset: Duration,
}

impl Default for WorkerTuning {
    fn default() -> Self {
        let backoff = |min, max, factor| {
            Backoff::new(min, max, factor, 0.1).expect("these constants are within the bounds")
        };
        Self {
            command_timeout: Duration::from_secs(10),
            stream_lifetime: Duration::from_hours(8),
            stream_inactivity: Duration::from_mins(10),
            stream_quiet: Duration::from_millis(200),
            poll_pause: Duration::from_millis(100),
            idle_poll_backoff: backoff(Duration::from_millis(100), Duration::from_mins(1), 1.6),
            error_backoff: Backoff::SUPERVISED,
            credentials_backoff: backoff(Duration::from_secs(1), Duration::from_mins(1), 2.0),
            report_patience: Duration::from_mins(5),
            committed_grace: Duration::from_secs(5),
            poll_offset: Duration::from_secs(5),
        }
    }
}

/// How a worker is told to stop. Clones are the same signal.
#[derive(Clone, Debug, Default)]
pub struct StopSignal {
    /// Take no new jobs, finish those in hand within the grace period, and hand the rest back.
    pub drain: CancellationToken,
    /// Stop at once. Jobs in hand stay locked until their timeout.
    pub abort: CancellationToken,
}

/// The tenant of a cluster without multi-tenancy.
const DEFAULT_TENANT: &str = "<default>";

impl WorkerOptions {
    /// The tenants as both requests name them.
    pub(super) fn tenants(&self) -> Vec<String> {
        if self.assigned_tenants {
            return Vec::new();
        }
        if self.tenant_ids.is_empty() { vec![DEFAULT_TENANT.into()] } else { self.tenant_ids.clone() }
    }

    /// Which tenants are meant, as both requests say it.
    pub(super) fn tenant_filter(&self) -> i32 {
        let filter = if self.assigned_tenants { TenantFilter::Assigned } else { TenantFilter::Provided };
        filter.into()
    }

    /// The lock as both requests and the renewal name it.
    pub(super) fn lock_millis(&self) -> i64 {
        millis(self.job_timeout)
    }
}

/// Milliseconds as the protocol has them; at least 1, since 0 and less mean something else.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).max(1)
}
