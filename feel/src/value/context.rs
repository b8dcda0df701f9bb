//! Contexts: an object of the data, or entries that were made.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Map, Value as Json};

use super::order::reference_order;
use super::{Function, Str, Value};
use crate::error::EvalError;
use crate::limits;

/// From this many entries on, they are found by hash.
const INDEX_FROM: usize = 16;

/// Entries by name; cheap to clone.
#[derive(Debug, Clone)]
pub struct Context<'a>(Repr<'a>);

#[derive(Debug, Clone)]
enum Repr<'a> {
    Json(&'a Map<String, Json>),
    Entries(Rc<Entries<'a>>),
}

/// The entries of a context under construction.
#[derive(Debug, Default)]
pub struct Entries<'a> {
    variables: Vec<(Str<'a>, Value<'a>)>,
    functions: Vec<(Str<'a>, Function<'a>)>,
    index: HashMap<Str<'a>, usize>,
    depth: u16,
    /// Whether a context literal made it: such a context is in no list but that in which it stands itself.
    literal: bool,
}

impl<'a> Entries<'a> {
    pub(crate) fn literal() -> Self {
        Self { literal: true, ..Self::default() }
    }

    /// Adds or replaces an entry; one that is replaced keeps its place.
    pub fn insert(&mut self, name: Str<'a>, value: Value<'a>) {
        self.depth = self.depth.max(value.depth());
        if let Some(at) = self.position(&name) {
            self.variables[at].1 = value;
            return;
        }
        let count = self.variables.len();
        if count + 1 == INDEX_FROM {
            self.index =
                self.variables.iter().enumerate().map(|(at, (name, _))| (name.clone(), at)).collect();
        }
        if count + 1 >= INDEX_FROM {
            self.index.insert(name.clone(), count);
        }
        self.variables.push((name, value));
    }

    /// Adds a function: it can be called, but is no entry of the result.
    pub(crate) fn insert_function(&mut self, name: Str<'a>, function: Function<'a>) {
        self.depth = self.depth.max(Value::Function(function.clone()).depth());
        self.functions.push((name, function));
    }

    fn position(&self, name: &str) -> Option<usize> {
        if self.variables.len() >= INDEX_FROM {
            return self.index.get(name).copied();
        }
        self.variables.iter().position(|(known, _)| **known == *name)
    }
}

impl<'a> Context<'a> {
    /// An object of the data, in place.
    pub fn from_json(object: &'a Map<String, Json>) -> Self {
        Self(Repr::Json(object))
    }

    /// A context of these entries.
    ///
    /// # Errors
    /// [`EvalError::TooDeep`] when the values are nested beyond the limit.
    pub fn new(mut entries: Entries<'a>) -> Result<Self, EvalError> {
        entries.depth += 1;
        if entries.depth > limits::VALUE_DEPTH {
            return Err(EvalError::TooDeep);
        }
        Ok(Self(Repr::Entries(Rc::new(entries))))
    }

    /// A context of a few entries.
    ///
    /// # Errors
    /// As [`Context::new`].
    pub fn of<const N: usize>(entries: [(&'a str, Value<'a>); N]) -> Result<Self, EvalError> {
        let mut context = Entries::default();
        for (name, value) in entries {
            context.insert(name.into(), value);
        }
        Self::new(context)
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Json(object) => object.len(),
            Repr::Entries(entries) => entries.variables.len(),
        }
    }

    /// True when there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entry of this name.
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        match &self.0 {
            Repr::Json(object) => object.get(name).map(Value::from_json),
            Repr::Entries(entries) => entries.position(name).map(|at| entries.variables[at].1.clone()),
        }
    }

    pub(crate) fn functions(&self, name: &str) -> impl Iterator<Item = &Function<'a>> {
        let functions = match &self.0 {
            Repr::Json(_) => &[][..],
            Repr::Entries(entries) => &entries.functions[..],
        };
        functions.iter().filter(move |(known, _)| **known == *name).map(|(_, function)| function)
    }

    /// The entries in the order in which they were written.
    pub fn entries(&self) -> Box<dyn Iterator<Item = (Str<'a>, Value<'a>)> + '_> {
        match &self.0 {
            Repr::Json(object) => {
                Box::new(object.iter().map(|(name, value)| (name.as_str().into(), Value::from_json(value))))
            }
            Repr::Entries(entries) => Box::new(entries.variables.iter().cloned()),
        }
    }

    /// The entries in the order in which the reference lists them: as written up to four, by hash beyond.
    pub(crate) fn in_reference_order(&self) -> Vec<(Str<'a>, Value<'a>)> {
        reference_order(self.entries().collect())
    }

    /// The entries, to be copied into another context.
    pub(crate) fn copy_into(&self, entries: &mut Entries<'a>) {
        for (name, value) in self.entries() {
            entries.insert(name, value);
        }
    }

    /// Whether both are one and the same literal's value; none when one of them is no literal's.
    pub(crate) fn same_literal(&self, other: &Self) -> Option<bool> {
        let literal = |context: &Self| matches!(&context.0, Repr::Entries(entries) if entries.literal);
        match (&self.0, &other.0) {
            (Repr::Entries(a), Repr::Entries(b)) if a.literal || b.literal => Some(Rc::ptr_eq(a, b)),
            _ if literal(self) || literal(other) => Some(false),
            _ => None,
        }
    }

    pub(crate) fn depth(&self) -> u16 {
        match &self.0 {
            Repr::Json(_) => 1,
            Repr::Entries(entries) => entries.depth,
        }
    }
}
