//! From an error to what becomes of the job: a BPMN error, another try, or an incident.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{codes::ErrorType, error::Error, headers::Headers, mapping::json_size, operations::Descriptor};
use crate::{
    salesforce::CallClass,
    zeebe::{Failure, Outcome},
};

/// The longest text of an incident, in characters; longer ones make commands and screens heavy.
const MAX_MESSAGE: usize = 6000;

/// The largest `error` variable, in bytes of JSON.
const MAX_ERROR: usize = 256 * 1024;

/// No default lets a job rest longer.
const MAX_DEFAULT_BACKOFF: Duration = Duration::from_mins(5);

/// An org over its limits is not asked again sooner, where nobody says how long.
const THROTTLED_BACKOFF: Duration = Duration::from_mins(1);

/// A `Retry-After` longer than this is taken as this.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);

/// How many tries a task has where its model does not say.
const USUAL_RETRIES: i32 = 3;

/// What is known of the job that failed.
#[derive(Debug)]
pub(super) struct Situation<'a> {
    /// `None` where the job did not name one that there is.
    pub(super) operation: Option<&'static Descriptor>,
    /// Whether it may be repeated, as far as its input was read.
    pub(super) class: Option<CallClass>,
    /// What the modeler wants.
    pub(super) headers: &'a Headers,
    /// Retries left, this attempt included.
    pub(super) retries: i32,
    /// How long a job rests after its first failure where nobody says; threefold after each further one.
    pub(super) default_backoff: Duration,
}

impl Situation<'_> {
    /// Whether the operation changes something.
    pub(super) fn is_write(&self) -> bool {
        let class = self.class.or(self.operation.map(|operation| operation.class));
        class.is_some_and(|class| class != CallClass::Read)
    }

    /// What becomes of the job.
    pub(super) fn outcome(&self, error: &Error) -> Outcome {
        if let Some(code) = self.headers.bpmn_errors.code_for(error) {
            let variables = variables(error);
            return Outcome::ThrowError { code: code.to_owned(), message: error.to_string(), variables };
        }
        Outcome::Fail(self.failure(error))
    }

    /// The same where no BPMN error can be thrown.
    pub(super) fn failure(&self, error: &Error) -> Failure {
        let variables = variables(error);
        let is_repeated = error.error_type().is_repeated();
        let retries = if is_repeated { self.retries.saturating_sub(1).max(0) } else { 0 };
        let backoff = if is_repeated { self.backoff(error) } else { Duration::ZERO };
        let next = match (is_repeated, retries) {
            (false, _) => format!("It is not tried again by itself. {}", error.advice()),
            (true, 0) => format!("No retries are left. {}", error.advice()),
            (true, left) => format!("It is tried again in {backoff:.0?}; retries left: {left}."),
        };
        let mut message = self.what_happened(error);
        match message.lines().count() {
            // The last line points at a place in an expression.
            2.. => message.push('\n'),
            _ if message.ends_with(['?', '!']) => message.push(' '),
            _ => message.push_str(". "),
        }
        message.push_str(&next);
        Failure { message, retries, backoff, variables }
    }

    fn what_happened(&self, error: &Error) -> String {
        let message = error.to_string();
        let message = message.trim_end_matches(['.', ' ']);
        let what = self.operation.map_or("Salesforce task", |operation| operation.label);
        if message.contains(error.code()) {
            return format!("{what} failed: {message}");
        }
        format!("{what} failed with {}: {message}", error.code())
    }

    /// As the modeler says, else a default that grows; or as Salesforce says, if that is longer.
    ///
    /// The engine does not tell how often a job has failed, only how many retries are left; the default counts from
    /// the usual three.
    fn backoff(&self, error: &Error) -> Duration {
        let asked = error.retry_after().unwrap_or_default().min(MAX_RETRY_AFTER);
        let wanted = self.headers.retry_backoff.unwrap_or_else(|| {
            let failures =
                USUAL_RETRIES.saturating_sub(self.retries).clamp(0, USUAL_RETRIES - 1).unsigned_abs();
            let grown = self.default_backoff.saturating_mul(3_u32.pow(failures));
            let rest = grown.min(MAX_DEFAULT_BACKOFF.max(self.default_backoff));
            if error.error_type() == ErrorType::Throttled { rest.max(THROTTLED_BACKOFF) } else { rest }
        });
        wanted.max(asked)
    }
}

fn variables(error: &Error) -> Map<String, Value> {
    Map::from_iter([("error".to_owned(), error.variable())])
}

/// Makes an outcome small enough to be reported. Comes after the redactor, which must see secrets whole.
pub(super) fn fitted(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Fail(failure) => Outcome::Fail(Failure {
            message: cut(&failure.message, MAX_MESSAGE),
            variables: with_small_error(failure.variables),
            ..failure
        }),
        Outcome::ThrowError { code, message, variables } => Outcome::ThrowError {
            code,
            message: cut(&message, MAX_MESSAGE),
            variables: with_small_error(variables),
        },
        fitting @ (Outcome::Complete { .. } | Outcome::Park { .. }) => fitting,
    }
}

