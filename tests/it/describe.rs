//! `describe`, as a program before DevOrg.

use std::{fs, process::Output};

use salesforce_connector_dev::org::DevOrg;
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
