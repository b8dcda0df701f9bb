//! The functions that Camunda's connector runtime adds: `bpmnError`, `jobError`, `ignoreError`, `backoff` and
//! `createDocument`.
//!
//! They only make contexts (and durations); a context written by hand with the same entries means the same. Their
//! arguments have strict types: a wrong one fails the whole evaluation.

use std::sync::LazyLock;

use crate::engine::{Call, CallError, NativeFunction};
use crate::temporal::DayTimeDuration;
use crate::value::{Context, Entries, Value};
use crate::{EvalError, Number};

/// The entry that says which kind of error a context means.
pub const ERROR_TYPE: &str = "errorType";
/// The entry that marks the value of `createDocument`.
pub const DOCUMENT_MARK: &str = "connectorResultFunction";
/// The entry with the content of a marked value.
pub const DOCUMENT_VALUE: &str = "value";

/// Every function of this module, for [`Engine::with_functions`](crate::Engine::with_functions).
pub const FUNCTIONS: &[NativeFunction] = &[
    NativeFunction::new("bpmnError", &["errorCode"], bpmn_error),
    NativeFunction::new("bpmnError", &["errorCode", "errorMessage"], bpmn_error),
    NativeFunction::new("bpmnError", &["errorCode", "errorMessage", "variables"], bpmn_error),
    NativeFunction::new("jobError", &["errorMessage"], job_error),
    NativeFunction::new("jobError", &["errorMessage", "variables"], job_error),
    NativeFunction::new("jobError", &["errorMessage", "variables", "retries"], job_error),
    NativeFunction::new("jobError", &["errorMessage", "variables", "retries", "retryBackoff"], job_error),
    NativeFunction::new("ignoreError", &["variables"], ignore_error),
    NativeFunction::new("ignoreError", &[], ignore_error),
    NativeFunction::new("backoff", &["attempt"], backoff),
    NativeFunction::new("backoff", &["attempt", "minDelay"], backoff),
    NativeFunction::new("backoff", &["attempt", "minDelay", "factor"], backoff),
    NativeFunction::new("backoff", &["attempt", "minDelay", "factor", "maxDelay"], backoff),
    NativeFunction::new("backoff", &["attempt", "minDelay", "factor", "maxDelay", "jitterFactor"], backoff),
    NativeFunction::new("createDocument", &["value"], create_document),
];

/// The value of [`DOCUMENT_MARK`]: random for each process, so that no response can pretend to be marked.
pub fn document_mark() -> &'static str {
    static MARK: LazyLock<String> = LazyLock::new(|| format!("createDocument:{:032x}", fastrand::u128(..)));
    &MARK
}

