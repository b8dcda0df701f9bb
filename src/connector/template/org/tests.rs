#![allow(clippy::needless_pass_by_value, reason = "a test reads better where JSON is written in place")]

use std::collections::{BTreeMap, HashSet};

use camunda_feel::{Expression, Scope};
use serde_json::{Map, Value, json};

use super::*;
use crate::connector::{expressions::Expressions, headers::Headers, request::Request};

/// What real orgs say of their objects (dev/fixtures/README.md).
const RECORDED: [(&str, &str); 7] = [
    ("Account", include_str!("../../../../dev/fixtures/recorded/describe/Account.json")),
    (
        "person accounts",
        include_str!("../../../../dev/fixtures/recorded/describe/Account.person-accounts.json"),
    ),
    ("Case", include_str!("../../../../dev/fixtures/recorded/describe/Case.json")),
    ("Contact", include_str!("../../../../dev/fixtures/recorded/describe/Contact.json")),
    ("Event", include_str!("../../../../dev/fixtures/recorded/describe/Event.json")),
    ("Lead", include_str!("../../../../dev/fixtures/recorded/describe/Lead.json")),
    ("Opportunity", include_str!("../../../../dev/fixtures/recorded/describe/Opportunity.json")),
];

fn recorded(name: &str) -> Object {
    let (_, document) = RECORDED.iter().find(|(own, _)| *own == name).unwrap();
    serde_json::from_str(document).unwrap()
}

/// A field that may be set and need not be.
pub(super) fn described(name: &str, kind: &str, more: Value) -> Value {
    let mut field = json!({"name": name, "label": name, "type": kind, "nillable": true, "createable": true,
        "updateable": true});
    field.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
    field
}

fn object(fields: Vec<Value>) -> Object {
    serde_json::from_value(
        json!({"name": "acme__Order__c", "label": "Order", "createable": true, "updateable": true,
        "queryable": true, "fields": fields}),
    )
    .unwrap()
}

fn made(object: &Object, purpose: Purpose, selection: &Selection) -> Value {
    serde_json::from_str(&template(object, purpose, selection, 1).unwrap()).unwrap()
}

pub(super) fn all(object: &Object, purpose: Purpose) -> Value {
    made(object, purpose, &Selection::default())
}

/// The inputs for the object's own fields: API name and property.
fn inputs(template: &Value) -> Vec<(&str, &Map<String, Value>)> {
    fn input(property: &Value) -> Option<(&str, &Map<String, Value>)> {
        let name = property["binding"]["name"].as_str()?;
        Some((name.strip_prefix("salesforceRequest.operation.fields.")?, property.as_object()?))
    }
    template["properties"].as_array().unwrap().iter().filter_map(input).collect()
}

fn names(template: &Value) -> Vec<&str> {
    inputs(template).into_iter().map(|(name, _)| name).collect()
}

