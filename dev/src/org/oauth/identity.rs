//! Who a token belongs to: `/services/oauth2/userinfo` and the identity URL.
//!
//! Source: Salesforce Help, "Identity URLs". Refusals are one word of plain text.

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::super::error::json_response;
use super::super::ids;
use super::server::{OAuth, bearer};

/// Whose tokens the org hands out, and where.
pub(super) struct Identity {
    pub(super) base_url: String,
    pub(super) organization: String,
    pub(super) user: String,
}

impl Identity {
    /// The identity URL.
    pub(super) fn url(&self) -> String {
        format!("{}/id/{}/{}", self.base_url, self.organization, self.user)
    }
}

impl OAuth {
    /// Answers the userinfo endpoint (OpenID Connect Core, section 5.3).
    pub(super) fn userinfo(&self, headers: &HeaderMap) -> Response {
        self.check(headers).map_or_else(IntoResponse::into_response, |()| {
            let mut document = self.profile();
            let own = json!({
                "sub": self.identity.url(),
                "preferred_username": self.user.username,
                "name": "Integration User",
                "given_name": "Integration",
                "family_name": "User",
                "email_verified": true,
                "zoneinfo": "UTC",
            });
            merge(&mut document, own);
            json_response(StatusCode::OK, &document)
        })
    }

    /// Answers the identity URL of an org and a user, ids as they were sent.
    pub(super) fn identity(&self, headers: &HeaderMap, organization: &str, user: &str) -> Response {
        let same = |id: &str, own: &str| ids::normalize(id).as_deref() == Some(own);
        let checked = self.check(headers).and_then(|()| {
            if !same(organization, &self.identity.organization) {
                return Err((StatusCode::FORBIDDEN, "Wrong_Org"));
            }
            if same(user, &self.identity.user) { Ok(()) } else { Err((StatusCode::NOT_FOUND, "Bad_Id")) }
        });
        checked.map_or_else(IntoResponse::into_response, |()| {
            let mut document = self.profile();
            let own = json!({
                "id": self.identity.url(),
                "asserted_user": true,
                "username": self.user.username,
                "display_name": "Integration User",
                "first_name": "Integration",
                "last_name": "User",
                "timezone": "UTC",
            });
            merge(&mut document, own);
            json_response(StatusCode::OK, &document)
        })
    }

    /// What both documents tell.
    fn profile(&self) -> Value {
        let base = &self.identity.base_url;
        json!({
            "user_id": self.identity.user,
            "organization_id": self.identity.organization,
            "email": self.user.username,
            "active": true,
            "user_type": "STANDARD",
            "language": "en_US",
            "locale": "en_US",
            "utcOffset": 0,
            "urls": {
                "rest": format!("{base}/services/data/v{{version}}/"),
                "sobjects": format!("{base}/services/data/v{{version}}/sobjects/"),
                "query": format!("{base}/services/data/v{{version}}/query/"),
                "custom_domain": base,
            },
        })
    }

    fn check(&self, headers: &HeaderMap) -> Result<(), (StatusCode, &'static str)> {
        match bearer(headers) {
            None => Err((StatusCode::FORBIDDEN, "Missing_OAuth_Token")),
            Some(token) if self.is_good(token) => Ok(()),
            Some(_) => Err((StatusCode::FORBIDDEN, "Bad_OAuth_Token")),
        }
    }
}

fn merge(document: &mut Value, own: Value) {
    if let (Value::Object(document), Value::Object(own)) = (document, own) {
        document.extend(own);
    }
}
