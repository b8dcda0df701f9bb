//! Requests inside a request: references, all or none, halting, limits.

use salesforce_connector_dev::org::DevOrg;
use serde_json::{Value, json};

use crate::client::{Answer, Client};

async fn start() -> (DevOrg, Client) {
    let org = DevOrg::start().await.expect("a free port");
    let client = Client::login(&org).await;
    (org, client)
}

fn url(below: &str) -> String {
    format!("/services/data/v67.0/{below}")
}

fn sub(method: &str, below: &str, name: &str, body: Value) -> Value {
    let mut sub = json!({ "method": method, "url": url(below), "referenceId": name });
    if !body.is_null() {
        sub["body"] = body;
    }
    sub
}

async fn composite(client: &Client, all_or_none: bool, subs: &[Value]) -> Answer {
    let body = json!({ "allOrNone": all_or_none, "compositeRequest": subs });
    client.call("POST", "composite", &body.to_string()).await
}

/// For each sub-request its status, and the code of its first error.
fn outcomes(answers: &Value) -> Vec<(u64, &str)> {
    let outcome = |answer: &'_ Value| answer["httpStatusCode"].as_u64().unwrap_or_default();
    let answers = answers.as_array().expect("answers").iter();
    answers.map(|answer| (outcome(answer), answer["body"][0]["errorCode"].as_str().unwrap_or("ok"))).collect()
}

#[tokio::test]
async fn later_requests_use_what_earlier_ones_gave() {
    let (org, client) = start().await;
    let subs = [
        sub("POST", "sobjects/Account", "account", json!({ "Name": "Acme" })),
        sub(
            "POST",
            "sobjects/Contact",
            "contact",
            json!({ "LastName": "Doe", "AccountId": "@{account.id}" }),
        ),
        sub("GET", "sobjects/Contact/@{contact.id}?fields=AccountId", "back", Value::Null),
    ];
    let answer = composite(&client, true, &subs).await;
    let answers = &answer.body["compositeResponse"];
    assert_eq!((answer.status, outcomes(answers)), (200, vec![(201, "ok"), (201, "ok"), (200, "ok")]));
    assert_eq!(answers[2]["body"]["AccountId"], answers[0]["body"]["id"]);
    let location = answers[0]["httpHeaders"]["Location"].as_str().expect("an address");
    assert_eq!(
        location,
        url(&format!("sobjects/Account/{}", org.records("Account")[0]["Id"].as_str().unwrap()))
    );
    assert_eq!(org.counters().api_requests, 1);
}

#[tokio::test]
async fn with_all_or_none_a_failure_takes_the_others_back() {
    let (org, client) = start().await;
    let id = org.insert("Account", json!({ "Name": "old" })).expect("a good record");
    let subs = [
        sub("PATCH", &format!("sobjects/Account/{id}"), "a", json!({ "Name": "new" })),
        sub("POST", "sobjects/Contact", "b", json!({ "FirstName": "no last name" })),
        sub("POST", "sobjects/Account", "c", json!({ "Name": "Acme" })),
    ];
    let answer = composite(&client, true, &subs).await;
    let answers = &answer.body["compositeResponse"];
    let halted = (400, "PROCESSING_HALTED");
    assert_eq!(outcomes(answers), [halted, (400, "REQUIRED_FIELD_MISSING"), halted]);
    let rolled_back =
        "The transaction was rolled back since another operation in the same transaction failed.";
    assert_eq!(answers[0]["body"][0]["message"], rolled_back);
    assert_eq!((org.records("Account").len(), &org.records("Account")[0]["Name"]), (1, &json!("old")));
}

#[tokio::test]
async fn without_it_only_what_depends_on_the_failure_is_not_done() {
    let (org, client) = start().await;
    let subs = [
        sub("POST", "sobjects/Account", "account", json!({ "Nam": "typo" })),
        sub(
            "POST",
            "sobjects/Contact",
            "contact",
            json!({ "LastName": "Doe", "AccountId": "@{account.id}" }),
        ),
        sub("POST", "sobjects/Contact", "other", json!({ "LastName": "Roe" })),
    ];
    let answer = composite(&client, false, &subs).await;
    let answers = &answer.body["compositeResponse"];
    assert_eq!(outcomes(answers), [(400, "INVALID_FIELD"), (400, "PROCESSING_HALTED"), (201, "ok")]);
    let message = "Invalid reference specified. No value for account.id found in account";
    assert_eq!(answers[1]["body"][0]["message"], message);
    assert_eq!(org.records("Contact").len(), 1);
}

