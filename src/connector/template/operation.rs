//! The fields of the operations, from their descriptors.

use super::builder::{header, request};
use super::model::{Condition, Feel, FieldType, Preset, Property, Step, StepGroup};
use super::sections;
use crate::connector::operations::{Area, Descriptor, Input, InputKind, ResultContent};

/// The list of operations; the fields below it depend on what is chosen there.
pub(super) const OPERATION: &str = "operation";
pub(super) const GROUP: &str = "operation";

/// The fields on whose value others depend.
const DECIDING: &[&str] = &["operation.bulkOperation"];

pub(super) fn chooser(operations: &[&Descriptor]) -> Property {
    Property::field(OPERATION, FieldType::Dropdown, "Operation", request("operation.type"))
        .tooltip("What the task does in Salesforce. The fields below depend on it.")
        .choices(operations.iter().map(|operation| (operation.name, entry(operation))))
        .required()
        .group(GROUP)
}

/// Modeler's lists have no headings, so the area stands before each of its operations.
fn entry(operation: &Descriptor) -> String {
    format!("{}: {}", operation.area.label(), operation.label)
}

/// The fields of all operations. What several operations share in every word is one field.
pub(super) fn fields(operations: &[&Descriptor]) -> Vec<Property> {
    let mut shared: Vec<(&Input, Property, Vec<&'static str>)> = Vec::new();
    for operation in operations {
        // From the last to the first, so that what is new finds its place before what is known.
        let mut place = shared.len();
        for input in operation.inputs.iter().rev().filter(|input| input.kind.is_general()) {
            let property = field(input);
            if let Some(known) = shared.iter().position(|(_, known, _)| *known == property) {
                shared[known].2.push(operation.name);
                place = known;
            } else {
                shared.insert(place, (input, property, vec![operation.name]));
            }
        }
    }
    let alone = |input: &Input| shared.iter().filter(|(other, ..)| other.name == input.name).count() == 1;
    let properties = shared.iter().map(|(input, property, users)| {
        let id = if alone(input) { property.id.clone() } else { format!("{}.{}", property.id, users[0]) };
        let of_operations = Condition::one_of(OPERATION, users);
        let condition = match deciding(input) {
            Some((property, value)) => Condition::both(of_operations, Condition::is(property, value)),
            None => of_operations,
        };
        Property { id, ..property.clone().when(condition) }
    });
    properties.collect()
}

/// The property that decides whether a field is shown, and the value for which it is. It has the short id, since no other
/// field has its name.
fn deciding(input: &Input) -> Option<(&'static str, &'static str)> {
    let (name, value) = input.kind.depends_on()?;
    Some((DECIDING.iter().find(|id| id.strip_prefix("operation.") == Some(name))?, value))
}

/// What the result variable holds: one field for every set of contents that some operation can give.
pub(super) fn result_contents(operations: &[&Descriptor]) -> Vec<Property> {
    let mut sets: Vec<(&[ResultContent], Vec<&'static str>)> = Vec::new();
    for operation in operations {
        match sets.iter_mut().find(|(contents, _)| *contents == operation.contents) {
            Some((_, users)) => users.push(operation.name),
            None => sets.push((operation.contents, vec![operation.name])),
        }
    }
    let properties = sets.iter().map(|(contents, users)| {
        Property::field(
            format!("resultContent.{}", users[0]),
            FieldType::Dropdown,
            "Result variable holds",
            header("resultContent"),
        )
        .tooltip("Which part of Salesforce's answer goes to the result variable.")
        .choices(contents.iter().map(|content| (content.name(), label(*content))))
        .value(contents[0].name())
        .required()
        .group("output")
        // Without a result variable the header would mean nothing, and the worker refuses it.
        .when(Condition::both(
            Condition::one_of(OPERATION, users),
            Condition::is_filled(sections::RESULT_VARIABLE),
        ))
    });
    properties.collect()
}

/// The expressions for the variables that an operation gives: a field for each operation, with its example.
pub(super) fn result_expressions(operations: &[&Descriptor]) -> Vec<Property> {
    let about = "Makes process variables of the response: status, reason, headers and body. Variables of the process are \
                 not there. Beside the result variable, the expression wins.";
    let field = |operation: &&Descriptor| {
        expression(("resultExpression", "Result expression"), operation, about, operation.examples.result)
            .optional()
            .group("output")
            .when(Condition::is(OPERATION, operation.name))
    };
    operations.iter().map(field).collect()
}

/// The expressions that decide about errors, in the same way, for modelers who choose so.
pub(super) fn error_expressions(operations: &[&Descriptor]) -> Vec<Property> {
    let about = "Sees error after a failure, the response after a success, and job.retries. Gives bpmnError, jobError, \
                 ignoreError, or null for what happens anyway.";
    let field = |operation: &&Descriptor| {
        let chosen = Condition::is(sections::BPMN_ERRORS, sections::BY_EXPRESSION);
        expression(("errorExpression", "Error expression"), operation, about, operation.examples.error)
            .required()
            .group("errors")
            .when(Condition::both(Condition::is(OPERATION, operation.name), chosen))
    };
    operations.iter().map(field).collect()
}

fn expression(
    (key, label): (&'static str, &'static str),
    operation: &Descriptor,
    about: &str,
    example: &'static str,
) -> Property {
    // Modeler shows the sign of equality before the field.
    let example = example.trim_start_matches('=');
    Property::field(format!("{key}.{}", operation.name), FieldType::Text, label, header(key))
        .tooltip(format!("{about} Example: {example} ."))
        .placeholder(example)
        .feel(Feel::Required)
}

/// One entry of Modeler's search for each operation, below its area.
pub(super) fn search_entries(operations: &[&Descriptor]) -> (Vec<Preset>, Vec<StepGroup>) {
    let preset = |operation: &&Descriptor| Preset {
        id: operation.name,
        properties: [(OPERATION.to_owned(), operation.name.into())].into_iter().collect(),
    };
    let step = |operation: &&Descriptor| Step {
        name: operation.label,
        description: operation.summary,
        keywords: operation.keywords.to_vec(),
        preset_id: operation.name,
    };
    let used = |area: &Area| operations.iter().any(|operation| operation.area == *area);
    let steps = Area::ALL.into_iter().filter(used).map(|area| {
        let own = operations.iter().filter(|operation| operation.area == area);
        StepGroup { name: area.label(), steps: own.map(step).collect() }
    });
    (operations.iter().map(preset).collect(), steps.filter(|group| !group.steps.is_empty()).collect())
}

/// The property of a field, for whichever operation is chosen.
pub(super) fn field(input: &Input) -> Property {
    let binding = request(&format!("operation.{}", input.name));
    let plain = input.kind.plain();
    let kind = match *plain {
        // Modeler shows an empty number as 0; the worker reads digits in a text as well.
        InputKind::Text { .. } | InputKind::Integer { .. } => FieldType::String,
        InputKind::LongText | InputKind::Context | InputKind::List | InputKind::Value => FieldType::Text,
        InputKind::Fields { .. } => unreachable!("each of them is a field of its own"),
        InputKind::Boolean { .. } => FieldType::Boolean,
        InputKind::Choice { .. } => FieldType::Dropdown,
        InputKind::Dependent { .. } => unreachable!("it is plain"),
    };
    let property = Property::field(format!("operation.{}", input.name), kind, input.label, binding)
        .tooltip(input.tooltip)
        .group(GROUP);
    match *plain {
        // A check box is never empty, and neither is a list to choose from.
        InputKind::Boolean { default } => return property.feel(Feel::Optional).value(default),
        InputKind::Choice { choices } => {
            return property.choices(choices.iter().copied()).value(choices[0].0).required();
        }
        _ => {}
    }
    let property = if input.required { property.required() } else { property.optional() };
    match *plain {
        // Modeler shows the sign of equality before the field.
        InputKind::Context | InputKind::List | InputKind::Value => {
            property.feel(Feel::Required).placeholder(input.placeholder.trim_start_matches('='))
        }
        _ => restrict(property, plain).feel(Feel::Optional).placeholder(input.placeholder),
    }
}

fn restrict(property: Property, kind: &InputKind) -> Property {
    match kind {
        InputKind::Text { pattern: Some((value, message)) } => property.pattern(value, *message),
        InputKind::Integer { min } => {
            let digits = if *min == 0 { "^\\d+$" } else { "^0*[1-9]\\d*$" };
            property.pattern(digits, format!("must be a whole number of {min} or more"))
        }
        _ => property,
    }
}

fn label(content: ResultContent) -> &'static str {
    match content {
        ResultContent::Response => "The whole response: status, headers, body",
        ResultContent::Body => "The body of the response",
        ResultContent::Records => "The list of records",
        ResultContent::FirstRecord => "The first record, or null",
        ResultContent::Id => "The id of the record",
    }
}
