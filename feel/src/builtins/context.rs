//! Functions of contexts.

use super::Outcome;
use crate::engine::{Call, CallError, NativeFunction};
use crate::error::EvalError;
use crate::limits;
use crate::value::{Context, Entries, List, Str, Value};

pub(super) const FUNCTIONS: &[NativeFunction] = &[
    NativeFunction::new("get entries", &["context"], get_entries),
    NativeFunction::new("get entries", &["m"], get_entries),
    NativeFunction::new("get value", &["m", "key"], get_value),
    NativeFunction::new("get value", &["context", "key"], get_value),
    NativeFunction::new("get value", &["context", "keys"], get_value),
    NativeFunction::new("context put", &["context", "key", "value"], context_put),
    NativeFunction::new("context put", &["context", "keys", "value"], context_put),
    NativeFunction::new("put", &["context", "key", "value"], context_put),
    NativeFunction::variadic("context merge", &["contexts"], context_merge),
    NativeFunction::variadic("put all", &["contexts"], context_merge),
    NativeFunction::new("context", &["entries"], context_of_entries),
];

fn context<'a>(call: &Call<'_, '_, 'a>, entries: Entries<'a>) -> Outcome<'a> {
    let context = Context::new(entries)?;
    call.evaluator.budget.check_items(context.len())?;
    call.evaluator.budget.items(context.len())?;
    Ok(Value::Context(context))
}

fn get_entries<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::Context(context)] = call.arguments else { return Err(CallError::IllegalArguments) };
    call.evaluator.budget.items(context.len())?;
    let entries: Result<Vec<Value<'a>>, EvalError> = context
        .in_reference_order()
        .into_iter()
        .map(|(name, value)| {
            Context::of([("key", Value::String(name)), ("value", value)]).map(Value::Context)
        })
        .collect();
    Ok(Value::List(List::new(entries?)?))
}

fn get_value<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    match call.arguments {
        [Value::Context(context), Value::String(key)] => Ok(context.get(key).unwrap_or(Value::Null)),
        [Value::Context(context), Value::List(keys)] => {
            let Some(keys) = strings(keys) else { return Ok(Value::Null) };
            Ok(get_by_path(context, &keys))
        }
        _ => Err(CallError::IllegalArguments),
    }
}

fn get_by_path<'a>(context: &Context<'a>, keys: &[Str<'a>]) -> Value<'a> {
    let mut found = Value::Null;
    let mut current = Some(context.clone());
    for key in keys {
        let Some(value) = current.and_then(|context| context.get(key)) else { return Value::Null };
        current = match &value {
            Value::Context(inner) => Some(inner.clone()),
            _ => None,
        };
        found = value;
    }
    found
}

/// The items, if all are strings.
fn strings<'a>(list: &List<'a>) -> Option<Vec<Str<'a>>> {
    list.iter()
        .map(|item| match item {
            Value::String(text) => Some(text),
            _ => None,
        })
        .collect()
}

fn context_put<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    match call.arguments {
        [Value::Context(target), Value::String(key), value] => put(call, target, key.clone(), value.clone()),
        [Value::Context(_), Value::List(keys), _] if keys.is_empty() => Ok(Value::Null),
        [Value::Context(target), Value::List(keys), value] => {
            let Some(keys) = strings(keys) else { return Err(CallError::IllegalArguments) };
            put_by_path(call, target, &keys, value.clone())
        }
        _ => Err(CallError::IllegalArguments),
    }
}

fn put<'a>(call: &Call<'_, '_, 'a>, target: &Context<'a>, key: Str<'a>, value: Value<'a>) -> Outcome<'a> {
    let mut entries = Entries::default();
    target.copy_into(&mut entries);
    entries.insert(key, value);
    context(call, entries)
}

/// Puts a value into nested contexts; what is no context on the way becomes one.
fn put_by_path<'a>(
    call: &Call<'_, '_, 'a>,
    target: &Context<'a>,
    keys: &[Str<'a>],
    mut value: Value<'a>,
) -> Outcome<'a> {
    if keys.len() > usize::from(limits::VALUE_DEPTH) {
        return Err(EvalError::TooDeep.into());
    }
    let mut contexts = vec![target.clone()];
    for key in &keys[..keys.len().saturating_sub(1)] {
        let inner = match contexts.last().and_then(|context| context.get(key)) {
            Some(Value::Context(inner)) => inner,
            _ => Context::new(Entries::default())?,
        };
        contexts.push(inner);
    }
    for (context, key) in contexts.iter().zip(keys).rev() {
        value = put(call, context, key.clone(), value)?;
    }
    Ok(value)
}

/// Null if one of them is no context.
fn context_merge<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::List(contexts)] = call.arguments else { return Ok(Value::Null) };
    let mut entries = Entries::default();
    for item in contexts.iter() {
        let Value::Context(context) = item else { return Ok(Value::Null) };
        call.evaluator.budget.items(context.len())?;
        context.copy_into(&mut entries);
    }
    context(call, entries)
}

/// From a list of contexts with `key` and `value`; null if one is anything else.
fn context_of_entries<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::List(list)] = call.arguments else { return Ok(Value::Null) };
    let mut entries = Entries::default();
    for item in list.iter() {
        let Value::Context(entry) = item else { return Ok(Value::Null) };
        match (entry.get("key"), entry.get("value")) {
            (Some(Value::String(key)), Some(value)) => entries.insert(key, value),
            _ => return Ok(Value::Null),
        }
    }
    context(call, entries)
}
