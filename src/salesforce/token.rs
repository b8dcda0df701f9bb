//! Access tokens: how they are asked for.
//!
//! Salesforce's replies say nothing of a lifetime, so a token is kept until a call with it is refused. See
//! [`TokenCache`](crate::token_cache::TokenCache) for what a refused login costs.

use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::{redactor::Redactor, token_cache::Fetched};

use super::codes;
use super::error::{Error, ErrorClass};
use super::error_body;
use super::failure::Kind;
use super::grant::{Attempt, Flow, Grant, Secret};
use super::login::Login;
use super::oauth_error::{self, Refusal};
use super::transport::Transport;
use super::{CallClass, Response, clock, obstacle};

/// A token reply is about a kilobyte; JWT-based tokens take a few more.
const LARGEST_REPLY: usize = 64 * 1024;

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

    pub(super) fn secret(&self) -> &SecretString {
        &self.secret
    }
}

#[derive(Deserialize)]
struct Reply {
    access_token: Option<SecretText>,
    instance_url: Option<String>,
    refresh_token: Option<SecretText>,
}

/// A secret from the moment it is parsed.
struct SecretText(SecretString);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

/// What a token reply holds that is kept.
pub(super) struct Issued {
    pub(super) token: AccessToken,
    pub(super) refresh_token: Option<Secret>,
}

/// A refusal that may not be the last word: what Salesforce called it, and our error.
struct Refused {
    name: String,
    error: Error,
}

/// Asks the token endpoint: once, and once more for each secret of a rotation that is refused.
pub(super) async fn fetch(
    transport: &Transport,
    login: &Login,
    timeout: Duration,
) -> Result<Fetched<AccessToken>, Error> {
    let endpoint = &login.grant.endpoint;
    let mut result = ask(transport, login, timeout).await;
    login.judge(&mut result);
    match &result {
        Ok(_) => tracing::debug!(%endpoint, grant = login.grant.flow.grant_type(), "got an access token"),
        // Its words are not logged: they are the job's, and stand in its incident.
        Err(error) => tracing::warn!(%endpoint, code = error.code(), "got no access token"),
    }
    result.map(Fetched::until_invalidated)
}

async fn ask(transport: &Transport, login: &Login, timeout: Duration) -> Result<AccessToken, Error> {
    let mut attempt = login.first_attempt(clock::now().as_second())?;
    loop {
        let result = request(transport, &login.grant, &attempt, timeout).await;
        transport.metrics().token_requested("salesforce", result.is_ok());
        let refused = match result {
            Ok(Issued { token, refresh_token }) => {
                login.receive(token.secret.clone());
                if let Some(fresh) = &refresh_token {
                    login.receive(fresh.0.clone());
                }
                if let Some(fresh) = refresh_token.filter(|fresh| Some(fresh) != attempt.proof.as_ref()) {
                    login.keep(fresh).await;
                }
                return Ok(token);
            }
            Err(refused) => refused,
        };
        if refused.error.code() == codes::REFRESH_TOKEN_EXPIRED
            && let Some(token) = &attempt.proof
        {
            login.bury(token, &refused.error);
        }
        let Some(next) = login.next_attempt(&attempt, &refused.name) else { return Err(refused.error) };
        attempt = next;
    }
}

/// Asks the token endpoint once, outside of any login that is shared.
pub(super) async fn exchange(
    transport: &Transport,
    grant: &Grant,
    attempt: &Attempt,
    timeout: Duration,
) -> Result<Issued, Error> {
    request(transport, grant, attempt, timeout).await.map_err(|refused| refused.error)
}

async fn request(
    transport: &Transport,
    grant: &Grant,
    attempt: &Attempt,
    timeout: Duration,
) -> Result<Issued, Refused> {
    let call = format!("POST {}", grant.endpoint);
    let mut request = transport.http(&grant.endpoint).post(grant.endpoint.clone());
    if let Some((id, secret)) = grant.basic(attempt) {
        request = request.basic_auth(id, Some(secret));
    }
    let request = request.header(ACCEPT, "application/json").form(&grant.form(attempt)).build();
    let request = request.map_err(|error| unavailable(&call, &error.without_url().to_string()))?;
    let mut response =
        transport.exchange(request, timeout, LARGEST_REPLY).await.map_err(|failure| match failure.kind {
            Kind::TooLarge => useless(&call, &failure.detail),
            Kind::Forbidden => {
                let message = format!("{call}: no access token: {}", failure.detail);
                Error::new(codes::HOST_NOT_ALLOWED, ErrorClass::Permanent, message)
            }
            _ => unavailable(&call, &failure.detail),
        })?;
    if response.status == 407 {
        return Err(unavailable(&call, obstacle::PROXY_WANTS_CREDENTIALS).into());
    }
    let redactor = Redactor::new(&grant.secrets(attempt));
    if response.status == 200 {
        return Ok(read_token(&call, response.body, transport).map_err(|mut error| {
            error.message = redactor.text(&error.message).into_owned();
            error
        })?);
    }
    response.mask(&redactor);
    Err(refused(&call, &grant.flow, response))
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self { name: String::new(), error }
    }
}

fn read_token(call: &str, body: serde_json::Value, transport: &Transport) -> Result<Issued, Error> {
    // Text is not told: it may hold a token in another form.
    let described = match &body {
        serde_json::Value::String(text) if !error_body::looks_like_html(text) => "text".to_owned(),
        body => error_body::describe(body),
    };
    let reply = serde_json::from_value::<Reply>(body).ok();
    let Some(Reply { access_token: Some(SecretText(token)), instance_url, refresh_token }) = reply else {
        let found = if described.starts_with("JSON") { "JSON without it".to_owned() } else { described };
        return Err(useless(call, &format!("expected JSON with access_token, found {found}")));
    };
    let instance = match instance_url {
        Some(text) => {
            Some(transport.hosts().org_address("instance_url that the token endpoint gave", &text)?)
        }
        None => None,
    };
    let token = AccessToken::new(token, instance)
        .ok_or_else(|| useless(call, "the access_token is empty or holds characters that no token has"))?;
    let refresh_token =
        refresh_token.map(|SecretText(token)| Secret(token)).filter(|token| !token.is_blank());
    Ok(Issued { token, refresh_token })
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

fn refused(call: &str, flow: &Flow, response: Response) -> Refused {
    let status = response.status;
    let skew = clock::skew(&response);
    let mut error = Error::from_answer(call, CallClass::Read, response).error;
    let named = error.errors.first().map(|first| (first.error_code.clone(), first.message.clone()));
    let kind = match &named {
        _ if status == 429 => Refusal::Throttled,
        _ if status >= 500 => Refusal::Transient,
        Some((name, description)) => oauth_error::refusal(name, description),
        None if error.class == ErrorClass::Transient => Refusal::Transient,
        None => Refusal::Final,
    };
    let (name, description) = named.unwrap_or_default();
    match kind {
        Refusal::Final => {
            let told = oauth_error::explain(flow, (&name, &description), skew);
            told.code.clone_into(&mut error.code);
            error.class = ErrorClass::Authentication;
            error.message = format!("{}; most likely {}", error.message, told.text);
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
    Refused { name, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_shows_when_a_token_is_printed() {
        let token = AccessToken::new("t0ken".into(), None).unwrap();
        let printed = format!("{token:?} {:?}", token.header());
        assert!(!printed.contains("t0ken"), "{printed}");
    }

    #[test]
    fn a_token_with_a_line_break_is_none() {
        for text in ["", "a b", "a\r\nX-Evil: 1", "ä"] {
            assert!(AccessToken::new(text.into(), None).is_none(), "{text:?}");
        }
    }
}
