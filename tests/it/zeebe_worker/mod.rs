//! The worker as a whole, on a DevGateway over real gRPC.
#![expect(clippy::unwrap_used, reason = "a test may unwrap, in its helpers too")]

mod commit;
mod connection;
mod jobs;
mod locks;
mod parking;
mod reports;
mod scope;
mod shutdown;
mod tls;

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
            stream_enabled: true,
            shutdown_grace: Duration::from_secs(10),
        };
        let quick = Backoff::new(Duration::from_millis(5), Duration::from_millis(50), 2.0, 0.1).unwrap();
        let tuning = WorkerTuning {
            command_timeout: Duration::from_secs(5),
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
        let worker =
            Worker::new(self.client(), Handler(handler), self.options, self.metrics).with_tuning(self.tuning);
        let (status, stop) = (worker.status(), StopSignal::default());
        let task = tokio::spawn(worker.run(stop.clone()));
        Running { status, stop, task }
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
        summary
    }
}

/// Fails the test instead of hanging.
async fn soon<T>(event: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), event).await.expect("should have happened within 20 seconds")
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
