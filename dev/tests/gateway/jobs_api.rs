//! Jobs over HTTP.

use std::net::{Ipv4Addr, SocketAddr};

use salesforce_connector_dev::gateway::{DevGateway, JobsApi};
use serde_json::{Value, json};

use crate::client::*;
use crate::http;

async fn start() -> (DevGateway, JobsApi) {
    let gateway = DevGateway::start().await.unwrap();
    let api = gateway.serve_jobs_api(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    (gateway, api)
}

async fn post(api: &JobsApi, body: &Value) -> (u16, Value) {
    http::send(api.address(), "POST /jobs", "Content-Type: application/json\r\n", &body.to_string()).await
}

async fn get(api: &JobsApi, path: &str) -> (u16, Value) {
    http::send(api.address(), &format!("GET {path}"), "", "").await
}

#[tokio::test]
async fn a_job_made_over_http_goes_to_a_worker_and_its_end_can_be_awaited() {
    let (gateway, api) = start().await;
    let mut client = connect(&gateway).await;
    let wish = json!({
        "type": "t", "variables": { "a": 1 }, "headers": { "h": "x" }, "retries": 5, "elementId": "create",
    });
    let (status, body) = post(&api, &wish).await;
    assert_eq!(status, 201);
    let key = body["key"].as_i64().unwrap();
    let job = poll(&mut client, poll_request()).await.unwrap().remove(0);
    assert_eq!((job.key, job.retries, job.element_id.as_str()), (key, 5, "create"));
    assert_eq!((job.variables.as_str(), job.custom_headers.as_str()), (r#"{"a":1}"#, r#"{"h":"x"}"#));
    assert_eq!(get(&api, &format!("/jobs/{key}")).await.1["state"], "Activated");
    let path = format!("/jobs/{key}/finished");
    let (finished, done) = tokio::join!(get(&api, &path), complete(&mut client, key));
    done.unwrap();
    assert_eq!((finished.0, &finished.1["state"]), (200, &json!("Completed")));
    assert_eq!(get(&api, "/account").await.1["completed"], 1);
}

#[tokio::test]
async fn a_wish_that_cannot_be_understood_says_what_is_wrong() {
    let (gateway, api) = start().await;
    let (status, body) = post(&api, &json!({ "type": "t", "variable": {} })).await;
    assert_eq!(status, 422);
    assert!(body["error"].as_str().unwrap().contains("unknown field `variable`"), "{body}");
    let (status, body) = post(&api, &json!({ "type": "t", "variables": [] })).await;
    assert_eq!(status, 422);
    assert!(body["error"].as_str().unwrap().contains("variables"), "{body}");
    assert_eq!(get(&api, "/jobs/7").await.0, 404);
    assert_eq!(get(&api, "/jobs/7/finished").await.0, 404);
    assert_eq!(gateway.account().created, 0);
}
