//! `updateRecord`: how do I change fields of a record that I know by its id?

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
};
use crate::{
    connector::InvalidInput,
    salesforce::{CallClass, ObjectName, RecordId, Request},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "updateRecord",
    area: Area::Records,
    label: "Update record",
    summary: "Changes fields of the record that has this id.",
    keywords: &["update", "change", "edit", "set", "patch", "record", "sobject"],
    class: CallClass::IdempotentWrite,
    class_with: None,
    calls: "one, `PATCH /sobjects/{objectType}/{objectId}`.",
    body: "Nothing: null.",
    contents: &[ResultContent::Response, ResultContent::Id],
    inputs: &[
        fields::OBJECT_TYPE,
        fields::OBJECT_ID,
        Input {
            name: "body",
            label: "Fields",
            kind: InputKind::Context,
            required: true,
            tooltip: "The fields to change by their API names, such as {Phone: phone}. null empties a field; what is not \
                      named stays as it is.",
            placeholder: "={Phone: phone}",
        },
    ],
    examples: Examples {
        answer: (204, "null"),
        refusal: (404, r#"[{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]"#),
        result: "={updated: status = 204}",
        error: "=if error.code = \"NOT_FOUND\" then bpmnError(\"gone\", error.message) else null",
    },
};

/// The input of `updateRecord`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateRecord {
    object_type: ObjectName,
    object_id: RecordId,
    #[serde(deserialize_with = "fields::object")]
    body: Map<String, Value>,
}

impl Operate for UpdateRecord {
    fn record_id(&self) -> Option<&RecordId> {
        Some(&self.object_id)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        Ok(Request::update(&self.object_type, &self.object_id, self.body))
    }
}
