use salesforce_connector_dev::org::DevOrg;
use serde_json::{Value, json};

use crate::client::{Answer, Client};

/// Three accounts, two contacts, three deals, and a custom object below Account.
async fn start() -> (DevOrg, Client) {
    let seed = json!({
        "objects": [{ "name": "Invoice__c", "keyPrefix": "a00", "fields": [
            { "name": "Total__c", "type": "currency" },
            { "name": "Tags__c", "type": "multipicklist", "picklistValues": ["red", "green", "blue"] },
            { "name": "Account__c", "type": "reference", "referenceTo": ["Account"], "childRelationshipName": "Invoices__r" }] }],
        "records": {
            "Account": [
                { "Name": "Acme", "Industry": "Energy", "AnnualRevenue": 100.10, "External_Key__c": "acme",
                  "BillingCity": "Bonn", "BillingLatitude": 50.73, "BillingLongitude": 7.1, "CreatedDate": "2020-01-15T08:00:00Z" },
                { "Name": "bravo", "Industry": "Energy", "AnnualRevenue": 200.20, "Website": "https://b.example" },
                { "Name": "Charlie 100%", "Industry": null, "ParentId": null }],
            "Contact": [
                { "LastName": "Adams", "Email": "a@example.com", "Account": { "External_Key__c": "acme" } },
                { "LastName": "Baker", "Account": { "External_Key__c": "acme" } }],
            "Opportunity": [
                { "Name": "One", "StageName": "Prospecting", "CloseDate": "2026-01-10", "Amount": 10, "Account": { "External_Key__c": "acme" } },
                { "Name": "Two", "StageName": "Closed Won", "CloseDate": "2026-04-10", "Amount": 0.1, "Account": { "External_Key__c": "acme" } },
                { "Name": "Three", "StageName": "Closed Won", "CloseDate": "2025-04-10", "Amount": 0.2 }],
            "Task": [{ "Subject": "Call", "What": { "External_Key__c": "acme" } }, { "Subject": "Idle" }],
            "Invoice__c": [
                { "Total__c": 5, "Tags__c": "red;blue", "Account__r": { "External_Key__c": "acme" } },
                { "Total__c": 7, "Tags__c": "green" }] } });
    let org = DevOrg::builder().seed(seed).start().await.expect("a good seed");
    let client = Client::login(&org).await;
    (org, client)
}

fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

async fn ask(client: &Client, soql: &str) -> Answer {
    client.get(&format!("query?q={}", encode(soql))).await
}

async fn records(client: &Client, soql: &str) -> Vec<Value> {
    let answer = ask(client, soql).await;
    assert_eq!(answer.status, 200, "{soql}: {}", answer.text);
    assert_eq!(answer.body["done"], true);
    answer.body["records"].as_array().expect("records").clone()
}

/// The values of one field, joined by commas.
async fn column(client: &Client, soql: &str, field: &str) -> String {
    let records = records(client, soql).await;
    records
        .iter()
        .map(|record| record[field].as_str().map_or_else(|| record[field].to_string(), str::to_owned))
        .collect::<Vec<_>>()
        .join(",")
}

#[tokio::test]
async fn conditions_choose_records_as_salesforce_does() {
    let (_org, client) = start().await;
    let cases = [
        ("Name = 'ACME'", "Acme"),
        ("Name != 'acme'", "bravo,Charlie 100%"),
        ("Industry != 'Energy'", "Charlie 100%"),
        ("Industry = null", "Charlie 100%"),
        ("Industry = ''", "Charlie 100%"),
        ("Name > 'b'", "bravo,Charlie 100%"),
        ("Name LIKE '%A%'", "Acme,bravo,Charlie 100%"),
        (r"Name LIKE '%100\%'", "Charlie 100%"),
        ("Name LIKE '_cme'", "Acme"),
        ("NOT Name LIKE 'a%'", "bravo,Charlie 100%"),
        ("Name IN ('acme', 'Bravo')", "Acme,bravo"),
        ("Name NOT IN ('acme', 'Bravo')", "Charlie 100%"),
        ("(Name = 'acme' OR Name = 'bravo') AND AnnualRevenue >= 200.2", "bravo"),
        ("AnnualRevenue = 100.1", "Acme"),
        ("AnnualRevenue > USD150", "bravo"),
        ("CreatedDate < 2020-01-15T09:00:00+01:00", ""),
        ("CreatedDate <= 2020-01-15T09:00:00+01:00", "Acme"),
        ("CreatedDate = TODAY", "bravo,Charlie 100%"),
        ("CreatedDate < LAST_N_DAYS:3", "Acme"),
        ("CALENDAR_YEAR(CreatedDate) = 2020", "Acme"),
        ("IsDeleted = false AND Owner.LastName = 'user'", "Acme,bravo,Charlie 100%"),
        ("External_Key__c = 'ACME'", "Acme"),
        ("DISTANCE(BillingAddress, GEOLOCATION(50.7, 7.1), 'km') < 5", "Acme"),
        ("Id IN (SELECT AccountId FROM Contact WHERE LastName LIKE 'a%')", "Acme"),
        ("Id NOT IN (SELECT AccountId FROM Contact)", "bravo,Charlie 100%"),
        ("Id IN (SELECT AccountId FROM Contact) AND Name = 'x'", ""),
    ];
    for (condition, names) in cases {
        let soql = format!("SELECT Name FROM Account WHERE {condition}");
        assert_eq!(column(&client, &soql, "Name").await, names, "{condition}");
    }
    let tags = "SELECT Total__c FROM Invoice__c WHERE Tags__c";
    assert_eq!(column(&client, &format!("{tags} INCLUDES ('red;blue', 'x')"), "Total__c").await, "5");
    assert_eq!(column(&client, &format!("{tags} EXCLUDES ('red')"), "Total__c").await, "7");
}

