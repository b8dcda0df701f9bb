//! `{{secrets.NAME}}`: where secrets come from, who may name them, and how texts refer to them.
//!
//! A reference is replaced inside one text that was parsed before, in one pass: a value is never looked at again.

mod files;
mod redactors;
mod references;
mod vault;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    env::VarError,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use self::redactors::Redactors;
use self::references::{Malformed, Piece, Syntax};
use self::vault::Vault;
use super::{INPUT_VARIABLE, authentication::Written, codes, error::Error, input, redactor::Redactor};
use crate::metrics::Metrics;

pub use vault::{VaultAuthentication, VaultOptions};

/// Where secrets come from, and who may name them.
#[derive(Clone, Debug)]
pub struct SecretsOptions {
    /// Who is asked, in this order; the first that has a secret of the name gives it.
    pub providers: Vec<SecretProvider>,
    /// `{{secrets.NAME}}` is the environment variable of this prefix and `NAME`; empty: the environment is not asked.
    pub environment_prefix: String,
    /// A directory with a file for each secret, named as the secret, as Kubernetes mounts them; `None`: not asked.
    ///
    /// Files are read again for each job, so that a secret can change while the worker runs. One newline at the end is
    /// not part of the value.
    pub directory: Option<PathBuf>,
    /// The Vault that is asked; `None`: none.
    pub vault: Option<VaultOptions>,
    /// Where references are replaced.
    pub scope: SecretScope,
    /// Whether `secrets.NAME` without braces is a reference too, as in Camunda's runtime.
    pub bare_names: bool,
    /// The secrets that tasks of a BPMN process may name; a name may end in `*`, and the process `*` stands for those
    /// that are not listed. Empty: all. Connections of the configuration are not bound by it.
    pub allow: BTreeMap<String, Vec<String>>,
}

impl Default for SecretsOptions {
    /// The usual order of providers, none of them set up.
    fn default() -> Self {
        Self {
            providers: vec![SecretProvider::Directory, SecretProvider::Environment],
            environment_prefix: String::new(),
            directory: None,
            vault: None,
            scope: SecretScope::default(),
            bare_names: false,
            allow: BTreeMap::new(),
        }
    }
}

/// Who has secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretProvider {
    /// A directory of files.
    Directory,
    /// Environment variables.
    Environment,
    /// HashiCorp Vault.
    Vault,
}

/// Where references are replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretScope {
    /// In the fields of a connection.
    #[default]
    Connection,
    /// In every text of a job's input: whoever writes a text of a process can then have a secret sent to Salesforce.
    Everywhere,
}

/// Why a provider did not give a secret that it may well have.
#[derive(Clone, Debug)]
enum Problem {
    /// It is there and cannot be used; said after its name.
    Unusable(String),
    /// Nobody knows for now.
    Unavailable(String),
}

/// The providers of secrets.
#[derive(Clone)]
pub(super) struct Secrets {
    options: SecretsOptions,
    environment: fn(&str) -> Result<String, VarError>,
    vault: Option<Arc<Vault>>,
    metrics: Arc<Metrics>,
    redactors: Arc<Redactors>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secrets").field(&self.options).finish()
    }
}

/// What was asked of a provider: its words for the place, and the answer.
type Answer = (String, Result<Option<SecretString>, Problem>);

impl Secrets {
    /// Asks nobody yet; an error is a mistake in the options.
    pub(super) fn new(options: SecretsOptions, metrics: Arc<Metrics>) -> Result<Self, Error> {
        let vault = options.vault.clone().filter(|_| options.providers.contains(&SecretProvider::Vault));
        let vault = vault.map(|vault| Vault::new(vault, Arc::clone(&metrics)).map(Arc::new)).transpose();
        let vault = vault.map_err(|mistake| Error::new(&codes::SECRETS_UNAVAILABLE, mistake))?;
        Ok(Self {
            options,
            environment: |name| std::env::var(name),
            vault,
            metrics,
            redactors: Arc::default(),
        })
    }

    /// The secrets of one job of a process, or of the worker itself; none of them is looked up yet.
    pub(super) fn for_job<'a>(&'a self, process: Option<&'a str>) -> JobSecrets<'a> {
        JobSecrets { secrets: self, process, used: Vec::new() }
    }

