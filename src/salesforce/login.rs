//! Logins that are under way in this process: their tokens, their keys, and refresh tokens that were replaced.

use std::{
    collections::VecDeque,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::token_cache::TokenCache;

use super::codes;
use super::credentials::invalid;
use super::error::Error;
use super::grant::{Attempt, Flow, Grant, Secret};
use super::jwt::Key;
use super::token::AccessToken;

/// How many logins are remembered. Beyond it the one that was not used for longest is forgotten.
const REMEMBERED_LOGINS: usize = 256;

/// How many received tokens of one login are remembered: those that jobs in hand may still have used.
const REMEMBERED_TOKENS: usize = 8;

/// A state file holds one token; anything larger is another file.
const LARGEST_STATE: u64 = 64 * 1024;

/// So many times in a row an endpoint may be unavailable before the jobs that need it fail as usual. By what the cache
/// of tokens remembers, this takes a minute and a half; one that is not reached at all has opened its circuit by then.
const WAITED_OUT: u32 = 4;

/// How long a job rests that needs an endpoint which is not available: its retries are not for that.
const REST: Duration = Duration::from_secs(5);

/// The cache of one login.
pub(super) type Tokens = TokenCache<AccessToken, Error>;

/// One way in, shared by everyone who has the same credentials.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) grant: Grant,
    pub(super) tokens: Tokens,
    key: Option<Key>,
    refresh: Mutex<Refresh>,
    received: Mutex<VecDeque<SecretString>>,
    /// How often in a row the endpoint was not available.
    unavailable: AtomicU32,
}

/// What became of a refresh token.
#[derive(Debug, Default)]
struct Refresh {
    /// The token that replaced the configured one.
    kept: Option<Secret>,
    /// Tokens that Salesforce called expired, and its words.
    dead: Vec<(Secret, Error)>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct State {
    refresh_token: String,
}

impl Login {
    fn new(grant: Grant) -> Result<Self, Error> {
        let key = match &grant.flow {
            Flow::JwtBearer { private_key, .. } => Some(Key::parse(private_key)?),
            _ => None,
        };
        let (refresh, received) = (Mutex::default(), Mutex::default());
        Ok(Self { grant, tokens: Tokens::new(), key, refresh, received, unavailable: AtomicU32::new(0) })
    }

    /// Lets jobs wait out that the endpoint is not available for a while.
    pub(super) fn judge(&self, result: &mut Result<AccessToken, Error>) {
        match result {
            Err(error) if error.code() == codes::TOKEN_ENDPOINT_UNAVAILABLE => {
                let times = self.unavailable.fetch_add(1, Ordering::Relaxed) + 1;
                if times <= WAITED_OUT {
                    error.rest = error.rest.or(Some(REST));
                }
            }
            _ => self.unavailable.store(0, Ordering::Relaxed),
        }
    }

    /// Remembers a token that came from the token endpoint, so that it can be masked wherever it shows up.
    pub(super) fn receive(&self, token: SecretString) {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.push_back(token);
        if received.len() > REMEMBERED_TOKENS {
            received.pop_front();
        }
    }

    /// The tokens that came last.
    pub(super) fn received(&self) -> Vec<SecretString> {
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.iter().cloned().collect()
    }

    /// What the token endpoint is asked with first; `now` in Unix seconds.
    pub(super) fn first_attempt(&self, now: i64) -> Result<Attempt, Error> {
        let secret = self.grant.client.secret.clone();
        let proof = match &self.grant.flow {
            Flow::ClientCredentials | Flow::Password { .. } | Flow::AuthorizationCode { .. } => None,
            Flow::JwtBearer { username, audience, .. } => match &self.key {
                Some(key) => Some(key.assertion(&self.grant.client, (username, audience), now)?),
                None => return Err(invalid("the private key is missing")),
            },
            Flow::RefreshToken { token, state_file } => {
                Some(self.refresh_token(token, state_file.as_deref())?)
            }
        };
        Ok(Attempt { secret, proof })
    }

