//! Which org a job speaks to: connections of the configuration by name, or one written in the task.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::Serialize;

use super::{
    ConnectorOptions, INPUT_VARIABLE,
    authentication::{AuthenticationMethod, ConnectionAuthentication, Written},
    codes,
    error::Error,
    input::{self, InvalidInput},
    request::Connection,
    secrets::{JobSecrets, Secrets},
};
use crate::{
    metrics::Metrics,
    salesforce::{ApiVersion, Credentials, Network, OrgStatus, SalesforceClient, Transport},
};

/// A connection of the configuration, `connections.NAME`; every text of it may have `{{secrets.NAME}}`.
#[derive(Clone, Debug)]
pub struct NamedConnection {
    /// Where the org is, such as `https://acme.my.salesforce.com`; the answer to a login may name another host.
    pub base_url: String,
    /// The API version of tasks that name none.
    pub api_version: ApiVersion,
    /// How to log in.
    pub authentication: ConnectionAuthentication,
    /// How its org is reached.
    pub network: Network,
    /// The share of the org's API requests of a day that is left to others, from 0 to 1; `None`: as for all connections.
    pub api_reserve: Option<f64>,
    /// How long one call may take where the task does not say; `None`: as for all connections.
    pub request_timeout: Option<Duration>,
    /// The tenants whose jobs may use it; empty: all.
    pub tenants: Vec<String>,
    /// The BPMN process ids whose jobs may use it; empty: all.
    pub processes: Vec<String>,
}

impl NamedConnection {
    /// With the default API version.
    pub fn new(base_url: impl Into<String>, authentication: ConnectionAuthentication) -> Self {
        Self {
            base_url: base_url.into(),
            api_version: ApiVersion::DEFAULT,
            authentication,
            network: Network::default(),
            api_reserve: None,
            request_timeout: None,
            tenants: Vec::new(),
            processes: Vec::new(),
        }
    }
}

/// All connections; tokens and pooled connections are shared below them.
pub struct Connections {
    transport: Transport,
    /// With the way to each one's network.
    named: BTreeMap<String, (NamedConnection, Transport)>,
    allow_inline: bool,
    secrets: Secrets,
    /// The client that was last made for each named connection.
    opened: Mutex<BTreeMap<String, SalesforceClient>>,
    /// Who was told that its way to log in is legacy.
    told: Mutex<BTreeSet<String>>,
}

/// How many are told; processes come and go for years.
const MOST_TOLD: usize = 1_000;

/// Whose job asks for a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller<'a> {
    pub(super) tenant: &'a str,
    pub(super) process: &'a str,
}

/// How things stand with one connection, or with an org that only tasks name.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionStatus {
    /// The connection's name; `None` for an org that is called by connections written in tasks only.
    pub connection: Option<String>,
    /// Seconds since its access token was issued; `None` where there is none, or where the connection brings its own.
    pub token_age_seconds: Option<u64>,
    /// Its org.
    #[serde(flatten)]
    pub org: OrgStatus,
}

/// A connection that is ready for a call.
pub(super) struct Opened {
    pub(super) client: SalesforceClient,
    /// How long one call may take, where the connection says so.
    pub(super) request_timeout: Option<Duration>,
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections")
            .field("named", &self.named.values().map(|(connection, _)| connection).collect::<Vec<_>>())
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}

/// Where a connection is written, for messages.
struct Place {
    root: String,
    written: Written,
}

impl Place {
    fn in_configuration(name: &str) -> Self {
        Self { root: format!("connections.{name}"), written: Written::InConfiguration }
    }

    fn in_task() -> Self {
        Self { root: format!("{INPUT_VARIABLE}.connection"), written: Written::InTask }
    }

    fn base_url(&self) -> String {
        let name = if self.written == Written::InTask { "baseUrl" } else { "base_url" };
        format!("{}.{name}", self.root)
    }
}

