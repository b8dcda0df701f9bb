//! Faults by script, as the client meets them.

use std::time::Duration;

use salesforce_connector_dev::gateway::{DevGateway, JobState, NewJob, Rpc};
use tonic::{Code, Status};

use crate::client::*;

/// A gateway with one job that this client holds.
async fn with_a_held_job() -> (DevGateway, Client, i64) {
    let gateway = DevGateway::start().await.unwrap();
    let mut client = connect(&gateway).await;
    let key = gateway.create_job(NewJob::new("t"));
    assert_eq!(poll(&mut client, poll_request()).await.unwrap().len(), 1);
    (gateway, client, key)
}

#[tokio::test]
async fn a_lost_reply_was_carried_out_all_the_same() {
    let (gateway, mut client, key) = with_a_held_job().await;
    gateway.faults().lose_reply(Rpc::CompleteJob, 1, &Status::deadline_exceeded("late"));
    assert_eq!(complete(&mut client, key).await.unwrap_err().code(), Code::DeadlineExceeded);
    assert_eq!(gateway.job(key).unwrap().state, JobState::Completed);
    assert_eq!(complete(&mut client, key).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_refused_call_was_not_carried_out() {
    let (gateway, mut client, key) = with_a_held_job().await;
    gateway.faults().refuse(Rpc::CompleteJob, 2, &Status::resource_exhausted("overload"));
    for _ in 0..2 {
        assert_eq!(complete(&mut client, key).await.unwrap_err().code(), Code::ResourceExhausted);
    }
    assert_eq!(gateway.job(key).unwrap().state, JobState::Activated);
    complete(&mut client, key).await.unwrap();
}

#[tokio::test]
async fn a_refused_stream_is_not_opened() {
    let gateway = DevGateway::start().await.unwrap();
    let mut client = connect(&gateway).await;
    gateway.faults().refuse(Rpc::StreamActivatedJobs, 1, &Status::unavailable("no"));
    let status = client.stream_activated_jobs(stream_request()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(gateway.account().streams_opened, 0);
}

#[tokio::test]
async fn a_lost_answer_of_a_poll_leaves_its_jobs_locked() {
    let gateway = DevGateway::start().await.unwrap();
    let mut client = connect(&gateway).await;
    gateway.faults().lose_reply(Rpc::ActivateJobs, 1, &Status::unavailable("gone"));
    let empty = poll(&mut client, poll_request()).await.unwrap();
    assert!(empty.is_empty(), "an empty answer is not worth losing");
    let key = gateway.create_job(NewJob::new("t"));
    assert_eq!(poll(&mut client, poll_request()).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(gateway.job(key).unwrap().state, JobState::Activated);
    assert!(poll(&mut client, poll_request()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_poll_that_leaves_while_its_answer_is_held_gives_its_jobs_back() {
    let gateway = DevGateway::start().await.unwrap();
    let mut client = connect(&gateway).await;
    let key = gateway.create_job(NewJob::new("t"));
    let held = gateway.faults().hold_reply(Rpc::ActivateJobs);
    let mut leaving = client.clone();
    let call = tokio::spawn(async move { poll(&mut leaving, poll_request()).await });
    held.reached().await;
    assert_eq!(gateway.job(key).unwrap().state, JobState::Activated);
    call.abort();
    gateway.wait_until(|account| account.given_back == 1).await;
    let again = poll(&mut client, poll_request()).await.unwrap();
    assert_eq!((again[0].key, again[0].retries), (key, 3));
}

#[tokio::test]
async fn a_held_completion_is_not_carried_out_before_its_release() {
    let (gateway, mut client, key) = with_a_held_job().await;
    let held = gateway.faults().hold(Rpc::CompleteJob);
    let call = tokio::spawn(async move { complete(&mut client, key).await });
    held.reached().await;
    assert_eq!(gateway.job(key).unwrap().state, JobState::Activated);
    held.release();
    call.await.unwrap().unwrap();
    assert_eq!(gateway.finished(key).await.state, JobState::Completed);
}

#[tokio::test]
async fn a_command_whose_caller_leaves_while_it_is_held_is_never_carried_out() {
    let (gateway, client, key) = with_a_held_job().await;
    let held = gateway.faults().hold(Rpc::CompleteJob);
    let mut leaving = client.clone();
    let call = tokio::spawn(async move { complete(&mut leaving, key).await });
    held.reached().await;
    call.abort();
    // The connection is answered in order, so the reset has been seen when this answer comes.
    client.clone().topology(TopologyRequest {}).await.unwrap();
    held.release();
    client.clone().topology(TopologyRequest {}).await.unwrap();
    assert_eq!(gateway.job(key).unwrap().state, JobState::Activated);
}

#[tokio::test]
async fn a_delayed_call_is_carried_out_later() {
    let gateway = DevGateway::start().await.unwrap();
    let mut client = connect(&gateway).await;
    gateway.faults().delay(Rpc::Topology, 1, Duration::from_millis(20));
    let before = tokio::time::Instant::now();
    client.topology(TopologyRequest {}).await.unwrap();
    assert!(before.elapsed() >= Duration::from_millis(20));
}

#[tokio::test]
async fn a_duplicate_reaches_the_poller_twice_and_is_completed_once() {
    let gateway = DevGateway::start().await.unwrap();
    let mut client = connect(&gateway).await;
    gateway.faults().duplicate_deliveries(1);
    let key = gateway.create_job(NewJob::new("t"));
    let jobs = poll(&mut client, poll_request()).await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.key).collect::<Vec<_>>(), [key, key]);
    complete(&mut client, key).await.unwrap();
    assert_eq!(complete(&mut client, key).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(gateway.account().activated, 1);
}

#[tokio::test]
async fn a_duplicate_reaches_the_streamer_twice() {
    let gateway = DevGateway::start().await.unwrap();
    let client = connect(&gateway).await;
    gateway.faults().duplicate_deliveries(1);
    let pending = open_stream(&gateway, &client, stream_request()).await;
    let key = gateway.create_job(NewJob::new("t"));
    let mut stream = pending.await.unwrap().unwrap();
    assert_eq!((next(&mut stream).await.key, next(&mut stream).await.key), (key, key));
    assert_eq!(gateway.account().pushed, 1);
}

#[tokio::test]
async fn a_restart_cuts_connections_and_keeps_jobs_and_port() {
    let (gateway, mut client, key) = with_a_held_job().await;
    let stream = open_stream(&gateway, &client, stream_request()).await;
    let address = gateway.address();
    gateway.go_down().await;
    assert!(stream.await.unwrap().is_err());
    assert!(complete(&mut client, key).await.is_err(), "nobody listens");
    gateway.come_up().await.unwrap();
    assert_eq!(gateway.address(), address);
    complete(&mut connect(&gateway).await, key).await.unwrap();
    assert_eq!(gateway.account().open_streams, 0);
    gateway.restart().await.unwrap();
    connect(&gateway).await.topology(TopologyRequest {}).await.unwrap();
    gateway.stop().await;
}