    /// What it is asked with next, after `error` was the answer; at most one further try for each secret.
    pub(super) fn next_attempt(&self, last: &Attempt, error: &str) -> Option<Attempt> {
        let client = &self.grant.client;
        if error.eq_ignore_ascii_case("invalid_client")
            && last.secret == client.secret
            && let Some(previous) =
                client.previous_secret.as_ref().filter(|_| client.previous_secret != client.secret)
        {
            tracing::warn!(endpoint = %self.grant.endpoint, "the client secret was refused; the previous one is tried");
            return Some(Attempt { secret: Some(previous.clone()), proof: last.proof.clone() });
        }
        if error.eq_ignore_ascii_case("invalid_grant")
            && let Flow::RefreshToken { token, .. } = &self.grant.flow
            && last.proof.as_ref() != Some(token)
            && !token.is_blank()
            && !self.is_dead(token)
        {
            tracing::warn!(endpoint = %self.grant.endpoint, "the kept refresh token was refused; the configured one is tried");
            return Some(Attempt { secret: last.secret.clone(), proof: Some(token.clone()) });
        }
        None
    }

    /// Keeps a refresh token that replaces the one before, also in the state file.
    pub(super) async fn keep(&self, token: Secret) {
        let Flow::RefreshToken { state_file, .. } = &self.grant.flow else { return };
        self.refresh().kept = Some(token.clone());
        let Some(path) = state_file.clone() else {
            tracing::warn!(
                endpoint = %self.grant.endpoint,
                "Salesforce replaced the refresh token, and no state file is configured: after a restart the \
                 configured one may be refused"
            );
            return;
        };
        let shown = path.display().to_string();
        let written = tokio::task::spawn_blocking(move || write_state(&path, &token)).await;
        match written {
            Ok(Ok(())) => tracing::debug!(file = shown, "kept the new refresh token"),
            Ok(Err(error)) => {
                tracing::error!(file = shown, %error, "the new refresh token could not be written; it is lost at a restart");
            }
            Err(_) => tracing::error!(
                file = shown,
                "the new refresh token was not written; it is lost at a restart"
            ),
        }
    }

    /// Remembers that this refresh token will never be good again.
    pub(super) fn bury(&self, token: &Secret, error: &Error) {
        let mut refresh = self.refresh();
        refresh.dead.retain(|(dead, _)| dead != token);
        refresh.dead.push((token.clone(), error.clone()));
        let surplus = refresh.dead.len().saturating_sub(4);
        refresh.dead.drain(..surplus);
    }

    /// The newest token that is not known to be dead: kept in memory, in the state file, configured.
    fn refresh_token(&self, configured: &Secret, state_file: Option<&Path>) -> Result<Secret, Error> {
        let stored = state_file.map(read_state).transpose()?.flatten();
        let refresh = self.refresh();
        let candidates = [refresh.kept.clone(), stored, Some(configured.clone())];
        let error_of =
            |token: &Secret| refresh.dead.iter().find(|(dead, _)| dead == token).map(|(_, error)| error);
        let mut last = None;
        for token in candidates.into_iter().flatten().filter(|token| !token.is_blank()) {
            match error_of(&token) {
                Some(error) => last = Some(error.clone()),
                None => return Ok(token),
            }
        }
        Err(last.unwrap_or_else(|| {
            let file = state_file.map(|path| path.display().to_string()).unwrap_or_default();
            invalid(&format!(
                "there is no refresh token yet: none is configured, and the state file {file} is not there; log in \
                 once with the command login to write it"
            ))
        }))
    }

    fn is_dead(&self, token: &Secret) -> bool {
        self.refresh().dead.iter().any(|(dead, _)| dead == token)
    }

    fn refresh(&self) -> MutexGuard<'_, Refresh> {
        self.refresh.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_state(path: &Path) -> Result<Option<Secret>, Error> {
    let problem = |detail: &str| {
        invalid(&format!(
            "the state file {} of the refresh token {detail}; remove it to begin with the configured token",
            path.display()
        ))
    };
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(problem(&format!("cannot be read: {}", error.kind()))),
    };
    if !metadata.is_file() || metadata.len() > LARGEST_STATE {
        return Err(problem("is not one that was written here"));
    }
    let text = std::fs::read(path).map_err(|error| problem(&format!("cannot be read: {}", error.kind())))?;
    // serde's own words could repeat the token.
    let state: State =
        serde_json::from_slice(&text).map_err(|_| problem("is not one that was written here"))?;
    Ok(Some(Secret(state.refresh_token.into())).filter(|token| !token.is_blank()))
}

/// Writes a new file beside the old one and puts it in its place, so that a cut leaves one of both whole.
pub(super) fn write_state(path: &Path, token: &Secret) -> std::io::Result<()> {
    let mut name = path.file_name().map(std::ffi::OsStr::to_os_string).unwrap_or_default();
    name.push(format!(".{:016x}.new", fastrand::u64(..)));
    let fresh: PathBuf = path.with_file_name(name);
    let state = serde_json::to_vec(&State { refresh_token: token.expose().to_owned() })?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let write = || {
        let mut file = options.open(&fresh)?;
        file.write_all(&state)?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)
    };
    write().inspect_err(|_| drop(std::fs::remove_file(&fresh)))
}

