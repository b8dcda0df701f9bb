//! The way to the network: one pool of connections, and the one function that sends.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};
use tracing::Instrument as _;
use url::Url;

use crate::metrics::Metrics;

use super::error::Error;
use super::failure::{Failure, Kind};
use super::hosts::AllowedHosts;
use super::login::Logins;
use super::network::{Clients, Network, Plan};
use super::org::{Errand, Org, Pass, Rules};
use super::orgs::Orgs;
use super::outage::Signal;
use super::parcel::Parcel;
use super::retry::RetryPolicy;
use super::seats::Seat;
use super::span;
use super::versions::Versions;
use super::{AnswerForm, ApiVersion, Credentials, LastError, OrgStatus, Response, SalesforceClient};

/// The product and its version, as orgs see them.
pub(super) const PRODUCT: &str = concat!("salesforce-connector/", env!("CARGO_PKG_VERSION"));

/// Files on other hosts that are read at once. Each keeps one of the few threads for what blocks, which look-ups of names
/// need as well.
const FILES_AT_ONCE: usize = 4;

/// How to speak HTTP to orgs.
#[derive(Clone, Debug)]
pub struct TransportOptions {
    /// For TCP and TLS together; apart from the request timeout, and shorter than it: only a failed connection
    /// proves that nothing was sent.
    pub connect_timeout: Duration,
    /// An answer larger than this, in bytes after decompression, is refused.
    pub max_body_bytes: usize,
    /// Hosts that may be called and given secrets.
    pub hosts: AllowedHosts,
    /// Hosts from which files may be read that somebody names by their address. They are given no secrets.
    pub sources: AllowedHosts,
    /// How long a call may wait here until one of its connection's `max_concurrent_requests` is free, or its org has room.
    pub max_wait: Duration,
    /// So many calls one org has in hand at most, so that other orgs get a turn. The only one may have all while it is
    /// quick.
    pub slow_org_share: usize,
    /// The share of an org's API requests of a day that is left to others: below it creates and bulk work wait. From 0
    /// (none) to 1.
    pub api_reserve: f64,
}

impl Default for TransportOptions {
    /// 10 s to connect, answers of up to 50 MiB, Salesforce's own hosts, no files of others; 5 s of waiting, 75 calls to a slow org, a
    /// twentieth of the budget in reserve.
    fn default() -> Self {
        let connect_timeout = Duration::from_secs(10);
        Self {
            connect_timeout,
            max_body_bytes: 50 * 1024 * 1024,
            hosts: AllowedHosts::default(),
            sources: AllowedHosts::of_sources(AllowedHosts::none()),
            max_wait: Duration::from_secs(5),
            slow_org_share: 75,
            api_reserve: 0.05,
        }
    }
}

/// The pool of connections and tokens that all clients share. Cheap to clone.
#[derive(Clone)]
pub struct Transport {
    shared: Arc<Shared>,
    clients: Arc<Clients>,
    /// For requests that are under way; `None`: as many as come.
    permits: Option<Arc<Semaphore>>,
    rules: Rules,
    /// Of the connection, or of all that have none of their own.
    last_error: Arc<Mutex<Option<LastError>>>,
}

struct Shared {
    options: TransportOptions,
    metrics: Arc<Metrics>,
    retry: RetryPolicy,
    logins: Logins,
    orgs: Orgs,
    versions: Versions,
    /// For files on other hosts; made when the first is read.
    sources: OnceLock<Result<Clients, Error>>,
    /// For files that are being read.
    readers: Arc<Semaphore>,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport").field("hosts", &self.shared.options.hosts).finish_non_exhaustive()
    }
}

impl Transport {
    /// One per program.
    ///
    /// The proxy is that of the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`), never for loopback. Redirects
    /// are not followed: they would carry the token away.
    pub fn new(options: TransportOptions, metrics: Arc<Metrics>) -> Result<Self, Error> {
        let clients = Self::plan(&options).clients()?;
        Ok(Self::assemble(options, metrics, RetryPolicy::default(), clients))
    }

    /// For tests: no proxy and no certificate authorities, whatever the machine has, and pauses as the test wants.
    #[cfg(test)]
    pub(super) fn bare(options: TransportOptions, metrics: Arc<Metrics>, retry: RetryPolicy) -> Self {
        let clients = Self::plan(&options).bare_clients();
        let mut transport = Self::assemble(options, metrics, retry, clients);
        Arc::get_mut(&mut transport.shared).unwrap().versions.unasked = true;
        transport
    }

    fn plan(options: &TransportOptions) -> Plan {
        let (connect_timeout, hosts) = (options.connect_timeout, options.hosts.clone());
        Plan { connect_timeout, hosts, network: Network::default(), decodes: true }
    }

