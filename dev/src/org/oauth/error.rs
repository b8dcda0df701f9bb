//! OAuth's error bodies: `{error, error_description}`, in the words that Salesforce uses.
//!
//! Sources: Salesforce Help, "OAuth 2.0 Authorization Errors", and replies quoted by its clients. Where no text is
//! known the description is left out, which Salesforce does as well.

use std::borrow::Cow;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::super::error::json_response;

/// Why an OAuth endpoint refused a request. Always 400.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OAuthError {
    pub(super) error: &'static str,
    pub(super) description: Option<Cow<'static, str>>,
}

impl OAuthError {
    /// Wrong password or security token, or the flow is blocked: Salesforce does not tell which.
    pub(super) const AUTHENTICATION_FAILURE: Self = Self::new("invalid_grant", "authentication failure");
    pub(super) const DEAD_REFRESH_TOKEN: Self = Self::new("invalid_grant", "expired access/refresh token");
    /// Also for a user whom the org does not have.
    pub(super) const NOT_APPROVED: Self = Self::new("invalid_grant", "user hasn't approved this consumer");
    pub(super) const WRONG_AUDIENCE: Self = Self::new("invalid_grant", "Audience validation failed");
    pub(super) const INVALID_ASSERTION: Self = Self::new("invalid_grant", "invalid assertion");
    /// Of a code that is too old or used up, and of a JWT whose `exp` has passed.
    pub(super) const EXPIRED: Self = Self::new("invalid_grant", "expired authorization code");
    pub(super) const INVALID_CODE: Self = Self::new("invalid_grant", "invalid authorization code");
    pub(super) const INVALID_VERIFIER: Self = Self::new("invalid_grant", "invalid code verifier");
    pub(super) const NO_RUN_AS_USER: Self = Self::new("invalid_grant", "no client credentials user enabled");
    pub(super) const WRONG_DOMAIN: Self = Self::new("invalid_grant", "request not supported on this domain");
    pub(super) const WRONG_SECRET: Self = Self::new("invalid_client", "invalid client credentials");
    pub(super) const UNKNOWN_CLIENT: Self = Self::new("invalid_client_id", "client identifier invalid");
    pub(super) const NOT_ADMIN_APPROVED: Self =
        Self::new("invalid_app_access", "user is not admin approved to access this app");
    pub(super) const UNSUPPORTED_GRANT: Self =
        Self::new("unsupported_grant_type", "grant type not supported");
    pub(super) const UNSUPPORTED_RESPONSE: Self =
        Self::new("unsupported_response_type", "response type not supported");
    pub(super) const INACTIVE_USER: Self = Self { error: "inactive_user", description: None };
    pub(super) const INACTIVE_ORG: Self = Self { error: "inactive_org", description: None };
    pub(super) const LOGIN_RATE: Self = Self::new("rate_limit_exceeded", "login rate exceeded");
    pub(super) const DENIED: Self = Self::new("access_denied", "end-user denied authorization");
    pub(super) const WRONG_REDIRECT: Self =
        Self::new("redirect_uri_mismatch", "redirect_uri must match configuration");
    pub(super) const NOT_POST: Self = Self::new("invalid_request", "must use HTTP POST");
    pub(super) const INVALID_CHALLENGE: Self = Self::new("invalid_request", "invalid code challenge");
    pub(super) const INVALID_TOKEN: Self = Self::new("invalid_token", "invalid token");

    const fn new(error: &'static str, description: &'static str) -> Self {
        Self { error, description: Some(Cow::Borrowed(description)) }
    }

    /// A parameter that the request must have.
    pub(super) fn missing(parameter: &str) -> Self {
        let description = format!("missing required parameter: {parameter}");
        Self { error: "invalid_request", description: Some(Cow::Owned(description)) }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let mut body = Map::from_iter([("error".to_owned(), Value::from(self.error))]);
        if let Some(description) = self.description {
            body.insert("error_description".into(), Value::from(description));
        }
        no_store(json_response(StatusCode::BAD_REQUEST, &Value::Object(body)))
    }
}

/// Forbids caches to keep a reply about tokens (RFC 6749, section 5.1).
pub(super) fn no_store(response: Response) -> Response {
    ([(header::CACHE_CONTROL, "no-cache, no-store")], response).into_response()
}