fn property<'a>(template: &'a Value, id: &str) -> &'a Value {
    let properties = template["properties"].as_array().unwrap();
    properties.iter().find(|property| property["id"] == id).unwrap_or(&Value::Null)
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn each_type_of_field_becomes_an_input_of_its_own() {
    let values = json!([{"value": "A", "label": "Hot", "active": true}, {"value": "B", "label": "Cold", "active": false}]);
    let object = object(vec![
        described("Text__c", "string", json!({"length": 80, "inlineHelpText": "Ask <b>Ada</b> & co"})),
        described("Long__c", "textarea", json!({"length": 32000})),
        described("Flag__c", "boolean", json!({"nillable": false, "defaultedOnCreate": true})),
        described("Count__c", "int", json!({"precision": 8})),
        described("Amount__c", "currency", json!({"precision": 18, "scale": 2})),
        described("Day__c", "date", json!({})),
        described("At__c", "datetime", json!({})),
        described("Time__c", "time", json!({})),
        described("Mail__c", "email", json!({"length": 80})),
        described("Web__c", "url", json!({"length": 255})),
        described("Phone__c", "phone", json!({"length": 40})),
        described("Rating__c", "picklist", json!({"length": 255, "picklistValues": values})),
        described(
            "Model__c",
            "picklist",
            json!({"length": 255, "picklistValues": values, "controllerName": "Rating__c"}),
        ),
        described("Colours__c", "multipicklist", json!({"length": 4099, "picklistValues": values})),
        described("Subject__c", "combobox", json!({"length": 255, "picklistValues": values})),
        described("Owner__c", "reference", json!({"referenceTo": ["Group", "User"]})),
        described("Where__c", "location", json!({})),
    ]);
    let template = all(&object, Purpose::Create);
    for (name, kind, constraint, word) in [
        ("Text__c", "String", json!(80), "Ask &lt;b&gt;Ada&lt;/b&gt; &amp; co."),
        ("Long__c", "Text", json!(32000), "API name: Long__c."),
        ("Flag__c", "Dropdown", Value::Null, "leave it empty and use Further fields"),
        ("Count__c", "String", json!("^$|^-?\\d{1,10}$"), "API name"),
        ("Amount__c", "String", json!("^$|^-?\\d{1,16}(\\.\\d+)?$"), "rounds to 2 digits"),
        ("Day__c", "String", json!("^$|^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$"), "API name"),
        (
            "At__c",
            "String",
            json!(
                "^$|^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,3})?(Z|[+-]\\d{2}:?\\d{2})$"
            ),
            "API name",
        ),
        ("Time__c", "String", json!("^$|^([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,3})?Z?$"), "API name"),
        ("Mail__c", "String", json!("^$|^[^\\s@]+@[^\\s@]+\\.[^\\s@]+$"), "API name"),
        ("Web__c", "String", json!("^$|^\\S+$"), "API name"),
        ("Phone__c", "String", json!("^$|^.*\\d.*$"), "API name"),
        ("Rating__c", "Dropdown", Value::Null, "leave it empty and use Further fields"),
        ("Model__c", "String", json!(255), "depends on Rating__c. Values: A."),
        ("Colours__c", "String", json!(4099), "separated by ;"),
        ("Subject__c", "String", json!(255), "Any text, such as: A."),
        ("Owner__c", "String", json!("^$|^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$"), "a record of Group or User"),
    ] {
        let own = property(&template, &format!("fields.{name}"));
        assert_eq!(
            (&own["type"], &own["optional"], &own["group"]),
            (&json!(kind), &json!(true), &json!("record")),
            "{name}"
        );
        let found = match &own["constraints"]["pattern"]["value"] {
            Value::Null => &own["constraints"]["maxLength"],
            pattern => pattern,
        };
        assert_eq!(*found, constraint, "{name}");
        assert!(own["tooltip"].as_str().unwrap().contains(word), "{}", own["tooltip"]);
        let feel = if kind == "Dropdown" { Value::Null } else { json!("optional") };
        assert_eq!(own["feel"], feel, "{name}");
    }
    let flag = property(&template, "fields.Flag__c");
    assert_eq!(
        flag["choices"],
        json!([{"name": "Yes", "value": "=true"}, {"name": "No", "value": "=false"}])
    );
    let rating = property(&template, "fields.Rating__c");
    assert_eq!(
        rating["choices"],
        json!([{"name": "Hot", "value": "A"}]),
        "only what is active; Modeler adds an empty entry"
    );
    assert_eq!(property(&template, "fields.Where__c"), &Value::Null, "its parts are fields of their own");
}

#[test]
fn what_a_new_record_must_have_comes_first_and_must_be_filled_then_the_labels_order() {
    let opportunity = recorded("Opportunity");
    let template = all(&opportunity, Purpose::Create);
    let inputs = inputs(&template);
    let must: Vec<&str> = inputs
        .iter()
        .filter(|(_, input)| input["constraints"]["notEmpty"] == json!(true))
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(must, ["CloseDate", "Name", "StageName"]);
    assert_eq!(must, names(&template)[..3]);
    let labels: Vec<String> =
        inputs[3..].iter().map(|(_, input)| input["label"].as_str().unwrap().to_lowercase()).collect();
    assert!(labels.is_sorted(), "{labels:?}");
    let stages = inputs[2].1["choices"].as_array().unwrap();
    assert_eq!(stages.last().unwrap()["value"], "=null", "the way out for an expression");
    let update = all(&opportunity, Purpose::Update);
    let input = property(&update, "fields.StageName");
    assert_eq!((&input["optional"], &input["constraints"]["notEmpty"]), (&json!(true), &json!(false)));
}

