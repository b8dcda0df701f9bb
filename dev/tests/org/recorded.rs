//! DevOrg's replies beside those of real orgs: the same members, and the same error texts.

use salesforce_connector_dev::org::DevOrg;
use serde_json::{Value, json};

use crate::client::Client;

const RECORDED: &str = include_str!("../../fixtures/recorded/replies.json");

fn recorded(name: &str) -> Value {
    let all: Value = serde_json::from_str(RECORDED).expect("the fixture is JSON");
    all[name].clone()
}

fn names(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

async fn start() -> (DevOrg, Client) {
    let org = DevOrg::start().await.expect("a free port");
    let client = Client::login(&org).await;
    (org, client)
}

#[tokio::test]
async fn saves_answer_with_the_recorded_members() {
    let (_org, client) = start().await;
    let created = client.call("POST", "sobjects/Account/", r#"{"Name":"Smith Corp."}"#).await;
    assert_eq!(names(&created.body), names(&recorded("create")["body"]));
    let upserted = client.call("PATCH", "sobjects/Contact/Email/a@example.com", r#"{"LastName":"A"}"#).await;
    assert_eq!(names(&upserted.body), names(&recorded("upsert_item")["body"]));
}

#[tokio::test]
async fn queries_answer_with_the_recorded_members() {
    let (org, client) = start().await;
    let expected = recorded("query")["body"].clone();
    let users = client.get("query/?q=SELECT+FirstName%2CLastName+FROM+User+LIMIT+1").await.body;
    assert_eq!(names(&users), names(&expected));
    assert_eq!(names(&users["records"][0]), names(&expected["records"][0]));
    assert_eq!(names(&users["records"][0]["attributes"]), names(&expected["records"][0]["attributes"]));

    org.insert("Account", json!({ "Name": "One" })).expect("a good record");
    let count = client.get("query/?q=select+count%28Id%29+from+Account").await.body;
    let mut expected = recorded("aggregate")["body"].clone();
    expected["records"][0]["expr0"] = json!(1);
    assert_eq!(count, expected);
}

#[tokio::test]
async fn errors_have_the_recorded_texts() {
    let (_org, client) = start().await;
    let object = client.get("query?q=select+count()+from+XYZZY").await;
    assert_eq!((object.status, object.body), (400, recorded("error_INVALID_TYPE")["body"].clone()));
    let resource = client.get("sobjects/XYZZY/describe").await;
    assert_eq!((resource.status, resource.body), (404, recorded("error_NOT_FOUND")["body"].clone()));
}

#[tokio::test]
async fn a_describe_document_has_every_recorded_member() {
    let (_org, client) = start().await;
    let document = client.get("sobjects/Contact/describe").await.body;
    let picklist =
        document["fields"].as_array().expect("fields").iter().find(|field| field["name"] == "Salutation");
    let parts = [
        ("object", &document),
        ("field", &document["fields"][0]),
        ("childRelationship", &document["childRelationships"][0]),
        ("picklistValue", &picklist.expect("a picklist")["picklistValues"][0]),
    ];
    for (name, part) in parts {
        let expected = recorded("describe")[name].clone();
        let missing: Vec<&Value> = expected
            .as_array()
            .expect("names")
            .iter()
            .filter(|name| part.get(name.as_str().unwrap_or_default()).is_none())
            .collect();
        assert!(missing.is_empty(), "{name}: {missing:?}");
    }
}

/// The records that were in the org when a call was recorded.
fn before(org: &DevOrg, name: &str, call: &Value) {
    let sent = call["request"]["body"]["records"].as_array().expect("records").iter();
    for (record, result) in sent.zip(call["body"].as_array().expect("results")) {
        let known = match (name, &record["AccountId"]) {
            ("collections_create", account) => Some(("Account", json!({ "Id": account, "Name": "A" }))),
            ("collections_update", _) => Some(("Account", json!({ "Id": result["id"], "Name": "A" }))),
            _ if result["created"] == false => {
                let contact = json!({ "Id": result["id"], "LastName": "L", "Email": record["Email"] });
                Some(("Contact", contact))
            }
            _ => None,
        };
        if let Some((object, fields)) = known {
            org.insert(object, fields).expect("a good record");
        }
    }
}

#[tokio::test]
async fn collections_give_the_recorded_results() {
    for (name, creates) in [
        ("collections_create", true),
        ("collections_update", false),
        ("collections_upsert_by_email", false),
        ("collections_upsert_by_id", false),
    ] {
        let (org, client) = start().await;
        let call = recorded(name);
        before(&org, name, &call);
        let text = |member: &str| call["request"][member].as_str().expect("a text").to_owned();
        let body = call["request"]["body"].to_string();
        let mut answer = client.call(&text("method"), &text("path"), &body).await;
        let results = answer.body.as_array_mut().expect("results");
        let expected = call["body"].as_array().expect("results");
        assert_eq!(results.len(), expected.len(), "{name}");
        for (result, expected) in results.iter_mut().zip(expected) {
            if creates || expected["created"] == true {
                let id = result["id"].as_str().expect("an id");
                assert!(org.records("Contact").iter().any(|record| record["Id"] == id), "{name}: {id}");
                result["id"] = expected["id"].clone();
            }
        }
        assert_eq!((json!(answer.status), &answer.body), (call["status"].clone(), &call["body"]), "{name}");
    }
}
