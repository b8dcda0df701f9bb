//! Sending: token, retries, errors.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::header::{ACCEPT, AUTHORIZATION};
use secrecy::SecretString;
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use crate::redactor::Redactor;

use super::address;
use super::call_options::CallOptions;
use super::codes;
use super::credentials::Checked;
use super::error::{Error, ErrorClass};
use super::error_body::is_failed_save;
use super::failure::Failure;
use super::guard::{Guard, Unguarded};
use super::head;
use super::login;
use super::org::Errand;
use super::parcel::Parcel;
use super::replay;
use super::retry::{Attempts, Failed, unanswered};
use super::seats::Seat;
use super::session;
use super::token::{self, AccessToken};
use super::transport::Transport;
use super::{ApiVersion, OrgStatus, Path, Request, Response};

/// A client of one org with one way in. Cheap to clone.
#[derive(Clone)]
pub struct SalesforceClient {
    inner: Arc<Inner>,
    call_options: CallOptions,
}

struct Inner {
    transport: Transport,
    base: Url,
    version: ApiVersion,
    login: Login,
}

enum Login {
    Bearer(Arc<AccessToken>),
    Grant(Arc<login::Login>),
}

/// How long a call may take.
#[derive(Clone, Copy, Debug)]
pub struct TimeLimit {
    /// For one attempt, and for one login.
    pub request_timeout: Duration,
    /// For all attempts together, with pauses and logins.
    pub deadline: Instant,
}

impl TimeLimit {
    /// What is left for one attempt; `None` when nothing is.
    fn for_attempt(&self) -> Option<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        (!left.is_zero()).then(|| left.min(self.request_timeout))
    }
}

impl std::fmt::Debug for SalesforceClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Inner { base, version, .. } = &*self.inner;
        f.debug_struct("SalesforceClient")
            .field("base", &base.as_str())
            .field("version", &version)
            .finish_non_exhaustive()
    }
}

impl SalesforceClient {
    pub(super) fn new(
        transport: Transport,
        base: Url,
        version: ApiVersion,
        credentials: Checked,
    ) -> Result<Self, Error> {
        let login = match credentials {
            Checked::Bearer(token) => Login::Bearer(token),
            Checked::Grant(grant) => Login::Grant(transport.logins().login(*grant)?),
        };
        let inner = Arc::new(Inner { transport, base, version, login });
        Ok(Self { inner, call_options: CallOptions::default() })
    }

    /// Sends a request: token, retries by class, errors normalised.
    ///
    /// `Ok` is an answer with a status below 300, unless it is the result of a save that failed. The future may be
    /// dropped; what was sent by then stays sent. A delete that had to be sent again and finds the record deleted
    /// is answered with 204.
    pub async fn send(&self, request: &Request, limit: TimeLimit) -> Result<Response, Error> {
        self.send_guarded(request, limit, &Unguarded).await
    }

    /// The same, but a guard is asked before each attempt.
    pub async fn send_guarded(
        &self,
        request: &Request,
        limit: TimeLimit,
        guard: &impl Guard,
    ) -> Result<Response, Error> {
        let result = self.send_in_attempts(request, limit, guard).await;
        result.inspect_err(|error| self.inner.transport.failed(&self.address(), error))
    }

    async fn send_in_attempts(
        &self,
        request: &Request,
        limit: TimeLimit,
        guard: &impl Guard,
    ) -> Result<Response, Error> {
        let _seat = self.seat(request, limit).await?;
        let mut attempts = Attempts::new(self.inner.transport.retry(), limit);
        let (mut may_refresh, mut may_be_done) = (true, false);
        loop {
            attempts.begin();
            let mut failed = match self.attempt(request, limit, guard, &mut may_refresh).await {
                Ok(response) => return Ok(response),
                Err(failed) => failed,
            };
            if may_be_done {
                match replay::judged(request, failed.error) {
                    Ok(response) => return Ok(response),
                    Err(error) => failed.error = error,
                }
            }
            may_be_done |= failed.may_be_done;
            if request.is_spent() {
                return Err(failed.error);
            }
            let (code, class) = (failed.error.code().to_owned(), failed.error.class());
            let pause = attempts.after(failed)?;
            self.inner.transport.metrics().salesforce_retried(class.name());
            let (attempts, pause_ms) = (attempts.made(), pause.as_millis());
            tracing::warn!(attempts, pause_ms, code, "the call is sent again");
            sleep(pause).await;
        }
    }

    /// Waits until the org has room for this call and all that it brings about: login, attempts, pauses.
    async fn seat(&self, request: &Request, limit: TimeLimit) -> Result<Seat, Error> {
        let (address, most) = (self.address(), limit.for_attempt().unwrap_or_default());
        let seat = self.inner.transport.seat(&address, most).await;
        seat.or_else(|failure| {
            let url = address::of(&address, self.inner.version, request)?;
            let call = format!("{} {}", request.method, url.path());
            Err(unanswered(&call, request.class, &failure).error)
        })
    }

