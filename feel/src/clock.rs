//! The one place that looks at the machine's clock.

/// Seconds since 1970 of the machine's clock.
pub(crate) fn now_second() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// The machine's clock, shown in UTC.
pub(crate) fn now() -> jiff::Zoned {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC)
}
