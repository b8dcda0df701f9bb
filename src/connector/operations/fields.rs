//! Fields that several operations share: what the modeler sees of them, and how they are read.

use serde::{Deserialize as _, Deserializer, de::Error as _};
use serde_json::{Map, Value};

use super::descriptor::{Input, InputKind};
use crate::salesforce::FieldName;

/// What [`ObjectName`](crate::salesforce::ObjectName) and [`FieldName`](crate::salesforce::FieldName) accept.
pub(super) const API_NAME: &str = "^[A-Za-z][A-Za-z0-9_]{0,79}$";

/// What [`RecordId`](crate::salesforce::RecordId) accepts, apart from the checksum.
pub(super) const RECORD_ID: &str = "^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$";

pub(super) const NO_RECORD_ID: &str = "must be a record id of 15 or 18 letters and digits";

pub(super) const OBJECT_TYPE: Input = Input {
    name: "objectType",
    label: "Object",
    kind: InputKind::Text {
        pattern: Some((API_NAME, "must be the API name of an object, such as Account or Invoice__c")),
    },
    required: true,
    tooltip: "API name of the object, such as Account or Invoice__c.",
    placeholder: "Account",
};

pub(super) const OBJECT_ID: Input = Input {
    name: "objectId",
    label: "Record id",
    kind: InputKind::Text { pattern: Some((RECORD_ID, NO_RECORD_ID)) },
    required: true,
    tooltip: "The id of the record, 15 or 18 characters, such as 001D000000IRFmaIAH.",
    placeholder: "=accountId",
};

pub(super) const FIELDS: Input = Input {
    name: "fields",
    label: "Fields to read",
    kind: InputKind::Text { pattern: None },
    required: false,
    tooltip: "API names, separated by commas, or a FEEL list of them. Empty: every field that the user may see.",
    placeholder: "Id, Name, Phone",
};

pub(super) const ALL_PAGES: Input = Input {
    name: "allPages",
    label: "Read all pages",
    kind: InputKind::Boolean { default: false },
    required: false,
    tooltip: "Salesforce answers at most 2,000 records at a time. When checked, the following pages are read too, those of \
              sub-queries as well, one call each, and merged into one result.",
    placeholder: "",
};

pub(super) const MAX_RECORDS: Input = Input {
    name: "maxRecords",
    label: "Maximum number of records",
    kind: InputKind::Integer { min: 1 },
    required: false,
    tooltip: "Keeps at most this many records and reads no page beyond them. Empty: no maximum.",
    placeholder: "1000",
};

pub(super) const BATCH_SIZE: Input = Input {
    name: "batchSize",
    label: "Records per page",
    kind: InputKind::Integer { min: 200 },
    required: false,
    tooltip: "From 200 to 2000. Salesforce takes it as advice. Empty: 2000, which needs the fewest calls.",
    placeholder: "500",
};

/// Reads an object of fields and values.
pub(super) fn object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(D::Error::custom("expected an object of field names and values")),
    }
}

/// Reads a boolean, or the text of one, which a form gives where its field is not FEEL.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Bool(flag) => Ok(flag),
        Value::String(text) if text.trim() == "true" => Ok(true),
        Value::String(text) if text.trim() == "false" => Ok(false),
        _ => Err(D::Error::custom("expected true or false")),
    }
}

/// Reads a whole number from 1, or the text of one, which a form gives where its field is not FEEL.
pub(super) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    let text = match Value::deserialize(deserializer)? {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => String::new(),
    };
    let count = text.strip_suffix(".0").unwrap_or(&text).parse().ok().filter(|count| *count >= 1);
    count.map(Some).ok_or_else(|| D::Error::custom("expected a whole number from 1"))
}

/// Reads the size of a page of a query, within Salesforce's bounds.
pub(super) fn batch_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    let size = count(deserializer).ok().flatten().filter(|size| (200..=2000).contains(size));
    size.map(Some).ok_or_else(|| D::Error::custom("expected a whole number from 200 to 2000"))
}

/// Reads text, or a number as it is written.
pub(super) fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(D::Error::custom("expected a string or a number")),
    }
}

/// The same, where the field may be left out.
pub(super) fn some_text_or_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    text_or_number(deserializer).map(Some)
}

/// Reads names separated by commas, or a list of names; a name may go over relationships, such as `Owner.Name`.
pub(super) fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    const EXPECTED: &str = "expected field names separated by commas, or a list of field names";
    let names: Vec<String> = match Value::deserialize(deserializer)? {
        Value::String(text) => text.split(',').map(|name| name.trim().to_owned()).collect(),
        list @ Value::Array(_) => serde_json::from_value(list).map_err(|_| D::Error::custom(EXPECTED))?,
        _ => return Err(D::Error::custom(EXPECTED)),
    };
    let is_path = |name: &String| name.split('.').all(|part| part.parse::<FieldName>().is_ok());
    if names.is_empty() || !names.iter().all(is_path) {
        return Err(D::Error::custom(EXPECTED));
    }
    Ok(Some(names.join(",")))
}

/// Reads the parameters of an address; null leaves a parameter out.
pub(super) fn parameters<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<(String, String)>, D::Error> {
    const EXPECTED: &str = "expected an object whose values are strings, numbers or booleans";
    let Value::Object(parameters) = Value::deserialize(deserializer)? else {
        return Err(D::Error::custom(EXPECTED));
    };
    let mut read = Vec::with_capacity(parameters.len());
    for (name, value) in parameters {
        match value {
            Value::Null => {}
            Value::String(text) => read.push((name, text)),
            Value::Number(number) => read.push((name, number.to_string())),
            Value::Bool(flag) => read.push((name, flag.to_string())),
            Value::Array(_) | Value::Object(_) => return Err(D::Error::custom(EXPECTED)),
        }
    }
    Ok(read)
}
