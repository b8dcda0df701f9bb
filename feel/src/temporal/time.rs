//! Times of day, without and with an offset.

use std::cmp::Ordering;

use super::zone::Offset;
use super::{DayTimeDuration, NANOS_PER_DAY, NANOS_PER_SECOND, Zone};

/// A time of day without an offset, `10:30:00`; nanoseconds since midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime(i64);

impl LocalTime {
    pub(crate) const MIDNIGHT: Self = Self(0);

    /// The time, if hour, minute and second are within 23:59:59.999999999.
    pub fn new(hour: i64, minute: i64, second: i64, nano: i64) -> Option<Self> {
        let valid = (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..60).contains(&second)
            && (0..NANOS_PER_SECOND).contains(&nano);
        valid.then(|| Self(((hour * 60 + minute) * 60 + second) * NANOS_PER_SECOND + nano))
    }

    /// The time so many nanoseconds after midnight, around the clock.
    pub(crate) fn from_nanos(nanos: i128) -> Self {
        Self(i64::try_from(nanos.rem_euclid(i128::from(NANOS_PER_DAY))).unwrap_or(0))
    }

    pub(crate) fn nanos(self) -> i64 {
        self.0
    }

    /// 0 to 23.
    pub fn hour(self) -> i64 {
        self.0 / (3_600 * NANOS_PER_SECOND)
    }

    /// 0 to 59.
    pub fn minute(self) -> i64 {
        self.0 / (60 * NANOS_PER_SECOND) % 60
    }

    /// 0 to 59.
    pub fn second(self) -> i64 {
        self.0 / NANOS_PER_SECOND % 60
    }

    /// The fraction of the second.
    pub fn nano(self) -> i64 {
        self.0 % NANOS_PER_SECOND
    }

    /// Adds around the clock.
    pub(crate) fn plus(self, duration: DayTimeDuration) -> Self {
        Self::from_nanos(i128::from(self.0) + duration.nanos())
    }
}

/// A time of day with an offset, and with a zone where it was written with one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZonedTime {
    pub(crate) time: LocalTime,
    pub(crate) offset: Offset,
    pub(crate) zone: Option<Zone>,
}

impl ZonedTime {
    pub(crate) fn with_offset(time: LocalTime, offset: Offset) -> Self {
        Self { time, offset, zone: None }
    }

    pub(crate) fn plus(&self, duration: DayTimeDuration) -> Self {
        Self { time: self.time.plus(duration), ..self.clone() }
    }

    fn instant(&self) -> i64 {
        self.time.nanos() - i64::from(self.offset.seconds()) * NANOS_PER_SECOND
    }

    /// The distance of the two, never negative.
    pub(crate) fn distance(&self, other: &Self) -> DayTimeDuration {
        DayTimeDuration::from_nanos_unchecked(i128::from((self.instant() - other.instant()).abs()))
    }

    /// Order by the instant on one day; times that differ in the offset only may be neither equal nor ordered.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        self.instant().cmp(&other.instant())
    }
}
