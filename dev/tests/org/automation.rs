//! What the org does by itself, on the wire: Apex REST, actions, quick actions, approvals, events, GraphQL.

use salesforce_connector_dev::org::{DevOrg, Exception, Reply};
use serde_json::{Value, json};

use crate::client::Client;

async fn start(automation: Value) -> (DevOrg, Client) {
    let seed = json!({ "automation": automation });
    let org = DevOrg::builder()
        .seed(seed)
        .action("custom/apex/Fail", |apex| {
            apex.insert("Account", &json!({ "Name": "undone" }))?;
            Err(Exception::new("System.LimitException", "Too many SOQL queries: 101"))
        })
        .apex_rest("GET", "/Plain", |_| Ok(Reply::new(200, "text").header("content-type", "text/plain")))
        .start()
        .await
        .expect("a free port");
    let client = Client::login(&org).await;
    (org, client)
}

#[tokio::test]
async fn a_seed_describes_classes_and_actions_with_merge_fields() {
    let (org, client) = start(json!({
        "apexRest": [{ "method": "POST", "urlMapping": "/Cases/*", "status": 201, "does": {
            "creates": { "object": "Case", "fields": { "Subject": "{!subject}, by {!channel}" } },
            "outputs": { "caseId": "{!created.Id}", "at": "{!path}" } } }],
        "actions": [{ "name": "custom/flow/Sum", "inputs": [{ "name": "a", "required": true }], "does": {
            "outputs": { "sum": "{!a}" } } }],
    }))
    .await;
    let answer =
        client.call("POST", "/services/apexrest/Cases/new?channel=mail", r#"{"subject": "S"}"#).await;
    let case = org.records("Case").pop().expect("a case");
    assert_eq!(
        (answer.status, &answer.body["caseId"], &case["Subject"]),
        (201, &case["Id"], &json!("S, by mail"))
    );
    assert_eq!(answer.body["at"], "/Cases/new");
    assert!(answer.header("sforce-limit-info").is_some());

    let answer = client.call("POST", "actions/custom/flow/Sum", r#"{"inputs": [{"a": 5}, {}]}"#).await;
    assert_eq!((answer.status, &answer.body[0]["outputValues"]["sum"]), (200, &json!(5)));
    assert_eq!(answer.body[1]["errors"][0]["statusCode"], "INVALID_API_INPUT");
    assert_eq!(client.get("actions/custom/flow").await.body["actions"][0]["name"], "Sum");
    assert_eq!(client.get("actions/custom/flow/Sum").await.body["inputs"][0]["required"], true);
    assert_eq!(client.get("actions/custom/nothing").await.code(), "NOT_FOUND");
}

#[tokio::test]
async fn code_that_fails_undoes_what_it_did() {
    let (org, client) = start(Value::Null).await;
    let answer = client.call("POST", "actions/custom/apex/Fail", r#"{"inputs": [{}]}"#).await;
    assert_eq!((answer.status, &answer.body[0]["isSuccess"]), (400, &json!(false)));
    assert_eq!(org.records("Account").len(), 0);
    let answer = client.get("/services/apexrest/Plain").await;
    assert_eq!((answer.header("content-type"), answer.text.as_str()), (Some("text/plain"), "text"));
    assert_eq!(client.get("/services/apexrest/Other").await.message(), "Could not find a match for URL");
    assert_eq!(client.call("PUT", "/services/apexrest/Plain", "").await.status, 405);
}

#[tokio::test]
async fn approvals_are_listed_and_several_requests_have_results_of_their_own() {
    let (_org, client) =
        start(json!({ "approvalProcesses": [{ "name": "Check", "object": "Account" }] })).await;
    let id = client.create("Account", &json!({ "Name": "A" })).await;
    let listed = client.get("process/approvals/").await.body;
    assert_eq!(listed["approvals"]["Account"][0]["name"], "Check");
    let submit = json!({ "actionType": "Submit", "contextId": id });
    let answer =
        client.call("POST", "process/approvals", &json!({ "requests": [submit, submit] }).to_string()).await;
    assert_eq!((answer.status, &answer.body[0]["success"]), (200, &json!(true)));
    assert_eq!(answer.body[1]["errors"][0]["statusCode"], "ALREADY_IN_PROCESS");
    let soql = "SELECT+Actor.Username,ProcessInstance.Status+FROM+ProcessInstanceWorkitem";
    let waiting = client.get(&format!("query?q={soql}")).await.body;
    assert_eq!(waiting["records"][0]["ProcessInstance"]["Status"], "Pending");
    assert_eq!(client.get("process/rules/").await.body, json!({ "rules": {} }));
}

#[tokio::test]
async fn quick_actions_are_listed_where_they_belong() {
    let (_org, client) = start(json!({ "quickActions": [
        { "object": "Account", "name": "Call" }, { "name": "Global" }] }))
    .await;
    let names = |list: &Value| {
        list.as_array().expect("a list").iter().map(|one| one["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&client.get("sobjects/Account/quickActions").await.body), ["Call"]);
    assert_eq!(names(&client.get("quickActions").await.body), ["Global"]);
    assert_eq!(client.get("sobjects/Nothing/quickActions").await.code(), "NOT_FOUND");
    assert_eq!(client.call("POST", "sobjects/Account/quickActions/Global", "{}").await.code(), "NOT_FOUND");
}

#[tokio::test]
async fn mutations_of_graphql_need_a_version_that_has_them() {
    let (_org, mut client) = start(Value::Null).await;
    let mutation = json!({ "query": "mutation { uiapi { AccountCreate(input: {Account: {Name: \"A\"}}) { Record { Id } } } }" });
    client.version = "v65.0";
    let answer = client.call("POST", "graphql", &mutation.to_string()).await;
    let kind = &answer.body["errors"][0]["extensions"]["ErrorType"];
    assert_eq!((answer.status, kind), (200, &json!("OperationNotSupported")));
    client.version = "v66.0";
    let answer = client.call("POST", "graphql", &mutation.to_string()).await;
    assert_eq!(answer.body["errors"], json!([]));
}

#[tokio::test]
async fn a_wrong_seed_is_refused_with_its_place() {
    for (automation, part) in [
        (json!({ "flow": [] }), "unknown field `flow`"),
        (
            json!({ "apexRest": [{ "method": "GET", "urlMapping": "Orders" }] }),
            "urlMapping that starts with /",
        ),
        (json!({ "events": [{ "name": "Order" }] }), "a name that ends with __e"),
        (
            json!({ "approvalProcesses": [{ "name": "P", "object": "Nothing" }] }),
            "the org has no object Nothing",
        ),
    ] {
        let error = DevOrg::builder()
            .seed(json!({ "automation": automation }))
            .start()
            .await
            .expect_err("a wrong seed");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_lead_is_converted_once_into_account_contact_and_opportunity() {
    let seed = json!({
        "records": { "Lead": [{ "Id": "00QDv0000000017MAA", "LastName": "Byron", "Company": "Acme", "Email": "a@b.example" }] },
        "automation": { "actions": [{ "name": "custom/apex/ConvertLead", "inputs": [{ "name": "leadId" }, { "name": "name" }],
            "does": { "converts": { "lead": "{!leadId}", "opportunity": "{!name}" }, "outputs": { "is": "{!opportunityId}" } } }] },
    });
    let org = DevOrg::builder().seed(seed).start().await.expect("a free port");
    let client = Client::login(&org).await;
    let convert = async |id: &str| {
        let inputs = json!({ "inputs": [{ "leadId": id, "name": "Deal" }] }).to_string();
        client.call("POST", "actions/custom/apex/ConvertLead", &inputs).await
    };
    let answer = convert("00QDv0000000017MAA").await;
    let (lead, contact) = (org.records("Lead").remove(0), org.records("Contact").remove(0));
    assert_eq!((&lead["IsConverted"], &lead["Status"]), (&json!(true), &json!("Closed - Converted")));
    assert_eq!(lead["ConvertedContactId"], contact["Id"]);
    assert_eq!(contact["AccountId"], org.records("Account")[0]["Id"]);
    assert_eq!(answer.body[0]["outputValues"]["is"], org.records("Opportunity")[0]["Id"]);

    let again = convert("00QDv0000000017MAA").await;
    let message = again.body[0]["errors"][0]["message"].as_str().expect("a message");
    assert!(message.contains("first error: CANNOT_UPDATE_CONVERTED_LEAD, "), "{message}");
    let unknown = convert("00QDv0000000018MAA").await;
    assert_eq!((unknown.status, org.records("Account").len()), (400, 1));
}
