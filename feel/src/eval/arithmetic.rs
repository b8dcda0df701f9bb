//! `+ - * / **` and the sign, on numbers, texts and temporal values.

use super::{Eval, Evaluator, Failure, abort};
use crate::ast::{NodeId, Operator};
use crate::env::Env;
use crate::error::WarningKind;
use crate::number::{Number, NumberError};
use crate::temporal::{DayTimeDuration, YearMonthDuration};
use crate::value::{Str, Value, brief};

/// An operation that leaves the range of its type fails the whole evaluation, as it does in the reference.
pub(crate) fn in_range<T>(value: Option<T>) -> Result<T, Failure> {
    value.map_or_else(|| abort("a date, time or duration is out of range"), Ok)
}

impl From<NumberError> for Failure {
    fn from(error: NumberError) -> Self {
        Self::Abort(crate::EvalError::Failed(error.to_string()))
    }
}

impl<'a> Evaluator<'_, 'a> {
    pub(super) fn arithmetic(
        &self,
        first: NodeId,
        rest: &'a [(Operator, NodeId)],
        env: &Env<'a>,
    ) -> Eval<'a> {
        let mut value = self.eval(first, env);
        for (operator, node) in rest {
            let operand = self.eval(*node, env);
            // Each operation of a chain makes null of an error, also of one in an operand.
            value = super::null_for_error(match (value, operand) {
                (Ok(x), Ok(y)) => self.operate(*operator, &x, &y),
                (Err(abort @ Failure::Abort(_)), _) | (_, Err(abort @ Failure::Abort(_))) => Err(abort),
                (Err(failure), _) | (_, Err(failure)) => Err(failure),
            });
        }
        value
    }

    pub(super) fn negate(&self, value: NodeId, env: &Env<'a>) -> Eval<'a> {
        match self.eval(value, env)? {
            Value::Number(number) => Ok(Value::Number(number.negate())),
            other => self.wrong_type("number", &other),
        }
    }

    fn operate(&self, operator: Operator, x: &Value<'a>, y: &Value<'a>) -> Eval<'a> {
        let result = match operator {
            Operator::Add => self.add(x, y)?,
            Operator::Subtract => subtract(x, y)?,
            Operator::Multiply => multiply(x, y)?,
            Operator::Divide => divide(x, y)?,
            Operator::Power => return self.power(x, y),
        };
        if let Some(value) = result {
            return Ok(value);
        }
        self.error(WarningKind::InvalidType, || {
            let (x, y) = (brief(x), brief(y));
            match operator {
                Operator::Add => format!("Can't add '{y}' to '{x}'"),
                Operator::Subtract => format!("Can't subtract '{y}' from '{x}'"),
                Operator::Multiply => format!("Can't multiply '{x}' by '{y}'"),
                _ => format!("Can't divide '{x}' by '{y}'"),
            }
        })
    }

    fn add(&self, x: &Value<'a>, y: &Value<'a>) -> Result<Option<Value<'a>>, Failure> {
        match (x, y) {
            (Value::Number(x), Value::Number(y)) => Ok(Some(Value::Number(x.add(y)?))),
            (Value::String(x), Value::String(y)) => self.concatenate(x, y).map(Some),
            (other, Value::YearMonthDuration(d)) | (Value::YearMonthDuration(d), other) => {
                plus_months(other, d.total_months())
            }
            (other, Value::DayTimeDuration(d)) | (Value::DayTimeDuration(d), other) => {
                plus_duration(other, *d)
            }
            _ => Ok(None),
        }
    }

    fn concatenate(&self, x: &Str<'a>, y: &Str<'a>) -> Eval<'a> {
        let length = x.len() + y.len();
        self.budget.check_text(length)?;
        self.budget.bytes(length)?;
        let mut text = String::with_capacity(length);
        text.push_str(x);
        text.push_str(y);
        Ok(Value::text(text))
    }

    fn power(&self, x: &Value<'a>, y: &Value<'a>) -> Eval<'a> {
        let Value::Number(base) = x else { return self.wrong_type("number", x) };
        let Value::Number(exponent) = y else { return self.wrong_type("number", y) };
        Ok(Value::Number(if exponent.is_integer() {
            base.power(exponent.to_i32_wrapping())?
        } else {
            Number::from_f64(base.to_f64().powf(exponent.to_f64()))?
        }))
    }
}

type Operation<'a> = Result<Option<Value<'a>>, Failure>;

fn plus_months<'a>(value: &Value<'a>, months: i64) -> Operation<'a> {
    Ok(Some(match value {
        Value::Date(date) => Value::Date(in_range(date.plus_months(months))?),
        Value::LocalDateTime(local) => Value::LocalDateTime(in_range(local.plus_months(months))?),
        Value::DateTime(date_time) => Value::DateTime(in_range(date_time.plus_months(months))?.into()),
        Value::YearMonthDuration(duration) => {
            let sum = duration.plus(YearMonthDuration::from_months(months));
            Value::YearMonthDuration(in_range(sum)?)
        }
        _ => return Ok(None),
    }))
}

