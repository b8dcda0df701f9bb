//! Control structures and operators, from the loosest to the tightest.

use super::{Memo, Parsed, Parser, Stop};
use crate::ast::{Comparison, ForNode, Iterators, Node, NodeId, Operator, Text};

impl Parser<'_> {
    /// Any expression; its result is remembered by position.
    pub(super) fn expression(&mut self) -> Parsed<NodeId> {
        let start = self.pos;
        if let Some(known) = self.recall(self.expressions[start]) {
            return known;
        }
        let result = self.nested(Self::control);
        self.expressions[start] = self.remember(&result);
        result
    }

    fn remember(&self, result: &Parsed<NodeId>) -> Memo {
        match result {
            Ok(id) => Memo::Match(*id, self.pos),
            Err(Stop::NoMatch) => Memo::NoMatch,
            Err(Stop::Fatal(_)) => Memo::Unknown,
        }
    }

    fn recall(&mut self, known: Memo) -> Option<Parsed<NodeId>> {
        match known {
            Memo::Unknown => None,
            Memo::NoMatch => Some(Err(Stop::NoMatch)),
            Memo::Match(id, end) => {
                self.pos = end;
                Some(Ok(id))
            }
        }
    }

    fn control(&mut self) -> Parsed<NodeId> {
        // Keywords need no boundary, and are names where the rest does not fit: `ifx then 1 else 2`, `if + 1`.
        let found = match self.rest().as_bytes().first() {
            Some(b'i') => self.optional(Self::if_expression)?,
            Some(b'f') => self.optional(Self::for_expression)?,
            Some(b's' | b'e') => self.optional(Self::quantified)?,
            _ => None,
        };
        match found {
            Some(id) => Ok(id),
            None => self.disjunction(),
        }
    }

    fn if_expression(&mut self) -> Parsed<NodeId> {
        self.literal("if")?;
        self.whitespace()?;
        let condition = self.expression()?;
        self.spaced("then")?;
        let then = self.expression()?;
        self.spaced("else")?;
        let otherwise = self.expression()?;
        Ok(self.push(Node::If(condition, then, otherwise)))
    }

    fn for_expression(&mut self) -> Parsed<NodeId> {
        self.literal("for")?;
        let iterators = self.iterators()?;
        self.spaced("return")?;
        let body_start = self.pos;
        let body = self.expression()?;
        let uses_partial = self.text[body_start..self.pos].contains("partial");
        Ok(self.push(Node::For(Box::new(ForNode { iterators, body, uses_partial }))))
    }

    fn quantified(&mut self) -> Parsed<NodeId> {
        let some = self.optional(|p| p.literal("some"))?.is_some();
        if !some {
            self.literal("every")?;
        }
        let iterators = self.iterators()?;
        self.spaced("satisfies")?;
        let condition = self.expression()?;
        Ok(self.push(if some { Node::Some(iterators, condition) } else { Node::Every(iterators, condition) }))
    }

    fn iterators(&mut self) -> Parsed<Iterators> {
        self.whitespace()?;
        Ok(self.comma_separated(Self::iterator)?.into())
    }

    fn iterator(&mut self) -> Parsed<(Text, NodeId)> {
        let name = self.name()?;
        self.spaced("in")?;
        let sequence = self.optional(|p| {
            let start = p.operand()?;
            p.spaced("..")?;
            let end = p.operand()?;
            Ok(p.push(Node::Sequence(start, end)))
        })?;
        let list = match sequence {
            Some(sequence) => sequence,
            None => self.value()?,
        };
        Ok((name, list))
    }

    fn disjunction(&mut self) -> Parsed<NodeId> {
        let items = self.chain("or", Self::conjunction)?;
        Ok(if let [single] = items[..] { single } else { self.push(Node::Or(items.into())) })
    }

    fn conjunction(&mut self) -> Parsed<NodeId> {
        let items = self.chain("and", Self::comparison_or_test)?;
        Ok(if let [single] = items[..] { single } else { self.push(Node::And(items.into())) })
    }

    fn chain(
        &mut self,
        operator: &'static str,
        operand: fn(&mut Self) -> Parsed<NodeId>,
    ) -> Parsed<Vec<NodeId>> {
        let mut items = vec![operand(self)?];
        while let Some(item) = self.optional(|p| {
            p.spaced(operator)?;
            operand(p)
        })? {
            items.push(item);
        }
        Ok(items)
    }

    fn comparison_or_test(&mut self) -> Parsed<NodeId> {
        let Some(left) = self.optional(Self::operand)? else {
            return self.simple_test();
        };
        self.whitespace()?;
        Ok(self.optional(|p| p.comparison(left))?.unwrap_or(left))
    }

    /// At most one comparison on a level: `1 < 2 = true` is no expression.
    fn comparison(&mut self, left: NodeId) -> Parsed<NodeId> {
        if let Some(found) = self.optional(|p| p.binary_comparison(left))? {
            return Ok(found);
        }
        if let Some(found) = self.optional(|p| p.between(left))? {
            return Ok(found);
        }
        if let Some(found) = self.optional(|p| p.instance_of(left))? {
            return Ok(found);
        }
        self.in_tests(left)
    }

    fn binary_comparison(&mut self, left: NodeId) -> Parsed<NodeId> {
        let not_equal = self.rest().starts_with("!=");
        let operator = if not_equal {
            self.pos += 2;
            Comparison::Equal
        } else {
            self.comparison_operator(true)?
        };
        self.whitespace()?;
        let right = self.operand()?;
        Ok(self.push(if not_equal {
            Node::NotEqual(left, right)
        } else {
            Node::Compare(operator, left, right)
        }))
    }

    /// `<=`, `>=`, `<`, `>` and, where it may stand, `=`.
    pub(super) fn comparison_operator(&mut self, equal: bool) -> Parsed<Comparison> {
        const OPERATORS: [(&str, Comparison); 5] = [
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
            ("=", Comparison::Equal),
        ];
        let found =
            OPERATORS.iter().take(if equal { 5 } else { 4 }).find(|(s, _)| self.rest().starts_with(s));
        let Some((symbol, operator)) = found else { return self.miss("an operator") };
        self.pos += symbol.len();
        Ok(*operator)
    }

    fn between(&mut self, value: NodeId) -> Parsed<NodeId> {
        self.literal("between")?;
        self.whitespace()?;
        let low = self.operand()?;
        self.spaced("and")?;
        let high = self.operand()?;
        let from = self.push(Node::Compare(Comparison::GreaterOrEqual, value, low));
        let to = self.push(Node::Compare(Comparison::LessOrEqual, value, high));
        Ok(self.push(Node::And([from, to].into())))
    }

    fn instance_of(&mut self, value: NodeId) -> Parsed<NodeId> {
        const SPECIAL: [&str; 4] =
            ["years and months duration", "days and time duration", "date and time", "function"];
        self.literal("instance")?;
        self.spaced("of")?;
        let special = SPECIAL.iter().find(|name| self.rest().starts_with(**name));
        let name: Text = match special {
            Some(name) => {
                self.pos += name.len();
                (*name).into()
            }
            None => self.qualified_name()?.join(".").into(),
        };
        Ok(self.push(Node::InstanceOf(value, name)))
    }

    /// An operand of a comparison: arithmetic; its result is remembered by position.
    pub(super) fn operand(&mut self) -> Parsed<NodeId> {
        let start = self.pos;
        if let Some(known) = self.recall(self.operands[start]) {
            return known;
        }
        let result = self.sum();
        self.operands[start] = self.remember(&result);
        result
    }

    fn sum(&mut self) -> Parsed<NodeId> {
        self.arithmetic(Self::product, &[("+", Operator::Add), ("-", Operator::Subtract)])
    }

    fn product(&mut self) -> Parsed<NodeId> {
        self.arithmetic(Self::power, &[("*", Operator::Multiply), ("/", Operator::Divide)])
    }

    fn power(&mut self) -> Parsed<NodeId> {
        self.arithmetic(Self::negation, &[("**", Operator::Power)])
    }

    fn arithmetic(
        &mut self,
        operand: fn(&mut Self) -> Parsed<NodeId>,
        operators: &[(&'static str, Operator)],
    ) -> Parsed<NodeId> {
        let first = operand(self)?;
        let mut rest = Vec::new();
        while let Some(step) = self.optional(|p| {
            p.whitespace()?;
            let Some((symbol, operator)) = operators.iter().find(|(s, _)| p.rest().starts_with(s)) else {
                return p.miss("an operator");
            };
            p.pos += symbol.len();
            p.whitespace()?;
            Ok((*operator, operand(p)?))
        })? {
            rest.push(step);
        }
        Ok(if rest.is_empty() { first } else { self.push(Node::Arithmetic(first, rest.into())) })
    }

    fn negation(&mut self) -> Parsed<NodeId> {
        let negative = self.optional(|p| p.literal("-"))?.is_some();
        if !negative {
            return self.value();
        }
        self.whitespace()?;
        let value = self.value()?;
        Ok(self.push(Node::Negate(value)))
    }
}
