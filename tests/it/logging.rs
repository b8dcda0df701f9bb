//! The log lines of the program itself, as JSON; and what docs/logging.md says of them.

use std::{
    collections::BTreeSet,
    fs,
    io::Read as _,
    path::Path,
    process::{Child, Command, Stdio},
};

use salesforce_connector_dev::{
    gateway::{DevGateway, NewJob},
    org::DevOrg,
};
use serde_json::{Value, json};

use crate::support::{job, worker_program};

/// The program between its doubles.
struct Program {
    child: Child,
    gateway: DevGateway,
    _org: DevOrg,
}

impl Program {
    async fn start() -> Self {
        let (org, gateway) = (DevOrg::start().await.unwrap(), DevGateway::start().await.unwrap());
        let child = worker_program(&gateway)
            .env("SALESFORCE_CONNECTOR_CONNECTIONS__DEV__BASE_URL", org.base_url())
            .env(
                "SALESFORCE_CONNECTOR_CONNECTIONS__DEV__AUTHENTICATION__TYPE",
                "oauth-client-credentials-flow",
            )
            .env("SALESFORCE_CONNECTOR_CONNECTIONS__DEV__AUTHENTICATION__CLIENT_ID", "dev-client")
            .env("SALESFORCE_CONNECTOR_CONNECTIONS__DEV__AUTHENTICATION__CLIENT_SECRET", "dev-secret")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, gateway, _org: org }
    }

    /// Runs a job to its end; then the one line about it, after SIGTERM, so that everything that was to be logged is.
    async fn line_about(mut self, job: NewJob) -> (Value, String) {
        let key = self.gateway.create_job(job.element_id("ask").bpmn_process_id("orders"));
        self.gateway.finished(key).await;
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        assert!(self.child.wait().unwrap().success(), "{text}");
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let about: Vec<Value> = lines.filter(|line| line["span"]["job.key"] == json!(key)).collect();
        let [line] = <[Value; 1]>::try_from(about)
            .unwrap_or_else(|about| panic!("{} lines about the job in\n{text}", about.len()));
        let span = &line["span"];
        assert!(span["process.instance"].is_i64(), "{line}");
        assert_eq!((&span["element"], &span["bpmn.process"]), (&json!("ask"), &json!("orders")), "{line}");
        (line, text)
    }
}

/// What a line has of these fields.
fn fields<const N: usize>(line: &Value, names: [&str; N]) -> [Value; N] {
    names.map(|name| line[name].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_was_refused_before_any_call_is_one_line_that_says_which_and_why() {
    let misspelt = job(json!({"type": "query", "soqlQery": "SELECT 'private'"}));
    let (line, text) = Program::start().await.line_about(misspelt).await;
    let found = fields(&line, ["level", "message", "operation", "code", "error_type", "retries"]);
    let expected: [Value; 6] = [
        "WARN".into(),
        "job failed: an incident".into(),
        "query".into(),
        "INVALID_INPUT".into(),
        "input".into(),
        0.into(),
    ];
    assert_eq!(found, expected, "{line}");
    assert!(line["error"].is_string() && !text.contains("private"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_salesforce_refused_is_one_line_with_its_org_and_the_name_of_the_request() {
    let get = json!({"type": "getRecord", "objectType": "Account", "objectId": "001000000000404AAA"});
    let (line, _) = Program::start().await.line_about(job(get)).await;
    let found = fields(&line, ["level", "outcome", "operation", "code", "error_type", "connection", "org"]);
    let expected = ["WARN", "failed", "getRecord", "NOT_FOUND", "business", "dev", "127.0.0.1"];
    assert_eq!(found, expected.map(Value::from), "{line}");
    let request = line["request_id"].as_str().unwrap();
    assert_eq!(request.len(), 32, "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_the_worker_failed_by_itself_is_one_line_too() {
    let malformed = job(json!({})).malformed_variables("[\"private\"]");
    let (line, text) = Program::start().await.line_about(malformed).await;
    let found = fields(&line, ["level", "message", "operation", "reason", "retries"]);
    let expected: [Value; 5] =
        ["WARN".into(), "job failed by the worker".into(), "unknown".into(), "malformed".into(), 0.into()];
    assert_eq!(found, expected, "{line}");
    assert!(line["error"].is_string() && !text.contains("private"), "{text}");
}

/// The text between the opening parenthesis of a macro's call and the closing one.
fn arguments(text: &str) -> &str {
    let (mut depth, mut in_text, mut escaped) = (1, false, false);
    for (place, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => in_text = !in_text,
            '(' if !in_text => depth += 1,
            ')' if !in_text => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..place];
        }
    }
    panic!("a call without an end: {text}")
}

/// The last text among a macro's arguments, with its lines put together: the message.
fn message(arguments: &str) -> String {
    let text = arguments.trim_end().trim_end_matches(',').strip_suffix('"').expect("a message comes last");
    let text = text.rsplit_once('"').unwrap().1;
    text.split("\\\n").map(|line| line.trim_start_matches(' ')).collect()
}

/// The messages of all warnings and errors in a folder, with their levels.
fn messages(folder: &Path, found: &mut BTreeSet<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            messages(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for level in ["warn", "error"] {
            for call in code.split(&format!("tracing::{level}!(")).skip(1) {
                found.insert((message(arguments(call)), level.to_owned()));
            }
        }
    }
}

#[test]
fn the_page_about_logging_lists_every_warning_and_error_that_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut logged = BTreeSet::new();
    messages(&root.join("src"), &mut logged);
    let page = fs::read_to_string(root.join("docs/logging.md")).unwrap();
    let (_, table) = page.split_once("## What to do about each warning and error").unwrap();
    let rows = table.split("\n## ").next().unwrap().lines().filter_map(|line| line.strip_prefix("| `"));
    let told: BTreeSet<_> = rows
        .map(|row| {
            let (message, rest) = row.split_once("` | ").unwrap();
            (message.to_owned(), rest.split(" |").next().unwrap().to_owned())
        })
        .collect();
    let (missing, gone): (Vec<_>, Vec<_>) =
        (logged.difference(&told).collect(), told.difference(&logged).collect());
    assert!(
        missing.is_empty() && gone.is_empty(),
        "not in docs/logging.md: {missing:#?}\nnot in src: {gone:#?}"
    );
}
