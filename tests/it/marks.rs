//! At most once, across crashes too: what becomes of a plain create whose worker dies, and of its mark on the engine.

use std::time::Duration;

use salesforce_connector::config::Config;
use salesforce_connector_dev::{
    gateway::{DevGateway, JobEventKind, JobRecord, JobState, NewJob, Rpc},
    org::{DevOrg, Fault, FaultRule, Gate, Reply},
};
use serde_json::{Value, json};
use tonic::Status;

use crate::support::{House, job, strike};

const STATE: &str = "salesforceState";

/// Locks that run out soon, and calls that are shorter.
fn quick(config: &mut Config) {
    config.worker.job_timeout = Duration::from_secs(4);
    config.connector.request_timeout = Duration::from_secs(3);
    config.connector.retry_backoff = Duration::from_millis(50);
}

fn patient(config: &mut Config) {
    quick(config);
    config.connector.request_timeout = Duration::from_secs(10);
}

fn create() -> NewJob {
    job(json!({"type": "createRecord", "objectType": "Account", "body": {"Name": "Acme"}}))
}

fn accounts(org: &DevOrg) -> usize {
    org.records("Account").len()
}

/// How often the org was asked to create, whatever it did.
fn posts(org: &DevOrg) -> usize {
    org.requests().iter().filter(|request| request.path.ends_with("/sobjects/Account")).count()
}

/// The worker dies; its doubles live on.
async fn killed(house: House) -> (DevOrg, DevGateway) {
    house.stop.abort.cancel();
    let (_, gateway, org) = house.drain().await;
    (org, gateway)
}

/// The job stands in an incident that says that nobody knows whether it was done, and has no mark any more.
fn assert_unknown(record: &JobRecord) {
    assert_eq!((record.state, record.retries), (JobState::Incident, 0), "{record:#?}");
    assert_eq!(record.local_variables["error"]["code"], "OUTCOME_UNKNOWN", "{record:#?}");
    assert_eq!(record.local_variables[STATE], Value::Null);
}

