//! Push over the wire.

use salesforce_connector_dev::gateway::{DevGateway, JobEventKind, JobState, NewJob};
use serde_json::json;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::client::*;

#[tokio::test]
async fn a_stream_stays_pending_until_its_first_job() {
    let gateway = DevGateway::start().await.unwrap();
    let client = connect(&gateway).await;
    let pending = open_stream(&gateway, &client, stream_request()).await;
    assert!(!pending.is_finished());
    let first = gateway.create_job(NewJob::new("t"));
    let mut stream = pending.await.unwrap().unwrap();
    assert_eq!(next(&mut stream).await.key, first);
    let second = gateway.create_job(NewJob::new("t"));
    assert_eq!(next(&mut stream).await.key, second);
    drop(stream);
    gateway.wait_until(|account| account.open_streams == 0).await;
}

#[tokio::test]
async fn a_pending_stream_whose_client_leaves_is_forgotten() {
    let gateway = DevGateway::start().await.unwrap();
    let client = connect(&gateway).await;
    let pending = open_stream(&gateway, &client, stream_request()).await;
    pending.abort();
    gateway.wait_until(|account| account.open_streams == 0).await;
    let key = gateway.create_job(NewJob::new("t"));
    assert_eq!(gateway.job(key).unwrap().state, JobState::Activatable);
}

#[tokio::test]
async fn a_stream_bypasses_the_backlog_which_only_a_poll_reaches() {
    let gateway = DevGateway::start().await.unwrap();
    let mut client = connect(&gateway).await;
    let old = gateway.create_job(NewJob::new("t"));
    let pending = open_stream(&gateway, &client, stream_request()).await;
    let new = gateway.create_job(NewJob::new("t"));
    let mut stream = pending.await.unwrap().unwrap();
    assert_eq!(next(&mut stream).await.key, new);
    assert_eq!(poll(&mut client, poll_request()).await.unwrap()[0].key, old);
}

#[tokio::test]
async fn a_job_is_pushed_again_after_a_failure_after_its_backoff_and_after_its_lock() {
    let gateway = DevGateway::start().await.unwrap();
    let mut client = connect(&gateway).await;
    let pending = open_stream(&gateway, &client, stream_request()).await;
    let job_key = gateway.create_job(NewJob::new("t"));
    let mut stream = pending.await.unwrap().unwrap();
    assert_eq!(next(&mut stream).await.retries, 3);
    let fail = FailJobRequest { job_key, retries: 2, error_message: "a".into(), ..Default::default() };
    client.fail_job(fail.clone()).await.unwrap();
    assert_eq!(next(&mut stream).await.retries, 2);
    client.fail_job(FailJobRequest { retries: 1, retry_back_off: 5, ..fail }).await.unwrap();
    assert_eq!(next(&mut stream).await.retries, 1);
    let brief = UpdateJobTimeoutRequest { job_key, timeout: 5, ..Default::default() };
    client.update_job_timeout(brief).await.unwrap();
    assert_eq!(next(&mut stream).await.retries, 1);
    let account = gateway.account();
    assert_eq!((account.pushed, account.expired_locks, account.failed), (4, 1, 2));
    let record = gateway.job(job_key).unwrap();
    assert_eq!(record.failures(), [2, 1]);
    assert!(record.history.iter().any(|event| event.kind == JobEventKind::BackoffOver));
}

#[tokio::test]
async fn a_stream_that_is_not_read_blocks_and_what_had_not_left_is_given_back() {
    let gateway = DevGateway::builder().stream_buffer(2).start().await.unwrap();
    let endpoint = Channel::from_shared(gateway.url()).unwrap().initial_stream_window_size(65_535);
    let client = GatewayClient::new(endpoint.connect().await.unwrap());
    let pending = open_stream(&gateway, &client, stream_request()).await;
    gateway.create_job(NewJob::new("t"));
    let stream = pending.await.unwrap().unwrap();
    // Nobody reads: the window, tonic's 32 KiB and two messages fill up, then the stream counts as blocked.
    let text = "x".repeat(10_000);
    while gateway.account().yielded == 0 {
        gateway.create_job(NewJob::new("t").variables(json!({ "text": text })));
        tokio::task::yield_now().await;
    }
    let account = gateway.account();
    assert_eq!(account.activatable, 1);
    assert!(account.pushed < 20, "hoarded {}", account.pushed);
    drop(stream);
    let account = gateway.wait_until(|account| account.open_streams == 0).await;
    assert_eq!(account.given_back, 2, "{account:?}");
}

