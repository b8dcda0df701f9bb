//! The story of one job.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    connections::{Caller, Connections, NamedConnection, Opened},
    error::Error,
    expressions::Expressions,
    failure::{self, Situation},
    failures::{FailedJob, FailureLog},
    file_room::{FileOptions, FileRoom},
    headers::Headers,
    mapping::{Done, Mapping},
    mark::{self, Watchman},
    operations::{Call, Descriptor},
    redactor::Redactor,
    request::{self, Request},
    secrets::{JobSecrets, SecretsOptions},
    settlement::Settlement,
};
use crate::{
    metrics::Metrics,
    salesforce::{CallClass, TransportOptions},
    zeebe::{Failure, Job, JobHandler, Outcome},
};

/// How jobs are carried out.
#[derive(Clone, Debug)]
pub struct ConnectorOptions {
    /// How to speak HTTP to orgs, and to which hosts.
    pub transport: TransportOptions,
    /// The connections that tasks name.
    pub connections: BTreeMap<String, NamedConnection>,
    /// Whether tasks may bring connections of their own.
    pub allow_inline: bool,
    /// Where secrets come from.
    pub secrets: SecretsOptions,
    /// How long one call may take where the task does not say.
    pub request_timeout: Duration,
    /// How long a job rests after its first failure where nobody says; three times as long after each further one, up to
    /// five minutes.
    pub retry_backoff: Duration,
    /// The largest set of variables that a job is completed with, in bytes of JSON.
    pub max_result_bytes: usize,
    /// How long a job waits in place for its bulk job; then it is given back for a while, again and again.
    pub bulk_wait: Duration,
    /// Whether a mark is left on the engine before each write that must not happen twice. Without it, such a write
    /// happens twice when its worker dies in the middle. Marks that are found count in any case.
    pub mark_unsafe_writes: bool,
    /// How large files may be.
    pub files: FileOptions,
}

/// Carries out Salesforce tasks: the handler of the worker's jobs.
pub struct Connector {
    connections: Arc<Connections>,
    request_timeout: Duration,
    retry_backoff: Duration,
    max_result_bytes: usize,
    bulk_wait: Duration,
    mark_unsafe_writes: bool,
    files: FileRoom,
    expressions: Expressions,
    metrics: Arc<Metrics>,
    failures: Arc<FailureLog>,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("connections", &self.connections).finish_non_exhaustive()
    }
}

/// What is known of a job so far, and needed whatever becomes of it.
struct Known<'a> {
    operation: Option<&'static Descriptor>,
    class: Option<CallClass>,
    connection: Option<String>,
    org: Option<String>,
    headers: Headers,
    secrets: JobSecrets<'a>,
}

impl Connector {
    /// Calls nothing yet; an error is a mistake in the options.
    #[allow(clippy::needless_pass_by_value, reason = "options are handed over whole, as to the other rooms")]
    pub fn new(options: ConnectorOptions, metrics: Arc<Metrics>) -> Result<Self, Error> {
        Ok(Self {
            connections: Arc::new(Connections::new(&options, Arc::clone(&metrics))?),
            request_timeout: options.request_timeout,
            retry_backoff: options.retry_backoff,
            max_result_bytes: options.max_result_bytes,
            bulk_wait: options.bulk_wait,
            mark_unsafe_writes: options.mark_unsafe_writes,
            files: FileRoom::new(options.files),
            expressions: Expressions::default(),
            metrics,
            failures: Arc::default(),
        })
    }

    /// The connections that jobs use; who shows their status keeps a clone.
    pub fn connections(&self) -> &Arc<Connections> {
        &self.connections
    }

    /// The jobs that were not carried out.
    pub fn failures(&self) -> &Arc<FailureLog> {
        &self.failures
    }

