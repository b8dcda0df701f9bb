use proptest::prelude::*;
use salesforce_connector::salesforce::soql::bind;
use salesforce_connector_dev::org::{DevOrg, QuotedText, soql_reading};
use serde_json::{Map, Value, json};

use crate::handler::{Bench, code};

async fn bench(page_size: usize) -> Bench {
    let contacts: Vec<Value> = (0..5)
        .map(|number| json!({"LastName": format!("C{number}"), "Account": {"External_Key__c": "acme"}}))
        .collect();
    let seed = json!({"records": {
        "Account": [
            {"Name": "O'Brien \\ 50%", "External_Key__c": "acme", "AnnualRevenue": 10, "CreatedDate": "2020-01-15T08:00:00Z"},
            {"Name": "50 percent", "AnnualRevenue": 20},
            {"Name": "Third", "Phone": "1"}],
        "Contact": contacts}});
    Bench::start_with(DevOrg::builder().seed(seed).page_size(page_size).start().await.unwrap(), |_| ())
}

async fn names(bench: &Bench, condition: &str, parameters: Value) -> Vec<String> {
    let soql = format!("SELECT Name FROM Account WHERE {condition} ORDER BY Name");
    let query = json!({"type": "query", "soqlQuery": soql, "parameters": parameters});
    let records = bench.result(query, "records").await;
    records.as_array().unwrap().iter().map(|record| record["Name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn parameters_of_each_kind_find_their_records() {
    let bench = bench(2000).await;
    let (brien, fifty, third) = ("O'Brien \\ 50%", "50 percent", "Third");
    for (condition, parameters, expected) in [
        ("Name = :name", json!({"name": brien}), vec![brien]),
        ("Name IN :names", json!({"names": [brien, third]}), vec![brien, third]),
        ("Name LIKE :part", json!({"part": {"contains": "50%"}}), vec![brien]),
        ("Name LIKE :part", json!({"part": "%50%"}), vec![fifty, brien]),
        ("Name LIKE :part", json!({"part": {"startsWith": "50"}}), vec![fifty]),
        ("AnnualRevenue >= :least", json!({"least": 15}), vec![fifty]),
        ("Phone = :none AND IsDeleted = :flag", json!({"none": null, "flag": false}), vec![fifty, brien]),
        ("CreatedDate < :at", json!({"at": {"dateTime": "2020-01-15T10:00:00+01:00"}}), vec![brien]),
        ("CreatedDate = LAST_N_DAYS:days", json!({"days": 2}), vec![fifty, third]),
        ("Name = :name", json!({"name": "x' OR Name != '"}), vec![]),
    ] {
        assert_eq!(names(&bench, condition, parameters).await, expected, "{condition}");
    }
}

#[tokio::test]
async fn parameters_that_do_not_fit_are_refused_without_a_call() {
    let bench = bench(2000).await;
    let query = json!({"type": "query", "soqlQuery": "SELECT Id FROM Account WHERE Name = :name", "parameters": {"nane": 1}});
    let failure = bench.failure(query, &[]).await;
    assert_eq!(code(&failure), "INVALID_INPUT");
    assert!(
        failure.message.contains("operation.parameters.name: expected a value for :name"),
        "{}",
        failure.message
    );
    assert_eq!(bench.org.counters().api_requests, 0);
}

#[tokio::test]
async fn a_query_too_long_for_an_address_is_refused_without_a_call() {
    let bench = bench(2000).await;
    let query = |count: usize| {
        let ids: Vec<String> = (0..count).map(|number| format!("id-{number:012}")).collect();
        json!({"type": "query", "soqlQuery": "SELECT Id FROM Account WHERE Name IN :ids", "parameters": {"ids": ids}})
    };
    bench.result(query(600), "body").await;
    let before = bench.org.counters().api_requests;
    let failure = bench.failure(query(800), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("REQUEST_TOO_LONG", 0));
    assert!(failure.message.contains("Salesforce takes 16384; ask for fewer fields"), "{}", failure.message);
    assert_eq!(bench.org.counters().api_requests, before);
}

#[tokio::test]
async fn the_pages_of_sub_queries_are_read_too() {
    let bench = bench(2).await;
    let soql = "SELECT Name, (SELECT LastName FROM Contacts) FROM Account ORDER BY Name";
    let all = bench.result(json!({"type": "query", "soqlQuery": soql, "allPages": true}), "records").await;
    let records = all.as_array().unwrap();
    assert_eq!(records.len(), 3);
    let contacts = records.iter().find_map(|record| record["Contacts"].as_object()).unwrap();
    assert_eq!((&contacts["done"], contacts.get("nextRecordsUrl")), (&json!(true), None));
    let names: Vec<_> =
        contacts["records"].as_array().unwrap().iter().map(|contact| contact["LastName"].clone()).collect();
    assert_eq!(names, ["C0", "C1", "C2", "C3", "C4"]);
}

#[tokio::test]
async fn a_query_goes_on_where_its_last_answer_ended() {
    let bench = bench(2).await;
    let first = json!({"type": "query", "soqlQuery": "SELECT Id FROM Contact", "batchSize": 200});
    let page = bench.result(first, "body").await;
    let next =
        |url: &Value, all: bool| json!({"type": "nextRecords", "nextRecordsUrl": url, "allPages": all});
    let second = bench.result(next(&page["nextRecordsUrl"], false), "body").await;
    assert_eq!((second["records"].as_array().unwrap().len(), &second["done"]), (2, &json!(false)));
    let rest = bench.result(next(&page["nextRecordsUrl"], true), "records").await;
    assert_eq!(rest.as_array().unwrap().len(), 3);
    let asked = &bench.org.requests()[..];
    assert!(asked.iter().any(|request| { request.header("sforce-query-options") == Some("batchSize=200") }));

    bench.org.expire_query_locators();
    assert_eq!(
        code(&bench.failure(next(&page["nextRecordsUrl"], false), &[]).await),
        "INVALID_QUERY_LOCATOR"
    );
    let elsewhere = next(&json!("/services/data/v67.0/sobjects/Account"), false);
    assert_eq!(code(&bench.failure(elsewhere, &[]).await), "INVALID_INPUT");
}

#[tokio::test]
async fn deleted_records_are_found_where_they_are_asked_for() {
    let bench = bench(2000).await;
    let third = bench.org.records("Account").into_iter().find(|account| account["Name"] == "Third").unwrap();
    let delete = json!({"type": "deleteRecord", "objectType": "Account", "objectId": third["Id"]});
    bench.result(delete, "response").await;
    let query = |deleted: bool| {
        json!({"type": if deleted { "queryAll" } else { "query" }, "soqlQuery": "SELECT Id, IsDeleted FROM Account WHERE Id = :id",
               "parameters": {"id": third["Id"]}})
    };
    assert_eq!(bench.result(query(false), "records").await, json!([]));
    assert_eq!(bench.result(query(true), "firstRecord").await["IsDeleted"], true);
}

#[tokio::test]
async fn a_query_is_explained_and_not_run() {
    let bench = bench(2000).await;
    let explain =
        |soql: &str| json!({"type": "explainQuery", "soqlQuery": soql, "parameters": {"key": "acme"}});
    let plans = bench.result(explain("SELECT Id FROM Account WHERE External_Key__c = :key"), "body").await;
    assert_eq!(plans["sourceQuery"], "SELECT Id FROM Account WHERE External_Key__c = 'acme'");
    let operations: Vec<_> =
        plans["plans"].as_array().unwrap().iter().map(|plan| plan["leadingOperationType"].clone()).collect();
    assert_eq!(operations, ["Index", "TableScan"]);
    assert_eq!(
        code(&bench.failure(explain("SELECT Id FORM Account WHERE x = :key"), &[]).await),
        "MALFORMED_QUERY"
    );
}

fn reading(value: &Value) -> (String, Vec<QuotedText>) {
    let query = "SELECT Id FROM Account WHERE Name LIKE :x AND Phone = 'p:x' AND Fax IN (:x)";
    let bound = bind(query, &Map::from_iter([("x".to_owned(), value.clone())])).unwrap();
    soql_reading(&bound).unwrap_or_else(|mistake| panic!("{mistake}: {bound}"))
}

fn text(characters: &[(char, bool)]) -> String {
    characters.iter().map(|(character, _)| character).collect()
}

proptest! {
    /// DevOrg reads what was bound: the query keeps its form, and each text is the one that was given.
    #[test]
    fn no_text_can_leave_its_literal(value in "['\"\\\\%_:nrtbfu0a \n\r\t\u{8}\u{c}\\PC]{0,30}") {
        let (plain, _) = reading(&json!("plain"));
        let (skeleton, texts) = reading(&json!(value));
        prop_assert_eq!(&skeleton, &plain);
        let read: Vec<String> = texts.iter().map(|characters| text(characters)).collect();
        prop_assert_eq!(read, [value.as_str(), "p:x", value.as_str()]);

        let (skeleton, texts) = reading(&json!({"contains": value}));
        prop_assert_eq!(skeleton, plain);
        let [first, .., last] = &texts[0][..] else { panic!("no wildcards") };
        prop_assert_eq!((first, last), (&('%', false), &('%', false)));
        let inner = &texts[0][1..texts[0].len() - 1];
        prop_assert_eq!(text(inner), value.as_str());
        prop_assert!(inner.iter().all(|(character, escaped)| *escaped || !"%_".contains(*character)));
    }

    #[test]
    fn other_values_are_one_token(
        number in any::<f64>().prop_filter("JSON has no others", |number| number.is_finite()),
        whole in any::<i64>(),
        flag in any::<bool>(),
    ) {
        for value in [json!(number), json!(whole), json!(flag), json!(null)] {
            let bound = bind("SELECT Id FROM Account WHERE x = :x", &Map::from_iter([("x".to_owned(), value)])).unwrap();
            let (skeleton, _) = soql_reading(&bound).unwrap();
            prop_assert_eq!(skeleton.matches("Symbol").count(), 1, "{}", bound);
        }
    }

    /// Whatever stands for a date: it is one token or refused.
    #[test]
    fn no_date_can_leave_its_literal(text in "[0-9TZ:+@.' -]{1,30}|[ -~]{1,20}|2026-11-22[ -~]{0,20}") {
        for mark in ["date", "dateTime"] {
            let value = Map::from_iter([("x".to_owned(), json!({mark: text}))]);
            let Ok(bound) = bind("SELECT Id FROM Account WHERE x = :x", &value) else { continue };
            let (skeleton, _) = soql_reading(&bound).unwrap();
            prop_assert_eq!(skeleton.matches("Symbol").count(), 1, "{}", bound);
        }
    }
}

#[tokio::test]
async fn a_list_view_gives_the_records_that_its_users_see_by_name_or_id() {
    let accounts: Vec<_> = (0..5).map(|number| json!({"Name": format!("A{number}"), "Phone": "1"})).collect();
    let seed = json!({"records": {"Account": accounts}, "listViews": [{"id": "00B000000000001EAA", "developerName": "Recent",
        "label": "Recent ones", "object": "Account", "columns": ["Name", "Phone"], "where": "Name != 'A3'"}]});
    let org = DevOrg::builder().seed(seed).page_size(2).start().await.unwrap();
    let bench = Bench::start_with(org, |_| ());
    let read = |view: &str| json!({"type": "getListView", "objectType": "Account", "listView": view, "allPages": true});
    for view in ["Recent", "00B000000000001EAA", "00B000000000001"] {
        let found = bench.result(read(view), "body").await;
        let names: Vec<_> = found["records"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|record| record["Name"].as_str())
            .collect();
        assert_eq!((names, &found["totalSize"]), (vec!["A0", "A1", "A2", "A4"], &json!(4)));
        assert!(found["records"][0]["Id"].is_string() && found["records"][0]["Phone"] == "1");
    }
    let few = json!({"type": "getListView", "objectType": "Account", "listView": "Recent"});
    assert_eq!(bench.result(few, "body").await["done"], false, "one page, where not all are wanted");

    let failure = bench.failure(read("Nothing"), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("LIST_VIEW_NOT_FOUND", 0));
    assert!(failure.message.contains("list view \"Nothing\" of Account"), "{}", failure.message);
    assert_eq!(code(&bench.failure(read("00B000000000009"), &[]).await), "NOT_FOUND");
}
