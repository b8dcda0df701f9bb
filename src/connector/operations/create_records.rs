//! `createRecords`: how do I create many records with few calls, and which of them were refused?

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
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateRecords {
    object_type: Option<ObjectName>,
    records: Vec<Value>,
    #[serde(default, deserialize_with = "fields::flag")]
    all_or_none: bool,
    #[serde(default)]
    fail_on: FailOn,
}

impl CreateRecords {
    fn parts(&self) -> Vec<Part<Request>> {
        let request = |items: &[Value]| Request::create_records(items, self.all_or_none);
        list_input::calls(&self.records).into_iter().map(|part| part.map(request)).collect()
    }
}

impl Operate for CreateRecords {
    fn checked(mut self) -> Result<Self, InvalidInput> {
        self.records = list_input::typed(self.records, self.object_type.as_ref())?;
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
