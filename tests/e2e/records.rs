//! The engine's records: what became of jobs and instances, in the engine's own words.
//!
//! Without secondary storage an engine cannot be asked for its incidents. But its `DebugLogExporter` writes
//! every record as one line of JSON to its log, and `tail` tells of each line as it comes.

use std::{collections::HashSet, path::Path, process::Stdio, time::Duration};

use serde::Deserialize;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// How long a record is waited for; far above what the slowest scenario takes.
const PATIENCE: Duration = Duration::from_mins(2);

/// The variable in a task's scope in which the worker marks a write as under way.
const STATE_VARIABLE: &str = "salesforceState";

/// What precedes a record in a line of the log.
const EXPORTER: &str = "exporter.debug - {";

/// What happened to something.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    /// The key of what it happened to.
    pub(crate) key: i64,
    /// What that is: `JOB`, `INCIDENT`, `PROCESS_INSTANCE` ...
    value_type: String,
    /// What happened: `CREATED`, `FAILED` ...
    intent: String,
    /// Its place in the engine's log of events.
    position: u64,
    /// Its state then.
    pub(crate) value: Value,
}

impl Record {
    /// A text of the record's value; empty where it has none of this name.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.value[name].as_str().unwrap_or_default()
    }

    /// A number of the record's value.
    pub(crate) fn number(&self, name: &str) -> i64 {
        self.value[name].as_i64().unwrap_or_else(|| panic!("a number {name} in {}", self.value))
    }

    fn is(&self, value_type: &str, intent: &str) -> bool {
        self.value_type == value_type && self.intent == intent
    }
}

/// The records about one test since this was opened, as they come.
#[derive(Debug)]
pub(crate) struct Records {
    lines: Lines<BufReader<ChildStdout>>,
    /// Ends with this value.
    _tail: Child,
    /// What a line must hold to be of interest.
    about: String,
    seen: Vec<Record>,
}

impl Records {
    /// Follows the engine's log from its present end: the records that name `about`, such as a process.
    pub(crate) fn follow(log: &Path, about: &str) -> Self {
        let end = log.metadata().unwrap_or_else(|error| panic!("{}: {error}", log.display())).len();
        let mut tail = Command::new("tail")
            .args(["-F", "-c", &format!("+{}", end + 1)])
            .arg(log)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("tail is there");
        let lines = BufReader::new(tail.stdout.take().expect("it is piped")).lines();
        Self { lines, _tail: tail, about: about.to_owned(), seen: Vec::new() }
    }

    /// The incident of an instance, once it has one.
    pub(crate) async fn incident(&mut self, instance: i64) -> Record {
        let what = format!("an incident of instance {instance}");
        self.first(&what, |record| record.is("INCIDENT", "CREATED") && of(record, instance)).await
    }

    /// The incident of any instance of a process, once there is one.
    pub(crate) async fn incident_in(&mut self, process_id: &str) -> Record {
        let matches =
            |record: &Record| record.is("INCIDENT", "CREATED") && record.text("bpmnProcessId") == process_id;
        loop {
            if let Some(record) = self.seen.iter().find(|record| matches(record)) {
                return record.clone();
            }
            self.read().await;
        }
    }

    /// The first failure of a job of an instance that leaves it this many retries.
    pub(crate) async fn failed_job(&mut self, instance: i64, retries: i64) -> Record {
        let what = format!("a job of instance {instance} that failed with {retries} retries left");
        let matches = |record: &Record| {
            record.is("JOB", "FAILED") && of(record, instance) && record.number("retries") == retries
        };
        self.first(&what, matches).await
    }

    /// Resolves when all these instances have come to their end.
    pub(crate) async fn completed(&mut self, instances: &[i64]) {
        let instances: HashSet<i64> = instances.iter().copied().collect();
        for instance in instances {
            let what = format!("the end of instance {instance}");
            self.first(&what, |record| is_end(record, instance)).await;
        }
    }

    /// The first user task of a process that is not among those that are `done`.
    pub(crate) async fn user_task(&mut self, process_id: &str, done: &HashSet<i64>) -> Record {
        let what = format!("a user task of {process_id}");
        let matches = |record: &Record| {
            record.is("USER_TASK", "CREATED")
                && record.text("bpmnProcessId") == process_id
                && !done.contains(&record.key)
        };
        self.first(&what, matches).await
    }

    /// Resolves when an element of the process was completed this often.
    pub(crate) async fn passed(&mut self, element_id: &str, times: usize) {
        let mut last = 0;
        for time in 1..=times {
            let what = format!("completion {time} of {element_id}");
            let matches = |record: &Record| {
                record.is("PROCESS_INSTANCE", "ELEMENT_COMPLETED")
                    && record.text("elementId") == element_id
                    && record.position > last
            };
            last = self.first(&what, matches).await.position;
        }
    }

    /// Resolves when each of these instances has come to its end or has an incident; gives the incidents.
    pub(crate) async fn ended_or_in_an_incident(&mut self, instances: &[i64]) -> Vec<Record> {
        let mut incidents = Vec::new();
        for instance in instances {
            let what = format!("the end or an incident of instance {instance}");
            let has_incident = |record: &Record| record.is("INCIDENT", "CREATED") && of(record, *instance);
            let matches = |record: &Record| has_incident(record) || is_end(record, *instance);
            incidents.extend(Some(self.first(&what, matches).await).filter(has_incident));
        }
        incidents
    }

