//! Calls of functions, with positional or named arguments.

use super::{Parsed, Parser};
use crate::ast::{Arguments, Node, NodeId, Text};

/// Functions whose names have a reserved word in them.
const NAMES_WITH_RESERVED_WORDS: [&str; 5] =
    ["and", "or", "date and time", "years and months duration", "get or else"];

impl Parser<'_> {
    pub(super) fn call(&mut self) -> Parsed<NodeId> {
        let mut names = self.called_name()?;
        self.spaced("(")?;
        let arguments = self.optional(Self::arguments)?;
        let arguments = arguments.unwrap_or_else(|| Arguments::Positional(Box::default()));
        self.whitespace()?;
        self.literal(")")?;
        let function = names.pop().unwrap_or_default();
        if names.is_empty() {
            return Ok(self.push(Node::Call(function, arguments)));
        }
        let path = self.push(Node::Ref(names.into()));
        Ok(self.push(Node::MethodCall(path, function, arguments)))
    }

    fn called_name(&mut self) -> Parsed<Vec<Text>> {
        if let Some(name) = self.optional(Self::name_with_blanks)? {
            return Ok(vec![name]);
        }
        if let Some(name) = NAMES_WITH_RESERVED_WORDS.iter().find(|name| self.rest().starts_with(**name)) {
            self.pos += name.len();
            return Ok(vec![(*name).into()]);
        }
        self.qualified_name()
    }

    fn arguments(&mut self) -> Parsed<Arguments> {
        if let Some(named) = self.optional(|p| p.comma_separated(Self::named_argument))? {
            return Ok(Arguments::Named(named.into()));
        }
        let values = self.comma_separated(Self::argument)?;
        Ok(Arguments::Positional(values.into()))
    }

    fn named_argument(&mut self) -> Parsed<(Text, NodeId)> {
        let name = self.parameter_name()?;
        self.spaced(":")?;
        Ok((name, self.argument()?))
    }

    /// Only as an argument is a range a value.
    fn argument(&mut self) -> Parsed<NodeId> {
        if let Some(range) = self.optional(Self::range)? {
            return Ok(self.push(Node::Range(range)));
        }
        self.expression()
    }
}