#[test]
fn nothing_is_there_that_the_user_may_not_write_in_any_recorded_org() {
    for (name, _) in RECORDED {
        let object = recorded(name);
        let field = |name: &str| object.fields.iter().find(|field| field.name == name).unwrap();
        let create = all(&object, Purpose::Create);
        assert!(names(&create).iter().all(|name| field(name).createable), "{name}");
        let update = all(&object, Purpose::Update);
        assert!(names(&update).iter().all(|name| field(name).updateable), "{name}");
        let is_writable = |field: &&Field| field.createable && field.kind != "address";
        let expected = object.fields.iter().filter(is_writable).count().min(60);
        assert_eq!(names(&create).len(), expected, "{name}");
    }
}

#[test]
fn an_object_and_its_fields_are_never_mapped_both_and_no_binding_is_there_twice() {
    for (name, _) in RECORDED {
        let object = recorded(name);
        for purpose in [Purpose::Create, Purpose::Update, Purpose::Get] {
            let template = all(&object, purpose);
            let named = |property: &&Value| {
                // Of the ways to sign in only one is there.
                !property["binding"]["name"].as_str().unwrap_or_default().contains(".connection.")
            };
            let properties = template["properties"].as_array().unwrap().iter().filter(named);
            let bound: Vec<&str> =
                properties.filter_map(|property| property["binding"]["name"].as_str()).collect();
            assert_eq!(bound.iter().collect::<HashSet<_>>().len(), bound.len(), "{name}");
            for parent in &bound {
                let below = format!("{parent}.");
                assert!(!bound.iter().any(|child| child.starts_with(&below)), "{name}: {parent}");
            }
        }
    }
}

#[test]
fn the_sections_beside_the_record_are_those_of_the_general_template_word_for_word() {
    let general: Value = serde_json::from_str(&super::super::element_templates().remove(0).1).unwrap();
    let case = recorded("Case");
    let update = all(&case, Purpose::Update);
    let sections = ["connection", "authentication", "operation", "output", "errors", "retries"];
    let plain = |property: &Value| {
        let mut property = property.clone();
        let members = property.as_object_mut().unwrap();
        for name in ["condition", "id"] {
            members.remove(name);
        }
        property
    };
    let known: Vec<Value> = general["properties"].as_array().unwrap().iter().map(plain).collect();
    let of_sections =
        |property: &&Value| property["group"].as_str().is_some_and(|group| sections.contains(&group));
    let own: Vec<&Value> = update["properties"].as_array().unwrap().iter().filter(of_sections).collect();
    assert!(own.len() > 20, "{}", own.len());
    for property in own {
        assert!(known.contains(&plain(property)), "{property}");
        let condition = property["condition"].to_string();
        assert!(!condition.contains("\"operation\""), "it cannot be chosen: {condition}");
    }
    assert_eq!(property(&update, "operation")["value"], "updateRecord");
    assert_eq!(property(&update, "operation.objectType")["value"], "Case");
}

#[test]
fn the_id_is_stable_and_the_same_object_gives_the_same_bytes() {
    let contact = recorded("Contact");
    let twice =
        [1, 1].map(|version| template(&contact, Purpose::Create, &Selection::default(), version).unwrap());
    assert_eq!(twice[0], twice[1]);
    let template: Value = serde_json::from_str(&twice[0]).unwrap();
    assert_eq!(template["id"], "io.github.salesforce-connector.Contact.create");
    assert_eq!(template["name"], "Create Contact");
    assert_eq!(property(&template, "elementTemplateId")["value"], template["id"]);
    assert_eq!(file_name("Contact", Purpose::Create, &Selection::default()), "Contact.create.json");
}

