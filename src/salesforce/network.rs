//! How orgs are reached: HTTP clients with their proxies, certificates and resolvers.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::{Certificate, Identity, NoProxy, Proxy, redirect, tls};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::tls::use_ring;

use super::codes;
use super::error::{Error, ErrorClass};
use super::failure::Failure;
use super::hosts::{AllowedHosts, is_loopback_url};
use super::lookups::Lookups;
use super::resolver::Resolver;
use super::transport::PRODUCT;

/// A connection that was not used for longer is closed by us, before the server or a firewall does: a create that
/// meets a connection just closed from the other side may have an unknown outcome.
const POOL_IDLE: Duration = Duration::from_secs(30);

/// Idle connections kept for each host. Not fewer than jobs are in hand as a rule: what is closed here between two
/// waves of jobs is opened again in the next, each with its look-up of a name, its handshakes and its buffers.
const POOL_SIZE: usize = 256;

/// The largest file of certificates that is read, in bytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Where the environment names a proxy.
const PROXY_VARIABLES: &[&str] =
    &["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// How one connection reaches its org, where it differs from the others. Files are read once, at the start.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// The proxy for this connection, such as `http://proxy.acme.com:3128`; `NO_PROXY` is honoured. `None`: that of the
    /// environment.
    pub proxy: Option<SecretString>,
    /// A PEM file of further certificate authorities to trust.
    pub ca_certificate: Option<PathBuf>,
    /// A PEM file with the certificate that is shown to the org (mutual TLS), and those below it.
    pub client_certificate: Option<PathBuf>,
    /// A PEM file with the private key of that certificate; `None`: it is in the same file.
    pub client_key: Option<PathBuf>,
    /// How many requests, logins too, may be under way at once; `None`: no bound of its own.
    pub max_concurrent_requests: Option<usize>,
}

/// What the clients of a network are made from.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) connect_timeout: Duration,
    pub(super) hosts: AllowedHosts,
    pub(super) network: Network,
    /// Whether answers may come compressed.
    pub(super) decodes: bool,
}

/// The clients of a network.
pub(super) struct Clients {
    /// Through the proxy, where there is one.
    pub(super) http: reqwest::Client,
    /// For this machine: a proxy could not reach it.
    pub(super) loopback: reqwest::Client,
}

impl Clients {
    /// The one that speaks to this address.
    pub(super) fn at(&self, url: &Url) -> &reqwest::Client {
        if is_loopback_url(url) { &self.loopback } else { &self.http }
    }
}

impl Plan {
    pub(super) fn clients(&self) -> Result<Clients, Error> {
        if !self.hosts.allows_loopback() {
            let http = self.client(false, |builder| builder)?;
            return Ok(Clients { loopback: http.clone(), http });
        }
        let direct = self.client(true, reqwest::ClientBuilder::no_proxy);
        let http = self.client(false, |builder| builder);
        Ok(Clients {
            http: http.or_else(|error| self.without_authorities(&error))?,
            loopback: direct.or_else(|_| self.client(true, direct_without_authorities))?,
        })
    }

    /// For tests: no proxy and no certificate authorities, whatever the machine has.
    #[cfg(test)]
    pub(super) fn bare_clients(&self) -> Clients {
        let client = self.client(true, direct_without_authorities).unwrap();
        Clients { http: client.clone(), loopback: client }
    }

