//! What code in the org sees: what it was called with, and the records.

use serde_json::{Map, Value};

use crate::org::assignment::Assign;
use crate::org::rest;
use crate::org::store::Store;
use crate::org::validate::{Purpose, Save};

/// What a function of the org has in hand: the call, and the org's records.
#[derive(Debug)]
pub struct Apex<'a> {
    /// The HTTP method; `POST` for actions.
    pub method: &'a str,
    /// The path below `/services/apexrest`, decoded, or the name of the action.
    pub path: &'a str,
    /// The parameters of the address.
    pub query: &'a [(String, String)],
    /// The body as JSON, or a text where it is none; for actions the inputs.
    pub body: &'a Value,
    pub(super) store: &'a mut Store,
}

/// An exception that the code does not catch: all that it did to records is undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Its type, such as `System.DmlException`.
    pub kind: String,
    /// Its message.
    pub message: String,
    /// The status code, where a save failed.
    pub code: Option<String>,
}

impl Exception {
    /// An exception of the code itself.
    pub fn new(kind: &str, message: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), message: message.into(), code: None }
    }

    pub(super) fn of_save(verb: &str, summary: &str) -> Self {
        let (code, text) = summary.split_once(": ").unwrap_or(("", summary));
        let message = format!("{verb} failed. First exception on row 0; first error: {code}, {text}: []");
        Self { kind: "System.DmlException".to_owned(), message, code: Some(code.to_owned()) }
    }

    pub(super) fn told(&self) -> String {
        format!("{}: {}", self.kind, self.message)
    }
}

impl Apex<'_> {
    /// Inserts a record; its id.
    ///
    /// # Errors
    /// What the org's rules say against it.
    pub fn insert(&mut self, object: &str, fields: &Value) -> Result<String, Exception> {
        let (index, fields) = self.known(object, fields)?;
        let saved = self.store.create(index, &fields, save(Purpose::Create));
        saved.map_err(|error| Exception::of_save("Insert", &error.summary()))
    }

    /// Changes fields of a record.
    ///
    /// # Errors
    /// As [`Apex::insert`], and where there is no such record.
    pub fn update(&mut self, object: &str, id: &str, fields: &Value) -> Result<(), Exception> {
        let (index, fields) = self.known(object, fields)?;
        let saved = self
            .store
            .live_row(index, id)
            .and_then(|row| self.store.update(index, row, &fields, save(Purpose::Update)));
        saved.map_err(|error| Exception::of_save("Update", &error.summary()))
    }

    /// The live records of an object.
    pub fn records(&self, object: &str) -> Vec<Value> {
        let Some(index) = self.store.schema.index_of(object) else { return Vec::new() };
        let table = &self.store.tables[index];
        table.live().map(|row| rest::all_fields(self.store.object(index), &table.records[row])).collect()
    }

    pub(super) fn known(
        &self,
        object: &str,
        fields: &Value,
    ) -> Result<(usize, Map<String, Value>), Exception> {
        let index = self.store.schema.index_of(object);
        let index =
            index.ok_or_else(|| Exception::new("System.TypeException", format!("Invalid type: {object}")))?;
        let fields = fields.as_object().cloned();
        let none = || Exception::new("System.NullPointerException", "Attempt to de-reference a null object");
        Ok((index, fields.ok_or_else(none)?))
    }
}

pub(super) fn save(purpose: Purpose) -> Save<'static> {
    let assign = Assign::No;
    Save { purpose, text: "", trusted: false, allow_duplicates: false, duplicate_details: false, assign }
}

/// Runs code in one transaction: what it did to records is undone where it fails.
pub(super) fn transaction<T>(
    store: &mut Store,
    code: impl FnOnce(&mut Store) -> Result<T, Exception>,
) -> Result<T, Exception> {
    let before = store.tables.clone();
    let result = code(store);
    if result.is_err() {
        store.tables = before;
    }
    result
}
