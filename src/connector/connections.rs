//! Which org a job speaks to: connections of the configuration by name, or one written in the task.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use secrecy::SecretString;
use tokio::time::Instant;

use super::{
    ConnectorOptions, INPUT_VARIABLE, codes,
    error::Error,
    input::{self, InvalidInput},
    request::Connection,
    secrets::{JobSecrets, Secrets, SecretsOptions},
};
use crate::{
    metrics::Metrics,
    salesforce::{ApiVersion, Credentials, SalesforceClient, TimeLimit, Transport},
};

/// A connection of the configuration, `connections.NAME`; every text of it may have `{{secrets.NAME}}`.
#[derive(Clone, Debug)]
pub struct NamedConnection {
    /// Where the org is, such as `https://acme.my.salesforce.com`.
    pub base_url: String,
    /// The API version of tasks that name none.
    pub api_version: ApiVersion,
    /// How to log in.
    pub authentication: ConnectionAuthentication,
}

/// How to log in to an org; every text may have `{{secrets.NAME}}`.
#[derive(Clone, Debug)]
pub enum ConnectionAuthentication {
    /// A token that somebody else got; never refreshed.
    Bearer {
        /// The token.
        token: SecretString,
    },
    /// OAuth 2.0 client credentials.
    ClientCredentials {
        /// The consumer key of the app in Salesforce.
        client_id: String,
        /// Its consumer secret.
        client_secret: SecretString,
        /// `None`: `<base URL>/services/oauth2/token`.
        token_endpoint: Option<String>,
    },
}

/// All connections; tokens and pooled connections are shared below them.
pub struct Connections {
    transport: Transport,
    named: BTreeMap<String, NamedConnection>,
    secrets: Secrets,
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections")
            .field("named", &self.named)
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}

/// Where a connection is written, and what its parts are called there, for messages.
struct Place {
    root: String,
    base_url: &'static str,
    token: &'static str,
    client_id: &'static str,
    client_secret: &'static str,
    token_endpoint: &'static str,
}

impl Place {
    fn in_configuration(name: &str) -> Self {
        Self {
            root: format!("connections.{name}"),
            base_url: "base_url",
            token: "authentication.token",
            client_id: "authentication.client_id",
            client_secret: "authentication.client_secret",
            token_endpoint: "authentication.token_endpoint",
        }
    }

    fn in_task() -> Self {
        Self {
            root: format!("{INPUT_VARIABLE}.connection"),
            base_url: "baseUrl",
            token: "authentication.token",
            client_id: "authentication.clientId",
            client_secret: "authentication.clientSecret",
            token_endpoint: "authentication.oauthTokenEndpoint",
        }
    }

    fn of(&self, part: &str) -> String {
        format!("{}.{part}", self.root)
    }
}

impl Connections {
    /// Opens nothing yet; an error is a mistake in the options of the transport.
    pub fn new(options: &ConnectorOptions, metrics: Arc<Metrics>) -> Result<Self, Error> {
        let ConnectorOptions { transport, connections, secrets, .. } = options.clone();
        Ok(Self::from_parts(Transport::new(transport, metrics)?, connections, secrets))
    }

    pub(super) fn from_parts(
        transport: Transport,
        named: BTreeMap<String, NamedConnection>,
        secrets: SecretsOptions,
    ) -> Self {
        Self { transport, named, secrets: Secrets::new(secrets) }
    }

    /// The names of the configured connections, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }

    /// Logs in to a configured connection within this time; gives the address that calls go to.
    pub async fn log_in(&self, name: &str, patience: Duration) -> Result<String, Error> {
        let mut secrets = self.secrets.for_job();
        let limit = TimeLimit { request_timeout: patience, deadline: Instant::now() + patience };
        let address = match self.named_client(name, None, &mut secrets) {
            Ok(client) => client.log_in(limit).await.map_err(Error::from),
            Err(error) => Err(error),
        };
        address.map_err(|error| {
            let redactor = secrets.redactor();
            error.map_message(|message| redactor.text(&message).into_owned())
        })
    }

    pub(super) fn secrets(&self) -> JobSecrets<'_> {
        self.secrets.for_job()
    }

    /// A client for a job's connection. Secrets are looked up here, and nowhere else; no request is sent.
    pub(super) fn client(
        &self,
        connection: &Connection,
        api_version: Option<ApiVersion>,
        secrets: &mut JobSecrets<'_>,
    ) -> Result<SalesforceClient, Error> {
        match connection {
            Connection::Named(name) => {
                let name = secrets.text(&Place::in_task().of("name"), &name.0)?;
                self.named_client(name.trim(), api_version, secrets)
            }
            Connection::Inline { base_url, authentication } => {
                let connection = NamedConnection {
                    base_url: base_url.0.clone(),
                    api_version: api_version.unwrap_or(ApiVersion::DEFAULT),
                    authentication: authentication.clone(),
                };
                self.open(&Place::in_task(), &connection, secrets)
            }
        }
    }

    fn named_client(
        &self,
        name: &str,
        api_version: Option<ApiVersion>,
        secrets: &mut JobSecrets<'_>,
    ) -> Result<SalesforceClient, Error> {
        let mut connection = self.named.get(name).ok_or_else(|| self.unknown(name))?.clone();
        connection.api_version = api_version.unwrap_or(connection.api_version);
        self.open(&Place::in_configuration(name), &connection, secrets)
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

    fn open(
        &self,
        place: &Place,
        connection: &NamedConnection,
        secrets: &mut JobSecrets<'_>,
    ) -> Result<SalesforceClient, Error> {
        let credentials = credentials(place, &connection.authentication, secrets)?;
        let base_url = secrets.text(&place.of(place.base_url), &connection.base_url)?;
        let client = self.transport.client(base_url.trim(), connection.api_version, credentials);
        client.map_err(|error| Error::from(error).at(&place.root))
    }
}

fn credentials(
    place: &Place,
    authentication: &ConnectionAuthentication,
    secrets: &mut JobSecrets<'_>,
) -> Result<Credentials, Error> {
    match authentication {
        ConnectionAuthentication::Bearer { token } => {
            Ok(Credentials::Bearer { token: secrets.credential(&place.of(place.token), token)? })
        }
        ConnectionAuthentication::ClientCredentials { client_id, client_secret, token_endpoint } => {
            let endpoint = token_endpoint.as_deref().filter(|text| !text.trim().is_empty());
            let endpoint = endpoint.map(|text| secrets.text(&place.of(place.token_endpoint), text));
            Ok(Credentials::ClientCredentials {
                client_id: secrets.text(&place.of(place.client_id), client_id)?,
                client_secret: secrets.credential(&place.of(place.client_secret), client_secret)?,
                token_endpoint: endpoint.transpose()?,
            })
        }
    }
}
