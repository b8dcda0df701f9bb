//! What a template that is made anew would change, in the words of a modeler.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::words::some_of;

/// So many values of a list are named.
const MOST_VALUES: usize = 12;

type Entries<'a> = Vec<(&'a str, &'a Map<String, Value>)>;

/// What is other in `new`, a line each; nothing where only the version is.
pub(crate) fn changes(old: &Value, new: &Value) -> Vec<String> {
    let (before, after) = (entries(old), entries(new));
    let find = |entries: &Entries<'_>, id: &str| entries.iter().position(|(own, _)| *own == id);
    let mut lines = Vec::new();
    for (id, entry) in &after {
        match find(&before, id) {
            None => lines.push(format!("{} is new", name(id, entry))),
            Some(place) => lines.extend(changed(id, before[place].1, entry)),
        }
    }
    let gone = before.iter().filter(|(id, _)| find(&after, id).is_none());
    lines.extend(gone.map(|(id, entry)| format!("{} is gone", name(id, entry))));
    let places: Vec<usize> = after.iter().filter_map(|(id, _)| find(&before, id)).collect();
    if !places.is_sorted() {
        lines.push("the order is another".to_owned());
    }
    for key in keys(old, new).filter(|key| !matches!(*key, "version" | "properties")) {
        match (&old[key], &new[key]) {
            (old, new) if old == new => {}
            (Value::String(old), Value::String(new)) if old.len() + new.len() < 200 => {
                lines.push(format!("its {key} is {new:?}, was {old:?}"));
            }
            _ => lines.push(format!("its {key} changed")),
        }
    }
    lines
}

/// The properties by their ids, without those that only say the version.
fn entries(template: &Value) -> Entries<'_> {
    fn entry(property: &Value) -> Option<(&str, &Map<String, Value>)> {
        Some((property["id"].as_str()?, property.as_object()?))
    }
    let properties = template["properties"].as_array().into_iter().flatten();
    properties.filter_map(entry).filter(|(id, _)| *id != "elementTemplateVersion").collect()
}

/// The names of members of either, once each.
fn keys<'a>(old: &'a Value, new: &'a Value) -> impl Iterator<Item = &'a str> {
    let names = |value: &'a Value| {
        value.as_object().into_iter().flat_map(|members| members.keys().map(String::as_str))
    };
    names(new).chain(names(old).filter(|name| new.get(*name).is_none()))
}

/// A field by its API name, anything else by its label.
fn name(id: &str, entry: &Map<String, Value>) -> String {
    let label = entry.get("label").and_then(Value::as_str);
    match (id.strip_prefix("fields."), label) {
        (Some(field), Some(label)) => format!("field {field} ({label})"),
        (Some(field), None) => format!("field {field}"),
        (None, Some(label)) => format!("entry {label:?}"),
        (None, None) => format!("entry {id}"),
    }
}

fn changed(id: &str, old: &Map<String, Value>, new: &Map<String, Value>) -> Option<String> {
    if old == new {
        return None;
    }
    let differs = |pointer: &[&str]| at(old, pointer) != at(new, pointer);
    let mut parts: Vec<String> = Vec::new();
    if differs(&["label"]) {
        parts.push(format!("was called {}", text(old.get("label"))));
    }
    if differs(&["type"]) {
        parts.push(format!("is {}, was {}", kind(new), kind(old)));
    }
    if differs(&["constraints", "notEmpty"]) {
        let must = at(new, &["constraints", "notEmpty"]) == Some(&Value::Bool(true));
        parts.push(if must { "must be filled now" } else { "need not be filled any more" }.to_owned());
    }
    if differs(&["constraints", "maxLength"]) {
        parts.push(match at(new, &["constraints", "maxLength"]) {
            Some(most) => format!("may have {most} characters"),
            None => "may have any length".to_owned(),
        });
    }
    parts.extend(values(old, new));
    let others = DETAILS.iter().filter(|(pointer, _)| differs(pointer));
    parts.extend(others.map(|(_, words)| (*words).to_owned()));
    if parts.is_empty() {
        parts.push("changed in details".to_owned());
    }
    Some(format!("{} {}", name(id, new), parts.join("; ")))
}

const DETAILS: [(&[&str], &str); 5] = [
    (&["constraints", "pattern"], "has another rule for what may be entered"),
    (&["value"], "has another value at first"),
    (&["tooltip"], "has other help"),
    (&["condition"], "is shown in other cases"),
    (&["binding"], "is written to another place"),
];

/// The member of a property that is reached over these names.
fn at<'a>(property: &'a Map<String, Value>, pointer: &[&str]) -> Option<&'a Value> {
    let (first, rest) = pointer.split_first()?;
    rest.iter().try_fold(property.get(*first)?, |value, name| value.get(*name))
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).map_or_else(|| "nothing".to_owned(), |text| format!("{text:?}"))
}

fn kind(entry: &Map<String, Value>) -> &'static str {
    match entry.get("type").and_then(Value::as_str).unwrap_or_default() {
        "String" => "a line of text",
        "Text" => "a text of several lines",
        "Boolean" => "a check box",
        "Dropdown" => "a list to choose from",
        _ => "not shown",
    }
}

/// What happened to the entries of a list, if it was one and still is.
fn values(old: &Map<String, Value>, new: &Map<String, Value>) -> Option<String> {
    let of = |entry: &Map<String, Value>| -> Option<Vec<(String, String)>> {
        let word = |choice: &Value, key: &str| choice[key].as_str().unwrap_or_default().to_owned();
        let choices = entry.get("choices")?.as_array()?;
        Some(choices.iter().map(|choice| (word(choice, "value"), word(choice, "name"))).collect())
    };
    let (before, after) = (of(old)?, of(new)?);
    let find = |list: &[(String, String)], value: &str| list.iter().position(|(own, _)| own == value);
    let missing = |from: &[(String, String)], within: &[(String, String)]| -> Vec<String> {
        from.iter().filter(|(value, _)| find(within, value).is_none()).map(|(_, name)| name.clone()).collect()
    };
    let (added, gone) = (missing(&after, &before), missing(&before, &after));
    let renamed = after.iter().filter_map(|(value, name)| {
        let was = &before[find(&before, value)?].1;
        (was != name).then(|| format!("{was} is now {name}"))
    });
    let renamed: Vec<String> = renamed.collect();
    let mut words = String::new();
    for (what, names) in [("new values", added), ("values gone", gone), ("values renamed", renamed)] {
        if !names.is_empty() {
            let separator = if words.is_empty() { "" } else { "; " };
            // Writing to a String cannot fail.
            let _ = write!(
                words,
                "{separator}{what}: {}",
                some_of(names.iter().map(String::as_str), MOST_VALUES)
            );
        }
    }
    if words.is_empty() && before != after {
        words.push_str("has its values in another order");
    }
    (!words.is_empty()).then_some(words)
}
