//! The admin port, asked over HTTP.

use salesforce_connector::zeebe::{Failure, JobHandler as _};
use salesforce_connector_dev::org::{Fault, Reply};
use serde_json::json;

use crate::{
    handler::{self, Bench},
    support::{House, hold, job, strike},
};

async fn get(url: String) -> (u16, String) {
    let answer = reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_worker_is_live_and_ready_and_shows_what_it_counted() {
    let house = House::start().await;
    house.run(json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"}), &[]).await;
    assert_eq!(get(format!("{}/live", house.admin)).await.0, 200);
    assert_eq!(get(format!("{}/ready", house.admin)).await.0, 200);
    let (status, page) = get(format!("{}/metrics", house.admin)).await;
    assert_eq!(status, 200);
    for line in [
        r#"salesforce_connector_jobs_handled_total{operation="query",outcome="completed"} 1"#,
        r#"salesforce_connector_token_requests_total{issuer="salesforce",result="issued"} 1"#,
        r#"salesforce_connector_salesforce_calls_total{status="2xx"} 1"#,
        "salesforce_connector_permits_free ",
        "salesforce_connector_streams_opened_total 1",
    ] {
        assert!(page.contains(line), "{line}\nis missing in\n{page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draining_worker_is_live_but_not_ready() {
    let house = House::start().await;
    let hold = hold(&house.org, "GET", "/query");
    let query = json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"});
    house.gateway.create_job(job(query));
    hold.held(1).await;
    house.stop.drain.cancel();
    let admin = house.admin.clone();
    let (status, text) = loop {
        let answer = get(format!("{admin}/ready")).await;
        if answer.0 != 200 {
            break answer;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(status, 503, "{text}");
    assert_eq!(get(format!("{admin}/live")).await.0, 200);
    hold.open();
    house.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_and_its_json_show_connections_and_failures_without_secrets_and_without_markup_of_others() {
    let house = House::start().await;
    let query = json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"});
    house.run(query, &[]).await;
    let misspelt = job(json!({"type": "query", "soqlQery": "SELECT Id FROM Account"}));
    let key = house.gateway.create_job(misspelt.element_id("<script>alert(1)</script>"));
    house.gateway.finished(key).await;
    let (status, page) = get(format!("{}/", house.admin)).await;
    assert_eq!(status, 200);
    for part in
        ["<strong>dev</strong>", ">Ready<", "<meter ", ">incident<", "INVALID_INPUT", "&lt;script&gt;"]
    {
        assert!(page.contains(part), "{part}\nis missing in\n{page}");
    }
    assert!(!page.contains("<script") && !page.contains("dev-secret"), "{page}");
    let (status, text) = get(format!("{}/api/status", house.admin)).await;
    let shown: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (status, &shown["worker"]["ready"], &shown["worker"]["stream"]),
        (200, &json!(true), &json!("open"))
    );
    assert_eq!(shown["connections"][0]["connection"], json!("dev"));
    let failure = &shown["failures"][0];
    assert_eq!((&failure["jobKey"], &failure["retries"]), (&json!(key), &json!(0)), "{failure}");
    assert_eq!(shown["failures"].as_array().unwrap().len(), 1);
    assert!(!text.contains("dev-secret"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_no_handler_could_read_is_among_the_failures_too() {
    let house = House::start().await;
    let malformed = job(json!({})).malformed_variables("[\"private\"]").element_id("ask");
    let key = house.gateway.create_job(malformed);
    house.gateway.finished(key).await;
    let (_, text) = get(format!("{}/api/status", house.admin)).await;
    let shown: serde_json::Value = serde_json::from_str(&text).unwrap();
    let failure = &shown["failures"][0];
    let found =
        ["jobKey", "element", "code", "errorType", "outcome", "retries"].map(|name| failure[name].clone());
    let expected = [json!(key), json!("ask"), json!("malformed"), json!("worker"), json!("failed"), json!(0)];
    assert_eq!(found, expected, "{failure}");
    assert!(
        failure["message"].as_str().unwrap().contains("JSON object") && !text.contains("private"),
        "{text}"
    );
    let (_, page) = get(format!("{}/", house.admin)).await;
    assert!(page.contains(">incident<") && page.contains("<code>malformed</code>"), "{page}");
}

#[tokio::test]
async fn what_the_worker_failed_by_itself_is_shown_with_its_reason_or_the_code_of_a_write_that_was_cut() {
    let bench = Bench::start().await;
    let job = handler::job(json!({"connection": {"name": "dev"}, "operation": {"type": "query"}}), &[]);
    let shown = |reason, failure: &Failure| {
        bench.connector.unhandled(&job, reason, failure);
        let failed = bench.connector.failures().last().remove(0);
        assert_eq!((failed.job_key, failed.operation), (job.key, "query"));
        (failed.code, failed.error_type, failed.retries, failed.message)
    };
    for reason in ["panic", "result"] {
        let failure = Failure { message: "about private data".into(), retries: 2, ..Failure::default() };
        let (code, error_type, retries, message) = shown(reason, &failure);
        assert_eq!((code.as_str(), error_type, retries), (reason, "worker", Some(2)));
        assert!(!message.contains("private"), "{message}");
    }
    let variables = json!({"error": {"code": "OUTCOME_UNKNOWN"}}).as_object().unwrap().clone();
    let cut = Failure { message: "sent, no answer".into(), variables, ..Failure::default() };
    let expected = ("OUTCOME_UNKNOWN".into(), "outcomeUnknown", Some(0), "sent, no answer".into());
    assert_eq!(shown("shutdown", &cut), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_org_that_is_not_called_says_why_and_until_when() {
    let house = House::start().await;
    let limit = Reply::error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.");
    strike(&house.org, "GET", "/query", Fault::Respond(limit));
    house.gateway.create_job(job(json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"})));
    house.gateway.wait_until(|account| account.failed == 1).await;
    let (_, page) = get(format!("{}/", house.admin)).await;
    for part in
        [r#"class="bad">held back<"#, "REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.", "next try in "]
    {
        assert!(page.contains(part), "{part}\nis missing in\n{page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_forbids_scripts_and_caching_and_an_unknown_path_names_the_known_ones() {
    let house = House::start().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for path in ["/", "/style.css", "/api/status", "/metrics", "/nowhere"] {
        let answer = client.head(format!("{}{path}", house.admin)).send().await.unwrap();
        assert_eq!(answer.status() == 200, path != "/nowhere", "{path}");
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.headers()["cache-control"], "no-store", "{path}");
    }
    let (status, hint) = get(format!("{}/nowhere", house.admin)).await;
    assert!(status == 404 && hint.contains("/api/status"), "{hint}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_come_as_openmetrics_to_whom_asks_for_it() {
    let house = House::start().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for (accept, content_type, has_end) in [
        ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", "application/openmetrics-text", true),
        ("*/*", "text/plain; version=0.0.4", false),
    ] {
        let request = client.get(format!("{}/metrics", house.admin)).header("accept", accept);
        let answer = request.send().await.unwrap();
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with(content_type));
        assert_eq!(answer.text().await.unwrap().ends_with("# EOF\n"), has_end);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_call_is_shown_with_its_org_and_the_name_that_salesforce_gave_the_request() {
    let house = House::start().await;
    let missing = json!({"type": "getRecord", "objectType": "Account", "objectId": "001000000000404AAA"});
    house.run(missing, &[]).await;
    let (_, text) = get(format!("{}/api/status", house.admin)).await;
    let shown: serde_json::Value = serde_json::from_str(&text).unwrap();
    let failure = &shown["failures"][0];
    assert_eq!(failure["org"], json!("127.0.0.1"), "{failure}");
    assert_eq!(failure["requestId"].as_str().map(str::len), Some(32), "{failure}");
}
