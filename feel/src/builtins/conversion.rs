//! Values from other values: dates, times, durations, texts, JSON.

use super::Outcome;
use crate::engine::{Call, CallError, NativeFunction};
use crate::json::{read_json, write_json};
use crate::number::Number;
use crate::temporal::{
    Date, LocalDateTime, LocalTime, Offset, Temporal, Zone, ZonedDateTime, ZonedTime, parse_date,
    parse_date_time, parse_duration, parse_time,
};
use crate::value::{Value, write_value};

pub(super) const FUNCTIONS: &[NativeFunction] = &[
    NativeFunction::new("date", &["from"], date),
    NativeFunction::new("date", &["year", "month", "day"], date_of_fields),
    NativeFunction::new("date and time", &["from"], date_and_time),
    NativeFunction::new("date and time", &["date", "time"], date_and_time_of_parts),
    NativeFunction::new("time", &["from"], time),
    NativeFunction::new("time", &["hour", "minute", "second"], time_of_fields),
    NativeFunction::new("time", &["hour", "minute", "second", "offset"], time_of_fields),
    NativeFunction::new("number", &["from"], super::number_format::number),
    NativeFunction::new("number", &["from", "grouping separator"], super::number_format::grouped),
    NativeFunction::new(
        "number",
        &["from", "grouping separator", "decimal separator"],
        super::number_format::separated,
    ),
    NativeFunction::new("string", &["from"], string),
    NativeFunction::new("duration", &["from"], duration),
    NativeFunction::new("years and months duration", &["from", "to"], years_and_months),
    NativeFunction::new("from json", &["json"], from_json),
    NativeFunction::new("to json", &["value"], to_json),
];

/// The value, or an error that names what could not be read.
fn parsed<'a>(value: Option<Temporal>, what: &str, text: &str) -> Outcome<'a> {
    match value {
        Some(value) => Ok(Value::from_temporal(&value)),
        None => Err(CallError::Error(format!("Failed to parse {what} from '{text}'"))),
    }
}

fn date<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    match call.arguments {
        [Value::String(text)] => parsed(parse_date(text).map(Temporal::Date), "date", text),
        [Value::Date(date)] => Ok(Value::Date(*date)),
        [Value::LocalDateTime(local)] => Ok(Value::Date(local.date)),
        [Value::DateTime(date_time)] => Ok(Value::Date(date_time.local.date)),
        _ => Err(CallError::IllegalArguments),
    }
}

fn date_of_fields<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::Number(year), Value::Number(month), Value::Number(day)] = call.arguments else {
        return Err(CallError::IllegalArguments);
    };
    let field = |number: &Number| i64::from(number.to_i32_wrapping());
    match Date::new(field(year), field(month), field(day)) {
        Some(date) => Ok(Value::Date(date)),
        None => {
            Err(CallError::Error(format!("Failed to parse date from: year={year}, month={month}, day={day}")))
        }
    }
}

fn date_and_time<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::String(text)] = call.arguments else { return Err(CallError::IllegalArguments) };
    parsed(parse_date_time(text), "date-time", text)
}

fn date_and_time_of_parts<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [first, second] = call.arguments else { return Err(CallError::IllegalArguments) };
    let date = match first {
        Value::Date(date) => *date,
        Value::LocalDateTime(local) => local.date,
        Value::DateTime(date_time) => date_time.local.date,
        _ => return Err(CallError::IllegalArguments),
    };
    Ok(match (first, second) {
        (_, Value::LocalTime(time)) => Value::LocalDateTime(LocalDateTime::new(date, *time)),
        (_, Value::Time(time)) => Value::DateTime(time.on(date).into()),
        (Value::LocalDateTime(local), Value::String(name)) => {
            Value::DateTime(ZonedDateTime::from_local(*local, zone(name)?, None).into())
        }
        (Value::DateTime(date_time), Value::String(name)) => {
            let shown = date_time.in_zone(zone(name)?);
            Value::DateTime(shown.ok_or_else(|| CallError::fail("a date is out of range"))?.into())
        }
        _ => return Err(CallError::IllegalArguments),
    })
}

