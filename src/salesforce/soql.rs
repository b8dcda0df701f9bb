//! Values in SOQL: each `:name` outside of quotes becomes a literal that no value can leave.
//!
//! | Value | Literal |
//! |---|---|
//! | text | in quotes, whatever it looks like |
//! | number, boolean, null | as it is |
//! | `{date: "2026-11-22"}` | a date |
//! | `{dateTime: "2026-11-22T10:00:00+01:00"}` | a date and time, in UTC |
//! | `{startsWith: "50%"}`, `{endsWith: …}`, `{contains: …}`, `{like: …}` | a pattern for `LIKE` in which `%` and `_` of the text are just characters |
//! | a list of these | `(…, …)`, for `IN` |

use jiff::{Timestamp, civil::Date};
use serde_json::{Map, Value};

/// Why values do not fit a query: the value's name, or nothing where the query itself is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: expected {expected}, found {found}")]
pub struct InvalidBinding {
    /// The name of the value.
    pub name: String,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
}

impl InvalidBinding {
    pub(super) fn new(name: &str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { name: name.to_owned(), expected: expected.into(), found: found.into() }
    }
}

/// The query with its values in it. Every name must have a value, and every value a name.
///
/// # Errors
/// A name without a value, a value without a name, a value that has no literal, a quote that is not closed.
pub fn bind(query: &str, values: &Map<String, Value>) -> Result<String, InvalidBinding> {
    let mut used = Vec::new();
    let bound = bind_names(query, values, &mut used)?;
    all_used(values, &used)?;
    Ok(bound)
}

/// The same for a part of a query: the names that it used are noted.
pub(crate) fn bind_names<'a>(
    query: &'a str,
    values: &Map<String, Value>,
    used: &mut Vec<&'a str>,
) -> Result<String, InvalidBinding> {
    let mut bound = String::with_capacity(query.len());
    let mut rest = query;
    while let Some(at) = rest.find(['\'', ':']) {
        let (before, after) = rest.split_at(at);
        bound.push_str(before);
        rest = after;
        if rest.starts_with('\'') {
            let end = literal_end(rest)
                .ok_or_else(|| InvalidBinding::new("", "a query whose quotes are closed", "an open one"))?;
            bound.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        let name = name_at(&rest[1..]);
        // A colon before a digit stands in a time, or in LAST_N_DAYS:7.
        if name.is_empty() {
            bound.push(':');
            rest = &rest[1..];
            continue;
        }
        let value = values.get(name).ok_or_else(|| unknown(name, values))?;
        if counts_days(&bound) {
            bound.push(':');
            bound.push_str(&whole_number(name, value)?);
        } else {
            bound.push_str(&literal(name, value)?);
        }
        used.push(name);
        rest = &rest[1 + name.len()..];
    }
    bound.push_str(rest);
    Ok(bound)
}

/// Refuses a value that no name stands for.
pub(crate) fn all_used(values: &Map<String, Value>, used: &[&str]) -> Result<(), InvalidBinding> {
    match values.keys().find(|name| !used.contains(&name.as_str())) {
        Some(name) => Err(InvalidBinding::new(name, format!(":{name} in the query"), "no such name there")),
        None => Ok(()),
    }
}

/// Where the quoted text at the beginning ends, its quotes included.
fn literal_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().skip(1).find_map(|(at, character)| {
        let ends = character == '\'' && !escaped;
        escaped = character == '\\' && !escaped;
        ends.then_some(at + 1)
    })
}

/// The name at the beginning, empty where there is none.
pub(super) fn name_at(text: &str) -> &str {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let end = text.find(|character| !is_part(character)).unwrap_or(text.len());
    if text.starts_with(|first: char| first.is_ascii_digit()) { "" } else { &text[..end] }
}

/// Whether the query so far ends with a word such as `LAST_N_DAYS` or `N_WEEKS_AGO`, behind which a number is counted.
fn counts_days(query: &str) -> bool {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let start = query.rfind(|character| !is_part(character)).map_or(0, |at| at + 1);
    let word = query[start..].to_ascii_uppercase();
    word.starts_with("LAST_N_")
        || word.starts_with("NEXT_N_")
        || (word.starts_with("N_") && word.ends_with("_AGO"))
}

pub(super) fn unknown(name: &str, values: &Map<String, Value>) -> InvalidBinding {
    let known: Vec<&str> = values.keys().map(String::as_str).collect();
    let found = if known.is_empty() { "none".to_owned() } else { format!("only {}", known.join(", ")) };
    InvalidBinding::new(name, format!("a value for :{name} of the query"), found)
}

