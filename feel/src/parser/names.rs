//! Names: Java identifiers that are no reserved words, names with blanks, names in backticks.

use std::sync::LazyLock;

use fancy_regex::Regex;

use super::whitespace::is_whitespace;
use super::{Parsed, Parser};
use crate::ast::Text;

const RESERVED: [&str; 11] =
    ["null", "true", "false", "function", "in", "return", "then", "else", "satisfies", "and", "or"];

/// Letters, letter numbers, currency signs, connecting punctuation (`Character.isJavaIdentifierStart`).
static START: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[\p{L}\p{Nl}\p{Sc}\p{Pc}]$").ok());
/// What may follow: also digits, marks and invisible characters (`Character.isJavaIdentifierPart`).
static PART: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^[\p{L}\p{Nl}\p{Sc}\p{Pc}\p{Nd}\p{Mn}\p{Mc}\p{Cf}\x00-\x08\x0E-\x1B\x7F-\x9F]$").ok()
});

fn matches(class: &LazyLock<Option<Regex>>, c: char) -> bool {
    // The reference looks at UTF-16 units, so a character beyond 16 bits is in no class.
    c <= '\u{FFFF}'
        && class.as_ref().is_some_and(|class| class.is_match(c.encode_utf8(&mut [0; 4])).unwrap_or(false))
}

fn is_start(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphabetic() || matches!(c, '_' | '$') } else { matches(&START, c) }
}

fn is_part(c: char) -> bool {
    if c.is_ascii_graphic() {
        return c.is_ascii_alphanumeric() || matches!(c, '_' | '$');
    }
    !is_whitespace(c) && matches(&PART, c)
}

/// The length of the identifier at the start of the text.
fn identifier_length(text: &str) -> Option<usize> {
    text.chars().next().filter(|c| is_start(*c))?;
    let length = text.find(|c| !is_part(c)).unwrap_or(text.len());
    (!RESERVED.contains(&&text[..length])).then_some(length)
}

impl Parser<'_> {
    fn identifier(&mut self) -> Parsed<()> {
        match identifier_length(self.rest()) {
            Some(length) => {
                self.pos += length;
                Ok(())
            }
            None => self.miss("a name"),
        }
    }

    fn slice(&self, start: usize) -> Text {
        self.text[start..self.pos].into()
    }

    /// An identifier, or anything in backticks.
    pub(super) fn name(&mut self) -> Parsed<Text> {
        let start = self.pos;
        if self.optional(Self::identifier)?.is_some() {
            return Ok(self.slice(start));
        }
        if !self.rest().starts_with('`') {
            return self.miss("a name");
        }
        self.pos += 1;
        let quoted = self.pos;
        let length = self.rest().find('`').unwrap_or(0);
        if length == 0 {
            return self.miss("a name between backticks");
        }
        self.pos += length;
        let name = self.slice(quoted);
        self.pos += 1;
        Ok(name)
    }

    /// Two or more identifiers with blanks between them.
    pub(super) fn name_with_blanks(&mut self) -> Parsed<Text> {
        let start = self.pos;
        self.identifier()?;
        let first = self.pos;
        while self.rest().starts_with(' ') {
            let blanks = self.rest().len() - self.rest().trim_start_matches(' ').len();
            let Some(length) = identifier_length(&self.rest()[blanks..]) else { break };
            self.pos += blanks + length;
        }
        if self.pos == first { self.miss("a name") } else { Ok(self.slice(start)) }
    }

    /// A parameter's name may have blanks.
    pub(super) fn parameter_name(&mut self) -> Parsed<Text> {
        if let Some(name) = self.optional(Self::name_with_blanks)? {
            return Ok(name);
        }
        self.name()
    }

    /// A property or a name; one property of times has a blank in it.
    pub(super) fn property(&mut self) -> Parsed<Text> {
        const WITH_BLANK: &str = "time offset";
        if self.rest().starts_with(WITH_BLANK) {
            self.pos += WITH_BLANK.len();
            return Ok(WITH_BLANK.into());
        }
        self.name()
    }

    /// Names with points between them.
    pub(super) fn qualified_name(&mut self) -> Parsed<Vec<Text>> {
        let mut names = vec![self.property()?];
        while let Some(name) = self.optional(|p| {
            p.spaced(".")?;
            p.property()
        })? {
            names.push(name);
        }
        Ok(names)
    }

    /// The key of a context entry: anything up to a bracket, brace, colon, comma or quote; or quoted, escapes raw.
    pub(super) fn context_key(&mut self) -> Parsed<Text> {
        let start = self.pos;
        let mut end = start;
        while self.peek().is_some_and(|c| !matches!(c, '"' | '{' | '}' | ':' | ',' | '[' | ']' | '`')) {
            // Blanks and comments inside the key belong to it, those behind it do not.
            self.whitespace()?;
            let Some(c) = self.peek() else { break };
            self.pos += c.len_utf8();
            end = self.pos;
            self.whitespace()?;
        }
        if end > start {
            self.pos = end;
            return Ok(self.slice(start));
        }
        self.pos = start;
        if self.rest().starts_with('"') {
            return self.quoted().map(Into::into);
        }
        self.name()
    }
}
