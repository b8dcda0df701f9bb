//! A bulk job whose worker is killed on the way: its data is processed once, wherever that happens.
//!
//! What the org logged says how many jobs were made and how often data was uploaded. A second upload comes only where the
//! first was under way and nobody can know how far it came: then to another job, after the first was given up for good.

use std::collections::HashSet;

use salesforce_connector_dev::org::Gate;
use serde_json::json;

use crate::{House, ServiceTask};

const RECORDS: usize = 10_000;

/// A task that creates ten thousand records. It is an insert, so that doing anything twice shows.
fn insert() -> ServiceTask {
    ServiceTask::new("bulkRun")
        .field("objectType", "Account")
        .field("bulkOperation", "insert")
        .field("records", &format!("=for i in 1..{RECORDS} return {{Name: \"A\" + string(i)}}"))
        .field("results", "all")
        .header("resultExpression", "={saved: body.succeeded, told: count(body.results)}")
}

/// A house whose workers hold short locks, so that what a killed one held is soon given to another.
async fn open(name: &str) -> House {
    let mut house = House::open(name).await;
    house.configure("WORKER__JOB_TIMEOUT", "10s");
    house.configure("SALESFORCE__REQUEST_TIMEOUT", "8s");
    house.configure("JOBS__BULK_WAIT", "1s");
    house.deploy(&insert()).await;
    house
}

/// How many bulk jobs were made, how many were given up, and how often data was uploaded, refused or not.
fn account(house: &House) -> (usize, usize, usize) {
    let jobs = house.org.bulk().list();
    let given_up = jobs.iter().filter(|job| job["state"] == "Aborted").count();
    let requests = house.org.requests();
    let uploads = requests.iter().filter(|request| request.method == "PUT");
    (jobs.len(), given_up, uploads.count())
}

fn assert_done_once(house: &House) {
    let accounts = house.org.records("Account");
    let names: HashSet<String> = accounts.iter().map(|account| account["Name"].to_string()).collect();
    assert_eq!((accounts.len(), names.len()), (RECORDS, RECORDS), "each record is there once");
}

/// Kills the worker when a request is held, and lets a second one finish.
async fn killed_at(name: &str, hold: impl FnOnce(&House) -> Gate) -> (usize, usize, usize) {
    let mut house = open(name).await;
    let gate = hold(&house);
    let first = house.worker();
    let running = house.start(json!({}));
    gate.held(1).await;

    first.kill().await;
    let _second = house.worker();

    let variables = house.finish(running).await;
    assert_eq!(variables["saved"], RECORDS, "{variables}");
    // What was on the way all the time comes to the org after all.
    gate.open();
    let account = account(&house);
    assert_done_once(&house);
    account
}

#[tokio::test]
async fn killed_while_the_job_is_made_it_makes_another() {
    let after = killed_at("bulk-made", |house| house.hold_answer("POST", "/jobs/ingest")).await;
    assert_eq!(after, (2, 0, 1), "the first stays empty");
}

#[tokio::test]
async fn killed_before_the_data_arrives_it_gives_the_job_up_and_uploads_to_another() {
    let after = killed_at("bulk-uploading", |house| house.hold("PUT", "/batches", 1)).await;
    assert_eq!(after, (2, 1, 2), "the late upload is refused");
}

#[tokio::test]
async fn killed_before_it_knows_that_the_data_arrived_it_gives_the_job_up_and_uploads_to_another() {
    let after = killed_at("bulk-uploaded", |house| house.hold_answer("PUT", "/batches")).await;
    assert_eq!(
        after,
        (2, 1, 2),
        "nobody can ask whether an open job has its data; nothing comes of the first"
    );
}

#[tokio::test]
async fn killed_while_it_tells_the_job_to_begin_it_goes_on_with_the_same_job() {
    for (done, name) in [(false, "bulk-closing"), (true, "bulk-closed")] {
        let after = killed_at(name, |house| {
            if done {
                house.hold_answer("PATCH", "/jobs/ingest/")
            } else {
                house.hold("PATCH", "/jobs/ingest/", 1)
            }
        });
        assert_eq!(after.await, (1, 0, 1), "{name}");
    }
}

#[tokio::test]
async fn killed_while_it_looks_or_reads_the_rows_it_goes_on_with_the_same_job() {
    for (path, name) in [("/jobs/ingest/750", "bulk-looking"), ("/successfulResults", "bulk-reading")] {
        let after = killed_at(name, |house| house.hold("GET", path, 1)).await;
        assert_eq!(after, (1, 0, 1), "{name}");
    }
}

#[tokio::test]
async fn killed_while_the_job_rests_in_the_engine_another_worker_takes_it_up_when_the_bulk_job_is_done() {
    let mut house = open("bulk-resting").await;
    house.org.bulk().hold();
    let first = house.worker();
    let instance = house.create(&json!({})).await;
    // Given back with unchanged retries: the worker holds nothing any more.
    house.records.failed_job(instance, 3).await;
    first.kill().await;
    house.org.bulk().release();
    let _second = house.worker();
    house.records.completed(&[instance]).await;
    assert_eq!(account(&house), (1, 0, 1));
    assert_done_once(&house);
}

#[tokio::test]
async fn stopped_gently_during_the_upload_it_hands_the_job_back_with_its_note() {
    let mut house = open("bulk-stopped").await;
    house.configure("WORKER__SHUTDOWN_GRACE", "1s");
    let held = house.hold("PUT", "/batches", 1);
    let first = house.worker();
    let running = house.start(json!({}));
    held.held(1).await;
    first.terminate().await;
    first.ended().await;
    let _second = house.worker();
    let variables = house.finish(running).await;
    assert_eq!(variables["saved"], RECORDS, "{variables}");
    held.open();
    assert_eq!(account(&house), (2, 1, 2));
    assert_done_once(&house);
}
