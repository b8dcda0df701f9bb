//! The four calls of Vault's HTTP API that are needed, and what its refusals mean.

use std::{fmt, fs, path::Path, time::Duration};

use reqwest::{Certificate, Client, Method, StatusCode, redirect::Policy};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use super::VaultOptions;
use crate::{redactor::Redactor, tls::use_ring};

/// For one call.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The largest answer that is read; Vault's own bound for a secret is 1 MiB.
const LARGEST_ANSWER: usize = 2 * 1024 * 1024;

/// What is told of Vault's own words.
const EXCERPT: usize = 200;

/// Why Vault gave nothing.
#[derive(Clone, Debug)]
pub(super) struct VaultError {
    pub(super) kind: Kind,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The token, the role or the request is refused.
    Denied,
    /// There is no such secret, or its newest version is deleted.
    Missing,
    /// It could not be asked, or could not answer.
    Down,
}

impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl VaultError {
    pub(super) fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}

/// A token as Vault grants it.
#[derive(Deserialize)]
pub(super) struct Granted {
    pub(super) client_token: SecretText,
    /// In seconds; 0: for ever.
    #[serde(default)]
    pub(super) lease_duration: u64,
}

/// A secret from the moment it is parsed.
pub(super) struct SecretText(pub(super) SecretString);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

#[derive(Deserialize)]
struct LoginAnswer {
    auth: Granted,
}

#[derive(Deserialize)]
struct ReadAnswer {
    data: Version,
}

#[derive(Deserialize)]
struct Version {
    /// `None` where this version is deleted.
    data: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    errors: Vec<String>,
}

/// One Vault.
pub(super) struct Api {
    http: Client,
    address: Url,
    namespace: Option<String>,
}

impl Api {
    /// Calls nothing yet; an error names the mistake in the options.
    pub(super) fn new(options: &VaultOptions) -> Result<Self, String> {
        let address = address(&options.address, options.allow_http)?;
        use_ring();
        // A redirect would carry the token to a host that nobody named.
        let mut builder = Client::builder().timeout(TIMEOUT).redirect(Policy::none());
        if let Some(path) = &options.ca_certificate {
            builder = builder.tls_certs_merge(authorities(path)?);
        }
        if is_loopback(&address) {
            builder = builder.no_proxy();
        }
        if address.scheme() == "http" {
            // A machine without certificate authorities can still speak plaintext.
            builder = builder.tls_certs_only([]);
        }
        let http =
            builder.build().map_err(|error| format!("secrets.vault: no HTTP client: {}", chain(error)))?;
        Ok(Self { http, address, namespace: options.namespace.clone() })
    }

    /// Logs in with the token of a Kubernetes service account.
    pub(super) async fn log_in(
        &self,
        mount: &str,
        role: &str,
        jwt: &SecretString,
    ) -> Result<Granted, VaultError> {
        let path = format!("auth/{mount}/login");
        let body = json!({"role": role, "jwt": jwt.expose_secret()});
        let answer: LoginAnswer = self.call(Method::POST, &path, Some(body), jwt).await?;
        Ok(answer.auth)
    }

    /// Renews a token; refused where it cannot be renewed.
    pub(super) async fn renew(&self, token: &SecretString) -> Result<Granted, VaultError> {
        let answer: LoginAnswer =
            self.call(Method::POST, "auth/token/renew-self", Some(json!({})), token).await?;
        Ok(answer.auth)
    }

    /// The newest version of a secret.
    pub(super) async fn read(
        &self,
        (mount, path): (&str, &str),
        token: &SecretString,
    ) -> Result<Map<String, Value>, VaultError> {
        let path = format!("{mount}/data/{path}");
        let answer: ReadAnswer = self.call(Method::GET, &path, None, token).await?;
        let deleted = || VaultError::new(Kind::Missing, "its newest version is deleted");
        answer.data.data.ok_or_else(deleted)
    }

