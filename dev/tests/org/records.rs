use salesforce_connector_dev::org::DevOrg;
use serde_json::{Value, json};

use crate::client::{Answer, Client};

async fn start() -> (DevOrg, Client) {
    let org = DevOrg::start().await.expect("a free port");
    let client = Client::login(&org).await;
    (org, client)
}

async fn refused(client: &Client, object: &str, body: &Value) -> Answer {
    let answer = client.call("POST", &format!("sobjects/{object}"), &body.to_string()).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    answer
}

#[tokio::test]
async fn a_record_is_created_read_changed_and_deleted() {
    let (_org, client) = start().await;
    let created =
        client.call("POST", "sobjects/account/", r#"{"name":"Acme","annualRevenue":1234567.125}"#).await;
    assert_eq!((created.status, &created.body["errors"]), (201, &json!([])));
    let id = created.body["id"].as_str().unwrap();
    assert!(id.len() == 18 && id.starts_with("001"));
    let path = format!("sobjects/Account/{id}");
    assert_eq!(created.header("location"), Some(format!("/services/data/v67.0/{path}").as_str()));

    let read = client.get(&format!("{path}/?fields=Name,AnnualRevenue,CreatedDate")).await;
    assert_eq!(
        read.body["attributes"],
        json!({ "type": "Account", "url": format!("/services/data/v67.0/{path}") })
    );
    assert!(read.text.contains(r#""Name":"Acme","AnnualRevenue":1234567.125,"#), "{}", read.text);
    assert!(read.body["CreatedDate"].as_str().unwrap().ends_with(".000+0000"));
    assert_eq!(read.header("content-type"), Some("application/json;charset=UTF-8"));

    assert_eq!(
        client.call("PATCH", &path, r#"{"Industry":"Energy","AnnualRevenue":null}"#).await.status,
        204
    );
    let whole = client.get(&format!("sobjects/Account/{}", &id[..15])).await.body;
    assert_eq!(
        (&whole["Industry"], &whole["AnnualRevenue"], &whole["IsDeleted"]),
        (&json!("Energy"), &Value::Null, &json!(false))
    );
    assert!(whole["OwnerId"].as_str().unwrap().starts_with("005"));

    let deleted = client.call("DELETE", &path, "").await;
    assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
    for method in ["GET", "DELETE"] {
        let gone = client.call(method, &path, "").await;
        assert_eq!((gone.status, gone.code()), (404, "ENTITY_IS_DELETED"));
    }
}

#[tokio::test]
async fn what_is_not_there_is_404_in_salesforces_words() {
    let (_org, client) = start().await;
    let object = client.get("sobjects/Nothing__c/describe").await;
    assert_eq!(
        (object.status, object.code(), object.message()),
        (404, "NOT_FOUND", "The requested resource does not exist")
    );
    let name = client.get("sobjects/Account/23foo").await;
    assert_eq!(name.message(), "Provided external ID field does not exist or is not accessible: 23foo");
    let field = client.call("PATCH", "sobjects/Account/Namez/x", "{}").await;
    assert_eq!(
        (field.status, field.message()),
        (404, "Provided external ID field does not exist or is not accessible: Namez")
    );
    assert_eq!(client.get("sobjects/Account/001Dv0000000zzzA9A").await.code(), "MALFORMED_ID");
    assert_eq!(client.get("sobjects/Account/001Dv0000000zzz").await.code(), "NOT_FOUND");
    assert_eq!(client.get("sobjects/Account/003Dv0000000zzz").await.code(), "MALFORMED_ID");
    let method = client.call("PUT", "sobjects/Account", "{}").await;
    assert_eq!((method.status, method.code()), (405, "METHOD_NOT_ALLOWED"));
}

/// An object, a body for it, the errorCode and the message.
fn wrong_bodies() -> [(&'static str, Value, &'static str, &'static str); 8] {
    [
        (
            "Account",
            json!({ "Name": "A", "foo": 1 }),
            "INVALID_FIELD",
            "No such column 'foo' on sobject of type Account",
        ),
        (
            "Contact",
            json!({ "FirstName": "A" }),
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [LastName]",
        ),
        ("Lead", json!({}), "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName, Company]"),
        (
            "Contact",
            json!({ "LastName": "A", "Email": "nobody" }),
            "INVALID_EMAIL_ADDRESS",
            "Email: invalid email address: nobody",
        ),
        (
            "Account",
            json!({ "Name": "A", "CleanStatus": "Dirty" }),
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Clean Status: bad value for restricted picklist field: Dirty",
        ),
        (
            "Account",
            json!({ "Name": 5 }),
            "JSON_PARSER_ERROR",
            "Cannot deserialize instance of string from VALUE_NUMBER_INT value 5 or request may be missing a required field at [line:1, column:9]",
        ),
        (
            "Account",
            json!({ "Name": "A", "ParentId": "abc" }),
            "MALFORMED_ID",
            "Parent Account ID: id value of incorrect type: abc",
        ),
        (
            "Account",
            json!({ "Name": "A", "ParentId": "001Dv0000000zzz" }),
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
        ),
    ]
}

#[tokio::test]
async fn a_wrong_body_is_refused_with_the_code_that_salesforce_uses() {
    let (_org, client) = start().await;
    for (object, body, code, message) in wrong_bodies() {
        let answer = refused(&client, object, &body).await;
        assert_eq!((answer.code(), answer.message()), (code, message));
    }
    let audit = refused(&client, "Account", &json!({ "Name": "A", "CreatedDate": "2020-01-01" })).await;
    assert_eq!(
        (audit.code(), &audit.body[0]["fields"]),
        ("INVALID_FIELD_FOR_INSERT_UPDATE", &json!(["CreatedDate"]))
    );
    let long = refused(&client, "Account", &json!({ "Name": "A", "TickerSymbol": "x".repeat(21) })).await;
    assert_eq!((long.code(), &long.body[0]["fields"]), ("STRING_TOO_LONG", &json!(["TickerSymbol"])));
    assert!(long.message().ends_with("(max length=20)"));
    let broken = client.call("POST", "sobjects/Account", "{\"Name\": }").await;
    assert_eq!((broken.status, broken.code()), (400, "JSON_PARSER_ERROR"));
    let form =
        client.try_send("POST", "sobjects/Account", &[("content-type", "text/plain")], "").await.unwrap();
    assert_eq!(form.status, 415);
}

#[tokio::test]
async fn a_second_value_for_a_unique_field_names_the_first_record() {
    let (_org, client) = start().await;
    let id = client.create("Case", &json!({ "Subject": "a", "External_Key__c": "K-1" })).await;
    let answer = refused(&client, "Case", &json!({ "External_Key__c": "k-1" })).await;
    let expected =
        format!("duplicate value found: External_Key__c duplicates value on record with id: {}", &id[..15]);
    assert_eq!((answer.code(), answer.message()), ("DUPLICATE_VALUE", expected.as_str()));
}

#[tokio::test]
async fn an_upsert_says_whether_it_created() {
    let (org, mut client) = start().await;
    let path = "sobjects/Account/External_Key__c/order%2F1%20%C3%A4";
    let first = client.call("PATCH", path, r#"{"Name":"One"}"#).await;
    assert_eq!(
        (first.status, &first.body["created"], &first.body["errors"]),
        (201, &json!(true), &json!([]))
    );
    let second = client.call("PATCH", path, r#"{"Name":"Two"}"#).await;
    assert_eq!(
        (second.status, &second.body["created"], &second.body["id"]),
        (200, &json!(false), &first.body["id"])
    );
    client.version = "v45.0";
    let third = client.call("PATCH", path, r#"{"Name":"Three"}"#).await;
    assert_eq!((third.status, third.text.as_str()), (204, ""));
    let records = org.records("Account");
    assert_eq!(
        (records.len(), &records[0]["Name"], &records[0]["External_Key__c"]),
        (1, &json!("Three"), &json!("order/1 ä"))
    );
    let key_in_body = client.call("PATCH", path, r#"{"External_Key__c":"x"}"#).await;
    assert_eq!(
        key_in_body.message(),
        "The External_Key__c field should not be specified in the sobject data."
    );
    assert_eq!(client.get(&format!("{path}?fields=Name")).await.body["Name"], "Three");
    assert_eq!(client.call("DELETE", path, "").await.status, 204);
    assert_eq!(client.get(path).await.code(), "NOT_FOUND");
    assert_eq!(client.call("PATCH", path, r#"{"Name":"Four"}"#).await.status, 201);
}

#[tokio::test]
async fn an_external_id_that_is_not_unique_gives_choices() {
    let (_org, client) = start().await;
    for _ in 0..2 {
        client.create("Contact", &json!({ "LastName": "A", "Email": "a@example.com" })).await;
    }
    let answer = client.call("PATCH", "sobjects/Contact/Email/A@example.com", r#"{"LastName":"B"}"#).await;
    assert_eq!((answer.status, answer.body.as_array().unwrap().len()), (300, 2));
    assert!(answer.body[0].as_str().unwrap().starts_with("/services/data/v67.0/sobjects/Contact/003"));
}

#[tokio::test]
async fn relationships_lead_to_parents_and_children() {
    let (_org, client) = start().await;
    let account = client.create("Account", &json!({ "Name": "Acme", "External_Key__c": "acme" })).await;
    let contact = client
        .create("Contact", &json!({ "LastName": "Doe", "Account": { "External_Key__c": "ACME" } }))
        .await;
    let parent = client.get(&format!("sobjects/Contact/{contact}/Account?fields=Name")).await;
    assert_eq!((parent.status, &parent.body["Name"]), (200, &json!("Acme")));
    let deep = client.get(&format!("sobjects/Contact/{contact}/Account/Owner?fields=LastName")).await;
    assert_eq!(deep.body["LastName"], "User");
    let children = client.get(&format!("sobjects/Account/{account}/Contacts?fields=LastName")).await;
    assert_eq!(
        (&children.body["totalSize"], &children.body["records"][0]["LastName"]),
        (&json!(1), &json!("Doe"))
    );
    assert_eq!(client.get(&format!("sobjects/Account/{account}/Parent")).await.status, 404);
    assert_eq!(client.call("DELETE", &format!("sobjects/Account/{account}"), "").await.status, 204);
    assert_eq!(client.get(&format!("sobjects/Contact/{contact}")).await.code(), "ENTITY_IS_DELETED");
}

#[tokio::test]
async fn a_duplicate_rule_refuses_until_the_client_insists() {
    let seed = json!({ "duplicateRules": [{ "name": "By_Email", "object": "Contact", "fields": ["Email"] }],
        "records": { "Contact": [{ "LastName": "First", "Email": "x@example.com" }] } });
    let org = DevOrg::builder().seed(seed).start().await.unwrap();
    let client = Client::login(&org).await;
    let body = json!({ "LastName": "Second", "Email": "X@example.com" });
    let answer = refused(&client, "Contact", &body).await;
    assert_eq!(answer.code(), "DUPLICATES_DETECTED");
    let result = &answer.body[0]["duplicateResult"];
    assert_eq!(
        (&result["duplicateRule"], &result["matchResults"][0]["size"]),
        (&json!("By_Email"), &json!(1))
    );
    let insist = [("sforce-duplicate-rule-header", "allowSave=true")];
    let saved = client.try_send("POST", "sobjects/Contact", &insist, &body.to_string()).await.unwrap();
    assert_eq!(saved.status, 201);
}

#[tokio::test]
async fn salesforce_fills_what_follows_from_other_fields() {
    let (_org, client) = start().await;
    let id = client.create("Case", &json!({ "Subject": "Broken", "Status": "Closed" })).await;
    let case = client.get(&format!("sobjects/Case/{id}")).await.body;
    assert_eq!(
        (&case["CaseNumber"], &case["IsClosed"], &case["Priority"]),
        (&json!("00000001"), &json!(true), &json!("Medium"))
    );
    assert!(case["ClosedDate"].is_string());
    let deal = json!({ "Name": "Deal", "StageName": "Closed Won", "CloseDate": "2026-05-04", "Amount": 100 });
    let id = client.create("Opportunity", &deal).await;
    let deal = client.get(&format!("sobjects/Opportunity/{id}")).await.body;
    assert_eq!(
        (&deal["IsWon"], &deal["Probability"], &deal["Fiscal"]),
        (&json!(true), &json!(100), &json!("2026 2"))
    );
    let id = client.create("Contact", &json!({ "FirstName": "Ada", "LastName": "Lovelace" })).await;
    assert_eq!(client.get(&format!("sobjects/Contact/{id}")).await.body["Name"], "Ada Lovelace");
}

#[tokio::test]
async fn cases_and_tasks_belong_to_the_account_behind_them() {
    let (org, client) = start().await;
    let account = client.create("Account", &json!({ "Name": "Acme" })).await;
    let contact = json!({ "LastName": "Doe", "Email": "d@example.com", "AccountId": account });
    let contact = client.create("Contact", &contact).await;
    let case = client.create("Case", &json!({ "ContactId": contact })).await;
    client.create("Task", &json!({ "Subject": "Call", "WhatId": case, "Priority": "High" })).await;
    client.create("Task", &json!({ "Subject": "Call", "WhoId": contact })).await;
    let case = org.records("Case").remove(0);
    assert_eq!((&case["AccountId"], &case["ContactEmail"]), (&json!(account), &json!("d@example.com")));
    let tasks = org.records("Task");
    assert_eq!((&tasks[0]["AccountId"], &tasks[0]["IsHighPriority"]), (&json!(account), &json!(true)));
    assert_eq!(tasks[1]["AccountId"], account);
    let refused = client.call("DELETE", &format!("sobjects/Account/{account}"), "").await;
    assert_eq!((refused.status, refused.code()), (400, "DELETE_FAILED"));
    // Nothing went with the account, although its contacts would have.
    assert_eq!((org.records("Contact").len(), org.records("Account").len()), (1, 1));
}

#[tokio::test]
async fn a_seed_brings_objects_fields_and_records() {
    let seed = json!({
        "objects": [{ "name": "Invoice__c", "keyPrefix": "a00", "fields": [
            { "name": "Number__c", "type": "double", "externalId": true, "unique": true },
            { "name": "Account__c", "type": "reference", "referenceTo": ["Account"], "childRelationshipName": "Invoices__r" }] }],
        "fields": { "Account": [{ "name": "Tier__c", "type": "picklist", "picklistValues": ["Gold"], "restrictedPicklist": true }] },
        "records": { "Account": [{ "Name": "Acme", "External_Key__c": "acme", "Tier__c": "Gold" }],
            "Invoice__c": [{ "Number__c": 7, "Account__r": { "External_Key__c": "acme" } }] } });
    let org = DevOrg::builder().seed(seed).start().await.unwrap();
    let client = Client::login(&org).await;
    let invoice = client.get("sobjects/invoice__c/number__c/7.0").await;
    assert!(invoice.body["Id"].as_str().unwrap().starts_with("a00"), "{}", invoice.text);
    let account = client.get("sobjects/Invoice__c/Number__c/7").await.body["Account__c"].clone();
    let described = client.get("sobjects/Account/describe").await.body;
    let fields = described["fields"].as_array().unwrap();
    assert!(fields.iter().any(|field| field["name"] == "Tier__c" && field["custom"] == true));
    assert_eq!(org.records("Account")[0]["Id"], account);
    let wrong =
        DevOrg::builder().seed(json!({ "records": { "Contact": [{ "FirstName": "x" }] } })).start().await;
    let error = wrong.unwrap_err().to_string();
    assert_eq!(
        error,
        "seed: at records.Contact[0]: REQUIRED_FIELD_MISSING: Required fields are missing: [LastName]"
    );
}

#[tokio::test]
async fn a_changed_key_is_found_by_its_new_value_only() {
    let (org, client) = start().await;
    let id = client.create("Account", &json!({ "Name": "A", "External_Key__c": "old" })).await;
    let path = format!("sobjects/Account/{id}");
    assert_eq!(client.call("PATCH", &path, r#"{"External_Key__c":"new"}"#).await.status, 204);
    assert_eq!(client.get("sobjects/Account/External_Key__c/old").await.status, 404);
    assert_eq!(client.get("sobjects/Account/External_Key__c/NEW?fields=Id").await.body["Id"], id);
    client.create("Account", &json!({ "Name": "B", "External_Key__c": "old" })).await;
    let clash = client.call("PATCH", &path, r#"{"External_Key__c":"OLD"}"#).await;
    assert_eq!((clash.status, clash.code()), (400, "DUPLICATE_VALUE"));
    assert_eq!(org.records("Account")[0]["External_Key__c"], "new");
}

#[tokio::test]
async fn concurrent_upserts_of_one_key_make_one_record() {
    let (org, client) = start().await;
    let client = std::sync::Arc::new(client);
    let calls = (0..20).map(|_| {
        let client = std::sync::Arc::clone(&client);
        tokio::spawn(async move {
            client
                .call("PATCH", "sobjects/Lead/External_Key__c/k", r#"{"LastName":"L","Company":"C"}"#)
                .await
                .status
        })
    });
    let mut created = 0;
    for call in calls.collect::<Vec<_>>() {
        created += usize::from(call.await.unwrap() == 201);
    }
    assert_eq!((created, org.records("Lead").len()), (1, 1));
}

#[tokio::test]
async fn an_address_that_is_too_long_is_refused_at_the_edge() {
    let (_org, client) = start().await;
    let answer = client.get(&format!("query?q={}", "x".repeat(17_000))).await;
    assert_eq!((answer.status, answer.header("content-type")), (414, Some("text/html;charset=iso-8859-1")));
    let padding = "x".repeat(17_000);
    let answer = client.try_send("GET", "limits", &[("x-padding", &padding)], "").await.unwrap();
    assert_eq!(answer.status, 431);
}

#[tokio::test]
async fn an_assignment_rule_names_the_owner_unless_the_save_says_otherwise() {
    const QUEUE: &str = "00GDv0000000017MAA";
    let seed = json!({
        "records": { "Group": [{ "Id": QUEUE, "Name": "Hotline", "Type": "Queue" }] },
        "assignmentRules": [
            { "id": "01QDv0000000017MAA", "object": "Case", "active": true, "entries": [
                { "criteria": { "Origin": "Phone" }, "owner": QUEUE }] },
            { "id": "01QDv0000000018MAA", "object": "Case", "entries": [{ "owner": QUEUE }] }],
    });
    let org = DevOrg::builder().seed(seed).start().await.expect("a free port");
    let client = Client::login(&org).await;
    let open = async |origin: &str, rule: Option<&str>| {
        let headers: Vec<_> = rule.map(|rule| ("Sforce-Auto-Assign", rule)).into_iter().collect();
        let body = json!({ "Subject": "S", "Origin": origin }).to_string();
        let answer = client.try_send("POST", "sobjects/Case", &headers, &body).await.expect("an answer");
        let case = org.records("Case").pop();
        (answer.status, case.is_some_and(|case| case["OwnerId"] == QUEUE), answer)
    };
    for (origin, rule, is_assigned) in [
        ("Phone", None, true),
        ("Phone", Some("true"), true),
        ("Phone", Some("FALSE"), false),
        ("Email", None, false),
        ("Email", Some("01QDv0000000018"), true),
    ] {
        let (status, assigned, _) = open(origin, rule).await;
        assert_eq!((status, assigned), (201, is_assigned), "{origin}, {rule:?}");
    }
    let (status, _, answer) = open("Phone", Some("01QDv0000000099MAA")).await;
    assert_eq!((status, answer.code()), (400, "INVALID_CROSS_REFERENCE_KEY"));

    // An update by the API is assigned anew as well.
    let mail = org.insert("Case", json!({ "Subject": "S", "Origin": "Email" })).expect("it is valid");
    client.call("PATCH", &format!("sobjects/Case/{mail}"), r#"{"Origin": "Phone"}"#).await;
    assert_eq!(org.records("Case").pop().expect("a case")["OwnerId"], QUEUE);
}