    /// Gets a token (or finds it cached), for `check`; the org's address as the token says.
    ///
    /// With a static bearer token nothing is sent, and the address is the base URL.
    pub async fn log_in(&self, limit: TimeLimit) -> Result<String, Error> {
        let token = self.token(limit).await;
        let token = token.inspect_err(|error| self.inner.transport.failed(&self.address(), error))?;
        Ok(self.org(&token).as_str().trim_end_matches('/').to_owned())
    }

    /// How things stand with its org, with the last error of this client's connection, and the age of its token: none
    /// before the first login, and none for a token that somebody else got.
    pub fn status(&self) -> (OrgStatus, Option<Duration>) {
        let transport = &self.inner.transport;
        let mut status = transport.org(&self.address()).status();
        status.last_error = transport.last_error();
        let age = match &self.inner.login {
            Login::Bearer(_) => None,
            Login::Grant(login) => login.tokens.current().map(|(_, age)| age),
        };
        (status, age)
    }

    /// The same client, whose calls say this of themselves.
    #[must_use]
    pub fn with_call_options(self, call_options: CallOptions) -> Self {
        Self { call_options, ..self }
    }

    /// The API version of its calls.
    pub fn version(&self) -> ApiVersion {
        self.inner.version
    }

    /// The host that calls go to, as far as it is known without a login.
    pub fn host(&self) -> Option<String> {
        self.address().host_str().map(ToOwned::to_owned)
    }

    pub(super) fn transport(&self) -> &Transport {
        &self.inner.transport
    }

