//! Functions that make one value of a list.

use super::Outcome;
use crate::engine::{Call, CallError, NativeFunction};
use crate::eval::ordered;
use crate::number::Number;
use crate::value::{List, Value, brief, is_comparable};

pub(super) const FUNCTIONS: &[NativeFunction] = &[
    NativeFunction::new("count", &["list"], count),
    NativeFunction::variadic("min", &["list"], |call| extreme(call, false)),
    NativeFunction::variadic("max", &["list"], |call| extreme(call, true)),
    NativeFunction::variadic("sum", &["list"], |call| of_numbers(call, sum)),
    NativeFunction::variadic("product", &["list"], |call| of_numbers(call, product)),
    NativeFunction::variadic("mean", &["list"], |call| of_numbers(call, mean)),
    NativeFunction::variadic("median", &["list"], |call| of_numbers(call, median)),
    NativeFunction::variadic("stddev", &["list"], |call| of_numbers(call, standard_deviation)),
    NativeFunction::variadic("mode", &["list"], mode),
    NativeFunction::variadic("and", &["list"], all),
    NativeFunction::variadic("all", &["list"], all),
    NativeFunction::variadic("or", &["list"], any),
    NativeFunction::variadic("any", &["list"], any),
];

fn the_list<'c, 'a>(call: &Call<'c, '_, 'a>) -> Result<&'c List<'a>, CallError> {
    match call.arguments {
        [Value::List(list)] => {
            call.evaluator.budget.items(list.len())?;
            Ok(list)
        }
        _ => Err(CallError::IllegalArguments),
    }
}

fn count<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    match call.arguments {
        [Value::List(list)] => Ok(Value::Number(Number::from(list.len()))),
        _ => Err(CallError::IllegalArguments),
    }
}

/// The first of the smallest or largest items. A list of lists looks comparable, and fails everything.
fn extreme<'a>(call: &Call<'_, '_, 'a>, largest: bool) -> Outcome<'a> {
    let list = the_list(call)?;
    if list.is_empty() {
        return Ok(Value::Null);
    }
    let whole = Value::List(list.clone());
    if !is_comparable(&whole) {
        return Err(CallError::Error(format!("{} is not comparable", brief(&whole))));
    }
    let mut best = Value::Null;
    for item in list.iter() {
        if best.is_null() {
            best = item;
            continue;
        }
        let order = ordered(&best, &item)?;
        if if largest { order.is_lt() } else { order.is_gt() } {
            best = item;
        }
    }
    Ok(best)
}

/// Null for an empty list; an error if an item is no number.
fn of_numbers<'a>(
    call: &Call<'_, '_, 'a>,
    function: fn(&[Number]) -> Result<Number, CallError>,
) -> Outcome<'a> {
    let list = the_list(call)?;
    if list.is_empty() {
        return Ok(Value::Null);
    }
    Ok(Value::Number(function(&numbers(list)?)?))
}

fn numbers(list: &List<'_>) -> Result<Vec<Number>, CallError> {
    list.iter()
        .map(|item| match item {
            Value::Number(number) => Ok(number),
            other => Err(CallError::Error(format!("expected number but found '{}'", brief(&other)))),
        })
        .collect()
}

fn sum(numbers: &[Number]) -> Result<Number, CallError> {
    let mut numbers = numbers.iter();
    let first = numbers.next().cloned().unwrap_or(Number::ZERO);
    Ok(numbers.try_fold(first, |sum, number| sum.add(number))?)
}

fn product(numbers: &[Number]) -> Result<Number, CallError> {
    let mut numbers = numbers.iter();
    let first = numbers.next().cloned().unwrap_or(Number::ONE);
    Ok(numbers.try_fold(first, |product, number| product.multiply(number))?)
}

fn mean(numbers: &[Number]) -> Result<Number, CallError> {
    let count = Number::from(numbers.len());
    Ok(sum(numbers)?.divide(&count)?)
}

fn median(numbers: &[Number]) -> Result<Number, CallError> {
    let mut numbers = numbers.to_vec();
    numbers.sort();
    let middle = numbers.len() / 2;
    let upper = numbers.get(middle).cloned().unwrap_or(Number::ZERO);
    if numbers.len() % 2 == 1 {
        return Ok(upper);
    }
    let lower = numbers.get(middle.saturating_sub(1)).cloned().unwrap_or(Number::ZERO);
    Ok(lower.add(&upper)?.divide(&Number::from(2_i64))?)
}

/// Of a sample; for a single number it divides by zero, and that fails everything.
fn standard_deviation(numbers: &[Number]) -> Result<Number, CallError> {
    let mean = mean(numbers)?;
    let mut squares = Number::ZERO;
    for number in numbers {
        squares = squares.add(&number.subtract(&mean)?.power(2)?)?;
    }
    let variance = squares.divide(&Number::from(numbers.len() - 1))?;
    Ok(Number::from_f64(variance.to_f64().sqrt())?)
}

/// The most frequent numbers, sorted.
fn mode<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let list = the_list(call)?;
    let mut numbers = numbers(list)?;
    numbers.sort();
    let mut groups: Vec<(Number, usize)> = Vec::new();
    for number in numbers {
        match groups.last_mut() {
            Some((known, count)) if *known == number => *count += 1,
            _ => groups.push((number, 1)),
        }
    }
    let most = groups.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let frequent = groups.into_iter().filter(|(_, count)| *count == most);
    Ok(Value::List(List::new(frequent.map(|(number, _)| Value::Number(number)).collect())?))
}

/// False as soon as one is false; null if one is no boolean.
fn all<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    three_valued(call, false)
}

fn any<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    three_valued(call, true)
}

fn three_valued<'a>(call: &Call<'_, '_, 'a>, decisive: bool) -> Outcome<'a> {
    let mut state = Value::Boolean(!decisive);
    for item in the_list(call)?.iter() {
        match item {
            Value::Boolean(value) if value == decisive => return Ok(Value::Boolean(decisive)),
            Value::Boolean(_) => {}
            _ => state = Value::Null,
        }
    }
    Ok(state)
}
