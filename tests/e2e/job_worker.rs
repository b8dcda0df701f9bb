//! The east wing alone on a real engine: the library's [`Worker`], with handlers of the tests' own.

use std::{
    future::{Future, pending},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use salesforce_connector::{
    metrics::Metrics,
    zeebe::{
        Failure, GatewayAuthentication, GatewayClient, GatewayOptions, Job, JobHandler, Outcome, StopSignal,
        Worker, WorkerOptions, WorkerSummary,
    },
};
use serde_json::{Map, Value, json};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinHandle,
    time::timeout,
};

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
    metrics: Arc<Metrics>,
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
        let options = WorkerOptions { job_timeout: lock, stream_enabled, ..options(house) };
        Self::with(options, house, handler).await
    }

    async fn with<F, R>(options: WorkerOptions, house: &House, handler: F) -> Self
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future<Output = Outcome> + Send + 'static,
    {
        let gateway = GatewayOptions {
            rest_address: None,
            address: house.address().to_owned(),
            ca_certificate: None,
            override_authority: None,
            authentication: GatewayAuthentication::None,
        };
        let metrics = Arc::<Metrics>::default();
        let client = GatewayClient::new(gateway, Arc::clone(&metrics)).expect("the options are valid");
        let worker = Worker::new(client, Handler(handler), options, Arc::clone(&metrics));
        let (stop, status) = (StopSignal::default(), worker.status());
        let task = tokio::spawn(worker.run(stop.clone()));
        soon(status.ready()).await;
        Self { stop, task, metrics }
    }

    /// Resolves when the engine has said that a job is no longer this worker's.
    async fn superseded(&self) {
        // Nobody tells of it; it is counted.
        let mut looks = tokio::time::interval(Duration::from_millis(100));
        while !self.metrics.encode().contains(r#"lock_renewals_total{result="superseded"} 1"#) {
            looks.tick().await;
        }
    }

    async fn drain(self) -> WorkerSummary {
        self.stop.drain.cancel();
        let summary = soon(self.task).await.expect("the worker does not panic");
        assert_eq!(summary.taken, summary.ended(), "{summary:?}");
        summary
    }
}

fn options(house: &House) -> WorkerOptions {
    WorkerOptions {
        job_type: house.job_type.clone(),
        name: "tester".into(),
        max_jobs_active: 8,
        job_timeout: Duration::from_mins(1),
        request_timeout: Duration::from_secs(5),
        fetch_variables: Vec::new(),
        tenant_ids: Vec::new(),
        assigned_tenants: false,
        with_lease: false,
        stream_enabled: true,
        shutdown_grace: Duration::from_millis(100),
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

/// Takes one job, passes the commit point, and completes it when the gate is open. Tells the keys of its jobs.
async fn committing(
    options: WorkerOptions,
    house: &House,
    (by, gate): (&'static str, &Arc<Semaphore>),
) -> (Running, mpsc::Receiver<i64>) {
    let (keys, taken) = mpsc::channel(1);
    let gate = Arc::clone(gate);
    let handler = move |job: Job| {
        let (keys, gate) = (keys.clone(), Arc::clone(&gate));
        async move {
            job.commit_point.pass(Failure { message: "cut".into(), ..Failure::default() });
            keys.send(job.key).await.expect("the test listens");
            gate.acquire().await.expect("it is never closed").forget();
            complete(&json!({ "by": by }))
        }
    };
    (Running::with(options, house, handler).await, taken)
}

#[tokio::test]
async fn of_a_committed_job_that_was_handed_out_again_the_first_holders_success_counts() {
    let mut house = House::open("late-success").await;
    house.deploy(&ServiceTask::bare()).await;
    let gates = [Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0))];
    // It polls, and for no more than one, so that it does not get the job again itself. It renews after 20 s.
    let alone = WorkerOptions {
        job_timeout: Duration::from_secs(40),
        stream_enabled: false,
        max_jobs_active: 1,
        ..options(&house)
    };
    let (first, mut taken) = committing(alone, &house, ("first", &gates[0])).await;
    let running = house.start(json!({}));
    let key = soon(taken.recv()).await.expect("a job");
    house.engine.update_timeout(key, Duration::from_millis(1)).await.expect("the job is locked");
    let job_type = house.job_type.clone();
    house.records.timed_out(&job_type).await;
    soon(first.superseded()).await;

    let (second, mut taken) = committing(options(&house), &house, ("second", &gates[1])).await;
    assert_eq!(soon(taken.recv()).await, Some(key), "it is handed out again");
    gates[0].add_permits(1);
    assert_eq!(house.finish(running).await["by"], "first");
    gates[1].add_permits(1);

    let (first, second) = (first.drain().await, second.drain().await);
    assert_eq!((first.completed, first.superseded), (1, 0), "{first:?}");
    assert_eq!((second.completed, second.rejected), (0, 1), "{second:?}");
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