#[tokio::test]
async fn what_makes_the_whole_call_wrong_refuses_it() {
    let (org, client) = start().await;
    let limits = |name: &str| sub("GET", "limits", name, Value::Null);
    let with = |member: &str, value: Value| {
        let mut sub = limits("a");
        sub[member] = value;
        vec![sub]
    };
    let many: Vec<Value> = (0..26).map(|number| limits(&format!("r{number}"))).collect();
    let queries: Vec<Value> = (0..6)
        .map(|number| sub("GET", "query?q=SELECT+Id+FROM+Account", &format!("q{number}"), Value::Null))
        .collect();
    for (subs, code) in [
        (vec![], "JSON_PARSER_ERROR"),
        (many, "LIMIT_EXCEEDED"),
        (queries, "LIMIT_EXCEEDED"),
        (vec![limits("a"), limits("a")], "INVALID_INPUT"),
        (with("referenceId", json!("a.b")), "INVALID_INPUT"),
        (with("referenceId", json!("_a")), "INVALID_INPUT"),
        (with("referenceId", Value::Null), "JSON_PARSER_ERROR"),
        (with("method", json!("get")), "JSON_PARSER_ERROR"),
        (with("url", json!("/v67.0/limits")), "INVALID_INPUT"),
        (with("httpHeaders", json!({ "Content-Type": "text/csv" })), "INVALID_INPUT"),
    ] {
        let answer = composite(&client, false, &subs).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{subs:?}");
    }
    let nested = [sub("POST", "composite", "a", json!({ "compositeRequest": [] }))];
    let answer = composite(&client, false, &nested).await;
    assert_eq!(outcomes(&answer.body["compositeResponse"]), [(400, "INVALID_INPUT")]);
    assert_eq!(client.get("composite").await.status, 405);
    assert!(org.records("Account").is_empty());
}

#[tokio::test]
async fn lists_of_records_may_be_part_of_it() {
    let (org, client) = start().await;
    let record = |name: &str| json!({ "attributes": { "type": "Account" }, "Name": name });
    let body = json!({ "records": [record("A"), record("B")] });
    let subs = [sub("POST", "composite/sobjects", "list", body)];
    let answer = composite(&client, true, &subs).await;
    assert_eq!(answer.body["compositeResponse"][0]["body"][1]["success"], true, "{}", answer.text);
    assert_eq!(org.records("Account").len(), 2);
}

#[tokio::test]
async fn a_batch_goes_on_after_a_failure_unless_it_halts() {
    let (org, client) = start().await;
    let create =
        |fields: Value| json!({ "method": "POST", "url": "v67.0/sobjects/Account", "richInput": fields });
    let batch = |halts: bool| {
        let subs =
            [create(json!({ "Name": "A" })), create(json!({ "Nam": "B" })), create(json!({ "Name": "C" }))];
        json!({ "haltOnError": halts, "batchRequests": subs }).to_string()
    };
    let statuses = |answer: &Answer| -> Vec<u64> {
        let results = answer.body["results"].as_array().expect("results").iter();
        results.map(|result| result["statusCode"].as_u64().unwrap_or_default()).collect()
    };
    let answer = client.call("POST", "composite/batch", &batch(false)).await;
    assert_eq!((answer.status, statuses(&answer)), (200, vec![201, 400, 201]));
    assert_eq!((&answer.body["hasErrors"], org.records("Account").len()), (&json!(true), 2));
    let answer = client.call("POST", "composite/batch", &batch(true)).await;
    assert_eq!((statuses(&answer), org.records("Account").len()), (vec![201, 400, 412], 3));
    assert_eq!(answer.body["results"][2]["result"][0]["errorCode"], "BATCH_PROCESSING_HALTED");
    assert_eq!(org.counters().api_requests, 2 + 3 + 2, "each sub-request that is carried out counts");
}

