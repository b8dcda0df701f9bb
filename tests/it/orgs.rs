//! Orgs that are slow or over their limit, through the whole house: their jobs wait, those of other orgs do not.

use std::time::Duration;

use salesforce_connector::connector::{ConnectionAuthentication, NamedConnection};
use salesforce_connector_dev::{
    gateway::{Account, JobState, NewJob},
    org::{DevOrg, Fault, FaultRule, Gate, Reply},
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::{House, JOB_TYPE};

const STATE: &str = "salesforceState";

fn create(connection: &str, number: usize) -> NewJob {
    let operation =
        json!({"type": "createRecord", "objectType": "Account", "body": {"Name": format!("A{number}")}});
    let request = json!({"connection": {"name": connection}, "operation": operation});
    NewJob::new(JOB_TYPE).variables(json!({"salesforceRequest": request}))
}

/// Lets this much time pass at once.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Lets rests end until all jobs have.
async fn all_finished(house: &House) -> Account {
    for _ in 0..20 {
        pass(Duration::from_secs(20)).await;
        if let Ok(account) = timeout(Duration::from_secs(2), house.gateway.all_finished()).await {
            return account;
        }
    }
    panic!("{:#?}", house.gateway.account())
}

/// The names of the records, each once or there is one too many.
fn names(org: &DevOrg) -> Vec<String> {
    let mut names: Vec<_> =
        org.records("Account").iter().map(|one| one["Name"].as_str().unwrap().to_owned()).collect();
    names.sort_unstable();
    names
}

fn expected_names(numbers: std::ops::Range<usize>) -> Vec<String> {
    let mut names: Vec<_> = numbers.map(|number| format!("A{number}")).collect();
    names.sort_unstable();
    names
}

fn posts(org: &DevOrg) -> usize {
    org.requests().iter().filter(|request| request.path.ends_with("/sobjects/Account")).count()
}

/// All jobs are completed, and none has lost a retry on the way.
fn assert_done_with_all_retries(house: &House) {
    for job in house.gateway.jobs() {
        assert_eq!((job.state, job.retries), (JobState::Completed, 3), "{job:#?}");
        assert!(job.failures().iter().all(|retries| *retries == 3), "{job:#?}");
    }
}

#[tokio::test]
async fn an_org_that_hangs_has_its_share_and_the_jobs_of_another_go_on() {
    const SHARE: usize = 4;
    let slow = DevOrg::start().await.unwrap();
    let url = slow.base_url();
    let house = House::start_with(|config| {
        config.worker.max_jobs_active = 12;
        config.connector.transport.slow_org_share = SHARE;
        config.connector.transport.max_wait = Duration::from_millis(200);
        let login = ConnectionAuthentication::client_credentials("dev-client", "dev-secret");
        config.connector.connections.insert("slow".to_owned(), NamedConnection::new(url, login));
    })
    .await;
    let gate = Gate::new();
    let hang = FaultRule::new(Fault::Hold(gate.clone())).method("POST").path("/sobjects").times(usize::MAX);
    slow.faults().add(hang);

    // A burst that would take all permits before anybody knows that the org hangs.
    house.gateway.create_jobs((0..20).map(|number| create("slow", number)));
    gate.held(SHARE).await;
    let others = house.gateway.create_jobs((20..30).map(|number| create("dev", number)));
    for key in others {
        assert_eq!(house.gateway.finished(key).await.state, JobState::Completed);
    }
    let account = house.gateway.wait_until(|account| account.backing_off == 20 - SHARE).await;
    assert_eq!((account.completed, account.activated_now), (10, SHARE), "{account:#?}");
    assert_eq!((posts(&slow), names(&slow).len()), (SHARE, 0), "the others were not sent");

    gate.open();
    house.gateway.wait_until(|account| account.completed == 10 + SHARE).await;
    let account = all_finished(&house).await;
    assert_eq!((account.completed, account.incidents), (30, 0));
    assert_done_with_all_retries(&house);
    assert_eq!((names(&slow), posts(&slow)), (expected_names(0..20), 20), "each once");
    assert_eq!(names(&house.org), expected_names(20..30));
}

#[tokio::test]
async fn the_only_org_may_have_all_permits_once_it_has_answered() {
    let house = House::start_with(|config| {
        config.worker.max_jobs_active = 12;
        config.connector.transport.slow_org_share = 4;
    })
    .await;
    let first = house.gateway.create_job(create("dev", 0));
    house.gateway.finished(first).await;
    let gate = Gate::new();
    let hold = FaultRule::new(Fault::Hold(gate.clone())).method("POST").path("/sobjects").times(8);
    house.org.faults().add(hold);
    house.gateway.create_jobs((1..9).map(|number| create("dev", number)));
    gate.held(8).await;
    gate.open();
    house.gateway.all_finished().await;
    assert_done_with_all_retries(&house);
}

#[tokio::test]
async fn jobs_wait_while_an_org_is_over_its_limit_and_all_are_done_when_it_is_well_again() {
    const JOBS: usize = 30;
    let house = House::start_with(|config| config.worker.max_jobs_active = 4).await;
    let limit = Reply::error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.");
    let rule = FaultRule::new(Fault::Respond(limit)).path("/sobjects").times(usize::MAX);
    house.org.faults().add(rule);
    house.gateway.create_jobs((0..JOBS).map(|number| create("dev", number)));
    house.gateway.wait_until(|account| account.backing_off == JOBS).await;
    let met = posts(&house.org);
    assert!((1..=4).contains(&met), "{met}: only those that were under way");
    // The pause lasts 48 s at least; who was called had left a mark, and has taken it back.
    pass(Duration::from_secs(40)).await;
    assert_eq!(house.gateway.account().backing_off, JOBS);
    let marked: Vec<_> =
        house.gateway.jobs().into_iter().filter(|job| job.local_variables.contains_key(STATE)).collect();
    assert_eq!(marked.len(), met);
    assert!(marked.iter().all(|job| job.local_variables[STATE] == Value::Null), "{marked:#?}");

    // One probe, which meets the limit, and the next pause is longer.
    for _ in 0..20 {
        pass(Duration::from_secs(5)).await;
        if timeout(Duration::from_millis(200), wait_for_posts(&house, met + 1)).await.is_ok() {
            break;
        }
    }
    house.gateway.wait_until(|account| account.backing_off == JOBS).await;
    assert_eq!(posts(&house.org), met + 1, "the probe, and nobody else");

    house.org.faults().clear();
    let account = all_finished(&house).await;
    assert_eq!((account.completed, account.incidents), (JOBS, 0));
    assert_done_with_all_retries(&house);
    assert_eq!((names(&house.org), posts(&house.org)), (expected_names(0..JOBS), met + 1 + JOBS));
}

async fn wait_for_posts(house: &House, count: usize) {
    while posts(&house.org) < count {
        tokio::task::yield_now().await;
    }
}
