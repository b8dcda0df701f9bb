//! Access tokens for the gateway by the OAuth 2.0 client credentials grant (RFC 6749, 4.4).

use std::{fs, path::Path, sync::Arc, time::Duration};

use reqwest::{Client, StatusCode, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tokio::time::Instant;
use tonic::metadata::{Ascii, MetadataValue};
use url::Url;

use super::{GatewayError, auth::sensitive, error::chain};
use crate::{metrics::Metrics, redactor::Redactor, tls::use_ring, token_cache::Fetched};

const TIMEOUT: Duration = Duration::from_secs(5);
/// A token is replaced this long before its end, or in the last fifth of a short life.
const EARLY: Duration = Duration::from_mins(1);
/// What is shown of an answer that cannot be read.
const EXCERPT: usize = 200;

pub(super) struct ClientCredentials {
    pub(super) token_url: String,
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
    pub(super) audience: String,
    pub(super) scope: Option<String>,
}

/// Asks one token endpoint for one client's tokens.
pub(super) struct OauthClient {
    http: Client,
    url: Url,
    credentials: ClientCredentials,
    metrics: Arc<Metrics>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(deserialize_with = "secret")]
    access_token: SecretString,
    /// Seconds; some servers send the number as a text.
    #[serde(default)]
    expires_in: Value,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
    error_description: Option<String>,
}

impl OauthClient {
    /// `ca` is trusted beside the machine's roots, as for the gateway itself.
    pub(super) fn new(
        credentials: ClientCredentials,
        ca: Option<&Path>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, GatewayError> {
        let url = token_url(&credentials.token_url)?;
        use_ring();
        let mut builder = Client::builder()
            .connect_timeout(TIMEOUT)
            .read_timeout(TIMEOUT)
            .timeout(TIMEOUT * 2)
            // A redirect would carry the secret to a host that nobody named.
            .redirect(Policy::none());
        if let Some(path) = ca {
            builder = builder.tls_certs_merge(certificates(path)?);
        }
        let http = builder.build().map_err(|error| {
            GatewayError::options(format!("no HTTP client for the token endpoint: {}", chain(&error)))
        })?;
        Ok(Self { http, url, credentials, metrics })
    }

    /// One token, as the header that carries it.
    pub(super) async fn fetch(&self) -> Result<Fetched<MetadataValue<Ascii>>, String> {
        let asked = Instant::now();
        let result = self.request().await;
        self.metrics.token_requested("zeebe", result.is_ok());
        let answer = result.inspect_err(|error| tracing::warn!(%error, "no access token for the gateway"))?;
        let header = sensitive(&format!("Bearer {}", answer.access_token.expose_secret()))
            .ok_or_else(|| format!("{} issued a token with characters that no header may hold", self.url))?;
        Ok(match lifetime(&answer.expires_in) {
            Some(life) => Fetched::expiring(header, asked + refresh_after(life), asked + life),
            None => Fetched::until_invalidated(header),
        })
    }

    /// A call found its token in the cache.
    pub(super) fn reused(&self) {
        self.metrics.token_reused("zeebe");
    }

    /// A token was given up, since the gateway did not accept it.
    pub(super) fn refreshed(&self) {
        self.metrics.token_refreshed("zeebe");
    }

    async fn request(&self) -> Result<TokenAnswer, String> {
        let ClientCredentials { client_id, client_secret, audience, scope, .. } = &self.credentials;
        let mut form = vec![
            ("client_id", client_id.as_str()),
            ("client_secret", client_secret.expose_secret()),
            ("audience", audience.as_str()),
            ("grant_type", "client_credentials"),
        ];
        form.extend(scope.as_deref().map(|scope| ("scope", scope)));
        let unreachable = |error: reqwest::Error| format!("{}: {}", self.url, chain(&error.without_url()));
        let response = self.http.post(self.url.clone()).form(&form).send().await.map_err(unreachable)?;
        let status = response.status();
        let body = response.bytes().await.map_err(unreachable)?;
        if status != StatusCode::OK {
            // A server may repeat what it was sent.
            let words = refusal(&body);
            let words = Redactor::new([client_secret]).text(&words).into_owned();
            return Err(format!("{} answered {status}{}", self.url, excerpt(&words)));
        }
        serde_json::from_slice(&body).map_err(|error| {
            format!(
                "{} answered {status}, but not with a JSON object that has an access_token ({error})",
                self.url
            )
        })
    }
}

fn token_url(text: &str) -> Result<Url, GatewayError> {
    let invalid = |reason: String| {
        GatewayError::options(format!(
            "the token endpoint must look like https://host/path, but {reason} (found {text:?})"
        ))
    };
    let url = Url::parse(text).map_err(|error| invalid(error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(GatewayError::options("the token endpoint's address must not hold a user or a password"));
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid(format!("its scheme is {}", url.scheme())));
    }
    Ok(url)
}

pub(super) fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, GatewayError> {
    let unusable = |reason: String| {
        GatewayError::options(format!(
            "the CA certificate file {} must hold certificates in PEM form: {reason}",
            path.display()
        ))
    };
    let pem = fs::read(path).map_err(|error| unusable(error.to_string()))?;
    reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| unusable(chain(&error)))
}