fn whole_number(name: &str, value: &Value) -> Result<String, InvalidBinding> {
    let number = match value {
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let number = number.strip_suffix(".0").unwrap_or(&number);
    if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(number.to_owned());
    }
    Err(InvalidBinding::new(name, "a whole number", described(value)))
}

fn literal(name: &str, value: &Value) -> Result<String, InvalidBinding> {
    let Value::Array(items) = value else { return single(name, value) };
    if items.is_empty() {
        return Err(InvalidBinding::new(name, "a list of one value or more", "an empty list"));
    }
    let items = items.iter().map(|item| single(name, item)).collect::<Result<Vec<_>, _>>()?;
    Ok(format!("({})", items.join(", ")))
}

fn single(name: &str, value: &Value) -> Result<String, InvalidBinding> {
    match value {
        Value::Null => Ok("null".to_owned()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        Value::String(text) => Ok(quoted(&escaped(text))),
        Value::Object(marked) => marked_literal(name, marked),
        Value::Array(_) => Err(InvalidBinding::new(name, "a list of single values", "a list in a list")),
    }
}

const MARKS: &str = "date, dateTime, like, startsWith, endsWith or contains with a text";

fn marked_literal(name: &str, marked: &Map<String, Value>) -> Result<String, InvalidBinding> {
    let mut entries = marked.iter();
    let (Some((mark, Value::String(text))), None) = (entries.next(), entries.next()) else {
        return Err(InvalidBinding::new(name, format!("one of {MARKS}"), "another object"));
    };
    let pattern = pattern_escaped(text);
    match mark.as_str() {
        "date" => date(name, text),
        "dateTime" => date_time(name, text),
        "like" => Ok(quoted(&pattern)),
        "startsWith" => Ok(quoted(&format!("{pattern}%"))),
        "endsWith" => Ok(quoted(&format!("%{pattern}"))),
        "contains" => Ok(quoted(&format!("%{pattern}%"))),
        other => Err(InvalidBinding::new(name, format!("one of {MARKS}"), format!("{:?}", cut(other)))),
    }
}

fn date(name: &str, text: &str) -> Result<String, InvalidBinding> {
    // A time behind the date would be dropped in silence.
    let date = Some(text.trim()).filter(|text| text.len() == 10).and_then(|text| text.parse::<Date>().ok());
    date.map(|date| date.to_string())
        .ok_or_else(|| InvalidBinding::new(name, "a date such as \"2026-11-22\"", format!("{:?}", cut(text))))
}

fn date_time(name: &str, text: &str) -> Result<String, InvalidBinding> {
    moment(text).map(|moment| moment.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()).ok_or_else(|| {
        let expected = "a date and time with an offset, such as \"2026-11-22T10:00:00+01:00\"";
        InvalidBinding::new(name, expected, format!("{:?}", cut(text)))
    })
}

/// Reads a moment as processes and Salesforce write them: `Z`, `+01:00`, `+0000`, or `@Europe/Berlin` behind the time.
pub fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Some((local, zone)) = text.split_once('@') {
        let local: jiff::civil::DateTime = local.parse().ok()?;
        return local.in_tz(zone).ok().map(|zoned| zoned.timestamp());
    }
    text.parse().ok()
}

fn quoted(escaped: &str) -> String {
    format!("'{escaped}'")
}

/// Salesforce's escapes; what has none is sent as it is.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '\'' | '"' => escaped.extend(['\\', character]),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\u{8}' => escaped.push_str("\\b"),
            '\u{c}' => escaped.push_str("\\f"),
            _ => escaped.push(character),
        }
    }
    escaped
}

fn pattern_escaped(text: &str) -> String {
    escaped(text).replace('%', "\\%").replace('_', "\\_")
}

