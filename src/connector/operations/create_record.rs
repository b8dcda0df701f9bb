//! `createRecord`: how do I create a record, and where is its id?

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
};
use crate::{
    connector::InvalidInput,
    salesforce::{CallClass, ObjectName, Request},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "createRecord",
    area: Area::Records,
    label: "Create record",
    summary: "Creates a record and gives its id.",
    keywords: &["create", "insert", "add", "new", "record", "sobject"],
    class: CallClass::UnsafeWrite,
    calls: "one, `POST /sobjects/{objectType}`.",
    body: "`id`, `success` and `errors`.",
    contents: &[ResultContent::Response, ResultContent::Body, ResultContent::Id],
    inputs: &[
        fields::OBJECT_TYPE,
        Input {
            name: "body",
            label: "Fields",
            kind: InputKind::Context,
            required: true,
            tooltip: "The fields of the new record by their API names, such as {Name: \"Acme\", Phone: phone}.",
            placeholder: "={Name: \"Acme\"}",
        },
    ],
    examples: Examples {
        answer: (201, r#"{"id": "001Hp00002abcDEFGH", "success": true, "errors": []}"#),
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
    #[serde(deserialize_with = "fields::object")]
    body: Map<String, Value>,
}

impl Operate for CreateRecord {
    fn request(self) -> Result<Request, InvalidInput> {
        Ok(Request::create(&self.object_type, self.body))
    }
}