#[test]
fn labels_of_any_kind_stay_one_line_and_can_be_told_from_each_other() {
    let label = |name: &str, label: &str| described(name, "string", json!({"label": label}));
    let object = object(vec![
        label("A__c", "Say \"hi\"\r\nand go"),
        label("B__c", "\u{202e}שלום\u{202c}"),
        label("C__c", "Level"),
        label("D__c", "level"),
        label("E__c", "Further fields"),
        label("F__c", " "),
        label("G__c", "<b>bold</b>"),
    ]);
    let template = all(&object, Purpose::Create);
    let label =
        |name: &str| property(&template, &format!("fields.{name}"))["label"].as_str().unwrap().to_owned();
    for (name, expected) in [
        ("A__c", "Say \"hi\"  and go"),
        ("B__c", "שלום"),
        ("C__c", "Level (C__c)"),
        ("D__c", "level (D__c)"),
        ("E__c", "Further fields (E__c)"),
        ("F__c", "F__c"),
        ("G__c", "<b>bold</b>"),
    ] {
        assert_eq!(label(name), expected);
    }
}

#[test]
fn values_of_a_list_are_written_so_that_the_engine_reads_them_as_they_are() {
    let mut values: Vec<Value> = (0..1000)
        .map(|n| json!({"value": format!("v{n}"), "label": format!("V {n}"), "active": true}))
        .collect();
    for value in ["=1", "say \"hi\"", "a\\b", " x", "same", "other"] {
        let label = if matches!(value, "same" | "other") { "Same" } else { value };
        values.push(json!({"value": value, "label": label, "active": true}));
    }
    let object = object(vec![described("Many__c", "picklist", json!({"picklistValues": values}))]);
    let template = all(&object, Purpose::Create);
    let choices = property(&template, "fields.Many__c")["choices"].as_array().unwrap();
    assert_eq!(choices.len(), 1006);
    let sources: Vec<&str> = choices[1000..].iter().map(|choice| choice["value"].as_str().unwrap()).collect();
    assert_eq!(sources, ["=\"=1\"", "=\"say \\\"hi\\\"\"", "=\"a\\\\b\"", "=\" x\"", "same", "other"]);
    let given = ["=1", "say \"hi\"", "a\\b", " x"];
    for (source, expected) in sources.iter().zip(given) {
        let expression = Expression::parse(source).unwrap();
        let value = expression.evaluate(&Scope::new()).unwrap().to_json().unwrap();
        assert_eq!(value, expected);
    }
    assert_eq!(
        (&choices[1004]["name"], &choices[1005]["name"]),
        (&json!("Same (same)"), &json!("Same (other)"))
    );
}

#[test]
fn of_800_fields_sixty_have_an_input_and_the_others_go_to_further_fields() {
    let fields = (0..800).map(|n| described(&format!("F{n:03}__c"), "string", json!({"length": 80})));
    let mut fields: Vec<Value> = fields.collect();
    fields.push(described("Must__c", "string", json!({"label": "Zzz", "nillable": false})));
    let object = object(fields);
    let template = all(&object, Purpose::Create);
    let names = names(&template);
    assert_eq!((names.len(), names[0], names[59]), (60, "Must__c", "F058__c"));
    let further = property(&template, "operation.body");
    assert_eq!(
        (&further["label"], &further["feel"], &further["optional"], &further["group"]),
        (&json!("Further fields"), &json!("required"), &json!(true), &json!("record"))
    );
    let tooltip = further["tooltip"].as_str().unwrap();
    assert!(tooltip.contains("{F059__c: null}") && tooltip.ends_with("F098__c and 701 more."), "{tooltip}");
}

