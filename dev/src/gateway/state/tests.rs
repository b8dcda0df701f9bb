//! Tests of the state machine: no socket, no runtime; time is a number that the test adds to.

use std::time::Duration;

use serde_json::json;
use tonic::{Code, Status};

use super::super::DEFAULT_TENANT;
use super::super::commands::{BpmnError, Failure, Target, Variables};
use super::*;

struct World {
    broker: Broker,
    now: Instant,
}

const LOCK: Duration = Duration::from_secs(10);

fn world() -> World {
    world_of(Settings::default())
}

fn world_of(settings: Settings) -> World {
    let now = Instant::now();
    World { broker: Broker::new(settings, now, 1_000_000), now }
}

fn worker(name: &str) -> Subscription {
    Subscription {
        job_type: "t".into(),
        worker: name.into(),
        timeout: LOCK,
        fetch: Vec::new(),
        tenants: vec![DEFAULT_TENANT.into()],
        with_lease: false,
    }
}

fn leasing(name: &str) -> Subscription {
    Subscription { with_lease: true, ..worker(name) }
}

fn target(key: i64) -> Target {
    Target { key, lease: None }
}

fn variables(value: &Value) -> Variables {
    Variables::parse(&value.to_string()).unwrap()
}

fn failure(retries: i32, backoff: Duration) -> Failure {
    Failure { retries, message: "why".into(), backoff, variables: Variables::default() }
}

impl World {
    fn create(&mut self, job: NewJob) -> i64 {
        self.broker.create(job, self.now)
    }

    fn poll(&mut self, wanted: &Subscription) -> Vec<ActivatedJob> {
        self.broker.activate_batch(wanted, 100, self.now).into_iter().map(|job| job.message).collect()
    }

    fn one(&mut self, wanted: &Subscription) -> ActivatedJob {
        let mut jobs = self.poll(wanted);
        assert_eq!(jobs.len(), 1, "expected one job for {}", wanted.worker);
        jobs.remove(0)
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.broker.fire(self.now);
    }

    fn complete(&mut self, target: &Target) -> Result<(), Status> {
        self.broker.complete(target, Variables::default(), self.now)
    }

    fn fail(&mut self, key: i64, failure: Failure) -> Result<(), Status> {
        self.broker.fail(&target(key), failure, self.now)
    }

    fn state(&self, key: i64) -> JobState {
        self.broker.jobs[&key].record.state
    }
}

fn text(status: &Status) -> &str {
    status.message()
}

