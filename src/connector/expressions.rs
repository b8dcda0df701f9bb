//! The expressions of the task headers: parsed once for many jobs, evaluated over Salesforce's answer.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use camunda_feel::{Engine, EvalError, Expression, Limits, Scope, connector_functions};
use serde_json::Value;
use tokio::runtime::{Handle, RuntimeFlavor};

use super::{
    codes::{self, Code},
    error::Error,
    input::InvalidInput,
    redactor::Redactor,
};

/// A text that no variable may contain: the runtime of Camunda's own connectors executes what has such a key, so
/// that an answer with it would be a call that the modeler did not write.
const FUNCTION_TYPE: &str = "camunda.function.type";

/// What one expression may cost, below the crate's own limits: a mapping of 20,000 records fits, and what has no end
/// stops within a fraction of a second. A list or a text beyond these could not be handed over as a variable anyway.
const LIMITS: Limits = Limits { steps: 1_000_000, list_items: 200_000, text_bytes: 4 * 1024 * 1024 };

/// So many steps take milliseconds at most: an evaluation within them keeps no other job of its thread from its lock.
const SHORT: Limits = Limits { steps: 10_000, ..LIMITS };

/// FEEL with the functions of Camunda's connector runtime: `bpmnError`, `jobError`, `ignoreError`, `backoff`.
pub static ENGINE: LazyLock<Engine> =
    LazyLock::new(|| Engine::new().with_functions(connector_functions::FUNCTIONS).with_limits(LIMITS));

/// The same, for evaluations that are short.
static SHORT_ENGINE: LazyLock<Engine> = LazyLock::new(|| ENGINE.clone().with_limits(SHORT));

/// An expression, and the header that it stands in.
#[derive(Clone, Debug)]
pub(super) struct HeaderExpression {
    header: &'static str,
    expression: Arc<Expression>,
}

impl PartialEq for HeaderExpression {
    fn eq(&self, other: &Self) -> bool {
        (self.header, self.expression.text()) == (other.header, other.expression.text())
    }
}

impl HeaderExpression {
    /// The value over these variables, as plain JSON.
    ///
    /// What became null on the way is logged at debug, for modelers who wonder.
    ///
    /// # Errors
    /// `EXPRESSION_FAILED`: the evaluation failed or cost more than it may, or its value may not leave.
    pub(super) fn evaluate(&self, scope: &Scope<'_>, redactor: &Redactor) -> Result<Value, Error> {
        let evaluate = |engine| -> Result<Value, EvalError> {
            let evaluation = self.expression.evaluate_with(engine, scope)?;
            for warning in evaluation.warnings() {
                let warning = warning.to_string();
                tracing::debug!(header = self.header, warning = %redactor.text(&warning), "FEEL warning");
            }
            evaluation.to_json()
        };
        let value = match evaluate(&SHORT_ENGINE) {
            // Few do. To leave the event loop takes far longer than most evaluations, and another thread.
            Err(EvalError::StepsExceeded { .. }) => off_the_event_loop(|| evaluate(&ENGINE)),
            value => value,
        };
        let value = value.map_err(|error| self.failed(error))?;
        check_allowed(self.header, &value)?;
        Ok(value)
    }

    /// The failure that this expression is the cause of.
    pub(super) fn failed(&self, reason: impl fmt::Display) -> Error {
        Error::new(&codes::EXPRESSION_FAILED, format!("task header {}: {reason}", self.header))
    }
}

/// Evaluates without keeping other jobs of this thread from their locks: an evaluation may take a second.
fn off_the_event_loop<T>(evaluate: impl FnOnce() -> T) -> T {
    let is_multi_thread = Handle::try_current()
        .is_ok_and(|handle| matches!(handle.runtime_flavor(), RuntimeFlavor::MultiThread));
    if is_multi_thread { tokio::task::block_in_place(evaluate) } else { evaluate() }
}

