//! Result and error expressions on the engine: what they map, throw, try again and ignore.

use serde_json::json;

use crate::{House, ServiceTask};

/// Reads an account that is not there, unless a test says otherwise.
fn get_account() -> ServiceTask {
    ServiceTask::new("getRecord").field("objectType", "Account").field("objectId", "=id")
}

const NOBODY: &str = "001000000000001AAA";

#[tokio::test]
async fn a_result_expression_makes_variables_of_the_answer() {
    let mut house = House::open("mapped").await;
    let id = house.org.insert("Account", json!({ "Name": "Acme" })).expect("the account is valid");
    let expression = "={name: upper case(body.Name), code: status, nothing: body.none}";
    house.deploy(&get_account().header("resultExpression", expression)).await;
    let _worker = house.worker();

    let variables = house.run(json!({ "id": id })).await;

    let expected = json!({ "id": id, "name": "ACME", "code": 200, "nothing": null });
    assert_eq!(variables, expected);
}

#[tokio::test]
async fn a_bpmn_error_has_variables_that_the_boundary_event_maps_out() {
    let mut house = House::open("thrown").await;
    let expression = "=if error.code = \"NOT_FOUND\" then \
                      bpmnError(\"GONE\", error.message, {status: error.status, detail: 1}) else null";
    let task = get_account().header("errorExpression", expression).catching("GONE", &[("found", "=status")]);
    house.deploy(&task).await;
    let _worker = house.worker();

    let variables = house.run(json!({ "id": NOBODY })).await;

    assert_eq!(variables, json!({ "id": NOBODY, "found": 404 }), "the rest is the boundary event's own");
}

#[tokio::test]
async fn without_an_output_mapping_the_variables_stay_in_the_boundary_event() {
    let mut house = House::open("kept").await;
    let expression = "=if error.code = \"NOT_FOUND\" then \
                      bpmnError(\"GONE\", error.message, {status: error.status}) else null";
    house.deploy(&get_account().header("errorExpression", expression).catching("GONE", &[])).await;
    let _worker = house.worker();

    let variables = house.run(json!({ "id": NOBODY })).await;

    assert_eq!(variables, json!({ "id": NOBODY }), "caught, and nothing of it in the process");
}

#[tokio::test]
async fn a_job_error_is_tried_again_after_its_rest() {
    let mut house = House::open("again").await;
    // Not tried again by itself: the record is not there. The expression knows better.
    let expression = "=if error.code = \"NOT_FOUND\" and job.retries > 1 then \
                      jobError(error.message, {}, job.retries - 1, @\"PT1S\") \
                      else if error != null then ignoreError({left: job.retries}) else null";
    house.deploy(&get_account().header("errorExpression", expression)).await;
    let _worker = house.worker();

    let variables = house.run(json!({ "id": NOBODY })).await;

    assert_eq!(variables, json!({ "id": NOBODY, "left": 1 }), "three attempts, then the last word");
    let reads = house.org.requests().iter().filter(|request| request.path.contains(NOBODY)).count();
    assert_eq!(reads, 3);
}

#[tokio::test]
async fn an_ignored_error_completes_the_task() {
    let mut house = House::open("ignored").await;
    let expression = "=if error.code = \"NOT_FOUND\" then ignoreError({account: null}) else null";
    house.deploy(&get_account().header("errorExpression", expression)).await;
    let _worker = house.worker();

    let variables = house.run(json!({ "id": NOBODY })).await;

    assert_eq!(variables, json!({ "id": NOBODY, "account": null }));
}

#[tokio::test]
async fn a_syntax_error_is_an_incident_before_any_call() {
    let mut house = House::open("syntax").await;
    house.deploy(&get_account().header("resultExpression", "={name: body.Name,, id: 1}")).await;
    let _worker = house.worker();

    let instance = house.create(&json!({ "id": NOBODY })).await;

    let incident = house.records.incident(instance).await;
    let message = incident.text("errorMessage");
    assert!(message.contains("task header resultExpression") && message.contains('^'), "{message}");
    assert_eq!(house.org.requests().len(), 0);
}
