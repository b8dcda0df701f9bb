//! The table of all metrics: what the page at `/metrics` and docs/metrics.md are made from.
//!
//! A further metric is one entry here, one field and one method in [`Metrics`](super::Metrics). Names follow
//! `salesforce_connector_<what>[_<unit>][_total]`, and labels take values from small sets only: one series for each
//! job, record or message would cost more than it tells.

/// What every name begins with.
pub const NAMESPACE: &str = "salesforce_connector";

/// One metric.
#[derive(Debug)]
pub struct Metric {
    /// Its name without the namespace; a counter's ends in `_total`.
    pub name: &'static str,
    /// How it moves.
    pub kind: Kind,
    /// What one is, in the plural: `jobs`, `seconds`.
    pub unit: &'static str,
    /// What its series differ in.
    pub labels: &'static [Label],
    /// One sentence without a full stop: the help text.
    pub meaning: &'static str,
    /// What an operator looks at it for.
    pub watch: &'static str,
}

/// How a metric moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only upwards.
    Counter,
    /// Up and down.
    Gauge,
    /// A histogram of times: from a millisecond to ten minutes, Salesforce's longest answer.
    Seconds,
    /// A histogram of counts: from none to a thousand.
    Counts,
}

/// One label.
#[derive(Debug)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// What it can be.
    pub values: Values,
}

/// What a label can be.
#[derive(Debug)]
pub enum Values {
    /// One of these.
    OneOf(&'static [&'static str]),
    /// The name of an operation, or `unknown` where a job names none that there is.
    Operation,
    /// As many values as the operator has configured of something, in words.
    Configured(&'static str),
}

