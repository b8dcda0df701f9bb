//! This machine's clock, and how far Salesforce's is from it.

use jiff::{SignedDuration, Timestamp, fmt::rfc2822::DateTimeParser};

use super::Response;

/// A smaller difference matters to nobody: assertions are good for three minutes.
const TOLERATED: SignedDuration = SignedDuration::from_mins(1);

/// The present, as this machine sees it.
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// How far this machine's clock is ahead of the answer's `Date` (negative: behind), where that matters.
pub(super) fn skew(response: &Response) -> Option<SignedDuration> {
    let parser = DateTimeParser::new().relaxed_weekday(true);
    let theirs = parser.parse_timestamp(response.header("date")?).ok()?;
    let skew = now().duration_since(theirs);
    (skew.abs() > TOLERATED).then_some(skew)
}

/// The difference in words, such as `2 h 0 min ahead of Salesforce's`.
pub(super) fn told(skew: SignedDuration) -> String {
    let minutes = (skew.abs().as_secs() + 30) / 60;
    let direction = if skew.is_negative() { "behind" } else { "ahead of" };
    let size = match minutes {
        0..60 => format!("{minutes} min"),
        60..2880 => format!("{} h {} min", minutes / 60, minutes % 60),
        _ => format!("{} days", minutes / 1440),
    };
    format!("{size} {direction} Salesforce's")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_in_the_largest_useful_unit() {
        for (seconds, words) in [
            (61, "1 min ahead of Salesforce's"),
            (-7_200, "2 h 0 min behind Salesforce's"),
            (7_380, "2 h 3 min ahead of Salesforce's"),
            (-864_000, "10 days behind Salesforce's"),
        ] {
            assert_eq!(told(SignedDuration::from_secs(seconds)), words);
        }
    }
}
