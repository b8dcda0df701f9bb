//! Access tokens: how they are asked for, and where they are kept.
//!
//! Salesforce's reply to a client credentials grant says nothing of a lifetime, so a token is kept until a call with
//! it is refused. See [`TokenCache`] for what a refused login costs.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::header::{ACCEPT, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::token_cache::{Fetched, TokenCache};

use super::codes;
use super::error::{Error, ErrorClass};
use super::error_body;
use super::failure::Kind;
use super::oauth_error::{Refusal, likely_cause, refusal};
use super::transport::Transport;
use super::{CallClass, Response};

/// A token reply is about a kilobyte; JWT-based tokens take a few more.
const LARGEST_REPLY: usize = 64 * 1024;

/// How many logins are remembered. Beyond it the one that was not used for longest is forgotten.
const REMEMBERED_LOGINS: usize = 256;

/// The cache of one login.
pub(super) type Tokens = TokenCache<AccessToken, Error>;

/// What the token endpoint is asked with.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) endpoint: Url,
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
}

impl PartialEq for Grant {
    fn eq(&self, other: &Self) -> bool {
        self.endpoint == other.endpoint
            && self.client_id == other.client_id
            && self.client_secret.expose_secret() == other.client_secret.expose_secret()
    }
}

/// A token, ready to be sent.
#[derive(Debug)]
pub(super) struct AccessToken {
    secret: SecretString,
    header: HeaderValue,
    /// Where the issuer says that the org is.
    pub(super) instance: Option<Url>,
}

impl AccessToken {
    /// `None` when the text cannot be a token: empty, or with spaces or control characters.
    pub(super) fn new(secret: SecretString, instance: Option<Url>) -> Option<Self> {
        let text = secret.expose_secret();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let mut header = HeaderValue::from_str(&format!("Bearer {text}")).ok()?;
        header.set_sensitive(true);
        Some(Self { secret, header, instance })
    }

    /// The value of the Authorization header, marked sensitive.
    pub(super) fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    pub(super) fn secret(&self) -> &str {
        self.secret.expose_secret()
    }
}

/// The caches of all logins, the one used last at the end.
#[derive(Debug, Default)]
pub(super) struct Logins {
    logins: Mutex<Vec<(Grant, Arc<Tokens>)>>,
}

impl Logins {
    /// The cache that everyone with this endpoint, client id and secret shares.
    pub(super) fn tokens(&self, grant: &Grant) -> Arc<Tokens> {
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        let known = logins.iter().position(|(known, _)| known == grant);
        let login = if let Some(index) = known {
            logins.remove(index)
        } else {
            if logins.len() >= REMEMBERED_LOGINS {
                logins.remove(0);
            }
            (grant.clone(), Arc::new(Tokens::new()))
        };
        let tokens = Arc::clone(&login.1);
        logins.push(login);
        tokens
    }
}

#[derive(Deserialize)]
struct Reply {
    access_token: Option<SecretText>,
    instance_url: Option<String>,
}

/// A secret from the moment it is parsed.
struct SecretText(SecretString);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

/// Asks the token endpoint, once.
pub(super) async fn fetch(
    transport: &Transport,
    grant: &Grant,
    timeout: Duration,
) -> Result<Fetched<AccessToken>, Error> {
    let result = request(transport, grant, timeout).await;
    transport.metrics().token_requested("salesforce", result.is_ok());
    match &result {
        Ok(_) => tracing::debug!(endpoint = %grant.endpoint, "got an access token"),
        Err(error) => tracing::warn!(code = error.code(), %error, "got no access token"),
    }
    result.map(Fetched::until_invalidated)
}

async fn request(transport: &Transport, grant: &Grant, timeout: Duration) -> Result<AccessToken, Error> {
    let call = format!("POST {}", grant.endpoint);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", grant.client_id.as_str()),
        ("client_secret", grant.client_secret.expose_secret()),
    ];
    let request = transport
        .http(&grant.endpoint)
        .post(grant.endpoint.clone())
        .header(ACCEPT, "application/json")
        .form(&form)
        .build()
        .map_err(|error| unavailable(&call, &error.without_url().to_string()))?;
    let mut response =
        transport.exchange(request, timeout, LARGEST_REPLY).await.map_err(|failure| match failure.kind {
            Kind::TooLarge => useless(&call, &failure.detail),
            _ => unavailable(&call, &failure.detail),
        })?;
    if response.status == 200 {
        return read_token(&call, response.body, transport);
    }
    let secret = grant.client_secret.expose_secret();
    response.mask(secret);
    response.mask(&url::form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>());
    Err(refused(&call, response))
}

