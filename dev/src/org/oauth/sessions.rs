//! What was handed out and is still good: access tokens, refresh tokens, authorization codes.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// Refresh tokens that a user may have for one app; a new one above that ends the oldest.
const REFRESH_TOKENS: usize = 5;
/// Salesforce's life of an authorization code.
const CODE_LIFE: Duration = Duration::from_mins(15);
/// Codes that are remembered; the oldest is forgotten first.
const CODES: usize = 1000;
/// The window that logins are counted in.
const HOUR: Duration = Duration::from_hours(1);

/// One access token.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) issued: Timestamp,
    pub(super) scope: String,
    /// The refresh token it came from or with.
    refresh_token: Option<String>,
    last_used: Instant,
}

impl Session {
    /// A session that begins now.
    pub(super) fn new(issued: Timestamp, scope: String, refresh_token: Option<String>) -> Self {
        Self { issued, scope, refresh_token, last_used: Instant::now() }
    }
}

/// One refresh token.
#[derive(Debug, Clone)]
pub(super) struct RefreshToken {
    pub(super) token: String,
    pub(super) issued: Timestamp,
    pub(super) scope: String,
}

/// What an authorization code stands for.
#[derive(Debug, Clone)]
pub(super) struct Authorization {
    pub(super) redirect_uri: String,
    /// Base64url of SHA-256 of the verifier, where the client sent one.
    pub(super) challenge: Option<String>,
    pub(super) scope: String,
}

#[derive(Debug)]
struct Code {
    value: String,
    issued: Instant,
    /// Gone once the code was exchanged.
    authorization: Option<Authorization>,
}

/// Why a code cannot be exchanged.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CodeFault {
    /// Never issued, or long ago.
    Unknown,
    /// Too old, or exchanged before.
    UsedUp,
}

/// Everything that was handed out.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    access: HashMap<String, Session>,
    refresh: VecDeque<RefreshToken>,
    codes: VecDeque<Code>,
    logins: VecDeque<Instant>,
}

impl Sessions {
    /// Counts a login; `false` if there were `limit` of them in the last hour.
    pub(super) fn admit(&mut self, limit: usize) -> bool {
        let now = Instant::now();
        while self.logins.front().is_some_and(|login| now.duration_since(*login) >= HOUR) {
            self.logins.pop_front();
        }
        let admitted = self.logins.len() < limit;
        if admitted {
            self.logins.push_back(now);
        }
        admitted
    }

    /// Keeps a new access token, and forgets those that have timed out.
    pub(super) fn open(&mut self, token: &str, session: Session, timeout: Duration) {
        self.access.retain(|_, old| session.last_used.duration_since(old.last_used) < timeout);
        self.access.insert(token.to_owned(), session);
    }

    /// Uses an access token: whether it is good. Its time-out starts anew.
    pub(super) fn touch(&mut self, token: &str, timeout: Duration) -> bool {
        let now = Instant::now();
        let Some(session) = self.access.get_mut(token) else { return false };
        let good = now.duration_since(session.last_used) < timeout;
        if good {
            session.last_used = now;
        }
        good
    }

    /// A good access token and the time it has left, without using it.
    pub(super) fn access(&self, token: &str, timeout: Duration) -> Option<(&Session, Duration)> {
        let session = self.access.get(token)?;
        let left = timeout.checked_sub(session.last_used.elapsed()).filter(|left| !left.is_zero())?;
        Some((session, left))
    }

    /// A good refresh token.
    pub(super) fn refresh(&self, token: &str) -> Option<&RefreshToken> {
        self.refresh.iter().find(|own| own.token == token)
    }

    /// Keeps a new refresh token.
    pub(super) fn add_refresh(&mut self, token: RefreshToken) {
        if self.refresh.len() == REFRESH_TOKENS
            && let Some(oldest) = self.refresh.front().map(|oldest| oldest.token.clone())
        {
            self.revoke(&oldest);
        }
        self.refresh.push_back(token);
    }

    /// Replaces a refresh token by its successor; the old one is dead from now on, its access tokens live on.
    pub(super) fn rotate(&mut self, old: &str, new: &str, now: Timestamp) {
        if let Some(token) = self.refresh.iter_mut().find(|own| own.token == old) {
            new.clone_into(&mut token.token);
            token.issued = now;
        }
        for session in
            self.access.values_mut().filter(|session| session.refresh_token.as_deref() == Some(old))
        {
            session.refresh_token = Some(new.to_owned());
        }
    }

    /// Ends an access token, or a refresh token with the access tokens that belong to it. `false` if it was neither.
    pub(super) fn revoke(&mut self, token: &str) -> bool {
        if self.access.remove(token).is_some() {
            return true;
        }
        let before = self.refresh.len();
        self.refresh.retain(|own| own.token != token);
        self.access.retain(|_, session| session.refresh_token.as_deref() != Some(token));
        self.refresh.len() < before
    }