/// Checks one argument and names it if it has the wrong type.
fn expect<'c, 'a>(
    call: &'c Call<'_, '_, 'a>,
    index: usize,
    (function, parameter): (&str, &str),
    accepted: (&str, fn(&Value<'a>) -> bool),
) -> Result<&'c Value<'a>, CallError> {
    let (kind, accepts) = accepted;
    match call.arguments().get(index) {
        Some(value) if accepts(value) => Ok(value),
        _ => {
            Err(CallError::fail(format!("Parameter '{parameter}' of function '{function}' must be a {kind}")))
        }
    }
}

const STRING: (&str, fn(&Value<'_>) -> bool) = ("String", |value| matches!(value, Value::String(_)));
const CONTEXT: (&str, fn(&Value<'_>) -> bool) = ("Context", |value| matches!(value, Value::Context(_)));
const NUMBER: (&str, fn(&Value<'_>) -> bool) = ("Number", |value| matches!(value, Value::Number(_)));
const DURATION: (&str, fn(&Value<'_>) -> bool) =
    ("day-time duration (e.g. duration(\"PT1S\"))", |value| matches!(value, Value::DayTimeDuration(_)));

fn context<'a>(entries: Vec<(&'static str, Value<'a>)>) -> Result<Value<'a>, CallError> {
    let mut context = Entries::default();
    for (name, value) in entries {
        context.insert(name.into(), value);
    }
    Ok(Value::Context(Context::new(context)?))
}

fn bpmn_error<'a>(call: &Call<'_, '_, 'a>) -> Result<Value<'a>, CallError> {
    let parameters = [("errorCode", STRING), ("errorMessage", STRING), ("variables", CONTEXT)];
    let mut entries = vec![(ERROR_TYPE, Value::borrowed("bpmnError"))];
    for (index, (name, accepted)) in parameters.into_iter().enumerate().take(call.arguments().len()) {
        entries.push((name, expect(call, index, ("bpmnError", name), accepted)?.clone()));
    }
    context(entries)
}

/// All five entries are always there: no variables, no retries and no backoff unless they are given.
fn job_error<'a>(call: &Call<'_, '_, 'a>) -> Result<Value<'a>, CallError> {
    let parameters = [
        ("errorMessage", STRING, Value::Null),
        ("variables", CONTEXT, Value::Context(Context::new(Entries::default())?)),
        ("retries", NUMBER, Value::Number(Number::ZERO)),
        ("retryBackoff", DURATION, Value::DayTimeDuration(DayTimeDuration::ZERO)),
    ];
    let mut entries = vec![(ERROR_TYPE, Value::borrowed("jobError"))];
    for (index, (name, accepted, default)) in parameters.into_iter().enumerate() {
        let given = index < call.arguments().len();
        let value = if given { expect(call, index, ("jobError", name), accepted)?.clone() } else { default };
        entries.push((name, value));
    }
    context(entries)
}

fn ignore_error<'a>(call: &Call<'_, '_, 'a>) -> Result<Value<'a>, CallError> {
    let mut entries = vec![(ERROR_TYPE, Value::borrowed("ignoreError"))];
    if !call.arguments().is_empty() {
        entries.push(("variables", expect(call, 0, ("ignoreError", "variables"), CONTEXT)?.clone()));
    }
    context(entries)
}

/// The delay before an attempt: `minDelay × factor^(attempt − 1)`, at most `maxDelay`, with jitter.
fn backoff<'a>(call: &Call<'_, '_, 'a>) -> Result<Value<'a>, CallError> {
    let attempt = argument(call, 0, "attempt", NUMBER, number)?.map_or(0, |n| n.to_i32_wrapping());
    let min = argument(call, 1, "minDelay", DURATION, millis)?.unwrap_or(50.0);
    let factor = argument(call, 2, "factor", NUMBER, number)?.map_or(1.6, |n| n.to_f64());
    let max = argument(call, 3, "maxDelay", DURATION, millis)?.unwrap_or(5_000.0);
    let jitter = argument(call, 4, "jitterFactor", NUMBER, number)?.map_or(0.1, |n| n.to_f64());
    let refuse = |reason: String| Err(CallError::fail(format!("backoff(): {reason}")));
    if attempt < 1 {
        return refuse(format!("'attempt' must be >= 1, but was {attempt}"));
    }
    if factor <= 0.0 {
        return refuse(format!("'factor' must be > 0, but was {factor}"));
    }
    if min > max {
        return refuse(format!("'minDelay' must be <= 'maxDelay', but {min}ms > {max}ms"));
    }
    if jitter < 0.0 {
        return refuse(format!("'jitterFactor' must be >= 0, but was {jitter}"));
    }
    let delay = (min * factor.powi(attempt - 1)).clamp(min, max);
    let spread = jitter * delay * (fastrand::f64() * 2.0 - 1.0);
    let rounded = (delay + spread).round().max(0.0);
    let millis = Number::from_f64(rounded)?.to_i64();
    let millis = millis.ok_or_else(|| CallError::fail("backoff(): the delay is out of range"))?;
    Ok(Value::DayTimeDuration(DayTimeDuration::from_millis(millis)))
}

fn number(value: &Value<'_>) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        _ => None,
    }
}

fn millis(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::DayTimeDuration(duration) => duration.millis().map(|millis| Number::from(millis).to_f64()),
        _ => None,
    }
}

/// An argument of `backoff`, if the call has it.
fn argument<'a, T>(
    call: &Call<'_, '_, 'a>,
    index: usize,
    name: &str,
    accepted: (&str, fn(&Value<'a>) -> bool),
    read: fn(&Value<'a>) -> Option<T>,
) -> Result<Option<T>, CallError> {
    if index >= call.arguments().len() {
        return Ok(None);
    }
    let value = read(expect(call, index, ("backoff", name), accepted)?);
    value
        .map(Some)
        .ok_or_else(|| CallError::Fail(EvalError::Failed(format!("backoff(): '{name}' is out of range"))))
}

/// Marks a value as the content of a document; whoever maps the result creates it.
fn create_document<'a>(call: &Call<'_, '_, 'a>) -> Result<Value<'a>, CallError> {
    let value = call.arguments().first().cloned().unwrap_or(Value::Null);
    context(vec![(DOCUMENT_MARK, Value::borrowed(document_mark())), (DOCUMENT_VALUE, value)])
}
