//! SOSL and parameterized search.

use salesforce_connector_dev::org::DevOrg;
use serde_json::{Value, json};

use crate::client::{Answer, Client};

async fn start() -> (DevOrg, Client) {
    let seed = json!({ "records": {
        "Account": [{ "Name": "Acme Inc.", "Phone": "555-1234" }, { "Name": "Bravo", "Description": "once acme" }],
        "Contact": [{ "FirstName": "Ada", "LastName": "Acme", "Email": "ada@bravo.example" }] } });
    let org = DevOrg::builder().seed(seed).start().await.expect("a free port");
    let client = Client::login(&org).await;
    (org, client)
}

async fn search(client: &Client, sosl: &str) -> Answer {
    let encoded = sosl.replace('%', "%25").replace('&', "%26").replace('+', "%2B").replace(' ', "+");
    client
        .get(&format!("search?q={encoded}").replace('{', "%7B").replace('}', "%7D").replace('"', "%22"))
        .await
}

fn types(answer: &Answer) -> Vec<&str> {
    let records = answer.body["searchRecords"].as_array().expect("a list").iter();
    records.map(|record| record["attributes"]["type"].as_str().expect("a type")).collect()
}

#[tokio::test]
async fn a_search_finds_words_in_the_fields_of_its_group() {
    let (_org, client) = start().await;
    for (sosl, expected) in [
        ("FIND {acme} RETURNING Account, Contact", vec!["Account", "Account", "Contact"]),
        ("FIND {acme}", vec!["Account", "Account", "Contact"]),
        ("FIND {acme} IN NAME FIELDS RETURNING Account", vec!["Account"]),
        ("FIND {bravo} IN EMAIL FIELDS", vec!["Contact"]),
        ("FIND {1234} IN PHONE FIELDS", vec!["Account"]),
        ("FIND {acme} RETURNING Account(Id WHERE Phone = null), Contact LIMIT 1", vec!["Account"]),
        ("FIND {nothing}", vec![]),
    ] {
        assert_eq!(types(&search(&client, sosl).await), expected, "{sosl}");
    }
    let answer =
        search(&client, "FIND {ada} RETURNING Contact(Email, Account.Name ORDER BY Email LIMIT 5)").await;
    let contact = &answer.body["searchRecords"][0];
    assert_eq!((&contact["Email"], &contact["Account"]), (&json!("ada@bravo.example"), &Value::Null));
}

#[tokio::test]
async fn what_is_wrong_with_a_search_is_told() {
    let (_org, client) = start().await;
    for (sosl, code) in [
        ("FIND {a}", "MALFORMED_SEARCH"),
        ("FIND {acme OR}", "MALFORMED_SEARCH"),
        ("SELECT Id FROM Account", "MALFORMED_SEARCH"),
        ("FIND {acme} RETURNING Account(Id WHERE)", "MALFORMED_SEARCH"),
        ("FIND {acme} RETURNING Account(Nam)", "INVALID_FIELD"),
        ("FIND {acme} RETURNING Nothing", "INVALID_TYPE"),
        ("FIND {acme} RETURNING Organization", "INVALID_TYPE"),
    ] {
        let answer = search(&client, sosl).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{sosl}");
    }
    assert_eq!(client.call("POST", "search", "{}").await.status, 405);
}

#[tokio::test]
async fn a_search_by_parameters_says_the_same_in_address_and_body() {
    let (_org, client) = start().await;
    let body = json!({ "q": "acme", "in": "NAME", "fields": ["Id"], "overallLimit": 2, "sobjects": [
        { "name": "Account", "fields": ["Id", "Name"], "where": "Phone != null", "limit": 1 }, { "name": "Contact" }] });
    let posted = client.call("POST", "parameterizedSearch", &body.to_string()).await;
    assert_eq!((types(&posted), posted.status), (vec!["Account", "Contact"], 200));
    assert_eq!(posted.body["searchRecords"][0]["Name"], "Acme Inc.");
    let asked = client
        .get("parameterizedSearch/?q=acme&in=NAME&fields=Id&sobject=Account&Account.fields=Id,Name&Account.limit=1\
              &Account.where=Phone+!%3D+null&sobject=Contact&overallLimit=2")
        .await;
    assert_eq!(asked.body, posted.body);
    assert_eq!(types(&client.get("parameterizedSearch?q=acme&defaultLimit=1").await), ["Account", "Contact"]);
    assert_eq!(client.get("parameterizedSearch?q=a").await.code(), "MALFORMED_SEARCH");
    assert_eq!(client.call("POST", "parameterizedSearch", "[]").await.code(), "JSON_PARSER_ERROR");
}
