//! Values: literals, variables, calls, lists, contexts, functions, parentheses.

use super::{Parsed, Parser};
use crate::ast::{Node, NodeId, Text};

impl Parser<'_> {
    /// The alternatives in the order of the reference; the first that matches counts.
    pub(super) fn terminal(&mut self) -> Parsed<NodeId> {
        // The first character rules most of them out.
        match self.rest().as_bytes().first() {
            None => return self.miss("a value"),
            Some(b'(') => return self.parenthesized(),
            Some(b'[') => return self.list(),
            Some(b'{') => return self.context(),
            Some(b'"') => return self.string_literal(),
            Some(b'0'..=b'9' | b'.' | b'-') => return self.number_literal(),
            Some(b'?') => {
                self.pos += 1;
                return Ok(self.push(Node::Input));
            }
            Some(b'@') => return self.temporal_literal(),
            _ => {}
        }
        for alternative in [
            Self::temporal_literal,
            Self::call,
            Self::variable,
            Self::null_literal,
            Self::boolean_literal,
            Self::function,
        ] {
            if let Some(id) = self.optional(alternative)? {
                return Ok(id);
            }
        }
        self.miss("a value")
    }

    fn variable(&mut self) -> Parsed<NodeId> {
        let names = self.qualified_name()?;
        Ok(self.push(Node::Ref(names.into())))
    }

    fn parenthesized(&mut self) -> Parsed<NodeId> {
        self.literal("(")?;
        self.whitespace()?;
        let inner = self.expression()?;
        self.whitespace()?;
        self.literal(")")?;
        Ok(inner)
    }

    fn list(&mut self) -> Parsed<NodeId> {
        self.literal("[")?;
        self.whitespace()?;
        let items = self.comma_separated_or_none(Self::expression)?;
        self.whitespace()?;
        self.literal("]")?;
        Ok(self.push(Node::List(items.into())))
    }

    fn context(&mut self) -> Parsed<NodeId> {
        self.literal("{")?;
        self.whitespace()?;
        let entries = self.comma_separated_or_none(Self::context_entry)?;
        self.whitespace()?;
        self.literal("}")?;
        Ok(self.push(Node::Context(entries.into())))
    }

    fn context_entry(&mut self) -> Parsed<(Text, NodeId)> {
        let key = self.context_key()?;
        self.spaced(":")?;
        Ok((key, self.expression()?))
    }

    fn function(&mut self) -> Parsed<NodeId> {
        self.literal("function")?;
        self.spaced("(")?;
        let parameters = self.comma_separated_or_none(Self::parameter_name)?;
        self.spaced(")")?;
        let body = self.expression()?;
        Ok(self.push(Node::Function(parameters.into(), body)))
    }
}
