//! Many instances while their workers, or the engine itself, go away: nothing is lost, nothing is doubled.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    process::Stdio,
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use salesforce_connector_dev::org::{Fault, FaultRule, RecordedRequest};
use serde_json::{Value, json};
use tokio::{process::Command, time::Instant};

use crate::{House, ServiceTask, records::Record, worker::Worker};

/// Instances of each scenario, each of which wants one record.
const INSTANCES: usize = 300;

/// Jobs that a worker has in hand; small, so that most jobs still wait when it goes away.
const IN_HAND: usize = 8;

/// How long the two workers of the rolling update are replaced; `E2E_ROLLING_SECONDS` says otherwise.
const ROLLING_SECONDS: u64 = 60;

/// How a task makes its record.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Create {
    /// It cannot be repeated, so that it shows what is done twice.
    Plain,
    /// With an external id: sent as an upsert.
    Once,
}

impl Create {
    fn task(self) -> ServiceTask {
        let task =
            ServiceTask::new("createRecord").field("objectType", "Account").field("body", "={Name: name}");
        match self {
            Self::Plain => task,
            Self::Once => task.field("externalIdField", "External_Key__c"),
        }
    }

    /// Method and path of its request.
    fn call(self) -> (&'static str, &'static str) {
        match self {
            Self::Plain => ("POST", "/sobjects/Account"),
            Self::Once => ("PATCH", "/sobjects/Account/External_Key__c/"),
        }
    }
}

/// Instances on their way, each of which wants one record, and the house that they live in.
struct Load {
    house: House,
    create: Create,
    /// Which number each instance has.
    numbers: HashMap<i64, usize>,
}

impl Load {
    /// A house without instances and without a worker.
    async fn open(test: &str, create: Create) -> Self {
        let mut house = House::open(test).await;
        house.configure("WORKER__MAX_JOBS_ACTIVE", &IN_HAND.to_string());
        // The org answers nothing before all jobs in hand have called it.
        house.configure("SALESFORCE__SLOW_ORG_SHARE", "1");
        house.configure("WORKER__JOB_TIMEOUT", "10s");
        house.configure("SALESFORCE__REQUEST_TIMEOUT", "8s");
        house.deploy(&create.task()).await;
        Self { house, create, numbers: HashMap::new() }
    }

    /// Starts the instances with these numbers.
    async fn start(&mut self, numbers: Range<usize>) {
        let house = &self.house;
        let start = async |number: usize| (house.create(&json!({ "name": name(number) })).await, number);
        self.numbers
            .extend(stream::iter(numbers).map(start).buffer_unordered(IN_HAND).collect::<Vec<_>>().await);
    }

    /// Starts all instances and a worker, lets `done` of them through, and resolves when the worker has its hands full:
    /// of its calls the org has carried out the first half and not answered, and not begun the other half.
    async fn with_full_hands(&mut self, done: usize) -> Worker {
        let (method, path) = self.create.call();
        let carried_out = self.house.hold_answers_after(done, method, path, IN_HAND / 2);
        let not_begun = self.house.hold_after(done, method, path, IN_HAND / 2);
        self.start(0..INSTANCES).await;
        let worker = self.house.worker();
        carried_out.held(IN_HAND / 2).await;
        not_begun.held(IN_HAND / 2).await;
        worker
    }

    /// The instances whose create has been sent and not been answered, by the marks on the engine.
    async fn cut(&mut self, done: usize) -> HashSet<i64> {
        self.house.records.marked(done, IN_HAND).await
    }

    /// Waits until all instances have ended or stand in an incident, lets a person look at these, and waits on. All have
    /// their record then, none has two, and no request that made one was sent more often than somebody wished. Answers
    /// which instances had an incident.
    async fn settle(&mut self) -> HashSet<i64> {
        let instances: Vec<i64> = self.numbers.keys().copied().collect();
        let incidents = self.house.records.ended_or_in_an_incident(&instances).await;
        let again = self.look_and_resolve(&incidents).await;
        self.house.records.completed(&instances).await;
        assert_eq!(self.names().len(), instances.len());
        if self.create == Create::Plain {
            let (method, path) = self.create.call();
            let is_one = |one: &&_| is_call(one, method, path);
            let sent = self.house.org.requests().iter().filter(is_one).count();
            assert_eq!(
                sent,
                instances.len() + again,
                "one create for each, and one for each that was let go"
            );
        }
        incidents.iter().map(instance).collect()
    }