    /// Resolves when so many of these instances have come to their end.
    pub(crate) async fn some_completed(&mut self, instances: &HashSet<i64>, count: usize) {
        let is_one = |record: &&Record| instances.contains(&record.key) && is_end(record, record.key);
        let enough = async {
            while self.seen.iter().filter(is_one).count() < count {
                self.read().await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, enough).await;
        in_time.unwrap_or_else(|elapsed| {
            panic!("waited {PATIENCE:?} for the end of {count} instances: {elapsed}")
        });
    }

    /// The instances in whose tasks a write is marked as under way, once so many others have done theirs and there are so
    /// many.
    pub(crate) async fn marked(&mut self, done: usize, count: usize) -> HashSet<i64> {
        let what = format!("{count} marks of writes, after {done} jobs that were completed");
        let found = async {
            let (mut marked, mut completed, mut next) = (HashSet::new(), HashSet::new(), 0);
            loop {
                for record in &self.seen[next..] {
                    let kind = if is_mark(record) { &mut marked } else { &mut completed };
                    if is_mark(record) || record.is("JOB", "COMPLETED") {
                        kind.insert(record.number("processInstanceKey"));
                    }
                }
                if (completed.len(), marked.len()) == (done, done + count) {
                    return &marked - &completed;
                }
                next = self.seen.len();
                self.read().await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, found).await;
        in_time.unwrap_or_else(|elapsed| panic!("waited {PATIENCE:?} for {what}: {elapsed}"))
    }

    /// Whether a job of this instance timed out while a write was marked as under way.
    pub(crate) fn timed_out_in_a_write(&self, instance: i64) -> bool {
        let mut is_marked = false;
        for record in self.seen.iter().filter(|record| of(record, instance)) {
            if record.text("name") == STATE_VARIABLE {
                is_marked = is_mark(record);
            }
            if is_marked && record.is("JOB", "TIMED_OUT") {
                return true;
            }
        }
        false
    }

    /// Resolves when the lock of a job of this type was renewed this often.
    pub(crate) async fn renewed(&mut self, job_type: &str, times: usize) {
        let mut last = 0;
        for time in 1..=times {
            let what = format!("renewal {time} of the lock of a job of type {job_type}");
            let matches = |record: &Record| {
                record.is("JOB", "TIMEOUT_UPDATED")
                    && record.text("type") == job_type
                    && record.position > last
            };
            last = self.first(&what, matches).await.position;
        }
    }

    /// Resolves when a job of this type has timed out: its worker did not report in time.
    pub(crate) async fn timed_out(&mut self, job_type: &str) {
        let what = format!("a job of type {job_type} that timed out");
        self.first(&what, |record| timed_out(record, job_type)).await;
    }

    /// How many jobs of a type timed out before what was awaited last.
    pub(crate) fn timed_out_jobs(&self, job_type: &str) -> usize {
        self.seen.iter().filter(|record| timed_out(record, job_type)).count()
    }

    /// How often a job of this instance failed before what was awaited last.
    pub(crate) fn failed_jobs(&self, instance: i64) -> usize {
        self.seen.iter().filter(|record| record.is("JOB", "FAILED") && of(record, instance)).count()
    }

    async fn first(&mut self, what: &str, matches: impl Fn(&Record) -> bool) -> Record {
        let found = async {
            let mut next = 0;
            loop {
                if let Some(record) = self.seen[next..].iter().find(|record| matches(record)) {
                    return record.clone();
                }
                next = self.seen.len();
                self.read().await;
            }
        };
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(record) => record,
            Err(elapsed) => {
                panic!(
                    "waited {PATIENCE:?} for {what}: {elapsed}; does the engine export its records (scripts/e2e.sh)?"
                )
            }
        }
    }

    /// Reads on until there is one more record.
    async fn read(&mut self) {
        loop {
            let line = self.lines.next_line().await.expect("tail can be read").expect("tail goes on");
            // Every test reads every line, so that the text is looked at before it is parsed.
            if !line.contains(r#""recordType":"EVENT""#) || !line.contains(&self.about) {
                continue;
            }
            let Some((_, record)) = line.split_once(EXPORTER) else { continue };
            // The brace is part of what precedes every record.
            self.seen.push(serde_json::from_str(&format!("{{{record}")).expect("a record is JSON"));
            return;
        }
    }
}

fn of(record: &Record, instance: i64) -> bool {
    record.value["processInstanceKey"] == instance
}

fn is_end(record: &Record, instance: i64) -> bool {
    record.is("PROCESS_INSTANCE", "ELEMENT_COMPLETED")
        && record.key == instance
        && record.text("bpmnElementType") == "PROCESS"
}

/// Whether this sets the mark of a write, rather than taking it back.
fn is_mark(record: &Record) -> bool {
    record.value_type == "VARIABLE"
        && record.text("name") == STATE_VARIABLE
        && record.text("value").contains(r#""sent":{"#)
}

fn timed_out(record: &Record, job_type: &str) -> bool {
    record.is("JOB", "TIMED_OUT") && record.text("type") == job_type
}