/// Refuses what may not become variables.
pub(crate) fn check_allowed(header: &str, value: &Value) -> Result<(), Error> {
    match forbidden(value) {
        Some((code, reason)) => Err(Error::new(code, format!("task header {header}: {reason}"))),
        None => Ok(()),
    }
}

fn forbidden(value: &Value) -> Option<(&'static Code, &'static str)> {
    const LITERAL: &str = "the result contains a forbidden literal: camunda.function.type";
    const DOCUMENT: &str = "createDocument is not supported: this worker does not store documents";
    match value {
        Value::String(text) if text.contains(FUNCTION_TYPE) => Some((&codes::FORBIDDEN_RESULT, LITERAL)),
        Value::Array(items) => items.iter().find_map(forbidden),
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            if name.contains(FUNCTION_TYPE) {
                return Some((&codes::FORBIDDEN_RESULT, LITERAL));
            }
            let is_document = name == connector_functions::DOCUMENT_MARK
                && value.as_str() == Some(connector_functions::document_mark());
            if is_document { Some((&codes::EXPRESSION_FAILED, DOCUMENT)) } else { forbidden(value) }
        }),
        _ => None,
    }
}

/// What a value is, in JSON's words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Parsed expressions by their text, so that the jobs of one task share one. It holds the latest of them.
#[derive(Debug, Default)]
pub(super) struct Expressions {
    parsed: Mutex<Parsed>,
}

#[derive(Debug, Default)]
struct Parsed {
    by_text: HashMap<Arc<str>, Arc<Expression>>,
    /// The oldest first.
    order: VecDeque<Arc<str>>,
    bytes: usize,
}

/// Most expressions that are kept; a worker serves some hundred tasks.
const MOST_EXPRESSIONS: usize = 1000;
/// Most text of them, in bytes; a parsed expression takes several times its text.
const MOST_BYTES: usize = 1024 * 1024;

impl Expressions {
    /// The expression of a header.
    ///
    /// # Errors
    /// The text is no FEEL; the message shows the place and what was expected there.
    pub(super) fn parse(&self, header: &'static str, text: &str) -> Result<HeaderExpression, InvalidInput> {
        let known = self.with(|parsed| parsed.by_text.get(text).cloned());
        let expression = known.map_or_else(|| self.parse_anew(header, text), Ok)?;
        Ok(HeaderExpression { header, expression })
    }

    fn parse_anew(&self, header: &str, text: &str) -> Result<Arc<Expression>, InvalidInput> {
        let parsed = Expression::parse(text).map_err(|error| {
            let found = format!("a syntax error in {error}");
            InvalidInput::new(format!("task header {header}"), "a FEEL expression", found)
        })?;
        let expression = Arc::new(parsed);
        self.with(|parsed| parsed.keep(text, &expression));
        Ok(expression)
    }

