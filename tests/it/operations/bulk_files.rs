//! CSV files that a task names by their address: read while they are uploaded, checked on the way, never by halves.

use salesforce_connector::{
    connector::STATE_VARIABLE, salesforce::AllowedHosts, zeebe::JobHandler, zeebe::Outcome,
};
use salesforce_connector_dev::org::{DevOrg, Fault, Reply};
use serde_json::{Value, json};

use crate::{
    file_server::{FileServer, in_chunks, with_length},
    handler::{Bench, code, failed, job},
};

async fn bench() -> Bench {
    Bench::start_with(DevOrg::start().await.unwrap(), |options| {
        options.transport.sources = AllowedHosts::new(&[], true, true).unwrap().of_sources();
    })
}

fn of_file(name: &str, address: &str) -> Value {
    json!({"type": name, "objectType": "Account", "bulkOperation": "insert", "records": {"csvUrl": address}})
}

fn run(address: &str) -> Value {
    of_file("bulkRun", address)
}

/// The state of each bulk job, and how many of its rows it has come to.
fn jobs(bench: &Bench) -> Vec<(Value, Value)> {
    let jobs = bench.org.bulk().list();
    jobs.iter().map(|job| (job["state"].clone(), job["numberRecordsProcessed"].clone())).collect()
}

