//! The token endpoint: what each grant checks, and what it gives.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::{digest, hmac};
use serde_json::{Value, json};

use super::super::error::json_response;
use super::assertion::Assertion;
use super::client::{Form, Proof};
use super::error::{OAuthError, no_store};
use super::policy::{Grant, LoginPolicy};
use super::server::{OAuth, lock};
use super::sessions::{CodeFault, RefreshToken, Session};

/// What an audience may be unless the policy names others, beside the org's own address.
const LOGIN_HOSTS: [&str; 2] = ["https://login.salesforce.com", "https://test.salesforce.com"];

/// What a client gets.
struct Granted {
    scope: String,
    refresh: Refresh,
}

/// The refresh token that belongs to the access token.
enum Refresh {
    /// The grant gives none.
    None,
    /// A new one.
    New,
    /// The one that was used.
    Used(String),
}

impl Granted {
    /// The scope of a grant that asks for none.
    fn api() -> Self {
        Self { scope: "api".into(), refresh: Refresh::None }
    }
}

impl OAuth {
    /// Answers a token request.
    pub(super) fn token(&self, form: &Form, headers: &HeaderMap) -> Result<Response, OAuthError> {
        let grant = Grant::named(form.require("grant_type")?).ok_or(OAuthError::UNSUPPORTED_GRANT)?;
        let policy = self.policy();
        let proof = match grant {
            Grant::ClientCredentials | Grant::Password => Proof::Secret,
            Grant::RefreshToken | Grant::AuthorizationCode => Proof::Id,
            Grant::JwtBearer => Proof::Nothing,
        };
        let knows_secret = lock(&self.client).authenticate(form, headers, proof)?;
        if !self.sessions().admit(policy.logins_per_hour) {
            return Err(OAuthError::LOGIN_RATE);
        }
        if policy.refused_grants.contains(&grant) {
            let password = grant == Grant::Password;
            return Err(if password {
                OAuthError::AUTHENTICATION_FAILURE
            } else {
                OAuthError::UNSUPPORTED_GRANT
            });
        }
        let granted = match grant {
            Grant::ClientCredentials => client_credentials(&policy)?,
            Grant::Password => self.password(form)?,
            Grant::RefreshToken => self.refresh_token(form)?,
            Grant::AuthorizationCode => self.authorization_code(form, knows_secret)?,
            Grant::JwtBearer => self.jwt_bearer(form, &policy)?,
        };
        policy.user_access.admit(grant)?;
        let reply = self.issue(granted, &policy)?;
        Ok(no_store(json_response(StatusCode::OK, &reply)))
    }

    fn password(&self, form: &Form) -> Result<Granted, OAuthError> {
        let username = form.require("username")?;
        let password = form.require("password")?;
        let expected = format!("{}{}", self.user.password, self.user.security_token);
        if username.eq_ignore_ascii_case(&self.user.username) && password == expected {
            return Ok(Granted::api());
        }
        Err(OAuthError::AUTHENTICATION_FAILURE)
    }

    fn refresh_token(&self, form: &Form) -> Result<Granted, OAuthError> {
        let token = form.require("refresh_token")?;
        let sessions = self.sessions();
        let known = sessions.refresh(token).ok_or(OAuthError::DEAD_REFRESH_TOKEN)?;
        Ok(Granted { scope: known.scope.clone(), refresh: Refresh::Used(token.to_owned()) })
    }

    fn authorization_code(&self, form: &Form, knows_secret: bool) -> Result<Granted, OAuthError> {
        let (code, redirect_uri) = (form.require("code")?, form.require("redirect_uri")?);
        let authorization = self.sessions().take_code(code).map_err(|fault| match fault {
            CodeFault::Unknown => OAuthError::INVALID_CODE,
            CodeFault::UsedUp => OAuthError::EXPIRED,
        })?;
        if authorization.redirect_uri != redirect_uri {
            return Err(OAuthError::WRONG_REDIRECT);
        }
        match authorization.challenge {
            Some(challenge) if challenge_of(form.require("code_verifier")?) != Some(challenge.clone()) => {
                return Err(OAuthError::INVALID_VERIFIER);
            }
            None if !knows_secret => return Err(OAuthError::missing("client_secret")),
            _ => {}
        }
        let offline =
            authorization.scope.split(' ').any(|scope| matches!(scope, "refresh_token" | "offline_access"));
        let refresh = if offline { Refresh::New } else { Refresh::None };
        Ok(Granted { scope: authorization.scope, refresh })
    }

