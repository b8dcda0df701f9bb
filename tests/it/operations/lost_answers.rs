//! A lost answer, operation by operation: what may be repeated is, what may not ends as unknown, and nothing is done a
//! second time. The table has a row for every operation there is.

use std::collections::BTreeSet;

use salesforce_connector::{connector::operations::ALL, salesforce::CallClass, zeebe::Outcome};
use salesforce_connector_dev::org::{Apex, DevOrg, Fault, Reply};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::handler::{Bench, code};

const ACCOUNT: &str = "001Dv0000000017IAA";
const CASE: &str = "500Dv0000000017IAA";
const OPPORTUNITY: &str = "006Dv0000000017IAA";
const BOSS: &str = "005Dv000000001BIAQ";

/// What becomes of an operation whose answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// It is sent again, and succeeds.
    Again,
    /// Nobody knows; it is not sent again.
    Unknown,
}
use Then::{Again, Unknown};

/// The operation, its call whose answer is lost, and what becomes of it. `@` stands for what was prepared.
fn table() -> Vec<(Value, &'static str, &'static str, Then)> {
    let account = |name: &str, more: Value| with(json!({"type": name, "objectType": "Account"}), more);
    let keyed = |name: &str, more: Value| {
        account(name, with(json!({"externalIdField": "External_Key__c", "externalId": "k"}), more))
    };
    let new = json!([{"Name": "New"}]);
    let sub =
        json!([{"method": "POST", "url": "/sobjects/Account", "referenceId": "a", "body": {"Name": "New"}}]);
    let read = json!([{"method": "GET", "url": "/limits", "referenceId": "l"}]);
    let batch = |requests: &Value| {
        let mut requests = requests.clone();
        requests[0].as_object_mut().unwrap().remove("referenceId");
        json!({"type": "compositeBatch", "batchRequests": requests})
    };
    let bulk = |name: &str| account(name, json!({"bulkOperation": "insert", "records": new}));
    let soql = json!({"soqlQuery": "SELECT Id FROM Account"});
    let of = |name: &str, more: &Value| with(json!({"type": name}), more.clone());
    let call = |method: &str, path: &str| json!({"method": method, "path": path, "body": (method != "GET").then(|| json!({"Name": "New"}))});
    let since = json!({"start": (jiff::Timestamp::now() - jiff::SignedDuration::from_mins(5)).to_string()});
    let graphql = |document: &str| json!({"type": "graphql", "query": document});
    vec![
        (keyed("upsertRecord", json!({"body": {"Name": "Beta"}})), "PATCH", "/sobjects/Account", Again),
        (account("createRecord", json!({"body": {"Name": "New"}})), "POST", "/sobjects/Account", Unknown),
        (
            account("createRecord", json!({"body": {"Name": "New"}, "externalIdField": "External_Key__c"})),
            "PATCH",
            "/sobjects/Account",
            Again,
        ),
        (
            account("updateRecord", json!({"objectId": ACCOUNT, "body": {"Name": "Beta"}})),
            "PATCH",
            "/sobjects/Account",
            Again,
        ),
        (
            keyed("updateRecordByExternalId", json!({"body": {"Name": "Beta"}})),
            "PATCH",
            "/sobjects/Account",
            Again,
        ),
        (account("getRecord", json!({"objectId": ACCOUNT})), "GET", "/sobjects/Account", Again),
        (keyed("getRecordByExternalId", json!({})), "GET", "/sobjects/Account", Again),
        (account("deleteRecord", json!({"objectId": ACCOUNT})), "DELETE", "/sobjects/Account", Again),
        (keyed("deleteRecordByExternalId", json!({})), "DELETE", "/sobjects/Account", Again),
        (of("query", &soql), "GET", "/query", Again),
        (of("queryAll", &soql), "GET", "/queryAll", Again),
        (json!({"type": "nextRecords", "nextRecordsUrl": "@"}), "GET", "/query/", Again),
        (of("explainQuery", &soql), "GET", "/query", Again),
        (json!({"type": "search", "soslQuery": "FIND {Acme}"}), "GET", "/search", Again),
        (
            json!({"type": "parameterizedSearch", "searchText": "Acme", "objects": "Account"}),
            "POST",
            "/parameterizedSearch",
            Again,
        ),
        (
            account(
                "upsertRecords",
                json!({"externalIdField": "External_Key__c", "records": [{"External_Key__c": "k", "Name": "Beta"}]}),
            ),
            "PATCH",
            "/composite/sobjects",
            Again,
        ),
        (account("createRecords", json!({"records": new})), "POST", "/composite/sobjects", Unknown),
        (
            account("updateRecords", json!({"records": [{"Id": ACCOUNT, "Name": "Beta"}]})),
            "PATCH",
            "/composite/sobjects",
            Again,
        ),
        (
            account("getRecords", json!({"objectIds": [ACCOUNT], "fields": "Name"})),
            "POST",
            "/composite/sobjects",
            Again,
        ),
        (json!({"type": "deleteRecords", "objectIds": [ACCOUNT]}), "DELETE", "/composite/sobjects", Again),
        (account("compositeTree", json!({"records": new})), "POST", "/composite/tree", Unknown),
        (json!({"type": "composite", "compositeRequest": sub}), "POST", "/composite", Unknown),
        (json!({"type": "composite", "compositeRequest": read}), "POST", "/composite", Again),
        (
            json!({"type": "compositeGraph", "graphs": [{"graphId": "g", "compositeRequest": sub}]}),
            "POST",
            "/composite/graph",
            Unknown,
        ),
        (batch(&sub), "POST", "/composite/batch", Unknown),
        (batch(&read), "POST", "/composite/batch", Again),
        (bulk("bulkRun"), "PATCH", "/jobs/ingest", Again),
        (of("bulkRunQuery", &soql), "GET", "/results", Again),
        (bulk("bulkStart"), "PATCH", "/jobs/ingest", Again),
        (of("bulkStartQuery", &soql), "POST", "/jobs/query", Again),
        (json!({"type": "bulkStatus", "bulkJobId": "@"}), "GET", "/jobs/ingest", Again),
        (
            json!({"type": "bulkResults", "bulkJobId": "@", "rows": "successful"}),
            "GET",
            "/jobs/ingest",
            Again,
        ),
        (json!({"type": "bulkAbort", "bulkJobId": "@"}), "PATCH", "/jobs/ingest", Again),
        (
            json!({"type": "uploadFile", "content": "UXVvdGU=", "pathOnClient": "a.txt"}),
            "POST",
            "/sobjects/ContentVersion",
            Unknown,
        ),
        (
            json!({"type": "linkFile", "contentDocumentId": "@", "linkedEntityId": ACCOUNT}),
            "POST",
            "/sobjects/ContentDocumentLink",
            Again,
        ),
        (json!({"type": "downloadFile", "fileId": "@"}), "GET", "/VersionData", Again),
        (
            json!({"type": "startFlow", "flowName": "Open", "inputVariables": {"name": "New"}}),
            "POST",
            "/actions/custom/flow",
            Unknown,
        ),
        (
            json!({"type": "invokeAction", "actionType": "apex", "actionName": "Open", "inputs": [{"name": "New"}]}),
            "POST",
            "/actions/custom/apex",
            Unknown,
        ),
        (of("apexRest", &call("POST", "/Orders")), "POST", "/services/apexrest", Unknown),
        (of("apexRest", &call("GET", "/Orders")), "GET", "/services/apexrest", Again),
        (
            json!({"type": "submitForApproval", "objectId": OPPORTUNITY}),
            "POST",
            "/process/approvals",
            Unknown,
        ),
        (json!({"type": "approve", "objectId": OPPORTUNITY}), "POST", "/process/approvals", Unknown),
        (json!({"type": "reject", "objectId": OPPORTUNITY}), "POST", "/process/approvals", Unknown),
        (
            json!({"type": "quickAction", "objectType": "Case", "quickActionName": "LogACall", "objectId": CASE,
                "record": {"Subject": "Called back"}}),
            "POST",
            "/quickActions",
            Unknown,
        ),
        (
            json!({"type": "publishEvent", "eventName": "Order__e", "body": {"Number__c": "1"}}),
            "POST",
            "/sobjects/Order__e",
            Unknown,
        ),
        (account("describeObject", json!({})), "GET", "/describe", Again),
        (json!({"type": "describeGlobal"}), "GET", "/sobjects", Again),
        (account("getUpdatedRecords", since.clone()), "GET", "/updated", Again),
        (account("getDeletedRecords", since), "GET", "/deleted", Again),
        (json!({"type": "getRecentItems"}), "GET", "/recent", Again),
        (json!({"type": "getLimits"}), "GET", "/limits", Again),
        (json!({"type": "getUserInfo"}), "GET", "/userinfo", Again),
        (graphql("{ uiapi { query { Account { totalCount } } } }"), "POST", "/graphql", Again),
        (
            graphql(
                "mutation { uiapi { AccountCreate(input: {Account: {Name: \"New\"}}) { Record { Id } } } }",
            ),
            "POST",
            "/graphql",
            Unknown,
        ),
        (
            json!({"type": "getKnowledgeArticle", "article": "how-to", "language": "en-US"}),
            "GET",
            "/knowledgeArticles",
            Again,
        ),
        (json!({"type": "runReport", "reportId": "00O000000000001EAA"}), "GET", "/analytics", Again),
        (json!({"type": "describeReport", "reportId": "00O000000000001EAA"}), "GET", "/analytics", Again),
        (of("request", &call("POST", "/sobjects/Account")), "POST", "/sobjects/Account", Unknown),
        (of("request", &call("GET", "/limits")), "GET", "/limits", Again),
    ]
}

