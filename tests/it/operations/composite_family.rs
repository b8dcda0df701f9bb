//! Batches, graphs and trees: what stays done, what is taken back, and that no lost answer makes a second effect.

use salesforce_connector::zeebe::{JobHandler, Outcome};
use salesforce_connector_dev::org::{DevOrg, Fault, FaultRule, Reply};
use serde_json::{Value, json};

use crate::handler::{Bench, code, job};

const BATCH: &str = "/composite/batch";
const GRAPH: &str = "/composite/graph";
const TREE: &str = "/composite/tree/Account";

fn batch(subs: Value) -> Value {
    json!({"type": "compositeBatch", "batchRequests": subs})
}

fn graphs(graphs: Value) -> Value {
    json!({"type": "compositeGraph", "graphs": graphs})
}

fn tree(records: Value) -> Value {
    json!({"type": "compositeTree", "objectType": "Account", "records": records})
}

fn with(mut operation: Value, field: &str, value: Value) -> Value {
    operation[field] = value;
    operation
}

fn stored(org: &DevOrg) -> (usize, usize) {
    (org.records("Account").len(), org.records("Contact").len())
}

fn calls(org: &DevOrg, path: &str) -> usize {
    org.requests().iter().filter(|request| request.path.ends_with(path)).count()
}

/// Three creates, of which the second is refused.
fn creates() -> Value {
    let create = |body: Value| json!({"method": "POST", "url": "/sobjects/Account", "body": body});
    json!([create(json!({"Name": "A"})), create(json!({"Nam": "B"})), create(json!({"Name": "C"}))])
}

