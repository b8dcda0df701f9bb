//! The state machine of jobs: pure, no I/O, time is handed in.
//!
//! ```text
//!            create                 activate                 complete
//!   ────────────────▶ Activatable ────────────▶ Activated ──────────────▶ Completed
//!                       ▲  ▲   ▲                 │ │ │ └───── throw ────▶ ErrorThrown
//!                       │  │   └── lock expired ─┘ │ └─ fail, retries 0 ▶ Incident
//!                       │  └─ backoff over ─ BackingOff ◀─ fail ─┘             │
//!                       └──────────────────── resolve ─────────────────────────┘
//! ```
//!
//! A job whose lock ran out can still be completed, failed and ended by its first holder, as on the real
//! engine; so commands ask for "not finished", never for "activated by you".

use std::collections::{BTreeMap, BTreeSet, HashMap};

use prost::Message;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::account::Account;
use super::backlog::{Backlog, Place};
use super::clock::Clock;
use super::job::{Delivery, JobEvent, JobEventKind, JobRecord, JobState, NewJob};
use super::proto::ActivatedJob;
use super::settings::Settings;
use super::subscription::Subscription;

/// Keys carry their partition in the upper bits; this gateway has one.
pub(super) const PARTITION: i64 = 1;
pub(super) const PARTITION_SHIFT: u32 = 51;

/// All jobs, and what is known about them.
pub(super) struct Broker {
    pub(super) settings: Settings,
    pub(super) account: Account,
    pub(super) jobs: BTreeMap<i64, Job>,
    pub(super) by_element: HashMap<i64, i64>,
    pub(super) by_incident: HashMap<i64, i64>,
    backlog: Backlog,
    /// Ends of locks and of backoffs: each job has one at most.
    due: BTreeSet<(Instant, i64)>,
    /// Jobs that became activatable and were not offered to a stream yet.
    fresh: Vec<i64>,
    next_key: i64,
    clock: Clock,
}

/// A job and what only the gateway knows about it.
pub(super) struct Job {
    pub(super) record: JobRecord,
    pub(super) created: NewJob,
    due: Option<Instant>,
    /// Counts activations: an old one cannot be given back any more.
    activation: u32,
}

/// A job on its way to a worker.
#[derive(Debug)]
pub(super) struct Activation {
    pub(super) message: ActivatedJob,
    /// Which activation this is; `None` for a copy, which nobody may give back.
    pub(super) number: Option<u32>,
}

/// Why a job does not go into a message.
enum Misfit {
    NoRoomLeft,
    TooLarge,
}

impl Broker {
    /// `epoch_millis` is the wall clock at `now`.
    pub(super) fn new(settings: Settings, now: Instant, epoch_millis: i64) -> Self {
        Self {
            settings,
            account: Account::default(),
            jobs: BTreeMap::new(),
            by_element: HashMap::new(),
            by_incident: HashMap::new(),
            backlog: Backlog::default(),
            due: BTreeSet::new(),
            fresh: Vec::new(),
            next_key: (PARTITION << PARTITION_SHIFT) + 1,
            clock: Clock::new(now, epoch_millis),
        }
    }

    pub(super) fn set_clock_skew(&mut self, millis: i64) {
        self.clock.skew(millis);
    }

    pub(super) fn new_key(&mut self) -> i64 {
        self.next_key += 1;
        self.next_key
    }

    pub(super) fn create(&mut self, created: NewJob, now: Instant) -> i64 {
        let process_instance_key = created.process_instance_key.unwrap_or_else(|| self.new_key());
        let element_instance_key = self.new_key();
        let key = self.new_key();
        let record = JobRecord {
            key,
            job_type: created.job_type.clone(),
            element_id: created.element_id.clone(),
            element_instance_key,
            process_instance_key,
            tenant: created.tenant.clone(),
            state: JobState::Activatable,
            retries: created.retries,
            variables: created.variables.clone(),
            local_variables: Map::new(),
            result: None,
            error_message: None,
            error_code: None,
            backoff: None,
            worker: None,
            lease: None,
            incident_key: None,
            history: Vec::new(),
        };
        self.by_element.insert(element_instance_key, key);
        self.jobs.insert(key, Job { record, created, due: None, activation: 0 });
        self.account.created += 1;
        self.account.activatable += 1;
        self.note(key, JobEventKind::Created, now);
        self.offer(key);
        key
    }

    /// Jobs that became activatable since the last call.
    pub(super) fn take_fresh(&mut self) -> Vec<i64> {
        std::mem::take(&mut self.fresh)
    }

