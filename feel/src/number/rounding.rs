//! Rounding to a scale and to a precision, with Java's eight modes.

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, Zero};

use super::{MAX_DIGITS, Number, NumberError, Repr, digits_of, power_of_ten, small_power_of_ten};

/// How `decimal(n, scale, mode)` and its relatives round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundingMode {
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
    /// Towards positive infinity.
    Ceiling,
    /// Towards negative infinity.
    Floor,
    /// To the nearest; half away from zero.
    HalfUp,
    /// To the nearest; half towards zero.
    HalfDown,
    /// To the nearest; half to the even neighbour.
    HalfEven,
    /// An error if digits would be lost.
    Unnecessary,
}

impl RoundingMode {
    /// Every mode with the name that expressions use, in the reference's order.
    pub const NAMES: [(&'static str, Self); 8] = [
        ("UP", Self::Up),
        ("DOWN", Self::Down),
        ("CEILING", Self::Ceiling),
        ("FLOOR", Self::Floor),
        ("HALF_UP", Self::HalfUp),
        ("HALF_DOWN", Self::HalfDown),
        ("HALF_EVEN", Self::HalfEven),
        ("UNNECESSARY", Self::Unnecessary),
    ];

    /// Finds a mode by its name in any case.
    pub fn by_name(name: &str) -> Option<Self> {
        let name = name.to_uppercase();
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, mode)| *mode)
    }

    /// Whether the quotient's magnitude grows by one, for a remainder that is not zero.
    fn increments(self, negative: bool, odd: bool, half: std::cmp::Ordering) -> Result<bool, NumberError> {
        Ok(match self {
            Self::Up => true,
            Self::Down => false,
            Self::Ceiling => !negative,
            Self::Floor => negative,
            Self::HalfUp => half.is_ge(),
            Self::HalfDown => half.is_gt(),
            Self::HalfEven => half.is_gt() || (half.is_eq() && odd),
            Self::Unnecessary => return Err(NumberError::RoundingNecessary),
        })
    }
}

/// A quotient, and whether the division left nothing over.
pub(super) struct Quotient {
    pub(super) value: BigInt,
    pub(super) exact: bool,
}

/// Divides and rounds; the divisor is not zero.
pub(super) fn divide_rounded(
    dividend: &BigInt,
    divisor: &BigInt,
    mode: RoundingMode,
) -> Result<Quotient, NumberError> {
    let (value, remainder) = dividend.div_rem(divisor);
    if remainder.is_zero() {
        return Ok(Quotient { value, exact: true });
    }
    let negative = dividend.is_negative() != divisor.is_negative();
    let half = (remainder.abs() * 2_u8).cmp(&divisor.abs());
    let value = if mode.increments(negative, value.is_odd(), half)? {
        if negative { value - 1 } else { value + 1 }
    } else {
        value
    };
    Ok(Quotient { value, exact: false })
}

/// Rounds a coefficient to at most `precision` digits, half to even, and lowers the scale to match.
pub(super) fn to_precision(
    mut coefficient: BigInt,
    mut scale: i64,
    precision: u32,
) -> Result<(BigInt, i64), NumberError> {
    loop {
        let digits = digits_of(&coefficient);
        if digits <= u64::from(precision) {
            return Ok((coefficient, scale));
        }
        let dropped = i64::try_from(digits - u64::from(precision)).map_err(|_| NumberError::TooManyDigits)?;
        coefficient = divide_rounded(&coefficient, &power_of_ten(dropped), RoundingMode::HalfEven)?.value;
        scale -= dropped;
    }
}

/// Removes trailing zeros as long as the scale stays above the preferred one.
pub(super) fn strip_zeros(mut coefficient: BigInt, mut scale: i64, preferred: i64) -> (BigInt, i64) {
    let ten = BigInt::from(10);
    while scale > preferred && coefficient.abs() >= ten {
        let (quotient, remainder) = coefficient.div_rem(&ten);
        if !remainder.is_zero() {
            break;
        }
        coefficient = quotient;
        scale -= 1;
    }
    (coefficient, scale)
}

impl Number {
    /// The number with exactly `scale` digits after the point (before it, when negative).
    ///
    /// # Errors
    /// When the result has too many digits, or the mode forbids the rounding.
    pub fn with_scale(&self, scale: i32, mode: RoundingMode) -> Result<Self, NumberError> {
        if scale == self.scale() {
            return Ok(self.clone());
        }
        let raise = i64::from(scale) - i64::from(self.scale());
        if let Some(number) = self.with_scale_small(scale, raise, mode)? {
            return Ok(number);
        }
        let parts = self.parts();
        if raise > 0 {
            let added = u64::try_from(raise).unwrap_or(u64::MAX);
            if added + self.digits() > MAX_DIGITS && !self.is_zero() {
                return Err(NumberError::TooManyDigits);
            }
            let coefficient =
                if self.is_zero() { parts.coefficient } else { parts.coefficient * power_of_ten(raise) };
            return Self::from_big(coefficient, i64::from(scale), self.precision());
        }
        // One digit more than there are is enough to round everything away.
        let lowered = (-raise).min(i64::try_from(self.digits()).unwrap_or(i64::MAX) + 1);
        let quotient = divide_rounded(&parts.coefficient, &power_of_ten(lowered), mode)?;
        Self::from_big(quotient.value, i64::from(scale), self.precision())
    }

    /// The same, as long as everything fits an `i128`.
    fn with_scale_small(
        &self,
        scale: i32,
        raise: i64,
        mode: RoundingMode,
    ) -> Result<Option<Self>, NumberError> {
        let Repr::Small { coefficient, .. } = self.0 else { return Ok(None) };
        let Some(power) = u32::try_from(raise.abs()).ok().and_then(small_power_of_ten) else {
            return Ok(None);
        };
        if raise > 0 {
            let raised =
                coefficient.checked_mul(power).filter(|raised| raised.unsigned_abs() < 10_u128.pow(38));
            return Ok(raised.map(|raised| Self::small(raised, scale)));
        }
        let (quotient, remainder) = (coefficient / power, coefficient % power);
        if remainder == 0 {
            return Ok(Some(Self::small(quotient, scale)));
        }
        let half = (remainder.unsigned_abs() * 2).cmp(&power.unsigned_abs());
        let step = if coefficient < 0 { -1 } else { 1 };
        let grown = mode.increments(coefficient < 0, quotient % 2 != 0, half)?;
        Ok(Some(Self::small(if grown { quotient + step } else { quotient }, scale)))
    }
}
