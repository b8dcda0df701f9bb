//! Lists of records: split into calls, accounted for in their order, and never created twice.

use std::time::Duration;

use salesforce_connector::zeebe::Outcome;
use salesforce_connector_dev::{
    gateway::JobState,
    org::{DevOrg, Fault, FaultRule, Gate, Reply},
};
use serde_json::{Value, json};

use crate::{
    handler::{Bench, code},
    support::{House, job},
};

const COLLECTIONS: &str = "/composite/sobjects";

fn accounts(count: usize) -> Vec<Value> {
    (0..count).map(|number| json!({"Name": format!("A{number:03}")})).collect()
}

fn keyed(count: usize) -> Vec<Value> {
    (0..count)
        .map(|number| json!({"External_Key__c": format!("k{number}"), "Name": format!("A{number}")}))
        .collect()
}

fn create(records: Vec<Value>) -> Value {
    json!({"type": "createRecords", "objectType": "Account", "records": records})
}

fn upsert(records: Vec<Value>) -> Value {
    json!({"type": "upsertRecords", "objectType": "Account", "externalIdField": "External_Key__c", "records": records})
}

fn with(mut operation: Value, field: &str, value: Value) -> Value {
    operation[field] = value;
    operation
}

fn calls(org: &DevOrg, method: &str) -> usize {
    let is_call = |path: &str| path.contains(COLLECTIONS);
    org.requests().iter().filter(|request| request.method == method && is_call(&request.path)).count()
}

fn stored(org: &DevOrg) -> usize {
    org.records("Account").len()
}

async fn body(bench: &Bench, operation: Value) -> Value {
    bench.result(operation, "body").await
}

fn results(body: &Value) -> &Vec<Value> {
    body["results"].as_array().unwrap()
}

fn ids(body: &Value) -> Vec<Value> {
    results(body).iter().map(|result| result["id"].clone()).collect()
}

#[tokio::test]
async fn a_list_of_450_goes_out_in_three_calls_and_comes_back_in_its_order() {
    let bench = Bench::start().await;
    let created = body(&bench, create(accounts(450))).await;
    assert_eq!((calls(&bench.org, "POST"), stored(&bench.org)), (3, 450));
    assert_eq!(
        (&created["total"], &created["succeeded"], &created["failed"]),
        (&json!(450), &json!(450), &json!(0))
    );
    let counts: Vec<_> =
        created["calls"].as_array().unwrap().iter().map(|call| call["count"].clone()).collect();
    assert_eq!(counts, [200, 200, 50]);
    let records = bench.org.records("Account");
    for (index, result) in results(&created).iter().enumerate() {
        assert_eq!(result["index"], index);
        let record = records.iter().find(|record| record["Id"] == result["id"]).unwrap();
        assert_eq!(record["Name"], format!("A{index:03}"));
    }

    let read =
        json!({"type": "getRecords", "objectType": "Account", "objectIds": ids(&created), "fields": "Name"});
    let read = body(&bench, read).await;
    assert_eq!(calls(&bench.org, "POST"), 4);
    assert_eq!((read["found"].clone(), read["records"][449]["Name"].clone()), (json!(450), json!("A449")));

    let renamed = ids(&created).into_iter().map(|id| json!({"id": id, "Phone": "5"})).collect::<Vec<_>>();
    let update = json!({"type": "updateRecords", "objectType": "Account", "records": renamed});
    assert_eq!(body(&bench, update).await["succeeded"], 450);
    assert!(bench.org.records("Account").iter().all(|record| record["Phone"] == "5"));

    let delete = json!({"type": "deleteRecords", "objectIds": ids(&created)});
    assert_eq!(body(&bench, delete).await["succeeded"], 450);
    assert_eq!((calls(&bench.org, "DELETE"), stored(&bench.org)), (3, 0));
}

