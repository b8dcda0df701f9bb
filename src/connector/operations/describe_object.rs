//! `describeObject`: which fields does an object have, and what may be done with it?

use serde::Deserialize;
use serde_json::Value;

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{CallClass, ObjectName, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "describeObject",
    area: Area::Other,
    label: "Describe an object",
    summary: "Tells which fields, picklist values and relationships an object has, and what the user may do with it.",
    keywords: &["describe", "metadata", "fields", "picklist", "schema", "sobject", "key prefix"],
    class: CallClass::Read,
    class_with: None,
    calls: "one, `GET /sobjects/{objectType}/describe`; in short, `GET /sobjects/{objectType}`.",
    body: "In full: what the user may do (`createable`, `updateable`, …), `fields` with their `picklistValues`, \
           `childRelationships` and more. In short: `objectDescribe`, the same without fields and relationships, and \
           `recentItems`, the records of the object that the user has used lately.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[
        fields::OBJECT_TYPE,
        Input {
            name: "detail",
            label: "Describe",
            kind: InputKind::Choice {
                choices: &[("full", "in full, with fields and relationships"), ("basic", "in short")],
            },
            required: false,
            tooltip: "In full, objects such as Account are described with hundreds of kilobytes.",
            placeholder: "",
        },
        Input {
            label: "Fields to keep",
            tooltip: "Keeps only the descriptions of these fields, such as Status, Priority, so that the result stays small. Empty: \
                      every field. An object that is described in short has none.",
            placeholder: "Status, Priority",
            ..fields::FIELDS
        },
    ],
    examples: Examples {
        answer: (
            200,
            r#"{"name": "Case", "label": "Case", "keyPrefix": "500", "createable": true, "fields": [{"name": "Status",
            "type": "picklist", "nillable": true, "picklistValues": [{"active": true, "label": "New", "value": "New"},
            {"active": true, "label": "Closed", "value": "Closed"}]}]}"#,
        ),
        refusal: (404, r#"[{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]"#),
        result: "={statuses: body.fields[name = \"Status\"][1].picklistValues.value}",
        error: "=if error.code = \"NOT_FOUND\" then bpmnError(\"no such object\", error.message) else null",
    },
};

/// The input of `describeObject`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DescribeObject {
    object_type: ObjectName,
    #[serde(default)]
    detail: Detail,
    #[serde(default, deserialize_with = "fields::names")]
    fields: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Detail {
    #[default]
    Full,
    Basic,
}

impl Operate for DescribeObject {
    fn request(self) -> Result<Request, InvalidInput> {
        Ok(match self.detail {
            Detail::Full => Request::describe(&self.object_type),
            Detail::Basic => Request::describe_basic(&self.object_type),
        })
    }

    async fn run(mut self, call: &Call<'_>) -> Result<Response, Error> {
        let wanted = self.fields.take();
        let mut response = call.send(&self.request()?).await?;
        if let (Some(wanted), Some(Value::Array(described))) = (wanted, response.body.get_mut("fields")) {
            let is_wanted = |name: &str| wanted.split(',').any(|wanted| wanted.eq_ignore_ascii_case(name));
            described.retain(|field| field["name"].as_str().is_some_and(is_wanted));
        }
        Ok(response)
    }
}
