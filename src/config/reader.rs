//! Reads typed values out of the merged layers and collects every mistake.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
    time::Duration,
};

use config::{Value, ValueKind};

/// From here on, a key is like another (Jaro-Winkler, 0 to 1).
const ALIKE: f64 = 0.9;

/// A mistake in the configuration: which key, what was expected, what was found, and in which layer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The key's path, such as `worker.max_jobs_active`.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
    /// The layer it stands in: a file's name or "the environment"; empty where no layer is to blame.
    pub origin: String,
}

/// The leaves of the merged layers by their paths.
pub(super) struct Reader {
    values: BTreeMap<String, Value>,
    read: BTreeSet<String>,
    mistakes: Vec<Mistake>,
}

impl Reader {
    pub(super) fn new(root: Value) -> Self {
        let mut values = BTreeMap::new();
        flatten(String::new(), root, &mut values);
        Self { values, read: BTreeSet::new(), mistakes: Vec::new() }
    }

    /// Every mistake: those met while reading, and keys that nobody read.
    pub(super) fn finish(mut self) -> Vec<Mistake> {
        let unknown: Vec<_> = self.values.keys().filter(|key| !self.read.contains(*key)).cloned().collect();
        for key in unknown {
            let hint = self.nearest(&key).map_or_else(String::new, |near| format!("; did you mean {near}?"));
            self.mistake(&key, format!("there is no such key{hint}"));
        }
        self.mistakes.sort();
        self.mistakes
    }

    pub(super) fn mistake(&mut self, key: &str, problem: impl Into<String>) {
        let origin = self.values.get(key).and_then(Value::origin).unwrap_or_default().to_owned();
        self.mistakes.push(Mistake { key: key.to_owned(), problem: problem.into(), origin });
    }

    /// The names directly below a table whose keys are free, such as `connections`.
    pub(super) fn names_below(&mut self, table: &str) -> BTreeSet<String> {
        self.read.insert(table.to_owned());
        let prefix = format!("{table}.");
        let below = self.values.keys().filter_map(|key| key.strip_prefix(&prefix));
        below.filter_map(|rest| rest.split('.').next()).map(str::to_owned).collect()
    }

    /// What stands below a table whose keys are free and may have dots, each with its whole key.
    pub(super) fn keys_below(&mut self, table: &str) -> Vec<(String, String)> {
        self.read.insert(table.to_owned());
        let prefix = format!("{table}.");
        let name = |key: &String| Some((key.strip_prefix(&prefix)?.to_owned(), key.clone()));
        self.values.keys().filter_map(name).collect()
    }

    /// The text at a key; `None` where it is missing or empty.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let value = self.take(key)?;
        match value.kind {
            ValueKind::String(text) => Some(text).filter(|text| !text.trim().is_empty()),
            ValueKind::I64(_) | ValueKind::Float(_) | ValueKind::Boolean(_) => Some(value.to_string()),
            other => self.wrong(key, "a text", &other),
        }
    }

    /// A text that must be there.
    pub(super) fn required(&mut self, key: &str) -> String {
        self.text(key).unwrap_or_else(|| {
            self.mistake(key, "must be set");
            String::new()
        })
    }

    /// A text that parses as `T`.
    pub(super) fn parsed<T: FromStr<Err: std::fmt::Display>>(&mut self, key: &str) -> Option<T> {
        let text = self.text(key)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.mistake(key, error.to_string());
                None
            }
        }
    }

    /// One of a closed set of words.
    pub(super) fn one_of<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(&text)).map(|(_, value)| *value);
        if found.is_none() {
            let allowed: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            self.mistake(key, format!("expected {}, found {text:?}", allowed.join(" or ")));
        }
        found
    }

    pub(super) fn boolean(&mut self, key: &str) -> bool {
        let Some(value) = self.take(key) else { return false };
        match &value.kind {
            ValueKind::Boolean(flag) => *flag,
            ValueKind::String(text) if text.eq_ignore_ascii_case("true") => true,
            ValueKind::String(text) if text.eq_ignore_ascii_case("false") => false,
            other => self.wrong(key, "true or false", other).unwrap_or_default(),
        }
    }

    /// A whole number of at least 1.
    pub(super) fn count(&mut self, key: &str) -> usize {
        let Some(value) = self.take(key) else { return 1 };
        let number = match &value.kind {
            ValueKind::I64(number) => usize::try_from(*number).ok(),
            ValueKind::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        match number.filter(|number| *number >= 1) {
            Some(number) => number,
            None => self.wrong(key, "a whole number of at least 1", &value.kind).unwrap_or(1),
        }
    }

    /// A share, from 0 to 1.
    pub(super) fn share(&mut self, key: &str) -> f64 {
        let Some(value) = self.take(key) else { return 0.0 };
        let number = match &value.kind {
            #[allow(clippy::cast_precision_loss, reason = "only 0 and 1 are shares")]
            ValueKind::I64(number) => Some(*number as f64),
            ValueKind::Float(number) => Some(*number),
            ValueKind::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        match number.filter(|number| (0.0..=1.0).contains(number)) {
            Some(number) => number,
            None => self.wrong(key, "a number from 0 to 1, such as 0.05", &value.kind).unwrap_or_default(),
        }
    }

    /// A duration above zero.
    pub(super) fn duration(&mut self, key: &str) -> Duration {
        const EXPECTED: &str = "a duration above zero, such as \"20s\", \"5m\" or \"PT20S\"";
        let Some(value) = self.take(key) else { return Duration::from_secs(1) };
        let parsed = match &value.kind {
            ValueKind::String(text) => text.trim().parse::<jiff::SignedDuration>().ok(),
            _ => None,
        };
        match parsed.and_then(|duration| Duration::try_from(duration).ok()).filter(|d| !d.is_zero()) {
            Some(duration) => duration,
            None => self.wrong(key, EXPECTED, &value.kind).unwrap_or(Duration::from_secs(1)),
        }
    }

    /// A list of texts; in the environment, separated by commas.
    pub(super) fn list(&mut self, key: &str) -> Vec<String> {
        let Some(value) = self.take(key) else { return Vec::new() };
        match value.kind {
            ValueKind::Array(items) => items.iter().map(ToString::to_string).collect(),
            ValueKind::String(text) => {
                text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
            }
            other => self.wrong(key, "a list of texts", &other).unwrap_or_default(),
        }
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        self.read.insert(key.to_owned());
        self.values.get(key).cloned()
    }

    fn wrong<T>(&mut self, key: &str, expected: &str, found: &ValueKind) -> Option<T> {
        let found = match found {
            ValueKind::String(text) => format!("{text:?}"),
            ValueKind::Table(_) => "a table".to_owned(),
            ValueKind::Array(_) => "a list".to_owned(),
            ValueKind::Nil => "nothing".to_owned(),
            other => other.to_string(),
        };
        self.mistake(key, format!("expected {expected}, found {found}"));
        None
    }

    /// The known key that is most like an unknown one, if it is like it at all.
    fn nearest(&self, unknown: &str) -> Option<String> {
        let likeness = |known: &String| strsim::jaro_winkler(known, unknown);
        let nearest = self.read.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
        (likeness(nearest) > ALIKE).then(|| nearest.clone())
    }
}

pub(super) fn flatten(path: String, value: Value, into: &mut BTreeMap<String, Value>) {
    match value.kind {
        ValueKind::Table(table) if path.is_empty() || !table.is_empty() => {
            for (name, value) in table {
                flatten(if path.is_empty() { name } else { format!("{path}.{name}") }, value, into);
            }
        }
        _ => drop(into.insert(path, value)),
    }
}
