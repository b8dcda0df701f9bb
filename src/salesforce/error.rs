//! What can go wrong between us and an org.

use std::time::Duration;

use super::CallClass;
use super::Response;
use super::codes;
use super::error_body;
use super::error_codes::{Meaning, meaning, meaning_of_status};
use super::retry::Failed;

/// A failed call: whose fault, may it be repeated, what is its stable code.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Salesforce's `errorCode` of the first error where there is one, else one of [`codes`].
    pub(crate) code: String,
    /// In words, without secrets and query strings; tells attempts where there was more than one.
    pub(crate) message: String,
    /// What it means for the job.
    pub(crate) class: ErrorClass,
    /// Every error that Salesforce named, normalised.
    pub(crate) errors: Vec<ErrorDetail>,
    /// The answer, where there was one.
    pub(crate) response: Option<Box<Response>>,
    /// When to come again: what Salesforce said, or a minute where it said nothing about a limit.
    pub(crate) retry_after: Option<Duration>,
    /// How long the org is left alone: the call was certainly not carried out, for a reason that is the org's.
    pub(crate) rest: Option<Duration>,
}

/// What an error means for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// Salesforce refused the data by a rule of the org: a process may want to catch it. Never repeated.
    Business,
    /// A mistake in the model, the permissions or the configuration. Never repeated.
    Permanent,
    /// Passes by itself: row locks, 5xx, lost connections of repeatable calls, refused connections.
    Transient,
    /// The org is over a limit or in maintenance: repeat, but slowly.
    Throttled,
    /// The credentials were not accepted.
    Authentication,
    /// A write that must not be repeated was sent and its answer was lost.
    OutcomeUnknown,
}

impl ErrorClass {
    /// The label of this class in metrics and logs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Business => "business",
            Self::Permanent => "permanent",
            Self::Transient => "transient",
            Self::Throttled => "throttled",
            Self::Authentication => "authentication",
            Self::OutcomeUnknown => "outcome_unknown",
        }
    }
}

/// One error as Salesforce names it.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorDetail {
    /// `errorCode` or `statusCode`; empty where Salesforce gave a text only.
    pub error_code: String,
    /// Salesforce's text.
    pub message: String,
    /// The fields it is about.
    pub fields: Vec<String>,
}

/// After a limit, where Salesforce does not say how long.
pub(super) const THROTTLED_PAUSE: Duration = Duration::from_mins(1);

/// More errors than these are counted in the message, not told.
const TOLD_ERRORS: usize = 5;

impl Error {
    pub(super) fn new(code: &str, class: ErrorClass, message: impl Into<String>) -> Self {
        let (code, message) = (code.to_owned(), message.into());
        Self { code, message, class, errors: Vec::new(), response: None, retry_after: None, rest: None }
    }

    /// The error that an answer is, and whether the call may be sent again in place.
    ///
    /// `call` says what was called, such as `GET /services/data/v67.0/query`.
    pub(super) fn from_answer(call: &str, class: CallClass, response: Response) -> Failed {
        let errors = error_body::details(&response.body);
        let status = response.status;
        let named = errors.first().filter(|first| !first.error_code.is_empty());
        let meaning = match named {
            Some(first) => meaning(&first.error_code, &first.message, status),
            None => meaning_of_status(status, false),
        };
        let (class, repeat) = meaning.judge(class);
        let code = match named {
            _ if class == ErrorClass::OutcomeUnknown => codes::OUTCOME_UNKNOWN.to_owned(),
            Some(first) => first.error_code.clone(),
            None => code_of_status(status),
        };
        let line = format!("{status} {}", response.reason);
        let mut message = format!("{call}: {}: {}", line.trim_end(), told(&errors, &response));
        if class == ErrorClass::OutcomeUnknown {
            message.push_str(OUTCOME_UNKNOWN_HINT);
        }
        let retry_after = super::retry::retry_after(&response)
            .or_else(|| (class == ErrorClass::Throttled).then_some(THROTTLED_PAUSE));
        let response = Some(Box::new(response));
        let error = Self { code, message, class, errors, response, retry_after, rest: None };
        Failed { error, repeat, may_be_done: matches!(meaning, Meaning::Unclear | Meaning::UnclearOnce) }
    }

