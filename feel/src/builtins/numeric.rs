//! Rounding and functions of numbers.

use super::Outcome;
use crate::engine::{Call, CallError, NativeFunction};
use crate::number::{Number, NumberError, RoundingMode};
use crate::temporal::YearMonthDuration;
use crate::value::Value;

pub(super) const FUNCTIONS: &[NativeFunction] = &[
    NativeFunction::new("decimal", &["n", "scale"], |call| round(call, RoundingMode::HalfEven)),
    NativeFunction::new("decimal", &["n", "scale", "mode"], decimal_with_mode),
    NativeFunction::new("floor", &["n"], |call| round(call, RoundingMode::Floor)),
    NativeFunction::new("floor", &["n", "scala"], |call| round(call, RoundingMode::Floor)),
    NativeFunction::new("ceiling", &["n"], |call| round(call, RoundingMode::Ceiling)),
    NativeFunction::new("ceiling", &["n", "scale"], |call| round(call, RoundingMode::Ceiling)),
    NativeFunction::new("abs", &["number"], abs),
    NativeFunction::new("abs", &["n"], abs),
    NativeFunction::new("modulo", &["dividend", "divisor"], modulo),
    NativeFunction::new("sqrt", &["number"], sqrt),
    NativeFunction::new("log", &["number"], |call| by_double(call, f64::ln)),
    NativeFunction::new("exp", &["number"], |call| by_double(call, f64::exp)),
    NativeFunction::new("odd", &["number"], |call| parity(call, true)),
    NativeFunction::new("even", &["number"], |call| parity(call, false)),
    NativeFunction::new("round up", &["n", "scale"], |call| round(call, RoundingMode::Up)),
    NativeFunction::new("round down", &["n", "scale"], |call| round(call, RoundingMode::Down)),
    NativeFunction::new("round half up", &["n", "scale"], |call| round(call, RoundingMode::HalfUp)),
    NativeFunction::new("round half down", &["n", "scala"], |call| round(call, RoundingMode::HalfDown)),
    NativeFunction::new("random number", &[], random_number),
];

/// Without a scale, to whole numbers.
fn round<'a>(call: &Call<'_, '_, 'a>, mode: RoundingMode) -> Outcome<'a> {
    let (number, scale) = match call.arguments {
        [Value::Number(number)] => (number, 0),
        [Value::Number(number), Value::Number(scale)] => (number, scale.to_i32_wrapping()),
        _ => return Err(CallError::IllegalArguments),
    };
    with_scale(number, scale, mode)
}

fn with_scale<'a>(number: &Number, scale: i32, mode: RoundingMode) -> Outcome<'a> {
    if i64::from(scale) - i64::from(number.scale()) < i64::from(i32::MIN) + 1 {
        return Err(CallError::Error("Failed to apply rounding mode: the scale is out of range".to_owned()));
    }
    match number.with_scale(scale, mode) {
        Ok(rounded) => Ok(Value::Number(rounded)),
        Err(NumberError::TooManyDigits) => Err(NumberError::TooManyDigits.into()),
        Err(error) => Err(CallError::Error(format!("Failed to apply rounding mode: {error}"))),
    }
}

fn decimal_with_mode<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::Number(number), Value::Number(scale), Value::String(name)] = call.arguments else {
        return Err(CallError::IllegalArguments);
    };
    let Some(mode) = RoundingMode::by_name(name) else {
        let names = RoundingMode::NAMES.map(|(name, _)| name).join(", ");
        return Err(CallError::Error(format!(
            "Illegal argument '{}' for rounding mode. Must be one of: {names}",
            &**name
        )));
    };
    with_scale(number, scale.to_i32_wrapping(), mode)
}

fn abs<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    Ok(match call.arguments {
        [Value::Number(number)] => Value::Number(number.abs()),
        [Value::YearMonthDuration(duration)] => {
            Value::YearMonthDuration(YearMonthDuration::from_months(duration.total_months().abs()))
        }
        [Value::DayTimeDuration(duration)] => Value::DayTimeDuration(duration.abs()),
        _ => return Err(CallError::IllegalArguments),
    })
}

/// Has the sign of the divisor; a divisor of zero fails everything.
fn modulo<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let [Value::Number(dividend), Value::Number(divisor)] = call.arguments else {
        return Err(CallError::IllegalArguments);
    };
    Ok(Value::Number(dividend.remainder(divisor)?.add(divisor)?.remainder(divisor)?))
}

fn sqrt<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    match call.arguments {
        [Value::Number(number)] if number.signum() < 0 => Ok(Value::Null),
        _ => by_double(call, f64::sqrt),
    }
}

fn by_double<'a>(call: &Call<'_, '_, 'a>, function: fn(f64) -> f64) -> Outcome<'a> {
    let [Value::Number(number)] = call.arguments else { return Err(CallError::IllegalArguments) };
    Ok(Value::Number(Number::from_f64(function(number.to_f64()))?))
}

fn parity<'a>(call: &Call<'_, '_, 'a>, odd: bool) -> Outcome<'a> {
    let [Value::Number(number)] = call.arguments else { return Err(CallError::IllegalArguments) };
    let rest = number.abs().remainder(&Number::from(2_i64))?;
    Ok(Value::Boolean(if odd { rest == Number::ONE } else { rest.is_zero() }))
}

fn random_number<'a>(_call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    Ok(Value::Number(Number::from_f64(fastrand::f64())?))
}
