//! All jobs of the org, and how they get on.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::job::{Job, State};
use crate::org::error::{ApiError, ApiResult};
use crate::org::ids;
use crate::org::server::Org;

/// The jobs, and the pace at which they are carried out.
#[derive(Debug)]
pub(crate) struct Jobs {
    queue: Mutex<Queue>,
    /// How long a job waits in the queue, and how long each of its batches takes.
    pace: Duration,
    /// The most rows of a batch.
    batch: usize,
}

#[derive(Debug, Default)]
struct Queue {
    created: u64,
    jobs: Vec<Job>,
    is_held: bool,
}

impl Jobs {
    pub(crate) fn new(pace: Duration, batch: usize) -> Self {
        Self { queue: Mutex::default(), pace, batch }
    }

    /// Takes a job in; answers what `show` makes of it.
    pub(super) fn add<T>(&self, make: impl FnOnce(String) -> Job, show: impl FnOnce(&Job) -> T) -> T {
        let mut queue = self.lock();
        queue.created += 1;
        let id = ids::generate("750", queue.created);
        queue.jobs.push(make(id));
        show(queue.jobs.last().expect("a job was added"))
    }

    /// Does something with the job of an id.
    pub(super) fn with<T>(&self, id: &str, act: impl FnOnce(&mut Job) -> ApiResult<T>) -> ApiResult<T> {
        let id = ids::normalize(id).ok_or_else(ApiError::resource_not_found)?;
        let mut queue = self.lock();
        let job = queue.jobs.iter_mut().find(|job| job.id == id);
        act(job.ok_or_else(ApiError::resource_not_found)?)
    }

    /// Forgets the job of an id, if `may` allows it.
    pub(super) fn remove(&self, id: &str, may: impl FnOnce(&Job) -> ApiResult<()>) -> ApiResult<()> {
        self.with(id, |job| may(job))?;
        let id = ids::normalize(id);
        self.lock().jobs.retain(|job| Some(&job.id) != id.as_ref());
        Ok(())
    }

    /// What `show` makes of the jobs, oldest first.
    pub(super) fn list<T>(&self, show: impl FnMut(&Job) -> T) -> Vec<T> {
        self.lock().jobs.iter().map(show).collect()
    }

    /// When the first step of a job that is closed now is due.
    pub(super) fn first_step(&self) -> Instant {
        Instant::now() + self.pace
    }

    /// Takes all steps that are due.
    pub(crate) fn catch_up(&self, org: &Org) {
        let mut queue = self.lock();
        if queue.is_held {
            return;
        }
        let now = Instant::now();
        for job in &mut queue.jobs {
            while job.state.is_running() && job.due <= now {
                step(job, org, self.batch);
                job.due += self.pace;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One step: out of the queue, or one batch.
fn step(job: &mut Job, org: &Org, batch: usize) {
    let done = match job.state {
        State::UploadComplete => job.upload.begin(&org.read(), job.dialect).map(|()| false),
        State::InProgress => job.upload.batch(&mut org.write(), job.dialect, batch),
        _ => return,
    };
    match done {
        Err(message) => job.fail(message),
        Ok(done) => job.enter(if done { State::JobComplete } else { State::InProgress }),
    }
}

/// The bulk jobs of an org, for tests that decide when these get on.
#[derive(Clone, Copy)]
pub struct BulkJobs<'a> {
    pub(crate) org: &'a Org,
}

impl BulkJobs<'_> {
    /// From now on jobs get on only by [`BulkJobs::step`].
    pub fn hold(self) {
        self.org.bulk.lock().is_held = true;
    }

    /// Jobs get on by themselves again.
    pub fn release(self) {
        self.org.bulk.lock().is_held = false;
    }

    /// Takes every job that runs one step on: out of the queue to `InProgress`, then a batch at a time, with the last of
    /// which it is complete. Answers how many jobs that were.
    pub fn step(self) -> usize {
        let jobs = &self.org.bulk;
        let mut queue = jobs.lock();
        let running = queue.jobs.iter_mut().filter(|job| job.state.is_running());
        running.map(|job| step(job, self.org, jobs.batch)).count()
    }

    /// Fails every job that runs, with this `errorMessage`; what was saved stays saved. Answers how many jobs that were.
    pub fn fail(self, message: &str) -> usize {
        let mut queue = self.org.bulk.lock();
        let running = queue.jobs.iter_mut().filter(|job| job.state.is_running());
        running.map(|job| job.fail(message)).count()
    }

    /// All jobs as a look at each of them shows it, oldest first.
    pub fn list(self) -> Vec<Value> {
        self.org.bulk.catch_up(self.org);
        self.org.bulk.list(|job| Value::Object(job.info()))
    }
}

impl std::fmt::Debug for BulkJobs<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BulkJobs").finish_non_exhaustive()
    }
}
