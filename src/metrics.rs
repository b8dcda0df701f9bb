//! Every metric of the program: its name, its labels and its help text, in one place.
//!
//! Names follow `salesforce_connector_<what>[_<unit>][_total]`. Labels take values from small closed sets only.

use std::{fmt, sync::atomic::AtomicI64, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct HandledLabels {
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OperationLabels {
    operation: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SourceLabels {
    source: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CommandLabels {
    command: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CallLabels {
    status: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ProviderLabels {
    provider: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct TokenLabels {
    issuer: &'static str,
    result: &'static str,
}

/// Where a job came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobSource {
    /// Pushed by the gateway.
    Stream,
    /// Asked for by a long poll.
    Poll,
}

/// The metrics of one running program. Cheap to share behind an `Arc`.
pub struct Metrics {
    registry: Registry,
    jobs_activated: Family<SourceLabels, Counter>,
    jobs_handled: Family<HandledLabels, Counter>,
    jobs_returned: Family<ReasonLabels, Counter>,
    job_duration: Family<OperationLabels, Histogram>,
    permits_free: Gauge<i64, AtomicI64>,
    streams_opened: Counter,
    streams_closed: Family<ReasonLabels, Counter>,
    polls: Family<ResultLabels, Counter>,
    commands: Family<CommandLabels, Counter>,
    lock_renewals: Family<ResultLabels, Counter>,
    calls: Family<CallLabels, Counter>,
    call_duration: Family<CallLabels, Histogram>,
    token_requests: Family<TokenLabels, Counter>,
    secrets_errors: Family<ProviderLabels, Counter>,
}

/// From a millisecond to ten minutes, Salesforce's longest answer.
fn durations() -> Histogram {
    Histogram::new([0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0, 600.0])
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// All metrics, at zero.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("salesforce_connector"),
            jobs_activated: Family::default(),
            jobs_handled: Family::default(),
            jobs_returned: Family::default(),
            job_duration: Family::new_with_constructor(durations),
            permits_free: Gauge::default(),
            streams_opened: Counter::default(),
            streams_closed: Family::default(),
            polls: Family::default(),
            commands: Family::default(),
            lock_renewals: Family::default(),
            calls: Family::default(),
            call_duration: Family::new_with_constructor(durations),
            token_requests: Family::default(),
            secrets_errors: Family::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "jobs_activated",
            "Jobs received, by source: stream or poll",
            self.jobs_activated.clone(),
        );
        registry.register(
            "jobs_handled",
            "Jobs handled, by operation and outcome",
            self.jobs_handled.clone(),
        );
        registry.register(
            "jobs_returned",
            "Jobs given back with unchanged retries, by reason",
            self.jobs_returned.clone(),
        );
        let help = "Time from the receipt of a job to its outcome, by operation";
        registry.register("job_duration_seconds", help, self.job_duration.clone());
        registry.register("permits_free", "Jobs that could be taken now", self.permits_free.clone());
        registry.register("streams_opened", "Job streams opened", self.streams_opened.clone());
        registry.register("streams_closed", "Job streams closed, by reason", self.streams_closed.clone());
        registry.register("polls", "Long polls ended, by result: jobs, empty or error", self.polls.clone());
        registry.register(
            "commands",
            "Commands to the gateway, by command and result",
            self.commands.clone(),
        );
        let help = "Renewals of job locks, by result: renewed, superseded, refused or error";
        registry.register("lock_renewals", help, self.lock_renewals.clone());
        let help = "Calls to Salesforce, by status class: 2xx to 5xx, or error where no answer came";
        registry.register("salesforce_calls", help, self.calls.clone());
        let help = "Time of one call to Salesforce, by status class";
        registry.register("salesforce_call_duration_seconds", help, self.call_duration.clone());
        let help = "Access tokens requested, by issuer (salesforce or zeebe) and result (issued or refused)";
        registry.register("token_requests", help, self.token_requests.clone());
        let help = "Secrets that a provider could not give, by provider: directory, environment or vault";
        registry.register("secrets_provider_errors", help, self.secrets_errors.clone());
    }

    /// A job was received.
    pub fn job_activated(&self, source: JobSource) {
        let source = match source {
            JobSource::Stream => "stream",
            JobSource::Poll => "poll",
        };
        self.jobs_activated.get_or_create(&SourceLabels { source }).inc();
    }

    /// A job has its outcome. `operation` is a name from the list of operations, or `unknown`.
    pub fn job_handled(&self, operation: &'static str, outcome: &'static str, elapsed: Duration) {
        self.jobs_handled.get_or_create(&HandledLabels { operation, outcome }).inc();
        self.job_duration.get_or_create(&OperationLabels { operation }).observe(elapsed.as_secs_f64());
    }

    /// A job was given back with unchanged retries.
    pub fn job_returned(&self, reason: &'static str) {
        self.jobs_returned.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// How many more jobs could be taken.
    pub fn set_permits_free(&self, permits: usize) {
        self.permits_free.set(i64::try_from(permits).unwrap_or(i64::MAX));
    }

    /// A stream was opened.
    pub fn stream_opened(&self) {
        self.streams_opened.inc();
    }

    /// A stream ended.
    pub fn stream_closed(&self, reason: &'static str) {
        self.streams_closed.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// A long poll ended with `jobs`, `empty` or `error`.
    pub fn poll_ended(&self, result: &'static str) {
        self.polls.get_or_create(&ResultLabels { result }).inc();
    }

    /// A command was sent to the gateway until it was accepted, refused or too late.
    pub fn command_sent(&self, command: &'static str, result: &'static str) {
        self.commands.get_or_create(&CommandLabels { command, result }).inc();
    }

    /// The lock of a job was to be renewed: `renewed`, `superseded`, `refused` or `error`.
    pub fn lock_renewed(&self, result: &'static str) {
        self.lock_renewals.get_or_create(&ResultLabels { result }).inc();
    }

    /// Salesforce answered a call with this status, or `None` where no answer came.
    pub fn salesforce_called(&self, status: Option<u16>, elapsed: Duration) {
        let status = match status {
            Some(200..=299) => "2xx",
            Some(300..=399) => "3xx",
            Some(400..=499) => "4xx",
            Some(_) => "5xx",
            None => "error",
        };
        self.calls.get_or_create(&CallLabels { status }).inc();
        self.call_duration.get_or_create(&CallLabels { status }).observe(elapsed.as_secs_f64());
    }

    /// An access token was asked for, from `salesforce` or `zeebe`.
    pub fn token_requested(&self, issuer: &'static str, success: bool) {
        let result = if success { "issued" } else { "refused" };
        self.token_requests.get_or_create(&TokenLabels { issuer, result }).inc();
    }

    /// A provider could not give a secret: it was down, or what it had was not usable.
    pub fn secrets_failed(&self, provider: &'static str) {
        self.secrets_errors.get_or_create(&ProviderLabels { provider }).inc();
    }

    /// All metrics in OpenMetrics text format.
    pub fn encode(&self) -> String {
        let mut page = String::new();
        text::encode(&mut page, &self.registry).expect("writing to a String does not fail");
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_on_the_page() {
        let metrics = Metrics::new();
        metrics.job_handled("query", "completed", Duration::from_millis(20));
        metrics.salesforce_called(Some(503), Duration::from_secs(1));
        metrics.salesforce_called(None, Duration::from_secs(1));
        metrics.set_permits_free(7);
        let page = metrics.encode();
        for line in [
            r#"salesforce_connector_jobs_handled_total{operation="query",outcome="completed"} 1"#,
            r#"salesforce_connector_job_duration_seconds_bucket{le="0.025",operation="query"} 1"#,
            r#"salesforce_connector_salesforce_calls_total{status="5xx"} 1"#,
            r#"salesforce_connector_salesforce_calls_total{status="error"} 1"#,
            "salesforce_connector_permits_free 7",
        ] {
            assert!(page.contains(line), "{line}\nis missing in\n{page}");
        }
    }
}
