//! Decimal numbers as the reference computes them: Java's `BigDecimal` with 34 significant digits, rounded half
//! to even, where the scale of an operand is kept (`1.10 + 1.90` is `3.00`).
//!
//! A coefficient that fits 38 digits is an `i128`, and most arithmetic stays there; longer literals keep every
//! digit in a big integer.

mod arithmetic;
mod convert;
mod rounding;
mod text;

use std::cmp::Ordering;
use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive, Zero};

pub use rounding::RoundingMode;

/// Significant digits of a result (`MathContext.DECIMAL128`).
pub(crate) const PRECISION: u32 = 34;
/// No number may have more digits than this: `decimal(1, 99999999)` is an error, not a minute of work.
pub(crate) const MAX_DIGITS: u64 = 4_096;
/// Digits that always fit an `i128`.
const SMALL_DIGITS: u32 = 38;

/// A decimal number: `coefficient × 10^-scale`.
///
/// ```
/// use camunda_feel::Number;
/// let sum = "1.10".parse::<Number>()?.add(&"1.90".parse()?)?;
/// assert_eq!(sum.to_string(), "3.00");
/// # Ok::<(), camunda_feel::NumberError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Number(Repr);

#[derive(Debug, Clone)]
enum Repr {
    Small {
        coefficient: i128,
        scale: i32,
    },
    /// More than 38 digits, or a literal that carries more precision than 34 digits.
    Big(Arc<BigNumber>),
}

#[derive(Debug)]
struct BigNumber {
    coefficient: BigInt,
    scale: i32,
    /// The precision of results in which this number is the left operand.
    precision: u32,
}

/// Why an operation on numbers has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumberError {
    /// The divisor is zero.
    DivisionByZero,
    /// The quotient's integer part needs more digits than a number may have.
    DivisionImpossible,
    /// The exponent of the result does not fit 32 bits.
    ExponentOverflow,
    /// Infinity or "not a number", as `log(0)` gives.
    NotFinite,
    /// The text is not a number.
    Syntax,
    /// The result would have more than 4,096 digits.
    TooManyDigits,
    /// Rounding mode `UNNECESSARY`, but digits would be lost.
    RoundingNecessary,
}

impl std::fmt::Display for NumberError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::DivisionByZero => "division by zero",
            Self::DivisionImpossible => "the quotient does not fit 34 digits",
            Self::ExponentOverflow => "the exponent is out of range",
            Self::NotFinite => "infinite or not a number",
            Self::Syntax => "not a number",
            Self::TooManyDigits => "the number has more than 4096 digits",
            Self::RoundingNecessary => "rounding is necessary",
        })
    }
}

impl std::error::Error for NumberError {}

/// Parts of a number in big-integer form, for the paths that need them.
struct Parts {
    coefficient: BigInt,
    scale: i64,
}

impl Number {
    pub(crate) const ZERO: Self = Self::small(0, 0);
    pub(crate) const ONE: Self = Self::small(1, 0);

    const fn small(coefficient: i128, scale: i32) -> Self {
        Self(Repr::Small { coefficient, scale })
    }

    /// Builds the number with the given precision for later results, choosing the smaller form.
    fn from_big(coefficient: BigInt, scale: i64, precision: u32) -> Result<Self, NumberError> {
        let scale = i32::try_from(scale).map_err(|_| NumberError::ExponentOverflow)?;
        let digits = digits_of(&coefficient);
        if digits > MAX_DIGITS {
            return Err(NumberError::TooManyDigits);
        }
        if precision == PRECISION
            && digits <= u64::from(SMALL_DIGITS)
            && let Some(coefficient) = coefficient.to_i128()
        {
            return Ok(Self::small(coefficient, scale));
        }
        Ok(Self(Repr::Big(Arc::new(BigNumber { coefficient, scale, precision }))))
    }

    /// Keeps every digit: a literal of 50 digits makes 50 the precision of what is computed from it.
    fn exact(coefficient: BigInt, scale: i64) -> Result<Self, NumberError> {
        let digits = digits_of(&coefficient);
        let precision = u32::try_from(digits).map_err(|_| NumberError::TooManyDigits)?.max(PRECISION);
        Self::from_big(coefficient, scale, precision)
    }

