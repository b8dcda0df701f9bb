//! Reading what the modeler wrote: every mistake names its path, what was expected and what was found.

use std::{fmt::Write as _, time::Duration};

use jiff::{SpanRelativeTo, fmt::temporal::SpanParser};
use serde::de::{DeserializeOwned, value::MapDeserializer};
use serde_json::{Map, Value};
use serde_path_to_error::{Path, Segment};

/// A value or name in a message is cut after this many characters.
const SHOWN: usize = 60;

/// A mistake in a job's variables or headers, found before anything was called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: expected {expected}, found {found}")]
pub struct InvalidInput {
    path: String,
    expected: String,
    found: String,
}

/// Whether a value may be repeated in a message, or only its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Show {
    /// Its type and a shortened form.
    Value,
    /// Its type alone: it may be a credential.
    Type,
}

impl InvalidInput {
    pub(super) fn new(
        path: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self { path: path.into(), expected: expected.into(), found: found.into() }
    }

    /// The same mistake, seen from further out.
    pub(super) fn under(mut self, parent: &str) -> Self {
        self.path = match self.path.as_str() {
            "" => parent.to_owned(),
            path if path.starts_with('[') => format!("{parent}{path}"),
            path => format!("{parent}.{path}"),
        };
        self
    }

    /// The known name that was likely meant.
    pub(crate) fn closest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
        closest(name, known)
    }

    /// A name that is not one of those that are known.
    pub(crate) fn unknown(path: impl Into<String>, what: &str, name: &str, known: &[&str]) -> Self {
        let hint = closest(name, known).map(|name| format!("; did you mean {name}?")).unwrap_or_default();
        let expected = match known {
            [] => "no fields".to_owned(),
            _ => format!("{what}: {}", known.join(", ")),
        };
        Self::new(path, expected, format!("{:?}{hint}", shorten(name)))
    }
}

/// Whether a field counts as not filled: not there, null, or blank text.
pub(super) fn is_absent(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.trim().is_empty(),
        Some(_) => false,
    }
}

/// What was found, in words.
pub(super) fn describe(value: Option<&Value>, show: Show) -> String {
    let kind = match value {
        None => return "nothing".to_owned(),
        Some(Value::Null) => return "null".to_owned(),
        Some(Value::String(text)) if text.trim().is_empty() => return "a blank string".to_owned(),
        Some(Value::Array(items)) => return format!("a list of {}", items.len()),
        Some(Value::Object(_)) => return "an object".to_owned(),
        Some(Value::Bool(_)) => "a boolean",
        Some(Value::Number(_)) => "a number",
        Some(Value::String(_)) => "a string",
    };
    match (show, value) {
        (Show::Value, Some(Value::String(text))) => format!("the string {:?}", shorten(text)),
        (Show::Value, Some(Value::Number(number))) => {
            format!("the number {}", shorten(&number.to_string()))
        }
        (Show::Value, Some(Value::Bool(value))) => format!("the boolean {value}"),
        _ => kind.to_owned(),
    }
}

pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// An object below `value`, or what was found in its place.
pub(super) fn object<'a>(
    path: &str,
    value: Option<&'a Value>,
    show: Show,
) -> Result<&'a Map<String, Value>, InvalidInput> {
    match value {
        Some(Value::Object(fields)) => Ok(fields),
        other => Err(InvalidInput::new(path, "an object", describe(other, show))),
    }
}

/// Reads a struct from an object's fields; nulls and blank texts count as not there.
///
/// The struct decides which fields there are, apart from `skip`: it must `deny_unknown_fields`.
pub(super) fn read<T: DeserializeOwned>(
    fields: &Map<String, Value>,
    skip: Option<&str>,
    show: Show,
) -> Result<T, InvalidInput> {
    let filled = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value))
        .filter(|(name, value)| !is_absent(Some(value)) && Some(*name) != skip);
    serde_path_to_error::deserialize(MapDeserializer::new(filled))
        .map_err(|error| reworded(error.path(), &error.inner().to_string(), fields, show))
}