#[test]
fn a_job_is_given_once_and_completed_once() {
    let mut world = world();
    let key = world.create(NewJob::new("t").variables(json!({ "a": 1 })));
    let job = world.one(&worker("w"));
    assert_eq!((job.key, job.variables.as_str(), job.retries), (key, r#"{"a":1}"#, 3));
    assert!(world.poll(&worker("w")).is_empty());
    world.broker.complete(&target(key), variables(&json!({ "b": 2 })), world.now).unwrap();
    let refused = world.complete(&target(key)).unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    assert_eq!(
        text(&refused),
        format!(
            "Command 'COMPLETE' rejected with code 'NOT_FOUND': Expected to complete job with key '{key}', but no \
             such job was found"
        )
    );
    assert_eq!(world.broker.jobs[&key].record.result, Some(variables(&json!({ "b": 2 })).map));
    assert_eq!(world.broker.account.double_completions_refused, 1);
    assert!(world.broker.account.all_finished());
}

#[test]
fn the_deadline_is_wall_clock_and_can_be_skewed() {
    let mut world = world();
    world.create(NewJob::new("t"));
    world.pass(Duration::from_secs(2));
    assert_eq!(world.one(&worker("w")).deadline, 1_000_000 + 12_000);
    world.create(NewJob::new("t"));
    world.broker.set_clock_skew(-3_600_000);
    assert_eq!(world.one(&worker("w")).deadline, 1_012_000 - 3_600_000);
}

#[test]
fn a_lock_that_runs_out_makes_the_job_activatable() {
    let mut world = world();
    let key = world.create(NewJob::new("t"));
    world.one(&worker("one"));
    world.pass(LOCK.checked_sub(Duration::from_millis(1)).unwrap());
    assert_eq!(world.state(key), JobState::Activated);
    world.pass(Duration::from_millis(1));
    assert_eq!(world.state(key), JobState::Activatable);
    assert_eq!(world.one(&worker("two")).retries, 3, "a timeout costs no retry");
    assert_eq!(world.broker.account.expired_locks, 1);
}

#[test]
fn the_first_holder_still_completes_after_its_lock_ran_out_and_the_second_is_refused() {
    let mut world = world();
    let key = world.create(NewJob::new("t"));
    world.one(&worker("one"));
    world.pass(LOCK);
    world.one(&worker("two"));
    world.complete(&target(key)).expect("the first holder");
    assert_eq!(world.complete(&target(key)).unwrap_err().code(), Code::NotFound, "the second holder");
}

#[test]
fn a_job_nobody_holds_is_completed_but_its_timeout_is_not_updated() {
    let mut world = world();
    let key = world.create(NewJob::new("t"));
    world.one(&worker("one"));
    world.pass(LOCK);
    let refused = world.broker.update_timeout(&target(key), LOCK, world.now).unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(text(&refused).ends_with("but it is not active"), "{}", text(&refused));
    world.complete(&target(key)).unwrap();
}

#[test]
fn a_renewal_counts_from_now_and_can_shorten() {
    let mut world = world();
    let key = world.create(NewJob::new("t"));
    world.one(&worker("one"));
    world.pass(Duration::from_secs(5));
    world.broker.update_timeout(&target(key), LOCK, world.now).unwrap();
    world.pass(Duration::from_secs(9));
    assert_eq!(world.state(key), JobState::Activated);
    world.broker.update_timeout(&target(key), Duration::from_millis(1), world.now).unwrap();
    world.pass(Duration::from_millis(1));
    assert_eq!(world.state(key), JobState::Activatable);
}

#[test]
fn a_failed_job_rests_for_its_backoff_and_shows_its_local_variables() {
    let mut world = world();
    let key = world.create(NewJob::new("t").variables(json!({ "a": 1, "b": 1 })));
    world.one(&worker("w"));
    let marked = Failure {
        variables: variables(&json!({ "b": 2, "mark": true })),
        ..failure(2, Duration::from_secs(30))
    };
    world.fail(key, marked).unwrap();
    assert_eq!(world.state(key), JobState::BackingOff);
    let refused = world.complete(&target(key)).unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(text(&refused).ends_with("but it is in state 'FAILED'"), "{}", text(&refused));
    world.pass(Duration::from_secs(29));
    assert!(world.poll(&worker("w")).is_empty());
    world.pass(Duration::from_secs(1));
    let again = world.one(&Subscription { fetch: vec!["b".into(), "mark".into()], ..worker("w") });
    assert_eq!(again.variables, r#"{"b":2,"mark":true}"#);
    assert_eq!(again.retries, 2);
    assert_eq!(world.broker.jobs[&key].record.variables["b"], 1, "the process keeps its own");
}

#[test]
fn unchanged_retries_are_a_hand_back() {
    let mut world = world();
    let key = world.create(NewJob::new("t"));
    world.one(&worker("w"));
    world.fail(key, failure(3, Duration::ZERO)).unwrap();
    assert_eq!(world.state(key), JobState::Activatable);
    assert_eq!(world.broker.account.returned_unchanged, 1);
    world.one(&worker("w"));
    world.fail(key, failure(2, Duration::ZERO)).unwrap();
    assert_eq!((world.broker.account.failed, world.broker.account.returned_unchanged), (2, 1));
}

#[test]
fn no_retries_left_is_an_incident_that_can_be_resolved() {
    let mut world = world();
    let key = world.create(NewJob::new("t"));
    world.one(&worker("w"));
    world.fail(key, failure(0, Duration::from_secs(5))).unwrap();
    assert_eq!(world.state(key), JobState::Incident);
    assert!(world.broker.account.all_finished());
    let incident = world.broker.jobs[&key].record.incident_key.unwrap();
    let now = world.now;
    assert_eq!(world.broker.resolve(incident, now).unwrap_err().code(), Code::FailedPrecondition);
    world.broker.update_retries(&target(key), 1, now).unwrap();
    world.broker.resolve(incident, now).unwrap();
    assert_eq!(world.one(&worker("w")).retries, 1);
    assert_eq!(world.broker.resolve(incident, now).unwrap_err().code(), Code::NotFound);
    assert_eq!(world.broker.account.incidents_now, 0);
}

#[test]
fn retries_must_be_positive() {
    let mut world = world();
    let key = world.create(NewJob::new("t"));
    let refused = world.broker.update_retries(&target(key), 0, world.now).unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(text(&refused).ends_with("but the amount given was '0'"), "{}", text(&refused));
}

#[test]
fn a_caught_error_ends_the_job_and_an_uncaught_one_raises_an_incident() {
    let mut world = world();
    let caught = world.create(NewJob::new("t"));
    let uncaught = world.create(NewJob::new("t").without_error_event());
    world.poll(&worker("w"));
    let error = BpmnError { code: "DUPLICATE".into(), ..BpmnError::default() };
    for key in [caught, uncaught] {
        world.broker.throw(&target(key), error.clone(), world.now).unwrap();
        assert_eq!(world.state(key), JobState::ErrorThrown);
    }
    assert_eq!(world.complete(&target(caught)).unwrap_err().code(), Code::NotFound);
    let refused = world.complete(&target(uncaught)).unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(text(&refused).ends_with("but it is in state 'ERROR_THROWN'"), "{}", text(&refused));
    assert_eq!((world.broker.account.thrown, world.broker.account.incidents), (2, 1));
}

#[test]
fn variables_above_two_mebibytes_do_not_fit_and_the_job_stays_activated() {
    let mut world = world();
    let key = world.create(NewJob::new("t"));
    world.one(&worker("w"));
    let large = variables(&json!({ "text": "x".repeat(2 * 1024 * 1024) }));
    let refused = world.broker.complete(&target(key), large, world.now).unwrap_err();
    assert_eq!(refused.code(), Code::Unknown);
    assert!(text(&refused).contains("EXCEEDED_BATCH_RECORD_SIZE"), "{}", text(&refused));
    assert_eq!(world.state(key), JobState::Activated);
}

#[test]
fn a_made_up_key_names_a_partition_that_is_not_there() {
    let mut world = world();
    assert_eq!(world.complete(&target(42)).unwrap_err().code(), Code::Unavailable);
    let unknown = (PARTITION << PARTITION_SHIFT) + 999_999;
    assert_eq!(world.complete(&target(unknown)).unwrap_err().code(), Code::NotFound);
}

#[test]
fn variables_that_are_no_object_are_an_invalid_argument() {
    for (sent, found) in [("[1]", "'ARRAY'"), ("1", "'NUMBER'"), ("null", "'NIL'"), ("{", "no JSON")] {
        let refused = Variables::parse(sent).unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(text(&refused).contains(found), "{}", text(&refused));
    }
    assert!(Variables::parse("").unwrap().map.is_empty());
}

#[test]
fn local_variables_hide_those_of_the_process_until_the_job_is_gone() {
    let mut world = world();
    let key = world.create(NewJob::new("t").variables(json!({ "a": 1 })));
    let element = world.broker.jobs[&key].record.element_instance_key;
    let now = world.now;
    world.broker.set_variables(element, variables(&json!({ "a": 2, "mark": 1 })), true, now).unwrap();
    world.broker.set_variables(element, variables(&json!({ "mark": 2, "other": 3 })), false, now).unwrap();
    let record = &world.broker.jobs[&key].record;
    assert_eq!(Value::from(record.variables.clone()), json!({ "a": 1, "other": 3 }));
    assert_eq!(world.one(&worker("w")).variables, r#"{"a":2,"other":3,"mark":2}"#);
    world.complete(&target(key)).unwrap();
    let refused = world.broker.set_variables(element, Variables::default(), true, now).unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
}

#[test]
fn a_lease_is_needed_by_reports_and_survives_the_lock_until_somebody_takes_over() {
    let mut world = world();
    let key = world.create(NewJob::new("t"));
    let first = Target { key, lease: world.one(&leasing("one")).job_lease_token };
    assert!(first.lease.is_some());
    let refused = world.complete(&target(key)).unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    world.broker.update_timeout(&target(key), LOCK, world.now).expect("checked only if sent");
    world.pass(LOCK);
    assert!(world.poll(&worker("plain")).is_empty(), "once leased, never given to a worker without leases");
    let second = Target { key, lease: world.one(&leasing("two")).job_lease_token };
    assert_ne!(first.lease, second.lease);
    assert_eq!(world.complete(&first).unwrap_err().code(), Code::FailedPrecondition, "superseded");
    let superseded = world.broker.update_timeout(&first, LOCK, world.now).unwrap_err();
    assert_eq!(superseded.code(), Code::FailedPrecondition);
    world.pass(LOCK);
    world.complete(&second).expect("late, but nobody took over");
}

#[test]
fn only_the_current_activation_can_be_given_back() {
    let mut world = world();
    let key = world.create(NewJob::new("t"));
    let first = world.broker.activate_batch(&worker("one"), 1, world.now).remove(0);
    world.pass(LOCK);
    let second = world.broker.activate_batch(&worker("two"), 1, world.now).remove(0);
    world.broker.give_back(key, first.number.unwrap(), world.now);
    assert_eq!(world.state(key), JobState::Activated);
    world.broker.give_back(key, second.number.unwrap(), world.now);
    assert_eq!(world.state(key), JobState::Activatable);
    assert_eq!(world.broker.jobs[&key].record.retries, 3);
    assert_eq!(world.broker.account.given_back, 1);
}

#[test]
fn a_batch_ends_where_the_message_is_full_and_a_job_that_never_fits_is_an_incident() {
    let mut world = world();
    let megabytes = |n: usize| json!({ "text": "x".repeat(n * 1024 * 1024) });
    let giant = world.create(NewJob::new("t").variables(megabytes(4)));
    for _ in 0..3 {
        world.create(NewJob::new("t").variables(megabytes(1)));
    }
    world.create(NewJob::new("t").variables(megabytes(2)));
    assert_eq!(world.poll(&worker("w")).len(), 3);
    assert_eq!(world.poll(&worker("w")).len(), 1);
    assert_eq!(world.state(giant), JobState::Incident);
    let message = world.broker.jobs[&giant].record.error_message.clone().unwrap();
    assert!(message.contains("larger than the configured message size"), "{message}");
    let other = world.create(NewJob::new("t").variables(megabytes(4)));
    assert!(world.broker.activate_for_push(other, &worker("w"), world.now).is_none());
    assert_eq!(world.state(other), JobState::Incident);
}

#[test]
fn an_old_gateway_sends_no_new_fields() {
    let job = || NewJob::new("t").tags(["x"]).priority(5).business_id("order-1");
    let mut old = world_of(Settings { gateway_version: "8.6.0".into(), ..Settings::default() });
    old.create(job());
    let sent = old.one(&worker("w"));
    assert_eq!((sent.tags.len(), sent.priority, sent.business_id.as_str()), (0, 0, ""));
    let mut new = world();
    new.create(job());
    let sent = new.one(&worker("w"));
    assert_eq!((sent.tags.len(), sent.priority, sent.business_id.as_str()), (1, 5, "order-1"));
}

#[test]
fn a_broken_job_is_sent_as_it_is() {
    let mut world = world();
    world.create(NewJob::new("t").malformed_variables("{").malformed_headers("[]"));
    let job = world.one(&worker("w"));
    assert_eq!((job.variables.as_str(), job.custom_headers.as_str()), ("{", "[]"));
}

#[test]
fn the_gauges_add_up_after_any_sequence_of_events() {
    for seed in 0..50 {
        let mut world = world();
        let mut random = fastrand::Rng::with_seed(seed);
        let keys: Vec<i64> = (0..20).map(|_| world.create(NewJob::new("t"))).collect();
        for _ in 0..400 {
            random_step(&mut world, &mut random, &keys);
            let account = world.broker.account;
            let alive = account.activatable + account.activated_now + account.backing_off;
            assert_eq!(account.created, alive + account.finished(), "seed {seed}: {account:?}");
        }
        let completed = world.broker.jobs.values().filter(|job| job.record.state == JobState::Completed);
        assert_eq!(completed.count(), world.broker.account.completed, "seed {seed}: none completed twice");
    }
}

/// One thing that may happen at any time; a refusal is an ordinary outcome here.
fn random_step(world: &mut World, random: &mut fastrand::Rng, keys: &[i64]) {
    let (key, now) = (keys[random.usize(..keys.len())], world.now);
    let backoff = Duration::from_secs(random.u64(0..3));
    match random.u8(0..8) {
        0 | 1 => drop(world.broker.activate_batch(&worker("w"), random.usize(1..4), now)),
        2 => drop(world.complete(&target(key))),
        3 => drop(world.fail(key, failure(random.i32(0..4), backoff))),
        4 => drop(world.broker.throw(&target(key), BpmnError::default(), now)),
        5 => drop(world.broker.update_timeout(&target(key), backoff, now)),
        6 => drop(world.broker.activate_for_push(key, &worker("p"), now)),
        _ => world.pass(Duration::from_secs(random.u64(0..8))),
    }
}
