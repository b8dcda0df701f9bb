//! Every metric of the program. Their names, labels and help texts are in [`METRICS`]; docs/metrics.md is made from it.

mod series;
mod table;

use std::{borrow::Cow, fmt, time::Duration};

use prometheus_client::{encoding::text, registry::Registry};

use series::{Book, Count, Gauge, Spread};
pub use table::{Kind, Label, METRICS, Metric, NAMESPACE, Values};

/// Where a job came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobSource {
    /// Pushed by the gateway.
    Stream,
    /// Asked for by a long poll.
    Poll,
}

/// Whether an org is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrgState {
    /// It is.
    Closed,
    /// By reads only.
    ReadOnly,
    /// It is not, or by one probe.
    Open,
}

/// How a job ended, in the words of the labels `operation`, `end` and `reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobEnd {
    /// A name from the list of operations, or `unknown`.
    pub operation: &'static str,
    /// What became of it.
    pub end: &'static str,
    /// Why, or `none`.
    pub reason: &'static str,
}

/// The metrics of one running program. Cheap to share behind an `Arc`.
pub struct Metrics {
    registry: Registry,
    jobs_activated: Count<1>,
    jobs_ended: Count<3>,
    jobs_handled: Count<2>,
    job_start_delay: Spread<0>,
    job_handler: Spread<1>,
    job_total: Spread<1>,
    permits_free: Gauge<0>,
    permits_limit: Gauge<0>,
    streams_open: Gauge<0>,
    streams_opened: Count<0>,
    streams_closed: Count<1>,
    polls: Count<1>,
    poll_size: Spread<0>,
    commands: Count<2>,
    command_retries: Count<2>,
    gateway_calls: Spread<1>,
    lock_renewals: Count<1>,
    calls: Count<1>,
    call_duration: Spread<1>,
    call_retries: Count<1>,
    calls_held: Count<1>,
    org_circuits: Gauge<1>,
    org_api_used: Gauge<1>,
    org_api_max: Gauge<1>,
    token_requests: Count<2>,
    tokens_reused: Count<1>,
    tokens_refreshed: Count<1>,
    secrets_errors: Count<1>,
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
        let mut book = Book::new();
        book.gauge("build_info").of([env!("CARGO_PKG_VERSION")]).set(1);
        book.gauge("start_time_seconds").only().set(jiff::Timestamp::now().as_second());
        Self {
            jobs_activated: book.count("jobs_activated_total"),
            jobs_ended: book.count("jobs_ended_total"),
            jobs_handled: book.count("jobs_handled_total"),
            job_start_delay: book.spread("job_start_delay_seconds"),
            job_handler: book.spread("job_handler_seconds"),
            job_total: book.spread("job_total_seconds"),
            permits_free: book.gauge("permits_free"),
            permits_limit: book.gauge("permits_limit"),
            streams_open: book.gauge("streams_open"),
            streams_opened: book.count("streams_opened_total"),
            streams_closed: book.count("streams_closed_total"),
            polls: book.count("polls_total"),
            poll_size: book.spread("poll_size_jobs"),
            commands: book.count("gateway_commands_total"),
            command_retries: book.count("gateway_command_retries_total"),
            gateway_calls: book.spread("gateway_call_seconds"),
            lock_renewals: book.count("lock_renewals_total"),
            calls: book.count("salesforce_calls_total"),
            call_duration: book.spread("salesforce_call_seconds"),
            call_retries: book.count("salesforce_retries_total"),
            calls_held: book.count("salesforce_calls_held_total"),
            org_circuits: book.gauge("org_circuit_state"),
            org_api_used: book.gauge("org_api_requests_used"),
            org_api_max: book.gauge("org_api_requests_max"),
            token_requests: book.count("token_requests_total"),
            tokens_reused: book.count("tokens_reused_total"),
            tokens_refreshed: book.count("tokens_refreshed_total"),
            secrets_errors: book.count("secrets_provider_errors_total"),
            registry: book.close(),
        }
    }

    /// A job was received.
    pub fn job_activated(&self, source: JobSource) {
        let source = match source {
            JobSource::Stream => "stream",
            JobSource::Poll => "poll",
        };
        self.jobs_activated.of([source]).inc();
    }

    /// The handler of a job begins, this long after its receipt.
    pub fn job_started(&self, delay: Duration) {
        self.job_start_delay.only().observe(delay.as_secs_f64());
    }

    /// The handler has decided. `operation` is a name from the list of operations, or `unknown`.
    pub fn job_handled(&self, operation: &'static str, outcome: &'static str, elapsed: Duration) {
        self.jobs_handled.of([operation, outcome]).inc();
        self.job_handler.of([operation]).observe(elapsed.as_secs_f64());
    }

    /// Nothing more will be done about a job, this long after its receipt.
    pub fn job_ended(&self, JobEnd { operation, end, reason }: JobEnd, elapsed: Duration) {
        self.jobs_ended.of([operation, end, reason]).inc();
        self.job_total.of([operation]).observe(elapsed.as_secs_f64());
    }

    /// How many jobs may be in hand.
    pub fn set_permits_limit(&self, permits: usize) {
        self.permits_limit.only().set(i64::try_from(permits).unwrap_or(i64::MAX));
    }

    /// How many more jobs could be taken.
    pub fn set_permits_free(&self, permits: usize) {
        self.permits_free.only().set(i64::try_from(permits).unwrap_or(i64::MAX));
    }

    /// Of the permits, how many are free and how many there are.
    pub fn permits(&self) -> (i64, i64) {
        (self.permits_free.only().get(), self.permits_limit.only().get())
    }

    /// A stream was opened.
    pub fn stream_opened(&self) {
        self.streams_open.only().inc();
        self.streams_opened.only().inc();
    }

    /// A stream ended that was opened.
    pub fn stream_closed(&self, reason: &'static str) {
        self.streams_open.only().dec();
        self.streams_closed.of([reason]).inc();
    }

    /// A poll ended in good order, with so many jobs.
    pub fn poll_ended(&self, jobs: usize) {
        let result = if jobs == 0 { "empty" } else { "jobs" };
        self.polls.of([result]).inc();
        if jobs > 0 {
            self.poll_size.only().observe(f64::from(u32::try_from(jobs).unwrap_or(u32::MAX)));
        }
    }

    /// A poll failed.
    pub fn poll_failed(&self) {
        self.polls.of(["error"]).inc();
    }

    /// A command was sent to the gateway until it was accepted, refused or too late.
    pub fn command_sent(&self, command: &'static str, result: &'static str) {
        self.commands.of([command, result]).inc();
    }

    /// A command is sent again after the gateway answered with this code.
    pub fn command_retried(&self, command: &'static str, code: &'static str) {
        self.command_retries.of([command, code]).inc();
    }

    /// One call to the gateway was answered, or failed.
    pub fn gateway_called(&self, command: &'static str, elapsed: Duration) {
        self.gateway_calls.of([command]).observe(elapsed.as_secs_f64());
    }

    /// The lock of a job was to be renewed: `renewed`, `superseded`, `refused` or `error`.
    pub fn lock_renewed(&self, result: &'static str) {
        self.lock_renewals.of([result]).inc();
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
        self.calls.of([status]).inc();
        self.call_duration.of([status]).observe(elapsed.as_secs_f64());
    }

    /// A call to Salesforce is sent again after an error of this class.
    pub fn salesforce_retried(&self, class: &'static str) {
        self.call_retries.of([class]).inc();
    }

    /// A call was not sent, to spare the org: `circuit`, `budget` or `busy`.
    pub fn call_held(&self, reason: &'static str) {
        self.calls_held.of([reason]).inc();
    }

    /// Whether an org is called from now on. Hosts are bounded by those that are remembered; see
    /// [`org_forgotten`](Self::org_forgotten).
    pub fn org_state(&self, host: &str, state: OrgState) {
        self.org_circuits.of([host.to_owned()]).set(match state {
            OrgState::Closed => 0,
            OrgState::ReadOnly => 1,
            OrgState::Open => 2,
        });
    }

    /// What an org said of its API requests.
    pub fn org_api_usage(&self, host: &str, used: u64, max: u64) {
        self.org_api_used.of([host.to_owned()]).set(i64::try_from(used).unwrap_or(i64::MAX));
        self.org_api_max.of([host.to_owned()]).set(i64::try_from(max).unwrap_or(i64::MAX));
    }

    /// An org is no longer remembered.
    pub fn org_forgotten(&self, host: &str) {
        for gauge in [&self.org_circuits, &self.org_api_used, &self.org_api_max] {
            gauge.forget([host.to_owned()]);
        }
    }

    /// An access token was asked for, from `salesforce` or `zeebe`.
    pub fn token_requested(&self, issuer: &'static str, success: bool) {
        let result = if success { "issued" } else { "refused" };
        self.token_requests.of([issuer, result]).inc();
    }

    /// A call found its access token in the cache.
    pub fn token_reused(&self, issuer: &'static str) {
        self.tokens_reused.of([issuer]).inc();
    }

    /// An access token was given up, since a call with it was refused.
    pub fn token_refreshed(&self, issuer: &'static str) {
        self.tokens_refreshed.of([issuer]).inc();
    }

    /// A provider could not give a secret: it was down, or what it had was not usable.
    pub fn secrets_failed(&self, provider: &'static str) {
        self.secrets_errors.of([provider]).inc();
    }

    /// All metrics in OpenMetrics text format.
    pub fn encode(&self) -> String {
        let mut page = String::new();
        text::encode(&mut page, &self.registry).expect("writing to a String does not fail");
        page
    }

    /// All metrics in Prometheus' older text format, for scrapers that do not ask for OpenMetrics: there a counter is
    /// declared by its full name, and the page has no end mark.
    pub fn encode_plain(&self) -> String {
        let mut page = String::new();
        for line in self.encode().lines().filter(|line| *line != "# EOF") {
            page.push_str(&in_full(line));
            page.push('\n');
        }
        page
    }
}

