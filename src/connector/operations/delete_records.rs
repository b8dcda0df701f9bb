//! `deleteRecords`: how do I delete many records with few calls?

use serde::Deserialize;
use serde_json::Value;

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, ResultContent},
    fields,
    list_account::{Policy, send_all},
    list_input::{self, ALL_OR_NONE, FAIL_ON, FailOn, MOST_RECORDS, OBJECT_IDS, Part},
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{CallClass, RecordId, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "deleteRecords",
    area: Area::ManyRecords,
    label: "Delete records",
    summary: "Moves many records, of one object or several, to the recycle bin. One that is there already counts as done.",
    keywords: &["delete", "remove", "many", "list", "collection", "records", "sobject"],
    class: CallClass::IdempotentWrite,
    class_with: None,
    calls: "one for each 200 records, `DELETE /composite/sobjects`; none for an empty list.",
    body: "`total`, `succeeded`, `failed`, `results` in the order of the list (each with `index`, `id`, `success`, `errors`; `alreadyDone` where it was deleted before), and \
           `calls`: which records went together, and whether `allOrNone` took them back.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[OBJECT_IDS, ALL_OR_NONE, FAIL_ON],
    examples: Examples {
        answer: super::SAVED_RECORDS,
        refusal: super::REFUSED_RECORDS,
        result: "={deleted: body.succeeded}",
        error: super::ON_REFUSED_RECORDS,
    },
};

/// The input of `deleteRecords`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteRecords {
    object_ids: Vec<Value>,
    #[serde(default, deserialize_with = "fields::flag")]
    all_or_none: bool,
    #[serde(default)]
    fail_on: FailOn,
}

impl DeleteRecords {
    fn parts(&self) -> Result<Vec<Part<Request>>, InvalidInput> {
        let ids = list_input::record_ids(&self.object_ids, MOST_RECORDS)?;
        let request = |items: &[RecordId]| Request::delete_records(items, self.all_or_none);
        Ok(list_input::deletions(&ids).into_iter().map(|part| part.map(request)).collect())
    }
}

impl Operate for DeleteRecords {
    fn checked(self) -> Result<Self, InvalidInput> {
        self.parts()?;
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        list_input::first(self.parts()?)
    }

    /// A delete whose answer was lost is sent again, and then finds its records deleted: that is what was wanted.
    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let Self { all_or_none, fail_on, .. } = self;
        send_all(call, self.parts()?, Policy { all_or_none, fail_on, forgives: Some("ENTITY_IS_DELETED") })
            .await
    }
}
