//! The list and its operations, compared with each other.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::salesforce::{CallClass, Path, Request};

/// The mistake in an operation's fields.
pub(super) fn mistake(name: &str, fields: Value) -> String {
    let Value::Object(fields) = fields else { panic!("not an object") };
    Operation::parse(name, &fields).unwrap_err().to_string()
}

/// A value that a field of this name and kind accepts.
fn sample(input: &Input) -> Value {
    match (input.kind.plain(), input.name) {
        // Its name is that of the file.
        (_, "content") => {
            json!({"camunda.document.type": "camunda", "documentId": "d", "metadata": {"fileName": "a"}})
        }
        // Not together with the record that a new file is linked to.
        (_, "contentDocumentId") if !input.required => Value::Null,
        (_, "contentDocumentId" | "fileId") => json!("069D00000000so2IAA"),
        (_, "firstPublishLocationId" | "linkedEntityId") => json!("500D000000IRFmaIAH"),
        (_, "parameters") => json!({}),
        (_, "reportId") => json!("00O000000000001EAA"),
        (_, "article") => json!("how-to"),
        (_, "language") => json!("en-US"),
        (_, "start") => json!("2026-11-22T10:00:00Z"),
        (_, "end") => json!("2026-11-22T11:00:00Z"),
        (_, "soslQuery") => json!("FIND {Acme}"),
        (_, "rules") => json!({"assignmentRule": "FALSE", "duplicateRule": "allowSave"}),
        (_, "ifUnmodifiedSince") => json!("2026-11-22T10:00:00.000+0000"),
        (_, "nextRecordsUrl") => json!("/services/data/v67.0/query/01gD0000002HU6KIAW-2000"),
        (_, "class") => json!("read"),
        (_, "contentType") => json!("text/csv"),
        (_, "headers") => json!({"X-Reason": "test"}),
        (_, "objectId" | "bulkJobId" | "assignmentRuleId") => json!("001D000000IRFmaIAH"),
        (_, "objectIds") => json!(["001D000000IRFmaIAH"]),
        (_, "graphs") => {
            json!([{"compositeRequest": [{"method": "POST", "url": "/sobjects/Account", "body": {"Name": "Acme"}}]}])
        }
        (_, "compositeRequest" | "batchRequests") => {
            json!([{"method": "POST", "url": "/sobjects/Account", "body": {"Name": "Acme"}}])
        }
        (_, "records") => {
            json!([{"attributes": {"type": "Name"}, "Id": "001D000000IRFmaIAH", "Name": "Acme"}])
        }
        (_, "query") => json!("query Name { uiapi { a } }"),
        (_, "eventName") => json!("Order_Event__e"),
        (_, "workItemId") => json!("04iD0000000Cw6SIAS"),
        (_, "approverId" | "contextActorId") => json!("005D00000015rY9IAI"),
        (_, "nextApproverIds") => json!(["005D00000015rY9IAI"]),
        (_, "actionName") => json!("emailSimple"),
        (InputKind::Text { .. } | InputKind::LongText, _) => json!("Name"),
        (InputKind::Context, _) => json!({"Phone": "5"}),
        (InputKind::Fields { .. }, _) => json!({"Fax": "6"}),
        (InputKind::List, _) => json!([{"Phone": "5"}]),
        (InputKind::Value, _) => json!("5"),
        (InputKind::Choice { choices }, _) => json!(choices[0].0),
        (InputKind::Boolean { default }, _) => json!(!default),
        (InputKind::Integer { min }, _) => json!(min),
        (InputKind::Dependent { .. }, _) => unreachable!("it is plain"),
    }
}

fn filled<'a>(inputs: impl Iterator<Item = &'a Input>) -> Map<String, Value> {
    let inputs: Vec<_> = inputs.collect();
    let mut filled: Map<_, _> = inputs.iter().map(|input| (input.name.to_owned(), sample(input))).collect();
    let deciding = inputs.iter().filter_map(|input| input.kind.depends_on());
    filled.extend(deciding.map(|(name, value)| (name.to_owned(), json!(value))));
    filled
}

