//! The parts of Camunda's element template format that our templates use.
//!
//! The source is the JSON schema of the npm package `@camunda/zeebe-element-templates-json-schema`; names are
//! that schema's names. What we do not use is left out.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

/// A form for one kind of BPMN task, as Camunda Modeler reads it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ElementTemplate {
    /// The address of the schema; Modeler ignores a template without it.
    #[serde(rename = "$schema")]
    pub schema: &'static str,
    /// What the list of templates shows.
    pub name: Cow<'static, str>,
    /// Names the template in diagrams, together with the version; never changes.
    pub id: Cow<'static, str>,
    /// One sentence below the name.
    pub description: Cow<'static, str>,
    /// Grows by one with every release that changes more than words.
    pub version: u32,
    /// Further words that find the template.
    pub keywords: Vec<Cow<'static, str>>,
    /// The heading under which it is listed.
    pub category: Category,
    /// What it may be applied to.
    pub applies_to: [&'static str; 1],
    /// What the element becomes.
    pub element_type: ElementType,
    /// The engines that it works with.
    pub engines: Engines,
    /// Shown in the list and on the task.
    pub icon: Icon,
    /// The sections of the properties panel. Modeler orders them by the first property of each.
    pub groups: Vec<Group>,
    /// The fields, and what they write into the task.
    pub properties: Vec<Property>,
    /// Values to start with, one set for each entry of [`steps`](Self::steps).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub presets: Vec<Preset>,
    /// The entries below the template in Modeler's search.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepGroup>,
}

/// A heading in the list of templates.
#[derive(Clone, Debug, Serialize)]
pub struct Category {
    /// `connectors` is Modeler's own.
    pub id: &'static str,
    /// The heading's text.
    pub name: &'static str,
}

/// The BPMN type of an element.
#[derive(Clone, Debug, Serialize)]
pub struct ElementType {
    /// Such as `bpmn:ServiceTask`.
    pub value: &'static str,
}

/// Ranges of versions, in the notation of npm.
#[derive(Clone, Debug, Serialize)]
pub struct Engines {
    /// The versions of Camunda 8.
    pub camunda: &'static str,
}

/// An image.
#[derive(Clone, Debug, Serialize)]
pub struct Icon {
    /// A `data:` URI.
    pub contents: String,
}

/// A section of the properties panel.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// Named by [`Property::group`].
    pub id: &'static str,
    /// The section's title.
    pub label: &'static str,
    /// Help, shown at the title.
    pub tooltip: &'static str,
}

/// One field, and the place in the task that holds its value.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Property {
    /// Unique in the template; conditions and presets refer to it.
    pub id: String,
    /// The field's title; a hidden field has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<Cow<'static, str>>,
    /// Help, shown at the title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tooltip: Option<Cow<'static, str>>,
    /// What the field looks like.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// Whether an expression may, or must, be entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feel: Option<Feel>,
    /// An empty field writes nothing into the task. Without it, an empty input is written without a source, and
    /// the engine refuses the process.
    #[serde(skip_serializing_if = "is_false")]
    pub optional: bool,
    /// The value at first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The entries of a dropdown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// Shown in the empty field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placeholder: Option<&'static str>,
    /// What Modeler checks.
    #[serde(skip_serializing_if = "Constraints::is_empty")]
    pub constraints: Constraints,
    /// The section; a hidden field has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<&'static str>,
    /// Where the value is written.
    pub binding: Binding,
    /// When the field is there at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
}

/// What a field looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum FieldType {
    /// One line.
    String,
    /// Several lines.
    Text,
    /// A check box.
    Boolean,
    /// A list to choose from.
    Dropdown,
    /// Not shown; always holds [`Property::value`].
    Hidden,
}

/// Expressions in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Feel {
    /// A value or an expression.
    Optional,
    /// Always an expression.
    Required,
}

/// One entry of a dropdown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// What is shown.
    pub name: Cow<'static, str>,
    /// What is written.
    pub value: Cow<'static, str>,
}

/// What Modeler checks while a field is edited. An expression matches every pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Constraints {
    /// Whether the field must be filled. The schema wants `false` to be said where an optional field has a pattern.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_empty: Option<bool>,
    /// How many characters the text may have at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u64>,
    /// What the text must match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
}

impl Constraints {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a text must match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pattern {
    /// A regular expression of JavaScript.
    pub value: String,
    /// Shown below the field, behind its label, when the text does not match.
    pub message: String,
}

/// The place in a task that holds a field's value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "type")]
pub enum Binding {
    /// An input mapping: the job's local variable; dots nest.
    #[serde(rename = "zeebe:input")]
    Input {
        /// The target, such as `salesforceRequest.operation.type`.
        name: String,
    },
    /// A task header.
    #[serde(rename = "zeebe:taskHeader")]
    Header {
        /// Its key.
        key: &'static str,
    },
    /// The task definition.
    #[serde(rename = "zeebe:taskDefinition")]
    TaskDefinition {
        /// `type` or `retries`.
        property: &'static str,
    },
    /// An extension property: kept in the diagram, never sent to the worker.
    #[serde(rename = "zeebe:property")]
    Extension {
        /// Its name.
        name: &'static str,
    },
}

/// When a field is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Condition {
    /// Another field has one of some values.
    #[serde(rename_all = "camelCase")]
    OneOf {
        /// The other field's [`Property::id`].
        property: &'static str,
        /// The values.
        one_of: Vec<Cow<'static, str>>,
    },
    /// Another field has this value.
    Equals {
        /// The other field's [`Property::id`].
        property: &'static str,
        /// The value.
        equals: &'static str,
    },
    /// Another field is empty, or is not.
    #[serde(rename_all = "camelCase")]
    IsEmpty {
        /// The other field's [`Property::id`].
        property: &'static str,
        /// Whether it is empty.
        is_empty: bool,
    },
    /// Several conditions hold.
    #[serde(rename_all = "camelCase")]
    AllMatch {
        /// The conditions.
        all_match: Vec<Condition>,
    },
}

/// A heading in Modeler's search, and the entries below it.
#[derive(Clone, Debug, Serialize)]
pub struct StepGroup {
    /// The heading.
    pub name: &'static str,
    /// The entries.
    pub steps: Vec<Step>,
}

/// Values to start with.
#[derive(Clone, Debug, Serialize)]
pub struct Preset {
    /// Named by [`Step::preset_id`].
    pub id: &'static str,
    /// Values by [`Property::id`].
    pub properties: serde_json::Map<String, Value>,
}

/// An entry in Modeler's search.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// What is shown.
    pub name: &'static str,
    /// One sentence below the name.
    pub description: &'static str,
    /// Further words that find it.
    pub keywords: Vec<&'static str>,
    /// The values that it starts with.
    pub preset_id: &'static str,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn is_false(value: &bool) -> bool {
    !value
}
