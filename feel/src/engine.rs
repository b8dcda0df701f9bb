//! What an evaluation needs beside expression and data: further functions, limits, a clock.

use std::fmt;
use std::sync::{Arc, LazyLock};

use crate::builtins;
use crate::clock;
use crate::error::EvalError;
use crate::eval::{Evaluator, Failure};
use crate::limits::Limits;
use crate::number::NumberError;
use crate::value::Value;

/// The engine without further functions, with the default limits and the machine's clock in UTC.
pub(crate) static DEFAULT: LazyLock<Engine> = LazyLock::new(Engine::new);

/// Functions, limits and clock of evaluations; built once and shared.
///
/// ```
/// use camunda_feel::{Engine, Expression, Scope, connector_functions};
///
/// let engine = Engine::new().with_functions(connector_functions::FUNCTIONS);
/// let expression = Expression::parse("= bpmnError(\"DUPLICATE\")")?;
/// let evaluation = expression.evaluate_with(&engine, &Scope::new())?;
/// assert_eq!(evaluation.to_json()?["errorCode"], "DUPLICATE");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Engine {
    functions: Vec<&'static [NativeFunction]>,
    limits: Limits,
    clock: Arc<dyn Fn() -> jiff::Zoned + Send + Sync>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine {
    /// The built-in functions, the default limits, and the machine's clock in UTC.
    pub fn new() -> Self {
        Self { functions: Vec::new(), limits: Limits::default(), clock: Arc::new(clock::now) }
    }

    /// Adds functions; those that are there already come first.
    #[must_use]
    pub fn with_functions(mut self, functions: &'static [NativeFunction]) -> Self {
        self.functions.push(functions);
        self
    }

    /// Sets what one evaluation may cost.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the clock of `now()` and `today()`; its zone is that of `now()`.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> jiff::Zoned + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) fn now(&self) -> jiff::Zoned {
        (self.clock)()
    }

    /// Every overload of a name, the built-in ones first.
    pub(crate) fn functions(&self, name: &str) -> impl Iterator<Item = &NativeFunction> {
        let further = self.functions.iter().flat_map(|functions| functions.iter());
        builtins::overloads(name).iter().copied().chain(further.filter(move |f| f.name == name))
    }
}

/// A function written in Rust that expressions can call.
#[derive(Debug)]
pub struct NativeFunction {
    pub(crate) name: &'static str,
    pub(crate) parameters: &'static [&'static str],
    pub(crate) variadic: bool,
    pub(crate) body: Body,
}

/// The body of a native function: pure, and quick.
pub type Body = for<'c, 'e, 'a> fn(&Call<'c, 'e, 'a>) -> Result<Value<'a>, CallError>;

impl NativeFunction {
    /// A function; another one of the same name is an overload.
    pub const fn new(name: &'static str, parameters: &'static [&'static str], body: Body) -> Self {
        Self { name, parameters, variadic: false, body }
    }

    /// A function whose last parameter takes all further arguments as a list.
    pub(crate) const fn variadic(
        name: &'static str,
        parameters: &'static [&'static str],
        body: Body,
    ) -> Self {
        Self { name, parameters, variadic: true, body }
    }

    /// The name by which expressions call it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The names of its parameters.
    pub fn parameters(&self) -> &'static [&'static str] {
        self.parameters
    }
}

/// One call of a native function.
pub struct Call<'c, 'e, 'a> {
    pub(crate) arguments: &'c [Value<'a>],
    pub(crate) evaluator: &'c Evaluator<'e, 'a>,
}

impl fmt::Debug for Call<'_, '_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("arguments", &self.arguments.len()).finish_non_exhaustive()
    }
}

impl<'a> Call<'_, '_, 'a> {
    /// The arguments, one for each parameter; null for those that were not named.
    pub fn arguments(&self) -> &[Value<'a>] {
        self.arguments
    }

    /// The time of the engine's clock.
    pub fn now(&self) -> jiff::Zoned {
        self.evaluator.engine.now()
    }
}

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallError {
    /// The arguments have the wrong types: the call is null, with a warning.
    IllegalArguments,
    /// The call cannot be done: it is null, with a warning.
    Error(String),
    /// The whole evaluation fails.
    Fail(EvalError),
}

impl CallError {
    /// Fails the whole evaluation.
    pub fn fail(reason: impl Into<String>) -> Self {
        Self::Fail(EvalError::Failed(reason.into()))
    }
}

impl From<EvalError> for CallError {
    fn from(error: EvalError) -> Self {
        Self::Fail(error)
    }
}

impl From<NumberError> for CallError {
    fn from(error: NumberError) -> Self {
        Self::fail(error.to_string())
    }
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Error(reason) | Failure::Fatal(reason) => Self::Error(reason),
            Failure::Abort(error) => Self::Fail(error),
        }
    }
}
