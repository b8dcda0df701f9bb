//! Every operation there is, one by one, in a table: it succeeds; when an answer is lost, what may be repeated is, what may
//! not ends as unknown, and nothing is done a second time; the refusal that it documents is what a process gets.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, stream};
use salesforce_connector::{connector::operations::ALL, salesforce::CallClass, zeebe::Outcome};
use salesforce_connector_dev::org::{Apex, DevOrg, Fault, FaultRule, Reply};
use serde_json::{Value, json};

use crate::handler::{Bench, code};

const ACCOUNT: &str = "001Dv0000000017IAA";
const CASE: &str = "500Dv0000000017IAA";
const OPPORTUNITY: &str = "006Dv0000000017IAA";
const BOSS: &str = "005Dv000000001BIAQ";

/// So many rows side by side.
const AT_ONCE: usize = 8;

/// What becomes of an operation whose answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// It is sent again, and succeeds.
    Again,
    /// Nobody knows; it is not sent again.
    Unknown,
}
use Then::{Again, Unknown};

/// An operation, its call whose answer is lost, and what becomes of it.
type Row = (Value, &'static str, &'static str, Then);

fn table() -> Vec<Row> {
    [records(), queries(), many_records(), bulk(), files(), automation(), other()].concat()
}

fn of(name: &str, more: Value) -> Value {
    with(json!({"type": name}), more)
}

fn account(name: &str, more: Value) -> Value {
    with(json!({"type": name, "objectType": "Account"}), more)
}

fn soql(name: &str) -> Value {
    of(name, json!({"soqlQuery": "SELECT Id FROM Account"}))
}

/// The fields of any request.
fn call(method: &str, path: &str) -> Value {
    let body = (method != "GET").then(|| json!({"Name": "New"}));
    json!({"method": method, "path": path, "body": body})
}

fn records() -> Vec<Row> {
    const PATH: &str = "/sobjects/Account";
    let keyed = |name: &str, more: Value| {
        account(name, with(json!({"externalIdField": "External_Key__c", "externalId": "k"}), more))
    };
    let (beta, new) = (json!({"body": {"Name": "Beta"}}), json!({"body": {"Name": "New"}}));
    let by_id = json!({"objectId": ACCOUNT});
    let once = with(new.clone(), json!({"externalIdField": "External_Key__c"}));
    vec![
        (keyed("upsertRecord", beta.clone()), "PATCH", PATH, Again),
        (account("createRecord", new), "POST", PATH, Unknown),
        (account("createRecord", once), "PATCH", PATH, Again),
        (account("updateRecord", with(by_id.clone(), beta.clone())), "PATCH", PATH, Again),
        (keyed("updateRecordByExternalId", beta), "PATCH", PATH, Again),
        (account("getRecord", by_id.clone()), "GET", PATH, Again),
        (keyed("getRecordByExternalId", json!({})), "GET", PATH, Again),
        (account("deleteRecord", by_id), "DELETE", PATH, Again),
        (keyed("deleteRecordByExternalId", json!({})), "DELETE", PATH, Again),
    ]
}

fn queries() -> Vec<Row> {
    let search = json!({"searchText": "Acme", "objects": "Account"});
    vec![
        (soql("query"), "GET", "/query", Again),
        (soql("queryAll"), "GET", "/queryAll", Again),
        (of("nextRecords", json!({})), "GET", "/query/", Again),
        (soql("explainQuery"), "GET", "/query", Again),
        (account("getListView", json!({"listView": "Recent"})), "GET", "/listviews", Again),
        (of("search", json!({"soslQuery": "FIND {Acme}"})), "GET", "/search", Again),
        (of("parameterizedSearch", search), "POST", "/parameterizedSearch", Again),
    ]
}

