//! Bulk jobs: begun once, waited for without a permit, judged record by record.

use std::time::Duration;

use salesforce_connector::{
    connector::STATE_VARIABLE,
    zeebe::{JobHandler, Outcome},
};
use salesforce_connector_dev::org::{DevOrg, Fault, FaultRule, Reply};
use serde_json::{Value, json};

use crate::handler::{Bench, code, failed, job};

fn accounts(count: usize) -> Vec<Value> {
    (0..count)
        .map(|number| json!({"External_Key__c": format!("k{number}"), "Name": format!("A{number}")}))
        .collect()
}

fn run(bulk_operation: &str, records: impl Into<Value>) -> Value {
    let mut operation = json!({"type": "bulkRun", "objectType": "Account", "bulkOperation": bulk_operation,
                               "records": records.into()});
    if bulk_operation == "upsert" {
        operation["externalIdField"] = json!("External_Key__c");
    }
    operation
}

pub(super) fn with(mut operation: Value, field: &str, value: impl Into<Value>) -> Value {
    operation[field] = value.into();
    operation
}

fn start(bulk_operation: &str, records: impl Into<Value>) -> Value {
    with(run(bulk_operation, records), "type", "bulkStart")
}

pub(super) fn calls(org: &DevOrg, method: &str, end: &str) -> usize {
    let is_call = |path: &str| path.contains("/jobs/") && path.ends_with(end);
    org.requests().iter().filter(|request| request.method == method && is_call(&request.path)).count()
}

pub(super) async fn body(bench: &Bench, operation: Value) -> Value {
    bench.result(operation, "body").await
}

pub(super) async fn id(bench: &Bench, operation: Value) -> Value {
    bench.result(operation, "id").await
}

fn stored(org: &DevOrg) -> usize {
    org.records("Account").len()
}

#[tokio::test]
async fn a_job_of_450_records_saves_them_and_says_how_many() {
    let bench = Bench::start().await;
    let done = body(&bench, run("upsert", accounts(450))).await;
    let numbers = [&done["total"], &done["succeeded"], &done["failed"]];
    assert_eq!(numbers, [&json!(450), &json!(450), &json!(0)]);
    assert_eq!((&done["state"], &done["results"]), (&json!("JobComplete"), &json!([])));
    assert_eq!((&done["resultsComplete"], &done["job"]["object"]), (&json!(true), &json!("Account")));
    let uploads = calls(&bench.org, "PUT", "/batches");
    assert_eq!((stored(&bench.org), uploads, calls(&bench.org, "POST", "/ingest")), (450, 1, 1));
    let upload = bench.org.requests().into_iter().find(|request| request.method == "PUT").unwrap();
    assert_eq!(upload.header("content-type"), Some("text/csv; charset=UTF-8"));
}

#[tokio::test]
async fn every_verb_does_what_it_says_with_records_ids_and_csv() {
    let bench = Bench::start().await;
    let all = |operation| with(operation, "results", "all");
    let created =
        body(&bench, all(run("insert", json!([{"Name": "a,\"b\"", "Phone": "1"}, {"Name": "c\nd"}])))).await;
    let result = &created["results"][0];
    assert_eq!((&result["success"], &result["created"]), (&json!(true), &json!(true)));
    assert_eq!(result["record"], json!({"Name": "a,\"b\"", "Phone": "1"}));
    let records = bench.org.records("Account");
    let id_of = |name: &str| records.iter().find(|record| record["Name"] == name).unwrap()["Id"].clone();
    let (first, second) = (id_of("a,\"b\""), id_of("c\nd"));

    let update = json!([{"Id": first, "Phone": null}, {"Id": second, "Phone": "2"}]);
    assert_eq!(body(&bench, run("update", update)).await["succeeded"], 2);
    let phone_of = |name: &str| {
        let records = bench.org.records("Account");
        records.into_iter().find(|record| record["Name"] == name).unwrap()["Phone"].clone()
    };
    assert_eq!((phone_of("a,\"b\""), phone_of("c\nd")), (Value::Null, json!("2")));

    let csv = "External_Key__c;Name;Phone\r\nk;\"x;y\";#N/A\r\n";
    assert_eq!(body(&bench, run("upsert", csv)).await["succeeded"], 1);
    assert_eq!(stored(&bench.org), 3);

    assert_eq!(body(&bench, run("delete", json!([first]))).await["succeeded"], 1);
    assert_eq!(body(&bench, run("hardDelete", json!([{"Id": second, "Name": "c"}]))).await["succeeded"], 1);
    assert_eq!(stored(&bench.org), 1);
}

