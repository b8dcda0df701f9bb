//! sObject collections: results in order, all or none, limits.

use salesforce_connector_dev::org::DevOrg;
use serde_json::{Value, json};

use crate::client::Client;

async fn start() -> (DevOrg, Client) {
    let org = DevOrg::start().await.expect("a free port");
    let client = Client::login(&org).await;
    (org, client)
}

fn account(fields: Value) -> Value {
    let mut record = fields;
    record["attributes"] = json!({ "type": "Account" });
    record
}

fn body(records: &[Value], all_or_none: bool) -> String {
    json!({ "allOrNone": all_or_none, "records": records }).to_string()
}

fn codes(results: &Value) -> Vec<&str> {
    let code = |result: &Value| match result["success"].as_bool() {
        Some(true) => "ok",
        _ => "",
    };
    let results = results.as_array().expect("a list").iter();
    results.map(|result| result["errors"][0]["statusCode"].as_str().unwrap_or_else(|| code(result))).collect()
}

#[tokio::test]
async fn each_record_has_its_own_result_and_the_others_are_saved() {
    let (org, client) = start().await;
    let records =
        [account(json!({ "Name": "A" })), account(json!({ "Nam": "B" })), account(json!({ "Name": "C" }))];
    let answer = client.call("POST", "composite/sobjects", &body(&records, false)).await;
    assert_eq!((answer.status, codes(&answer.body)), (200, vec!["ok", "INVALID_FIELD", "ok"]));
    assert_eq!(answer.body[1]["errors"][0]["fields"], json!([]));
    assert_eq!(org.records("Account").len(), 2);
}

#[tokio::test]
async fn with_all_or_none_one_refusal_takes_the_others_back() {
    let (org, client) = start().await;
    let records = [account(json!({ "Name": "A", "External_Key__c": "k" })), account(json!({ "Nam": "B" }))];
    let answer = client.call("POST", "composite/sobjects", &body(&records, true)).await;
    let expected = vec!["ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_FIELD"];
    assert_eq!((answer.status, codes(&answer.body)), (200, expected));
    assert!(org.records("Account").is_empty());
    // Nothing of it is left in an index either.
    let again = client.call("POST", "composite/sobjects", &body(&records[..1], true)).await;
    assert_eq!(codes(&again.body), ["ok"]);
}

#[tokio::test]
async fn upserts_find_their_records_and_refuse_a_key_that_is_given_twice() {
    let (org, client) = start().await;
    org.insert("Account", json!({ "Name": "old", "External_Key__c": "k1" })).expect("a good record");
    let keyed = |key: &str| account(json!({ "External_Key__c": key, "Name": "new" }));
    let records = [keyed("k1"), keyed("k2"), keyed("k3"), keyed("k3"), account(json!({ "Name": "none" }))];
    let answer =
        client.call("PATCH", "composite/sobjects/Account/External_Key__c", &body(&records, false)).await;
    let expected = ["ok", "ok", "DUPLICATE_VALUE", "DUPLICATE_VALUE", "MISSING_ARGUMENT"];
    assert_eq!(codes(&answer.body), expected);
    assert_eq!((&answer.body[0]["created"], &answer.body[1]["created"]), (&json!(false), &json!(true)));
    assert_eq!(org.records("Account").len(), 2);
}

#[tokio::test]
async fn records_are_changed_deleted_and_read_by_their_ids() {
    let (org, client) = start().await;
    let id = client.create("Account", &json!({ "Name": "A" })).await;
    let other = "001000000000001AAA";
    let changes = [
        account(json!({ "id": id, "Phone": "5" })),
        account(json!({ "Id": other, "Phone": "5" })),
        account(json!({})),
    ];
    let updated = client.call("PATCH", "composite/sobjects", &body(&changes, false)).await;
    assert_eq!(codes(&updated.body), ["ok", "INVALID_CROSS_REFERENCE_KEY", "MISSING_ARGUMENT"]);
    let wanted = json!({ "ids": [other, id], "fields": ["Phone"] }).to_string();
    let read = client.call("POST", "composite/sobjects/Account", &wanted).await;
    assert_eq!((&read.body[0], &read.body[1]["Phone"]), (&Value::Null, &json!("5")));
    let by_address = client.get(&format!("composite/sobjects/Account?ids={other},{id}&fields=Phone")).await;
    assert_eq!(by_address.body, read.body);
    let delete = format!("composite/sobjects?ids={id},{other},x&allOrNone=");
    let undone = client.call("DELETE", &format!("{delete}true"), "").await;
    assert_eq!(codes(&undone.body)[0], "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    assert_eq!(org.records("Account").len(), 1);
    let done = client.call("DELETE", &format!("{delete}false"), "").await;
    assert_eq!(codes(&done.body), ["ok", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID"]);
    let again = client.call("DELETE", &format!("{delete}false"), "").await;
    assert_eq!(codes(&again.body)[0], "ENTITY_IS_DELETED");
}

#[tokio::test]
async fn limits_and_unreadable_bodies_refuse_the_whole_call() {
    let (org, client) = start().await;
    let contact = || json!({ "attributes": { "type": "Contact" }, "LastName": "L" });
    let many = vec![account(json!({ "Name": "A" })); 201];
    let runs: Vec<Value> = (0..6).flat_map(|_| [account(json!({ "Name": "A" })), contact()]).collect();
    let wrong =
        [account(json!({ "Name": "A" })), account(json!({ "Name": "B", "NumberOfEmployees": "many" }))];
    let unknown = [json!({ "attributes": { "type": "Nonsense" } })];
    for (records, code) in [
        (&many[..], "EXCEEDED_ID_LIMIT"),
        (&runs[..], "LIMIT_EXCEEDED"),
        (&wrong[..], "JSON_PARSER_ERROR"),
        (&unknown[..], "INVALID_TYPE"),
        (&[json!({ "Name": "A" })][..], "INVALID_INPUT"),
    ] {
        let answer = client.call("POST", "composite/sobjects", &body(records, false)).await;
        assert_eq!((answer.status, answer.code()), (400, code));
    }
    assert!(org.records("Account").is_empty());
    assert_eq!(client.call("PUT", "composite/sobjects", "{}").await.status, 405);
}
