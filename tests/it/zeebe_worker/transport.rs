//! What goes wrong below gRPC: dead connections, pings, proxies that speak plain HTTP; on a [`Wire`] that knows frames.

use std::{sync::Arc, time::Duration};

use salesforce_connector::metrics::Metrics;
use salesforce_connector_dev::gateway::{DevGateway, JobState, Rpc};

use super::{Setup, completing, new_job, pass, settle, soon, until, wire::Wire};

/// A gateway takes more frequent pings for an attack.
const LEAST_PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_INTERVAL: Duration = Duration::from_secs(45);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// A job comes on the stream and is done, and the worker knows it.
async fn round_trip(gateway: &DevGateway, metrics: &Metrics) {
    let pushed = gateway.account().pushed;
    let key = gateway.create_job(new_job());
    soon(gateway.finished(key)).await;
    assert_eq!(gateway.account().pushed, pushed + 1);
    let completed = gateway.account().completed;
    let accepted = format!(r#"commands_total{{command="complete",result="accepted"}} {completed}"#);
    until(|| metrics.encode().contains(&accepted)).await;
}

#[tokio::test]
async fn a_silent_stream_is_kept_alive_by_pings_and_not_by_too_many() {
    let gateway = DevGateway::start().await.unwrap();
    let wire = Wire::before(&gateway).await;
    let setup = Setup::at(wire.options());
    let metrics = Arc::clone(&setup.metrics);
    let worker = setup.run_ready(completing).await;
    soon(gateway.wait_until(|account| account.open_streams == 1)).await;
    let line = wire.of_streams();
    for pings in 0..3 {
        pass(LEAST_PING_INTERVAL).await;
        round_trip(&gateway, &metrics).await;
        assert_eq!(line.pings(), pings);
        // The job put the ping off, which is found out when it was due.
        for time in [PING_INTERVAL, Duration::from_secs(1)] {
            pass(time).await;
            settle().await;
        }
        until(|| line.pings() == pings + 1).await;
    }
    assert_eq!(gateway.account().streams_opened, 1);
    assert_eq!(worker.drain().await.completed, 3);
}

#[tokio::test]
async fn a_connection_without_a_call_is_not_pinged() {
    let gateway = DevGateway::start().await.unwrap();
    let wire = Wire::before(&gateway).await;
    let client = Setup::at(wire.options()).client();
    // They take turns on both connections.
    for _ in 0..4 {
        soon(client.info()).await.unwrap();
    }
    for _ in 0..5 {
        pass(PING_INTERVAL + PING_TIMEOUT).await;
        settle().await;
    }
    // A call on a connection that rested for so long has a ping beside it, which a gateway allows.
    for _ in 0..4 {
        soon(client.info()).await.unwrap();
    }
    let lines = wire.lines();
    assert!(lines.len() == 2 && lines.iter().all(|line| line.pings() <= 1));
}

#[tokio::test]
async fn a_connection_that_answers_no_ping_is_given_up_and_the_stream_opened_on_another() {
    let gateway = DevGateway::start().await.unwrap();
    let wire = Wire::before(&gateway).await;
    let setup = Setup::at(wire.options());
    let metrics = Arc::clone(&setup.metrics);
    let worker = setup.run_ready(completing).await;
    soon(gateway.wait_until(|account| account.open_streams == 1)).await;
    let line = wire.of_streams();
    line.die();
    pass(PING_INTERVAL).await;
    until(|| line.pings() == 1).await;
    pass(PING_TIMEOUT).await;
    soon(gateway.wait_until(|account| account.streams_opened == 2 && account.open_streams == 1)).await;
    assert!(!Arc::ptr_eq(&line, &wire.of_streams()));
    assert!(metrics.encode().contains(r#"streams_closed_total{reason="error"} 1"#));
    round_trip(&gateway, &metrics).await;
    worker.drain().await;
}

#[tokio::test]
async fn a_command_that_gets_lost_on_one_of_two_connections_is_sent_again_on_the_other() {
    let gateway = DevGateway::start().await.unwrap();
    let wire = Wire::before(&gateway).await;
    let mut setup = Setup::at(wire.options());
    setup.tuning.command_timeout = Duration::from_millis(100);
    let metrics = Arc::clone(&setup.metrics);
    let worker = setup.run_ready(completing).await;
    until(|| wire.of_commands().len() == 2).await;
    wire.of_commands()[0].die();
    let keys = gateway.create_jobs((0..4).map(|_| new_job()));
    for key in keys {
        let job = soon(gateway.finished(key)).await;
        assert_eq!((job.state, job.activations()), (JobState::Completed, 1));
    }
    assert!(metrics.encode().contains(r#"gateway_command_retries_total{command="complete",code="timeout"}"#));
    assert_eq!(worker.drain().await.completed, 4);
}

#[tokio::test]
async fn a_call_for_calm_is_no_refusal_and_what_was_done_before_it_counts_as_done() {
    for is_in_doubt in [true, false] {
        let gateway = DevGateway::start().await.unwrap();
        let wire = Wire::before(&gateway).await;
        let worker = Setup::at(wire.options()).run_ready(completing).await;
        let held = gateway.faults().hold_reply(Rpc::CompleteJob);
        let key = gateway.create_job(new_job());
        soon(held.reached()).await;
        assert_eq!(gateway.job(key).unwrap().state, JobState::Completed);
        for line in wire.lines() {
            line.enhance_your_calm(if is_in_doubt { line.last_call() } else { 0 });
        }
        soon(gateway.wait_until(|account| account.double_completions_refused == 1)).await;
        soon(gateway.wait_until(|account| account.open_streams == 1)).await;
        let summary = worker.drain().await;
        assert_eq!((summary.completed, summary.rejected), (1, 0), "{is_in_doubt}");
    }
}

#[tokio::test]
async fn a_504_in_plain_http_ends_a_stream_and_no_more() {
    let gateway = DevGateway::start().await.unwrap();
    let wire = Wire::before(&gateway).await;
    let setup = Setup::at(wire.options());
    let metrics = Arc::clone(&setup.metrics);
    let worker = setup.run_ready(completing).await;
    for cuts in 1..=3 {
        soon(gateway.wait_until(|account| account.open_streams == 1)).await;
        wire.of_streams().time_out_last_call();
        soon(gateway.wait_until(|account| account.streams_opened > cuts)).await;
        let closed = format!(r#"streams_closed_total{{reason="error"}} {cuts}"#);
        until(|| metrics.encode().contains(&closed)).await;
        round_trip(&gateway, &metrics).await;
    }
    assert_eq!(worker.drain().await.completed, 3);
}

#[tokio::test]
async fn a_504_in_plain_http_is_told_as_such() {
    let gateway = DevGateway::start().await.unwrap();
    let wire = Wire::before(&gateway).await;
    let client = Setup::at(wire.options()).client();
    let held = gateway.faults().hold(Rpc::Topology);
    let (answer, ()) = tokio::join!(soon(client.info()), async {
        soon(held.reached()).await;
        wire.lines()[0].time_out_last_call();
    });
    let error = answer.unwrap_err().to_string();
    assert!(error.contains("Topology: Unavailable") && error.contains("504"), "{error}");
}
