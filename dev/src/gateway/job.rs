//! Jobs as a test makes them and as it finds them again.

use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;
use tonic::Code;

/// The tenant of every job where multi-tenancy is off.
pub const DEFAULT_TENANT: &str = "<default>";

/// A job to create, as an engine would when a token reaches a service task.
///
/// Defaults: three retries, no variables, no headers, process `process` with element `task`, tenant
/// `<default>`, priority 0; BPMN errors are caught.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub(super) job_type: String,
    pub(super) variables: Map<String, Value>,
    pub(super) variables_text: Option<String>,
    pub(super) headers: Map<String, Value>,
    pub(super) headers_text: Option<String>,
    pub(super) retries: i32,
    pub(super) element_id: String,
    pub(super) bpmn_process_id: String,
    pub(super) process_definition_version: i32,
    pub(super) process_instance_key: Option<i64>,
    pub(super) tenant: String,
    pub(super) tags: Vec<String>,
    pub(super) priority: i32,
    pub(super) business_id: String,
    pub(super) kind: JobKind,
    pub(super) errors_are_caught: bool,
}

/// What a job belongs to (8.8); the numbers are those of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum JobKind {
    /// A service task and its like.
    #[default]
    BpmnElement = 0,
    /// An execution listener.
    ExecutionListener = 1,
    /// A user task listener.
    TaskListener = 2,
    /// An ad-hoc sub-process.
    AdHocSubProcess = 3,
}

impl NewJob {
    /// A job of this type, everything else as by default.
    pub fn new(job_type: impl Into<String>) -> Self {
        Self {
            job_type: job_type.into(),
            variables: Map::new(),
            variables_text: None,
            headers: Map::new(),
            headers_text: None,
            retries: 3,
            element_id: "task".into(),
            bpmn_process_id: "process".into(),
            process_definition_version: 1,
            process_instance_key: None,
            tenant: DEFAULT_TENANT.into(),
            tags: Vec::new(),
            priority: 0,
            business_id: String::new(),
            kind: JobKind::default(),
            errors_are_caught: true,
        }
    }

    /// The variables that the job can see.
    ///
    /// # Panics
    /// If this is not a JSON object; for a broken job see [`NewJob::malformed_variables`].
    pub fn variables(mut self, variables: Value) -> Self {
        match variables {
            Value::Object(variables) => self.variables = variables,
            other => panic!("expected a JSON object as variables, found {other}"),
        }
        self
    }

    /// Text sent in place of the variables, whatever it is: what a worker does with a broken job.
    pub fn malformed_variables(mut self, text: impl Into<String>) -> Self {
        self.variables_text = Some(text.into());
        self
    }

    /// The custom headers of the task.
    pub fn headers<K: Into<String>, V: Into<String>>(
        mut self,
        headers: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.headers = headers.into_iter().map(|(k, v)| (k.into(), Value::String(v.into()))).collect();
        self
    }

    /// Text sent in place of the custom headers, whatever it is.
    pub fn malformed_headers(mut self, text: impl Into<String>) -> Self {
        self.headers_text = Some(text.into());
        self
    }

    /// How often the job may be tried.
    pub fn retries(mut self, retries: i32) -> Self {
        self.retries = retries;
        self
    }

    /// The id of the task in its process.
    pub fn element_id(mut self, id: impl Into<String>) -> Self {
        self.element_id = id.into();
        self
    }

    /// The id of the process.
    pub fn bpmn_process_id(mut self, id: impl Into<String>) -> Self {
        self.bpmn_process_id = id.into();
        self
    }

    /// The version of the process definition; 1 by default.
    pub fn process_definition_version(mut self, version: i32) -> Self {
        self.process_definition_version = version;
        self
    }

    /// The process instance; a new one by default.
    pub fn process_instance_key(mut self, key: i64) -> Self {
        self.process_instance_key = Some(key);
        self
    }

