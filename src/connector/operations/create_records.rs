//! `createRecords`: how do I create many records with few calls, and which of them were refused?

use serde::Deserialize;

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    list_input::{ALL_OR_NONE, FAIL_ON, OBJECT_OF_RECORDS},
    saved_list::SavedList,
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{CallClass, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "createRecords",
    area: Area::ManyRecords,
    label: "Create records",
    summary: "Creates many records and gives their ids in the order of the list.",
    keywords: &["create", "insert", "many", "list", "collection", "records", "sobject"],
    class: CallClass::UnsafeWrite,
    class_with: None,
    calls: "one for each 200 records, `POST /composite/sobjects`; none for an empty list.",
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
            tooltip: "The records to create, up to 2,000, each with its fields, such as [{Name: \"Acme\"}, {Name: \"Globex\"}]. \
                      Upsert records can be repeated safely, this cannot.",
            placeholder: "=[{Name: \"Acme\"}, {Name: \"Globex\"}]",
        },
        ALL_OR_NONE,
        FAIL_ON,
    ],
    examples: Examples {
        answer: super::SAVED_RECORDS,
        refusal: super::REFUSED_RECORDS,
        result: "={accountIds: body.results.id}",
        error: super::ON_REFUSED_RECORDS,
    },
};

/// The input of `createRecords`.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct CreateRecords(SavedList);

impl Operate for CreateRecords {
    fn checked(self) -> Result<Self, InvalidInput> {
        self.0.checked(|_| Ok(())).map(Self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        self.0.request(Request::create_records)
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        self.0.run(Request::create_records, call).await
    }
}
