//! Bulk API 2.0: query jobs and the pages of their results.

use salesforce_connector_dev::org::{DevOrg, Fault, FaultRule};
use serde_json::{Value, json};

use crate::client::{Answer, Client};

const QUERY: &str = "jobs/query";

async fn start() -> (DevOrg, Client) {
    let org = DevOrg::start().await.expect("a free port");
    let client = Client::login(&org).await;
    (org, client)
}

async fn ask(client: &Client, operation: &str, query: &str) -> Answer {
    client.call("POST", QUERY, &json!({ "operation": operation, "query": query }).to_string()).await
}

/// Creates a job; answers its id.
async fn create(client: &Client, body: Value) -> String {
    let answer = client.call("POST", QUERY, &body.to_string()).await;
    assert_eq!((answer.status, &answer.body["state"]), (200, &json!("UploadComplete")), "{}", answer.text);
    answer.body["id"].as_str().expect("an id").to_owned()
}

fn query(text: &str) -> Value {
    json!({ "operation": "query", "query": text })
}

async fn state(client: &Client, id: &str) -> String {
    let answer = client.get(&format!("{QUERY}/{id}")).await;
    answer.body["state"].as_str().expect("a state").to_owned()
}

async fn page(client: &Client, id: &str, parameters: &str) -> Answer {
    client.get(&format!("{QUERY}/{id}/results{parameters}")).await
}

#[tokio::test]
async fn a_query_job_goes_through_its_states_to_its_result() {
    let (org, client) = start().await;
    org.bulk().hold();
    let parent = org.insert("Account", json!({ "Name": "Parent, \"Inc.\"" })).unwrap();
    let created = json!({ "Name": "child\nof it", "ParentId": parent, "NumberOfEmployees": 7,
        "CreatedDate": "2026-11-22T10:00:00.000+0000" });
    org.insert("Account", created).unwrap();
    let text = "SELECT Name, parent.name, NumberOfEmployees, IsDeleted, CreatedDate FROM account WHERE Name LIKE 'c%'";
    let id = create(&client, query(text)).await;
    let early = page(&client, &id, "").await;
    assert_eq!((early.status, early.code()), (400, "INVALIDJOBSTATE"));
    for expected in ["InProgress", "JobComplete"] {
        assert_eq!(org.bulk().step(), 1);
        assert_eq!(state(&client, &id).await, expected);
    }
    let result = page(&client, &id, "").await;
    assert_eq!(
        (result.header("sforce-locator"), result.header("sforce-numberofrecords")),
        (Some("null"), Some("1"))
    );
    assert_eq!(
        (result.header("content-type"), result.text.as_str()),
        (
            Some("text/csv"),
            "\"Name\",\"Parent.Name\",\"NumberOfEmployees\",\"IsDeleted\",\"CreatedDate\"\n\
             \"child\nof it\",\"Parent, \"\"Inc.\"\"\",\"7\",\"false\",\"2026-11-22T10:00:00.000Z\"\n"
        )
    );
}

#[tokio::test]
async fn a_query_job_is_described_in_salesforces_words() {
    let (_org, client) = start().await;
    let body = json!({ "operation": "queryAll", "query": "SELECT Id FROM Contact", "contentType": "CSV",
        "columnDelimiter": "PIPE", "lineEnding": "CRLF" });
    let answer = client.call("POST", QUERY, &body.to_string()).await.body;
    let (id, now) = (answer["id"].as_str().expect("an id"), &answer["createdDate"]);
    let mut expected = json!({ "id": id, "operation": "queryAll", "object": "Contact",
        "createdById": "005Dv0000000001IAA", "createdDate": now, "systemModstamp": now, "state": "UploadComplete",
        "concurrencyMode": "Parallel", "contentType": "CSV", "apiVersion": 67.0, "lineEnding": "CRLF",
        "columnDelimiter": "PIPE" });
    assert_eq!(answer, expected);
    let mut info = client.get(&format!("{QUERY}/{id}")).await.body;
    for name in ["numberRecordsProcessed", "retries", "totalProcessingTime"] {
        expected[name] = json!(0);
    }
    expected["jobType"] = json!("V2Query");
    expected["isPkChunkingSupported"] = json!(false);
    expected["state"] = json!("JobComplete");
    expected["systemModstamp"] = info["systemModstamp"].take();
    info["systemModstamp"] = expected["systemModstamp"].clone();
    assert_eq!(info, expected);
    assert_eq!(page(&client, id, "").await.text, "\"Id\"\r\n");
}

#[tokio::test]
async fn a_result_comes_in_pages_until_the_locator_is_null() {
    let (org, client) = start().await;
    for name in ["A", "B", "C", "D", "E"] {
        org.insert("Account", json!({ "Name": name })).unwrap();
    }
    let id = create(&client, query("SELECT Name FROM Account ORDER BY Name DESC")).await;
    assert_eq!(state(&client, &id).await, "JobComplete");
    // What comes after the query has run is no part of it.
    org.insert("Account", json!({ "Name": "Z" })).unwrap();
    let (mut texts, mut counts, mut locator) = (Vec::new(), Vec::new(), String::new());
    while locator != "null" {
        let parameters = if locator.is_empty() { String::new() } else { format!("&locator={locator}") };
        let answer = page(&client, &id, &format!("?maxRecords=2{parameters}")).await;
        locator = answer.header("sforce-locator").expect("a locator").to_owned();
        counts.push(answer.header("sforce-numberofrecords").expect("a count").to_owned());
        texts.push(answer.text);
    }
    assert_eq!(counts, ["2", "2", "1"]);
    assert_eq!(texts, ["\"Name\"\n\"E\"\n\"D\"\n", "\"Name\"\n\"C\"\n\"B\"\n", "\"Name\"\n\"A\"\n"]);
    for wrong in ["?locator=nonsense", "?locator=MTAwMDA", "?maxRecords=0", "?maxRecords=all"] {
        let answer = page(&client, &id, wrong).await;
        assert_eq!((answer.status, answer.code()), (400, "API_ERROR"), "{wrong}");
    }
}

