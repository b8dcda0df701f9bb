//! Literals: null, booleans, numbers, strings, temporal values.

use super::{Parsed, Parser, Stop};
use crate::ast::{Node, NodeId};
use crate::clock;
use crate::error::ParseErrorKind;
use crate::temporal::{Temporal, parse_any, parse_date, parse_date_time, parse_duration_literal, parse_time};

impl Parser<'_> {
    pub(super) fn null_literal(&mut self) -> Parsed<NodeId> {
        self.literal("null")?;
        Ok(self.push(Node::Null))
    }

    pub(super) fn boolean_literal(&mut self) -> Parsed<NodeId> {
        let value = self.optional(|p| p.literal("true"))?.is_some();
        if !value {
            self.literal("false")?;
        }
        Ok(self.push(Node::Boolean(value)))
    }

    pub(super) fn number_literal(&mut self) -> Parsed<NodeId> {
        let bytes = self.rest().as_bytes();
        let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let sign = usize::from(bytes.first() == Some(&b'-'));
        let whole = digits(sign);
        let mut end = sign + whole;
        if bytes.get(end) == Some(&b'.') {
            let fraction = digits(end + 1);
            end += if fraction > 0 { 1 + fraction } else { 0 };
        }
        if end == sign {
            return self.miss("a number");
        }
        let number =
            self.rest()[..end].parse().map_err(|error| Stop::Fatal(ParseErrorKind::InvalidNumber(error)))?;
        self.pos += end;
        Ok(self.push(Node::Number(number)))
    }

    /// A string in double quotes, escapes as written.
    pub(super) fn quoted(&mut self) -> Parsed<&str> {
        self.literal("\"")?;
        let start = self.pos;
        let mut chars = self.rest().char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.pos = start + at + 1;
                    return Ok(&self.text[start..start + at]);
                }
                '\\' => {
                    chars.next();
                }
                _ => {}
            }
        }
        self.pos = self.text.len();
        self.miss("\"")
    }

    pub(super) fn string_literal(&mut self) -> Parsed<NodeId> {
        let text = translate_escapes(self.quoted()?);
        Ok(self.push(Node::String(text.into())))
    }

    /// `date("…")`, `time("…")`, `date and time("…")`, `duration("…")`, `@"…"`; null when the text is no such value.
    pub(super) fn temporal_literal(&mut self) -> Parsed<NodeId> {
        type Reader = fn(&str) -> Option<Temporal>;
        const KINDS: [(&str, Reader); 4] = [
            ("duration", parse_duration_literal),
            ("date and time", parse_date_time),
            ("date", |text| parse_date(text).map(Temporal::Date)),
            ("time", |text| parse_time(text, clock::now_second())),
        ];
        let value = if self.optional(|p| p.literal("@"))?.is_some() {
            self.whitespace()?;
            parse_any(self.quoted()?, clock::now_second())
        } else {
            let Some((name, read)) = KINDS.iter().find(|(name, _)| self.rest().starts_with(name)) else {
                return self.miss("a value");
            };
            self.pos += name.len();
            self.spaced("(")?;
            let value = read(self.quoted()?);
            self.whitespace()?;
            self.literal(")")?;
            value
        };
        Ok(self.push(value.map_or(Node::Null, Node::Temporal)))
    }
}

/// `\n \r \t \b \f \' \"` where the backslash is single; then `\\` is one backslash. All else stays.
fn translate_escapes(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        let mut backslashes = 1;
        while chars.next_if_eq(&'\\').is_some() {
            backslashes += 1;
        }
        let escaped = match chars.peek() {
            _ if backslashes > 1 => None,
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{C}'),
            Some(quote @ ('\'' | '"')) => Some(*quote),
            _ => None,
        };
        if let Some(escaped) = escaped {
            text.push(escaped);
            chars.next();
        } else {
            text.extend(std::iter::repeat_n('\\', usize::div_ceil(backslashes, 2)));
        }
    }
    text
}
