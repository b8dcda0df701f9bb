//! The template "Salesforce", from the list of operations.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::model::{Binding, Category, ElementTemplate, ElementType, Engines, Group, Icon, Property};
use super::{connection, credential, operation, sections};
use crate::connector::operations::{self, Descriptor};

const ID: &str = "io.github.salesforce-connector.salesforce";
const VERSION: u32 = 1;
const KEYWORDS: [&str; 8] =
    ["salesforce", "crm", "sobject", "soql", "account", "contact", "lead", "opportunity"];
const JOB_TYPE: &str = "salesforce-connector:1";
const ICON: &str = include_str!("icon.svg");

/// The element templates as files: name and JSON text.
///
/// The text is always the same for the same operations, indented, and ends with a newline.
pub fn element_templates() -> Vec<(String, String)> {
    let general = serde_json::to_value(template(operations::ALL)).expect("every key is a string");
    let file = |name: &str, template: &Value| (name.to_owned(), format!("{template:#}\n"));
    vec![
        file("salesforce-connector.json", &general),
        file("salesforce-connector-8.10.json", &credential::taking_credentials(general.clone())),
    ]
}

/// A template as text.
pub(super) fn json(template: &ElementTemplate) -> String {
    serde_json::to_string_pretty(template).expect("every key is a string") + "\n"
}

/// The template for these operations.
pub(super) fn template(operations: &[&Descriptor]) -> ElementTemplate {
    let (presets, steps) = operation::search_entries(operations);
    let title = Title {
        name: "Salesforce".into(),
        id: ID.into(),
        description: "Reads and writes records of a Salesforce org".into(),
        version: VERSION,
        keywords: KEYWORDS.map(Into::into).to_vec(),
    };
    let template = titled(title, sections::GROUPS.to_vec(), properties(operations));
    ElementTemplate { presets, steps, ..template }
}

/// What tells a template from others.
pub(super) struct Title {
    pub(super) name: Cow<'static, str>,
    pub(super) id: Cow<'static, str>,
    pub(super) description: Cow<'static, str>,
    pub(super) version: u32,
    pub(super) keywords: Vec<Cow<'static, str>>,
}

/// A template of these properties, behind those that every task has.
pub(super) fn titled(title: Title, groups: Vec<Group>, properties: Vec<Property>) -> ElementTemplate {
    let Title { name, id, description, version, keywords } = title;
    let definition = Binding::TaskDefinition { property: "type" };
    let mut all = vec![
        Property::hidden("taskDefinitionType", JOB_TYPE, definition),
        Property::hidden("elementTemplateId", id.clone(), Binding::Header { key: "elementTemplateId" }),
        Property::hidden(
            "elementTemplateVersion",
            version.to_string(),
            Binding::Header { key: "elementTemplateVersion" },
        ),
    ];
    all.extend(properties);
    ElementTemplate {
        schema: "https://unpkg.com/@camunda/zeebe-element-templates-json-schema/resources/schema.json",
        name,
        id,
        description,
        version,
        keywords,
        category: Category { id: "connectors", name: "Connectors" },
        applies_to: ["bpmn:Task"],
        element_type: ElementType { value: "bpmn:ServiceTask" },
        engines: Engines { camunda: "^8.5" },
        icon: Icon { contents: format!("data:image/svg+xml;base64,{}", STANDARD.encode(ICON.trim_end())) },
        groups,
        properties: all,
        presets: Vec::new(),
        steps: Vec::new(),
    }
}

fn properties(operations: &[&Descriptor]) -> Vec<Property> {
    let mut all = connection::connection();
    all.extend(connection::authentication());
    all.push(operation::chooser(operations));
    all.extend(operation::fields(operations));
    all.push(sections::timeout());
    all.push(sections::result_variable());
    all.extend(operation::result_contents(operations));
    all.extend(operation::result_expressions(operations));
    all.extend(sections::errors());
    all.extend(operation::error_expressions(operations));
    all.extend(sections::retries());
    all
}
