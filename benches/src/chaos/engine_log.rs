//! The engine's own records of the instances: without secondary storage it cannot be asked for its incidents, but its
//! debug log exporter writes every record as one line of JSON.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
};

use anyhow::Context as _;
use serde::Deserialize;

/// What precedes a record in a line of the log.
const EXPORTER: &str = "exporter.debug - {";

/// What happened to the instances of one process, as far as it was read.
pub(super) struct EngineLog {
    file: File,
    /// The beginning of a line whose end was not there yet.
    rest: Vec<u8>,
    process: String,
    completed: HashSet<i64>,
    /// The messages of incidents, by instance.
    incidents: HashMap<i64, String>,
    jobs: HashSet<i64>,
    /// What happened to the jobs of each instance, in its order.
    histories: HashMap<i64, Vec<String>>,
    /// Locks that ran out.
    pub(super) timed_out: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    key: i64,
    timestamp: i64,
    value_type: String,
    intent: String,
    value: Value,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Value {
    process_instance_key: i64,
    bpmn_element_type: String,
    worker: String,
    retry_backoff: i64,
    /// Of a batch of jobs that was handed out.
    jobs: Vec<Value>,
    error_message: String,
}

impl EngineLog {
    /// From the present end of the log.
    pub(super) fn follow(path: &Path, process: &str) -> anyhow::Result<Self> {
        let mut file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self {
            file,
            rest: Vec::new(),
            process: process.to_owned(),
            completed: HashSet::new(),
            incidents: HashMap::new(),
            jobs: HashSet::new(),
            histories: HashMap::new(),
            timed_out: 0,
        })
    }

    /// Reads what was written since.
    pub(super) fn read(&mut self) -> anyhow::Result<()> {
        let mut text = std::mem::take(&mut self.rest);
        self.file.read_to_end(&mut text)?;
        let end = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        self.rest = text.split_off(end);
        for line in String::from_utf8_lossy(&text).lines() {
            if line.contains(r#""recordType":"EVENT""#)
                && line.contains(&self.process)
                && let Some((_, record)) = line.split_once(EXPORTER)
            {
                // The brace is part of what precedes every record.
                self.note(serde_json::from_str(&format!("{{{record}")).context("a record is JSON")?);
            }
        }
        Ok(())
    }

    fn note(&mut self, Record { key, timestamp, value_type, intent, value }: Record) {
        let concerned = match value_type.as_str() {
            "JOB" => std::slice::from_ref(&value),
            "JOB_BATCH" => &value.jobs,
            _ => &[],
        };
        for Value { process_instance_key, worker, retry_backoff, .. } in concerned {
            let told = format!("{intent} at {timestamp} (worker \"{worker}\", backoff {retry_backoff} ms)");
            self.histories.entry(*process_instance_key).or_default().push(told);
        }
        match (value_type.as_str(), intent.as_str()) {
            ("JOB", "CREATED") => drop(self.jobs.insert(key)),
            ("JOB", "TIMED_OUT") => self.timed_out += 1,
            ("INCIDENT", "CREATED") => {
                self.incidents.insert(value.process_instance_key, value.error_message);
            }
            ("PROCESS_INSTANCE", "ELEMENT_COMPLETED") if value.bpmn_element_type == "PROCESS" => {
                self.completed.insert(key);
            }
            _ => {}
        }
    }

    /// How many jobs the engine made.
    pub(super) fn jobs(&self) -> usize {
        self.jobs.len()
    }

    /// Whether an instance has come to its end.
    pub(super) fn is_completed(&self, instance: i64) -> bool {
        self.completed.contains(&instance)
    }

    /// The message of the incident of an instance.
    pub(super) fn incident(&self, instance: i64) -> Option<&str> {
        self.incidents.get(&instance).map(String::as_str)
    }

    /// What happened to the jobs of an instance, in its order, each with its time in milliseconds of the Unix epoch.
    pub(super) fn history(&self, instance: i64) -> String {
        self.histories.get(&instance).map(|events| events.join(", ")).unwrap_or_default()
    }

    /// Whether nothing more will happen to an instance by itself.
    pub(super) fn is_settled(&self, instance: i64) -> bool {
        self.is_completed(instance) || self.incidents.contains_key(&instance)
    }
}
