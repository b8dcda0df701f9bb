//! `updateRecordByExternalId`: how do I change a record that I know by a key of my own, and never create one?

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, ResultContent},
    external_id, fields,
    rules::{self, Rules},
    update_record::{self, FIELDS_TO_CHANGE, IF_UNMODIFIED_SINCE, UpdateRecord},
};
use crate::{
    connector::{Error, InvalidInput, codes},
    salesforce::{CallClass, FieldName, ObjectName, RecordId, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "updateRecordByExternalId",
    area: Area::Records,
    label: "Update record by external id",
    summary: "Changes fields of the one record that has this external id; where there is none, none is created.",
    keywords: &["update", "change", "edit", "set", "patch", "external id", "record", "sobject"],
    class: CallClass::IdempotentWrite,
    class_with: None,
    calls: "two, `GET /sobjects/{objectType}/{externalIdField}/{externalId}`, which finds the record's id, and \
            `PATCH /sobjects/{objectType}/{id}`.",
    body: "`id` of the record.",
    contents: &[ResultContent::Response, ResultContent::Id],
    inputs: &[
        fields::OBJECT_TYPE,
        external_id::FIELD,
        external_id::VALUE,
        FIELDS_TO_CHANGE,
        IF_UNMODIFIED_SINCE,
        rules::field("={assignmentRule: true}"),
    ],
    examples: Examples {
        answer: (204, r#"{"id": "001Hp00002abcDEFGH"}"#),
        refusal: (404, r#"[{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]"#),
        result: "={accountId: body.id}",
        error: "=if error.code = \"NOT_FOUND\" then bpmnError(\"gone\", error.message) else null",
    },
};

/// The input of `updateRecordByExternalId`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateRecordByExternalId {
    object_type: ObjectName,
    external_id_field: FieldName,
    #[serde(deserialize_with = "fields::text_or_number")]
    external_id: String,
    #[serde(deserialize_with = "fields::object")]
    body: Map<String, Value>,
    if_unmodified_since: Option<String>,
    #[serde(default)]
    rules: Rules,
}

impl UpdateRecordByExternalId {
    fn look_up(&self) -> Result<Request, InvalidInput> {
        let key = external_id::key(&self.external_id_field, &self.external_id)?;
        let mut request = Request::get_by_key(&self.object_type, &key);
        request.query.push(("fields".to_owned(), "Id".to_owned()));
        Ok(request)
    }
}

impl Operate for UpdateRecordByExternalId {
    fn checked(mut self) -> Result<Self, InvalidInput> {
        self.look_up()?;
        // Another key in the body would lead the next try to no record, or to another one.
        external_id::without_key(&mut self.body, &self.external_id_field, Some(&self.external_id))?;
        update_record::moment(self.if_unmodified_since.as_deref())?;
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        self.look_up()
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let found = call.send(&self.look_up()?).await?;
        let id = found.body["Id"].as_str().and_then(|id| id.parse::<RecordId>().ok());
        let Some(object_id) = id else {
            let message = "expected a record with its Id, found something else";
            return Err(Error::new(&codes::INVALID_RESPONSE, message).with_response(found));
        };
        let id = json!({"id": object_id.as_str()});
        let Self { object_type, body, if_unmodified_since, rules, .. } = self;
        let fields = Map::new();
        let update = UpdateRecord { object_type, object_id, fields, body, if_unmodified_since, rules };
        Ok(Response { body: id, ..call.send(&update.request()?).await? })
    }
}
