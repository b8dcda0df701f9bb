//! A stop under load: every job is completed or handed back, and the counts add up.

use std::time::Duration;

use salesforce_connector_dev::gateway::JobState;
use serde_json::json;

use crate::support::{House, hold, job};

/// What the gateway may have sent into a stream that is being closed: its buffer and one receive window of small jobs.
const UNREAD: usize = 200;

fn query(_: usize) -> salesforce_connector_dev::gateway::NewJob {
    job(json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"}))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gentle_stop_under_load_completes_or_hands_back_every_job() {
    const JOBS: usize = 2_000;
    // A push in the very moment in which the stream is closed is not read; its lock, short here, runs out by itself.
    let house = House::start_with(|config| config.worker.job_timeout = Duration::from_secs(5)).await;
    house.gateway.create_jobs((0..JOBS).map(query));
    house.gateway.wait_until(|account| account.completed >= 200).await;
    let (summary, gateway, _org) = house.drain().await;
    let stopped = gateway.account();
    assert!(stopped.activated_now <= UNREAD, "more than a moment's pushes were left behind: {stopped:?}");
    gateway.wait_until(|account| account.activated_now == 0).await;

    let jobs = gateway.jobs();
    let count = |state: JobState| jobs.iter().filter(|job| job.state == state).count();
    let (completed, left) = (count(JobState::Completed), count(JobState::Activatable));
    assert_eq!(completed + left, JOBS, "a job is neither completed nor activatable again");
    assert_eq!(summary.completed, completed as u64, "{summary}");
    assert!(jobs.iter().all(|job| job.retries == 3), "a job that was handed back lost a retry");
    assert!(jobs.iter().filter(|job| job.state == JobState::Completed).all(|job| job.activations() >= 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_outlives_the_grace_period_is_handed_back_with_its_retries() {
    let house = House::start_with(|config| config.worker.shutdown_grace = Duration::from_millis(50)).await;
    let hold = hold(&house.org, "GET", "/query");
    let key = house.gateway.create_job(query(0));
    hold.held(1).await;
    let (summary, gateway, _org) = house.drain().await;
    let record = gateway.job(key).unwrap();
    assert_eq!((record.state, record.retries), (JobState::Activatable, 3), "{record:?}");
    assert_eq!((summary.handed_back, summary.completed), (1, 0), "{summary}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_ends_within_the_grace_period_is_completed() {
    let house = House::start().await;
    let hold = hold(&house.org, "GET", "/query");
    let key = house.gateway.create_job(query(0));
    hold.held(1).await;
    house.stop.drain.cancel();
    hold.open();
    let record = house.gateway.finished(key).await;
    assert_eq!(record.state, JobState::Completed);
    let (summary, _, _) = house.drain().await;
    assert_eq!((summary.completed, summary.handed_back), (1, 0), "{summary}");
}
