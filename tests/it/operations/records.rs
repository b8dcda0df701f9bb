use salesforce_connector::zeebe::{JobHandler, Outcome};
use salesforce_connector_dev::org::{DevOrg, Fault};
use serde_json::{Value, json};

use crate::handler::{Bench, code, create, job};

fn create_once(name: &str) -> Value {
    let mut operation = create(name);
    operation["externalIdField"] = json!("External_Key__c");
    operation
}

#[tokio::test]
async fn a_create_once_whose_answer_was_lost_makes_one_record() {
    let bench = Bench::start().await;
    bench.strike("PATCH", "/sobjects/Account", Fault::CloseAfter);
    let body = bench.result(create_once("Acme"), "body").await;
    assert_eq!(
        (&body["success"], &body["created"]),
        (&json!(true), &json!(false)),
        "the second try found it"
    );
    let records = bench.org.records("Account");
    assert_eq!(records.len(), 1);
    assert_eq!((&records[0]["External_Key__c"], &records[0]["Id"]), (&json!("2-4"), &body["id"]));
}

#[tokio::test]
async fn a_job_that_comes_again_finds_its_record_and_the_next_round_makes_another() {
    let bench = Bench::start().await;
    let request = json!({"connection": {"name": "dev"}, "operation": create_once("Acme")});
    let mut job =
        job(request, &[("resultVariable", "created"), ("resultExpression", "={created: body.created}")]);
    for (element_instance, created) in [(4, true), (4, false), (5, true)] {
        job.element_instance_key = element_instance;
        let Outcome::Complete { variables } = bench.connector.handle(&job).await else { panic!("not done") };
        assert_eq!(variables["created"], created, "{element_instance}");
    }
    assert_eq!(bench.org.records("Account").len(), 2);
}

#[tokio::test]
async fn a_create_once_with_a_key_of_the_process_tells_whether_it_created() {
    let bench = Bench::start().await;
    let mut operation = create_once("Acme");
    operation["externalId"] = json!("a/b?c=d e");
    assert_eq!(bench.result(operation.clone(), "body").await["created"], true);
    assert_eq!(bench.result(operation, "body").await["created"], false);
    assert_eq!(bench.org.records("Account")[0]["External_Key__c"], "a/b?c=d e");
}

#[tokio::test]
async fn a_create_once_by_a_field_that_is_no_external_id_is_refused() {
    let bench = Bench::start().await;
    let mut operation = create("Acme");
    operation["externalIdField"] = json!("Phone");
    let failure = bench.failure(operation, &[]).await;
    assert_eq!((code(&failure), failure.retries), ("NOT_FOUND", 0));
    assert_eq!(bench.org.records("Account").len(), 0);
}

fn contact(email: &str) -> Value {
    json!({"type": "createRecord", "objectType": "Contact", "body": {"LastName": "Lovelace", "Email": email}})
}

async fn bench_with_a_duplicate_rule() -> Bench {
    let seed = json!({
        "duplicateRules": [{"object": "Contact", "fields": ["Email"]}],
        "records": {"Contact": [{"LastName": "Lovelace", "FirstName": "Ada", "Email": "ada@example.com"}]}});
    Bench::start_with(DevOrg::builder().seed(seed).start().await.unwrap(), |_| ())
}

#[tokio::test]
async fn a_duplicate_is_refused_with_the_records_that_match_or_saved_where_the_task_says_so() {
    let bench = bench_with_a_duplicate_rule().await;
    let known = bench.org.records("Contact")[0]["Id"].clone();
    let error = bench.failure(contact("ADA@example.com"), &[]).await.variables["error"].clone();
    assert_eq!((&error["code"], &error["type"]), (&json!("DUPLICATES_DETECTED"), &json!("business")));
    let [duplicate] = &error["duplicates"].as_array().unwrap()[..] else { panic!("{error}") };
    assert_eq!((&duplicate["id"], &duplicate["type"]), (&known, &json!("Contact")));
    assert_eq!(duplicate["record"].get("FirstName"), None);

    let mut told = contact("ada@example.com");
    told["rules"] = json!({"duplicateRule": "includeRecordDetails"});
    let error = bench.failure(told, &[]).await.variables["error"].clone();
    assert_eq!(error["duplicates"][0]["record"]["FirstName"], "Ada");

    let mut saved = contact("ada@example.com");
    saved["rules"] = json!({"duplicateRule": "allowSave"});
    assert_eq!(bench.result(saved, "body").await["success"], true);
    assert_eq!(bench.org.records("Contact").len(), 2);
}

