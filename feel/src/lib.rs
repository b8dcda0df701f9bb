#![doc = include_str!("../README.md")]

pub mod connector_functions;
pub mod limits;

mod ast;
mod budget;
mod builtins;
mod clock;
mod engine;
mod env;
mod error;
mod eval;
mod expression;
mod java_pattern;
mod json;
mod number;
mod parser;
mod range;
mod scope;
mod temporal;
mod value;

pub use builtins::names as function_names;
pub use engine::{Body, Call, CallError, Engine, NativeFunction};
pub use error::{EvalError, ParseError, ParseErrorKind, Warning, WarningKind};
pub use expression::{Evaluation, Expression};
pub use limits::Limits;
pub use number::{Number, NumberError, RoundingMode};
pub use range::Range;
pub use scope::Scope;
pub use temporal::{
    Date, DayTimeDuration, LocalDateTime, LocalTime, Offset, YearMonthDuration, Zone, ZonedDateTime,
    ZonedTime,
};
pub use value::{Context, Entries, Function, List, Str, Value};