#[tokio::test]
async fn a_blocked_stream_leaves_its_jobs_to_another_one() {
    let gateway = DevGateway::builder().stream_buffer(1).start().await.unwrap();
    let client = connect(&gateway).await;
    let first = open_stream(&gateway, &client, stream_request()).await;
    let second = open_stream(&gateway, &client, stream_request()).await;
    // Created at one moment, so that neither stream is emptied in between.
    let keys = gateway.create_jobs([NewJob::new("t"), NewJob::new("t"), NewJob::new("t")]);
    let account = gateway.account();
    assert_eq!((account.pushed, account.yielded), (2, 1));
    let (mut first, mut second) = (first.await.unwrap().unwrap(), second.await.unwrap().unwrap());
    let mut got = [next(&mut first).await.key, next(&mut second).await.key];
    got.sort_unstable();
    assert_eq!(got, keys[..2]);
}

#[tokio::test]
async fn a_stream_gets_jobs_of_its_type_and_tenant_only() {
    let gateway = DevGateway::builder().tenants(["a", "b"]).start().await.unwrap();
    let client = connect(&gateway).await;
    let of_a = StreamActivatedJobsRequest { tenant_ids: vec!["a".into()], ..stream_request() };
    let pending = open_stream(&gateway, &client, of_a).await;
    gateway.create_jobs([NewJob::new("other").tenant("a"), NewJob::new("t").tenant("b")]);
    assert_eq!(gateway.account().pushed, 0);
    let own = gateway.create_job(NewJob::new("t").tenant("a"));
    assert_eq!(next(&mut pending.await.unwrap().unwrap()).await.key, own);
}

#[tokio::test]
async fn a_bad_stream_request_is_refused_at_once() {
    let gateway = DevGateway::start().await.unwrap();
    let mut client = connect(&gateway).await;
    let request = StreamActivatedJobsRequest { timeout: 0, ..stream_request() };
    assert_eq!(client.stream_activated_jobs(request).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn streams_end_with_the_status_that_the_script_gives() {
    let gateway = DevGateway::start().await.unwrap();
    let client = connect(&gateway).await;
    let idle = open_stream(&gateway, &client, stream_request()).await;
    gateway.close_streams(&Status::unavailable("HTTP status code 504"));
    assert_eq!(idle.await.unwrap().unwrap_err().code(), Code::Unavailable);
    let busy = open_stream(&gateway, &client, stream_request()).await;
    gateway.create_job(NewJob::new("t"));
    let mut busy = busy.await.unwrap().unwrap();
    next(&mut busy).await;
    gateway.close_streams(&Status::resource_exhausted("too many"));
    assert_eq!(busy.message().await.unwrap_err().code(), Code::ResourceExhausted);
    assert_eq!(gateway.account().open_streams, 0);
}

#[tokio::test]
async fn muted_and_silent_streams_get_nothing_while_polls_do() {
    let gateway = DevGateway::start().await.unwrap();
    let mut client = connect(&gateway).await;
    let muted = open_stream(&gateway, &client, stream_request()).await;
    gateway.mute_streams();
    gateway.faults().silence(1);
    let mut other = client.clone();
    let silent = tokio::spawn(async move { other.stream_activated_jobs(stream_request()).await });
    let key = gateway.create_job(NewJob::new("t"));
    assert_eq!(poll(&mut client, poll_request()).await.unwrap()[0].key, key);
    assert!(!muted.is_finished() && !silent.is_finished());
    assert_eq!((gateway.account().pushed, gateway.account().open_streams), (0, 0));
}

#[tokio::test]
async fn leased_jobs_are_pushed_to_leasing_streams_only() {
    let gateway = DevGateway::start().await.unwrap();
    let mut client = connect(&gateway).await;
    let job_key = gateway.create_job(NewJob::new("t"));
    let request = ActivateJobsRequest { with_lease: true, ..poll_request() };
    let lease = poll(&mut client, request).await.unwrap().remove(0).job_lease_token;
    let plain = open_stream(&gateway, &client, stream_request()).await;
    let fail = FailJobRequest { job_key, retries: 2, job_lease_token: lease.clone(), ..Default::default() };
    client.fail_job(fail.clone()).await.unwrap();
    assert_eq!(gateway.job(job_key).unwrap().state, JobState::Activatable);
    let lost = client.fail_job(FailJobRequest { job_lease_token: None, ..fail.clone() }).await.unwrap_err();
    assert_eq!(lost.code(), Code::FailedPrecondition);
    let with_lease = StreamActivatedJobsRequest { with_lease: true, ..stream_request() };
    let leasing = open_stream(&gateway, &client, with_lease).await;
    client.fail_job(fail).await.expect("nobody took over, so the lease still holds");
    let pushed = next(&mut leasing.await.unwrap().unwrap()).await;
    assert_eq!(pushed.key, job_key);
    assert!(pushed.job_lease_token.is_some() && pushed.job_lease_token != lease);
    assert!(!plain.is_finished());
}