fn stored(bench: &Bench) -> usize {
    bench.org.records("Account").len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_read_while_it_is_uploaded_whatever_its_dialect() {
    let rows: Vec<_> = (0..2_000).map(|number| format!("A{number};\"street {number}; back\"\r\n")).collect();
    let text = format!("\u{feff}Name;Description\r\n{}", rows.concat());
    for answer in [with_length(&text, text.len()), in_chunks(&text, true)] {
        let (bench, file) = (bench().await, FileServer::start(answer).await);
        let done = bench.result(run(&file.url), "body").await;
        assert_eq!((&done["total"], &done["succeeded"]), (&json!(2_000), &json!(2_000)));
        let accounts = bench.org.records("Account");
        let last = accounts.iter().find(|account| account["Name"] == "A1999").unwrap();
        assert_eq!(last["Description"], "street 1999; back");
        let requests = bench.org.requests();
        let upload = requests.iter().find(|request| request.method == "PUT").unwrap();
        assert_eq!(
            (upload.header("transfer-encoding"), upload.header("content-length")),
            (Some("chunked"), None)
        );
        let asked = file.asked.lock().unwrap().clone();
        let (line, headers) = asked.trim().split_once("\r\n").unwrap();
        let mut names: Vec<_> = headers.lines().filter_map(|line| Some(line.split_once(':')?.0)).collect();
        names.sort_unstable();
        assert_eq!(line, "get /accounts.csv?signature=s3cret http/1.1");
        assert_eq!(names, ["accept", "host", "user-agent"], "nothing says who asks");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_breaks_off_or_is_not_right_leaves_a_bulk_job_of_which_nothing_comes() {
    let rows: Vec<_> = (0..20_000).map(|number| format!("A{number}\n")).collect();
    let text = format!("Name\n{}", rows.concat());
    let wider = format!("{text}A,B\n");
    let too_large = format!("Name\n{}", format!("{}\n", "a".repeat(9_999)).repeat(10_001));
    for (answer, expected, retries, words) in [
        (
            with_length(&text, text.len() + 1),
            "SOURCE_UNAVAILABLE",
            2,
            "the CSV file on 127.0.0.1 could not be read: ",
        ),
        (in_chunks(&text, false), "SOURCE_UNAVAILABLE", 2, "the CSV file on 127.0.0.1 could not be read: "),
        (
            with_length(&wider, wider.len()),
            "SOURCE_REFUSED",
            0,
            "found 2 columns in line 20002 under a header of 1",
        ),
        (
            with_length(&too_large, too_large.len()),
            "SOURCE_REFUSED",
            0,
            "expected at most 100000000 bytes of CSV in one task, found more",
        ),
    ] {
        let (bench, file) = (bench().await, FileServer::start(answer).await);
        let failure = bench.failure(run(&file.url), &[]).await;
        assert_eq!((code(&failure), failure.retries), (expected, retries), "{failure:#?}");
        assert!(failure.message.contains(words), "{}", failure.message);
        assert!(!format!("{failure:?}").contains("s3cret"));
        assert_eq!((jobs(&bench), stored(&bench)), (vec![(json!("Open"), json!(0))], 0));
    }
}

#[tokio::test]
async fn what_is_not_a_whole_file_at_an_allowed_host_needs_no_bulk_job() {
    let refused = |status: &str| format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
    for (answer, expected, retries, words) in [
        (refused("404 Not Found"), "SOURCE_REFUSED", 0, "expected status 200, found 404"),
        (refused("206 Partial Content"), "SOURCE_REFUSED", 0, "expected status 200, found 206"),
        (refused("503 Busy"), "SOURCE_UNAVAILABLE", 2, "could not be read: status 503"),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/secret\r\n\r\n".to_owned(),
            "SOURCE_REFUSED",
            0,
            "found 302, which is not followed: give the address it leads to",
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\nName\nAcme\n".to_owned(),
            "SOURCE_REFUSED",
            0,
            "found neither a length nor chunks",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\na".to_owned(),
            "SOURCE_REFUSED",
            0,
            "found the Content-Encoding \"gzip\"",
        ),
        (String::new(), "SOURCE_UNAVAILABLE", 2, "the CSV file on 127.0.0.1 could not be read: "),
    ] {
        let (bench, file) = (bench().await, FileServer::start(answer).await);
        let failure = bench.failure(run(&file.url), &[]).await;
        assert_eq!((code(&failure), failure.retries), (expected, retries), "{failure:#?}");
        assert!(failure.message.contains(words), "{}", failure.message);
        assert!(bench.org.bulk().list().is_empty());
    }
}

#[tokio::test]
async fn no_host_is_allowed_that_the_operator_has_not_listed_and_no_message_holds_a_signature() {
    let bench = Bench::start_with(DevOrg::start().await.unwrap(), |options| {
        options.transport.sources =
            AllowedHosts::new(&["files.acme.com".to_owned()], false, false).unwrap().of_sources();
    });
    for (address, expected, words) in [
        (
            "https://elsewhere.com/a.csv?s3cret",
            "HOST_NOT_ALLOWED",
            "hosts.sources in the configuration names them",
        ),
        (
            "https://acme.my.salesforce.com/s3cret",
            "HOST_NOT_ALLOWED",
            "hosts.sources in the configuration names them",
        ),
        ("http://files.acme.com/a.csv?s3cret", "HOST_NOT_ALLOWED", "only https is allowed"),
        ("https://127.0.0.1/a.csv?s3cret", "HOST_NOT_ALLOWED", "hosts.allow_loopback allows it"),
        ("https://10.0.0.1/a.csv?s3cret", "HOST_NOT_ALLOWED", "hosts.allow_private allows them"),
        (
            "https://user:s3cret@files.acme.com/a.csv",
            "INVALID_INPUT",
            "csvUrl: expected an https address without a user",
        ),
        ("s3cret.csv", "INVALID_INPUT", "csvUrl: expected an https address without a user"),
    ] {
        let failure = bench.failure(run(address), &[]).await;
        assert_eq!((code(&failure), failure.retries), (expected, 0), "{address}");
        assert!(failure.message.contains(words), "{}", failure.message);
        assert!(!format!("{failure:?}").contains("s3cret"), "{failure:?}");
    }
    for (records, words) in [
        (
            json!({"csvUrl": "https://files.acme.com/a.csv", "Name": "A"}),
            "records: expected the one field: csvUrl, found \"Name\"",
        ),
        (json!({"csvUrl": 5}), "records.csvUrl: expected an https address without a user"),
        (json!({"Name": "A"}), "CSV as text, or {csvUrl: …} with the address of a CSV file, found an object"),
    ] {
        let mut operation = run("");
        operation["records"] = records;
        let failure = bench.failure(operation, &[]).await;
        assert!(failure.message.contains(words), "{}", failure.message);
    }
    assert_eq!(bench.org.counters().api_requests, 0);
}

#[tokio::test]
async fn a_file_without_rows_gives_its_bulk_job_up() {
    let (bench, file) = (bench().await, FileServer::of("Name\n").await);
    let done = bench.result(run(&file.url), "body").await;
    assert_eq!((&done["total"], &done["id"]), (&json!(0), &Value::Null));
    let failure = bench.failure(of_file("bulkStart", &file.url), &[]).await;
    assert!(
        failure.message.contains("csvUrl: expected a file with at least one record, found none"),
        "{failure:#?}"
    );
    assert_eq!(jobs(&bench), vec![(json!("Aborted"), json!(0)); 2]);
}

#[tokio::test]
async fn after_a_lost_answer_the_file_is_read_again_for_another_bulk_job_and_carried_out_once() {
    let (bench, file) = (bench().await, FileServer::of("Name\nAcme\nGlobex\n").await);
    bench.strike("PUT", "/batches", Fault::CloseAfter);
    let mut task = job(json!({"connection": {"name": "dev"}, "operation": run(&file.url)}), &[]);
    let Outcome::Park { variables, .. } = bench.connector.handle(&task).await else { panic!("it rests") };
    task.variables.insert(STATE_VARIABLE.to_owned(), variables[STATE_VARIABLE].clone());
    let outcome = bench.connector.handle(&task).await;
    assert!(matches!(outcome, Outcome::Complete { .. }), "{outcome:#?}");
    let expected = vec![(json!("Aborted"), json!(0)), (json!("JobComplete"), json!(2))];
    assert_eq!((jobs(&bench), stored(&bench), file.requests()), (expected, 2, 2));
}

#[tokio::test]
async fn a_file_is_not_read_again_once_its_bulk_job_has_begun() {
    let (bench, file) = (bench().await, FileServer::of("Name\nAcme\n").await);
    bench.org.bulk().hold();
    let mut task = job(json!({"connection": {"name": "dev"}, "operation": run(&file.url)}), &[]);
    let Outcome::Park { variables, .. } = bench.connector.handle(&task).await else { panic!("it rests") };
    bench.org.bulk().release();
    task.variables.insert(STATE_VARIABLE.to_owned(), variables[STATE_VARIABLE].clone());
    let outcome = bench.connector.handle(&task).await;
    assert!(matches!(outcome, Outcome::Complete { .. }), "{outcome:#?}");
    assert_eq!((stored(&bench), file.requests()), (1, 1));
}

#[tokio::test]
async fn an_upload_that_is_refused_costs_a_retry_since_a_stream_is_sent_once() {
    for (reply, expected) in [
        (Reply::error(503, "SERVER_UNAVAILABLE", "busy"), "SERVER_UNAVAILABLE"),
        (Reply::error(401, "INVALID_SESSION_ID", "Session expired or invalid"), "INVALID_SESSION_ID"),
    ] {
        let (bench, file) = (bench().await, FileServer::of("Name\nAcme\n").await);
        bench.strike("PUT", "/batches", Fault::Respond(reply));
        let failure = failed(bench.run(run(&file.url), &[]).await);
        assert_eq!((code(&failure), failure.retries, stored(&bench)), (expected, 2, 0), "{failure:#?}");
        let done = bench.result(run(&file.url), "body").await;
        assert_eq!((&done["succeeded"], stored(&bench)), (&json!(1), 1));
    }
}
