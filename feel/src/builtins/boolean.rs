//! `not`, `is defined`, `get or else`, `assert`.

use super::Outcome;
use crate::engine::{Call, CallError, NativeFunction};
use crate::value::Value;

pub(super) const FUNCTIONS: &[NativeFunction] = &[
    NativeFunction::new("not", &["negand"], not),
    NativeFunction::new("is defined", &["value"], is_defined),
    NativeFunction::new("get or else", &["value", "default"], get_or_else),
    NativeFunction::new("assert", &["value", "condition"], assert),
    NativeFunction::new("assert", &["value", "condition", "cause"], assert_with_cause),
];

#[expect(clippy::unnecessary_wraps, reason = "the signature of every function")]
fn not<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    Ok(match call.arguments {
        [Value::Boolean(value)] => Value::Boolean(!value),
        _ => Value::Null,
    })
}

/// Null counts as not defined.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every function")]
fn is_defined<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    Ok(Value::Boolean(!matches!(call.arguments, [Value::Null])))
}

fn get_or_else<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    match call.arguments {
        [Value::Null, default] => Ok(default.clone()),
        [value, _] => Ok(value.clone()),
        _ => Err(CallError::IllegalArguments),
    }
}

/// The error of an `assert` fails the whole evaluation; the caller sees to that.
fn assert<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    match call.arguments {
        [value, Value::Boolean(true)] => Ok(value.clone()),
        _ => Err(CallError::Error("The condition is not fulfilled".to_owned())),
    }
}

fn assert_with_cause<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    match call.arguments {
        [value, Value::Boolean(true), _] => Ok(value.clone()),
        [_, _, Value::String(cause)] => Err(CallError::Error(cause.to_string())),
        _ => Err(CallError::IllegalArguments),
    }
}