fn with_small_error(mut variables: Map<String, Value>) -> Map<String, Value> {
    if let Some(error) = variables.get_mut("error")
        && json_size(error) > MAX_ERROR
    {
        shrink(error);
    }
    variables
}

/// Cuts every part of an `error` variable that has no bound of its own, so that the whole has one, and says so.
///
/// An error expression may hand over an `error` of any other form, which is left as it is but for a text.
fn shrink(error: &mut Value) {
    shrink_text(error, MAX_MESSAGE);
    for name in ["code", "message"] {
        shrink_field(error, name, MAX_MESSAGE);
    }
    if let Some(errors) = error.get_mut("errors").and_then(Value::as_array_mut) {
        errors.truncate(20);
        for detail in errors {
            shrink_field(detail, "errorCode", 100);
            shrink_field(detail, "message", 1000);
            if let Some(fields) = detail.get_mut("fields").filter(|fields| json_size(fields) > 2000) {
                *fields = json!([]);
            }
        }
    }
    if let Some(response) = error.get_mut("variables").and_then(|variables| variables.get_mut("response")) {
        if let Some(body) = response.get_mut("body") {
            shrink_part(body);
        }
        if let Some(headers) = response.get_mut("headers").filter(|headers| json_size(headers) > 16 * 1024) {
            *headers = json!({});
        }
    }
}

fn shrink_text(value: &mut Value, max: usize) {
    if let Value::String(text) = value {
        *text = cut(text, max);
    }
}

fn shrink_field(value: &mut Value, name: &str, max: usize) {
    if let Some(text) = value.get_mut(name) {
        shrink_text(text, max);
    }
}

