//! The connections to the gateway: one for streams, two for commands and polls.
//!
//! One connection reaches one of several gateways behind an address. Two that take turns let a command that
//! failed on one gateway try another; the streams' is made anew when a stream is replaced, so that the load
//! spreads again after a gateway came back.
//!
//! A stream that is not read must not hold up a command, and must not hoard jobs: hence the connection of
//! its own and the small HTTP/2 windows. With tonic's default windows about 2,000 jobs of 1 KB would be
//! activated, unread, on a worker that is busy.

use std::{
    fs,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Uri};

use super::{GatewayError, GatewayOptions, error::chain};
use crate::tls::use_ring;

/// What one unread stream may hold.
const STREAM_WINDOW: u32 = 64 * 1024;
/// What all streams of the connection may hold: room for 128 that are not read, and for everything else.
const STREAM_CONNECTION_WINDOW: u32 = 8 * 1024 * 1024;
/// The gateway takes a shorter interval for an attack (`ENHANCE_YOUR_CALM`).
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(45);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// More than one gateway is reached, and few connections are held.
const COMMAND_CONNECTIONS: usize = 2;

#[derive(Debug)]
pub(super) struct Channels {
    commands: [Channel; COMMAND_CONNECTIONS],
    turn: AtomicUsize,
    streams: Mutex<Channel>,
    stream_endpoint: Endpoint,
}

impl Channels {
    /// Prepares the connections; nothing is sent before the first call.
    pub(super) fn open(options: &GatewayOptions) -> Result<Self, GatewayError> {
        let endpoint = endpoint(options)?;
        let stream_endpoint = endpoint
            .clone()
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(STREAM_CONNECTION_WINDOW);
        let commands = std::array::from_fn(|_| endpoint.connect_lazy());
        let streams = Mutex::new(stream_endpoint.connect_lazy());
        Ok(Self { commands, turn: AtomicUsize::new(0), streams, stream_endpoint })
    }

    /// The connections for commands and polls, in turn.
    pub(super) fn commands(&self) -> &Channel {
        &self.commands[self.turn.fetch_add(1, Ordering::Relaxed) % COMMAND_CONNECTIONS]
    }

    pub(super) fn streams(&self) -> Channel {
        self.current_streams().clone()
    }

    /// Streams opened from now on use a new connection; those that are open keep theirs.
    pub(super) fn renew_streams(&self) {
        *self.current_streams() = self.stream_endpoint.connect_lazy();
    }