/// What the server said of its refusal, in the form of RFC 6749, 5.2, else its words as they are.
fn refusal(body: &[u8]) -> String {
    match serde_json::from_slice::<Refusal>(body) {
        Ok(Refusal { error, error_description: Some(text) }) => format!(": {error}: {text}"),
        Ok(Refusal { error, error_description: None }) => format!(": {error}"),
        Err(_) if body.is_empty() => String::new(),
        Err(_) => format!(": {}", String::from_utf8_lossy(body)),
    }
}

/// The first characters; after the masking, which would not know half a secret.
pub(super) fn excerpt(words: &str) -> String {
    words.chars().take(EXCERPT).collect()
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

fn lifetime(expires_in: &Value) -> Option<Duration> {
    let seconds = match expires_in {
        Value::Number(seconds) => seconds.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    // A year bounds what a server may claim; instants must not overflow.
    let year = Duration::from_hours(24 * 365);
    Duration::try_from_secs_f64(seconds).ok().filter(|life| !life.is_zero()).map(|life| life.min(year))
}

fn refresh_after(life: Duration) -> Duration {
    (life * 4 / 5).max(life.saturating_sub(EARLY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_replaced_a_minute_before_its_end_or_in_its_last_fifth() {
        let after = |seconds| refresh_after(Duration::from_secs(seconds)).as_secs();
        assert_eq!(after(86_400), 86_340);
        assert_eq!(after(300), 240);
        assert_eq!(after(60), 48);
        assert_eq!(after(5), 4);
    }

    #[test]
    fn a_lifetime_may_be_a_number_or_a_text() {
        let read = |json: &str| {
            let answer: TokenAnswer = serde_json::from_str(json).unwrap();
            lifetime(&answer.expires_in).map(|life| life.as_secs())
        };
        assert_eq!(read(r#"{"access_token":"t","expires_in":300}"#), Some(300));
        assert_eq!(read(r#"{"access_token":"t","expires_in":"300"}"#), Some(300));
        assert_eq!(read(r#"{"access_token":"t","expires_in":1e300}"#), None);
        assert_eq!(read(r#"{"access_token":"t","expires_in":99999999999}"#), Some(31_536_000));
        for json in [
            r#"{"access_token":"t"}"#,
            r#"{"access_token":"t","expires_in":null}"#,
            r#"{"access_token":"t","expires_in":-1}"#,
            r#"{"access_token":"t","expires_in":0}"#,
            r#"{"access_token":"t","expires_in":"soon"}"#,
        ] {
            assert_eq!(read(json), None, "{json}");
        }
    }

    #[test]
    fn a_refusal_is_quoted_briefly() {
        assert_eq!(
            refusal(br#"{"error":"invalid_client","error_description":"unknown client"}"#),
            ": invalid_client: unknown client"
        );
        assert_eq!(refusal(br#"{"error":"invalid_client"}"#), ": invalid_client");
        assert_eq!(refusal(b""), "");
        assert_eq!(excerpt(&refusal(&[b'x'; 5000])).len(), EXCERPT);
    }

    #[test]
    fn an_impossible_token_endpoint_is_refused() {
        for text in ["login", "ftp://login/token", ""] {
            let error = token_url(text).unwrap_err().to_string();
            assert!(error.contains("https://host/path") && error.contains(text), "{error}");
        }
        let error = token_url("https://demo:geheim@login/token").unwrap_err().to_string();
        assert!(!error.contains("geheim"), "{error}");
    }
}
