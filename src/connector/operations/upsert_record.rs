//! `upsertRecord`: how do I create a record without ever creating it twice?

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
};
use crate::{
    connector::{
        Error, InvalidInput,
        input::{self, Show},
    },
    salesforce::{CallClass, ExternalId, FieldName, ObjectName, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "upsertRecord",
    area: Area::Records,
    label: "Create or update record (upsert)",
    summary: "Creates the record that has this external id, or updates it when it is there; safe to repeat.",
    keywords: &["upsert", "create", "update", "insert", "external id", "record", "sobject", "idempotent"],
    class: CallClass::IdempotentWrite,
    calls: "one, `PATCH /sobjects/{objectType}/{externalIdField}/{externalId}`.",
    body: "`id`, `success`, `errors`, and `created`: whether there was no such record before.",
    contents: &[ResultContent::Response, ResultContent::Body, ResultContent::Id],
    inputs: &[
        fields::OBJECT_TYPE,
        Input {
            name: "externalIdField",
            label: "External id field",
            kind: InputKind::Text {
                pattern: Some((fields::API_NAME, "must be the API name of a field, such as External_Key__c")),
            },
            required: true,
            tooltip: "API name of a field of the object that is marked External ID and Unique.",
            placeholder: "External_Key__c",
        },
        Input {
            name: "externalId",
            label: "External id",
            kind: InputKind::Text { pattern: None },
            required: true,
            tooltip: "The value that names this one record, such as an order number of the process. The same value finds \
                      the same record again.",
            placeholder: "=orderId",
        },
        Input {
            name: "body",
            label: "Fields",
            kind: InputKind::Context,
            required: true,
            tooltip: "The fields to set by their API names, such as {Name: \"Acme\"}, without the external id field. null \
                      empties a field.",
            placeholder: "={Name: \"Acme\"}",
        },
    ],
    examples: Examples {
        answer: (201, r#"{"id": "001Hp00002abcDEFGH", "success": true, "errors": [], "created": true}"#),
        refusal: (
            400,
            r#"[{"errorCode": "UNABLE_TO_LOCK_ROW",
            "message": "unable to obtain exclusive access to this record", "fields": []}]"#,
        ),
        result: "={accountId: body.id, isNew: body.created}",
        error: "=if error.code = \"UNABLE_TO_LOCK_ROW\" \
                then jobError(error.message, {}, job.retries - 1, @\"PT5S\") else null",
    },
};

/// The input of `upsertRecord`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpsertRecord {
    object_type: ObjectName,
    external_id_field: FieldName,
    #[serde(deserialize_with = "fields::text_or_number")]
    external_id: String,
    #[serde(deserialize_with = "fields::object")]
    body: Map<String, Value>,
}

impl UpsertRecord {
    fn key(&self) -> Result<ExternalId, InvalidInput> {
        ExternalId::new(self.external_id_field.clone(), &self.external_id).map_err(|mistake| {
            InvalidInput::new("externalId", mistake.expected, format!("{:?}", mistake.found))
        })
    }
}

impl Operate for UpsertRecord {
    /// Salesforce refuses the key field in the body. The same value there is dropped, for it says nothing new;
    /// another one is a contradiction.
    fn checked(mut self) -> Result<Self, InvalidInput> {
        let name = self.key()?.field().as_str().to_owned();
        while let Some(field) = self.body.keys().find(|field| field.eq_ignore_ascii_case(&name)).cloned() {
            let value = self.body.shift_remove(&field);
            let is_same = match &value {
                Some(Value::String(text)) => *text == self.external_id,
                Some(Value::Number(number)) => number.to_string() == self.external_id,
                _ => false,
            };
            if !is_same {
                let found = input::describe(value.as_ref(), Show::Value);
                return Err(InvalidInput::new(
                    format!("body.{field}"),
                    "no other value than externalId",
                    found,
                ));
            }
        }
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        let key = self.key()?;
        Ok(Request::upsert(&self.object_type, &key, self.body))
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        call.send(&self.request()?).await.map(told_apart)
    }
}

/// The answer with a body that always says `success` and `created`, and `id` where Salesforce tells it.
///
/// 201 has created; 200 says so in its body; 204 has no body and has updated (API versions before v46.0).
fn told_apart(mut response: Response) -> Response {
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
    use crate::connector::operations::{Operation, tests::mistake};

    fn input(field: &str, id: &Value, body: &Value) -> Value {
        json!({"objectType": "Account", "externalIdField": field, "externalId": id, "body": body})
    }

    fn parse(input: &Value) -> UpsertRecord {
        match Operation::parse("upsertRecord", input.as_object().unwrap()).unwrap() {
            Operation::UpsertRecord(operation) => operation,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_external_id_is_text_or_a_number() {
        for (id, text) in [(json!("A-1"), "A-1"), (json!(4711), "4711"), (json!(1.5), "1.5")] {
            assert_eq!(parse(&input("Key__c", &id, &json!({}))).key().unwrap().value(), text);
        }
        let message = mistake("upsertRecord", input("Key__c", &json!(true), &json!({})));
        assert_eq!(message, "externalId: expected a string or a number, found the boolean true");
        let message = mistake("upsertRecord", input("Key__c", &json!(".."), &json!({})));
        assert!(
            message.starts_with("externalId: expected an external id of 1 to 255 characters"),
            "{message}"
        );
    }

    #[test]
    fn the_key_in_the_body_is_dropped_when_equal_and_refused_when_not() {
        let same = input("Key__c", &json!("A-1"), &json!({"key__C": "A-1", "Name": "Acme"}));
        assert_eq!(Value::Object(parse(&same).body), json!({"Name": "Acme"}));
        let number = input("Key__c", &json!("5"), &json!({"Key__c": 5}));
        assert_eq!(parse(&number).body, Map::new());
        let other = input("Key__c", &json!("A-1"), &json!({"KEY__C": "A-2"}));
        let expected = "body.KEY__C: expected no other value than externalId, found the string \"A-2\"";
        assert_eq!(mistake("upsertRecord", other), expected);
        let null = input("Key__c", &json!("A-1"), &json!({"Key__c": null}));
        assert!(mistake("upsertRecord", null).ends_with("found null"));
    }

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
