//! What can go wrong with a job: one type, whatever the cause, with a stable code.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{
    INPUT_VARIABLE,
    codes::{self, Code, ErrorType},
    duplicates,
    input::InvalidInput,
    request::Connection,
};
use crate::salesforce::{self, ErrorClass, ErrorDetail, Response};

/// Why a job could not be carried out.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    code: String,
    message: String,
    kind: ErrorType,
    /// Each with where in the task's list it belongs, if there is one.
    errors: Vec<(Option<usize>, ErrorDetail)>,
    has_written: bool,
    response: Option<Box<Response>>,
    /// Apart, so that a result that may be an error stays small.
    next: Box<Next>,
}

/// What is known about the job's next try.
#[derive(Clone, Debug, Default)]
struct Next {
    retry_after: Option<Duration>,
    rest: Option<Duration>,
    note: Option<Value>,
}

impl Error {
    /// A failure of our own.
    pub(super) fn new(code: &'static Code, message: impl Into<String>) -> Self {
        Self {
            code: code.name.to_owned(),
            message: message.into(),
            kind: code.error_type,
            errors: Vec::new(),
            has_written: false,
            response: None,
            next: Box::default(),
        }
    }

    /// What Salesforce refused, in an answer that may say success as a whole; `otherwise` where it names no code.
    pub(super) fn refused(
        otherwise: &'static Code,
        errors: Vec<ErrorDetail>,
        message: impl Into<String>,
    ) -> Self {
        let mut error = Self::new(otherwise, message);
        if let Some(first) = errors.first().filter(|first| !first.error_code.is_empty()) {
            error.code.clone_from(&first.error_code);
        }
        error.with_details(errors)
    }

    /// The same failure, with what the job is told for its next try.
    pub(super) fn noting(mut self, note: Value) -> Self {
        self.next.note = Some(note);
        self
    }

    /// What the job is told for its next try: null for nothing any more.
    pub(super) fn note(&self) -> Option<&Value> {
        self.next.note.as_ref()
    }

    /// The same failure, with where it happened in front.
    pub(super) fn at(self, place: &str) -> Self {
        self.map_message(|message| format!("{place}: {message}"))
    }

    /// The same failure in other words.
    pub(super) fn map_message(mut self, reword: impl FnOnce(String) -> String) -> Self {
        self.message = reword(self.message);
        self
    }

    /// A version that the org does not have, with where it was set in front.
    pub(super) fn of_version(self, connection: &Connection, is_of_task: bool) -> Self {
        if self.code != codes::UNSUPPORTED_API_VERSION.name {
            return self;
        }
        match connection {
            _ if is_of_task => self.at(&format!("{INPUT_VARIABLE}.apiVersion")),
            Connection::Named(name) => self.at(&format!("connections.{}.api_version", name.0)),
            Connection::Inline { .. } => self.map_message(|message| {
                format!("{message}; set {INPUT_VARIABLE}.apiVersion, which has a default")
            }),
        }
    }

    /// The same failure, with an answer that shall not be lost.
    pub(super) fn with_response(mut self, response: Response) -> Self {
        self.response = Some(Box::new(response));
        self
    }

    /// The same failure, with what went wrong at which places of the task's list, counted from 0.
    pub(super) fn with_places(mut self, errors: impl IntoIterator<Item = (usize, ErrorDetail)>) -> Self {
        self.errors = errors.into_iter().map(|(place, detail)| (Some(place), detail)).collect();
        self
    }

    /// The same failure, with what went wrong in it.
    pub(super) fn with_details(mut self, errors: impl IntoIterator<Item = ErrorDetail>) -> Self {
        self.errors = errors.into_iter().map(|detail| (None, detail)).collect();
        self
    }

    /// The same failure of an operation that has done a part of its work before: its job must not be sent again as a
    /// whole, whatever an expression says.
    pub(super) fn after_writing(mut self) -> Self {
        self.has_written = true;
        (self.next.retry_after, self.next.rest) = (None, None);
        self
    }

    /// The same failure of a job that rests so long and then comes again with unchanged retries.
    pub(super) fn parked(mut self, rest: Duration) -> Self {
        self.next.rest = Some(rest);
        self
    }

