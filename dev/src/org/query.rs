//! The `query` resources: first page, further pages.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::error::{ApiError, ApiResult, json_response};
use super::request::ApiRequest;
use super::server::Org;
use super::{ids, soql};

/// The bounds of `Sforce-Query-Options: batchSize=N`.
const BATCH_SIZE: std::ops::RangeInclusive<usize> = 200..=2000;
/// The oldest cursors give way to a new one beyond this many.
const CURSORS_KEPT: usize = 2000;
/// And beyond this many records in all of them, so that unfinished queries cannot fill the memory.
const RECORDS_KEPT: usize = 500_000;

/// Results of which the client has not seen everything.
#[derive(Debug, Default)]
pub(crate) struct Cursors {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    opened: u64,
    records: usize,
    cursors: VecDeque<(String, Arc<Vec<Value>>)>,
}

impl Cursors {
    fn open(&self, records: Arc<Vec<Value>>) -> String {
        let mut state = self.lock();
        state.opened += 1;
        let id = ids::generate("01g", state.opened);
        state.records += records.len();
        while state.cursors.len() >= CURSORS_KEPT || state.records > RECORDS_KEPT {
            let Some((_, oldest)) = state.cursors.pop_front() else { break };
            state.records -= oldest.len();
        }
        state.cursors.push_back((id.clone(), records));
        id
    }

    fn find(&self, id: &str) -> Option<Arc<Vec<Value>>> {
        self.lock().cursors.iter().find(|(own, _)| own == id).map(|(_, records)| Arc::clone(records))
    }

    /// Forgets all cursors.
    pub(crate) fn clear(&self) {
        let mut state = self.lock();
        state.cursors.clear();
        state.records = 0;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `query?q=` and `query?explain=`; `queryAll` sees what is deleted.
pub(crate) fn first_page(org: &Org, request: &ApiRequest, deleted: bool) -> ApiResult<Response> {
    let run = soql::Run { version: request.version, now: Timestamp::now(), deleted };
    if let Some(text) = request.parameter("explain") {
        let mut plans = soql::explain(&org.read(), text, run)?;
        plans["sourceQuery"] = text.into();
        return Ok(json_response(StatusCode::OK, &plans));
    }
    let text = request.parameter("q").filter(|text| !text.trim().is_empty());
    let text =
        text.ok_or_else(|| ApiError::bad_request("MALFORMED_QUERY", "A query string has to be specified"))?;
    let result = soql::run(&org.read(), text, run)?;
    Ok(match result {
        soql::QueryResult::Count(total) => json_response(
            StatusCode::OK,
            &serde_json::json!({ "totalSize": total, "done": true, "records": [] }),
        ),
        soql::QueryResult::Records(records) => answer(org, request, records),
    })
}

/// `query/<locator>`: the cursor's id, a hyphen, and how many records came before.
pub(crate) fn next_page(org: &Org, request: &ApiRequest, locator: &str) -> ApiResult<Response> {
    let invalid = || ApiError::bad_request("INVALID_QUERY_LOCATOR", "invalid query locator");
    let (id, offset) = locator.split_once('-').ok_or_else(invalid)?;
    let offset: usize = offset.parse().map_err(|_| invalid())?;
    let records = ids::normalize(id).and_then(|id| org.cursors.find(&id)).ok_or_else(invalid)?;
    if offset == 0 || offset >= records.len() {
        return Err(invalid());
    }
    Ok(json_response(StatusCode::OK, &page(org, request, &records, Some(id), offset)))
}

/// The first page of these records.
pub(crate) fn answer(org: &Org, request: &ApiRequest, records: Vec<Value>) -> Response {
    json_response(StatusCode::OK, &page(org, request, &Arc::new(records), None, 0))
}

fn batch_size(org: &Org, request: &ApiRequest) -> usize {
    let asked =
        request.setting("sforce-query-options", "batchSize").and_then(|text| text.parse::<usize>().ok());
    asked
        .map_or(*BATCH_SIZE.end(), |asked| asked.clamp(*BATCH_SIZE.start(), *BATCH_SIZE.end()))
        .min(org.page_size)
}

fn page(
    org: &Org,
    request: &ApiRequest,
    records: &Arc<Vec<Value>>,
    cursor: Option<&str>,
    offset: usize,
) -> Value {
    let end = records.len().min(offset + batch_size(org, request));
    let shown = records[offset..end].iter().map(|record| with_child_pages(org, request, record)).collect();
    let mut result = Map::new();
    result.insert("totalSize".into(), records.len().into());
    result.insert("done".into(), (end == records.len()).into());
    if end < records.len() {
        let id = cursor.map_or_else(|| org.cursors.open(Arc::clone(records)), str::to_owned);
        result.insert("nextRecordsUrl".into(), request.url(&format!("query/{id}-{end}")).into());
    }
    result.insert("records".into(), Value::Array(shown));
    Value::Object(result)
}

/// Children have pages of their own.
fn with_child_pages(org: &Org, request: &ApiRequest, record: &Value) -> Value {
    let Value::Object(members) = record else { return record.clone() };
    let members = members.iter().map(|(name, value)| {
        let children =
            value.get("records").and_then(Value::as_array).filter(|_| value.get("totalSize").is_some());
        let value = match children {
            Some(children) if children.len() > batch_size(org, request) => {
                page(org, request, &Arc::new(children.clone()), None, 0)
            }
            _ => value.clone(),
        };
        (name.clone(), value)
    });
    Value::Object(members.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(count: usize) -> Arc<Vec<Value>> {
        Arc::new(vec![Value::Null; count])
    }

    #[test]
    fn the_oldest_cursors_give_way() {
        let cursors = Cursors::default();
        let first = cursors.open(records(RECORDS_KEPT / 2));
        let second = cursors.open(records(RECORDS_KEPT / 2));
        assert!(cursors.find(&first).is_some());
        let third = cursors.open(records(1));
        assert!(
            cursors.find(&first).is_none()
                && cursors.find(&second).is_some()
                && cursors.find(&third).is_some()
        );
        for _ in 1..CURSORS_KEPT {
            cursors.open(records(1));
        }
        assert!(cursors.find(&second).is_none() && cursors.find(&third).is_some());
        cursors.clear();
        assert!(cursors.find(&third).is_none());
    }
}