#[tokio::test]
async fn records_are_ordered_limited_and_shifted() {
    let (_org, client) = start().await;
    let names = |rest: &str| format!("SELECT Name FROM Account {rest}");
    for (rest, expected) in [
        ("ORDER BY Name DESC", "Charlie 100%,bravo,Acme"),
        ("ORDER BY Industry, Name DESC", "Charlie 100%,bravo,Acme"),
        ("ORDER BY Industry DESC NULLS LAST, AnnualRevenue DESC", "bravo,Acme,Charlie 100%"),
        ("ORDER BY Name LIMIT 1 OFFSET 1", "bravo"),
        ("OFFSET 2", "Charlie 100%"),
        ("LIMIT 0", ""),
    ] {
        assert_eq!(column(&client, &names(rest), "Name").await, expected, "{rest}");
    }
    let stages = column(&client, "SELECT StageName FROM Opportunity ORDER BY StageName", "StageName").await;
    assert_eq!(stages, "Prospecting,Closed Won,Closed Won");
}

#[tokio::test]
async fn names_come_back_as_the_schema_spells_them() {
    let (_org, client) = start().await;
    let records = records(
        &client,
        "select id, account.owner.name, ACCOUNT.name from contact c where c.lastname = 'Adams'",
    )
    .await;
    let record = records[0].as_object().unwrap();
    assert_eq!(record.keys().collect::<Vec<_>>(), ["attributes", "Id", "Account"]);
    let account = &record["Account"];
    assert_eq!((&account["attributes"]["type"], &account["Name"]), (&json!("Account"), &json!("Acme")));
    assert_eq!(account["Owner"]["Name"], "Integration User");
    assert!(
        record["attributes"]["url"]
            .as_str()
            .unwrap()
            .starts_with("/services/data/v67.0/sobjects/Contact/003")
    );
    assert_eq!(
        ask(&client, "SELECT Account.Name FROM Opportunity WHERE Name = 'Three'").await.body["records"][0]["Account"],
        Value::Null
    );
}

#[tokio::test]
async fn children_are_query_results_of_their_own() {
    let (_org, client) = start().await;
    let soql = "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName DESC), (SELECT Total__c FROM Invoices__r) FROM Account ORDER BY Name";
    let records = records(&client, soql).await;
    let contacts = &records[0]["Contacts"];
    assert_eq!((&contacts["totalSize"], &contacts["done"]), (&json!(2), &json!(true)));
    assert_eq!(contacts["records"][0]["LastName"], "Baker");
    assert_eq!(records[0]["Invoices__r"]["records"][0]["Total__c"], 5);
    assert_eq!(records[1]["Contacts"], Value::Null);
}

