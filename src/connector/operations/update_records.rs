//! `updateRecords`: how do I change many records with few calls, and which of them were refused?

use serde::Deserialize;
use serde_json::Value;

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
    list_account::{Policy, send_all},
    list_input::{self, ALL_OR_NONE, FAIL_ON, FailOn, OBJECT_OF_RECORDS, Part},
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{CallClass, ObjectName, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "updateRecords",
    area: Area::ManyRecords,
    label: "Update records",
    summary: "Changes fields of many records; safe to repeat.",
    keywords: &["update", "change", "set", "many", "list", "collection", "records", "sobject"],
    class: CallClass::IdempotentWrite,
    class_with: None,
    calls: "one for each 200 records, `PATCH /composite/sobjects`; none for an empty list.",
    body: "`total`, `succeeded`, `failed`, `results` in the order of the list (each with `index`, `id`, `success`, `errors`), and \
           `calls`: which records went together, and whether `allOrNone` took them back.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[
        OBJECT_OF_RECORDS,
        Input {
            name: "records",
            label: "Records",
            kind: InputKind::List,
            required: true,
            tooltip: "The records to change, up to 2,000, each with its Id and the fields to set, such as [{Id: accountId, Phone: \
                      \"5\"}]. null empties a field.",
            placeholder: "=[{Id: accountId, Phone: \"5\"}]",
        },
        ALL_OR_NONE,
        FAIL_ON,
    ],
    examples: Examples {
        answer: super::SAVED_RECORDS,
        refusal: super::REFUSED_RECORDS,
        result: "={updated: body.succeeded}",
        error: super::ON_REFUSED_RECORDS,
    },
};

/// The input of `updateRecords`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateRecords {
    object_type: Option<ObjectName>,
    records: Vec<Value>,
    #[serde(default, deserialize_with = "fields::flag")]
    all_or_none: bool,
    #[serde(default)]
    fail_on: FailOn,
}

impl UpdateRecords {
    fn parts(&self) -> Vec<Part<Request>> {
        let request = |items: &[Value]| Request::update_records(items, self.all_or_none);
        list_input::calls(&self.records).into_iter().map(|part| part.map(request)).collect()
    }
}

impl Operate for UpdateRecords {
    fn checked(mut self) -> Result<Self, InvalidInput> {
        self.records = list_input::typed(self.records, self.object_type.as_ref())?;
        list_input::each_has_id(&self.records)?;
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
