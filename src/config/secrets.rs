//! The table `[secrets]`.

use std::collections::BTreeMap;

use super::reader::Reader;
use crate::connector::{SecretProvider, SecretScope, SecretsOptions, VaultAuthentication, VaultOptions};

pub(super) fn read(reader: &mut Reader) -> SecretsOptions {
    let scopes = [("connection", SecretScope::Connection), ("everywhere", SecretScope::Everywhere)];
    let providers = read_providers(reader);
    let vault = read_vault(reader, providers.contains(&SecretProvider::Vault));
    SecretsOptions {
        providers,
        vault,
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

/// Every key is read, so that none is called unknown; `None` where Vault is not asked.
fn read_vault(reader: &mut Reader, is_asked: bool) -> Option<VaultOptions> {
    let key = |name: &str| format!("secrets.vault.{name}");
    let address = reader.text(&key("address"));
    if is_asked && address.is_none() {
        reader.mistake(&key("address"), "must be set where secrets.providers names vault");
    }
    if !is_asked && address.is_some() {
        reader.mistake(&key("address"), "is set, but secrets.providers does not name vault");
    }
    let options = VaultOptions {
        address: address.unwrap_or_default(),
        allow_http: reader.boolean("hosts.allow_http"),
        namespace: reader.text(&key("namespace")),
        mount: reader.required(&key("mount")),
        path: reader.required(&key("path")),
        key: reader.required(&key("key")),
        ca_certificate: reader.text(&key("ca_certificate")).map(Into::into),
        refresh: reader.duration(&key("refresh")),
        authentication: read_vault_authentication(reader, is_asked),
    };
    is_asked.then_some(options)
}

fn read_vault_authentication(reader: &mut Reader, is_asked: bool) -> VaultAuthentication {
    #[derive(Clone, Copy, PartialEq)]
    enum Method {
        Token,
        Kubernetes,
    }
    let key = |name: &str| format!("secrets.vault.authentication.{name}");
    let words = [("token", Method::Token), ("kubernetes", Method::Kubernetes)];
    let method = reader.one_of(&key("method"), &words);
    let (token, token_file) = (reader.text(&key("token")), reader.text(&key("token_file")));
    let role = reader.text(&key("role"));
    let (mount, jwt_file) = (reader.required(&key("mount")), reader.required(&key("jwt_file")));
    let mistake = match (method, &token, &token_file, &role) {
        _ if !is_asked => None,
        (None, ..) => {
            Some(("method", "must be \"token\" or \"kubernetes\" where secrets.providers names vault"))
        }
        (Some(Method::Token), None, None, _) => Some(("token", "must be set for token (or token_file)")),
        (Some(Method::Token), Some(_), Some(_), _) => {
            Some(("token_file", "expected one of token and token_file, found both"))
        }
        (Some(Method::Kubernetes), _, _, None) => Some(("role", "must be set for kubernetes")),
        _ => None,
    };
    if let Some((name, problem)) = mistake {
        reader.mistake(&key(name), problem);
    }
    match (method, token_file) {
        (Some(Method::Kubernetes), _) => VaultAuthentication::Kubernetes {
            role: role.unwrap_or_default(),
            mount,
            jwt_file: jwt_file.into(),
        },
        (_, Some(path)) => VaultAuthentication::TokenFile(path.into()),
        (_, None) => VaultAuthentication::Token(token.unwrap_or_default().into()),
    }
}

/// By process id, which may have dots.
fn read_allowed(reader: &mut Reader) -> BTreeMap<String, Vec<String>> {
    let keys = reader.keys_below("secrets.allow");
    keys.into_iter().map(|(process, key)| (process, reader.list(&key))).collect()
}
