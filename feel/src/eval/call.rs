//! Calls: which function is meant, with which arguments, and what a failing one becomes.

use super::{Eval, Evaluator, Failure, no_longer_fatal};
use crate::ast::{Arguments, NodeId, Text};
use crate::engine::{Call, CallError, NativeFunction};
use crate::env::Env;
use crate::error::{EvalError, WarningKind};
use crate::value::{Function, List, Value, brief};

/// A function that was found.
enum Found<'e, 'a> {
    Defined(Function<'a>),
    Native(&'e NativeFunction),
}

impl<'e, 'a> Evaluator<'e, 'a> {
    pub(super) fn call(&self, name: &'a str, arguments: &'a Arguments, env: &Env<'a>) -> Eval<'a> {
        let Some(function) = self.find(name, arguments, env) else {
            let _null = self.no_function::<()>(name, arguments);
            return Ok(Value::Null);
        };
        match self.invoke_found(&function, arguments, env) {
            Err(Failure::Error(reason)) if name == "assert" => Err(EvalError::Failed(reason).into()),
            Err(Failure::Error(reason)) => {
                self.warn(WarningKind::FunctionInvocationFailure, || {
                    format!("Failed to invoke function '{name}': {reason}")
                });
                Ok(Value::Null)
            }
            result => result,
        }
    }

    /// A function of a context; here an error is not made null.
    pub(super) fn method_call(
        &self,
        path: NodeId,
        (name, arguments): (&'a str, &'a Arguments),
        env: &Env<'a>,
    ) -> Eval<'a> {
        let context = match self.eval(path, env)? {
            Value::Context(context) => context,
            other => return self.wrong_type("context", &other),
        };
        match context.functions(name).find(|function| fits(function.0.parameters, false, arguments)) {
            Some(function) => self.invoke_found(&Found::Defined(function.clone()), arguments, env),
            None => self.no_function(name, arguments),
        }
    }

    fn no_function<T>(&self, name: &str, arguments: &Arguments) -> Result<T, Failure> {
        self.error(WarningKind::NoFunctionFound, || match arguments {
            Arguments::Positional(values) => {
                format!("No function found with name '{name}' and {} parameters", values.len())
            }
            Arguments::Named(values) => {
                let names: Vec<&str> = values.iter().map(|(name, _)| &**name).collect();
                format!("No function found with name '{name}' and parameters: {}", names.join(","))
            }
        })
    }

    fn find(&self, name: &str, arguments: &Arguments, env: &Env<'a>) -> Option<Found<'e, 'a>> {
        if let Some(function) = env.function(name, |f| fits(f.0.parameters, false, arguments)) {
            return Some(Found::Defined(function));
        }
        let native = self.engine.functions(name).find(|f| fits(f.parameters, f.variadic, arguments));
        native.map(Found::Native)
    }

    fn invoke_found(&self, function: &Found<'e, 'a>, arguments: &'a Arguments, env: &Env<'a>) -> Eval<'a> {
        match function {
            Found::Defined(function) => {
                let values = self.arguments(function.0.parameters, false, arguments, env)?;
                self.invoke(function, values)
            }
            Found::Native(native) => {
                let values = self.arguments(native.parameters, native.variadic, arguments, env)?;
                self.invoke_native(native, &values)
            }
        }
    }

    /// The values of the parameters, in their order.
    fn arguments<P: AsRef<str>>(
        &self,
        parameters: &[P],
        variadic: bool,
        arguments: &'a Arguments,
        env: &Env<'a>,
    ) -> Result<Vec<Value<'a>>, Failure> {
        match arguments {
            Arguments::Positional(nodes) => {
                let nodes = nodes.iter().map(|node| Some(*node));
                // What fails among the arguments that become a list is only an item of it.
                let values = self.evaluate_all(nodes, env);
                let mut values = if variadic { values.map_err(no_longer_fatal)? } else { values? };
                if variadic && let Some(fixed) = parameters.len().checked_sub(1) {
                    let rest = values.split_off(fixed.min(values.len()));
                    values.push(rest_argument(rest, fixed)?);
                }
                Ok(values)
            }
            Arguments::Named(named) => {
                let find = |parameter: &P| {
                    // Of a name that stands twice the later argument counts.
                    named.iter().rev().find(|(name, _)| **name == *parameter.as_ref()).map(|(_, node)| *node)
                };
                self.evaluate_all(parameters.iter().map(find), env)
            }
        }
    }

    /// Evaluates every node, then fails with the first failure; a fatal one comes before others.
    fn evaluate_all(
        &self,
        nodes: impl Iterator<Item = Option<NodeId>>,
        env: &Env<'a>,
    ) -> Result<Vec<Value<'a>>, Failure> {
        let mut values = Vec::with_capacity(nodes.size_hint().0);
        let mut first = None;
        for node in nodes {
            match node.map_or(Ok(Value::Null), |node| self.eval(node, env)) {
                Ok(value) => values.push(value),
                Err(Failure::Error(reason)) => first = first.or(Some(Failure::Error(reason))),
                Err(failure) => return Err(failure),
            }
        }
        first.map_or(Ok(values), Err)
    }

    /// Runs the body of a function with these arguments.
    pub(crate) fn invoke(&self, function: &Function<'a>, values: Vec<Value<'a>>) -> Eval<'a> {
        let closure = &function.0;
        let mut env = closure.env.clone();
        for (name, value) in closure.parameters.iter().zip(values) {
            env = env.with(name, value);
        }
        self.eval(closure.body, &env)
    }

    fn invoke_native(&self, function: &NativeFunction, values: &[Value<'a>]) -> Eval<'a> {
        let call = Call { arguments: values, evaluator: self };
        (function.body)(&call).map_err(|error| match error {
            CallError::IllegalArguments => {
                let shown: Vec<String> = values.iter().map(|value| format!("'{}'", brief(value))).collect();
                Failure::Error(format!("Illegal arguments: {}", shown.join(", ")))
            }
            CallError::Error(reason) => Failure::Error(reason),
            CallError::Fail(error) => Failure::Abort(error),
        })
    }
}

/// The last parameter of a variadic function takes the rest as a list; a list that stands alone is the rest itself.
fn rest_argument(mut rest: Vec<Value<'_>>, fixed: usize) -> Result<Value<'_>, EvalError> {
    match rest.pop() {
        Some(list @ Value::List(_)) if rest.is_empty() && fixed == 0 => Ok(list),
        Some(last) => {
            rest.push(last);
            Ok(Value::List(List::new(rest)?))
        }
        None => Ok(Value::List(List::new(rest)?)),
    }
}

/// Whether a function with these parameters takes the arguments.
fn fits<P: AsRef<str>>(parameters: &[P], variadic: bool, arguments: &Arguments) -> bool {
    match arguments {
        Arguments::Positional(values) => {
            parameters.len() == values.len() || (variadic && parameters.len() < values.len())
        }
        Arguments::Named(named) => {
            named.iter().all(|(name, _): &(Text, NodeId)| parameters.iter().any(|p| p.as_ref() == &**name))
        }
    }
}
