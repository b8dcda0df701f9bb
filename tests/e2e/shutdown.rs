//! SIGTERM under load.

use std::{collections::HashSet, ops::Range};

use futures_util::{StreamExt as _, stream};
use serde_json::json;

use crate::{House, ServiceTask};

/// Instances, each of which creates one record.
const INSTANCES: usize = 200;

/// Jobs that a worker has in hand; small, so that most jobs still wait when it is told to end.
const IN_HAND: usize = 8;

/// Starts the instances with these numbers; answers their keys.
async fn create(house: &House, numbers: Range<usize>) -> Vec<i64> {
    let create = async |number: usize| house.create(&json!({ "name": format!("Account {number}") })).await;
    stream::iter(numbers).map(create).buffer_unordered(IN_HAND).collect().await
}

#[tokio::test]
async fn a_worker_that_is_terminated_under_load_loses_and_doubles_nothing() {
    let mut house = House::open("terminate").await;
    house.configure("WORKER__MAX_JOBS_ACTIVE", &IN_HAND.to_string());
    // The org answers nothing before all jobs in hand have called it.
    house.configure("SALESFORCE__SLOW_ORG_SHARE", "1");
    // Its locks do not run out while the org holds its calls.
    house.configure("WORKER__JOB_TIMEOUT", "20s");
    // The plain create: what cannot be repeated shows what is done twice.
    let task = ServiceTask::new("createRecord").field("objectType", "Account").field("body", "={Name: name}");
    house.deploy(&task).await;
    let held = house.hold("POST", "/sobjects/Account", 2 * IN_HAND);
    let mut instances = create(&house, 0..INSTANCES / 2).await;
    let (first, second) = (house.worker(), house.worker());
    held.held(2 * IN_HAND).await;

    first.terminate().await;
    held.open();
    instances.extend(create(&house, INSTANCES / 2..INSTANCES).await);

    assert!(first.ended().await.success());
    house.records.completed(&instances).await;
    let accounts = house.org.records("Account");
    let names: HashSet<_> = accounts.iter().map(|account| account["Name"].to_string()).collect();
    assert_eq!((names.len(), accounts.len()), (INSTANCES, INSTANCES));
    assert_eq!(house.org.counters().tokens_issued, 2, "one login for each worker");
    second.terminate().await;
    assert!(second.ended().await.success());
}

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
