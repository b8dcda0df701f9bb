//! One org's memory: its circuits, its budget, its load.

use std::{sync::Arc, time::Duration};

use tokio::time::advance;
use url::Url;

use crate::metrics::Metrics;

use super::super::{
    CircuitState, Response,
    circuit::{Cause, LONGEST_OUTAGE},
    failure::{Failure, Kind},
    org::{Errand, Org, Rules},
    orgs::{Orgs, REMEMBERED_ORGS},
    outage::Signal,
};

const RULES: Rules = Rules { reserve: 0.05, is_configured: false };
const SHARE: usize = 3;
const READ: Errand = Errand { writes: false, can_wait: false, login: false };
const UPDATE: Errand = Errand { writes: true, ..READ };
const CREATE: Errand = Errand { writes: true, can_wait: true, login: false };

fn orgs() -> (Orgs, Arc<Metrics>) {
    let metrics = Arc::new(Metrics::new());
    (Orgs::new(SHARE, Arc::clone(&metrics)), metrics)
}

fn at(orgs: &Orgs, url: &str) -> Arc<Org> {
    orgs.at(&Url::parse(url).unwrap())
}

fn acme() -> (Arc<Metrics>, Arc<Org>) {
    let (orgs, metrics) = orgs();
    (metrics, at(&orgs, "https://acme.my.salesforce.com"))
}

fn answer(info: &str) -> Signal {
    let headers = serde_json::json!({ "sforce-limit-info": info }).as_object().unwrap().clone();
    let (reason, body) = (String::new(), serde_json::Value::Null);
    let answer = Response { status: 200, reason, headers, body };
    Signal::of(&Ok(answer), true, Duration::from_secs(30))
}

fn outage(cause: Cause) -> Signal {
    let mut signal = answer("");
    signal.outage = Some((cause, "told so".to_owned()));
    signal
}

fn silence() -> Signal {
    let result = Err(Failure::new(Kind::NeverSent, "connection refused"));
    Signal::of(&result, false, Duration::from_secs(30))
}

fn call(org: &Arc<Org>, errand: Errand, signal: &Signal) {
    let mut pass = org.enter(errand, RULES).unwrap();
    pass.sent();
    pass.settle(signal);
}

fn held(org: &Arc<Org>, errand: Errand) -> (&'static str, Option<Duration>, String) {
    let failure = org.enter(errand, RULES).unwrap_err();
    let Kind::Held(code) = failure.kind else { panic!("{failure:?}") };
    (code, failure.rest, failure.detail)
}

#[test]
fn an_org_is_known_by_its_host_and_port_whatever_the_path() {
    let (orgs, _) = orgs();
    let one = at(&orgs, "https://acme.my.salesforce.com");
    assert!(Arc::ptr_eq(&one, &at(&orgs, "https://ACME.my.salesforce.com:443/x?y")));
    assert!(!Arc::ptr_eq(&one, &at(&orgs, "https://acme.my.salesforce.com:8443/")));
    assert_eq!(one.status().host, "acme.my.salesforce.com");
}

#[tokio::test]
async fn the_org_not_called_for_longest_is_forgotten_and_so_are_its_gauges() {
    let (orgs, metrics) = orgs();
    let first = at(&orgs, "https://first.salesforce.com");
    let second = at(&orgs, "https://second.salesforce.com");
    for org in [&first, &second] {
        call(org, READ, &answer("api-usage=1/10"));
    }
    for number in 2..REMEMBERED_ORGS {
        at(&orgs, &format!("https://org{number}.salesforce.com"));
    }
    at(&orgs, "https://first.salesforce.com");
    at(&orgs, "https://one-more.salesforce.com");
    assert_eq!(orgs.status().len(), REMEMBERED_ORGS);
    assert!(Arc::ptr_eq(&first, &at(&orgs, "https://first.salesforce.com")));
    let page = metrics.encode();
    assert!(page.contains("first.salesforce.com") && !page.contains("second.salesforce.com"), "{page}");
}

