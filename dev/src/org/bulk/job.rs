//! One job: what it was made for, and how far it is.

use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::dialect::Dialect;
use crate::org::datetime;
use crate::org::error::{ApiError, ApiResult, json_response};
use crate::org::request::ApiRequest;
use crate::org::server::Org;

/// Where a job stands; the names are Salesforce's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Open,
    UploadComplete,
    InProgress,
    Aborted,
    JobComplete,
    Failed,
}

impl State {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::UploadComplete => "UploadComplete",
            Self::InProgress => "InProgress",
            Self::Aborted => "Aborted",
            Self::JobComplete => "JobComplete",
            Self::Failed => "Failed",
        }
    }

    /// Whether the job waits for the org, rather than for its client or for nothing.
    pub(super) fn is_running(self) -> bool {
        matches!(self, Self::UploadComplete | Self::InProgress)
    }
}

/// What a job is made of beyond what all jobs have: data to take in, or a query.
pub(super) trait Work {
    /// Salesforce's name for the kind of job.
    const JOB_TYPE: &'static str;
    /// Where such jobs are found, below `/jobs`.
    const RESOURCE: &'static str;
    /// The first state of such a job.
    const FIRST: State;

    /// Leaves the queue. The error is the job's `errorMessage`.
    fn begin(&mut self, org: &Org, dialect: Dialect) -> Result<(), String>;

    /// Does the next batch; answers whether that was the last.
    fn go_on(&mut self, org: &Org, dialect: Dialect, batch: usize) -> Result<bool, String>;

    /// What the job was created with, in a reply.
    fn describe(&self, _info: &mut Map<String, Value>) {}

    /// How far it is, in a reply.
    fn measure(&self, info: &mut Map<String, Value>);
}

/// A job of either kind.
#[derive(Debug)]
pub(super) struct Job<W> {
    pub(super) id: String,
    pub(super) created_by: String,
    pub(super) operation: &'static str,
    /// The name of the object.
    pub(super) object: String,
    pub(super) version: u32,
    pub(super) dialect: Dialect,
    pub(super) state: State,
    pub(super) error: Option<String>,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    /// When the org takes the next step, while the job runs.
    pub(super) due: Instant,
    pub(super) work: W,
}

impl<W: Work> Job<W> {
    /// A new job in its first state, without a step that is due.
    pub(super) fn new(org: &Org, request: &ApiRequest, made: Made<W>) -> Self {
        let now = Timestamp::now();
        let store = org.read();
        Self {
            id: String::new(),
            created_by: store.user.clone(),
            operation: made.operation,
            object: store.object(made.object).name.clone(),
            version: request.version,
            dialect: made.dialect,
            state: W::FIRST,
            error: None,
            created: now,
            modified: now,
            due: Instant::now(),
            work: made.work,
        }
    }

    /// One step: out of the queue, or one batch.
    pub(super) fn step(&mut self, org: &Org, batch: usize) {
        let done = match self.state {
            State::UploadComplete => self.work.begin(org, self.dialect).map(|()| false),
            State::InProgress => self.work.go_on(org, self.dialect, batch),
            _ => return,
        };
        match done {
            Err(message) => self.fail(message),
            Ok(done) => self.enter(if done { State::JobComplete } else { State::InProgress }),
        }
    }

    /// Moves to another state.
    pub(super) fn enter(&mut self, state: State) {
        self.state = state;
        self.modified = Timestamp::now();
    }

    /// Ends the job; what was saved stays.
    pub(super) fn fail(&mut self, message: impl Into<String>) {
        self.error = Some(message.into());
        self.enter(State::Failed);
    }

    /// A client asks for a state: the upload is complete, or the job is to be given up.
    pub(super) fn request(&mut self, state: &str) -> ApiResult<()> {
        let (verb, allowed, next) = match state {
            "UploadComplete" if W::FIRST == State::Open => {
                ("Closing", self.state == State::Open, State::UploadComplete)
            }
            "Aborted" => ("Aborting", self.state == State::Open || self.state.is_running(), State::Aborted),
            other => {
                return Err(invalid_state(format!(
                    "InvalidJobState : A job cannot be put into state '{other}'"
                )));
            }
        };
        if !allowed {
            let found = match self.state {
                State::JobComplete => "Completed",
                State::Aborted => "aborted",
                State::Failed => "Failed",
                _ => "closed",
            };
            return Err(invalid_state(format!("{verb} already {found} Job not allowed")));
        }
        self.enter(next);
        Ok(())
    }

    /// What a create and a change of state answer.
    pub(super) fn summary(&self) -> Map<String, Value> {
        let mut info = Map::new();
        let mut put = |name: &str, value: Value| info.insert(name.to_owned(), value);
        put("id", json!(self.id));
        put("operation", json!(self.operation));
        put("object", json!(self.object));
        put("createdById", json!(self.created_by));
        put("createdDate", json!(datetime::format(self.created)));
        put("systemModstamp", json!(datetime::format(self.modified)));
        put("state", json!(self.state.name()));
        self.work.describe(&mut info);
        let mut put = |name: &str, value: Value| info.insert(name.to_owned(), value);
        put("concurrencyMode", json!("Parallel"));
        put("contentType", json!("CSV"));
        put("apiVersion", json!(f64::from(self.version)));
        if self.state == State::Open {
            let url = format!("services/data/v{}.0/jobs/{}/{}/batches", self.version, W::RESOURCE, self.id);
            put("contentUrl", json!(url));
        }
        put("lineEnding", json!(self.dialect.line_ending_name()));
        put("columnDelimiter", json!(self.dialect.delimiter_name()));
        info
    }

    /// What the list of jobs shows.
    pub(super) fn in_list(&self) -> Map<String, Value> {
        let mut info = self.summary();
        info.insert("jobType".into(), json!(W::JOB_TYPE));
        info
    }

    /// Everything, as a look at one job shows it. The times are not measured.
    pub(super) fn info(&self) -> Map<String, Value> {
        let mut info = self.in_list();
        self.work.measure(&mut info);
        for name in ["retries", "totalProcessingTime"] {
            info.insert(name.to_owned(), json!(0));
        }
        if let Some(error) = &self.error {
            info.insert("errorMessage".into(), json!(error));
        }
        info
    }
}

/// What a request for a new job says.
pub(super) struct Made<W> {
    pub(super) operation: &'static str,
    /// The index of the object.
    pub(super) object: usize,
    pub(super) dialect: Dialect,
    pub(super) work: W,
}

/// What the job's state does not allow.
pub(super) fn invalid_state(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("INVALIDJOBSTATE", message)
}

/// A job as a reply.
pub(super) fn answer(info: Map<String, Value>) -> Response {
    json_response(StatusCode::OK, &Value::Object(info))
}
