//! Dates and times on Salesforce's wire.
//!
//! In: ISO 8601 with `Z` or an offset, with or without a colon. Out: `2026-11-22T10:00:00.000+0000`, always UTC
//! here. The stored form is the output form, so that text order is time order.

use jiff::{Timestamp, civil, tz::TimeZone};

/// The wire form of a moment; Salesforce keeps whole seconds.
pub(crate) fn format(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string()
}

/// The wire form of midnight UTC at the start of `day`.
pub(crate) fn start_of_day(day: civil::Date) -> String {
    format!("{day}T00:00:00.000+0000")
}

/// Reads a date and time; a bare date is its first moment, as Salesforce takes it in JSON.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    if let Some(day) = parse_date(text) {
        return day.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    }
    let (date, rest) = text.split_at_checked(10)?;
    let day = parse_date(date)?;
    let rest = rest.strip_prefix(['T', 't'])?;
    let offset_at = rest.find(['Z', 'z', '+', '-'])?;
    let (clock, offset) = rest.split_at(offset_at);
    let time = parse_clock(clock)?;
    let utc = day.to_datetime(time).to_zoned(TimeZone::UTC).ok()?.timestamp();
    utc.checked_sub(jiff::SignedDuration::from_mins(parse_offset(offset)?)).ok()
}

fn parse_clock(text: &str) -> Option<civil::Time> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.split(':');
    let hour = two_digits(parts.next()?)?;
    let minute = two_digits(parts.next()?)?;
    let second = parts.next().map_or(Some(0), two_digits)?;
    if parts.next().is_some() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Salesforce keeps whole seconds; the fraction is accepted and dropped.
    civil::Time::new(hour, minute, second, 0).ok()
}

fn parse_offset(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits: String = text[1..].chars().filter(|character| *character != ':').collect();
    let (hours, minutes) = digits.split_at_checked(2)?;
    let minutes = if minutes.is_empty() { 0 } else { two_digits(minutes)? };
    let (hours, minutes) = (i64::from(two_digits(hours)?), i64::from(minutes));
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

fn two_digits(text: &str) -> Option<i8> {
    (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Reads `yyyy-MM-dd`.
pub(crate) fn parse_date(text: &str) -> Option<civil::Date> {
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(position, byte)| match position {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    shaped.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(text: &str) -> Option<String> {
        parse(text).map(format)
    }

    #[test]
    fn offsets_with_and_without_a_colon_are_the_same_moment() {
        let expected = Some("2026-11-22T10:00:00.000+0000".to_owned());
        for text in [
            "2026-11-22T10:00:00Z",
            "2026-11-22T10:00:00.000+0000",
            "2026-11-22T11:00:00+01:00",
            "2026-11-22T04:30:00.123-0530",
        ] {
            assert_eq!(round(text), expected, "{text}");
        }
    }

    #[test]
    fn a_bare_date_is_midnight() {
        assert_eq!(round("2026-02-28").as_deref(), Some("2026-02-28T00:00:00.000+0000"));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "tomorrow",
            "2026-13-01",
            "2026-02-30T10:00:00Z",
            "2026-11-22T10:00:00",
            "2026-11-22T10:00:00+99",
        ] {
            assert_eq!(round(text), None, "{text}");
        }
    }
}
