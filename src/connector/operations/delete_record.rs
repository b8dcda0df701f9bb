//! `deleteRecord`: how do I delete a record that I know by its id?

use serde::Deserialize;

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, ResultContent},
    fields,
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{CallClass, ObjectName, RecordId, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "deleteRecord",
    area: Area::Records,
    label: "Delete record",
    summary: "Moves the record that has this id to the recycle bin; one that is there already counts as deleted.",
    keywords: &["delete", "remove", "erase", "record", "sobject"],
    class: CallClass::IdempotentWrite,
    class_with: None,
    calls: "one, `DELETE /sobjects/{objectType}/{objectId}`.",
    body: "Nothing: null.",
    contents: &[ResultContent::Response, ResultContent::Id],
    inputs: &[fields::OBJECT_TYPE, fields::OBJECT_ID],
    examples: Examples {
        answer: (204, "null"),
        refusal: (
            404,
            r#"[{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist", "fields": []}]"#,
        ),
        result: "={deleted: status = 204}",
        error: "=if error.code = \"NOT_FOUND\" then ignoreError({deleted: false}) else null",
    },
};

/// The input of `deleteRecord`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteRecord {
    object_type: ObjectName,
    object_id: RecordId,
}

impl Operate for DeleteRecord {
    fn record_id(&self) -> Option<&RecordId> {
        Some(&self.object_id)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        Ok(Request::delete(&self.object_type, &self.object_id))
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        call.send(&self.request()?).await.or_else(deleted_before)
    }
}

/// A record that is in the recycle bin already was deleted as asked, perhaps by a try of this very job whose answer was
/// lost. The answer is given as it came. An id that never was is still `NOT_FOUND`.
fn deleted_before(error: Error) -> Result<Response, Error> {
    match error.response() {
        Some(response) if error.code() == "ENTITY_IS_DELETED" => Ok(response.clone()),
        _ => Err(error),
    }
}
