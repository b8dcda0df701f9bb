//! Tests of an input value, as they stand behind `in`.

use super::{Parsed, Parser};
use crate::ast::{Node, NodeId, RangeNode};

impl Parser<'_> {
    pub(super) fn in_tests(&mut self, value: NodeId) -> Parsed<NodeId> {
        self.literal("in")?;
        self.whitespace()?;
        let several = self.optional(|p| {
            p.literal("(")?;
            p.whitespace()?;
            let tests = p.comma_separated(Self::test)?;
            p.whitespace()?;
            p.literal(")")?;
            Ok(tests)
        })?;
        let test = match several.as_deref() {
            Some([single]) => *single,
            Some(tests) => self.push(Node::AtLeastOne(tests.into())),
            None => self.test()?,
        };
        Ok(self.push(Node::In(value, test)))
    }

    fn test(&mut self) -> Parsed<NodeId> {
        let last_boolean = self.optional(|p| {
            let boolean = p.boolean_literal()?;
            p.whitespace()?;
            p.end()?;
            Ok(p.push(Node::InputEquals(boolean)))
        })?;
        if let Some(test) = last_boolean {
            return Ok(test);
        }
        if let Some(test) = self.optional(Self::simple_test)? {
            return Ok(test);
        }
        let expression = self.expression()?;
        Ok(self.push(Node::UnaryTest(expression)))
    }

    /// `> 3` or `[1..5]`.
    pub(super) fn simple_test(&mut self) -> Parsed<NodeId> {
        let comparison = self.optional(|p| {
            let operator = p.comparison_operator(false)?;
            p.whitespace()?;
            let end = p.operand()?;
            Ok(p.push(Node::InputCompare(operator, end)))
        })?;
        if let Some(test) = comparison {
            return Ok(test);
        }
        let range = self.range()?;
        Ok(self.push(Node::InRange(range)))
    }

    /// `[1..5]`, `(1..5)`, `]1..5[`.
    pub(super) fn range(&mut self) -> Parsed<RangeNode> {
        self.nested(|p| {
            let start_closed = match p.rest().as_bytes().first() {
                Some(b'[') => true,
                Some(b'(' | b']') => false,
                _ => return p.miss("a value"),
            };
            p.pos += 1;
            p.whitespace()?;
            let start = p.operand()?;
            p.spaced("..")?;
            let end = p.operand()?;
            p.whitespace()?;
            let end_closed = match p.rest().as_bytes().first() {
                Some(b']') => true,
                Some(b')' | b'[') => false,
                _ => return p.miss("the end of the range"),
            };
            p.pos += 1;
            Ok(RangeNode { start, start_closed, end, end_closed })
        })
    }
}