#[test]
fn after_the_first_ten_a_field_is_there_only_where_more_are_shown_unless_it_must_be_filled() {
    let field = |name: &str, needed: bool| described(name, "string", json!({"nillable": !needed}));
    let optional = |count: usize| (0..count).map(move |n| field(&format!("F{n:02}__c"), false));
    let more = json!({"property": "moreFields", "equals": "shown"});
    let conditions = |template: &Value| -> Vec<Value> {
        inputs(template).iter().map(|(_, own)| own.get("condition").cloned().unwrap_or_default()).collect()
    };
    let ten = all(&object(optional(10).collect()), Purpose::Create);
    assert_eq!((conditions(&ten), property(&ten, "moreFields")), (vec![Value::Null; 10], &Value::Null));
    assert_eq!(property(&ten, "operation.body")["condition"], Value::Null);

    let must = (0..11).map(|n| field(&format!("M{n:02}__c"), true));
    let many = object(must.chain(optional(2)).collect());
    let template = all(&many, Purpose::Create);
    let expected = [vec![Value::Null; 11], vec![more.clone(); 2]].concat();
    assert_eq!(conditions(&template), expected);
    assert_eq!(property(&template, "operation.body")["condition"], more);
    let choice = property(&template, "moreFields");
    assert_eq!((&choice["value"], &choice["binding"]["type"]), (&json!("hidden"), &json!("zeebe:property")));
    let update = all(&many, Purpose::Update);
    assert_eq!(conditions(&update), [vec![Value::Null; 10], vec![more.clone(); 3]].concat());

    let key =
        |name: &str| described(name, "string", json!({"externalId": true, "unique": true, "label": "Z"}));
    let keyed = object(optional(10).chain([key("A__c"), key("B__c")]).collect());
    let upsert = all(&keyed, Purpose::Upsert);
    let condition = &property(&upsert, "fields.A__c")["condition"];
    let other_key = json!({"property": "operation.externalIdField", "oneOf": ["B__c"]});
    assert_eq!(*condition, json!({"allMatch": [other_key, more]}));
}

#[test]
fn a_selection_keeps_what_a_new_record_must_have() {
    let contact = recorded("Contact");
    let only =
        Selection { fields: Some(vec!["Email".to_owned(), "Phone".to_owned()]), ..Selection::default() };
    assert_eq!(names(&made(&contact, Purpose::Create, &only)), ["LastName", "Phone", "Email"]);
    assert_eq!(names(&made(&contact, Purpose::Update, &only)), ["Phone", "Email"]);
    let required = Selection { required_only: true, ..Selection::default() };
    assert_eq!(names(&made(&contact, Purpose::Create, &required)), ["LastName"]);
    let layout = ["Email", "Phone", "LastName"].map(str::to_owned).to_vec();
    let layout = Selection { layout: Some(layout), ..Selection::default() };
    assert_eq!(names(&made(&contact, Purpose::Create, &layout)), ["LastName", "Email", "Phone"]);
}

#[test]
fn an_upsert_offers_the_external_id_fields_and_shows_one_as_a_field_where_another_is_the_key() {
    let key =
        |name: &str| described(name, "string", json!({"externalId": true, "unique": true, "length": 40}));
    let name = || described("Name", "string", json!({"nillable": false}));
    let fixed = described(
        "Parent__c",
        "reference",
        json!({"updateable": false, "nillable": false, "referenceTo": ["X"]}),
    );
    let one = object(vec![name(), key("Key__c"), fixed]);
    let template = all(&one, Purpose::Upsert);
    let list = property(&template, "operation.externalIdField");
    assert_eq!((&list["type"], &list["value"]), (&json!("Dropdown"), &json!("Key__c")));
    assert_eq!(list["choices"], json!([{"name": "Key__c", "value": "Key__c"}]));
    assert_eq!(names(&template), ["Name", "Parent__c"], "the key is no field");
    assert_eq!(
        property(&template, "fields.Parent__c")["constraints"]["notEmpty"],
        json!(false),
        "it may be an update"
    );
    let two = object(vec![name(), key("Key__c"), key("Other__c")]);
    let template = all(&two, Purpose::Upsert);
    let condition = &property(&template, "fields.Key__c")["condition"];
    assert_eq!(*condition, json!({"property": "operation.externalIdField", "oneOf": ["Other__c"]}));
    let create = all(&two, Purpose::Create);
    let list = property(&create, "operation.externalIdField");
    assert_eq!(
        (&list["optional"], &list["group"], &list["value"]),
        (&json!(true), &json!("operation"), &Value::Null)
    );
    let condition = &property(&create, "operation.externalId")["condition"];
    assert_eq!(*condition, json!({"property": "operation.externalIdField", "isEmpty": false}));
}