const fn one_of(name: &'static str, values: &'static [&'static str]) -> Label {
    Label { name, values: Values::OneOf(values) }
}

const OPERATION: Label = Label { name: "operation", values: Values::Operation };
const ORG: Label =
    Label { name: "org", values: Values::Configured("the hosts of orgs, the 256 that were called last") };
const ISSUER: Label = one_of("issuer", &["salesforce", "zeebe"]);
const STATUS: Label = one_of("status", &["2xx", "3xx", "4xx", "5xx", "error"]);
const COMMAND: Label =
    one_of("command", &["complete", "fail", "throw_error", "set_variables", "update_timeout", "topology"]);
const END: Label = one_of(
    "end",
    &[
        "completed",
        "failed",
        "thrown",
        "parked",
        "returned",
        "expired",
        "superseded",
        "rejected",
        "too_late",
        "abandoned",
        "duplicate",
    ],
);
/// The types of errors, and what the worker fails jobs for by itself.
const REASON: Label = one_of(
    "reason",
    &[
        "none",
        "input",
        "configuration",
        "business",
        "permanent",
        "transient",
        "throttled",
        "authentication",
        "outcomeUnknown",
        "result",
        "malformed",
        "job_timeout",
        "panic",
        "shutdown",
        "surplus",
        "unleased",
    ],
);
/// gRPC's status codes, and two cases in which there is none.
const CODE: Label = one_of(
    "code",
    &[
        "timeout",
        "credentials",
        "options",
        "ok",
        "cancelled",
        "unknown",
        "invalid_argument",
        "deadline_exceeded",
        "not_found",
        "already_exists",
        "permission_denied",
        "resource_exhausted",
        "failed_precondition",
        "aborted",
        "out_of_range",
        "unimplemented",
        "internal",
        "unavailable",
        "data_loss",
        "unauthenticated",
    ],
);

/// Every metric, in the order of the page.
pub const METRICS: &[Metric] = &[
    Metric {
        name: "build_info",
        kind: Kind::Gauge,
        unit: "always 1",
        labels: &[one_of("version", &[env!("CARGO_PKG_VERSION")])],
        meaning: "The version that runs",
        watch: "Which instances a rollout has reached.",
    },
    Metric {
        name: "start_time_seconds",
        kind: Kind::Gauge,
        unit: "seconds since 1970",
        labels: &[],
        meaning: "When this instance was started",
        watch: "Restarts that nobody asked for.",
    },
    Metric {
        name: "jobs_activated_total",
        kind: Kind::Counter,
        unit: "jobs",
        labels: &[one_of("source", &["stream", "poll"])],
        meaning: "Jobs received, by the way they came",
        watch: "The load. Most jobs should come by the stream; many by polling mean a stream that is down or a backlog.",
    },
    Metric {
        name: "jobs_ended_total",
        kind: Kind::Counter,
        unit: "jobs",
        labels: &[OPERATION, END, REASON],
        meaning: "What became of the jobs received, as the gateway confirmed it, by operation, end and reason",
        watch: "Failures by reason. Summed over all labels it is jobs_activated_total less the jobs in hand. \
                `superseded` and `too_late` grow where locks are too short; `duplicate` is a job sent twice and done once.",
    },
    Metric {
        name: "jobs_handled_total",
        kind: Kind::Counter,
        unit: "jobs",
        labels: &[OPERATION, one_of("outcome", &["completed", "failed", "error_thrown", "parked"])],
        meaning: "What the handler decided, before it was reported, by operation and outcome",
        watch: "Beside jobs_ended_total: a difference is what the gateway did not take.",
    },
    Metric {
        name: "job_start_delay_seconds",
        kind: Kind::Seconds,
        unit: "seconds",
        labels: &[],
        meaning: "Time from the receipt of a job to the start of its handler",
        watch: "Jobs that wait here while their locks run: a gateway slow to renew locks, or a machine that is too small.",
    },
    Metric {
        name: "job_handler_seconds",
        kind: Kind::Seconds,
        unit: "seconds",
        labels: &[OPERATION],
        meaning: "Time that the handler took, with all calls to Salesforce, by operation",
        watch: "Slow operations. Well above salesforce_call_seconds: retries, logins or a bound on concurrent requests.",
    },
    Metric {
        name: "job_total_seconds",
        kind: Kind::Seconds,
        unit: "seconds",
        labels: &[OPERATION],
        meaning: "Time from the receipt of a job to the end of its report, by operation",
        watch: "What a process waits for. Well above job_handler_seconds: the gateway is slow to take reports.",
    },
    Metric {
        name: "permits_free",
        kind: Kind::Gauge,
        unit: "jobs",
        labels: &[],
        meaning: "Jobs that could be taken now",
        watch: "At 0 for long: raise worker.max_jobs_active or add instances, unless Salesforce is what is slow.",
    },
    Metric {
        name: "permits_limit",
        kind: Kind::Gauge,
        unit: "jobs",
        labels: &[],
        meaning: "Jobs that may be in hand at most, worker.max_jobs_active",
        watch: "The scale for permits_free.",
    },
    Metric {
        name: "streams_open",
        kind: Kind::Gauge,
        unit: "streams",
        labels: &[],
        meaning: "Job streams that are open now",
        watch: "0 while worker.stream_enabled: jobs come by polling only, and later.",
    },
    Metric {
        name: "streams_opened_total",
        kind: Kind::Counter,
        unit: "streams",
        labels: &[],
        meaning: "Job streams opened",
        watch: "Grows quickly where a proxy cuts idle calls.",
    },
    Metric {
        name: "streams_closed_total",
        kind: Kind::Counter,
        unit: "streams",
        labels: &[one_of("reason", &["drain", "lifetime", "inactivity", "missed", "ended", "error"])],
        meaning: "Job streams closed, by reason: the shutdown, replaced for their age, their silence or jobs that they missed, ended by the gateway, or an error",
        watch: "`error` and `ended`: restarts of the gateway, or a proxy that cuts. `missed`: the stream was dead, and polls found \
                what it should have brought.",
    },
    Metric {
        name: "polls_total",
        kind: Kind::Counter,
        unit: "polls",
        labels: &[one_of("result", &["jobs", "empty", "error"])],
        meaning: "Polls ended, by result",
        watch: "`empty` is the ordinary case beside a stream; `error` is a gateway that does not answer.",
    },
    Metric {
        name: "poll_size_jobs",
        kind: Kind::Counts,
        unit: "jobs",
        labels: &[],
        meaning: "Jobs that one poll brought, those polls that brought any",
        watch: "Large answers: a backlog that the stream cannot see.",
    },
    Metric {
        name: "gateway_commands_total",
        kind: Kind::Counter,
        unit: "commands",
        labels: &[
            one_of("command", &["complete", "fail", "throw_error", "set_variables"]),
            one_of(
                "result",
                &[
                    "accepted",
                    "not_found",
                    "precondition_failed",
                    "too_large",
                    "refused",
                    "too_late",
                    "unknown",
                ],
            ),
        ],
        meaning: "Commands about jobs, each until it was accepted, refused or too late, by command and result",
        watch: "`refused` and `too_large` are incidents of our making; `not_found` are jobs that were cancelled meanwhile.",
    },
    Metric {
        name: "gateway_command_retries_total",
        kind: Kind::Counter,
        unit: "retries",
        labels: &[COMMAND, CODE],
        meaning: "Commands that were sent again, by command and the gateway's status code",
        watch: "`resource_exhausted` is an overloaded engine; `unavailable` a gateway that comes and goes.",
    },
    Metric {
        name: "gateway_call_seconds",
        kind: Kind::Seconds,
        unit: "seconds",
        labels: &[COMMAND],
        meaning: "Time of one call to the gateway until its answer begins, each try by itself, by command",
        watch: "How the engine does: `complete` grows with its load.",
    },
    Metric {
        name: "lock_renewals_total",
        kind: Kind::Counter,
        unit: "renewals",
        labels: &[one_of("result", &["renewed", "superseded", "refused", "error"])],
        meaning: "Renewals of job locks, by result",
        watch: "Many: calls take longer than half of worker.job_timeout. `superseded`: a job went to somebody else.",
    },
    Metric {
        name: "salesforce_calls_total",
        kind: Kind::Counter,
        unit: "calls",
        labels: &[STATUS],
        meaning: "Calls to Salesforce, by status class, or error where no answer came",
        watch: "What counts against the org's daily limit, without logins. `error` and `5xx`: Salesforce or the way to it.",
    },
    Metric {
        name: "salesforce_call_seconds",
        kind: Kind::Seconds,
        unit: "seconds",
        labels: &[STATUS],
        meaning: "Time of one call to Salesforce until its answer was read, by status class",
        watch: "How Salesforce does.",
    },
    Metric {
        name: "salesforce_retries_total",
        kind: Kind::Counter,
        unit: "retries",
        labels: &[one_of(
            "class",
            &["transient", "throttled", "business", "permanent", "authentication", "outcome_unknown"],
        )],
        meaning: "Calls that were sent again within their job, by the class of the error before",
        watch: "Grows before failures do.",
    },
    Metric {
        name: "salesforce_calls_held_total",
        kind: Kind::Counter,
        unit: "calls",
        labels: &[one_of("reason", &["circuit", "budget", "busy"])],
        meaning: "Calls that were not sent, to spare the org, by reason",
        watch: "Their jobs wait. `circuit`: an org is over a limit, in maintenance or down; `budget`: its API requests are \
                down to the reserve; `busy`: enough calls are under way.",
    },
    Metric {
        name: "org_circuit_state",
        kind: Kind::Gauge,
        unit: "states",
        labels: &[ORG],
        meaning: "Whether an org is called: 0 it is, 1 by reads only, 2 it is not; from its first answer on",
        watch: "2 for longer than a maintenance window: look at the org, or at the way to it.",
    },
    Metric {
        name: "org_api_requests_used",
        kind: Kind::Gauge,
        unit: "requests",
        labels: &[ORG],
        meaning: "API requests that all clients of an org made in 24 hours, as its last answer said",
        watch: "Its share of `org_api_requests_max`; creates and bulk work wait when it comes near.",
    },
    Metric {
        name: "org_api_requests_max",
        kind: Kind::Gauge,
        unit: "requests",
        labels: &[ORG],
        meaning: "API requests that an org allows in 24 hours, as its last answer said",
        watch: "Changes with licences.",
    },
    Metric {
        name: "token_requests_total",
        kind: Kind::Counter,
        unit: "requests",
        labels: &[ISSUER, one_of("result", &["issued", "refused"])],
        meaning: "Access tokens requested, by issuer and result",
        watch: "Few: Salesforce allows 3,600 logins an hour. `refused` is a wrong secret, or a user who may not log in.",
    },
    Metric {
        name: "tokens_reused_total",
        kind: Kind::Counter,
        unit: "calls",
        labels: &[ISSUER],
        meaning: "Calls that found their access token in the cache, by issuer",
        watch: "Nearly all calls should.",
    },
    Metric {
        name: "tokens_refreshed_total",
        kind: Kind::Counter,
        unit: "tokens",
        labels: &[ISSUER],
        meaning: "Access tokens given up since a call with them was refused, by issuer",
        watch: "About one for each session timeout of an org. More: somebody revokes tokens.",
    },
    Metric {
        name: "secrets_provider_errors_total",
        kind: Kind::Counter,
        unit: "secrets",
        labels: &[one_of("provider", &["directory", "environment", "vault"])],
        meaning: "Secrets that a provider could not give, by provider",
        watch: "Jobs fail or wait for it; a vault that is down or sealed, a file that cannot be read.",
    },
];
