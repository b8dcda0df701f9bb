//! `publishEvent`: how do I publish a platform event, and what of a repeat?

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    external_id, fields,
};
use crate::{
    connector::{
        Error, InvalidInput,
        input::{Show, describe},
    },
    salesforce::{CallClass, FieldName, ObjectName, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "publishEvent",
    area: Area::Automation,
    label: "Publish platform event",
    summary: "Publishes a platform event; with a key field, subscribers can tell a repeat.",
    keywords: &["publish", "event", "platform event", "message", "event bus", "send"],
    class: CallClass::UnsafeWrite,
    class_with: Some(("keyField", CallClass::IdempotentWrite)),
    calls: "one, `POST /sobjects/{eventName}`.",
    body: "`success`, `eventUuid` under which subscribers get the event, `id` (not unique, says Salesforce), `errors`, and `key` where \
           there is a key field. Success means that Salesforce has queued the event, not that it was delivered.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[
        Input {
            name: "eventName",
            label: "Event",
            kind: InputKind::Text {
                pattern: Some((
                    "^[A-Za-z][A-Za-z0-9_]{0,76}__e$",
                    "must be the API name of a platform event, such as Order_Event__e",
                )),
            },
            required: true,
            tooltip: "API name of the platform event, such as Order_Event__e.",
            placeholder: "Order_Event__e",
        },
        Input {
            name: "body",
            label: "Fields",
            kind: InputKind::Context,
            required: true,
            tooltip: "The fields of the event by their API names, such as {Order_Number__c: orderNumber}.",
            placeholder: "={Order_Number__c: orderNumber}",
        },
        Input {
            name: "keyField",
            label: "Key field",
            kind: external_id::FIELD_NAME,
            required: false,
            tooltip: "API name of a text field of the event for a key that stays the same for every try of this task. Salesforce does not \
                      look at it, and its own EventUuid cannot be set: a repeat is a second event, which subscribers must know by the \
                      key and pass over. When filled, the event is sent again when the answer was lost.",
            placeholder: "Process_Key__c",
        },
        Input {
            name: "key",
            label: "Key",
            kind: InputKind::Text { pattern: None },
            required: false,
            tooltip: "What stands in the key field, such as an order number. Empty: the keys of the process instance and of this run of \
                      the task, the same for every try of it and another for the next round of a loop.",
            placeholder: "=orderId",
        },
    ],
    examples: Examples {
        answer: (
            201,
            r#"{"id": "e01xx0000000001AAA", "success": true, "errors": [],
            "eventUuid": "e981b488-81f3-4fcc-bd6f-f7033c9d7ac3"}"#,
        ),
        refusal: (
            400,
            r#"[{"errorCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [Order_Number__c]",
            "fields": ["Order_Number__c"]}]"#,
        ),
        result: "={eventUuid: body.eventUuid}",
        error: "=if error.code = \"REQUIRED_FIELD_MISSING\" then bpmnError(\"incomplete\", error.message) else null",
    },
};

/// Said of an event that was taken: its message is the event's UUID.
const ENQUEUED: &str = "OPERATION_ENQUEUED";

/// The input of `publishEvent`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PublishEvent {
    event_name: ObjectName,
    #[serde(deserialize_with = "fields::object")]
    body: Map<String, Value>,
    key_field: Option<FieldName>,
    #[serde(default, deserialize_with = "fields::some_text_or_number")]
    key: Option<String>,
}

impl Operate for PublishEvent {
    fn checked(self) -> Result<Self, InvalidInput> {
        if !self.event_name.as_str().ends_with("__e") {
            let expected = "the API name of a platform event, such as Order_Event__e";
            return Err(InvalidInput::new("eventName", expected, format!("{:?}", self.event_name.as_str())));
        }
        let Some(field) = &self.key_field else {
            let expected = "the field that key belongs to";
            return match self.key {
                Some(_) => Err(InvalidInput::new("keyField", expected, "nothing")),
                None => Ok(self),
            };
        };
        match self.body.iter().find(|(name, _)| name.eq_ignore_ascii_case(field.as_str())) {
            Some((name, value)) => {
                let found = describe(Some(value), Show::Value);
                Err(InvalidInput::new(format!("body.{name}"), "no value: key is written there", found))
            }
            None => Ok(self),
        }
    }

    fn class(&self) -> Option<CallClass> {
        Some(if self.key_field.is_some() { CallClass::IdempotentWrite } else { CallClass::UnsafeWrite })
    }

    fn request(mut self) -> Result<Request, InvalidInput> {
        let class =
            if self.key_field.is_some() { CallClass::IdempotentWrite } else { CallClass::UnsafeWrite };
        if let Some(field) = self.key_field {
            self.body.insert(field.as_str().to_owned(), self.key.unwrap_or_default().into());
        }
        Ok(Request { class, ..Request::create(&self.event_name, self.body) })
    }

    async fn run(mut self, call: &Call<'_>) -> Result<Response, Error> {
        let key = self.key_field.as_ref().map(|_| self.key.clone().unwrap_or_else(|| call.step.clone()));
        self.key.clone_from(&key);
        call.send(&self.request()?).await.map(|response| told(response, key))
    }
}

/// The answer with the event's UUID in a place of its own: Salesforce tells it as if it were an error.
fn told(mut response: Response, key: Option<String>) -> Response {
    let Value::Object(body) = &mut response.body else { return response };
    let uuid = match body.get_mut("errors") {
        Some(Value::Array(errors)) => {
            let place = errors.iter().position(|error| error["statusCode"] == ENQUEUED);
            place.map(|place| errors.remove(place)["message"].take())
        }
        _ => None,
    };
    body.insert("eventUuid".to_owned(), uuid.unwrap_or_default());
    if let Some(key) = key {
        body.insert("key".to_owned(), json!(key));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::operations::{Operation, tests::mistake};

    fn request(input: &Value) -> Request {
        Operation::parse("publishEvent", input.as_object().unwrap()).unwrap().request().unwrap()
    }

    #[test]
    fn a_key_makes_it_one_that_may_be_sent_again() {
        let plain = request(&json!({"eventName": "Order__e", "body": {"A__c": 1}}));
        assert_eq!((plain.body, plain.class), (Some(json!({"A__c": 1})), CallClass::UnsafeWrite));
        let keyed =
            request(&json!({"eventName": "Order__e", "body": {"A__c": 1}, "keyField": "Key__c", "key": 17}));
        assert_eq!(
            (keyed.body, keyed.class),
            (Some(json!({"A__c": 1, "Key__c": "17"})), CallClass::IdempotentWrite)
        );
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        for (input, message) in [
            (
                json!({"eventName": "Account", "body": {}}),
                "eventName: expected the API name of a platform event, such as Order_Event__e, found \"Account\"",
            ),
            (
                json!({"eventName": "Order__e", "body": {}, "key": "k"}),
                "keyField: expected the field that key belongs to, found nothing",
            ),
            (
                json!({"eventName": "Order__e", "body": {"key__c": "x"}, "keyField": "Key__c"}),
                "body.key__c: expected no value: key is written there, found the string \"x\"",
            ),
        ] {
            assert_eq!(mistake("publishEvent", input), message);
        }
    }
}
