//! A job, parsed once.

use std::{collections::BTreeMap, fmt};

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{CommitPoint, Documents, JobLabels, JobScope, Lock, protocol::ActivatedJob};

/// A job as its handler sees it.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its key, unique in the cluster and the same in every attempt; fit for an idempotency key.
    pub key: i64,
    /// Its type, by which the worker got it.
    pub job_type: String,
    /// The process instance that it belongs to.
    pub process_instance_key: i64,
    /// The id of the process in its BPMN file.
    pub bpmn_process_id: String,
    /// The version of the deployed process.
    pub process_definition_version: i32,
    /// The key of the deployed process.
    pub process_definition_key: i64,
    /// The id of the task in the BPMN file.
    pub element_id: String,
    /// The key of this visit of the task.
    pub element_instance_key: i64,
    /// The retries left, this attempt included.
    pub retries: i32,
    /// The task's headers. One that is not a text, which no modeler can make, is kept as its JSON text.
    pub headers: BTreeMap<String, String>,
    /// The variables fetched, in the order in which the engine sent them.
    pub variables: Map<String, Value>,
    /// The tenant that it belongs to; `<default>` without multi-tenancy, empty on old gateways.
    pub tenant_id: String,
    /// The tags of the process instance (8.8 and later).
    pub tags: Vec<String>,
    /// Until when it is ours.
    pub lock: Lock,
    /// Its own variables on the engine, for notes to whoever gets it next.
    pub scope: JobScope,
    /// The documents of its cluster.
    pub documents: Documents,
    /// To be passed before something is done that must not happen twice.
    pub commit_point: CommitPoint,
    /// For metrics: what it asks for, and why it ends as it does.
    pub labels: JobLabels,
}

impl Job {
    /// When the lock ends, by our monotonic clock; later when the lock was renewed meanwhile.
    pub fn deadline(&self) -> Instant {
        self.lock.deadline()
    }

    /// The token of this activation (8.10 and later, for workers that ask for it).
    pub fn lease_token(&self) -> Option<String> {
        self.lock.lease()
    }

    /// Reads what the gateway sent; an error says what is wrong with it.
    pub(super) fn parse(proto: ActivatedJob, lock: Lock) -> Result<Self, Box<MalformedJob>> {
        let (variables, headers) = (object(&proto.variables), object(&proto.custom_headers));
        let job = Self::without_parts(proto, lock);
        let (variables, headers) = match (variables, headers) {
            (Ok(variables), Ok(headers)) => (variables, headers),
            (Err(found), _) => return Err(Box::new(MalformedJob { job, part: "variables", found })),
            (_, Err(found)) => return Err(Box::new(MalformedJob { job, part: "custom headers", found })),
        };
        let headers = headers.into_iter().map(|(name, value)| match value {
            Value::String(text) => (name, text),
            other => (name, other.to_string()),
        });
        Ok(Self { variables, headers: headers.collect(), ..job })
    }

    /// What can be known of any job.
    fn without_parts(proto: ActivatedJob, lock: Lock) -> Self {
        Self {
            key: proto.key,
            job_type: proto.r#type,
            process_instance_key: proto.process_instance_key,
            bpmn_process_id: proto.bpmn_process_id,
            process_definition_version: proto.process_definition_version,
            process_definition_key: proto.process_definition_key,
            element_id: proto.element_id,
            element_instance_key: proto.element_instance_key,
            retries: proto.retries,
            headers: BTreeMap::new(),
            variables: Map::new(),
            tenant_id: proto.tenant_id,
            tags: proto.tags,
            lock,
            scope: JobScope::detached(),
            documents: Documents::none(),
            commit_point: CommitPoint::default(),
            labels: JobLabels::default(),
        }
    }
}

/// A job that cannot be read. The text names the part and what was found, and never quotes it.
#[derive(Debug)]
pub(super) struct MalformedJob {
    /// What can be known of it.
    pub(super) job: Job,
    part: &'static str,
    found: String,
}

impl fmt::Display for MalformedJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The job's {} must be a JSON object, but {}.", self.part, self.found)
    }
}

/// An absent text is an empty object, as proto3 has it.
fn object(text: &str) -> Result<Map<String, Value>, String> {
    if text.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(Value::Null) => Err("it is null".into()),
        Ok(Value::Array(_)) => Err("it is an array".into()),
        Ok(Value::String(_)) => Err("it is a string".into()),
        Ok(Value::Number(_)) => Err("it is a number".into()),
        Ok(Value::Bool(_)) => Err("it is a boolean".into()),
        Err(error) => Err(format!("it is no JSON (line {}, column {})", error.line(), error.column())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(variables: &str, headers: &str) -> Result<Job, String> {
        let proto = ActivatedJob {
            key: 7,
            r#type: "t".into(),
            retries: 3,
            variables: variables.into(),
            custom_headers: headers.into(),
            tenant_id: "acme".into(),
            tags: vec!["urgent".into()],
            job_lease_token: Some("lease".into()),
            ..ActivatedJob::default()
        };
        let lock = Lock::leased(Instant::now(), proto.job_lease_token.clone());
        Job::parse(proto, lock).map_err(|malformed| malformed.to_string())
    }

    #[test]
    fn a_job_is_read_whole() {
        let job = parse(r#"{"b":1.10,"a":[]}"#, r#"{"x":"1"}"#).unwrap();
        assert_eq!((job.key, job.retries, job.job_type.as_str()), (7, 3, "t"));
        assert_eq!(serde_json::to_string(&job.variables).unwrap(), r#"{"b":1.10,"a":[]}"#);
        assert_eq!(job.headers["x"], "1");
        assert_eq!((job.tenant_id.as_str(), job.tags.as_slice()), ("acme", ["urgent".to_owned()].as_slice()));
        assert_eq!(job.lease_token().as_deref(), Some("lease"));
    }

    #[test]
    fn a_header_that_is_no_text_is_kept_as_text() {
        let job = parse("{}", r#"{"n":5,"o":{"p":true},"z":null}"#).unwrap();
        assert_eq!((job.headers["n"].as_str(), job.headers["z"].as_str()), ("5", "null"));
        assert_eq!(job.headers["o"], r#"{"p":true}"#);
    }

    #[test]
    fn nothing_is_an_empty_object() {
        let job = parse("", "").unwrap();
        assert!(job.variables.is_empty() && job.headers.is_empty());
    }

    #[test]
    fn a_malformed_job_says_which_part_and_what_was_found_but_quotes_nothing() {
        for (variables, headers, message) in [
            ("[1]", "{}", "The job's variables must be a JSON object, but it is an array."),
            ("null", "{}", "The job's variables must be a JSON object, but it is null."),
            ("{}", "\"x\"", "The job's custom headers must be a JSON object, but it is a string."),
            (
                "{\"geheim\": oops}",
                "{}",
                "The job's variables must be a JSON object, but it is no JSON (line 1, column 12).",
            ),
        ] {
            assert_eq!(parse(variables, headers).unwrap_err(), message);
        }
    }
}
