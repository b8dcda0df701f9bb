use proptest::prelude::*;

use super::*;

/// 2024-07-01T00:00:00Z, in summer.
const NOW: i64 = 1_719_792_000;

fn any(text: &str) -> String {
    match parse_any(text, NOW) {
        None => "null".into(),
        Some(Temporal::Date(v)) => v.to_string(),
        Some(Temporal::LocalTime(v)) => v.to_string(),
        Some(Temporal::Time(v)) => v.to_string(),
        Some(Temporal::LocalDateTime(v)) => v.to_string(),
        Some(Temporal::DateTime(v)) => v.to_string(),
        Some(Temporal::YearMonth(v)) => v.to_string(),
        Some(Temporal::DayTime(v)) => v.to_string(),
    }
}

fn date(text: &str) -> Date {
    parse_date(text).unwrap_or_else(|| panic!("{text}"))
}

fn zoned(text: &str) -> ZonedDateTime {
    match parse_date_time(text) {
        Some(Temporal::DateTime(value)) => value,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn texts_are_read_as_the_type_they_look_like() {
    for (given, expected) in [
        ("2024-05-06", "2024-05-06"),
        ("2023-02-29", "null"),
        ("2024-05-06T10:30:00", "2024-05-06T10:30:00"),
        ("2024-05-06T10:30", "2024-05-06T10:30:00"),
        ("2024-05-06T10:30:00Z", "2024-05-06T10:30:00Z"),
        ("2024-05-06T10:30:00.120+02:00", "2024-05-06T10:30:00.12+02:00"),
        ("2024-05-06T10:30:00@Europe/Berlin", "2024-05-06T10:30:00@Europe/Berlin"),
        ("2024-05-06T10:30:00+02:00[Europe/Berlin]", "2024-05-06T10:30:00@Europe/Berlin"),
        ("2024-05-06T10:30:00.000+0000", "null"),
        ("10:30:00", "10:30:00"),
        ("10:30:00+02:00", "10:30:00+02:00"),
        ("10:30:00@Europe/Berlin", "10:30:00@Europe/Berlin"),
        ("P1Y2M", "P1Y2M"),
        ("-P13M", "-P1Y1M"),
        ("P0Y", "P0Y"),
        ("P1DT2H3M4S", "P1DT2H3M4S"),
        ("PT0.5S", "P0D"),
        ("-PT5M", "-PT5M"),
        ("PT36H", "P1DT12H"),
        ("P", "null"),
        ("PT", "null"),
        ("hello", "null"),
        ("", "null"),
    ] {
        assert_eq!(any(given), expected, "{given}");
    }
}

#[test]
fn json_forms_are_those_of_the_runtime() {
    let duration = |text: &str| match parse_duration(text) {
        Some(Temporal::DayTime(d)) => duration_iso(d),
        Some(Temporal::YearMonth(d)) => period_iso(d),
        _ => "null".into(),
    };
    for (given, expected) in [
        ("P1D", "PT24H"),
        ("P1DT2H", "PT26H"),
        ("PT0.5S", "PT0.5S"),
        ("-PT0.5S", "PT-0.5S"),
        ("-PT5M", "PT-5M"),
        ("P0D", "PT0S"),
        ("P14M", "P1Y2M"),
        ("P0Y", "P0D"),
        ("-P1Y2M", "P-1Y-2M"),
    ] {
        assert_eq!(duration(given), expected, "{given}");
    }
    let time = |text: &str| match parse_time(text, NOW) {
        Some(Temporal::Time(t)) => time_iso(&t),
        other => panic!("{other:?}"),
    };
    assert_eq!(time("10:30:00+02:00"), "10:30+02:00");
    assert_eq!(time("10:30:05.5Z"), "10:30:05.500Z");
    assert_eq!(time("23:59:00@Europe/Paris"), "23:59+01:00", "the standard offset, though it is summer");
}

#[test]
fn a_gap_moves_the_time_forward_and_an_overlap_takes_the_earlier_offset() {
    assert_eq!(zoned_iso(&zoned("2024-03-31T02:30:00@Europe/Berlin")), "2024-03-31T03:30:00+02:00");
    assert_eq!(zoned_iso(&zoned("2024-10-27T02:30:00@Europe/Berlin")), "2024-10-27T02:30:00+02:00");
}

#[test]
fn a_day_is_24_hours_on_a_duration_and_a_calendar_month_on_a_period() {
    let before = zoned("2024-03-30T12:00:00@Europe/Berlin");
    let day = DayTimeDuration::from_seconds(SECONDS_PER_DAY);
    assert_eq!(zoned_iso(&before.plus(day).unwrap()), "2024-03-31T13:00:00+02:00");
    assert_eq!(zoned_iso(&before.plus_months(1).unwrap()), "2024-04-30T12:00:00+02:00");
    assert_eq!(date("2024-01-31").plus_months(1).unwrap().to_string(), "2024-02-29");
}

#[test]
fn months_between_dates_count_whole_months() {
    for (from, to, expected) in [
        ("2011-12-22", "2013-08-24", "P1Y8M"),
        ("2013-08-24", "2011-12-22", "-P1Y8M"),
        ("2024-01-31", "2024-02-29", "P0Y"),
    ] {
        assert_eq!(date(from).months_until(date(to)).to_string(), expected);
    }
}

#[test]
fn calendar_fields_are_those_of_iso() {
    assert_eq!(date("2024-05-06").weekday(), 1);
    assert_eq!(date("2024-12-31").day_of_year(), 366);
    assert_eq!(date("2021-01-01").week_of_year(), 53);
    assert_eq!(date("2024-12-30").week_of_year(), 1);
    assert_eq!(date("2023-02-10").last_day_of_month().to_string(), "2023-02-28");
    assert_eq!(any("999999999-12-31"), "+999999999-12-31");
    assert_eq!(date("999999999-12-31").plus_days(1), None);
}

#[test]
fn zones_are_found_by_their_exact_name_and_by_offsets() {
    for known in
        ["Europe/Berlin", "America/Los_Angeles", "UTC", "GMT", "Z", "+02:00", "UTC+2", "GMT-03:30", "Etc/UTC"]
    {
        assert!(Zone::parse(known).is_some(), "{known}");
    }
    for unknown in ["europe/berlin", "Mars/Base", "", "+25:00", "+19:00", "UTC+99"] {
        assert!(Zone::parse(unknown).is_none(), "{unknown}");
    }
}

proptest! {
    #[test]
    fn epoch_days_go_there_and_back(days in -365_000_000_000_i64..365_000_000_000) {
        let date = Date::from_epoch_day(days).unwrap();
        prop_assert_eq!(date.epoch_day(), days);
    }

    #[test]
    fn dates_agree_with_jiff(days in -3_000_000_i64..2_900_000) {
        let date = Date::from_epoch_day(days).unwrap();
        let base = jiff::civil::date(1970, 1, 1);
        let same = base.checked_add(jiff::Span::new().days(days)).unwrap();
        prop_assert_eq!((date.year(), i32::from(date.month()), i32::from(date.day())),
            (i32::from(same.year()), i32::from(same.month()), i32::from(same.day())));
        prop_assert_eq!(i64::from(date.weekday()), i64::from(same.weekday().to_monday_one_offset()));
    }

    #[test]
    fn parsing_never_panics(text in "[-+PTYMDHSZ0-9:.@\\[\\]a-zé/,]{0,30}") {
        let _ = (parse_any(&text, NOW), parse_date_time(&text), parse_time(&text, NOW), parse_duration_literal(&text));
    }
}
