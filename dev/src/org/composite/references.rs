//! `@{reference.path}`: what earlier answers gave, put into later requests.

use std::collections::HashMap;

use serde_json::Value;

/// The bodies of the answers so far, by the names of their requests.
#[derive(Debug, Default)]
pub(super) struct Answers(HashMap<String, Value>);

impl Answers {
    pub(super) fn add(&mut self, name: &str, body: &Value) {
        self.0.insert(name.to_owned(), body.clone());
    }

    /// The value with every reference in its texts replaced; the reason where one leads nowhere.
    pub(super) fn filled(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            // A text that is nothing but a reference becomes what is there, whatever its type.
            Value::String(text) => match text.strip_prefix("@{").and_then(|rest| rest.strip_suffix('}')) {
                Some(path) if !path.contains("@{") => self.find(path)?.clone(),
                _ => Value::String(self.filled_text(value)?),
            },
            Value::Array(items) => items.iter().map(|item| self.filled(item)).collect::<Result<_, _>>()?,
            Value::Object(members) => {
                let filled = members.iter().map(|(name, value)| Ok((name.clone(), self.filled(value)?)));
                Value::Object(filled.collect::<Result<_, String>>()?)
            }
            other => other.clone(),
        })
    }

    /// A text with its references replaced by texts.
    pub(super) fn filled_text(&self, value: &Value) -> Result<String, String> {
        let mut rest = value.as_str().unwrap_or_default();
        let mut filled = String::new();
        while let Some((before, after)) = rest.split_once("@{") {
            let Some((path, after)) = after.split_once('}') else { break };
            filled.push_str(before);
            match self.find(path)? {
                Value::String(text) => filled.push_str(text),
                other => filled.push_str(&other.to_string()),
            }
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// `name.member`, `name[0].member`, `name.records[0].Id`; names are told apart by case.
    fn find(&self, path: &str) -> Result<&Value, String> {
        let nothing =
            |name: &str| format!("Invalid reference specified. No value for {path} found in {name}");
        let end = path.find(['.', '[']).unwrap_or(path.len());
        let (name, below) = path.split_at(end);
        let mut found = self.0.get(name).ok_or_else(|| nothing(name))?;
        for part in below.split(['.', '[']).filter(|part| !part.is_empty()) {
            let next = match part.strip_suffix(']') {
                Some(index) => index.parse::<usize>().ok().and_then(|index| found.get(index)),
                None => found.get(part),
            };
            found = next.ok_or_else(|| nothing(name))?;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_lead_to_members_and_elements_of_earlier_answers() {
        let mut answers = Answers::default();
        answers.add("a", &json!({ "id": "001", "records": [{ "Id": "002", "Size": 5 }] }));
        answers.add("list", &json!([{ "id": "003" }]));
        let body = json!({ "x": "@{a.id}", "y": ["<@{a.records[0].Id}|@{list[0].id}>"], "n": "@{a.records[0].Size}", "z": "@" });
        let expected = json!({ "x": "001", "y": ["<002|003>"], "n": 5, "z": "@" });
        assert_eq!(answers.filled(&body), Ok(expected));
        assert_eq!(answers.filled_text(&json!("/x/@{a.id}/y")), Ok("/x/001/y".to_owned()));
        let message = "Invalid reference specified. No value for a.ID found in a";
        assert_eq!(answers.filled(&json!("@{a.ID}")), Err(message.to_owned()));
        assert!(answers.filled_text(&json!("@{b.id}")).is_err());
    }
}
