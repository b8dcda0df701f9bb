//! `upsertRecord`: how do I create a record without ever creating it twice?

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    external_id, fields,
    rules::{self, Rules},
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{CallClass, FieldName, ObjectName, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "upsertRecord",
    area: Area::Records,
    label: "Create or update record (upsert)",
    summary: "Creates the record that has this external id, or updates it when it is there; safe to repeat.",
    keywords: &["upsert", "create", "update", "insert", "external id", "record", "sobject", "idempotent"],
    class: CallClass::IdempotentWrite,
    class_with: None,
    calls: "one, `PATCH /sobjects/{objectType}/{externalIdField}/{externalId}`.",
    body: "`id`, `success`, `errors`, and `created`: whether there was no such record before.",
    contents: &[ResultContent::Response, ResultContent::Body, ResultContent::Id],
    inputs: &[
        fields::OBJECT_TYPE,
        external_id::FIELD,
        external_id::VALUE,
        fields::ONE_BY_ONE,
        Input {
            name: "body",
            label: "Fields",
            kind: InputKind::Context,
            required: true,
            tooltip: "The fields to set by their API names, such as {Name: \"Acme\"}, without the external id field. null \
                      empties a field.",
            placeholder: "={Name: \"Acme\"}",
        },
        rules::field("={assignmentRule: false}"),
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
    #[serde(default, deserialize_with = "fields::one_by_one")]
    fields: Map<String, Value>,
    #[serde(default, deserialize_with = "fields::object")]
    body: Map<String, Value>,
    #[serde(default)]
    rules: Rules,
}

impl Operate for UpsertRecord {
    fn checked(mut self) -> Result<Self, InvalidInput> {
        fields::merge(&mut self.body, std::mem::take(&mut self.fields))?;
        external_id::key(&self.external_id_field, &self.external_id)?;
        external_id::without_key(&mut self.body, &self.external_id_field, Some(&self.external_id))?;
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        let key = external_id::key(&self.external_id_field, &self.external_id)?;
        let request = Request::upsert(&self.object_type, &key, self.body);
        Ok(self.rules.asked(request))
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        call.send(&self.request()?).await.map(external_id::told_apart)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
            assert_eq!(parse(&input("Key__c", &id, &json!({}))).external_id, text);
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
}
