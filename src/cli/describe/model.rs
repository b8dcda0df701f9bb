//! What is kept of a describe document, and what is printed of it as JSON.

use serde::{Deserialize, Serialize};

/// An object in the list of all.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all(serialize = "camelCase", deserialize = "camelCase"), default)]
#[expect(clippy::struct_excessive_bools, reason = "a describe document says these things as flags")]
#[derive(Default)]
pub(super) struct Summary {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) key_prefix: Option<String>,
    pub(super) custom: bool,
    pub(super) createable: bool,
    pub(super) queryable: bool,
    pub(super) updateable: bool,
    pub(super) deletable: bool,
}

/// One object.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Object {
    #[serde(flatten)]
    pub(super) summary: Summary,
    pub(super) fields: Vec<Field>,
    #[serde(default)]
    pub(super) child_relationships: Vec<Child>,
}

/// One field.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default, from = "Described")]
#[expect(clippy::struct_excessive_bools, reason = "a describe document says these things as flags")]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) label: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) length: u64,
    pub(super) precision: u64,
    pub(super) scale: u64,
    /// A new record must have it.
    pub(super) required: bool,
    pub(super) createable: bool,
    pub(super) updateable: bool,
    pub(super) unique: bool,
    pub(super) external_id: bool,
    pub(super) reference_to: Vec<String>,
    pub(super) relationship_name: Option<String>,
    /// Those that can be chosen.
    pub(super) picklist_values: Vec<Choice>,
    pub(super) help: Option<String>,
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
    createable: bool,
    updateable: bool,
    unique: bool,
    external_id: bool,
    reference_to: Vec<String>,
    relationship_name: Option<String>,
    picklist_values: Vec<Choice>,
    inline_help_text: Option<String>,
}

impl From<Described> for Field {
    fn from(field: Described) -> Self {
        Self {
            required: field.createable && !field.nillable && !field.defaulted_on_create,
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
            help: field.inline_help_text,
        }
    }
}

/// A value of a picklist.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: Option<String>,
    #[serde(skip_serializing)]
    active: bool,
}

/// A relationship seen from the parent.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Child {
    pub(super) relationship_name: Option<String>,
    #[serde(rename = "childSObject")]
    pub(super) object: String,
    pub(super) field: String,
}

/// `text` is in lower case; an empty one is in everything.
fn is_in(text: &str, name: &str, label: &str) -> bool {
    name.to_lowercase().contains(text) || label.to_lowercase().contains(text)
}

impl Summary {
    pub(super) fn matches(&self, text: &str) -> bool {
        is_in(text, &self.name, &self.label)
    }
}

impl Object {
    /// Keeps what has this text in its name or label. A relationship without a name cannot be used and is left out.
    pub(super) fn keep(&mut self, text: &str) {
        self.fields.retain(|field| is_in(text, &field.name, &field.label));
        self.child_relationships.retain(|child| {
            child.relationship_name.as_deref().is_some_and(|name| is_in(text, name, &child.object))
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.child_relationships.is_empty()
    }
}
