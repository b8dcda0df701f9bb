//! The values of an evaluation. They borrow from the JSON data and from the expression as long as nothing new is made.

mod compare;
mod context;
mod display;
mod list;
mod order;
mod string;

use std::rc::Rc;

pub(crate) use compare::{compare, is_comparable, same_type};

pub(crate) use display::{brief, write_value};
pub use {context::Context, context::Entries, list::List, string::Str};

use crate::ast::NodeId;
use crate::ast::Text;
use crate::env::Env;
use crate::number::Number;
use crate::range::Range;
use crate::temporal::{
    Date, DayTimeDuration, LocalDateTime, LocalTime, Temporal, YearMonthDuration, ZonedDateTime, ZonedTime,
};

/// A FEEL value; `'a` is the life of the data and of the expression.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// True or false.
    Boolean(bool),
    /// A decimal number.
    Number(Number),
    /// A text.
    String(Str<'a>),
    /// A date.
    Date(Date),
    /// A time of day without an offset.
    LocalTime(LocalTime),
    /// A time of day with an offset or a zone.
    Time(Rc<ZonedTime>),
    /// A date and time without an offset.
    LocalDateTime(LocalDateTime),
    /// A date and time with an offset or a zone.
    DateTime(Rc<ZonedDateTime>),
    /// A duration in months.
    YearMonthDuration(YearMonthDuration),
    /// A duration in seconds.
    DayTimeDuration(DayTimeDuration),
    /// A list.
    List(List<'a>),
    /// A context: entries by name.
    Context(Context<'a>),
    /// A range; only arguments of functions are ranges.
    Range(Rc<Range<'a>>),
    /// A function that the expression defines.
    Function(Function<'a>),
}

/// A function that the expression defines, with the variables at its definition.
#[derive(Debug, Clone)]
pub struct Function<'a>(pub(crate) Rc<Closure<'a>>);

#[derive(Debug)]
pub(crate) struct Closure<'a> {
    pub(crate) parameters: &'a [Text],
    pub(crate) body: NodeId,
    pub(crate) env: Env<'a>,
}

impl<'a> Value<'a> {
    /// A text that lives as long as the data.
    pub fn borrowed(text: &'a str) -> Self {
        Self::String(Str::from(text))
    }

    /// A text that was made.
    pub fn text(text: impl Into<Rc<str>>) -> Self {
        Self::String(Str::from(text.into()))
    }

    pub(crate) fn from_temporal(temporal: &Temporal) -> Self {
        match temporal.clone() {
            Temporal::Date(value) => Self::Date(value),
            Temporal::LocalTime(value) => Self::LocalTime(value),
            Temporal::Time(value) => Self::Time(Rc::new(value)),
            Temporal::LocalDateTime(value) => Self::LocalDateTime(value),
            Temporal::DateTime(value) => Self::DateTime(Rc::new(value)),
            Temporal::YearMonth(value) => Self::YearMonthDuration(value),
            Temporal::DayTime(value) => Self::DayTimeDuration(value),
        }
    }

    /// The name of the type, as `instance of` knows it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Date(_) => "date",
            Self::LocalTime(_) | Self::Time(_) => "time",
            Self::LocalDateTime(_) | Self::DateTime(_) => "date and time",
            Self::YearMonthDuration(_) => "years and months duration",
            Self::DayTimeDuration(_) => "days and time duration",
            Self::List(_) => "list",
            Self::Context(_) => "context",
            Self::Range(_) => "range",
            Self::Function(_) => "function",
        }
    }

    /// How deeply values are nested in it; data that is only borrowed counts as flat.
    pub(crate) fn depth(&self) -> u16 {
        match self {
            Self::List(list) => list.depth(),
            Self::Context(context) => context.depth(),
            Self::Function(function) => function.0.env.depth().saturating_add(1),
            _ => 0,
        }
    }

    /// True for null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<Number> for Value<'_> {
    fn from(value: Number) -> Self {
        Self::Number(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Number(Number::from(value))
    }
}
