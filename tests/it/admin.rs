//! The admin port, asked over HTTP.

use serde_json::json;

use crate::support::{House, hold, job};

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
