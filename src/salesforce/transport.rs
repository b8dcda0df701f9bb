//! The way to the network: one pool of connections, and the one function that sends.

use std::{sync::Arc, time::Duration};

use reqwest::redirect;
use tokio::time::timeout;
use url::Url;

use crate::{metrics::Metrics, tls::use_ring};

use super::codes;
use super::error::{Error, ErrorClass};
use super::failure::{Failure, Kind};
use super::hosts::{AllowedHosts, is_loopback_url};
use super::login::Logins;
use super::retry::RetryPolicy;
use super::{ApiVersion, Credentials, Response, SalesforceClient};

/// The product and its version, as orgs see them.
pub(super) const PRODUCT: &str = concat!("salesforce-connector/", env!("CARGO_PKG_VERSION"));

/// A connection that was not used for longer is closed by us, before the server or a firewall does: a create that
/// meets a connection just closed from the other side may have an unknown outcome.
const POOL_IDLE: Duration = Duration::from_secs(30);

/// Idle connections kept for each host.
const POOL_SIZE: usize = 64;

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
}

impl Default for TransportOptions {
    /// 10 s to connect, answers of up to 50 MiB, Salesforce's own hosts.
    fn default() -> Self {
        let connect_timeout = Duration::from_secs(10);
        Self { connect_timeout, max_body_bytes: 50 * 1024 * 1024, hosts: AllowedHosts::default() }
    }
}

/// The pool of connections and tokens that all clients share. Cheap to clone.
#[derive(Clone)]
pub struct Transport {
    shared: Arc<Shared>,
}

struct Clients {
    /// Through the system's proxy, where there is one.
    http: reqwest::Client,
    /// For this machine: a proxy could not reach it.
    loopback: reqwest::Client,
}

struct Shared {
    clients: Clients,
    hosts: AllowedHosts,
    max_body_bytes: usize,
    metrics: Arc<Metrics>,
    retry: RetryPolicy,
    logins: Logins,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport").field("hosts", &self.shared.hosts).finish_non_exhaustive()
    }
}

impl Transport {
    /// One per program.
    ///
    /// The proxy is that of the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`), never for loopback. Redirects
    /// are not followed: they would carry the token away.
    pub fn new(options: TransportOptions, metrics: Arc<Metrics>) -> Result<Self, Error> {
        let clients = if options.hosts.allows_loopback() {
            let direct = http_client(&options, reqwest::ClientBuilder::no_proxy);
            let http = http_client(&options, |builder| builder);
            Clients {
                http: http.or_else(|error| without_authorities(&options, &error))?,
                loopback: direct.or_else(|_| http_client(&options, direct_without_authorities))?,
            }
        } else {
            let http = http_client(&options, |builder| builder)?;
            Clients { loopback: http.clone(), http }
        };
        Ok(Self::assemble(options, metrics, RetryPolicy::default(), clients))
    }

    /// For tests: no proxy and no certificate authorities, whatever the machine has, and pauses as the test wants.
    #[cfg(test)]
    pub(super) fn bare(options: TransportOptions, metrics: Arc<Metrics>, retry: RetryPolicy) -> Self {
        let client = http_client(&options, direct_without_authorities).unwrap();
        Self::assemble(options, metrics, retry, Clients { http: client.clone(), loopback: client })
    }

    fn assemble(
        options: TransportOptions,
        metrics: Arc<Metrics>,
        retry: RetryPolicy,
        clients: Clients,
    ) -> Self {
        let (hosts, max_body_bytes) = (options.hosts, options.max_body_bytes);
        let shared = Shared { clients, hosts, max_body_bytes, metrics, retry, logins: Logins::default() };
        Self { shared: Arc::new(shared) }
    }

    /// A client of one org. The base URL may be empty where the credentials say where to log in; refused when the base URL is not an allowed host. No request is sent.
    pub fn client(
        &self,
        base_url: &str,
        api_version: ApiVersion,
        credentials: Credentials,
    ) -> Result<SalesforceClient, Error> {
        let base = match credentials.login_host().filter(|_| base_url.trim().is_empty()) {
            Some(host) => self.shared.hosts.org_address("login URL", host)?,
            None => self.shared.hosts.org_address("base URL", base_url)?,
        };
        let credentials = credentials.check(&base, &self.shared.hosts)?;
        SalesforceClient::new(self.clone(), base, api_version, credentials)
    }

    pub(super) fn hosts(&self) -> &AllowedHosts {
        &self.shared.hosts
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

    pub(super) fn max_body_bytes(&self) -> usize {
        self.shared.max_body_bytes
    }

    /// The client that speaks to this address.
    pub(super) fn http(&self, url: &Url) -> &reqwest::Client {
        let clients = &self.shared.clients;
        if is_loopback_url(url) { &clients.loopback } else { &clients.http }
    }

    /// Sends a request and reads its answer, whatever its status.
    pub(super) async fn exchange(
        &self,
        request: reqwest::Request,
        limit: Duration,
        max_body_bytes: usize,
    ) -> Result<Response, Failure> {
        let work = async {
            let answer = self.http(request.url()).execute(request).await?;
            read(answer, max_body_bytes).await
        };
        timeout(limit, work).await.unwrap_or_else(|_| {
            let detail = format!("no complete answer within {:.1} s", limit.as_secs_f64());
            Err(Failure::new(Kind::TimedOut, detail))
        })
    }
}

fn http_client(
    options: &TransportOptions,
    change: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
) -> Result<reqwest::Client, Error> {
    use_ring();
    let builder = reqwest::Client::builder()
        .user_agent(PRODUCT)
        .redirect(redirect::Policy::none())
        .connect_timeout(options.connect_timeout)
        .pool_idle_timeout(POOL_IDLE)
        .pool_max_idle_per_host(POOL_SIZE)
        .tcp_keepalive(Duration::from_secs(30));
    change(builder).build().map_err(|error| {
        let cause = Failure::from(error).detail;
        let message = format!("the HTTP client could not be built: {cause}");
        Error::new(codes::INVALID_REQUEST, ErrorClass::Permanent, message)
    })
}

/// A machine without certificate authorities can still speak to itself, as the demo does.
fn without_authorities(options: &TransportOptions, error: &Error) -> Result<reqwest::Client, Error> {
    tracing::warn!(%error, "https calls will fail; install the package ca-certificates");
    http_client(options, |builder| builder.tls_certs_only([]))
}

fn direct_without_authorities(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder.no_proxy().tls_certs_only([])
}

async fn read(mut answer: reqwest::Response, max_body_bytes: usize) -> Result<Response, Failure> {
    let status = answer.status();
    let too_large = || {
        let detail = format!("the answer (status {}) is larger than {max_body_bytes} bytes", status.as_u16());
        Err(Failure::new(Kind::TooLarge, detail))
    };
    if answer.content_length().is_some_and(|length| length > max_body_bytes as u64) {
        return too_large();
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > max_body_bytes {
            return too_large();
        }
        body.extend_from_slice(&chunk);
    }
    let reason = answer.extensions().get::<hyper::ext::ReasonPhrase>();
    let reason = reason.and_then(|reason| std::str::from_utf8(reason.as_bytes()).ok());
    Ok(Response::read(status, reason, answer.headers(), &body))
}