    /// All that can be refused without a side effect is refused before `run`.
    async fn carry_out(&self, job: &Job, known: &mut Known<'_>) -> Result<Done, Error> {
        let headers = Headers::parse(&job.headers, &self.expressions);
        if let Some(cut_in_the_middle) = mark::found(job) {
            known.headers = headers.unwrap_or_default();
            return Err(cut_in_the_middle);
        }
        known.headers = headers?;
        let variables = known.secrets.input(&job.variables).await?;
        let Request { connection, api_version, operation, timeout, call_options } =
            Request::parse(&variables)?;
        let class = operation.class();
        (known.connection, known.class) = (self.connections.configured(&connection), Some(class));
        known.headers.check(operation.descriptor())?;
        let Opened { client, request_timeout } =
            self.connections.client((&connection, api_version), caller(job), &mut known.secrets).await?;
        known.org = client.host();
        let record_id = operation.record_id().map(ToString::to_string);
        let (timeout, redactor) =
            (timeout.or(request_timeout).unwrap_or(self.request_timeout), known.secrets.redactor());
        let watchman = Watchman {
            job,
            situation: self.situation(job, known),
            redactor: &redactor,
            timeout,
            leaves_marks: self.mark_unsafe_writes,
            left: Mutex::default(),
            progress: Mutex::default(),
        };
        let call = Call {
            client: &client.clone().with_call_options(call_options),
            lock: &job.lock,
            documents: &job.documents,
            files: &self.files,
            watchman: &watchman,
            step: format!("{}-{}", job.process_instance_key, job.element_instance_key),
            timeout,
            max_result_bytes: self.max_result_bytes,
            bulk_wait: self.bulk_wait,
        };
        let result = operation.run(&call).await;
        known.secrets.learn(client.received_tokens());
        let response = result.map_err(|error| error.of_version(&connection, api_version.is_some()))?;
        let mapping = Mapping {
            headers: &known.headers,
            class,
            record_id,
            max_bytes: self.max_result_bytes,
            redactor: &known.secrets.redactor(),
        };
        mapping.variables(response)
    }

    fn situation<'a>(&self, job: &Job, known: &'a Known<'_>) -> Situation<'a> {
        Situation {
            operation: known.operation,
            class: known.class,
            headers: &known.headers,
            retries: job.retries,
            default_backoff: self.retry_backoff,
        }
    }

    fn settlement<'a>(&self, job: &Job, known: &'a Known<'_>, redactor: &'a Redactor) -> Settlement<'a> {
        let situation = self.situation(job, known);
        Settlement { situation, max_bytes: self.max_result_bytes, redactor }
    }

    fn record(&self, job: &Job, known: &Known<'_>, result: (&Outcome, Option<&Error>), elapsed: Duration) {
        let operation = known.operation.map_or("unknown", |operation| operation.name);
        let (outcome, error) = result;
        job.labels.set_reason(error.map_or("none", |error| error.error_type().name()));
        self.metrics.job_handled(operation, outcome.label(), elapsed);
        // A job that waits for its org has not failed, and there may be thousands.
        let Some(error) = error.filter(|error| error.parks().is_none()) else {
            let (outcome, elapsed_ms) = (outcome.label(), elapsed.as_millis());
            tracing::debug!(operation, outcome, elapsed_ms, "job carried out");
            return;
        };
        let failed = FailedJob::new(job, error, outcome, &known.secrets.redactor());
        let (connection, org) = (known.connection.clone(), known.org.clone());
        self.failures.note(FailedJob { connection, org, ..failed });
    }
}

/// Who wants to use a connection.
fn caller(job: &Job) -> Caller<'_> {
    Caller { tenant: &job.tenant_id, process: &job.bpmn_process_id }
}

impl JobHandler for Connector {
    async fn handle(&self, job: &Job) -> Outcome {
        let started = Instant::now();
        let operation = request::operation_named(&job.variables);
        job.labels.set_operation(operation.map_or("unknown", |operation| operation.name));
        let secrets = self.connections.secrets(&job.bpmn_process_id);
        let mut known = Known {
            operation,
            class: None,
            connection: None,
            org: None,
            headers: Headers::default(),
            secrets,
        };
        let result = self.carry_out(job, &mut known).await;
        let redactor = known.secrets.redactor();
        let (outcome, error) = self.settlement(job, &known, &redactor).settle(result);
        let note = error.as_ref().and_then(Error::note);
        let outcome = mark::cleared(job, failure::fitted(redactor.outcome(outcome)), note).await;
        self.record(job, &known, (&outcome, error.as_ref()), started.elapsed());
        outcome
    }

    fn unhandled(&self, job: &Job, reason: &'static str, failure: &Failure) {
        self.failures.keep(FailedJob::by_the_worker(job, reason, failure));
    }
}
