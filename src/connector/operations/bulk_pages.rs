//! The rows of a bulk job, page after page, up to what may be handed over.

use std::collections::HashSet;

use serde_json::Value;

use super::{
    Call,
    bulk_rows::{Bounds, Table},
};
use crate::{
    connector::{Error, codes},
    salesforce::{BulkJob, BulkResult, Response},
};

/// What makes a value of a header and a row.
pub(super) type Reading = fn(&csv::StringRecord, &csv::StringRecord) -> Value;

/// Adds the rows that a job gives; what is beyond the bounds is left out, and no page is read for it. Gives the last
/// answer, whose body is in the rows.
pub(super) async fn read(
    call: &Call<'_>,
    (job, which): (&BulkJob, BulkResult),
    (rows, bounds): (&mut Table, Bounds),
    reading: Reading,
) -> Result<Response, Error> {
    let (mut locator, mut seen) = (None, HashSet::new());
    loop {
        let most_rows = bounds.rows.checked_sub(rows.rows.len()).filter(|_| bounds.rows < usize::MAX);
        // One more says whether there are more; only a query's results take it.
        let most_rows = most_rows.filter(|_| which == BulkResult::Query).map(|most| most + 1);
        let request = job.rows(which, (locator.as_deref(), most_rows), bounds.bytes.saturating_add(1));
        let mut page = call.send(&request).await?;
        let text = match page.body.take() {
            Value::String(text) => text,
            _ => String::new(),
        };
        let (before, text_was_cut) = (rows.rows.len(), text.len() > bounds.bytes);
        let added = rows.add((&text, text_was_cut), bounds, reading);
        added.map_err(|error| misfit(job, &page, &format!("CSV, and found {error}")))?;
        let told = page.header("sforce-numberofrecords").and_then(|count| count.parse().ok());
        let read = rows.rows.len() - before;
        if !rows.were_cut && told.is_some_and(|told: usize| told != read) {
            return Err(misfit(job, &page, &format!("{} rows, and found {read}", told.unwrap_or_default())));
        }
        locator = page.header("sforce-locator").filter(|locator| *locator != "null").map(str::to_owned);
        let Some(next) = &locator else { return Ok(page) };
        if rows.were_cut {
            return Ok(page);
        }
        // A place that comes again would be read for ever.
        if !seen.insert(next.clone()) {
            return Err(misfit(job, &page, "another place for each page, and found the same twice"));
        }
    }
}

fn misfit(job: &BulkJob, page: &Response, what: &str) -> Error {
    let message = format!("the rows of {job}: expected {what} (HTTP {})", page.status);
    Error::new(&codes::INVALID_RESPONSE, message).with_response(page.clone())
}
