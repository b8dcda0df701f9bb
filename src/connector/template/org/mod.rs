//! Templates that know the org: one for an object and what is done with it, with the object's own fields.
//!
//! Each field is an input of its own below `operation.fields`; what has none goes to `operation.body`. The two are never
//! mapped at once into each other, and the worker puts them together (`operations/fields.rs`).

mod change;
mod choose;
mod field;
mod reading;
mod words;

use std::{borrow::Cow, fmt::Write as _};

use super::builder::request;
use super::model::{Binding, Condition, FieldType, Group, Property};
use super::writer::{self, Title};
use super::{connection, operation, sections};
use crate::connector::{
    described::{Field, Object, RecordType, plain},
    operations::{self, Descriptor},
};
pub(crate) use change::changes;
use words::html;

const NAMESPACE: &str = "io.github.salesforce-connector";

/// A form with more fields than this is slow to read.
const MOST_FIELDS: usize = 60;

/// So many are shown, or read, at first: each costs a moment when the panel opens, and a line of an expression.
const FIRST_FIELDS: usize = 10;

/// The choice whether the others are shown.
const MORE_FIELDS: &str = "moreFields";
const SHOWN: &str = "shown";

const RECORD: Group = Group {
    id: "record",
    label: "Record",
    tooltip: "Which record, and its fields. What is left empty is not sent; null, which empties a field of a record, goes to \
              Further fields.",
};

/// What a template does with its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// `createRecord`.
    Create,
    /// `updateRecord`.
    Update,
    /// `upsertRecord`.
    Upsert,
    /// `getRecord`.
    Get,
}

/// Which of an object's fields a template shows, and in which order.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// Only these, by their API names, and those that a new record must have.
    pub(crate) fields: Option<Vec<String>>,
    /// Only those that a new record must have.
    pub(crate) required_only: bool,
    /// Those of a page layout, in its order.
    pub(crate) layout: Option<Vec<String>>,
    /// The record type that new records get.
    pub(crate) record_type: Option<RecordType>,
}

impl Purpose {
    /// Its last part in ids and names of files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Upsert => "upsert",
            Self::Get => "get",
        }
    }

    fn descriptor(self) -> &'static Descriptor {
        let name = match self {
            Self::Create => "createRecord",
            Self::Update => "updateRecord",
            Self::Upsert => "upsertRecord",
            Self::Get => "getRecord",
        };
        operations::ALL.iter().find(|operation| operation.name == name).expect("it is in the list")
    }

    /// Whether it may make a record, which then must have what a new one must have.
    fn makes(self) -> bool {
        matches!(self, Self::Create | Self::Upsert)
    }

    /// What the list of templates shows.
    fn title(self, label: &str) -> String {
        match self {
            Self::Create => format!("Create {label}"),
            Self::Update => format!("Update {label}"),
            Self::Upsert => format!("Create or update {label} (upsert)"),
            Self::Get => format!("Get {label}"),
        }
    }

    /// Why there is no template, if there is none.
    fn refusal(self, object: &Object) -> Option<String> {
        let summary = &object.summary;
        let (may, verb) = match self {
            Self::Create => (summary.createable, "create"),
            Self::Update => (summary.updateable, "update"),
            Self::Upsert => (summary.createable && summary.updateable, "create and update"),
            Self::Get => (summary.queryable, "read"),
        };
        if !may {
            return Some(format!("the connection's user may not {verb} records of {}", summary.name));
        }
        if self == Self::Upsert && keys(object).next().is_none() {
            return Some(format!("{} has no external id field, which an upsert needs", summary.name));
        }
        None
    }
}

/// The name of a template's file, without a folder.
pub(crate) fn file_name(object: &str, purpose: Purpose, selection: &Selection) -> String {
    format!("{}.json", path(object, purpose, selection))
}

fn path(object: &str, purpose: Purpose, selection: &Selection) -> String {
    let record_type = selection.record_type.iter().map(|own| format!(".{}", own.developer_name));
    format!("{object}.{}{}", purpose.name(), record_type.collect::<String>())
}

