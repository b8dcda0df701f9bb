//! SOQL: text to tokens (`lexer`), tokens to a query (`parser`, `conditions`), a query checked against the schema
//! (`prepare`, with `column`, `scalar`, `filter`, `aggregate`), and run over the store (`run`).
//!
//! Source: SOQL and SOSL Reference. Differences on purpose: the org's time zone is UTC, its currency is one, and
//! `WITH`, `FOR` and `UPDATE` clauses are read without effect.

mod aggregate;
mod ast;
mod column;
mod conditions;
#[cfg(test)]
mod conformance;
mod dates;
mod fault;
mod filter;
mod lexer;
mod parser;
mod prepare;
mod run;
mod scalar;

use jiff::Timestamp;
use serde_json::Value;

use super::error::ApiResult;
use super::store::Store;

pub(crate) use fault::no_such_column;

/// What a query gives.
#[derive(Debug)]
pub(crate) enum QueryResult {
    /// `SELECT COUNT()`.
    Count(usize),
    /// Everything else.
    Records(Vec<Value>),
}

/// Runs a query; `now` is what `TODAY` and its kin are seen from.
pub(crate) fn run(store: &Store, text: &str, version: u32, now: Timestamp) -> ApiResult<QueryResult> {
    let query = parser::parse(text)?;
    let context = column::Context { store, source: fault::Source { text }, version, now };
    let prepared = prepare::query(context, &query)?;
    if matches!(prepared.output, prepare::Output::Count) {
        let count = prepared.matching(context, None).len();
        return Ok(QueryResult::Count(
            count.saturating_sub(prepared.offset).min(prepared.limit.unwrap_or(usize::MAX)),
        ));
    }
    Ok(QueryResult::Records(prepared.records(context, None)))
}
