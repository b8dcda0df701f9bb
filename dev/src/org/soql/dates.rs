//! Relative date literals: `TODAY`, `LAST_N_DAYS:7`, `THIS_FISCAL_QUARTER` ...
//!
//! Source: SOQL and SOSL Reference, "Date Formats and Date Literals". The org's time zone is UTC, its weeks begin on
//! Sunday (as in the locale en_US), and its fiscal year is the calendar year.

use std::ops::Range;

use jiff::civil::Date;
use jiff::{Span, ToSpan};

const UNITS: [&str; 7] = ["DAY", "WEEK", "MONTH", "QUARTER", "YEAR", "FISCAL_QUARTER", "FISCAL_YEAR"];

/// A literal that stands alone, such as `YESTERDAY` or `LAST_MONTH`.
pub(crate) fn is_plain(word: &str) -> bool {
    let word = word.to_ascii_uppercase();
    matches!(word.as_str(), "TODAY" | "YESTERDAY" | "TOMORROW" | "LAST_90_DAYS" | "NEXT_90_DAYS")
        || ["THIS_", "LAST_", "NEXT_"]
            .iter()
            .any(|which| word.strip_prefix(which).is_some_and(|unit| unit != "DAY" && UNITS.contains(&unit)))
}

/// A literal that needs a number, such as `LAST_N_DAYS:7` or `N_WEEKS_AGO:2`.
pub(crate) fn is_counted(word: &str) -> bool {
    counted(&word.to_ascii_uppercase()).is_some()
}

enum Which {
    Last,
    Next,
    Ago,
}

fn counted(word: &str) -> Option<(Which, &str)> {
    let (which, units) = if let Some(units) = word.strip_prefix("LAST_N_") {
        (Which::Last, units)
    } else if let Some(units) = word.strip_prefix("NEXT_N_") {
        (Which::Next, units)
    } else {
        (Which::Ago, word.strip_prefix("N_")?.strip_suffix("_AGO")?)
    };
    let unit = units.strip_suffix('S')?;
    UNITS.contains(&unit).then_some((which, unit))
}

/// The days that a literal means, seen from `today`; `None` for an unknown literal or a date out of range.
pub(crate) fn range(name: &str, count: Option<i64>, today: Date) -> Option<Range<Date>> {
    match name {
        "TODAY" => return period("DAY", 0, 1, today),
        "YESTERDAY" => return period("DAY", -1, 1, today),
        "TOMORROW" => return period("DAY", 1, 1, today),
        "LAST_90_DAYS" => return range("LAST_N_DAYS", Some(90), today),
        "NEXT_90_DAYS" => return range("NEXT_N_DAYS", Some(90), today),
        _ => {}
    }
    if let (Some((which, unit)), Some(count)) = (counted(name), count) {
        return match which {
            // The last n days include today; the last n of anything longer end before the current one.
            Which::Last if unit == "DAY" => period(unit, -count, count + 1, today),
            Which::Last => period(unit, -count, count, today),
            Which::Next => period(unit, 1, count, today),
            Which::Ago => period(unit, -count, 1, today),
        };
    }
    for (prefix, offset) in [("THIS_", 0), ("LAST_", -1), ("NEXT_", 1)] {
        if let Some(unit) = name.strip_prefix(prefix) {
            return period(unit, offset, 1, today);
        }
    }
    None
}

/// `length` units, the first of them `offset` units after the current one.
fn period(unit: &str, offset: i64, length: i64, today: Date) -> Option<Range<Date>> {
    let month_start = today.first_of_month();
    let (start, step): (Date, fn(i64) -> Option<Span>) = match unit {
        "DAY" => (today, |n| 0.days().try_days(n).ok()),
        "WEEK" => {
            let since_sunday = i64::from(today.weekday().to_sunday_zero_offset());
            (today.checked_sub(since_sunday.days()).ok()?, |n| 0.days().try_weeks(n).ok())
        }
        "MONTH" => (month_start, |n| 0.days().try_months(n).ok()),
        "QUARTER" | "FISCAL_QUARTER" => {
            let months = i64::from((today.month() - 1) % 3);
            (month_start.checked_sub(months.months()).ok()?, |n| 0.days().try_months(n.checked_mul(3)?).ok())
        }
        "YEAR" | "FISCAL_YEAR" => (today.first_of_year(), |n| 0.days().try_years(n).ok()),
        _ => return None,
    };
    let from = start.checked_add(step(offset)?).ok()?;
    let to = start.checked_add(step(offset + length)?).ok()?;
    Some(from..to)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn literals_mean_the_days_that_the_reference_gives() {
        // A Sunday would begin a week; this is a Wednesday.
        let today = date(2026, 11, 18);
        let cases = [
            ("TODAY", None, date(2026, 11, 18), date(2026, 11, 19)),
            ("YESTERDAY", None, date(2026, 11, 17), date(2026, 11, 18)),
            ("LAST_N_DAYS", Some(3), date(2026, 11, 15), date(2026, 11, 19)),
            ("NEXT_N_DAYS", Some(3), date(2026, 11, 19), date(2026, 11, 22)),
            ("N_DAYS_AGO", Some(3), date(2026, 11, 15), date(2026, 11, 16)),
            ("LAST_90_DAYS", None, date(2026, 8, 20), date(2026, 11, 19)),
            ("THIS_WEEK", None, date(2026, 11, 15), date(2026, 11, 22)),
            ("LAST_N_WEEKS", Some(2), date(2026, 11, 1), date(2026, 11, 15)),
            ("LAST_MONTH", None, date(2026, 10, 1), date(2026, 11, 1)),
            ("NEXT_N_MONTHS", Some(2), date(2026, 12, 1), date(2027, 2, 1)),
            ("THIS_QUARTER", None, date(2026, 10, 1), date(2027, 1, 1)),
            ("N_FISCAL_QUARTERS_AGO", Some(1), date(2026, 7, 1), date(2026, 10, 1)),
            ("NEXT_YEAR", None, date(2027, 1, 1), date(2028, 1, 1)),
            ("LAST_N_FISCAL_YEARS", Some(2), date(2024, 1, 1), date(2026, 1, 1)),
        ];
        for (name, count, from, to) in cases {
            assert!(if count.is_some() { is_counted(name) } else { is_plain(name) }, "{name}");
            assert_eq!(range(name, count, today), Some(from..to), "{name}");
        }
    }

    #[test]
    fn other_words_are_no_dates() {
        for word in ["THIS_DAY", "LAST_N_DAY", "N_DAYS", "SOMEDAY", "LAST_N_CENTURIES"] {
            assert!(!is_plain(word) && !is_counted(word), "{word}");
        }
    }

    #[test]
    fn a_date_out_of_range_is_none() {
        assert_eq!(range("LAST_N_YEARS", Some(100_000), date(2026, 1, 1)), None);
    }
}
