//! The configuration: embedded defaults, then a file, then the environment; every mistake at once.

mod connections;
mod environment;
mod reader;
mod secrets;
mod show;

use std::{fmt, net::SocketAddr, path::Path};

use config::{FileFormat, Format as _, Source, Value};
use secrecy::SecretString;

pub use environment::Environment;
pub use reader::Mistake;
use reader::Reader;
pub use show::show;

use crate::{
    connector::{ConnectorOptions, FileOptions, INPUT_VARIABLE, STATE_VARIABLE},
    salesforce::{AllowedHosts, TransportOptions},
    zeebe::{GatewayAuthentication, GatewayOptions, WorkerOptions, WorkerTuning},
};

/// The lowest layer, which is also the documentation of every key.
pub const DEFAULTS: &str = include_str!("../config/default.toml");

/// The name of the lowest layer in messages.
const DEFAULTS_ORIGIN: &str = "the built-in defaults";

/// Everything that a program needs to know before it starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// How to reach the engine.
    pub gateway: GatewayOptions,
    /// How jobs are taken.
    pub worker: WorkerOptions,
    /// What of the worker is seldom changed.
    pub tuning: WorkerTuning,
    /// How jobs are carried out.
    pub connector: ConnectorOptions,
    /// Where health and metrics are served; `None`: nowhere.
    pub admin_listen: Option<SocketAddr>,
    /// What is logged, and how.
    pub log: LogOptions,
}

/// What is logged, and how.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// Directives of `tracing_subscriber::EnvFilter`, such as `info`.
    pub level: String,
    /// Text or JSON.
    pub format: LogFormat,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// Why there is no configuration: every mistake that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// All of them, by key.
    pub mistakes: Vec<Mistake>,
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// A layer that is wrong as a whole.
    fn of_layer(name: &str, problem: &str) -> Self {
        let separator = if name.is_empty() { "" } else { " " };
        let problem = format!("{name}{separator}{problem}");
        Self { mistakes: vec![Mistake { key: String::new(), problem, origin: String::new() }] }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mistakes.len() {
            1 => write!(f, "the configuration has a mistake:")?,
            count => write!(f, "the configuration has {count} mistakes:")?,
        }
        for Mistake { key, problem, origin } in &self.mistakes {
            let key = if key.is_empty() { String::new() } else { format!("{key}: ") };
            let origin = if origin.is_empty() { String::new() } else { format!(" (in {origin})") };
            write!(f, "\n  {key}{problem}{origin}")?;
        }
        Ok(())
    }
}

impl Config {
    /// Reads the layers: defaults, the file (or the one that the environment names), the environment.
    pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(merge(file, environment)?);
        let config = Self::read(&mut reader);
        let mistakes = reader.finish();
        if mistakes.is_empty() { Ok(config) } else { Err(ConfigError { mistakes }) }
    }

    fn read(reader: &mut Reader) -> Self {
        let (gateway, worker) = (read_gateway(reader), read_worker(reader));
        Self {
            gateway,
            connector: read_connector(reader, worker.max_jobs_active),
            worker,
            tuning: WorkerTuning {
                stream_inactivity: reader.duration("worker.stream_inactivity"),
                ..WorkerTuning::default()
            },
            admin_listen: reader.parsed("admin.listen"),
            log: read_log(reader),
        }
    }
}

/// The layers on top of one another.
fn merge(file: Option<&Path>, environment: &Environment) -> Result<Value, ConfigError> {
    let named_by_environment = environment.get(environment::FILE).map(Path::new);
    let mut layers = config::Config::builder().add_source(Layer::parse(None, DEFAULTS)?);
    if let Some(path) = file.or(named_by_environment) {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::of_layer(&name, &format!("cannot be read: {error}")))?;
        layers = layers.add_source(Layer::parse(Some(&name), &text)?);
    }
    let origin = environment::ORIGIN.to_owned();
    for (key, value) in environment::camunda_values(environment) {
        let value = Value::new(Some(&origin), value);
        layers = layers.add_source(Layer(config::Map::from_iter([(key.to_owned(), value)])));
    }
    let own = config::Environment::with_prefix(environment::PREFIX.trim_end_matches('_'))
        .prefix_separator("_")
        .separator("__")
        .source(Some(environment::own_values(environment)));
    let merged = layers.add_source(own).build();
    Ok(merged.map_err(|error| ConfigError::of_layer("", &error.to_string()))?.cache)
}

/// Values whose mistakes can be traced to where they were written.
#[derive(Clone, Debug)]
struct Layer(config::Map<String, Value>);

