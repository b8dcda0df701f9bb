//! Records that are known by an external id: what the modeler sees of it, how it is read, what an upsert answers.

use serde_json::{Map, Value, json};

use super::{
    descriptor::{Input, InputKind},
    fields,
};
use crate::{
    connector::{
        InvalidInput,
        input::{self, Show},
    },
    salesforce::{ExternalId, FieldName, Response},
};

/// What [`FieldName`] accepts, and what to say otherwise.
pub(super) const FIELD_NAME: InputKind = InputKind::Text {
    pattern: Some((fields::API_NAME, "must be the API name of a field, such as External_Key__c")),
};

pub(super) const FIELD: Input = Input {
    name: "externalIdField",
    label: "External id field",
    kind: FIELD_NAME,
    required: true,
    tooltip: "API name of a field of the object that is marked External ID and Unique.",
    placeholder: "External_Key__c",
};

pub(super) const VALUE: Input = Input {
    name: "externalId",
    label: "External id",
    kind: InputKind::Text { pattern: None },
    required: true,
    tooltip: "The value that names this one record, such as an order number of the process. The same value finds \
              the same record again.",
    placeholder: "=orderId",
};

/// The field and the value that name a record.
pub(super) fn key(field: &FieldName, value: &str) -> Result<ExternalId, InvalidInput> {
    ExternalId::new(field.clone(), value)
        .map_err(|mistake| InvalidInput::new("externalId", mistake.expected, format!("{:?}", mistake.found)))
}

/// The body without the key: Salesforce refuses the key field there. The same value says nothing new and is dropped;
/// another one is a contradiction.
pub(super) fn without_key(
    body: &mut Map<String, Value>,
    field: &FieldName,
    key: Option<&str>,
) -> Result<(), InvalidInput> {
    let name = field.as_str();
    while let Some(field) = body.keys().find(|field| field.eq_ignore_ascii_case(name)).cloned() {
        let value = body.shift_remove(&field);
        let is_same = match &value {
            Some(Value::String(text)) => Some(text.as_str()) == key,
            Some(Value::Number(number)) => Some(number.to_string().as_str()) == key,
            _ => false,
        };
        if !is_same {
            let found = input::describe(value.as_ref(), Show::Value);
            return Err(InvalidInput::new(format!("body.{field}"), "no other value than externalId", found));
        }
    }
    Ok(())
}

/// The answer with a body that always says `success` and `created`, and `id` where Salesforce tells it.
///
/// 201 has created; 200 says so in its body; 204 has no body and has updated (API versions before v46.0).
pub(super) fn told_apart(mut response: Response) -> Response {
    let mut body = match response.body {
        Value::Object(body) => body,
        _ => Map::new(),
    };
    body.entry("success").or_insert(json!(true));
    body.entry("created").or_insert(json!(response.status == 201));
    response.body = Value::Object(body);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_answer_says_whether_the_record_was_created() {
        for (status, body, expected) in [
            (
                201,
                json!({"id": "001", "success": true, "errors": []}),
                json!({"id": "001", "success": true, "errors": [], "created": true}),
            ),
            (
                200,
                json!({"id": "001", "success": true, "errors": [], "created": false}),
                json!({"id": "001", "success": true, "errors": [], "created": false}),
            ),
            (204, Value::Null, json!({"success": true, "created": false})),
        ] {
            let response = Response { status, reason: String::new(), headers: Map::new(), body };
            assert_eq!(told_apart(response).body, expected);
        }
    }
}
