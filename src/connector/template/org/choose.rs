//! Which fields of an object a template shows, in which order, and what they are called.

use std::collections::HashMap;

use super::{FIRST_FIELDS, MOST_FIELDS, Purpose, Selection, keys};
use crate::connector::described::{Field, Object, plain};

/// Fields that have an input of their own, and those that have none.
pub(super) struct Chosen<'a> {
    pub(super) shown: Vec<&'a Field>,
    pub(super) rest: Vec<&'a Field>,
}

/// Those that a new record must have come first, then the order of the layout, else that of the labels.
pub(super) fn choose<'a>(object: &'a Object, purpose: Purpose, selection: &Selection) -> Chosen<'a> {
    let mut may: Vec<&Field> = object.fields.iter().filter(|field| is_for(field, purpose)).collect();
    if purpose == Purpose::Upsert && keys(object).count() == 1 {
        may.retain(|field| !field.external_id);
    }
    let place = |field: &Field| place_in_layout(field, selection);
    may.sort_by_cached_key(|field| {
        let first = if purpose == Purpose::Get { field.is_name } else { field.required };
        let first = first || is_settled(field, purpose, selection);
        (!first, place(field).unwrap_or(usize::MAX), plain(&field.label).to_lowercase(), field.name.clone())
    });
    let (mut shown, mut rest): (Vec<_>, Vec<_>) =
        may.into_iter().partition(|field| is_selected(field, purpose, selection));
    // What is read is a text that a modeler extends; nobody asked for all of it.
    let is_asked_for = selection.fields.is_some() || selection.layout.is_some();
    let most = if purpose == Purpose::Get && !is_asked_for { FIRST_FIELDS } else { MOST_FIELDS };
    if shown.len() > most {
        let mut more = shown.split_off(most);
        more.append(&mut rest);
        rest = more;
    }
    Chosen { shown, rest }
}

/// Whether the user may do this with it. What is made of several fields is written by these.
fn is_for(field: &Field, purpose: Purpose) -> bool {
    let may = match purpose {
        Purpose::Create => field.createable,
        Purpose::Update => field.updateable,
        // What can be set only once would let every second upsert fail.
        Purpose::Upsert => field.createable && (field.updateable || field.required),
        Purpose::Get => field.kind != "base64" && field.kind != "id",
    };
    may && !matches!(field.kind.as_str(), "address" | "location" | "complexvalue")
}

fn place_in_layout(field: &Field, selection: &Selection) -> Option<usize> {
    selection.layout.as_ref()?.iter().position(|name| *name == field.name)
}

/// Whether the record type of a new record is chosen already.
fn is_settled(field: &Field, purpose: Purpose, selection: &Selection) -> bool {
    selection.record_type.is_some() && purpose.makes() && field.name == "RecordTypeId"
}

fn is_selected(field: &Field, purpose: Purpose, selection: &Selection) -> bool {
    let must = (field.required && purpose.makes()) || is_settled(field, purpose, selection);
    must || match (&selection.fields, &selection.layout) {
        (Some(names), _) => names.contains(&field.name),
        (None, Some(_)) => place_in_layout(field, selection).is_some(),
        (None, None) => {
            !selection.required_only || field.required || (purpose == Purpose::Get && field.is_name)
        }
    }
}

/// What stands in the section beside the fields.
const TAKEN: [&str; 4] = ["record id", "external id field", "external id", "further fields"];

/// The labels of these fields; where several fields have one, with the API name behind it.
pub(super) fn labels(fields: &[&Field]) -> Vec<String> {
    let mut counts: HashMap<String, usize> = TAKEN.iter().map(|label| ((*label).to_owned(), 1)).collect();
    let plain: Vec<String> = fields.iter().map(|field| plain(&field.label)).collect();
    for label in &plain {
        *counts.entry(label.to_lowercase()).or_default() += 1;
    }
    let label = |(field, label): (&&Field, String)| match label {
        label if label.is_empty() => field.name.clone(),
        label if counts[&label.to_lowercase()] > 1 => format!("{label} ({})", field.name),
        label => label,
    };
    fields.iter().zip(plain).map(label).collect()
}
