//! Dates, times and durations as `java.time` computes them: years from -999,999,999 to 999,999,999, nanoseconds,
//! offsets, and named zones whose rules come with the program.

mod date;
mod date_time;
mod duration;
mod parse;
mod text;
mod time;
mod zone;

pub use date::Date;
pub use date_time::{LocalDateTime, ZonedDateTime};
pub use duration::{DayTimeDuration, YearMonthDuration};
pub(crate) use parse::{
    parse_any, parse_date, parse_date_time, parse_duration, parse_duration_literal, parse_time,
};
pub(crate) use text::{
    duration_iso, local_iso, period_iso, time_iso, time_with_offset, zoned_iso, zoned_with_zone,
};
pub use time::{LocalTime, ZonedTime};
pub use zone::{Offset, Zone};

pub(crate) const NANOS_PER_SECOND: i64 = 1_000_000_000;
pub(crate) const SECONDS_PER_DAY: i64 = 86_400;
pub(crate) const NANOS_PER_DAY: i64 = SECONDS_PER_DAY * NANOS_PER_SECOND;

/// A value of any temporal type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Temporal {
    Date(Date),
    LocalTime(LocalTime),
    Time(ZonedTime),
    LocalDateTime(LocalDateTime),
    DateTime(ZonedDateTime),
    YearMonth(YearMonthDuration),
    DayTime(DayTimeDuration),
}

#[cfg(test)]
mod tests;
