//! Locks: renewal, the header `jobTimeout`, jobs that are no longer ours.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use salesforce_connector_dev::gateway::{DevGateway, JobEventKind, JobRecord, JobState, Rpc};
use tonic::Status;

use super::{Gate, Setup, complete, completing, new_job, soon, until};

fn new_locks(job: &JobRecord) -> Vec<Duration> {
    let timeout = |kind: &JobEventKind| match kind {
        JobEventKind::TimeoutUpdated { timeout } => Some(*timeout),
        _ => None,
    };
    job.history.iter().filter_map(|event| timeout(&event.kind)).collect()
}

/// A handler that waits at a gate, and counts.
fn gated(
    gate: &Gate,
) -> (Arc<AtomicUsize>, impl Fn(salesforce_connector::zeebe::Job) -> super::Held + use<>) {
    let runs = Arc::new(AtomicUsize::new(0));
    let (gate, counted) = (gate.clone(), Arc::clone(&runs));
    let handler = move |_| -> super::Held {
        counted.fetch_add(1, Ordering::SeqCst);
        let gate = gate.clone();
        Box::pin(async move {
            gate.pass().await;
            complete()
        })
    };
    (runs, handler)
}

#[tokio::test]
async fn renewal_keeps_a_job_that_takes_longer_than_its_lock() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.options.job_timeout = Duration::from_millis(800);
    let metrics = Arc::clone(&setup.metrics);
    let gate = Gate::closed();
    let (runs, handler) = gated(&gate);
    let worker = setup.run_ready(handler).await;
    let key = gateway.create_job(new_job());
    let updated = |job: &JobRecord| new_locks(job).len() >= 4;
    let job = soon(gateway.job_when(key, updated)).await;
    assert!(new_locks(&job).iter().all(|lock| *lock == Duration::from_millis(800)));
    gate.open();
    assert_eq!(soon(gateway.finished(key)).await.state, JobState::Completed);
    assert_eq!((runs.load(Ordering::SeqCst), gateway.account().expired_locks), (1, 0));
    assert_eq!(worker.drain().await.completed, 1);
    assert!(metrics.encode().contains(r#"lock_renewals_total{result="renewed"}"#));
}

#[tokio::test]
async fn a_renewal_that_fails_is_tried_again() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.options.job_timeout = Duration::from_secs(1);
    gateway.faults().refuse(Rpc::UpdateJobTimeout, 3, &Status::unavailable("no leader"));
    let gate = Gate::closed();
    let (_, handler) = gated(&gate);
    let worker = setup.run_ready(handler).await;
    let key = gateway.create_job(new_job());
    soon(gateway.job_when(key, |job| !new_locks(job).is_empty())).await;
    gate.open();
    assert_eq!(soon(gateway.finished(key)).await.activations(), 1);
    assert_eq!(worker.drain().await.completed, 1);
}

#[tokio::test]
async fn a_refused_renewal_drops_the_work_of_a_job_that_is_not_ours_any_more() {
    for status in [Status::not_found("gone"), Status::failed_precondition("superseded")] {
        let gateway = DevGateway::start().await.unwrap();
        let mut setup = Setup::of(&gateway);
        setup.options.job_timeout = Duration::from_millis(400);
        let metrics = Arc::clone(&setup.metrics);
        gateway.faults().refuse(Rpc::UpdateJobTimeout, 1, &status);
        let gate = Gate::closed();
        let (_, handler) = gated(&gate);
        let worker = setup.run_ready(handler).await;
        let key = gateway.create_job(new_job());
        // The first run is dropped; the lock runs out, and the job comes again.
        gate.arrivals(2).await;
        gate.open();
        let job = soon(gateway.finished(key)).await;
        assert_eq!((job.activations(), job.failures()), (2, vec![]));
        let summary = worker.drain().await;
        assert_eq!((summary.superseded, summary.completed), (1, 1));
        assert!(
            metrics
                .encode()
                .contains(r#"jobs_ended_total{operation="unknown",end="superseded",reason="none"} 1"#)
        );
    }
}

#[tokio::test]
async fn a_gateway_that_does_not_renew_does_not_stop_the_work() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.options.job_timeout = Duration::from_secs(2);
    gateway.faults().refuse(Rpc::UpdateJobTimeout, 1, &Status::permission_denied("no"));
    let gate = Gate::closed();
    let (_, handler) = gated(&gate);
    let worker = setup.run_ready(handler).await;
    let key = gateway.create_job(new_job());
    until(|| gateway.faults().pending(Rpc::UpdateJobTimeout) == 0).await;
    gate.open();
    assert_eq!(soon(gateway.finished(key)).await.activations(), 1);
    assert_eq!(worker.drain().await.completed, 1);
}

