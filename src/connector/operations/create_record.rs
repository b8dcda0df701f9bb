//! `createRecord`: how do I create a record, once if it matters, and where is its id?

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
    name: "createRecord",
    area: Area::Records,
    label: "Create record",
    summary: "Creates a record and gives its id; with an external id field it never creates a second one.",
    keywords: &["create", "insert", "add", "new", "once", "record", "sobject"],
    class: CallClass::UnsafeWrite,
    class_with: Some(("externalIdField", CallClass::IdempotentWrite)),
    calls: "one, `POST /sobjects/{objectType}`; with `externalIdField` \
            `PATCH /sobjects/{objectType}/{externalIdField}/{externalId}`.",
    body: "`id`, `success`, `errors`, and `created`: false where an earlier try had created the record already.",
    contents: &[ResultContent::Response, ResultContent::Body, ResultContent::Id],
    inputs: &[
        fields::OBJECT_TYPE,
        fields::ONE_BY_ONE,
        Input {
            name: "body",
            label: "Fields",
            kind: InputKind::Context,
            required: true,
            tooltip: "The fields of the new record by their API names, such as {Name: \"Acme\", Phone: phone}.",
            placeholder: "={Name: \"Acme\"}",
        },
        Input {
            name: "externalIdField",
            label: "Create once, by external id field",
            kind: external_id::FIELD_NAME,
            required: false,
            tooltip: "API name of a text field that is marked External ID and Unique. When filled, the record is created once, \
                      however often the task is repeated after a lost answer: it is sent as an upsert. Empty: a plain create.",
            placeholder: "External_Key__c",
        },
        Input {
            name: "externalId",
            label: "External id",
            kind: InputKind::Text { pattern: None },
            required: false,
            tooltip: "The value that names this one record, such as an order number. Empty: the keys of the process \
                      instance and of this run of the task, the same for every try of it and another for the next round of a \
                      loop. Fill it where several engines, or one that is set up anew, write to the same org.",
            placeholder: "=orderId",
        },
        rules::field("={duplicateRule: \"allowSave\"}"),
    ],
    examples: Examples {
        answer: (201, r#"{"id": "001Hp00002abcDEFGH", "success": true, "errors": [], "created": true}"#),
        refusal: (
            400,
            r#"[{"errorCode": "DUPLICATE_VALUE", "message": "duplicate value found: External_Key__c",
            "fields": ["External_Key__c"]}]"#,
        ),
        result: "={accountId: body.id}",
        error: "=if error.code = \"DUPLICATE_VALUE\" \
                then bpmnError(\"already there\", error.message) else null",
    },
};

/// The input of `createRecord`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateRecord {
    object_type: ObjectName,
    #[serde(default, deserialize_with = "fields::one_by_one")]
    fields: Map<String, Value>,
    #[serde(default, deserialize_with = "fields::object")]
    body: Map<String, Value>,
    external_id_field: Option<FieldName>,
    #[serde(default, deserialize_with = "fields::some_text_or_number")]
    external_id: Option<String>,
    #[serde(default)]
    rules: Rules,
}

impl Operate for CreateRecord {
    fn checked(mut self) -> Result<Self, InvalidInput> {
        fields::merge(&mut self.body, std::mem::take(&mut self.fields))?;
        match (&self.external_id_field, &self.external_id) {
            (Some(field), value) => {
                if let Some(value) = value {
                    external_id::key(field, value)?;
                }
                external_id::without_key(&mut self.body, field, value.as_deref())?;
            }
            (None, Some(_)) => {
                let expected = "the field that externalId belongs to";
                return Err(InvalidInput::new("externalIdField", expected, "nothing"));
            }
            (None, None) => {}
        }
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        let request = match self.external_id_field {
            Some(field) => {
                let key = external_id::key(&field, &self.external_id.unwrap_or_default())?;
                Request::upsert(&self.object_type, &key, self.body)
            }
            None => Request::create(&self.object_type, self.body),
        };
        Ok(self.rules.asked(request))
    }

    async fn run(mut self, call: &Call<'_>) -> Result<Response, Error> {
        self.external_id.get_or_insert_with(|| call.step.clone());
        call.send(&self.request()?).await.map(external_id::told_apart)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        connector::operations::{Operation, tests::mistake},
        salesforce::Path,
    };

    fn input(key: &Value, body: &Value) -> Value {
        let mut input = json!({"objectType": "Account", "body": body});
        input.as_object_mut().unwrap().append(&mut key.as_object().unwrap().clone());
        input
    }

    fn request(input: &Value) -> Request {
        Operation::parse("createRecord", input.as_object().unwrap()).unwrap().request().unwrap()
    }

    #[test]
    fn with_an_external_id_it_is_an_upsert_that_may_be_repeated() {
        let plain = request(&input(&json!({}), &json!({"Name": "Acme"})));
        assert_eq!(plain.class, CallClass::UnsafeWrite);
        let key = json!({"externalIdField": "Key__c", "externalId": 4711});
        let once = request(&input(&key, &json!({"Name": "Acme", "key__c": "4711"})));
        assert_eq!(once.class, CallClass::IdempotentWrite);
        assert_eq!(once.path, Path::Versioned("/sobjects/Account/Key__c/4711".to_owned()));
        assert_eq!(once.body, Some(json!({"Name": "Acme"})));
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let alone = input(&json!({"externalId": "A-1"}), &json!({}));
        let expected = "externalIdField: expected the field that externalId belongs to, found nothing";
        assert_eq!(mistake("createRecord", alone), expected);
        let own_key = input(&json!({"externalIdField": "Key__c"}), &json!({"Key__c": "A-1"}));
        let expected = "body.Key__c: expected no other value than externalId, found the string \"A-1\"";
        assert_eq!(mistake("createRecord", own_key), expected);
    }
}