#[tokio::test]
async fn an_assignment_rule_travels_with_every_write() {
    let bench = Bench::start().await;
    let id = bench.org.insert("Account", json!({"Name": "Acme"})).unwrap();
    for mut operation in [
        create("Acme"),
        create_once("Acme"),
        json!({"type": "updateRecord", "objectType": "Account", "objectId": id, "body": {}}),
        json!({"type": "upsertRecord", "objectType": "Account", "externalIdField": "External_Key__c",
               "externalId": "a", "body": {"Name": "Acme"}}),
    ] {
        operation["rules"] = json!({"assignmentRule": false});
        bench.result(operation, "response").await;
        let request = bench.org.requests().pop().unwrap();
        assert_eq!(request.header("sforce-auto-assign").unwrap(), "FALSE");
    }
}

#[tokio::test]
async fn an_update_is_made_only_where_nobody_was_faster() {
    let bench = Bench::start().await;
    let id = bench.org.insert("Account", json!({"Name": "Acme"})).unwrap();
    let read_at = bench.org.records("Account")[0]["LastModifiedDate"].clone();
    let update = |since: &Value, phone: &str| {
        json!({"type": "updateRecord", "objectType": "Account", "objectId": id, "body": {"Phone": phone},
               "ifUnmodifiedSince": since})
    };
    assert_eq!(bench.result(update(&read_at, "1"), "response").await["status"], 204);
    let failure = bench.failure(update(&json!("2020-01-15T08:00:00+01:00"), "2"), &[]).await;
    let error = &failure.variables["error"];
    assert_eq!(error["code"], "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE");
    assert_eq!((&error["type"], &error["status"]), (&json!("business"), &json!(412)));
    assert_eq!(bench.org.records("Account")[0]["Phone"], "1");
    let failure = bench.failure(update(&json!("yesterday"), "3"), &[]).await;
    assert!(
        failure.message.contains("ifUnmodifiedSince: expected a date and time with an offset"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn a_record_is_read_and_deleted_by_its_external_id() {
    let bench = Bench::start().await;
    let id = bench.org.insert("Account", json!({"Name": "Acme", "External_Key__c": "a/b"})).unwrap();
    let by_key = |operation: &str, key: &str| json!({"type": operation, "objectType": "Account", "externalIdField": "External_Key__c", "externalId": key});
    let mut get = by_key("getRecordByExternalId", "a/b");
    get["fields"] = json!(["Name"]);
    assert_eq!(bench.result(get.clone(), "id").await, json!(id));
    let account = bench.result(get, "body").await;
    assert_eq!((&account["Name"], account.get("Phone")), (&json!("Acme"), None));
    assert_eq!(bench.result(by_key("deleteRecordByExternalId", "a/b"), "response").await["status"], 204);
    for operation in ["getRecordByExternalId", "deleteRecordByExternalId"] {
        assert_eq!(code(&bench.failure(by_key(operation, "a/b"), &[]).await), "NOT_FOUND");
    }
    let mut wrong = by_key("getRecordByExternalId", "a");
    wrong["externalIdField"] = json!("Phone");
    assert_eq!(code(&bench.failure(wrong, &[]).await), "NOT_FOUND");
}

#[tokio::test]
async fn a_delete_by_external_id_whose_answer_was_lost_is_done() {
    let bench = Bench::start().await;
    bench.org.insert("Account", json!({"Name": "Acme", "External_Key__c": "a"})).unwrap();
    bench.strike("DELETE", "/sobjects/Account", Fault::CloseAfter);
    let delete = json!({"type": "deleteRecordByExternalId", "objectType": "Account",
                        "externalIdField": "External_Key__c", "externalId": "a"});
    assert_eq!(bench.result(delete, "response").await["status"], 204);
    assert_eq!(bench.org.records("Account").len(), 0);
}

#[tokio::test]
async fn a_locked_update_whose_answer_was_lost_says_that_the_change_may_be_its_own() {
    let bench = Bench::start().await;
    let id = bench
        .org
        .insert("Account", json!({"Name": "Acme", "LastModifiedDate": "2020-01-01T00:00:00Z"}))
        .unwrap();
    bench.strike("PATCH", "/sobjects/Account", Fault::CloseAfter);
    let update = json!({"type": "updateRecord", "objectType": "Account", "objectId": id, "body": {"Phone": "1"},
                        "ifUnmodifiedSince": "2020-01-01T00:00:00Z"});
    let failure = bench.failure(update, &[]).await;
    assert_eq!(code(&failure), "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE");
    assert!(failure.message.contains("may have made the change itself"), "{}", failure.message);
}

fn update_by_key(body: Value) -> Value {
    json!({"type": "updateRecordByExternalId", "objectType": "Account", "externalIdField": "External_Key__c",
           "externalId": "a/b", "body": body})
}

#[tokio::test]
async fn a_record_is_changed_by_its_external_id_and_none_is_created() {
    let bench = Bench::start().await;
    let missing = bench.failure(update_by_key(json!({"Phone": "5"})), &[]).await;
    assert_eq!((code(&missing), bench.org.records("Account").len()), ("NOT_FOUND", 0));
    let id = bench.org.insert("Account", json!({"Name": "Acme", "External_Key__c": "a/b"})).unwrap();
    assert_eq!(
        bench.result(update_by_key(json!({"Phone": "5", "External_Key__c": "a/b"})), "id").await,
        json!(id)
    );
    assert_eq!(bench.org.records("Account")[0]["Phone"], "5");
    let twin = bench.org.insert("Account", json!({"Name": "Twin"})).unwrap();
    let other_key = bench.failure(update_by_key(json!({"External_Key__c": twin})), &[]).await;
    let words = "operation.body.External_Key__c: expected no other value than externalId, found the string";
    assert!(other_key.message.contains(words), "{}", other_key.message);
}

#[tokio::test]
async fn an_update_by_external_id_whose_answers_are_lost_is_done() {
    let bench = Bench::start().await;
    bench.org.insert("Account", json!({"Name": "Acme", "External_Key__c": "a/b"})).unwrap();
    bench.strike("GET", "/External_Key__c/", Fault::CloseAfter);
    bench.strike("PATCH", "/sobjects/Account/", Fault::CloseAfter);
    bench.result(update_by_key(json!({"Phone": "5"})), "response").await;
    assert_eq!(bench.org.records("Account")[0]["Phone"], "5");
    let requests = bench.org.requests();
    let calls: Vec<_> =
        requests.iter().filter(|request| request.path.contains("/sobjects/Account/")).collect();
    let methods: Vec<_> = calls.iter().map(|request| request.method.as_str()).collect();
    assert_eq!(methods, ["GET", "GET", "PATCH", "PATCH"]);
}

#[tokio::test]
async fn an_update_by_external_id_is_made_only_where_nobody_was_faster() {
    let bench = Bench::start().await;
    bench.org.insert("Account", json!({"Name": "Acme", "External_Key__c": "a/b"})).unwrap();
    let mut late = update_by_key(json!({"Phone": "5"}));
    late["ifUnmodifiedSince"] = json!("2015-10-21T07:28:00.000+0000");
    assert_eq!(bench.failure(late.clone(), &[]).await.variables["error"]["status"], 412);
    assert_eq!(bench.org.records("Account")[0]["Phone"], Value::Null);
    late["ifUnmodifiedSince"] = json!("yesterday");
    assert_eq!(code(&bench.failure(late, &[]).await), "INVALID_INPUT");
}
