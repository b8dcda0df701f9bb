//! One job: what it was made for, and how far it is.

use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::dialect::Dialect;
use super::upload::Upload;
use crate::org::datetime;
use crate::org::error::{ApiError, ApiResult, json_response};

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

/// A job of either kind.
#[derive(Debug)]
pub(super) struct Job {
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
    /// What makes up the job, beyond what all jobs have.
    pub(super) upload: Upload,
}

impl Job {
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
            "UploadComplete" => ("Closing", self.state == State::Open, State::UploadComplete),
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
        if let Some(rule) = &self.upload.assignment_rule {
            put("assignmentRuleId", json!(rule));
        }
        if let Some(field) = &self.upload.external_id {
            put("externalIdFieldName", json!(field));
        }
        put("concurrencyMode", json!("Parallel"));
        put("contentType", json!("CSV"));
        put("apiVersion", json!(f64::from(self.version)));
        if self.state == State::Open {
            let url = format!("services/data/v{}.0/jobs/ingest/{}/batches", self.version, self.id);
            put("contentUrl", json!(url));
        }
        put("lineEnding", json!(self.dialect.line_ending_name()));
        put("columnDelimiter", json!(self.dialect.delimiter_name()));
        info
    }

    /// What the list of jobs shows.
    pub(super) fn in_list(&self) -> Map<String, Value> {
        let mut info = self.summary();
        info.insert("jobType".into(), json!("V2Ingest"));
        info
    }

    /// Everything, as a look at one job shows it. The times are not measured.
    pub(super) fn info(&self) -> Map<String, Value> {
        let mut info = self.in_list();
        let mut put = |name: &str, value: Value| info.insert(name.to_owned(), value);
        put("numberRecordsProcessed", json!(self.upload.processed()));
        put("numberRecordsFailed", json!(self.upload.failed()));
        put("retries", json!(0));
        for name in ["totalProcessingTime", "apiActiveProcessingTime", "apexProcessingTime"] {
            put(name, json!(0));
        }
        if let Some(error) = &self.error {
            put("errorMessage", json!(error));
        }
        info
    }
}

/// What the job's state does not allow.
pub(super) fn invalid_state(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("INVALIDJOBSTATE", message)
}

/// A job as a reply.
pub(super) fn answer(info: Map<String, Value>) -> Response {
    json_response(StatusCode::OK, &Value::Object(info))
}
