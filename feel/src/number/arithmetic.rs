//! The operations. The precision of a result is that of the left operand, as in the reference.

use num_bigint::BigInt;
use num_traits::{One, Signed};

use super::rounding::{divide_rounded, strip_zeros, to_precision};
use super::{
    Number, NumberError, PRECISION, Parts, Repr, RoundingMode, digits_of, digits_of_i128, is_zero,
    power_of_ten, small_power_of_ten,
};

impl Number {
    /// The sum, rounded to 34 digits; its scale is the larger one.
    ///
    /// # Errors
    /// When the exponent leaves 32 bits.
    pub fn add(&self, other: &Self) -> Result<Self, NumberError> {
        if let Some(sum) = self.add_small(other) {
            return Ok(sum);
        }
        let precision = self.precision();
        let (mut left, mut right) = (self.parts(), other.parts());
        if is_zero(&left.coefficient) || is_zero(&right.coefficient) {
            return add_zero(left, right, precision);
        }
        drop_insignificant(&mut left, &mut right, precision);
        let scale = left.scale.max(right.scale);
        let sum = left.coefficient * power_of_ten(scale - left.scale)
            + right.coefficient * power_of_ten(scale - right.scale);
        Self::rounded(sum, scale, precision)
    }

    /// The difference.
    ///
    /// # Errors
    /// As [`Number::add`].
    pub fn subtract(&self, other: &Self) -> Result<Self, NumberError> {
        self.add(&other.negate())
    }

    fn add_small(&self, other: &Self) -> Option<Self> {
        let (Repr::Small { coefficient: a, scale: left }, Repr::Small { coefficient: b, scale: right }) =
            (&self.0, &other.0)
        else {
            return None;
        };
        let scale = *left.max(right);
        let raise = |coefficient: i128, from: i32| {
            let power =
                u32::try_from(i64::from(scale) - i64::from(from)).ok().and_then(small_power_of_ten)?;
            coefficient.checked_mul(power)
        };
        let sum = raise(*a, *left)?.checked_add(raise(*b, *right)?)?;
        (digits_of_i128(sum) <= PRECISION).then(|| Self::small(sum, scale))
    }

    /// The product; its scale is the sum of the scales.
    ///
    /// # Errors
    /// When the exponent leaves 32 bits.
    pub fn multiply(&self, other: &Self) -> Result<Self, NumberError> {
        if let (Repr::Small { coefficient: a, scale: left }, Repr::Small { coefficient: b, scale: right }) =
            (&self.0, &other.0)
            && let (Some(product), Some(scale)) = (a.checked_mul(*b), left.checked_add(*right))
            && digits_of_i128(product) <= PRECISION
        {
            return Ok(Self::small(product, scale));
        }
        self.multiply_to(other, self.precision())
    }

    pub(super) fn multiply_to(&self, other: &Self, precision: u32) -> Result<Self, NumberError> {
        let (left, right) = (self.parts(), other.parts());
        Self::rounded(left.coefficient * right.coefficient, left.scale + right.scale, precision)
    }

    /// The quotient; an exact one keeps the scale `left − right` where it can.
    ///
    /// # Errors
    /// [`NumberError::DivisionByZero`], or when the exponent leaves 32 bits.
    pub fn divide(&self, other: &Self) -> Result<Self, NumberError> {
        if other.is_zero() {
            return Err(NumberError::DivisionByZero);
        }
        if let (Repr::Small { coefficient: a, scale: left }, Repr::Small { coefficient: b, scale: right }) =
            (&self.0, &other.0)
            && a % b == 0
            && let Some(scale) = left.checked_sub(*right)
            && digits_of_i128(a / b) <= PRECISION
        {
            return Ok(Self::small(a / b, scale));
        }
        self.divide_to(other, self.precision(), RoundingMode::HalfEven)
    }

