//! Temporal values from text: the patterns and formatters of the reference, by hand.

use super::zone::Offset;
use super::{
    Date, DayTimeDuration, LocalDateTime, LocalTime, NANOS_PER_SECOND, Temporal, YearMonthDuration, Zone,
    ZonedDateTime, ZonedTime,
};

/// `2024-05-06`; years of 4 to 9 digits, perhaps with a minus.
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (year, rest) = rest.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let plausible = (4..=9).contains(&year.len()) && (year.len() == 4 || !year.starts_with('0'));
    if !plausible || month.len() != 2 || day.len() != 2 {
        return None;
    }
    let year = digits(year)?;
    if negative && year == 0 {
        return None;
    }
    Date::new(if negative { -year } else { year }, digits(month)?, digits(day)?)
}

fn digits(text: &str) -> Option<i64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// `10:30`, `10:30:00`, `10:30:00.5`; `T` before it is allowed, and `24:00:00` is midnight.
fn parse_local_time(text: &str) -> Option<LocalTime> {
    let text = text.strip_prefix('T').unwrap_or(text);
    let smart_midnight = text == "24:00"
        || text
            .strip_prefix("24:00:00")
            .is_some_and(|f| f.trim_start_matches('.').bytes().all(|b| b == b'0'));
    if smart_midnight {
        return Some(LocalTime::MIDNIGHT);
    }
    parse_clock(text)
}

/// Hours, minutes and, perhaps, seconds with a fraction.
fn parse_clock(text: &str) -> Option<LocalTime> {
    let (clock, fraction) = text.split_once('.').map_or((text, None), |(clock, f)| (clock, Some(f)));
    let mut fields = clock.split(':');
    let mut field = || fields.next().filter(|part| part.len() == 2).and_then(digits);
    let (hour, minute) = (field()?, field()?);
    let second = if clock.len() > 5 { Some(field()?) } else { None };
    if fields.next().is_some() || (second.is_none() && fraction.is_some()) {
        return None;
    }
    let nano = match fraction {
        None | Some("") => 0,
        Some(f) if f.len() <= 9 => digits(f)? * 10_i64.pow(9 - u32::try_from(f.len()).ok()?),
        Some(_) => return None,
    };
    LocalTime::new(hour, minute, second.unwrap_or(0), nano)
}

/// A time with an offset or a zone, or without. `now` decides the zone's standard offset.
pub(crate) fn parse_time(text: &str, now: i64) -> Option<Temporal> {
    if let Some((clock, zone)) = split_time_zone(text) {
        return parse_zoned_time(clock, zone, now).map(Temporal::Time);
    }
    parse_local_time(text).map(Temporal::LocalTime)
}

/// Where the offset or zone of a time begins; only behind full seconds.
fn split_time_zone(text: &str) -> Option<(&str, &str)> {
    let at = text.find(['+', '-', 'Z', '@'])?;
    let (clock, zone) = text.split_at(at);
    (clock.strip_prefix('T').unwrap_or(clock).len() >= 8).then_some((clock, zone))
}

fn parse_zoned_time(clock: &str, suffix: &str, now: i64) -> Option<ZonedTime> {
    if clock.ends_with('.') {
        return None;
    }
    let time = parse_local_time(clock)?;
    let Some(name) = suffix.strip_prefix('@') else {
        if suffix.len() > 6 {
            return None;
        }
        return Some(ZonedTime::with_offset(time, Offset::parse(suffix)?));
    };
    let zone = Zone::parse_in_text(name)?;
    let offset = zone.standard_offset_at(now);
    let named = zone.name().is_some();
    Some(ZonedTime { time, offset, zone: named.then_some(zone) })
}

/// A date and a time; a date alone is its midnight.
pub(crate) fn parse_date_time(text: &str) -> Option<Temporal> {
    if let Some(date) = parse_date(text) {
        return Some(Temporal::LocalDateTime(LocalDateTime::new(date, LocalTime::MIDNIGHT)));
    }
    let (date, rest) = text.split_once('T')?;
    let date = parse_date(date)?;
    let (clock, suffix) = rest.split_at(rest.find(['+', '-', 'Z', '@']).unwrap_or(rest.len()));
    if clock.ends_with('.') {
        return None;
    }
    let local = LocalDateTime::new(date, parse_clock(clock)?);
    if suffix.is_empty() {
        return Some(Temporal::LocalDateTime(local));
    }
    parse_zone_suffix(local, suffix).map(Temporal::DateTime)
}

fn parse_zone_suffix(local: LocalDateTime, suffix: &str) -> Option<ZonedDateTime> {
    if let Some(name) = suffix.strip_prefix('@') {
        let zone = Zone::parse_in_text(name)?;
        return Some(ZonedDateTime::from_local(local, zone, None));
    }
    let (offset, region) = match suffix.split_once('[') {
        Some((offset, region)) => (offset, Some(region.strip_suffix(']')?)),
        None => (suffix, None),
    };
    let offset = Offset::parse(offset).filter(|_| offset.len() <= 6)?;
    let Some(region) = region else {
        return Some(ZonedDateTime::with_offset(local, offset));
    };
    // The offset says which instant; the zone, how it is shown.
    ZonedDateTime::with_offset(local, offset).in_zone(Zone::parse_in_text(region)?)
}