/// The text of a template; or, in words, why there is none.
///
/// The text is always the same for the same object and selection, and ends with a newline.
pub(crate) fn template(
    object: &Object,
    purpose: Purpose,
    selection: &Selection,
    version: u32,
) -> Result<String, String> {
    if let Some(refusal) = purpose.refusal(object) {
        return Err(refusal);
    }
    let descriptor = purpose.descriptor();
    let name = &object.summary.name;
    let label = match plain(&object.summary.label) {
        label if label.is_empty() => name.clone(),
        label => label,
    };
    let of_type = selection.record_type.as_ref().map(|own| format!(": {}", plain(&own.name)));
    let title = purpose.title(&label) + &of_type.unwrap_or_default();
    let own_words = ["salesforce".into(), Cow::Owned(name.clone()), Cow::Owned(label)];
    let title = Title {
        name: title.into(),
        id: format!("{NAMESPACE}.{}", path(name, purpose, selection)).into(),
        description: format!("Salesforce: {} Object: {name}.", descriptor.summary).into(),
        version,
        keywords: own_words
            .into_iter()
            .chain(descriptor.keywords.iter().map(|word| (*word).into()))
            .collect(),
    };
    let properties = properties(object, purpose, selection)?;
    let [connection, authentication, others @ ..] = sections::GROUPS;
    let groups = [connection, authentication, RECORD].into_iter().chain(others).collect();
    Ok(writer::json(&writer::titled(title, groups, properties)))
}

fn properties(object: &Object, purpose: Purpose, selection: &Selection) -> Result<Vec<Property>, String> {
    let descriptor = purpose.descriptor();
    let only = [descriptor];
    let mut all = connection::connection();
    all.extend(connection::authentication());
    all.push(Property::hidden("operation", descriptor.name, request("operation.type")));
    all.push(Property::hidden(
        "operation.objectType",
        object.summary.name.clone(),
        request("operation.objectType"),
    ));
    let (record, result) = match purpose {
        Purpose::Get => reading::record(object, selection),
        _ => (record(object, purpose, selection)?, None),
    };
    all.extend(record);
    all.extend(others(object, descriptor));
    all.push(sections::timeout());
    all.push(sections::result_variable());
    all.extend(operation::result_contents(&only));
    all.extend(operation::result_expressions(&only).into_iter().map(|field| match &result {
        Some(expression) => field.value(expression.clone()),
        None => field,
    }));
    all.extend(sections::errors());
    all.extend(operation::error_expressions(&only));
    all.extend(sections::retries());
    Ok(all.into_iter().map(settled).collect())
}

/// The same property where the operation cannot be chosen any more.
fn settled(property: Property) -> Property {
    let asks = |condition: &Condition| match condition {
        Condition::Equals { property, .. } | Condition::OneOf { property, .. } => {
            *property == operation::OPERATION
        }
        _ => false,
    };
    let condition = match property.condition {
        Some(condition) if asks(&condition) => None,
        Some(Condition::AllMatch { mut all_match }) => {
            all_match.retain(|condition| !asks(condition));
            if all_match.len() > 1 { Some(Condition::AllMatch { all_match }) } else { all_match.pop() }
        }
        other => other,
    };
    Property { condition, ..property }
}

/// One of the operation's own fields, as the template for every object has it.
fn own(descriptor: &Descriptor, name: &str) -> Option<Property> {
    descriptor.inputs.iter().find(|input| input.name == name).map(operation::field)
}

/// The fields that name a record for an upsert.
fn keys(object: &Object) -> impl Iterator<Item = &Field> {
    object.fields.iter().filter(|field| field.external_id)
}

/// Which record, and what it gets.
fn record(object: &Object, purpose: Purpose, selection: &Selection) -> Result<Vec<Property>, String> {
    let descriptor = purpose.descriptor();
    let mut all = Vec::new();
    match purpose {
        Purpose::Update => all.extend(own(descriptor, "objectId")),
        Purpose::Upsert => {
            all.extend(key(object, descriptor).map(Property::required));
            all.extend(own(descriptor, "externalId"));
        }
        Purpose::Create | Purpose::Get => {}
    }
    let chosen = choose::choose(object, purpose, selection);
    if chosen.shown.is_empty() && chosen.rest.is_empty() {
        return Err(format!("{} has no field that the connection's user may set", object.summary.name));
    }
    let settles_type = selection.record_type.is_some() && purpose.makes();
    if settles_type && !chosen.shown.iter().any(|field| field.name == "RecordTypeId") {
        return Err(format!("the connection's user may not set the record type of {}", object.summary.name));
    }
    let labels = choose::labels(&chosen.shown);
    let has_more = chosen.shown.len() > FIRST_FIELDS;
    for (place, (field, label)) in chosen.shown.iter().zip(labels).enumerate() {
        if has_more && place == FIRST_FIELDS {
            all.push(more_fields());
        }
        // An upsert may be an update, which refuses what can be set only once.
        let needed = field.required && (purpose == Purpose::Create || (purpose.makes() && field.updateable));
        let property = match (&selection.record_type, field.name.as_str()) {
            (Some(own), "RecordTypeId") if purpose.makes() => field::hidden(field, &own.id),
            _ => unless_key(field::input(field, label, needed, &object.record_types), field, object, purpose),
        };
        all.push(if needed || place < FIRST_FIELDS { property } else { among_more(property) });
    }
    let further = further(&chosen.rest, descriptor);
    all.extend(if has_more { further.map(among_more) } else { further });
    Ok(all
        .into_iter()
        .map(|property| match property.kind {
            FieldType::Hidden => property,
            _ => property.group(RECORD.id),
        })
        .collect())
}

