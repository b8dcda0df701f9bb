//! Offsets from UTC and named time zones.

use std::sync::{Arc, LazyLock};

use jiff::civil;
use jiff::tz::{AmbiguousOffset, Dst, TimeZone, TimeZoneDatabase};

use super::{LocalDateTime, NANOS_PER_SECOND};

/// The zones come with the program, never from the machine.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Names of the time zone database that `java.time` leaves out.
const UNKNOWN_TO_JAVA: [&str; 7] = ["EST", "HST", "MST", "ROC", "Factory", "GMT+0", "GMT-0"];

const MAX_OFFSET: i32 = 18 * 3_600;

/// Seconds east of Greenwich, within 18 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(i32);

impl Offset {
    pub(crate) const UTC: Self = Self(0);

    pub(crate) fn new(seconds: i64) -> Option<Self> {
        i32::try_from(seconds).ok().filter(|s| s.abs() <= MAX_OFFSET).map(Self)
    }

    pub(crate) fn seconds(self) -> i32 {
        self.0
    }

    /// Reads `Z`, `+02:00` and `-03:30:15`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text == "Z" {
            return Some(Self::UTC);
        }
        let (negative, digits) = match text.split_at_checked(1)? {
            ("+", rest) => (false, rest),
            ("-", rest) => (true, rest),
            _ => return None,
        };
        let mut parts = digits.split(':');
        let mut field = |limit: i64| {
            let part = parts.next()?;
            let valid = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            valid.then(|| part.parse::<i64>().ok()).flatten().filter(|v| *v < limit)
        };
        let (hours, minutes) = (field(24)?, field(60)?);
        let seconds = if digits.len() > 5 { field(60)? } else { 0 };
        if parts.next().is_some() {
            return None;
        }
        let total = hours * 3_600 + minutes * 60 + seconds;
        Self::new(if negative { -total } else { total })
    }
}

/// A time zone: an offset, or a name with rules.
#[derive(Debug, Clone)]
pub struct Zone(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Offset(Offset),
    /// `UTC+02:00` and the like.
    Prefixed(Arc<str>, Offset),
    Region(Arc<str>, TimeZone),
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kind::Offset(a), Kind::Offset(b)) => a == b,
            (Kind::Offset(_), _) | (_, Kind::Offset(_)) => false,
            _ => self.name() == other.name(),
        }
    }
}

impl Eq for Zone {}

impl From<Offset> for Zone {
    fn from(offset: Offset) -> Self {
        Self(Kind::Offset(offset))
    }
}

impl Zone {
    /// UTC as an offset.
    pub fn utc() -> Self {
        Self(Kind::Offset(Offset::UTC))
    }

