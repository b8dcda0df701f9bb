//! All jobs of the org, and how they get on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::job::{Job, State, Work, invalid_state};
use super::selection::Selection;
use super::upload::Upload;
use crate::org::error::{ApiError, ApiResult};
use crate::org::ids;
use crate::org::request::ApiRequest;
use crate::org::server::Org;

/// The most jobs of a page of the list.
const PAGE: usize = 1000;

/// The jobs, and the pace at which they are carried out.
#[derive(Debug)]
pub(crate) struct Jobs {
    pub(super) ingest: Queue<Upload>,
    pub(super) query: Queue<Selection>,
    created: AtomicU64,
    held: Mutex<bool>,
    /// How long a job waits in the queue, and how long each of its batches takes.
    pace: Duration,
    /// The most rows of a batch.
    batch: usize,
}

/// The jobs of one kind, oldest first.
#[derive(Debug)]
pub(super) struct Queue<W> {
    jobs: Mutex<Vec<Job<W>>>,
}

impl<W> Default for Queue<W> {
    fn default() -> Self {
        Self { jobs: Mutex::default() }
    }
}

impl Jobs {
    pub(crate) fn new(pace: Duration, batch: usize) -> Self {
        let (ingest, query) = (Queue::default(), Queue::default());
        Self { ingest, query, created: AtomicU64::new(0), held: Mutex::new(false), pace, batch }
    }

    /// The id of a new job, of whichever kind.
    pub(super) fn next_id(&self) -> String {
        ids::generate("750", self.created.fetch_add(1, Ordering::SeqCst) + 1)
    }

    /// When the first step of a job is due that goes into the queue now.
    pub(super) fn first_step(&self) -> Instant {
        Instant::now() + self.pace
    }

    /// Takes all steps that are due.
    pub(crate) fn catch_up(&self, org: &Org) {
        org.take_turn(false, || {
            let held = self.held();
            if !*held {
                self.ingest.catch_up(org, self.pace, self.batch);
                self.query.catch_up(org, self.pace, self.batch);
            }
        });
    }

    fn held(&self) -> MutexGuard<'_, bool> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Work> Queue<W> {
    /// Takes a job in; answers what `show` makes of it.
    pub(super) fn add<T>(&self, org: &Org, mut job: Job<W>, show: impl FnOnce(&Job<W>) -> T) -> T {
        job.id = org.bulk.next_id();
        job.due = org.bulk.first_step();
        let shown = show(&job);
        self.lock().push(job);
        shown
    }

    /// Does something with the job of an id.
    pub(super) fn with<T>(&self, id: &str, act: impl FnOnce(&mut Job<W>) -> ApiResult<T>) -> ApiResult<T> {
        let id = ids::normalize(id).ok_or_else(ApiError::resource_not_found)?;
        let mut jobs = self.lock();
        let job = jobs.iter_mut().find(|job| job.id == id);
        act(job.ok_or_else(ApiError::resource_not_found)?)
    }

    /// Puts the job of an id into another state, as its client asks; answers what `show` makes of it.
    pub(super) fn change<T>(
        &self,
        org: &Org,
        (id, state): (&str, &str),
        show: impl FnOnce(&Job<W>) -> T,
    ) -> ApiResult<T> {
        self.with(id, |job| {
            job.request(state)?;
            job.due = org.bulk.first_step();
            Ok(show(job))
        })
    }

    /// Forgets the job of an id, unless it is in one of these states.
    pub(super) fn remove(&self, id: &str, refused: &[State]) -> ApiResult<()> {
        self.with(id, |job| {
            let state = job.state.name();
            let refusal =
                || invalid_state(format!("InvalidJobState : A job in state {state} cannot be deleted"));
            if refused.contains(&job.state) { Err(refusal()) } else { Ok(()) }
        })?;
        let id = ids::normalize(id);
        self.lock().retain(|job| Some(&job.id) != id.as_ref());
        Ok(())
    }

    /// A page of the list.
    pub(super) fn list(&self, org: &Org, request: &ApiRequest) -> ApiResult<Value> {
        let kind = request.parameter("jobType");
        let jobs: Vec<Value> = if kind.is_none_or(|kind| kind == W::JOB_TYPE) {
            self.lock().iter().map(|job| Value::Object(job.in_list())).collect()
        } else {
            Vec::new()
        };
        let start = match request.parameter("queryLocator") {
            None => 0,
            Some(locator) => locator
                .parse()
                .ok()
                .filter(|start| *start < jobs.len())
                .ok_or_else(|| ApiError::bad_request("INVALID_QUERY_LOCATOR", "invalid query locator"))?,
        };
        let end = jobs.len().min(start + PAGE.min(org.page_size));
        let mut page = json!({ "done": end == jobs.len(), "records": jobs[start..end] });
        if end < jobs.len() {
            page["nextRecordsUrl"] = request.url(&format!("jobs/{}?queryLocator={end}", W::RESOURCE)).into();
        }
        Ok(page)
    }

    fn catch_up(&self, org: &Org, pace: Duration, batch: usize) {
        let now = Instant::now();
        for job in self.lock().iter_mut() {
            while job.state.is_running() && job.due <= now {
                job.step(org, batch);
                job.due += pace;
            }
        }
    }

    /// Does something with each job that runs; answers how many these are.
    fn each_running(&self, mut act: impl FnMut(&mut Job<W>)) -> usize {
        self.lock().iter_mut().filter(|job| job.state.is_running()).map(&mut act).count()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Job<W>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
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
        *self.org.bulk.held() = true;
    }

    /// Jobs get on by themselves again.
    pub fn release(self) {
        *self.org.bulk.held() = false;
    }

    /// Takes every job that runs one step on: out of the queue to `InProgress`, then a batch at a time, with the last of
    /// which it is complete; a query is one batch. Answers how many jobs that were.
    pub fn step(self) -> usize {
        let jobs = &self.org.bulk;
        self.org.take_turn(false, || {
            let ingest = jobs.ingest.each_running(|job| job.step(self.org, jobs.batch));
            ingest + jobs.query.each_running(|job| job.step(self.org, jobs.batch))
        })
    }

    /// Fails every job that runs, with this `errorMessage`; what was saved stays saved. Answers how many jobs that were.
    pub fn fail(self, message: &str) -> usize {
        let jobs = &self.org.bulk;
        jobs.ingest.each_running(|job| job.fail(message)) + jobs.query.each_running(|job| job.fail(message))
    }

    /// All jobs as a look at each of them shows it: those that take in before those that give out, the oldest first.
    pub fn list(self) -> Vec<Value> {
        let jobs = &self.org.bulk;
        jobs.catch_up(self.org);
        let mut list: Vec<Value> = jobs.ingest.lock().iter().map(|job| Value::Object(job.info())).collect();
        list.extend(jobs.query.lock().iter().map(|job| Value::Object(job.info())));
        list
    }
}

impl std::fmt::Debug for BulkJobs<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BulkJobs").finish_non_exhaustive()
    }
}
