//! The template "Salesforce", from the list of operations.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::model::{Binding, Category, ElementTemplate, ElementType, Engines, Icon, Property};
use super::{connection, operation, sections};
use crate::connector::operations::{self, Descriptor};

const ID: &str = "io.github.salesforce-connector.salesforce";
const VERSION: u32 = 1;
const JOB_TYPE: &str = "salesforce-connector:1";
const ICON: &str = include_str!("icon.svg");

/// The element templates as files: name and JSON text.
///
/// The text is always the same for the same operations, indented, and ends with a newline.
pub fn element_templates() -> Vec<(String, String)> {
    let json = serde_json::to_string_pretty(&template(operations::ALL)).expect("every key is a string");
    vec![("salesforce-connector.json".to_owned(), json + "\n")]
}

/// The template for these operations.
pub(super) fn template(operations: &[&Descriptor]) -> ElementTemplate {
    let (presets, steps) = operation::search_entries(operations);
    ElementTemplate {
        schema: "https://unpkg.com/@camunda/zeebe-element-templates-json-schema/resources/schema.json",
        name: "Salesforce",
        id: ID,
        description: "Reads and writes records of a Salesforce org",
        version: VERSION,
        keywords: vec!["salesforce", "crm", "sobject", "soql", "account", "contact", "lead", "opportunity"],
        category: Category { id: "connectors", name: "Connectors" },
        applies_to: ["bpmn:Task"],
        element_type: ElementType { value: "bpmn:ServiceTask" },
        engines: Engines { camunda: "^8.5" },
        icon: Icon { contents: format!("data:image/svg+xml;base64,{}", STANDARD.encode(ICON.trim_end())) },
        groups: sections::GROUPS.to_vec(),
        properties: properties(operations),
        presets,
        steps,
    }
}

fn properties(operations: &[&Descriptor]) -> Vec<Property> {
    let definition = Binding::TaskDefinition { property: "type" };
    let mut all = vec![
        Property::hidden("taskDefinitionType", JOB_TYPE, definition),
        Property::hidden("elementTemplateId", ID, Binding::Header { key: "elementTemplateId" }),
        Property::hidden(
            "elementTemplateVersion",
            VERSION.to_string(),
            Binding::Header { key: "elementTemplateVersion" },
        ),
    ];
    all.extend(connection::connection());
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
