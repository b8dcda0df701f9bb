//! The generated client, and the few calls that every test makes with it.

use salesforce_connector_dev::gateway::DevGateway;
use tokio::task::JoinHandle;
use tonic::transport::Channel;
use tonic::{Response, Status, Streaming};

#[allow(
    clippy::pedantic,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    dead_code,
    reason = "generated code"
)]
mod generated {
    tonic::include_proto!("gateway_protocol");
}

pub(crate) use generated::gateway_client::GatewayClient;
pub(crate) use generated::*;

pub(crate) type Client = GatewayClient<Channel>;

/// In ms. A test that waits for this in vain has failed long before.
pub(crate) const LONG: i64 = 60_000;

pub(crate) async fn connect(gateway: &DevGateway) -> Client {
    let endpoint = Channel::from_shared(gateway.url()).unwrap();
    GatewayClient::new(endpoint.connect().await.unwrap()).max_decoding_message_size(8 << 20)
}

/// A poll for up to 32 jobs of type `t` that does not wait.
pub(crate) fn poll_request() -> ActivateJobsRequest {
    ActivateJobsRequest {
        r#type: "t".into(),
        worker: "poller".into(),
        timeout: LONG,
        max_jobs_to_activate: 32,
        request_timeout: -1,
        ..Default::default()
    }
}

pub(crate) fn long_poll_request() -> ActivateJobsRequest {
    ActivateJobsRequest { request_timeout: LONG, ..poll_request() }
}

pub(crate) fn stream_request() -> StreamActivatedJobsRequest {
    StreamActivatedJobsRequest {
        r#type: "t".into(),
        worker: "streamer".into(),
        timeout: LONG,
        ..Default::default()
    }
}

pub(crate) async fn poll(
    client: &mut Client,
    request: ActivateJobsRequest,
) -> Result<Vec<ActivatedJob>, Status> {
    let mut answers = client.activate_jobs(request).await?.into_inner();
    let mut jobs = Vec::new();
    while let Some(answer) = answers.message().await? {
        jobs.extend(answer.jobs);
    }
    Ok(jobs)
}

/// A long poll in the background, parked at the gateway when this returns.
pub(crate) async fn park(
    gateway: &DevGateway,
    client: &Client,
) -> JoinHandle<Result<Vec<ActivatedJob>, Status>> {
    let parked = gateway.account().parked_polls;
    let mut client = client.clone();
    let call = tokio::spawn(async move { poll(&mut client, long_poll_request()).await });
    gateway.wait_until(|account| account.parked_polls > parked).await;
    call
}

/// A stream in the background, open at the gateway when this returns: the call stays pending until its first
/// job.
pub(crate) async fn open_stream(
    gateway: &DevGateway,
    client: &Client,
    request: StreamActivatedJobsRequest,
) -> JoinHandle<Result<Streaming<ActivatedJob>, Status>> {
    let open = gateway.account().open_streams;
    let mut client = client.clone();
    let call =
        tokio::spawn(async move { client.stream_activated_jobs(request).await.map(Response::into_inner) });
    gateway.wait_until(|account| account.open_streams > open).await;
    call
}

pub(crate) async fn next(stream: &mut Streaming<ActivatedJob>) -> ActivatedJob {
    stream.message().await.unwrap().expect("the stream is open")
}

pub(crate) async fn complete(client: &mut Client, job_key: i64) -> Result<(), Status> {
    client.complete_job(CompleteJobRequest { job_key, ..Default::default() }).await.map(drop)
}
