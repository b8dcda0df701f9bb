//! `/composite/batch`: requests that have nothing to do with each other; what was done stays done.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::sub_request::{self, Answer};
use super::{flag, list};
use crate::org::error::{ApiError, ApiResult, json_response};
use crate::org::request::ApiRequest;
use crate::org::server::Org;

const MOST_SUB_REQUESTS: usize = 25;

/// Handles `POST /composite/batch`.
pub(super) fn route(org: &Org, request: &ApiRequest) -> ApiResult<Response> {
    let (_, body) = request.json()?;
    let subs = list(&body, "batchRequests", MOST_SUB_REQUESTS)?;
    for sub in subs {
        sub_request::check(sub)?;
        if below_data(sub).is_none() {
            let message = "The url of a subrequest must start with a version";
            return Err(ApiError::bad_request("INVALID_INPUT", message));
        }
    }
    let (halts, mut has_errors, mut results) = (flag(&body, "haltOnError"), false, Vec::new());
    for sub in subs {
        let answer = if halts && has_errors {
            let message = "A previous request in the batch was not successful";
            Answer::halted(StatusCode::PRECONDITION_FAILED, "BATCH_PROCESSING_HALTED", message)
        } else {
            // Each counts against the limit of the day, beside the call itself.
            org.log.count(|counters| counters.api_requests += 1);
            sub_request::carry_out(org, sub, below_data(sub).unwrap_or_default(), sub.get("richInput"))
        };
        has_errors |= answer.status.as_u16() >= 400;
        results.push(json!({ "statusCode": answer.status.as_u16(), "result": answer.body }));
    }
    Ok(json_response(StatusCode::OK, &json!({ "hasErrors": has_errors, "results": results })))
}

/// With or without what stands before the version.
fn below_data(sub: &Value) -> Option<&str> {
    let url = sub["url"].as_str()?;
    let url = url.strip_prefix("/services/data").unwrap_or(url).trim_start_matches('/');
    url.starts_with(['v', 'V']).then_some(url)
}
