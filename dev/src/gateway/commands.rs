//! The commands of workers and of the test on jobs that exist: second half of the state machine.

use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;
use tonic::{Code, Status};

use super::job::{JobEventKind, JobState};
use super::rejection::{Command, Kind, Rejection};
use super::state::{Broker, PARTITION, PARTITION_SHIFT};

/// Variables above this do not fit into the broker's log.
pub(super) const MAX_VARIABLES: usize = 2 * 1024 * 1024;

/// Whom a command is for: the job, and the lease that the sender holds.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) key: i64,
    pub(super) lease: Option<String>,
}

/// Variables of a command with the size that they had on the wire.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables {
    pub(super) map: Map<String, Value>,
    pub(super) bytes: usize,
}

/// What FailJob says.
#[derive(Debug, Clone, Default)]
pub(super) struct Failure {
    pub(super) retries: i32,
    pub(super) message: String,
    pub(super) backoff: Duration,
    pub(super) variables: Variables,
}

/// What ThrowError says.
#[derive(Debug, Clone, Default)]
pub(super) struct BpmnError {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) variables: Variables,
}

impl Broker {
    pub(super) fn complete(
        &mut self,
        target: &Target,
        variables: Variables,
        now: Instant,
    ) -> Result<(), Status> {
        self.admit(Command::Complete, target, variables.bytes, now)?;
        self.finish(target.key, JobState::Completed);
        self.account.completed += 1;
        let record = &mut self.job(target.key).record;
        record.result = Some(variables.map);
        self.note(target.key, JobEventKind::Completed, now);
        Ok(())
    }

    pub(super) fn fail(&mut self, target: &Target, failure: Failure, now: Instant) -> Result<(), Status> {
        self.admit(Command::Fail, target, failure.variables.bytes, now)?;
        let Failure { retries, message, backoff, variables } = failure;
        let key = target.key;
        let record = &mut self.job(key).record;
        let unchanged = record.retries == retries;
        record.retries = retries.max(0);
        record.error_message = Some(message.clone());
        record.backoff = Some(backoff);
        record.local_variables.extend(variables.map);
        self.account.failed += 1;
        self.account.returned_unchanged += usize::from(unchanged);
        self.note(key, JobEventKind::Failed { retries, backoff, message }, now);
        if retries <= 0 {
            self.finish(key, JobState::Incident);
            self.raise_incident(key, now);
        } else if backoff.is_zero() {
            self.make_activatable(key);
        } else {
            self.change(key, JobState::BackingOff);
            self.schedule(key, Some(now + backoff));
        }
        Ok(())
    }

    pub(super) fn throw(&mut self, target: &Target, error: BpmnError, now: Instant) -> Result<(), Status> {
        self.admit(Command::ThrowError, target, error.variables.bytes, now)?;
        let key = target.key;
        self.finish(key, JobState::ErrorThrown);
        self.account.thrown += 1;
        let job = self.job(key);
        job.record.error_code = Some(error.code.clone());
        job.record.error_message = Some(error.message);
        job.record.result = Some(error.variables.map);
        let caught = job.created.errors_are_caught;
        self.note(key, JobEventKind::ErrorThrown { code: error.code }, now);
        if !caught {
            self.raise_incident(key, now);
        }
        Ok(())
    }

    pub(super) fn update_timeout(
        &mut self,
        target: &Target,
        timeout: Duration,
        now: Instant,
    ) -> Result<(), Status> {
        self.admit(Command::UpdateTimeout, target, 0, now)?;
        self.schedule(target.key, Some(now + timeout));
        self.account.timeout_updates += 1;
        self.note(target.key, JobEventKind::TimeoutUpdated { timeout }, now);
        Ok(())
    }

    pub(super) fn update_retries(
        &mut self,
        target: &Target,
        retries: i32,
        now: Instant,
    ) -> Result<(), Status> {
        let command = Command::UpdateRetries;
        self.admit(command, target, 0, now)?;
        if retries < 1 {
            let text = "with a positive amount of retries, but the amount given was";
            let reason = format!("{}{text} '{retries}'", command.expected(target.key).replace(", ", " "));
            return Err(self.refuse(target.key, rejection(command, Kind::InvalidArgument, reason), now));
        }
        self.job(target.key).record.retries = retries;
        self.note(target.key, JobEventKind::RetriesUpdated { retries }, now);
        Ok(())
    }

    /// Sets variables in the scope of an element instance, or in that of its process.
    pub(super) fn set_variables(
        &mut self,
        element: i64,
        variables: Variables,
        local: bool,
        now: Instant,
    ) -> Result<i64, Status> {
        let open = |key: &i64| !gone(self.jobs[key].record.state, self.jobs[key].record.incident_key);
        let Some(key) = self.by_element.get(&element).copied().filter(open) else {
            let reason = format!(
                "Expected to update variables for element with key '{element}', but no such element was found"
            );
            return Err(Rejection { command: "UPDATE", kind: Kind::NotFound, reason }.into());
        };
        if variables.bytes > MAX_VARIABLES {
            return Err(too_large("UPDATE", variables.bytes).into());
        }
        let record = &mut self.job(key).record;
        for (name, value) in variables.map {
            let own = local || record.local_variables.contains_key(&name);
            let scope = if own { &mut record.local_variables } else { &mut record.variables };
            scope.insert(name, value);
        }
        self.note(key, JobEventKind::VariablesSet { local }, now);
        Ok(self.new_key())
    }