    /// The value, or what to tell: the first provider that has something of the name has the last word.
    async fn find(&self, name: &str) -> Result<SecretString, Error> {
        let mut places = Vec::new();
        for provider in &self.options.providers {
            let Some((place, answer)) = self.ask(*provider, name).await else { continue };
            let (code, problem) = match answer {
                Ok(Some(value)) => return Ok(value),
                Ok(None) => {
                    places.push(place);
                    continue;
                }
                Err(Problem::Unusable(problem)) => (&codes::SECRET_NOT_FOUND, problem),
                Err(Problem::Unavailable(problem)) => (&codes::SECRETS_UNAVAILABLE, problem),
            };
            // Vault counts by itself: each failed request once, and not each job that it concerns.
            if *provider != SecretProvider::Vault {
                self.metrics.secrets_failed(provider.name());
            }
            return Err(Error::new(code, format!("the secret {name} cannot be used: {place} {problem}")));
        }
        let why = match places.as_slice() {
            [] => "the worker has no provider of secrets".to_owned(),
            places => format!("looked for in {}", places.join(" and ")),
        };
        Err(Error::new(&codes::SECRET_NOT_FOUND, format!("the secret {name} was not found; {why}")))
    }

    /// `None` where the provider is not set up.
    async fn ask(&self, provider: SecretProvider, name: &str) -> Option<Answer> {
        match provider {
            SecretProvider::Directory => {
                let directory = self.options.directory.as_ref()?;
                let place = format!("the file {name} in {}", directory.display());
                Some((place, files::read(&directory.join(name)).await))
            }
            SecretProvider::Environment => {
                let prefix = Some(&self.options.environment_prefix).filter(|prefix| !prefix.is_empty())?;
                let variable = format!("{prefix}{name}");
                let unusable = |problem: &str| Err(Problem::Unusable(problem.to_owned()));
                let value = match (self.environment)(&variable) {
                    Ok(value) if value.trim().is_empty() => unusable("is empty"),
                    Ok(value) => Ok(Some(value.into())),
                    Err(VarError::NotPresent) => Ok(None),
                    Err(VarError::NotUnicode(_)) => unusable("is not UTF-8 text"),
                };
                Some((format!("the environment variable {variable}"), value))
            }
            SecretProvider::Vault => {
                let vault = self.vault.as_ref()?;
                Some((vault.place(name), vault.find(name).await))
            }
        }
    }

    /// Whether a task of this process may name a secret.
    fn allows(&self, process: &str, name: &str) -> bool {
        let lists = &self.options.allow;
        let Some(names) = lists.get(process).or_else(|| lists.get("*")) else { return lists.is_empty() };
        names.iter().any(|allowed| match allowed.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => allowed == name,
        })
    }
}

impl SecretProvider {
    /// All of them, in the usual order.
    pub const ALL: &[Self] = &[Self::Directory, Self::Environment, Self::Vault];

    /// Its name in the configuration and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::Environment => "environment",
            Self::Vault => "vault",
        }
    }
}

/// The secrets that one job has used so far.
pub(super) struct JobSecrets<'a> {
    secrets: &'a Secrets,
    /// `None`: only the configuration's own texts are read.
    process: Option<&'a str>,
    used: Vec<SecretString>,
}