fn with(mut operation: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("{more}") };
    operation.as_object_mut().unwrap().extend(more);
    operation
}

/// An org in which each row of the table has something to do.
async fn bench() -> Bench {
    let open = |apex: &mut Apex<'_>| {
        let id = apex.insert("Account", &json!({"Name": apex.body["name"]}))?;
        Ok(json!({"accountId": id}))
    };
    let place = |apex: &mut Apex<'_>| {
        let id = apex.insert("Account", &json!({"Name": apex.body["Name"]}))?;
        Ok(Reply::new(201, json!({"id": id}).to_string()))
    };
    let read = |_: &mut Apex<'_>| Ok(Reply::new(200, "[]"));
    let boss = json!({"Id": BOSS, "Username": "boss@example.com", "LastName": "B", "Email": "boss@example.com", "Alias": "b"});
    let seed = json!({
        "records": {
            "Account": [{"Id": ACCOUNT, "Name": "Acme", "External_Key__c": "k"}, {"Name": "Other"}],
            "Case": [{"Id": CASE, "Subject": "Broken"}],
            "User": [boss],
            "Opportunity": [{"Id": OPPORTUNITY, "Name": "Big", "StageName": "Qualification", "CloseDate": "2026-12-31"}],
        },
        "knowledgeArticles": [{"id": "kA0000000000001CAA", "articleNumber": "1", "urlName": "how-to", "title": "How to",
            "language": "en-US", "fields": {}}],
        "reports": [{"id": "00O000000000001EAA", "name": "Cases", "object": "Case", "columns": ["Subject"]}],
        "automation": {
            "approvalProcesses": [{"name": "Discount", "object": "Opportunity", "entryCriteria": {},
                "steps": [["boss@example.com"], ["boss@example.com"]]}],
            "quickActions": [{"object": "Case", "name": "LogACall", "does": {
                "creates": {"object": "Task", "fields": {"WhatId": "{!contextId}", "Subject": "{!Subject}"}}}}],
            "events": [{"name": "Order__e", "fields": [{"name": "Number__c"}]}],
        },
    });
    let org = DevOrg::builder()
        .seed(seed)
        .page_size(1)
        .action("custom/apex/Open", open)
        .action("custom/flow/Open", open)
        .apex_rest("POST", "/Orders", place)
        .apex_rest("GET", "/Orders", read)
        .start()
        .await
        .unwrap();
    Bench::start_with(org, |_| ())
}