/// A duration of either kind as `duration(text)` reads it from a value: capitals, and no plus signs.
pub(crate) fn parse_duration(text: &str) -> Option<Temporal> {
    if text.contains('+') || text.bytes().any(|b| b.is_ascii_lowercase()) {
        return None;
    }
    parse_duration_literal(text)
}

/// A duration as the reference reads it from a literal.
pub(crate) fn parse_duration_literal(text: &str) -> Option<Temporal> {
    match parse_period(text) {
        Some(period) => Some(Temporal::YearMonth(period)),
        None => parse_day_time(text).map(Temporal::DayTime),
    }
}

/// `-?P-?(\d+Y)?-?(\d+M)?` with at least one of the two.
fn parse_period(text: &str) -> Option<YearMonthDuration> {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let mut rest = rest.strip_prefix('P').filter(|rest| !rest.is_empty())?;
    let mut months = 0_i128;
    for (unit, factor) in [('Y', 12), ('M', 1)] {
        let (minus, unsigned) = rest.strip_prefix('-').map_or((false, rest), |rest| (true, rest));
        let end = unsigned.find(|c: char| !c.is_ascii_digit()).unwrap_or(unsigned.len());
        if let Some(after) = unsigned[end..].strip_prefix(unit).filter(|_| end > 0) {
            let count = i128::from(unsigned[..end].parse::<i32>().ok()?);
            months += if minus { -count * factor } else { count * factor };
            rest = after;
        }
    }
    if !rest.is_empty() {
        return None;
    }
    YearMonthDuration::checked(if negative { -months } else { months })
}

/// `java.time.Duration.parse`.
fn parse_day_time(text: &str) -> Option<DayTimeDuration> {
    let upper = text.to_ascii_uppercase();
    let (negative, rest) = strip_sign(&upper);
    let rest = rest.strip_prefix('P')?;
    let (days, clock) = rest.split_once('T').map_or((rest, None), |(d, t)| (d, Some(t)));
    let mut nanos = 0_i128;
    if !days.is_empty() {
        nanos += units(&mut &*days, 'D', 86_400)?;
        if !days.ends_with('D') {
            return None;
        }
    }
    match clock {
        None if days.is_empty() => return None,
        None => {}
        Some(clock) => nanos += parse_clock_units(clock)?,
    }
    DayTimeDuration::from_nanos(if negative { -nanos } else { nanos })
}

fn parse_clock_units(clock: &str) -> Option<i128> {
    if clock.is_empty() {
        return None;
    }
    let mut rest = clock;
    let mut nanos = 0;
    for (unit, seconds) in [('H', 3_600), ('M', 60)] {
        if rest.find(unit).is_some() {
            nanos += units(&mut rest, unit, seconds)?;
        }
    }
    if rest.is_empty() {
        return Some(nanos);
    }
    let (minus, seconds) = strip_sign(rest.strip_suffix('S')?);
    let (whole, fraction) = seconds.split_once(['.', ',']).unwrap_or((seconds, ""));
    let mut value = i128::from(digits(whole)?) * i128::from(NANOS_PER_SECOND);
    if !fraction.is_empty() {
        let places = u32::try_from(fraction.len()).ok().filter(|places| *places <= 9)?;
        value += i128::from(digits(fraction)?) * 10_i128.pow(9 - places);
    }
    Some(nanos + if minus { -value } else { value })
}

/// Reads a signed count before a unit, and moves behind it.
fn units(rest: &mut &str, unit: char, seconds: i64) -> Option<i128> {
    let (count, after) = rest.split_once(unit)?;
    let (minus, count) = strip_sign(count);
    let total = digits(count)?.checked_mul(seconds)?;
    *rest = after;
    let nanos = i128::from(total) * i128::from(NANOS_PER_SECOND);
    Some(if minus { -nanos } else { nanos })
}

fn strip_sign(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

/// `@"…"`: whichever type the text has.
pub(crate) fn parse_any(text: &str, now: i64) -> Option<Temporal> {
    if let Some(date) = parse_date(text) {
        return Some(Temporal::Date(date));
    }
    if looks_like_date(text) {
        return parse_date_time(text);
    }
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if unsigned.starts_with('P') {
        return parse_duration(text);
    }
    parse_time(text, now)
}

/// A text that the reference takes for a date or date-time, though it may be no valid one.
fn looks_like_date(text: &str) -> bool {
    let date = text.split_once('T').map_or(text, |(date, _)| date);
    let year = date.strip_prefix('-').unwrap_or(date);
    year.split('-').count() == 3 && year.starts_with(|c: char| c.is_ascii_digit())
}