#[tokio::test]
async fn records_of_several_objects_go_together_and_an_eleventh_run_in_the_next_call() {
    let bench = Bench::start().await;
    let pairs = (0..8).flat_map(|number| {
        [
            json!({"attributes": {"type": "Account"}, "Name": format!("A{number}")}),
            json!({"attributes": {"type": "Contact"}, "LastName": format!("L{number}")}),
        ]
    });
    let operation = json!({"type": "createRecords", "records": pairs.collect::<Vec<_>>()});
    assert_eq!(body(&bench, operation).await["succeeded"], 16);
    assert_eq!(
        (calls(&bench.org, "POST"), stored(&bench.org), bench.org.records("Contact").len()),
        (2, 8, 8)
    );
}

#[tokio::test]
async fn an_empty_list_is_done_without_a_call() {
    let bench = Bench::start().await;
    for operation in [create(Vec::new()), json!({"type": "deleteRecords", "objectIds": []})] {
        let body = body(&bench, operation).await;
        assert_eq!((&body["total"], &body["results"]), (&json!(0), &json!([])));
    }
    let read = json!({"type": "getRecords", "objectType": "Account", "objectIds": [], "fields": "Name"});
    assert_eq!(body(&bench, read).await["records"], json!([]));
    assert_eq!(bench.org.counters().api_requests, 0);
}

#[tokio::test]
async fn upserts_say_which_records_they_created() {
    let bench = Bench::start().await;
    bench.org.insert("Account", json!({"Name": "old", "External_Key__c": "k1"})).unwrap();
    let body = body(&bench, upsert(keyed(3))).await;
    let created: Vec<_> = results(&body).iter().map(|result| result["created"].clone()).collect();
    assert_eq!(created, [true, false, true]);
    assert_eq!(stored(&bench.org), 3);
}

/// Two of four are refused.
fn mixed() -> Value {
    create(vec![json!({"Name": "A"}), json!({"Nam": "B"}), json!({"Name": "C"}), json!({"Phone": "1"})])
}