/// A line with a counter's `_total` in it where the declaration lacks it.
fn in_full(line: &str) -> Cow<'_, str> {
    let mut words = line.splitn(4, ' ');
    let (Some("#"), Some(word @ ("HELP" | "TYPE")), Some(name), Some(rest)) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Cow::Borrowed(line);
    };
    let total = format!("{name}_total");
    let is_counter = METRICS.iter().any(|metric| format!("{NAMESPACE}_{}", metric.name) == total);
    if is_counter { Cow::Owned(format!("# {word} {total} {rest}")) } else { Cow::Borrowed(line) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_on_the_page() {
        let metrics = Metrics::new();
        metrics.job_handled("query", "completed", Duration::from_millis(20));
        let end = JobEnd { operation: "query", end: "failed", reason: "business" };
        metrics.job_ended(end, Duration::from_millis(20));
        metrics.salesforce_called(Some(503), Duration::from_secs(1));
        metrics.salesforce_called(None, Duration::from_secs(1));
        metrics.set_permits_free(7);
        metrics.poll_ended(3);
        let page = metrics.encode();
        for line in [
            r#"salesforce_connector_jobs_handled_total{operation="query",outcome="completed"} 1"#,
            r#"salesforce_connector_jobs_ended_total{operation="query",end="failed",reason="business"} 1"#,
            r#"salesforce_connector_job_handler_seconds_bucket{le="0.025",operation="query"} 1"#,
            r#"salesforce_connector_salesforce_calls_total{status="5xx"} 1"#,
            r#"salesforce_connector_salesforce_calls_total{status="error"} 1"#,
            r#"salesforce_connector_poll_size_jobs_bucket{le="5.0"} 1"#,
            "salesforce_connector_permits_free 7",
        ] {
            assert!(page.contains(line), "{line}\nis missing in\n{page}");
        }
    }

    #[test]
    fn what_has_not_happened_yet_is_shown_as_zero() {
        let page = Metrics::new().encode();
        for line in [
            r#"lock_renewals_total{result="superseded"} 0"#,
            r#"token_requests_total{issuer="salesforce",result="refused"} 0"#,
            "streams_opened_total 0",
        ] {
            assert!(page.contains(line), "{line}\nis missing in\n{page}");
        }
    }

    #[test]
    fn the_plain_page_declares_counters_by_their_full_names() {
        let page = Metrics::new().encode_plain();
        assert!(page.contains("# TYPE salesforce_connector_polls_total counter\n"), "{page}");
        assert!(page.contains("# TYPE salesforce_connector_permits_free gauge\n"), "{page}");
        assert!(!page.contains("# EOF"));
    }

    #[test]
    fn names_follow_the_grammar() {
        for Metric { name, kind, unit, labels, meaning, watch } in METRICS {
            let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            assert!(is_plain(name), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
            assert!(*kind != Kind::Seconds || (name.ends_with("_seconds") && *unit == "seconds"), "{name}");
            assert!(*kind != Kind::Counts || name.ends_with(unit), "{name}");
            assert!(!meaning.is_empty() && !meaning.ends_with('.') && watch.ends_with('.'), "{name}");
            for label in *labels {
                assert!(is_plain(label.name), "{name}: {}", label.name);
            }
        }
    }

    #[test]
    #[should_panic(expected = "is never")]
    fn a_value_that_the_table_does_not_know_is_a_bug() {
        Metrics::new().lock_renewed("perhaps");
    }
}
