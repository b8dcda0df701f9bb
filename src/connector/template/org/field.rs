//! A field of the org as an input: what it looks like, what may be entered, and what is told about it.

use super::super::builder::request;
use super::super::model::{Choice, Feel, FieldType, Property};
use super::words::{self, html, sentence};
use crate::connector::{
    described::{Field, RecordType, plain},
    operations::{NO_RECORD_ID, RECORD_ID},
};

const DATE: &str = "\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])";
const TIME: &str = "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,3})?";

/// The input of a field; `needed`: it must be filled.
pub(super) fn input(field: &Field, label: String, needed: bool, record_types: &[RecordType]) -> Property {
    let choices = choices(field, record_types);
    let kind = match field.kind.as_str() {
        _ if !choices.is_empty() => FieldType::Dropdown,
        "textarea" | "base64" => FieldType::Text,
        _ => FieldType::String,
    };
    let property = empty(field, kind);
    let property = Property { label: Some(label.into()), ..property }.tooltip(help(field, kind, needed));
    let property = if needed { property.required() } else { property.optional() };
    match kind {
        FieldType::Dropdown => Property { choices: with_way_out(choices, needed), ..property },
        _ => limited(property, field).feel(Feel::Optional),
    }
}

/// A field whose value is settled.
pub(super) fn hidden(field: &Field, value: &str) -> Property {
    empty(field, FieldType::Hidden).value(value)
}

fn empty(field: &Field, kind: FieldType) -> Property {
    let binding = request(&format!("operation.fields.{}", field.name));
    Property::bare(format!("fields.{}", field.name), kind, binding)
}

/// What can be chosen, where the field is a list. The values of a dependent picklist depend on another field, which a list in
/// a template cannot do.
fn choices(field: &Field, record_types: &[RecordType]) -> Vec<Choice> {
    let flag = |name: &'static str, value: &'static str| Choice { name: name.into(), value: value.into() };
    match field.kind.as_str() {
        // Modeler writes false for each check box of a template as soon as it is applied: an update would clear them all.
        "boolean" => vec![flag("Yes", "=true"), flag("No", "=false")],
        "picklist" if field.depends_on.is_none() => words::choices(&field.picklist_values),
        "reference" if field.name == "RecordTypeId" => {
            let own = record_types.iter().filter(|own| own.available && !own.master);
            own.map(|own| words::choice(&own.id, plain(&own.name))).collect()
        }
        _ => Vec::new(),
    }
}

/// Modeler lets no expression into a list. One that need not be filled is left empty for it; one that must be has an entry for
/// that: null is not sent.
fn with_way_out(mut choices: Vec<Choice>, needed: bool) -> Vec<Choice> {
    if needed {
        choices.push(Choice { name: "(an expression in Further fields)".into(), value: "=null".into() });
    }
    choices
}

/// The same property with what the text must look like.
fn limited(property: Property, field: &Field) -> Property {
    let property = match pattern(field) {
        Some((pattern, message, placeholder)) => property.pattern(&pattern, message).placeholder(placeholder),
        None => property,
    };
    let is_text = !matches!(
        field.kind.as_str(),
        "int" | "double" | "currency" | "percent" | "date" | "datetime" | "time" | "reference"
    );
    if is_text { property.at_most(field.length) } else { property }
}

/// What a text of the field's type must match, what to say when it does not, and an example.
fn pattern(field: &Field) -> Option<(String, String, &'static str)> {
    let fixed = |pattern: &str, message: &str, example| (pattern.to_owned(), message.to_owned(), example);
    Some(match field.kind.as_str() {
        "int" => fixed("^-?\\d{1,10}$", "must be a whole number", ""),
        "double" | "currency" | "percent" => number(field),
        "date" => fixed(&format!("^{DATE}$"), "must be a date such as 2026-11-28", "2026-11-28"),
        "datetime" => fixed(
            &format!("^{DATE}T{TIME}(Z|[+-]\\d{{2}}:?\\d{{2}})$"),
            "must be a date and time with an offset, such as 2026-11-28T10:00:00Z",
            "2026-11-28T10:00:00Z",
        ),
        "time" => fixed(&format!("^{TIME}Z?$"), "must be a time such as 10:00:00Z", "10:00:00Z"),
        "email" => {
            fixed("^[^\\s@]+@[^\\s@]+\\.[^\\s@]+$", "must be an e-mail address such as ada@example.com", "")
        }
        "url" => fixed("^\\S+$", "must be a web address, without blanks", ""),
        "phone" => fixed("^.*\\d.*$", "must be a phone number, with a digit at least", ""),
        "reference" => fixed(RECORD_ID, NO_RECORD_ID, ""),
        _ => return None,
    })
}

fn number(field: &Field) -> (String, String, &'static str) {
    let (digits, limit) = match field.precision.saturating_sub(field.scale) {
        0 => ("+".to_owned(), String::new()),
        most => (format!("{{1,{most}}}"), format!(" with at most {most} digits before the point")),
    };
    (format!("^-?\\d{digits}(\\.\\d+)?$"), format!("must be a number{limit}, such as 1250.50"), "")
}

/// The org's own help, what the type asks for, and the API name.
fn help(field: &Field, kind: FieldType, needed: bool) -> String {
    let mut parts: Vec<String> = field.help.as_deref().and_then(sentence).into_iter().collect();
    parts.extend(of_type(field, kind, needed));
    if field.required && !needed && !field.updateable {
        parts.push(
            "Only for a record that is created, which must have it; an update with it is refused.".to_owned(),
        );
    }
    parts.push(format!("API name: {}.", html(&field.name)));
    parts.join(" ")
}

fn of_type(field: &Field, kind: FieldType, needed: bool) -> Option<String> {
    let values = || html(&words::some_of(field.picklist_values.iter().map(|choice| &*choice.value), 30));
    Some(match field.kind.as_str() {
        _ if kind == FieldType::Dropdown && needed => {
            "For an expression, choose the last entry and use Further fields.".to_owned()
        }
        _ if kind == FieldType::Dropdown => {
            "For an expression, leave it empty and use Further fields.".to_owned()
        }
        "multipicklist" => format!("Several values are separated by ; such as A;B. Values: {}.", values()),
        "picklist" => match &field.depends_on {
            Some(other) => {
                format!("Which of its values can be chosen depends on {}. Values: {}.", html(other), values())
            }
            None => "A value of its list; the connection's user sees none of them.".to_owned(),
        },
        "combobox" if !field.picklist_values.is_empty() => format!("Any text, such as: {}.", values()),
        "reference" => {
            let targets =
                html(&words::some_of(field.reference_to.iter().map(String::as_str), 5)).replace(", ", " or ");
            format!("The id of a record of {targets}, 15 or 18 characters.")
        }
        "double" | "currency" if field.scale > 0 => {
            format!("Salesforce rounds to {} digits after the point.", field.scale)
        }
        "percent" => "In percent: 12.5 is 12.5 %.".to_owned(),
        "base64" => "The content as Base64.".to_owned(),
        _ => return None,
    })
}
