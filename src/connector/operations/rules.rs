//! What a write asks of the org's own rules: assignment rules and duplicate rules.

use std::fmt;

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use super::descriptor::{Input, InputKind};
use crate::salesforce::{RecordId, Request};

/// The field, with an example of what this operation is asked most.
pub(super) const fn field(placeholder: &'static str) -> Input {
    Input {
        name: "rules",
        label: "Assignment and duplicate rules",
        kind: InputKind::Context,
        required: false,
        tooltip: "What the org's own rules do, such as {assignmentRule: false, duplicateRule: \"allowSave\"}. assignmentRule: false \
              leaves the owner as it is, true applies the active rule, an id (01Q…) that rule; else the org applies the \
              active rule. duplicateRule: allowSave saves a duplicate where the rule allows it, includeRecordDetails refuses \
              it and tells the fields of the matching records in error.duplicates.",
        placeholder,
    }
}

/// What a write asks of the org's own rules.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Rules {
    #[serde(default, deserialize_with = "assignment_rule")]
    assignment_rule: Option<String>,
    #[serde(default, deserialize_with = "duplicate_rule")]
    duplicate_rule: Option<String>,
}

/// With the names of the task.
impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rules = f.debug_struct("Rules");
        rules
            .field("assignmentRule", &self.assignment_rule)
            .field("duplicateRule", &self.duplicate_rule)
            .finish()
    }
}

impl Rules {
    /// The same request with the headers that say so.
    pub(super) fn asked(self, mut request: Request) -> Request {
        let rule = self.assignment_rule.map(|rule| match rule.to_ascii_uppercase() {
            flag if flag == "TRUE" || flag == "FALSE" => flag,
            _ => rule,
        });
        request.headers.extend(rule.map(|rule| ("Sforce-Auto-Assign", rule)));
        let setting = self.duplicate_rule.map(|setting| format!("{setting}=true"));
        request.headers.extend(setting.map(|setting| ("Sforce-Duplicate-Rule-Header", setting)));
        request
    }
}

/// True, false, or the id of a rule; null says nothing.
fn assignment_rule<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = match Value::deserialize(deserializer)? {
        Value::Null => return Ok(None),
        Value::Bool(flag) => flag.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => String::new(),
    };
    let is_rule = text.starts_with("01Q") && text.parse::<RecordId>().is_ok();
    if is_rule || text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        return Ok(Some(text));
    }
    Err(D::Error::custom("expected true, false or the id of an assignment rule"))
}

fn duplicate_rule<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) if matches!(text.as_str(), "allowSave" | "includeRecordDetails") => {
            Ok(Some(text))
        }
        _ => Err(D::Error::custom("expected allowSave or includeRecordDetails")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::connector::operations::{Operation, tests::mistake};

    fn headers(options: &serde_json::Value) -> Vec<(&'static str, String)> {
        let input = json!({"objectType": "Lead", "body": {}, "rules": options});
        Operation::parse("createRecord", input.as_object().unwrap()).unwrap().request().unwrap().headers
    }

    #[test]
    fn each_option_is_its_header_and_what_is_not_asked_is_not_sent() {
        let assign = |value: &str| vec![("Sforce-Auto-Assign", value.to_owned())];
        let rule = |value: &str| vec![("Sforce-Duplicate-Rule-Header", value.to_owned())];
        for (options, expected) in [
            (json!({}), vec![]),
            (json!({"assignmentRule": null, "duplicateRule": null}), vec![]),
            (json!({"assignmentRule": "false"}), assign("FALSE")),
            (json!({"assignmentRule": true}), assign("TRUE")),
            (json!({"assignmentRule": "01QD0000000EqAn"}), assign("01QD0000000EqAn")),
            (json!({"duplicateRule": "allowSave"}), rule("allowSave=true")),
            (json!({"duplicateRule": "includeRecordDetails"}), rule("includeRecordDetails=true")),
        ] {
            assert_eq!(headers(&options), expected);
        }
    }

    #[test]
    fn another_value_is_refused() {
        let input =
            |name: &str, value: &str| json!({"objectType": "Lead", "body": {}, "rules": {name: value}});
        let message = mistake("createRecord", input("assignmentRule", "001D0000000EqAn"));
        let expected = "rules.assignmentRule: expected true, false or the id of an assignment rule, found the string \
                        \"001D0000000EqAn\"";
        assert_eq!(message, expected);
        let message = mistake("createRecord", input("duplicateRule", "ignore"));
        let expected =
            "rules.duplicateRule: expected allowSave or includeRecordDetails, found the string \"ignore\"";
        assert_eq!(message, expected);
    }
}
