//! Tasks with templates that were made from an org, as Modeler's engine writes them (`tests/template/org.mjs`): the fields of a
//! record are set one by one.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{House, ServiceTask};

#[derive(Deserialize)]
struct Task {
    inputs: Map<String, Value>,
    headers: BTreeMap<String, String>,
}

fn task(name: &str) -> ServiceTask {
    let tasks: BTreeMap<String, Task> =
        serde_json::from_str(include_str!("../template/org-tasks.json")).expect("the tasks are JSON");
    let Task { inputs, headers } = &tasks[name];
    let task = inputs.iter().fold(ServiceTask::bare(), |task, (target, source)| {
        task.input(target, source.as_str().expect("a source is text"))
    });
    headers.iter().fold(task, |task, (key, value)| task.header(key, value))
}

/// What a record has beside what the org gives it by itself.
fn set(record: &Value) -> Value {
    let by_itself = [
        "Id",
        "IsDeleted",
        "OwnerId",
        "SystemModstamp",
        "CleanStatus",
        "IsPartner",
        "IsCustomerPortal",
        "PhotoUrl",
        "CaseNumber",
    ];
    let is_set = |(name, value): &(&String, &Value)| {
        !value.is_null()
            && !by_itself.contains(&name.as_str())
            && !name.starts_with("Created")
            && !name.starts_with("LastModified")
            && !name.ends_with("Address")
    };
    let fields = record.as_object().expect("a record is an object").iter().filter(is_set);
    fields.map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[tokio::test]
async fn a_record_gets_exactly_the_fields_that_were_set() {
    let mut house = House::open("org-create").await;
    house.deploy(&task("create")).await;
    let _worker = house.worker();

    let variables = house.run(json!({ "phone": "+41 44 1", "fax": null, "revenue": 1250.5 })).await;

    let accounts = house.org.records("Account");
    assert_eq!((accounts.len(), &accounts[0]["Id"]), (1, &variables["accountId"]));
    let expected = json!({ "Name": "Acme & Söhne", "Phone": "+41 44 1", "NumberOfEmployees": 5, "AnnualRevenue": 1250.5,
        "Industry": "Energy", "BillingCity": "Zürich", "Website": "https://acme.example" });
    assert_eq!(set(&accounts[0]), expected);
}

/// What DevOrg lacks of the recorded orgs.
fn seed() -> Value {
    let field = |name: &str, kind: &str| json!({ "name": name, "type": kind, "length": 80 });
    let event = [
        field("Id", "id"),
        field("Subject", "string"),
        field("StartDateTime", "datetime"),
        field("EndDateTime", "datetime"),
        field("Location", "string"),
        field("IsAllDayEvent", "boolean"),
    ];
    let person = [
        field("FirstName", "string"),
        field("LastName", "string"),
        field("PersonBirthdate", "date"),
        field("PersonEmail", "email"),
        field("PersonDoNotCall", "boolean"),
    ];
    json!({
        "objects": [{ "name": "Event", "keyPrefix": "00U", "fields": event }],
        "fields": { "Account": person }
    })
}

#[tokio::test]
async fn a_record_of_every_recorded_object_is_created_from_fields_that_were_set_one_by_one() {
    let variables = json!({ "subject": "Broken", "first": "Ada", "company": "Analytical Engines", "employees": 2,
        "close": "2030-06-30", "amount": 90000, "end": "2026-11-28T11:00:00Z" });
    for (name, object, expected) in [
        (
            "case",
            "Case",
            json!({ "Subject": "Broken", "Priority": "High", "Origin": "Phone", "Description": "two\nlines",
                "SuppliedEmail": "ada@example.com", "IsEscalated": true }),
        ),
        (
            "contact",
            "Contact",
            json!({ "LastName": "King", "FirstName": "Ada", "Birthdate": "1815-12-10", "Phone": "+44 20 1",
                "LeadSource": "Web", "MailingCity": "London" }),
        ),
        (
            "lead",
            "Lead",
            json!({ "LastName": "Babbage", "Company": "Analytical Engines", "Status": "Working - Contacted",
                "AnnualRevenue": 1250.5, "NumberOfEmployees": 2 }),
        ),
        (
            "opportunity",
            "Opportunity",
            json!({ "Name": "Engines", "StageName": "Prospecting", "CloseDate": "2030-06-30", "Amount": 90000,
                "Probability": 12.5, "NextStep": "Call" }),
        ),
        (
            "event",
            "Event",
            json!({ "Subject": "Meeting", "StartDateTime": "2026-11-28T10:00:00.000+0000",
                "EndDateTime": "2026-11-28T11:00:00.000+0000", "Location": "\"Room 1\"", "IsAllDayEvent": false }),
        ),
        (
            // DevOrg has no person accounts: its accounts need a name.
            "person",
            "Account",
            json!({ "Name": "Ada King", "FirstName": "Ada", "LastName": "King", "PersonBirthdate": "1815-12-10",
                "PersonEmail": "ada@example.com", "PersonDoNotCall": true }),
        ),
    ] {
        let mut house = House::with_seed(&format!("org-{name}"), seed()).await;
        house.deploy(&task(name)).await;
        let _worker = house.worker();

        house.run(variables.clone()).await;

        // The same record, made without the engine and the worker.
        let twin = house.org.insert(object, expected).expect("the record is valid");
        let records = house.org.records(object);
        let (twins, made): (Vec<_>, Vec<_>) = records.iter().partition(|record| record["Id"] == twin);
        assert_eq!((made.len(), set(made[0])), (1, set(twins[0])), "{name}");
    }
}

#[tokio::test]
async fn an_update_changes_what_was_set_leaves_what_is_absent_and_empties_what_is_null_in_further_fields() {
    let mut house = House::open("org-update").await;
    let before = json!({ "Name": "Acme", "Phone": "1", "BillingCity": "Bern", "Rating": "Cold" });
    let account = house.org.insert("Account", before).expect("the account is valid");
    house.deploy(&task("update")).await;
    let _worker = house.worker();

    house.run(json!({ "accountId": account, "city": null })).await;

    let expected = json!({ "Name": "Acme", "BillingCity": "Bern", "Rating": "Hot" });
    assert_eq!(set(&house.org.records("Account")[0]), expected);
}

#[tokio::test]
async fn a_record_is_read_into_a_variable_by_the_expression_that_the_template_brings() {
    let mut house = House::open("org-get").await;
    let fields = json!({ "Name": "Acme", "Phone": "1", "Rating": "Hot" });
    let account = house.org.insert("Account", fields).expect("the account is valid");
    house.deploy(&task("get")).await;
    let _worker = house.worker();

    let variables = house.run(json!({ "accountId": account })).await;

    let read = &variables["account"];
    assert_eq!(
        (&read["Id"], &read["Name"], &read["Rating"]),
        (&json!(account), &json!("Acme"), &json!("Hot"))
    );
    assert_eq!(
        (read["BillingCity"].clone(), read["Fax"].clone()),
        (Value::Null, Value::Null),
        "null, or not read"
    );
}

#[tokio::test]
async fn an_upsert_by_the_orgs_own_external_id_creates_and_then_updates() {
    let mut house = House::open("org-upsert").await;
    house.deploy(&task("upsert")).await;
    let _worker = house.worker();

    let first = house.run(json!({ "key": "k-1", "name": "Acme" })).await;
    let second = house.run(json!({ "key": "k-1", "name": "Acme Corporation" })).await;

    assert_eq!((&first["saved"]["created"], &second["saved"]["created"]), (&json!(true), &json!(false)));
    let accounts = house.org.records("Account");
    assert_eq!((accounts.len(), &accounts[0]["Name"]), (1, &json!("Acme Corporation")));
}

#[tokio::test]
async fn a_field_that_is_set_twice_is_an_incident_before_anything_is_sent() {
    let mut house = House::open("org-twice").await;
    house.deploy(&task("twice")).await;
    let _worker = house.worker();

    let instance = house.create(&json!({})).await;

    let incident = house.records.incident(instance).await;
    let message = incident.text("errorMessage");
    assert!(
        message
            .contains("salesforceRequest.operation.body.name: expected no field that is given in fields too"),
        "{message}"
    );
    assert_eq!(house.org.requests().len(), 0);
}
