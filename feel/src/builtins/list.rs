//! Functions that take lists apart and put them together.

use super::Outcome;
use crate::engine::{Call, CallError, NativeFunction};
use crate::error::EvalError;
use crate::number::Number;
use crate::value::{Function, List, Value, brief};

pub(super) const FUNCTIONS: &[NativeFunction] = &[
    NativeFunction::new("list contains", &["list", "element"], list_contains),
    NativeFunction::new("sublist", &["list", "start"], sublist),
    NativeFunction::new("sublist", &["list", "start", "length"], sublist),
    NativeFunction::variadic("append", &["list", "items"], append),
    NativeFunction::variadic("concatenate", &["lists"], concatenate),
    NativeFunction::new("insert before", &["list", "position", "newItem"], insert_before),
    NativeFunction::new("remove", &["list", "position"], remove),
    NativeFunction::new("reverse", &["list"], reverse),
    NativeFunction::new("index of", &["list", "match"], index_of),
    NativeFunction::variadic("union", &["lists"], union),
    NativeFunction::new("distinct values", &["list"], distinct_values),
    NativeFunction::new("duplicate values", &["list"], duplicate_values),
    NativeFunction::new("flatten", &["list"], flatten),
    NativeFunction::new("sort", &["list", "precedes"], sort),
    NativeFunction::new("string join", &["list"], string_join),
    NativeFunction::new("string join", &["list", "delimiter"], string_join),
    NativeFunction::new("string join", &["list", "delimiter", "prefix", "suffix"], string_join),
    NativeFunction::new("is empty", &["list"], is_empty),
    NativeFunction::new("partition", &["list", "size"], partition),
];

/// A new list, within the limit; its items count as work.
fn list<'a>(call: &Call<'_, '_, 'a>, items: Vec<Value<'a>>) -> Outcome<'a> {
    call.evaluator.budget.check_items(items.len())?;
    call.evaluator.budget.items(items.len())?;
    Ok(Value::List(List::new(items)?))
}

/// A literal context is in no list but the one it stands in.
fn list_contains<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::List(list), element] = call.arguments else { return Err(CallError::IllegalArguments) };
    for item in list.iter() {
        if call.evaluator.identical(&item, element)? {
            return Ok(Value::Boolean(true));
        }
    }
    Ok(Value::Boolean(false))
}

/// An index from 0 for a position from 1, or from the end; below 0 when it lies before the list.
fn index(length: usize, position: i32) -> i64 {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    if position > 0 { i64::from(position) - 1 } else { length + i64::from(position) }
}

fn clamp(index: i64, length: usize) -> usize {
    usize::try_from(index.max(0)).unwrap_or(0).min(length)
}

fn sublist<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let (items, start, length) = match call.arguments {
        [Value::List(items), Value::Number(start)] => (items, start, None),
        [Value::List(items), Value::Number(start), Value::Number(length)] => (items, start, Some(length)),
        _ => return Err(CallError::IllegalArguments),
    };
    if start.is_zero() {
        return Err(CallError::Error("start position must be a non-zero number".to_owned()));
    }
    let from = index(items.len(), start.to_i32_wrapping());
    let to = match length {
        Some(length) => from + i64::from(length.to_i32_wrapping()),
        None => i64::MAX,
    };
    let (from, to) = (clamp(from, items.len()), clamp(to, items.len()));
    list(call, items.iter().skip(from).take(to.saturating_sub(from)).collect())
}

fn append<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::List(items), Value::List(more)] = call.arguments else {
        return Err(CallError::IllegalArguments);
    };
    list(call, items.iter().chain(more.iter()).collect())
}

/// The items of all lists; other values stand for themselves.
fn joined<'a>(call: &Call<'_, '_, 'a>) -> Result<Vec<Value<'a>>, CallError> {
    let [Value::List(lists)] = call.arguments else { return Err(CallError::IllegalArguments) };
    let mut items = Vec::new();
    for item in lists.iter() {
        match item {
            Value::List(inner) => {
                call.evaluator.budget.check_items(items.len() + inner.len())?;
                call.evaluator.budget.items(inner.len())?;
                items.extend(inner.iter());
            }
            other => items.push(other),
        }
    }
    Ok(items)
}

