//! `updateRecords`: how do I change many records with few calls, and which of them were refused?

use serde::Deserialize;

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    list_input::{self, ALL_OR_NONE, FAIL_ON, OBJECT_OF_RECORDS},
    saved_list::SavedList,
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{CallClass, Request, Response},
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
#[serde(transparent)]
pub struct UpdateRecords(SavedList);

impl Operate for UpdateRecords {
    fn checked(self) -> Result<Self, InvalidInput> {
        self.0.checked(list_input::each_has_id).map(Self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        self.0.request(Request::update_records)
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        self.0.run(Request::update_records, call).await
    }
}
