//! Values of one record: fields, and functions of fields.

use std::cmp::Ordering;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::{Number, Value};

use super::super::datetime;
use super::super::decimal::Decimal;
use super::super::error::ApiResult;
use super::super::schema::FieldType;
use super::super::store::{Record, Store};
use super::ast::{Expression, Function};
use super::column::{Column, Scope};

/// Something that has a value for each record.
#[derive(Debug, Clone)]
pub(crate) enum Scalar {
    Column(Box<Column>),
    Call(Function, Box<Scalar>),
    Distance { column: Box<Column>, latitude: f64, longitude: f64, miles: bool },
}

impl Scope<'_> {
    /// Checks an expression that holds no aggregate.
    pub(crate) fn scalar(&self, expression: &Expression) -> ApiResult<Scalar> {
        match expression {
            Expression::Path(path) => Ok(Scalar::Column(Box::new(self.column(path)?))),
            Expression::Distance { field, latitude, longitude, unit } => {
                let number = |text: &String| Decimal::parse(text).map_or(f64::NAN, Decimal::to_f64);
                let column = Box::new(self.column(field)?);
                if column.field.kind != FieldType::Address {
                    let message = format!("field '{}' is not a location", column.label());
                    return Err(self.context.source.error("INVALID_FIELD", field.at, &message));
                }
                let (latitude, longitude) = (number(latitude), number(longitude));
                Ok(Scalar::Distance { column, latitude, longitude, miles: unit == "mi" })
            }
            Expression::Call { function, arguments, at } => {
                let [argument] = &arguments[..] else {
                    return Err(self.context.source.malformed(*at, "expected one argument"));
                };
                if function.is_aggregate() {
                    let message = "Only expressions that are not aggregates may be used here";
                    return Err(self.context.source.malformed(*at, message));
                }
                let argument = self.scalar(argument)?;
                if function.is_date() && !matches!(argument.kind(), FieldType::Date | FieldType::Datetime) {
                    let message = format!("field {} does not support date functions", argument.label());
                    return Err(self.context.source.malformed(*at, &message));
                }
                Ok(Scalar::Call(*function, Box::new(argument)))
            }
        }
    }
}

impl Function {
    fn is_date(self) -> bool {
        !self.is_aggregate()
            && !matches!(self, Self::ToLabel | Self::Format | Self::ConvertCurrency | Self::ConvertTimezone)
    }
}

impl Scalar {
    /// The type of its values.
    pub(crate) fn kind(&self) -> FieldType {
        match self {
            Self::Column(column) => column.field.kind,
            Self::Distance { .. } => FieldType::Double,
            Self::Call(Function::DayOnly, _) => FieldType::Date,
            Self::Call(Function::Format, _) => FieldType::String,
            Self::Call(function, _) if function.is_date() => FieldType::Int,
            Self::Call(_, argument) => argument.kind(),
        }
    }

    /// The column behind it.
    pub(crate) fn column(&self) -> &Column {
        match self {
            Self::Column(column) | Self::Distance { column, .. } => column,
            Self::Call(_, argument) => argument.column(),
        }
    }

    /// The name by which errors call it.
    pub(crate) fn label(&self) -> &str {
        self.column().label()
    }

    /// The value for one record.
    pub(crate) fn value(&self, store: &Store, object: usize, record: &Record) -> Value {
        match self {
            Self::Column(column) => column.value(store, object, record),
            Self::Call(function, argument) => apply(*function, argument.value(store, object, record)),
            Self::Distance { column, latitude, longitude, miles } => {
                distance(&column.value(store, object, record), *latitude, *longitude, *miles)
            }
        }
    }
}

/// The great-circle distance to a compound address that has coordinates.
fn distance(place: &Value, latitude: f64, longitude: f64, miles: bool) -> Value {
    let part = |name: &str| place.get(name).and_then(Value::as_f64).map(f64::to_radians);
    let (Some(to_latitude), Some(to_longitude)) = (part("latitude"), part("longitude")) else {
        return Value::Null;
    };
    let (latitude, longitude) = (latitude.to_radians(), longitude.to_radians());
    let half = |difference: f64| (difference / 2.0).sin().powi(2);
    let chord =
        half(to_latitude - latitude) + latitude.cos() * to_latitude.cos() * half(to_longitude - longitude);
    let radius = if miles { 3958.761 } else { 6371.009 };
    Number::from_f64(2.0 * radius * chord.sqrt().asin()).map_or(Value::Null, Value::Number)
}

