//! What the Bulk API says of a refused row, in one text: `CODE:message:fields--`.

use serde_json::{Value, json};

use crate::salesforce::{ErrorDetail, FieldName};

/// Where nothing that looks like a code stands in front.
const NO_CODE: &str = "UNKNOWN_ERROR";

/// The errors in the column `sf__Error`. A text of another form is the message of one.
pub(super) fn errors(text: &str) -> Vec<ErrorDetail> {
    let mut rest = text.trim();
    let mut errors = Vec::new();
    while !rest.is_empty() {
        let (one, others) = split(rest);
        errors.push(error(one));
        rest = others;
    }
    errors
}

/// The first error and what follows it: two dashes end an error, where nothing or another code comes after them.
fn split(text: &str) -> (&str, &str) {
    for (place, _) in text.match_indices("--") {
        let rest = text[place + 2..].trim_start();
        if rest.is_empty() || code(rest).is_some() {
            return (text[..place].trim_end(), rest);
        }
    }
    (text, "")
}

fn error(text: &str) -> ErrorDetail {
    let (code, rest) = code(text).unwrap_or((NO_CODE, text));
    let (message, fields) = match rest.rsplit_once(':').map(|(message, fields)| (message, names(fields))) {
        Some((message, Some(fields))) => (message, fields),
        _ => (rest, Vec::new()),
    };
    ErrorDetail { error_code: code.to_owned(), message: message.trim().to_owned(), fields }
}

/// The code in front, and what follows its colon.
fn code(text: &str) -> Option<(&str, &str)> {
    let (code, rest) = text.split_once(':')?;
    let code = code.trim_end();
    let is_code = code.len() > 2 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_code = is_code && code.starts_with(|first: char| first.is_ascii_uppercase());
    is_code.then_some((code, rest))
}

/// Field names, if there is nothing else; none is fine.
fn names(text: &str) -> Option<Vec<String>> {
    let names = text.split([',', ' ']).map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| name.parse::<FieldName>().is_ok().then(|| name.to_owned())).collect()
}

/// An error of a row, in the form that errors have everywhere.
pub(super) fn as_json(error: &ErrorDetail) -> Value {
    json!({"errorCode": error.error_code, "message": error.message, "fields": error.fields})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_message_and_fields_are_told_apart() {
        for (text, expected) in [
            (
                "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName, Name]:LastName Name --",
                vec![(
                    "REQUIRED_FIELD_MISSING",
                    "Required fields are missing: [LastName, Name]",
                    vec!["LastName", "Name"],
                )],
            ),
            (
                "ENTITY_IS_DELETED:entity is deleted:--",
                vec![("ENTITY_IS_DELETED", "entity is deleted", vec![])],
            ),
            (
                "DUPLICATE_VALUE:duplicate value found: Key__c duplicates value on record with id: 001:Key__c--",
                vec![(
                    "DUPLICATE_VALUE",
                    "duplicate value found: Key__c duplicates value on record with id: 001",
                    vec!["Key__c"],
                )],
            ),
            (
                "STRING_TOO_LONG:too long -- by far:Name--NUMBER_OUTSIDE_VALID_RANGE:too large:Employees --",
                vec![
                    ("STRING_TOO_LONG", "too long -- by far", vec!["Name"]),
                    ("NUMBER_OUTSIDE_VALID_RANGE", "too large", vec!["Employees"]),
                ],
            ),
            (
                "InvalidBatch : Field name not found : Foo__c",
                vec![("InvalidBatch", "Field name not found", vec!["Foo__c"])],
            ),
            (
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY:T: execution of BeforeInsert\n\ncaused by: X\n\nTrigger.T: line 3, column 1:--",
                vec![(
                    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                    "T: execution of BeforeInsert\n\ncaused by: X\n\nTrigger.T: line 3, column 1",
                    vec![],
                )],
            ),
            ("something else went wrong", vec![("UNKNOWN_ERROR", "something else went wrong", vec![])]),
            ("", vec![]),
        ] {
            let found = errors(text);
            let found: Vec<_> = found
                .iter()
                .map(|error| {
                    let fields = error.fields.iter().map(String::as_str).collect();
                    (error.error_code.as_str(), error.message.as_str(), fields)
                })
                .collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
