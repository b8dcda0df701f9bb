//! Recently used, updated and deleted records.

use jiff::{SignedDuration, Timestamp};
use salesforce_connector_dev::org::DevOrg;
use serde_json::{Value, json};

use crate::client::Client;

fn ago(minutes: i64) -> String {
    (Timestamp::now() - SignedDuration::from_mins(minutes)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

async fn start(seed: Value) -> (DevOrg, Client) {
    let org = DevOrg::builder().seed(json!({ "records": seed })).start().await.expect("a free port");
    let client = Client::login(&org).await;
    (org, client)
}

fn names(items: &Value) -> Vec<&str> {
    items.as_array().expect("a list").iter().map(|item| item["Name"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn what_was_read_or_saved_last_is_recent_and_what_was_seeded_is_not() {
    let (org, client) = start(json!({ "Account": [{ "Name": "Seeded" }, { "Name": "Read" }] })).await;
    let read = org.records("Account")[1]["Id"].as_str().expect("an id").to_owned();
    let created = client.create("Account", &json!({ "Name": "Created" })).await;
    client.create("Contact", &json!({ "LastName": "Doe" })).await;
    client.get(&format!("sobjects/Account/{read}")).await;
    let recent = client.get("recent").await.body;
    assert_eq!(names(&recent), ["Read", "Doe", "Created"]);
    assert_eq!((&recent[0]["Id"], &recent[1]["attributes"]["type"]), (&json!(read), &json!("Contact")));
    client.call("PATCH", &format!("sobjects/Account/{created}"), r#"{"Phone": "1"}"#).await;
    assert_eq!(names(&client.get("recent/?limit=2").await.body), ["Created", "Read"]);
    client.call("DELETE", &format!("sobjects/Account/{created}"), "").await;
    assert_eq!(names(&client.get("sobjects/Account").await.body["recentItems"]), ["Read"]);
    assert_eq!(client.call("POST", "recent", "{}").await.status, 405);
}

#[tokio::test]
async fn changes_are_told_in_whole_minutes() {
    let account = |name: &str, minutes: i64| json!({ "Name": name, "SystemModstamp": ago(minutes) });
    let (org, client) = start(json!({ "Account": [account("old", 90), account("new", 10)] })).await;
    let (start, end) = (ago(60), ago(5));
    let answer = client.get(&format!("sobjects/Account/updated/?start={start}&end={end}")).await;
    assert_eq!(answer.body["ids"], json!([org.records("Account")[1]["Id"]]));
    let covered = format!("{}:00.000+0000", &end[..16]);
    assert_eq!(answer.body["latestDateCovered"], json!(covered));
    // What was changed in this minute is told when the minute is over.
    client.create("Account", &json!({ "Name": "just now" })).await;
    let next = client.get(&format!("sobjects/Account/updated?start={end}&end={}", ago(0))).await;
    assert_eq!(next.body["ids"], json!([]));
}

#[tokio::test]
async fn deleted_records_are_told_with_their_date() {
    let (org, client) =
        start(json!({ "Account": [{ "Name": "A", "SystemModstamp": ago(600) }, { "Name": "B" }] })).await;
    let id = org.records("Account")[0]["Id"].as_str().expect("an id").to_owned();
    client.call("DELETE", &format!("sobjects/Account/{id}"), "").await;
    let deleted =
        client.get(&format!("sobjects/Account/deleted?start={}&end={}", ago(5), ago(-2))).await.body;
    assert_eq!(deleted["deletedRecords"][0]["id"], json!(id));
    assert_eq!(deleted["deletedRecords"].as_array().map(Vec::len), Some(1));
    for name in ["earliestDateAvailable", "latestDateCovered"] {
        assert!(deleted[name].as_str().is_some_and(|date| date.ends_with(":00.000+0000")), "{deleted}");
    }
    assert!(deleted["deletedRecords"][0]["deletedDate"].as_str() >= Some(&ago(1)[..19]));
}

#[tokio::test]
async fn what_is_no_period_of_the_last_thirty_days_is_refused() {
    let (_org, client) = start(json!({})).await;
    for (query, code) in [
        (format!("start={}&end={}", ago(60 * 24 * 31), ago(0)), "INVALID_REPLICATION_DATE"),
        (format!("start={}&end={}", ago(5), ago(5)), "INVALID_REPLICATION_DATE"),
        (format!("start=yesterday&end={}", ago(0)), "INVALID_REPLICATION_DATE"),
        (format!("start={}", ago(5)), "MISSING_ARGUMENT"),
    ] {
        let answer = client.get(&format!("sobjects/Account/updated?{query}")).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{query}");
    }
    assert_eq!(client.get("sobjects/Nothing/deleted").await.status, 404);
}
