//! The evaluation: a walk over the nodes with the semantics of the reference's interpreter.

mod arithmetic;
mod call;
mod comparison;
mod equality;
mod filter;
mod iteration;
mod path;
mod unary_test;

use std::cell::RefCell;

pub(crate) use comparison::ordered;

use crate::ast::{Ast, Node, NodeId, Text};
use crate::budget::Budget;
use crate::engine::Engine;
use crate::env::Env;
use crate::error::{EvalError, Warning, WarningKind};
use crate::limits;
use crate::scope::Scope;
use crate::value::{Closure, Context, Entries, Function, List, Value, brief};

/// Why a node has no value.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error value: operators and calls make null of it, a literal and the whole expression fail with it.
    Error(String),
    /// `?` without an input value; only a unary test recovers from it.
    Fatal(String),
    /// The evaluation ends.
    Abort(EvalError),
}

impl From<EvalError> for Failure {
    fn from(error: EvalError) -> Self {
        Self::Abort(error)
    }
}

pub(crate) fn abort<T>(reason: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Abort(EvalError::Failed(reason.into())))
}

/// The value of a node.
pub(crate) type Eval<'a> = Result<Value<'a>, Failure>;

/// One evaluation of one expression.
pub(crate) struct Evaluator<'e, 'a> {
    ast: &'a Ast,
    scope: &'e Scope<'a>,
    pub(crate) engine: &'e Engine,
    pub(crate) budget: Budget,
    warnings: RefCell<Vec<Warning>>,
}

impl<'e, 'a> Evaluator<'e, 'a> {
    pub(crate) fn new(ast: &'a Ast, scope: &'e Scope<'a>, engine: &'e Engine) -> Self {
        let budget = Budget::new(engine.limits());
        Self { ast, scope, engine, budget, warnings: RefCell::default() }
    }

    pub(crate) fn run(self, root: NodeId) -> Result<(Value<'a>, Vec<Warning>), EvalError> {
        match self.eval(root, &Env::default()) {
            Ok(value) => Ok((value, self.warnings.into_inner())),
            Err(Failure::Error(reason) | Failure::Fatal(reason)) => Err(EvalError::Failed(reason)),
            Err(Failure::Abort(error)) => Err(error),
        }
    }

    pub(crate) fn warn(&self, kind: WarningKind, message: impl FnOnce() -> String) {
        let mut warnings = self.warnings.borrow_mut();
        if warnings.len() < limits::WARNINGS {
            warnings.push(Warning { kind, message: message() });
        }
    }

    /// Warns, and is an error value.
    fn error<T>(&self, kind: WarningKind, message: impl FnOnce() -> String) -> Result<T, Failure> {
        let message = message();
        self.warn(kind, || message.clone());
        Err(Failure::Error(message))
    }

    fn wrong_type<T>(&self, expected: &str, found: &Value<'_>) -> Result<T, Failure> {
        self.error(WarningKind::InvalidType, || format!("Expected {expected} but found '{}'", brief(found)))
    }

    pub(crate) fn eval(&self, id: NodeId, env: &Env<'a>) -> Eval<'a> {
        self.budget.step()?;
        self.budget.deeper(|| self.node(self.ast.node(id), env))
    }

    fn node(&self, node: &'a Node, env: &Env<'a>) -> Eval<'a> {
        match node {
            Node::Null => Ok(Value::Null),
            Node::Boolean(value) => Ok(Value::Boolean(*value)),
            Node::Number(number) => Ok(Value::Number(number.clone())),
            Node::String(text) => Ok(Value::borrowed(text)),
            Node::Temporal(temporal) => Ok(Value::from_temporal(temporal)),
            Node::Input => self.input_symbol(env),
            Node::List(items) => self.list(items, env),
            Node::Context(entries) => self.context(entries, env),
            Node::Range(range) => self.range(range, env),
            Node::InRange(range) => self.in_range(range, env),
            Node::InputCompare(operator, end) => self.input_compare(*operator, *end, env),
            Node::InputEquals(value) => self.input_equals(*value, env),
            Node::UnaryTest(test) => self.unary_test(*test, env),
            Node::AtLeastOne(tests) | Node::Or(tests) => self.any_of(tests, env),
            Node::And(items) => self.all_of(items, env),
            Node::Arithmetic(first, rest) => null_for_error(self.arithmetic(*first, rest, env)),
            Node::Negate(value) => null_for_error(self.negate(*value, env)),
            Node::Compare(operator, left, right) => self.compare_nodes(*operator, (*left, *right), env),
            Node::NotEqual(left, right) => self.not_equal(*left, *right, env),
            Node::If(condition, then, otherwise) => self.if_then_else(*condition, (*then, *otherwise), env),
            Node::In(value, test) => self.in_test(*value, *test, env),
            Node::InstanceOf(value, name) => self.instance_of(*value, name, env),
            Node::Ref(names) => self.reference(names, env),
            Node::Access(base, steps) => self.access(*base, steps, env),
            Node::For(node) => null_for_error(self.for_each(node, env)),
            Node::Some(iterators, condition) => null_for_error(self.some(iterators, *condition, env)),
            Node::Every(iterators, condition) => null_for_error(self.every(iterators, *condition, env)),
            Node::Sequence(start, end) => self.sequence(*start, *end, env),
            Node::Call(name, arguments) => self.call(name, arguments, env),
            Node::MethodCall(path, name, arguments) => self.method_call(*path, (name, arguments), env),
            Node::Function(parameters, body) => {
                Ok(Value::Function(Function(Closure { parameters, body: *body, env: env.clone() }.into())))
            }
        }
    }

