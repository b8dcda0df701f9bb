//! Ranges as arguments: `[1..5]`, `(a..b]`.

use std::fmt::{self, Write};

use crate::value::{Value, write_value};

/// A range between two values of one type.
#[derive(Debug, Clone)]
pub struct Range<'a> {
    pub(crate) start: Boundary<'a>,
    pub(crate) end: Boundary<'a>,
}

/// One end of a range.
#[derive(Debug, Clone)]
pub(crate) struct Boundary<'a> {
    pub(crate) value: Value<'a>,
    /// Whether the value itself belongs to the range.
    pub(crate) closed: bool,
}

impl<'a> Range<'a> {
    /// The range, if both values are numbers, or temporal values of one type.
    pub(crate) fn new(start: Boundary<'a>, end: Boundary<'a>) -> Option<Self> {
        let valid = crate::value::same_type(&start.value, &end.value) && is_point(&start.value);
        valid.then_some(Self { start, end })
    }

    pub(crate) fn write(&self, out: &mut dyn Write) -> fmt::Result {
        out.write_str(if self.start.closed { "[" } else { "(" })?;
        write_value(out, &self.start.value)?;
        out.write_str("..")?;
        write_value(out, &self.end.value)?;
        out.write_str(if self.end.closed { "]" } else { ")" })
    }
}

/// Whether a value may be a point of a range function.
pub(crate) fn is_point(value: &Value<'_>) -> bool {
    matches!(
        value,
        Value::Number(_)
            | Value::Date(_)
            | Value::Time(_)
            | Value::LocalTime(_)
            | Value::DateTime(_)
            | Value::LocalDateTime(_)
            | Value::YearMonthDuration(_)
            | Value::DayTimeDuration(_)
    )
}
