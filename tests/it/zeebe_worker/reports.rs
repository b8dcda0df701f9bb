//! What becomes of an outcome: every class of answer.

use std::{sync::Arc, time::Duration};

use salesforce_connector::zeebe::{Failure, Outcome};
use salesforce_connector_dev::gateway::{DevGateway, JobState, Rpc};
use serde_json::json;
use tonic::{Code, Status};

use super::{Setup, complete, completing, failure, new_job, object, soon, until};

#[tokio::test]
async fn a_command_that_was_not_taken_is_sent_again_until_it_is() {
    let gateway = DevGateway::start().await.unwrap();
    let worker = Setup::of(&gateway).run_ready(completing).await;
    let codes = [
        Code::Unavailable,
        Code::ResourceExhausted,
        Code::DeadlineExceeded,
        Code::Cancelled,
        Code::Aborted,
        Code::Unknown,
        Code::Internal,
        Code::Unauthenticated,
    ];
    for code in codes {
        gateway.faults().refuse(Rpc::CompleteJob, 2, &Status::new(code, "try again"));
        let key = gateway.create_job(new_job());
        let job = soon(gateway.finished(key)).await;
        assert_eq!((job.state, job.activations()), (JobState::Completed, 1), "{code:?}");
    }
    assert_eq!(worker.drain().await.completed, codes.len() as u64);
}