fn many_records() -> Vec<Row> {
    const PATH: &str = "/composite/sobjects";
    let new = json!({"records": [{"Name": "New"}]});
    let keyed =
        json!({"externalIdField": "External_Key__c", "records": [{"External_Key__c": "k", "Name": "Beta"}]});
    let write = json!([{"method": "POST", "url": "/sobjects/Account", "body": {"Name": "New"}}]);
    let named = json!([with(write[0].clone(), json!({"referenceId": "account"}))]);
    let read = json!([{"method": "GET", "url": "/limits"}]);
    let composite = |subs: &Value| of("composite", json!({"compositeRequest": subs}));
    let batch = |subs: &Value| of("compositeBatch", json!({"batchRequests": subs}));
    let graphs = json!({"graphs": [{"graphId": "order", "compositeRequest": named}]});
    vec![
        (account("upsertRecords", keyed), "PATCH", PATH, Again),
        (account("createRecords", new.clone()), "POST", PATH, Unknown),
        (
            account("updateRecords", json!({"records": [{"Id": ACCOUNT, "Name": "Beta"}]})),
            "PATCH",
            PATH,
            Again,
        ),
        (account("getRecords", json!({"objectIds": [ACCOUNT], "fields": "Name"})), "POST", PATH, Again),
        (of("deleteRecords", json!({"objectIds": [ACCOUNT]})), "DELETE", PATH, Again),
        (account("compositeTree", new), "POST", "/composite/tree", Unknown),
        (composite(&named), "POST", "/composite", Unknown),
        (composite(&read), "POST", "/composite", Again),
        (of("compositeGraph", graphs), "POST", "/composite/graph", Unknown),
        (batch(&write), "POST", "/composite/batch", Unknown),
        (batch(&read), "POST", "/composite/batch", Again),
    ]
}

fn bulk() -> Vec<Row> {
    const PATH: &str = "/jobs/ingest";
    let insert = |name: &str| account(name, json!({"bulkOperation": "insert", "records": [{"Name": "New"}]}));
    vec![
        (insert("bulkRun"), "PATCH", PATH, Again),
        (soql("bulkRunQuery"), "GET", "/results", Again),
        (insert("bulkStart"), "PATCH", PATH, Again),
        (soql("bulkStartQuery"), "POST", "/jobs/query", Again),
        (of("bulkStatus", json!({})), "GET", PATH, Again),
        (of("bulkResults", json!({"rows": "successful"})), "GET", PATH, Again),
        (of("bulkAbort", json!({})), "PATCH", PATH, Again),
    ]
}

fn files() -> Vec<Row> {
    let upload = of("uploadFile", json!({"content": "UXVvdGU=", "pathOnClient": "a.txt"}));
    let link = of("linkFile", json!({"linkedEntityId": ACCOUNT}));
    vec![
        (upload, "POST", "/sobjects/ContentVersion", Unknown),
        (link, "POST", "/sobjects/ContentDocumentLink", Again),
        (of("downloadFile", json!({})), "GET", "/VersionData", Again),
    ]
}

fn automation() -> Vec<Row> {
    const APPROVALS: &str = "/process/approvals";
    let action = json!({"actionType": "apex", "actionName": "Open", "inputs": [{"name": "New"}]});
    let log = json!({"objectType": "Case", "quickActionName": "LogACall", "objectId": CASE, "record": {"Subject": "Called"}});
    let event = json!({"eventName": "Order__e", "body": {"Number__c": "1"}});
    let of_record = |name: &str| of(name, json!({"objectId": OPPORTUNITY}));
    let flow = json!({"flowName": "Open", "inputVariables": {"name": "New"}});
    vec![
        (of("startFlow", flow), "POST", "/actions/custom/flow", Unknown),
        (of("invokeAction", action), "POST", "/actions/custom/apex", Unknown),
        (of("apexRest", call("POST", "/Orders")), "POST", "/services/apexrest", Unknown),
        (of("apexRest", call("GET", "/Orders")), "GET", "/services/apexrest", Again),
        (of_record("submitForApproval"), "POST", APPROVALS, Unknown),
        (of_record("approve"), "POST", APPROVALS, Unknown),
        (of_record("reject"), "POST", APPROVALS, Unknown),
        (of("quickAction", log), "POST", "/quickActions", Unknown),
        (of("publishEvent", event), "POST", "/sobjects/Order__e", Unknown),
    ]
}

