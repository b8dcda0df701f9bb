//! How temporal values are written: `Display` is FEEL's `string()`; the functions give the ISO forms of the JSON
//! that the runtime writes.

use std::fmt::{self, Display, Formatter};

use super::zone::Offset;
use super::{
    Date, DayTimeDuration, LocalDateTime, LocalTime, NANOS_PER_SECOND, YearMonthDuration, ZonedDateTime,
    ZonedTime,
};

impl Display for Date {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.year() > 9_999 {
            f.write_str("+")?;
        }
        write_date(f, *self)
    }
}

/// Without the plus sign of a year beyond 9999.
fn write_date(f: &mut Formatter<'_>, date: Date) -> fmt::Result {
    let sign = if date.year() < 0 { "-" } else { "" };
    write!(f, "{sign}{:04}-{:02}-{:02}", date.year().unsigned_abs(), date.month(), date.day())
}

impl Display for LocalTime {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.hour(), self.minute(), self.second())?;
        write_fraction(f, self.nano())
    }
}

/// As many digits as needed.
fn write_fraction(f: &mut Formatter<'_>, nano: i64) -> fmt::Result {
    if nano == 0 {
        return Ok(());
    }
    let digits = format!("{nano:09}");
    write!(f, ".{}", digits.trim_end_matches('0'))
}

impl Display for Offset {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.seconds() == 0 {
            return f.write_str("Z");
        }
        let sign = if self.seconds() < 0 { '-' } else { '+' };
        let seconds = self.seconds().unsigned_abs();
        write!(f, "{sign}{:02}:{:02}", seconds / 3_600, seconds / 60 % 60)?;
        if seconds.is_multiple_of(60) { Ok(()) } else { write!(f, ":{:02}", seconds % 60) }
    }
}

impl Display for ZonedTime {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.zone.as_ref().and_then(|zone| zone.name()) {
            Some(name) => write!(f, "{}@{name}", self.time),
            None => write!(f, "{}{}", self.time, self.offset),
        }
    }
}

impl Display for LocalDateTime {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_date(f, self.date)?;
        write!(f, "T{}", self.time)
    }
}

impl Display for ZonedDateTime {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.zone.name() {
            Some(name) => write!(f, "{}@{name}", self.local),
            None => write!(f, "{}{}", self.local, self.offset),
        }
    }
}

impl Display for YearMonthDuration {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (years, months) = (self.years(), self.months());
        if years == 0 && months == 0 {
            return f.write_str("P0Y");
        }
        f.write_str(if self.total_months() < 0 { "-P" } else { "P" })?;
        write_unit(f, years.abs(), 'Y')?;
        write_unit(f, months.abs(), 'M')
    }
}

impl Display for DayTimeDuration {
    /// Whole seconds only, as the reference writes them: half a second is `P0D`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let fields = self.fields();
        if fields == [0; 4] {
            return f.write_str("P0D");
        }
        let [days, hours, minutes, seconds] = fields.map(i64::abs);
        f.write_str(if fields.iter().any(|field| *field < 0) { "-P" } else { "P" })?;
        write_unit(f, days, 'D')?;
        if hours != 0 || minutes != 0 || seconds != 0 {
            f.write_str("T")?;
        }
        write_unit(f, hours, 'H')?;
        write_unit(f, minutes, 'M')?;
        write_unit(f, seconds, 'S')
    }
}

fn write_unit(f: &mut Formatter<'_>, count: i64, unit: char) -> fmt::Result {
    if count == 0 { Ok(()) } else { write!(f, "{count}{unit}") }
}

/// `java.time.Duration.toString()`: `PT26H`, `PT-5M`, `PT0.5S`.
pub(crate) fn duration_iso(duration: DayTimeDuration) -> String {
    let total = duration.nanos();
    if total == 0 {
        return "PT0S".into();
    }
    let per_second = i128::from(NANOS_PER_SECOND);
    let (whole, nano) = (total / per_second, (total % per_second).unsigned_abs());
    let mut text = format!("PT{}{}", unit(whole / 3_600, 'H'), unit(whole / 60 % 60, 'M'));
    let second = whole % 60;
    if second == 0 && nano == 0 {
        return text;
    }
    if second == 0 && total < 0 {
        text.push('-');
    }
    text.push_str(&second.to_string());
    if nano != 0 {
        text.push_str(format!(".{nano:09}").trim_end_matches('0'));
    }
    text.push('S');
    text
}

/// `java.time.Period.toString()`: `P1Y2M`, `P-1Y-2M`, `P0D`.
pub(crate) fn period_iso(period: YearMonthDuration) -> String {
    if period.total_months() == 0 {
        return "P0D".into();
    }
    format!("P{}{}", unit(period.years(), 'Y'), unit(period.months(), 'M'))
}

/// A count with its unit, or nothing.
fn unit(count: impl Into<i128>, unit: char) -> String {
    let count = count.into();
    if count == 0 { String::new() } else { format!("{count}{unit}") }
}

/// `java.time.OffsetTime.toString()`: seconds only where there are any, `10:30+02:00`.
pub(crate) fn time_iso(time: &ZonedTime) -> String {
    let (clock, offset) = (time.time, time.offset);
    let minutes = format!("{:02}:{:02}", clock.hour(), clock.minute());
    let (second, nano) = (clock.second(), clock.nano());
    let digits = format!("{nano:09}");
    match nano {
        0 if second == 0 => format!("{minutes}{offset}"),
        0 => format!("{minutes}:{second:02}{offset}"),
        // Fractions have three, six or nine digits.
        _ if nano % 1_000_000 == 0 => format!("{minutes}:{second:02}.{}{offset}", &digits[..3]),
        _ if nano % 1_000 == 0 => format!("{minutes}:{second:02}.{}{offset}", &digits[..6]),
        _ => format!("{minutes}:{second:02}.{digits}{offset}"),
    }
}

/// The time with its offset, the zone dropped: `10:30:00+02:00`.
pub(crate) fn time_with_offset(time: &ZonedTime) -> String {
    format!("{}{}", time.time, time.offset)
}

/// A date-time as ISO has it: years beyond 9999 with a plus.
pub(crate) fn local_iso(local: LocalDateTime) -> String {
    let plus = if local.date.year() > 9_999 { "+" } else { "" };
    format!("{plus}{local}")
}

/// The date-time with its offset, the zone dropped.
pub(crate) fn zoned_iso(date_time: &ZonedDateTime) -> String {
    format!("{}{}", local_iso(date_time.local), date_time.offset)
}

/// The date-time with its offset, and its zone in brackets.
pub(crate) fn zoned_with_zone(date_time: &ZonedDateTime) -> String {
    match date_time.zone.name() {
        Some(name) => format!("{}[{name}]", zoned_iso(date_time)),
        None => zoned_iso(date_time),
    }
}
