//! `upsertRecords`: how do I create many records without ever creating one twice?

use serde::Deserialize;
use serde_json::Value;

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
    list_account::{Policy, send_all},
    list_input::{self, ALL_OR_NONE, FAIL_ON, FailOn, Part},
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{CallClass, FieldName, ObjectName, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "upsertRecords",
    area: Area::ManyRecords,
    label: "Create or update records (upsert)",
    summary: "Creates the records that are not there by their external ids, and updates the others; safe to repeat.",
    keywords: &[
        "upsert",
        "create",
        "update",
        "external id",
        "many",
        "list",
        "collection",
        "records",
        "idempotent",
    ],
    class: CallClass::IdempotentWrite,
    class_with: None,
    calls: "one for each 200 records, `PATCH /composite/sobjects/{objectType}/{externalIdField}`; none for an empty list.",
    body: "`total`, `succeeded`, `failed`, `results` in the order of the list (each with `index`, `id`, `success`, `created`, `errors`), and \
           `calls`: which records went together, and whether `allOrNone` took them back.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[
        fields::OBJECT_TYPE,
        super::external_id::FIELD,
        Input {
            name: "records",
            label: "Records",
            kind: InputKind::List,
            required: true,
            tooltip: "The records, up to 2,000, each with its fields and its external id among them, such as [{External_Key__c: \
                      orderId, Name: \"Acme\"}]. null empties a field.",
            placeholder: "=[{External_Key__c: orderId, Name: \"Acme\"}]",
        },
        ALL_OR_NONE,
        FAIL_ON,
    ],
    examples: Examples {
        answer: (
            200,
            r#"{"allOrNone": false, "total": 2, "succeeded": 2, "failed": 0, "calls": [{"first": 0, "count": 2,
            "outcome": "answered", "succeeded": 2, "failed": 0, "rolledBack": false}], "results": [
            {"index": 0, "id": "001Hp00002abcDEFGH", "success": true, "errors": [], "created": true},
            {"index": 1, "id": "001Hp00002abcDEFGI", "success": true, "errors": [], "created": true}]}"#,
        ),
        refusal: super::REFUSED_RECORDS,
        result: "={accountIds: body.results.id}",
        error: super::ON_REFUSED_RECORDS,
    },
};

/// The input of `upsertRecords`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpsertRecords {
    object_type: ObjectName,
    external_id_field: FieldName,
    records: Vec<Value>,
    #[serde(default, deserialize_with = "fields::flag")]
    all_or_none: bool,
    #[serde(default)]
    fail_on: FailOn,
}

impl UpsertRecords {
    fn parts(&self) -> Vec<Part<Request>> {
        let request = |items: &[Value]| {
            Request::upsert_records(&self.object_type, &self.external_id_field, items, self.all_or_none)
        };
        list_input::calls(&self.records).into_iter().map(|part| part.map(request)).collect()
    }
}

impl Operate for UpsertRecords {
    fn checked(mut self) -> Result<Self, InvalidInput> {
        self.records = list_input::typed(self.records, Some(&self.object_type))?;
        list_input::each_is(&self.records, &self.object_type)?;
        let expected = "the external id, without which the record would be created again and again";
        list_input::each_has(&self.records, self.external_id_field.as_str(), expected)?;
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        list_input::first(self.parts())
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let Self { all_or_none, fail_on, .. } = self;
        send_all(call, self.parts(), Policy { all_or_none, fail_on, forgives: None }).await
    }
}
