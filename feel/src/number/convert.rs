//! Between numbers and the machine's integers and doubles, by Java's rules.

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive, Zero};

use super::{Number, NumberError, Repr, RoundingMode, power_of_ten, small_power_of_ten};

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self::small(i128::from(value), 0)
    }
}

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        Self::small(i128::try_from(value).unwrap_or(i128::MAX), 0)
    }
}

impl Number {
    /// The decimal of a double, with the digits and the scale that Java prints for it: 1.0 is `1.0`, 1.5e10 is
    /// `1.5E+10`.
    ///
    /// # Errors
    /// [`NumberError::NotFinite`].
    pub fn from_f64(value: f64) -> Result<Self, NumberError> {
        if !value.is_finite() {
            return Err(NumberError::NotFinite);
        }
        if value == 0.0 {
            return Ok(Self::small(0, 1));
        }
        let text = format!("{:e}", value.abs());
        let (mantissa, exponent) = text.split_once('e').ok_or(NumberError::Syntax)?;
        let exponent: i32 = exponent.parse().map_err(|_| NumberError::Syntax)?;
        let mut digits: i128 = 0;
        let mut count = 0;
        for digit in mantissa.bytes().filter(u8::is_ascii_digit) {
            digits = digits * 10 + i128::from(digit - b'0');
            count += 1;
        }
        // At least one digit follows the point, in the plain form and in the scientific one.
        let plain = (-3..7).contains(&exponent);
        let wanted = if plain { (count - 1 - exponent).max(1) } else { (count - 1).max(1) - exponent };
        let padding = u32::try_from(wanted - (count - 1 - exponent)).unwrap_or(0);
        let digits = digits * 10_i128.pow(padding);
        Ok(Self::small(if value < 0.0 { -digits } else { digits }, wanted))
    }

    /// The nearest double; infinite beyond its range.
    pub fn to_f64(&self) -> f64 {
        if let Repr::Small { coefficient, scale: 0 } = self.0
            && let Ok(small) = i32::try_from(coefficient)
        {
            return f64::from(small);
        }
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// True when there is no fraction.
    pub fn is_integer(&self) -> bool {
        if self.scale() <= 0 || self.is_zero() {
            return true;
        }
        // A fraction longer than the digits cannot be zero.
        if i64::from(self.scale()) >= i64::try_from(self.digits()).unwrap_or(i64::MAX) {
            return false;
        }
        match &self.0 {
            Repr::Small { coefficient, scale } => u32::try_from(*scale)
                .ok()
                .and_then(small_power_of_ten)
                .is_some_and(|power| coefficient % power == 0),
            Repr::Big(big) => (&big.coefficient % power_of_ten(i64::from(big.scale))).is_zero(),
        }
    }

    /// The value as an integer of 64 bits, if it is one.
    pub fn to_i64(&self) -> Option<i64> {
        if !self.is_integer() || i64::try_from(self.digits()).ok()? - i64::from(self.scale()) > 19 {
            return if self.is_zero() { Some(0) } else { None };
        }
        self.with_scale(0, RoundingMode::Down).ok()?.integer_part().to_i64()
    }

    /// Java's `intValue()`: the fraction is cut, and of the rest the low 32 bits stay.
    pub(crate) fn to_i32_wrapping(&self) -> i32 {
        if let Repr::Small { coefficient, scale: 0 } = self.0
            && let Ok(small) = i32::try_from(coefficient)
        {
            return small;
        }
        let low = self.integer_part().mod_floor(&(BigInt::from(1) << 32)).to_u32().unwrap_or(0);
        low.cast_signed()
    }

    /// The digits before the point. Zero for numbers whose low 64 bits are all zero because of their exponent.
    fn integer_part(&self) -> BigInt {
        let parts = self.parts();
        if parts.scale <= -64 || i64::try_from(self.digits()).unwrap_or(i64::MAX) <= parts.scale {
            return BigInt::zero();
        }
        if parts.scale >= 0 {
            let magnitude = parts.coefficient.abs() / power_of_ten(parts.scale);
            return if parts.coefficient.is_negative() { -magnitude } else { magnitude };
        }
        parts.coefficient * power_of_ten(-parts.scale)
    }

    /// The digits after the point, as a count of billionths.
    pub(crate) fn nanoseconds(&self) -> i32 {
        let Ok(fraction) = self.remainder(&Self::ONE) else { return 0 };
        fraction.multiply(&Self::small(1_000_000_000, 0)).map_or(0, |nanos| nanos.to_i32_wrapping())
    }
}
