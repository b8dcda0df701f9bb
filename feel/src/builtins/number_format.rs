//! `number(text)` with its separators.

use super::Outcome;
use crate::engine::{Call, CallError};
use crate::value::Value;

fn parse<'a>(text: &str) -> Outcome<'a> {
    text.parse().map(Value::Number).map_err(|_| CallError::Error(format!("Can't parse '{text}' as a number")))
}

fn is_grouping(separator: &str) -> bool {
    matches!(separator, " " | "," | ".")
}

fn is_decimal(separator: &str) -> bool {
    matches!(separator, "," | ".")
}

pub(super) fn number<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    match call.arguments {
        [Value::String(text)] => parse(text),
        _ => Err(CallError::IllegalArguments),
    }
}

pub(super) fn grouped<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    match call.arguments {
        [Value::String(text), Value::String(grouping)] if is_grouping(grouping) => {
            parse(&text.replace(&**grouping, ""))
        }
        [Value::String(_), Value::String(_)] => {
            Err(CallError::Error("illegal argument for grouping. Must be one of ' ', ',' or '.'".to_owned()))
        }
        _ => Err(CallError::IllegalArguments),
    }
}

pub(super) fn separated<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    match call.arguments {
        [Value::String(text), Value::String(grouping), Value::String(decimal)]
            if is_grouping(grouping) && is_decimal(decimal) && grouping != decimal =>
        {
            parse(&text.replace(&**grouping, "").replace(&**decimal, "."))
        }
        [Value::String(text), Value::Null, Value::String(decimal)] if is_decimal(decimal) => {
            parse(&text.replace(&**decimal, "."))
        }
        [Value::String(text), Value::String(grouping), Value::Null] if is_grouping(grouping) => {
            parse(&text.replace(&**grouping, ""))
        }
        [Value::String(_), Value::String(_), Value::String(_)] => Err(CallError::Error(
            "illegal arguments for grouping or decimal. Must be one of ' ' (grouping only), ',' or '.'"
                .to_owned(),
        )),
        _ => Err(CallError::IllegalArguments),
    }
}
