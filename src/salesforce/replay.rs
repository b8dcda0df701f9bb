//! What a refusal means to a call that was sent again, after one that may have worked.

use reqwest::Method;
use serde_json::Value;

use super::error::Error;
use super::{Path, Request, Response};

/// The answer where what was asked for is done; else the error, which says where it may come from the call before.
pub(super) fn judged(request: &Request, mut error: Error) -> Result<Response, Error> {
    if is_already_deleted(request, &error) {
        let headers = error.response.map(|response| response.headers).unwrap_or_default();
        return Ok(Response { status: 204, reason: "No Content".to_owned(), headers, body: Value::Null });
    }
    if error.response.as_ref().is_some_and(|response| response.status == 412) {
        error
            .message
            .push_str("; the answer to an earlier attempt was lost, which may have made the change itself");
    }
    Err(error)
}

/// The record is in the recycle bin: that is what was asked. By an external id, a deleted record is not found at all.
fn is_already_deleted(request: &Request, error: &Error) -> bool {
    let by_key = matches!(&request.path, Path::Versioned(path) if path.matches('/').count() == 4);
    request.method == Method::DELETE
        && (error.code() == "ENTITY_IS_DELETED" || by_key && error.code() == "NOT_FOUND")
}