#[tokio::test]
async fn nothing_is_called_for_no_records_and_a_job_is_not_begun_without() {
    let bench = Bench::start().await;
    let done = body(&bench, run("upsert", json!([]))).await;
    assert_eq!((&done["total"], &done["id"]), (&json!(0), &Value::Null));
    let failure = bench.failure(start("upsert", "External_Key__c\n"), &[]).await;
    assert!(
        failure.message.contains("operation.records: expected at least one record, found none"),
        "{failure:#?}"
    );
    assert_eq!(bench.org.counters().api_requests, 0);
}

fn mixed() -> Value {
    json!([{"Name": "Acme", "Phone": "1"}, {"Phone": "2"}, {"Name": "Globex"}])
}

#[tokio::test]
async fn refused_records_are_an_error_as_the_task_wants_and_come_back_with_what_was_sent() {
    let bench = Bench::start().await;
    for (fail_on, records, is_error) in [
        ("any", mixed(), true),
        ("all", mixed(), false),
        ("all", json!([{"Phone": "2"}]), true),
        ("none", json!([{"Phone": "2"}]), false),
    ] {
        let operation = with(run("insert", records), "failOn", fail_on);
        let outcome = bench.run(operation, &[("resultVariable", "result"), ("resultContent", "body")]).await;
        let body = match (outcome, is_error) {
            (Outcome::Complete { variables }, false) => variables["result"].clone(),
            (Outcome::Fail(failure), true) => {
                assert_eq!((code(&failure), failure.retries), ("RECORDS_FAILED", 0));
                assert_eq!(failure.variables[STATE_VARIABLE], Value::Null, "the next try begins anew");
                let error = &failure.variables["error"];
                assert_eq!(error["errors"][0]["errorCode"], "REQUIRED_FIELD_MISSING");
                assert_eq!(error["errors"][0]["fields"], json!(["Name"]));
                assert!(failure.message.contains(" were refused, "), "{}", failure.message);
                error["variables"]["response"]["body"].clone()
            }
            (other, _) => panic!("{fail_on}: {other:#?}"),
        };
        let results = body["results"].as_array().unwrap();
        assert_eq!((results.len(), &body["failed"]), (1, &json!(1)), "{body:#}");
        assert_eq!(results[0]["record"], json!({"Phone": "2"}));
        assert_eq!((&results[0]["success"], &body["resultsComplete"]), (&json!(false), &json!(true)));
    }
    let done = body(&bench, with(with(run("insert", mixed()), "failOn", "none"), "results", "none")).await;
    assert_eq!((&done["failed"], &done["results"]), (&json!(1), &json!([])));
}

#[tokio::test]
async fn a_job_that_fails_on_its_way_says_what_it_did_before() {
    let org = DevOrg::builder().bulk_pace(Duration::ZERO, 2).start().await.unwrap();
    let bench = Bench::start_with(org, |options| options.bulk_wait = Duration::ZERO);
    bench.org.bulk().hold();
    let mut task = job(json!({"connection": {"name": "dev"}, "operation": run("upsert", accounts(5))}), &[]);
    let note = parked(&bench.connector.handle(&task).await);
    bench.org.bulk().step();
    bench.org.bulk().step();
    bench.org.bulk().fail("InternalServerError : try again");
    task.variables.insert(STATE_VARIABLE.to_owned(), note);
    let failure = failed(bench.connector.handle(&task).await);
    assert_eq!((code(&failure), failure.retries), ("BULK_JOB_FAILED", 0));
    let message = " ended as Failed: InternalServerError : try again; 2 of 5 records are done";
    assert!(failure.message.contains(message), "{}", failure.message);
    let body = &failure.variables["error"]["variables"]["response"]["body"];
    assert_eq!((&body["succeeded"], &body["failed"]), (&json!(2), &json!(3)));
    let codes: Vec<_> =
        body["results"].as_array().unwrap().iter().map(|row| &row["errors"][0]["errorCode"]).collect();
    assert_eq!(codes, ["NOT_PROCESSED"; 3]);
    assert_eq!(failure.variables[STATE_VARIABLE], Value::Null);
}

/// The note with which a job goes back.
pub(super) fn parked(outcome: &Outcome) -> Value {
    let Outcome::Park { variables, .. } = outcome else { panic!("{outcome:#?}") };
    variables[STATE_VARIABLE].clone()
}

