//! The template for Camunda 8.10 and later, whose modelers have reusable credentials: the general one with one more way to
//! connect.
//!
//! What a credential holds is declared by a *configuration template* of the kind CREDENTIAL, which is part of the element
//! template (schema: the npm package `@camunda/zeebe-configuration-templates-json-schema`). A task refers to a credential,
//! `=camunda.vars.env.NAME`, and the engine puts its object there: what inline fields make of `connection.authentication`.
//! Older modelers refuse a template with such a field, so the general one has none.

use serde_json::{Map, Value, json};

use super::connection::{self, CONNECTION};

/// Names what a credential holds; never changes.
const ID: &str = "io.github.salesforce-connector:salesforce-login:1";

/// The choice of a credential, as its value.
const CREDENTIAL: &str = "credential";

/// Where a task holds what it signs in with.
const AUTHENTICATION: &str = "salesforceRequest.connection.authentication";

/// The general template, which also takes credentials.
pub(super) fn taking_credentials(mut template: Value) -> Value {
    template["engines"] = json!({ "camunda": "^8.10" });
    template["configurationTemplates"] = json!([credential()]);
    let Some(properties) = template["properties"].as_array_mut() else { return template };
    for property in properties.iter_mut() {
        if property["id"] == CONNECTION
            && let Some(choices) = property["choices"].as_array_mut()
        {
            choices.insert(1, json!({ "name": "Reusable credential", "value": CREDENTIAL }));
        }
        // An address that fits every way to sign in, whichever the credential has.
        if property["id"] == "connection.loginUrl"
            && let Some(choices) = property["condition"]["oneOf"].as_array_mut()
        {
            choices.push(CREDENTIAL.into());
        }
    }
    let place = properties.iter().position(|property| property["id"] == "connection.loginUrl");
    properties.insert(place.unwrap_or_default() + 1, chooser());
    template
}

fn chooser() -> Value {
    json!({
        "id": "connection.credential",
        "label": "Credential",
        "tooltip": "What the task signs in with. It is set up once, in the modeler or in Camunda Hub, for all tasks that use it.",
        "type": "Configuration",
        "configurationTemplate": ID,
        "constraints": { "notEmpty": true },
        "group": "connection",
        "binding": { "type": "zeebe:input", "name": AUTHENTICATION },
        "condition": { "property": CONNECTION, "equals": CREDENTIAL },
    })
}

/// What a credential holds: the inline fields, under their last names.
fn credential() -> Value {
    let ways = connection::ways().map(|(value, name)| json!({ "name": name, "value": value }));
    let kind = json!({
        "id": "type",
        "label": "Way to sign in",
        "type": "Dropdown",
        "value": connection::ways().next().map(|(value, _)| value),
        "choices": ways.collect::<Vec<_>>(),
        "constraints": { "notEmpty": true },
        "binding": { "type": "property", "name": "type" },
    });
    let fields = connection::authentication().into_iter().filter_map(|property| {
        let property = serde_json::to_value(property).expect("every key is a string");
        (property["type"] != "Hidden").then(|| field(&property))
    });
    let properties: Vec<Value> = [kind].into_iter().chain(fields).collect();
    json!({
        "name": "Salesforce login",
        "id": ID,
        "kind": "CREDENTIAL",
        "version": 1,
        "description": "What a task signs in to Salesforce with",
        "properties": properties,
    })
}

/// An inline field as one of a credential, which knows neither expressions nor optional fields.
fn field(property: &Value) -> Value {
    let mut members: Map<String, Value> = property.as_object().cloned().unwrap_or_default();
    for name in ["feel", "group", "optional"] {
        members.shift_remove(name);
    }
    let path = property["binding"]["name"].as_str().unwrap_or_default();
    let name = path.rsplit('.').next().unwrap_or_default();
    members.insert("binding".to_owned(), json!({ "type": "property", "name": name }));
    if let Some(condition) = members.get_mut("condition") {
        condition["property"] = "type".into();
    }
    let pattern = property["constraints"]["pattern"]["value"].as_str().unwrap_or_default();
    if pattern.contains("secrets") {
        members.insert("secret".to_owned(), true.into());
    }
    Value::Object(members)
}
