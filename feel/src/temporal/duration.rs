//! The two kinds of durations: months, and seconds.

use super::{NANOS_PER_SECOND, SECONDS_PER_DAY};
use crate::number::Number;

/// A duration of years and months, always normalized: `P1Y2M`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct YearMonthDuration(i64);

impl YearMonthDuration {
    /// A duration of so many months.
    pub fn from_months(months: i64) -> Self {
        Self(months)
    }

    /// All of it in months.
    pub fn total_months(self) -> i64 {
        self.0
    }

    /// The whole years.
    pub fn years(self) -> i64 {
        self.0 / 12
    }

    /// The months beyond the whole years.
    pub fn months(self) -> i64 {
        self.0 % 12
    }

    /// The years must fit 32 bits, as the reference keeps them.
    pub(crate) fn checked(months: i128) -> Option<Self> {
        let years = months / 12;
        (i32::try_from(years).is_ok()).then_some(())?;
        i64::try_from(months).ok().map(Self)
    }
}

/// A duration of days, hours, minutes and seconds, exact to the nanosecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DayTimeDuration(i128);

impl DayTimeDuration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// The duration, if its seconds fit 64 bits.
    pub fn from_nanos(nanos: i128) -> Option<Self> {
        i64::try_from(nanos.div_euclid(i128::from(NANOS_PER_SECOND))).ok().map(|_| Self(nanos))
    }

    pub(crate) const fn from_nanos_unchecked(nanos: i128) -> Self {
        Self(nanos)
    }

    pub(crate) fn from_seconds(seconds: i64) -> Self {
        Self(i128::from(seconds) * i128::from(NANOS_PER_SECOND))
    }

    /// A duration of so many milliseconds.
    pub fn from_millis(millis: i64) -> Self {
        Self(i128::from(millis) * 1_000_000)
    }

    /// All of it in nanoseconds.
    pub fn nanos(self) -> i128 {
        self.0
    }

    /// All of it in milliseconds, cut towards zero; none beyond 64 bits.
    pub fn millis(self) -> Option<i64> {
        i64::try_from(self.0 / 1_000_000).ok()
    }

    /// The seconds, rounded down.
    pub(crate) fn seconds(self) -> i64 {
        i64::try_from(self.0.div_euclid(i128::from(NANOS_PER_SECOND))).unwrap_or(i64::MAX)
    }

    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        Self::from_nanos(self.0.checked_add(other.0)?)
    }

    pub(crate) fn minus(self, other: Self) -> Option<Self> {
        Self::from_nanos(self.0.checked_sub(other.0)?)
    }

    pub(crate) fn times(self, factor: i32) -> Option<Self> {
        Self::from_nanos(self.0.checked_mul(i128::from(factor))?)
    }

    pub(crate) fn negated(self) -> Self {
        Self(-self.0)
    }

    pub(crate) fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// Days, and the hours, minutes and seconds beyond them.
    pub(crate) fn fields(self) -> [i64; 4] {
        let seconds = self.seconds();
        [seconds / SECONDS_PER_DAY, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60]
    }

    /// Divides by a number as the reference does: in milliseconds, of which the low 32 bits stay.
    pub(crate) fn divided_by(self, divisor: &Number) -> Option<Self> {
        let quotient = Number::from(self.millis()?).divide(divisor).ok()?;
        Some(Self::from_millis(i64::from(quotient.to_i32_wrapping())))
    }
}
