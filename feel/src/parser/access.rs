//! What may follow a value: `.name` and `[filter]`, any number of them.

use super::{Parsed, Parser};
use crate::ast::{Node, NodeId, Step};

impl Parser<'_> {
    pub(super) fn value(&mut self) -> Parsed<NodeId> {
        let base = self.terminal()?;
        let mut steps = Vec::new();
        while let Some(step) = self.optional(|p| {
            p.whitespace()?;
            p.step()
        })? {
            steps.push(step);
        }
        Ok(if steps.is_empty() { base } else { self.push(Node::Access(base, steps.into())) })
    }

    fn step(&mut self) -> Parsed<Step> {
        match self.rest().as_bytes().first() {
            Some(b'.') => {
                self.pos += 1;
                self.whitespace()?;
                self.property().map(Step::Path)
            }
            Some(b'[') => {
                self.pos += 1;
                self.whitespace()?;
                let filter = self.expression()?;
                self.whitespace()?;
                self.literal("]")?;
                Ok(Step::Filter(filter))
            }
            _ => self.miss("an operator"),
        }
    }
}
