//! The examples as a newcomer finds them: deployed as they are, run by a worker with the default job type.

use std::path::{Path, PathBuf};

use salesforce_connector_dev::org::{Fault, FaultRule};
use serde_json::{Value, json};

use crate::{House, recipes::RECIPES};

/// The processes in `examples/` that are no recipes, by their ids, which are the names of their files too.
const EXAMPLES: [&str; 6] = [
    "create-and-read-account",
    "create-once",
    "duplicate-contact",
    "expressions",
    "query-contacts",
    "upsert-account",
];

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let entries = std::fs::read_dir(folder).expect("there are examples");
    let paths = entries.map(|entry| entry.expect("a directory entry").path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|kind| kind == "bpmn")).collect();
    files.sort();
    files
}

/// One test, because two with the same job type would take each other's jobs.
#[tokio::test]
async fn every_example_runs_as_it_is() {
    let mut house = House::with_default_job_type().await;
    let mut deployed = Vec::new();
    let is_recipe =
        |file: &PathBuf| file.file_stem().is_some_and(|name| RECIPES.iter().any(|own| name == *own));
    let (recipes, files): (Vec<_>, Vec<_>) = files().into_iter().partition(is_recipe);
    assert_eq!(recipes.len(), RECIPES.len(), "each recipe is there");
    for file in files {
        let processes = house.engine.deploy(&file).await.unwrap_or_else(|error| panic!("{file:?}: {error}"));
        deployed.extend(processes.into_iter().map(|process| process.bpmn_process_id));
    }
    assert_eq!(deployed, EXAMPLES, "each example is deployed here, and run below");
    let _worker = house.worker();

    an_account_is_created_and_read(&mut house).await;
    a_duplicate_contact_is_caught(&mut house).await;
    contacts_are_queried(&mut house).await;
    an_account_is_upserted(&mut house).await;
    expressions_map_the_answer_and_throw_an_error(&mut house).await;
    an_account_is_created_once_though_its_answer_is_lost(&mut house).await;
    assert_eq!(house.org.counters().tokens_issued, 1, "one login for all");
}

async fn run(house: &mut House, process_id: &str, variables: Value) -> Value {
    let running = house.start_of(process_id, variables);
    house.finish(running).await
}

async fn an_account_is_created_and_read(house: &mut House) {
    let variables =
        run(house, "create-and-read-account", json!({ "accountName": "Analytical Engines" })).await;
    let accounts = house.org.records("Account");
    assert_eq!(accounts.len(), 1);
    assert_eq!(variables["accountId"], accounts[0]["Id"]);
    assert_eq!(variables["account"]["Id"], accounts[0]["Id"]);
    assert_eq!(variables["account"]["Name"], "Analytical Engines");
    assert_eq!(variables["account"]["Industry"], "Energy");
    assert_eq!(variables.get("salesforceRequest"), None, "the input stays in the task");
}

async fn a_duplicate_contact_is_caught(house: &mut House) {
    let start = json!({ "contactKey": "customer/4711", "lastName": "Lovelace" });
    let created = run(house, "duplicate-contact", start.clone()).await;
    assert_eq!(created["contactId"], house.org.records("Contact")[0]["Id"]);
    assert_eq!(created.get("error"), None);

    let caught = run(house, "duplicate-contact", start).await;
    assert_eq!(caught["error"]["code"], "DUPLICATE_VALUE", "{caught}");
    assert_eq!(caught.get("contactId"), None);
    assert_eq!(house.org.records("Contact").len(), 1);
}

async fn contacts_are_queried(house: &mut House) {
    house.org.insert("Contact", json!({ "LastName": "Babbage" })).expect("the contact is valid");
    let variables = run(house, "query-contacts", json!({})).await;
    let names: Vec<&Value> =
        variables["contacts"].as_array().expect("a list").iter().map(|one| &one["Name"]).collect();
    assert_eq!(names, ["Babbage", "Lovelace"]);
}

async fn an_account_is_upserted(house: &mut House) {
    let upsert = async |house: &mut House, name: &str| {
        run(house, "upsert-account", json!({ "customerNumber": "4711", "customerName": name })).await
    };
    let first = upsert(house, "Acme").await;
    let second = upsert(house, "Acme Corporation").await;
    assert_eq!(first["accountId"], second["accountId"]);
    let accounts = house.org.records("Account");
    let names: Vec<&Value> =
        accounts.iter().filter(|one| one["Id"] == first["accountId"]).map(|one| &one["Name"]).collect();
    assert_eq!(names, ["Acme Corporation"]);
    assert_eq!(accounts.len(), 2, "this one and the one that was created above");
}

async fn expressions_map_the_answer_and_throw_an_error(house: &mut House) {
    let start = json!({ "contactKey": "customer/4712", "lastName": "Somerville" });
    let created = run(house, "expressions", start.clone()).await;
    let contacts = house.org.records("Contact");
    let contact = contacts.iter().find(|one| one["LastName"] == "Somerville").expect("it was created");
    assert_eq!((&created["contactId"], &created["status"]), (&contact["Id"], &json!(201)));

    let caught = run(house, "expressions", start).await;
    assert!(caught["reason"].as_str().is_some_and(|text| text.contains("External_Key__c")), "{caught}");
    assert_eq!(caught.get("status"), None, "it is not mapped out of the boundary event: {caught}");
    assert_eq!(caught.get("contactId"), None);
    assert_eq!(house.org.records("Contact").len(), contacts.len());
}

async fn an_account_is_created_once_though_its_answer_is_lost(house: &mut House) {
    house.org.faults().add(FaultRule::new(Fault::CloseAfter).method("PATCH").path("/sobjects/Account"));
    let variables = run(house, "create-once", json!({ "customerName": "Globex" })).await;
    let accounts = house.org.records("Account");
    let ids: Vec<&Value> =
        accounts.iter().filter(|one| one["Name"] == "Globex").map(|one| &one["Id"]).collect();
    assert_eq!(ids, [&variables["accountId"]]);
}
