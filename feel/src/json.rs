//! JSON in and out, as the runtime reads and writes it.

use serde_json::{Map, Value as Json, json};

use crate::budget::Budget;
use crate::error::EvalError;
use crate::number::Number;
use crate::temporal::{
    duration_iso, local_iso, period_iso, time_iso, time_with_offset, zoned_iso, zoned_with_zone,
};
use crate::value::{Context, Function, List, Value, brief};

impl<'a> Value<'a> {
    /// A JSON value in place: decimals are doubles, integers exact; a number beyond the doubles is null.
    pub fn from_json(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Boolean(*value),
            Json::Number(number) => from_json_number(number.as_str()),
            Json::String(text) => Self::borrowed(text),
            Json::Array(items) => Self::List(List::from_json(items)),
            Json::Object(object) => Self::Context(Context::from_json(object)),
        }
    }
}

/// A number of JSON text.
pub(crate) fn from_json_number<'a>(text: &str) -> Value<'a> {
    if !text.contains(['.', 'e', 'E']) {
        return text.parse().map_or(Value::Null, Value::Number);
    }
    if let Some(number) = short_decimal(text) {
        return Value::Number(number);
    }
    let double: f64 = text.parse().unwrap_or(f64::NAN);
    Number::from_f64(double).map_or(Value::Null, Value::Number)
}

/// A decimal that its double prints with the same digits; saves the way through the double.
fn short_decimal(text: &str) -> Option<Number> {
    let (whole, fraction) = text.strip_prefix('-').unwrap_or(text).split_once('.')?;
    let short = whole.len() <= 6 && fraction.len() <= 9 && !fraction.contains(['e', 'E']);
    if !short || whole.starts_with('0') {
        return None;
    }
    let zeros = fraction.len() - fraction.trim_end_matches('0').len();
    text[..text.len() - zeros.min(fraction.len() - 1)].parse().ok()
}

/// The result of an evaluation: whole numbers of 64 bits as integers, other numbers as doubles.
pub(crate) fn to_json(value: &Value<'_>, budget: &Budget) -> Result<Json, EvalError> {
    // A node of JSON is an allocation or two.
    budget.steps(4)?;
    Ok(match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => Json::Bool(*value),
        Value::Number(number) => number_to_json(number),
        Value::String(text) => Json::String(text.to_string()),
        Value::Date(date) => Json::String(date.to_string()),
        Value::LocalTime(time) => Json::String(time.to_string()),
        Value::Time(time) => Json::String(time_iso(time)),
        Value::LocalDateTime(local) => Json::String(local_iso(*local)),
        Value::DateTime(date_time) => Json::String(zoned_iso(date_time)),
        Value::YearMonthDuration(duration) => Json::String(period_iso(*duration)),
        Value::DayTimeDuration(duration) => Json::String(duration_iso(*duration)),
        Value::List(list) => {
            budget.check_items(list.len())?;
            let items: Result<Vec<Json>, EvalError> =
                list.iter().map(|item| budget.deeper(|| to_json(&item, budget))).collect();
            Json::Array(items?)
        }
        Value::Context(context) => {
            let mut object = Map::new();
            for (name, value) in context.entries() {
                object.insert(name.to_string(), budget.deeper(|| to_json(&value, budget))?);
            }
            Json::Object(object)
        }
        Value::Function(function) => function_to_json(function),
        Value::Range(_) => {
            return Err(EvalError::Failed(format!("a range is no JSON: '{}'", brief(value))));
        }
    })
}

/// What the runtime's serializer finds in its object of a function.
fn function_to_json(function: &Function<'_>) -> Json {
    let parameters: Vec<&str> = function.0.parameters.iter().map(|name| &**name).collect();
    let mut distinct: Vec<&str> = Vec::new();
    for name in &parameters {
        if !distinct.contains(name) {
            distinct.push(name);
        }
    }
    json!({"params": parameters, "invoke": {}, "hasVarArgs": false, "paramSet": distinct, "properties": {},
           "comparable": false})
}

fn number_to_json(number: &Number) -> Json {
    if let Some(integer) = number.to_i64() {
        return Json::from(integer);
    }
    let double = number.to_f64();
    match serde_json::Number::from_f64(double) {
        Some(number) => Json::Number(number),
        None => Json::from(if double > 0.0 { "Infinity" } else { "-Infinity" }),
    }
}

/// The text of `to json`: numbers keep their scale, zones stand in brackets.
pub(crate) fn write_json(out: &mut String, value: &Value<'_>, budget: &Budget) -> Result<(), EvalError> {
    budget.step()?;
    budget.check_text(out.len())?;
    match value {
        Value::Null => out.push_str("null"),
        Value::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::List(list) => {
            out.push('[');
            for (index, item) in list.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                budget.deeper(|| write_json(out, &item, budget))?;
            }
            out.push(']');
        }
        Value::Context(context) => {
            out.push('{');
            for (index, (name, value)) in context.in_reference_order().iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write_json_string(out, name);
                out.push(':');
                budget.deeper(|| write_json(out, value, budget))?;
            }
            out.push('}');
        }
        other => {
            let text = scalar_text(other);
            budget.bytes(text.len())?;
            write_json_string(out, &text);
        }
    }
    budget.check_text(out.len())
}

fn scalar_text(value: &Value<'_>) -> String {
    match value {
        Value::String(text) => text.to_string(),
        Value::Date(date) => date.to_string(),
        Value::LocalTime(time) => time.to_string(),
        Value::LocalDateTime(local) => local_iso(*local),
        Value::Time(time) => time_with_offset(time),
        Value::DateTime(date_time) => zoned_with_zone(date_time),
        Value::YearMonthDuration(duration) => period_iso(*duration),
        Value::DayTimeDuration(duration) => duration_iso(*duration),
        other => brief(other),
    }
}

fn write_json_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{C}' => out.push_str("\\f"),
            c if c < ' ' => {
                let escape = format!("\\u{:04X}", u32::from(c));
                out.push_str(&escape);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A value of `from json`; text behind the first JSON value is ignored, as the runtime's parser does. Only a number
/// must end at a blank.
pub(crate) fn read_json<'a>(text: &str, budget: &Budget) -> Result<Option<Value<'a>>, EvalError> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Json>();
    match values.next() {
        Some(Ok(Json::Number(_)))
            if text[values.byte_offset()..].starts_with(|c: char| !is_json_blank(c)) =>
        {
            Ok(None)
        }
        Some(Ok(json)) => owned(&json, budget).map(Some),
        _ => Ok(None),
    }
}

fn is_json_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn owned<'a>(json: &Json, budget: &Budget) -> Result<Value<'a>, EvalError> {
    budget.step()?;
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Boolean(*value),
        Json::Number(number) => from_json_number(number.as_str()),
        Json::String(text) => Value::text(text.as_str()),
        Json::Array(items) => {
            let items: Result<Vec<Value<'a>>, EvalError> =
                items.iter().map(|item| owned(item, budget)).collect();
            Value::List(List::new(items?)?)
        }
        Json::Object(object) => {
            let mut entries = crate::value::Entries::default();
            for (name, value) in object {
                entries.insert(name.clone().into(), owned(value, budget)?);
            }
            Value::Context(Context::new(entries)?)
        }
    })
}
