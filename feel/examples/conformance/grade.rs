//! Runs one recorded case and compares the outcome.

use camunda_feel::{Context, Engine, Expression, List, Number, Scope, Value, connector_functions};
use serde_json::{Value as Json, json};

/// One line of a file of cases.
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) category: String,
    pub(crate) expression: String,
    context: Json,
    status: String,
    expected: Json,
    typed: Json,
    clock: Option<String>,
}

/// A case whose outcome is not the recorded one.
pub(crate) struct Miss {
    pub(crate) expected: String,
    pub(crate) got: String,
}

impl Case {
    /// Reads a line.
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let mut json: Json = serde_json::from_str(line)
            .or_else(|_| serde_json::from_str(&without_lone_surrogates(line)))
            .map_err(|error| error.to_string())?;
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        let required = |name: &str| text(name).ok_or_else(|| format!("no text `{name}` in the case"));
        Ok(Self {
            id: required("id")?,
            category: required("category")?,
            expression: required("expression")?,
            status: required("status")?,
            clock: text("clock"),
            context: json["context"].take(),
            expected: json["expected"].take(),
            typed: json["expected_typed"].take(),
        })
    }

    /// Evaluates, and says how the outcome differs if it does.
    pub(crate) fn grade(&self) -> Result<(), Miss> {
        let expression = match Expression::parse(&self.expression) {
            Ok(expression) => expression,
            Err(error) => return self.grade_failure("parse_error", &error.to_string()),
        };
        let engine = self.engine()?;
        let scope = Scope::from(&self.context);
        let evaluation = match expression.evaluate_with(&engine, &scope) {
            Ok(evaluation) => evaluation,
            Err(error) => return self.grade_failure("error", &error.to_string()),
        };
        let got = match evaluation.to_json() {
            Ok(got) => got,
            Err(error) => return self.grade_failure("error", &error.to_string()),
        };
        if self.status != "ok" || !same_json(&self.expected, &got) {
            return Err(self.miss(got.to_string()));
        }
        let typed = typed(evaluation.value());
        if !self.typed.is_null() && !same_type(&self.typed, &typed) {
            return Err(Miss { expected: self.typed.to_string(), got: typed.to_string() });
        }
        Ok(())
    }

    fn grade_failure(&self, status: &str, message: &str) -> Result<(), Miss> {
        if self.status == status { Ok(()) } else { Err(self.miss(format!("{status}: {message}"))) }
    }

    fn miss(&self, got: String) -> Miss {
        let expected = if self.status == "ok" { self.expected.to_string() } else { self.status.clone() };
        Miss { expected, got }
    }

    fn engine(&self) -> Result<Engine, Miss> {
        let engine = Engine::new().with_functions(connector_functions::FUNCTIONS);
        let Some(clock) = &self.clock else { return Ok(engine) };
        let now = read_clock(clock).ok_or_else(|| self.miss(format!("unreadable clock {clock}")))?;
        Ok(engine.with_clock(move || now.clone()))
    }
}

/// `2024-05-06T10:30:00+02:00[Europe/Berlin]`, the same with `@Europe/Berlin`, an instant, or a local time in UTC.
fn read_clock(text: &str) -> Option<jiff::Zoned> {
    use jiff::{Timestamp, Zoned, civil::DateTime, tz::TimeZone};
    let bracketed = match text.split_once('@') {
        Some((time, zone)) => format!("{time}[{zone}]"),
        None => text.to_owned(),
    };
    let instant = || text.parse::<Timestamp>().ok().map(|instant| instant.to_zoned(TimeZone::UTC));
    let offset = || jiff::fmt::temporal::DateTimeParser::new().parse_zoned(fixed_offset(text)?).ok();
    let local = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    bracketed.parse::<Zoned>().ok().or_else(offset).or_else(instant).or_else(local)
}

/// A time with an offset, written as one in the zone of that offset.
fn fixed_offset(text: &str) -> Option<String> {
    let time = text.find('T')?;
    let offset = time + text[time..].find(['+', '-'])?;
    Some(format!("{text}[{}]", &text[offset..]))
}

