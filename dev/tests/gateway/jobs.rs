//! Polls and commands over the wire.

use salesforce_connector_dev::gateway::{Delivery, DevGateway, JobEventKind, JobState, NewJob};
use serde_json::json;
use tonic::{Code, Request};

use crate::client::*;

#[tokio::test]
async fn topology_tells_one_leader_and_the_version() {
    let gateway = DevGateway::builder().gateway_version("8.9.1").start().await.unwrap();
    let topology = connect(&gateway).await.topology(TopologyRequest {}).await.unwrap().into_inner();
    assert_eq!((topology.gateway_version.as_str(), topology.cluster_size), ("8.9.1", 1));
    let partition = topology.brokers[0].partitions[0];
    assert_eq!(partition.role(), partition::PartitionBrokerRole::Leader);
    gateway.stop().await;
}

#[tokio::test]
async fn a_poll_gets_what_is_there_and_the_completion_is_kept() {
    let gateway = DevGateway::start().await.unwrap();
    let mut client = connect(&gateway).await;
    let job = NewJob::new("t").variables(json!({ "name": "Ada" })).headers([("resultVariable", "out")]);
    let key = gateway.create_job(job);
    let jobs = poll(&mut client, poll_request()).await.unwrap();
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].variables, r#"{"name":"Ada"}"#);
    assert_eq!(jobs[0].custom_headers, r#"{"resultVariable":"out"}"#);
    let variables = r#"{"greeting":"hello"}"#.to_owned();
    client.complete_job(CompleteJobRequest { job_key: key, variables, ..Default::default() }).await.unwrap();
    let record = gateway.finished(key).await;
    assert_eq!((record.state, record.worker.as_deref()), (JobState::Completed, Some("poller")));
    let by_poll = |kind: &JobEventKind| matches!(kind, JobEventKind::Activated { by: Delivery::Poll, .. });
    assert!(record.history.iter().any(|event| by_poll(&event.kind)));
    assert_eq!(record.result.unwrap()["greeting"], "hello");
    assert_eq!(complete(&mut client, key).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(gateway.account().double_completions_refused, 1);
}

#[tokio::test]
async fn a_parked_poll_is_answered_by_the_next_job() {
    let gateway = DevGateway::start().await.unwrap();
    let client = connect(&gateway).await;
    let parked = park(&gateway, &client).await;
    let key = gateway.create_job(NewJob::new("t"));
    assert_eq!(parked.await.unwrap().unwrap()[0].key, key);
    assert_eq!((gateway.account().parked_polls, gateway.account().polled), (0, 1));
}

#[tokio::test]
async fn of_two_parked_polls_each_gets_its_own_job() {
    let gateway = DevGateway::start().await.unwrap();
    let client = connect(&gateway).await;
    let (one, two) = (park(&gateway, &client).await, park(&gateway, &client).await);
    let first = gateway.create_job(NewJob::new("t"));
    gateway.wait_until(|account| account.polled == 1).await;
    let second = gateway.create_job(NewJob::new("t"));
    let mut keys = [one.await.unwrap().unwrap()[0].key, two.await.unwrap().unwrap()[0].key];
    keys.sort_unstable();
    assert_eq!(keys, [first, second]);
}

#[tokio::test]
async fn a_poll_without_jobs_ends_empty_after_its_time() {
    let gateway = DevGateway::start().await.unwrap();
    let mut client = connect(&gateway).await;
    let request = ActivateJobsRequest { request_timeout: 20, ..poll_request() };
    assert!(poll(&mut client, request).await.unwrap().is_empty());
    assert!(poll(&mut client, poll_request()).await.unwrap().is_empty());
    assert_eq!(gateway.account().empty_polls, 2);
}

#[tokio::test]
async fn a_poll_whose_client_has_gone_activates_nothing() {
    let gateway = DevGateway::start().await.unwrap();
    let client = connect(&gateway).await;
    let parked = park(&gateway, &client).await;
    parked.abort();
    gateway.wait_until(|account| account.parked_polls == 0).await;
    let key = gateway.create_job(NewJob::new("t"));
    assert_eq!(gateway.job(key).unwrap().activations(), 0);
}

#[tokio::test]
async fn a_lock_that_runs_out_wakes_a_parked_poll() {
    let gateway = DevGateway::start().await.unwrap();
    let mut client = connect(&gateway).await;
    let key = gateway.create_job(NewJob::new("t"));
    let brief = ActivateJobsRequest { timeout: 50, worker: "dead".into(), ..poll_request() };
    poll(&mut client, brief).await.unwrap();
    let again = poll(&mut client, long_poll_request()).await.unwrap();
    assert_eq!((again[0].key, again[0].retries), (key, 3));
    assert_eq!(gateway.account().expired_locks, 1);
}

#[tokio::test]
async fn a_message_above_four_mebibytes_is_refused_in_the_real_gateways_words() {
    let gateway = DevGateway::start().await.unwrap();
    let mut client = connect(&gateway).await;
    let variables = json!({ "text": "x".repeat(4 << 20) }).to_string();
    let request = CompleteJobRequest { job_key: 1, variables, ..Default::default() };
    let status = client.complete_job(request).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.message().starts_with("gRPC message exceeds maximum size 4194304: 41943"), "{status}");
}

