//! A query whose answer is flat: columns and rows of text, as bulk jobs give it.

use serde_json::Value;

use super::super::error::{ApiError, ApiResult};
use super::super::schema::FieldType;
use super::super::store::Store;
use super::ast::{Item, Query};
use super::prepare::{Output, Shown};
use super::scalar::Scalar;
use super::{Run, context, parser, prepare};

/// Columns by the paths of their fields, and a text for each value; an empty one for null.
#[derive(Debug)]
pub(crate) struct Table {
    /// The index of the object.
    pub(crate) object: usize,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// Runs a query; one whose answer would not be flat is refused.
pub(crate) fn table(store: &Store, text: &str, run: Run) -> ApiResult<Table> {
    let query = parser::parse(text)?;
    flat(&query)?;
    let context = context(store, text, run);
    let prepared = prepare::query(context, &query)?;
    let Output::Records { columns, .. } = &prepared.output else {
        return Err(refused("Aggregate functions"));
    };
    let columns: Vec<(String, Scalar)> = columns.iter().filter_map(column).collect();
    if columns.iter().any(|(_, value)| value.kind() == FieldType::Address) {
        return Err(refused("Selecting compound data"));
    }
    let records = &store.tables[prepared.object].records;
    let rows = prepared.rows(context, None).into_iter().map(|row| {
        let value = |value: &Scalar| cell(value.kind(), value.value(store, prepared.object, &records[row]));
        columns.iter().map(|(_, column)| value(column)).collect()
    });
    let rows = rows.collect();
    Ok(Table { object: prepared.object, columns: columns.into_iter().map(|(name, _)| name).collect(), rows })
}

fn column(shown: &Shown) -> Option<(String, Scalar)> {
    match shown {
        Shown::Column(column) => {
            let path: Vec<&str> = column.parents.iter().chain([&column.name]).map(String::as_str).collect();
            Some((path.join("."), Scalar::Column(column.clone())))
        }
        Shown::Function { name, value } => Some((name.clone(), value.clone())),
        Shown::Children { .. } | Shown::TypeOf { .. } => None,
    }
}

fn flat(query: &Query) -> ApiResult<()> {
    for item in &query.select {
        match item {
            Item::Value { value, .. } if value.is_aggregate() => return Err(refused("Aggregate functions")),
            Item::Value { .. } => {}
            Item::CountAll => return Err(refused("Aggregate functions")),
            Item::Fields { .. } => return Err(refused("The FIELDS function")),
            Item::TypeOf(_) => return Err(refused("TYPEOF")),
            Item::Children(_) => return Err(refused("Aggregate Relationships")),
        }
    }
    if query.group.is_some() {
        return Err(refused("GROUP BY"));
    }
    if query.offset.is_some() {
        return Err(refused("OFFSET"));
    }
    Ok(())
}

fn refused(what: &str) -> ApiError {
    ApiError::bad_request("API_ERROR", format!("{what} not supported in Bulk Query"))
}

/// A value as CSV has it: times end with Z there.
fn cell(kind: FieldType, value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if kind == FieldType::Datetime => text.replace("+0000", "Z"),
        Value::String(text) => text,
        other => other.to_string(),
    }
}