    /// The same failure as one that passes by itself.
    pub(super) fn passing(mut self) -> Self {
        self.kind = ErrorType::Transient;
        self
    }

    /// Whether a part of the operation is done, which another try would do a second time.
    pub(super) fn has_written(&self) -> bool {
        self.has_written
    }

    /// The same for the client, which hands it back as it is when a guard of ours refuses to send.
    pub(super) fn for_client(self) -> salesforce::Error {
        salesforce::Error {
            code: self.code,
            message: self.message,
            class: ErrorClass::Transient,
            errors: Vec::new(),
            response: None,
            retry_after: None,
            rest: self.next.rest,
        }
    }

    /// Salesforce's `errorCode` of the first error where there is one, else one of [`CODES`](super::CODES).
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What kind of failure it is.
    pub fn error_type(&self) -> ErrorType {
        self.kind
    }

    /// The answer, where there was one.
    pub fn response(&self) -> Option<&Response> {
        self.response.as_deref()
    }

    /// What Salesforce said about when to come again.
    pub fn retry_after(&self) -> Option<Duration> {
        self.next.retry_after
    }

    /// How long the job rests and then comes again with unchanged retries: its org is left alone for now or the gateway is in
    /// trouble, and nothing was done by the call that failed; or it waits for what goes on in the org. Without a
    /// [note](Self::note) it begins anew, which an operation of several calls that has written must not let happen.
    pub fn parks(&self) -> Option<Duration> {
        self.next.rest
    }

    /// Its code, then those of all errors that Salesforce named.
    pub(super) fn codes(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.code.as_str())
            .chain(self.errors.iter().map(|(_, error)| error.error_code.as_str()))
    }

    /// What to do about it.
    pub(super) fn advice(&self) -> &'static str {
        codes::find(&self.code)
            .filter(|code| code.error_type == self.kind)
            .map_or(self.kind.advice(), |code| code.advice)
    }

    /// The variable `error`, as expressions, boundary events and the job see it.
    pub(super) fn variable(&self) -> Value {
        let errors = self.errors.iter().map(|(place, error)| detail(error, *place)).collect();
        let mut error = Map::new();
        error.insert("code".to_owned(), json!(self.code));
        error.insert("message".to_owned(), json!(self.message));
        error.insert("type".to_owned(), json!(self.kind.name()));
        let mut variables = Map::new();
        if let Some(response) = &self.response {
            error.insert("status".to_owned(), json!(response.status));
            let Response { status, headers, body, .. } = &**response;
            variables
                .insert("response".to_owned(), json!({"status": status, "headers": headers, "body": body}));
        }
        error.insert("errors".to_owned(), Value::Array(errors));
        if self.codes().any(|code| code == "DUPLICATES_DETECTED") {
            let body = self.response.as_ref().map_or(&Value::Null, |response| &response.body);
            error.insert("duplicates".to_owned(), duplicates::told(body));
        }
        error.insert("variables".to_owned(), Value::Object(variables));
        Value::Object(error)
    }
}

fn detail(error: &ErrorDetail, place: Option<usize>) -> Value {
    let mut detail = json!({"errorCode": error.error_code, "message": error.message, "fields": error.fields});
    if let (Some(place), Some(members)) = (place, detail.as_object_mut()) {
        members.insert("index".to_owned(), json!(place));
    }
    detail
}

impl From<InvalidInput> for Error {
    fn from(mistake: InvalidInput) -> Self {
        Self::new(&codes::INVALID_INPUT, mistake.to_string())
    }
}

