//! `describe`, as a program before DevOrg.

use std::{fs, process::Output};

use salesforce_connector_dev::org::{DevOrg, Fault, FaultRule, Reply};
use serde_json::{Value, json};
use tokio::process::Command;

async fn describe(org: &DevOrg, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("connector.toml");
    let configuration = format!(
        "[hosts]\nallow_http = true\nallow_loopback = true\n[connections.dev]\nbase_url = \"{}\"\n\
         [connections.dev.authentication]\ntype = \"oauth-client-credentials-flow\"\nclient_id = \"dev-client\"\n\
         client_secret = \"dev-secret\"\n",
        org.base_url()
    );
    fs::write(&file, configuration).unwrap();
    Command::new(env!("CARGO_BIN_EXE_salesforce-connector"))
        .args(["describe", "--config"])
        .arg(&file)
        .args(arguments)
        .env_clear()
        .output()
        .await
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn the_objects_of_an_org_are_listed_and_searched() {
    let org = DevOrg::start().await.unwrap();
    let all = describe(&org, &["--connection", "dev"]).await;
    assert!(all.status.success(), "{}", text(&all.stderr));
    assert!(text(&all.stdout).starts_with("OBJECT "), "{}", text(&all.stdout));
    let found = describe(&org, &["--connection", "dev", "--search", "oppor", "--json"]).await;
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    let names: Vec<_> =
        found.as_array().unwrap().iter().map(|object| object["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Opportunity"]);
    let none = describe(&org, &["--connection", "dev", "--search", "frobnicate"]).await;
    assert_eq!(none.status.code(), Some(1));
    assert!(text(&none.stderr).contains("nothing has \"frobnicate\" in its API name or label"));
}

#[tokio::test]
async fn the_fields_of_an_object_say_what_a_new_record_must_have() {
    let org = DevOrg::start().await.unwrap();
    let table = describe(&org, &["--connection", "dev", "--object", "case"]).await;
    let table = text(&table.stdout);
    assert!(table.starts_with("Case (Case): the user may read, create, update, delete\n"), "{table}");
    assert!(table.contains("reference to Contact"), "{table}");
    let json = describe(&org, &["--connection", "dev", "--object", "Contact", "--json"]).await;
    let contact: Value = serde_json::from_slice(&json.stdout).unwrap();
    let field = |name: &str| {
        contact["fields"].as_array().unwrap().iter().find(|field| field["name"] == name).unwrap().clone()
    };
    assert_eq!((&field("LastName")["required"], &field("Email")["required"]), (&json!(true), &json!(false)));
    assert_eq!(field("AccountId")["referenceTo"], json!(["Account"]));
    let children: Vec<_> = contact["childRelationships"]
        .as_array()
        .unwrap()
        .iter()
        .map(|child| &child["relationshipName"])
        .collect();
    assert!(children.contains(&&json!("Cases")), "{children:?}");
}

#[tokio::test]
async fn what_is_not_there_is_told_with_what_was_likely_meant() {
    let org = DevOrg::start().await.unwrap();
    let output = describe(&org, &["--connection", "dev", "--object", "Acount"]).await;
    assert_eq!(output.status.code(), Some(1));
    let complaint = text(&output.stderr);
    assert!(
        complaint.contains("has no object \"Acount\", or the connection's user may not see it"),
        "{complaint}"
    );
    assert!(complaint.ends_with("Did you mean Account?\n"), "{complaint}");
    let output = describe(&org, &["--connection", "def"]).await;
    let complaint = text(&output.stderr);
    assert!(
        complaint.contains("UNKNOWN_CONNECTION") && complaint.contains("did you mean dev?"),
        "{complaint}"
    );
    let output = describe(&org, &["--connection", "dev", "--object", "../limits"]).await;
    assert!(
        text(&output.stderr).contains("--object: \"../limits\" is no API name"),
        "{}",
        text(&output.stderr)
    );
}

/// A describe document that a real org gave.
fn recorded(name: &str) -> Value {
    let path = format!("{}/dev/fixtures/recorded/describe/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// An org that has an object as a document describes it.
async fn describing(document: &Value) -> DevOrg {
    let org = DevOrg::start().await.unwrap();
    let answer = |path: &str, body: &Value| {
        let reply = Reply::new(200, body.to_string()).header("content-type", "application/json");
        org.faults().add(FaultRule::new(Fault::Respond(reply)).method("GET").path(path).times(usize::MAX));
    };
    let name = document["name"].as_str().unwrap();
    answer(&format!("/sobjects/{name}/describe"), document);
    let missing = Reply::error(404, "NOT_FOUND", "The requested resource does not exist");
    let other = FaultRule::new(Fault::Respond(missing)).method("GET").path("/describe").times(usize::MAX);
    org.faults().add(other);
    answer("/sobjects", &json!({"sobjects": [{"name": name, "label": document["label"]}]}));
    org
}

/// A table and JSON of the object that a document describes.
async fn both(document: Value) -> (String, Value) {
    let name = document["name"].as_str().unwrap().to_owned();
    let org = describing(&document).await;
    let arguments = ["--connection", "dev", "--object", &name, "--json"];
    let table = describe(&org, &arguments[..4]).await;
    let json = describe(&org, &arguments).await;
    assert!(table.status.success() && json.status.success(), "{}", text(&table.stderr));
    (text(&table.stdout), serde_json::from_slice(&json.stdout).unwrap())
}

/// The lines of a table's fields.
fn rows(table: &str) -> Vec<&str> {
    table
        .lines()
        .skip_while(|line| !line.starts_with("FIELD "))
        .skip(1)
        .take_while(|line| !line.is_empty())
        .collect()
}

#[tokio::test]
async fn an_org_with_person_accounts_is_shown_whole() {
    let document = recorded("Account.person-accounts");
    let names: Vec<String> = document["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field["name"].as_str().unwrap().to_owned())
        .collect();
    assert!(names.len() > 200 && names.contains(&"PersonEmail".to_owned()));
    let (table, json) = both(document.clone()).await;
    let rows = rows(&table);
    assert_eq!(rows.len(), names.len());
    for name in &names {
        assert!(rows.iter().any(|row| row.starts_with(&format!("{name} "))), "{name} has no line");
    }
    for (field, own) in json["fields"].as_array().unwrap().iter().zip(document["fields"].as_array().unwrap())
    {
        assert_eq!((&field["name"], &field["label"]), (&own["name"], &own["label"]));
        let active = own["picklistValues"].as_array().unwrap().iter().filter(|value| value["active"] == true);
        assert_eq!(field["picklistValues"].as_array().unwrap().len(), active.count(), "{}", own["name"]);
    }
}

fn field(name: &str, label: &str) -> Value {
    json!({"name": name, "label": label, "type": "string", "length": 40, "nillable": true, "createable": true, "updateable": true})
}

fn object(fields: &[Value]) -> Value {
    json!({"name": "acme__Invoice__c", "label": "Invoice", "createable": true, "queryable": true, "fields": fields,
        "childRelationships": []})
}

#[tokio::test]
async fn no_label_of_an_org_breaks_the_table_and_json_has_it_as_it_is() {
    let labels = [
        "Say \"Ahoj\"",
        "two\r\nlines\tand a tab",
        "שם הלקוח",
        "\u{202e}backwards",
        "red \u{1b}[31m",
        "Twice",
        "Twice",
    ];
    let fields: Vec<Value> =
        labels.iter().enumerate().map(|(at, label)| field(&format!("acme__F{at}__c"), label)).collect();
    let (table, json) = both(object(&fields)).await;
    let told: Vec<&str> =
        json["fields"].as_array().unwrap().iter().map(|own| own["label"].as_str().unwrap()).collect();
    assert_eq!(told, labels);
    assert!(
        !table.contains(|c: char| c.is_control() && c != '\n') && !table.contains('\u{202e}'),
        "{table:?}"
    );
    let shown = [
        "Say \"Ahoj\"",
        "two  lines and a tab",
        "\u{2068}שם הלקוח\u{2069}",
        "backwards",
        "red \\u{1b}[31m",
        "Twice",
        "Twice",
    ];
    let rows = rows(&table);
    assert_eq!(rows.len(), shown.len(), "{table}");
    for (at, (row, label)) in rows.iter().zip(shown).enumerate() {
        assert!(row.starts_with(&format!("acme__F{at}__c  {label} ")), "{row}");
        assert!(row.ends_with("  string(40)"), "{row}");
    }
}

#[tokio::test]
async fn many_fields_values_and_targets_are_shown_in_short_and_told_whole_as_json() {
    let mut fields: Vec<Value> = (0..800).map(|at| field(&format!("F{at}__c"), "One of many")).collect();
    let values: Vec<Value> = (0..1000)
        .map(|at| json!({"active": true, "value": format!("V{at}"), "label": format!("Value {at}")}))
        .collect();
    fields[17]["type"] = "picklist".into();
    fields[17]["picklistValues"] = values.into();
    fields[18]["type"] = "reference".into();
    fields[18]["referenceTo"] = (0..50).map(|at| format!("Target{at}__c")).collect();
    let (table, json) = both(object(&fields)).await;
    assert_eq!(rows(&table).len(), 800);
    assert!(table.contains("picklist, 1000 values"), "{table}");
    assert!(table.contains("and 970 more (all of them with --json)"), "{table}");
    assert!(
        table.contains("reference to Target0__c, Target1__c, Target2__c, Target3__c and 46 more\n"),
        "{table}"
    );
    assert!(table.lines().all(|line| line.chars().count() < 140), "{table}");
    assert_eq!(json["fields"][17]["picklistValues"][999], json!({"value": "V999", "label": "Value 999"}));
    assert_eq!(json["fields"][18]["referenceTo"].as_array().unwrap().len(), 50);
}

#[tokio::test]
async fn an_object_of_which_the_user_sees_no_field_is_said_to_have_none() {
    let (table, json) = both(object(&[])).await;
    assert_eq!(
        table,
        "acme__Invoice__c (Invoice): the user may read, create\n\nThe connection's user sees none of its fields: field-level \
         security hides them.\n\n0 fields, 0 relationships\n"
    );
    assert_eq!(json["fields"], json!([]));
}

#[tokio::test]
async fn a_name_without_its_namespace_is_answered_with_the_whole_name() {
    let org = describing(&object(&[])).await;
    let output = describe(&org, &["--connection", "dev", "--object", "Invoice__c"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).ends_with("Did you mean acme__Invoice__c?\n"), "{}", text(&output.stderr));
}

#[tokio::test]
async fn an_object_that_the_user_may_list_but_not_read_is_told_with_who_can_help() {
    let org = DevOrg::start().await.unwrap();
    let refusal =
        Reply::error(403, "INSUFFICIENT_ACCESS", "insufficient access rights on cross-reference id");
    org.faults().add(FaultRule::new(Fault::Respond(refusal)).path("/sobjects/Case/describe"));
    let output = describe(&org, &["--connection", "dev", "--object", "Case"]).await;
    assert_eq!(output.status.code(), Some(1));
    let complaint = text(&output.stderr);
    assert!(complaint.contains("INSUFFICIENT_ACCESS: "), "{complaint}");
    assert!(complaint.contains("the connection's user may not read what \"Case\" is made of"), "{complaint}");
    assert!(complaint.contains("permission set"), "{complaint}");
    assert!(text(&output.stdout).is_empty());
}

#[tokio::test]
async fn the_guide_shows_what_is_printed() {
    let org = DevOrg::start().await.unwrap();
    let path = format!("{}/docs/describe.md", env!("CARGO_MANIFEST_DIR"));
    let mut page = fs::read_to_string(&path).unwrap();
    let blocks: Vec<String> = page.split("```\n").skip(1).step_by(2).map(str::to_owned).collect();
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        let command = block.lines().next().unwrap();
        let arguments: Vec<_> =
            command.strip_prefix("$ salesforce-connector describe ").unwrap().split(' ').collect();
        let output = text(&describe(&org, &arguments).await.stdout);
        page = page.replace(&block, &format!("{command}\n{output}"));
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == page,
        "docs/describe.md is stale; UPDATE_DOCS=1 writes it anew"
    );
}