    pub(super) fn resolve(&mut self, incident: i64, now: Instant) -> Result<(), Status> {
        let reject = |kind, why: &str| {
            let reason = format!("Expected to resolve incident with key '{incident}', but {why}");
            Status::from(Rejection { command: "RESOLVE", kind, reason })
        };
        let Some(key) = self.by_incident.get(&incident).copied() else {
            return Err(reject(Kind::NotFound, "no such incident was found"));
        };
        if self.job(key).record.retries < 1 {
            return Err(reject(Kind::InvalidState, "its job has no retries left"));
        }
        self.by_incident.remove(&incident);
        let record = &mut self.job(key).record;
        record.incident_key = None;
        record.error_code = None;
        record.result = None;
        self.note(key, JobEventKind::IncidentResolved, now);
        self.make_activatable(key);
        Ok(())
    }

    /// Everything that can speak against a command, in the engine's order.
    fn admit(&mut self, command: Command, target: &Target, bytes: usize, now: Instant) -> Result<(), Status> {
        let key = target.key;
        if key >> PARTITION_SHIFT != PARTITION {
            return Err(Status::unavailable(format!(
                "Expected to send the request to partition {}, which the key '{key}' names, but there is no \
                 such partition",
                key >> PARTITION_SHIFT
            )));
        }
        let verdict =
            self.check_state(command, key).and_then(|()| self.check_lease(command, target)).and_then(|()| {
                if bytes > MAX_VARIABLES { Err(too_large(command.name(), bytes)) } else { Ok(()) }
            });
        verdict.map_err(|rejection| self.refuse(key, rejection, now))
    }

    fn check_state(&self, command: Command, key: i64) -> Result<(), Rejection> {
        let expected = command.expected(key);
        let reject = |kind, why: &str| Err(rejection(command, kind, format!("{expected}{why}")));
        let record = self.jobs.get(&key).map(|job| &job.record);
        let Some(record) = record.filter(|record| !gone(record.state, record.incident_key)) else {
            return reject(Kind::NotFound, "but no such job was found");
        };
        match (command, record.state) {
            (Command::UpdateRetries, _) | (Command::UpdateTimeout, JobState::Activated) => Ok(()),
            (Command::UpdateTimeout, _) => reject(Kind::InvalidState, "but it is not active"),
            (_, JobState::BackingOff | JobState::Incident) => {
                reject(Kind::InvalidState, "but it is in state 'FAILED'")
            }
            (_, JobState::ErrorThrown) => reject(Kind::InvalidState, "but it is in state 'ERROR_THROWN'"),
            (_, JobState::Activatable | JobState::Activated | JobState::Completed) => Ok(()),
        }
    }

    fn check_lease(&self, command: Command, target: &Target) -> Result<(), Rejection> {
        let own = self.jobs.get(&target.key).and_then(|job| job.record.lease.as_ref());
        let optional = matches!(command, Command::UpdateTimeout | Command::UpdateRetries);
        let why = match (own, &target.lease) {
            (None, None) => return Ok(()),
            (Some(own), Some(sent)) if own == sent => return Ok(()),
            (Some(_), None) if optional => return Ok(()),
            (_, Some(_)) if !self.settings.leases() => return Ok(()),
            (Some(_), None) => "but the job is leased and the command carries no lease",
            (Some(_), Some(_)) => "but the lease of the command was superseded",
            (None, Some(_)) => "but the command carries a lease and the job was never leased",
        };
        Err(rejection(command, Kind::InvalidState, format!("{}{why}", command.expected(target.key))))
    }

    fn refuse(&mut self, key: i64, rejection: Rejection, now: Instant) -> Status {
        self.account.refused += 1;
        let completed = self.jobs.get(&key).is_some_and(|job| job.record.state == JobState::Completed);
        if completed && rejection.command == Command::Complete.name() {
            self.account.double_completions_refused += 1;
        }
        let refused = JobEventKind::Refused { command: rejection.command, code: rejection.code() };
        self.note(key, refused, now);
        rejection.into()
    }

    fn finish(&mut self, key: i64, state: JobState) {
        self.schedule(key, None);
        self.change(key, state);
    }

    fn job(&mut self, key: i64) -> &mut super::state::Job {
        self.jobs.get_mut(&key).expect("looked up under the same lock")
    }
}

/// Whether the engine has forgotten the job: completed, or ended by an error that was caught.
fn gone(state: JobState, incident: Option<i64>) -> bool {
    state == JobState::Completed || (state == JobState::ErrorThrown && incident.is_none())
}

fn rejection(command: Command, kind: Kind, reason: String) -> Rejection {
    Rejection { command: command.name(), kind, reason }
}

fn too_large(command: &'static str, bytes: usize) -> Rejection {
    let reason = format!(
        "Expected to write the variables to the log, but {bytes} bytes are more than the {MAX_VARIABLES} that fit"
    );
    Rejection { command, kind: Kind::ExceededBatchRecordSize, reason }
}

impl Variables {
    /// Parses the text of a request; an empty one is an empty object.
    pub(super) fn parse(text: &str) -> Result<Self, Status> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let invalid = |why: String| {
            Status::new(Code::InvalidArgument, format!("Property 'variables' is invalid: {why}"))
        };
        let found = match serde_json::from_str(text) {
            Ok(Value::Object(map)) => return Ok(Self { map, bytes: text.len() }),
            Ok(Value::Null) => "NIL",
            Ok(Value::Bool(_)) => "BOOLEAN",
            Ok(Value::Number(_)) => "NUMBER",
            Ok(Value::String(_)) => "STRING",
            Ok(Value::Array(_)) => "ARRAY",
            Err(error) => return Err(invalid(format!("Expected a JSON object, but found no JSON: {error}"))),
        };
        Err(invalid(format!("Expected document to be a root level object, but was '{found}'")))
    }
}
