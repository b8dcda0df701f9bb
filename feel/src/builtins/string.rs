//! Functions of texts. Positions and lengths count UTF-16 units.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::Outcome;
use crate::engine::{Call, CallError, NativeFunction};
use crate::number::Number;
use crate::value::{Str, Value};

pub(super) const FUNCTIONS: &[NativeFunction] = &[
    NativeFunction::new("substring", &["string", "start position"], substring),
    NativeFunction::new("substring", &["string", "start position", "length"], substring),
    NativeFunction::new("string length", &["string"], string_length),
    NativeFunction::new("upper case", &["string"], |call| map(call, |text| text.to_uppercase().into())),
    NativeFunction::new("lower case", &["string"], |call| map(call, |text| text.to_lowercase().into())),
    NativeFunction::new("substring before", &["string", "match"], substring_before),
    NativeFunction::new("substring after", &["string", "match"], substring_after),
    NativeFunction::new("contains", &["string", "match"], |call| test(call, |text, m| text.contains(m))),
    NativeFunction::new("starts with", &["string", "match"], |call| {
        test(call, |text, m| text.starts_with(m))
    }),
    NativeFunction::new("ends with", &["string", "match"], |call| test(call, |text, m| text.ends_with(m))),
    NativeFunction::new("trim", &["string"], |call| map(call, |text| text.trim_matches(|c| c <= ' ').into())),
    NativeFunction::new("is blank", &["string"], is_blank),
    NativeFunction::new("uuid", &[], uuid),
    NativeFunction::new("to base64", &["value"], |call| map(call, |text| BASE64.encode(text).into())),
    NativeFunction::new("from base64", &["value"], from_base64),
];

/// Padding may be left out, and unused bits need not be zero.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn the_text<'c, 'a>(call: &Call<'c, '_, 'a>) -> Result<&'c Str<'a>, CallError> {
    match call.arguments {
        [Value::String(text)] => {
            call.evaluator.budget.bytes(text.len())?;
            Ok(text)
        }
        _ => Err(CallError::IllegalArguments),
    }
}

fn map<'a>(call: &Call<'_, '_, 'a>, function: fn(&str) -> Cow<'_, str>) -> Outcome<'a> {
    let text = the_text(call)?;
    let mapped = function(text);
    call.evaluator.budget.check_text(mapped.len())?;
    Ok(if *mapped == **text { Value::String(text.clone()) } else { Value::text(&*mapped) })
}

fn test<'a>(call: &Call<'_, '_, 'a>, function: fn(&str, &str) -> bool) -> Outcome<'a> {
    let (text, part) = two_texts(call)?;
    Ok(Value::Boolean(function(text, part)))
}

fn two_texts<'c, 'a>(call: &Call<'c, '_, 'a>) -> Result<(&'c Str<'a>, &'c Str<'a>), CallError> {
    match call.arguments {
        [Value::String(text), Value::String(part)] => {
            call.evaluator.budget.bytes(text.len() + part.len())?;
            Ok((text, part))
        }
        _ => Err(CallError::IllegalArguments),
    }
}

fn units(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// The text between two positions; half of a surrogate pair becomes U+FFFD.
fn slice<'a>(text: &str, from: usize, to: usize) -> Value<'a> {
    if text.is_ascii() {
        return Value::text(&text[from..to]);
    }
    let units: Vec<u16> = text.encode_utf16().skip(from).take(to - from).collect();
    Value::text(String::from_utf16_lossy(&units))
}

/// A position outside the text, or a negative length, fails everything.
fn substring<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let (text, start, length) = match call.arguments {
        [Value::String(text), Value::Number(start)] => (text, start, None),
        [Value::String(text), Value::Number(start), Value::Number(length)] => (text, start, Some(length)),
        _ => return Err(CallError::IllegalArguments),
    };
    call.evaluator.budget.bytes(text.len())?;
    let count = i64::try_from(units(text)).unwrap_or(i64::MAX);
    let start = i64::from(start.to_i32_wrapping());
    let from = if start > 0 { start - 1 } else { count + start };
    let to = length.map_or(count, |length| (from + i64::from(length.to_i32_wrapping())).min(count));
    match (usize::try_from(from), usize::try_from(to)) {
        (Ok(from), Ok(to)) if from <= to => Ok(slice(text, from, to)),
        _ => Err(CallError::fail(format!("substring: begin {from}, end {to}, length {count}"))),
    }
}

fn string_length<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    Ok(Value::Number(Number::from(units(the_text(call)?))))
}

fn substring_before<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let (text, part) = two_texts(call)?;
    Ok(Value::text(text.find(&**part).map_or("", |at| &text[..at])))
}

fn substring_after<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let (text, part) = two_texts(call)?;
    Ok(Value::text(text.find(&**part).map_or("", |at| &text[at + part.len()..])))
}

/// What Java calls white space: no-break spaces are none.
fn is_blank<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let blank = |c: char| match c {
        '\u{A0}' | '\u{2007}' | '\u{202F}' | '\u{85}' => false,
        '\u{1C}'..='\u{1F}' => true,
        _ => c.is_whitespace(),
    };
    Ok(Value::Boolean(the_text(call)?.chars().all(blank)))
}

/// Version 7: the milliseconds since 1970, then random bits.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every function")]
fn uuid<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let millis = u128::try_from(call.now().timestamp().as_millisecond()).unwrap_or(0);
    let random = fastrand::u128(..);
    let bits = (millis << 80) | (random & ((1 << 80) - 1));
    let bits = bits & !(0xF << 76) | (7 << 76);
    let bits = bits & !(0b11 << 62) | (0b10 << 62);
    let hex = format!("{bits:032x}");
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    Ok(Value::text(parts.join("-")))
}

fn from_base64<'a>(call: &Call<'_, '_, 'a>) -> Outcome<'a> {
    let text = the_text(call)?;
    match BASE64.decode(text.as_bytes()) {
        Ok(bytes) => Ok(Value::text(&*String::from_utf8_lossy(&bytes))),
        Err(_) => Err(CallError::Error("Invalid Base64 value".to_owned())),
    }
}