    fn assemble(
        options: TransportOptions,
        metrics: Arc<Metrics>,
        retry: RetryPolicy,
        clients: Clients,
    ) -> Self {
        let orgs = Orgs::new(options.slow_org_share, Arc::clone(&metrics));
        let rules = Rules { reserve: options.api_reserve, is_configured: false };
        let (logins, versions) = (Logins::default(), Versions::default());
        let (sources, readers) = (OnceLock::new(), Arc::new(Semaphore::new(FILES_AT_ONCE)));
        let shared = Shared { options, metrics, retry, logins, orgs, versions, sources, readers };
        let (shared, clients) = (Arc::new(shared), Arc::new(clients));
        Self { shared, clients, permits: None, rules, last_error: Arc::default() }
    }

    /// The same logins and limits over another network, for one configured connection.
    ///
    /// # Errors
    /// A proxy, certificate or key that is not usable.
    pub fn over(&self, network: &Network) -> Result<Self, Error> {
        let Network { proxy, ca_certificate, client_certificate, max_concurrent_requests, .. } = network;
        let is_own = proxy.is_some() || ca_certificate.is_some() || client_certificate.is_some();
        let clients = if is_own {
            Arc::new(Plan { network: network.clone(), ..Self::plan(&self.shared.options) }.clients()?)
        } else {
            Arc::clone(&self.clients)
        };
        let permits = max_concurrent_requests.map(|most| Arc::new(Semaphore::new(most)));
        let rules = Rules { is_configured: true, ..self.rules };
        Ok(Self { shared: Arc::clone(&self.shared), clients, permits, rules, last_error: Arc::default() })
    }

    /// The same with another reserve of the API budget.
    pub fn with_api_reserve(mut self, reserve: f64) -> Self {
        self.rules.reserve = reserve;
        self
    }

    pub(super) fn rules(&self) -> Rules {
        self.rules
    }

    /// A client of one org. The base URL may be empty where the credentials say where to log in; refused when the base URL is not an allowed host. No request is sent.
    pub fn client(
        &self,
        base_url: &str,
        api_version: ApiVersion,
        credentials: Credentials,
    ) -> Result<SalesforceClient, Error> {
        let base = self.base(base_url, &credentials)?;
        if self.rules.is_configured && !base_url.trim().is_empty() {
            self.shared.orgs.name(&base);
        }
        let credentials = credentials.check(&base, &self.shared.options.hosts)?;
        SalesforceClient::new(self.clone(), base, api_version, credentials)
    }

    /// How things stand with each org that was called, the one called last at the end.
    pub fn orgs(&self) -> Vec<OrgStatus> {
        self.shared.orgs.status()
    }

    pub(super) fn org(&self, url: &Url) -> Arc<Org> {
        self.shared.orgs.at(url)
    }