#[test]
fn what_cannot_be_made_is_told_in_words() {
    let refused = |object: &Object, purpose| template(object, purpose, &Selection::default(), 1).unwrap_err();
    let plain = object(vec![described("Name", "string", json!({}))]);
    assert_eq!(
        refused(&plain, Purpose::Upsert),
        "acme__Order__c has no external id field, which an upsert needs"
    );
    let none = object(vec![described("Name", "string", json!({"createable": false, "updateable": false}))]);
    for purpose in [Purpose::Create, Purpose::Update] {
        assert_eq!(refused(&none, purpose), "acme__Order__c has no field that the connection's user may set");
    }
    let mut closed = plain;
    closed.summary = crate::connector::described::Summary { name: "Log".to_owned(), ..Default::default() };
    for (purpose, verb) in [
        (Purpose::Create, "create"),
        (Purpose::Update, "update"),
        (Purpose::Upsert, "create and update"),
        (Purpose::Get, "read"),
    ] {
        assert_eq!(refused(&closed, purpose), format!("the connection's user may not {verb} records of Log"));
    }
}

#[test]
fn person_accounts_show_what_can_be_written_of_both_halves() {
    let object = recorded("person accounts");
    let template = all(&object, Purpose::Create);
    assert_eq!(names(&template).len(), 60);
    let only = Selection {
        fields: Some(["LastName", "PersonEmail", "RecordTypeId", "BillingCity"].map(str::to_owned).to_vec()),
        ..Selection::default()
    };
    let template = made(&object, Purpose::Create, &only);
    let mut found = names(&template);
    found.sort_unstable();
    assert_eq!(found, ["BillingCity", "LastName", "PersonEmail", "RecordTypeId"]);
    let record_types = property(&template, "fields.RecordTypeId");
    assert_eq!(record_types["type"], "Dropdown");
    let names: Vec<_> =
        record_types["choices"].as_array().unwrap().iter().map(|choice| &choice["name"]).collect();
    assert!(names.contains(&&json!("Person Account")) && !names.contains(&&json!("Master")), "{names:?}");
}

#[test]
fn a_template_that_reads_makes_a_variable_of_the_fields_it_reads() {
    let account = recorded("Account");
    let only =
        Selection { fields: Some(vec!["Phone".to_owned(), "Name".to_owned()]), ..Selection::default() };
    let template = made(&account, Purpose::Get, &only);
    assert_eq!(property(&template, "operation.fields")["value"], "Id, Name, Phone");
    let text = property(&template, "resultExpression.getRecord")["value"].as_str().unwrap();
    assert!(text.contains("Name: body.Name, // Account Name\n"), "{text}");
    let answer = json!({"body": {"Id": "001", "Name": "Acme", "Phone": null, "attributes": {}}});
    let expression = Expression::parse(text).unwrap();
    let value = expression.evaluate(&Scope::new().spread(&answer)).unwrap().to_json().unwrap();
    assert_eq!(value, json!({"account": {"Id": "001", "Name": "Acme", "Phone": null}}));
    for (name, _) in RECORDED {
        let template = all(&recorded(name), Purpose::Get);
        let text = property(&template, "resultExpression.getRecord")["value"].as_str().unwrap();
        Expression::parse(text).unwrap();
        let list = property(&template, "operation.fields")["value"].as_str().unwrap();
        assert!(list.split(", ").count() <= 61 && list.starts_with("Id, "), "{list}");
    }
}

