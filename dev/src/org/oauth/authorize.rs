//! The authorization endpoint of the web server flow, with PKCE (RFC 6749, section 4.1; RFC 7636).
//!
//! There is no login page: the org's one user is there and approves at once, unless the policy says otherwise.
//! Errors before the redirect address is trusted are answered, later ones are carried back by the redirect.

use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::client::Form;
use super::error::OAuthError;
use super::grants::random;
use super::policy::{Grant, UserAccess};
use super::server::{OAuth, lock};
use super::sessions::Authorization;

/// The scopes of the app, which a client gets that asks for none.
const SCOPES: &str = "refresh_token api";
/// Base64url of a SHA-256, in characters.
const CHALLENGE_LENGTH: usize = 43;

impl OAuth {
    /// Answers `/services/oauth2/authorize`.
    pub(super) fn approve(&self, form: &Form) -> Result<Response, OAuthError> {
        if form.require("client_id")? != lock(&self.client).id {
            return Err(OAuthError::UNKNOWN_CLIENT);
        }
        let redirect_uri = form.require("redirect_uri")?;
        if !is_loopback(redirect_uri) {
            return Err(OAuthError::WRONG_REDIRECT);
        }
        let mut answer = match self.code(form, redirect_uri) {
            Ok(code) => vec![("code", code)],
            Err(OAuthError { error, description }) => {
                let description = description.map(|text| ("error_description", text.into_owned()));
                [("error", error.to_owned())].into_iter().chain(description).collect()
            }
        };
        if let Some(state) = form.get("state") {
            answer.push(("state", state.to_owned()));
        }
        Ok((StatusCode::FOUND, [(header::LOCATION, with_query(redirect_uri, &answer))]).into_response())
    }

    /// A code for the user, where the request and the policy allow one.
    fn code(&self, form: &Form, redirect_uri: &str) -> Result<String, OAuthError> {
        if form.require("response_type")? != "code" {
            return Err(OAuthError::UNSUPPORTED_RESPONSE);
        }
        let challenge = form.get("code_challenge").map(str::to_owned);
        let well_formed = |text: &String| {
            text.len() == CHALLENGE_LENGTH
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        let method = form.get("code_challenge_method").unwrap_or("S256");
        if method != "S256" || !challenge.as_ref().is_none_or(well_formed) {
            return Err(OAuthError::INVALID_CHALLENGE);
        }
        let policy = self.policy();
        if policy.user_access == UserAccess::Denied {
            return Err(OAuthError::DENIED);
        }
        policy.user_access.admit(Grant::AuthorizationCode)?;
        let scope = form.get("scope").filter(|scope| !scope.is_empty()).unwrap_or(SCOPES).to_owned();
        // Salesforce's codes end in "==", which a client has to decode.
        let code = format!("aPrx{}==", random(60));
        let authorization = Authorization { redirect_uri: redirect_uri.to_owned(), challenge, scope };
        self.sessions().add_code(code.clone(), authorization);
        Ok(code)
    }
}

/// Whether an address leads back to this machine, and nowhere else: a code must not leave it.
fn is_loopback(address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else { return false };
    let local = matches!(uri.host(), Some("127.0.0.1" | "localhost" | "[::1]"));
    let plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    uri.scheme_str() == Some("http") && local && plain && !address.contains('#')
}

fn with_query(address: &str, parameters: &[(&str, String)]) -> String {
    let mut address = address.to_owned();
    for (name, value) in parameters {
        address.push(if address.contains('?') { '&' } else { '?' });
        address.extend([name, "="]);
        address.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_stays_on_this_machine() {
        for address in ["http://127.0.0.1:1717/callback", "http://localhost/cb?x=1", "http://[::1]:80"] {
            assert!(is_loopback(address), "{address}");
        }
        for address in [
            "",
            "/callback",
            "https://127.0.0.1/",
            "http://example.com/",
            "http://127.0.0.1@example.com/",
            "http://user@127.0.0.1/",
            "http://127.0.0.1.example.com/",
            "http://127.0.0.1/#x",
            "http://127.0.0.1/\r\nx: y",
        ] {
            assert!(!is_loopback(address), "{address}");
        }
    }

    #[test]
    fn an_address_keeps_its_own_query() {
        let parameters = [("code", "a==".to_owned()), ("state", "x y".to_owned())];
        assert_eq!(
            with_query("http://localhost/cb", &parameters),
            "http://localhost/cb?code=a%3D%3D&state=x%20y"
        );
        assert_eq!(
            with_query("http://localhost/?a=1", &parameters[..1]),
            "http://localhost/?a=1&code=a%3D%3D"
        );
    }
}