impl Connections {
    /// Opens nothing yet; an error is a mistake in the options: of the transport, a proxy or a certificate.
    pub fn new(options: &ConnectorOptions, metrics: Arc<Metrics>) -> Result<Self, Error> {
        let ConnectorOptions { transport, connections, secrets, allow_inline, .. } = options.clone();
        let secrets = Secrets::new(secrets, Arc::clone(&metrics))?;
        let transport = Transport::new(transport, metrics)?;
        let reach = |(name, connection): (String, NamedConnection)| {
            let own = transport.over(&connection.network);
            let own = own.map_err(|error| Error::from(error).at(&format!("connections.{name}")))?;
            let own = match connection.api_reserve {
                Some(reserve) => own.with_api_reserve(reserve),
                None => own,
            };
            Ok((name, (connection, own)))
        };
        let named = connections.into_iter().map(reach).collect::<Result<_, Error>>()?;
        Ok(Self { transport, named, allow_inline, secrets, opened: Mutex::default(), told: Mutex::default() })
    }

    /// The names of the configured connections, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }

    /// Whether each configured connection could be used: its secrets, its addresses, its private key. No org is called.
    ///
    /// # Errors
    /// The first mistake of the configuration. A secret that is not there may come later: that is logged.
    pub async fn check(&self) -> Result<(), Error> {
        for name in self.names() {
            let mut secrets = self.secrets.for_job(None);
            match self.named_client(name, None, &mut secrets).await {
                Ok(_) => {}
                Err(error)
                    if [codes::SECRET_NOT_FOUND.name, codes::SECRETS_UNAVAILABLE.name]
                        .contains(&error.code()) =>
                {
                    tracing::warn!(connection = name, %error, "jobs with this connection will fail");
                }
                Err(error) => {
                    let redactor = secrets.redactor();
                    return Err(error.map_message(|message| redactor.text(&message).into_owned()));
                }
            }
        }
        Ok(())
    }