#[test]
fn a_record_type_is_settled_for_new_records_and_part_of_the_id() {
    let mut object = recorded("person accounts");
    let own = object.record_types.iter().find(|own| own.developer_name == "Organization").unwrap().clone();
    object.narrow(
        &json!({"picklistFieldValues": {"Industry": {"values": [{"label": "Banking", "value": "Banking",
        "validFor": [], "attributes": null}]}}}),
    );
    let id = own.id.clone();
    let fields = Some(["Industry", "RecordTypeId"].map(str::to_owned).to_vec());
    let selection = Selection { record_type: Some(own), fields, ..Selection::default() };
    let create = made(&object, Purpose::Create, &selection);
    assert_eq!(create["id"], "io.github.salesforce-connector.Account.create.Organization");
    assert_eq!(create["name"], "Create Account: Organization");
    let settled = property(&create, "fields.RecordTypeId");
    assert_eq!(
        (&settled["type"], &settled["value"], &settled["group"]),
        (&json!("Hidden"), &json!(id), &Value::Null)
    );
    let industry = property(&create, "fields.Industry");
    assert_eq!(industry["choices"], json!([{"name": "Banking", "value": "Banking"}]));
    let update = made(&object, Purpose::Update, &selection);
    let free = &property(&update, "fields.RecordTypeId")["type"];
    assert_eq!(free, "Dropdown", "an update leaves it as it is");
    object.fields.retain(|field| field.name != "RecordTypeId");
    let refused = template(&object, Purpose::Create, &selection, 1).unwrap_err();
    assert_eq!(refused, "the connection's user may not set the record type of Account");
}

/// A job's variables, as the engine evaluates the inputs of a task in their order.
fn variables(inputs: &Map<String, Value>) -> Map<String, Value> {
    let process = json!({"phone": "1", "fax": null, "revenue": 5, "city": null, "key": "k-1", "name": "Acme",
        "accountId": "001D000000IRFmaIAH", "subject": "Broken", "first": "Ada", "company": "Acme", "employees": 2,
        "close": "2030-06-30", "amount": 1, "end": "2026-11-28T11:00:00Z"});
    let mut variables = Value::Object(Map::new());
    for (target, source) in inputs {
        let place = target.split('.').fold(&mut variables, |place, name| &mut place[name]);
        assert!(place.is_null(), "{target} is there already");
        let source = source.as_str().unwrap();
        *place = match source.strip_prefix('=') {
            Some(_) => {
                let expression = Expression::parse(source).unwrap();
                expression.evaluate(&Scope::new().spread(&process)).unwrap().to_json().unwrap()
            }
            None => source.into(),
        };
    }
    let Value::Object(variables) = variables else { unreachable!("it was one from the start") };
    variables
}

#[test]
fn what_modelers_engine_writes_into_a_task_is_what_the_worker_reads() {
    let tasks: Map<String, Value> =
        serde_json::from_str(include_str!("../../../../tests/template/org-tasks.json")).unwrap();
    let names: Vec<_> = tasks.keys().map(String::as_str).collect();
    let creations = ["case", "contact", "lead", "opportunity", "event", "person"];
    assert_eq!(names, [&["create", "update", "get", "upsert"][..], &creations, &["twice"]].concat());
    for (name, task) in &tasks {
        let read = Request::parse(&variables(task["inputs"].as_object().unwrap()));
        if name == "twice" {
            let message = read.unwrap_err().to_string();
            assert!(
                message.starts_with("salesforceRequest.operation.body.name: expected no field"),
                "{message}"
            );
            continue;
        }
        let request = read.unwrap_or_else(|mistake| panic!("{name}: {mistake}"));
        let headers: BTreeMap<String, String> = serde_json::from_value(task["headers"].clone()).unwrap();
        let headers = Headers::parse(&headers, &Expressions::default()).unwrap();
        assert_eq!(headers.check(request.operation.descriptor()), Ok(()), "{name}");
    }
}
