use proptest::prelude::*;
use salesforce_connector::salesforce::sosl;
use salesforce_connector_dev::org::{DevOrg, Fault, sosl_reading};
use serde_json::{Map, Value, json};

use crate::handler::{Bench, code};

async fn bench() -> Bench {
    let seed = json!({"records": {
        "Account": [
            {"Name": "O'Brien & Sons", "External_Key__c": "brien", "Phone": "555-1234"},
            {"Name": "Brien or Sons"}],
        "Contact": [
            {"FirstName": "Ada", "LastName": "Lovelace", "Email": "ada@brien.example", "Account": {"External_Key__c": "brien"}},
            {"FirstName": "Ada", "LastName": "Lowe"}]}});
    Bench::start_with(DevOrg::builder().seed(seed).start().await.unwrap(), |_| ())
}

fn names(records: &Value) -> Vec<&str> {
    records.as_array().unwrap().iter().map(|record| record["Name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_is_searched_for_is_found_whatever_its_text_contains() {
    let bench = bench().await;
    let (brien, or) = ("O'Brien & Sons", "Brien or Sons");
    for (find, value, expected) in [
        (":x", json!(brien), vec![brien]),
        (":x", json!("sons & O'Brien"), vec![brien]),
        (":x", json!("Brien OR Sons"), vec![or]),
        (":x", json!({"phrase": "Brien & Sons"}), vec![brien]),
        (":x", json!({"startsWith": "sons bri"}), vec![brien, or]),
        (":x", json!(["1234", "nobody"]), vec![brien]),
        ("brien AND NOT :x", json!("or"), vec![brien]),
        (":x", json!("bri*"), vec![]),
    ] {
        let sosl = format!("FIND {{{find}}} RETURNING Account(Name)");
        let search = json!({"type": "search", "soslQuery": sosl, "parameters": {"x": value}});
        assert_eq!(names(&bench.result(search, "records").await), expected, "{value}");
    }
}

#[tokio::test]
async fn a_search_gives_the_records_of_several_objects() {
    let bench = bench().await;
    let account = bench.org.records("Account")[0]["Id"].clone();
    let search = json!({"type": "search",
        "soslQuery": "FIND {:text} RETURNING Contact(Name WHERE AccountId = :account), Account(Name)",
        "parameters": {"text": "brien", "account": account}});
    assert_eq!(
        names(&bench.result(search.clone(), "body").await["searchRecords"]),
        ["Ada Lovelace", "O'Brien & Sons", "Brien or Sons"]
    );
    assert_eq!(bench.result(search, "firstRecord").await["attributes"]["type"], "Contact");
}

#[tokio::test]
async fn a_text_is_searched_for_without_sosl() {
    let bench = bench().await;
    let account = bench.org.records("Account")[0]["Id"].clone();
    let search = |text: &str, further: Value| {
        let mut operation = json!({"type": "parameterizedSearch", "searchText": text, "objects": "Account, Contact",
                                   "fields": "Name"});
        operation.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
        operation
    };
    for (text, further, expected) in [
        ("O'Brien & Sons", json!({}), vec!["O'Brien & Sons"]),
        ("brien", json!({"searchIn": "EMAIL"}), vec!["Ada Lovelace"]),
        ("ada", json!({"maxRecords": 1}), vec!["Ada Lovelace"]),
        ("lov* OR low*", json!({"operators": true}), vec!["Ada Lovelace", "Ada Lowe"]),
        ("lov* OR low*", json!({}), vec![]),
        (
            "ada",
            json!({"objects": [{"name": "Contact", "where": "AccountId = :a"}], "parameters": {"a": account}}),
            vec!["Ada Lovelace"],
        ),
        (
            "ada",
            json!({"objects": {"name": "Contact", "orderBy": "LastName DESC", "limit": 1}}),
            vec!["Ada Lowe"],
        ),
    ] {
        assert_eq!(
            names(&bench.result(search(text, further.clone()), "records").await),
            expected,
            "{text} {further}"
        );
    }
}

#[tokio::test]
async fn what_salesforce_refuses_is_told_by_its_code_and_what_does_not_fit_without_a_call() {
    let bench = bench().await;
    let search = |sosl: &str| json!({"type": "search", "soslQuery": sosl});
    assert_eq!(code(&bench.failure(search("FIND {a}"), &[]).await), "MALFORMED_SEARCH");
    assert_eq!(code(&bench.failure(search("FIND {acme} RETURNING Nothing"), &[]).await), "INVALID_TYPE");
    let by_text =
        json!({"type": "parameterizedSearch", "searchText": "acme", "objects": "Account", "fields": "Nam"});
    assert_eq!(code(&bench.failure(by_text, &[]).await), "INVALID_FIELD");

    let before = bench.org.counters().api_requests;
    let failure = bench.failure(search("FIND {:name}"), &[]).await;
    assert_eq!(code(&failure), "INVALID_INPUT");
    assert!(failure.message.contains("parameters.name: expected a value for :name"), "{}", failure.message);
    assert_eq!(
        code(&bench.failure(search(&format!("FIND {{{}}}", "acme ".repeat(4000))), &[]).await),
        "REQUEST_TOO_LONG"
    );
    assert_eq!(bench.org.counters().api_requests, before);
}

#[tokio::test]
async fn a_search_whose_answer_was_lost_is_sent_again() {
    let bench = bench().await;
    for (operation, method, path) in [
        (json!({"type": "search", "soslQuery": "FIND {brien}"}), "GET", "/search"),
        (
            json!({"type": "parameterizedSearch", "searchText": "brien", "objects": "Account"}),
            "POST",
            "/parameterizedSearch",
        ),
    ] {
        bench.strike(method, path, Fault::CloseAfter);
        let before = bench.org.counters().api_requests;
        bench.result(operation, "records").await;
        assert_eq!(bench.org.counters().api_requests - before, 2);
    }
}

fn reading(search: &str, value: &Value) -> (String, Vec<String>, String) {
    let bound = sosl::bind(search, &Map::from_iter([("x".to_owned(), value.clone())])).unwrap();
    sosl_reading(&bound).unwrap_or_else(|mistake| panic!("{mistake}: {bound}"))
}

proptest! {
    /// DevOrg reads what was bound: the search keeps its form, and its texts are the words that were given.
    #[test]
    fn no_text_can_leave_its_search_term(
        value in "[?&|!{}()\\[\\]^~*:\\\\\"'+a \n\t\\-\\PC]{0,20}(and|OR|x1|Not) ?[}{\\\\\"*?:'a \\PC]{0,20}"
    ) {
        const SEARCH: &str = "FIND {\"pp\" AND :x} RETURNING Account(Id WHERE Name = ':x')";
        let words: Vec<&str> =
            value.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).collect();
        let (skeleton, texts, rest) = reading(SEARCH, &json!(value));
        let form = match words.len() {
            1 => "? And ?".to_owned(),
            count => format!("? And Open ?{} Close", " And ?".repeat(count - 1)),
        };
        prop_assert_eq!((skeleton, &*rest), (form, " RETURNING Account(Id WHERE Name = ':x')"));
        prop_assert_eq!(&texts[1..], words);

        let (skeleton, texts, _) = reading("FIND {pp OR :x}", &json!({"phrase": value}));
        let phrase = value.split_whitespace().collect::<Vec<_>>().join(" ");
        prop_assert_eq!((skeleton.as_str(), &texts[1]), ("? Or ?", &phrase));
    }
}