/// All logins, the one used last at the end.
#[derive(Debug, Default)]
pub(super) struct Logins {
    logins: Mutex<Vec<Arc<Login>>>,
}

impl Logins {
    /// The login that everyone with these credentials shares; an error where the private key is not usable.
    pub(super) fn login(&self, grant: Grant) -> Result<Arc<Login>, Error> {
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        let known = logins.iter().position(|known| known.grant == grant);
        let login = match known {
            Some(index) => logins.remove(index),
            None => Arc::new(Login::new(grant)?),
        };
        if logins.len() >= REMEMBERED_LOGINS {
            logins.remove(0);
        }
        logins.push(Arc::clone(&login));
        Ok(login)
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::ClientAuthentication;
    use super::super::grant::Client;
    use super::*;

    fn grant(id: &str, secret: &str) -> Grant {
        let endpoint = Url::parse("https://acme.my.salesforce.com/services/oauth2/token").unwrap();
        let client = Client {
            id: id.to_owned(),
            secret: Some(Secret(secret.into())),
            previous_secret: None,
            authentication: ClientAuthentication::Body,
        };
        Grant { endpoint, client, flow: Flow::ClientCredentials }
    }

    fn login(logins: &Logins, id: &str, secret: &str) -> Arc<Login> {
        logins.login(grant(id, secret)).unwrap()
    }

    #[test]
    fn equal_credentials_share_a_login_and_others_do_not() {
        let logins = Logins::default();
        let first = login(&logins, "a", "s");
        assert!(Arc::ptr_eq(&first, &login(&logins, "a", "s")));
        assert!(!Arc::ptr_eq(&first, &login(&logins, "a", "rotated")));
        assert!(!Arc::ptr_eq(&first, &login(&logins, "b", "s")));
    }

    #[test]
    fn the_login_that_was_not_used_for_longest_is_forgotten() {
        let logins = Logins::default();
        let (first, second) = (login(&logins, "0", "s"), login(&logins, "1", "s"));
        for number in 2..REMEMBERED_LOGINS {
            login(&logins, &number.to_string(), "s");
        }
        assert!(Arc::ptr_eq(&first, &login(&logins, "0", "s")));
        login(&logins, "one more", "s");
        assert!(Arc::ptr_eq(&first, &login(&logins, "0", "s")));
        assert!(!Arc::ptr_eq(&second, &login(&logins, "1", "s")));
        assert_eq!(logins.logins.lock().unwrap().len(), REMEMBERED_LOGINS);
    }

    #[test]
    fn no_secret_shows_when_a_login_is_printed() {
        let logins = Logins::default();
        let login = login(&logins, "a", "s3cret");
        let attempt = login.first_attempt(0).unwrap();
        let printed = format!("{login:?} {logins:?} {attempt:?}");
        assert!(!printed.contains("s3cret"), "{printed}");
    }

    #[test]
    fn a_state_file_is_written_whole_for_its_owner_only_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        assert!(read_state(&path).unwrap().is_none());
        for token in ["first", "second-\"ä\""] {
            write_state(&path, &Secret(token.into())).unwrap();
            assert_eq!(read_state(&path).unwrap().unwrap().expose(), token);
        }
        let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(names.len(), 1, "nothing is left beside it");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        std::fs::write(&path, "hunter2-hunter2").unwrap();
        let error = read_state(&path).unwrap_err().to_string();
        assert!(error.contains("state.json") && !error.contains("hunter2"), "{error}");
        assert!(write_state(&folder.path().join("none/state.json"), &Secret("t".into())).is_err());
    }
}
