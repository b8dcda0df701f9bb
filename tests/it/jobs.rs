//! Every operation through the whole house: what the process gets back.

use salesforce_connector_dev::{
    gateway::{JobRecord, JobState},
    org::{Fault, Reply},
};
use serde_json::{Value, json};

use crate::support::{House, strike};

fn variable(record: &JobRecord, name: &str) -> Value {
    assert_eq!(record.state, JobState::Completed, "{record:#?}");
    record.result.as_ref().unwrap()[name].clone()
}

fn error(record: &JobRecord) -> Value {
    assert_eq!(record.state, JobState::Incident, "{record:#?}");
    record.local_variables["error"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_is_created_read_changed_and_deleted() {
    let house = House::start().await;
    let body = json!({"Name": "Acme", "AnnualRevenue": 1_234_567.89, "Phone": "+49 30 1"});
    let create = json!({"type": "createRecord", "objectType": "Account", "body": body});
    let id = variable(&house.run(create, &[("resultVariable", "id"), ("resultContent", "id")]).await, "id");

    let get = json!({"type": "getRecord", "objectType": "Account", "objectId": id, "fields": "Name, AnnualRevenue"});
    let account = variable(&house.run(get, &[("resultVariable", "a"), ("resultContent", "body")]).await, "a");
    assert_eq!(
        (&account["Name"], account["AnnualRevenue"].to_string()),
        (&json!("Acme"), "1234567.89".to_owned())
    );
    assert!(account.get("Phone").is_none(), "a field that was not asked for: {account}");

    let update =
        json!({"type": "updateRecord", "objectType": "Account", "objectId": id, "body": {"Phone": null}});
    let response = variable(&house.run(update, &[("resultVariable", "r")]).await, "r");
    assert_eq!(
        (&response["status"], &response["reason"], &response["body"]),
        (&json!(204), &json!("No Content"), &Value::Null)
    );
    assert_eq!(house.org.records("Account")[0]["Phone"], Value::Null);

    let delete = json!({"type": "deleteRecord", "objectType": "Account", "objectId": id});
    assert_eq!(variable(&house.run(delete, &[("resultVariable", "r")]).await, "r")["status"], 204);
    let gone = json!({"type": "getRecord", "objectType": "Account", "objectId": id});
    assert_eq!(error(&house.run(gone, &[]).await)["code"], "ENTITY_IS_DELETED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_without_a_result_variable_completes_with_no_variables() {
    let house = House::start().await;
    let record = house.run(json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"}), &[]).await;
    assert_eq!(record.state, JobState::Completed);
    assert_eq!(record.result.unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upsert_says_whether_it_created() {
    let house = House::start().await;
    let upsert = |name: &str| {
        json!({"type": "upsertRecord", "objectType": "Account", "externalIdField": "External_Key__c",
               "externalId": "a/b?c=d e", "body": {"Name": name}})
    };
    let headers = [("resultVariable", "r"), ("resultContent", "body")];
    let first = variable(&house.run(upsert("One"), &headers).await, "r");
    let second = variable(&house.run(upsert("Two"), &headers).await, "r");
    assert_eq!((&first["created"], &second["created"]), (&json!(true), &json!(false)));
    assert_eq!(first["id"], second["id"]);
    let records = house.org.records("Account");
    assert_eq!((records.len(), &records[0]["Name"]), (1, &json!("Two")));
    assert_eq!(records[0]["External_Key__c"], "a/b?c=d e");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_pages_of_a_query_become_one_body() {
    let org = salesforce_connector_dev::org::DevOrg::builder().page_size(2).start().await.unwrap();
    for number in 0..5 {
        org.insert("Account", json!({"Name": format!("A{number}")})).unwrap();
    }
    let gateway = salesforce_connector_dev::gateway::DevGateway::start().await.unwrap();
    let house = House::start_between(org, gateway, |_| ()).await;
    let query = |further: Value| {
        let mut operation = json!({"type": "query", "soqlQuery": "SELECT Name FROM Account ORDER BY Name"});
        operation.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
        operation
    };
    let headers = [("resultVariable", "r"), ("resultContent", "body")];

    let first_page = variable(&house.run(query(json!({})), &headers).await, "r");
    assert_eq!((first_page["records"].as_array().unwrap().len(), &first_page["done"]), (2, &json!(false)));
    let all = variable(&house.run(query(json!({"allPages": true})), &headers).await, "r");
    assert_eq!(
        (all["records"].as_array().unwrap().len(), &all["done"], &all["totalSize"]),
        (5, &json!(true), &json!(5))
    );
    let some = variable(&house.run(query(json!({"allPages": true, "maxRecords": 3})), &headers).await, "r");
    assert_eq!((some["records"].as_array().unwrap().len(), &some["done"]), (3, &json!(false)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_record_of_an_empty_result_is_null() {
    let house = House::start().await;
    let query = json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"});
    let headers = [("resultVariable", "account"), ("resultContent", "firstRecord")];
    assert_eq!(variable(&house.run(query, &headers).await, "account"), Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_business_error_is_thrown_where_the_model_asks_for_it() {
    let house = House::start().await;
    house.org.insert("Contact", json!({"LastName": "One", "External_Key__c": "k"})).unwrap();
    let create = json!({"type": "createRecord", "objectType": "Contact", "body": {"LastName": "Two", "External_Key__c": "k"}});
    for header in ["business", "NOT_FOUND, duplicate_value"] {
        let record = house.run(create.clone(), &[("bpmnErrors", header)]).await;
        assert_eq!(record.error_code.as_deref(), Some("DUPLICATE_VALUE"), "{header}: {record:#?}");
        let error = &record.result.as_ref().unwrap()["error"];
        assert_eq!(
            (&error["status"], &error["errors"][0]["errorCode"]),
            (&json!(400), &json!("DUPLICATE_VALUE"))
        );
    }
    let record = house.run(create, &[("bpmnErrors", "NOT_FOUND")]).await;
    assert_eq!((record.state, record.retries), (JobState::Incident, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_error_variable_has_the_documented_shape() {
    let house = House::start().await;
    let query = json!({"type": "query", "soqlQuery": "SELECT Nmae FROM Account"});
    let error = error(&house.run(query, &[]).await);
    assert_eq!((&error["code"], &error["status"]), (&json!("INVALID_FIELD"), &json!(400)));
    assert_eq!(error["errors"][0]["errorCode"], "INVALID_FIELD");
    let response = &error["variables"]["response"];
    assert_eq!(response["status"], 400);
    assert_eq!(response["body"][0]["errorCode"], "INVALID_FIELD");
    assert!(
        response["headers"]["content-type"].as_str().unwrap().starts_with("application/json"),
        "{response}"
    );
    assert!(error["type"].is_string() && error["message"].as_str().unwrap().contains("Nmae"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transient_failure_costs_one_retry_and_waits_for_the_backoff_of_the_header() {
    let house = House::start().await;
    let lock = Reply::error(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record");
    let rule = salesforce_connector_dev::org::FaultRule::new(Fault::Respond(lock)).path("/query").times(3);
    house.org.faults().add(rule);
    let query = json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"});
    let record = house.run(query, &[("retryBackoff", "PT0.2S")]).await;
    assert_eq!(record.state, JobState::Completed);
    assert_eq!(record.failures(), [2], "{record:#?}");
    assert_eq!(record.backoff, Some(std::time::Duration::from_millis(200)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_create_whose_answer_is_lost_is_never_repeated() {
    let house = House::start().await;
    strike(&house.org, "POST", "/sobjects/Account", Fault::CloseAfter);
    let create = json!({"type": "createRecord", "objectType": "Account", "body": {"Name": "Acme"}});
    let record = house.run(create, &[("resultVariable", "id"), ("resultContent", "id")]).await;
    assert_eq!(error(&record)["code"], "OUTCOME_UNKNOWN");
    assert_eq!((record.retries, record.activations()), (0, 1));
    assert!(record.error_message.unwrap().contains("upsert"), "the incident does not offer upsert");
    assert_eq!(house.org.records("Account").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upsert_whose_answer_is_lost_is_repeated_and_makes_one_record() {
    let house = House::start().await;
    strike(&house.org, "PATCH", "/sobjects/Account", Fault::CloseAfter);
    let upsert = json!({"type": "upsertRecord", "objectType": "Account", "externalIdField": "External_Key__c",
                        "externalId": "1", "body": {"Name": "Acme"}});
    let record = house.run(upsert, &[("resultVariable", "r"), ("resultContent", "body")]).await;
    assert_eq!(variable(&record, "r")["success"], true);
    assert_eq!(house.org.records("Account").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_above_the_limit_names_what_helps() {
    let house = House::start_with(|config| config.connector.max_result_bytes = 10_000).await;
    for number in 0..50 {
        let fields = json!({"Name": format!("A{number}"), "Description": "x".repeat(500)});
        house.org.insert("Account", fields).unwrap();
    }
    let query = json!({"type": "query", "soqlQuery": "SELECT Name, Description FROM Account"});
    let record = house.run(query, &[("resultVariable", "r")]).await;
    assert_eq!(error(&record)["code"], "RESULT_TOO_LARGE");
    let message = record.error_message.unwrap();
    for word in ["LIMIT", "maxRecords", "fewer fields"] {
        assert!(message.contains(word), "{word} is missing in: {message}");
    }
}
