//! Ways in.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::codes;
use super::error::{Error, ErrorClass};
use super::grant::{Flow, Grant, Secret};
use super::hosts::AllowedHosts;
use super::jwt;
use super::token::AccessToken;

/// Below the host that logs in.
const TOKEN_PATH: &str = "/services/oauth2/token";

/// The login hosts that all orgs share: of production, and of sandboxes.
const PRODUCTION: &str = "https://login.salesforce.com";
const SANDBOX: &str = "https://test.salesforce.com";

/// How a client proves who it is.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A token that somebody else got; never refreshed.
    Bearer {
        /// The token.
        token: SecretString,
    },
    /// OAuth 2.0 client credentials (RFC 6749, section 4.4): the app itself logs in, as its run-as user.
    ClientCredentials {
        /// Where to log in; the shared login hosts do not serve this flow.
        login: LoginAddress,
        /// The app; it needs a secret.
        client: OAuthClient,
    },
    /// OAuth 2.0 JWT bearer (RFC 7523), signed with RS256: a user who has approved the app, without a password.
    JwtBearer {
        /// Where to log in.
        login: LoginAddress,
        /// Consumer key of the app.
        client_id: String,
        /// The user's name, such as `integration@acme.com`.
        username: String,
        /// An RSA key of 2048 to 4096 bits as PEM text, in PKCS#1 or PKCS#8, not encrypted.
        private_key: SecretString,
        /// Whom the assertion is for; `None`: the shared login host that belongs to the place of the login.
        audience: Option<String>,
    },
    /// OAuth 2.0 refresh token (RFC 6749, section 6): a user who logged in once in a browser.
    RefreshToken {
        /// Where to log in.
        login: LoginAddress,
        /// The app; a secret only where the app asks for one.
        client: OAuthClient,
        /// The token to begin with.
        refresh_token: SecretString,
        /// Where a token is kept that replaces it, over restarts; `None`: in memory only.
        state_file: Option<PathBuf>,
    },
    /// OAuth 2.0 password grant (RFC 6749, section 4.3): legacy, off by default in orgs made since Summer '23.
    Password {
        /// Where to log in.
        login: LoginAddress,
        /// The app, a Connected App; it needs a secret.
        client: OAuthClient,
        /// The user's name.
        username: String,
        /// The user's password.
        password: SecretString,
        /// The user's security token; not needed from trusted addresses.
        security_token: Option<SecretString>,
    },
}

/// Where tokens are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LoginAddress {
    /// At the base URL, which is the org's own domain.
    #[default]
    BaseUrl,
    /// At `https://login.salesforce.com`.
    Production,
    /// At `https://test.salesforce.com`.
    Sandbox,
    /// At the token endpoint of this host, such as `https://acme.my.salesforce.com`.
    Host(String),
    /// At this token endpoint, with its path.
    Endpoint(String),
}

/// The app that Salesforce knows, an External Client App or a Connected App.
#[derive(Clone, Debug)]
pub struct OAuthClient {
    /// Consumer key.
    pub id: String,
    /// Consumer secret.
    pub secret: Option<SecretString>,
    /// The secret before the last rotation: tried once where the current one is refused.
    pub previous_secret: Option<SecretString>,
    /// How id and secret are sent.
    pub authentication: ClientAuthentication,
}

/// How the app's id and secret are sent (RFC 6749, section 2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// In the form.
    #[default]
    Body,
    /// In the header, with HTTP Basic.
    Basic,
}

/// Checked credentials.
pub(super) enum Checked {
    Bearer(Arc<AccessToken>),
    Grant(Box<Grant>),
}

impl OAuthClient {
    /// An app with one secret, sent in the form.
    pub fn new(id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        Self { secret: Some(secret.into()), ..Self::public(id) }
    }

    /// An app without a secret.
    pub fn public(id: impl Into<String>) -> Self {
        let (secret, previous_secret) = (None, None);
        Self { id: id.into(), secret, previous_secret, authentication: ClientAuthentication::default() }
    }

    fn check(self, needs_secret: bool) -> Result<super::grant::Client, Error> {
        let given = |secret: Option<SecretString>| secret.map(Secret).filter(|secret| !secret.is_blank());
        if self.secret.as_ref().is_some_and(|secret| secret.expose_secret().trim().is_empty()) {
            return Err(invalid("the client secret is empty"));
        }
        if needs_secret && self.secret.is_none() {
            return Err(invalid("the client secret is missing"));
        }
        Ok(super::grant::Client {
            id: filled("client id", self.id)?,
            secret: given(self.secret),
            previous_secret: given(self.previous_secret),
            authentication: self.authentication,
        })
    }
}

impl LoginAddress {
    fn endpoint(&self, base: &Url, hosts: &AllowedHosts) -> Result<Url, Error> {
        let host = match self {
            Self::BaseUrl => base.clone(),
            Self::Production => hosts.org_address("login host", PRODUCTION)?,
            Self::Sandbox => hosts.org_address("login host", SANDBOX)?,
            Self::Host(text) => hosts.org_address("login URL", text)?,
            Self::Endpoint(text) => return hosts.endpoint("token endpoint", text),
        };
        Ok(host.join(TOKEN_PATH).expect("a path joins an address with a host"))
    }
}

