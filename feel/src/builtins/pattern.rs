//! Functions that take a regular expression: `matches`, `replace`, `split`, `extract`.

use std::rc::Rc;

use super::Outcome;
use crate::engine::{Call, CallError, NativeFunction};
use crate::java_pattern::{Cost, Flags, Match, Pattern};
use crate::value::{List, Value};

pub(super) const FUNCTIONS: &[NativeFunction] = &[
    NativeFunction::new("matches", &["input", "pattern"], matches),
    NativeFunction::new("matches", &["input", "pattern", "flags"], matches),
    NativeFunction::new("replace", &["input", "pattern", "replacement"], replace),
    NativeFunction::new("replace", &["input", "pattern", "replacement", "flags"], replace),
    NativeFunction::new("split", &["string", "delimiter"], split),
    NativeFunction::new("extract", &["input", "pattern"], extract),
];

/// The compiled pattern; one that is no pattern is an error.
fn compile(
    call: &Call<'_, '_, '_>,
    input: &str,
    pattern: &str,
    flags: Flags,
) -> Result<Rc<Pattern>, CallError> {
    const COMPILING: u64 = 100;
    call.evaluator.budget.steps(COMPILING)?;
    call.evaluator.budget.bytes(input.len())?;
    Pattern::compile(pattern, flags, input)
        .ok_or_else(|| CallError::Error(format!("Invalid pattern '{pattern}'")))
}

/// The matches one after the other, as Java's `find` finds them.
fn find_all<'c>(
    call: &'c Call<'_, '_, '_>,
    pattern: &'c Pattern,
    input: &'c str,
) -> impl Iterator<Item = Result<Match<'c>, CallError>> {
    let mut position = Some(0);
    std::iter::from_fn(move || {
        let from = position?;
        let rest = input.len() - from;
        let charged = match pattern.cost() {
            Cost::Bounded => 1,
            Cost::Linear => 1 + rest / 256,
            Cost::Backtracking => 1 + rest / 16,
        };
        if let Err(error) = call.evaluator.budget.items(charged) {
            position = None;
            return Some(Err(error.into()));
        }
        match pattern.find(input, from) {
            Ok(Some(found)) => {
                position = found.next_search(input);
                Some(Ok(found))
            }
            Ok(None) => {
                position = None;
                None
            }
            Err(reason) => {
                position = None;
                Some(Err(CallError::fail(reason)))
            }
        }
    })
}

fn matches<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let (input, pattern, flags) = match call.arguments {
        [Value::String(input), Value::String(pattern)] => (input, pattern, Flags::default()),
        [Value::String(input), Value::String(pattern), Value::String(flags)] => {
            (input, pattern, Flags::parse(flags))
        }
        _ => return Err(CallError::IllegalArguments),
    };
    let pattern = compile(call, input, pattern, flags)?;
    Ok(Value::Boolean(pattern.is_match(input).map_err(CallError::fail)?))
}

fn replace<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let (input, pattern, replacement, flags) = match call.arguments {
        [Value::String(input), Value::String(pattern), Value::String(replacement)] => {
            (input, pattern, replacement, Flags::default())
        }
        [Value::String(input), Value::String(pattern), Value::String(replacement), Value::String(flags)] => {
            (input, pattern, replacement, Flags::parse(flags))
        }
        _ => return Err(CallError::IllegalArguments),
    };
    let compiled = compile(call, input, pattern, flags)?;
    let mut text = String::with_capacity(input.len());
    let mut copied = 0;
    for found in find_all(call, &compiled, input) {
        let found = found?;
        text.push_str(&input[copied..found.start()]);
        // A replacement that names a group that is not there counts as an invalid pattern.
        if found.expand(replacement, &mut text).is_none() {
            return Err(CallError::Error(format!("Invalid pattern '{}'", &**pattern)));
        }
        copied = found.end();
        call.evaluator.budget.check_text(text.len())?;
        call.evaluator.budget.bytes(replacement.len())?;
    }
    text.push_str(&input[copied..]);
    call.evaluator.budget.check_text(text.len())?;
    Ok(Value::text(text))
}

/// Empty parts stay, but for one before an empty match at the start.
fn split<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::String(input), Value::String(delimiter)] = call.arguments else {
        return Err(CallError::IllegalArguments);
    };
    let pattern = compile(call, input, delimiter, Flags::default())?;
    let mut parts = Vec::new();
    let mut copied = 0;
    for found in find_all(call, &pattern, input) {
        let found = found?;
        if copied == 0 && found.end() == 0 {
            continue;
        }
        parts.push(Value::text(&input[copied..found.start()]));
        copied = found.end();
        call.evaluator.budget.check_items(parts.len())?;
    }
    parts.push(Value::text(&input[copied..]));
    Ok(Value::List(List::new(parts)?))
}

fn extract<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::String(input), Value::String(pattern)] = call.arguments else {
        return Err(CallError::IllegalArguments);
    };
    let pattern = compile(call, input, pattern, Flags::default())?;
    let mut parts = Vec::new();
    for found in find_all(call, &pattern, input) {
        let found = found?;
        parts.push(Value::text(&input[found.start()..found.end()]));
        call.evaluator.budget.check_items(parts.len())?;
    }
    Ok(Value::List(List::new(parts)?))
}
