//! The worker as a whole, on a DevGateway over real gRPC.
//!
//! docs/faults.md tells in which test each fault is met.
#![expect(clippy::unwrap_used, reason = "a test may unwrap, in its helpers too")]

mod commit;
mod connection;
mod counts;
mod faults;
mod jobs;
mod locks;
mod parking;
mod reports;
mod scope;
mod shutdown;
mod tls;
mod transport;
mod wire;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use salesforce_connector::{
    backoff::Backoff,
    metrics::Metrics,
    zeebe::{
        Failure, GatewayAuthentication, GatewayClient, GatewayOptions, Job, JobHandler, Outcome, StopSignal,
        Worker, WorkerOptions, WorkerStatus, WorkerSummary, WorkerTuning,
    },
};
use salesforce_connector_dev::gateway::{DevGateway, NewJob};
use serde_json::{Map, Value, json};
use tokio::{sync::Semaphore, task::JoinHandle, time::timeout};

use crate::support::sum;

const JOB_TYPE: &str = "test-job";

/// How a test's worker differs from the usual one.
struct Setup {
    gateway: GatewayOptions,
    options: WorkerOptions,
    tuning: WorkerTuning,
    metrics: Arc<Metrics>,
}

/// A worker that runs.
struct Running {
    status: WorkerStatus,
    stop: StopSignal,
    metrics: Arc<Metrics>,
    task: JoinHandle<WorkerSummary>,
}

/// A handler made of a closure.
struct Handler<F>(F);

impl<F, R> JobHandler for Handler<F>
where
    F: Fn(Job) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send,
{
    fn handle(&self, job: &Job) -> impl Future<Output = Outcome> + Send {
        (self.0)(job.clone())
    }
}

fn address(url: String) -> GatewayOptions {
    GatewayOptions {
        address: url,
        ca_certificate: None,
        override_authority: None,
        rest_address: None,
        authentication: GatewayAuthentication::None,
    }
}

impl Setup {
    fn of(gateway: &DevGateway) -> Self {
        Self::at(address(gateway.url()))
    }

    /// Short times, so that nothing that goes wrong takes long.
    fn at(gateway: GatewayOptions) -> Self {
        let options = WorkerOptions {
            job_type: JOB_TYPE.into(),
            name: "tester".into(),
            max_jobs_active: 8,
            job_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(2),
            fetch_variables: Vec::new(),
            tenant_ids: Vec::new(),
            assigned_tenants: false,
            with_lease: false,
            stream_enabled: true,
            shutdown_grace: Duration::from_secs(10),
        };
        let quick = Backoff::new(Duration::from_millis(5), Duration::from_millis(50), 2.0, 0.1).unwrap();
        let tuning = WorkerTuning {
            command_timeout: Duration::from_secs(5),
            stream_quiet: Duration::from_millis(40),
            poll_pause: Duration::from_millis(10),
            idle_poll_backoff: quick,
            error_backoff: quick,
            credentials_backoff: quick,
            ..WorkerTuning::default()
        };
        Self { gateway, options, tuning, metrics: Arc::default() }
    }

    fn client(&self) -> GatewayClient {
        GatewayClient::new(self.gateway.clone(), Arc::clone(&self.metrics)).unwrap()
    }

    fn run<F, R>(self, handler: F) -> Running
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future<Output = Outcome> + Send + 'static,
    {
        let (client, metrics) = (self.client(), Arc::clone(&self.metrics));
        let worker =
            Worker::new(client, Handler(handler), self.options, self.metrics).with_tuning(self.tuning);
        let (status, stop) = (worker.status(), StopSignal::default());
        let task = tokio::spawn(worker.run(stop.clone()));
        Running { status, stop, metrics, task }
    }

    async fn run_ready<F, R>(self, handler: F) -> Running
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future<Output = Outcome> + Send + 'static,
    {
        let running = self.run(handler);
        soon(running.status.ready()).await;
        running
    }
}

impl Running {
    async fn drain(self) -> WorkerSummary {
        self.stop.drain.cancel();
        self.ended().await
    }

    async fn ended(self) -> WorkerSummary {
        let summary = soon(self.task).await.unwrap();
        assert_eq!(summary.taken, summary.ended(), "{summary:?}");
        assert_counted(&summary, &self.metrics.encode_plain());
        summary
    }
}

/// The metrics say the same as the worker's own account.
fn assert_counted(summary: &WorkerSummary, page: &str) {
    let returned = summary.handed_back + summary.surplus + summary.unleased;
    for (end, jobs) in [
        ("completed", summary.completed),
        ("failed", summary.failed),
        ("thrown", summary.thrown),
        ("parked", summary.parked),
        ("returned", returned),
        ("expired", summary.expired),
        ("superseded", summary.superseded),
        ("rejected", summary.rejected),
        ("too_late", summary.too_late),
        ("abandoned", summary.abandoned),
        ("duplicate", summary.duplicates),
    ] {
        let counted = sum(page, "jobs_ended_total", &[&format!(r#"end="{end}""#)]);
        assert_eq!(u64::try_from(counted).unwrap(), jobs, "{end}: {summary:?}\n{page}");
    }
    for (reason, jobs) in
        [("shutdown", summary.handed_back), ("surplus", summary.surplus), ("unleased", summary.unleased)]
    {
        let labels = [r#"end="returned""#, &format!(r#"reason="{reason}""#)];
        assert_eq!(u64::try_from(sum(page, "jobs_ended_total", &labels)).unwrap(), jobs, "{reason}");
    }
    let permits = |which: &str| sum(page, &format!("permits_{which}"), &[]);
    // Workers that share their metrics share the gauges, and these take no jobs.
    if summary.taken > 0 {
        assert_eq!(permits("free"), permits("limit"), "a permit is lost");
    }
}

/// Fails the test instead of hanging.
async fn soon<T>(event: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), event).await.expect("should have happened within 20 seconds")
}

/// Lets this much time pass at once.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Lets everybody act who has something to do.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// For what can only be looked at, not awaited.
async fn until(holds: impl Fn() -> bool) {
    let watching = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    soon(watching).await;
}

fn new_job() -> NewJob {
    NewJob::new(JOB_TYPE)
}

#[expect(clippy::needless_pass_by_value, reason = "it reads better with a literal")]
fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

fn complete() -> Outcome {
    Outcome::Complete { variables: object(json!({ "answer": 42 })) }
}

async fn completing(_: Job) -> Outcome {
    complete()
}

fn failure(message: &str, retries: i32) -> Outcome {
    Outcome::Fail(Failure { message: message.into(), retries, ..Failure::default() })
}

/// The work of a job that waits for something.
type Held = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Jobs wait at the gate until the test opens it.
#[derive(Clone)]
struct Gate {
    arrived: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Gate {
    fn closed() -> Self {
        Self { arrived: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) }
    }

    async fn pass(&self) {
        self.arrived.add_permits(1);
        let _ = self.open.acquire().await.unwrap();
    }

    async fn arrivals(&self, jobs: u32) {
        soon(self.arrived.acquire_many(jobs)).await.unwrap().forget();
    }

    fn open(&self) {
        self.open.add_permits(Semaphore::MAX_PERMITS / 2);
    }
}
