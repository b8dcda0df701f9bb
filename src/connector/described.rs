//! What is kept of a describe document: what `describe` prints as JSON, and what templates of an org are made of.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An object in the list of all.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all(serialize = "camelCase", deserialize = "camelCase"), default)]
#[expect(clippy::struct_excessive_bools, reason = "a describe document says these things as flags")]
#[derive(Default)]
pub(crate) struct Summary {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) key_prefix: Option<String>,
    pub(crate) custom: bool,
    pub(crate) createable: bool,
    pub(crate) queryable: bool,
    pub(crate) updateable: bool,
    pub(crate) deletable: bool,
}

/// One object.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Object {
    #[serde(flatten)]
    pub(crate) summary: Summary,
    pub(crate) fields: Vec<Field>,
    #[serde(default)]
    pub(crate) child_relationships: Vec<Child>,
    #[serde(default, rename(deserialize = "recordTypeInfos"))]
    pub(crate) record_types: Vec<RecordType>,
}

/// A record type of an object.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RecordType {
    pub(crate) name: String,
    pub(crate) developer_name: String,
    #[serde(rename(deserialize = "recordTypeId"))]
    pub(crate) id: String,
    /// The user may choose it.
    pub(crate) available: bool,
    /// The one that stands for none.
    pub(crate) master: bool,
}

/// One field.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default, from = "Described")]
#[expect(clippy::struct_excessive_bools, reason = "a describe document says these things as flags")]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) label: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) length: u64,
    pub(crate) precision: u64,
    pub(crate) scale: u64,
    /// A new record must have it.
    pub(crate) required: bool,
    /// The org fills it where a new record does not have it.
    pub(crate) defaulted_on_create: bool,
    /// A record is called by it.
    pub(crate) is_name: bool,
    pub(crate) createable: bool,
    pub(crate) updateable: bool,
    pub(crate) unique: bool,
    pub(crate) external_id: bool,
    pub(crate) reference_to: Vec<String>,
    pub(crate) relationship_name: Option<String>,
    /// Those that can be chosen.
    pub(crate) picklist_values: Vec<Choice>,
    /// The field whose value decides which of them can be chosen.
    pub(crate) depends_on: Option<String>,
    pub(crate) help: Option<String>,
}

/// A field as Salesforce describes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "a describe document says these things as flags")]
struct Described {
    name: String,
    label: String,
    #[serde(rename = "type")]
    kind: String,
    length: u64,
    precision: u64,
    scale: u64,
    nillable: bool,
    defaulted_on_create: bool,
    name_field: bool,
    createable: bool,
    updateable: bool,
    unique: bool,
    external_id: bool,
    reference_to: Vec<String>,
    relationship_name: Option<String>,
    picklist_values: Vec<Choice>,
    controller_name: Option<String>,
    inline_help_text: Option<String>,
}

impl From<Described> for Field {
    fn from(field: Described) -> Self {
        Self {
            required: field.createable && !field.nillable && !field.defaulted_on_create,
            defaulted_on_create: field.defaulted_on_create,
            is_name: field.name_field,
            name: field.name,
            label: field.label,
            kind: field.kind,
            length: field.length,
            precision: field.precision,
            scale: field.scale,
            createable: field.createable,
            updateable: field.updateable,
            unique: field.unique,
            external_id: field.external_id,
            reference_to: field.reference_to,
            relationship_name: field.relationship_name,
            picklist_values: field.picklist_values.into_iter().filter(|choice| choice.active).collect(),
            depends_on: field.controller_name,
            help: field.inline_help_text,
        }
    }
}

/// A value of a picklist.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: Option<String>,
    #[serde(skip_serializing)]
    pub(crate) active: bool,
}

/// A relationship seen from the parent.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Child {
    pub(crate) relationship_name: Option<String>,
    #[serde(rename = "childSObject")]
    pub(crate) object: String,
    pub(crate) field: String,
}

/// `text` is in lower case; an empty one is in everything.
fn is_in(text: &str, name: &str, label: &str) -> bool {
    name.to_lowercase().contains(text) || label.to_lowercase().contains(text)
}

impl Summary {
    pub(crate) fn matches(&self, text: &str) -> bool {
        is_in(text, &self.name, &self.label)
    }
}

impl Object {
    /// Keeps what has this text in its name or label. A relationship without a name cannot be used and is left out.
    pub(crate) fn keep(&mut self, text: &str) {
        self.fields.retain(|field| is_in(text, &field.name, &field.label));
        self.child_relationships.retain(|child| {
            child.relationship_name.as_deref().is_some_and(|name| is_in(text, name, &child.object))
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.child_relationships.is_empty()
    }
}

/// A label as it may stand in a line: no line breaks, nothing that a terminal would carry out or that turns the text around.
pub(crate) fn plain(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let kept = text.chars().filter(|c| !turns(*c));
    let mut line = String::with_capacity(text.len());
    for c in kept {
        match c {
            _ if c.is_whitespace() => line.push(' '),
            _ if c.is_control() => line.extend(c.escape_default()),
            _ => line.push(c),
        }
    }
    line.trim().to_owned()
}

/// The fields of a page layout, in its order. A part of an address or a name is named by itself.
pub(crate) fn layout_fields(layout: &Value) -> Vec<String> {
    let sections = ["editLayoutSections", "detailLayoutSections"].map(|name| &layout[name]);
    let filled =
        sections.into_iter().find(|sections| sections.as_array().is_some_and(|list| !list.is_empty()));
    let mut names = Vec::new();
    collect(filled.unwrap_or(&Value::Null), &mut names);
    names
}

fn collect(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        Value::Object(members) => {
            if let (Some("Field"), Some(name)) = (value["type"].as_str(), value["value"].as_str())
                && !names.iter().any(|known| known == name)
            {
                names.push(name.to_owned());
            }
            members.values().for_each(|member| collect(member, names));
        }
        _ => {}
    }
}

impl Object {
    /// Keeps of each picklist what a record type allows, as the UI API tells it.
    pub(crate) fn narrow(&mut self, values: &Value) {
        for field in &mut self.fields {
            let allowed = &values["picklistFieldValues"][&field.name]["values"];
            if let Ok(allowed) = serde_json::from_value(allowed.clone()) {
                field.picklist_values = allowed;
            }
        }
    }
}