    /// Ends all access tokens.
    pub(super) fn revoke_access(&mut self) {
        self.access.clear();
    }

    /// Ends all refresh tokens and the access tokens that belong to them.
    pub(super) fn revoke_refresh(&mut self) {
        self.refresh.clear();
        self.access.retain(|_, session| session.refresh_token.is_none());
    }

    /// Keeps a new authorization code.
    pub(super) fn add_code(&mut self, code: String, authorization: Authorization) {
        if self.codes.len() == CODES {
            self.codes.pop_front();
        }
        self.codes.push_back(Code {
            value: code,
            issued: Instant::now(),
            authorization: Some(authorization),
        });
    }

    /// Takes what a code stands for; it is used up, whatever comes of it.
    pub(super) fn take_code(&mut self, code: &str) -> Result<Authorization, CodeFault> {
        let code = self.codes.iter_mut().find(|own| own.value == code).ok_or(CodeFault::Unknown)?;
        let authorization = code.authorization.take().ok_or(CodeFault::UsedUp)?;
        if code.issued.elapsed() < CODE_LIFE { Ok(authorization) } else { Err(CodeFault::UsedUp) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_hours(2);

    fn refresh_token(name: &str) -> RefreshToken {
        RefreshToken { token: name.into(), issued: Timestamp::UNIX_EPOCH, scope: "api".into() }
    }

    fn open(sessions: &mut Sessions, token: &str, refresh: Option<&str>) {
        let session = Session::new(Timestamp::UNIX_EPOCH, "api".into(), refresh.map(str::to_owned));
        sessions.open(token, session, TIMEOUT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_lives_as_long_as_it_is_used() {
        let mut sessions = Sessions::default();
        open(&mut sessions, "a", None);
        tokio::time::advance(Duration::from_secs(7199)).await;
        assert!(sessions.touch("a", TIMEOUT));
        tokio::time::advance(Duration::from_secs(7199)).await;
        assert_eq!(sessions.access("a", TIMEOUT).unwrap().1, Duration::from_secs(1));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(sessions.access("a", TIMEOUT).is_none() && !sessions.touch("a", TIMEOUT));
        open(&mut sessions, "b", None);
        assert_eq!(sessions.access.len(), 1, "the dead one is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn logins_are_counted_over_a_sliding_hour() {
        let mut sessions = Sessions::default();
        assert!(sessions.admit(2));
        tokio::time::advance(HOUR / 2).await;
        assert!(sessions.admit(2) && !sessions.admit(2));
        tokio::time::advance(HOUR / 2).await;
        assert!(sessions.admit(2) && !sessions.admit(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_code_is_good_once_and_for_fifteen_minutes() {
        let mut sessions = Sessions::default();
        let authorization =
            Authorization { redirect_uri: String::new(), challenge: None, scope: "api".into() };
        sessions.add_code("early".into(), authorization.clone());
        tokio::time::advance(CODE_LIFE).await;
        sessions.add_code("late".into(), authorization);
        assert_eq!(sessions.take_code("early").unwrap_err(), CodeFault::UsedUp);
        assert_eq!(sessions.take_code("late").unwrap().scope, "api");
        assert_eq!(sessions.take_code("late").unwrap_err(), CodeFault::UsedUp);
        assert_eq!(sessions.take_code("never").unwrap_err(), CodeFault::Unknown);
    }

    #[tokio::test]
    async fn a_sixth_refresh_token_ends_the_first() {
        let mut sessions = Sessions::default();
        for name in ["1", "2", "3", "4", "5"] {
            sessions.add_refresh(refresh_token(name));
        }
        open(&mut sessions, "a", Some("1"));
        sessions.add_refresh(refresh_token("6"));
        assert!(sessions.refresh("1").is_none() && sessions.refresh("2").is_some());
        assert!(!sessions.touch("a", TIMEOUT));
    }

    #[tokio::test]
    async fn revoking_a_rotated_refresh_token_ends_the_tokens_of_its_predecessor() {
        let mut sessions = Sessions::default();
        sessions.add_refresh(refresh_token("old"));
        open(&mut sessions, "a", Some("old"));
        open(&mut sessions, "b", None);
        sessions.rotate("old", "new", Timestamp::UNIX_EPOCH);
        assert!(!sessions.revoke("old") && sessions.touch("a", TIMEOUT));
        assert!(sessions.revoke("new") && !sessions.touch("a", TIMEOUT));
        assert!(sessions.touch("b", TIMEOUT));
    }
}