fn plus_duration<'a>(value: &Value<'a>, duration: DayTimeDuration) -> Operation<'a> {
    Ok(Some(match value {
        Value::Date(date) => Value::Date(in_range(date.plus(duration))?),
        Value::LocalTime(time) => Value::LocalTime(time.plus(duration)),
        Value::Time(time) => Value::Time(time.plus(duration).into()),
        Value::LocalDateTime(local) => Value::LocalDateTime(in_range(local.plus(duration))?),
        Value::DateTime(date_time) => Value::DateTime(in_range(date_time.plus(duration))?.into()),
        Value::DayTimeDuration(other) => Value::DayTimeDuration(in_range(other.plus(duration))?),
        _ => return Ok(None),
    }))
}

fn subtract<'a>(x: &Value<'a>, y: &Value<'a>) -> Operation<'a> {
    Ok(Some(match (x, y) {
        (Value::Number(x), Value::Number(y)) => Value::Number(x.subtract(y)?),
        (Value::YearMonthDuration(x), Value::YearMonthDuration(y)) => {
            Value::YearMonthDuration(in_range(x.minus(*y))?)
        }
        (Value::DayTimeDuration(x), Value::DayTimeDuration(y)) => {
            Value::DayTimeDuration(in_range(x.minus(*y))?)
        }
        (other, Value::YearMonthDuration(d)) => return plus_months(other, -d.total_months()),
        (Value::Date(x), Value::DayTimeDuration(d)) => Value::Date(in_range(x.plus(d.negated()))?),
        (other, Value::DayTimeDuration(d)) => return plus_duration(other, d.negated()),
        (Value::Date(x), Value::Date(y)) => {
            let days = x.epoch_day() - y.epoch_day();
            Value::DayTimeDuration(DayTimeDuration::from_seconds(days * crate::temporal::SECONDS_PER_DAY))
        }
        (Value::LocalTime(x), Value::LocalTime(y)) => {
            Value::DayTimeDuration(in_range(DayTimeDuration::from_nanos(i128::from(x.nanos() - y.nanos())))?)
        }
        (Value::Time(x), Value::Time(y)) => Value::DayTimeDuration(x.distance(y)),
        (Value::LocalDateTime(x), Value::LocalDateTime(y)) => Value::DayTimeDuration(in_range(x.since(*y))?),
        (Value::DateTime(x), Value::DateTime(y)) => Value::DayTimeDuration(in_range(x.since(y))?),
        _ => return Ok(None),
    }))
}

fn multiply<'a>(x: &Value<'a>, y: &Value<'a>) -> Operation<'a> {
    Ok(Some(match (x, y) {
        (Value::Number(x), Value::Number(y)) => Value::Number(x.multiply(y)?),
        (Value::YearMonthDuration(d), Value::Number(n)) | (Value::Number(n), Value::YearMonthDuration(d)) => {
            Value::YearMonthDuration(in_range(d.times(n.to_i32_wrapping()))?)
        }
        (Value::DayTimeDuration(d), Value::Number(n)) | (Value::Number(n), Value::DayTimeDuration(d)) => {
            Value::DayTimeDuration(in_range(d.times(n.to_i32_wrapping()))?)
        }
        _ => return Ok(None),
    }))
}

/// Durations are divided by whole milliseconds and months; the reference cuts the rest.
fn divide<'a>(x: &Value<'a>, y: &Value<'a>) -> Operation<'a> {
    Ok(Some(match (x, y) {
        (Value::Number(x), Value::Number(y)) if !y.is_zero() => Value::Number(x.divide(y)?),
        (Value::YearMonthDuration(x), Value::Number(y)) if !y.is_zero() => {
            let months = Number::from(x.total_months()).divide(y)?.to_i32_wrapping();
            Value::YearMonthDuration(YearMonthDuration::from_months(i64::from(months)))
        }
        (Value::YearMonthDuration(x), Value::YearMonthDuration(y)) if y.total_months() != 0 => {
            Value::from(x.total_months() / y.total_months())
        }
        (Value::DayTimeDuration(x), Value::DayTimeDuration(y)) if y.nanos() != 0 => {
            let (x, y) = (in_range(x.millis())?, in_range(y.millis())?);
            match x.checked_div(y) {
                Some(quotient) => Value::from(quotient),
                None => return abort("a duration of less than a millisecond is no divisor"),
            }
        }
        (Value::DayTimeDuration(x), Value::Number(y)) if !y.is_zero() => {
            Value::DayTimeDuration(in_range(x.divided_by(y))?)
        }
        _ => return Ok(None),
    }))
}
