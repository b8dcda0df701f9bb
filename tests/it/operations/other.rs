use jiff::{SignedDuration, Timestamp};
use salesforce_connector_dev::org::{DevOrg, Fault};
use serde_json::{Value, json};

use crate::handler::{Bench, code};

fn ago(minutes: i64) -> String {
    (Timestamp::now() - SignedDuration::from_mins(minutes)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

async fn bench(accounts: Value) -> Bench {
    let seed = json!({"records": {"Account": accounts}});
    Bench::start_with(DevOrg::builder().seed(seed).start().await.unwrap(), |_| ())
}

#[tokio::test]
async fn an_object_is_described_in_full_in_part_and_in_short() {
    let bench = bench(json!([{"Name": "Acme"}])).await;
    let describe = |further: Value| {
        let mut operation = json!({"type": "describeObject", "objectType": "Account"});
        operation.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
        operation
    };
    let full = bench.result(describe(json!({})), "body").await;
    assert!(full["fields"].as_array().unwrap().len() > 50 && full["childRelationships"].is_array());
    let part = bench.result(describe(json!({"fields": "phone, Rating, Nothing__c"})), "body").await;
    let names: Vec<_> =
        part["fields"].as_array().unwrap().iter().map(|field| field["name"].clone()).collect();
    assert_eq!((names, &part["keyPrefix"]), (vec![json!("Phone"), json!("Rating")], &json!("001")));
    assert_eq!(part["fields"][1]["picklistValues"][0]["value"], "Hot");

    let account = bench.org.records("Account")[0]["Id"].clone();
    bench.result(json!({"type": "getRecord", "objectType": "Account", "objectId": account}), "id").await;
    let short = bench.result(describe(json!({"detail": "basic"})), "body").await;
    assert_eq!((&short["objectDescribe"]["name"], short.get("fields")), (&json!("Account"), None));
    assert_eq!(short["recentItems"][0]["Id"], account);

    let unknown = json!({"type": "describeObject", "objectType": "Nothing__c"});
    assert_eq!(code(&bench.failure(unknown, &[]).await), "NOT_FOUND");
}

#[tokio::test]
async fn the_org_tells_its_objects_limits_and_user() {
    let bench = bench(json!([])).await;
    let objects = bench.result(json!({"type": "describeGlobal"}), "body").await;
    let names: Vec<_> =
        objects["sobjects"].as_array().unwrap().iter().map(|object| &object["name"]).collect();
    assert!(names.contains(&&json!("Case")));

    let limits = bench.result(json!({"type": "getLimits"}), "body").await;
    let left = |limits: &Value| limits["DailyApiRequests"]["Remaining"].as_u64().unwrap();
    let later = bench.result(json!({"type": "getLimits"}), "body").await;
    assert_eq!(left(&limits) - left(&later), 1);

    let user = bench.result(json!({"type": "getUserInfo"}), "body").await;
    assert_eq!(user["user_id"], bench.org.records("User")[0]["Id"]);

    let failure = bench.failure(json!({"type": "getLimits", "surprise": 1}), &[]).await;
    assert!(
        failure.message.contains("operation.surprise: expected no fields, found \"surprise\""),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn the_user_is_told_although_the_session_has_ended() {
    let bench = bench(json!([])).await;
    bench.result(json!({"type": "getUserInfo"}), "body").await;
    bench.org.revoke_tokens();
    let user = bench.result(json!({"type": "getUserInfo"}), "body").await;
    assert_eq!((user["active"].clone(), bench.org.counters().tokens_issued), (json!(true), 2));
}

#[tokio::test]
async fn what_was_used_last_comes_first() {
    let bench = bench(json!([{"Name": "A"}, {"Name": "B"}])).await;
    for account in bench.org.records("Account") {
        let read = json!({"type": "getRecord", "objectType": "Account", "objectId": account["Id"]});
        bench.result(read, "id").await;
    }
    let recent = bench.result(json!({"type": "getRecentItems"}), "records").await;
    assert_eq!((&recent[0]["Name"], &recent[1]["Name"]), (&json!("B"), &json!("A")));
    let one = bench.result(json!({"type": "getRecentItems", "maxRecords": 1}), "body").await;
    assert_eq!(one.as_array().unwrap().len(), 1);
    assert_eq!(bench.result(json!({"type": "getRecentItems"}), "firstRecord").await["Name"], "B");
}

#[tokio::test]
async fn what_has_changed_or_gone_since_is_told_and_where_to_go_on() {
    let bench = bench(
        json!([{"Name": "old", "SystemModstamp": ago(90)}, {"Name": "new", "SystemModstamp": ago(10)}]),
    )
    .await;
    let accounts = bench.org.records("Account");
    let changes = |kind: &str, start: &str, end: Option<String>| json!({"type": kind, "objectType": "Account", "start": start, "end": end});
    let updated = bench.result(changes("getUpdatedRecords", &ago(60), None), "body").await;
    assert_eq!(updated["ids"], json!([accounts[1]["Id"]]));
    let covered = updated["latestDateCovered"].as_str().unwrap();
    let next = bench.result(changes("getUpdatedRecords", covered, Some(ago(-2))), "body").await;
    assert_eq!(next["ids"], json!([]));

    let delete = json!({"type": "deleteRecord", "objectType": "Account", "objectId": accounts[0]["Id"]});
    bench.result(delete, "response").await;
    let deleted = bench.result(changes("getDeletedRecords", covered, Some(ago(-2))), "records").await;
    assert_eq!(deleted[0]["id"], accounts[0]["Id"]);
    assert_eq!(deleted.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_start_more_than_thirty_days_ago_is_refused_and_not_tried_again() {
    let bench = bench(json!([])).await;
    for kind in ["getUpdatedRecords", "getDeletedRecords"] {
        let changes = json!({"type": kind, "objectType": "Account", "start": ago(31 * 24 * 60)});
        let failure = bench.failure(changes, &[]).await;
        assert_eq!((code(&failure), failure.retries), ("INVALID_REPLICATION_DATE", 0));
        assert!(failure.message.contains("30 days"), "{}", failure.message);
        assert_eq!(failure.variables["error"]["type"], "permanent");
    }
}

#[tokio::test]
async fn a_question_whose_answer_was_lost_is_asked_again() {
    let bench = bench(json!([])).await;
    let since = json!({"type": "getUpdatedRecords", "objectType": "Account", "start": ago(5)});
    for (operation, path) in [
        (json!({"type": "describeObject", "objectType": "Account"}), "/describe"),
        (json!({"type": "describeGlobal"}), "/sobjects"),
        (json!({"type": "getLimits"}), "/limits"),
        (json!({"type": "getRecentItems"}), "/recent"),
        (json!({"type": "getUserInfo"}), "/userinfo"),
        (since, "/updated"),
    ] {
        bench.strike("GET", path, Fault::CloseAfter);
        let before = bench.org.requests().len();
        bench.result(operation, "body").await;
        let asked =
            bench.org.requests()[before..].iter().filter(|request| request.path.ends_with(path)).count();
        assert_eq!(asked, 2, "{path}");
    }
}

#[tokio::test]
async fn an_article_is_read_in_its_language_with_its_fields_by_name() {
    let article = json!({"id": "kA0000000000001CAA", "articleNumber": "000001000", "urlName": "reset-a-password",
        "title": "Reset a password", "language": "en-US", "fields": {"Answer__c": "Click.", "Internal__c": "x"}});
    let org = DevOrg::builder().seed(json!({"knowledgeArticles": [article]})).start().await.unwrap();
    let bench = Bench::start_with(org, |_| ());
    let read = |article: &str, language: &str| json!({"type": "getKnowledgeArticle", "article": article, "language": language, "fields": "Answer__c"});
    let body = bench.result(read("reset-a-password", "en_US"), "body").await;
    assert_eq!(
        (&body["fields"], &body["title"]),
        (&json!({"Answer__c": "Click."}), &json!("Reset a password"))
    );
    assert_eq!(body["layoutItems"].as_array().unwrap().len(), 1);
    assert_eq!(bench.result(read("kA0000000000001CAA", "en-US"), "id").await, "kA0000000000001CAA");
    let asked = bench.org.requests();
    assert!(asked.iter().any(|request| request.query.contains("updateViewStat=false")));

    assert_eq!(code(&bench.failure(read("another", "en-US"), &[]).await), "NOT_FOUND");
    let failure = bench.failure(read("reset-a-password", "fr"), &[]).await;
    assert!(failure.message.contains("Knowledge language settings"), "{}", failure.message);
    bench.strike("GET", "/knowledgeArticles", Fault::CloseAfter);
    bench.result(read("reset-a-password", "en-US"), "body").await;
}

async fn with_reports(cases: usize) -> Bench {
    let cases: Vec<Value> = (0..cases)
        .map(|number| json!({"Subject": format!("c{number}"), "Status": if number % 2 == 0 { "New" } else { "Working" }}))
        .collect();
    let seed = json!({"records": {"Case": cases}, "reports": [
        {"id": "00O000000000001EAA", "name": "Cases", "object": "Case", "columns": ["Subject"], "groupBy": "Status"}]});
    Bench::start_with(DevOrg::builder().seed(seed).start().await.unwrap(), |_| ())
}

fn run_report(further: Value) -> Value {
    let mut operation = json!({"type": "runReport", "reportId": "00O000000000001EAA"});
    operation.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    operation
}

#[tokio::test]
async fn a_report_gives_its_rows_as_records_and_takes_other_filters() {
    let bench = with_reports(3).await;
    let record = |subject: &str, status: &str| json!({"Status": status, "Subject": subject});
    let records = bench.result(run_report(json!({})), "records").await;
    assert_eq!(records, json!([record("c0", "New"), record("c2", "New"), record("c1", "Working")]));

    let filter = json!([{"column": "Subject", "operator": "equals", "value": "c1"}]);
    let filtered = run_report(json!({"reportMetadata": {"reportFilters": filter}}));
    assert_eq!(bench.result(filtered.clone(), "firstRecord").await, record("c1", "Working"));
    let totals = bench.result(run_report(json!({"includeDetails": "false"})), "body").await;
    assert_eq!(
        (&totals["records"], &totals["factMap"]["T!T"]["aggregates"][0]["value"]),
        (&json!([]), &json!(3))
    );
    let described = json!({"type": "describeReport", "reportId": "00O000000000001EAA"});
    assert_eq!(bench.result(described, "body").await["reportMetadata"]["detailColumns"], json!(["Subject"]));

    for (method, operation) in [("GET", run_report(json!({}))), ("POST", filtered)] {
        bench.strike(method, "/analytics", Fault::CloseAfter);
        bench.result(operation, "records").await;
    }
    let unknown = json!({"type": "runReport", "reportId": "00O000000000009EAA"});
    assert_eq!(code(&bench.failure(unknown, &[]).await), "NOT_FOUND");
    let misfit = run_report(
        json!({"reportMetadata": {"reportFilters": [{"column": "No", "operator": "equals", "value": "1"}]}}),
    );
    assert_eq!(code(&bench.failure(misfit, &[]).await), "BAD_REQUEST");
}

#[tokio::test]
async fn a_report_with_rows_left_out_is_an_error_unless_the_task_wants_it_as_it_is() {
    let bench = with_reports(2001).await;
    let failure = bench.failure(run_report(json!({})), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("REPORT_INCOMPLETE", 0));
    assert!(failure.message.contains("more rows than the 2000 that Salesforce gave"), "{}", failure.message);
    let given = bench.result(run_report(json!({"whenIncomplete": "give"})), "body").await;
    assert_eq!((given["records"].as_array().unwrap().len(), &given["allData"]), (2000, &json!(false)));
    let totals = bench.result(run_report(json!({"includeDetails": false})), "body").await;
    assert_eq!(totals["factMap"]["T!T"]["aggregates"][0]["value"], json!(2001));
}