    /// As many jobs as asked for, as there are, and as fit into one message.
    pub(super) fn activate_batch(
        &mut self,
        wanted: &Subscription,
        most: usize,
        now: Instant,
    ) -> Vec<Activation> {
        let mut batch = Vec::new();
        let mut room = self.settings.largest_message;
        while batch.len() < most
            && let Some(key) = self.backlog.first_for(wanted)
        {
            match self.fit(key, wanted, room, now) {
                Ok(message) => {
                    // Tag and length of the repeated field come on top of the message itself.
                    room = room.saturating_sub(message.encoded_len() + 8);
                    batch.push(self.activate(message, wanted, Delivery::Poll, now));
                }
                Err(Misfit::NoRoomLeft) => break,
                Err(Misfit::TooLarge) => self.raise_message_too_large(key, now),
            }
        }
        batch
    }

    /// This job for a stream; `None` if it is not activatable or too large (which raises an incident).
    pub(super) fn activate_for_push(
        &mut self,
        key: i64,
        wanted: &Subscription,
        now: Instant,
    ) -> Option<Activation> {
        if self.jobs.get(&key)?.record.state != JobState::Activatable {
            return None;
        }
        if let Ok(message) = self.fit(key, wanted, self.settings.largest_message, now) {
            Some(self.activate(message, wanted, Delivery::Push, now))
        } else {
            self.raise_message_too_large(key, now);
            None
        }
    }

    fn fit(
        &self,
        key: i64,
        wanted: &Subscription,
        room: usize,
        now: Instant,
    ) -> Result<ActivatedJob, Misfit> {
        let message = self.message(key, wanted, now);
        match message.encoded_len() + 8 {
            size if size <= room => Ok(message),
            size if size <= self.settings.largest_message => Err(Misfit::NoRoomLeft),
            _ => Err(Misfit::TooLarge),
        }
    }

    fn activate(
        &mut self,
        message: ActivatedJob,
        wanted: &Subscription,
        by: Delivery,
        now: Instant,
    ) -> Activation {
        let key = message.key;
        self.change(key, JobState::Activated);
        self.schedule(key, Some(now + wanted.timeout));
        let job = self.jobs.get_mut(&key).expect("the message was made from it");
        job.activation += 1;
        job.record.worker = Some(wanted.worker.clone());
        if message.job_lease_token.is_some() {
            job.record.lease.clone_from(&message.job_lease_token);
        }
        let number = Some(job.activation);
        self.note(key, JobEventKind::Activated { by, timeout: wanted.timeout }, now);
        self.account.activated += 1;
        match by {
            Delivery::Push => self.account.pushed += 1,
            Delivery::Poll => self.account.polled += 1,
        }
        Activation { message, number }
    }

    fn message(&self, key: i64, wanted: &Subscription, now: Instant) -> ActivatedJob {
        let Job { record, created, activation, .. } = &self.jobs[&key];
        let (since_8_8, since_8_10) = (self.settings.at_least(8), self.settings.at_least(10));
        let lease = || format!("{key:x}-{}-{:016x}", activation + 1, fastrand::u64(..));
        ActivatedJob {
            key,
            r#type: record.job_type.clone(),
            process_instance_key: record.process_instance_key,
            bpmn_process_id: created.bpmn_process_id.clone(),
            process_definition_version: created.process_definition_version,
            process_definition_key: PARTITION << PARTITION_SHIFT,
            element_id: record.element_id.clone(),
            element_instance_key: record.element_instance_key,
            custom_headers: text_or(created.headers_text.as_ref(), || json(&created.headers)),
            worker: wanted.worker.clone(),
            retries: record.retries,
            deadline: self.clock.millis(now + wanted.timeout),
            variables: text_or(created.variables_text.as_ref(), || visible(record, &wanted.fetch)),
            tenant_id: record.tenant.clone(),
            kind: if since_8_8 { created.kind as i32 } else { 0 },
            tags: if since_8_8 { created.tags.clone() } else { Vec::new() },
            priority: if since_8_10 { created.priority } else { 0 },
            business_id: if since_8_10 { created.business_id.clone() } else { String::new() },
            job_lease_token: wanted.with_lease.then(lease),
            physical_tenant_id: if since_8_10 { "default".into() } else { String::new() },
        }
    }

