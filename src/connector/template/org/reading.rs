//! What a template that reads a record has: the fields to read, and an expression that makes a variable of them.

use std::fmt::Write as _;

use super::{Property, Purpose, RECORD, Selection, choose, own, words::some_of};
use crate::connector::described::{Field, Object};

/// The properties, and the result expression.
pub(super) fn record(object: &Object, selection: &Selection) -> (Vec<Property>, Option<String>) {
    let descriptor = Purpose::Get.descriptor();
    let chosen = choose::choose(object, Purpose::Get, selection);
    let fields = chosen.shown;
    let names: Vec<&str> = std::iter::once("Id").chain(fields.iter().map(|field| &*field.name)).collect();
    let list = own(descriptor, "fields").map(|list| match &list.tooltip {
        Some(tooltip) if !chosen.rest.is_empty() => {
            let rest = some_of(chosen.rest.iter().map(|field| &*field.name), 40);
            let tooltip = format!("{tooltip} Others: {rest}.");
            list.tooltip(tooltip)
        }
        _ => list,
    });
    let list = list.map(|list| list.value(names.join(", ")));
    let properties = own(descriptor, "objectId").into_iter().chain(list);
    let properties = properties.map(|property| property.group(RECORD.id)).collect();
    (properties, Some(expression(&object.summary.name, &fields)))
}

/// A variable with a field a line, and the field's label behind it.
fn expression(object: &str, fields: &[&Field]) -> String {
    let mut text = format!(
        "={{\n  // The fields that were read; leave out what the process does not need.\n  {}: {{\n    Id: body.Id",
        variable(object)
    );
    let mut label = String::new();
    for (field, own) in fields.iter().zip(choose::labels(fields)) {
        // Writing to a String cannot fail.
        let _ = write!(text, ",{label}\n    {0}: body.{0}", field.name);
        label = format!(" // {own}");
    }
    text + &label + "\n  }\n}"
}

/// The object's name as a variable: `Account` is `account`, `acme__Order_Line__c` is `acme__Order_Line`.
fn variable(object: &str) -> String {
    let name = object.trim_end_matches("__c");
    let first = name.chars().next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(name.chars().skip(1)).collect()
}
