//! The token endpoint and what belongs to it.
//!
//! Source: Salesforce Help, "OAuth 2.0 Client Credentials Flow". A success carries no `expires_in`: the session
//! lives until it ends.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::error::json_response;

/// The tokens that are good at the moment.
#[derive(Default)]
pub(crate) struct Tokens {
    valid: Mutex<HashSet<String>>,
}

impl Tokens {
    /// A new token in the form of an opaque session id: `<org id>!<random>`.
    pub(crate) fn issue(&self, organization: &str) -> String {
        let random: String = (0..96).map(|_| fastrand::alphanumeric()).collect();
        let token = format!("{}!{random}", &organization[..15]);
        self.lock().insert(token.clone());
        token
    }

    /// Whether a request with these headers carries a good token.
    pub(crate) fn authorize(&self, headers: &HeaderMap) -> bool {
        let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
            return false;
        };
        let Some((scheme, token)) = value.split_once(' ') else { return false };
        (scheme.eq_ignore_ascii_case("Bearer") || scheme.eq_ignore_ascii_case("OAuth"))
            && self.lock().contains(token.trim())
    }

    /// Ends every session.
    pub(crate) fn revoke_all(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.valid.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The client (Salesforce: external client app) that may ask for tokens.
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// Whose token it is, and where.
pub(crate) struct Identity<'a> {
    pub(crate) base_url: &'a str,
    pub(crate) organization: &'a str,
    pub(crate) user: &'a str,
}

impl Identity<'_> {
    fn url(&self) -> String {
        format!("{}/id/{}/{}", self.base_url, self.organization, self.user)
    }

    /// The answer of the userinfo endpoint and of the identity URL.
    pub(crate) fn document(&self) -> Value {
        json!({
            "sub": self.url(),
            "user_id": self.user,
            "organization_id": self.organization,
            "preferred_username": "integration@dev-org.invalid",
            "name": "Integration User",
            "email": "integration@dev-org.invalid",
            "email_verified": true,
            "active": true,
            "user_type": "STANDARD",
            "language": "en_US",
            "locale": "en_US",
            "utcOffset": 0,
        })
    }
}

/// Checks the form of a token request; the answer is a token reply or an OAuth error.
pub(crate) fn grant(
    client: &Client,
    headers: &HeaderMap,
    form: &[(String, String)],
) -> Result<(), (StatusCode, &'static str, &'static str)> {
    let field = |name: &str| form.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
    let (basic_id, basic_secret) = basic(headers).unzip();
    let bad = StatusCode::BAD_REQUEST;
    match field("grant_type") {
        None => return Err((bad, "invalid_request", "missing required parameter: grant_type")),
        Some("client_credentials") => {}
        Some(_) => return Err((bad, "unsupported_grant_type", "grant type not supported")),
    }
    let Some(id) = field("client_id").map(str::to_owned).or(basic_id) else {
        return Err((bad, "invalid_request", "missing required parameter: client_id"));
    };
    if id != client.id {
        return Err((bad, "invalid_client_id", "client identifier invalid"));
    }
    let Some(secret) = field("client_secret").map(str::to_owned).or(basic_secret) else {
        return Err((bad, "invalid_request", "missing required parameter: client_secret"));
    };
    if secret != client.secret {
        return Err((bad, "invalid_client", "invalid client credentials"));
    }
    Ok(())
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// The reply to a good token request.
pub(crate) fn token_reply(token: &str, identity: &Identity<'_>) -> Response {
    let signature: [u8; 32] = std::array::from_fn(|_| fastrand::u8(..));
    no_store(json_response(
        StatusCode::OK,
        &json!({
            "access_token": token,
            "signature": STANDARD.encode(signature),
            "scope": "api",
            "instance_url": identity.base_url,
            "id": identity.url(),
            "token_type": "Bearer",
            "issued_at": Timestamp::now().as_millisecond().to_string(),
        }),
    ))
}

/// The reply to a refused token request.
pub(crate) fn error_reply(status: StatusCode, error: &str, description: &str) -> Response {
    no_store(json_response(status, &json!({ "error": error, "error_description": description })))
}

fn no_store(response: Response) -> Response {
    ([(header::CACHE_CONTROL, "no-cache, no-store")], response).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(form: &[(&str, &str)]) -> Option<&'static str> {
        let form: Vec<_> =
            form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let client = Client { id: "id".into(), secret: "secret".into() };
        grant(&client, &HeaderMap::new(), &form).err().map(|(_, error, _)| error)
    }

    #[test]
    fn each_wrong_request_has_its_own_error() {
        let grant = ("grant_type", "client_credentials");
        assert_eq!(refusal(&[]), Some("invalid_request"));
        assert_eq!(refusal(&[("grant_type", "password")]), Some("unsupported_grant_type"));
        assert_eq!(refusal(&[grant]), Some("invalid_request"));
        assert_eq!(
            refusal(&[grant, ("client_id", "other"), ("client_secret", "secret")]),
            Some("invalid_client_id")
        );
        assert_eq!(
            refusal(&[grant, ("client_id", "id"), ("client_secret", "wrong")]),
            Some("invalid_client")
        );
        assert_eq!(refusal(&[grant, ("client_id", "id"), ("client_secret", "secret")]), None);
    }
}
