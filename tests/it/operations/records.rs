use salesforce_connector::zeebe::{JobHandler, Outcome};
use salesforce_connector_dev::org::Fault;
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
