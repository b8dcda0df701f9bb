//! The recipes of docs/recipes/: each process as it is but for its job type, in an org of its own that is set up as
//! `examples/org.json` says. Users decide through the engine's own API; what counts is what stands in the org afterwards.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{House, house::http};

/// The processes of `examples/` that have a page in `docs/recipes/`.
pub(crate) const RECIPES: [&str; 7] = [
    "case-with-comment-and-file",
    "contact-and-case",
    "discount-approval",
    "duplicate-decision",
    "escalate-and-wait",
    "lead-conversion",
    "nightly-sync",
];

/// Records of `examples/org.json`.
const QUEUE: &str = "00GDv0000000017MAA";
const ADA: &str = "003Dv0000000017IAA";
const CASE: &str = "500Dv0000000017IAA";
const OPPORTUNITY: &str = "006Dv0000000017IAA";
const LEAD: &str = "00QDv0000000017MAA";

/// How long a message waits for the instance that it is meant for.
const MESSAGE: Duration = Duration::from_mins(1);

/// What the live records of an object have in a field.
fn column(house: &House, object: &str, field: &str) -> Vec<Value> {
    house.org.records(object).into_iter().map(|mut record| record[field].take()).collect()
}

fn record(house: &House, object: &str, id: &Value) -> Value {
    let found = house.org.records(object).into_iter().find(|record| record["Id"] == *id);
    found.unwrap_or_else(|| panic!("no {object} {id}"))
}

#[tokio::test]
async fn a_case_is_there_with_comment_and_file_or_not_at_all() {
    let mut house = House::of_recipe("case-with-comment-and-file").await;
    let _worker = house.worker();
    let start = json!({ "subject": "Broken", "comment": "It smokes.", "fileName": "smoke.txt", "fileContent": "4piB" });
    let case = house.run(start.clone()).await["caseId"].clone();
    assert_eq!(record(&house, "Case", &case)["Subject"], "Broken");
    let comments = house.org.records("CaseComment");
    assert_eq!(
        (comments.len(), &comments[0]["ParentId"], &comments[0]["CommentBody"]),
        (1, &case, &json!("It smokes."))
    );
    assert!(column(&house, "ContentDocumentLink", "LinkedEntityId").contains(&case));
    let version = house.org.records("ContentVersion").remove(0);
    assert_eq!(version["Title"], "smoke");
    let content = house.org.file(version["Id"].as_str().expect("an id"));
    assert_eq!(content.expect("the file has content"), "☁".as_bytes());

    let mut refused = start;
    refused["comment"] = "x".repeat(4001).into();
    let before = (house.org.records("Case").len(), house.org.records("ContentVersion").len());
    let variables = house.run(refused).await;
    let codes: Vec<&Value> =
        variables["refusals"].as_array().expect("a list").iter().map(|one| &one["errorCode"]).collect();
    assert!(codes.contains(&&json!("STRING_TOO_LONG")), "{variables}");
    assert_eq!(variables.get("caseId"), None);
    let after = (house.org.records("Case").len(), house.org.records("ContentVersion").len());
    assert_eq!(before, after, "nothing of it stays");
}

#[tokio::test]
async fn a_contact_is_found_again_and_the_case_goes_to_whom_the_rule_names() {
    let mut house = House::of_recipe("contact-and-case").await;
    let _worker = house.worker();
    let start = |name: &str, enquiry: &str, origin: &str| json!({ "customerNumber": "C-1", "lastName": name, "enquiryId": enquiry, "subject": "Question", "origin": origin });
    let first = house.run(start("Byron", "E-1", "Phone")).await;
    assert_eq!(first["ownerId"], QUEUE);
    assert_eq!(record(&house, "Case", &first["caseId"])["OwnerId"], QUEUE);
    assert_eq!(record(&house, "Case", &first["caseId"])["ContactId"], first["contactId"]);

    let again = house.run(start("Lovelace", "E-1", "Phone")).await;
    assert_eq!((&again["contactId"], &again["caseId"]), (&first["contactId"], &first["caseId"]));
    assert_eq!(record(&house, "Contact", &first["contactId"])["LastName"], "Lovelace");

    let by_mail = house.run(start("Lovelace", "E-2", "Email")).await;
    assert_ne!(by_mail["caseId"], first["caseId"]);
    assert_ne!(by_mail["ownerId"], QUEUE, "no entry of the rule fits");
    assert_eq!((house.org.records("Contact").len(), house.org.records("Case").len()), (2, 3));
}

#[tokio::test]
async fn a_user_decides_what_becomes_of_a_duplicate() {
    let mut house = House::of_recipe("duplicate-decision").await;
    let _worker = house.worker();
    let start = json!({ "firstName": "Ada", "lastName": "Lovelace", "email": "ADA@example.com" });
    let running = house.start(start.clone());
    house.complete_user_task(&json!({ "decision": "same", "contactId": ADA })).await;
    let variables = house.finish(running).await;
    assert_eq!(variables["duplicates"][0]["id"], ADA);
    assert_eq!(variables["duplicates"][0]["record"]["LastName"], "King", "{variables}");
    assert_eq!(column(&house, "Contact", "LastName"), ["Lovelace"]);

    let running = house.start(start.clone());
    house.complete_user_task(&json!({ "decision": "other" })).await;
    let variables = house.finish(running).await;
    assert_eq!(column(&house, "Contact", "Id"), [json!(ADA), variables["contactId"].clone()]);

    let mut other = start;
    other["email"] = "mary@example.com".into();
    let variables = house.run(other).await;
    assert_eq!(variables.get("duplicates"), None, "nobody is asked");
    assert_eq!(house.org.records("Contact").len(), 3);
}