    /// Remembers an error for those who look.
    pub(super) fn failed(&self, url: &Url, error: &Error) {
        let Some(error) = LastError::of(error) else { return };
        self.org(url).failed(&error);
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    pub(super) fn last_error(&self) -> Option<LastError> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn base(&self, base_url: &str, credentials: &Credentials) -> Result<Url, Error> {
        match credentials.login_host().filter(|_| base_url.trim().is_empty()) {
            Some(host) => self.hosts().org_address("login URL", host),
            None => self.hosts().org_address("base URL", base_url),
        }
    }

    pub(super) fn hosts(&self) -> &AllowedHosts {
        &self.shared.options.hosts
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    pub(super) fn retry(&self) -> &RetryPolicy {
        &self.shared.retry
    }

    pub(super) fn logins(&self) -> &Logins {
        &self.shared.logins
    }

    pub(super) fn versions(&self) -> &Versions {
        &self.shared.versions
    }

    pub(super) fn max_body_bytes(&self) -> usize {
        self.shared.options.max_body_bytes
    }

    /// The client that speaks to this address.
    pub(super) fn http(&self, url: &Url) -> &reqwest::Client {
        self.clients.at(url)
    }

    /// A place among those who read a file; `None` while there is none.
    pub(super) fn reader(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.shared.readers).try_acquire_owned().ok()
    }

    pub(super) fn source_hosts(&self) -> &AllowedHosts {
        &self.shared.options.sources
    }

    /// The client that reads files at this address: with no connection's proxy, and no certificate that would say who asks.
    pub(super) fn source_http(&self, url: &Url) -> Result<&reqwest::Client, Error> {
        let options = &self.shared.options;
        let plan = || Plan { hosts: options.sources.clone(), decodes: false, ..Self::plan(options) };
        let clients = self.shared.sources.get_or_init(|| plan().clients()).as_ref();
        clients.map(|clients| clients.at(url)).map_err(Clone::clone)
    }

    /// Waits until one more request may be under way; it is kept while the request is.
    async fn permit(&self, limit: Duration, pass: &Pass) -> Result<Option<OwnedSemaphorePermit>, Failure> {
        let Some(permits) = &self.permits else { return Ok(None) };
        let most = limit.min(self.shared.options.max_wait);
        let waiting = timeout(most, Arc::clone(permits).acquire_owned()).await;
        let permit = waiting.ok().and_then(Result::ok).ok_or_else(|| {
            let waited = most.as_secs_f64();
            pass.waited(format!("the connection's max_concurrent_requests were under way for {waited:.1} s"))
        })?;
        Ok(Some(permit))
    }

    /// Sends a request for a token and reads its answer, whatever its status.
    pub(super) async fn exchange(
        &self,
        request: reqwest::Request,
        limit: Duration,
        max_body_bytes: usize,
    ) -> Result<Response, Failure> {
        let admission = self.admit(request.url(), Errand::LOGIN, limit).await?;
        self.call(request.into(), admission, max_body_bytes).await
    }

    /// Waits until the org at this address has room for one more call.
    pub(super) async fn seat(&self, url: &Url, limit: Duration) -> Result<Seat, Failure> {
        self.org(url).seat(limit.min(self.shared.options.max_wait)).await
    }

    /// Waits until the org may be called and the connection has room; nothing has left then.
    pub(super) async fn admit(
        &self,
        url: &Url,
        errand: Errand,
        limit: Duration,
    ) -> Result<Admission, Failure> {
        let started = Instant::now();
        let org = self.org(url);
        let pass = org.enter(errand, self.rules)?;
        let permit = self.permit(limit, &pass).await?;
        let waited = if permit.is_some() { started.elapsed() } else { Duration::ZERO };
        Ok(Admission { org, pass, _permit: permit, left: limit.saturating_sub(waited) })
    }

    /// Sends a request and reads its answer, whatever its status.
    pub(super) async fn call(
        &self,
        Parcel { request, seal, answer: form }: Parcel,
        Admission { org, mut pass, left, _permit }: Admission,
        max_body_bytes: usize,
    ) -> Result<Response, Failure> {
        pass.sent();
        let span = span::of(request.method(), request.url());
        let mut is_answered = false;
        let work = async {
            let answer = self.http(request.url()).execute(request).await?;
            is_answered = true;
            read(answer, form, max_body_bytes).await
        };
        let result = timeout(left, work.instrument(span.clone())).await.unwrap_or_else(|_| {
            let detail = format!("no complete answer within {:.1} s", left.as_secs_f64());
            Err(Failure::new(Kind::TimedOut, detail))
        });
        span::answered(&span, &result);
        pass.settle(&Signal::of(&result, is_answered, left));
        let certain = |failure: Failure| match seal {
            Some(seal) if failure.may_have_left() && seal.withdraw() => failure.never_left(),
            _ => failure,
        };
        result.map_err(|failure| certain(failure).at(org.host()))
    }
}

/// Leave for one call; its place is kept until the call is over.
pub(super) struct Admission {
    org: Arc<Org>,
    pass: Pass,
    _permit: Option<OwnedSemaphorePermit>,
    left: Duration,
}

impl Admission {
    /// How long the call may take.
    pub(super) fn time(&self) -> Duration {
        self.left
    }
}

async fn read(
    mut answer: reqwest::Response,
    form: AnswerForm,
    max_body_bytes: usize,
) -> Result<Response, Failure> {
    let status = answer.status();
    let form = if status.is_success() { form } else { AnswerForm::Json };
    let is_text = matches!(form, AnswerForm::Text { .. });
    let max_body_bytes = match form {
        AnswerForm::File { max_bytes } => max_bytes,
        AnswerForm::Text { up_to } => up_to.min(max_body_bytes),
        AnswerForm::Json => max_body_bytes,
    };
    let too_large = || {
        let detail = format!("the answer (status {}) is larger than {max_body_bytes} bytes", status.as_u16());
        Err(Failure::new(Kind::TooLarge, detail))
    };
    if !is_text && answer.content_length().is_some_and(|length| length > max_body_bytes as u64) {
        return too_large();
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        let room = max_body_bytes - body.len();
        if chunk.len() > room && !is_text {
            return too_large();
        }
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if is_text && body.len() == max_body_bytes {
            break;
        }
    }
    let reason = answer.extensions().get::<hyper::ext::ReasonPhrase>();
    let reason = reason.and_then(|reason| std::str::from_utf8(reason.as_bytes()).ok());
    match form {
        AnswerForm::File { .. } => return Ok(Response::read_file(status, reason, answer.headers(), body)),
        AnswerForm::Text { .. } => return Ok(Response::read_text(status, reason, answer.headers(), body)),
        AnswerForm::Json => {}
    }
    let response = Response::read(status, reason, answer.headers(), &body);
    if response.is_broken(&body) {
        return Err(Failure::new(Kind::Lost, "the answer is not the JSON that it says it is"));
    }
    Ok(response)
}