    fn jwt_bearer(&self, form: &Form, policy: &LoginPolicy) -> Result<Granted, OAuthError> {
        let assertion = Assertion::parse(form.require("assertion")?).ok_or(OAuthError::INVALID_ASSERTION)?;
        let issuer = assertion.claim("iss").ok_or(OAuthError::INVALID_ASSERTION)?;
        if issuer != lock(&self.client).id {
            return Err(OAuthError::UNKNOWN_CLIENT);
        }
        // An app without a certificate takes no assertion.
        if !self.jwt_key.as_ref().is_some_and(|key| assertion.is_signed_by(key)) {
            return Err(OAuthError::INVALID_ASSERTION);
        }
        if !assertion.is_for(&self.audiences(policy)) {
            return Err(OAuthError::WRONG_AUDIENCE);
        }
        match assertion.has_expired(self.now().as_second()) {
            None => return Err(OAuthError::INVALID_ASSERTION),
            Some(true) => return Err(OAuthError::EXPIRED),
            Some(false) => {}
        }
        let subject = assertion.claim("sub").ok_or(OAuthError::INVALID_ASSERTION)?;
        if !subject.eq_ignore_ascii_case(&self.user.username) {
            return Err(OAuthError::NOT_APPROVED);
        }
        Ok(Granted::api())
    }

    fn audiences(&self, policy: &LoginPolicy) -> Vec<String> {
        if !policy.jwt_audiences.is_empty() {
            return policy.jwt_audiences.clone();
        }
        let hosts = LOGIN_HOSTS.map(str::to_owned);
        hosts.into_iter().chain([self.identity.base_url.clone()]).collect()
    }

    /// Hands a token out. A refresh token that another request has used up in the meantime is dead.
    fn issue(&self, granted: Granted, policy: &LoginPolicy) -> Result<Value, OAuthError> {
        let (now, Granted { scope, refresh }) = (self.now(), granted);
        let mut sessions = self.sessions();
        let (kept, shown) = match refresh {
            Refresh::None => (None, None),
            Refresh::New => {
                let token = refresh_token();
                sessions.add_refresh(RefreshToken {
                    token: token.clone(),
                    issued: now,
                    scope: scope.clone(),
                });
                (Some(token.clone()), Some(token))
            }
            Refresh::Used(old) if sessions.refresh(&old).is_none() => {
                return Err(OAuthError::DEAD_REFRESH_TOKEN);
            }
            Refresh::Used(old) if policy.rotate_refresh_tokens => {
                let token = refresh_token();
                sessions.rotate(&old, &token, now);
                (Some(token.clone()), Some(token))
            }
            Refresh::Used(old) => (Some(old), None),
        };
        // An opaque session id: the org's short id and a random text.
        let token = format!("{}!{}", &self.identity.organization[..15], random(96));
        sessions.open(&token, Session::new(now, scope.clone(), kept), policy.session_timeout);
        drop(sessions);
        Ok(self.reply(&token, &scope, shown, now.as_millisecond()))
    }

    fn reply(&self, token: &str, scope: &str, refresh_token: Option<String>, issued_at: i64) -> Value {
        let (id, issued_at) = (self.identity.url(), issued_at.to_string());
        let key = hmac::Key::new(hmac::HMAC_SHA256, lock(&self.client).secret.as_bytes());
        let signature = hmac::sign(&key, format!("{id}{issued_at}").as_bytes());
        let mut reply = json!({
            "access_token": token,
            "signature": STANDARD.encode(signature),
            "scope": scope,
            "instance_url": self.identity.base_url,
            "id": id,
            "token_type": "Bearer",
            "issued_at": issued_at,
        });
        if let Some(refresh_token) = refresh_token {
            reply["refresh_token"] = Value::String(refresh_token);
        }
        reply
    }
}

fn client_credentials(policy: &LoginPolicy) -> Result<Granted, OAuthError> {
    if !policy.my_domain {
        return Err(OAuthError::WRONG_DOMAIN);
    }
    if policy.run_as_user { Ok(Granted::api()) } else { Err(OAuthError::NO_RUN_AS_USER) }
}

/// The S256 challenge of a verifier (RFC 7636, section 4.2); none for one of a length that is not allowed.
fn challenge_of(verifier: &str) -> Option<String> {
    let allowed = (43..=128).contains(&verifier.len());
    allowed.then(|| URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes())))
}

/// A refresh token in the form that Salesforce gives them.
fn refresh_token() -> String {
    format!("5Aep861{}", random(80))
}

/// Random letters and digits.
pub(super) fn random(length: usize) -> String {
    (0..length).map(|_| fastrand::alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_the_standard() {
        // RFC 7636, appendix B.
        assert_eq!(
            challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").as_deref(),
            Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
        );
        assert_eq!(challenge_of("short"), None);
    }
}