#[tokio::test]
async fn a_case_is_escalated_at_its_pace_until_it_is_closed() {
    let mut house = House::of_recipe("escalate-and-wait").await;
    let _worker = house.worker();
    let running = house.start(json!({ "caseId": CASE, "pace": "R2/PT0.2S" }));
    house.records.passed("EndEscalated", 2).await;
    let case = record(&house, "Case", &json!(CASE));
    assert_eq!((&case["IsEscalated"], &case["Priority"]), (&json!(true), &json!("High")));
    let tasks = house.org.records("Task");
    assert_eq!(tasks.len(), 2);
    assert_eq!((&tasks[0]["WhatId"], &tasks[0]["OwnerId"]), (&json!(CASE), &case["OwnerId"]));

    house.engine.publish("case-closed", CASE, &json!({}), MESSAGE).await.expect("it is taken");
    let outcome = house.finish(running).await["outcome"].clone();
    assert_eq!(outcome["Status"], case["Status"]);
}

#[tokio::test]
async fn the_decision_about_a_discount_stands_in_salesforce_whoever_made_it() {
    let mut house = House::of_recipe("discount-approval").await;
    let _worker = house.worker();
    let start = json!({ "opportunityId": OPPORTUNITY, "reason": "Forty at once" });
    for (granted, status) in [(true, "Approved"), (false, "Rejected")] {
        let running = house.start(start.clone());
        house.complete_user_task(&json!({ "granted": granted, "comments": "So be it" })).await;
        assert_eq!(house.finish(running).await["approvalStatus"], status);
        assert_eq!(column(&house, "ProcessInstance", "Status").pop(), Some(status.into()));
        assert_eq!(column(&house, "ProcessInstanceStep", "Comments").pop(), Some("So be it".into()));
    }
    for granted in [true, false] {
        let running = house.start(start.clone());
        let task = house.user_task().await;
        approve_in_salesforce(&house).await;
        house.complete(&task, &json!({ "granted": granted })).await;
        assert_eq!(house.finish(running).await["approvalStatus"], "Approved", "it was decided there");
    }
    assert_eq!(column(&house, "ProcessInstance", "Status"), ["Approved", "Rejected", "Approved", "Approved"]);
}

/// Somebody approves what waits, in Salesforce itself.
async fn approve_in_salesforce(house: &House) {
    let waiting = column(house, "ProcessInstanceWorkitem", "Id").pop().expect("something waits");
    let (client, url) = (http(), house.org.base_url());
    let login =
        [("grant_type", "client_credentials"), ("client_id", "dev-client"), ("client_secret", "dev-secret")];
    let answer = client.post(format!("{url}/services/oauth2/token")).form(&login).send().await;
    let token: Value = answer.expect("a login").json().await.expect("a token");
    let requests = json!({ "requests": [{ "actionType": "Approve", "contextId": waiting }] });
    let answer = client
        .post(format!("{url}/services/data/v67.0/process/approvals"))
        .bearer_auth(token["access_token"].as_str().expect("a token"))
        .json(&requests)
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn customers_are_saved_in_bulk_and_refusals_are_told() {
    let mut house = House::of_recipe("nightly-sync").await;
    let _worker = house.worker();
    let customer = |number: &str, name: Option<&str>| json!({ "number": number, "name": name, "phone": "5" });
    let customers = [customer("C-1", Some("Acme")), customer("C-2", None), customer("C-3", Some("Zenith"))];
    let variables = house.run(json!({ "customers": customers })).await;
    assert_eq!((&variables["total"], &variables["refused"]), (&json!(3), &json!(1)));
    assert_eq!(column(&house, "Account", "Name"), ["Acme", "Zenith"]);
    let task = record(&house, "Task", &variables["taskId"]);
    assert_eq!(task["Subject"], "1 of 3 customers were refused");
    assert!(task["Description"].as_str().is_some_and(|text| text.starts_with("C-2: ")), "{task}");

    let customers = [customer("C-1", Some("Acme Corporation")), customer("C-2", Some("Mills"))];
    let variables = house.run(json!({ "customers": customers })).await;
    assert_eq!((&variables["refused"], variables.get("taskId")), (&json!(0), None));
    assert_eq!(column(&house, "Account", "Name"), ["Acme Corporation", "Zenith", "Mills"]);

    let variables = house.run(json!({})).await;
    assert_eq!(variables["total"], 0, "as in a night without customers");
    assert_eq!(house.org.bulk().list().len(), 2, "an empty list begins no bulk job");
}

#[tokio::test]
async fn a_lead_is_converted_or_left_to_a_user() {
    let mut house = House::of_recipe("lead-conversion").await;
    let _worker = house.worker();
    let start = json!({ "leadId": LEAD, "opportunityName": "Forty engines" });
    let variables = house.run(start.clone()).await;
    let lead = record(&house, "Lead", &json!(LEAD));
    assert_eq!(lead["IsConverted"], true);
    assert_eq!(lead["ConvertedContactId"], variables["contactId"]);
    assert_eq!(record(&house, "Account", &variables["accountId"])["Name"], "Connexion Ltd");
    assert_eq!(record(&house, "Contact", &variables["contactId"])["LastName"], "Somerville");
    assert_eq!(record(&house, "Opportunity", &variables["opportunityId"])["Name"], "Forty engines");

    let running = house.start(start);
    house.complete_user_task(&json!({})).await;
    let variables = house.finish(running).await;
    let reason = variables["reason"].as_str().expect("a text");
    assert!(reason.contains("CANNOT_UPDATE_CONVERTED_LEAD"), "{reason}");
    assert_eq!(house.org.records("Contact").len(), 2, "nothing was made a second time");
}
