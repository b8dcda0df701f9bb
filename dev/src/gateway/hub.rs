//! The one lock: the state machine, the streams and the parked polls, kept consistent with each other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::account::Account;
use super::auth::GatewayAuth;
use super::faults::GatewayFaults;
use super::job::JobRecord;
use super::push::Streams;
use super::settings::Settings;
use super::state::{Activation, Broker};
use super::subscription::Subscription;

/// Shared by the service, the timers and the test's handle. The lock is never held over an await.
pub(super) struct Hub {
    pub(super) settings: Settings,
    pub(super) faults: GatewayFaults,
    pub(super) auth: GatewayAuth,
    inner: Mutex<Inner>,
    account: watch::Sender<Account>,
    timers: Notify,
}

pub(super) struct Inner {
    pub(super) broker: Broker,
    pub(super) streams: Streams,
    /// One bell per job type, rung when a job enters its backlog.
    bells: HashMap<String, Arc<Notify>>,
    /// What the timer task sleeps until.
    armed: Option<Instant>,
}

impl Hub {
    pub(super) fn new(settings: Settings, auth: GatewayAuth) -> Self {
        let now = Instant::now();
        let broker = Broker::new(settings.clone(), now, jiff::Timestamp::now().as_millisecond());
        let streams = Streams::new(settings.seed, settings.stream_buffer);
        Self {
            settings,
            faults: GatewayFaults::default(),
            auth,
            inner: Mutex::new(Inner { broker, streams, bells: HashMap::new(), armed: None }),
            account: watch::Sender::new(Account::default()),
            timers: Notify::new(),
        }
    }

    /// Does something to the state, then lets everybody know who has to know.
    pub(super) fn apply<T>(&self, work: impl FnOnce(&mut Inner, Instant) -> T) -> T {
        let mut inner = self.lock();
        let now = Instant::now();
        // What is due comes before what is asked, however late the timer's task gets its turn.
        inner.broker.fire(now);
        let result = work(&mut inner, now);
        inner.distribute(&self.faults, now);
        self.publish(&mut inner);
        result
    }

    /// Looks at the state.
    pub(super) fn read<T>(&self, look: impl FnOnce(&Broker) -> T) -> T {
        look(&self.lock().broker)
    }

    pub(super) fn record(&self, key: i64) -> Option<JobRecord> {
        self.read(|broker| broker.jobs.get(&key).map(|job| job.record.clone()))
    }

    /// The job as soon as this is true of it; `None`: there is no such job.
    pub(super) async fn record_when(
        &self,
        key: i64,
        predicate: impl Fn(&JobRecord) -> bool,
    ) -> Option<JobRecord> {
        let mut changes = self.account.subscribe();
        loop {
            changes.mark_unchanged();
            let now = self.read(|broker| {
                let record = &broker.jobs.get(&key)?.record;
                Some(predicate(record).then(|| record.clone()))
            })?;
            match now {
                Some(record) => return Some(record),
                None => changes.changed().await.expect("this hub holds the sender"),
            }
        }
    }

    /// Sees each change of the account, though not each of several that follow one another closely.
    pub(super) fn watch(&self) -> watch::Receiver<Account> {
        self.account.subscribe()
    }

    pub(super) fn bell(&self, job_type: &str) -> Arc<Notify> {
        let mut inner = self.lock();
        Arc::clone(inner.bells.entry(job_type.to_owned()).or_default())
    }

    /// Activates jobs for a poll, each doubled where a fault says so.
    pub(super) fn activate_batch(&self, wanted: &Subscription, most: usize) -> Vec<Activation> {
        let batch = self.apply(|inner, now| inner.broker.activate_batch(wanted, most, now));
        let mut doubled = Vec::with_capacity(batch.len());
        for job in batch {
            let copy = self.faults.take_duplicate().then(|| job.copy());
            doubled.push(job);
            doubled.extend(copy);
        }
        doubled
    }

    pub(super) fn give_back(&self, jobs: impl IntoIterator<Item = Activation>) {
        self.apply(|inner, now| inner.give_back(jobs, now));
    }

    /// Ends locks and backoffs on time, until told to stop.
    pub(super) async fn run_timers(self: Arc<Self>, stop: CancellationToken) {
        loop {
            let next = self.lock().arm();
            let due = async {
                match next {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.timers.notified() => {}
                () = due => self.apply(|_, _| ()),
            }
        }
    }

    fn publish(&self, inner: &mut Inner) {
        let account = inner.broker.account;
        self.account.send_if_modified(|seen| {
            let changed = *seen != account;
            *seen = account;
            changed
        });
        let earlier = match (inner.broker.next_due(), inner.armed) {
            (Some(due), Some(armed)) => due < armed,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if earlier {
            self.timers.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn arm(&mut self) -> Option<Instant> {
        self.armed = self.broker.next_due();
        self.armed
    }

    /// Offers each job that has just become activatable to the streams; what they do not take stays in the
    /// backlog, where only a poll finds it.
    fn distribute(&mut self, faults: &GatewayFaults, now: Instant) {
        for key in self.broker.take_fresh() {
            if !self.streams.push(&mut self.broker, key, (faults, now))
                && let Some(job) = self.broker.jobs.get(&key)
                && let Some(bell) = self.bells.get(&job.record.job_type)
            {
                bell.notify_waiters();
            }
        }
    }

    pub(super) fn give_back(&mut self, jobs: impl IntoIterator<Item = Activation>, now: Instant) {
        for job in jobs {
            if let Some(number) = job.number {
                self.broker.give_back(job.message.key, number, now);
            }
        }
    }
}
