//! Numbers as they are written, compared and added without rounding.

use std::cmp::Ordering;

/// A decimal number `digits × 10^-scale`. Up to 38 digits; more is read as the nearest such number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decimal {
    digits: i128,
    scale: u32,
}

impl Decimal {
    /// Reads JSON's and SOQL's number forms, exponent included.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('+').unwrap_or(text);
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let unsigned = whole.strip_prefix('-').unwrap_or(whole);
        let all_digits = unsigned.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
        if !all_digits || (unsigned.is_empty() && fraction.is_empty()) {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        let Ok(scale) = u32::try_from(scale) else {
            return 10_i128
                .checked_pow(scale.unsigned_abs())
                .and_then(|power| digits.checked_mul(power))
                .map(|digits| Self { digits, scale: 0 });
        };
        Some(Self { digits, scale })
    }

    /// The number of a count.
    pub(crate) fn from_count(count: usize) -> Self {
        Self { digits: i128::try_from(count).unwrap_or(i128::MAX), scale: 0 }
    }

    /// The nearest floating-point number, for what is inexact anyway (averages, distances).
    pub(crate) fn to_f64(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The sum; saturates where 38 digits do not suffice.
    pub(crate) fn add(self, other: Self) -> Self {
        let scale = self.scale.max(other.scale);
        match (self.rescaled(scale), other.rescaled(scale)) {
            (Some(left), Some(right)) => Self { digits: left.saturating_add(right), scale },
            _ if self.to_f64().abs() > other.to_f64().abs() => self,
            _ => other,
        }
    }

    /// How many digits stand before the point.
    pub(crate) fn digits_before_point(self) -> usize {
        let text = self.to_string();
        text.trim_start_matches('-').split('.').next().map_or(0, str::len)
    }

    fn rescaled(self, scale: u32) -> Option<i128> {
        10_i128.checked_pow(scale - self.scale).and_then(|power| self.digits.checked_mul(power))
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.digits < 0 { "-" } else { "" };
        let scale = self.scale as usize;
        let digits = format!("{:0>width$}", self.digits.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        match (self.rescaled(scale), other.rescaled(scale)) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => self.to_f64().total_cmp(&other.to_f64()),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn tenths_add_up_exactly() {
        assert_eq!(decimal("0.1").add(decimal("0.2")), decimal("0.3"));
        assert_eq!(decimal("0.1").add(decimal("0.2")).to_string(), "0.3");
    }

    #[test]
    fn forms_of_one_number_are_equal() {
        for text in ["1500", "1500.00", "1.5e3", "15E+2", "+1500", "150000e-2"] {
            assert_eq!(decimal(text), decimal("1500"), "{text}");
        }
        assert_eq!(decimal("-0.50").to_string(), "-0.5");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", ".", "1.2.3", "abc", "1e", "0x10", "1e999999999999"] {
            assert!(Decimal::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn numbers_beyond_f64_keep_their_order() {
        assert!(decimal("9007199254740993") > decimal("9007199254740992"));
    }
}
