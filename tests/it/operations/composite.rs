//! Several requests in one call: references, all or none, what each was answered, and which of them may be sent again.

use salesforce_connector::zeebe::Outcome;
use salesforce_connector_dev::org::{DevOrg, Fault, FaultRule, Reply};
use serde_json::{Value, json};

use crate::handler::{Bench, code};

const COMPOSITE: &str = "/composite";

fn composite(subs: Value) -> Value {
    json!({"type": "composite", "compositeRequest": subs})
}

fn with(mut operation: Value, field: &str, value: Value) -> Value {
    operation[field] = value;
    operation
}

/// An account and a contact of it.
fn pair() -> Value {
    json!([
        {"method": "POST", "url": "/sobjects/Account", "referenceId": "account", "body": {"Name": "Acme"}},
        {"method": "POST", "url": "/sobjects/Contact", "referenceId": "contact",
         "body": {"LastName": "Doe", "AccountId": "@{account.id}"}},
    ])
}

/// The same, of which the contact is refused.
fn broken_pair() -> Value {
    let mut pair = pair();
    pair[1]["body"]["LastNam"] = json!("Doe");
    pair
}

fn stored(org: &DevOrg) -> (usize, usize) {
    (org.records("Account").len(), org.records("Contact").len())
}

fn calls(org: &DevOrg) -> usize {
    org.requests().iter().filter(|request| request.path.contains(COMPOSITE)).count()
}