#[tokio::test]
async fn fields_of_a_parent_depend_on_its_type() {
    let (_org, client) = start().await;
    let soql = "SELECT Subject, TYPEOF What WHEN Account THEN Name, Industry ELSE Name END, What.Type FROM Task ORDER BY Subject";
    let tasks = records(&client, soql).await;
    assert_eq!((&tasks[0]["What"]["Industry"], &tasks[1]["What"]), (&json!("Energy"), &Value::Null));
    let all = records(&client, "SELECT FIELDS(ALL) FROM Account LIMIT 1").await;
    assert_eq!(all[0]["BillingAddress"]["city"], "Bonn");
    assert!(all[0].as_object().unwrap().contains_key("External_Key__c"));
    let custom = records(&client, "SELECT FIELDS(CUSTOM) FROM Account LIMIT 1").await;
    assert_eq!(custom[0].as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn aggregates_are_exact_and_shaped_as_recorded() {
    let (_org, client) = start().await;
    let count = ask(&client, "SELECT COUNT() FROM Account WHERE Industry = 'Energy'").await;
    assert_eq!(count.body, json!({ "totalSize": 2, "done": true, "records": [] }));
    let answer = ask(
        &client,
        "select count(Id), sum(Amount) total, avg(Amount), min(CloseDate), max(Name) from Opportunity",
    )
    .await;
    let expected =
        r#""records":[{"attributes":{"type":"AggregateResult"},"expr0":3,"total":10.3,"expr1":3.433"#;
    assert!(answer.text.contains(expected), "{}", answer.text);
    assert!(answer.text.contains(r#""expr2":"2025-04-10","expr3":"Two"}"#), "{}", answer.text);
    let groups = "SELECT StageName, CALENDAR_YEAR(CloseDate) year, SUM(Amount) FROM Opportunity \
        GROUP BY StageName, CALENDAR_YEAR(CloseDate) HAVING SUM(Amount) < 5 AND StageName LIKE 'closed%' ORDER BY SUM(Amount) DESC";
    let groups = records(&client, groups).await;
    assert_eq!((groups.len(), &groups[0]["year"], &groups[0]["expr0"]), (2, &json!(2025), &json!(0.2)));
    let distinct = records(&client, "SELECT COUNT_DISTINCT(Account.Name) FROM Opportunity").await;
    assert_eq!(distinct[0]["expr0"], 1);
    let none = records(&client, "SELECT SUM(Amount) FROM Opportunity WHERE Name = 'none'").await;
    assert_eq!(none[0]["expr0"], Value::Null);
    let by_parent = records(&client, "SELECT Account.Name, COUNT(Id) n FROM Opportunity GROUP BY Account.Name ORDER BY Account.Name NULLS LAST").await;
    assert_eq!(
        (&by_parent[0]["Name"], &by_parent[0]["n"], &by_parent[1]["Name"]),
        (&json!("Acme"), &json!(2), &Value::Null)
    );
}

#[tokio::test]
async fn rollup_and_cube_add_subtotals() {
    let (_org, client) = start().await;
    let soql = |kind: &str| {
        format!(
            "SELECT StageName, FiscalYear, GROUPING(StageName) s, COUNT(Id) n FROM Opportunity GROUP BY {kind}(StageName, FiscalYear)"
        )
    };
    let rollup = records(&client, &soql("ROLLUP")).await;
    assert_eq!(rollup.len(), 3 + 2 + 1);
    let total = rollup.iter().find(|group| group["s"] == 1).unwrap();
    assert_eq!((&total["n"], &total["StageName"]), (&json!(3), &Value::Null));
    assert_eq!(records(&client, &soql("CUBE")).await.len(), 3 + 2 + 2 + 1);
}

/// A query, its errorCode, and a part of its message.
const WRONG: &[(&str, &str, &str)] = &[
    ("SELECT Id FROM Nothing", "INVALID_TYPE", "sObject type 'Nothing' is not supported."),
    (
        "SELECT Id, Nme FROM Account",
        "INVALID_FIELD",
        "\nSELECT Id, Nme FROM Account\n           ^\nERROR at Row:1:Column:12\nNo such column 'Nme' on entity 'Account'.",
    ),
    (
        "SELECT Boss.Name FROM Account",
        "INVALID_FIELD",
        "Didn't understand relationship 'Boss' in field path.",
    ),
    (
        "SELECT Id, (SELECT Id FROM Kids) FROM Account",
        "INVALID_TYPE",
        "Didn't understand relationship 'Kids' in FROM part of query call.",
    ),
    (
        "SELECT Id FROM Account WHERE Name = 5",
        "INVALID_FIELD",
        "value of filter criterion for field 'Name' must be of type string and should be enclosed in quotes",
    ),
    (
        "SELECT Id FROM Opportunity WHERE CloseDate > '2026-01-01'",
        "INVALID_FIELD",
        "must be of type date and should not be enclosed in quotes",
    ),
    ("SELECT Id FROM Account WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"),
    (
        "SELECT Id FROM Account WHERE Id LIKE '001%'",
        "INVALID_QUERY_FILTER_OPERATOR",
        "invalid operator on id field",
    ),
    (
        "SELECT Id FROM Account WHERE Description = 'x'",
        "INVALID_FIELD",
        "field 'Description' can not be filtered in a query call",
    ),
    (
        "SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'",
        "MALFORMED_QUERY",
        "unexpected token: 'OR'",
    ),
    ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY", "Field must be grouped or aggregated: Name"),
    (
        "SELECT SUM(Name) FROM Account",
        "MALFORMED_QUERY",
        "field Name does not support aggregate operator SUM",
    ),
    ("SELECT Name, Id, name FROM Account", "MALFORMED_QUERY", "duplicate field selected: name"),
    (
        "SELECT COUNT(), Name FROM Account GROUP BY Name",
        "MALFORMED_QUERY",
        "COUNT() must be the only element",
    ),
    ("SELECT Name n FROM Account", "MALFORMED_QUERY", "only aggregate expressions use field aliasing"),
    ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY", "must have a LIMIT of at most 200"),
    (
        "SELECT Id FROM Account OFFSET 2001",
        "NUMBER_OUTSIDE_VALID_RANGE",
        "Maximum SOQL offset allowed is 2000",
    ),
    ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
    (
        "SELECT CreatedDate FROM Account GROUP BY CreatedDate",
        "MALFORMED_QUERY",
        "field 'CreatedDate' can not be grouped in a query call",
    ),
];

#[tokio::test]
async fn wrong_queries_are_refused_with_a_pointer() {
    let (_org, client) = start().await;
    for &(soql, code, text) in WRONG {
        let answer = ask(&client, soql).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{soql}: {}", answer.text);
        assert!(answer.message().contains(text), "{soql}: {}", answer.message());
    }
    assert_eq!(client.get("query").await.code(), "MALFORMED_QUERY");
    let deep = format!("SELECT Id FROM Account WHERE {}Name = 'a'{}", "(".repeat(500), ")".repeat(500));
    assert_eq!(ask(&client, &deep).await.code(), "MALFORMED_QUERY");
}

#[tokio::test]
async fn pages_lead_from_one_to_the_next() {
    let org = DevOrg::builder().page_size(2).start().await.unwrap();
    let client = Client::login(&org).await;
    let account = org.insert("Account", json!({ "Name": "Acme" })).unwrap();
    for number in 0..5 {
        org.insert("Contact", json!({ "LastName": format!("C{number}"), "AccountId": account })).unwrap();
    }
    let first = ask(&client, "SELECT LastName FROM Contact").await;
    assert_eq!((&first.body["totalSize"], &first.body["done"]), (&json!(5), &json!(false)));
    let next = first.body["nextRecordsUrl"].as_str().unwrap();
    assert!(next.starts_with("/services/data/v67.0/query/01g") && next.ends_with("-2"), "{next}");
    let second = client.get(next).await;
    assert_eq!(second.body["records"][0]["LastName"], "C2");
    let third = client.get(second.body["nextRecordsUrl"].as_str().unwrap()).await;
    assert_eq!(
        (
            &third.body["done"],
            third.body.get("nextRecordsUrl"),
            third.body["records"].as_array().unwrap().len()
        ),
        (&json!(true), None, 1)
    );
    assert_eq!(client.get(next).await.body["records"], second.body["records"]);

    let children = ask(&client, "SELECT Id, (SELECT LastName FROM Contacts) FROM Account").await;
    let contacts = &children.body["records"][0]["Contacts"];
    assert_eq!((&contacts["totalSize"], &contacts["done"]), (&json!(5), &json!(false)));
    assert_eq!(
        client.get(contacts["nextRecordsUrl"].as_str().unwrap()).await.body["records"][1]["LastName"],
        "C3"
    );

    org.expire_query_locators();
    let expired = client.get(next).await;
    assert_eq!((expired.status, expired.code()), (400, "INVALID_QUERY_LOCATOR"));
    assert_eq!(client.get("query/nonsense").await.code(), "INVALID_QUERY_LOCATOR");
}

#[tokio::test]
async fn a_batch_size_is_kept_within_its_bounds() {
    let org = DevOrg::start().await.unwrap();
    let client = Client::login(&org).await;
    for number in 0..450 {
        org.insert("Lead", json!({ "LastName": format!("L{number}"), "Company": "C" })).unwrap();
    }
    let path = format!("query?q={}", encode("SELECT Id FROM Lead"));
    for (asked, given) in [("1", 200), ("250", 250), ("9999", 450)] {
        let header = format!("batchSize={asked}");
        let answer = client.try_send("GET", &path, &[("sforce-query-options", &header)], "").await.unwrap();
        assert_eq!(answer.body["records"].as_array().unwrap().len(), given);
    }
}

#[tokio::test]
async fn deleted_records_are_invisible_to_queries() {
    let (_org, client) = start().await;
    let id = column(&client, "SELECT Id FROM Contact WHERE LastName = 'Adams'", "Id").await;
    assert_eq!(client.call("DELETE", &format!("sobjects/Contact/{id}"), "").await.status, 204);
    for soql in [
        format!("SELECT Id FROM Contact WHERE Id = '{id}'"),
        "SELECT Id FROM Contact WHERE Email = 'a@example.com'".into(),
    ] {
        assert_eq!(ask(&client, &soql).await.body["totalSize"], 0, "{soql}");
    }
    assert_eq!(ask(&client, "SELECT Id FROM Contact").await.body["totalSize"], 1);
}
