//! Parking: a handler gives its job back, with notes, and gets it again.

use std::{sync::Arc, time::Duration};

use salesforce_connector::zeebe::{Job, Outcome};
use salesforce_connector_dev::gateway::{DevGateway, JobState, Rpc};
use serde_json::json;
use tonic::Status;

use super::{Setup, complete, new_job, object, soon};

async fn parking_once(job: Job) -> Outcome {
    if job.variables.contains_key("note") {
        return complete();
    }
    Outcome::Park { after: Duration::from_millis(50), variables: object(json!({ "note": { "step": 1 } })) }
}

#[tokio::test]
async fn a_parked_job_rests_keeps_its_retries_and_comes_again_with_its_notes() {
    let gateway = DevGateway::start().await.unwrap();
    let setup = Setup::of(&gateway);
    let metrics = Arc::clone(&setup.metrics);
    let worker = setup.run_ready(parking_once).await;
    let key = gateway.create_job(new_job().retries(2));
    let job = soon(gateway.finished(key)).await;
    assert_eq!((job.state, job.failures(), job.activations()), (JobState::Completed, vec![2], 2));
    assert_eq!(job.backoff, Some(Duration::from_millis(50)));
    assert!(job.error_message.unwrap().contains("given back with unchanged retries"));
    assert_eq!(job.local_variables, object(json!({ "note": { "step": 1 } })));
    assert!(!job.variables.contains_key("note"), "it is no variable of the process");
    let summary = worker.drain().await;
    assert_eq!((summary.parked, summary.failed, summary.completed), (1, 0, 1));
    assert_eq!(summary.to_string(), "2 jobs: 1 completed, 1 parked");
    assert!(
        metrics.encode().contains(r#"jobs_ended_total{operation="unknown",end="parked",reason="none"} 1"#)
    );
}

#[tokio::test]
async fn a_job_that_is_fetched_with_few_variables_sees_its_notes_when_it_names_them() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.options.fetch_variables = vec!["input".into(), "note".into()];
    let worker = setup.run_ready(parking_once).await;
    let key = gateway.create_job(new_job().variables(json!({ "input": 1, "other": 2 })));
    assert_eq!(soon(gateway.finished(key)).await.activations(), 2);
    assert_eq!(worker.drain().await.parked, 1);
}

#[tokio::test]
async fn a_parked_job_that_comes_back_at_once_is_never_taken_for_a_duplicate() {
    let gateway = DevGateway::start().await.unwrap();
    let worker = Setup::of(&gateway)
        .run_ready(|job| async move {
            if job.variables.contains_key("note") {
                return complete();
            }
            Outcome::Park { after: Duration::ZERO, variables: object(json!({ "note": 1 })) }
        })
        .await;
    gateway.create_jobs((0..50).map(|_| new_job()));
    let account = soon(gateway.all_finished()).await;
    assert_eq!((account.completed, account.returned_unchanged), (50, 50));
    let summary = worker.drain().await;
    assert_eq!((summary.parked, summary.duplicates), (50, 0));
}

#[tokio::test]
async fn notes_that_the_engine_will_never_take_become_an_incident() {
    let gateway = DevGateway::start().await.unwrap();
    gateway.faults().refuse(Rpc::FailJob, 1, &Status::unknown("EXCEEDED_BATCH_RECORD_SIZE"));
    let worker = Setup::of(&gateway).run_ready(parking_once).await;
    let key = gateway.create_job(new_job());
    let job = soon(gateway.finished(key)).await;
    assert_eq!((job.state, job.retries), (JobState::Incident, 0));
    assert!(job.error_message.unwrap().contains("too large for the engine"));
    let summary = worker.drain().await;
    assert_eq!((summary.parked, summary.failed), (0, 1));
}
