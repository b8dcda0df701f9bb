//! Two kinds of equality: that of `=`, which looks into contexts and lists, and that of `list contains`, for which
//! two context literals are never equal.

use super::Evaluator;
use crate::error::EvalError;
use crate::value::{Context, List, Value};

impl<'a> Evaluator<'_, 'a> {
    /// Whether the values are equal; none when their types differ and neither is null.
    pub(crate) fn equal(&self, x: &Value<'a>, y: &Value<'a>) -> Result<Option<bool>, EvalError> {
        self.budget.step()?;
        Ok(Some(match (x, y) {
            (Value::Null, other) | (other, Value::Null) => other.is_null(),
            (Value::List(x), Value::List(y)) => {
                self.pairwise(x, y, |x, y| Ok(self.equal(x, y)? == Some(true)))?
            }
            (Value::Context(x), Value::Context(y)) => {
                self.entrywise(x, y, |x, y| Ok(self.equal(x, y)? == Some(true)))?
            }
            _ => return Ok(scalar_equal(x, y)),
        }))
    }

    /// Whether both are the same value of the same type.
    pub(crate) fn identical(&self, x: &Value<'a>, y: &Value<'a>) -> Result<bool, EvalError> {
        self.budget.step()?;
        match (x, y) {
            (Value::Null, Value::Null) => Ok(true),
            (Value::List(x), Value::List(y)) => self.pairwise(x, y, |x, y| self.identical(x, y)),
            (Value::Context(x), Value::Context(y)) => match x.same_literal(y) {
                Some(same) => Ok(same),
                None => self.entrywise(x, y, |x, y| self.identical(x, y)),
            },
            (Value::Range(x), Value::Range(y)) => Ok(x.start.closed == y.start.closed
                && x.end.closed == y.end.closed
                && self.identical(&x.start.value, &y.start.value)?
                && self.identical(&x.end.value, &y.end.value)?),
            (Value::Function(x), Value::Function(y)) => Ok(std::rc::Rc::ptr_eq(&x.0, &y.0)),
            _ => Ok(scalar_equal(x, y) == Some(true)),
        }
    }

    fn pairwise(
        &self,
        x: &List<'a>,
        y: &List<'a>,
        same: impl Fn(&Value<'a>, &Value<'a>) -> Result<bool, EvalError>,
    ) -> Result<bool, EvalError> {
        if x.len() != y.len() {
            return Ok(false);
        }
        for (x, y) in x.iter().zip(y.iter()) {
            if !self.budget.deeper(|| same(&x, &y))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn entrywise(
        &self,
        x: &Context<'a>,
        y: &Context<'a>,
        same: impl Fn(&Value<'a>, &Value<'a>) -> Result<bool, EvalError>,
    ) -> Result<bool, EvalError> {
        if x.len() != y.len() {
            return Ok(false);
        }
        for (name, x) in x.entries() {
            let Some(y) = y.get(&name) else { return Ok(false) };
            if !self.budget.deeper(|| same(&x, &y))? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn scalar_equal(x: &Value<'_>, y: &Value<'_>) -> Option<bool> {
    Some(match (x, y) {
        (Value::Number(x), Value::Number(y)) => x == y,
        (Value::Boolean(x), Value::Boolean(y)) => x == y,
        (Value::String(x), Value::String(y)) => x == y,
        (Value::Date(x), Value::Date(y)) => x == y,
        (Value::LocalTime(x), Value::LocalTime(y)) => x == y,
        (Value::Time(x), Value::Time(y)) => x == y,
        (Value::LocalDateTime(x), Value::LocalDateTime(y)) => x == y,
        (Value::DateTime(x), Value::DateTime(y)) => x == y,
        (Value::YearMonthDuration(x), Value::YearMonthDuration(y)) => x == y,
        (Value::DayTimeDuration(x), Value::DayTimeDuration(y)) => x == y,
        _ => return None,
    })
}