#[tokio::test]
async fn each_graph_is_done_as_a_whole_or_not_at_all() {
    let (org, client) = start().await;
    let graph = |id: &str, last_name: &str| {
        let nodes = [
            sub("POST", "sobjects/Account", "account", json!({ "Name": id })),
            sub(
                "POST",
                "sobjects/Contact",
                "contact",
                json!({ last_name: "Doe", "AccountId": "@{account.id}" }),
            ),
        ];
        json!({ "graphId": id, "compositeRequest": nodes })
    };
    let call = |graphs: Vec<Value>| json!({ "graphs": graphs }).to_string();
    let body = call(vec![graph("good", "LastName"), graph("bad", "LastNam")]);
    let answer = client.call("POST", "composite/graph", &body).await;
    let graphs = &answer.body["graphs"];
    assert_eq!((&graphs[0]["isSuccessful"], &graphs[1]["isSuccessful"]), (&json!(true), &json!(false)));
    let failed = &graphs[1]["graphResponse"]["compositeResponse"];
    assert_eq!(outcomes(failed), [(400, "PROCESSING_HALTED"), (400, "INVALID_FIELD")]);
    assert_eq!((org.records("Account").len(), org.records("Contact").len()), (1, 1));

    let twice = call(vec![graph("a", "LastName"), graph("a", "LastName")]);
    assert_eq!(client.call("POST", "composite/graph", &twice).await.code(), "INVALID_INPUT");
    let query = sub("GET", "query?q=SELECT+Id+FROM+Account", "q", Value::Null);
    let query = call(vec![json!({ "graphId": "q", "compositeRequest": [query] })]);
    assert_eq!(client.call("POST", "composite/graph", &query).await.code(), "INVALID_INPUT");
    let old = Client { version: "v49.0", ..client };
    assert_eq!(old.call("POST", "composite/graph", &call(vec![graph("a", "LastName")])).await.status, 404);
}

#[tokio::test]
async fn a_tree_creates_records_with_those_below_them() {
    let (org, client) = start().await;
    let contact = json!({ "attributes": { "type": "Contact", "referenceId": "c1" }, "LastName": "Doe" });
    let child = json!({ "attributes": { "type": "Account", "referenceId": "a2" }, "Name": "Below" });
    let account = json!({ "attributes": { "type": "Account", "referenceId": "a1" }, "Name": "Acme",
        "Contacts": { "records": [contact] }, "ChildAccounts": { "records": [child] } });
    let body = json!({ "records": [account] }).to_string();
    let answer = client.call("POST", "composite/tree/Account", &body).await;
    assert_eq!((answer.status, &answer.body["hasErrors"]), (201, &json!(false)), "{}", answer.text);
    let id = |name: &str| {
        let results = answer.body["results"].as_array().expect("results");
        results.iter().find(|result| result["referenceId"] == name).expect("a result")["id"].clone()
    };
    let accounts = org.records("Account");
    assert_eq!((accounts.len(), &accounts[1]["ParentId"]), (2, &id("a1")));
    assert_eq!(
        (&org.records("Contact")[0]["AccountId"], &org.records("Contact")[0]["Id"]),
        (&id("a1"), &id("c1"))
    );
}

#[tokio::test]
async fn a_tree_with_a_refused_record_creates_nothing() {
    let (org, client) = start().await;
    let account = |name: &str, below: Value| {
        json!({ "attributes": { "type": "Account", "referenceId": name }, "Name": name,
            "Contacts": { "records": below } })
    };
    let contact = |name: &str, fields: Value| json!({ "attributes": { "type": "Contact", "referenceId": name }, "LastName": fields });
    let nested = (0..5).fold(account("leaf", json!([])), |below, level| {
        json!({ "attributes": { "type": "Account", "referenceId": format!("l{level}") }, "Name": "N",
            "ChildAccounts": { "records": [below] } })
    });
    for (records, name, code) in [
        (vec![account("a", json!([contact("c", Value::Null)]))], "c", "REQUIRED_FIELD_MISSING"),
        (vec![account("a", json!([])), account("a", json!([]))], "a", "INVALID_INPUT"),
        (vec![account("a", json!([account("b", json!([]))]))], "b", "INVALID_INPUT"),
        (vec![contact("c", json!("Doe"))], "c", "INVALID_INPUT"),
        (vec![nested], "leaf", "INVALID_INPUT"),
        (vec![], "", "INVALID_INPUT"),
    ] {
        let body = json!({ "records": records }).to_string();
        let answer = client.call("POST", "composite/tree/Account", &body).await;
        let result = &answer.body["results"][0];
        assert_eq!((answer.status, &answer.body["hasErrors"]), (400, &json!(true)), "{}", answer.text);
        assert_eq!(
            (&result["referenceId"], &result["errors"][0]["statusCode"]),
            (&json!(name), &json!(code))
        );
    }
    assert!(org.records("Account").is_empty() && org.records("Contact").is_empty());
    assert_eq!(client.call("POST", "composite/tree/Nonsense", "{}").await.status, 404);
    assert_eq!(client.get("composite/tree/Account").await.status, 405);
}