    /// `secret` is the token, or what a token is asked with: neither is told, whatever the answer says.
    async fn call<T: for<'de> Deserialize<'de>>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        secret: &SecretString,
    ) -> Result<T, VaultError> {
        let mut url = self.address.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(path.split('/').filter(|part| !part.is_empty()));
        }
        let mut request = self.http.request(method, url).header("X-Vault-Request", "true");
        if let Some(namespace) = &self.namespace {
            request = request.header("X-Vault-Namespace", namespace);
        }
        request = match body {
            // A login: the secret is in the body.
            Some(body) if body.get("jwt").is_some() => request.json(&body),
            Some(body) => request.header("X-Vault-Token", header(secret)?).json(&body),
            None => request.header("X-Vault-Token", header(secret)?),
        };
        let down = |error| VaultError::new(Kind::Down, chain(error));
        let mut response = request.send().await.map_err(down)?;
        let status = response.status();
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(down)? {
            answer.extend_from_slice(&chunk);
            if answer.len() > LARGEST_ANSWER {
                return Err(VaultError::new(
                    Kind::Down,
                    format!("it answered more than {LARGEST_ANSWER} bytes"),
                ));
            }
        }
        if status == StatusCode::OK {
            // serde's own words could repeat the secret.
            let foreign = || "it answered 200, but not as Vault does; is this the address of a Vault?";
            return serde_json::from_slice(&answer).map_err(|_| VaultError::new(Kind::Down, foreign()));
        }
        Err(refused(status, &answer, secret))
    }
}

fn header(token: &SecretString) -> Result<reqwest::header::HeaderValue, VaultError> {
    let mut value = reqwest::header::HeaderValue::from_str(token.expose_secret())
        .map_err(|_| VaultError::new(Kind::Denied, "its token holds characters that no token has"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn refused(status: StatusCode, answer: &[u8], secret: &SecretString) -> VaultError {
    let kind = match status.as_u16() {
        404 => Kind::Missing,
        // 412: a replica has not caught up; 429: asked too often, or a standby.
        412 | 429 => Kind::Down,
        400..=499 => Kind::Denied,
        _ => Kind::Down,
    };
    let words = serde_json::from_slice::<Refusal>(answer).map(|refusal| refusal.errors.join("; "));
    let words = words.unwrap_or_default().replace(['\r', '\n', '\t'], " ");
    let words = Redactor::new([secret]).text(&words).chars().take(EXCERPT).collect::<String>();
    let hint = match status.as_u16() {
        300..=399 => "redirects are not followed; name the active node or a load balancer",
        503 if words.is_empty() => "it is sealed or in maintenance",
        _ => "",
    };
    let parts = [words.trim(), hint];
    let told: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let colon = if told.is_empty() { "" } else { ": " };
    VaultError::new(kind, format!("it answered {}{colon}{}", status.as_u16(), told.join("; ")))
}

fn address(text: &str, allow_http: bool) -> Result<Url, String> {
    let mistake = |found: &str| {
        format!(
            "secrets.vault.address: expected an address such as https://vault.acme.com:8200, found {found}"
        )
    };
    let url = Url::parse(text.trim()).map_err(|error| mistake(&format!("{text:?} ({error})")))?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(mistake("one with a user, a password or a query"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if allow_http || is_loopback(&url) => Ok(url),
        "http" => {
            Err(mistake("http://, over which secrets travel in the clear (hosts.allow_http permits it)"))
        }
        scheme => Err(mistake(&format!("the scheme {scheme}"))),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, String> {
    let unusable = |reason: &str| {
        format!(
            "secrets.vault.ca_certificate: expected certificates in PEM form in {}: {reason}",
            path.display()
        )
    };
    let pem = fs::read(path).map_err(|error| unusable(&error.to_string()))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|_| unusable("it holds something else"))?;
    if found.is_empty() { Err(unusable("it holds none")) } else { Ok(found) }
}

/// An error with its causes, without the address.
fn chain(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("it did not answer within {} s", TIMEOUT.as_secs());
    }
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
