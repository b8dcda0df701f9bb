//! What a Salesforce task can do: one file per operation, and here is the list of them.
//!
//! A further operation is a file with its input struct, its [`Descriptor`] and its `run`, declared below and
//! named by one line in the list. Parser, element template, reference and metric labels follow from there.

mod call;
mod descriptor;
mod external_id;
mod fields;
mod operate;

mod create_record;
mod delete_record;
mod get_record;
mod query;
mod update_record;
mod upsert_record;

pub(crate) use call::Call;
pub use descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent};
use operate::{Operate, list};

// In the order in which the modeler is offered them.
list![
    upsert_record::UpsertRecord,
    create_record::CreateRecord,
    update_record::UpdateRecord,
    get_record::GetRecord,
    delete_record::DeleteRecord,
    query::Query,
];

#[cfg(test)]
mod tests;
