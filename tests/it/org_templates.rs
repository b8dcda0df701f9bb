//! `templates --object`, as a program before DevOrg, which describes its objects as real orgs do.

use std::{fs, path::Path, process::Output};

use salesforce_connector_dev::org::{DevOrg, DevOrgBuilder, Fault, FaultRule, Reply};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

fn recorded(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dev/fixtures/recorded/describe");
    serde_json::from_str(&fs::read_to_string(folder.join(format!("{name}.json"))).unwrap()).unwrap()
}

fn described(names: &[&str]) -> DevOrgBuilder {
    names.iter().fold(DevOrg::builder(), |builder, name| builder.describe(recorded(name)))
}

/// A folder for templates, and a configuration beside it.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    async fn templates(&self, org: &DevOrg, arguments: &[&str]) -> Output {
        let file = self.folder.path().join("connector.toml");
        let configuration = format!(
            "[hosts]\nallow_http = true\nallow_loopback = true\n[connections.dev]\nbase_url = \"{}\"\n\
             [connections.dev.authentication]\ntype = \"oauth-client-credentials-flow\"\nclient_id = \"dev-client\"\n\
             client_secret = \"dev-secret\"\n",
            org.base_url()
        );
        fs::write(&file, configuration).unwrap();
        Command::new(env!("CARGO_BIN_EXE_salesforce-connector"))
            .args(["templates", "--connection", "dev", "--config"])
            .arg(&file)
            .arg("--out")
            .arg(self.out())
            .args(arguments)
            .env_clear()
            .output()
            .await
            .unwrap()
    }

    fn out(&self) -> std::path::PathBuf {
        self.folder.path().join("out")
    }

    /// The files and their texts, in the order of their names.
    fn files(&self) -> Vec<(String, String)> {
        let entries = fs::read_dir(self.out()).into_iter().flatten();
        let mut files: Vec<_> = entries
            .map(|entry| {
                let entry = entry.unwrap();
                (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    }

    fn template(&self, name: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.out().join(name)).unwrap()).unwrap()
    }

    /// What was printed, with the folder taken out.
    fn told(&self, output: &Output) -> String {
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        (stdout + &stderr).replace(&format!("{}/", self.out().display()), "")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn label(template: &Value, field: &str) -> Value {
    let properties = template["properties"].as_array().unwrap();
    let own = properties.iter().find(|property| property["id"] == format!("fields.{field}")).unwrap();
    own["label"].clone()
}

#[tokio::test]
async fn each_object_and_operation_gets_a_template_and_a_second_run_writes_nothing() {
    let names = ["Account", "Case", "Contact", "Lead", "Opportunity", "Event"];
    let org = described(&names).start().await.unwrap();
    let desk = Desk::new();
    let objects = names.join(",");
    let first = desk.templates(&org, &["--object", &objects]).await;
    assert!(first.status.success(), "{}", desk.told(&first));
    let told = desk.told(&first);
    assert!(told.contains("wrote Account.create.json (version 1)\n"), "{told}");
    assert!(
        told.contains("no Lead.upsert.json: Lead has no external id field, which an upsert needs\n"),
        "{told}"
    );
    let files = desk.files();
    assert_eq!(files.len(), names.len() * 3);
    assert_eq!(org.counters().tokens_issued, 1, "one login for all");

    let again = desk.templates(&org, &["--object", &objects]).await;
    assert!(again.status.success());
    let told = desk.told(&again);
    assert!(
        told.contains("unchanged Account.create.json (version 1)\n") && !told.contains("wrote"),
        "{told}"
    );
    assert_eq!(desk.files(), files);
    let other = Desk::new();
    other.templates(&org, &["--object", &objects]).await;
    assert_eq!(other.files(), files, "the same describe gives the same bytes");
}

#[tokio::test]
async fn a_version_grows_only_with_the_content_and_check_says_what_would_change() {
    let desk = Desk::new();
    let arguments = ["--object", "Case", "--operations", "create,get"];
    let org = described(&["Case"]).start().await.unwrap();
    let new = desk.templates(&org, &[&arguments[..], &["--check"]].concat()).await;
    assert_eq!(new.status.code(), Some(1));
    assert_eq!(
        desk.told(&new),
        "would write Case.create.json (version 1)\nwould write Case.get.json (version 1)\n"
    );
    assert_eq!(desk.files(), [], "nothing is written, not even the folder");
    desk.templates(&org, &arguments).await;
    let same = desk.templates(&org, &[&arguments[..], &["--check"]].concat()).await;
    assert!(same.status.success(), "{}", desk.told(&same));

    let mut case = recorded("Case");
    let fields = case["fields"].as_array_mut().unwrap();
    let field =
        |fields: &mut Vec<Value>, name: &str| fields.iter().position(|field| field["name"] == name).unwrap();
    let subject = field(fields, "Subject");
    fields[subject]["nillable"] = json!(false);
    let priority = field(fields, "Priority");
    fields[priority]["picklistValues"][0]["active"] = json!(false);
    let comments = field(fields, "Comments");
    fields[comments]["createable"] = json!(false);
    let changed = DevOrg::builder().describe(case).start().await.unwrap();
    let before = desk.files();
    let check = desk.templates(&changed, &[&arguments[..], &["--check"]].concat()).await;
    assert_eq!(check.status.code(), Some(1));
    let told = desk.told(&check);
    assert!(told.starts_with("would write Case.create.json (version 2)\n"), "{told}");
    for line in [
        "  - field Subject (Subject) must be filled now; is shown in other cases\n",
        "  - field Priority (Priority) values gone: High\n",
        "  - field Comments (Internal Comments) is gone\n",
        "unchanged Case.get.json (version 1)\n",
    ] {
        assert!(told.contains(line), "{told}");
    }
    assert_eq!(desk.files(), before);

    let written = desk.templates(&changed, &arguments).await;
    assert!(
        desk.told(&written).starts_with("wrote Case.create.json (version 2)\n  - "),
        "{}",
        desk.told(&written)
    );
    let template = desk.template("Case.create.json");
    assert_eq!(template["version"], 2);
    let header = template["properties"].as_array().unwrap();
    let header = header.iter().find(|property| property["id"] == "elementTemplateVersion").unwrap();
    assert_eq!(header["value"], "2");
    let same = desk.templates(&changed, &[&arguments[..], &["--check"]].concat()).await;
    assert!(same.status.success(), "{}", desk.told(&same));
}

#[tokio::test]
async fn what_is_no_longer_made_is_left_and_told() {
    let desk = Desk::new();
    let org = DevOrg::start().await.unwrap();
    let made = desk.templates(&org, &["--object", "Account", "--operations", "upsert"]).await;
    assert!(made.status.success(), "{}", desk.told(&made));
    let list = desk.template("Account.upsert.json");
    assert!(list.to_string().contains("External_Key__c"));
    let without = described(&["Account"]).start().await.unwrap();
    let check = desk.templates(&without, &["--object", "Account", "--check"]).await;
    assert_eq!(check.status.code(), Some(1));
    let expected = "no longer made, and left as it is: Account.upsert.json: Account has no external id field, which an upsert \
                    needs\n";
    assert!(desk.told(&check).contains(expected), "{}", desk.told(&check));
}

#[tokio::test]
async fn person_accounts_have_sixty_inputs_and_the_rest_in_one() {
    let org = described(&["Account.person-accounts"]).start().await.unwrap();
    let desk = Desk::new();
    let made = desk.templates(&org, &["--object", "Account"]).await;
    assert!(made.status.success(), "{}", desk.told(&made));
    let template = desk.template("Account.create.json");
    let properties = template["properties"].as_array().unwrap();
    let of_fields = properties.iter().filter(|own| own["id"].as_str().unwrap().starts_with("fields."));
    assert_eq!(of_fields.count(), 60);
    let only = ["--object", "Account", "--operations", "create", "--fields", "lastname,npe01__HomeEmail__pc"];
    let made = desk.templates(&org, &only).await;
    assert!(made.status.success(), "{}", desk.told(&made));
    assert_eq!(label(&desk.template("Account.create.json"), "npe01__HomeEmail__pc"), "Personal Email");
}

#[tokio::test]
async fn labels_come_in_the_language_that_is_asked_for() {
    let mut german = recorded("Case");
    german["label"] = json!("Kundenvorgang");
    let org = described(&["Case"]).describe_in("de", german).start().await.unwrap();
    let desk = Desk::new();
    let arguments = ["--object", "Case", "--operations", "create"];
    desk.templates(&org, &[&arguments[..], &["--language", "de"]].concat()).await;
    assert_eq!(desk.template("Case.create.json")["name"], "Create Kundenvorgang");
    let english = desk.templates(&org, &arguments).await;
    let told = desk.told(&english);
    assert!(told.contains("its name is \"Create Case\", was \"Create Kundenvorgang\"\n"), "{told}");
    let wrong = desk.templates(&org, &[&arguments[..], &["--language", "german\r\nX: 1"]].concat()).await;
    assert_eq!(wrong.status.code(), Some(2));
    assert!(desk.told(&wrong).contains("expected a language, such as de or pt-BR"), "{}", desk.told(&wrong));
}

#[tokio::test]
async fn each_mistake_is_told_with_what_was_likely_meant_and_nothing_is_written() {
    let closed = |name: &str| {
        let mut object = recorded("Case");
        object["name"] = json!(name);
        object
    };
    let (mut no_field, mut unseen) = (closed("Frozen__c"), closed("Log__c"));
    for field in no_field["fields"].as_array_mut().unwrap() {
        (field["createable"], field["updateable"]) = (json!(false), json!(false));
    }
    for right in ["createable", "updateable", "queryable"] {
        unseen[right] = json!(false);
    }
    let org = described(&["Case"]).describe(no_field).describe(unseen).start().await.unwrap();
    let desk = Desk::new();
    for (arguments, code, expected) in [
        (
            &["--object", "Csae"][..],
            1,
            "the org has no object \"Csae\", or the connection's user may not see it",
        ),
        (&["--object", "Case,Csae"], 1, "Did you mean Case?"),
        (&["--object", "../limits"], 1, "--object: \"../limits\" is no API name"),
        (&["--object", "Case", "--operations", "crate"], 2, "a similar value exists: 'create'"),
        (&["--object", "Case", "--fields", "Subjct"], 1, "--fields: Case has no field \"Subjct\""),
        (&["--object", "Case", "--fields", "Subjct"], 1, "Did you mean Subject?"),
        (&["--object", "Case", "--fields", "Subject", "--required-only"], 2, "cannot be used with"),
        (
            &["--object", "Frozen__c", "--operations", "create,update"],
            1,
            "no template can be made for Frozen__c: Frozen__c has no field that the connection's user may set",
        ),
        (
            &["--object", "Log__c"],
            1,
            "no template can be made for Log__c: the connection's user may not create records of Log__c; the connection's \
             user may not update records of Log__c",
        ),
        (&[], 2, "--object <OBJECT>"),
        (&["--object", "Case", "--connection", "dve"], 2, "cannot be used multiple times"),
    ] {
        let output = desk.templates(&org, arguments).await;
        let told = desk.told(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(told.contains(expected), "{arguments:?}: {told}");
    }
    assert_eq!(desk.files(), []);
}

#[tokio::test]
async fn a_refusal_and_a_file_that_is_something_else_are_told() {
    let org = described(&["Case"]).start().await.unwrap();
    let desk = Desk::new();
    let refusal = Reply::error(403, "INSUFFICIENT_ACCESS", "insufficient access rights on object");
    org.faults().add(FaultRule::new(Fault::Respond(refusal)).method("GET").path("/sobjects/Case/describe"));
    let refused = desk.templates(&org, &["--object", "Case"]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(desk.told(&refused).contains("INSUFFICIENT_ACCESS"), "{}", desk.told(&refused));

    fs::create_dir_all(desk.out()).unwrap();
    for (content, expected) in [
        (
            "{\"id\": \"mine\"}",
            "Case.create.json is another template: expected the id \"io.github.salesforce-connector.Case.create\", found \"mine\"",
        ),
        ("not JSON", "Case.create.json is not JSON; move it away, or choose another directory"),
    ] {
        fs::write(desk.out().join("Case.create.json"), content).unwrap();
        let output = desk.templates(&org, &["--object", "Case"]).await;
        assert_eq!(output.status.code(), Some(1));
        assert!(desk.told(&output).contains(expected), "{}", desk.told(&output));
        assert_eq!(desk.files(), [("Case.create.json".to_owned(), content.to_owned())]);
    }
}

/// A page layout as Salesforce tells it: sections, rows, items, components.
fn layout(id: &str, fields: &[Value]) -> Value {
    let item =
        |component: &Value| json!({"label": "", "placeholder": false, "layoutComponents": [component]});
    let rows: Vec<Value> =
        fields.iter().map(|field| json!({"numItems": 1, "layoutItems": [item(field)]})).collect();
    json!({"id": id, "editLayoutSections": [{"heading": "Case", "layoutRows": rows}], "detailLayoutSections": []})
}

fn component(name: &str) -> Value {
    json!({"type": "Field", "value": name, "displayLines": 1, "tabOrder": 1})
}

fn inputs(template: &Value) -> Vec<&str> {
    let properties = template["properties"].as_array().unwrap().iter();
    properties.filter_map(|property| property["id"].as_str().unwrap().strip_prefix("fields.")).collect()
}

#[tokio::test]
async fn with_a_layout_the_fields_are_those_of_the_page_in_its_order() {
    let name =
        json!({"type": "Name", "value": null, "components": [component("Subject"), component("Status")]});
    let first = layout("00h1", &[component("Priority"), name, json!({"type": "EmptySpace", "value": null})]);
    let mapping =
        json!({"recordTypeId": "012000000000000AAA", "layoutId": "00h1", "defaultRecordTypeMapping": true});
    let all =
        json!({"layouts": [first], "recordTypeMappings": [mapping], "recordTypeSelectorRequired": [false]});
    let org = described(&["Case"]).resource("sobjects/Case/describe/layouts", all).start().await.unwrap();
    let desk = Desk::new();
    let arguments = ["--object", "Case", "--operations", "create,get", "--layout"];
    let made = desk.templates(&org, &arguments).await;
    assert!(made.status.success(), "{}", desk.told(&made));
    assert_eq!(inputs(&desk.template("Case.create.json")), ["Priority", "Subject", "Status"]);
    let get = desk.template("Case.get.json").to_string();
    assert!(get.contains("\"Id, Priority, Subject, Status\""), "{get}");

    let none = described(&["Case"]).resource("sobjects/Case/describe/layouts", json!({"layouts": []}));
    let none = none.start().await.unwrap();
    let told = desk.templates(&none, &arguments).await;
    assert_eq!(told.status.code(), Some(1));
    let expected = "--layout: Case has no page layout with fields for the connection's user";
    assert!(desk.told(&told).contains(expected), "{}", desk.told(&told));
}

#[tokio::test]
async fn a_record_type_brings_its_values_its_layout_and_itself() {
    let id = "0125j000000RqVlAAK";
    let values = json!({"picklistFieldValues": {"Industry": {"controllerValues": {}, "defaultValue": null,
        "values": [{"attributes": null, "label": "Banking", "validFor": [], "value": "Banking"}]}}});
    let mappings = json!([{"recordTypeId": "012000000000000AAA", "layoutId": "00h1", "defaultRecordTypeMapping": true},
        {"recordTypeId": id, "layoutId": "00h2", "defaultRecordTypeMapping": false}]);
    let org = described(&["Account.person-accounts"])
        .resource(&format!("ui-api/object-info/Account/picklist-values/{id}"), values)
        .resource(
            "sobjects/Account/describe/layouts",
            json!({"layouts": null, "recordTypeMappings": mappings}),
        )
        .resource(
            &format!("sobjects/Account/describe/layouts/{id}"),
            layout("00h2", &[component("Industry"), component("Name")]),
        );
    let org = org.start().await.unwrap();
    let desk = Desk::new();
    let arguments =
        ["--object", "Account", "--operations", "create,update", "--layout", "--record-type", "organization"];
    let made = desk.templates(&org, &arguments).await;
    assert_eq!(
        desk.told(&made),
        "wrote Account.create.Organization.json (version 1)\nwrote Account.update.Organization.json (version 1)\n"
    );
    let create = desk.template("Account.create.Organization.json");
    assert_eq!(inputs(&create), ["RecordTypeId", "Industry", "Name"]);
    assert!(create.to_string().contains(&format!("\"value\":\"{id}\"")));
    assert_eq!(inputs(&desk.template("Account.update.Organization.json")), ["Industry", "Name"]);
    let wrong = desk.templates(&org, &["--object", "Account", "--record-type", "Organisation"]).await;
    assert_eq!(wrong.status.code(), Some(1));
    let told = desk.told(&wrong);
    assert!(
        told.contains("--record-type: Account has no record type \"Organisation\" that the connection's user may choose; it has ")
            && told.ends_with("Did you mean Organization?\n"),
        "{told}"
    );
}