/// The value of a function of one value.
pub(crate) fn apply(function: Function, value: Value) -> Value {
    if value.is_null() {
        return value;
    }
    match function {
        Function::Format => Value::String(formatted(&value)),
        function if function.is_date() => {
            value.as_str().and_then(moment).map_or(Value::Null, |at| part(function, at))
        }
        _ => value,
    }
}

fn moment(text: &str) -> Option<DateTime> {
    datetime::parse(text).map(|moment| moment.to_zoned(TimeZone::UTC).datetime())
}

fn part(function: Function, at: DateTime) -> Value {
    let date: Date = at.date();
    let number = match function {
        Function::CalendarMonth | Function::FiscalMonth => i64::from(date.month()),
        Function::CalendarQuarter | Function::FiscalQuarter => i64::from((date.month() - 1) / 3 + 1),
        Function::CalendarYear | Function::FiscalYear => i64::from(date.year()),
        Function::DayInMonth => i64::from(date.day()),
        Function::DayInWeek => i64::from(date.weekday().to_sunday_one_offset()),
        Function::DayInYear => i64::from(date.day_of_year()),
        Function::HourInDay => i64::from(at.hour()),
        Function::WeekInMonth => i64::from((date.day() - 1) / 7 + 1),
        Function::WeekInYear => i64::from((date.day_of_year() - 1) / 7 + 1),
        _ => return Value::String(date.to_string()),
    };
    Value::Number(number.into())
}

/// `FORMAT()` in the locale en_US.
fn formatted(value: &Value) -> String {
    match value {
        Value::Number(number) => grouped(&number.to_string()),
        Value::String(text) => match (datetime::parse_date(text), moment(text)) {
            (Some(date), _) => date.strftime("%-m/%-d/%Y").to_string(),
            (None, Some(at)) => at.strftime("%-m/%-d/%Y, %-I:%M %p").to_string(),
            _ => text.clone(),
        },
        other => other.to_string(),
    }
}

fn grouped(number: &str) -> String {
    let plain = Decimal::parse(number).map_or_else(|| number.to_owned(), |number| number.to_string());
    let (whole, fraction) =
        plain.split_once('.').map_or((plain.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut result = String::new();
    for (position, digit) in whole.char_indices() {
        let left = whole.len() - position;
        if left.is_multiple_of(3) && result.ends_with(|c: char| c.is_ascii_digit()) {
            result.push(',');
        }
        result.push(digit);
    }
    fraction.map_or(result.clone(), |fraction| format!("{result}.{fraction}"))
}

/// The order of two values that are not null: numbers by size, text without case.
pub(crate) fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            Decimal::parse(&left.to_string()).cmp(&Decimal::parse(&right.to_string()))
        }
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::String(left), Value::String(right)) => left.to_lowercase().cmp(&right.to_lowercase()),
        (left, right) => left.to_string().cmp(&right.to_string()),
    }
}

/// The form in which equal values are equal: for grouping and counting distinct ones.
pub(crate) fn identity(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{}", text.to_lowercase()),
        Value::Number(number) => {
            Decimal::parse(&number.to_string()).map_or_else(String::new, |number| number.to_string())
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_of_a_date_are_counted_as_in_the_reference() {
        let at = |function| apply(function, json!("2026-11-22T17:30:00.000+0000"));
        assert_eq!(at(Function::DayInWeek), json!(1));
        assert_eq!(at(Function::WeekInMonth), json!(4));
        assert_eq!(at(Function::WeekInYear), json!(47));
        assert_eq!(at(Function::FiscalQuarter), json!(4));
        assert_eq!(at(Function::HourInDay), json!(17));
        assert_eq!(at(Function::DayOnly), json!("2026-11-22"));
        assert_eq!(apply(Function::CalendarYear, Value::Null), Value::Null);
    }

    #[test]
    fn format_writes_as_in_en_us() {
        for (value, text) in [
            (json!(1_234_567.5), "1,234,567.5"),
            (json!(-123), "-123"),
            (json!(-1234), "-1,234"),
            (json!("2026-01-02"), "1/2/2026"),
            (json!("2026-01-02T15:04:00.000+0000"), "1/2/2026, 3:04 PM"),
        ] {
            assert_eq!(apply(Function::Format, value), json!(text));
        }
    }

    #[test]
    fn a_degree_of_latitude_is_111_kilometres() {
        let place = json!({ "latitude": 1.0, "longitude": 0.0 });
        let kilometres = distance(&place, 0.0, 0.0, false).as_f64().unwrap();
        assert!((kilometres - 111.19).abs() < 0.01, "{kilometres}");
        assert_eq!(distance(&Value::Null, 0.0, 0.0, true), Value::Null);
    }
}