impl Layer {
    fn parse(origin: Option<&String>, text: &str) -> Result<Self, ConfigError> {
        let name = origin.map_or(DEFAULTS_ORIGIN, String::as_str);
        let parsed = FileFormat::Toml.parse(origin, text);
        parsed.map(Self).map_err(|error| ConfigError::of_layer(name, &format!("is not TOML: {error}")))
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<config::Map<String, Value>, config::ConfigError> {
        Ok(self.0.clone())
    }
}

fn read_gateway(reader: &mut Reader) -> GatewayOptions {
    let address = reader.required("gateway.address");
    if !address.starts_with("http://") && !address.starts_with("https://") {
        let problem = format!("expected an address that begins with http:// or https://, found {address:?}");
        reader.mistake("gateway.address", problem);
    }
    GatewayOptions {
        address,
        ca_certificate: reader.text("gateway.ca_certificate").map(Into::into),
        override_authority: reader.text("gateway.override_authority"),
        rest_address: reader.text("gateway.rest_address"),
        authentication: read_gateway_authentication(reader),
    }
}

fn read_gateway_authentication(reader: &mut Reader) -> GatewayAuthentication {
    #[derive(Clone, Copy)]
    enum Method {
        None,
        Basic,
        OAuth,
    }
    let key = |name: &str| format!("gateway.authentication.{name}");
    let username = reader.text(&key("username"));
    let password = reader.text(&key("password"));
    let client_id = reader.text(&key("client_id"));
    let client_secret = reader.text(&key("client_secret"));
    let token_url = reader.required(&key("token_url"));
    let audience = reader.text(&key("audience")).unwrap_or_default();
    let scope = reader.text(&key("scope"));
    let words =
        [("none", Method::None), ("basic", Method::Basic), ("oauth", Method::OAuth), ("oidc", Method::OAuth)];
    let method = reader.one_of(&key("method"), &words).unwrap_or(match (&client_id, &username) {
        (Some(_), _) => Method::OAuth,
        (None, Some(_)) => Method::Basic,
        (None, None) => Method::None,
    });
    let mut needed = |value: Option<String>, name: &str| {
        value.unwrap_or_else(|| {
            reader.mistake(&key(name), "must be set for this method of authentication");
            String::new()
        })
    };
    match method {
        Method::None => GatewayAuthentication::None,
        Method::Basic => {
            let (username, password) = (needed(username, "username"), needed(password, "password"));
            GatewayAuthentication::Basic { username, password: SecretString::from(password) }
        }
        Method::OAuth => {
            let client_id = needed(client_id, "client_id");
            let client_secret = SecretString::from(needed(client_secret, "client_secret"));
            GatewayAuthentication::OAuth { token_url, client_id, client_secret, audience, scope }
        }
    }
}

fn read_worker(reader: &mut Reader) -> WorkerOptions {
    WorkerOptions {
        job_type: reader.required("worker.job_type"),
        name: reader.required("worker.name"),
        max_jobs_active: reader.count("worker.max_jobs_active"),
        job_timeout: reader.duration("worker.job_timeout"),
        request_timeout: reader.duration("worker.request_timeout"),
        fetch_variables: vec![INPUT_VARIABLE.to_owned(), STATE_VARIABLE.to_owned()],
        tenant_ids: reader.list("gateway.tenant_ids"),
        assigned_tenants: reader.boolean("gateway.assigned_tenants"),
        with_lease: reader.boolean("worker.lease"),
        stream_enabled: reader.boolean("worker.stream_enabled"),
        shutdown_grace: reader.duration("worker.shutdown_grace"),
    }
}

fn read_connector(reader: &mut Reader, max_jobs_active: usize) -> ConnectorOptions {
    let (allow_http, allow_loopback) =
        (reader.boolean("hosts.allow_http"), reader.boolean("hosts.allow_loopback"));
    let allowed = reader.list("hosts.allow");
    let hosts = AllowedHosts::new(&allowed, allow_http, allow_loopback).unwrap_or_else(|problem| {
        reader.mistake("hosts.allow", problem);
        AllowedHosts::default()
    });
    let sources = reader.list("hosts.sources");
    let sources = AllowedHosts::new(&sources, allow_http, allow_loopback).unwrap_or_else(|problem| {
        reader.mistake("hosts.sources", problem);
        AllowedHosts::none()
    });
    let allow_private = reader.boolean("hosts.allow_private");
    ConnectorOptions {
        transport: TransportOptions {
            connect_timeout: reader.duration("salesforce.connect_timeout"),
            max_body_bytes: reader.count("salesforce.max_body_bytes"),
            max_wait: reader.duration("salesforce.max_wait"),
            slow_org_share: share_of(max_jobs_active, reader.share("salesforce.slow_org_share")),
            api_reserve: reader.share("salesforce.api_reserve"),
            hosts: hosts.with_private(allow_private),
            sources: sources.with_private(allow_private).of_sources(),
        },
        connections: connections::read(reader),
        allow_inline: reader.boolean(connections::ALLOW_INLINE),
        secrets: secrets::read(reader),
        request_timeout: reader.duration("salesforce.request_timeout"),
        retry_backoff: reader.duration("jobs.retry_backoff"),
        max_result_bytes: reader.count("jobs.max_result_bytes"),
        bulk_wait: reader.duration("jobs.bulk_wait"),
        mark_unsafe_writes: reader.boolean("unsafe_writes.mark"),
        files: read_files(reader),
    }
}

fn read_files(reader: &mut Reader) -> FileOptions {
    let (max_bytes, max_bytes_in_hand) =
        (reader.count("files.max_bytes"), reader.count("files.max_bytes_in_hand"));
    if max_bytes > max_bytes_in_hand {
        reader.mistake("files.max_bytes", "must not be more than files.max_bytes_in_hand");
    }
    FileOptions { max_bytes, max_bytes_in_hand }
}

/// So many of them, and one at least.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of some hundred jobs; what is out of range ends at the bounds"
)]
fn share_of(jobs: usize, share: f64) -> usize {
    ((jobs as f64 * share) as usize).max(1)
}

fn read_log(reader: &mut Reader) -> LogOptions {
    let level = reader.required("log.level");
    if let Err(error) = level.parse::<tracing_subscriber::EnvFilter>() {
        reader.mistake("log.level", format!("expected a level such as \"info\": {error}"));
    }
    let words = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    LogOptions { level, format: reader.one_of("log.format", &words).unwrap_or(LogFormat::Text) }
}

#[cfg(test)]
mod tests;