    pub(super) fn divide_to(
        &self,
        other: &Self,
        precision: u32,
        mode: RoundingMode,
    ) -> Result<Self, NumberError> {
        if other.is_zero() {
            return Err(NumberError::DivisionByZero);
        }
        let (left, right) = (self.parts(), other.parts());
        let preferred = left.scale - right.scale;
        if self.is_zero() {
            let scale = preferred.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
            return Self::from_big(BigInt::ZERO, scale, precision);
        }
        // The quotient is computed with one or two digits more than needed; a remainder makes the last one sticky.
        let digits = |n: &BigInt| i64::try_from(digits_of(n)).unwrap_or(i64::MAX);
        let raise = i64::from(precision) + 2 + digits(&right.coefficient) - digits(&left.coefficient);
        let (dividend, divisor) = if raise > 0 {
            (left.coefficient * power_of_ten(raise), right.coefficient)
        } else {
            (left.coefficient, right.coefficient * power_of_ten(-raise))
        };
        let scale = preferred + raise;
        let quotient = divide_rounded(&dividend, &divisor, RoundingMode::Down)?;
        if quotient.exact {
            let (coefficient, scale) = strip_zeros(quotient.value, scale, preferred);
            return Self::rounded_with(coefficient, scale, precision, mode);
        }
        // Not exact: one more digit that is neither 0 nor 5 rounds as the endless rest would.
        let sticky: i32 = if dividend.is_negative() == divisor.is_negative() { 1 } else { -1 };
        Self::rounded_with(quotient.value * 10 + sticky, scale + 1, precision, mode)
    }

    /// The remainder of the division whose quotient is cut to an integer; it has the sign of the dividend.
    ///
    /// # Errors
    /// [`NumberError::DivisionByZero`]; [`NumberError::DivisionImpossible`] when the quotient has more than 34 digits.
    pub fn remainder(&self, other: &Self) -> Result<Self, NumberError> {
        if other.is_zero() {
            return Err(NumberError::DivisionByZero);
        }
        let quotient = self.integral_quotient(other)?;
        let (left, right) = (quotient.parts(), other.parts());
        let product =
            Parts { coefficient: left.coefficient * right.coefficient, scale: left.scale + right.scale };
        let whole = self.parts();
        let scale = whole.scale.max(product.scale);
        if scale - whole.scale.min(product.scale) > i64::try_from(super::MAX_DIGITS).unwrap_or(i64::MAX) {
            return Err(NumberError::TooManyDigits);
        }
        let rest = whole.coefficient * power_of_ten(scale - whole.scale)
            - product.coefficient * power_of_ten(scale - product.scale);
        Self::from_big(rest, scale, self.precision())
    }

    fn integral_quotient(&self, other: &Self) -> Result<Self, NumberError> {
        let preferred = (i64::from(self.scale()) - i64::from(other.scale()))
            .clamp(i64::from(i32::MIN), i64::from(i32::MAX));
        if self.is_zero() || self.compare_magnitude(other).is_lt() {
            return Self::from_big(BigInt::ZERO, preferred, self.precision());
        }
        let quotient = self.divide_to(other, self.precision(), RoundingMode::Down)?;
        if quotient.scale() < 0 {
            let product = quotient.multiply_to(other, u32::MAX)?;
            let rest = self.abs().add(&product.abs().negate())?;
            if rest.abs() >= other.abs() {
                return Err(NumberError::DivisionImpossible);
            }
        }
        let quotient =
            if quotient.scale() > 0 { quotient.with_scale(0, RoundingMode::Down)? } else { quotient };
        let parts = quotient.parts();
        let room = i64::from(self.precision()) - i64::try_from(quotient.digits()).unwrap_or(i64::MAX);
        if preferred > parts.scale && room > 0 {
            let raise = room.min(preferred - parts.scale);
            return Self::from_big(
                parts.coefficient * power_of_ten(raise),
                parts.scale + raise,
                self.precision(),
            );
        }
        let (coefficient, scale) = strip_zeros(parts.coefficient, parts.scale, preferred);
        Self::from_big(coefficient, scale, self.precision())
    }

