//! The state of the login: who may come in, and what was handed out.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderMap, header};
use jiff::{SignedDuration, Timestamp};

use super::client::Client;
use super::identity::Identity;
use super::policy::LoginPolicy;
use super::public_key::RsaPublicKey;
use super::sessions::Sessions;

/// The one user of the org, and what it logs in with.
#[derive(Clone)]
pub(crate) struct User {
    /// The username, which is the address as well.
    pub(crate) username: String,
    pub(super) password: String,
    pub(super) security_token: String,
}

/// The authorization server of the org.
pub(crate) struct OAuth {
    pub(super) identity: Identity,
    pub(super) user: User,
    pub(super) jwt_key: Option<RsaPublicKey>,
    pub(super) client: Mutex<Client>,
    pub(super) policy: Mutex<LoginPolicy>,
    pub(super) sessions: Mutex<Sessions>,
}

impl OAuth {
    /// The org's address, without a slash at the end.
    pub(crate) fn base_url(&self) -> &str {
        &self.identity.base_url
    }

    /// Whether a request with these headers carries a good token.
    pub(crate) fn authorize(&self, headers: &HeaderMap) -> bool {
        bearer(headers).is_some_and(|token| self.is_good(token))
    }

    /// Whether an access token is good; using it keeps its session alive.
    pub(super) fn is_good(&self, token: &str) -> bool {
        let timeout = self.policy().session_timeout;
        self.sessions().touch(token, timeout)
    }

    /// The time on the org's clock.
    pub(super) fn now(&self) -> Timestamp {
        let skew = SignedDuration::from_secs(self.policy().clock_skew_seconds);
        Timestamp::now().saturating_add(skew).unwrap_or(Timestamp::MAX)
    }

    /// The `Date` header, where the org's clock is not this machine's.
    pub(crate) fn skewed_date(&self) -> Option<String> {
        let skewed = self.policy().clock_skew_seconds != 0;
        // IMF-fixdate (RFC 9110, section 5.6.7).
        skewed.then(|| self.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
    }

    pub(super) fn policy(&self) -> LoginPolicy {
        lock(&self.policy).clone()
    }

    pub(super) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        lock(&self.sessions)
    }
}

/// A lock that a panicking test thread does not take with it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The access token of a request; Salesforce knows both schemes.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let known = scheme.eq_ignore_ascii_case("Bearer") || scheme.eq_ignore_ascii_case("OAuth");
    known.then(|| token.trim())
}
