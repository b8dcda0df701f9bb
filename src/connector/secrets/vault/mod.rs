//! Secrets of HashiCorp Vault's key-value store, version 2.
//!
//! A secret of Vault is read once, kept, and read again when it is older than `refresh`; while Vault cannot be asked, the
//! last values stay in use. One request at a time for each secret; whoever comes meanwhile waits for it.

mod api;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use secrecy::SecretString;
use serde_json::Value;
use tokio::time::{Instant, timeout};

use self::api::{Api, Kind, VaultError};
use super::{Problem, files};
use crate::{
    metrics::Metrics,
    token_cache::{Fetched, TokenCache},
};

/// What a fetch may take, with a login and a second try.
const PATIENCE: Duration = Duration::from_secs(10);

/// A key that is missing is looked for again after this time, so that a new one is soon found.
const RECHECK: Duration = Duration::from_secs(10);

/// Longer than a worker lives: values stay until there are others.
const FOREVER: Duration = Duration::from_hours(24 * 365 * 100);

/// How many secrets of Vault are kept. Beyond it the one that was not used for longest is forgotten.
const KEPT_SECRETS: usize = 256;

/// How to reach Vault, and what to read there.
#[derive(Clone, Debug)]
pub struct VaultOptions {
    /// Such as `https://vault.acme.com:8200`.
    pub address: String,
    /// Whether `http://` may be used for an address that is not this machine's.
    pub allow_http: bool,
    /// The namespace of Vault Enterprise.
    pub namespace: Option<String>,
    /// Where the key-value store (version 2) is mounted, such as `secret`.
    pub mount: String,
    /// The path of the secret whose keys are our secrets; or, with `{name}` in it, that of each secret.
    pub path: String,
    /// The key of the value where `path` has `{name}`.
    pub key: String,
    /// A PEM file of further certificate authorities to trust.
    pub ca_certificate: Option<PathBuf>,
    /// How old a value may become before it is read again.
    pub refresh: Duration,
    /// How to log in.
    pub authentication: VaultAuthentication,
}

/// How to log in to Vault.
#[derive(Clone, Debug)]
pub enum VaultAuthentication {
    /// A token, which is renewed where Vault allows it.
    Token(SecretString),
    /// A file with a token, as Vault Agent writes it; read again when the token is refused.
    TokenFile(PathBuf),
    /// The token of the pod's service account.
    Kubernetes {
        /// The role of Vault.
        role: String,
        /// Where the method is mounted, such as `kubernetes`.
        mount: String,
        /// The file of the service account's token.
        jwt_file: PathBuf,
    },
}

/// The keys of one secret of Vault; `None` where the value is no text.
struct Stored {
    values: BTreeMap<String, Option<SecretString>>,
    read_at: Instant,
}

type Cache = TokenCache<Stored, VaultError>;

/// What is known of one secret of Vault.
#[derive(Default)]
struct Secret {
    kept: Cache,
    /// For keys that `kept` does not have.
    recheck: Cache,
}

/// One Vault, and what was read there.
pub(super) struct Vault {
    api: Api,
    options: VaultOptions,
    tokens: TokenCache<SecretString, VaultError>,
    /// By path, the one used last at the end.
    secrets: Mutex<Vec<(String, Arc<Secret>)>>,
    metrics: Arc<Metrics>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("address", &self.options.address).finish_non_exhaustive()
    }
}

impl Vault {
    /// Asks nothing yet; an error names the mistake in the options.
    pub(super) fn new(options: VaultOptions, metrics: Arc<Metrics>) -> Result<Self, String> {
        let api = Api::new(&options)?;
        Ok(Self { api, options, tokens: TokenCache::new(), secrets: Mutex::default(), metrics })
    }

    /// Where a secret is looked for, for messages.
    pub(super) fn place(&self, name: &str) -> String {
        let (path, key) = self.path_and_key(name);
        format!("the key {key} of {}/{path} in Vault at {}", self.options.mount, self.options.address.trim())
    }

    /// The value of a secret; `None` where there is none.
    pub(super) async fn find(&self, name: &str) -> Result<Option<SecretString>, Problem> {
        let (path, key) = self.path_and_key(name);
        let down = |error: VaultError| Problem::Unavailable(format!("could not be read: {error}"));
        let secret = self.secret(&path);
        let refresh = self.options.refresh;
        let mut stored = secret.kept.get_or_fetch(|| self.fetch(&path, refresh, None)).await.map_err(down)?;
        if !stored.values.contains_key(&key) && stored.read_at.elapsed() >= RECHECK {
            let recheck = || self.fetch(&path, RECHECK, Some(RECHECK));
            stored = secret.recheck.get_or_fetch(recheck).await.map_err(down)?;
        }
        match stored.values.get(&key) {
            Some(Some(value)) => Ok(Some(value.clone())),
            Some(None) => Err(Problem::Unusable("is empty or no text".to_owned())),
            None => Ok(None),
        }
    }

