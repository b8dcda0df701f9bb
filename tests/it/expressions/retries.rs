//! T1–T9: retries and rests that headers ask for.

use std::time::Duration;

use salesforce_connector_dev::{
    gateway::{JobState, Rpc},
    org::{Fault, FaultRule, Reply},
};
use serde_json::json;

use super::{answered, failed, read};
use crate::{
    handler::{Bench, code},
    support::{House, job},
};

#[tokio::test]
async fn t01_a_failure_that_passes_takes_one_retry_and_rests_as_modelled() {
    for (text, rest) in [("PT1M", Duration::from_mins(1)), ("P1D", Duration::from_hours(24))] {
        let failure = failed(locked(&[("retryBackoff", text)]).await);
        assert_eq!((failure.retries, failure.backoff), (2, rest));
    }
}

/// What becomes of a read of which the answer is always that a row is locked.
async fn locked(headers: &[(&str, &str)]) -> salesforce_connector::zeebe::Outcome {
    let bench = Bench::start().await;
    let reply = Reply::error(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access");
    bench.org.faults().add(FaultRule::new(Fault::Respond(reply)).path("/sobjects").times(usize::MAX));
    bench.run(read(), headers).await
}

/// Upstream a blank header is a mistake; here it is no header, as with all others.
#[tokio::test]
async fn t02_a_rest_that_is_no_duration_is_refused_before_the_call() {
    let bench = Bench::start().await;
    for text in ["P1D1S", "NOT_A_VALID_DURATION"] {
        let failure = bench.failure(read(), &[("retryBackoff", text)]).await;
        assert_eq!((code(&failure), failure.retries, failure.backoff), ("INVALID_INPUT", 0, Duration::ZERO));
        assert!(
            failure.message.contains("retryBackoff: expected an ISO 8601 duration"),
            "{}",
            failure.message
        );
    }
    assert_eq!(bench.org.requests().len(), 0);
    assert_eq!(failed(locked(&[("retryBackoff", "")]).await).retries, 2);
}

/// Upstream there is no rest; here there is one that grows.
#[tokio::test]
async fn t03_without_the_header_a_failure_rests_by_default() {
    let failure = failed(locked(&[]).await);
    assert_eq!((failure.retries, failure.backoff), (2, Duration::from_secs(10)));
}

#[tokio::test]
async fn t04_a_wrong_input_is_not_tried_again() {
    let bench = Bench::start().await;
    let failure = bench.failure(json!({"type": "getRecord"}), &[("retryBackoff", "PT1M")]).await;
    assert_eq!((code(&failure), failure.retries), ("INVALID_INPUT", 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t05_the_lock_is_set_before_the_call() {
    let house = House::start().await;
    let record = house
        .run(json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"}), &[("jobTimeout", "PT10M")])
        .await;
    assert_eq!(record.state, JobState::Completed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t06_a_lock_that_cannot_be_is_refused_before_the_call() {
    let house = House::start().await;
    for text in [
        "not-a-duration",
        "PT0S",
        "P0D",
        "PT-10M",
        "PT0.000000001S",
        "PT9999999999999999S",
        "PT9223372036854775S",
    ] {
        let record = house.run(read(), &[("jobTimeout", text)]).await;
        assert_eq!((record.state, record.retries), (JobState::Incident, 0), "{text}");
        assert!(record.error_message.unwrap().contains("jobTimeout"), "{text}");
    }
    assert_eq!(house.org.requests().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t07_a_lock_that_cannot_be_set_just_now_does_not_stop_the_job() {
    let house = House::start().await;
    let status = tonic::Status::unavailable("no leader");
    house.gateway.faults().refuse(Rpc::UpdateJobTimeout, 1, &status);
    let query = json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"});
    assert_eq!(house.run(query, &[("jobTimeout", "PT10M")]).await.state, JobState::Completed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t08_a_task_of_two_attempts_is_tried_twice() {
    let house = House::start().await;
    let reply = Reply::error(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access");
    house.org.faults().add(FaultRule::new(Fault::Respond(reply)).path("/sobjects").times(usize::MAX));
    let key = house.gateway.create_job(job(read()).retries(2).headers([("retryBackoff", "PT0S")]));
    let record = house.gateway.finished(key).await;
    assert_eq!((record.state, record.activations()), (JobState::Incident, 2));
}

#[tokio::test]
async fn t09_months_weeks_and_years_are_no_rest() {
    let bench = Bench::start().await;
    for text in ["P1M", "P1W", "P1Y"] {
        assert_eq!(code(&bench.failure(read(), &[("retryBackoff", text)]).await), "INVALID_INPUT", "{text}");
    }
    let failure =
        failed(answered(200, "{}", &[("errorExpression", "= jobError(\"m\", {}, 1, @\"PT1S\")")]).await);
    assert_eq!(failure.backoff, Duration::from_secs(1));
}