    fn list(&self, items: &'a [NodeId], env: &Env<'a>) -> Eval<'a> {
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            values.push(self.eval(*item, env).map_err(no_longer_fatal)?);
        }
        Ok(Value::List(List::new(values)?))
    }

    /// Entries see the entries before them.
    fn context(&self, nodes: &'a [(Text, NodeId)], env: &Env<'a>) -> Eval<'a> {
        let mut entries = Entries::literal();
        let mut inner = env.clone();
        for (index, (name, node)) in nodes.iter().enumerate() {
            let value = self.eval(*node, &inner).map_err(no_longer_fatal)?;
            let last = index + 1 == nodes.len();
            match value {
                Value::Function(function) => {
                    if !last {
                        inner = inner.with_function(name, function.clone());
                    }
                    entries.insert_function((**name).into(), function);
                }
                value => {
                    if !last {
                        inner = inner.with(name, value.clone());
                    }
                    entries.insert((**name).into(), value);
                }
            }
        }
        Ok(Value::Context(Context::new(entries)?))
    }

    /// Anything but true takes the `else`.
    fn if_then_else(&self, condition: NodeId, branches: (NodeId, NodeId), env: &Env<'a>) -> Eval<'a> {
        let met = match self.eval(condition, env) {
            Ok(Value::Boolean(met)) => met,
            Ok(other) => {
                self.warn(WarningKind::InvalidType, || {
                    format!("Expected boolean but found '{}'", brief(&other))
                });
                false
            }
            Err(Failure::Error(_)) => false,
            Err(failure) => return Err(failure),
        };
        self.eval(if met { branches.0 } else { branches.1 }, env)
    }

    /// A condition of `and`, `or`, `some` and `every`: a boolean, or null for anything else.
    fn boolean(&self, result: Eval<'a>) -> Result<Option<bool>, Failure> {
        match result {
            Ok(Value::Boolean(value)) => Ok(Some(value)),
            Ok(other) => {
                self.warn(WarningKind::InvalidType, || {
                    format!("Expected boolean but found '{}'", brief(&other))
                });
                Ok(None)
            }
            Err(Failure::Error(_)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    fn any_of(&self, items: &'a [NodeId], env: &Env<'a>) -> Eval<'a> {
        let mut state = Some(false);
        for item in items {
            match self.boolean(self.eval(*item, env))? {
                Some(true) => return Ok(Value::Boolean(true)),
                None => state = None,
                Some(false) => {}
            }
        }
        Ok(three_valued(state))
    }

    fn all_of(&self, items: &'a [NodeId], env: &Env<'a>) -> Eval<'a> {
        let mut state = Some(true);
        for item in items {
            match self.boolean(self.eval(*item, env))? {
                Some(false) => return Ok(Value::Boolean(false)),
                None => state = None,
                Some(true) => {}
            }
        }
        Ok(three_valued(state))
    }

    fn instance_of(&self, value: NodeId, name: &str, env: &Env<'a>) -> Eval<'a> {
        let value = self.eval(value, env)?;
        let name = match name {
            "Any" => return Ok(Value::Boolean(!value.is_null())),
            "date time" => "date and time",
            "year-month-duration" => "years and months duration",
            "day-time-duration" => "days and time duration",
            other => other,
        };
        Ok(Value::Boolean(name == value.type_name()))
    }
}

fn three_valued<'a>(state: Option<bool>) -> Value<'a> {
    state.map_or(Value::Null, Value::Boolean)
}

/// Inside a literal a fatal error is an ordinary one.
fn no_longer_fatal(failure: Failure) -> Failure {
    match failure {
        Failure::Fatal(reason) => Failure::Error(reason),
        other => other,
    }
}

/// Operators and control structures make null of an error.
fn null_for_error(result: Eval<'_>) -> Eval<'_> {
    match result {
        Err(Failure::Error(_)) => Ok(Value::Null),
        other => other,
    }
}
