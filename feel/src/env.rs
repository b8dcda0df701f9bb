//! The variables that the expression itself binds, as a chain of frames; the innermost comes first.

use std::rc::Rc;

use crate::value::{Function, Value};

/// The innermost frame, or none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Env<'a>(Option<Rc<Frame<'a>>>);

#[derive(Debug)]
struct Frame<'a> {
    binding: Binding<'a>,
    parent: Env<'a>,
    /// How deeply the bound values are nested, at most.
    depth: u16,
}

#[derive(Debug)]
enum Binding<'a> {
    Variable(&'a str, Value<'a>),
    Function(&'a str, Function<'a>),
    /// The item of a filter: `item`, and its entries.
    Item(Value<'a>),
}

impl<'a> Env<'a> {
    fn push(&self, binding: Binding<'a>, depth: u16) -> Self {
        let depth = depth.max(self.depth());
        Self(Some(Rc::new(Frame { binding, parent: self.clone(), depth })))
    }

    pub(crate) fn with(&self, name: &'a str, value: Value<'a>) -> Self {
        let depth = value.depth();
        self.push(Binding::Variable(name, value), depth)
    }

    /// A function is found by calls only, other values by references only.
    pub(crate) fn with_function(&self, name: &'a str, function: Function<'a>) -> Self {
        let depth = Value::Function(function.clone()).depth();
        self.push(Binding::Function(name, function), depth)
    }

    pub(crate) fn with_item(&self, item: Value<'a>) -> Self {
        let depth = item.depth();
        self.push(Binding::Item(item), depth)
    }

    pub(crate) fn depth(&self) -> u16 {
        self.0.as_ref().map_or(0, |frame| frame.depth)
    }

    fn frames(&self) -> impl Iterator<Item = &Frame<'a>> {
        std::iter::successors(self.0.as_deref(), |frame| frame.parent.0.as_deref())
    }

    /// The variable, and how many frames were looked at.
    pub(crate) fn variable(&self, name: &str) -> (Option<Value<'a>>, u64) {
        let mut visited = 0;
        for frame in self.frames() {
            visited += 1;
            match &frame.binding {
                Binding::Variable(known, value) if *known == name => return (Some(value.clone()), visited),
                Binding::Item(item) => {
                    if let Value::Context(context) = item
                        && let Some(value) = context.get(name)
                    {
                        return (Some(value), visited);
                    }
                    if name == "item" {
                        return (Some(item.clone()), visited);
                    }
                }
                _ => {}
            }
        }
        (None, visited)
    }

    /// The innermost function of this name that fits.
    pub(crate) fn function(&self, name: &str, fits: impl Fn(&Function<'a>) -> bool) -> Option<Function<'a>> {
        self.frames().find_map(|frame| match &frame.binding {
            Binding::Function(known, function) if *known == name && fits(function) => Some(function.clone()),
            Binding::Item(Value::Context(context)) => context.functions(name).find(|f| fits(f)).cloned(),
            _ => None,
        })
    }
}

impl Drop for Frame<'_> {
    /// Takes a long chain apart in a loop; by recursion it would overflow the stack.
    fn drop(&mut self) {
        let mut parent = self.parent.0.take();
        while let Some(frame) = parent {
            parent = Rc::into_inner(frame).and_then(|mut frame| frame.parent.0.take());
        }
    }
}
