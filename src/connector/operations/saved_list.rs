//! What creating and updating a list of records have in common.

use serde::Deserialize;
use serde_json::Value;

use super::{
    Call, fields,
    list_account::{Policy, send_all},
    list_input::{self, FailOn, Part},
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{ObjectName, Request, Response},
};

/// Makes the call that saves some of the records, all of them or none.
pub(super) type Saving = fn(&[Value], bool) -> Request;

/// The input of `createRecords` and `updateRecords`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SavedList {
    object_type: Option<ObjectName>,
    records: Vec<Value>,
    #[serde(default, deserialize_with = "fields::flag")]
    all_or_none: bool,
    #[serde(default)]
    fail_on: FailOn,
}

impl SavedList {
    /// Gives each record its object, and refuses records that `check` does.
    pub(super) fn checked(
        mut self,
        check: impl FnOnce(&[Value]) -> Result<(), InvalidInput>,
    ) -> Result<Self, InvalidInput> {
        self.records = list_input::typed(self.records, self.object_type.as_ref())?;
        check(&self.records)?;
        Ok(self)
    }

    fn parts(&self, saving: Saving) -> Vec<Part<Request>> {
        let request = |items: &[Value]| saving(items, self.all_or_none);
        list_input::calls(&self.records).into_iter().map(|part| part.map(request)).collect()
    }

    pub(super) fn request(&self, saving: Saving) -> Result<Request, InvalidInput> {
        list_input::first(self.parts(saving))
    }

    pub(super) async fn run(self, saving: Saving, call: &Call<'_>) -> Result<Response, Error> {
        let Self { all_or_none, fail_on, .. } = self;
        send_all(call, self.parts(saving), Policy { all_or_none, fail_on, forgives: None }).await
    }
}