impl Credentials {
    /// Client credentials, asked for at the base URL.
    pub fn client_credentials(id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        Self::ClientCredentials { login: LoginAddress::default(), client: OAuthClient::new(id, secret) }
    }

    /// Where a refresh token is kept that replaces the configured one.
    pub fn state_file(&self) -> Option<&Path> {
        match self {
            Self::RefreshToken { state_file, .. } => state_file.as_deref(),
            _ => None,
        }
    }

    /// Where to log in, if it is said apart from the base URL and is a host.
    pub(super) fn login_host(&self) -> Option<&str> {
        let (Self::ClientCredentials { login, .. }
        | Self::JwtBearer { login, .. }
        | Self::RefreshToken { login, .. }
        | Self::Password { login, .. }) = self
        else {
            return None;
        };
        match login {
            LoginAddress::Production => Some(PRODUCTION),
            LoginAddress::Sandbox => Some(SANDBOX),
            LoginAddress::Host(host) => Some(host),
            LoginAddress::BaseUrl | LoginAddress::Endpoint(_) => None,
        }
    }

    /// Checks what can be checked without a call: nothing is empty, the endpoint is on an allowed host.
    pub(super) fn check(self, base: &Url, hosts: &AllowedHosts) -> Result<Checked, Error> {
        let (login, client, flow) = match self {
            Self::Bearer { token } => {
                let token = AccessToken::new(token, None).ok_or_else(|| {
                    invalid("the bearer token is empty or holds characters that no token has, such as spaces")
                })?;
                return Ok(Checked::Bearer(Arc::new(token)));
            }
            Self::ClientCredentials { login, client } => {
                (login, client.check(true)?, Flow::ClientCredentials)
            }
            Self::JwtBearer { login, client_id, username, private_key, audience } => {
                let audience = audience.filter(|audience| !audience.trim().is_empty());
                let audience = match audience {
                    Some(audience) => audience.trim().to_owned(),
                    None => jwt::audience_of(&login.endpoint(base, hosts)?),
                };
                let (username, private_key) = (filled("username", username)?, Secret(private_key));
                (
                    login,
                    OAuthClient::public(client_id).check(false)?,
                    Flow::JwtBearer { username, private_key, audience },
                )
            }
            Self::RefreshToken { login, client, refresh_token, state_file } => {
                // A state file may hold one that was got by a login.
                let token = match &state_file {
                    Some(_) => Secret(refresh_token),
                    None => secret("refresh token", refresh_token)?,
                };
                (login, client.check(false)?, Flow::RefreshToken { token, state_file })
            }
            Self::Password { login, client, username, password, security_token } => {
                let username = filled("username", username)?;
                let password = secret("password", password)?;
                let security_token = security_token.map(Secret).filter(|token| !token.is_blank());
                (login, client.check(true)?, Flow::Password { username, password, security_token })
            }
        };
        let endpoint = login.endpoint(base, hosts)?;
        if flow == Flow::ClientCredentials {
            refuse_shared_host(&endpoint)?;
        }
        Ok(Checked::Grant(Box::new(Grant { endpoint, client, flow })))
    }
}

impl Credentials {
    /// The token endpoint and the app of a refresh-token login, whatever its token is.
    pub(super) fn app(self, base: &Url, hosts: &AllowedHosts) -> Result<(Url, super::grant::Client), Error> {
        match self {
            Self::RefreshToken { login, client, .. } => {
                Ok((login.endpoint(base, hosts)?, client.check(false)?))
            }
            _ => Err(invalid("only a connection with a refresh token has a login in the browser")),
        }
    }
}

/// The shared hosts would answer "request not supported on this domain", after they were given the secret.
fn refuse_shared_host(endpoint: &Url) -> Result<(), Error> {
    let host = endpoint.host_str().unwrap_or_default();
    if !matches!(host, "login.salesforce.com" | "test.salesforce.com") {
        return Ok(());
    }
    let message = format!(
        "the client credentials flow does not work on {host}: use the org's own domain, such as \
         https://acme.my.salesforce.com, as the base URL or the login URL; Setup > My Domain shows it"
    );
    Err(Error::new(codes::INVALID_ADDRESS, ErrorClass::Permanent, message))
}

fn filled(what: &str, text: String) -> Result<String, Error> {
    if text.trim().is_empty() { Err(invalid(&format!("the {what} is empty"))) } else { Ok(text) }
}

fn secret(what: &str, text: SecretString) -> Result<Secret, Error> {
    let text = Secret(text);
    if text.is_blank() { Err(invalid(&format!("the {what} is empty"))) } else { Ok(text) }
}

pub(super) fn invalid(message: &str) -> Error {
    Error::new(codes::INVALID_CREDENTIALS, ErrorClass::Permanent, message)
}
