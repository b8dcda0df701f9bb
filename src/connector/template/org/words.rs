//! Texts of an org as they may stand in a template, and in a task.

use std::collections::HashMap;

use super::super::model::Choice;
use crate::connector::described::{self, plain};

/// Modeler reads help as HTML.
pub(super) fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A sentence of help; nothing where there is none.
pub(super) fn sentence(text: &str) -> Option<String> {
    let text = html(&plain(text));
    let ends = text.ends_with(['.', '!', '?', '。']);
    (!text.is_empty()).then(|| if ends { text } else { text + "." })
}

/// The first of these, and how many there are beside them; not yet [`html`].
pub(super) fn some_of<'a>(names: impl Iterator<Item = &'a str>, most: usize) -> String {
    let names: Vec<&str> = names.collect();
    let shown = names.iter().take(most).map(|name| plain(name)).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// A value as the source of an input mapping, which the engine reads as just this text.
///
/// What begins with the sign of equality would be an expression, and the engine takes a plain text for the inside of a FEEL
/// string: so what has a special character is written as such a string.
pub(super) fn source(value: &str) -> String {
    if value.starts_with('=') || value.contains(['"', '\\', '\n', '\r', '\t']) || value.trim() != value {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        return format!("=\"{}\"", escaped.replace('\r', "\\r").replace('\t', "\\t"));
    }
    value.to_owned()
}

/// An entry of a list.
pub(super) fn choice(value: &str, name: String) -> Choice {
    let name = if name.is_empty() { value.to_owned() } else { name };
    Choice { name: name.into(), value: source(value).into() }
}

/// The values of a picklist; where several have one label, with the value behind it.
pub(super) fn choices(values: &[described::Choice]) -> Vec<Choice> {
    let label = |choice: &described::Choice| plain(choice.label.as_deref().unwrap_or(&choice.value));
    let mut counts: HashMap<String, usize> = HashMap::new();
    for value in values {
        *counts.entry(label(value)).or_default() += 1;
    }
    let named = |value: &described::Choice| match label(value) {
        label if counts[&label] > 1 => choice(&value.value, format!("{label} ({})", plain(&value.value))),
        label => choice(&value.value, label),
    };
    values.iter().filter(|value| !value.value.is_empty()).map(named).collect()
}