    /// The tenant that the job belongs to.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = tenant.into();
        self
    }

    /// The tags of the process instance (8.8).
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// The priority (8.10): a poll gets the highest first; push ignores it.
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// The business id of the process instance (8.10).
    pub fn business_id(mut self, id: impl Into<String>) -> Self {
        self.business_id = id.into();
        self
    }

    /// What the job belongs to (8.8).
    pub fn kind(mut self, kind: JobKind) -> Self {
        self.kind = kind;
        self
    }

    /// Nothing in the process catches a BPMN error of this job: throwing one raises an incident.
    pub fn without_error_event(mut self) -> Self {
        self.errors_are_caught = false;
        self
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobState {
    /// A worker may get it.
    Activatable,
    /// A worker holds its lock.
    Activated,
    /// Failed with retries left; activatable again when the backoff ends.
    BackingOff,
    /// Failed without retries left, or too large to be sent. Terminal until the incident is resolved.
    Incident,
    /// Completed. Terminal.
    Completed,
    /// A BPMN error was thrown. Terminal if it is caught; else there is an incident to resolve.
    ErrorThrown,
}

impl JobState {
    /// Whether nothing happens to the job any more without help from outside.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Incident | Self::Completed | Self::ErrorThrown)
    }
}

/// One job as it stands at this moment, with its history.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JobRecord {
    /// The key, as in `ActivatedJob.key`.
    pub key: i64,
    /// The job type.
    pub job_type: String,
    /// The id of the task.
    pub element_id: String,
    /// The element instance: the scope that SetVariables addresses.
    pub element_instance_key: i64,
    /// The process instance.
    pub process_instance_key: i64,
    /// The tenant.
    pub tenant: String,
    /// Where the job stands.
    pub state: JobState,
    /// Retries left.
    pub retries: i32,
    /// Variables of the process instance that the job can see.
    pub variables: Map<String, Value>,
    /// Variables in the job's own scope: of FailJob and of local SetVariables. They hide others.
    pub local_variables: Map<String, Value>,
    /// The variables of the completion or of the BPMN error.
    pub result: Option<Map<String, Value>>,
    /// The message of the last FailJob or ThrowError, or of the gateway's own incident.
    pub error_message: Option<String>,
    /// The code of the BPMN error.
    pub error_code: Option<String>,
    /// The backoff of the last FailJob.
    pub backoff: Option<Duration>,
    /// Who holds the job, or held it last.
    pub worker: Option<String>,
    /// The lease of the last leased activation (8.10).
    pub lease: Option<String>,
    /// The open incident.
    pub incident_key: Option<i64>,
    /// Everything that happened, oldest first.
    pub history: Vec<JobEvent>,
}

impl JobRecord {
    /// How often the job was given to a worker.
    pub fn activations(&self) -> usize {
        self.history.iter().filter(|event| matches!(event.kind, JobEventKind::Activated { .. })).count()
    }

    /// Retries of each accepted FailJob, oldest first.
    pub fn failures(&self) -> Vec<i32> {
        let retries = |event: &JobEvent| match event.kind {
            JobEventKind::Failed { retries, .. } => Some(retries),
            _ => None,
        };
        self.history.iter().filter_map(retries).collect()
    }
}

/// One thing that happened to a job.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JobEvent {
    /// When, by tokio's clock.
    pub at: Instant,
    /// The worker that held the job then. Commands do not say who sends them.
    pub worker: Option<String>,
    /// What.
    pub kind: JobEventKind,
}

/// How an activation reached the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// StreamActivatedJobs.
    Push,
    /// ActivateJobs.
    Poll,
}

/// What happened to a job.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobEventKind {
    /// The job was created.
    Created,
    /// A worker got it.
    Activated {
        /// On which way.
        by: Delivery,
        /// How long the lock holds.
        timeout: Duration,
    },
    /// The message did not reach the worker's connection: activatable again, retries unchanged.
    GivenBack,
    /// The lock ran out.
    LockExpired,
    /// CompleteJob.
    Completed,
    /// FailJob.
    Failed {
        /// Retries left.
        retries: i32,
        /// The rest before the job is activatable again.
        backoff: Duration,
        /// The worker's message.
        message: String,
    },
    /// The backoff ended.
    BackoffOver,
    /// ThrowError.
    ErrorThrown {
        /// The code.
        code: String,
    },
    /// An incident was raised.
    IncidentRaised,
    /// The incident was resolved.
    IncidentResolved,
    /// UpdateJobTimeout.
    TimeoutUpdated {
        /// The new duration, from then on.
        timeout: Duration,
    },
    /// UpdateJobRetries.
    RetriesUpdated {
        /// The new number.
        retries: i32,
    },
    /// SetVariables.
    VariablesSet {
        /// In the job's own scope, or in that of the process.
        local: bool,
    },
    /// A command was refused.
    Refused {
        /// The command, as in the rejection's text: `COMPLETE`, `FAIL`, …
        command: &'static str,
        /// The status code that the caller got.
        code: Code,
    },
}