impl From<salesforce::Error> for Error {
    fn from(error: salesforce::Error) -> Self {
        let kind = match error.class() {
            ErrorClass::Business => ErrorType::Business,
            // What the client refuses by itself is a matter of configuration.
            ErrorClass::Permanent => {
                codes::find(error.code()).map_or(ErrorType::Permanent, |code| code.error_type)
            }
            ErrorClass::Transient => ErrorType::Transient,
            ErrorClass::Throttled => ErrorType::Throttled,
            ErrorClass::Authentication => ErrorType::Authentication,
            ErrorClass::OutcomeUnknown => ErrorType::OutcomeUnknown,
        };
        Self {
            code: error.code().to_owned(),
            message: error.to_string(),
            kind,
            errors: error.errors().iter().map(|detail| (None, detail.clone())).collect(),
            has_written: false,
            response: error.response().cloned().map(Box::new),
            next: Box::new(Next { retry_after: error.retry_after(), rest: error.rest(), note: None }),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An error as Salesforce's client makes them.
    pub(in crate::connector) fn refused(code: &str, class: ErrorClass, status: u16, body: Value) -> Error {
        let errors = body.as_array().cloned().unwrap_or_default();
        let text = |error: &Value, name: &str| error[name].as_str().unwrap_or_default().to_owned();
        Error::from(salesforce::Error {
            code: code.to_owned(),
            message: format!("{code}: refused"),
            class,
            errors: errors
                .iter()
                .map(|error| ErrorDetail {
                    error_code: text(error, "errorCode"),
                    message: text(error, "message"),
                    fields: Vec::new(),
                })
                .collect(),
            response: Some(Box::new(Response { status, reason: String::new(), headers: Map::new(), body })),
            retry_after: None,
            rest: None,
        })
    }

    #[test]
    fn the_error_variable_has_the_documented_shape() {
        let body =
            json!([{"errorCode": "DUPLICATE_VALUE", "message": "duplicate value found", "fields": []}]);
        let error = refused("DUPLICATE_VALUE", ErrorClass::Business, 400, body.clone());
        assert_eq!(
            error.variable(),
            json!({
                "code": "DUPLICATE_VALUE",
                "message": "DUPLICATE_VALUE: refused",
                "type": "business",
                "status": 400,
                "errors": [{"errorCode": "DUPLICATE_VALUE", "message": "duplicate value found", "fields": []}],
                "variables": {"response": {"status": 400, "headers": {}, "body": body}},
            })
        );
    }

    #[test]
    fn without_an_answer_there_is_no_status_and_no_response() {
        let error = Error::new(&codes::UNKNOWN_CONNECTION, "no such connection");
        assert_eq!(
            error.variable(),
            json!({
                "code": "UNKNOWN_CONNECTION",
                "message": "no such connection",
                "type": "configuration",
                "errors": [],
                "variables": {},
            })
        );
    }

    #[test]
    fn a_host_that_the_client_refuses_is_a_matter_of_configuration() {
        let error = refused("HOST_NOT_ALLOWED", ErrorClass::Permanent, 0, Value::Null);
        assert_eq!(error.error_type(), ErrorType::Configuration);
        assert!(error.advice().contains("hosts.allow"));
    }

    #[test]
    fn every_code_of_the_client_is_in_the_table() {
        use crate::salesforce::codes::*;
        let of_the_client = [
            TIMEOUT,
            CONNECTION_FAILED,
            CONNECTION_LOST,
            OUTCOME_UNKNOWN,
            AUTHENTICATION_FAILED,
            TOKEN_ENDPOINT_UNAVAILABLE,
            ORG_PAUSED,
            ORG_BUSY,
            API_BUDGET_RESERVED,
            INVALID_CREDENTIALS,
            HOST_NOT_ALLOWED,
            INVALID_ADDRESS,
            BODY_TOO_LARGE,
            REDIRECT_NOT_FOLLOWED,
            MULTIPLE_CHOICES,
            NOT_MODIFIED,
            REQUEST_TOO_LONG,
            INVALID_REQUEST,
            REFRESH_TOKEN_EXPIRED,
            USER_NOT_APPROVED,
            CLOCK_SKEW,
            INVALID_CONNECTION,
            UNSUPPORTED_API_VERSION,
            SOURCE_REFUSED,
            SOURCE_UNAVAILABLE,
        ];
        for code in of_the_client {
            assert!(codes::find(code).is_some(), "{code}");
        }
    }

    #[test]
    fn every_code_of_our_own_is_in_the_table_once_and_says_what_to_do() {
        let mut names: Vec<_> = codes::CODES.iter().map(|code| code.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), codes::CODES.len());
        for code in codes::CODES {
            assert!(code.meaning.ends_with('.') && code.advice.ends_with('.'), "{}", code.name);
        }
    }
}