    /// How things stand: the configured connections by name, then the orgs that only tasks name. Nothing is sent, and no
    /// secret is looked up; a configured connection is shown from its [`check`](Self::check) or first job on.
    ///
    /// Two connections to one org show the same circuit, usage, latency and calls in flight: those are the org's.
    pub fn status(&self) -> Vec<ConnectionStatus> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let named = opened.into_iter().map(|(name, client)| {
            let (org, token_age) = client.status();
            let token_age_seconds = token_age.map(|age| age.as_secs());
            ConnectionStatus { connection: Some(name), token_age_seconds, org }
        });
        let mut all: Vec<_> = named.collect();
        let of_tasks = self.transport.orgs().into_iter().map(|org| ConnectionStatus {
            connection: None,
            token_age_seconds: None,
            org,
        });
        let of_tasks: Vec<_> =
            of_tasks.filter(|one| all.iter().all(|named| named.org.host != one.org.host)).collect();
        all.extend(of_tasks);
        all
    }

    /// The name of a job's connection, where it is one of the configuration; what else a task may say is not shown.
    pub(super) fn configured(&self, connection: &Connection) -> Option<String> {
        let Connection::Named(name) = connection else { return None };
        self.named.get_key_value(name.0.trim()).map(|(name, _)| name.clone())
    }

    /// The secrets of the configured connections themselves, whatever processes may use.
    pub(super) fn own_secrets(&self) -> JobSecrets<'_> {
        self.secrets.for_job(None)
    }

    /// The secrets of one job of this process.
    pub(super) fn secrets<'a>(&'a self, process: &'a str) -> JobSecrets<'a> {
        self.secrets.for_job(Some(process))
    }

    /// A client for a job's connection. Secrets are looked up here, and nowhere else; no request is sent.
    pub(super) async fn client(
        &self,
        (connection, api_version): (&Connection, Option<ApiVersion>),
        caller: Caller<'_>,
        secrets: &mut JobSecrets<'_>,
    ) -> Result<Opened, Error> {
        match connection {
            Connection::Named(name) => {
                let place = format!("{INPUT_VARIABLE}.connection.name");
                let name = secrets.text((&place, Written::InTask), &name.0).await?;
                self.check_caller(name.trim(), caller)?;
                self.named_client(name.trim(), api_version, secrets).await
            }
            Connection::Inline { .. } if !self.allow_inline => {
                let known: Vec<_> = self.names().collect();
                let message = format!(
                    "{INPUT_VARIABLE}.connection: connections written in tasks are switched off \
                     (connections.allow_inline); name one of the configuration: {}",
                    known.join(", ")
                );
                Err(Error::new(&codes::CONNECTION_NOT_ALLOWED, message))
            }
            Connection::Inline { base_url, authentication } => {
                let mut connection = NamedConnection::new(base_url.0.clone(), authentication.clone());
                connection.api_version = api_version.unwrap_or(connection.api_version);
                self.tell_of_legacy(&connection, || format!("of the process {}", caller.process));
                Self::open(&Place::in_task(), (&connection, &self.transport), secrets).await
            }
        }
    }

    /// A connection of the configuration.
    pub(super) fn named(&self, name: &str) -> Result<&NamedConnection, Error> {
        self.named.get(name).map(|(connection, _)| connection).ok_or_else(|| self.unknown(name))
    }

    /// What a client of this connection is made from, with its secrets looked up.
    pub(super) async fn parts(
        &self,
        name: &str,
        connection: &NamedConnection,
        secrets: &mut JobSecrets<'_>,
    ) -> Result<(&Transport, String, Credentials), Error> {
        let transport = self.named.get(name).map_or(&self.transport, |(_, transport)| transport);
        let place = Place::in_configuration(name);
        let credentials =
            connection.authentication.credentials((&place.root, place.written), secrets).await?;
        let base_url = secrets.text((&place.base_url(), place.written), &connection.base_url).await?;
        Ok((transport, base_url.trim().to_owned(), credentials))
    }

    pub(super) async fn named_client(
        &self,
        name: &str,
        api_version: Option<ApiVersion>,
        secrets: &mut JobSecrets<'_>,
    ) -> Result<Opened, Error> {
        let (connection, transport) = self.named.get(name).ok_or_else(|| self.unknown(name))?;
        let mut connection = connection.clone();
        connection.api_version = api_version.unwrap_or(connection.api_version);
        self.tell_of_legacy(&connection, || name.to_owned());
        let opened = Self::open(&Place::in_configuration(name), (&connection, transport), secrets).await?;
        let mut known = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(name.to_owned(), opened.client.clone());
        Ok(opened)
    }

    /// Once for each connection of the configuration, and for each process that brings its own.
    fn tell_of_legacy(&self, connection: &NamedConnection, name: impl Fn() -> String) {
        if connection.authentication.method() != AuthenticationMethod::Password {
            return;
        }
        let name = name();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() < MOST_TOLD && told.insert(name.clone()) {
            tracing::warn!(
                connection = name,
                "this connection uses the OAuth username-password flow, which is legacy: Salesforce switches it off in \
                 new orgs, and External Client Apps do not have it; move to client credentials or JWT bearer"
            );
        }
    }

    fn check_caller(&self, name: &str, caller: Caller<'_>) -> Result<(), Error> {
        let (connection, _) = self.named.get(name).ok_or_else(|| self.unknown(name))?;
        let is_missing = |list: &[String], own: &str| !list.is_empty() && !list.iter().any(|one| one == own);
        let refused = if is_missing(&connection.tenants, caller.tenant) {
            ("tenant", caller.tenant, "tenants")
        } else if is_missing(&connection.processes, caller.process) {
            ("process", caller.process, "processes")
        } else {
            return Ok(());
        };
        let (what, found, key) = refused;
        let message = format!(
            "{INPUT_VARIABLE}.connection.name: the connection {name} may not be used by the {what} {:?}; \
             connections.{name}.{key} lists who may",
            input::shorten(found)
        );
        Err(Error::new(&codes::CONNECTION_NOT_ALLOWED, message))
    }

    fn unknown(&self, name: &str) -> Error {
        let path = format!("{INPUT_VARIABLE}.connection.name");
        let known: Vec<_> = self.names().collect();
        let mistake = if known.is_empty() {
            InvalidInput::new(
                path,
                "one of the configured connections (there are none)",
                format!("{:?}", input::shorten(name)),
            )
        } else {
            InvalidInput::unknown(path, "one of the configured connections", name, &known)
        };
        Error::new(&codes::UNKNOWN_CONNECTION, mistake.to_string())
    }

    async fn open(
        place: &Place,
        (connection, transport): (&NamedConnection, &Transport),
        secrets: &mut JobSecrets<'_>,
    ) -> Result<Opened, Error> {
        let credentials =
            connection.authentication.credentials((&place.root, place.written), secrets).await?;
        let base_url = secrets.text((&place.base_url(), place.written), &connection.base_url).await?;
        let client = transport.client(base_url.trim(), connection.api_version, credentials);
        let client = client.map_err(|error| Error::from(error).at(&place.root))?;
        Ok(Opened { client, request_timeout: connection.request_timeout })
    }
}