#[tokio::test]
async fn a_call_that_is_dropped_in_the_middle_is_no_longer_under_way() {
    let (_, org) = acme();
    let mut pass = org.enter(READ, RULES).unwrap();
    assert_eq!((org.status().calls_waiting, org.status().calls_in_flight), (1, 0));
    pass.sent();
    assert_eq!((org.status().calls_waiting, org.status().calls_in_flight), (0, 1));
    drop(pass);
    assert_eq!((org.status().calls_waiting, org.status().calls_in_flight), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_org_over_its_limit_is_probed_by_one_call_whatever_its_kind() {
    let (metrics, org) = acme();
    call(&org, READ, &outage(Cause::DailyLimit));
    let (code, rest, detail) = held(&org, CREATE);
    assert_eq!(code, "ORG_PAUSED");
    assert!(rest.unwrap() >= Duration::from_secs(40), "{rest:?}");
    assert_eq!(detail, "acme.my.salesforce.com is not called for now: told so");
    assert_eq!(org.status().circuit.state, CircuitState::Open);
    assert!(metrics.encode().contains("org_circuit_state{org=\"acme.my.salesforce.com\"} 2"));
    advance(Duration::from_secs(80)).await;
    let mut probe = org.enter(CREATE, RULES).unwrap();
    assert_eq!(org.status().circuit.state, CircuitState::HalfOpen);
    held(&org, READ);
    probe.sent();
    probe.settle(&answer(""));
    assert_eq!(org.status().circuit.state, CircuitState::Closed);
    assert!(metrics.encode().contains("org_circuit_state{org=\"acme.my.salesforce.com\"} 0"));
    call(&org, READ, &answer(""));
}

#[tokio::test(start_paused = true)]
async fn an_org_in_read_only_maintenance_answers_reads_and_is_probed_by_a_write() {
    let (_, org) = acme();
    call(&org, UPDATE, &outage(Cause::ReadOnly));
    assert_eq!(org.status().circuit.state, CircuitState::ReadOnly);
    assert!(held(&org, UPDATE).2.starts_with("acme.my.salesforce.com takes no writes for now"));
    call(&org, READ, &answer(""));
    assert_eq!(org.status().circuit.state, CircuitState::ReadOnly, "a read proves nothing about writes");
    advance(Duration::from_secs(20)).await;
    call(&org, UPDATE, &outage(Cause::ReadOnly));
    held(&org, CREATE);
    advance(Duration::from_secs(40)).await;
    call(&org, UPDATE, &answer(""));
    assert_eq!(org.status().circuit.state, CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_or_held_back_leaves_its_place() {
    let (_, org) = acme();
    call(&org, READ, &answer("api-usage=99/100"));
    call(&org, READ, &outage(Cause::ConcurrencyLimit));
    advance(Duration::from_secs(7)).await;
    assert_eq!(held(&org, CREATE).0, "API_BUDGET_RESERVED");
    drop(org.enter(READ, RULES).unwrap());
    call(&org, READ, &answer(""));
    assert_eq!(org.status().circuit.state, CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn jobs_wait_for_a_silent_host_that_was_seen_alive_or_that_an_operator_named() {
    let (_, org) = acme();
    for _ in 0..5 {
        call(&org, READ, &silence());
    }
    assert_eq!(held(&org, READ).1, None, "perhaps the task has mistyped it");
    assert_eq!(org.rest(READ, RULES), None);
    let configured = Rules { is_configured: true, ..RULES };
    assert!(org.rest(READ, configured).is_some());
    assert!(org.enter(READ, configured).unwrap_err().rest.is_some());
    advance(Duration::from_secs(7)).await;
    call(&org, READ, &answer(""));
    for _ in 0..5 {
        call(&org, READ, &silence());
    }
    assert!(held(&org, READ).1.is_some() && org.rest(READ, RULES).is_some());
}

#[tokio::test(start_paused = true)]
async fn after_a_day_of_it_jobs_fail_as_usual() {
    let (_, org) = acme();
    call(&org, READ, &outage(Cause::DailyLimit));
    advance(LONGEST_OUTAGE).await;
    call(&org, READ, &outage(Cause::DailyLimit));
    assert_eq!((held(&org, READ).1, org.rest(READ, RULES)), (None, None));
}

#[tokio::test(start_paused = true)]
async fn below_the_reserve_creates_wait_and_reads_and_updates_go_on() {
    let (metrics, org) = acme();
    call(&org, READ, &answer("api-usage=4751/5000"));
    let (code, rest, detail) = held(&org, CREATE);
    assert_eq!(code, "API_BUDGET_RESERVED");
    assert!((60.0..=180.0).contains(&rest.unwrap().as_secs_f64()));
    assert!(detail.contains("has used 4751 of 5000") && detail.contains("the reserve of 5 %"), "{detail}");
    call(&org, READ, &answer("api-usage=4752/5000"));
    call(&org, UPDATE, &answer("api-usage=10/5000"));
    call(&org, CREATE, &answer(""));
    let page = metrics.encode();
    for line in [
        "org_api_requests_used{org=\"acme.my.salesforce.com\"} 10",
        "org_api_requests_max{org=\"acme.my.salesforce.com\"} 5000",
        "salesforce_calls_held_total{reason=\"budget\"} 1",
    ] {
        assert!(page.contains(line), "{line} is not in {page}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_org_has_its_share_in_hand_and_logins_still_go() {
    let (_, org) = acme();
    let passes: Vec<_> = (0..3).map(|_| org.enter(READ, RULES).unwrap()).collect();
    drop(org.enter(READ, RULES).expect("a quick org may have all"));
    advance(Duration::from_secs(3)).await;
    let (code, rest, _) = held(&org, READ);
    assert_eq!(code, "ORG_BUSY");
    assert!(rest.unwrap() >= Duration::from_secs(5));
    assert!(org.enter(Errand::LOGIN, RULES).is_ok());
    drop(passes);
    assert!(org.enter(READ, RULES).is_ok());
}
