//! A calendar date in the proleptic ISO calendar.

use super::{DayTimeDuration, NANOS_PER_DAY, YearMonthDuration};

const MAX_YEAR: i64 = 999_999_999;
const DAYS_TO_1970: i64 = 719_468;
const DAYS_PER_ERA: i64 = 146_097;

/// A date without a time, `2024-05-06`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: i32,
    month: u8,
    day: u8,
}

impl Date {
    /// The date, if there is such a day and the year is within ±999,999,999.
    pub fn new(year: i64, month: i64, day: i64) -> Option<Self> {
        if !(-MAX_YEAR..=MAX_YEAR).contains(&year) || !(1..=12).contains(&month) {
            return None;
        }
        if day < 1 || day > days_in_month(year, month) {
            return None;
        }
        Some(Self {
            year: i32::try_from(year).ok()?,
            month: u8::try_from(month).ok()?,
            day: u8::try_from(day).ok()?,
        })
    }

    /// The year, negative before the year 0.
    pub fn year(self) -> i32 {
        self.year
    }

    /// The month, 1 to 12.
    pub fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, 1 to 31.
    pub fn day(self) -> u8 {
        self.day
    }

    /// The day of the week, 1 for Monday to 7 for Sunday.
    pub fn weekday(self) -> u8 {
        u8::try_from((self.epoch_day() + 3).rem_euclid(7) + 1).unwrap_or(1)
    }

    /// The day of the year, 1 to 366.
    pub fn day_of_year(self) -> i64 {
        let first = Self { year: self.year, month: 1, day: 1 };
        self.epoch_day() - first.epoch_day() + 1
    }

    /// The week of the ISO week-based year, 1 to 53.
    pub fn week_of_year(self) -> i64 {
        // The week belongs to the year of its Thursday.
        let thursday = self.epoch_day() - i64::from(self.weekday()) + 4;
        Self::from_epoch_day(thursday).map_or(1, |date| (date.day_of_year() - 1) / 7 + 1)
    }

    /// The last day of the date's month.
    pub fn last_day_of_month(self) -> Self {
        let day = days_in_month(i64::from(self.year), i64::from(self.month));
        Self { day: u8::try_from(day).unwrap_or(28), ..self }
    }

    /// Days since 1970-01-01.
    pub(crate) fn epoch_day(self) -> i64 {
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month = (i64::from(self.month) + 9) % 12;
        let day_of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year
            - DAYS_TO_1970
    }

    pub(crate) fn from_epoch_day(days: i64) -> Option<Self> {
        let days = days.checked_add(DAYS_TO_1970)?;
        let era = days.div_euclid(DAYS_PER_ERA);
        let day = days.rem_euclid(DAYS_PER_ERA);
        let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        Self::new(year_of_era + era * 400 + i64::from(month <= 2), month, day)
    }

    /// Adds months; a day that the month does not have becomes its last one.
    pub(crate) fn plus_months(self, months: i64) -> Option<Self> {
        let total = (i64::from(self.year) * 12 + i64::from(self.month) - 1).checked_add(months)?;
        let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
        Self::new(year, month, i64::from(self.day).min(days_in_month(year, month)))
    }

    pub(crate) fn plus_days(self, days: i64) -> Option<Self> {
        Self::from_epoch_day(self.epoch_day().checked_add(days)?)
    }

    /// Adds a duration to midnight and drops the time again.
    pub(crate) fn plus(self, duration: DayTimeDuration) -> Option<Self> {
        let days = duration.nanos().div_euclid(i128::from(NANOS_PER_DAY));
        self.plus_days(i64::try_from(days).ok()?)
    }

    /// Whole months from one date to another.
    pub(crate) fn months_until(self, other: Self) -> YearMonthDuration {
        let month_count = |d: Self| i64::from(d.year) * 12 + i64::from(d.month);
        let months = month_count(other) - month_count(self);
        let days = i64::from(other.day) - i64::from(self.day);
        let months = match months {
            1.. if days < 0 => months - 1,
            ..=-1 if days > 0 => months + 1,
            _ => months,
        };
        YearMonthDuration::from_months(months)
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}
