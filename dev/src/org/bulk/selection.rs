//! The work of a query job: the query, and what it found.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::dialect::Dialect;
use super::job::{State, Work};
use crate::org::error::ApiResult;
use crate::org::server::Org;
use crate::org::soql::{self, Run, Table};
use crate::org::store::Store;

/// A query, and what it found once it has run.
#[derive(Debug)]
pub(super) struct Selection {
    query: String,
    version: u32,
    deleted: bool,
    found: Option<Table>,
}

impl Selection {
    /// A query that can run, and the index of its object.
    pub(super) fn new(store: &Store, query: &str, version: u32, deleted: bool) -> ApiResult<(Self, usize)> {
        let selection = Self { query: query.to_owned(), version, deleted, found: None };
        let object = soql::table(store, query, selection.run())?.object;
        Ok((selection, object))
    }

    fn run(&self) -> Run {
        Run { version: self.version, now: Timestamp::now(), deleted: self.deleted }
    }

    /// A page of the result: its CSV, how many records it holds, and where the next one begins.
    pub(super) fn page(
        &self,
        dialect: Dialect,
        start: usize,
        most: usize,
    ) -> (Vec<u8>, usize, Option<usize>) {
        let (columns, rows) =
            self.found.as_ref().map_or((&[][..], &[][..]), |found| (&found.columns, &found.rows));
        let end = rows.len().min(start.saturating_add(most));
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        let mut writer = dialect.writer(&names, &[]);
        let page = rows.get(start..end).unwrap_or_default();
        for row in page {
            writer.row(row.iter().map(String::as_bytes));
        }
        (writer.finish(), page.len(), (end < rows.len()).then_some(end))
    }

    fn count(&self) -> usize {
        self.found.as_ref().map_or(0, |found| found.rows.len())
    }
}

impl Work for Selection {
    const JOB_TYPE: &'static str = "V2Query";
    const RESOURCE: &'static str = "query";
    const FIRST: State = State::UploadComplete;

    fn begin(&mut self, _org: &Org, _dialect: Dialect) -> Result<(), String> {
        Ok(())
    }

    fn go_on(&mut self, org: &Org, _dialect: Dialect, _batch: usize) -> Result<bool, String> {
        let found = soql::table(&org.read(), &self.query, self.run());
        self.found = Some(found.map_err(|error| error.summary())?);
        Ok(true)
    }

    fn measure(&self, info: &mut Map<String, Value>) {
        info.insert("numberRecordsProcessed".into(), json!(self.count()));
        info.insert("isPkChunkingSupported".into(), json!(false));
    }
}
