//! The order of two values of one type.

use std::cmp::Ordering;
use std::mem::discriminant;

use super::Value;

/// Whether both have the same type; times and date-times with and without an offset are different types.
pub(crate) fn same_type(x: &Value<'_>, y: &Value<'_>) -> bool {
    discriminant(x) == discriminant(y)
}

/// Whether values of this type may stand beside `<`. A list may if its items may, and then nothing comes of it.
pub(crate) fn is_comparable(value: &Value<'_>) -> bool {
    match value {
        Value::Null | Value::Boolean(_) | Value::Context(_) | Value::Range(_) | Value::Function(_) => false,
        Value::List(list) => match list.get(0) {
            Some(first) => is_comparable(&first) && list.iter().all(|item| same_type(&first, &item)),
            None => false,
        },
        _ => true,
    }
}

/// The order of two values of one type that has an order.
pub(crate) fn compare(x: &Value<'_>, y: &Value<'_>) -> Option<Ordering> {
    Some(match (x, y) {
        (Value::Number(x), Value::Number(y)) => x.cmp(y),
        (Value::String(x), Value::String(y)) => compare_units(x, y),
        (Value::Date(x), Value::Date(y)) => x.cmp(y),
        (Value::LocalTime(x), Value::LocalTime(y)) => x.cmp(y),
        (Value::Time(x), Value::Time(y)) => x.compare(y),
        (Value::LocalDateTime(x), Value::LocalDateTime(y)) => x.cmp(y),
        (Value::DateTime(x), Value::DateTime(y)) => x.compare(y),
        (Value::YearMonthDuration(x), Value::YearMonthDuration(y)) => x.cmp(y),
        (Value::DayTimeDuration(x), Value::DayTimeDuration(y)) => x.cmp(y),
        _ => return None,
    })
}

/// Texts are compared by their UTF-16 units.
fn compare_units(x: &str, y: &str) -> Ordering {
    let differs = x.chars().zip(y.chars()).find(|(a, b)| a != b);
    match differs {
        // Below the surrogates the order of units is that of characters.
        Some((a, b)) if a <= '\u{D7FF}' || b <= '\u{D7FF}' => a.cmp(&b),
        Some((a, b)) => a.encode_utf16(&mut [0; 2]).cmp(&b.encode_utf16(&mut [0; 2])),
        None => x.len().cmp(&y.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_ordered_by_utf16_units() {
        assert_eq!(compare_units("a", "B"), Ordering::Greater);
        assert_eq!(compare_units("a", "ab"), Ordering::Less);
        assert_eq!(compare_units("\u{FF5E}", "\u{1F600}"), Ordering::Greater);
        assert_eq!(compare_units("x\u{1F600}", "x\u{1F601}"), Ordering::Less);
    }
}
