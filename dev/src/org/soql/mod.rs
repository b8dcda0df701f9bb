//! SOQL: text to tokens (`lexer`), tokens to a query (`parser`, `conditions`), a query checked against the schema
//! (`prepare`, with `column`, `scalar`, `filter`, `aggregate`), and run over the store (`run`, and `table` for bulk jobs).
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
mod table;

use jiff::Timestamp;
use serde_json::Value;

use super::error::ApiResult;
use super::store::Store;

pub(crate) use fault::no_such_column;
pub(crate) use table::{Table, table};

/// What a query gives.
#[derive(Debug)]
pub(crate) enum QueryResult {
    /// `SELECT COUNT()`.
    Count(usize),
    /// Everything else.
    Records(Vec<Value>),
}

/// How a query is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) version: u32,
    /// What `TODAY` and its kin are seen from.
    pub(crate) now: Timestamp,
    /// Whether records in the recycle bin are seen too.
    pub(crate) deleted: bool,
}

fn context<'a>(store: &'a Store, text: &'a str, run: Run) -> column::Context<'a> {
    let Run { version, now, deleted } = run;
    column::Context { store, source: fault::Source { text }, version, now, deleted }
}

/// The plans for a query, which is checked but not run: those that an index allows, then the scan of the table.
pub(crate) fn explain(store: &Store, text: &str, run: Run) -> ApiResult<Value> {
    let query = parser::parse(text)?;
    Ok(prepare::query(context(store, text, run), &query)?.plans(store))
}

/// A quoted text: each character, and whether it was escaped.
pub type QuotedText = Vec<(char, bool)>;

/// A query as its reader sees it, with `?` for every quoted text, and these texts. For tests of those who write queries.
///
/// # Errors
/// Why it is not a query.
pub fn reading(text: &str) -> Result<(String, Vec<QuotedText>), String> {
    parser::parse(text).map_err(|error| error.summary())?;
    let tokens = lexer::tokens(fault::Source { text }).map_err(|error| error.summary())?;
    let (mut skeleton, mut texts) = (String::new(), Vec::new());
    for token in tokens {
        match token.kind {
            lexer::Kind::Text(text) => {
                skeleton.push_str("? ");
                texts.push(text.characters);
            }
            kind => skeleton.extend([format!("{kind:?}").as_str(), " "]),
        }
    }
    Ok((skeleton, texts))
}

/// Runs a query.
pub(crate) fn run(store: &Store, text: &str, run: Run) -> ApiResult<QueryResult> {
    let query = parser::parse(text)?;
    let context = context(store, text, run);
    let prepared = prepare::query(context, &query)?;
    if matches!(prepared.output, prepare::Output::Count) {
        let count = prepared.matching(context, None).len();
        return Ok(QueryResult::Count(
            count.saturating_sub(prepared.offset).min(prepared.limit.unwrap_or(usize::MAX)),
        ));
    }
    Ok(QueryResult::Records(prepared.records(context, None)))
}

/// Runs a query over these live rows alone, which a search has found; what is wrong with it is wrong with the search.
pub(crate) fn among(store: &Store, text: &str, run: Run, rows: Vec<usize>) -> ApiResult<Vec<Value>> {
    let found = || -> ApiResult<Vec<Value>> {
        let query = parser::parse(text)?;
        let context = context(store, text, run);
        Ok(prepare::query(context, &query)?.records(context, Some(rows)))
    };
    found().map_err(|error| match error.code() {
        "MALFORMED_QUERY" => error.renamed("MALFORMED_SEARCH"),
        _ => error,
    })
}
