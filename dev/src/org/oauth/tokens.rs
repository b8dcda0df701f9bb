//! What a client may ask about tokens: introspection (RFC 7662) and revocation (RFC 7009).

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::error::json_response;
use super::client::{Form, Proof};
use super::error::{OAuthError, no_store};
use super::server::{OAuth, lock};

impl OAuth {
    /// Answers `/services/oauth2/introspect`.
    pub(super) fn introspect(&self, form: &Form, headers: &HeaderMap) -> Result<Response, OAuthError> {
        lock(&self.client).authenticate(form, headers, Proof::Secret)?;
        let token = form.require("token")?;
        let document = self.describe(token).unwrap_or_else(|| json!({ "active": false }));
        Ok(no_store(json_response(StatusCode::OK, &document)))
    }

    /// What is known of a good token.
    fn describe(&self, token: &str) -> Option<Value> {
        let (now, timeout) = (self.now(), self.policy().session_timeout);
        let client = lock(&self.client).id.clone();
        let sessions = self.sessions();
        let (kind, scope, issued, expires) = if let Some((session, left)) = sessions.access(token, timeout) {
            let left = SignedDuration::try_from(left).unwrap_or(SignedDuration::MAX);
            let expires = now.saturating_add(left).ok()?;
            ("access_token", &session.scope, session.issued, Some(expires))
        } else {
            let token = sessions.refresh(token)?;
            ("refresh_token", &token.scope, token.issued, None)
        };
        let mut document = json!({
            "active": true,
            "scope": scope,
            "client_id": client,
            "username": self.user.username,
            "sub": self.identity.url(),
            "token_type": kind,
            "iat": issued.as_second(),
            "nbf": issued.as_second(),
        });
        if let Some(expires) = expires {
            document["exp"] = json!(expires.as_second());
        }
        Some(document)
    }

    /// Answers `/services/oauth2/revoke`: an empty 200. A refresh token takes its access tokens with it.
    pub(super) fn revoke(&self, form: &Form) -> Result<Response, OAuthError> {
        let token = form.require("token")?;
        if self.sessions().revoke(token) {
            Ok(StatusCode::OK.into_response())
        } else {
            Err(OAuthError::INVALID_TOKEN)
        }
    }
}