#[tokio::test]
async fn query_all_sees_the_recycle_bin() {
    let (org, client) = start().await;
    let account = org.insert("Account", json!({ "Name": "A" })).unwrap();
    client.call("DELETE", &format!("sobjects/Account/{account}"), "").await;
    for (operation, records) in [("query", "0"), ("queryAll", "1")] {
        let answer = ask(&client, operation, "SELECT Id FROM Account").await;
        let result = page(&client, answer.body["id"].as_str().unwrap(), "").await;
        assert_eq!(result.header("sforce-numberofrecords"), Some(records), "{operation}");
    }
}

#[tokio::test]
async fn what_a_bulk_query_cannot_say_is_refused_when_the_job_is_created() {
    let (org, client) = start().await;
    for (text, code, message) in [
        ("SELECT COUNT() FROM Account", "API_ERROR", "Aggregate functions not supported in Bulk Query"),
        ("SELECT MAX(Name) FROM Account", "API_ERROR", "Aggregate functions not supported in Bulk Query"),
        ("SELECT Name FROM Account GROUP BY Name", "API_ERROR", "GROUP BY not supported in Bulk Query"),
        ("SELECT Name FROM Account OFFSET 1", "API_ERROR", "OFFSET not supported in Bulk Query"),
        (
            "SELECT FIELDS(ALL) FROM Account LIMIT 9",
            "API_ERROR",
            "The FIELDS function not supported in Bulk Query",
        ),
        (
            "SELECT BillingAddress FROM Account",
            "API_ERROR",
            "Selecting compound data not supported in Bulk Query",
        ),
        (
            "SELECT (SELECT Id FROM Contacts) FROM Account",
            "API_ERROR",
            "Aggregate Relationships not supported in Bulk Query",
        ),
        (
            "SELECT TYPEOF What WHEN Account THEN Phone END FROM Task",
            "API_ERROR",
            "TYPEOF not supported in Bulk Query",
        ),
        ("", "MALFORMED_QUERY", "A query string has to be specified"),
    ] {
        let answer = ask(&client, "query", text).await;
        assert_eq!((answer.status, answer.code(), answer.message()), (400, code, message), "{text}");
    }
    for (text, code) in [("SELECT Nope FROM Account", "INVALID_FIELD"), ("SELECT FROM", "MALFORMED_QUERY")] {
        assert_eq!(ask(&client, "query", text).await.code(), code);
    }
    assert_eq!(ask(&client, "insert", "SELECT Id FROM Account").await.code(), "API_ERROR");
    assert!(org.bulk().list().is_empty());
}

#[tokio::test]
async fn a_query_job_is_aborted_while_it_runs_and_deleted_when_it_does_not() {
    let (org, client) = start().await;
    org.bulk().hold();
    let id = create(&client, query("SELECT Id FROM Account")).await;
    let path = format!("{QUERY}/{id}");
    let set = async |state: &str| {
        let answer = client.call("PATCH", &path, &json!({ "state": state }).to_string()).await;
        (
            answer.status,
            if answer.status == 200 { answer.body["state"].clone() } else { json!(answer.code()) },
        )
    };
    assert_eq!(client.call("DELETE", &path, "").await.code(), "INVALIDJOBSTATE");
    assert_eq!(set("UploadComplete").await, (400, json!("INVALIDJOBSTATE")));
    assert_eq!(set("Aborted").await, (200, json!("Aborted")));
    assert_eq!(set("Aborted").await, (400, json!("INVALIDJOBSTATE")));
    assert_eq!((org.bulk().step(), page(&client, &id, "").await.code()), (0, "INVALIDJOBSTATE"));
    assert_eq!(client.get(&format!("jobs/ingest/{id}")).await.status, 404);
    assert_eq!(client.get(QUERY).await.body["records"][0]["jobType"], "V2Query");
    assert_eq!(client.call("DELETE", &path, "").await.status, 204);
    assert_eq!((client.get(&path).await.status, page(&client, &id, "").await.status), (404, 404));
}

#[tokio::test]
async fn a_failed_query_job_has_no_results() {
    let (org, client) = start().await;
    org.bulk().hold();
    let id = create(&client, query("SELECT Id FROM Account")).await;
    assert_eq!(org.bulk().fail("out of luck"), 1);
    assert_eq!((state(&client, &id).await.as_str(), page(&client, &id, "").await.status), ("Failed", 400));
}

#[tokio::test]
async fn faults_strike_results_as_they_strike_everything() {
    let (org, client) = start().await;
    org.insert("Account", json!({ "Name": "A" })).unwrap();
    let id = create(&client, query("SELECT Name FROM Account")).await;
    org.faults().add(FaultRule::new(Fault::CutAnswer).method("GET").path("/results"));
    assert!(client.try_send("GET", &format!("{QUERY}/{id}/results"), &[], "").await.is_err());
    assert_eq!(
        (page(&client, &id, "").await.text.as_str(), org.faults().pending()),
        ("\"Name\"\n\"A\"\n", 0)
    );
}