    /// Takes an activation back whose message did not reach the worker: retries unchanged.
    pub(super) fn give_back(&mut self, key: i64, number: u32, now: Instant) {
        let current = self
            .jobs
            .get(&key)
            .is_some_and(|job| job.activation == number && job.record.state == JobState::Activated);
        if current {
            self.note(key, JobEventKind::GivenBack, now);
            self.account.given_back += 1;
            self.make_activatable(key);
        }
    }

    /// When [`Broker::fire`] has something to do next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Ends the locks and backoffs whose time has come.
    pub(super) fn fire(&mut self, now: Instant) {
        while let Some((at, key)) = self.due.first().copied()
            && at <= now
        {
            let state = self.jobs[&key].record.state;
            if state == JobState::Activated {
                self.account.expired_locks += 1;
                self.note(key, JobEventKind::LockExpired, now);
            } else {
                self.note(key, JobEventKind::BackoffOver, now);
            }
            self.make_activatable(key);
        }
    }

    pub(super) fn make_activatable(&mut self, key: i64) {
        self.schedule(key, None);
        self.change(key, JobState::Activatable);
        self.offer(key);
    }

    fn offer(&mut self, key: i64) {
        self.backlog.insert(&place(&self.jobs[&key]));
        self.fresh.push(key);
    }

    /// Moves a job to a state that is not `Activatable` or comes before [`Broker::offer`].
    pub(super) fn change(&mut self, key: i64, state: JobState) {
        let Some(job) = self.jobs.get_mut(&key) else { return };
        if job.record.state == JobState::Activatable {
            self.backlog.remove(&place(job));
        }
        *self.account.gauge(job.record.state) -= 1;
        *self.account.gauge(state) += 1;
        job.record.state = state;
    }

    /// Sets or clears the one timer of a job.
    pub(super) fn schedule(&mut self, key: i64, at: Option<Instant>) {
        let Some(job) = self.jobs.get_mut(&key) else { return };
        if let Some(old) = job.due.take() {
            self.due.remove(&(old, key));
        }
        if let Some(at) = at {
            self.due.insert((at, key));
        }
        job.due = at;
    }

    pub(super) fn raise_incident(&mut self, key: i64, now: Instant) {
        let incident = self.new_key();
        self.by_incident.insert(incident, key);
        self.account.incidents += 1;
        if let Some(job) = self.jobs.get_mut(&key) {
            job.record.incident_key = Some(incident);
        }
        self.note(key, JobEventKind::IncidentRaised, now);
    }

    fn raise_message_too_large(&mut self, key: i64, now: Instant) {
        let text = format!(
            "The job with key '{key}' can not be activated because it is larger than the configured message \
             size (4 MB). Try to reduce the size by reducing the number of fetched variables or modifying the \
             variable values."
        );
        self.change(key, JobState::Incident);
        self.schedule(key, None);
        if let Some(job) = self.jobs.get_mut(&key) {
            job.record.error_message = Some(text);
        }
        self.raise_incident(key, now);
    }

    pub(super) fn note(&mut self, key: i64, kind: JobEventKind, at: Instant) {
        if let Some(job) = self.jobs.get_mut(&key) {
            let worker = job.record.worker.clone();
            job.record.history.push(JobEvent { at, worker, kind });
        }
    }
}

impl Account {
    fn gauge(&mut self, state: JobState) -> &mut usize {
        match state {
            JobState::Activatable => &mut self.activatable,
            JobState::Activated => &mut self.activated_now,
            JobState::BackingOff => &mut self.backing_off,
            JobState::Incident => &mut self.incidents_now,
            JobState::Completed => &mut self.completed_now,
            JobState::ErrorThrown => &mut self.thrown_now,
        }
    }
}

fn place(job: &Job) -> Place<'_> {
    Place {
        job_type: &job.record.job_type,
        tenant: &job.record.tenant,
        leased: job.record.lease.is_some(),
        priority: job.created.priority,
        key: job.record.key,
    }
}

fn text_or(fixed: Option<&String>, text: impl FnOnce() -> String) -> String {
    fixed.cloned().unwrap_or_else(text)
}

/// What the job sees: its own scope before that of the process, only the names asked for.
fn visible(record: &JobRecord, fetch: &[String]) -> String {
    let mut all = record.variables.clone();
    all.extend(record.local_variables.clone());
    if !fetch.is_empty() {
        all.retain(|name, _| fetch.contains(name));
    }
    json(&all)
}

fn json(map: &Map<String, Value>) -> String {
    serde_json::to_string(map).expect("a map of strings to values is always valid JSON")
}

#[cfg(test)]
mod tests;
