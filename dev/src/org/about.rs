//! What became of the org's records: used lately, changed or deleted since.
//!
//! Source: REST API guide, "Get Recently Viewed Items", "Get Updated", "Get Deleted". Differences on purpose: whatever is
//! read by its id or saved over REST counts as used.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::error::{ApiError, ApiResult, json_response};
use super::request::ApiRequest;
use super::server::Org;
use super::store::{Record, Store};
use super::{datetime, rest};

/// So many records are remembered as used.
const MOST_RECENT: usize = 200;
/// How far back changes are told.
const TOLD: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long a record stays in the recycle bin.
const KEPT_DELETED: SignedDuration = SignedDuration::from_hours(15 * 24);

/// The ids of the records that were used, the last one first.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    ids: Mutex<VecDeque<String>>,
}

impl Recent {
    /// Notes that a record was used.
    pub(crate) fn note(&self, id: &str) {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.retain(|own| own != id);
        ids.push_front(id.to_owned());
        ids.truncate(MOST_RECENT);
    }

    fn ids(&self) -> Vec<String> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// `GET recent?limit=`.
pub(crate) fn recent(org: &Org, request: &ApiRequest) -> Response {
    let limit = request.parameter("limit").and_then(|text| text.parse().ok()).unwrap_or(MOST_RECENT);
    let mut items = recent_items(&org.read(), request, None);
    items.truncate(limit);
    json_response(StatusCode::OK, &Value::Array(items))
}

/// The records that were used, of one object or of all; what was deleted since is left out.
pub(crate) fn recent_items(store: &Store, request: &ApiRequest, object: Option<usize>) -> Vec<Value> {
    let ids = store.recent.ids();
    let found = ids.iter().filter_map(|id| store.find(id)).filter(|(_, record)| !record.deleted);
    let wanted = found.filter(|(own, _)| object.is_none_or(|object| object == *own));
    let shown = wanted.map(|(object, record)| {
        let definition = store.object(object);
        let fields = definition.fields.iter().enumerate();
        let named =
            fields.filter(|(_, field)| field.name == "Id" || field.name_field).map(|(index, _)| index);
        rest::with_attributes(store, request.version, object, record, &named.collect::<Vec<_>>())
    });
    shown.collect()
}

/// `GET sobjects/X/updated?start=&end=` and `GET sobjects/X/deleted?start=&end=`.
pub(crate) fn changed(org: &Org, request: &ApiRequest, object: usize, deleted: bool) -> ApiResult<Response> {
    let now = Timestamp::now();
    let (start, end) = period(request, now)?;
    let store = org.read();
    let stamp = store.object(object).index_of("SystemModstamp");
    let changed_at = |record: &Record| datetime::parse(record.values[stamp?].as_str()?);
    let records = store.tables[object].records.iter().filter(|record| record.deleted == deleted);
    let changed = records.filter_map(|record| {
        let at = changed_at(record).filter(|at| (start..end).contains(at))?;
        let told = json!({ "deletedDate": datetime::format(at), "id": record.id });
        Some(if deleted { told } else { Value::String(record.id.clone()) })
    });
    let changed: Vec<Value> = changed.collect();
    let covered = datetime::format(end.min(minute(now)));
    let body = if deleted {
        json!({ "deletedRecords": changed, "earliestDateAvailable": datetime::format(minute(now - KEPT_DELETED)),
            "latestDateCovered": covered })
    } else {
        json!({ "ids": changed, "latestDateCovered": covered })
    };
    Ok(json_response(StatusCode::OK, &body))
}

/// From when to when, in whole minutes.
fn period(request: &ApiRequest, now: Timestamp) -> ApiResult<(Timestamp, Timestamp)> {
    let invalid = |message: String| ApiError::bad_request("INVALID_REPLICATION_DATE", message);
    let bound = |name: &str| {
        let text = request.parameter(name).filter(|text| !text.is_empty()).ok_or_else(|| {
            ApiError::bad_request("MISSING_ARGUMENT", format!("required parameter {name} is missing"))
        })?;
        let moment = datetime::parse(text)
            .ok_or_else(|| invalid(format!("{name} is not a valid dateTime: {text}")))?;
        Ok::<_, ApiError>(minute(moment))
    };
    let (start, end) = (bound("start")?, bound("end")?);
    if start >= end {
        return Err(invalid("startDate must precede endDate by at least one minute".to_owned()));
    }
    if start < minute(now - TOLD) {
        return Err(invalid("startDate cannot be more than 30 days ago".to_owned()));
    }
    Ok((start, end))
}

/// Salesforce does not look at seconds.
fn minute(moment: Timestamp) -> Timestamp {
    let seconds = moment.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(60)).unwrap_or(moment)
}