/// Our words for serde's: `invalid type: …, expected …`, ``unknown field `…`, expected …``, ``missing field `…` ``,
/// or a text of our own that begins with `expected`.
fn reworded(path: &Path, message: &str, fields: &Map<String, Value>, show: Show) -> InvalidInput {
    let mut quoted = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown field")
        && let Some(name) = quoted.next()
    {
        let known: Vec<&str> = quoted.collect();
        return InvalidInput::unknown(name_path(name), "one of the fields", name, &known);
    }
    if message.starts_with("missing field")
        && let Some(name) = quoted.next()
    {
        return InvalidInput::new(name, "a value", describe(fields.get(name), show));
    }
    let expected = message
        .strip_prefix("expected ")
        .or_else(|| message.split_once(", expected ").map(|(_, expected)| expected))
        .map_or(message, |expected| expected.split(", found ").next().unwrap_or(expected));
    let expected = match expected {
        "a boolean" => "true or false",
        "a sequence" => "a list",
        other => other,
    };
    let (path, value) = locate(path, fields);
    InvalidInput::new(path, expected, describe(value, show))
}

/// A field's name as a path: shortened, for it comes from the process.
fn name_path(name: &str) -> String {
    shorten(name)
}

fn locate<'a>(path: &Path, fields: &'a Map<String, Value>) -> (String, Option<&'a Value>) {
    let mut text = String::new();
    let mut value = None;
    for segment in path {
        match segment {
            Segment::Map { key } => {
                value = if text.is_empty() {
                    fields.get(key)
                } else {
                    value.and_then(|value: &Value| value.get(key))
                };
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(&shorten(key));
            }
            Segment::Seq { index } => {
                value = value.and_then(|value| value.get(index));
                write!(text, "[{index}]").expect("writing to a String does not fail");
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    (text, value)
}

/// The known name that is most like this one, if one is.
fn closest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain =
        |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let wanted = plain(&shorten(name));
    let distance = |candidate: &str| strsim::osa_distance(&wanted, &plain(candidate));
    let best = known.iter().copied().min_by_key(|candidate| distance(candidate))?;
    (distance(best) <= 2.max(best.len() / 4)).then_some(best)
}

/// Reads an ISO 8601 duration by the rules of `java.time.Duration`, which the engine uses too: days are 24 hours;
/// there are no years, months or weeks.
///
/// `None` for anything else, and for what is negative.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let span = SpanParser::new().parse_span(text.trim()).ok()?;
    if span.get_years() != 0 || span.get_months() != 0 || span.get_weeks() != 0 {
        return None;
    }
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[allow(dead_code, reason = "only read")]
    struct Sample {
        text: String,
        flag: Option<bool>,
        names: Option<Vec<String>>,
    }

    fn mistake(value: Value) -> String {
        let Value::Object(fields) = value else { panic!("not an object") };
        read::<Sample>(&fields, None, Show::Value).unwrap_err().under("top").to_string()
    }

    #[test]
    fn each_mistake_names_its_path_what_was_expected_and_what_was_found() {
        for (value, message) in [
            (json!({}), "top.text: expected a value, found nothing"),
            (json!({"text": null}), "top.text: expected a value, found null"),
            (json!({"text": " \t"}), "top.text: expected a value, found a blank string"),
            (json!({"text": 5.50}), "top.text: expected a string, found the number 5.5"),
            (json!({"text": true}), "top.text: expected a string, found the boolean true"),
            (json!({"text": {}}), "top.text: expected a string, found an object"),
            (
                json!({"text": "a", "flag": "yes"}),
                "top.flag: expected true or false, found the string \"yes\"",
            ),
            (json!({"text": "a", "names": ["b", 7]}), "top.names[1]: expected a string, found the number 7"),
            (
                json!({"Text": "a"}),
                "top.Text: expected one of the fields: text, flag, names, found \"Text\"; did you mean text?",
            ),
            (
                json!({"text": "a", "other": 1}),
                "top.other: expected one of the fields: text, flag, names, found \"other\"",
            ),
        ] {
            assert_eq!(mistake(value), message);
        }
    }

    #[test]
    fn a_found_value_is_shortened_or_not_shown_at_all() {
        let long = Value::String("x".repeat(1000));
        assert_eq!(describe(Some(&long), Show::Value), format!("the string \"{}…\"", "x".repeat(SHOWN)));
        assert_eq!(describe(Some(&long), Show::Type), "a string");
        assert_eq!(describe(Some(&json!(12)), Show::Type), "a number");
    }

    #[test]
    fn durations_follow_java_time() {
        for (text, seconds) in [
            ("PT20S", 20.0),
            ("PT0S", 0.0),
            ("PT0.5S", 0.5),
            ("P1DT1H", 90_000.0),
            ("pt1m", 60.0),
            (" PT1S ", 1.0),
        ] {
            assert_eq!(duration(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in [
            "",
            "20",
            "20s",
            "PT",
            "P1M",
            "P1Y",
            "P1W",
            "-PT5S",
            "PT20",
            "R3/PT5S",
            "PT99999999999999999999S",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