fn statuses(body: &Value) -> Vec<u64> {
    let answers = body["compositeResponse"].as_array().unwrap().iter();
    answers.map(|answer| answer["httpStatusCode"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn later_requests_use_what_earlier_ones_gave_in_one_call() {
    let bench = Bench::start().await;
    let mut subs = pair();
    let read = json!({"method": "GET", "url": ["sobjects", "Contact", "@{contact.id}"],
        "queryParameters": {"fields": "Name,AccountId"}});
    subs.as_array_mut().unwrap().push(read);
    let body = bench.result(composite(subs), "body").await;
    assert_eq!(statuses(&body), [201, 201, 200]);
    let read = &body["compositeResponse"][2];
    assert_eq!(read["referenceId"], "request2");
    assert_eq!(read["body"]["AccountId"], body["compositeResponse"][0]["body"]["id"]);
    assert_eq!((stored(&bench.org), bench.org.counters().api_requests), ((1, 1), 1));
}

#[tokio::test]
async fn a_value_of_the_process_stays_the_one_segment_or_parameter_that_it_is() {
    let bench = Bench::start().await;
    let key = "a/b?_HttpMethod=DELETE&c#d é";
    let subs = json!([
        {"method": "PATCH", "url": ["sobjects", "Account", "External_Key__c", key], "body": {"Name": "Tom & Co"}},
        {"method": "GET", "url": "/query",
         "queryParameters": {"q": "SELECT Name FROM Account WHERE Name = 'Tom & Co'"}},
    ]);
    let body = bench.result(composite(subs), "body").await;
    assert_eq!(
        (statuses(&body), &bench.org.records("Account")[0]["External_Key__c"]),
        (vec![201, 200], &json!(key))
    );
    assert_eq!(body["compositeResponse"][1]["body"]["totalSize"], 1);
}

#[tokio::test]
async fn a_failure_takes_the_others_back_and_is_told_first() {
    let bench = Bench::start().await;
    let failure = bench.failure(composite(broken_pair()), &[]).await;
    assert_eq!((code(&failure), failure.retries, stored(&bench.org)), ("RECORDS_FAILED", 0, (0, 0)));
    let words =
        "2 of 2 sub-requests failed, 0 are done (failOn: any); sub-request 1 (contact): INVALID_FIELD: ";
    assert!(failure.message.contains(words), "{}", failure.message);
    let error = &failure.variables["error"];
    assert_eq!(
        (&error["errors"][0]["index"], &error["errors"][0]["errorCode"]),
        (&json!(1), &json!("INVALID_FIELD"))
    );
    assert_eq!(
        (&error["errors"][1]["index"], &error["errors"][1]["errorCode"]),
        (&json!(0), &json!("PROCESSING_HALTED"))
    );
    assert_eq!(statuses(&error["variables"]["response"]["body"]), [400, 400]);
    for listed in ["RECORDS_FAILED", "INVALID_FIELD"] {
        let outcome = bench.run(composite(broken_pair()), &[("bpmnErrors", listed)]).await;
        let Outcome::ThrowError { code, .. } = outcome else { panic!("{outcome:#?}") };
        assert_eq!(code, listed);
    }
}

#[tokio::test]
async fn fail_on_decides_when_refusals_are_an_error() {
    let bench = Bench::start().await;
    let partly = || with(composite(broken_pair()), "allOrNone", json!(false));
    for fail_on in ["all", "none"] {
        let body = bench.result(with(partly(), "failOn", json!(fail_on)), "body").await;
        assert_eq!(statuses(&body), [201, 400]);
    }
    let failure = bench.failure(partly(), &[]).await;
    let words =
        "1 of 2 sub-requests failed, 1 are done (failOn: any); sub-request 1 (contact): INVALID_FIELD";
    assert!(failure.message.contains(words), "{}", failure.message);
    assert_eq!(stored(&bench.org), (3, 0));
    let body = bench.result(with(composite(broken_pair()), "failOn", json!("none")), "body").await;
    assert_eq!((statuses(&body), stored(&bench.org)), (vec![400, 400], (3, 0)));
    let failure = bench.failure(with(composite(broken_pair()), "failOn", json!("all")), &[]).await;
    assert_eq!(code(&failure), "RECORDS_FAILED");
}

#[tokio::test]
async fn no_expression_sends_again_what_is_partly_done() {
    let bench = Bench::start().await;
    let again = [("errorExpression", "=if error = null then null else jobError(\"again\", {}, 5)")];
    let partly = with(composite(broken_pair()), "allOrNone", json!(false));
    assert_eq!(bench.failure(partly, &again).await.retries, 0);
    assert_eq!(bench.failure(composite(broken_pair()), &again).await.retries, 5, "nothing was done");
}

#[tokio::test]
async fn refused_lists_of_records_and_unmet_conditions_count_as_failures() {
    let bench = Bench::start().await;
    let list = json!([{"method": "POST", "url": "/composite/sobjects", "body": {"records": [
        {"attributes": {"type": "Account"}, "Name": "A"}, {"attributes": {"type": "Account"}, "Nam": "B"}]}}]);
    let failure = bench.failure(composite(list), &[]).await;
    assert!(failure.message.contains("sub-request 0 (request0): INVALID_FIELD"), "{}", failure.message);
    let id = bench.org.insert("Account", json!({"Name": "old"})).unwrap();
    let since = json!({"If-Unmodified-Since": "Wed, 21 Oct 2015 07:28:00 GMT"});
    let update = json!([{"method": "PATCH", "url": format!("/sobjects/Account/{id}"), "body": {"Name": "new"}, "httpHeaders": since}]);
    let failure = bench.failure(composite(update), &[]).await;
    assert_eq!(failure.variables["error"]["errors"][0]["errorCode"], "HTTP_412");
    assert_eq!(bench.org.records("Account").last().unwrap()["Name"], "old");
}

#[tokio::test]
async fn locked_rows_are_tried_again_where_nothing_was_done() {
    let bench = Bench::start().await;
    let answer = |status: u16, code: &str| json!({"httpStatusCode": status, "httpHeaders": {}, "body": [{"errorCode": code, "message": "…"}]});
    for (answers, retries) in [
        ([answer(400, "UNABLE_TO_LOCK_ROW"), answer(400, "PROCESSING_HALTED")], 2),
        ([answer(400, "UNABLE_TO_LOCK_ROW"), answer(201, "")], 0),
    ] {
        let reply = Reply::new(200, json!({"compositeResponse": answers}).to_string());
        bench.org.faults().add(FaultRule::new(Fault::Respond(reply)).path(COMPOSITE));
        let failure = bench.failure(composite(pair()), &[]).await;
        assert_eq!((code(&failure), failure.retries), ("RECORDS_FAILED", retries));
    }
}

#[tokio::test]
async fn creates_and_deletes_whose_answer_is_lost_are_not_sent_again() {
    let bench = Bench::start().await;
    bench.strike("POST", COMPOSITE, Fault::CloseAfter);
    let failure = bench.failure(composite(pair()), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("OUTCOME_UNKNOWN", 0));
    assert_eq!((stored(&bench.org), calls(&bench.org)), ((1, 1), 1));

    let id = bench.org.records("Contact")[0]["Id"].clone();
    let delete = json!([
        {"method": "PATCH", "url": "/sobjects/Account/External_Key__c/k", "body": {"Name": "Acme"}},
        {"method": "DELETE", "url": ["sobjects", "Contact", id]},
    ]);
    bench.strike("POST", COMPOSITE, Fault::CloseAfter);
    let failure = bench.failure(composite(delete), &[]).await;
    assert_eq!((code(&failure), stored(&bench.org), calls(&bench.org)), ("OUTCOME_UNKNOWN", (2, 0), 2));
}

/// What a second time does no more than the first.
fn upserts() -> Value {
    json!([
        {"method": "PATCH", "url": "/sobjects/Account/External_Key__c/k1", "referenceId": "account",
         "body": {"Name": "Acme"}},
        {"method": "PATCH", "url": "/sobjects/Contact/Email/doe@acme.com", "referenceId": "contact",
         "body": {"LastName": "Doe", "AccountId": "@{account.id}"}},
        {"method": "GET", "url": "/sobjects/Contact/@{contact.id}?fields=AccountId"},
    ])
}

#[tokio::test]
async fn upserts_whose_answer_is_lost_are_sent_again_and_answer_the_same() {
    let bench = Bench::start().await;
    bench.strike("POST", COMPOSITE, Fault::CloseAfter);
    let body = bench.result(composite(upserts()), "body").await;
    assert_eq!((stored(&bench.org), calls(&bench.org)), ((1, 1), 2));
    assert_eq!(statuses(&body), [200, 200, 200]);
    assert_eq!(body["compositeResponse"][2]["body"]["AccountId"], bench.org.records("Account")[0]["Id"]);
}

#[tokio::test]
async fn reads_are_sent_again() {
    let bench = Bench::start().await;
    bench.strike("POST", COMPOSITE, Fault::CloseAfter);
    let reads = json!([{"method": "GET", "url": "/limits"}, {"method": "GET", "url": "/sobjects/Account"}]);
    assert_eq!(statuses(&bench.result(composite(reads), "body").await), [200, 200]);
    assert_eq!(calls(&bench.org), 2);
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_an_error_and_what_was_sent_is_not_repeated() {
    let bench = Bench::start().await;
    let answers = [json!({"compositeResponse": []}), json!({}), json!({"compositeResponse": [{}, {}]})];
    let again = [("errorExpression", "=if error = null then null else jobError(\"again\", {}, 5)")];
    for (answer, headers) in answers.iter().flat_map(|answer| [(answer, &[][..]), (answer, &again)]) {
        let reply = Reply::new(200, answer.to_string());
        bench.org.faults().add(FaultRule::new(Fault::RespondAfter(reply)).path(COMPOSITE));
        let failure = bench.failure(composite(pair()), headers).await;
        assert_eq!(failure.retries, 0, "{failure:#?}");
        if headers.is_empty() {
            assert_eq!(code(&failure), "INVALID_RESPONSE");
        }
    }
}

#[tokio::test]
async fn a_call_that_is_refused_as_a_whole_keeps_its_own_error() {
    let bench = Bench::start().await;
    let refusal = Reply::error(400, "JSON_PARSER_ERROR", "Unrecognized field");
    bench.org.faults().add(FaultRule::new(Fault::Respond(refusal)).path(COMPOSITE));
    let failure = bench.failure(with(composite(pair()), "failOn", json!("none")), &[]).await;
    assert_eq!(code(&failure), "JSON_PARSER_ERROR");
}

#[tokio::test]
async fn wrong_sub_requests_are_refused_before_anything_is_called() {
    let bench = Bench::start().await;
    let get = |url: &str| json!({"method": "GET", "url": url});
    for (operation, message) in [
        (
            composite(json!([])),
            "operation.compositeRequest: expected at least one sub-request, found an empty list",
        ),
        (
            composite(json!(vec![get("/limits"); 26])),
            "operation.compositeRequest: expected at most 25 sub-requests, found a list of 26",
        ),
        (
            composite(json!(vec![get("/query?q=x"); 6])),
            "operation.compositeRequest: expected at most 5 queries and lists of records among them, found 6",
        ),
        (
            composite(json!([get("/services/apexrest/x")])),
            "operation.compositeRequest[0].url: expected a path such as /sobjects/Account",
        ),
        (
            composite(json!([get("/sobjects/Account/@{a.id}")])),
            "operation.compositeRequest[0].url: expected no reference in the first sub-request",
        ),
        (
            composite(json!([get("/composite/graph")])),
            "operation.compositeRequest[0].url: expected a single request",
        ),
        (
            with(composite(pair()), "allOrNone", json!("perhaps")),
            "operation.allOrNone: expected true or false, found the string \"perhaps\"",
        ),
    ] {
        let failure = bench.failure(operation, &[]).await;
        assert_eq!(code(&failure), "INVALID_INPUT");
        assert!(failure.message.contains(message), "{}", failure.message);
    }
    assert_eq!(bench.org.counters().api_requests, 0);
}

#[tokio::test]
async fn the_records_that_duplicate_rules_match_are_told_of_sub_requests_and_lists_too() {
    let seed = json!({"duplicateRules": [{"object": "Contact", "fields": ["Email"]}],
        "records": {"Contact": [{"LastName": "Lovelace", "Email": "ada@example.com"}]}});
    let bench = Bench::start_with(DevOrg::builder().seed(seed).start().await.unwrap(), |_| ());
    let contact = json!({"LastName": "L", "Email": "ada@example.com"});
    let sub = json!([{"method": "POST", "url": "/sobjects/Contact", "referenceId": "c", "body": contact}]);
    let list =
        json!({"type": "createRecords", "objectType": "Contact", "records": [contact, {"LastName": "New"}]});
    for operation in [composite(sub), list] {
        let failure = bench.failure(operation, &[]).await;
        let error = &failure.variables["error"];
        assert_eq!(
            (&error["code"], &error["errors"][0]["errorCode"]),
            (&json!("RECORDS_FAILED"), &json!("DUPLICATES_DETECTED"))
        );
        assert_eq!(error["duplicates"][0]["id"], bench.org.records("Contact")[0]["Id"]);
        assert_eq!(error["duplicates"].as_array().unwrap().len(), 1);
    }
}