fn other() -> Vec<Row> {
    let start = (jiff::Timestamp::now() - jiff::SignedDuration::from_mins(5)).to_string();
    let since = |name: &str| account(name, json!({"start": start}));
    let graphql = |document: &str| of("graphql", json!({"query": document}));
    let mutation =
        "mutation { uiapi { AccountCreate(input: {Account: {Name: \"New\"}}) { Record { Id } } } }";
    let article = json!({"article": "how-to", "language": "en-US"});
    let report = |name: &str| of(name, json!({"reportId": "00O000000000001EAA"}));
    vec![
        (account("describeObject", json!({})), "GET", "/describe", Again),
        (of("describeGlobal", json!({})), "GET", "/sobjects", Again),
        (since("getUpdatedRecords"), "GET", "/updated", Again),
        (since("getDeletedRecords"), "GET", "/deleted", Again),
        (of("getRecentItems", json!({})), "GET", "/recent", Again),
        (of("getLimits", json!({})), "GET", "/limits", Again),
        (of("getUserInfo", json!({})), "GET", "/userinfo", Again),
        (graphql("{ uiapi { query { Account { totalCount } } } }"), "POST", "/graphql", Again),
        (graphql(mutation), "POST", "/graphql", Unknown),
        (of("getKnowledgeArticle", article), "GET", "/knowledgeArticles", Again),
        (report("runReport"), "GET", "/analytics", Again),
        (report("describeReport"), "GET", "/analytics", Again),
        (of("request", call("POST", "/sobjects/Account")), "POST", "/sobjects/Account", Unknown),
        (of("request", call("GET", "/limits")), "GET", "/limits", Again),
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
        "listViews": [{"id": "00B000000000001EAA", "developerName": "Recent", "label": "Recent", "object": "Account", "columns": ["Name"]}],
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
    fault: Option<(Fault, usize)>,
) -> (Vec<(&'static str, usize)>, usize, Outcome) {
    let bench = bench().await;
    let operation = prepared(&bench, operation).await;
    let before = bench.org.requests().len();
    if let Some((fault, times)) = fault {
        bench.org.faults().add(FaultRule::new(fault).method(method).path(path).times(times));
    }
    let outcome = bench.run(operation, &[]).await;
    let requests = &bench.org.requests()[before..];
    let calls = requests.iter().filter(|call| call.method == method && call.path.contains(path)).count();
    (effects(&bench.org), calls, outcome)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_operation_does_its_work_twice_when_an_answer_is_lost() {
    let rows = table().into_iter().map(|(operation, method, path, then)| async move {
        let (whole, calls, outcome) = done((operation.clone(), method, path), None).await;
        assert!(matches!(outcome, Outcome::Complete { .. }), "{operation}: {outcome:#?}");
        let lost = Some((Fault::CloseAfter, 1));
        let (after, made, outcome) = done((operation.clone(), method, path), lost).await;
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
    stream::iter(rows).map(tokio::spawn).buffer_unordered(AT_ONCE).for_each(async |row| row.unwrap()).await;
}

#[test]
fn the_table_has_every_operation_as_its_class_says() {
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

/// The first code that stands in an answer.
fn named(body: &Value) -> Option<&str> {
    let own = ["errorCode", "statusCode", "ErrorType"].into_iter().find_map(|name| body[name].as_str());
    own.or_else(|| match body {
        Value::Array(items) => items.iter().find_map(named),
        Value::Object(members) => members.values().find_map(named),
        _ => None,
    })
}

/// Several records or requests in one: what they document is our account, and how each is refused has tests of its own.
const ACCOUNTS: &[&str] = &["upsertRecords", "createRecords", "updateRecords", "deleteRecords", "bulkRun"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_refusal_that_an_operation_documents_is_what_a_process_gets() {
    let mut seen = BTreeSet::new();
    let rows = table().into_iter().filter_map(|(operation, method, path, _)| {
        let descriptor = ALL.iter().find(|one| operation["type"] == one.name).unwrap();
        if ACCOUNTS.contains(&descriptor.name) || !seen.insert(descriptor.name) {
            return None;
        }
        let (status, text) = descriptor.examples.refusal;
        let documented: Value = serde_json::from_str(text).unwrap();
        let expected = named(&documented).unwrap().to_owned();
        Some(async move {
            let refused = Some((Fault::Respond(Reply::new(status, text)), usize::MAX));
            let told = match done((operation.clone(), method, path), refused).await.2 {
                Outcome::Fail(failure) => failure.variables["error"].clone(),
                other => json!({"code": format!("{other:?}"), "errors": []}),
            };
            let errors = told["errors"].as_array().unwrap().iter();
            let mut codes = errors.map(|error| &error["errorCode"]).chain([&told["code"]]);
            assert!(codes.any(|code| *code == expected), "{operation}: {expected} is not in {told:#}");
        })
    });
    stream::iter(rows).map(tokio::spawn).buffer_unordered(AT_ONCE).for_each(async |row| row.unwrap()).await;
}