    /// The lock is never held while parsing, so that a long text delays only its own job.
    fn with<T>(&self, act: impl FnOnce(&mut Parsed) -> T) -> T {
        act(&mut self.parsed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Parsed {
    fn keep(&mut self, text: &str, expression: &Arc<Expression>) {
        let text: Arc<str> = text.into();
        if self.by_text.insert(Arc::clone(&text), Arc::clone(expression)).is_some() {
            return;
        }
        self.bytes += text.len();
        self.order.push_back(text);
        while self.order.len() > MOST_EXPRESSIONS || self.bytes > MOST_BYTES {
            let Some(oldest) = self.order.pop_front() else { return };
            self.bytes -= oldest.len();
            self.by_text.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(text: &str, data: &Value) -> Result<Value, String> {
        let expression = Expressions::default().parse("resultExpression", text).unwrap();
        expression.evaluate(&Scope::from(data), &Redactor::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_same_text_is_parsed_once() {
        let expressions = Expressions::default();
        let first = expressions.parse("resultExpression", "= {a: 1}").unwrap();
        let second = expressions.parse("errorExpression", "= {a: 1}").unwrap();
        assert!(Arc::ptr_eq(&first.expression, &second.expression));
        assert_ne!(first, second, "the header is part of it");
    }

    #[test]
    fn only_the_latest_expressions_are_kept() {
        let expressions = Expressions::default();
        for number in 0..MOST_EXPRESSIONS + 5 {
            expressions.parse("resultExpression", &format!("= {number}")).unwrap();
        }
        expressions.with(|parsed| {
            assert_eq!((parsed.by_text.len(), parsed.order.len()), (MOST_EXPRESSIONS, MOST_EXPRESSIONS));
            assert!(!parsed.by_text.contains_key("= 4") && parsed.by_text.contains_key("= 5"));
        });
        let long = |letter: &str| format!("= \"{}\"", letter.repeat(60_000));
        for letter in ('a'..='z').map(String::from) {
            expressions.parse("resultExpression", &long(&letter)).unwrap();
        }
        expressions.with(|parsed| {
            assert!(parsed.bytes <= MOST_BYTES && parsed.bytes > MOST_BYTES - 120_000, "{}", parsed.bytes);
            assert_eq!(parsed.bytes, parsed.order.iter().map(|text| text.len()).sum::<usize>());
        });
    }

    #[test]
    fn a_syntax_error_shows_the_place_and_what_was_expected() {
        let message =
            Expressions::default().parse("resultExpression", "= {a: 1,, b: 2}").unwrap_err().to_string();
        assert!(message.starts_with("task header resultExpression: expected a FEEL expression"), "{message}");
        assert!(message.contains("line 1, column 9: expected"), "{message}");
        assert!(message.contains("\n  = {a: 1,, b: 2}\n          ^"), "{message}");
    }

    #[test]
    fn a_value_that_camundas_connectors_would_execute_does_not_leave() {
        for text in [
            "= {\"camunda.function.type\": \"base64\"}",
            "= {deep: [{\"camunda.function.type\": 1}]}",
            "= {text: \"{\\\"camunda.function.type\\\"\"}",
        ] {
            assert!(value(text, &json!({})).unwrap_err().contains("forbidden literal"), "{text}");
        }
    }

    #[test]
    fn documents_are_refused_and_a_response_cannot_pretend_to_be_one() {
        let message = value("= {file: createDocument(\"aGk=\")}", &json!({})).unwrap_err();
        assert!(message.contains("createDocument is not supported"), "{message}");
        let data = json!({"r": {connector_functions::DOCUMENT_MARK: "createDocument:1"}});
        assert_eq!(value("= r", &data), Ok(data["r"].clone()));
    }

    /// By its budget, not by a clock: the list is refused before its first item, the loops after a million steps.
    #[test]
    fn what_has_no_end_stops_at_the_limits() {
        for (text, reason) in [
            ("= for x in 1..1000000000 return x", "a list would have more than 200000 items"),
            (
                "= {a: count(for x in 1..1000, y in 1..1000 return x)}",
                "a list would have more than 200000 items",
            ),
            (
                "= {a: every x in 1..2000 satisfies every y in 1..2000 satisfies y > 0}",
                "the evaluation takes more than 1000000 steps",
            ),
        ] {
            let message = value(text, &json!({})).unwrap_err();
            assert!(message.contains(reason), "{text}: {message}");
        }
    }

    #[test]
    fn a_mapping_of_twenty_thousand_records_fits_the_limits() {
        let record =
            json!({"Id": "001000000000001AAA", "Name": "Acme", "Amount": 100.5, "Owner": {"Name": "Ann"}});
        let data = json!({"body": {"records": vec![record; 20_000]}});
        let text = "= {rich: count(body.records[Amount > 100 and Owner.Name = \"Ann\"]), \
                    rows: for r in body.records return {id: r.Id, owner: r.Owner.Name}}";
        assert_eq!(value(text, &data).unwrap()["rich"], json!(20_000));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_evaluation_also_works_on_a_thread_that_other_jobs_share() {
        assert_eq!(value("= 1 + 1", &json!({})), Ok(json!(2)));
        assert_eq!(value("= count(for x in 1..100000 return x)", &json!({})), Ok(json!(100_000)));
    }
}
