//! `deleteRecordByExternalId`: how do I delete a record by a key of my own?

use serde::Deserialize;

use super::{
    Operate,
    descriptor::{Area, Descriptor, Examples, ResultContent},
    external_id, fields,
};
use crate::{
    connector::InvalidInput,
    salesforce::{CallClass, FieldName, ObjectName, Request},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "deleteRecordByExternalId",
    area: Area::Records,
    label: "Delete record by external id",
    summary: "Moves the one record that has this external id to the recycle bin.",
    keywords: &["delete", "remove", "erase", "external id", "record", "sobject"],
    class: CallClass::IdempotentWrite,
    class_with: None,
    calls: "one, `DELETE /sobjects/{objectType}/{externalIdField}/{externalId}`. Where its answer is lost, it is sent again, \
            and then a record that is not there counts as deleted; else it is `NOT_FOUND`.",
    body: "Nothing: null.",
    contents: &[ResultContent::Response],
    inputs: &[fields::OBJECT_TYPE, external_id::FIELD, external_id::VALUE],
    examples: Examples {
        answer: (204, "null"),
        refusal: (404, r#"[{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]"#),
        result: "={deleted: status = 204}",
        error: "=if error.code = \"NOT_FOUND\" then ignoreError({deleted: false}) else null",
    },
};

/// The input of `deleteRecordByExternalId`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteRecordByExternalId {
    object_type: ObjectName,
    external_id_field: FieldName,
    #[serde(deserialize_with = "fields::text_or_number")]
    external_id: String,
}

impl Operate for DeleteRecordByExternalId {
    fn checked(self) -> Result<Self, InvalidInput> {
        external_id::key(&self.external_id_field, &self.external_id)?;
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        let key = external_id::key(&self.external_id_field, &self.external_id)?;
        Ok(Request::delete_by_key(&self.object_type, &key))
    }
}
