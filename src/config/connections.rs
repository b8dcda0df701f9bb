//! The tables `[connections.NAME]`.

use std::collections::BTreeMap;

use super::reader::Reader;
use crate::{
    connector::{AuthenticationMethod, ConnectionAuthentication, NamedConnection, check_word},
    salesforce::{ApiVersion, Network},
};

/// The one key beside the names of connections.
pub(super) const ALLOW_INLINE: &str = "connections.allow_inline";

pub(super) fn read(reader: &mut Reader) -> BTreeMap<String, NamedConnection> {
    let names = reader.names_below("connections");
    names
        .into_iter()
        .filter(|name| format!("connections.{name}") != ALLOW_INLINE)
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
    NamedConnection {
        base_url,
        api_version,
        authentication,
        network: read_network(reader, at),
        api_reserve: given(reader, &format!("{at}.api_reserve"), Reader::share),
        request_timeout: given(reader, &format!("{at}.request_timeout"), Reader::duration),
        tenants: reader.list(&format!("{at}.tenants")),
        processes: reader.list(&format!("{at}.processes")),
    }
}

fn read_network(reader: &mut Reader, at: &str) -> Network {
    let mut text = |name: &str| reader.text(&format!("{at}.{name}"));
    let (proxy, ca_certificate) = (text("proxy"), text("ca_certificate"));
    let (client_certificate, client_key) = (text("client_certificate"), text("client_key"));
    if client_key.is_some() && client_certificate.is_none() {
        reader.mistake(&format!("{at}.client_certificate"), "must be set where client_key is");
    }
    Network {
        proxy: proxy.map(Into::into),
        ca_certificate: ca_certificate.map(Into::into),
        client_certificate: client_certificate.map(Into::into),
        client_key: client_key.map(Into::into),
        max_concurrent_requests: given(reader, &format!("{at}.max_concurrent_requests"), Reader::count),
    }
}

/// A value that may be left out.
fn given<T>(reader: &mut Reader, key: &str, read: impl FnOnce(&mut Reader, &str) -> T) -> Option<T> {
    reader.text(key).map(|_| read(reader, key))
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
            // The command `login` writes it there.
            (Some(own), None, None)
                if own.name == "refresh_token" && reader.text(&format!("{at}.state_file")).is_some() => {}
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
