//! The east wing alone on a real engine: the library's [`Worker`], with handlers of the tests' own.

use std::{
    future::{Future, pending},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use salesforce_connector::zeebe::{
    Failure, GatewayAuthentication, GatewayClient, GatewayOptions, Job, JobHandler, Outcome, StopSignal,
    Worker, WorkerOptions, WorkerSummary,
};
use serde_json::{Map, Value, json};
use tokio::{sync::Semaphore, task::JoinHandle, time::timeout};

use crate::{House, ServiceTask};

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

/// A worker within the test's own process.
struct Running {
    stop: StopSignal,
    task: JoinHandle<WorkerSummary>,
}

impl Running {
    /// A worker that has reached the gateway; its locks outlast what an engine on a busy machine takes.
    async fn start<F, R>(house: &House, stream_enabled: bool, handler: F) -> Self
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future<Output = Outcome> + Send + 'static,
    {
        Self::with_lock(Duration::from_mins(1), house, stream_enabled, handler).await
    }

    async fn with_lock<F, R>(lock: Duration, house: &House, stream_enabled: bool, handler: F) -> Self
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future<Output = Outcome> + Send + 'static,
    {
        let gateway = GatewayOptions {
            address: house.address().to_owned(),
            ca_certificate: None,
            override_authority: None,
            authentication: GatewayAuthentication::None,
        };
        let options = WorkerOptions {
            job_type: house.job_type.clone(),
            name: "tester".into(),
            max_jobs_active: 8,
            job_timeout: lock,
            request_timeout: Duration::from_secs(5),
            fetch_variables: Vec::new(),
            tenant_ids: Vec::new(),
            assigned_tenants: false,
            with_lease: false,
            stream_enabled,
            shutdown_grace: Duration::from_millis(100),
        };
        let client = GatewayClient::new(gateway, Arc::default()).expect("the options are valid");
        let worker = Worker::new(client, Handler(handler), options, Arc::default());
        let (stop, status) = (StopSignal::default(), worker.status());
        let task = tokio::spawn(worker.run(stop.clone()));
        soon(status.ready()).await;
        Self { stop, task }
    }

    async fn drain(self) -> WorkerSummary {
        self.stop.drain.cancel();
        let summary = soon(self.task).await.expect("the worker does not panic");
        assert_eq!(summary.taken, summary.ended(), "{summary:?}");
        summary
    }
}

async fn soon<T>(event: impl Future<Output = T>) -> T {
    timeout(Duration::from_mins(1), event).await.expect("should have happened within a minute")
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

fn complete(variables: &Value) -> Outcome {
    Outcome::Complete { variables: object(variables) }
}

#[tokio::test]
async fn jobs_come_by_stream_and_by_poll_and_are_completed() {
    for (stream_enabled, name) in [(true, "by-stream"), (false, "by-poll")] {
        let mut house = House::open(name).await;
        house.deploy(&ServiceTask::bare()).await;
        let mut waiting = Vec::new();
        for _ in 0..20 {
            waiting.push(house.create(&json!({})).await);
        }
        let answer = |job: Job| async move { complete(&json!({ "sum": job.variables.get("n") })) };
        let worker = Running::start(&house, stream_enabled, answer).await;
        for n in 0..20 {
            assert_eq!(house.run(json!({ "n": n })).await["sum"], n);
        }
        house.records.completed(&waiting).await;
        let summary = worker.drain().await;
        assert_eq!((summary.completed, summary.taken), (40, 40));
    }
}

#[tokio::test]
async fn a_job_is_handed_back_at_the_stop_and_taken_by_the_next_worker() {
    let mut house = House::open("handed-back").await;
    house.deploy(&ServiceTask::bare()).await;
    let taken = Arc::new(Semaphore::new(0));
    let arrived = Arc::clone(&taken);
    let first = Running::start(&house, true, move |_| {
        arrived.add_permits(1);
        pending()
    })
    .await;
    let running = house.start(json!({}));
    soon(taken.acquire()).await.expect("it is never closed").forget();

    let summary = first.drain().await;
    assert_eq!(summary.handed_back, 1, "{summary:?}");

    let answer = |job: Job| async move { complete(&json!({ "retries": job.retries })) };
    let second = Running::start(&house, true, answer).await;
    assert_eq!(house.finish(running).await["retries"], 3);
    let summary = second.drain().await;
    assert_eq!(summary.completed, 1, "{summary:?}");
}

#[tokio::test]
async fn the_lock_is_renewed_while_the_handler_runs_and_the_header_sets_its_length() {
    for (name, task) in
        [("renewed", ServiceTask::bare()), ("job-timeout", ServiceTask::bare().header("jobTimeout", "PT2S"))]
    {
        let mut house = House::open(name).await;
        house.deploy(&task).await;
        let (runs, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let (counted, held) = (Arc::clone(&runs), Arc::clone(&gate));
        let worker = Running::with_lock(Duration::from_secs(4), &house, true, move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            let held = Arc::clone(&held);
            async move {
                held.acquire().await.expect("it is never closed").forget();
                complete(&json!({ "done": true }))
            }
        })
        .await;
        let running = house.start(json!({}));
        // Three half-lives: the lock as it was at the start has ended; the job is ours all the same.
        let job_type = house.job_type.clone();
        house.records.renewed(&job_type, 4).await;
        gate.add_permits(1);
        assert_eq!(house.finish(running).await["done"], true);
        assert_eq!(house.records.timed_out_jobs(&job_type), 0);
        assert_eq!((worker.drain().await.completed, runs.load(Ordering::SeqCst)), (1, 1));
    }
}

#[tokio::test]
async fn a_result_that_is_too_large_fails_the_job_at_once() {
    for (size, name) in [(3_000_000, "large"), (5_000_000, "larger")] {
        let mut house = House::open(name).await;
        house.deploy(&ServiceTask::bare()).await;
        let answer = move |_| async move { complete(&json!({ "text": "x".repeat(size) })) };
        let worker = Running::start(&house, true, answer).await;
        let _running = house.start(json!({}));
        let process_id = house.process_id().to_owned();
        let incident = soon(house.records.incident_in(&process_id)).await;
        let message = incident.text("errorMessage");
        assert!(message.contains("too large for the engine"), "{message}");
        let summary = worker.drain().await;
        assert_eq!((summary.failed, summary.taken), (1, 1), "{size}: {summary:?}");
    }
}

#[tokio::test]
async fn a_mark_in_the_jobs_own_scope_is_seen_at_its_next_activation_and_never_in_the_process() {
    let mut house = House::open("mark").await;
    house.deploy(&ServiceTask::bare()).await;
    let answer = |job: Job| async move {
        if let Some(mark) = job.variables.get("mark") {
            return complete(&json!({ "seen": mark }));
        }
        job.scope.set_local(&object(&json!({ "mark": { "sent": 7 } }))).await.expect("it is set");
        let failure = Failure { message: "cut".into(), retries: job.retries, ..Failure::default() };
        Outcome::Fail(failure)
    };
    let worker = Running::start(&house, true, answer).await;
    assert_eq!(house.run(json!({})).await, json!({ "seen": { "sent": 7 } }));
    let summary = worker.drain().await;
    assert_eq!((summary.failed, summary.completed), (1, 1), "{summary:?}");
}

#[tokio::test]
async fn a_mark_of_a_job_that_was_handed_back_before_its_commit_point_is_cleared() {
    let mut house = House::open("unmark").await;
    house.deploy(&ServiceTask::bare()).await;
    let marked = Arc::new(Semaphore::new(0));
    let arrived = Arc::clone(&marked);
    let first = Running::start(&house, true, move |job: Job| {
        let arrived = Arc::clone(&arrived);
        async move {
            job.scope.set_local(&object(&json!({ "mark": 1 }))).await.expect("it is set");
            arrived.add_permits(1);
            pending().await
        }
    })
    .await;
    let running = house.start(json!({}));
    soon(marked.acquire()).await.expect("it is never closed").forget();
    let summary = first.drain().await;
    assert_eq!(summary.handed_back, 1, "{summary:?}");

    let answer = |job: Job| async move { complete(&json!({ "seen": job.variables["mark"] })) };
    let second = Running::start(&house, true, answer).await;
    assert_eq!(house.finish(running).await, json!({ "seen": null }));
    let summary = second.drain().await;
    assert_eq!(summary.completed, 1, "{summary:?}");
}

#[tokio::test]
async fn a_parked_job_comes_again_with_its_retries_and_its_notes() {
    let mut house = House::open("parked").await;
    house.deploy(&ServiceTask::bare()).await;
    let answer = |job: Job| async move {
        match job.variables.get("note") {
            Some(note) => complete(&json!({ "retries": job.retries, "seen": note })),
            None => Outcome::Park {
                after: Duration::from_secs(1),
                variables: object(&json!({ "note": "step 1" })),
            },
        }
    };
    let worker = Running::start(&house, true, answer).await;
    assert_eq!(house.run(json!({})).await, json!({ "retries": 3, "seen": "step 1" }));
    let summary = worker.drain().await;
    assert_eq!((summary.parked, summary.completed), (1, 1), "{summary:?}");
}