#[tokio::test]
async fn a_large_job_below_the_limit_arrives() {
    let gateway = DevGateway::start().await.unwrap();
    let mut client = connect(&gateway).await;
    gateway.create_job(NewJob::new("t").variables(json!({ "text": "x".repeat(4_100_000) })));
    assert_eq!(poll(&mut client, poll_request()).await.unwrap()[0].variables.len(), 4_100_011);
}

#[tokio::test]
async fn an_incident_its_resolution_and_a_bpmn_error_go_over_the_wire() {
    let gateway = DevGateway::start().await.unwrap();
    let mut client = connect(&gateway).await;
    let job_key = gateway.create_job(NewJob::new("t"));
    let job = poll(&mut client, poll_request()).await.unwrap().remove(0);
    let mark = SetVariablesRequest {
        element_instance_key: job.element_instance_key,
        variables: r#"{"mark":1}"#.into(),
        local: true,
        ..Default::default()
    };
    client.set_variables(mark).await.unwrap();
    let fail = FailJobRequest { job_key, error_message: "no more".into(), ..Default::default() };
    client.fail_job(fail).await.unwrap();
    let record = gateway.finished(job_key).await;
    assert_eq!((record.state, record.error_message.as_deref()), (JobState::Incident, Some("no more")));
    assert!(gateway.resolve_incident(job_key, 2));
    let request = ResolveIncidentRequest { incident_key: record.incident_key.unwrap(), ..Default::default() };
    assert_eq!(client.resolve_incident(request).await.unwrap_err().code(), Code::NotFound);
    let again = poll(&mut client, poll_request()).await.unwrap().remove(0);
    assert_eq!((again.variables.as_str(), again.retries), (r#"{"mark":1}"#, 2));
    let error = ThrowErrorRequest { job_key, error_code: "NOT_FOUND".into(), ..Default::default() };
    client.throw_error(error).await.unwrap();
    assert_eq!(gateway.finished(job_key).await.error_code.as_deref(), Some("NOT_FOUND"));
}

#[tokio::test]
async fn retries_and_variables_are_set_by_rpc_and_by_the_handle() {
    let gateway = DevGateway::start().await.unwrap();
    let mut client = connect(&gateway).await;
    let job_key = gateway.create_job(NewJob::new("t").retries(1));
    let retries = UpdateJobRetriesRequest { job_key, retries: 7, ..Default::default() };
    client.update_job_retries(retries).await.unwrap();
    let Some(mark) = json!({ "mark": true }).as_object().cloned() else { unreachable!("it is an object") };
    assert!(gateway.set_variables(job_key, mark));
    let job = poll(&mut client, poll_request()).await.unwrap().remove(0);
    assert_eq!((job.retries, job.variables.as_str()), (7, r#"{"mark":true}"#));
}

#[tokio::test]
async fn each_tenant_has_its_own_jobs() {
    let gateway = DevGateway::builder().tenants(["a", "b"]).start().await.unwrap();
    let mut client = connect(&gateway).await;
    gateway.create_jobs([NewJob::new("t").tenant("a"), NewJob::new("t").tenant("b")]);
    let status = poll(&mut client, poll_request()).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let of_b = ActivateJobsRequest { tenant_ids: vec!["b".into()], ..poll_request() };
    let jobs = poll(&mut client, of_b).await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.tenant_id.as_str()).collect::<Vec<_>>(), ["b"]);
    let assigned = ActivateJobsRequest { tenant_filter: TenantFilter::Assigned as i32, ..poll_request() };
    assert_eq!(poll(&mut client, assigned).await.unwrap()[0].tenant_id, "a");
}

#[tokio::test]
async fn what_needs_an_engine_is_unimplemented_and_says_so() {
    let gateway = DevGateway::start().await.unwrap();
    let mut client = connect(&gateway).await;
    let status = client.deploy_resource(DeployResourceRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(status.message().contains("no process engine"), "{status}");
}

#[tokio::test]
async fn an_unknown_physical_tenant_is_refused() {
    let gateway = DevGateway::start().await.unwrap();
    let mut client = connect(&gateway).await;
    for (tenant, accepted) in [("default", true), ("other", false)] {
        let mut request = Request::new(TopologyRequest {});
        request.metadata_mut().insert("camunda-physical-tenant", tenant.parse().unwrap());
        assert_eq!(client.topology(request).await.is_ok(), accepted, "{tenant}");
    }
}
