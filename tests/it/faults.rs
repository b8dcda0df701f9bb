//! The faults of DevOrg's script, one by one: what becomes of a read and of a create.

use std::time::Duration;

use salesforce_connector::zeebe::Outcome;
use salesforce_connector_dev::org::{DevOrg, Fault, FaultRule, Reply};
use serde_json::json;

use crate::handler::{Bench, code, create, query};

/// Creates that were sent, whatever became of them.
fn sent(bench: &Bench, method: &str) -> usize {
    let is_call = |path: &str| path.contains("/query") || path.contains("/sobjects");
    bench.org.requests().iter().filter(|one| one.method == method && is_call(&one.path)).count()
}

/// A query that meets this once is sent twice and succeeds.
async fn is_repeated(fault: Fault) {
    let bench = Bench::start().await;
    bench.org.insert("Account", json!({"Name": "Acme"})).unwrap();
    bench.strike("GET", "/query", fault.clone());
    let found = bench.result(query(), "firstRecord").await;
    assert_eq!((&found["Name"], sent(&bench, "GET")), (&json!("Acme"), 2), "{fault:?}");
}

/// A create that meets this is sent once, and nobody knows whether it was done; so many records say.
async fn is_unknown(fault: Fault, records: usize) {
    let bench = Bench::start().await;
    bench.strike("POST", "/sobjects", fault.clone());
    let failure = bench.failure(create("Acme"), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("OUTCOME_UNKNOWN", 0), "{fault:?}: {failure:#?}");
    assert_eq!((sent(&bench, "POST"), bench.org.records("Account").len()), (1, records), "{fault:?}");
}

#[tokio::test]
async fn a_slow_answer_is_waited_for() {
    let bench = Bench::start().await;
    for (method, path, operation) in [("GET", "/query", query()), ("POST", "/sobjects", create("Acme"))] {
        bench.strike(method, path, Fault::Delay(Duration::from_millis(50)));
        assert!(matches!(bench.run(operation, &[]).await, Outcome::Complete { .. }));
        assert_eq!(sent(&bench, method), 1);
    }
}

#[tokio::test]
async fn a_connection_cut_before_the_request_was_carried_out() {
    is_repeated(Fault::CloseBefore).await;
    is_unknown(Fault::CloseBefore, 0).await;
}

#[tokio::test]
async fn a_connection_cut_after_the_request_was_carried_out() {
    is_repeated(Fault::CloseAfter).await;
    is_unknown(Fault::CloseAfter, 1).await;
}

#[tokio::test]
async fn half_an_answer() {
    is_repeated(Fault::CutAnswer).await;
    is_unknown(Fault::CutAnswer, 1).await;
}

#[tokio::test]
async fn an_answer_that_is_shorter_than_it_says() {
    is_repeated(Fault::Announce(100_000)).await;
    is_unknown(Fault::Announce(100_000), 1).await;
}

#[tokio::test]
async fn an_answer_that_says_that_it_is_shorter_than_it_is() {
    is_repeated(Fault::Announce(10)).await;
    is_unknown(Fault::Announce(10), 1).await;
}

#[tokio::test]
async fn a_proxys_page_in_place_of_the_answer() {
    let page = Reply::new(502, "<html><title>Bad Gateway</title></html>").header("content-type", "text/html");
    is_repeated(Fault::RespondAfter(page.clone())).await;
    is_unknown(Fault::RespondAfter(page), 1).await;
}

#[tokio::test]
async fn an_error_after_the_work_was_done() {
    let error = Reply::error(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred.");
    is_repeated(Fault::RespondAfter(error.clone())).await;
    is_unknown(Fault::RespondAfter(error), 1).await;
}

#[tokio::test]
async fn an_answer_that_drips_for_longer_than_the_request_timeout() {
    for (method, operation, expected, retries) in
        [("GET", query(), "TIMEOUT", 2), ("POST", create("Acme"), "OUTCOME_UNKNOWN", 0)]
    {
        let bench = Bench::start_with(DevOrg::start().await.unwrap(), |options| {
            options.request_timeout = Duration::from_millis(300);
        });
        bench.run(query(), &[]).await;
        let drip = FaultRule::new(Fault::Drip(Duration::from_millis(100))).method(method).path("/");
        bench.org.faults().add(drip.times(usize::MAX));
        let failure = bench.failure(operation, &[]).await;
        assert_eq!((code(&failure), failure.retries), (expected, retries), "{failure:#?}");
        assert!(failure.message.contains("no complete answer within 0."), "{}", failure.message);
    }
}

#[tokio::test]
async fn an_answer_that_drips_and_ends_in_time_is_read_to_its_end() {
    let bench = Bench::start().await;
    bench.org.insert("Account", json!({"Name": "Acme"})).unwrap();
    bench.strike("GET", "/query", Fault::Drip(Duration::from_millis(1)));
    assert_eq!(bench.result(query(), "firstRecord").await["Name"], "Acme");
    assert_eq!(sent(&bench, "GET"), 1);
}

#[tokio::test]
async fn a_gzip_bomb_is_refused_at_the_bound_that_the_program_has() {
    let bench = Bench::start().await;
    for (method, path, operation) in [("GET", "/query", query()), ("POST", "/sobjects", create("Acme"))] {
        bench.strike(method, path, Fault::RespondAfter(Reply::gzip_bomb(64)));
        let failure = bench.failure(operation, &[]).await;
        assert_eq!((code(&failure), failure.retries), ("BODY_TOO_LARGE", 0), "{failure:#?}");
        assert!(failure.message.contains("larger than 52428800 bytes"), "{}", failure.message);
        assert_eq!(sent(&bench, method), 1);
    }
    assert_eq!(bench.org.records("Account").len(), 1);
}