/// Brings about what the operation needs, and names it in its place.
async fn prepared(bench: &Bench, mut operation: Value) -> Value {
    let upload = || json!({"type": "uploadFile", "content": "UXVvdGU=", "pathOnClient": "old.txt"});
    let insert = || json!({"type": "bulkStart", "objectType": "Account", "bulkOperation": "insert", "records": [{"Name": "Old"}]});
    let (field, first, told) = match operation["type"].as_str().unwrap() {
        "nextRecords" => {
            let first = json!({"type": "query", "soqlQuery": "SELECT Id FROM Account", "allPages": false});
            ("nextRecordsUrl", first, "nextRecordsUrl")
        }
        "linkFile" => ("contentDocumentId", upload(), "contentDocumentId"),
        "downloadFile" => ("fileId", upload(), "id"),
        "bulkAbort" => {
            bench.org.bulk().hold();
            ("bulkJobId", insert(), "id")
        }
        "bulkStatus" | "bulkResults" => ("bulkJobId", insert(), "id"),
        "approve" | "reject" => ("", json!({"type": "submitForApproval", "objectId": OPPORTUNITY}), ""),
        _ => return operation,
    };
    let body = bench.result(first, "body").await;
    if !field.is_empty() {
        operation[field] = body[told].clone();
    }
    operation
}

