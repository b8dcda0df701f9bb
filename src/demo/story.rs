//! How the demo tells what happened.

use std::fmt::Write as _;

use salesforce_connector_dev::{
    gateway::{DevGateway, JobRecord},
    org::{DevOrg, RecordedRequest},
};
use serde_json::Value;

use super::scenes::Scene;

/// How much of a value is shown.
const WIDTH: usize = 200;

pub(super) fn prologue(org: &DevOrg, gateway: &DevGateway) -> String {
    format!(
        "A Salesforce org in memory   {}\n\
         A Zeebe gateway in memory    {}\n\
         Between them the worker: real gRPC on one side, real HTTP on the other.\n",
        org.base_url(),
        gateway.url()
    )
}

pub(super) fn scene(
    number: usize,
    scene: &Scene,
    operation: &Value,
    calls: &[RecordedRequest],
    record: &JobRecord,
) -> String {
    let mut text = format!("\n{number}. {}\n   {}\n", scene.title, scene.why);
    let mut line = |label: &str, value: &str| {
        writeln!(text, "     {label:<22}{}", shortened(value)).expect("writing to a String does not fail");
    };
    line("the task asks", &operation.to_string());
    for (name, value) in scene.headers {
        line("", &format!("{name} = {value}"));
    }
    if calls.is_empty() {
        line("Salesforce", "(not called)");
    }
    for call in calls {
        let query = if call.query.is_empty() { String::new() } else { format!("?{}", call.query) };
        let status = call.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        line("Salesforce", &format!("{} {}{query} -> {status}", call.method, call.path));
    }
    match (&record.error_code, &record.result) {
        (Some(code), _) => line("BPMN error", code),
        (None, Some(variables)) => {
            for (name, value) in variables {
                line("process variable", &format!("{name} = {value}"));
            }
        }
        (None, None) => line("incident", record.error_message.as_deref().unwrap_or_default()),
    }
    text
}

pub(super) fn epilogue(org: &DevOrg, gateway: &DevGateway) -> String {
    let (counters, account) = (org.counters(), gateway.account());
    format!(
        "\n{} jobs: {} completed, {} BPMN error, {} incidents, as meant. {} logins, {} calls.\n",
        account.created,
        account.completed,
        account.thrown,
        account.incidents,
        counters.tokens_issued,
        counters.api_requests
    )
}

pub(super) fn serving(org: &DevOrg, gateway: &DevGateway, admin: &str) -> String {
    format!(
        "\nStill running: the org at {} (client id dev-client, client secret dev-secret),\n\
         the gateway at {}, and the worker between them, which shows itself at {admin}. Ctrl-C ends it.\n",
        org.base_url(),
        gateway.url()
    )
}

fn shortened(text: &str) -> String {
    let mut characters = text.chars();
    let mut shown: String = characters.by_ref().take(WIDTH).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}