    /// The power with an integer exponent, by the X3.274 algorithm that Java uses.
    ///
    /// # Errors
    /// When the exponent is beyond ±999,999,999, the base is zero and the exponent negative, or the result too large.
    pub fn power(&self, exponent: i32) -> Result<Self, NumberError> {
        const MAX_EXPONENT: u32 = 999_999_999;
        let magnitude = exponent.unsigned_abs();
        if magnitude > MAX_EXPONENT {
            return Err(NumberError::ExponentOverflow);
        }
        if exponent == 0 {
            return Ok(Self::ONE);
        }
        let working = self.precision() + magnitude.ilog10() + 2;
        let mut result = Self::ONE;
        for bit in (0..=magnitude.ilog2()).rev() {
            result = result.multiply_to(&result, working)?;
            if magnitude >> bit & 1 == 1 {
                result = result.multiply_to(self, working)?;
            }
        }
        if exponent < 0 {
            result = Self::ONE.divide_to(&result, working, RoundingMode::HalfEven)?;
        }
        let parts = result.parts();
        Self::rounded(parts.coefficient, parts.scale, self.precision())
    }

    fn rounded(coefficient: BigInt, scale: i64, precision: u32) -> Result<Self, NumberError> {
        let (coefficient, scale) = to_precision(coefficient, scale, precision)?;
        Self::from_big(coefficient, scale, keep(precision))
    }

    fn rounded_with(
        coefficient: BigInt,
        scale: i64,
        precision: u32,
        mode: RoundingMode,
    ) -> Result<Self, NumberError> {
        if mode == RoundingMode::HalfEven {
            return Self::rounded(coefficient, scale, precision);
        }
        let surplus = i64::try_from(digits_of(&coefficient)).unwrap_or(i64::MAX) - i64::from(precision);
        if surplus <= 0 {
            return Self::from_big(coefficient, scale, keep(precision));
        }
        let cut = divide_rounded(&coefficient, &power_of_ten(surplus), mode)?.value;
        Self::from_big(cut, scale - surplus, keep(precision))
    }
}

/// Intermediate results of a power carry a few digits more; they do not make the result more precise.
fn keep(precision: u32) -> u32 {
    if precision == u32::MAX { PRECISION } else { precision }
}

/// A sum in which one side is zero: the other side, brought towards the larger scale as far as the precision allows.
fn add_zero(left: Parts, right: Parts, precision: u32) -> Result<Number, NumberError> {
    let preferred = left.scale.max(right.scale);
    let other = if is_zero(&left.coefficient) { right } else { left };
    if is_zero(&other.coefficient) {
        return Number::from_big(BigInt::ZERO, preferred, precision);
    }
    let (coefficient, scale) = to_precision(other.coefficient, other.scale, precision)?;
    if scale >= preferred {
        let (coefficient, scale) = strip_zeros(coefficient, scale, preferred);
        return Number::from_big(coefficient, scale, precision);
    }
    let room = i64::from(precision) - i64::try_from(digits_of(&coefficient)).unwrap_or(i64::MAX);
    let raise = room.min(preferred - scale).max(0);
    Number::from_big(coefficient * power_of_ten(raise), scale + raise, precision)
}

/// Replaces an operand that is too small to matter by a tiny one, so that `1e1000000 + 1` needs no million digits.
fn drop_insignificant(left: &mut Parts, right: &mut Parts, precision: u32) {
    let digits = |n: &BigInt| i64::try_from(digits_of(n)).unwrap_or(i64::MAX);
    let (big, small) = if left.scale <= right.scale { (left, right) } else { (right, left) };
    let last_digit = big.scale - digits(&big.coefficient) + i64::from(precision);
    let first_digit = small.scale - digits(&small.coefficient) + 1;
    if first_digit > big.scale + 2 && first_digit > last_digit + 2 {
        let sign = if small.coefficient.is_negative() { -BigInt::one() } else { BigInt::one() };
        *small = Parts { coefficient: sign, scale: big.scale.max(last_digit) + 3 };
    }
}