#[test]
fn each_operation_reads_exactly_the_fields_that_its_descriptor_shows() {
    for descriptor in ALL {
        let all = filled(descriptor.inputs.iter());
        let operation = Operation::parse(descriptor.name, &all).unwrap();
        assert_eq!(operation.descriptor().name, descriptor.name);

        let required = filled(descriptor.inputs.iter().filter(|input| input.required));
        Operation::parse(descriptor.name, &required).unwrap();
        let general = filled(descriptor.inputs.iter().filter(|input| input.kind.is_general()));
        for name in required.keys() {
            let mut others = general.clone();
            others.remove(name);
            let message = mistake(descriptor.name, Value::Object(others));
            assert!(message.starts_with(&format!("{name}: expected ")), "{message}");
            assert!(message.ends_with(", found nothing"), "{message}");
        }

        let mut more = all;
        more.insert("surprise".to_owned(), json!(1));
        let names: Vec<_> = descriptor.inputs.iter().map(|input| input.name).collect();
        let message = mistake(descriptor.name, Value::Object(more));
        let (shown, _) = message.split_once(", found \"surprise\"").unwrap();
        for name in names {
            assert!(shown.contains(name), "{message}");
        }
    }
}

#[test]
fn each_operation_sends_a_request_of_the_class_that_its_descriptor_names() {
    for descriptor in ALL {
        let class = |inputs: Map<String, Value>| {
            Operation::parse(descriptor.name, &inputs).unwrap().request().unwrap().class
        };
        let required = descriptor.inputs.iter().filter(|input| input.required);
        if descriptor.calls.starts_with("two, `GET /sobjects/") {
            // It looks the record up first.
            assert_eq!(class(filled(required)), CallClass::Read, "{}", descriptor.name);
            continue;
        }
        assert_eq!(class(filled(required)), descriptor.class, "{}", descriptor.name);
        let class_of_all = descriptor.class_with.map_or(descriptor.class, |(_, class)| class);
        assert_eq!(class(filled(descriptor.inputs.iter())), class_of_all, "{}", descriptor.name);
        if let Some((field, safer)) = descriptor.class_with {
            let needed = descriptor.inputs.iter().filter(|input| input.required || input.name == field);
            let mut needed = filled(needed);
            if descriptor.inputs.iter().any(|input| input.name == "externalId") {
                needed.insert("externalId".to_owned(), json!("A-1"));
            }
            assert_eq!(class(needed), safer, "{}", descriptor.name);
        }
    }
}

#[test]
fn blank_texts_and_nulls_count_as_not_there() {
    let fields =
        json!({"type": "query", "soqlQuery": "SELECT Id FROM Account", "maxRecords": null, "allPages": " "});
    assert!(Operation::parse("query", fields.as_object().unwrap()).is_ok());
    let message = mistake("query", json!({"soqlQuery": " \n"}));
    assert_eq!(message, "soqlQuery: expected a string, found a blank string");
    let message = mistake("createRecord", json!({"objectType": "Account", "body": null}));
    assert_eq!(message, "body: expected an object of names and values, found null");
}

#[test]
fn a_mistyped_name_is_told_rather_than_the_field_that_is_then_missing() {
    let message = mistake("deleteRecord", json!({"objectTyp": "Account", "objectId": "001000000000001AAA"}));
    let expected = "objectTyp: expected one of the fields: objectType, objectId, found \"objectTyp\"; did you mean objectType?";
    assert_eq!(message, expected);
}

#[test]
fn a_wrong_value_is_named_with_what_was_expected() {
    let account = |id: Value| json!({"objectType": "Account", "objectId": id});
    for (name, fields, message) in [
        (
            "deleteRecord",
            account(json!("001")),
            "objectId: expected a record id of 15 or 18 letters and digits, found the string \"001\"",
        ),
        (
            "deleteRecord",
            account(json!("001D000000IRFmaIAX")),
            "objectId: expected a record id whose last three characters are its checksum, found the string \
             \"001D000000IRFmaIAX\"",
        ),
        ("deleteRecord", account(json!(12)), "objectId: expected a string, found the number 12"),
        (
            "createRecord",
            json!({"objectType": "Account/001", "body": {}}),
            "objectType: expected the API name of an object, such as \"Account\" or \"Invoice__c\", found the string \
             \"Account/001\"",
        ),
        (
            "createRecord",
            json!({"objectType": "Account", "body": "{}"}),
            "body: expected an object of field names and values, found the string \"{}\"",
        ),
        (
            "query",
            json!({"soqlQuery": "SELECT", "maxRecords": 0}),
            "maxRecords: expected a whole number from 1, found the number 0",
        ),
        (
            "query",
            json!({"soqlQuery": "SELECT", "maxRecords": "many"}),
            "maxRecords: expected a whole number from 1, found the string \"many\"",
        ),
        (
            "query",
            json!({"soqlQuery": "SELECT", "allPages": "yes"}),
            "allPages: expected true or false, found the string \"yes\"",
        ),
        ("query", json!({"soqlQuery": ["SELECT"]}), "soqlQuery: expected a string, found a list of 1"),
        (
            "createRecord",
            json!({"objecttype": "Account", "objectType": "Account", "body": {}}),
            "objecttype: expected one of the fields: objectType, fields, body, externalIdField, externalId, rules, found \"objecttype\"; did you mean objectType?",
        ),
    ] {
        assert_eq!(mistake(name, fields), message);
    }
}

