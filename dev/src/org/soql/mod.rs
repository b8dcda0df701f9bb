//! SOQL.

use jiff::Timestamp;
use serde_json::Value;

use super::error::{ApiError, ApiResult};
use super::store::Store;

/// What a query gives.
#[derive(Debug)]
pub(crate) enum QueryResult {
    /// `SELECT COUNT()`.
    Count(usize),
    /// Everything else.
    Records(Vec<Value>),
}

/// The text that Salesforce adds to an unknown field's name.
pub(crate) fn no_such_column(field: &str, object: &str) -> String {
    format!(
        "No such column '{field}' on entity '{object}'. If you are attempting to use a custom field, be sure to append \
         the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
    )
}

pub(crate) fn run(_store: &Store, _text: &str, _version: u32, _now: Timestamp) -> ApiResult<QueryResult> {
    Err(ApiError::resource_not_found())
}