fn concatenate<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    list(call, joined(call)?)
}

fn insert_before<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::List(items), Value::Number(position), new_item] = call.arguments else {
        return Err(CallError::IllegalArguments);
    };
    if position.is_zero() {
        return Err(CallError::Error("position must be a non-zero number".to_owned()));
    }
    let at = clamp(index(items.len(), position.to_i32_wrapping()), items.len());
    let mut inserted: Vec<Value<'a>> = items.iter().collect();
    inserted.insert(at, new_item.clone());
    list(call, inserted)
}

fn remove<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::List(items), Value::Number(position)] = call.arguments else {
        return Err(CallError::IllegalArguments);
    };
    if position.is_zero() {
        return Err(CallError::Error("position must be a non-zero number".to_owned()));
    }
    let position = position.to_i32_wrapping();
    let before = clamp(index(items.len(), position), items.len());
    let after = clamp(index(items.len(), position.wrapping_add(1)), items.len());
    list(call, items.iter().take(before).chain(items.iter().skip(after)).collect())
}

fn reverse<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::List(items)] = call.arguments else { return Err(CallError::IllegalArguments) };
    let mut reversed: Vec<Value<'a>> = items.iter().collect();
    reversed.reverse();
    list(call, reversed)
}

fn index_of<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::List(items), wanted] = call.arguments else { return Err(CallError::IllegalArguments) };
    let mut positions = Vec::new();
    for (index, item) in items.iter().enumerate() {
        if call.evaluator.equal(&item, wanted)? == Some(true) {
            positions.push(Value::Number(Number::from(index + 1)));
        }
    }
    list(call, positions)
}

/// The items without those that equal an earlier one, and how often each stands in the list.
fn distinct<'a>(
    call: &Call<'_, '_, 'a>,
    items: Vec<Value<'a>>,
) -> Result<Vec<(Value<'a>, usize)>, CallError> {
    let mut distinct: Vec<(Value<'a>, usize)> = Vec::new();
    for item in items {
        let mut known = None;
        for (position, (earlier, _)) in distinct.iter().enumerate() {
            if call.evaluator.equal(earlier, &item)? == Some(true) {
                known = Some(position);
                break;
            }
        }
        match known {
            Some(position) => distinct[position].1 += 1,
            None => distinct.push((item, 1)),
        }
    }
    Ok(distinct)
}

fn union<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let items = distinct(call, joined(call)?)?;
    list(call, items.into_iter().map(|(item, _)| item).collect())
}

fn distinct_values<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::List(items)] = call.arguments else { return Err(CallError::IllegalArguments) };
    let items = distinct(call, items.iter().collect())?;
    list(call, items.into_iter().map(|(item, _)| item).collect())
}

fn duplicate_values<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::List(items)] = call.arguments else { return Err(CallError::IllegalArguments) };
    let items = distinct(call, items.iter().collect())?;
    list(call, items.into_iter().filter(|(_, count)| *count > 1).map(|(item, _)| item).collect())
}

fn flatten<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::List(items)] = call.arguments else { return Err(CallError::IllegalArguments) };
    let mut flat = Vec::new();
    flatten_into(call, items, &mut flat)?;
    list(call, flat)
}

fn flatten_into<'a>(
    call: &Call<'_, '_, 'a>,
    items: &List<'a>,
    flat: &mut Vec<Value<'a>>,
) -> Result<(), CallError> {
    let budget = &call.evaluator.budget;
    budget.items(items.len())?;
    for item in items.iter() {
        match item {
            Value::List(inner) => budget.deeper(|| flatten_into(call, &inner, flat))?,
            other => {
                flat.push(other);
                budget.check_items(flat.len())?;
            }
        }
    }
    Ok(())
}

