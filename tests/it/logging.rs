//! The log lines of the program itself, as JSON.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use salesforce_connector_dev::gateway::DevGateway;
use serde_json::{Value, json};

use crate::support::job;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_job_is_one_line_that_says_which_and_why() {
    let gateway = DevGateway::start().await.unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_salesforce-connector"))
        .arg("run")
        .env_clear()
        .env("CAMUNDA_GRPC_ADDRESS", gateway.url())
        .env("SALESFORCE_CONNECTOR_ADMIN__LISTEN", "")
        .env("SALESFORCE_CONNECTOR_LOG__FORMAT", "json")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let key =
        gateway.create_job(job(json!({"type": "query", "soqlQery": "SELECT 'private'"})).element_id("ask"));
    gateway.finished(key).await;
    // SIGTERM, so that everything that was to be logged is.
    Command::new("kill").arg(program.id().to_string()).status().unwrap();
    let lines: Vec<String> =
        BufReader::new(program.stderr.take().unwrap()).lines().map(Result::unwrap).collect();
    assert!(program.wait().unwrap().success());
    let about: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["span"]["job.key"] == json!(key))
        .collect();
    let [line] = &about[..] else { panic!("{} lines about the job in\n{}", about.len(), lines.join("\n")) };
    assert_eq!((&line["level"], &line["message"]), (&json!("WARN"), &json!("job failed: an incident")));
    assert_eq!(
        (&line["operation"], &line["code"], &line["retries"]),
        (&json!("query"), &json!("INVALID_INPUT"), &json!(0))
    );
    assert_eq!(line["span"]["element"], json!("ask"), "{line}");
    assert!(line["span"]["process.instance"].is_i64() && line["error"].is_string(), "{line}");
    assert!(!lines.join("\n").contains("private"), "{lines:#?}");
}
