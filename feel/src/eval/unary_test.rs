//! `in`, and the tests behind it: each looks at an input value that it finds under a name.

use super::comparison::{holds, ordered};
use super::{Eval, Evaluator, Failure};
use crate::ast::{Comparison, NodeId, RangeNode};
use crate::env::Env;
use crate::error::WarningKind;
use crate::range::{Boundary, Range};
use crate::value::{Value, brief, is_comparable, same_type};

/// The variable that holds the input value, and the one that may name another variable for it.
const INPUT: &str = "cellInput";
const INPUT_NAME: &str = "inputVariableName";
const INPUT_SYMBOL: &str = "?";

impl<'a> Evaluator<'_, 'a> {
    /// `?` is bound only while a unary test is evaluated again with it.
    pub(super) fn input_symbol(&self, env: &Env<'a>) -> Eval<'a> {
        self.variable(INPUT_SYMBOL, env)?.ok_or_else(|| {
            Failure::Fatal(
                "No input value available. '?' can only be used inside an unary-test expression.".to_owned(),
            )
        })
    }

    fn input_name(&self, env: &Env<'a>) -> Result<Option<Value<'a>>, Failure> {
        Ok(self.variable(INPUT_NAME, env)?.filter(|name| name.as_str().is_some()))
    }

    fn input(&self, env: &Env<'a>) -> Eval<'a> {
        let name = self.input_name(env)?;
        let name = name.as_ref().and_then(Value::as_str).unwrap_or(INPUT);
        Ok(self.variable(name, env)?.unwrap_or_else(|| {
            self.warn(WarningKind::NoVariableFound, || "No input value found.".to_owned());
            Value::Null
        }))
    }

    pub(super) fn in_test(&self, value: NodeId, test: NodeId, env: &Env<'a>) -> Eval<'a> {
        let value = self.eval(value, env)?;
        let mut inner = env.with(INPUT, value);
        if self.input_name(env)?.is_some() {
            // The data names another variable for the input; the tests shall read this one.
            inner = inner.with(INPUT_NAME, Value::borrowed(INPUT));
        }
        self.eval(test, &inner)
    }

    pub(super) fn input_compare(&self, operator: Comparison, end: NodeId, env: &Env<'a>) -> Eval<'a> {
        let input = self.input(env)?;
        let end = self.eval(end, env)?;
        self.compare_values(operator, &input, &end)
    }

    pub(super) fn input_equals(&self, value: NodeId, env: &Env<'a>) -> Eval<'a> {
        let input = self.input(env)?;
        self.equality(&input, &self.eval(value, env)?)
    }

    pub(super) fn in_range(&self, range: &RangeNode, env: &Env<'a>) -> Eval<'a> {
        let (start, end) = (self.eval(range.start, env), self.eval(range.end, env));
        let input = self.input(env)?;
        let (start, end) = (or_null(start)?, or_null(end)?);
        let comparable = [&start, &end].iter().all(|v| same_type(&input, v) && is_comparable(v));
        if !comparable || !is_comparable(&input) {
            self.warn(WarningKind::NotComparable, || {
                format!("Can't compare '{}' with '{}' and '{}'", brief(&input), brief(&start), brief(&end))
            });
            return Ok(Value::Null);
        }
        let from = if range.start_closed { Comparison::GreaterOrEqual } else { Comparison::Greater };
        let to = if range.end_closed { Comparison::LessOrEqual } else { Comparison::Less };
        let inside = holds(from, ordered(&input, &start)?) && holds(to, ordered(&input, &end)?);
        Ok(Value::Boolean(inside))
    }

    /// A range as an argument.
    pub(super) fn range(&self, range: &RangeNode, env: &Env<'a>) -> Eval<'a> {
        let start = Boundary { value: self.eval(range.start, env)?, closed: range.start_closed };
        let end = Boundary { value: self.eval(range.end, env)?, closed: range.end_closed };
        match Range::new(start, end) {
            Some(range) => Ok(Value::Range(range.into())),
            None => self.error(WarningKind::InvalidType, || "Invalid range definition".to_owned()),
        }
    }

    /// True when the expression is true, or a list with the input, or the input itself.
    pub(super) fn unary_test(&self, test: NodeId, env: &Env<'a>) -> Eval<'a> {
        let input = self.input(env)?;
        match self.eval(test, env) {
            Err(Failure::Fatal(_)) => Ok(match self.eval(test, &env.with(INPUT_SYMBOL, input)) {
                Ok(value @ Value::Boolean(_)) => value,
                Err(Failure::Abort(error)) => return Err(error.into()),
                _ => Value::Null,
            }),
            Err(Failure::Error(_)) => Ok(Value::Boolean(false)),
            Err(abort) => Err(abort),
            Ok(Value::Boolean(true)) => Ok(Value::Boolean(true)),
            Ok(value) => self.test_against(&input, &value),
        }
    }

    fn test_against(&self, input: &Value<'a>, value: &Value<'a>) -> Eval<'a> {
        if let Value::List(list) = value {
            for item in list.iter() {
                if self.identical(&item, input)? {
                    return Ok(Value::Boolean(true));
                }
            }
        }
        let equal = self.equality(input, value)?;
        Ok(match (equal, value) {
            (Value::Boolean(true), _) => Value::Boolean(true),
            (_, Value::Boolean(false) | Value::List(_)) | (Value::Boolean(false), _) => Value::Boolean(false),
            _ => Value::Null,
        })
    }
}

/// An error at the end of a range is as good as null: not comparable.
fn or_null(result: Eval<'_>) -> Eval<'_> {
    match result {
        Err(Failure::Abort(error)) => Err(Failure::Abort(error)),
        Err(_) => Ok(Value::Null),
        ok => ok,
    }
}