#[tokio::test]
async fn fail_on_decides_when_refusals_are_an_error() {
    let bench = Bench::start().await;
    let failure = bench.failure(mixed(), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("RECORDS_FAILED", 0));
    let error = &failure.variables["error"];
    let told: Vec<_> = error["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (&error["index"], &error["errorCode"]))
        .collect();
    assert_eq!(told, [(&json!(1), &json!("INVALID_FIELD")), (&json!(3), &json!("REQUIRED_FIELD_MISSING"))]);
    let kept = &error["variables"]["response"]["body"];
    assert_eq!((&kept["succeeded"], &kept["failed"], results(kept).len()), (&json!(2), &json!(2), 4));
    assert!(kept["results"][0]["id"].is_string());
    assert!(
        failure
            .message
            .contains("2 of 4 records were refused, 2 are done (failOn: any); record 1: INVALID_FIELD"),
        "{}",
        failure.message
    );

    for fail_on in ["all", "none"] {
        let body = body(&bench, with(mixed(), "failOn", json!(fail_on))).await;
        assert_eq!((&body["failed"], &body["results"][1]["success"]), (&json!(2), &json!(false)));
        assert_eq!(body["results"][1]["errors"][0]["errorCode"], "INVALID_FIELD");
    }
    let hopeless = create(vec![json!({"Nam": "B"})]);
    let failure = bench.failure(with(hopeless.clone(), "failOn", json!("all")), &[]).await;
    assert_eq!(code(&failure), "RECORDS_FAILED");
    assert_eq!(body(&bench, with(hopeless, "failOn", json!("none"))).await["succeeded"], 0);
}

#[tokio::test]
async fn a_boundary_event_catches_refusals_by_our_code_and_by_salesforces() {
    let bench = Bench::start().await;
    for (listed, thrown) in [
        ("business", "RECORDS_FAILED"),
        ("RECORDS_FAILED", "RECORDS_FAILED"),
        ("REQUIRED_FIELD_MISSING", "REQUIRED_FIELD_MISSING"),
    ] {
        let outcome = bench.run(mixed(), &[("bpmnErrors", listed)]).await;
        let Outcome::ThrowError { code, .. } = outcome else { panic!("{outcome:#?}") };
        assert_eq!(code, thrown);
    }
}

#[tokio::test]
async fn no_expression_sends_a_create_again_that_is_partly_done() {
    let bench = Bench::start().await;
    let again = [("errorExpression", "=if error = null then null else jobError(\"again\", {}, 5)")];
    let failure = bench.failure(mixed(), &again).await;
    assert_eq!(failure.retries, 0, "{failure:#?}");
    let nothing_done = bench.failure(with(mixed(), "allOrNone", json!(true)), &again).await;
    assert_eq!(nothing_done.retries, 5);
}

#[tokio::test]
async fn all_or_none_holds_for_each_call() {
    let bench = Bench::start().await;
    let mut records = accounts(450);
    records[210] = json!({"Nam": "bad"});
    let operation = with(create(records), "allOrNone", json!(true));
    let body = body(&bench, with(operation, "failOn", json!("none"))).await;
    let rolled_back: Vec<_> =
        body["calls"].as_array().unwrap().iter().map(|call| call["rolledBack"].clone()).collect();
    assert_eq!(rolled_back, [false, true, false]);
    assert_eq!(
        (body["succeeded"].clone(), body["allOrNone"].clone(), stored(&bench.org)),
        (json!(250), json!(true), 250)
    );
    let code = |index: usize| body["results"][index]["errors"][0]["errorCode"].as_str();
    assert_eq!((code(199), code(210)), (None, Some("INVALID_FIELD")));
    assert_eq!(
        (code(200), code(399)),
        (Some("ALL_OR_NONE_OPERATION_ROLLED_BACK"), Some("ALL_OR_NONE_OPERATION_ROLLED_BACK"))
    );
}

#[tokio::test]
async fn the_record_that_really_failed_is_told_first() {
    let bench = Bench::start().await;
    let records = vec![json!({"Name": "A"}), json!({"Nam": "bad"})];
    let failure = bench.failure(with(create(records), "allOrNone", json!(true)), &[]).await;
    let errors = &failure.variables["error"]["errors"];
    assert_eq!((&errors[0]["index"], &errors[0]["errorCode"]), (&json!(1), &json!("INVALID_FIELD")));
    assert_eq!(errors[1]["errorCode"], "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    assert!(failure.message.contains("record 1: INVALID_FIELD"), "{}", failure.message);
}

#[tokio::test]
async fn locked_rows_are_tried_again_where_that_does_no_harm() {
    let bench = Bench::start().await;
    let locked = r#"[{"success": false, "errors": [{"statusCode": "UNABLE_TO_LOCK_ROW", "message": "locked", "fields": []}]}]"#;
    for operation in [create(accounts(1)), upsert(keyed(1))] {
        let reply = Reply::new(200, locked);
        bench.org.faults().add(FaultRule::new(Fault::Respond(reply)).path(COLLECTIONS));
        let failure = bench.failure(operation, &[]).await;
        assert_eq!((code(&failure), failure.retries), ("RECORDS_FAILED", 2), "{failure:#?}");
    }
}

#[tokio::test]
async fn a_create_whose_second_answer_is_lost_ends_with_an_exact_account_and_no_second_record() {
    let bench = Bench::start().await;
    bench.org.faults().add(FaultRule::new(Fault::CloseAfter).method("POST").path(COLLECTIONS).skip(1));
    let failure = bench.failure(create(accounts(450)), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("OUTCOME_UNKNOWN", 0));
    assert_eq!((calls(&bench.org, "POST"), stored(&bench.org)), (2, 400));
    let account = &failure.variables["error"]["variables"]["response"]["body"];
    let outcome = |index: usize| {
        let result = &account["results"][index];
        (result["success"].clone(), result["errors"][0]["errorCode"].as_str())
    };
    assert_eq!(results(account).len(), 450);
    assert_eq!((outcome(0), outcome(199)), ((json!(true), None), (json!(true), None)));
    assert!(account["results"][199]["id"].is_string());
    assert_eq!(outcome(200), (Value::Null, Some("OUTCOME_UNKNOWN")));
    assert_eq!(outcome(399), (Value::Null, Some("OUTCOME_UNKNOWN")));
    assert_eq!(outcome(400), (json!(false), Some("NOT_SENT")));
    let outcomes: Vec<_> =
        account["calls"].as_array().unwrap().iter().map(|call| call["outcome"].clone()).collect();
    assert_eq!(outcomes, ["answered", "unknown", "notSent"]);
    let words = "200 of records 0 to 199 are done, records 200 to 399 are of unknown outcome, records 400 to 449 were not sent";
    assert!(failure.message.contains(words), "{}", failure.message);
}

#[tokio::test]
async fn a_create_whose_first_answer_is_lost_says_so_of_each_record() {
    let bench = Bench::start().await;
    bench.strike("POST", COLLECTIONS, Fault::CloseAfter);
    let failure = bench.failure(create(accounts(2)), &[]).await;
    assert_eq!((code(&failure), failure.retries, stored(&bench.org)), ("OUTCOME_UNKNOWN", 0, 2));
    let account = &failure.variables["error"]["variables"]["response"]["body"];
    assert!(results(account).iter().all(|result| result["success"].is_null()));
}

#[tokio::test]
async fn a_create_whose_second_call_is_refused_is_partly_done_and_not_sent_again() {
    let bench = Bench::start().await;
    let limit = Reply::error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.");
    bench.org.faults().add(FaultRule::new(Fault::Respond(limit)).path(COLLECTIONS).skip(1));
    let outcome = bench.run(create(accounts(450)), &[("bpmnErrors", "REQUEST_LIMIT_EXCEEDED")]).await;
    let Outcome::ThrowError { variables, .. } = outcome else { panic!("{outcome:#?}") };
    let error = &variables["error"];
    assert_eq!((&error["code"], &error["errors"][0]["index"]), (&json!("PARTLY_DONE"), &json!(200)));
    assert_eq!(error["variables"]["response"]["body"]["succeeded"], 200);
    assert_eq!(stored(&bench.org), 200);
}

#[tokio::test]
async fn a_create_that_is_refused_before_anything_was_done_keeps_its_own_error() {
    let bench = Bench::start().await;
    let down = Reply::error(503, "SERVER_UNAVAILABLE", "maintenance");
    bench.org.faults().add(FaultRule::new(Fault::Respond(down)).path(COLLECTIONS).times(10));
    let outcome = bench.run(create(accounts(450)), &[]).await;
    let repeated = match &outcome {
        Outcome::Fail(failure) => failure.retries == 2,
        other => matches!(other, Outcome::Park { .. }),
    };
    assert!(repeated && stored(&bench.org) == 0, "{outcome:#?}");
}

#[tokio::test]
async fn what_may_be_repeated_is_sent_again_when_its_answer_is_lost() {
    let bench = Bench::start().await;
    bench.strike("PATCH", COLLECTIONS_OF_ACCOUNTS, Fault::CloseAfter);
    let upserted = body(&bench, upsert(keyed(3))).await;
    assert_eq!(
        (upserted["succeeded"].clone(), stored(&bench.org), calls(&bench.org, "PATCH")),
        (json!(3), 3, 2)
    );
    bench.strike("DELETE", COLLECTIONS, Fault::CloseAfter);
    let deleted = body(&bench, json!({"type": "deleteRecords", "objectIds": ids(&upserted)})).await;
    assert_eq!((deleted["succeeded"].clone(), stored(&bench.org)), (json!(3), 0));
    assert_eq!(deleted["results"][0]["alreadyDone"], true);
}

const COLLECTIONS_OF_ACCOUNTS: &str = "/composite/sobjects/Account/External_Key__c";

#[tokio::test]
async fn missing_records_are_null_and_an_error_only_where_the_task_says_so() {
    let bench = Bench::start().await;
    let id = bench.org.insert("Account", json!({"Name": "A"})).unwrap();
    let missing = "001000000000001AAA";
    let get = |fail_on: &str| {
        json!({"type": "getRecords", "objectType": "Account", "objectIds": [missing, id], "fields": ["Name"],
            "failOn": fail_on})
    };
    let read = body(&bench, get("none")).await;
    assert_eq!(
        (&read["missing"], &read["records"][0], &read["records"][1]["Name"]),
        (&json!(1), &Value::Null, &json!("A"))
    );
    let failure = bench.failure(get("any"), &[]).await;
    assert_eq!(code(&failure), "RECORDS_FAILED");
    assert_eq!(failure.variables["error"]["errors"][0]["index"], 0);
    assert_eq!(body(&bench, get("all")).await["found"], 1);
    let wrong =
        json!({"type": "getRecords", "objectType": "Account", "objectIds": [missing], "fields": "Nam"});
    assert_eq!(code(&bench.failure(wrong, &[]).await), "INVALID_FIELD");
}

#[tokio::test]
async fn wrong_lists_are_refused_before_anything_is_called() {
    let bench = Bench::start().await;
    for (operation, message) in [
        (
            create(accounts(2001)),
            "operation.records: expected at most 2000 of them in one task, found a list of 2001",
        ),
        (
            json!({"type": "createRecords", "records": [{"Name": "A"}]}),
            "operation.records[0].attributes.type: expected",
        ),
        (
            json!({"type": "updateRecords", "objectType": "Account", "records": [{"Name": "A"}]}),
            "operation.records[0].Id: expected the id of the record, found nothing",
        ),
        (
            upsert(vec![json!({"Name": "A"})]),
            "operation.records[0].External_Key__c: expected the external id",
        ),
        (
            upsert(vec![json!({"attributes": {"type": "Contact"}})]),
            "expected Account, as objectType says, found \"Contact\"",
        ),
        (
            json!({"type": "deleteRecords", "objectIds": ["1"]}),
            "operation.objectIds[0]: expected a record id of 15 or 18",
        ),
        (
            with(create(accounts(1)), "failOn", json!("some")),
            "operation.failOn: expected one of `any`, `all`, `none`, found the string \"some\"",
        ),
    ] {
        let failure = bench.failure(operation, &[]).await;
        assert_eq!(code(&failure), "INVALID_INPUT");
        assert!(failure.message.contains(message), "{}", failure.message);
    }
    assert_eq!(bench.org.counters().api_requests, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_dies_in_the_second_call_leaves_word_of_the_first() {
    let quick = |config: &mut salesforce_connector::config::Config| {
        config.worker.job_timeout = Duration::from_secs(4);
        config.connector.request_timeout = Duration::from_secs(3);
    };
    let house = House::start_with(quick).await;
    let answer = Gate::new();
    house.org.faults().add(FaultRule::new(Fault::HoldAfter(answer.clone())).path(COLLECTIONS).skip(1));
    let key = house.gateway.create_job(job(create(accounts(450))));
    answer.held(1).await;
    house.stop.abort.cancel();
    let (_, gateway, org) = house.drain().await;
    let house = House::start_between(org, gateway, quick).await;
    let record = house.gateway.finished(key).await;
    assert_eq!((record.state, stored(&house.org)), (JobState::Incident, 400));
    assert_eq!(record.local_variables["error"]["code"], "OUTCOME_UNKNOWN");
    let message = record.error_message.unwrap();
    let words = "After 200 of records 0 to 199 were done, POST /services/data/v67.0/composite/sobjects with records 200 to 399 was sent at";
    assert!(message.contains(words), "{message}");
}