/// Shows the fields after the first ones, or hides them. It is kept in the diagram, and never sent.
fn more_fields() -> Property {
    let binding = Binding::Extension { name: "salesforceMoreFields" };
    let choices = [("hidden", "Hidden"), (SHOWN, "Shown, and Further fields with them")];
    Property::field(MORE_FIELDS, FieldType::Dropdown, "More fields", binding)
        .choices(choices)
        .value("hidden")
        .tooltip("Whether the object's other fields have inputs here. Hiding them removes what was entered in them.")
}

/// The same property, there only where more fields are shown.
fn among_more(property: Property) -> Property {
    let more = Condition::Equals { property: MORE_FIELDS, equals: SHOWN };
    let condition = match property.condition {
        Some(own) => Condition::AllMatch { all_match: vec![own, more] },
        None => more,
    };
    Property { condition: Some(condition), ..property }
}

/// The list of external id fields.
fn key(object: &Object, descriptor: &Descriptor) -> Option<Property> {
    let mut property = own(descriptor, "externalIdField")?;
    let keys: Vec<&Field> = keys(object).collect();
    let labels = choose::labels(&keys);
    let choice = |(field, label): (&&Field, String)| words::choice(&field.name, label);
    property.kind = FieldType::Dropdown;
    property.feel = None;
    property.placeholder = None;
    property.constraints.pattern = None;
    property.choices = keys.iter().zip(labels).map(choice).collect();
    Some(match keys[..] {
        [only] => property.value(only.name.clone()),
        _ => property,
    })
}

/// The field of a key is there only where another one names the record.
fn unless_key(property: Property, field: &Field, object: &Object, purpose: Purpose) -> Property {
    if purpose != Purpose::Upsert || !field.external_id {
        return property;
    }
    let others = keys(object).filter(|other| other.name != field.name);
    let one_of = others.map(|other| Cow::Owned(other.name.clone())).collect();
    property.when(Condition::OneOf { property: "operation.externalIdField", one_of })
}

/// The context that takes what has no input of its own.
fn further(rest: &[&Field], descriptor: &Descriptor) -> Option<Property> {
    let property = own(descriptor, "body")?.optional();
    let example = rest.first().map_or("Description", |field| &field.name);
    let mut text = format!(
        "Fields without an input of their own, values that are expressions for a list, and null for what is to be emptied, by \
         their API names, such as {{{}: null}}. A field is given once: here or above.",
        html(example)
    );
    if !rest.is_empty() {
        let names = html(&words::some_of(rest.iter().map(|field| &*field.name), 40));
        // Writing to a String cannot fail.
        let _ = write!(text, " Without an input: {names}.");
    }
    Some(Property { label: Some("Further fields".into()), ..property }.tooltip(text))
}

/// The operation's other fields.
fn others(object: &Object, descriptor: &Descriptor) -> Vec<Property> {
    let mut all = Vec::new();
    if descriptor.name == "createRecord" && keys(object).next().is_some() {
        all.extend(key(object, descriptor).map(|property| Property { value: None, ..property }));
        let value = own(descriptor, "externalId");
        all.extend(value.map(|value| value.when(Condition::is_filled("operation.externalIdField"))));
    }
    all.extend(["ifUnmodifiedSince", "rules"].into_iter().filter_map(|name| own(descriptor, name)));
    all
}

#[cfg(test)]
mod tests;
