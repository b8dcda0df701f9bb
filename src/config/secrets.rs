//! The table `[secrets]`.

use std::collections::BTreeMap;

use super::reader::Reader;
use crate::connector::{SecretProvider, SecretScope, SecretsOptions};

pub(super) fn read(reader: &mut Reader) -> SecretsOptions {
    let scopes = [("connection", SecretScope::Connection), ("everywhere", SecretScope::Everywhere)];
    SecretsOptions {
        providers: read_providers(reader),
        environment_prefix: reader.text("secrets.environment_prefix").unwrap_or_default(),
        directory: reader.text("secrets.directory").map(Into::into),
        scope: reader.one_of("secrets.scope", &scopes).unwrap_or_default(),
        bare_names: reader.boolean("secrets.bare_names"),
        allow: read_allowed(reader),
    }
}

fn read_providers(reader: &mut Reader) -> Vec<SecretProvider> {
    const KEY: &str = "secrets.providers";
    let mut providers = Vec::new();
    for name in reader.list(KEY) {
        match SecretProvider::ALL.iter().find(|provider| provider.name() == name) {
            Some(provider) if providers.contains(provider) => {
                reader.mistake(KEY, format!("names {name} twice"));
            }
            Some(provider) => providers.push(*provider),
            None => {
                let known: Vec<_> = SecretProvider::ALL.iter().map(|provider| provider.name()).collect();
                reader.mistake(KEY, format!("expected some of {}, found {name:?}", known.join(", ")));
            }
        }
    }
    providers
}

/// By process id, which may have dots.
fn read_allowed(reader: &mut Reader) -> BTreeMap<String, Vec<String>> {
    let keys = reader.keys_below("secrets.allow");
    keys.into_iter().map(|(process, key)| (process, reader.list(&key))).collect()
}