#[test]
fn a_form_field_without_feel_gives_text_which_is_understood() {
    for max in [json!(5), json!("5"), json!(5.0), json!(" 5 ")] {
        let fields = json!({"soqlQuery": "SELECT", "maxRecords": max, "allPages": "true"});
        let operation = Operation::parse("query", fields.as_object().unwrap()).unwrap();
        let shown = format!("{operation:?}");
        assert!(shown.contains("all_pages: true, max_records: Some(5)"), "{shown}");
    }
}

#[test]
fn an_unknown_operation_is_answered_with_those_there_are() {
    let known = ALL.iter().map(|operation| operation.name).collect::<Vec<_>>().join(", ");
    let message = mistake("createrecord", json!({}));
    assert_eq!(
        message,
        format!(
            "type: expected one of the operations: {known}, found \"createrecord\"; did you mean createRecord?"
        )
    );
    let message = mistake("frobnicate", json!({}));
    assert_eq!(message, format!("type: expected one of the operations: {known}, found \"frobnicate\""));
}

#[test]
fn values_of_a_body_keep_their_exact_form() {
    let body: Value =
        serde_json::from_str(r#"{"Amount": 12345678901234567890.10, "Phone": null, "x": ""}"#).unwrap();
    let fields = json!({"objectType": "Opportunity", "body": body});
    let Operation::CreateRecord(operation) =
        Operation::parse("createRecord", fields.as_object().unwrap()).unwrap()
    else {
        panic!("another operation");
    };
    let shown = format!("{operation:?}");
    assert!(shown.contains("12345678901234567890.10"), "{shown}");
    assert!(shown.contains("\"Phone\": Null") && shown.contains("\"x\": String(\"\")"), "{shown}");
}

/// Fields that are addresses by nature: where they lead is held by tests of their own.
const ADDRESSES: &[&str] = &["nextRecordsUrl", "path", "url"];

/// Where a request goes, without the values in it.
fn shape(request: &Request) -> (String, usize, bool, Vec<String>) {
    let (Path::Versioned(path) | Path::Absolute(path)) = &request.path;
    let leaves =
        path.contains(['?', '#', '\\', ' ']) || path.split('/').any(|part| matches!(part, "." | ".."));
    let names = request.query.iter().map(|(name, _)| name.clone()).collect();
    (request.method.to_string(), path.split('/').count(), leaves, names)
}

proptest! {
    #[test]
    fn no_text_in_a_field_changes_where_a_request_goes(text in "[./%?#;\\\\&=:'@{}a-c é\\PC]{1,40}") {
        for descriptor in ALL {
            let all = filled(descriptor.inputs.iter());
            let plain = Operation::parse(descriptor.name, &all).unwrap().request().unwrap();
            let is_text = |input: &&Input| matches!(input.kind, InputKind::Text { .. } | InputKind::LongText);
            let texts = descriptor.inputs.iter().filter(is_text);
            for input in texts.filter(|input| !ADDRESSES.contains(&input.name) && !text.trim().is_empty()) {
                let mut other = all.clone();
                other.insert(input.name.to_owned(), json!(text));
                let Ok(operation) = Operation::parse(descriptor.name, &other) else { continue };
                let Ok(request) = operation.request() else { continue };
                prop_assert_eq!(shape(&request), shape(&plain), "{} {}", descriptor.name, input.name);
            }
        }
    }
}