#[tokio::test]
async fn the_header_sets_the_lock_before_the_handler_runs() {
    let gateway = DevGateway::start().await.unwrap();
    let worker = Setup::of(&gateway).run_ready(completing).await;
    let key = gateway.create_job(new_job().headers([("jobTimeout", "P1DT1H")]));
    let job = soon(gateway.finished(key)).await;
    assert_eq!((job.state, new_locks(&job)), (JobState::Completed, vec![Duration::from_hours(25)]));
    assert_eq!(worker.drain().await.completed, 1);
}

#[tokio::test]
async fn an_impossible_header_is_an_incident_and_nothing_runs() {
    let gateway = DevGateway::start().await.unwrap();
    let gate = Gate::closed();
    let (runs, handler) = gated(&gate);
    let worker = Setup::of(&gateway).run_ready(handler).await;
    for (text, said) in [
        ("5 minutes", "Failed to parse job timeout header"),
        ("P1M", "Failed to parse job timeout header"),
        ("PT0S", "must be a positive duration"),
        ("-PT5M", "must be a positive duration"),
    ] {
        let key = gateway.create_job(new_job().headers([("jobTimeout", text)]));
        let job = soon(gateway.finished(key)).await;
        assert_eq!((job.state, job.retries), (JobState::Incident, 0));
        assert!(job.error_message.unwrap().contains(said), "{text}");
    }
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    assert_eq!(worker.drain().await.failed, 4);
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_just_now_does_not_stop_the_job() {
    let gateway = DevGateway::start().await.unwrap();
    gateway.faults().refuse(Rpc::UpdateJobTimeout, 1, &Status::unavailable("no leader"));
    let worker = Setup::of(&gateway).run_ready(completing).await;
    let key = gateway.create_job(new_job().headers([("jobTimeout", "PT10S")]));
    let job = soon(gateway.finished(key)).await;
    assert_eq!((job.state, new_locks(&job)), (JobState::Completed, vec![]));
    assert_eq!(worker.drain().await.completed, 1);
}

#[tokio::test]
async fn a_header_that_the_gateway_refuses_keeps_the_job_from_running() {
    let gateway = DevGateway::start().await.unwrap();
    let gate = Gate::closed();
    let (runs, handler) = gated(&gate);
    let worker = Setup::of(&gateway).run_ready(handler).await;
    gateway.faults().refuse(Rpc::UpdateJobTimeout, 1, &Status::invalid_argument("no"));
    let key = gateway.create_job(new_job().retries(1).headers([("jobTimeout", "PT10S")]));
    let job = soon(gateway.finished(key)).await;
    assert_eq!((job.state, runs.load(Ordering::SeqCst)), (JobState::Incident, 0));
    assert!(job.error_message.unwrap().contains("could not be set"));
    assert_eq!(worker.drain().await.failed, 1);
}

#[tokio::test]
async fn a_header_on_a_job_that_is_not_ours_any_more_keeps_it_from_running() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.options.job_timeout = Duration::from_millis(300);
    let worker = setup.run_ready(completing).await;
    gateway.faults().refuse(Rpc::UpdateJobTimeout, 1, &Status::not_found("gone"));
    let key = gateway.create_job(new_job().headers([("jobTimeout", "PT10S")]));
    // It comes again when its lock has run out.
    assert_eq!(soon(gateway.finished(key)).await.activations(), 2);
    let summary = worker.drain().await;
    assert_eq!((summary.superseded, summary.completed), (1, 1));
}

#[tokio::test]
async fn a_job_whose_lock_ended_while_it_waited_unread_is_not_done_twice() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.options.max_jobs_active = 1;
    setup.options.job_timeout = Duration::from_millis(400);
    let gate = Gate::closed();
    let (runs, handler) = gated(&gate);
    let worker = setup.run_ready(handler).await;
    let first = gateway.create_job(new_job());
    gate.arrivals(1).await;
    let second = gateway.create_job(new_job());
    // The first is renewed; the second waits in the receive window until its lock is over.
    soon(gateway.wait_until(|account| account.expired_locks > 0)).await;
    gate.open();
    soon(gateway.finished(first)).await;
    assert_eq!(soon(gateway.finished(second)).await.state, JobState::Completed);
    worker.drain().await;
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}
