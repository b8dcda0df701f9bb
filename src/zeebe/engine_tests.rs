//! The worker on a real Zeebe, which cuts other calls short when one runs into its time: one test after the other.
//! `ZEEBE_ADDRESS=http://127.0.0.1:26500 cargo test --lib zeebe::engine_tests -- --ignored --test-threads=1`

use std::{
    collections::HashMap,
    env,
    future::{Future, pending},
    sync::Arc,
    time::Duration,
};

use serde_json::{Map, Value, json};
use tokio::{sync::Notify, task::JoinHandle, time::timeout};
use tonic::{Code, Status, transport::Channel};

use super::{
    GatewayAuthentication, GatewayClient, GatewayOptions, Job, JobHandler, Outcome, StopSignal, Worker,
    WorkerOptions, WorkerSummary,
    protocol::{
        CreateProcessInstanceRequest, CreateProcessInstanceWithResultRequest, DeployResourceRequest,
        Resource, gateway_client::GatewayClient as Stub,
    },
};

struct Engine {
    address: String,
    stub: Stub<Channel>,
    /// Also the process id: nothing of an earlier run is met.
    job_type: String,
}

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

impl Engine {
    /// A fresh process of one service task, deployed.
    async fn with_process(headers: &str) -> Self {
        let address = env::var("ZEEBE_ADDRESS").unwrap_or_else(|_| "http://127.0.0.1:26500".into());
        let channel = Channel::from_shared(address.clone()).unwrap().connect().await.unwrap();
        let mut stub = Stub::new(channel);
        let id: String = std::iter::repeat_with(fastrand::alphanumeric).take(12).collect();
        let job_type = format!("test-{id}");
        let bpmn = BPMN.replace("@id@", &job_type).replace("@headers@", headers);
        let resource = Resource { name: "test.bpmn".into(), content: bpmn.into_bytes() };
        let request = DeployResourceRequest { resources: vec![resource], ..DeployResourceRequest::default() };
        stub.deploy_resource(request).await.unwrap();
        Self { address, stub, job_type }
    }

    fn instance(&self, variables: &Value) -> CreateProcessInstanceRequest {
        CreateProcessInstanceRequest {
            bpmn_process_id: self.job_type.clone(),
            version: -1,
            variables: variables.to_string(),
            ..CreateProcessInstanceRequest::default()
        }
    }

    async fn start_instance(&self) {
        self.stub.clone().create_process_instance(self.instance(&json!({}))).await.unwrap();
    }

    /// Runs one instance to its end and gives its variables.
    async fn result(&self, variables: Value) -> Result<Map<String, Value>, Status> {
        let request = CreateProcessInstanceWithResultRequest {
            request: Some(self.instance(&variables)),
            request_timeout: 10_000,
            fetch_variables: Vec::new(),
        };
        let answer = self.stub.clone().create_process_instance_with_result(request).await?.into_inner();
        Ok(serde_json::from_str(&answer.variables).unwrap())
    }

    async fn worker<F, R>(&self, stream_enabled: bool, handler: F) -> (StopSignal, JoinHandle<WorkerSummary>)
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future<Output = Outcome> + Send + 'static,
    {
        let gateway = GatewayOptions {
            address: self.address.clone(),
            ca_certificate: None,
            override_authority: None,
            authentication: GatewayAuthentication::None,
        };
        let options = WorkerOptions {
            job_type: self.job_type.clone(),
            name: "tester".into(),
            max_jobs_active: 8,
            job_timeout: Duration::from_secs(4),
            request_timeout: Duration::from_secs(5),
            fetch_variables: Vec::new(),
            tenant_ids: Vec::new(),
            stream_enabled,
            shutdown_grace: Duration::from_millis(100),
        };
        let client = GatewayClient::new(gateway, Arc::default()).unwrap();
        let worker = Worker::new(client, Handler(handler), options, Arc::default());
        let (stop, status) = (StopSignal::default(), worker.status());
        let task = tokio::spawn(worker.run(stop.clone()));
        soon(status.ready()).await;
        (stop, task)
    }
}

async fn soon<T>(event: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(30), event).await.expect("should have happened within 30 seconds")
}