/// A stable merge sort: the function of an expression need not be a sensible order.
fn sort<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::List(items), Value::Function(precedes)] = call.arguments else {
        return Err(CallError::IllegalArguments);
    };
    let parameters = precedes.0.parameters.len();
    if parameters != 2 {
        return Err(CallError::Error(format!(
            "expect boolean function with 2 arguments, but found '{parameters}'"
        )));
    }
    let sorted = merge_sort(call, precedes, items.iter().collect());
    list(
        call,
        sorted.map_err(|error| match error {
            CallError::Error(reason) | CallError::Fail(EvalError::Failed(reason)) => {
                CallError::Error(format!("fail to sort list by given precedes function: {reason}"))
            }
            other => other,
        })?,
    )
}

fn merge_sort<'a>(
    call: &Call<'_, '_, 'a>,
    precedes: &Function<'a>,
    mut items: Vec<Value<'a>>,
) -> Result<Vec<Value<'a>>, CallError> {
    if items.len() < 2 {
        return Ok(items);
    }
    let right = items.split_off(items.len() / 2);
    let left = merge_sort(call, precedes, items)?;
    let right = merge_sort(call, precedes, right)?;
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(x), Some(y)) = (left.peek(), right.peek()) {
        // An item of the right half goes first only when it really precedes.
        let next = match call.evaluator.invoke(precedes, vec![y.clone(), x.clone()])? {
            Value::Boolean(true) => right.next(),
            Value::Boolean(false) => left.next(),
            other => return Err(CallError::Error(format!("expected boolean but found '{}'", brief(&other)))),
        };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}

/// Nulls are left out; anything else that is no string is an error.
fn string_join<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let (items, delimiter, prefix, suffix) = match call.arguments {
        [Value::List(items)] => (items, "", "", ""),
        [Value::List(items), delimiter] | [Value::List(items), delimiter, Value::Null, Value::Null] => {
            (items, text_or_empty(delimiter)?, "", "")
        }
        [Value::List(items), delimiter, Value::String(prefix), Value::String(suffix)] => {
            (items, text_or_empty(delimiter)?, &**prefix, &**suffix)
        }
        _ => return Err(CallError::IllegalArguments),
    };
    let mut text = String::from(prefix);
    let mut first = true;
    for item in items.iter() {
        match item {
            Value::Null => continue,
            Value::String(piece) => {
                text.push_str(if first { "" } else { delimiter });
                text.push_str(&piece);
                first = false;
            }
            _ => {
                let found = brief(&Value::List(items.clone()));
                return Err(CallError::Error(format!("expected a list of strings but found '{found}'")));
            }
        }
        call.evaluator.budget.step()?;
        call.evaluator.budget.check_text(text.len())?;
    }
    text.push_str(suffix);
    call.evaluator.budget.bytes(text.len())?;
    Ok(Value::text(text))
}

fn text_or_empty<'v>(value: &'v Value<'_>) -> Result<&'v str, CallError> {
    match value {
        Value::String(text) => Ok(text),
        Value::Null => Ok(""),
        _ => Err(CallError::IllegalArguments),
    }
}

fn is_empty<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    match call.arguments {
        [Value::List(items)] => Ok(Value::Boolean(items.is_empty())),
        _ => Err(CallError::IllegalArguments),
    }
}

fn partition<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::List(items), Value::Number(size)] = call.arguments else {
        return Err(CallError::IllegalArguments);
    };
    let Some(size) = usize::try_from(size.to_i32_wrapping()).ok().filter(|size| *size > 0) else {
        return Err(CallError::Error(format!("'size' should be greater than zero but was '{size}'")));
    };
    let all: Vec<Value<'a>> = items.iter().collect();
    let parts: Result<Vec<Value<'a>>, CallError> =
        all.chunks(size).map(|part| list(call, part.to_vec())).collect();
    list(call, parts?)
}