/// A zone that is not known fails everything.
fn zone(name: &str) -> Result<Zone, CallError> {
    Zone::parse(name).ok_or_else(|| CallError::fail(format!("Unknown time-zone ID: {name}")))
}

fn time<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    match call.arguments {
        [Value::String(text)] => parsed(parse_time(text, call.now().timestamp().as_second()), "time", text),
        [Value::LocalDateTime(local)] => Ok(Value::LocalTime(local.time)),
        [Value::DateTime(date_time)] => Ok(Value::Time(date_time.time().into())),
        [Value::Date(_)] => Ok(Value::Time(ZonedTime::with_offset(LocalTime::MIDNIGHT, Offset::UTC).into())),
        _ => Err(CallError::IllegalArguments),
    }
}

fn time_of_fields<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::Number(hour), Value::Number(minute), Value::Number(second), offset @ ..] = call.arguments
    else {
        return Err(CallError::IllegalArguments);
    };
    // With an offset of null the fraction of the second is left out.
    let nano = if matches!(offset, [Value::Null]) { 0 } else { second.nanoseconds() };
    let field = |number: &Number| i64::from(number.to_i32_wrapping());
    let local = LocalTime::new(field(hour), field(minute), field(second), i64::from(nano));
    let time = match (local, offset) {
        (Some(local), [] | [Value::Null]) => Some(Value::LocalTime(local)),
        (Some(local), [Value::DayTimeDuration(offset)]) => {
            let low = Offset::new(offset.seconds());
            low.map(|offset| Value::Time(ZonedTime::with_offset(local, offset).into()))
        }
        (None, [] | [Value::Null | Value::DayTimeDuration(_)]) => None,
        _ => return Err(CallError::IllegalArguments),
    };
    time.ok_or_else(|| {
        CallError::Error(format!("Failed to parse time from: hour={hour}, minute={minute}, second={second}"))
    })
}

/// A string stays as it is; inside a list or context it stands in quotes.
fn string<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [value] = call.arguments else { return Err(CallError::IllegalArguments) };
    if matches!(value, Value::Null | Value::String(_)) {
        return Ok(value.clone());
    }
    let mut text = Bounded { text: String::new(), call, failed: None };
    let _written = write_value(&mut text, value);
    match text.failed {
        Some(error) => Err(error),
        None => Ok(Value::text(text.text)),
    }
}

/// A text that stops growing at the limits.
struct Bounded<'c, 'e, 'a> {
    text: String,
    call: &'c Call<'c, 'e, 'a>,
    failed: Option<CallError>,
}

impl std::fmt::Write for Bounded<'_, '_, '_> {
    fn write_str(&mut self, piece: &str) -> std::fmt::Result {
        self.text.push_str(piece);
        let budget = &self.call.evaluator.budget;
        let checked = budget.step().and_then(|()| budget.check_text(self.text.len()));
        checked.map_err(|error| {
            self.failed = Some(error.into());
            std::fmt::Error
        })
    }
}

fn duration<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::String(text)] = call.arguments else { return Err(CallError::IllegalArguments) };
    parsed(parse_duration(text), "duration", text)
}

fn years_and_months<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let date = |value: &Value<'a>| match value {
        Value::Date(date) => Ok(*date),
        Value::LocalDateTime(local) => Ok(local.date),
        Value::DateTime(date_time) => Ok(date_time.local.date),
        _ => Err(CallError::IllegalArguments),
    };
    let [from, to] = call.arguments else { return Err(CallError::IllegalArguments) };
    Ok(Value::YearMonthDuration(date(from)?.months_until(date(to)?)))
}

fn from_json<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    match call.arguments {
        [Value::Null] => Ok(Value::Null),
        [Value::String(text)] => {
            // A value of JSON takes a few bytes of text at least.
            call.evaluator.budget.items(text.len() / 4)?;
            read_json(text, &call.evaluator.budget)?
                .ok_or_else(|| CallError::Error("Failed to parse JSON from the text".to_owned()))
        }
        _ => Err(CallError::IllegalArguments),
    }
}

fn to_json<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [value] = call.arguments else { return Err(CallError::IllegalArguments) };
    let mut text = String::new();
    write_json(&mut text, value, &call.evaluator.budget)?;
    Ok(Value::text(text))
}