/// A large body becomes the beginning of its text.
fn shrink_part(body: &mut Value) {
    const KEPT: usize = 8000;
    let size = json_size(body);
    if size <= KEPT {
        return;
    }
    let text = match &body {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let beginning: String = text.chars().take(KEPT).collect();
    *body = Value::String(format!("{beginning}… [cut; the whole has {size} bytes]"));
}

fn cut(text: &str, max: usize) -> String {
    const MARK: &str = "… [cut]";
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let kept = max - MARK.chars().count();
    text.chars().take(kept).chain(MARK.chars()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        connector::{codes, error::tests::refused, expressions::Expressions, operations},
        salesforce::{self, ErrorClass, Response},
    };

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        let pairs: BTreeMap<_, _> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Headers::parse(&pairs, &Expressions::default()).unwrap()
    }

    fn situation(headers: &Headers, retries: i32) -> Situation<'_> {
        let operation = operations::ALL.iter().copied().find(|operation| operation.name == "createRecord");
        Situation { operation, class: None, headers, retries, default_backoff: Duration::from_secs(10) }
    }

    fn failed(outcome: Outcome) -> Failure {
        match outcome {
            Outcome::Fail(failure) => failure,
            other => panic!("{other:?}"),
        }
    }

    fn error(class: ErrorClass) -> Error {
        refused("SOME_CODE", class, 400, json!([{"errorCode": "SOME_CODE", "message": "m"}]))
    }

    #[test]
    fn each_class_of_error_has_its_retries_and_its_rest() {
        let defaults = Headers::default();
        let modelled = headers(&[("retryBackoff", "PT2S")]);
        for (class, retries, left, seconds, modelled_seconds) in [
            (ErrorClass::Business, 3, 0, 0, 0),
            (ErrorClass::Permanent, 3, 0, 0, 0),
            (ErrorClass::Authentication, 3, 0, 0, 0),
            (ErrorClass::OutcomeUnknown, 3, 0, 0, 0),
            (ErrorClass::Transient, 9, 8, 10, 2),
            (ErrorClass::Transient, 3, 2, 10, 2),
            (ErrorClass::Transient, 2, 1, 30, 2),
            (ErrorClass::Transient, 1, 0, 90, 2),
            (ErrorClass::Transient, 0, 0, 90, 2),
            (ErrorClass::Transient, i32::MIN, 0, 90, 2),
            (ErrorClass::Throttled, 3, 2, 60, 2),
            (ErrorClass::Throttled, 1, 0, 90, 2),
        ] {
            for (headers, seconds) in [(&defaults, seconds), (&modelled, modelled_seconds)] {
                let failure = failed(situation(headers, retries).outcome(&error(class)));
                let expected = (left, Duration::from_secs(seconds));
                assert_eq!((failure.retries, failure.backoff), expected, "{class:?} {retries}");
                assert_eq!(failure.variables["error"]["code"], "SOME_CODE");
            }
        }
    }

    #[test]
    fn no_default_rest_is_longer_than_five_minutes_unless_configured() {
        let headers = Headers::default();
        for (seconds, expected) in [(200, 300), (400, 400)] {
            let default_backoff = Duration::from_secs(seconds);
            let situation = Situation { default_backoff, ..situation(&headers, 1) };
            let failure = failed(situation.outcome(&error(ErrorClass::Transient)));
            assert_eq!(failure.backoff, Duration::from_secs(expected));
        }
    }

    #[test]
    fn salesforces_own_word_counts_where_it_is_longer_up_to_an_hour() {
        let headers = headers(&[("retryBackoff", "PT30S")]);
        for (seconds, expected) in [(5, 30), (120, 120), (1_000_000, 3600)] {
            let error = Error::from(salesforce::Error {
                code: "SERVER_UNAVAILABLE".to_owned(),
                message: "busy".to_owned(),
                class: ErrorClass::Throttled,
                errors: Vec::new(),
                response: None,
                retry_after: Some(Duration::from_secs(seconds)),
                rest: None,
            });
            let failure = failed(situation(&headers, 3).outcome(&error));
            assert_eq!(failure.backoff, Duration::from_secs(expected));
        }
    }

    #[test]
    fn the_incident_says_what_happened_and_what_to_do() {
        let headers = Headers::default();
        let secret = Error::new(&codes::SECRET_NOT_FOUND, "connections.p: the secret S was not found");
        for (error, retries, message) in [
            (
                secret,
                3,
                "Create record failed with SECRET_NOT_FOUND: connections.p: the secret S was not found. It is not \
                 tried again by itself. Provide the secret to the worker or correct its name, then resolve the incident.",
            ),
            (
                error(ErrorClass::Transient),
                3,
                "Create record failed: SOME_CODE: refused. It is tried again in 10s; retries left: 2.",
            ),
            (
                error(ErrorClass::Transient),
                1,
                "Create record failed: SOME_CODE: refused. No retries are left. Resolve the incident to try again.",
            ),
        ] {
            assert_eq!(failed(situation(&headers, retries).outcome(&error)).message, message);
        }
        let unknown = failed(situation(&headers, 3).outcome(&error(ErrorClass::OutcomeUnknown)));
        assert!(unknown.message.contains("upsertRecord can be repeated safely"), "{}", unknown.message);
    }

    #[test]
    fn a_caught_error_is_thrown_with_its_code_whatever_its_class() {
        let headers = headers(&[("bpmnErrors", "some_code")]);
        for class in [ErrorClass::Business, ErrorClass::Transient, ErrorClass::OutcomeUnknown] {
            let outcome = situation(&headers, 3).outcome(&error(class));
            let Outcome::ThrowError { code, message, variables } = outcome else { panic!("{outcome:?}") };
            assert_eq!((code.as_str(), message.as_str()), ("SOME_CODE", "SOME_CODE: refused"));
            assert_eq!(variables["error"]["errors"][0]["message"], "m");
        }
    }

    #[test]
    fn what_is_too_large_to_report_is_cut_and_says_so() {
        let nasty = "\u{1}".repeat(400_000);
        let fields: Vec<_> = (0..5000).map(|number| format!("Field_{number}__c")).collect();
        let headers_of_answer = Map::from_iter([("x".to_owned(), json!(nasty))]);
        let detail = salesforce::ErrorDetail { error_code: nasty.clone(), message: nasty.clone(), fields };
        let error = Error::from(salesforce::Error {
            code: nasty.clone(),
            message: nasty.clone(),
            class: ErrorClass::Permanent,
            errors: vec![detail; 30],
            response: Some(Box::new(Response {
                status: 400,
                reason: String::new(),
                headers: headers_of_answer,
                body: json!([nasty]),
            })),
            retry_after: None,
            rest: None,
        });
        let failure = failed(fitted(situation(&Headers::default(), 3).outcome(&error)));
        assert_eq!(failure.message.chars().count(), MAX_MESSAGE);
        assert!(failure.message.ends_with("… [cut]"));
        let error = &failure.variables["error"];
        assert!(json_size(error) <= MAX_ERROR, "{}", json_size(error));
        assert_eq!(error["errors"].as_array().unwrap().len(), 20);
        let body = error["variables"]["response"]["body"].as_str().unwrap();
        assert!(body.ends_with("… [cut; the whole has 2400004 bytes]"), "{}", &body[body.len() - 60..]);
    }

    #[test]
    fn an_error_of_another_form_is_left_but_for_a_text() {
        let long = "x".repeat(300_000);
        for (error, expected) in [
            (json!(long), None),
            (json!([long]), Some(json!([long]))),
            (
                json!({"errors": ["a", 1], "variables": 5, "other": long}),
                Some(json!({"errors": ["a", 1], "variables": 5, "other": long})),
            ),
        ] {
            let variables = Map::from_iter([("error".to_owned(), error)]);
            let failure = failed(fitted(Outcome::Fail(Failure { variables, ..Failure::default() })));
            let error = &failure.variables["error"];
            match expected {
                Some(expected) => assert_eq!(*error, expected),
                None => assert_eq!(error.as_str().unwrap().chars().count(), MAX_MESSAGE),
            }
        }
    }

    #[test]
    fn what_is_small_enough_is_left_as_it_is() {
        let outcome = situation(&Headers::default(), 3).outcome(&error(ErrorClass::Permanent));
        assert_eq!(fitted(outcome.clone()), outcome);
    }
}
