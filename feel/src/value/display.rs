//! Values as text, as `string()` and the messages show them.

use std::fmt::{self, Write};

use super::Value;

/// Writes a value inside another one: strings in quotes.
pub(crate) fn write_value(out: &mut dyn Write, value: &Value<'_>) -> fmt::Result {
    match value {
        Value::Null => out.write_str("null"),
        Value::Boolean(value) => write!(out, "{value}"),
        Value::Number(value) => write!(out, "{value}"),
        Value::String(value) => write!(out, "\"{}\"", &**value),
        Value::Date(value) => write!(out, "{value}"),
        Value::LocalTime(value) => write!(out, "{value}"),
        Value::Time(value) => write!(out, "{value}"),
        Value::LocalDateTime(value) => write!(out, "{value}"),
        Value::DateTime(value) => write!(out, "{value}"),
        Value::YearMonthDuration(value) => write!(out, "{value}"),
        Value::DayTimeDuration(value) => write!(out, "{value}"),
        Value::List(list) => {
            out.write_str("[")?;
            for (index, item) in list.iter().enumerate() {
                out.write_str(if index == 0 { "" } else { ", " })?;
                write_value(out, &item)?;
            }
            out.write_str("]")
        }
        Value::Context(context) => {
            out.write_str("{")?;
            for (index, (name, value)) in context.in_reference_order().iter().enumerate() {
                write!(out, "{}{}:", if index == 0 { "" } else { ", " }, &**name)?;
                write_value(out, value)?;
            }
            out.write_str("}")
        }
        Value::Range(range) => range.write(out),
        Value::Function(function) => {
            let parameters: Vec<&str> = function.0.parameters.iter().map(|name| &**name).collect();
            write!(out, "function({})", parameters.join(", "))
        }
    }
}

/// Characters of a value in a message.
const BRIEF: usize = 80;

/// The start of a value's text, for messages.
pub(crate) fn brief(value: &Value<'_>) -> String {
    struct Brief {
        text: String,
        room: usize,
    }
    impl Write for Brief {
        fn write_str(&mut self, piece: &str) -> fmt::Result {
            for c in piece.chars() {
                if self.room == 0 {
                    self.text.push('…');
                    return Err(fmt::Error);
                }
                self.text.push(c);
                self.room -= 1;
            }
            Ok(())
        }
    }
    let mut out = Brief { text: String::new(), room: BRIEF };
    // The error only says that the text was cut.
    let _cut = write_value(&mut out, value);
    out.text
}