    fn client(
        &self,
        loopback: bool,
        change: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> Result<reqwest::Client, Error> {
        use_ring();
        let builder = reqwest::Client::builder()
            .user_agent(PRODUCT)
            .redirect(redirect::Policy::none())
            .gzip(self.decodes)
            .connect_timeout(self.connect_timeout)
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(POOL_SIZE)
            .tcp_keepalive(Duration::from_secs(30))
            .tls_version_min(tls::Version::TLS_1_2)
            .dns_resolver(Resolver {
                allow_private: self.hosts.allows_private(),
                allow_loopback: loopback,
                proxies: self.proxy_names(),
                lookups: Lookups::default(),
            });
        change(self.equipped(builder)?).build().map_err(|error| {
            invalid(&format!("the HTTP client could not be built: {}", Failure::from(error).detail))
        })
    }

    fn equipped(&self, mut builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, Error> {
        let Network { proxy, ca_certificate, client_certificate, client_key, .. } = &self.network;
        if let Some(proxy) = proxy {
            let proxy = Proxy::all(proxy.expose_secret().trim());
            let expected =
                "the proxy is not usable: expected an address such as \"http://proxy.acme.com:3128\"";
            builder = builder.proxy(proxy.map_err(|_| invalid(expected))?.no_proxy(NoProxy::from_env()));
        }
        if let Some(path) = ca_certificate {
            let pem = read("certificate authorities", path)?;
            let found = Certificate::from_pem_bundle(&pem).ok().filter(|found| !found.is_empty());
            let authorities =
                found.ok_or_else(|| unusable("certificate authorities", path, "certificates"))?;
            builder = builder.tls_certs_merge(authorities);
        }
        if let Some(path) = client_certificate {
            let mut pem = read("client certificate", path)?;
            if let Some(key) = client_key {
                pem.push(b'\n');
                pem.append(&mut read("client key", key)?);
            }
            let identity = Identity::from_pem(&pem)
                .map_err(|_| unusable("client certificate", path, "a certificate and its private key"))?;
            builder = builder.identity(identity);
        }
        Ok(builder)
    }

    fn proxy_names(&self) -> BTreeSet<String> {
        let own = self.network.proxy.as_ref().map(|proxy| proxy.expose_secret().to_owned());
        let environment = PROXY_VARIABLES.iter().filter_map(|name| std::env::var(name).ok());
        let name = |text: String| {
            let text = text.trim();
            let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
            Some(Url::parse(&text).ok()?.host_str()?.to_ascii_lowercase())
        };
        own.into_iter().chain(environment).filter_map(name).collect()
    }

    /// A machine without certificate authorities can still speak to itself, as the demo does.
    fn without_authorities(&self, error: &Error) -> Result<reqwest::Client, Error> {
        let client = self.client(false, |builder| builder.tls_certs_only([]))?;
        tracing::warn!(%error, "https calls will fail; install the package ca-certificates");
        Ok(client)
    }
}

fn direct_without_authorities(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder.no_proxy().tls_certs_only([])
}

fn read(what: &str, path: &Path) -> Result<Vec<u8>, Error> {
    let problem = |detail: &str| invalid(&format!("the file {} of the {what} {detail}", path.display()));
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() && metadata.len() <= LARGEST_FILE => {}
        Ok(_) => return Err(problem("is no file of at most 1 MiB")),
        Err(error) => return Err(problem(&format!("cannot be read: {}", error.kind()))),
    }
    fs::read(path).map_err(|error| problem(&format!("cannot be read: {}", error.kind())))
}

fn unusable(what: &str, path: &Path, expected: &str) -> Error {
    invalid(&format!(
        "the file {} of the {what} is not usable: expected {expected} in PEM form",
        path.display()
    ))
}

fn invalid(message: &str) -> Error {
    Error::new(codes::INVALID_CONNECTION, ErrorClass::Permanent, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(network: Network) -> Plan {
        let hosts = AllowedHosts::new(&[], true, true).unwrap();
        Plan { connect_timeout: Duration::from_secs(1), hosts, network, decodes: true }
    }

    fn mistake(network: Network) -> String {
        let error = plan(network).clients().err().unwrap();
        assert_eq!(error.code(), "INVALID_CONNECTION");
        error.to_string()
    }

    #[test]
    fn files_that_are_missing_or_hold_something_else_are_named_and_never_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let (missing, other) = (folder.path().join("missing.pem"), folder.path().join("other.pem"));
        fs::write(&other, "hunter2-hunter2").unwrap();
        let ca = |path: &PathBuf| Network { ca_certificate: Some(path.clone()), ..Network::default() };
        let identity =
            |path: &PathBuf| Network { client_certificate: Some(path.clone()), ..Network::default() };
        for (network, words) in [
            (ca(&missing), "missing.pem"),
            (ca(&other), "other.pem"),
            (identity(&missing), "missing.pem"),
            (identity(&other), "a certificate and its private key"),
            (
                Network { proxy: Some("hunter2 hunter2".into()), ..Network::default() },
                "http://proxy.acme.com",
            ),
        ] {
            let message = mistake(network);
            assert!(message.contains(words) && !message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn a_client_certificate_and_an_authority_are_taken_from_their_files() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
        let made = rcgen::generate_simple_self_signed(vec!["acme.com".to_owned()]).unwrap();
        fs::write(&certificate, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let network = Network {
            ca_certificate: Some(certificate.clone()),
            client_certificate: Some(certificate),
            client_key: Some(key),
            ..Network::default()
        };
        assert!(plan(network).clients().is_ok());
    }

    #[test]
    fn the_proxys_own_name_may_be_private() {
        let network =
            Network { proxy: Some("http://u:p@Proxy.Acme.internal:3128".into()), ..Network::default() };
        assert!(plan(network).proxy_names().contains("proxy.acme.internal"));
    }
}