    /// A name is safe as a part of a path: see `references::is_safe`.
    fn path_and_key(&self, name: &str) -> (String, String) {
        let VaultOptions { path, key, .. } = &self.options;
        if path.contains("{name}") {
            (path.replace("{name}", name), key.clone())
        } else {
            (path.clone(), name.to_owned())
        }
    }

    fn secret(&self, path: &str) -> Arc<Secret> {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let known = secrets.iter().position(|(known, _)| known == path);
        let entry = known.map_or_else(|| (path.to_owned(), Arc::default()), |index| secrets.remove(index));
        if secrets.len() >= KEPT_SECRETS {
            secrets.remove(0);
        }
        let secret = Arc::clone(&entry.1);
        secrets.push(entry);
        secret
    }

    /// Reads a secret; one that is not there is remembered for a little while.
    async fn fetch(
        &self,
        path: &str,
        refresh: Duration,
        expiry: Option<Duration>,
    ) -> Result<Fetched<Stored>, VaultError> {
        let late = || VaultError::new(Kind::Down, format!("nothing came within {} s", PATIENCE.as_secs()));
        let read = timeout(PATIENCE, self.read(path)).await.unwrap_or_else(|_| Err(late()));
        let now = Instant::now();
        match read {
            Ok(fields) => {
                let values = fields.into_iter().map(|(key, value)| (key, text(value))).collect();
                let expires_at = now + expiry.unwrap_or(FOREVER);
                Ok(Fetched::expiring(Stored { values, read_at: now }, now + refresh, expires_at))
            }
            Err(error) if error.kind == Kind::Missing => {
                let nothing = Stored { values: BTreeMap::new(), read_at: now };
                Ok(Fetched::expiring(nothing, now + RECHECK, now + RECHECK))
            }
            Err(error) => {
                tracing::warn!(path, %error, "a secret could not be read from Vault; values read before stay in use");
                self.metrics.secrets_failed("vault");
                Err(error)
            }
        }
    }

    /// With a second try after a new login where the token is refused.
    async fn read(&self, path: &str) -> Result<serde_json::Map<String, Value>, VaultError> {
        let place = (self.options.mount.as_str(), path);
        let token = self.token().await?;
        match self.api.read(place, &token).await {
            Err(error) if error.kind == Kind::Denied => {
                self.tokens.invalidate(&token);
                self.api.read(place, &*self.token().await?).await
            }
            read => read,
        }
    }

    async fn token(&self) -> Result<Arc<SecretString>, VaultError> {
        self.tokens.get_or_fetch(|| self.log_in()).await
    }

    /// A token, good for its lease; asked for again in the last third of it.
    async fn log_in(&self) -> Result<Fetched<SecretString>, VaultError> {
        let asked = Instant::now();
        let granted = match &self.options.authentication {
            VaultAuthentication::Kubernetes { role, mount, jwt_file } => {
                let jwt = read_file(jwt_file).await?;
                let granted = self.api.log_in(mount, role, &jwt).await;
                granted.map_err(|error| {
                    VaultError::new(error.kind, format!("the login as {role:?} failed: {error}"))
                })?
            }
            VaultAuthentication::Token(token) => self.renewed(token.clone()).await?,
            VaultAuthentication::TokenFile(path) => self.renewed(read_file(path).await?).await?,
        };
        let lease = Duration::from_secs(granted.lease_duration);
        let token = granted.client_token.0;
        tracing::debug!(lease_seconds = lease.as_secs(), "got a token of Vault");
        Ok(if lease.is_zero() {
            Fetched::until_invalidated(token)
        } else {
            Fetched::expiring(token, asked + lease * 2 / 3, asked + lease)
        })
    }

    /// A token that cannot be renewed is used as it is: what it may do shows when it is used.
    async fn renewed(&self, token: SecretString) -> Result<api::Granted, VaultError> {
        match self.api.renew(&token).await {
            Err(error) if error.kind != Kind::Down => {
                Ok(api::Granted { client_token: api::SecretText(token), lease_duration: 0 })
            }
            granted => granted,
        }
    }
}

async fn read_file(path: &std::path::Path) -> Result<SecretString, VaultError> {
    let problem = match files::read(path).await {
        Ok(Some(token)) => return Ok(token),
        Ok(None) => "is not there".to_owned(),
        Err(Problem::Unusable(problem) | Problem::Unavailable(problem)) => problem,
    };
    Err(VaultError::new(Kind::Down, format!("the file {} {problem}", path.display())))
}

fn text(value: Value) -> Option<SecretString> {
    match value {
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => Some(text.into()),
        number @ Value::Number(_) => Some(number.to_string().into()),
        _ => None,
    }
}