    /// Where calls go, as far as it is known without a login.
    fn address(&self) -> Cow<'_, Url> {
        match &self.inner.login {
            Login::Bearer(token) => Cow::Borrowed(self.org(token)),
            Login::Grant(login) => match login.tokens.current() {
                Some((token, _)) => Cow::Owned(self.org(&token).clone()),
                None => Cow::Borrowed(&self.inner.base),
            },
        }
    }

    /// The tokens that were received for this login, for masking: access tokens, and refresh tokens that Salesforce put
    /// in the place of others. Those that came last are among them.
    pub fn received_tokens(&self) -> Vec<SecretString> {
        match &self.inner.login {
            Login::Bearer(_) => Vec::new(),
            Login::Grant(login) => login.received(),
        }
    }

    fn org<'a>(&'a self, token: &'a AccessToken) -> &'a Url {
        token.instance.as_ref().unwrap_or(&self.inner.base)
    }

    async fn token(&self, limit: TimeLimit) -> Result<Arc<AccessToken>, Error> {
        match &self.inner.login {
            Login::Bearer(token) => Ok(Arc::clone(token)),
            Login::Grant(login) => {
                let fetched = AtomicBool::new(false);
                let fetch = || {
                    fetched.store(true, Ordering::Relaxed);
                    token::fetch(&self.inner.transport, login, limit.request_timeout)
                };
                // The deadline is this caller's own: past it the fetch goes to the next who waits, and is not
                // remembered as failed.
                let token = timeout_at(limit.deadline, login.tokens.get_or_fetch(fetch)).await;
                if matches!(token, Ok(Ok(_))) && !fetched.load(Ordering::Relaxed) {
                    self.inner.transport.metrics().token_reused("salesforce");
                }
                let token = token.unwrap_or_else(|_| {
                    Err(Error::new(
                        codes::TIMEOUT,
                        ErrorClass::Transient,
                        format!(
                            "POST {}: no access token in time; the call was not sent",
                            login.grant.endpoint
                        ),
                    ))
                });
                token.map_err(|error| self.without_token(error, &login.grant.endpoint))
            }
        }
    }

    /// Where the token endpoint's host is left alone for now, whoever needs a token waits as those who need the host.
    fn without_token(&self, mut error: Error, endpoint: &Url) -> Error {
        if matches!(error.class, ErrorClass::Transient | ErrorClass::Throttled) {
            let transport = &self.inner.transport;
            error.rest = transport.org(endpoint).rest(Errand::LOGIN, transport.rules()).or(error.rest);
        }
        error
    }

    /// One attempt, with one refresh and one replay where the org no longer knows the session.
    async fn attempt(
        &self,
        request: &Request,
        limit: TimeLimit,
        guard: &impl Guard,
        may_refresh: &mut bool,
    ) -> Result<Response, Failed> {
        let token = self.token(limit).await.map_err(Failed::finally)?;
        self.check_version(request, &token, limit).await.map_err(Failed::finally)?;
        let failed = match self.exchange(request, &token, limit, guard).await {
            Err(failed) if session::is_refused(&failed.error) => failed,
            other => return other,
        };
        let Login::Grant(login) = &self.inner.login else {
            let why = "the bearer token of the connection is expired or wrong, and is not refreshed";
            return Err(Failed::finally(session::refused(failed.error, why)));
        };
        if !std::mem::take(may_refresh) || session::is_refresh_useless(&failed.error) {
            return Err(Failed::finally(session::refused(failed.error, "a new token would not help")));
        }
        if login.tokens.invalidate(&token) {
            self.inner.transport.metrics().token_refreshed("salesforce");
        }
        if request.is_spent() {
            let class = ErrorClass::Transient;
            return Err(Failed::finally(Error { class, ..failed.error }));
        }
        let fresh = self.token(limit).await.map_err(Failed::finally)?;
        match self.exchange(request, &fresh, limit, guard).await {
            Err(failed) if session::is_refused(&failed.error) => {
                let why = "a token that was just issued was refused too: may the run-as user use the API, and is \
                           the base URL that of the user's org?";
                let host = self.org(&fresh).host_str().unwrap_or_default();
                login.tokens.reject(&fresh, session::refused_for_others(&failed.error, host, why));
                Err(Failed::finally(session::refused(failed.error, why)))
            }
            other => other,
        }
    }

    /// Refuses a call whose API version the org is known to lack; asks the org once.
    async fn check_version(
        &self,
        request: &Request,
        token: &AccessToken,
        limit: TimeLimit,
    ) -> Result<(), Error> {
        let Some(time) = limit.for_attempt().filter(|_| matches!(request.path, Path::Versioned(_))) else {
            return Ok(());
        };
        let transport = &self.inner.transport;
        transport.versions().check(transport, (self.org(token), self.inner.version), time).await
    }

    /// The API versions that the org has, asked anew.
    pub async fn versions(&self, limit: TimeLimit) -> Result<super::Versions, Error> {
        let token = self.token(limit).await?;
        let transport = &self.inner.transport;
        transport.versions().ask(transport, self.org(&token), limit.request_timeout).await
    }

    /// The one place where calls leave.
    async fn exchange(
        &self,
        request: &Request,
        token: &AccessToken,
        limit: TimeLimit,
        guard: &impl Guard,
    ) -> Result<Response, Failed> {
        let transport = &self.inner.transport;
        let url = address::of(self.org(token), self.inner.version, request).map_err(Failed::finally)?;
        let path = url.path().to_owned();
        let call = format!("{} {path}", request.method);
        let time = limit.for_attempt().ok_or_else(|| {
            let message = format!("{call}: no time was left to send it");
            Failed::finally(Error::new(codes::TIMEOUT, ErrorClass::Transient, message))
        })?;
        let http = self
            .http_request(request, url, token)
            .map_err(|error| unanswered(&call, request.class, &error))?;
        let errand = Errand::of(request);
        let org = transport.org(http.request.url());
        let failed = |failure: &Failure| unanswered(&call, request.class, failure);
        let told = |failed: Failed| {
            failed.while_paused(|| org.rest(errand, transport.rules()), org.is_paused(errand))
        };
        let admitted = transport.admit(http.request.url(), errand, time).await;
        let admission = admitted.map_err(|failure| told(failed(&failure)))?;
        guard.before(&call, admission.time()).await.map_err(Failed::finally)?;
        let started = Instant::now();
        let result = transport.call(http, admission, transport.max_body_bytes()).await;
        let (status, elapsed) = (result.as_ref().ok().map(|response| response.status), started.elapsed());
        transport.metrics().salesforce_called(status, elapsed);
        let (method, elapsed_ms) = (request.method.as_str(), elapsed.as_millis());
        tracing::debug!(method, path, status, elapsed_ms, "called Salesforce");
        let failed = match result {
            Ok(response) if response.status < 300 && !is_failed_save(&response.body) => return Ok(response),
            Ok(mut response) => {
                response.mask(&Redactor::new([token.secret()]));
                Error::from_answer(&call, request.class, response)
            }
            Err(failure) => failed(&failure),
        };
        if failed.is_undone() {
            guard.nothing_done();
        }
        Err(told(failed))
    }

    fn http_request(&self, request: &Request, url: Url, token: &AccessToken) -> Result<Parcel, Failure> {
        let builder = self
            .inner
            .transport
            .http(&url)
            .request(request.method.clone(), url)
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, token.header())
            .header("Sforce-Call-Options", self.call_options.header());
        let parcel = Parcel::pack(request, builder)?;
        head::check(&parcel.request)?;
        Ok(parcel)
    }
}
