//! What an error expression decides about a job.

use std::time::Duration;

use camunda_feel::connector_functions::ERROR_TYPE;
use serde_json::{Map, Value};

use super::{expressions::kind, input};

/// The decision that a value of an error expression stands for.
///
/// `bpmnError`, `jobError` and `ignoreError` only make contexts; one written by hand with the same entries means
/// the same.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Throw a BPMN error.
    BpmnError {
        /// Its code.
        code: String,
        /// Its message; empty where none is given.
        message: String,
        /// Set in the scope of the event that catches it.
        variables: Map<String, Value>,
    },
    /// Fail the job.
    JobError {
        /// The text of the incident.
        message: String,
        /// Set in the job's own scope.
        variables: Map<String, Value>,
        /// How many retries are left from now on; 0 or more.
        retries: i32,
        /// How long the job rests before the next one.
        backoff: Duration,
    },
    /// Complete the job.
    Ignore {
        /// Set in the process.
        variables: Map<String, Value>,
    },
}

impl Decision {
    /// Reads the value of an error expression; `None` where it leaves the decision to others: null, `{}`, and a
    /// `bpmnError` without a code.
    ///
    /// # Errors
    /// What is wrong with the value.
    pub fn read(value: Value) -> Result<Option<Self>, String> {
        let mut fields = match value {
            Value::Null => return Ok(None),
            Value::Object(fields) if fields.is_empty() => return Ok(None),
            Value::Object(fields) => fields,
            other => {
                return Err(format!(
                    "Error expression must return a JSON object, but got {}. Evaluated value: {}",
                    kind(&other),
                    input::shorten(&other.to_string())
                ));
            }
        };
        let error_type = fields.remove(ERROR_TYPE).unwrap_or_default();
        match error_type.as_str() {
            Some("bpmnError") => bpmn_error(&mut fields),
            Some("jobError") => job_error(&mut fields).map(Some),
            Some("ignoreError") => Ok(Some(Self::Ignore { variables: variables(&mut fields)? })),
            _ => Err(format!(
                "expected bpmnError(…), jobError(…), ignoreError(…) or null; found an object whose {ERROR_TYPE} is {}",
                input::shorten(&error_type.to_string())
            )),
        }
    }
}

fn bpmn_error(fields: &mut Map<String, Value>) -> Result<Option<Decision>, String> {
    let Some(code) = text(fields, "errorCode")? else { return Ok(None) };
    let message = text(fields, "errorMessage")?.unwrap_or_default();
    Ok(Some(Decision::BpmnError { code, message, variables: variables(fields)? }))
}

fn job_error(fields: &mut Map<String, Value>) -> Result<Decision, String> {
    let message = text(fields, "errorMessage")?.unwrap_or_default();
    let retries = match fields.remove("retries") {
        None | Some(Value::Null) => 0,
        Some(Value::Number(number)) => whole(&number),
        Some(other) => return Err(format!("expected a number in retries; found {}", kind(&other))),
    };
    let backoff = match text(fields, "retryBackoff")? {
        None => Duration::ZERO,
        Some(text) => input::duration(&text).ok_or_else(|| {
            let found = input::shorten(&text);
            format!(
                "expected a duration of days, hours, minutes and seconds in retryBackoff, such as \
                     duration(\"PT1M\") and not negative; found {found:?}"
            )
        })?,
    };
    Ok(Decision::JobError { message, variables: variables(fields)?, retries, backoff })
}

/// Fractions are cut off; nothing is below 0.
fn whole(number: &serde_json::Number) -> i32 {
    let retries = number.as_f64().unwrap_or_default();
    #[allow(clippy::cast_possible_truncation, reason = "it is between 0 and i32::MAX")]
    let whole = retries.clamp(0.0, f64::from(i32::MAX)) as i32;
    whole
}

/// Numbers and booleans are taken as their text, as the runtime does with contexts written by hand.
fn text(fields: &mut Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(scalar @ (Value::Number(_) | Value::Bool(_))) => Ok(Some(scalar.to_string())),
        Some(other) => Err(format!("expected a string in {name}; found {}", kind(&other))),
    }
}

fn variables(fields: &mut Map<String, Value>) -> Result<Map<String, Value>, String> {
    match fields.remove("variables") {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(variables)) => Ok(variables),
        Some(other) => {
            Err(format!("expected an object of names and values in variables; found {}", kind(&other)))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(fields) = value else { panic!("not an object") };
        fields
    }

    #[test]
    fn null_and_nothing_decide_nothing() {
        for value in [
            json!(null),
            json!({}),
            json!({"errorType": "bpmnError"}),
            json!({"errorType": "bpmnError", "errorCode": null, "errorMessage": "m"}),
        ] {
            assert_eq!(Decision::read(value.clone()), Ok(None), "{value}");
        }
    }

    #[test]
    fn a_bpmn_error_has_a_code_and_perhaps_a_message_and_variables() {
        let read = Decision::read(json!({"errorType": "bpmnError", "errorCode": 400, "variables": {"a": 1}}));
        let (code, message, variables) = ("400".to_owned(), String::new(), object(json!({"a": 1})));
        assert_eq!(read, Ok(Some(Decision::BpmnError { code, message, variables })));
    }

    #[test]
    fn a_job_error_has_retries_and_a_rest() {
        for (retries, rest, whole, seconds) in [
            (json!(2), json!("PT1M"), 2, 60.0),
            (json!(2.9), json!("P1D"), 2, 86_400.0),
            (json!(-1), json!("PT0.05S"), 0, 0.05),
            (json!(1e300), json!(null), i32::MAX, 0.0),
            (json!(null), json!("PT0S"), 0, 0.0),
        ] {
            let value = json!({"errorType": "jobError", "errorMessage": "m", "retries": retries,
                               "retryBackoff": rest});
            let expected = Decision::JobError {
                message: "m".to_owned(),
                variables: Map::new(),
                retries: whole,
                backoff: Duration::from_secs_f64(seconds),
            };
            assert_eq!(Decision::read(value.clone()), Ok(Some(expected)), "{value}");
        }
    }

    #[test]
    fn each_wrong_shape_says_what_was_expected() {
        for (value, part) in [
            (
                json!([1, 2, 3]),
                "Error expression must return a JSON object, but got array. Evaluated value: [1,2,3]",
            ),
            (json!(true), "but got boolean"),
            (json!({"a": 1}), "whose errorType is null"),
            (json!({"errorType": "BpmnError"}), "whose errorType is \"BpmnError\""),
            (json!({"errorType": "bpmnError", "errorCode": {}}), "a string in errorCode; found object"),
            (json!({"errorType": "ignoreError", "variables": 1}), "in variables; found number"),
            (json!({"errorType": "jobError", "retries": "2"}), "a number in retries; found string"),
            (json!({"errorType": "jobError", "retryBackoff": "P1M"}), "in retryBackoff"),
            (json!({"errorType": "jobError", "retryBackoff": "-PT1S"}), "not negative; found \"-PT1S\""),
        ] {
            let message = Decision::read(value.clone()).unwrap_err();
            assert!(message.contains(part), "{value}: {message}");
        }
    }
}
