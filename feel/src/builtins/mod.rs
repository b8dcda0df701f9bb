//! The built-in functions, by subject. Each has its overloads with the names of the parameters.

mod aggregate;
mod boolean;
mod context;
mod conversion;
mod list;
mod number_format;
mod numeric;
mod pattern;
mod range;
mod string;
mod temporal;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::engine::{CallError, NativeFunction};
use crate::value::Value;

/// The result of a built-in function.
type Outcome<'a> = Result<Value<'a>, CallError>;

/// The one list of all built-in functions.
const GROUPS: [&[NativeFunction]; 10] = [
    conversion::FUNCTIONS,
    boolean::FUNCTIONS,
    string::FUNCTIONS,
    pattern::FUNCTIONS,
    list::FUNCTIONS,
    aggregate::FUNCTIONS,
    numeric::FUNCTIONS,
    context::FUNCTIONS,
    range::FUNCTIONS,
    temporal::FUNCTIONS,
];

static BY_NAME: LazyLock<HashMap<&'static str, Vec<&'static NativeFunction>>> = LazyLock::new(|| {
    let mut functions: HashMap<_, Vec<_>> = HashMap::new();
    for function in GROUPS.into_iter().flatten() {
        functions.entry(function.name).or_default().push(function);
    }
    functions
});

/// Every overload of a built-in function.
pub(crate) fn overloads(name: &str) -> &'static [&'static NativeFunction] {
    BY_NAME.get(name).map_or(&[], Vec::as_slice)
}

/// The names of all built-in functions, sorted.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = BY_NAME.keys().copied().collect();
    names.sort_unstable();
    names
}