/// What there is of everything that an operation may make or take away.
fn effects(org: &DevOrg) -> Vec<(&'static str, usize)> {
    const OBJECTS: &[&str] = &[
        "Account",
        "Case",
        "ContentDocument",
        "ContentDocumentLink",
        "ContentVersion",
        "ProcessInstance",
        "ProcessInstanceStep",
        "Task",
    ];
    let records = OBJECTS.iter().map(|object| (*object, org.records(object).len()));
    records.chain([("Order__e", org.events("Order__e").len())]).collect()
}

/// What the operation does in an org of its own, how often it makes the call, and what becomes of it.
async fn done(
    (operation, method, path): (Value, &str, &str),
    fault: Option<Fault>,
) -> (Vec<(&'static str, usize)>, usize, Outcome) {
    let bench = bench().await;
    let operation = prepared(&bench, operation).await;
    let before = bench.org.requests().len();
    if let Some(fault) = fault {
        bench.strike(method, path, fault);
    }
    let outcome = bench.run(operation, &[]).await;
    let requests = &bench.org.requests()[before..];
    let calls = requests.iter().filter(|call| call.method == method && call.path.contains(path)).count();
    (effects(&bench.org), calls, outcome)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_operation_does_its_work_twice_when_an_answer_is_lost() {
    let mut rows = JoinSet::new();
    for (operation, method, path, then) in table() {
        rows.spawn(async move {
            let (whole, calls, outcome) = done((operation.clone(), method, path), None).await;
            assert!(matches!(outcome, Outcome::Complete { .. }), "{operation}: {outcome:#?}");
            let (after, made, outcome) =
                done((operation.clone(), method, path), Some(Fault::CloseAfter)).await;
            assert_eq!(after, whole, "{operation}");
            match (then, outcome) {
                (Again, Outcome::Complete { .. }) => assert_eq!(made, calls + 1, "{operation}"),
                (Unknown, Outcome::Fail(failure)) => {
                    let told = (code(&failure), failure.retries, made);
                    assert_eq!(told, ("OUTCOME_UNKNOWN", 0, calls), "{operation}");
                }
                (then, outcome) => panic!("{operation}: {then:?}, {outcome:#?}"),
            }
        });
    }
    while let Some(row) = rows.join_next().await {
        row.unwrap();
    }
}

#[test]
fn the_table_of_lost_answers_has_every_operation_as_its_class_says() {
    let rows = table();
    for operation in ALL {
        let name = operation.name;
        let all: Vec<_> = rows.iter().filter(|row| row.0["type"] == name).map(|row| row.3).collect();
        let expected = if operation.class == CallClass::UnsafeWrite { Unknown } else { Again };
        assert!(all.contains(&expected), "{name}: {expected:?} is not in {all:?}");
    }
    let known: BTreeSet<_> = ALL.iter().map(|operation| operation.name).collect();
    assert!(rows.iter().all(|row| known.contains(row.0["type"].as_str().unwrap())));
}