    fn parts(&self) -> Parts {
        match &self.0 {
            Repr::Small { coefficient, scale } => {
                Parts { coefficient: BigInt::from(*coefficient), scale: i64::from(*scale) }
            }
            Repr::Big(big) => Parts { coefficient: big.coefficient.clone(), scale: i64::from(big.scale) },
        }
    }

    fn precision(&self) -> u32 {
        match &self.0 {
            Repr::Small { .. } => PRECISION,
            Repr::Big(big) => big.precision,
        }
    }

    pub(crate) fn scale(&self) -> i32 {
        match &self.0 {
            Repr::Small { scale, .. } => *scale,
            Repr::Big(big) => big.scale,
        }
    }

    /// Count of decimal digits of the coefficient; 1 for zero.
    fn digits(&self) -> u64 {
        match &self.0 {
            Repr::Small { coefficient, .. } => u64::from(digits_of_i128(*coefficient)),
            Repr::Big(big) => digits_of(&big.coefficient),
        }
    }

    /// -1, 0 or 1.
    pub fn signum(&self) -> i32 {
        match &self.0 {
            Repr::Small { coefficient, .. } => match coefficient.cmp(&0) {
                Ordering::Less => -1,
                Ordering::Equal => 0,
                Ordering::Greater => 1,
            },
            Repr::Big(big) => {
                i32::from(big.coefficient.is_positive()) - i32::from(big.coefficient.is_negative())
            }
        }
    }

    /// True for zero of any scale.
    pub fn is_zero(&self) -> bool {
        self.signum() == 0
    }

    /// The number with the opposite sign.
    pub fn negate(&self) -> Self {
        match &self.0 {
            Repr::Small { coefficient, scale } => Self::small(-coefficient, *scale),
            Repr::Big(big) => Self(Repr::Big(Arc::new(BigNumber {
                coefficient: -&big.coefficient,
                scale: big.scale,
                precision: big.precision,
            }))),
        }
    }

    /// The number without its sign.
    pub fn abs(&self) -> Self {
        if self.signum() < 0 { self.negate() } else { self.clone() }
    }

    /// Order by value: `1.0` and `1` are equal.
    fn compare(&self, other: &Self) -> Ordering {
        if let (Repr::Small { coefficient: a, scale: left }, Repr::Small { coefficient: b, scale: right }) =
            (&self.0, &other.0)
            && left == right
        {
            return a.cmp(b);
        }
        let (left, right) = (self.signum(), other.signum());
        if left != right || left == 0 {
            return left.cmp(&right);
        }
        let magnitude = self.compare_magnitude(other);
        if left < 0 { magnitude.reverse() } else { magnitude }
    }

    /// Order of the absolute values of two numbers that are not zero.
    fn compare_magnitude(&self, other: &Self) -> Ordering {
        let exponent = |n: &Self| i64::try_from(n.digits()).unwrap_or(i64::MAX) - i64::from(n.scale());
        // The position of the first digit decides, unless it is the same; then the scales are near each other.
        exponent(self).cmp(&exponent(other)).then_with(|| {
            let (a, b) = (self.parts(), other.parts());
            let (a_shift, b_shift) = ((b.scale - a.scale).max(0), (a.scale - b.scale).max(0));
            (a.coefficient.abs() * power_of_ten(a_shift)).cmp(&(b.coefficient.abs() * power_of_ten(b_shift)))
        })
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.compare(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compare(other)
    }
}

/// `10^exponent`; the caller bounds the exponent.
fn power_of_ten(exponent: i64) -> BigInt {
    let exponent = u32::try_from(exponent).unwrap_or(0);
    small_power_of_ten(exponent).map_or_else(|| BigInt::from(10).pow(exponent), BigInt::from)
}

/// `10^exponent` where it fits.
fn small_power_of_ten(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

fn digits_of_i128(value: i128) -> u32 {
    value.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1)
}

fn digits_of(value: &BigInt) -> u64 {
    if let Some(small) = value.to_i128() {
        return u64::from(digits_of_i128(small));
    }
    // log10(2) from below; the loop corrects the estimate by at most a digit or two.
    let mut digits = (value.bits() - 1) * 301_029 / 1_000_000;
    let magnitude = value.abs();
    while magnitude >= power_of_ten(i64::try_from(digits).unwrap_or(i64::MAX)) {
        digits += 1;
    }
    digits
}

fn is_zero(value: &BigInt) -> bool {
    value.is_zero()
}

#[cfg(test)]
mod tests;
