//! What can go wrong: the text is no expression, the evaluation fails, or a part of it becomes null with a warning.

use std::fmt::{self, Display, Formatter};

use crate::limits;
use crate::number::NumberError;

/// The text is no expression.
///
/// ```
/// let error = camunda_feel::Expression::parse("= {a: 1,, b: 2}").unwrap_err();
/// assert_eq!((error.line(), error.column()), (1, 9));
/// println!("{error}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    kind: ParseErrorKind,
    offset: usize,
    line: usize,
    column: usize,
    excerpt: String,
    caret: usize,
}

/// Why the text is no expression.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// None of these stands at the position.
    Expected(Vec<&'static str>),
    /// `/*` without `*/`.
    OpenComment,
    /// Brackets, functions or control structures are nested beyond [`limits::PARSE_DEPTH`].
    TooDeep,
    /// The text is longer than [`limits::EXPRESSION_BYTES`].
    TextTooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A number literal that is too long.
    InvalidNumber(NumberError),
}

/// Characters of the line that the message shows at most on either side.
const EXCERPT: usize = 60;

impl ParseError {
    pub(crate) fn new(kind: ParseErrorKind, text: &str, offset: usize) -> Self {
        let offset = text.floor_char_boundary(offset.min(text.len()));
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[offset..].find('\n').map_or(text.len(), |at| offset + at);
        let shown_start = text[line_start..offset]
            .char_indices()
            .rev()
            .nth(EXCERPT - 1)
            .map_or(line_start, |(at, _)| line_start + at);
        let shown_end =
            text[offset..line_end].char_indices().nth(EXCERPT).map_or(line_end, |(at, _)| offset + at);
        Self {
            kind,
            offset,
            line: before.matches('\n').count() + 1,
            column: text[line_start..offset].chars().count() + 1,
            excerpt: text[shown_start..shown_end].trim_end_matches('\r').to_owned(),
            caret: text[shown_start..offset].chars().count(),
        }
    }

    /// Moves the position behind a prefix that was cut off before parsing.
    pub(crate) fn behind(mut self, text: &str, prefix: usize) -> Self {
        let kind = std::mem::replace(&mut self.kind, ParseErrorKind::TooDeep);
        Self::new(kind, text, self.offset + prefix)
    }

    /// Why.
    pub fn kind(&self) -> &ParseErrorKind {
        &self.kind
    }

    /// Where, in bytes from the start of the text.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column in characters, from 1.
    pub fn column(&self) -> usize {
        self.column
    }
}

impl Display for ParseErrorKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected(expected) => write!(f, "expected {}", one_of(expected)),
            Self::OpenComment => f.write_str("the comment has no end, expected `*/`"),
            Self::TooDeep => write!(f, "nested more than {} levels deep", limits::PARSE_DEPTH),
            Self::TextTooLong { bytes } => {
                write!(f, "the text has {bytes} bytes, at most {} are allowed", limits::EXPRESSION_BYTES)
            }
            Self::InvalidNumber(error) => write!(f, "invalid number: {error}"),
        }
    }
}

/// `a name, "then" or "else"`; symbols and keywords are quoted, kinds of things are not.
fn one_of(expected: &[&'static str]) -> String {
    let quoted: Vec<String> = expected
        .iter()
        .map(|what| {
            if what.starts_with("a ") || what.starts_with("an ") || what.starts_with("the ") {
                (*what).to_owned()
            } else {
                format!("`{what}`")
            }
        })
        .collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => "an expression".to_owned(),
    }
}

impl Display for ParseError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "line {}, column {}: {}", self.line, self.column, self.kind)?;
        writeln!(f, "  {}", self.excerpt)?;
        write!(f, "  {:caret$}^", "", caret = self.caret)
    }
}

impl std::error::Error for ParseError {}

/// The evaluation as a whole failed; most faults only make a part of the result null ([`Warning`]).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EvalError {
    /// A function or operator refuses its operands: `modulo(1, 0)`, `bpmnError(400)`, an `assert` that is not met.
    Failed(String),
    /// The evaluation costs more than [`Limits`](crate::Limits) allow.
    StepsExceeded {
        /// The allowed steps.
        limit: u64,
    },
    /// A list would be too long.
    ListTooLong {
        /// The allowed items.
        limit: usize,
    },
    /// A text would be too long.
    TextTooLong {
        /// The allowed bytes.
        limit: usize,
    },
    /// Calls or values are nested too deeply.
    TooDeep,
}

impl Display for EvalError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(reason) => f.write_str(reason),
            Self::StepsExceeded { limit } => {
                write!(f, "the evaluation takes more than {limit} steps")
            }
            Self::ListTooLong { limit } => write!(f, "a list would have more than {limit} items"),
            Self::TextTooLong { limit } => write!(f, "a text would have more than {limit} bytes"),
            Self::TooDeep => f.write_str("calls or values are nested too deeply"),
        }
    }
}

impl std::error::Error for EvalError {}

/// Something that could not be done and became null, or was not found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Of which kind.
    pub kind: WarningKind,
    /// What happened, with at most a short piece of the data.
    pub message: String,
}

/// The kinds of warnings, by the names that the reference uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WarningKind {
    /// A variable is not in the scope.
    NoVariableFound,
    /// A context has no such entry, or is null.
    NoContextEntryFound,
    /// A value has no such property.
    NoPropertyFound,
    /// No function has this name and these parameters.
    NoFunctionFound,
    /// The values cannot be compared.
    NotComparable,
    /// A value has the wrong type for an operation.
    InvalidType,
    /// A function failed.
    FunctionInvocationFailure,
}

impl Display for WarningKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoVariableFound => "NO_VARIABLE_FOUND",
            Self::NoContextEntryFound => "NO_CONTEXT_ENTRY_FOUND",
            Self::NoPropertyFound => "NO_PROPERTY_FOUND",
            Self::NoFunctionFound => "NO_FUNCTION_FOUND",
            Self::NotComparable => "NOT_COMPARABLE",
            Self::InvalidType => "INVALID_TYPE",
            Self::FunctionInvocationFailure => "FUNCTION_INVOCATION_FAILURE",
        })
    }
}

impl Display for Warning {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}