    /// What a person does about each of these incidents: looks whether the record is there, and where it is not, lets
    /// the write be sent. Answers how many were let go.
    async fn look_and_resolve(&self, incidents: &[Record]) -> usize {
        let (there, engine) = (self.names(), &self.house.engine);
        let mut again = 0;
        for incident in incidents {
            let message = incident.text("errorMessage");
            assert!(message.contains("OUTCOME_UNKNOWN"), "{message}");
            let name = name(self.numbers[&instance(incident)]);
            if there.contains(&name) {
                // It goes on as a task that has nothing to create any more.
                let task = incident.number("elementInstanceKey");
                engine.set_local_variables(task, &lookup(&name)).await.expect("it waits");
            } else {
                again += 1;
            }
            engine.update_retries(incident.number("jobKey"), 1).await.expect("the job waits");
            engine.resolve_incident(incident.key).await.expect("the incident is there");
        }
        again
    }

    /// The names of all accounts; none of them twice.
    fn names(&self) -> HashSet<String> {
        let accounts = self.house.org.records("Account");
        let text = |account: &Value| account["Name"].as_str().expect("each has a name").to_owned();
        let names: HashSet<String> = accounts.iter().map(text).collect();
        assert_eq!(names.len(), accounts.len(), "a record is there twice");
        names
    }
}

fn name(number: usize) -> String {
    format!("Account {number}")
}

fn instance(incident: &Record) -> i64 {
    incident.number("processInstanceKey")
}

fn is_call(request: &RecordedRequest, method: &str, path: &str) -> bool {
    request.method == method && request.path.contains(path)
}

/// The input of a task that reads the record instead of creating it.
fn lookup(name: &str) -> Value {
    let soql = format!("SELECT Id FROM Account WHERE Name = '{name}'");
    json!({ "salesforceRequest": { "connection": { "name": "dev" },
            "operation": { "type": "query", "soqlQuery": soql } } })
}

#[tokio::test]
async fn a_worker_that_is_killed_under_a_load_of_creates_once_loses_and_doubles_nothing() {
    let mut load = Load::open("kill-once", Create::Once).await;
    let first = load.with_full_hands(0).await;

    first.kill().await;
    let _second = load.house.worker();

    assert_eq!(load.settle().await, HashSet::new(), "an upsert is simply repeated");
}

#[tokio::test]
async fn of_plain_creates_those_that_a_killed_worker_had_sent_and_only_those_become_incidents() {
    let mut load = Load::open("kill-creates", Create::Plain).await;
    let first = load.with_full_hands(0).await;
    let cut = load.cut(0).await;

    first.kill().await;
    let _second = load.house.worker();

    assert_eq!(load.settle().await, cut);
}

/// A worker that has no time to end its calls, and whose calls would take longer.
fn in_a_hurry(load: &mut Load) {
    load.house.configure("WORKER__SHUTDOWN_GRACE", "1s");
    load.house.configure("SALESFORCE__REQUEST_TIMEOUT", "1m");
}

#[tokio::test]
async fn a_worker_that_is_terminated_under_a_load_of_creates_once_loses_and_doubles_nothing() {
    let mut load = Load::open("terminate-once", Create::Once).await;
    in_a_hurry(&mut load);
    let first = load.with_full_hands(0).await;

    first.terminate().await;
    let _second = load.house.worker();
    assert!(first.ended().await.success());

    assert_eq!(load.settle().await, HashSet::new(), "an upsert is simply repeated");
    assert_eq!(
        load.house.records.timed_out_jobs(&load.house.job_type),
        0,
        "the jobs were handed back at once"
    );
}

#[tokio::test]
async fn of_plain_creates_those_that_outlive_the_grace_period_and_only_those_become_incidents() {
    let mut load = Load::open("terminate-creates", Create::Plain).await;
    in_a_hurry(&mut load);
    let first = load.with_full_hands(0).await;
    let cut = load.cut(0).await;

    first.terminate().await;
    let _second = load.house.worker();
    assert!(first.ended().await.success());

    assert_eq!(load.settle().await, cut);
    assert_eq!(load.house.records.timed_out_jobs(&load.house.job_type), 0, "the incidents came at once");
}

