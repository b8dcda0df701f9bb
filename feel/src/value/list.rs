//! Lists: an array of the data, items that were made, or the numbers of a `for i in 1..n`.

use std::rc::Rc;

use serde_json::Value as Json;

use super::Value;
use crate::error::EvalError;
use crate::limits;
use crate::number::Number;

/// A list; cheap to clone.
#[derive(Debug, Clone)]
pub struct List<'a>(Repr<'a>);

#[derive(Debug, Clone)]
enum Repr<'a> {
    Json(&'a [Json]),
    Items(Rc<Items<'a>>),
    Sequence(Rc<Sequence>),
}

#[derive(Debug)]
struct Items<'a> {
    items: Vec<Value<'a>>,
    depth: u16,
}

#[derive(Debug)]
struct Sequence {
    start: Number,
    descending: bool,
    length: usize,
}

impl<'a> List<'a> {
    /// A list of these items.
    ///
    /// # Errors
    /// [`EvalError::TooDeep`] when the items are nested beyond the limit.
    pub fn new(items: Vec<Value<'a>>) -> Result<Self, EvalError> {
        let depth = items.iter().map(Value::depth).max().unwrap_or(0) + 1;
        if depth > limits::VALUE_DEPTH {
            return Err(EvalError::TooDeep);
        }
        Ok(Self(Repr::Items(Rc::new(Items { items, depth }))))
    }

    /// An array of the data, in place.
    pub fn from_json(items: &'a [Json]) -> Self {
        Self(Repr::Json(items))
    }

    /// `length` numbers from `start`, one apart.
    pub(crate) fn sequence(start: Number, descending: bool, length: usize) -> Self {
        Self(Repr::Sequence(Rc::new(Sequence { start, descending, length })))
    }

    /// How many items.
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Json(items) => items.len(),
            Repr::Items(list) => list.items.len(),
            Repr::Sequence(sequence) => sequence.length,
        }
    }

    /// True when there is no item.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The item at an index from 0.
    pub fn get(&self, index: usize) -> Option<Value<'a>> {
        match &self.0 {
            Repr::Json(items) => items.get(index).map(Value::from_json),
            Repr::Items(list) => list.items.get(index).cloned(),
            Repr::Sequence(sequence) => {
                if index >= sequence.length {
                    return None;
                }
                let offset = Number::from(index);
                let offset = if sequence.descending { offset.negate() } else { offset };
                Some(sequence.start.add(&offset).map_or(Value::Null, Value::Number))
            }
        }
    }

    /// The items in order.
    pub fn iter(&self) -> impl Iterator<Item = Value<'a>> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    pub(crate) fn depth(&self) -> u16 {
        match &self.0 {
            Repr::Items(list) => list.depth,
            _ => 1,
        }
    }
}