fn statuses(body: &Value) -> Vec<u64> {
    let results = body["results"].as_array().unwrap().iter();
    results.map(|result| result["statusCode"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_batch_goes_on_after_a_failure_unless_it_is_to_stop() {
    let bench = Bench::start().await;
    let body = bench.result(with(batch(creates()), "failOn", json!("none")), "body").await;
    assert_eq!((statuses(&body), stored(&bench.org).0), (vec![201, 400, 201], 2));
    let halting = with(batch(creates()), "haltOnError", json!(true));
    let failure = bench.failure(halting, &[]).await;
    let words =
        "2 of 3 sub-requests failed, 1 are done (failOn: any); sub-request 1 (request1): INVALID_FIELD";
    assert!(failure.message.contains(words), "{}", failure.message);
    let errors = &failure.variables["error"]["errors"];
    assert_eq!(
        (&errors[1]["index"], &errors[1]["errorCode"]),
        (&json!(2), &json!("BATCH_PROCESSING_HALTED"))
    );
    assert_eq!((code(&failure), failure.retries, stored(&bench.org).0), ("RECORDS_FAILED", 0, 3));
}

#[tokio::test]
async fn a_batch_is_sent_again_where_that_does_no_harm() {
    let bench = Bench::start().await;
    let upserts = json!([
        {"method": "PATCH", "url": ["sobjects", "Account", "External_Key__c", "a/b"], "body": {"Name": "A"}},
        {"method": "GET", "url": "/query", "queryParameters": {"q": "SELECT Name FROM Account WHERE Name = 'A'"}},
    ]);
    bench.strike("POST", BATCH, Fault::CloseAfter);
    let body = bench.result(batch(upserts), "body").await;
    assert_eq!((statuses(&body), calls(&bench.org, BATCH), stored(&bench.org).0), (vec![200, 200], 2, 1));
    assert_eq!(body["results"][1]["result"]["totalSize"], 1);

    bench.strike("POST", BATCH, Fault::CloseAfter);
    let failure = bench.failure(batch(creates()), &[]).await;
    assert_eq!((code(&failure), failure.retries, calls(&bench.org, BATCH)), ("OUTCOME_UNKNOWN", 0, 3));
    assert_eq!(stored(&bench.org).0, 3);
}

/// A graph with an account and a contact of it, made by these fields.
fn graph(id: &str, contact: &Value) -> Value {
    let mut contact = contact.clone();
    contact["AccountId"] = json!("@{account.id}");
    json!({"graphId": id, "compositeRequest": [
        {"method": "POST", "url": "/sobjects/Account", "referenceId": "account", "body": {"Name": id}},
        {"method": "POST", "url": "/sobjects/Contact", "referenceId": "contact", "body": contact},
    ]})
}

#[tokio::test]
async fn each_graph_is_done_or_taken_back_by_itself() {
    let bench = Bench::start().await;
    let two =
        || json!([graph("good", &json!({"LastName": "Doe"})), graph("bad", &json!({"LastNam": "Doe"}))]);
    for fail_on in ["all", "none"] {
        let body = bench.result(with(graphs(two()), "failOn", json!(fail_on)), "body").await;
        assert_eq!(
            (&body["graphs"][0]["isSuccessful"], &body["graphs"][1]["isSuccessful"]),
            (&json!(true), &json!(false))
        );
    }
    assert_eq!(stored(&bench.org), (2, 2));
    let failure = bench.failure(graphs(two()), &[]).await;
    let words = "2 of 4 sub-requests failed, 2 are done (failOn: any); sub-request 3 (contact of graph bad): INVALID_FIELD";
    assert!(failure.message.contains(words), "{}", failure.message);
    assert_eq!(
        (code(&failure), failure.variables["error"]["errors"][1]["index"].as_u64()),
        ("RECORDS_FAILED", Some(2))
    );
}

#[tokio::test]
async fn graphs_of_upserts_are_sent_again_and_others_are_not() {
    let bench = Bench::start().await;
    let upserts = json!([{"compositeRequest": [
        {"method": "PATCH", "url": "/sobjects/Account/External_Key__c/k", "referenceId": "account", "body": {"Name": "A"}},
        {"method": "PATCH", "url": "/sobjects/Contact/Email/doe@acme.com",
         "body": {"LastName": "Doe", "AccountId": "@{account.id}"}},
    ]}]);
    bench.strike("POST", GRAPH, Fault::CloseAfter);
    let body = bench.result(graphs(upserts), "body").await;
    assert_eq!((&body["graphs"][0]["graphId"], calls(&bench.org, GRAPH)), (&json!("graph0"), 2));
    assert_eq!(stored(&bench.org), (1, 1));

    bench.strike("POST", GRAPH, Fault::CloseAfter);
    let failure = bench.failure(graphs(json!([graph("x", &json!({"LastName": "Doe"}))])), &[]).await;
    assert_eq!(
        (code(&failure), stored(&bench.org), calls(&bench.org, GRAPH)),
        ("OUTCOME_UNKNOWN", (2, 2), 3)
    );
}

#[tokio::test]
async fn graphs_need_a_version_that_has_them() {
    let bench = Bench::start().await;
    let operation = graphs(json!([graph("x", &json!({"LastName": "Doe"}))]));
    let request = json!({"connection": {"name": "dev"}, "apiVersion": "v49.0", "operation": operation});
    let outcome = bench.connector.handle(&job(request, &[])).await;
    let Outcome::Fail(failure) = outcome else { panic!("{outcome:#?}") };
    let words = "salesforceRequest.apiVersion: expected v50.0 or later for graphs, here or in the connection, found v49.0";
    assert_eq!(
        (code(&failure), failure.message.contains(words)),
        ("INVALID_INPUT", true),
        "{}",
        failure.message
    );
    assert_eq!(calls(&bench.org, GRAPH), 0);
}

fn account_with(contact: Value) -> Value {
    let mut contact = contact;
    contact["attributes"] = json!({"type": "Contact"});
    json!([{"Name": "Acme", "Contacts": {"records": [contact]}}])
}

#[tokio::test]
async fn a_tree_is_created_as_a_whole() {
    let bench = Bench::start().await;
    let body = bench.result(tree(account_with(json!({"LastName": "Doe"}))), "body").await;
    let (accounts, contacts) = (bench.org.records("Account"), bench.org.records("Contact"));
    let expected = json!([
        {"referenceId": "record0", "id": accounts[0]["Id"]},
        {"referenceId": "record0_Contacts0", "id": contacts[0]["Id"]},
    ]);
    assert_eq!((&body["results"], &contacts[0]["AccountId"]), (&expected, &accounts[0]["Id"]));
}

#[tokio::test]
async fn a_refused_tree_names_the_record_and_creates_nothing() {
    let bench = Bench::start().await;
    let refused = || tree(account_with(json!({"FirstName": "Jo"})));
    let failure = bench.failure(refused(), &[]).await;
    let words =
        "the tree of 2 records was refused, none was created; record0_Contacts0: REQUIRED_FIELD_MISSING: ";
    assert!(failure.message.contains(words), "{}", failure.message);
    let error = &failure.variables["error"];
    assert_eq!(
        (code(&failure), &error["errors"][0]["index"], &error["status"]),
        ("RECORDS_FAILED", &json!(1), &json!(400))
    );
    let outcome = bench.run(refused(), &[("bpmnErrors", "REQUIRED_FIELD_MISSING")]).await;
    assert!(matches!(outcome, Outcome::ThrowError { .. }), "{outcome:#?}");
    let response = bench.result(with(refused(), "failOn", json!("none")), "response").await;
    assert_eq!((&response["status"], &response["body"]["hasErrors"]), (&json!(400), &json!(true)));
    assert_eq!(stored(&bench.org), (0, 0));
}

#[tokio::test]
async fn a_tree_whose_answer_is_lost_or_strange_is_not_created_twice() {
    let bench = Bench::start().await;
    bench.strike("POST", TREE, Fault::CloseAfter);
    let good = || tree(account_with(json!({"LastName": "Doe"})));
    let failure = bench.failure(good(), &[]).await;
    assert_eq!((code(&failure), failure.retries, stored(&bench.org)), ("OUTCOME_UNKNOWN", 0, (1, 1)));
    let reply = Reply::new(201, r#"{"hasErrors": false, "results": []}"#);
    bench.org.faults().add(FaultRule::new(Fault::RespondAfter(reply)).path(TREE));
    let failure = bench.failure(good(), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("INVALID_RESPONSE", 0));
    assert_eq!(calls(&bench.org, TREE), 2);
}

#[tokio::test]
async fn a_tree_on_a_locked_row_is_tried_again() {
    let bench = Bench::start().await;
    let locked = json!({"hasErrors": true, "results": [{"referenceId": "record0", "errors": [
        {"statusCode": "UNABLE_TO_LOCK_ROW", "message": "locked", "fields": []}]}]});
    bench.org.faults().add(FaultRule::new(Fault::Respond(Reply::new(400, locked.to_string()))).path(TREE));
    let failure = bench.failure(tree(account_with(json!({"LastName": "Doe"}))), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("RECORDS_FAILED", 2));
}

#[tokio::test]
async fn wrong_batches_graphs_and_trees_are_refused_before_anything_is_called() {
    let bench = Bench::start().await;
    let get = |url: &str| json!({"method": "GET", "url": url});
    for (operation, message) in [
        (
            batch(json!(vec![get("/limits"); 26])),
            "operation.batchRequests: expected at most 25 sub-requests, found a list of 26",
        ),
        (
            batch(json!([{"method": "GET", "url": "/limits", "referenceId": "a"}])),
            "operation.batchRequests[0].referenceId: expected nothing: a batch knows no headers and no names, found a value",
        ),
        (
            batch(json!([get("/limits"), get("/sobjects/Account/@{request0.id}")])),
            "operation.batchRequests[1].url: expected no reference: the sub-requests of a batch do not know each other",
        ),
        (batch(json!([get("/composite")])), "operation.batchRequests[0].url: expected a single request"),
        (
            graphs(json!([{"graphId": "x", "compositeRequest": [get("/limits")]}])),
            "operation.graphs[0].compositeRequest[0].url: expected POST to /sobjects/{object}",
        ),
        (tree(json!([])), "operation.records: expected at least one record, found an empty list"),
    ] {
        let failure = bench.failure(operation, &[]).await;
        assert_eq!(code(&failure), "INVALID_INPUT");
        assert!(failure.message.contains(message), "{}", failure.message);
    }
    assert_eq!(bench.org.counters().api_requests, 0);
}