    fn current_streams(&self) -> MutexGuard<'_, Channel> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// No timeout here: it would end streams as well. Each call has its own.
fn endpoint(options: &GatewayOptions) -> Result<Endpoint, GatewayError> {
    let uri = address(&options.address)?;
    let encrypted = uri.scheme_str() == Some("https");
    let mut endpoint = Endpoint::from(uri.clone())
        .user_agent(concat!("salesforce-connector/", env!("CARGO_PKG_VERSION")))
        .expect("a product token is a valid header value")
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(false);
    let mut authority = None;
    if let Some(name) = &options.override_authority {
        let origin = origin(&uri, name)?;
        authority = origin.host().map(str::to_owned);
        endpoint = endpoint.origin(origin);
    }
    if encrypted {
        use_ring();
        endpoint = with_tls(&endpoint, options, authority)?;
    } else if options.ca_certificate.is_some() {
        return Err(GatewayError::options(format!(
            "a CA certificate is given, but the gateway address {:?} is plaintext: expected https://",
            options.address
        )));
    }
    Ok(endpoint)
}

fn address(address: &str) -> Result<Uri, GatewayError> {
    let invalid = |reason: &str| {
        GatewayError::options(format!(
            "the gateway address must look like http://host:26500 or https://host:443, but {address:?} {reason}"
        ))
    };
    let uri: Uri = address.trim().parse().map_err(|_| invalid("is not an address"))?;
    match uri.scheme_str() {
        Some("http" | "https") => {}
        Some(_) => return Err(invalid("has another scheme")),
        None => return Err(invalid("has no scheme")),
    }
    if uri.host().is_none_or(str::is_empty) {
        return Err(invalid("has no host"));
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(GatewayError::options(
            "the gateway address must not hold a user or a password: use the authentication options",
        ));
    }
    Ok(uri)
}

fn origin(uri: &Uri, authority: &str) -> Result<Uri, GatewayError> {
    let scheme = uri.scheme_str().unwrap_or("http");
    Uri::builder().scheme(scheme).authority(authority).path_and_query("/").build().map_err(|_| {
        GatewayError::options(format!(
            "the overriding authority must be a host name, with or without a port, but is {authority:?}"
        ))
    })
}

/// The machine's roots, and the given ones beside them. A machine without roots (a bare image) is no
/// hindrance when roots are given.
fn with_tls(
    endpoint: &Endpoint,
    options: &GatewayOptions,
    authority: Option<String>,
) -> Result<Endpoint, GatewayError> {
    let mut tls = ClientTlsConfig::new().timeout(CONNECT_TIMEOUT);
    if let Some(name) = authority {
        tls = tls.domain_name(name);
    }
    let Some(path) = &options.ca_certificate else {
        return endpoint.clone().tls_config(tls.with_native_roots()).map_err(|error| invalid_tls(&error));
    };
    let unusable = |reason: String| {
        GatewayError::options(format!(
            "the CA certificate file {} must hold certificates in PEM form: {reason}",
            path.display()
        ))
    };
    let pem = fs::read(path).map_err(|error| unusable(error.to_string()))?;
    if !pem.windows(PEM_HEAD.len()).any(|part| part == PEM_HEAD) {
        return Err(unusable("no certificate found in it".into()));
    }
    let tls = tls.ca_certificate(Certificate::from_pem(pem));
    endpoint
        .clone()
        .tls_config(tls.clone().with_native_roots())
        .or_else(|_| endpoint.clone().tls_config(tls))
        .map_err(|error| unusable(chain(&error)))
}

const PEM_HEAD: &[u8] = b"-----BEGIN CERTIFICATE-----";

fn invalid_tls(error: &tonic::transport::Error) -> GatewayError {
    GatewayError::options(format!("TLS to the gateway cannot be set up: {}", chain(error)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::zeebe::GatewayAuthentication;

    fn options(address: &str) -> GatewayOptions {
        GatewayOptions {
            address: address.into(),
            ca_certificate: None,
            override_authority: None,
            rest_address: None,
            authentication: GatewayAuthentication::None,
        }
    }

    #[tokio::test]
    async fn an_impossible_address_is_refused_with_the_expected_form() {
        for (address, reason) in [
            ("localhost:26500", "has"),
            ("zeebe", "has no scheme"),
            ("ftp://zeebe:26500", "another scheme"),
            ("http://", "address"),
            ("", "address"),
        ] {
            let error = Channels::open(&options(address)).unwrap_err().to_string();
            assert!(error.contains("http://host:26500") && error.contains(reason), "{address}: {error}");
        }
    }

    #[tokio::test]
    async fn a_password_in_the_address_is_refused_without_being_shown() {
        let error = Channels::open(&options("http://demo:geheim@zeebe:26500")).unwrap_err().to_string();
        assert!(error.contains("authentication options") && !error.contains("geheim"), "{error}");
    }

    #[tokio::test]
    async fn a_ca_file_that_is_missing_or_no_pem_is_named() {
        let mut options = options("https://zeebe:26500");
        options.ca_certificate = Some("/nowhere/ca.pem".into());
        let error = Channels::open(&options).unwrap_err().to_string();
        assert!(error.contains("/nowhere/ca.pem"), "{error}");

        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"not a certificate").unwrap();
        options.ca_certificate = Some(file.path().into());
        let error = Channels::open(&options).unwrap_err().to_string();
        assert!(error.contains("no certificate found"), "{error}");
    }

    #[tokio::test]
    async fn a_ca_file_for_a_plaintext_address_is_a_mistake() {
        let mut options = options("http://zeebe:26500");
        options.ca_certificate = Some("/etc/ca.pem".into());
        let error = Channels::open(&options).unwrap_err().to_string();
        assert!(error.contains("expected https://"), "{error}");
    }

    #[tokio::test]
    async fn an_impossible_authority_is_refused() {
        let mut options = options("http://zeebe:26500");
        options.override_authority = Some("not a host".into());
        let error = Channels::open(&options).unwrap_err().to_string();
        assert!(error.contains("not a host"), "{error}");
        options.override_authority = Some("zeebe.example.com".into());
        assert!(Channels::open(&options).is_ok());
    }
}
