//! `/composite`: one request after the other, each with the answers of those before it.

use std::collections::HashSet;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::references::Answers;
use super::sub_request::{self, Answer};
use super::{flag, list, text};
use crate::org::error::{ApiError, ApiResult, json_response};
use crate::org::request::ApiRequest;
use crate::org::server::Org;

const MOST_SUB_REQUESTS: usize = 25;
const MOST_QUERIES: usize = 5;

const ROLLED_BACK: &str =
    "The transaction was rolled back since another operation in the same transaction failed.";

/// What became of a list of sub-requests.
pub(super) struct Outcome {
    /// As `compositeResponse` shows them.
    pub(super) answers: Vec<Value>,
    pub(super) is_successful: bool,
}

/// Handles `POST /composite`.
pub(super) fn route(org: &Org, request: &ApiRequest) -> ApiResult<Response> {
    let (_, body) = request.json()?;
    let subs = list(&body, "compositeRequest", MOST_SUB_REQUESTS)?;
    check(subs)?;
    let is_query = |sub: &&Value| sub["url"].as_str().and_then(below_data).is_some_and(sub_request::is_query);
    if subs.iter().filter(is_query).count() > MOST_QUERIES {
        let message = "At most 5 of the subrequests may be queries or sObject collections";
        return Err(ApiError::bad_request("LIMIT_EXCEEDED", message));
    }
    let answers = carry_out(org, subs, flag(&body, "allOrNone")).answers;
    Ok(json_response(StatusCode::OK, &json!({ "compositeResponse": answers })))
}

/// Refuses what makes the whole call wrong.
pub(super) fn check(subs: &[Value]) -> ApiResult<()> {
    let mut names = HashSet::new();
    for sub in subs {
        sub_request::check(sub)?;
        let name = text(sub, "referenceId")?;
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') || name.starts_with('_') {
            let message = format!("Invalid reference ID: {name}");
            return Err(ApiError::bad_request("INVALID_INPUT", message));
        }
        if !names.insert(name) {
            return Err(ApiError::bad_request("INVALID_INPUT", format!("Duplicate referenceId: {name}")));
        }
        if below_data(text(sub, "url")?).is_none() {
            let message = "The url of a subrequest must start with /services/data/";
            return Err(ApiError::bad_request("INVALID_INPUT", message));
        }
    }
    Ok(())
}

fn below_data(url: &str) -> Option<&str> {
    url.strip_prefix("/services/data/")
}

/// Carries them out in their order. One that takes something from a failed one is not carried out; with
/// `all_or_none`, nothing stays of them after a failure.
pub(super) fn carry_out(org: &Org, subs: &[Value], all_or_none: bool) -> Outcome {
    let before = org.read().tables.clone();
    let halted = |message: &str| Answer::halted(StatusCode::BAD_REQUEST, "PROCESSING_HALTED", message);
    let (mut known, mut answers, mut culprit) = (Answers::default(), Vec::new(), None);
    for (index, sub) in subs.iter().enumerate() {
        if all_or_none && culprit.is_some() {
            answers.push(halted(ROLLED_BACK));
            continue;
        }
        let answer = match (known.filled_text(&sub["url"]), known.filled(&sub["body"])) {
            (Ok(url), Ok(body)) => {
                let body = sub.get("body").map(|_| &body);
                sub_request::carry_out(org, sub, below_data(&url).unwrap_or_default(), body)
            }
            (Err(message), _) | (_, Err(message)) => halted(&message),
        };
        if answer.has_failed() {
            culprit.get_or_insert(index);
        } else {
            known.add(sub["referenceId"].as_str().unwrap_or_default(), &answer.body);
        }
        answers.push(answer);
    }
    if let Some(culprit) = culprit.filter(|_| all_or_none) {
        org.write().tables = before;
        for (_, answer) in answers.iter_mut().enumerate().filter(|(index, _)| *index != culprit) {
            *answer = halted(ROLLED_BACK);
        }
    }
    let shown = answers.into_iter().zip(subs).map(|(answer, sub)| {
        json!({ "body": answer.body, "httpHeaders": answer.headers,
            "httpStatusCode": answer.status.as_u16(), "referenceId": sub["referenceId"] })
    });
    Outcome { answers: shown.collect(), is_successful: culprit.is_none() }
}
