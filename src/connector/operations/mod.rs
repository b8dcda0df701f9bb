//! What a Salesforce task can do: one file per operation, and here is the list of them.
//!
//! A further operation is a file with its input struct, its [`Descriptor`] and its `run`, declared below and
//! named by one line in the list. Parser, element template, reference and metric labels follow from there.

mod call;
mod descriptor;
mod external_id;
mod fields;
mod operate;
mod pages;
mod rules;

mod create_record;
mod delete_record;
mod delete_record_by_external_id;
mod explain_query;
mod get_record;
mod get_record_by_external_id;
mod next_records;
mod query;
mod query_all;
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
    get_record_by_external_id::GetRecordByExternalId,
    delete_record::DeleteRecord,
    delete_record_by_external_id::DeleteRecordByExternalId,
    query::Query,
    query_all::QueryAll,
    next_records::NextRecords,
    explain_query::ExplainQuery,
];

#[cfg(test)]
mod tests;
