//! Dates with times, without and with a zone.

use std::cmp::Ordering;

use super::zone::Offset;
use super::{
    Date, DayTimeDuration, LocalTime, NANOS_PER_DAY, NANOS_PER_SECOND, SECONDS_PER_DAY, YearMonthDuration,
    Zone, ZonedTime,
};

/// A date and a time without an offset, `2024-05-06T10:30:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalDateTime {
    pub(crate) date: Date,
    pub(crate) time: LocalTime,
}

impl LocalDateTime {
    /// Puts the two together.
    pub fn new(date: Date, time: LocalTime) -> Self {
        Self { date, time }
    }

    fn nanos(self) -> i128 {
        i128::from(self.date.epoch_day()) * i128::from(NANOS_PER_DAY) + i128::from(self.time.nanos())
    }

    pub(crate) fn plus_nanos(self, nanos: i128) -> Option<Self> {
        let total = self.nanos().checked_add(nanos)?;
        let days = i64::try_from(total.div_euclid(i128::from(NANOS_PER_DAY))).ok()?;
        Some(Self { date: Date::from_epoch_day(days)?, time: LocalTime::from_nanos(total) })
    }

    pub(crate) fn plus(self, duration: DayTimeDuration) -> Option<Self> {
        self.plus_nanos(duration.nanos())
    }

    pub(crate) fn plus_months(self, months: i64) -> Option<Self> {
        Some(Self { date: self.date.plus_months(months)?, time: self.time })
    }

    pub(crate) fn since(self, other: Self) -> Option<DayTimeDuration> {
        DayTimeDuration::from_nanos(self.nanos() - other.nanos())
    }
}

/// A date and a time with an offset or a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZonedDateTime {
    pub(crate) local: LocalDateTime,
    pub(crate) offset: Offset,
    pub(crate) zone: Zone,
}

impl ZonedDateTime {
    /// The local time in a zone; a time that a gap skips is moved behind it.
    pub(crate) fn from_local(local: LocalDateTime, zone: Zone, preferred: Option<Offset>) -> Self {
        let (local, offset) = zone.resolve(local, preferred);
        Self { local, offset, zone }
    }

    pub(crate) fn with_offset(local: LocalDateTime, offset: Offset) -> Self {
        Self { local, offset, zone: offset.into() }
    }

    /// The instant as a zone shows it.
    pub(crate) fn from_instant(epoch_second: i64, nano: i64, zone: Zone) -> Option<Self> {
        let offset = zone.offset_at(epoch_second);
        let local = epoch_second.checked_add(i64::from(offset.seconds()))?;
        let date = Date::from_epoch_day(local.div_euclid(SECONDS_PER_DAY))?;
        let second_of_day = i128::from(local.rem_euclid(SECONDS_PER_DAY));
        let time = LocalTime::from_nanos(second_of_day * i128::from(NANOS_PER_SECOND) + i128::from(nano));
        Some(Self { local: LocalDateTime { date, time }, offset, zone })
    }

    pub(crate) fn from_jiff(zoned: &jiff::Zoned) -> Option<Self> {
        let timestamp = zoned.timestamp();
        let nanos = timestamp.as_nanosecond();
        let per_second = i128::from(NANOS_PER_SECOND);
        let second = i64::try_from(nanos.div_euclid(per_second)).ok()?;
        let nano = i64::try_from(nanos.rem_euclid(per_second)).ok()?;
        Self::from_instant(second, nano, Zone::from_jiff(zoned.time_zone()))
    }

    pub(crate) fn epoch_second(&self) -> i64 {
        let second_of_day = self.local.time.nanos() / NANOS_PER_SECOND;
        self.local.date.epoch_day() * SECONDS_PER_DAY + second_of_day - i64::from(self.offset.seconds())
    }

    /// True when the zone has a name and is not the offset itself.
    pub(crate) fn has_zone(&self) -> bool {
        self.zone.name().is_some()
    }

    pub(crate) fn in_zone(&self, zone: Zone) -> Option<Self> {
        Self::from_instant(self.epoch_second(), self.local.time.nano(), zone)
    }

    pub(crate) fn plus(&self, duration: DayTimeDuration) -> Option<Self> {
        let nanos = i128::from(self.epoch_second()) * i128::from(NANOS_PER_SECOND)
            + i128::from(self.local.time.nano())
            + duration.nanos();
        let per_second = i128::from(NANOS_PER_SECOND);
        let second = i64::try_from(nanos.div_euclid(per_second)).ok()?;
        let nano = i64::try_from(nanos.rem_euclid(per_second)).ok()?;
        Self::from_instant(second, nano, self.zone.clone())
    }

    pub(crate) fn plus_months(&self, months: i64) -> Option<Self> {
        let local = self.local.plus_months(months)?;
        Some(Self::from_local(local, self.zone.clone(), Some(self.offset)))
    }

    pub(crate) fn since(&self, other: &Self) -> Option<DayTimeDuration> {
        let seconds = i128::from(self.epoch_second()) - i128::from(other.epoch_second());
        let nanos = i128::from(self.local.time.nano()) - i128::from(other.local.time.nano());
        DayTimeDuration::from_nanos(seconds * i128::from(NANOS_PER_SECOND) + nanos)
    }

    /// Order by the instant, then by the local time, then by the zone's name.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let name = |d: &Self| d.zone.name().map_or_else(|| d.offset.to_string(), str::to_owned);
        self.epoch_second()
            .cmp(&other.epoch_second())
            .then_with(|| self.local.time.nano().cmp(&other.local.time.nano()))
            .then_with(|| self.local.cmp(&other.local))
            .then_with(|| name(self).cmp(&name(other)))
    }

    /// The time of day with its offset, and with the zone if it has one.
    pub(crate) fn time(&self) -> ZonedTime {
        let zone = self.has_zone().then(|| self.zone.clone());
        ZonedTime { time: self.local.time, offset: self.offset, zone }
    }
}

impl ZonedTime {
    /// This time on a date.
    pub(crate) fn on(&self, date: Date) -> ZonedDateTime {
        let local = LocalDateTime::new(date, self.time);
        match &self.zone {
            Some(zone) => ZonedDateTime::from_local(local, zone.clone(), None),
            None => ZonedDateTime::with_offset(local, self.offset),
        }
    }
}

impl YearMonthDuration {
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        Self::checked(i128::from(self.total_months()) + i128::from(other.total_months()))
    }

    pub(crate) fn minus(self, other: Self) -> Option<Self> {
        Self::checked(i128::from(self.total_months()) - i128::from(other.total_months()))
    }

    pub(crate) fn times(self, factor: i32) -> Option<Self> {
        Self::checked(i128::from(self.total_months()) * i128::from(factor))
    }
}
