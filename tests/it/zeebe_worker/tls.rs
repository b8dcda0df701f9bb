//! TLS to the gateway: a DevGateway behind a proxy that ends TLS.

use std::{io::Write, sync::Arc};

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use salesforce_connector::zeebe::GatewayOptions;
use salesforce_connector_dev::gateway::DevGateway;
use tempfile::NamedTempFile;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Setup, address, completing, new_job, soon};

/// A DevGateway behind TLS, with a certificate of an authority of its own.
struct TlsGateway {
    gateway: DevGateway,
    port: u16,
    ca: NamedTempFile,
    _stop: DropGuard,
}

impl TlsGateway {
    async fn start(host: &str) -> Self {
        let (ca, config) = certificates(host);
        let gateway = DevGateway::start().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = CancellationToken::new();
        let proxy = serve(listener, TlsAcceptor::from(Arc::new(config)), gateway.address());
        tokio::spawn(stop.clone().run_until_cancelled_owned(proxy));
        Self { gateway, port, ca, _stop: stop.drop_guard() }
    }

    fn options(&self) -> GatewayOptions {
        GatewayOptions {
            ca_certificate: Some(self.ca.path().into()),
            ..address(format!("https://localhost:{}", self.port))
        }
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, to: std::net::SocketAddr) {
    while let Ok((socket, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // A client that does not trust us ends here.
            let Ok(mut inside) = acceptor.accept(socket).await else { return };
            let mut outside = TcpStream::connect(to).await.unwrap();
            let _ = copy_bidirectional(&mut inside, &mut outside).await;
        });
    }
}

/// A new authority as a PEM file, and a server that it has certified.
fn certificates(host: &str) -> (NamedTempFile, ServerConfig) {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(ca.pem().as_bytes()).unwrap();

    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([host.to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
    let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    (file, config)
}

#[tokio::test]
async fn with_its_authority_the_gateway_is_trusted_for_streams_and_commands() {
    let tls = TlsGateway::start("localhost").await;
    let worker = Setup::at(tls.options()).run_ready(completing).await;
    let key = tls.gateway.create_job(new_job());
    soon(tls.gateway.finished(key)).await;
    assert_eq!(worker.drain().await.completed, 1);
}

#[tokio::test]
async fn without_its_authority_the_gateway_is_not_trusted_and_the_error_says_what_to_do() {
    let (tls, other) = (TlsGateway::start("localhost").await, TlsGateway::start("localhost").await);
    let wrong = GatewayOptions { ca_certificate: other.options().ca_certificate, ..tls.options() };
    let none = GatewayOptions { ca_certificate: None, ..tls.options() };
    for options in [wrong, none] {
        let error = soon(Setup::at(options).client().info()).await.unwrap_err().to_string();
        assert!(error.contains("certificate"), "{error}");
        assert!(error.contains("name its CA certificate file"), "{error}");
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_needs_the_override() {
    let tls = TlsGateway::start("zeebe.example.com").await;
    let error = soon(Setup::at(tls.options()).client().info()).await.unwrap_err().to_string();
    assert!(error.contains("override the authority"), "{error}");

    let options = GatewayOptions { override_authority: Some("zeebe.example.com".into()), ..tls.options() };
    let info = soon(Setup::at(options).client().info()).await.unwrap();
    assert_eq!(info.brokers, 1);
}

#[tokio::test]
async fn plaintext_to_a_tls_port_and_tls_to_a_plaintext_port_fail_with_an_error() {
    let tls = TlsGateway::start("localhost").await;
    let plain = address(format!("http://localhost:{}", tls.port));
    soon(Setup::at(plain).client().info()).await.unwrap_err();

    let encrypted = GatewayOptions {
        address: format!("https://localhost:{}", tls.gateway.address().port()),
        ..tls.options()
    };
    let error = soon(Setup::at(encrypted).client().info()).await.unwrap_err().to_string();
    assert!(error.contains("http://"), "{error}");
}
