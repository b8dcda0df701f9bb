//! The effective configuration as text, secrets masked.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use config::{Value, ValueKind};

use super::{Config, ConfigError, DEFAULTS_ORIGIN, Environment, merge, reader::flatten};

/// The last parts of keys whose values are secrets, unless they only refer to one.
const SECRET_KEYS: &[&str] = &[
    "password",
    "client_secret",
    "previous_client_secret",
    "token",
    "private_key",
    "refresh_token",
    "security_token",
    "proxy",
];

/// The effective configuration: one TOML line for each key, and which layer it comes from.
///
/// Secrets are shown as `***`; a reference such as `{{secrets.X}}` is shown as it is.
pub fn show(file: Option<&Path>, environment: &Environment) -> Result<String, ConfigError> {
    Config::load(file, environment)?;
    let mut values = BTreeMap::new();
    flatten(String::new(), merge(file, environment)?, &mut values);
    let mut text = String::new();
    for (key, value) in values {
        let origin = value.origin().unwrap_or(DEFAULTS_ORIGIN);
        let line = format!("{key} = {}", shown(&key, &value));
        writeln!(text, "{line:<72} # {origin}").expect("writing to a String does not fail");
    }
    Ok(text)
}

fn shown(key: &str, value: &Value) -> String {
    let name = key.rsplit('.').next().unwrap_or(key);
    match &value.kind {
        ValueKind::String(text) if SECRET_KEYS.contains(&name) && is_secret(text) => "\"***\"".to_owned(),
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| format!("{:?}", item.to_string())).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

fn is_secret(text: &str) -> bool {
    let text = text.trim();
    let is_reference = text.starts_with("{{") && text.ends_with("}}") && text.matches("{{").count() == 1;
    !text.is_empty() && !is_reference
}
