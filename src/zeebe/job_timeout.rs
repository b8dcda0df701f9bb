//! The task header `jobTimeout`: how long this job's lock shall be.
//!
//! Its value is an ISO 8601 duration as `java.time.Duration` reads it: days of 24 hours, hours, minutes,
//! seconds; no weeks, months or years, whose length is not known. Unlike there, a fraction may stand on
//! hours and minutes too, and a sign only before the whole.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SpanRelativeTo, fmt::temporal::SpanParser};

const HEADER: &str = "jobTimeout";

/// The duration that the headers ask for, in whole milliseconds; an error is the message for the incident.
pub(super) fn job_timeout(headers: &BTreeMap<String, String>) -> Result<Option<Duration>, String> {
    let Some(text) = headers.get(HEADER).map(|text| text.trim()).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let unreadable = |reason: String| {
        format!(
            "Failed to parse job timeout header: \"{HEADER}\" must be an ISO 8601 duration of days, hours, minutes and seconds such as PT5M or P1DT12H, but is {text:?} ({reason})."
        )
    };
    let span = SpanParser::new().parse_span(text).map_err(|error| unreadable(error.to_string()))?;
    if span.get_years() != 0 || span.get_months() != 0 || span.get_weeks() != 0 {
        return Err(unreadable("years, months and weeks have no fixed length".into()));
    }
    let duration = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| format!("The header \"{HEADER}\" is too large to represent: {text:?}."))?;
    if duration.as_millis() <= 0 {
        return Err(format!("The header \"{HEADER}\" must be a positive duration, but is {text:?}."));
    }
    u64::try_from(duration.as_millis())
        .map(|millis| Some(Duration::from_millis(millis)))
        .map_err(|_| format!("The header \"{HEADER}\" is too large to represent: {text:?}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Duration>, String> {
        job_timeout(&BTreeMap::from([(HEADER.into(), text.into())]))
    }

    #[test]
    fn durations_are_read_as_java_reads_them() {
        for (text, millis) in [
            ("PT5M", 300_000),
            ("pt5m", 300_000),
            ("P1D", 86_400_000),
            ("P1DT12H", 129_600_000),
            ("PT0.0015S", 1),
            ("PT1H30M2.5S", 5_402_500),
            ("+PT30S", 30_000),
            (" PT30S ", 30_000),
        ] {
            assert_eq!(read(text), Ok(Some(Duration::from_millis(millis))), "{text}");
        }
    }

    #[test]
    fn nothing_asks_for_nothing() {
        assert_eq!(job_timeout(&BTreeMap::new()), Ok(None));
        assert_eq!(read("  "), Ok(None));
    }

    #[test]
    fn what_is_no_duration_is_refused_with_the_expected_form() {
        for text in ["5 minutes", "PT", "300", "P1M", "P1Y", "P2W", "PT5X", "PT99999999999999999H"] {
            let error = read(text).unwrap_err();
            assert!(error.contains("Failed to parse job timeout header") && error.contains(text), "{error}");
        }
    }

    #[test]
    fn a_lock_of_nothing_is_refused() {
        for text in ["PT0S", "-PT5M", "PT0.0001S", "P0D"] {
            assert!(read(text).unwrap_err().contains("must be a positive duration"), "{text}");
        }
    }
}
