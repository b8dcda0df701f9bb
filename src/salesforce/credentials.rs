//! Ways in.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::codes;
use super::error::{Error, ErrorClass};
use super::hosts::AllowedHosts;
use super::token::{AccessToken, Grant};

/// How a client proves who it is.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A token that somebody else got; never refreshed.
    Bearer {
        /// The token.
        token: SecretString,
    },
    /// OAuth 2.0 client credentials (RFC 6749, section 4.4).
    ClientCredentials {
        /// Default: `<base URL>/services/oauth2/token`.
        token_endpoint: Option<String>,
        /// Consumer key.
        client_id: String,
        /// Consumer secret.
        client_secret: SecretString,
    },
}

/// Checked credentials.
pub(super) enum Checked {
    Bearer(Arc<AccessToken>),
    Grant(Grant),
}

impl Credentials {
    /// Checks what can be checked without a call: nothing is empty, the endpoint is on an allowed host.
    pub(super) fn check(self, base: &Url, hosts: &AllowedHosts) -> Result<Checked, Error> {
        match self {
            Self::Bearer { token } => {
                let token = AccessToken::new(token, None).ok_or_else(|| {
                    invalid("the bearer token is empty or holds characters that no token has, such as spaces")
                })?;
                Ok(Checked::Bearer(Arc::new(token)))
            }
            Self::ClientCredentials { token_endpoint, client_id, client_secret } => {
                if client_id.trim().is_empty() {
                    return Err(invalid("the client id is empty"));
                }
                if client_secret.expose_secret().trim().is_empty() {
                    return Err(invalid("the client secret is empty"));
                }
                let endpoint = match token_endpoint {
                    Some(text) => hosts.endpoint("token endpoint", &text)?,
                    None => base.join("/services/oauth2/token").expect("a path joins an address with a host"),
                };
                Ok(Checked::Grant(Grant { endpoint, client_id, client_secret }))
            }
        }
    }
}

fn invalid(message: &str) -> Error {
    Error::new(codes::INVALID_CREDENTIALS, ErrorClass::Permanent, message)
}
