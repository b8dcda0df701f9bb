//! `list[filter]`: by index, or by a condition on each item.

use super::{Eval, Evaluator, Failure};
use crate::ast::{Node, NodeId};
use crate::env::Env;
use crate::number::Number;
use crate::value::{List, Value};

impl<'a> Evaluator<'_, 'a> {
    pub(super) fn filter(&self, list: Eval<'a>, filter: NodeId, env: &Env<'a>) -> Eval<'a> {
        let list = match list? {
            Value::List(list) => list,
            other => return self.wrong_type("list", &other),
        };
        match self.ast.node(filter) {
            Node::Number(index) => return Ok(item_at(&list, index)),
            Node::Negate(inner) => {
                if let Node::Number(index) = self.ast.node(*inner) {
                    return Ok(item_at(&list, &index.negate()));
                }
            }
            Node::Compare(..) | Node::Call(..) | Node::MethodCall(..) => {
                return self.filter_items(&list, filter, env);
            }
            _ => {}
        }
        // Anything else may be an index that does not depend on the item.
        match self.eval(filter, env) {
            Ok(Value::Number(index)) => Ok(item_at(&list, &index)),
            Err(Failure::Abort(error)) => Err(error.into()),
            _ => self.filter_items(&list, filter, env),
        }
    }

    /// A number for the first item is an index; otherwise the items for which the filter is true.
    fn filter_items(&self, list: &List<'a>, filter: NodeId, env: &Env<'a>) -> Eval<'a> {
        let mut selected = Vec::new();
        for (index, item) in list.iter().enumerate() {
            match self.eval(filter, &env.with_item(item.clone())) {
                Ok(Value::Boolean(true)) => selected.push(item),
                Ok(Value::Number(number)) if index == 0 => return Ok(item_at(list, &number)),
                Ok(_) => {}
                Err(Failure::Fatal(reason)) if index > 0 => return Err(Failure::Error(reason)),
                Err(failure) => return Err(failure),
            }
        }
        Ok(Value::List(List::new(selected)?))
    }
}

/// The item at an index from 1, or from the end when negative; a fraction is cut.
fn item_at<'a>(list: &List<'a>, index: &Number) -> Value<'a> {
    let length = Number::from(list.len());
    let from_zero = if index.signum() > 0 { index.subtract(&Number::ONE) } else { length.add(index) }
        .unwrap_or(Number::ZERO);
    if from_zero.signum() < 0 || from_zero >= length {
        return Value::Null;
    }
    let position = usize::try_from(from_zero.to_i32_wrapping()).ok();
    position.and_then(|position| list.get(position)).unwrap_or(Value::Null)
}