#[tokio::test]
async fn a_job_is_given_back_while_its_bulk_job_goes_on_and_finds_it_again() {
    let bench = Bench::start_with(DevOrg::start().await.unwrap(), |options| {
        options.bulk_wait = Duration::from_millis(300);
    });
    bench.org.bulk().hold();
    let mut task = job(
        json!({"connection": {"name": "dev"}, "operation": run("insert", mixed())}),
        &[("errorExpression", "=if error != null then jobError(\"no\") else null")],
    );
    let outcome = bench.connector.handle(&task).await;
    let Outcome::Park { after, .. } = outcome else { panic!("{outcome:#?}") };
    assert_eq!(after, Duration::from_millis(300), "no expression is asked about a job that waits");
    let note = parked(&outcome);
    assert_eq!((&note["bulk"]["stage"], &note["bulk"]["rows"]), (&json!("uploaded"), &json!(3)));
    let looks = calls(&bench.org, "GET", note["bulk"]["id"].as_str().unwrap());
    assert_eq!(looks, 2, "at once, and after a quarter of a second");

    task.variables.insert(STATE_VARIABLE.to_owned(), note.clone());
    assert_eq!(parked(&bench.connector.handle(&task).await), note, "a later try only looks, and goes back");

    let mut other = task.clone();
    other.key = 99;
    bench.org.bulk().release();
    let failure = failed(bench.connector.handle(&task).await);
    assert_eq!((failure.message.as_str(), calls(&bench.org, "PUT", "/batches")), ("no", 1));
    assert_eq!(stored(&bench.org), 2);

    let _ = bench.connector.handle(&other).await;
    assert_eq!(calls(&bench.org, "PUT", "/batches"), 2, "the note of another job is none");
}

#[tokio::test]
async fn a_bulk_job_that_is_gone_is_never_taken_for_one_that_was_not_begun() {
    let bench = Bench::start().await;
    let note = |stage: &str| json!({"bulk": {"jobKey": "1", "id": "7505g00000XyZaBAAV", "stage": stage, "rows": 3, "since": 0}});
    let mut task = job(json!({"connection": {"name": "dev"}, "operation": run("insert", accounts(3))}), &[]);
    task.variables.insert(STATE_VARIABLE.to_owned(), note("uploaded"));
    let failure = failed(bench.connector.handle(&task).await);
    assert_eq!((code(&failure), failure.retries, stored(&bench.org)), ("BULK_JOB_FAILED", 0, 0));
    assert!(failure.message.contains("is not there any more"), "{}", failure.message);

    task.variables.insert(STATE_VARIABLE.to_owned(), note("created"));
    let outcome = bench.connector.handle(&task).await;
    assert!(matches!(outcome, Outcome::Complete { .. }), "{outcome:#?}");
    assert_eq!(stored(&bench.org), 3);
}

#[tokio::test]
async fn lost_answers_on_the_way_have_no_second_effect() {
    for (method, path, fault, uploads) in [
        ("POST", "/jobs/ingest", Fault::CloseAfter, 1),
        ("PATCH", "/jobs/ingest/", Fault::CloseAfter, 1),
        ("PATCH", "/jobs/ingest/", Fault::CloseBefore, 1),
        ("GET", "/jobs/ingest/", Fault::CloseBefore, 1),
        ("GET", "/failedResults", Fault::CutAnswer, 1),
        ("PUT", "/batches", Fault::Respond(Reply::error(503, "SERVER_UNAVAILABLE", "busy")), 1),
    ] {
        let bench = Bench::start().await;
        bench.strike(method, path, fault);
        let done = body(&bench, with(run("insert", mixed()), "failOn", "none")).await;
        assert_eq!((&done["succeeded"], stored(&bench.org)), (&json!(2), 2), "{method} {path}");
        let accepted = bench.org.requests().into_iter().filter(|request| request.status == Some(201));
        assert_eq!(accepted.filter(|request| request.method == "PUT").count(), uploads, "{method} {path}");
    }
}

