//! `getRecordByExternalId`: how do I read one record by a key of my own?

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
    name: "getRecordByExternalId",
    area: Area::Records,
    label: "Get record by external id",
    summary: "Reads the one record that has this external id.",
    keywords: &["get", "read", "retrieve", "fetch", "lookup", "external id", "record", "sobject"],
    class: CallClass::Read,
    class_with: None,
    calls: "one, `GET /sobjects/{objectType}/{externalIdField}/{externalId}`.",
    body: "The record: its fields by their API names, and `attributes`.",
    contents: &[ResultContent::Response, ResultContent::Body, ResultContent::Id],
    inputs: &[fields::OBJECT_TYPE, external_id::FIELD, external_id::VALUE, fields::FIELDS],
    examples: Examples {
        answer: (
            200,
            r#"{"attributes": {"type": "Account"}, "Id": "001Hp00002abcDEFGH", "Name": "Acme",
            "External_Key__c": "A-17"}"#,
        ),
        refusal: (404, r#"[{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]"#),
        result: "={accountId: body.Id, name: body.Name}",
        error: "=if error.code = \"NOT_FOUND\" then ignoreError({accountId: null}) else null",
    },
};

/// The input of `getRecordByExternalId`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetRecordByExternalId {
    object_type: ObjectName,
    external_id_field: FieldName,
    #[serde(deserialize_with = "fields::text_or_number")]
    external_id: String,
    #[serde(default, deserialize_with = "fields::names")]
    fields: Option<String>,
}

impl Operate for GetRecordByExternalId {
    fn checked(self) -> Result<Self, InvalidInput> {
        external_id::key(&self.external_id_field, &self.external_id)?;
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        let key = external_id::key(&self.external_id_field, &self.external_id)?;
        let mut request = Request::get_by_key(&self.object_type, &key);
        request.query.extend(self.fields.map(|fields| ("fields".to_owned(), fields)));
        Ok(request)
    }
}
