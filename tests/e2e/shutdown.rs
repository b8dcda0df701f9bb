//! SIGTERM, and what becomes of one job; `load.rs` has it under load.

use serde_json::json;

use crate::{House, ServiceTask};

/// A query that the org holds, in the hands of a worker.
fn query() -> ServiceTask {
    ServiceTask::new("query")
        .field("soqlQuery", "SELECT Id, Name FROM Account")
        .header("resultVariable", "accounts")
        .header("resultContent", "records")
}

#[tokio::test]
async fn a_job_that_outlives_the_grace_period_is_handed_back_with_its_retries() {
    let mut house = House::open("hand-back").await;
    house.configure("WORKER__SHUTDOWN_GRACE", "1s");
    // Long enough that only the handing back can free the job.
    house.configure("WORKER__JOB_TIMEOUT", "10m");
    house.deploy(&query()).await;
    let held = house.hold("GET", "/query", 1);
    let first = house.worker();
    let instance = house.create(&json!({})).await;
    held.held(1).await;

    first.terminate().await;
    assert!(first.ended().await.success());

    house.records.failed_job(instance, 3).await;
    let _second = house.worker();
    house.records.completed(&[instance]).await;
    assert_eq!(house.records.timed_out_jobs(&house.job_type), 0);
}

#[tokio::test]
async fn a_second_signal_ends_the_worker_at_once() {
    let mut house = House::open("second-signal").await;
    house.configure("WORKER__SHUTDOWN_GRACE", "10m");
    house.deploy(&query()).await;
    let held = house.hold("GET", "/query", 1);
    let first = house.worker();
    let running = house.start(json!({}));
    held.held(1).await;

    // Two different ones: two of a kind may arrive as one.
    first.terminate().await;
    first.interrupt().await;
    first.ended().await;

    let _second = house.worker();
    let variables = house.finish(running).await;
    assert_eq!(variables["accounts"], json!([]));
}