/// Replaces half a surrogate pair, which a Rust string cannot hold, by U+FFFD, as the evaluation does.
fn without_lone_surrogates(line: &str) -> String {
    let unit = |at: usize| {
        let escape = line.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(escape, 16).ok()
    };
    let mut text = String::with_capacity(line.len());
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        let (replacement, length) = match (c, unit(at)) {
            ('\\', Some(0xD800..=0xDBFF)) if matches!(unit(at + 6), Some(0xDC00..=0xDFFF)) => (None, 12),
            ('\\', Some(0xD800..=0xDFFF)) => (Some("\\uFFFD"), 6),
            ('\\', _) => (None, 1 + line[at + 1..].chars().next().map_or(0, char::len_utf8)),
            _ => (None, c.len_utf8()),
        };
        text.push_str(replacement.unwrap_or(&line[at..at + length]));
        at += length;
    }
    text
}

/// Numbers by value, objects without order, durations by length.
fn same_json(expected: &Json, got: &Json) -> bool {
    match (expected, got) {
        (Json::Number(expected), Json::Number(got)) => same_number(expected.as_str(), got.as_str()),
        (Json::Array(expected), Json::Array(got)) => {
            expected.len() == got.len() && expected.iter().zip(got).all(|(x, y)| same_json(x, y))
        }
        (Json::Object(expected), Json::Object(got)) => {
            expected.len() == got.len()
                && expected.iter().all(|(name, x)| got.get(name).is_some_and(|y| same_json(x, y)))
        }
        (Json::String(expected), Json::String(got)) => expected == got || same_duration(expected, got),
        _ => expected == got,
    }
}

fn same_number(expected: &str, got: &str) -> bool {
    match (expected.parse::<Number>(), got.parse::<Number>()) {
        (Ok(expected), Ok(got)) => expected == got || expected.to_f64().total_cmp(&got.to_f64()).is_eq(),
        _ => false,
    }
}

fn same_duration(expected: &str, got: &str) -> bool {
    let scope = json!({"expected": expected, "got": got});
    let equal = Expression::parse("not(duration(expected) = null) and duration(expected) = duration(got)");
    let Ok(equal) = equal else { return false };
    let evaluation = equal.evaluate(&Scope::from(&scope));
    evaluation.is_ok_and(|evaluation| matches!(evaluation.value(), Value::Boolean(true)))
}

/// The value with its types, as the recorded cases write them; the content only of numbers, booleans and strings.
fn typed(value: &Value<'_>) -> Json {
    let content = match value {
        Value::Null => return json!({"t": "null"}),
        Value::Boolean(value) => json!(value),
        Value::Number(number) => json!(number.to_string()),
        Value::String(text) => json!(&**text),
        Value::List(list) => typed_list(list),
        Value::Context(context) => typed_context(context),
        _ => Json::Null,
    };
    json!({"t": value.type_name(), "v": content})
}

fn typed_list(list: &List<'_>) -> Json {
    list.iter().map(|item| typed(&item)).collect()
}

fn typed_context(context: &Context<'_>) -> Json {
    context.entries().map(|(name, value)| (name.to_string(), typed(&value))).collect()
}

fn same_type(expected: &Json, got: &Json) -> bool {
    let (x, y) = (&expected["v"], &got["v"]);
    // A range or a function has no value outside an expression; the JSON says what becomes of it.
    if got["t"] == "range" || got["t"] == "function" {
        return true;
    }
    if expected["t"] != got["t"] {
        return false;
    }
    match (x, y) {
        (Json::Array(x), Json::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same_type(x, y))
        }
        (Json::Object(x), Json::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(name, x)| y.get(name).is_some_and(|y| same_type(x, y)))
        }
        (Json::String(x), Json::String(y)) if expected["t"] == "number" => same_number(x, y),
        (_, Json::Null) => true,
        _ => x == y,
    }
}
