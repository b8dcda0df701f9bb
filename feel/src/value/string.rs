//! Texts, borrowed or shared.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::rc::Rc;

/// A text that is borrowed from the data or the expression, or was made by the evaluation.
#[derive(Debug, Clone)]
pub struct Str<'a>(Repr<'a>);

#[derive(Debug, Clone)]
enum Repr<'a> {
    Borrowed(&'a str),
    Shared(Rc<str>),
}

impl Deref for Str<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Repr::Borrowed(text) => text,
            Repr::Shared(text) => text,
        }
    }
}

impl<'a> From<&'a str> for Str<'a> {
    fn from(text: &'a str) -> Self {
        Self(Repr::Borrowed(text))
    }
}

impl From<Rc<str>> for Str<'_> {
    fn from(text: Rc<str>) -> Self {
        Self(Repr::Shared(text))
    }
}

impl From<String> for Str<'_> {
    fn from(text: String) -> Self {
        Self(Repr::Shared(text.into()))
    }
}

impl PartialEq for Str<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Str<'_> {}

impl Hash for Str<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl Borrow<str> for Str<'_> {
    fn borrow(&self) -> &str {
        self
    }
}
