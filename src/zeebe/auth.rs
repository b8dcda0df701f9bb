//! Who we say we are: the `authorization` of every call.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use tonic::metadata::{Ascii, MetadataValue};

use super::{
    GatewayAuthentication, GatewayError, GatewayOptions,
    error::Cause,
    oauth::{ClientCredentials, OauthClient},
};
use crate::{metrics::Metrics, token_cache::TokenCache};

type Header = MetadataValue<Ascii>;

/// Gives each call its `authorization`, and learns which ones were not accepted.
pub(super) enum Authenticator {
    None,
    Fixed(Header),
    OAuth { client: Box<OauthClient>, tokens: TokenCache<Header, String> },
}

/// What one call carried; needed to tell which token failed.
#[derive(Clone)]
pub(super) struct Authorization(Option<Arc<Header>>);

impl Authenticator {
    pub(super) fn new(options: &GatewayOptions, metrics: Arc<Metrics>) -> Result<Self, GatewayError> {
        match &options.authentication {
            GatewayAuthentication::None => Ok(Self::None),
            GatewayAuthentication::Basic { username, password } => {
                Ok(Self::Fixed(basic(username, password)?))
            }
            GatewayAuthentication::OAuth { token_url, client_id, client_secret, audience, scope } => {
                let credentials = ClientCredentials {
                    token_url: token_url.clone(),
                    client_id: client_id.clone(),
                    client_secret: client_secret.clone(),
                    audience: audience.clone(),
                    scope: scope.clone(),
                };
                let client = OauthClient::new(credentials, options.ca_certificate.as_deref(), metrics)?;
                Ok(Self::OAuth { client: Box::new(client), tokens: TokenCache::new() })
            }
        }
    }

    /// The authorization for the next call; with OAuth this may wait for the token endpoint.
    pub(super) async fn authorization(&self) -> Result<Authorization, GatewayError> {
        let header = match self {
            Self::None => None,
            Self::Fixed(header) => Some(Arc::new(header.clone())),
            Self::OAuth { client, tokens } => {
                let fetched = AtomicBool::new(false);
                let fetch = || {
                    fetched.store(true, Ordering::Relaxed);
                    client.fetch()
                };
                let token = tokens.get_or_fetch(fetch).await;
                if token.is_ok() && !fetched.load(Ordering::Relaxed) {
                    client.reused();
                }
                Some(token.map_err(|message| GatewayError(Cause::Credentials(message)))?)
            }
        };
        Ok(Authorization(header))
    }

    /// The gateway did not accept `used`. Answers whether another try with a new one makes sense.
    pub(super) fn invalidate(&self, used: &Authorization) -> bool {
        match (self, &used.0) {
            (Self::OAuth { client, tokens }, Some(used)) => {
                if tokens.invalidate(used) {
                    client.refreshed();
                }
                true
            }
            _ => false,
        }
    }

    /// The gateway did not accept `used` although it is new: no more token requests for a while.
    pub(super) fn reject(&self, used: &Authorization, reason: String) {
        if let (Self::OAuth { tokens, .. }, Some(used)) = (self, &used.0) {
            tokens.reject(used, reason);
        }
    }
}

impl Authorization {
    pub(super) fn header(&self) -> Option<Header> {
        self.0.as_deref().cloned()
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Fixed(_) => "Fixed",
            Self::OAuth { .. } => "OAuth",
        })
    }
}

fn basic(username: &str, password: &SecretString) -> Result<Header, GatewayError> {
    if username.contains(':') {
        return Err(GatewayError::options("the user name of HTTP Basic must not contain a colon"));
    }
    let pair = SecretString::from(format!("{username}:{}", password.expose_secret()));
    Ok(sensitive(&format!("Basic {}", STANDARD.encode(pair.expose_secret())))
        .expect("Base64 has only characters that a header may hold"))
}

/// A header value that prints as "Sensitive".
pub(super) fn sensitive(text: &str) -> Option<Header> {
    let mut header: Header = text.parse().ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(authentication: GatewayAuthentication) -> GatewayOptions {
        GatewayOptions {
            address: "http://localhost:26500".into(),
            ca_certificate: None,
            override_authority: None,
            rest_address: None,
            authentication,
        }
    }

    #[tokio::test]
    async fn basic_is_the_user_and_the_password_in_base64() {
        let way = GatewayAuthentication::Basic { username: "demo".into(), password: "geheim".into() };
        let auth = Authenticator::new(&options(way), Arc::default()).unwrap();
        let header = auth.authorization().await.unwrap().header().unwrap();
        assert_eq!(header.to_str().unwrap(), "Basic ZGVtbzpnZWhlaW0=");
        assert_eq!(format!("{header:?} {auth:?}"), "Sensitive Fixed");
    }

    #[test]
    fn a_colon_in_the_user_name_is_refused() {
        let way = GatewayAuthentication::Basic { username: "de:mo".into(), password: "geheim".into() };
        let error = Authenticator::new(&options(way), Arc::default()).unwrap_err().to_string();
        assert!(error.contains("colon") && !error.contains("geheim"), "{error}");
    }

    #[tokio::test]
    async fn without_authentication_nothing_is_sent() {
        let auth = Authenticator::new(&options(GatewayAuthentication::None), Arc::default()).unwrap();
        let used = auth.authorization().await.unwrap();
        assert!(used.header().is_none());
        assert!(!auth.invalidate(&used));
    }

    #[test]
    fn options_show_no_secret() {
        let secret: SecretString = "geheim".into();
        let oauth = GatewayAuthentication::OAuth {
            token_url: "https://login.example.com/oauth/token".into(),
            client_id: "worker".into(),
            client_secret: secret.clone(),
            audience: "zeebe".into(),
            scope: None,
        };
        let basic = GatewayAuthentication::Basic { username: "demo".into(), password: secret };
        for way in [oauth, basic] {
            let options = options(way);
            let auth = Authenticator::new(&options, Arc::default()).unwrap();
            let shown = format!("{options:?} {auth:?}");
            assert!(!shown.contains("geheim"), "{shown}");
        }
    }
}