    /// Salesforce's `errorCode` of the first error where there is one, else one of [`codes`].
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What it means for whoever asked.
    pub fn class(&self) -> ErrorClass {
        self.class
    }

    /// Every error that Salesforce named, normalised.
    pub fn errors(&self) -> &[ErrorDetail] {
        &self.errors
    }

    /// The answer, where there was one. A body that is not JSON is cut after 8 KiB.
    pub fn response(&self) -> Option<&Response> {
        self.response.as_deref()
    }

    /// When to come again: what Salesforce said, or a minute where it said nothing about a limit.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the call was not carried out because of how the org is, not because of what was asked, and how long to
    /// wait until it is asked again: nothing is wrong with the call, and it should not count as a failure.
    pub fn rest(&self) -> Option<Duration> {
        self.rest
    }
}

/// What to do about an outcome that is not known; said in each such message.
pub(super) const OUTCOME_UNKNOWN_HINT: &str = "; the write may have been carried out, so it was not repeated: look in \
                                               the org, and consider creating once by an external id (an upsert), which is safe to repeat";

fn code_of_status(status: u16) -> String {
    match status {
        300 => codes::MULTIPLE_CHOICES.to_owned(),
        304 => codes::NOT_MODIFIED.to_owned(),
        301 | 302 | 303 | 307 | 308 => codes::REDIRECT_NOT_FOLLOWED.to_owned(),
        // Said without a body where a record was changed since the given time.
        412 => "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE".to_owned(),
        414 | 431 => codes::REQUEST_TOO_LONG.to_owned(),
        _ => format!("HTTP_{status}"),
    }
}

fn told(errors: &[ErrorDetail], response: &Response) -> String {
    if errors.is_empty() {
        return told_without_errors(response);
    }
    let mut parts: Vec<String> = errors.iter().take(TOLD_ERRORS).map(told_detail).collect();
    if errors.len() > TOLD_ERRORS {
        parts.push(format!("and {} more", errors.len() - TOLD_ERRORS));
    }
    parts.join("; ")
}

fn told_detail(detail: &ErrorDetail) -> String {
    let message = error_body::shortened(&detail.message, 1_000);
    let mut text = match (detail.error_code.as_str(), message.as_str()) {
        ("", message) => message.to_owned(),
        (code, "") => code.to_owned(),
        (code, message) => format!("{code}: {message}"),
    };
    // Salesforce often names the fields in its text already.
    if detail.fields.iter().any(|field| !detail.message.contains(field.as_str())) {
        text = format!("{text} (fields: {})", detail.fields.join(", "));
    }
    text
}

fn told_without_errors(response: &Response) -> String {
    match response.status {
        300 => {
            let urls = response.body.as_array().map(Vec::as_slice).unwrap_or_default();
            let mut urls: Vec<&str> = urls.iter().filter_map(serde_json::Value::as_str).collect();
            let count = urls.len();
            urls.truncate(TOLD_ERRORS);
            format!("the external id names {count} records: {}", urls.join(", "))
        }
        304 => "not modified since the given time".to_owned(),
        412 => "the record was modified since the given time, and was not changed".to_owned(),
        301 | 302 | 303 | 307 | 308 => {
            let target = response.headers.get("location").and_then(serde_json::Value::as_str);
            let host = target.and_then(|target| url::Url::parse(target).ok());
            let host = host.as_ref().and_then(url::Url::host_str).unwrap_or("another address");
            format!("redirected to {host}; redirects are not followed, use the address of the org itself")
        }
        414 | 431 => {
            "address and headers exceed Salesforce's limit of 16,384 bytes; shorten the query".to_owned()
        }
        status => {
            let hint = match status {
                404 => "; is the base URL the address of an org?",
                410 => "; the API version or the resource is retired",
                _ => "",
            };
            format!("{}{hint}", error_body::describe(&response.body))
        }
    }
}