#[tokio::test]
async fn an_upload_without_an_answer_rests_with_its_retries_and_its_data_is_processed_once() {
    let bench = Bench::start().await;
    let mut task = job(json!({"connection": {"name": "dev"}, "operation": run("insert", mixed())}), &[]);
    for (loss, rest) in [(1, 10), (2, 20)] {
        bench.strike("PUT", "/batches", Fault::CloseAfter);
        let outcome = bench.connector.handle(&task).await;
        let Outcome::Park { after, .. } = outcome else { panic!("{outcome:#?}") };
        assert_eq!(after, Duration::from_secs(rest));
        let note = parked(&outcome);
        assert_eq!((&note["bulk"]["stage"], &note["bulk"]["losses"]), (&json!("created"), &json!(loss)));
        task.variables.insert(STATE_VARIABLE.to_owned(), note);
    }
    bench.strike("PUT", "/batches", Fault::CloseAfter);
    let failure = failed(bench.connector.handle(&task).await);
    assert_eq!((code(&failure), failure.retries), ("CONNECTION_LOST", 2), "what stays costs a retry");
    let words = "the upload got no answer; nothing comes of it, for the job was not told to begin";
    assert!(failure.message.contains(words), "{}", failure.message);

    task.variables.insert(STATE_VARIABLE.to_owned(), failure.variables[STATE_VARIABLE].clone());
    let failure = failed(bench.connector.handle(&task).await);
    assert_eq!((code(&failure), stored(&bench.org)), ("RECORDS_FAILED", 2), "the last one was carried out");
    let jobs = bench.org.bulk().list();
    let states: Vec<_> = jobs.iter().map(|job| (&job["state"], &job["numberRecordsProcessed"])).collect();
    let (given_up, done) = ((&json!("Aborted"), &json!(0)), (&json!("JobComplete"), &json!(3)));
    assert_eq!(states, [given_up, given_up, given_up, done]);
    assert_eq!(calls(&bench.org, "PUT", "/batches"), 4);
}

#[tokio::test]
async fn row_locks_alone_let_the_task_be_tried_again_but_not_after_an_insert_did_a_part() {
    let busy = |rows: &str| {
        let csv = format!("\"sf__Id\",\"sf__Error\",Name\n{rows}");
        Reply::new(200, csv).header("content-type", "text/csv")
    };
    let locked = "\"\",\"UNABLE_TO_LOCK_ROW:unable to obtain exclusive access:--\",\"A\"\n";
    for (verb, retries) in [("upsert", 2), ("insert", 0)] {
        let bench = Bench::start().await;
        bench.strike("GET", "/failedResults", Fault::Respond(busy(locked)));
        let records = json!([{"External_Key__c": "a", "Name": "A"}, {"External_Key__c": "b"}]);
        let failure = bench.failure(run(verb, records), &[]).await;
        assert_eq!((code(&failure), failure.retries), ("RECORDS_FAILED", retries), "{verb}");
        assert_eq!(failure.variables[STATE_VARIABLE], Value::Null);
    }
}

#[tokio::test]
async fn a_job_can_be_begun_looked_at_read_and_stopped_step_by_step() {
    let bench = Bench::start().await;
    bench.org.bulk().hold();
    let job_id = id(&bench, start("insert", mixed())).await;
    let with_id = |name: &str| json!({"type": name, "bulkJobId": job_id});
    assert_eq!(body(&bench, with_id("bulkStatus")).await["state"], "UploadComplete");
    bench.org.bulk().release();
    let status = body(&bench, with_id("bulkStatus")).await;
    assert_eq!((&status["state"], &status["numberRecordsFailed"]), (&json!("JobComplete"), &json!(1)));

    let rows = |which: &str| with(with_id("bulkResults"), "rows", which);
    let failed = bench.result(with_id("bulkResults"), "records").await;
    assert_eq!(
        (failed[0]["record"].clone(), failed[0]["success"].clone()),
        (json!({"Phone": "2"}), json!(false))
    );
    let saved = body(&bench, rows("successful")).await;
    assert_eq!((saved["records"].as_array().unwrap().len(), &saved["done"]), (2, &json!(true)));
    let first = body(&bench, with(rows("successful"), "maxRecords", 1)).await;
    assert_eq!((first["records"].as_array().unwrap().len(), &first["done"]), (1, &json!(false)));
    assert_eq!(body(&bench, rows("unprocessed")).await["records"], json!([]));

    let failure = bench.failure(with_id("bulkAbort"), &[]).await;
    assert_eq!(code(&failure), "INVALIDJOBSTATE");
}