#[tokio::test]
async fn a_worker_that_is_terminated_while_another_goes_on_ends_its_calls_and_needs_nobody() {
    let mut load = Load::open("terminate", Create::Plain).await;
    let (method, path) = load.create.call();
    let held = load.house.hold(method, path, 2 * IN_HAND);
    load.start(0..INSTANCES / 2).await;
    let (first, second) = (load.house.worker(), load.house.worker());
    held.held(2 * IN_HAND).await;

    first.terminate().await;
    held.open();
    load.start(INSTANCES / 2..INSTANCES).await;

    assert!(first.ended().await.success());
    assert_eq!(load.settle().await, HashSet::new());
    assert_eq!(load.house.org.counters().tokens_issued, 2, "one login for each worker");
    second.terminate().await;
    assert!(second.ended().await.success());
}

#[tokio::test]
async fn two_workers_of_which_one_is_replaced_again_and_again_lose_and_double_nothing() {
    let seconds = std::env::var("E2E_ROLLING_SECONDS").ok().and_then(|text| text.parse().ok());
    let mut load = Load::open("rolling", Create::Plain).await;
    // Each create takes so long that some are under way whenever a worker is told to end.
    slow_down(&load, Duration::from_millis(100));
    let until = Instant::now() + Duration::from_secs(seconds.unwrap_or(ROLLING_SECONDS));
    let (mut old, mut replaced) = (load.house.worker(), 0);
    while Instant::now() < until {
        let new = load.house.worker();
        let next = load.numbers.len()..load.numbers.len() + 60;
        load.start(next).await;
        old.terminate().await;
        assert!(old.ended().await.success());
        (old, replaced) = (new, replaced + 1);
    }
    assert!(replaced > 1, "a worker was replaced {replaced} times");

    assert_eq!(load.settle().await, HashSet::new(), "each worker had time to end its calls");
}

fn slow_down(load: &Load, each: Duration) {
    let rule = FaultRule::new(Fault::Delay(each)).path("/sobjects/Account");
    load.house.org.faults().add(rule.times(usize::MAX));
}

/// Stops the engine and starts it again on the data that it has.
async fn restart_engine() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/zeebe.sh");
    let status = Command::new(script).arg("restart").stdin(Stdio::null()).status().await;
    assert!(status.expect("the script can be run").success(), "the engine comes up again");
}

/// Instances that flow when the engine goes away, some of them in the middle of a call or of a report.
async fn flowing_while_the_engine_restarts(test: &str, create: Create) -> (Load, HashSet<i64>) {
    let mut load = Load::open(test, create).await;
    slow_down(&load, Duration::from_millis(50));
    load.start(0..INSTANCES).await;
    let _worker = load.house.worker();
    let instances = load.numbers.keys().copied().collect();
    load.house.records.some_completed(&instances, INSTANCES / 10).await;

    restart_engine().await;

    let incidents = load.settle().await;
    (load, incidents)
}

#[tokio::test]
#[ignore = "restarts the engine that the other tests share: scripts/e2e.sh runs it alone"]
async fn creates_once_that_flow_while_the_engine_is_restarted_all_finish_and_double_nothing() {
    let (_, incidents) = flowing_while_the_engine_restarts("restart-once", Create::Once).await;
    assert_eq!(incidents, HashSet::new(), "an upsert is simply repeated");
}

#[tokio::test]
#[ignore = "restarts the engine that the other tests share: scripts/e2e.sh runs it alone"]
async fn of_plain_creates_that_flow_while_the_engine_is_restarted_only_those_whose_report_was_cut_become_incidents()
 {
    let (load, incidents) = flowing_while_the_engine_restarts("restart-creates", Create::Plain).await;
    for instance in &incidents {
        assert!(load.house.records.timed_out_in_a_write(*instance), "{instance} was not cut in the middle");
    }
    assert!(incidents.len() <= IN_HAND, "{incidents:?}");
}

#[tokio::test]
#[ignore = "restarts the engine that the other tests share: scripts/e2e.sh runs it alone"]
async fn of_plain_creates_those_that_a_restart_of_the_engine_cut_and_only_those_become_incidents() {
    let mut load = Load::open("restart-cut", Create::Plain).await;
    let done = INSTANCES / 10;
    let _worker = load.with_full_hands(done).await;
    let cut = load.cut(done).await;

    restart_engine().await;

    assert_eq!(load.settle().await, cut);
}
