//! The grammar of the reference (a parsing expression grammar without tokens), production by production.
//!
//! An alternative is tried after the one before it failed; two productions remember their result by position, so
//! that trying costs no exponential time. Nothing here looks at data.

mod access;
mod call;
mod expression;
mod names;
mod operand;
mod primitive;
mod unary_test;
mod whitespace;

use std::collections::BTreeSet;

use crate::ast::{Ast, Node, NodeId};
use crate::error::{ParseError, ParseErrorKind};
use crate::limits;

/// Why a production gave up.
pub(super) enum Stop {
    /// It does not match here; another may.
    NoMatch,
    /// No production may match any more.
    Fatal(ParseErrorKind),
}

pub(super) type Parsed<T> = Result<T, Stop>;

/// What is remembered of a production at a position.
#[derive(Clone, Copy)]
enum Memo {
    Unknown,
    NoMatch,
    /// The node, and where it ended.
    Match(NodeId, usize),
}

pub(crate) struct Parser<'t> {
    text: &'t str,
    pos: usize,
    depth: u32,
    ast: Ast,
    expressions: Vec<Memo>,
    operands: Vec<Memo>,
    /// Whether to note what was missing.
    explains: bool,
    /// The farthest position at which something was missing, and what.
    farthest: usize,
    expected: BTreeSet<&'static str>,
}

/// Parses a whole expression, without the leading `=` of a header.
pub(crate) fn parse(text: &str) -> Result<(Ast, NodeId), ParseError> {
    if text.len() > limits::EXPRESSION_BYTES {
        return Err(ParseError::new(ParseErrorKind::TextTooLong { bytes: text.len() }, text, 0));
    }
    let mut parser = Parser::new(text, false);
    match parser.whole() {
        Ok(root) => Ok((parser.ast, root)),
        Err(Stop::Fatal(kind)) => Err(ParseError::new(kind, text, parser.pos)),
        Err(Stop::NoMatch) => {
            // Only now it pays to note what would have fitted where.
            parser = Parser::new(text, true);
            let _the_same = parser.whole();
            let expected = parser.expected.iter().copied().collect();
            Err(ParseError::new(ParseErrorKind::Expected(expected), text, parser.farthest))
        }
    }
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, explains: bool) -> Self {
        Self {
            text,
            pos: 0,
            depth: 0,
            ast: Ast::default(),
            expressions: vec![Memo::Unknown; text.len() + 1],
            operands: vec![Memo::Unknown; text.len() + 1],
            explains,
            farthest: 0,
            expected: BTreeSet::new(),
        }
    }

    fn whole(&mut self) -> Parsed<NodeId> {
        self.whitespace()?;
        let root = self.expression()?;
        self.whitespace()?;
        self.end()?;
        Ok(root)
    }

    fn push(&mut self, node: Node) -> NodeId {
        self.ast.push(node)
    }

    fn rest(&self) -> &str {
        &self.text[self.pos..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn end(&mut self) -> Parsed<()> {
        if self.pos == self.text.len() { Ok(()) } else { self.miss("the end of the expression") }
    }

    /// Notes what would have fitted here, for the error message.
    fn miss<T>(&mut self, expected: &'static str) -> Parsed<T> {
        if !self.explains {
            return Err(Stop::NoMatch);
        }
        if self.pos > self.farthest {
            self.farthest = self.pos;
            self.expected.clear();
        }
        if self.pos == self.farthest {
            self.expected.insert(expected);
        }
        Err(Stop::NoMatch)
    }

    /// Matches the text as it stands; no word boundary is needed after it.
    fn literal(&mut self, literal: &'static str) -> Parsed<()> {
        if self.rest().starts_with(literal) {
            self.pos += literal.len();
            return Ok(());
        }
        self.miss(literal)
    }

    /// White space, then the text, then white space.
    fn spaced(&mut self, literal: &'static str) -> Parsed<()> {
        self.whitespace()?;
        self.literal(literal)?;
        self.whitespace()
    }

    /// Tries a production; if it does not match, the position is as before.
    fn optional<T>(&mut self, production: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<Option<T>> {
        let start = self.pos;
        match production(self) {
            Ok(value) => Ok(Some(value)),
            Err(Stop::NoMatch) => {
                self.pos = start;
                Ok(None)
            }
            Err(fatal) => Err(fatal),
        }
    }

    /// One or more, separated by commas; a comma that nothing follows is not taken.
    fn comma_separated<T>(&mut self, production: impl Fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = vec![production(self)?];
        while let Some(item) = self.optional(|p| {
            p.spaced(",")?;
            production(p)
        })? {
            items.push(item);
        }
        Ok(items)
    }

    /// None or more, separated by commas.
    fn comma_separated_or_none<T>(&mut self, production: impl Fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        Ok(self.optional(|p| p.comma_separated(&production))?.unwrap_or_default())
    }

    /// Runs a production one level deeper.
    fn nested<T>(&mut self, production: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= limits::PARSE_DEPTH {
            return Err(Stop::Fatal(ParseErrorKind::TooDeep));
        }
        self.depth += 1;
        let result = production(self);
        self.depth -= 1;
        result
    }
}

#[cfg(test)]
mod tests;