fn read_token(call: &str, body: serde_json::Value, transport: &Transport) -> Result<AccessToken, Error> {
    // Text is not told: it may hold a token in another form.
    let described = match &body {
        serde_json::Value::String(text) if !error_body::looks_like_html(text) => "text".to_owned(),
        body => error_body::describe(body),
    };
    let reply = serde_json::from_value::<Reply>(body).ok();
    let Some(Reply { access_token: Some(SecretText(token)), instance_url }) = reply else {
        let found = if described.starts_with("JSON") { "JSON without it".to_owned() } else { described };
        return Err(useless(call, &format!("expected JSON with access_token, found {found}")));
    };
    let instance = match instance_url {
        Some(text) => {
            Some(transport.hosts().org_address("instance_url that the token endpoint gave", &text)?)
        }
        None => None,
    };
    AccessToken::new(token, instance)
        .ok_or_else(|| useless(call, "the access_token is empty or holds characters that no token has"))
}

/// The endpoint could not be asked, or could not answer for now.
fn unavailable(call: &str, detail: &str) -> Error {
    let message = format!("{call}: no access token for now: {detail}");
    Error::new(codes::TOKEN_ENDPOINT_UNAVAILABLE, ErrorClass::Transient, message)
}

/// What answers there is no token endpoint.
fn useless(call: &str, detail: &str) -> Error {
    let message = format!("{call}: no access token: {detail}; is this the token endpoint of an org?");
    Error::new(codes::AUTHENTICATION_FAILED, ErrorClass::Authentication, message)
}

fn refused(call: &str, response: Response) -> Error {
    let status = response.status;
    let mut error = Error::from_answer(call, CallClass::Read, response).error;
    let named = error.errors.first().map(|first| (first.error_code.clone(), first.message.clone()));
    let kind = match &named {
        _ if status == 429 => Refusal::Throttled,
        _ if status >= 500 => Refusal::Transient,
        Some((name, description)) => refusal(name, description),
        None if error.class == ErrorClass::Transient => Refusal::Transient,
        None => Refusal::Final,
    };
    match kind {
        Refusal::Final => {
            codes::AUTHENTICATION_FAILED.clone_into(&mut error.code);
            error.class = ErrorClass::Authentication;
            let cause = named.and_then(|(name, description)| likely_cause(&name, &description));
            let hint = cause.unwrap_or("check the token endpoint, the client id and the client secret");
            error.message = format!("{}; most likely {hint}", error.message);
        }
        Refusal::Transient | Refusal::Throttled => {
            codes::TOKEN_ENDPOINT_UNAVAILABLE.clone_into(&mut error.code);
            error.class = ErrorClass::Transient;
            if kind == Refusal::Throttled {
                error.class = ErrorClass::Throttled;
                error.retry_after = error.retry_after.or(Some(super::error::THROTTLED_PAUSE));
            }
        }
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(id: &str, secret: &str) -> Grant {
        let endpoint = Url::parse("https://acme.my.salesforce.com/services/oauth2/token").unwrap();
        Grant { endpoint, client_id: id.to_owned(), client_secret: secret.into() }
    }

    #[test]
    fn equal_credentials_share_a_cache_and_others_do_not() {
        let logins = Logins::default();
        let first = logins.tokens(&grant("a", "s"));
        assert!(Arc::ptr_eq(&first, &logins.tokens(&grant("a", "s"))));
        assert!(!Arc::ptr_eq(&first, &logins.tokens(&grant("a", "rotated"))));
        assert!(!Arc::ptr_eq(&first, &logins.tokens(&grant("b", "s"))));
    }

    #[test]
    fn the_login_that_was_not_used_for_longest_is_forgotten() {
        let logins = Logins::default();
        let (first, second) = (logins.tokens(&grant("0", "s")), logins.tokens(&grant("1", "s")));
        for number in 2..REMEMBERED_LOGINS {
            logins.tokens(&grant(&number.to_string(), "s"));
        }
        assert!(Arc::ptr_eq(&first, &logins.tokens(&grant("0", "s"))));
        logins.tokens(&grant("one more", "s"));
        assert!(Arc::ptr_eq(&first, &logins.tokens(&grant("0", "s"))));
        assert!(!Arc::ptr_eq(&second, &logins.tokens(&grant("1", "s"))));
        assert_eq!(logins.logins.lock().unwrap().len(), REMEMBERED_LOGINS);
    }

    #[test]
    fn no_secret_shows_when_a_token_or_a_grant_is_printed() {
        let token = AccessToken::new("t0ken".into(), None).unwrap();
        let logins = Logins::default();
        logins.tokens(&grant("a", "s3cret"));
        let printed = format!("{token:?} {:?} {:?} {logins:?}", token.header(), grant("a", "s3cret"));
        assert!(!printed.contains("t0ken") && !printed.contains("s3cret"), "{printed}");
    }

    #[test]
    fn a_token_with_a_line_break_is_none() {
        for text in ["", "a b", "a\r\nX-Evil: 1", "ä"] {
            assert!(AccessToken::new(text.into(), None).is_none(), "{text:?}");
        }
    }
}
