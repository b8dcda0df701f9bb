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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{all, described};
    use super::super::{Purpose, Selection, template};
    use super::*;
    use crate::connector::described::Object;

    /// What comparing says after a change of the describe document.
    fn told(change: impl Fn(&mut Value)) -> Vec<String> {
        let values = json!([{"value": "A", "label": "Hot", "active": true}, {"value": "B", "label": "Cold", "active": true}]);
        let before = json!({"name": "Order__c", "label": "Order", "createable": true, "updateable": true, "fields": [
            described("Name", "string", json!({"length": 80})),
            described("Rating__c", "picklist", json!({"picklistValues": values})),
            described("Zip__c", "string", json!({"length": 5, "inlineHelpText": "Five digits"})),
        ]});
        let mut after = before.clone();
        change(&mut after);
        let [before, after] =
            [before, after].map(|document| serde_json::from_value::<Object>(document).unwrap());
        let selection = Selection::default();
        let text = template(&after, Purpose::Create, &selection, 7).unwrap();
        let told = changes(&all(&before, Purpose::Create), &serde_json::from_str(&text).unwrap());
        assert_eq!(
            told,
            changes(&all(&before, Purpose::Create), &all(&after, Purpose::Create)),
            "the version is no change"
        );
        told
    }

    #[test]
    fn every_change_of_a_describe_is_told_in_words() {
        type Case = (fn(&mut Value), &'static [&'static str]);
        let cases: &[Case] = &[
            (|_| (), &[]),
            (|org| org["fields"][0]["permissionable"] = json!(true), &[]),
            (
                |org| org["fields"].as_array_mut().unwrap().push(described("Fax__c", "phone", json!({}))),
                &["field Fax__c (Fax__c) is new"],
            ),
            (|org| drop(org["fields"].as_array_mut().unwrap().remove(2)), &["field Zip__c (Zip__c) is gone"]),
            (|org| org["fields"][2]["label"] = json!("Zzip"), &["field Zip__c (Zzip) was called \"Zip__c\""]),
            (
                |org| org["fields"][1]["picklistValues"][0]["active"] = json!(false),
                &["field Rating__c (Rating__c) values gone: Hot"],
            ),
            (
                |org| {
                    let values = org["fields"][1]["picklistValues"].as_array_mut().unwrap();
                    values.push(json!({"value": "C", "label": "Mild", "active": true}));
                    values[1]["label"] = json!("Icy");
                },
                &["field Rating__c (Rating__c) new values: Mild; values renamed: Cold is now Icy"],
            ),
            (
                |org| org["fields"][1]["picklistValues"].as_array_mut().unwrap().reverse(),
                &["field Rating__c (Rating__c) has its values in another order"],
            ),
            (|org| org["fields"][0]["nillable"] = json!(false), &["field Name (Name) must be filled now"]),
            (|org| org["fields"][2]["length"] = json!(10), &["field Zip__c (Zip__c) may have 10 characters"]),
            (
                |org| org["fields"][2]["inlineHelpText"] = Value::Null,
                &["field Zip__c (Zip__c) has other help"],
            ),
            (
                |org| org["fields"][2]["type"] = json!("int"),
                &["field Zip__c (Zip__c) may have any length; has another rule for what may be entered"],
            ),
            (
                |org| org["fields"][2]["type"] = json!("boolean"),
                &[
                    "field Zip__c (Zip__c) is a list to choose from, was a line of text; may have any length; has other help",
                ],
            ),
            (|org| org["fields"][2]["createable"] = json!(false), &["field Zip__c (Zip__c) is gone"]),
            (
                |org| org["label"] = json!("Purchase"),
                &["its name is \"Create Purchase\", was \"Create Order\"", "its keywords changed"],
            ),
        ];
        for (change, expected) in cases {
            assert_eq!(told(change), *expected);
        }
    }

    #[test]
    fn a_field_that_is_called_otherwise_may_stand_in_another_place() {
        let told = told(|org| org["fields"][2]["label"] = json!("A first"));
        assert_eq!(told, ["field Zip__c (A first) was called \"Zip__c\"", "the order is another"]);
    }
}