pub(super) fn described(value: &Value) -> String {
    match value {
        Value::Number(number) => format!("the number {}", cut(&number.to_string())),
        Value::String(text) => format!("the text {:?}", cut(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::Bool(flag) => format!("the boolean {flag}"),
        Value::Null => "null".to_owned(),
    }
}

pub(super) fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bound(query: &str, values: &Value) -> Result<String, String> {
        bind(query, values.as_object().unwrap()).map_err(|error| error.to_string())
    }

    fn literal_of(value: &Value) -> String {
        bound("= :x", &json!({"x": value})).unwrap().trim_start_matches("= ").to_owned()
    }

    #[test]
    fn each_kind_of_value_has_its_literal() {
        for (value, literal) in [
            (json!("O'Brien"), "'O\\'Brien'"),
            (json!("2026-11-22"), "'2026-11-22'"),
            (json!("\\\"\n\r\t\u{8}\u{c}%_"), "'\\\\\\\"\\n\\r\\t\\b\\f%_'"),
            (json!(5), "5"),
            (json!(-1.50), "-1.5"),
            (json!(true), "true"),
            (json!(null), "null"),
            (json!({"date": "2026-11-22"}), "2026-11-22"),
            (json!({"dateTime": "2026-11-22T10:00:00Z"}), "2026-11-22T10:00:00.000Z"),
            (json!({"dateTime": "2026-11-22T10:00:00.25+01:00"}), "2026-11-22T09:00:00.250Z"),
            (json!({"dateTime": "2026-11-22T10:00:00.000+0000"}), "2026-11-22T10:00:00.000Z"),
            (json!({"dateTime": "2026-11-22T10:00:00@Europe/Berlin"}), "2026-11-22T09:00:00.000Z"),
            (json!({"like": "50%_\\"}), "'50\\%\\_\\\\'"),
            (json!({"startsWith": "50%"}), "'50\\%%'"),
            (json!({"endsWith": "x"}), "'%x'"),
            (json!({"contains": "a_b"}), "'%a\\_b%'"),
            (json!(["a", 1, null, {"date": "2026-11-22"}]), "('a', 1, null, 2026-11-22)"),
        ] {
            assert_eq!(literal_of(&value), literal, "{value}");
        }
    }

    #[test]
    fn only_names_outside_of_quotes_are_names() {
        let query = "SELECT Id FROM A WHERE x = ':a \\' :a' AND y > 2026-11-22T10:00:00+01:00 AND z=:a AND w IN:b \
                     AND d = LAST_N_DAYS:7 AND e = last_n_days:c AND f = N_DAYS_AGO:c";
        let expected = "SELECT Id FROM A WHERE x = ':a \\' :a' AND y > 2026-11-22T10:00:00+01:00 AND z='v' AND w IN(1) \
                        AND d = LAST_N_DAYS:7 AND e = last_n_days:30 AND f = N_DAYS_AGO:30";
        assert_eq!(bound(query, &json!({"a": "v", "b": [1], "c": 30})).unwrap(), expected);
    }

    #[test]
    fn what_a_value_contains_is_never_a_name() {
        assert_eq!(bound(":a :b", &json!({"a": ":b", "b": "' :a '"})).unwrap(), "':b' '\\' :a \\''");
    }

    #[test]
    fn each_mistake_is_told() {
        let list = "expected one of date, dateTime, like, startsWith, endsWith or contains with a text";
        for (query, values, message) in [
            (":a", json!({}), "a: expected a value for :a of the query, found none".to_owned()),
            (":a", json!({"A": 1}), "a: expected a value for :a of the query, found only A".to_owned()),
            ("x", json!({"a": 1}), "a: expected :a in the query, found no such name there".to_owned()),
            ("':a'", json!({"a": 1}), "a: expected :a in the query, found no such name there".to_owned()),
            (
                "'x :a",
                json!({"a": 1}),
                ": expected a query whose quotes are closed, found an open one".to_owned(),
            ),
            (
                ":a",
                json!({"a": []}),
                "a: expected a list of one value or more, found an empty list".to_owned(),
            ),
            (
                ":a",
                json!({"a": [[1]]}),
                "a: expected a list of single values, found a list in a list".to_owned(),
            ),
            (":a", json!({"a": {"dat": "x"}}), format!("a: {list}, found \"dat\"")),
            (":a", json!({"a": {"date": 1}}), format!("a: {list}, found another object")),
            (":a", json!({"a": {}}), format!("a: {list}, found another object")),
            (
                ":a",
                json!({"a": {"date": "2026-11-22T10:00:00Z"}}),
                "a: expected a date such as \"2026-11-22\", found \"2026-11-22T10:00:00Z\"".to_owned(),
            ),
            (
                ":a",
                json!({"a": {"dateTime": "2026-11-22T10:00:00"}}),
                "a: expected a date and time with an offset, such as \"2026-11-22T10:00:00+01:00\", found \
                 \"2026-11-22T10:00:00\""
                    .to_owned(),
            ),
            (
                "LAST_N_DAYS:a",
                json!({"a": "7"}),
                "a: expected a whole number, found the text \"7\"".to_owned(),
            ),
        ] {
            assert_eq!(bound(query, &values).unwrap_err(), message, "{query}");
        }
    }
}