fn marks_set(record: &JobRecord) -> usize {
    record.history.iter().filter(|event| event.kind == JobEventKind::VariablesSet { local: true }).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_create_leaves_its_mark_in_the_tasks_own_scope_and_nothing_in_the_process() {
    let house = House::start().await;
    let key = house.gateway.create_job(create().headers([("resultVariable", "r")]));
    let record = house.gateway.finished(key).await;
    assert_eq!((record.state, marks_set(&record)), (JobState::Completed, 1));
    let sent = &record.local_variables[STATE]["sent"];
    assert_eq!(
        (&sent["operation"], &sent["request"], &sent["jobKey"]),
        (
            &json!("createRecord"),
            &json!("POST /services/data/v67.0/sobjects/Account"),
            &json!(key.to_string())
        )
    );
    assert!(sent["at"].as_str().unwrap().ends_with('Z'), "{sent}");
    assert!(!record.variables.contains_key(STATE) && !record.result.unwrap().contains_key(STATE));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_be_repeated_leaves_no_mark() {
    let house = House::start().await;
    let upsert = json!({"type": "upsertRecord", "objectType": "Account", "externalIdField": "External_Key__c",
                        "externalId": "k", "body": {"Name": "Acme"}});
    for operation in [json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"}), upsert] {
        let record = house.run(operation, &[]).await;
        assert_eq!((record.state, marks_set(&record)), (JobState::Completed, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_create_that_was_done_before_its_worker_died_is_not_done_again_unasked() {
    let house = House::start_with(quick).await;
    let answer = Gate::new();
    strike(&house.org, "POST", "/sobjects/Account", Fault::HoldAfter(answer.clone()));
    let key = house.gateway.create_job(create());
    answer.held(1).await;
    let (org, gateway) = killed(house).await;
    assert_eq!(accounts(&org), 1);

    let house = House::start_between(org, gateway, quick).await;
    let record = house.gateway.finished(key).await;
    assert_unknown(&record);
    let message = record.error_message.unwrap();
    for words in [
        "Create record failed with OUTCOME_UNKNOWN: POST /services/data/v67.0/sobjects/Account was sent at ",
        "by a worker that died, or lost the job, before it knew the outcome",
        "SELECT Id, CreatedDate FROM Account WHERE",
        "Resolve the incident only where it was not carried out: that sends it again.",
        "upsertRecord",
    ] {
        assert!(message.contains(words), "{words:?} is missing in: {message}");
    }
    assert_eq!((posts(&house.org), accounts(&house.org)), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_dies_between_mark_and_write_leaves_an_incident_and_its_resolution_sends_the_write() {
    let house = House::start_with(quick).await;
    let held = house.gateway.faults().hold_reply(Rpc::SetVariables);
    let key = house.gateway.create_job(create());
    held.reached().await;
    let (org, gateway) = killed(house).await;
    held.release();

    let house = House::start_between(org, gateway, quick).await;
    assert_unknown(&house.gateway.finished(key).await);
    assert_eq!(posts(&house.org), 0);

    assert!(house.gateway.resolve_incident(key, 1));
    let record = house.gateway.job_when(key, |job| job.state == JobState::Completed).await;
    assert_eq!((accounts(&house.org), marks_set(&record)), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_dies_before_its_mark_leaves_a_job_that_is_simply_done() {
    let house = House::start_with(quick).await;
    let held = house.gateway.faults().hold(Rpc::SetVariables);
    let key = house.gateway.create_job(create());
    held.reached().await;
    let (org, gateway) = killed(house).await;
    let house = House::start_between(org, gateway, quick).await;
    assert_eq!(house.gateway.finished(key).await.state, JobState::Completed);
    assert_eq!((posts(&house.org), accounts(&house.org)), (1, 1));
    drop(held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_mark_nothing_is_sent_and_the_job_is_tried_again() {
    let house = House::start_with(quick).await;
    house.gateway.faults().refuse(Rpc::SetVariables, 1, &Status::permission_denied("no"));
    let key = house.gateway.create_job(create());
    let failed = house.gateway.job_when(key, |job| job.failures() == [2]).await;
    let message = failed.error_message.unwrap();
    assert!(message.contains("MARK_NOT_SET") && message.contains("not sent"), "{message}");
    let record = house.gateway.finished(key).await;
    assert_eq!((record.state, posts(&house.org)), (JobState::Completed, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_mark_that_may_stand_or_not_nothing_is_sent_and_the_failure_takes_it_back() {
    let house = House::start_with(quick).await;
    house.gateway.faults().lose_reply(Rpc::SetVariables, 10_000, &Status::cancelled("lost"));
    let key = house.gateway.create_job(create());
    let failed = house.gateway.job_when(key, |job| job.failures() == [2]).await;
    assert!(marks_set(&failed) > 0 && failed.local_variables[STATE].is_null());
    assert!(failed.error_message.unwrap().contains("MARK_NOT_SET"));
    assert_eq!(posts(&house.org), 0);
    house.gateway.faults().clear();
    let record = house.gateway.finished(key).await;
    assert_eq!((record.state, posts(&house.org)), (JobState::Completed, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mark_that_the_engine_sets_too_late_is_a_false_alarm_and_never_a_second_record() {
    let house = House::start_with(quick).await;
    house.gateway.faults().lose_reply(Rpc::SetVariables, 10_000, &Status::cancelled("lost"));
    let key = house.gateway.create_job(create().headers([("retryBackoff", "PT3S")]));
    let marked = house.gateway.job_when(key, |job| job.local_variables.contains_key(STATE)).await;
    let late = marked.local_variables;
    let failed = house.gateway.job_when(key, |job| job.failures() == [2]).await;
    assert!(failed.error_message.unwrap().contains("MARK_NOT_SET"));
    assert!(house.gateway.set_variables(key, late));
    assert_unknown(&house.gateway.finished(key).await);
    assert_eq!(posts(&house.org), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_may_take_longer_than_the_lock_has_it_renewed_first() {
    let house = House::start_with(patient).await;
    let key = house.gateway.create_job(create());
    let record = house.gateway.finished(key).await;
    assert_eq!(record.state, JobState::Completed);
    let events: Vec<_> = record.history.iter().map(|event| &event.kind).collect();
    let [.., JobEventKind::TimeoutUpdated { timeout }, JobEventKind::VariablesSet { local: true }, _] =
        events[..]
    else {
        panic!("{events:?}")
    };
    assert!(*timeout >= Duration::from_secs(11), "{timeout:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_whose_lock_cannot_be_renewed_for_now_rests_and_keeps_its_retries() {
    let house = House::start_with(patient).await;
    house.gateway.faults().refuse(Rpc::UpdateJobTimeout, 3, &Status::unavailable("no leader"));
    let key = house.gateway.create_job(create());
    let failed = house.gateway.job_when(key, |job| job.failures() == [3]).await;
    assert_eq!((marks_set(&failed), posts(&house.org)), (0, 0));
    let message = failed.error_message.unwrap();
    assert!(message.contains("unchanged retries, to be taken again after 5s"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_is_lost_before_its_write_is_left_to_whoever_has_it() {
    for status in [Status::not_found("gone"), Status::failed_precondition("it is not active")] {
        let house = House::start_with(patient).await;
        house.gateway.faults().refuse(Rpc::UpdateJobTimeout, 1, &status);
        let key = house.gateway.create_job(create());
        let record = house.gateway.finished(key).await;
        assert_eq!((record.state, record.activations(), record.failures()), (JobState::Completed, 2, vec![]));
        assert_eq!((posts(&house.org), accounts(&house.org)), (1, 1));
        let (summary, ..) = house.drain().await;
        assert_eq!((summary.superseded, summary.completed), (1, 1), "{summary}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_definite_refusal_takes_the_mark_back_whether_or_not_the_job_is_tried_again() {
    let busy = Reply::error(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access");
    let limit = Reply::error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.");
    let refused = Reply::error(400, "INVALID_FIELD", "no such column");
    for (reply, times, comes_again) in [(refused, 1, true), (busy, 3, true), (limit, 1, false)] {
        let house = House::start_with(quick).await;
        let rule = FaultRule::new(Fault::Respond(reply)).method("POST").path("/sobjects/").times(times);
        house.org.faults().add(rule);
        let key = house.gateway.create_job(create().headers([("retryBackoff", "PT0.05S")]));
        let failed = house.gateway.job_when(key, |job| !job.failures().is_empty()).await;
        assert!(marks_set(&failed) > 0);
        assert_eq!(failed.local_variables[STATE], Value::Null);
        if failed.state == JobState::Incident {
            assert!(house.gateway.resolve_incident(key, 1));
        }
        // A throttled org is asked again after a minute.
        if comes_again {
            house.gateway.wait_until(|account| account.completed == 1).await;
            assert_eq!(accounts(&house.org), 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_expression_takes_the_mark_back_too_whatever_it_decides() {
    let taken = Reply::error(400, "DUPLICATE_VALUE", "duplicate value found");
    for (expression, state) in [
        ("=jobError(\"later\", {}, 2)", JobState::Completed),
        ("=jobError(\"never\")", JobState::Incident),
        ("=bpmnError(\"taken\", \"it is there already\")", JobState::ErrorThrown),
        ("=\"no decision\"", JobState::Incident),
    ] {
        let house = House::start_with(quick).await;
        strike(&house.org, "POST", "/sobjects/Account", Fault::Respond(taken.clone()));
        let expression = format!("=if error = null then null else {}", &expression[1..]);
        let key = house.gateway.create_job(create().headers([("errorExpression", expression.as_str())]));
        let record = house.gateway.finished(key).await;
        assert_eq!(record.state, state, "{record:#?}");
        if state != JobState::Completed {
            assert_eq!(record.local_variables[STATE], Value::Null);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bpmn_error_that_nobody_catches_leaves_a_job_that_can_be_sent_again() {
    let house = House::start_with(quick).await;
    let taken = Reply::error(400, "DUPLICATE_VALUE", "duplicate value found");
    strike(&house.org, "POST", "/sobjects/Account", Fault::Respond(taken));
    let key = house.gateway.create_job(create().headers([("bpmnErrors", "business")]).without_error_event());
    let thrown = house.gateway.finished(key).await;
    assert_eq!(
        (thrown.state, thrown.error_code.as_deref()),
        (JobState::ErrorThrown, Some("DUPLICATE_VALUE"))
    );
    assert!(!thrown.result.unwrap().contains_key(STATE), "it is no variable of the error");
    assert!(house.gateway.resolve_incident(key, 1));
    house.gateway.job_when(key, |job| job.state == JobState::Completed).await;
    assert_eq!(accounts(&house.org), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_may_catch_that_the_outcome_is_unknown() {
    let house = House::start_with(quick).await;
    let held = house.gateway.faults().hold_reply(Rpc::SetVariables);
    let key = house.gateway.create_job(create().headers([("bpmnErrors", "OUTCOME_UNKNOWN")]));
    held.reached().await;
    let (org, gateway) = killed(house).await;
    held.release();
    let house = House::start_between(org, gateway, quick).await;
    let record = house.gateway.finished(key).await;
    assert_eq!(record.error_code.as_deref(), Some("OUTCOME_UNKNOWN"), "{record:#?}");
    assert_eq!((posts(&house.org), &record.local_variables[STATE]), (0, &Value::Null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_variable_of_the_process_with_the_same_name_is_no_mark() {
    let house = House::start().await;
    let sent = |key: &str| {
        json!({"sent": {"at": "2026-01-01T00:00:00Z", "operation": "createRecord",
                        "request": "POST /services/data/v67.0/sobjects/Account", "jobKey": key}})
    };
    let request = json!({"connection": {"name": "dev"},
                         "operation": {"type": "createRecord", "objectType": "Account", "body": {"Name": "A"}}});
    for state in [sent("2251799813685249"), json!("open"), json!({"sent": true}), json!(null), json!([1])] {
        let variables = json!({"salesforceRequest": request, STATE: state});
        let key = house.gateway.create_job(create().variables(variables));
        assert_eq!(house.gateway.finished(key).await.state, JobState::Completed, "{state}");
    }
    assert_eq!(accounts(&house.org), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_create_that_outlives_the_grace_period_is_an_incident_at_once_and_is_not_handed_back() {
    let house = House::start_with(|config| {
        quick(config);
        config.connector.request_timeout = Duration::from_secs(30);
        config.worker.shutdown_grace = Duration::from_millis(50);
    })
    .await;
    let answer = Gate::new();
    strike(&house.org, "POST", "/sobjects/Account", Fault::HoldAfter(answer.clone()));
    let key = house.gateway.create_job(create());
    answer.held(1).await;
    let (summary, gateway, org) = house.drain().await;
    assert_eq!((summary.failed, summary.handed_back), (1, 0), "{summary}");
    let record = gateway.job(key).unwrap();
    assert_unknown(&record);
    let message = record.error_message.unwrap();
    assert!(message.ends_with("The worker was shut down before it knew the outcome."), "{message}");
    assert_eq!(accounts(&org), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_that_the_engine_does_not_take_leaves_no_mark_behind() {
    let house = House::start().await;
    let status = Status::unknown("rejected with code 'EXCEEDED_BATCH_RECORD_SIZE'");
    house.gateway.faults().refuse(Rpc::CompleteJob, 1, &status);
    let record = house.gateway.finished(house.gateway.create_job(create())).await;
    assert_eq!((record.state, &record.local_variables[STATE]), (JobState::Incident, &Value::Null));
    assert!(record.error_message.unwrap().contains("The job was done"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_wants_the_speed_gets_no_marks_and_a_second_record_when_a_worker_dies() {
    let unmarked = |config: &mut Config| {
        quick(config);
        config.connector.mark_unsafe_writes = false;
    };
    let house = House::start_with(unmarked).await;
    let answer = Gate::new();
    strike(&house.org, "POST", "/sobjects/Account", Fault::HoldAfter(answer.clone()));
    let key = house.gateway.create_job(create());
    answer.held(1).await;
    let (org, gateway) = killed(house).await;
    let house = House::start_between(org, gateway, unmarked).await;
    let record = house.gateway.finished(key).await;
    assert_eq!((record.state, marks_set(&record)), (JobState::Completed, 0));
    assert_eq!(accounts(&house.org), 2);
}