impl JobSecrets<'_> {
    /// A text that is not secret by itself, such as an address, with its references replaced.
    ///
    /// `place` is where the text stands, for messages, and who wrote it.
    pub(super) async fn text(&mut self, place: (&str, Written), text: &str) -> Result<String, Error> {
        let syntax = Syntax { bare_names: self.secrets.options.bare_names, strict: true };
        let pieces = syntax.pieces(text).map_err(|Malformed| malformed(place.0))?;
        let mut replaced = String::with_capacity(text.len());
        for piece in pieces {
            match piece {
                Piece::Text(text) => replaced.push_str(text),
                Piece::Name(name) => replaced.push_str(self.look_up(place, name).await?.expose_secret()),
            }
        }
        Ok(replaced)
    }

    /// A credential, with its references replaced; masked as a whole from now on.
    pub(super) async fn credential(
        &mut self,
        place: (&str, Written),
        text: &SecretString,
    ) -> Result<SecretString, Error> {
        let credential = SecretString::from(self.text(place, text.expose_secret()).await?);
        self.used.push(credential.clone());
        Ok(credential)
    }

    /// A credential that is the content of a file; masked as a whole from now on.
    pub(super) async fn file(&mut self, place: &str, path: &Path) -> Result<SecretString, Error> {
        let (code, problem) = match files::read(path).await {
            Ok(Some(credential)) => {
                self.used.push(credential.clone());
                return Ok(credential);
            }
            Ok(None) => (&codes::SECRET_NOT_FOUND, "is not there".to_owned()),
            Err(Problem::Unusable(problem)) => (&codes::SECRET_NOT_FOUND, problem),
            Err(Problem::Unavailable(problem)) => (&codes::SECRETS_UNAVAILABLE, problem),
        };
        self.secrets.metrics.secrets_failed(SecretProvider::Directory.name());
        Err(Error::new(code, format!("{place}: the file {} {problem}", path.display())))
    }

    /// A job's variables; where references are replaced everywhere, with those in the texts of its input replaced.
    ///
    /// The connection is left as it is: its own fields are read later, and more strictly.
    pub(super) async fn input<'v>(
        &mut self,
        variables: &'v Map<String, Value>,
    ) -> Result<Cow<'v, Map<String, Value>>, Error> {
        if self.secrets.options.scope == SecretScope::Connection {
            return Ok(Cow::Borrowed(variables));
        }
        let syntax = Syntax { bare_names: self.secrets.options.bare_names, strict: false };
        let mut variables = variables.clone();
        let Some(Value::Object(request)) = variables.get_mut(INPUT_VARIABLE) else {
            return Ok(Cow::Owned(variables));
        };
        for (field, value) in request.iter_mut().filter(|(field, _)| *field != "connection") {
            let mut names = BTreeSet::new();
            collect(syntax, value, &mut names);
            let place = format!("{INPUT_VARIABLE}.{field}");
            let mut values = BTreeMap::new();
            for name in names {
                let secret = self.look_up((&place, Written::InTask), &name).await?;
                values.insert(name, secret);
            }
            replace(syntax, value, &values);
        }
        Ok(Cow::Owned(variables))
    }

    /// Masks these as well from now on.
    pub(super) fn learn(&mut self, secrets: impl IntoIterator<Item = SecretString>) {
        self.used.extend(secrets);
    }

    /// Masks what this job used.
    pub(super) fn redactor(&self) -> Redactor {
        self.secrets.redactors.of(&self.used)
    }

    async fn look_up(
        &mut self,
        (place, written): (&str, Written),
        name: &str,
    ) -> Result<SecretString, Error> {
        if !references::is_safe(name) {
            let message = format!(
                "{place}: expected the name of a secret (letters, digits, \"_\", \"-\" and \".\", not beginning with \
                 \".\"), found {:?}",
                input::shorten(name)
            );
            return Err(Error::new(&codes::SECRET_NOT_FOUND, message));
        }
        if let (Written::InTask, Some(process)) = (written, self.process)
            && !self.secrets.allows(process, name)
        {
            let message = format!(
                "{place}: tasks of the process {:?} may not name the secret {name}; secrets.allow lists what they may",
                input::shorten(process)
            );
            return Err(Error::new(&codes::SECRET_NOT_ALLOWED, message));
        }
        let value = self.secrets.find(name).await.map_err(|error| error.at(place))?;
        self.used.push(value.clone());
        Ok(value)
    }
}

fn malformed(place: &str) -> Error {
    let message = format!(
        "{place}: expected references to secrets to be written {{{{secrets.NAME}}}}, found another form"
    );
    Error::new(&codes::INVALID_CONNECTION, message)
}

/// The names in all texts of a value; keys are no texts.
fn collect(syntax: Syntax, value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let pieces = syntax.pieces(text).unwrap_or_default();
            names.extend(pieces.into_iter().filter_map(|piece| match piece {
                Piece::Name(name) => Some(name.to_owned()),
                Piece::Text(_) => None,
            }));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(syntax, item, names)),
        Value::Object(fields) => fields.values().for_each(|item| collect(syntax, item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn replace(syntax: Syntax, value: &mut Value, values: &BTreeMap<String, SecretString>) {
    match value {
        Value::String(text) => {
            let pieces = syntax.pieces(text).unwrap_or_default();
            let part = |piece: &Piece<'_>| match piece {
                Piece::Text(text) => (*text).to_owned(),
                Piece::Name(name) => values.get(*name).map_or("", |value| value.expose_secret()).to_owned(),
            };
            let replaced = pieces.iter().map(part).collect();
            *text = replaced;
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(syntax, item, values)),
        Value::Object(fields) => fields.values_mut().for_each(|item| replace(syntax, item, values)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests;
