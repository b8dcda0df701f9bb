//! Notes in a job's own scope: set, certainly not set, or unknown.

use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use salesforce_connector::zeebe::ScopeError;
use salesforce_connector_dev::gateway::{DevGateway, JobRecord, JobState, Rpc};
use serde_json::{Value, json};
use tonic::Status;

use super::{Gate, Setup, complete, new_job, object, soon};

type Result = std::result::Result<(), ScopeError>;

/// Runs one job that sets a mark and completes; gives what it was told, and the job.
async fn mark(gateway: &DevGateway, lock: Duration) -> (Result, JobRecord) {
    let mut setup = Setup::of(gateway);
    setup.options.job_timeout = lock;
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let worker = setup
        .run_ready(move |job| {
            let tell = Arc::clone(&tell);
            async move {
                let result = job.scope.set_local(&object(json!({ "mark": { "sent": true } }))).await;
                tell.lock().unwrap().push(result);
                complete()
            }
        })
        .await;
    let key = gateway.create_job(new_job());
    let job = soon(gateway.finished(key)).await;
    worker.drain().await;
    let first = told.lock().unwrap().remove(0);
    (first, job)
}

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(500);

#[tokio::test]
async fn a_mark_is_set_in_the_jobs_own_scope_and_never_in_the_process() {
    let gateway = DevGateway::start().await.unwrap();
    let (told, job) = mark(&gateway, LONG).await;
    assert_eq!((told, job.state), (Ok(()), JobState::Completed));
    assert_eq!(job.local_variables, object(json!({ "mark": { "sent": true } })));
    assert!(!job.variables.contains_key("mark"));
}

#[tokio::test]
async fn a_mark_that_was_not_processed_or_whose_answer_was_lost_is_set_by_another_try() {
    for lost in [false, true] {
        let gateway = DevGateway::start().await.unwrap();
        let status = Status::unavailable("no leader");
        gateway.faults().refuse(Rpc::SetVariables, 3, &status);
        if lost {
            gateway.faults().lose_reply(Rpc::SetVariables, 2, &Status::deadline_exceeded("lost"));
        }
        let (told, job) = mark(&gateway, LONG).await;
        assert_eq!(told, Ok(()));
        assert!(job.local_variables.contains_key("mark"));
    }
}

#[tokio::test]
async fn a_mark_that_is_refused_is_certainly_not_set() {
    for status in [
        Status::not_found("no such element was found"),
        Status::invalid_argument("no"),
        Status::permission_denied("no"),
        Status::unknown("EXCEEDED_BATCH_RECORD_SIZE"),
    ] {
        let gateway = DevGateway::start().await.unwrap();
        gateway.faults().refuse(Rpc::SetVariables, 1, &status);
        let (told, job) = mark(&gateway, LONG).await;
        let Err(ScopeError::NotSet(reason)) = told else { panic!("{status:?}: {told:?}") };
        assert!(reason.contains(status.message()), "{reason}");
        assert_eq!(job.local_variables.len(), 0);
    }
}

#[tokio::test]
async fn a_mark_that_nobody_took_before_the_lock_ended_is_certainly_not_set() {
    let gateway = DevGateway::start().await.unwrap();
    gateway.faults().refuse(Rpc::SetVariables, 10_000, &Status::resource_exhausted("overload"));
    let (told, _) = mark(&gateway, SHORT).await;
    assert!(matches!(told, Err(ScopeError::NotSet(_))), "{told:?}");
}

#[tokio::test]
async fn a_mark_whose_answers_were_all_lost_is_unknown() {
    let gateway = DevGateway::start().await.unwrap();
    gateway.faults().lose_reply(Rpc::SetVariables, 10_000, &Status::cancelled("lost"));
    let (told, _) = mark(&gateway, SHORT).await;
    assert!(matches!(told, Err(ScopeError::Unknown(_))), "{told:?}");
}

#[tokio::test]
async fn a_refusal_after_a_lost_answer_leaves_the_mark_unknown() {
    let gateway = DevGateway::start().await.unwrap();
    gateway.faults().lose_reply(Rpc::SetVariables, 1, &Status::deadline_exceeded("lost"));
    gateway.faults().refuse(Rpc::SetVariables, 1, &Status::permission_denied("not any more"));
    let (told, job) = mark(&gateway, LONG).await;
    assert!(matches!(told, Err(ScopeError::Unknown(_))), "{told:?}");
    assert!(job.local_variables.contains_key("mark"));
}

#[tokio::test]
async fn a_job_that_vanished_after_a_lost_answer_has_no_scope_any_more() {
    let gateway = DevGateway::start().await.unwrap();
    gateway.faults().lose_reply(Rpc::SetVariables, 1, &Status::deadline_exceeded("lost"));
    gateway.faults().refuse(Rpc::SetVariables, 1, &Status::not_found("no such element was found"));
    let (told, _) = mark(&gateway, LONG).await;
    assert!(matches!(told, Err(ScopeError::NotSet(_))), "{told:?}");
}

#[tokio::test]
async fn a_job_that_is_handed_back_or_panics_before_its_commit_point_loses_its_mark() {
    for panics in [false, true] {
        let gateway = DevGateway::start().await.unwrap();
        let mut setup = Setup::of(&gateway);
        setup.options.shutdown_grace = Duration::from_millis(100);
        let gate = Gate::closed();
        let held = gate.clone();
        let worker = setup
            .run_ready(move |job| {
                let held = held.clone();
                async move {
                    job.scope.set_local(&object(json!({ "mark": 1 }))).await.unwrap();
                    assert!(!panics, "on purpose");
                    held.arrived.add_permits(1);
                    pending().await
                }
            })
            .await;
        let key = gateway.create_job(new_job().retries(1));
        if panics {
            soon(gateway.finished(key)).await;
        } else {
            gate.arrivals(1).await;
        }
        worker.drain().await;
        let job = gateway.job(key).unwrap();
        assert_eq!(job.local_variables, object(json!({ "mark": Value::Null })), "{panics}");
    }
}
