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
