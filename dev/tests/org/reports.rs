//! Reports: rows, groupings, filters, the limit.

use salesforce_connector_dev::org::DevOrg;
use serde_json::{Value, json};

use crate::client::Client;

async fn start() -> (DevOrg, Client) {
    let case = |subject: &str, status: &str| json!({ "Subject": subject, "Status": status, "Origin": "Web" });
    let cases = [case("a", "New"), case("b", "Closed"), case("c", "New")];
    let reports = json!([
        { "id": "00O000000000001EAA", "name": "All cases", "object": "Case", "columns": ["Subject", "Status", "Owner.Username"] },
        { "id": "00O000000000002EAA", "name": "By status", "object": "Case", "columns": ["Subject"], "groupBy": "Status",
          "where": "Subject != 'b' OR Status = 'Closed'" }]);
    let seed = json!({ "records": { "Case": cases }, "reports": reports });
    let org = DevOrg::builder().seed(seed).start().await.expect("a free port");
    let client = Client::login(&org).await;
    (org, client)
}

fn subjects(fact: &Value) -> Vec<&str> {
    let rows = fact["rows"].as_array().expect("rows").iter();
    rows.map(|row| row["dataCells"][0]["value"].as_str().expect("a text")).collect()
}

#[tokio::test]
async fn a_report_gives_totals_and_rows_only_where_they_are_asked_for() {
    let (_org, client) = start().await;
    let totals = client.get("analytics/reports/00O000000000001EAA").await.body;
    assert_eq!(
        (&totals["factMap"]["T!T"]["aggregates"][0]["value"], &totals["allData"]),
        (&json!(3), &json!(true))
    );
    assert_eq!((totals["factMap"]["T!T"].get("rows"), &totals["hasDetailRows"]), (None, &json!(false)));
    let rows = client.get("analytics/reports/00O000000000001?includeDetails=true").await.body;
    assert_eq!(subjects(&rows["factMap"]["T!T"]), ["a", "b", "c"]);
    assert!(rows["factMap"]["T!T"]["rows"][0]["dataCells"][2]["value"].is_string());
}

#[tokio::test]
async fn rows_stand_in_their_groups() {
    let (_org, client) = start().await;
    let report = client.get("analytics/reports/00O000000000002EAA?includeDetails=true").await.body;
    let groups = report["groupingsDown"]["groupings"].as_array().expect("groups");
    let group =
        |status: &str| groups.iter().find(|group| group["value"] == status).expect("a group")["key"].clone();
    let fact = |status: &str| &report["factMap"][format!("{}!T", group(status).as_str().expect("a key"))];
    assert_eq!((subjects(fact("New")), subjects(fact("Closed"))), (vec!["a", "c"], vec!["b"]));
    assert_eq!(report["reportMetadata"]["groupingsDown"][0]["name"], "Status");
}

#[tokio::test]
async fn filters_of_a_request_are_applied_and_not_saved() {
    let (_org, client) = start().await;
    let path = "analytics/reports/00O000000000001EAA?includeDetails=true";
    let run = |column: &'static str, operator: &'static str, value: &'static str| {
        let filter = json!([{ "column": column, "operator": operator, "value": value }]);
        json!({ "reportMetadata": { "reportFilters": filter } }).to_string()
    };
    for (column, operator, value, expected) in [
        ("Status", "equals", "New", vec!["a", "c"]),
        ("Status", "notEqual", "New", vec!["b"]),
        ("Subject", "startsWith", "c", vec!["c"]),
        ("Subject", "contains", "%", vec![]),
        ("Subject", "equals", "' OR Subject != '", vec![]),
        ("IsClosed", "equals", "true", vec!["b"]),
    ] {
        let answer = client.call("POST", path, &run(column, operator, value)).await;
        assert_eq!(subjects(&answer.body["factMap"]["T!T"]), expected, "{column} {operator} {value}");
        assert_eq!(answer.body["reportMetadata"]["reportFilters"][0]["column"], column);
    }
    for (column, operator) in [("Nothing", "equals"), ("Status", "resembles")] {
        let answer = client.call("POST", path, &run(column, operator, "x")).await;
        assert_eq!((answer.status, answer.code()), (400, "BAD_REQUEST"));
    }
    let described = client.get("analytics/reports/00O000000000001EAA/describe").await.body;
    assert_eq!(described["reportMetadata"]["reportFilters"], json!([]));
    assert_eq!(client.get("analytics/reports/00O000000000009EAA").await.status, 404);
    assert_eq!(client.call("PUT", path, "{}").await.status, 405);
}

#[tokio::test]
async fn no_more_than_two_thousand_rows_are_given() {
    let (org, client) = start().await;
    for number in 0..1999 {
        org.insert("Case", json!({ "Subject": format!("n{number}"), "Status": "Working" })).expect("a case");
    }
    for id in ["00O000000000001EAA", "00O000000000002EAA"] {
        let report = client.get(&format!("analytics/reports/{id}?includeDetails=true")).await.body;
        let facts = report["factMap"].as_object().expect("facts").values();
        let rows: usize = facts.filter_map(|fact| fact["rows"].as_array()).map(Vec::len).sum();
        assert_eq!((rows, &report["allData"]), (2000, &json!(false)), "{id}");
        assert_eq!(report["factMap"]["T!T"]["aggregates"][0]["value"], json!(2002));
    }
}
