//! The commit point: what a worker does with a job in the middle of something that must not happen twice.

use std::{future::pending, sync::Arc, time::Duration};

use salesforce_connector::zeebe::{Failure, Job, Outcome};
use salesforce_connector_dev::gateway::{DevGateway, JobState, Rpc};
use serde_json::json;
use tonic::Status;

use super::{Gate, Held, Setup, complete, failure, new_job, object, soon, until};

fn cut() -> Failure {
    Failure {
        message: "The outcome is unknown.".into(),
        retries: 0,
        backoff: Duration::ZERO,
        variables: object(json!({ "mark": null })),
    }
}

/// A handler that passes its commit point, waits at the gate, and then has this outcome.
fn committed(gate: &Gate, outcome: Outcome) -> impl Fn(Job) -> Held + use<> {
    let gate = gate.clone();
    move |job| {
        let (gate, outcome) = (gate.clone(), outcome.clone());
        Box::pin(async move {
            job.commit_point.pass(cut());
            gate.pass().await;
            outcome
        })
    }
}

#[tokio::test]
async fn a_committed_handler_may_end_after_the_grace_period() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.options.shutdown_grace = Duration::ZERO;
    setup.options.job_timeout = Duration::from_millis(800);
    let gate = Gate::closed();
    let worker = setup.run_ready(committed(&gate, complete())).await;
    let key = gateway.create_job(new_job());
    gate.arrivals(1).await;
    worker.stop.drain.cancel();
    // Its lock is renewed all the while: more than a lock's length goes by.
    soon(gateway.wait_until(|account| account.open_streams == 0 && account.timeout_updates >= 3)).await;
    gate.open();
    let summary = worker.ended().await;
    assert_eq!((summary.completed, summary.handed_back), (1, 0));
    assert_eq!(gateway.job(key).unwrap().activations(), 1);
}

#[tokio::test]
async fn a_committed_handler_that_does_not_end_is_failed_as_it_wished() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.options.shutdown_grace = Duration::ZERO;
    setup.tuning.committed_grace = Duration::from_millis(100);
    let gate = Gate::closed();
    let worker = setup.run_ready(committed(&gate, complete())).await;
    let key = gateway.create_job(new_job());
    gate.arrivals(1).await;
    let summary = worker.drain().await;
    assert_eq!((summary.failed, summary.handed_back), (1, 0));
    let job = gateway.job(key).unwrap();
    assert_eq!((job.state, job.retries), (JobState::Incident, 0));
    let message = job.error_message.unwrap();
    assert!(message.starts_with("The outcome is unknown. The worker was shut down"), "{message}");
    assert_eq!(job.local_variables, object(json!({ "mark": null })));
}

#[tokio::test]
async fn a_committed_handler_that_panics_is_failed_as_it_wished() {
    let gateway = DevGateway::start().await.unwrap();
    let worker = Setup::of(&gateway)
        .run_ready(|job| async move {
            job.commit_point.pass(cut());
            panic!("half way")
        })
        .await;
    let key = gateway.create_job(new_job().retries(3));
    let job = soon(gateway.finished(key)).await;
    assert_eq!((job.state, job.retries), (JobState::Incident, 0));
    assert_eq!(job.error_message.as_deref(), Some("The outcome is unknown. The handler panicked: half way"));
    assert_eq!(worker.drain().await.failed, 1);
}

#[tokio::test]
async fn what_was_taken_back_is_handed_back_as_if_nothing_had_been_done() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.options.shutdown_grace = Duration::ZERO;
    let gate = Gate::closed();
    let held = gate.clone();
    let worker = setup
        .run_ready(move |job| {
            let held = held.clone();
            async move {
                job.commit_point.pass(cut());
                job.commit_point.revoke();
                held.arrived.add_permits(1);
                pending().await
            }
        })
        .await;
    let key = gateway.create_job(new_job().retries(2));
    gate.arrivals(1).await;
    assert_eq!(worker.drain().await.handed_back, 1);
    assert_eq!(gateway.job(key).unwrap().failures(), [2]);
}

#[tokio::test]
async fn a_committed_handler_ends_although_the_lock_is_lost_and_its_success_is_reported() {
    for status in [Status::not_found("gone"), Status::failed_precondition("it is not active")] {
        let gateway = DevGateway::start().await.unwrap();
        let mut setup = Setup::of(&gateway);
        setup.options.job_timeout = Duration::from_secs(1);
        let metrics = Arc::clone(&setup.metrics);
        gateway.faults().refuse(Rpc::UpdateJobTimeout, 1, &status);
        let gate = Gate::closed();
        let worker = setup.run_ready(committed(&gate, complete())).await;
        let key = gateway.create_job(new_job());
        until(|| metrics.encode().contains(r#"lock_renewals_total{result="superseded"} 1"#)).await;
        gate.open();
        let job = soon(gateway.finished(key)).await;
        assert_eq!((job.state, job.failures()), (JobState::Completed, vec![]));
        let summary = worker.drain().await;
        assert_eq!((summary.completed, summary.superseded), (1, 0));
    }
}

#[tokio::test]
async fn the_failure_of_a_job_that_is_not_ours_any_more_is_dropped_and_counted() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.options.job_timeout = Duration::from_secs(1);
    let metrics = Arc::clone(&setup.metrics);
    gateway.faults().refuse(Rpc::UpdateJobTimeout, 1, &Status::not_found("gone"));
    let gate = Gate::closed();
    let worker = setup.run_ready(committed(&gate, failure("no", 1))).await;
    let key = gateway.create_job(new_job());
    until(|| metrics.encode().contains(r#"lock_renewals_total{result="superseded"} 1"#)).await;
    worker.stop.drain.cancel();
    soon(gateway.wait_until(|account| account.open_streams == 0)).await;
    gate.open();
    assert_eq!(worker.ended().await.superseded, 1);
    assert_eq!(gateway.job(key).unwrap().failures(), [0; 0]);
    assert!(
        metrics
            .encode()
            .contains(r#"jobs_ended_total{operation="unknown",end="superseded",reason="none"} 1"#)
    );
}
