//! TLS to an org: whom we trust, what we show, and what a refusal says.

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::PrivateKeyDer,
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use super::super::{ApiVersion, Error, Network, SalesforceClient};
use super::server::{Reply, Server, answer, grant, patient, query, transport};

/// A certificate authority of the test's own, with its files.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, format!("authority {:x}", fastrand::u64(..)));
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn certify(
        &self,
        host: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> (rcgen::Certificate, KeyPair) {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// The files of a client's certificate and its key.
    fn client(&self) -> (PathBuf, PathBuf) {
        let (certificate, key) = self.certify("worker.acme.com", |_| ());
        let (pem, key_pem) = (self.folder.path().join("client.pem"), self.folder.path().join("client.key"));
        fs::write(&pem, certificate.pem()).unwrap();
        fs::write(&key_pem, key.serialize_pem()).unwrap();
        (pem, key_pem)
    }

    /// What checks that clients show a certificate of this authority.
    fn verifier(&self) -> Arc<dyn ClientCertVerifier> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build().unwrap()
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The end of TLS before a server without.
pub(super) struct Front {
    pub(super) address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Drop for Front {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Front {
    pub(super) async fn start(to: SocketAddr, authority: &Authority, host: &str) -> Self {
        Self::start_with(to, authority.certify(host, |_| ()), WebPkiClientVerifier::no_client_auth()).await
    }

    /// Before a server that speaks HTTP/2.
    pub(super) async fn start_http2(to: SocketAddr, authority: &Authority, host: &str) -> Self {
        let open = WebPkiClientVerifier::no_client_auth();
        Self::start_speaking(&[b"h2"], to, authority.certify(host, |_| ()), open).await
    }

    async fn start_with(
        to: SocketAddr,
        certificate: (rcgen::Certificate, KeyPair),
        clients: Arc<dyn ClientCertVerifier>,
    ) -> Self {
        Self::start_speaking(&[], to, certificate, clients).await
    }

    async fn start_speaking(
        protocols: &[&[u8]],
        to: SocketAddr,
        (certificate, key): (rcgen::Certificate, KeyPair),
        clients: Arc<dyn ClientCertVerifier>,
    ) -> Self {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients)
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // A client that does not trust us, or that we do not, ends here.
                    let Ok(mut inside) = acceptor.accept(socket).await else { return };
                    let mut outside = TcpStream::connect(to).await.unwrap();
                    let _ = copy_bidirectional(&mut inside, &mut outside).await;
                });
            }
        });
        Self { address, accepting }
    }

    pub(super) fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }
}

pub(super) async fn org() -> Server {
    Server::org(|_| done()).await
}

fn done() -> Reply {
    answer(200, &json!({"totalSize": 0, "done": true, "records": []}))
}

fn client(front: &Front, network: &Network) -> SalesforceClient {
    let transport = transport().over(network).unwrap();
    transport.client(&front.url(), ApiVersion::DEFAULT, grant()).unwrap()
}

fn trusting(authority: &Authority) -> Network {
    Network { ca_certificate: Some(authority.file()), ..Network::default() }
}

async fn refusal(front: &Front, network: &Network) -> Error {
    client(front, network).send(&query(), patient()).await.unwrap_err()
}

fn assert_told(error: &Error, words: &[&str]) {
    assert_eq!(error.code(), "TOKEN_ENDPOINT_UNAVAILABLE");
    for word in words {
        assert!(error.to_string().contains(word), "{word}: {error}");
    }
}

#[tokio::test]
async fn an_authority_of_the_connection_is_trusted_by_that_connection_only() {
    let (authority, other, org) = (Authority::new(), Authority::new(), org().await);
    let front = Front::start(org.address(), &authority, "localhost").await;
    client(&front, &trusting(&authority)).send(&query(), patient()).await.unwrap();
    assert_eq!((org.logins(), org.calls()), (1, 1));
    for network in [trusting(&other), Network::default()] {
        let error = refusal(&front, &network).await;
        assert_told(&error, &["an authority that is not trusted here", "ca_certificate", "UnknownIssuer"]);
    }
    assert_eq!((org.logins(), org.calls()), (1, 1), "no secret was sent");
}

#[tokio::test]
async fn a_certificate_that_has_expired_or_is_for_another_name_is_told_as_such() {
    let (authority, org) = (Authority::new(), org().await);
    let open = WebPkiClientVerifier::no_client_auth;
    let expired = authority.certify("localhost", |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2020, 12, 31);
    });
    let front = Front::start_with(org.address(), expired, open()).await;
    assert_told(&refusal(&front, &trusting(&authority)).await, &["certificate has expired", "clock"]);
    let future = authority.certify("localhost", |params| params.not_before = date_time_ymd(2300, 1, 1));
    let front = Front::start_with(org.address(), future, open()).await;
    assert_told(&refusal(&front, &trusting(&authority)).await, &["not valid yet", "clock"]);
    let front = Front::start(org.address(), &authority, "acme.my.salesforce.com").await;
    assert_told(&refusal(&front, &trusting(&authority)).await, &["for another name"]);
    assert!(org.seen().is_empty());
}

#[tokio::test]
async fn the_client_certificate_of_the_connection_is_shown_to_an_org_that_asks_for_it() {
    let (authority, other, org) = (Authority::new(), Authority::new(), org().await);
    let server = authority.certify("localhost", |_| ());
    let front = Front::start_with(org.address(), server, authority.verifier()).await;
    let showing = |(certificate, key): (PathBuf, PathBuf)| Network {
        client_certificate: Some(certificate),
        client_key: Some(key),
        ..trusting(&authority)
    };
    client(&front, &showing(authority.client())).send(&query(), patient()).await.unwrap();
    assert_eq!((org.logins(), org.calls()), (1, 1));
    for network in [trusting(&authority), showing(other.client())] {
        assert_told(&refusal(&front, &network).await, &["client certificate", "client_certificate"]);
    }
    assert_eq!((org.logins(), org.calls()), (1, 1));
}

#[tokio::test]
async fn what_does_not_speak_tls_is_told_as_such() {
    for (reply, words) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &["does not speak TLS", "port"][..]),
        (b"", &["closed in the middle of the TLS handshake", "firewall"]),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.read(&mut [0; 4096]).await;
            socket.write_all(reply).await.unwrap();
        });
        assert_told(&refusal(&Front { address, accepting }, &Network::default()).await, words);
    }
}

#[tokio::test]
async fn no_version_of_tls_before_1_2_is_offered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let front = Front { address: listener.local_addr().unwrap(), accepting: tokio::spawn(async {}) };
    let hello = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut header = [0; 5];
        socket.read_exact(&mut header).await.unwrap();
        let mut hello = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
        socket.read_exact(&mut hello).await.unwrap();
        hello
    });
    refusal(&front, &Network::default()).await;
    let hello = hello.await.unwrap();
    // The extension supported_versions (RFC 8446, section 4.2.1): type 43, length 5, then a list of 4 bytes.
    let list = [0x00, 0x2b, 0x00, 0x05, 0x04];
    let at = hello.windows(list.len()).position(|window| window == list).expect("two versions are offered");
    let mut offered = [&hello[at + 5..at + 7], &hello[at + 7..at + 9]];
    offered.sort_unstable();
    assert_eq!(offered, [[3, 3], [3, 4]], "TLS 1.2 and 1.3");
}
