//! What is counted under a mixed load, as a scraper sees it.

use salesforce_connector::metrics::{METRICS, NAMESPACE};
use salesforce_connector_dev::{
    gateway::Rpc,
    org::{Fault, Reply},
};
use serde_json::json;
use tonic::Status;

use crate::support::{House, job, strike, sum};

/// Completed, thrown, failed and sent again, in one house; gives the page after the last job.
async fn mixed_load() -> (String, u64) {
    let house = House::start().await;
    house.gateway.faults().refuse(Rpc::CompleteJob, 1, &Status::unavailable("no leader"));
    house.run(json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"}), &[]).await;
    strike(
        &house.org,
        "GET",
        "/query",
        Fault::Respond(Reply::error(503, "SERVER_UNAVAILABLE", "The server is too busy.")),
    );
    house.run(json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"}), &[]).await;
    house.org.revoke_tokens();
    let body = json!({"Name": "Acme"});
    let create = json!({"type": "createRecord", "objectType": "Account", "body": body});
    house.run(create, &[]).await;
    let missing = json!({"type": "getRecord", "objectType": "Account", "objectId": "001000000000000AAA"});
    house.run(missing.clone(), &[("bpmnErrors", "NOT_FOUND")]).await;
    house.run(missing, &[]).await;
    house.run(json!({"type": "mystery"}), &[]).await;
    let query = |_| job(json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"}));
    house.gateway.create_jobs((0..50).map(query));
    house.gateway.all_finished().await;
    let metrics = std::sync::Arc::clone(&house.metrics);
    let (summary, gateway, org) = house.drain().await;
    gateway.stop().await;
    org.stop().await;
    (metrics.encode_plain(), summary.taken)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_metric_of_the_table_is_on_the_page_and_the_counts_add_up() {
    let (page, taken) = mixed_load().await;
    for metric in METRICS {
        let name = format!("{NAMESPACE}_{}", metric.name);
        assert!(page.contains(&format!("# TYPE {name} ")), "{name} is not declared in\n{page}");
    }
    let activated = sum(&page, "jobs_activated_total", &[]);
    assert_eq!((activated, taken), (56, 56), "{page}");
    assert_eq!(sum(&page, "jobs_ended_total", &[]), activated, "{page}");
    assert_eq!(sum(&page, "job_total_seconds_count", &[]), activated);
    for (labels, count) in [
        (&[r#"operation="query""#, r#"end="completed""#, r#"reason="none""#], 52),
        (&[r#"operation="createRecord""#, r#"end="completed""#, r#"reason="none""#], 1),
        (&[r#"operation="getRecord""#, r#"end="thrown""#, r#"reason="business""#], 1),
        (&[r#"operation="getRecord""#, r#"end="failed""#, r#"reason="business""#], 1),
        (&[r#"operation="unknown""#, r#"end="failed""#, r#"reason="input""#], 1),
    ] {
        assert_eq!(sum(&page, "jobs_ended_total", labels), count, "{labels:?} in\n{page}");
    }
    assert_eq!(sum(&page, "job_start_delay_seconds_count", &[]), activated, "each of them was begun");
    let of_query = [r#"operation="query""#];
    assert_eq!(sum(&page, "job_handler_seconds_count", &of_query), 52, "{page}");
    // A poll that brings nothing has no size.
    assert_eq!(sum(&page, "poll_size_jobs_count", &[]), sum(&page, "polls_total", &[r#"result="jobs""#]));
    // Each job has its report, and the create its mark, which a second attempt does not leave again.
    assert_eq!(sum(&page, "gateway_commands_total", &[r#"result="accepted""#]), activated + 1);
    assert_eq!(sum(&page, "salesforce_retries_total", &[r#"class="transient""#]), 1, "{page}");
    assert_eq!(sum(&page, "tokens_refreshed_total", &[r#"issuer="salesforce""#]), 1, "{page}");
    assert_eq!(sum(&page, "token_requests_total", &[r#"result="issued""#]), 2, "{page}");
    assert_eq!(sum(&page, "gateway_command_retries_total", &[r#"code="unavailable""#]), 1, "{page}");
    // Each call but the two that fetched a token found one.
    let calls = sum(&page, "salesforce_calls_total", &[]);
    assert_eq!(sum(&page, "salesforce_call_seconds_count", &[]), calls);
    assert_eq!(sum(&page, "tokens_reused_total", &[r#"issuer="salesforce""#]), calls - 2, "{page}");
    let sent = sum(&page, "gateway_commands_total", &[]) + sum(&page, "gateway_command_retries_total", &[]);
    let asked = sum(&page, "gateway_call_seconds_count", &[]);
    assert_eq!(asked - sum(&page, "gateway_call_seconds_count", &[r#"command="topology""#]), sent, "{page}");
    assert_eq!(sum(&page, "streams_opened_total", &[]), sum(&page, "streams_closed_total", &[]));
    assert_eq!((sum(&page, "streams_open", &[]), sum(&page, "permits_free", &[])), (0, 100), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_org_says_of_its_requests_and_whether_it_is_called_are_gauges() {
    let house = House::start().await;
    let query = json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"});
    let org = house.org.base_url();
    let org = format!(r#"org="{}""#, org.trim_start_matches("http://"));
    let gauge = |name: &str| sum(&house.metrics.encode_plain(), name, &[&org]);
    house.run(query.clone(), &[]).await;
    let used = i64::try_from(house.org.counters().api_requests).unwrap();
    assert_eq!((gauge("org_circuit_state"), gauge("org_api_requests_used")), (0, used));
    assert!(gauge("org_api_requests_max") > used);

    let limit = Reply::error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.");
    strike(&house.org, "GET", "/query", Fault::Respond(limit));
    // The one that meets the limit, and the one after it.
    for failed in [1, 2] {
        house.gateway.create_job(job(query.clone()));
        house.gateway.wait_until(|account| account.failed == failed).await;
    }
    assert_eq!(gauge("org_circuit_state"), 2);
    let metrics = std::sync::Arc::clone(&house.metrics);
    house.drain().await;
    let page = metrics.encode_plain();
    let parked = sum(&page, "jobs_ended_total", &[r#"end="parked""#, r#"reason="throttled""#]);
    assert_eq!(
        (parked, sum(&page, "salesforce_calls_held_total", &[r#"reason="circuit""#])),
        (2, 1),
        "{page}"
    );
}
