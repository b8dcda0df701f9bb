//! The entry points: parse once, evaluate often.

use serde_json::Value as Json;

use crate::ast::{Ast, NodeId};
use crate::budget::Budget;
use crate::engine::{self, Engine};
use crate::error::{EvalError, ParseError, Warning};
use crate::eval::Evaluator;
use crate::json;
use crate::limits::Limits;
use crate::parser;
use crate::scope::Scope;
use crate::value::Value;

/// A parsed expression. It is `Send` and `Sync`, and reads the same whatever the data are.
#[derive(Debug)]
pub struct Expression {
    text: Box<str>,
    ast: Ast,
    root: NodeId,
}

impl Expression {
    /// Parses the text of a header: blanks around it and one leading `=` are cut off.
    ///
    /// # Errors
    /// [`ParseError`] says where, and what was expected.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let blank = |c: char| c <= ' ';
        let trimmed = text.trim_matches(blank);
        let bare = trimmed.strip_prefix('=').unwrap_or(trimmed).trim_matches(blank);
        let prefix = bare.as_ptr().addr() - text.as_ptr().addr();
        let (ast, root) = parser::parse(bare).map_err(|error| error.behind(text, prefix))?;
        Ok(Self { text: bare.into(), ast, root })
    }

    /// The text without what was cut off.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Evaluates with the built-in functions, the default limits and the machine's clock.
    ///
    /// # Errors
    /// [`EvalError`] when the expression as a whole has no value; a part that has none is null, with a [`Warning`].
    pub fn evaluate<'a>(&'a self, scope: &Scope<'a>) -> Result<Evaluation<'a>, EvalError> {
        self.evaluate_with(&engine::DEFAULT, scope)
    }

    /// Evaluates with the functions, limits and clock of an engine.
    ///
    /// # Errors
    /// As [`Expression::evaluate`].
    pub fn evaluate_with<'a>(
        &'a self,
        engine: &Engine,
        scope: &Scope<'a>,
    ) -> Result<Evaluation<'a>, EvalError> {
        let (value, warnings) = Evaluator::new(&self.ast, scope, engine).run(self.root)?;
        Ok(Evaluation { value, warnings, limits: engine.limits() })
    }
}

/// The result of an evaluation.
#[derive(Debug)]
pub struct Evaluation<'a> {
    value: Value<'a>,
    warnings: Vec<Warning>,
    limits: Limits,
}

impl<'a> Evaluation<'a> {
    /// The value.
    pub fn value(&self) -> &Value<'a> {
        &self.value
    }

    /// What became null on the way, and why; at most a hundred.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The value as the runtime writes it: whole numbers of 64 bits as integers, other numbers as doubles, temporal
    /// values as ISO texts.
    ///
    /// # Errors
    /// When the value is larger than the limits allow; values share parts, and JSON cannot.
    pub fn to_json(&self) -> Result<Json, EvalError> {
        json::to_json(&self.value, &Budget::new(self.limits))
    }
}