#[tokio::test]
async fn a_lost_answer_counts_as_accepted_when_the_second_try_finds_the_job_gone() {
    let gateway = DevGateway::start().await.unwrap();
    let setup = Setup::of(&gateway);
    let metrics = Arc::clone(&setup.metrics);
    let worker = setup.run_ready(completing).await;
    gateway.faults().lose_reply(Rpc::CompleteJob, 1, &Status::deadline_exceeded("lost"));
    let key = gateway.create_job(new_job());
    soon(gateway.finished(key)).await;
    let summary = worker.drain().await;
    assert_eq!((summary.completed, summary.rejected), (1, 0));
    assert!(metrics.encode().contains(r#"commands_total{command="complete",result="accepted"} 1"#));
}

#[tokio::test]
async fn a_lost_answer_to_throw_error_counts_as_accepted_too() {
    let gateway = DevGateway::start().await.unwrap();
    let throw = |_| async {
        Outcome::ThrowError { code: "C".into(), message: "m".into(), variables: object(json!({ "v": 1 })) }
    };
    let worker = Setup::of(&gateway).run_ready(throw).await;
    gateway.faults().lose_reply(Rpc::ThrowError, 1, &Status::cancelled("lost"));
    let key = gateway.create_job(new_job());
    let job = soon(gateway.finished(key)).await;
    assert_eq!((job.error_code.as_deref(), job.error_message.as_deref()), (Some("C"), Some("m")));
    assert_eq!(job.result, Some(object(json!({ "v": 1 }))));
    assert_eq!(worker.drain().await.thrown, 1);
}

#[tokio::test]
async fn a_command_without_an_answer_is_sent_again() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.tuning.command_timeout = Duration::from_millis(100);
    let worker = setup.run_ready(completing).await;
    let held = gateway.faults().hold(Rpc::CompleteJob);
    let key = gateway.create_job(new_job());
    soon(held.reached()).await;
    assert_eq!(soon(gateway.finished(key)).await.state, JobState::Completed);
    assert_eq!(worker.drain().await.completed, 1);
}

#[tokio::test]
async fn a_job_that_is_gone_or_elsewhere_is_counted_and_left_alone() {
    for (status, result) in [
        (Status::not_found("no such job was found"), "not_found"),
        (Status::failed_precondition("INVALID_STATE"), "precondition_failed"),
    ] {
        let gateway = DevGateway::start().await.unwrap();
        let setup = Setup::of(&gateway);
        let metrics = Arc::clone(&setup.metrics);
        gateway.faults().refuse(Rpc::CompleteJob, 1, &status);
        let worker = setup.run_ready(completing).await;
        let key = gateway.create_job(new_job());
        until(|| gateway.faults().pending(Rpc::CompleteJob) == 0).await;
        let summary = worker.drain().await;
        assert_eq!((summary.rejected, summary.completed), (1, 0));
        let line = format!(r#"commands_total{{command="complete",result="{result}"}} 1"#);
        assert!(metrics.encode().contains(&line), "{line}\nis missing in\n{}", metrics.encode());
        assert_eq!(gateway.job(key).unwrap().failures(), [0; 0]);
    }
}

#[tokio::test]
async fn a_result_that_the_engine_will_never_take_becomes_an_incident_at_once() {
    for (status, said) in [
        (Status::unknown("rejected with code 'EXCEEDED_BATCH_RECORD_SIZE'"), "too large for the engine"),
        (
            Status::resource_exhausted("gRPC message exceeds maximum size 4194304: 5"),
            "too large for the engine",
        ),
        (Status::invalid_argument("variables are no object"), "refused by the engine"),
        (Status::out_of_range("no such number"), "refused by the engine"),
        (Status::unimplemented("no such call"), "refused by the engine"),
        (Status::permission_denied("not yours"), "refused by the engine"),
    ] {
        let gateway = DevGateway::start().await.unwrap();
        gateway.faults().refuse(Rpc::CompleteJob, 1, &status);
        let worker = Setup::of(&gateway).run_ready(completing).await;
        let key = gateway.create_job(new_job());
        let job = soon(gateway.finished(key)).await;
        assert_eq!((job.state, job.retries), (JobState::Incident, 0));
        let message = job.error_message.unwrap();
        assert!(message.contains("The job was done") && message.contains(said), "{message}");
        assert!(message.contains(status.message()), "{message}");
        assert_eq!(worker.drain().await.failed, 1);
    }
}

#[tokio::test]
async fn a_failure_whose_variables_are_refused_keeps_its_message() {
    let gateway = DevGateway::start().await.unwrap();
    gateway.faults().refuse(Rpc::FailJob, 1, &Status::unknown("EXCEEDED_BATCH_RECORD_SIZE"));
    let fail = |_| async {
        Outcome::Fail(Failure {
            message: "Salesforce is away.".into(),
            retries: 2,
            variables: object(json!({ "v": 1 })),
            ..Failure::default()
        })
    };
    let worker = Setup::of(&gateway).run_ready(fail).await;
    let key = gateway.create_job(new_job());
    let job = soon(gateway.finished(key)).await;
    assert_eq!((job.state, job.local_variables.len()), (JobState::Incident, 0));
    assert!(job.error_message.unwrap().starts_with("Salesforce is away."));
    assert_eq!(worker.drain().await.failed, 1);
}

#[tokio::test]
async fn a_failed_job_comes_again_with_the_retries_the_backoff_and_the_variables_of_its_failure() {
    let gateway = DevGateway::start().await.unwrap();
    let worker = Setup::of(&gateway)
        .run_ready(|job| async move {
            if job.variables.contains_key("mark") {
                return complete();
            }
            Outcome::Fail(Failure {
                message: "later".into(),
                retries: job.retries - 1,
                backoff: Duration::from_millis(20),
                variables: object(json!({ "mark": true })),
            })
        })
        .await;
    let key = gateway.create_job(new_job().retries(3));
    let job = soon(gateway.finished(key)).await;
    assert_eq!((job.state, job.failures(), job.activations()), (JobState::Completed, vec![2], 2));
    assert_eq!(job.backoff, Some(Duration::from_millis(20)));
    let summary = worker.drain().await;
    assert_eq!((summary.completed, summary.failed), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_that_fail_and_come_back_at_once_are_never_taken_for_duplicates() {
    let gateway = DevGateway::start().await.unwrap();
    let worker = Setup::of(&gateway)
        .run_ready(|job| async move {
            if job.retries > 1 { failure("again", job.retries - 1) } else { complete() }
        })
        .await;
    gateway.create_jobs((0..50).map(|_| new_job().retries(5)));
    let account = soon(gateway.all_finished()).await;
    assert_eq!((account.completed, account.failed), (50, 200));
    assert_eq!(worker.drain().await.duplicates, 0);
}

#[tokio::test]
async fn a_report_that_is_not_taken_before_the_lock_ends_is_too_late() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.options.job_timeout = Duration::from_millis(300);
    let status = Status::unavailable("no such partition");
    gateway.faults().refuse(Rpc::CompleteJob, 10_000, &status);
    gateway.faults().refuse(Rpc::UpdateJobTimeout, 10_000, &status);
    let worker = setup.run_ready(completing).await;
    gateway.create_job(new_job());
    soon(gateway.wait_until(|account| account.expired_locks > 0)).await;
    let summary = worker.drain().await;
    assert!(summary.too_late >= 1, "{summary:?}");
    assert_eq!(summary.completed, 0);
}

#[tokio::test]
async fn the_lock_is_renewed_while_a_report_is_tried_again() {
    for outcome in [complete(), failure("no", 0)] {
        let gateway = DevGateway::start().await.unwrap();
        let mut setup = Setup::of(&gateway);
        setup.options.job_timeout = Duration::from_millis(600);
        for rpc in [Rpc::CompleteJob, Rpc::FailJob] {
            gateway.faults().refuse(rpc, 10_000, &Status::unavailable("no leader"));
        }
        let reported = outcome.clone();
        let worker = setup.run_ready(move |_| std::future::ready(reported.clone())).await;
        let key = gateway.create_job(new_job());
        // Four half-lives: twice its lock.
        soon(gateway.wait_until(|account| account.timeout_updates >= 4)).await;
        gateway.faults().clear();
        assert_eq!(soon(gateway.finished(key)).await.activations(), 1);
        assert_eq!(gateway.account().expired_locks, 0);
        let summary = worker.drain().await;
        assert_eq!((summary.completed + summary.failed, summary.too_late), (1, 0), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_report_is_not_tried_for_ever_although_the_lock_is_kept() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.options.job_timeout = Duration::from_millis(600);
    setup.tuning.report_patience = Duration::from_millis(700);
    gateway.faults().refuse(Rpc::CompleteJob, 10_000, &Status::unavailable("no leader"));
    let worker = setup.run_ready(completing).await;
    gateway.create_job(new_job());
    soon(gateway.wait_until(|account| account.expired_locks > 0 && account.timeout_updates > 0)).await;
    assert!(worker.drain().await.too_late >= 1);
}

#[tokio::test]
async fn a_panic_costs_one_retry_and_tells_its_message() {
    let gateway = DevGateway::start().await.unwrap();
    let setup = Setup::of(&gateway);
    let metrics = Arc::clone(&setup.metrics);
    let worker = setup.run_ready(|job| async move { panic!("no way with {}", job.retries) }).await;
    let key = gateway.create_job(new_job().retries(2));
    let job = soon(gateway.finished(key)).await;
    assert_eq!((job.state, job.failures()), (JobState::Incident, vec![1, 0]));
    assert_eq!(job.error_message.as_deref(), Some("The handler panicked: no way with 1"));
    assert_eq!(worker.drain().await.failed, 2);
    assert!(metrics.encode().contains("permits_free 8"));
}

#[tokio::test]
async fn a_handler_that_panics_before_its_first_await_is_caught_too() {
    let gateway = DevGateway::start().await.unwrap();
    let worker = Setup::of(&gateway)
        .run_ready(|job| {
            assert!(job.retries > 9, "too few");
            async { complete() }
        })
        .await;
    let key = gateway.create_job(new_job().retries(1));
    let job = soon(gateway.finished(key)).await;
    assert_eq!(job.error_message.as_deref(), Some("The handler panicked: too few"));
    assert_eq!(worker.drain().await.failed, 1);
}

#[tokio::test]
async fn a_long_message_is_cut() {
    let gateway = DevGateway::start().await.unwrap();
    let worker = Setup::of(&gateway).run_ready(|_| async { failure(&"ü".repeat(9_000), 0) }).await;
    let key = gateway.create_job(new_job());
    let job = soon(gateway.finished(key)).await;
    assert_eq!(job.error_message.unwrap().chars().count(), 6_000);
    worker.drain().await;
}
