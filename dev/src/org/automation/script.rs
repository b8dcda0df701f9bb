//! Code of the org that a seed can describe: records that it makes and changes, and what it answers.
//!
//! Values may refer to what the code was called with, as in Salesforce's own merge fields: `{!name}` is an input, and
//! `{!created.Id}` the record that was made.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::apex::{Apex, Exception};

/// What a piece of code does, in this order.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Script {
    pub(crate) creates: Option<Target>,
    pub(crate) updates: Option<Target>,
    /// A lead that it converts; its account, contact and opportunity are then `{!accountId}` and so on.
    pub(crate) converts: Option<Conversion>,
    /// Fails with this message, after all of it.
    pub(crate) fails: Option<String>,
    /// What it gives; without it `id`, of the record that was made.
    pub(crate) outputs: Value,
}

/// A lead to convert.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Conversion {
    pub(crate) lead: String,
    /// The name of the opportunity; empty for none.
    #[serde(default)]
    pub(crate) opportunity: String,
}

/// A record to make or to change.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Target {
    pub(crate) object: String,
    /// Of the record to change.
    pub(crate) id: Option<String>,
    #[serde(default)]
    pub(crate) fields: Value,
}

impl Script {
    /// Carries it out with these inputs.
    pub(crate) fn run(&self, apex: &mut Apex<'_>, inputs: &Map<String, Value>) -> Result<Value, Exception> {
        let mut known = inputs.clone();
        if let Some(Target { object, fields, .. }) = &self.creates {
            let id = apex.insert(object, &merged(fields, &known))?;
            known.insert("created.Id".to_owned(), id.into());
        }
        if let Some(Target { object, id, fields }) = &self.updates {
            let id = merged(&id.clone().unwrap_or_default().into(), &known);
            apex.update(object, id.as_str().unwrap_or_default(), &merged(fields, &known))?;
        }
        if let Some(Conversion { lead, opportunity }) = &self.converts {
            let (lead, opportunity) = (merged_text(lead, &known), merged_text(opportunity, &known));
            let opportunity = opportunity.as_str().filter(|name| !name.is_empty());
            let made = apex.convert_lead(lead.as_str().unwrap_or_default(), opportunity)?;
            known.extend(made.as_object().cloned().unwrap_or_default());
        }
        match &self.fails {
            Some(message) => Err(Exception::new("System.FlowException", message.as_str())),
            None if self.outputs.is_null() => {
                Ok(known.get("created.Id").map_or(Value::Null, |id| json!({ "id": id })))
            }
            None => Ok(merged(&self.outputs, &known)),
        }
    }
}

/// The value with what its merge fields stand for; a text that is nothing but one takes its value as it is.
fn merged(value: &Value, known: &Map<String, Value>) -> Value {
    match value {
        Value::String(text) => merged_text(text, known),
        Value::Array(items) => items.iter().map(|item| merged(item, known)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), merged(member, known))).collect()
        }
        other => other.clone(),
    }
}

fn merged_text(text: &str, known: &Map<String, Value>) -> Value {
    let whole = text.strip_prefix("{!").and_then(|rest| rest.strip_suffix('}'));
    if let Some(name) = whole.filter(|name| !name.contains("{!")) {
        return known.get(name).cloned().unwrap_or_default();
    }
    let mut result = text.to_owned();
    for (name, value) in known {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        result = result.replace(&format!("{{!{name}}}"), &shown);
    }
    result.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_field_keeps_its_type_where_it_stands_alone() {
        let known = json!({ "count": 3, "name": "Acme" });
        let known = known.as_object().unwrap();
        let value = json!({ "a": "{!count}", "b": "{!name} has {!count}", "c": ["{!none}"], "d": 1 });
        assert_eq!(merged(&value, known), json!({ "a": 3, "b": "Acme has 3", "c": [null], "d": 1 }));
    }
}
