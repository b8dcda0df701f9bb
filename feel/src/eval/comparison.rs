//! `=`, `!=`, `<` and its relatives.

use std::cmp::Ordering;

use super::{Eval, Evaluator, Failure, abort};
use crate::ast::{Comparison, NodeId};
use crate::env::Env;
use crate::error::WarningKind;
use crate::value::{Value, brief, compare, is_comparable, same_type};

impl<'a> Evaluator<'_, 'a> {
    pub(super) fn compare_nodes(
        &self,
        operator: Comparison,
        (left, right): (NodeId, NodeId),
        env: &Env<'a>,
    ) -> Eval<'a> {
        let (left, right) = (self.eval(left, env), self.eval(right, env));
        self.compare_values(operator, &left?, &right?)
    }

    pub(super) fn not_equal(&self, left: NodeId, right: NodeId, env: &Env<'a>) -> Eval<'a> {
        let equal = self.compare_nodes(Comparison::Equal, (left, right), env);
        Ok(match self.boolean(equal)? {
            Some(equal) => Value::Boolean(!equal),
            None => Value::Null,
        })
    }

    pub(super) fn compare_values(&self, operator: Comparison, x: &Value<'a>, y: &Value<'a>) -> Eval<'a> {
        if operator == Comparison::Equal {
            return self.equality(x, y);
        }
        if !is_comparable(x) || !is_comparable(y) || !same_type(x, y) {
            return Ok(self.not_comparable(x, y));
        }
        Ok(Value::Boolean(holds(operator, ordered(x, y)?)))
    }

    pub(super) fn equality(&self, x: &Value<'a>, y: &Value<'a>) -> Eval<'a> {
        match self.equal(x, y)? {
            Some(equal) => Ok(Value::Boolean(equal)),
            None => Ok(self.not_comparable(x, y)),
        }
    }

    pub(super) fn not_comparable(&self, x: &Value<'a>, y: &Value<'a>) -> Value<'a> {
        self.warn(WarningKind::NotComparable, || format!("Can't compare '{}' with '{}'", brief(x), brief(y)));
        Value::Null
    }
}

/// The order of two values that look comparable; lists are not, and that fails everything.
pub(crate) fn ordered(x: &Value<'_>, y: &Value<'_>) -> Result<Ordering, Failure> {
    match compare(x, y) {
        Some(order) => Ok(order),
        None => abort(format!("{} can not be compared to {}", brief(x), brief(y))),
    }
}

pub(super) fn holds(operator: Comparison, order: Ordering) -> bool {
    match operator {
        Comparison::Equal => order.is_eq(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}