#[tokio::test]
async fn a_job_is_stopped_once_however_often_it_is_asked_for() {
    let bench = Bench::start().await;
    bench.org.bulk().hold();
    let job_id = id(&bench, start("insert", mixed())).await;
    let abort = json!({"type": "bulkAbort", "bulkJobId": job_id});
    bench.strike("PATCH", "/jobs/ingest/", Fault::CloseAfter);
    for _ in 0..2 {
        assert_eq!(body(&bench, abort.clone()).await["state"], "Aborted");
    }
    bench.org.bulk().release();
    assert_eq!(stored(&bench.org), 0);
    let failure = bench.failure(json!({"type": "bulkStatus", "bulkJobId": "7505g00000XyZaBAAV"}), &[]).await;
    assert_eq!(code(&failure), "NOT_FOUND");
}

#[tokio::test]
async fn rows_beyond_the_largest_result_are_refused_or_left_out() {
    let bench = Bench::start_with(DevOrg::start().await.unwrap(), |options| options.max_result_bytes = 4000);
    let refused: Vec<_> = (0..100).map(|number| json!({"Phone": format!("{number}")})).collect();
    let operation = with(run("insert", refused), "failOn", "none");
    let done = body(&bench, operation).await;
    assert_eq!((&done["failed"], &done["resultsComplete"]), (&json!(100), &json!(false)));
    let kept = done["results"].as_array().unwrap().len();
    assert!((5..100).contains(&kept), "{kept}");
    let results = json!({"type": "bulkResults", "bulkJobId": done["id"]});
    let failure = bench.failure(results.clone(), &[]).await;
    assert_eq!(code(&failure), "RESULT_TOO_LARGE");
    assert!(failure.message.contains(" are larger than 4000 bytes after "), "{}", failure.message);
    let few = bench.result(with(results, "maxRecords", 3), "records").await;
    assert_eq!(few.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn what_salesforce_refuses_to_begin_is_told_in_its_words() {
    let bench = Bench::start().await;
    for (operation, code_expected) in [
        (with(run("insert", mixed()), "objectType", "Nothing__c"), "INVALIDJOB"),
        (with(run("upsert", json!([{"Phone": "1"}])), "externalIdField", "Phone"), "INVALIDJOB"),
    ] {
        let failure = bench.failure(operation, &[]).await;
        assert_eq!((code(&failure), failure.retries), (code_expected, 0), "{failure:#?}");
    }
    let failure = bench.failure(run("insert", json!([{"Nmae": "A"}])), &[]).await;
    assert_eq!(code(&failure), "BULK_JOB_FAILED");
    assert!(failure.message.contains("Nmae"), "{}", failure.message);
    assert_eq!(stored(&bench.org), 0);
}

#[tokio::test]
async fn an_answer_with_fewer_rows_than_it_tells_is_not_taken_for_all() {
    let bench = Bench::start().await;
    let short = Reply::new(200, "\"sf__Id\",\"sf__Created\",Name\n\"001\",\"true\",\"A\"\n");
    let short = short.header("content-type", "text/csv").header("sforce-numberofrecords", "2");
    bench.org.faults().add(FaultRule::new(Fault::Respond(short)).path("/successfulResults"));
    let results = json!({"type": "bulkResults", "bulkJobId": "7505g00000XyZaBAAV", "rows": "successful"});
    let failure = bench.failure(results, &[]).await;
    assert_eq!(code(&failure), "INVALID_RESPONSE");
    assert!(failure.message.contains("expected 2 rows, and found 1"), "{}", failure.message);
}

#[tokio::test]
async fn mistakes_are_told_before_anything_is_called() {
    let bench = Bench::start().await;
    for (operation, message) in [
        (
            run("upsert", json!([{"Name": "A"}])),
            "operation.records[0].External_Key__c: expected the external id",
        ),
        (
            with(run("insert", mixed()), "externalIdField", "External_Key__c"),
            "operation.externalIdField: expected nothing",
        ),
        (run("replace", mixed()), "operation.bulkOperation: expected one of"),
        (run("insert", "Name,Phone\nA\n"), "operation.records: expected CSV in UTF-8 with as many columns"),
    ] {
        let failure = bench.failure(operation, &[]).await;
        assert_eq!((code(&failure), failure.retries), ("INVALID_INPUT", 0));
        assert!(failure.message.contains(message), "{message} is not in {}", failure.message);
    }
    let mut without_key = run("upsert", mixed());
    without_key.as_object_mut().unwrap().remove("externalIdField");
    let failure = bench.failure(without_key, &[]).await;
    assert!(
        failure.message.contains("operation.externalIdField: expected a string, found nothing"),
        "{failure:#?}"
    );
    assert_eq!(bench.org.counters().api_requests, 0);
}
