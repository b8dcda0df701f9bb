//! `quickAction`: how do I run a quick action, as a person would on a record's page?

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
    invocable::{self, StatedClass},
    list_account::detail,
};
use crate::{
    connector::{Error, InvalidInput, codes},
    salesforce::{CallClass, FieldName, ObjectName, RecordId, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "quickAction",
    area: Area::Automation,
    label: "Run quick action",
    summary: "Runs a quick action of an object, or a global one, such as logging a call on a case.",
    keywords: &["quick action", "action", "log a call", "button", "publisher", "automation"],
    class: CallClass::UnsafeWrite,
    class_with: Some(("class", CallClass::Read)),
    calls: "one, `POST /sobjects/{objectType}/quickActions/{quickActionName}`, or `POST /quickActions/{quickActionName}`.",
    body: "`id` of the record that was made or changed, `created`, `success`, `errors`, `feedItemIds`.",
    contents: &[ResultContent::Response, ResultContent::Body, ResultContent::Id],
    inputs: &[
        Input {
            required: false,
            tooltip: "API name of the object that the action belongs to, such as Case. Empty: the action is a global one.",
            ..fields::OBJECT_TYPE
        },
        Input {
            name: "quickActionName",
            label: "Quick action",
            kind: InputKind::Text {
                pattern: Some((fields::API_NAME, "must be the API name of a quick action, such as LogACall")),
            },
            required: true,
            tooltip: "API name of the action, without the object, such as LogACall.",
            placeholder: "LogACall",
        },
        Input {
            required: false,
            tooltip: "The id of the record on whose page the action stands, such as that of the case. Empty for a global action.",
            ..fields::OBJECT_ID
        },
        Input {
            name: "record",
            label: "Fields",
            kind: InputKind::Context,
            required: false,
            tooltip: "What a person would enter, by API names of the fields, such as {Subject: \"Called back\", Description: notes}. \
                      Default values of the action's layout are not filled in: give every field that is needed.",
            placeholder: "={Subject: \"Called back\"}",
        },
        invocable::CLASS,
    ],
    examples: Examples {
        answer: (
            201,
            r#"{"id": "00THp00000abcDEMAA", "success": true, "created": true, "errors": [], "feedItemIds": null,
            "contextId": "500Hp00002abcDEFGH"}"#,
        ),
        refusal: (
            400,
            r#"[{"errorCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [Subject]", "fields": ["Subject"]}]"#,
        ),
        result: "={taskId: body.id}",
        error: "=if error.code = \"REQUIRED_FIELD_MISSING\" then bpmnError(\"incomplete\", error.message) else null",
    },
};

/// The input of `quickAction`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuickAction {
    object_type: Option<ObjectName>,
    #[serde(rename = "quickActionName")]
    name: FieldName,
    object_id: Option<RecordId>,
    #[serde(default, deserialize_with = "fields::object")]
    record: Map<String, Value>,
    #[serde(default)]
    class: StatedClass,
}

impl Operate for QuickAction {
    fn class(&self) -> Option<CallClass> {
        Some(self.class.into())
    }

    fn record_id(&self) -> Option<&RecordId> {
        self.object_id.as_ref()
    }

    fn request(self) -> Result<Request, InvalidInput> {
        let Self { object_type, name, object_id, record, class } = self;
        Ok(Request::quick_action(object_type.as_ref(), &name, (object_id.as_ref(), record), class.into()))
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let response = call.send(&self.request()?).await?;
        if response.body["success"] != false {
            return Ok(response);
        }
        let errors = response.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let errors: Vec<_> = errors.iter().map(detail).collect();
        let first = errors.first().map(|first| format!("{}: {}", first.error_code, first.message));
        let message = format!("the quick action failed: {}", first.unwrap_or_default());
        Err(Error::refused(&codes::ACTION_FAILED, errors, message).with_response(response))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{connector::operations::Operation, salesforce::Path};

    #[test]
    fn an_action_belongs_to_an_object_or_to_none() {
        let request = |input: serde_json::Value| {
            Operation::parse("quickAction", input.as_object().unwrap()).unwrap().request().unwrap()
        };
        let of_case = request(
            json!({"objectType": "Case", "quickActionName": "LogACall", "objectId": "500D000000IRFmaIAH",
            "record": {"Subject": "S"}}),
        );
        assert_eq!(of_case.path, Path::Versioned("/sobjects/Case/quickActions/LogACall".to_owned()));
        assert_eq!(
            of_case.body,
            Some(json!({"contextId": "500D000000IRFmaIAH", "record": {"Subject": "S"}}))
        );
        let global = request(json!({"quickActionName": "NewTask", "objectType": " "}));
        assert_eq!(global.path, Path::Versioned("/quickActions/NewTask".to_owned()));
        assert_eq!(global.body, Some(json!({"record": {}})));
    }
}
