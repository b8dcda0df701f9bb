//! What became of each request inside a request, and when that is an error.

use serde_json::Value;

use super::{
    list_account::{all_pass, detail, is_consequence},
    list_input::FailOn,
};
use crate::{
    connector::{Error, codes},
    salesforce::{CallClass, ErrorDetail, Response, SubRequest},
};

/// What one sub-request was answered.
#[derive(Debug)]
pub(super) struct SubAnswer<'a> {
    /// The sub-request's name for people.
    pub(super) name: String,
    /// Whether a success has changed something.
    pub(super) is_write: bool,
    pub(super) status: u64,
    pub(super) body: &'a Value,
}

impl<'a> SubAnswer<'a> {
    /// Pairs the answers with what was asked; `None` where they do not fit. `members`: where status and body stand.
    pub(super) fn all(
        subs: &[SubRequest],
        answers: &'a Value,
        (status, body): (&str, &str),
    ) -> Option<Vec<Self>> {
        let answers = answers.as_array().filter(|answers| answers.len() == subs.len())?;
        let pair = |(answer, sub): (&'a Value, &SubRequest)| {
            let (status, body) = (answer[status].as_u64()?, &answer[body]);
            Some(Self { name: sub.reference_id.clone(), is_write: !sub.is_read(), status, body })
        };
        answers.iter().zip(subs).map(pair).collect()
    }

    /// Also where a list of records in it has refusals, which Salesforce answers with 200.
    fn has_failed(&self) -> bool {
        let is_refused = |item: &Value| item["success"] == false;
        (self.status >= 300 && self.status != 304)
            || self.body.as_array().is_some_and(|items| items.iter().any(is_refused))
    }

    fn details(&self) -> Vec<ErrorDetail> {
        let items = self.body.as_array().map(Vec::as_slice).unwrap_or_default();
        let of_item = |item: &Value| match item["errors"].as_array() {
            Some(errors) => errors.iter().map(detail).collect(),
            None => vec![detail(item)],
        };
        let mut details: Vec<_> =
            items.iter().flat_map(of_item).filter(|detail| !detail.error_code.is_empty()).collect();
        if details.is_empty() {
            let message = match self.status {
                300 => "several records have this external id",
                412 => "the record was modified, or another condition is not met",
                _ => "Salesforce names no reason",
            };
            let error_code = format!("HTTP_{}", self.status);
            details.push(ErrorDetail { error_code, message: message.to_owned(), fields: Vec::new() });
        }
        details
    }
}

/// The causes before what only follows from them.
fn rank(detail: &ErrorDetail) -> (bool, bool) {
    (is_consequence(detail), detail.message.contains("rolled back"))
}

/// Judges the answers by `failOn`.
///
/// # Errors
/// `RECORDS_FAILED`, with each refusal and the place of its sub-request, what really failed first.
pub(super) fn judge(
    answers: &[SubAnswer<'_>],
    response: &Response,
    fail_on: FailOn,
    class: CallClass,
) -> Result<(), Error> {
    let failed: Vec<_> = answers.iter().enumerate().filter(|(_, answer)| answer.has_failed()).collect();
    let succeeded = answers.len() - failed.len();
    if !fail_on.is_error(failed.len(), succeeded) {
        return Ok(());
    }
    let mut refusals: Vec<_> = failed
        .iter()
        .flat_map(|(index, answer)| answer.details().into_iter().map(|detail| (*index, detail)))
        .collect();
    refusals.sort_by_key(|(_, detail)| rank(detail));
    let mut message = format!(
        "{} of {} sub-requests failed, {succeeded} are done (failOn: {})",
        failed.len(),
        answers.len(),
        fail_on.name()
    );
    if let Some((index, first)) = refusals.first() {
        let name = &answers[*index].name;
        message = format!("{message}; sub-request {index} ({name}): {}: {}", first.error_code, first.message);
    }
    let has_written = answers.iter().any(|answer| answer.is_write && !answer.has_failed());
    let is_partly_done = class == CallClass::UnsafeWrite && has_written;
    let passes = !is_partly_done && all_pass(&refusals);
    let error = Error::new(&codes::RECORDS_FAILED, message).with_response(response.clone());
    let error = error.with_places(refusals);
    Err(match (passes, is_partly_done) {
        (true, _) => error.passing(),
        (false, true) => error.after_writing(),
        (false, false) => error,
    })
}

/// An answer that does not fit what was asked: what became of it is not known.
pub(super) fn misfit(response: &Response, class: CallClass) -> Error {
    let message =
        format!("expected an answer to each sub-request, found something else (HTTP {})", response.status);
    let error = Error::new(&codes::INVALID_RESPONSE, message).with_response(response.clone());
    if class == CallClass::UnsafeWrite { error.after_writing() } else { error }
}
