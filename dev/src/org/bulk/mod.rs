//! Bulk API 2.0: jobs that take in or give out many records as CSV.
//!
//! A job gets on while nobody looks: before each request, and each look of a test, all steps are taken that are due by
//! then (`jobs`). Source: Bulk API 2.0 Developer Guide, and messages that users of Salesforce have reported.
//! Differences on purpose: a job's data may be looked at as soon as it is processed, and processing times are not told.

mod dialect;
mod ingest;
mod job;
mod jobs;
mod query;
mod row;
mod selection;
mod upload;

use axum::response::Response;

use super::error::{ApiError, ApiResult};
use super::request::ApiRequest;
use super::server::Org;

pub use jobs::BulkJobs;
pub(crate) use jobs::Jobs;

/// The most rows that Salesforce puts into one batch.
pub const BATCH: usize = 10_000;
/// Salesforce takes 150 MB an upload, counted as base64.
pub(crate) const UPLOAD_LIMIT: usize = 150_000_000 / 4 * 3;

/// Handles everything below `/jobs`.
pub(crate) fn route(org: &Org, request: &ApiRequest) -> ApiResult<Response> {
    match request.path.get(1).map(|part| part.to_ascii_lowercase()).as_deref() {
        Some("ingest") => ingest::route(org, request),
        Some("query") => query::route(org, request),
        _ => Err(ApiError::resource_not_found()),
    }
}