async fn drained((stop, task): (StopSignal, JoinHandle<WorkerSummary>)) -> WorkerSummary {
    stop.drain.cancel();
    let summary = soon(task).await.unwrap();
    assert_eq!(summary.taken, summary.ended(), "{summary:?}");
    summary
}

fn complete(variables: Value) -> Outcome {
    let Value::Object(variables) = variables else { panic!("an object") };
    Outcome::Complete { variables }
}

#[tokio::test]
#[ignore = "needs a real Zeebe"]
async fn jobs_come_by_stream_and_by_poll_and_are_completed() {
    for stream_enabled in [true, false] {
        let engine = Engine::with_process("").await;
        for _ in 0..20 {
            engine.start_instance().await;
        }
        let worker = engine
            .worker(stream_enabled, |job| async move { complete(json!({ "sum": job.variables.get("n") })) })
            .await;
        for n in 0..20 {
            assert_eq!(soon(engine.result(json!({ "n": n }))).await.unwrap()["sum"], n);
        }
        let summary = drained(worker).await;
        assert_eq!((summary.completed, summary.taken), (40, 40));
    }
}

#[tokio::test]
#[ignore = "needs a real Zeebe"]
async fn a_job_is_handed_back_at_the_stop_and_taken_by_the_next_worker() {
    let engine = Engine::with_process("").await;
    let taken = Arc::new(Notify::new());
    let notify = Arc::clone(&taken);
    let first = engine
        .worker(true, move |_| {
            notify.notify_one();
            pending()
        })
        .await;
    let result = tokio::spawn({
        let engine =
            Engine { address: String::new(), stub: engine.stub.clone(), job_type: engine.job_type.clone() };
        async move { engine.result(json!({})).await }
    });
    soon(taken.notified()).await;
    assert_eq!(drained(first).await.handed_back, 1);
    let second = engine.worker(true, |job| async move { complete(json!({ "retries": job.retries })) }).await;
    assert_eq!(soon(result).await.unwrap().unwrap()["retries"], 3);
    assert_eq!(drained(second).await.completed, 1);
}

#[tokio::test]
#[ignore = "needs a real Zeebe"]
async fn the_lock_is_renewed_and_the_header_sets_it() {
    let header = r#"<zeebe:taskHeaders><zeebe:header key="jobTimeout" value="PT2S" /></zeebe:taskHeaders>"#;
    for headers in ["", header] {
        let engine = Engine::with_process(headers).await;
        let runs = Arc::new(std::sync::Mutex::new(HashMap::<i64, u32>::new()));
        let counted = Arc::clone(&runs);
        let worker = engine
            .worker(true, move |job| {
                *counted.lock().unwrap().entry(job.key).or_default() += 1;
                async move {
                    // The lock, as it was at the start, ends; the job is ours all the same.
                    tokio::time::sleep_until(job.deadline() + Duration::from_secs(2)).await;
                    complete(json!({ "done": true }))
                }
            })
            .await;
        assert_eq!(soon(engine.result(json!({}))).await.unwrap()["done"], true);
        assert_eq!(drained(worker).await.completed, 1);
        assert!(runs.lock().unwrap().values().all(|runs| *runs == 1));
    }
}

#[tokio::test]
#[ignore = "needs a real Zeebe"]
async fn a_result_that_is_too_large_fails_the_job_at_once() {
    for size in [3_000_000, 5_000_000] {
        let engine = Engine::with_process("").await;
        let worker =
            engine.worker(true, move |_| async move { complete(json!({ "text": "x".repeat(size) })) }).await;
        // The instance stays at its incident.
        let result = soon(engine.result(json!({}))).await.unwrap_err();
        assert_eq!(result.code(), Code::DeadlineExceeded);
        let summary = drained(worker).await;
        assert_eq!((summary.failed, summary.taken), (1, 1), "{size}: {summary:?}");
    }
}

const BPMN: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"
    targetNamespace="http://example.com/test">
  <process id="@id@" isExecutable="true">
    <startEvent id="start" />
    <sequenceFlow id="in" sourceRef="start" targetRef="task" />
    <serviceTask id="task">
      <extensionElements><zeebe:taskDefinition type="@id@" />@headers@</extensionElements>
    </serviceTask>
    <sequenceFlow id="out" sourceRef="task" targetRef="end" />
    <endEvent id="end" />
  </process>
</definitions>
"#;
