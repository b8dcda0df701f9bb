//! Fields that several operations share: what the modeler sees of them, and how they are read.

use serde::{Deserialize as _, Deserializer, de::Error as _};
use serde_json::{Map, Value};

use super::descriptor::{Input, InputKind};
use crate::{
    connector::{
        InvalidInput,
        input::{self, Show},
    },
    salesforce::FieldName,
};

/// What [`ObjectName`](crate::salesforce::ObjectName) and [`FieldName`](crate::salesforce::FieldName) accept.
pub(super) const API_NAME: &str = "^[A-Za-z][A-Za-z0-9_]{0,79}$";

/// What [`RecordId`](crate::salesforce::RecordId) accepts, apart from the checksum.
pub(crate) const RECORD_ID: &str = "^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$";

pub(crate) const NO_RECORD_ID: &str = "must be a record id of 15 or 18 letters and digits";

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

/// What a template made from an org maps, an input for each field of the object.
pub(super) const ONE_BY_ONE: Input = Input {
    name: "fields",
    label: "Fields, one by one",
    kind: InputKind::Fields { beside: "body" },
    required: false,
    tooltip: "Fields by their API names, each mapped by itself (salesforceRequest.operation.fields.Name): the way of the \
              templates that are made from an org. What is null or blank is not sent. Further fields, and null for one that is \
              to be emptied, go to body, which may then be left out; a field that is in both is refused.",
    placeholder: "",
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

/// Reads fields that were given one by one; null and blank text are those that were not filled.
pub(super) fn one_by_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    let mut fields = object(deserializer)?;
    fields.retain(|_, value| !input::is_absent(Some(value)));
    Ok(fields)
}

/// Puts the fields that were given one by one before those of the body.
pub(super) fn merge(body: &mut Map<String, Value>, fields: Map<String, Value>) -> Result<(), InvalidInput> {
    if fields.is_empty() {
        return Ok(());
    }
    let further = std::mem::replace(body, fields);
    for (name, value) in further {
        if body.keys().any(|field| field.eq_ignore_ascii_case(&name)) {
            let found = input::describe(Some(&value), Show::Value);
            let path = format!("body.{}", input::shorten(&name));
            return Err(InvalidInput::new(path, "no field that is given in fields too", found));
        }
        body.insert(name, value);
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::connector::operations::{Operation, tests::mistake};

    const ID: &str = "001D000000IRFmaIAH";

    fn sent(name: &str, more: &Value) -> Option<Value> {
        let mut input = json!({"objectType": "Account"});
        let key = match name {
            "updateRecord" => json!({"objectId": ID}),
            "upsertRecord" => json!({"externalIdField": "Key__c", "externalId": "A-1"}),
            _ => json!({}),
        };
        for part in [&key, more] {
            input.as_object_mut().unwrap().append(&mut part.as_object().unwrap().clone());
        }
        Operation::parse(name, input.as_object().unwrap()).unwrap().request().unwrap().body
    }

    #[test]
    fn fields_that_are_given_one_by_one_are_sent_with_those_of_the_body_and_empty_ones_are_not() {
        for name in ["createRecord", "updateRecord", "upsertRecord"] {
            let fields = json!({"Name": "Acme", "Phone": null, "Fax": " ", "Site": "", "Active__c": false, "Count__c": 0});
            let filled = json!({"Name": "Acme", "Active__c": false, "Count__c": 0});
            assert_eq!(sent(name, &json!({"fields": fields})), Some(filled), "{name}");
            let both =
                json!({"fields": {"Name": "Acme", "Phone": null}, "body": {"Phone": null, "Rating": "Hot"}});
            let expected = json!({"Name": "Acme", "Phone": null, "Rating": "Hot"});
            assert_eq!(sent(name, &both), Some(expected), "null of the body empties a field");
            assert_eq!(sent(name, &json!({"fields": {"Phone": null}})), Some(json!({})));
        }
    }

    #[test]
    fn a_field_that_is_given_twice_is_refused() {
        let input = json!({"objectType": "Account", "fields": {"Name": "Acme"}, "body": {"name": "Other"}});
        let expected = "body.name: expected no field that is given in fields too, found the string \"Other\"";
        assert_eq!(mistake("createRecord", input), expected);
        let key = json!({"objectType": "Account", "externalIdField": "Key__c", "externalId": "A", "fields": {"Key__c": "B"}});
        let expected = "body.Key__c: expected no other value than externalId, found the string \"B\"";
        assert_eq!(mistake("upsertRecord", key), expected);
    }

    #[test]
    fn without_any_field_the_body_is_missing_and_fields_are_an_object() {
        for fields in [json!(null), json!(" ")] {
            let input = json!({"objectType": "Account", "fields": fields});
            let expected = "body: expected an object of names and values, found nothing";
            assert_eq!(mistake("createRecord", input), expected);
        }
        let input = json!({"objectType": "Account", "fields": ["Name"]});
        let expected = "fields: expected an object of field names and values, found a list of 1";
        assert_eq!(mistake("createRecord", input), expected);
    }
}
