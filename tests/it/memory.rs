//! How much memory the program takes for what is large, as the system counts it: a process of its own between the doubles.

use std::{
    fs,
    process::{Child, Command, Stdio},
};

use salesforce_connector_dev::{
    documents::DevDocuments,
    gateway::{DevGateway, JobState},
    org::{DevOrg, Fault, FaultRule, Reply},
};
use serde_json::{Value, json};

use crate::{file_server::FileServer, handler::query, support::job};

/// A worker of these doubles, with its memory.
struct Program(Child);

impl Program {
    fn start(org: &DevOrg, gateway: &DevGateway) -> Self {
        Self::start_with(org, gateway, "")
    }

    /// The same with the address of a cluster's REST API.
    fn start_with(org: &DevOrg, gateway: &DevGateway, rest: &str) -> Self {
        let settings = [
            ("GATEWAY__ADDRESS", gateway.url()),
            ("GATEWAY__REST_ADDRESS", rest.to_owned()),
            ("HOSTS__ALLOW_HTTP", "true".to_owned()),
            ("HOSTS__ALLOW_LOOPBACK", "true".to_owned()),
            ("ADMIN__LISTEN", String::new()),
            ("CONNECTIONS__DEV__BASE_URL", org.base_url()),
            ("CONNECTIONS__DEV__AUTHENTICATION__TYPE", "oauth-client-credentials-flow".to_owned()),
            ("CONNECTIONS__DEV__AUTHENTICATION__CLIENT_ID", "dev-client".to_owned()),
            ("CONNECTIONS__DEV__AUTHENTICATION__CLIENT_SECRET", "dev-secret".to_owned()),
        ];
        let settings = settings.map(|(name, value)| (format!("SALESFORCE_CONNECTOR_{name}"), value));
        let mut command = Command::new(env!("CARGO_BIN_EXE_salesforce-connector"));
        command.arg("run").env_clear().envs(settings).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    /// The most that was ever in memory at the same time, in bytes.
    fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Fifty megabytes; every other row is refused, for it has no name.
fn csv() -> String {
    let text = "x".repeat(1_000);
    let name = |row: usize| if row.is_multiple_of(2) { format!("A{row}") } else { String::new() };
    let rows = (0..50_000).map(|row| format!("{},{text}\n", name(row)));
    ["Name,Description\n".to_owned()].into_iter().chain(rows).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_csv_file_of_fifty_megabytes_and_its_refused_rows_go_through_in_less_than_120() {
    let csv = csv();
    assert!(csv.len() > 50_000_000);
    let (org, gateway) = (DevOrg::start().await.unwrap(), DevGateway::start().await.unwrap());
    let file = FileServer::of(&csv).await;
    let program = Program::start(&org, &gateway);
    let operation = json!({"type": "bulkRun", "objectType": "Account", "bulkOperation": "insert", "records": {"csvUrl": file.url},
                           "failOn": "none"});
    let done = body(&gateway, operation).await;
    assert_eq!((&done["succeeded"], &done["failed"]), (&json!(25_000), &json!(25_000)));
    assert_eq!(
        done["resultsComplete"],
        Value::Bool(false),
        "25 MB of refused rows are not handed over whole"
    );
    let peak = program.peak();
    assert!(peak < 120_000_000, "{peak} bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gzip_bomb_of_a_gibibyte_costs_the_program_no_more_memory_than_its_bound_allows() {
    let (org, gateway) = (DevOrg::start().await.unwrap(), DevGateway::start().await.unwrap());
    let bomb = Reply::gzip_bomb(1024);
    org.faults().add(FaultRule::new(Fault::Respond(bomb)).path("/query").times(usize::MAX));
    let program = Program::start(&org, &gateway);
    let record = gateway.finished(gateway.create_job(job(query()))).await;
    assert_eq!(record.local_variables["error"]["code"], "BODY_TOO_LARGE", "{record:#?}");
    // Up to 50 MiB are read into a buffer that doubles, and moves when it does.
    let peak = program.peak();
    assert!(peak < 200 * 1024 * 1024, "{peak} bytes");
}

/// The body of the answer to an operation that must succeed.
async fn body(gateway: &DevGateway, operation: Value) -> Value {
    let headers = [("resultVariable", "done"), ("resultContent", "body")];
    let record = gateway.finished(gateway.create_job(job(operation).headers(headers))).await;
    assert_eq!(record.state, JobState::Completed, "{:?}", record.error_message);
    record.result.unwrap()["done"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_costs_its_size_on_the_way_up_and_three_times_as_much_on_the_way_down() {
    const SIZE: u64 = 30_000_000;
    let (org, gateway) = (DevOrg::start().await.unwrap(), DevGateway::start().await.unwrap());
    let documents = DevDocuments::start().await.unwrap();
    let program = Program::start_with(&org, &gateway, &documents.url());
    let upload = |size: u64| {
        let content = vec![b'x'; usize::try_from(size).unwrap()];
        let reference = documents.put(content, json!({"fileName": "a.txt", "size": size}));
        json!({"type": "uploadFile", "content": reference})
    };
    let download =
        |file: &Value| json!({"type": "downloadFile", "fileId": file["id"], "contentAs": "document"});
    let small = body(&gateway, upload(1)).await;
    body(&gateway, download(&small)).await;
    let before = program.peak();
    let large = body(&gateway, upload(SIZE)).await;
    let up = program.peak() - before;
    body(&gateway, download(&large)).await;
    let down = program.peak() - before;
    assert!(up < SIZE * 3 / 2, "{up} bytes more for the way up");
    assert!(down < SIZE * 7 / 2, "{down} bytes more for the way down");
}