    /// Finds `Europe/Berlin` (in this spelling), `+02:00`, `Z`, `UTC`, `GMT+1`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::find(text, parse_lenient_offset)
    }

    /// The zone in the text of a time, as in `10:30:00@UTC+01:00`: its offset has hours and minutes.
    pub(crate) fn parse_in_text(text: &str) -> Option<Self> {
        Self::find(text, Offset::parse)
    }

    fn find(text: &str, parse_offset: fn(&str) -> Option<Offset>) -> Option<Self> {
        if let Some(offset) = parse_offset(text) {
            return Some(Self(Kind::Offset(offset)));
        }
        for prefix in ["UTC", "GMT", "UT"] {
            if let Some(rest) = text.strip_prefix(prefix)
                && let Some(offset) = parse_offset(rest).filter(|_| rest != "Z")
            {
                let name =
                    if offset.seconds() == 0 { prefix.into() } else { format!("{prefix}{offset}").into() };
                return Some(Self(Kind::Prefixed(name, offset)));
            }
        }
        if matches!(text, "UTC" | "GMT" | "UT") {
            return Some(Self(Kind::Prefixed(text.into(), Offset::UTC)));
        }
        let zone = ZONES.get(text).ok().filter(|_| !UNKNOWN_TO_JAVA.contains(&text))?;
        let name = zone.iana_name().filter(|name| *name == text)?.into();
        Some(Self(Kind::Region(name, zone)))
    }

    /// A zone of the caller's clock.
    pub(crate) fn from_jiff(zone: &TimeZone) -> Self {
        match zone.iana_name() {
            Some("UTC") => Self::utc(),
            Some(name) => Self(Kind::Region(name.into(), zone.clone())),
            None => zone
                .to_fixed_offset()
                .ok()
                .and_then(|offset| Offset::new(i64::from(offset.seconds())))
                .map_or_else(Self::utc, Self::from),
        }
    }

    /// The name of a named zone.
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.0 {
            Kind::Offset(_) => None,
            Kind::Prefixed(name, _) | Kind::Region(name, _) => Some(name),
        }
    }

    /// The offset at an instant.
    pub(crate) fn offset_at(&self, epoch_second: i64) -> Offset {
        match &self.0 {
            Kind::Offset(offset) | Kind::Prefixed(_, offset) => *offset,
            Kind::Region(_, zone) => Offset(zone.to_offset(timestamp(epoch_second)).seconds()),
        }
    }

    /// The offset without daylight saving, as of an instant.
    pub(crate) fn standard_offset_at(&self, epoch_second: i64) -> Offset {
        let Kind::Region(_, zone) = &self.0 else { return self.offset_at(epoch_second) };
        let now = timestamp(epoch_second);
        let info = zone.to_offset_info(now);
        if info.dst() == Dst::No {
            return Offset(info.offset().seconds());
        }
        let standard = zone.preceding(now).take(8).find(|t| t.dst() == Dst::No);
        Offset(standard.map_or(info.offset(), |t| t.offset()).seconds())
    }

    /// The offset of a local date-time: in a gap the one before it (and the gap's length moves the time forward), in
    /// an overlap the preferred one, else the earlier.
    pub(crate) fn resolve(&self, local: LocalDateTime, preferred: Option<Offset>) -> (LocalDateTime, Offset) {
        let Kind::Region(_, zone) = &self.0 else { return (local, self.offset_at(0)) };
        match zone.to_ambiguous_timestamp(civil_of(local)).offset() {
            AmbiguousOffset::Unambiguous { offset } => (local, Offset(offset.seconds())),
            AmbiguousOffset::Gap { before, after } => {
                let length = i128::from(after.seconds() - before.seconds()) * i128::from(NANOS_PER_SECOND);
                (local.plus_nanos(length).unwrap_or(local), Offset(after.seconds()))
            }
            AmbiguousOffset::Fold { before, after } => {
                let later = Offset(after.seconds());
                (local, if preferred == Some(later) { later } else { Offset(before.seconds()) })
            }
        }
    }
}

/// An offset as `ZoneId.of` reads it: also `+2`, `+02`, `+0200`.
fn parse_lenient_offset(text: &str) -> Option<Offset> {
    if let Some(offset) = Offset::parse(text) {
        return Some(offset);
    }
    let sign = text.get(..1).filter(|s| *s == "+" || *s == "-")?;
    let digits = text.get(1..).filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
    let spelled = match digits.len() {
        1 => format!("{sign}0{digits}:00"),
        2 => format!("{sign}{digits}:00"),
        4 => format!("{sign}{}:{}", &digits[..2], &digits[2..]),
        6 => format!("{sign}{}:{}:{}", &digits[..2], &digits[2..4], &digits[4..]),
        _ => return None,
    };
    Offset::parse(&spelled)
}

/// The instant, brought into the years for which there are rules.
fn timestamp(epoch_second: i64) -> jiff::Timestamp {
    let clamped = epoch_second
        .clamp(jiff::Timestamp::MIN.as_second() + 86_400, jiff::Timestamp::MAX.as_second() - 86_400);
    jiff::Timestamp::from_second(clamped).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

fn civil_of(local: LocalDateTime) -> civil::DateTime {
    let year = i16::try_from(local.date.year().clamp(-9_998, 9_998)).unwrap_or(2_000);
    let month = i8::try_from(local.date.month()).unwrap_or(1);
    let day = i8::try_from(local.date.day()).unwrap_or(1);
    let date = civil::Date::new(year, month, day).unwrap_or_else(|_| civil::date(year, month, 28));
    let field = |value: i64| i8::try_from(value).unwrap_or(0);
    let nano = i32::try_from(local.time.nano()).unwrap_or(0);
    date.at(field(local.time.hour()), field(local.time.minute()), field(local.time.second()), nano)
}
