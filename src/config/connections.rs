//! The tables `[connections.NAME]`.

use std::collections::BTreeMap;

use super::reader::Reader;
use crate::{
    connector::{AuthenticationMethod, ConnectionAuthentication, NamedConnection, check_word},
    salesforce::ApiVersion,
};

pub(super) fn read(reader: &mut Reader) -> BTreeMap<String, NamedConnection> {
    let names = reader.names_below("connections");
    names
        .into_iter()
        .map(|name| (name.clone(), read_connection(reader, &format!("connections.{name}"))))
        .collect()
}

fn read_connection(reader: &mut Reader, at: &str) -> NamedConnection {
    let authentication = read_authentication(reader, &format!("{at}.authentication"));
    let base_url = if authentication.has_login_address() {
        reader.text(&format!("{at}.base_url")).unwrap_or_default()
    } else {
        reader.required(&format!("{at}.base_url"))
    };
    let api_version = reader.parsed(&format!("{at}.api_version")).unwrap_or(ApiVersion::DEFAULT);
    NamedConnection { base_url, api_version, authentication }
}

/// Every field that some way of logging in has is known here, so that one in the wrong place is told as such.
fn read_authentication(reader: &mut Reader, at: &str) -> ConnectionAuthentication {
    let method = read_method(reader, &format!("{at}.type"));
    let mut authentication = ConnectionAuthentication::new(method.unwrap_or(AuthenticationMethod::Bearer));
    for field in AuthenticationMethod::all_fields() {
        let (key, file_key) = (format!("{at}.{}", field.name), format!("{at}.{}_file", field.name));
        let text = reader.text(&key);
        let file = if field.secret { reader.text(&file_key) } else { None };
        let Some(method) = method else { continue };
        let own = method.fields().iter().find(|own| own.name == field.name);
        match (own, text, file) {
            (None, None, None) => {}
            (None, text, _) => {
                let known: Vec<_> = method.fields().iter().map(|field| field.name).collect();
                let problem = format!("does not belong to {}, which has {}", method.name(), known.join(", "));
                reader.mistake(if text.is_some() { &key } else { &file_key }, problem);
            }
            (Some(_), Some(_), Some(_)) => {
                reader.mistake(&file_key, format!("expected one of {} and {0}_file, found both", field.name));
            }
            (Some(_), Some(text), None) => {
                if let Err(expected) = check_word(field.name, &text) {
                    reader.mistake(&key, format!("expected {expected}, found {text:?}"));
                }
                authentication = authentication.with(field.name, text);
            }
            (Some(_), None, Some(path)) => authentication = authentication.with_file(field.name, path),
            (Some(own), None, None) if own.required => {
                let or = if own.secret { format!(" (or {}_file)", own.name) } else { String::new() };
                reader.mistake(&key, format!("must be set for {}{or}", method.name()));
            }
            (Some(_), None, None) => {}
        }
    }
    authentication
}

fn read_method(reader: &mut Reader, key: &str) -> Option<AuthenticationMethod> {
    let text = reader.text(key);
    match AuthenticationMethod::parse(text.as_deref().unwrap_or_default()) {
        Ok(method) => Some(method),
        Err(expected) => {
            let problem = match text {
                Some(text) => format!("expected {expected}, found {text:?}"),
                None => format!("must be set: {expected}"),
            };
            reader.mistake(key, problem);
            None
        }
    }
}
