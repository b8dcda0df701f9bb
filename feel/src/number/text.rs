//! Numbers from and to text: Java's `new BigDecimal(text)` and `BigDecimal.toString()`.

use std::fmt;
use std::str::FromStr;

use num_bigint::BigInt;

use super::{MAX_DIGITS, Number, NumberError, Repr, digits_of_i128};

impl FromStr for Number {
    type Err = NumberError;

    /// Reads `-12.50`, `.5`, `5.` and `1e3`; blanks and anything else are an error.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let (negative, digits) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match digits.find(['e', 'E']) {
            Some(at) => (&digits[..at], parse_exponent(&digits[at + 1..])?),
            None => (digits, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
            return Err(NumberError::Syntax);
        }
        let scale = i64::try_from(fraction.len()).map_err(|_| NumberError::TooManyDigits)? - exponent;
        Self::from_digits(negative, whole, fraction, scale)
    }
}

impl Number {
    fn from_digits(negative: bool, whole: &str, fraction: &str, scale: i64) -> Result<Self, NumberError> {
        let significant = whole.len() + fraction.len();
        if significant <= 34
            && let Ok(scale) = i32::try_from(scale)
        {
            let value = whole
                .bytes()
                .chain(fraction.bytes())
                .fold(0_i128, |value, b| value * 10 + i128::from(b - b'0'));
            return Ok(Self::small(if negative { -value } else { value }, scale));
        }
        if significant as u64 > 2 * MAX_DIGITS {
            return Err(NumberError::TooManyDigits);
        }
        let mut digits = String::with_capacity(significant);
        digits.push_str(whole);
        digits.push_str(fraction);
        let value: BigInt = digits.parse().map_err(|_| NumberError::Syntax)?;
        Self::exact(if negative { -value } else { value }, scale)
    }
}

fn parse_exponent(text: &str) -> Result<i64, NumberError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NumberError::Syntax);
    }
    let exponent: i64 = digits.parse().map_err(|_| NumberError::ExponentOverflow)?;
    i32::try_from(exponent).map_err(|_| NumberError::ExponentOverflow)?;
    Ok(if text.starts_with('-') { -exponent } else { exponent })
}

impl fmt::Display for Number {
    /// Plain where the exponent is between -6 and the digits, else `1E+3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Small { coefficient, scale: 0 } => write!(f, "{coefficient}"),
            Repr::Small { coefficient, scale } => {
                let mut buffer = [0_u8; 40];
                let digits = write_digits(coefficient.unsigned_abs(), &mut buffer);
                write_decimal(f, *coefficient < 0, digits, *scale)
            }
            Repr::Big(big) => {
                let text = big.coefficient.magnitude().to_string();
                write_decimal(f, self.signum() < 0, &text, big.scale)
            }
        }
    }
}

/// Writes the digits at the end of the buffer, without an allocation.
fn write_digits(mut value: u128, buffer: &mut [u8; 40]) -> &str {
    let start = buffer.len() - digits_of_i128(i128::try_from(value).unwrap_or(i128::MAX)) as usize;
    for slot in buffer[start..].iter_mut().rev() {
        *slot = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
    }
    std::str::from_utf8(&buffer[start..]).unwrap_or("0")
}

fn write_decimal(f: &mut fmt::Formatter<'_>, negative: bool, digits: &str, scale: i32) -> fmt::Result {
    if negative {
        f.write_str("-")?;
    }
    let count = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let scale = i64::from(scale);
    let exponent = count - 1 - scale;
    if scale >= 0 && exponent >= -6 {
        return write_plain(f, digits, usize::try_from(scale).unwrap_or(0));
    }
    f.write_str(&digits[..1])?;
    if count > 1 {
        write!(f, ".{}", &digits[1..])?;
    }
    if exponent == 0 { Ok(()) } else { write!(f, "E{exponent:+}") }
}

fn write_plain(f: &mut fmt::Formatter<'_>, digits: &str, scale: usize) -> fmt::Result {
    if scale == 0 {
        return f.write_str(digits);
    }
    if digits.len() > scale {
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        return write!(f, "{whole}.{fraction}");
    }
    write!(f, "0.{digits:0>scale$}")
}
