//! A proxy that ends TLS before a server without it, with certificates of an authority of its own.

use std::{
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::WebPkiClientVerifier,
};
use tempfile::NamedTempFile;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};

/// An end of TLS; it is there until this is dropped.
pub(crate) struct TlsEnd {
    port: u16,
    authority: NamedTempFile,
    /// The certificate and the key of a client that it lets in, where it asks for one.
    client: Option<(NamedTempFile, NamedTempFile)>,
    _stop: DropGuard,
}

impl TlsEnd {
    /// Before this server, with a certificate for this host.
    pub(crate) async fn before(server: SocketAddr, host: &str) -> Self {
        Self::start(server, host, false).await
    }

    /// The same, for clients that show a certificate of the same authority.
    pub(crate) async fn for_known_clients(server: SocketAddr, host: &str) -> Self {
        Self::start(server, host, true).await
    }

    async fn start(server: SocketAddr, host: &str, asks_for_certificate: bool) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let issue = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let certificate = CertificateParams::new([name.to_owned()]).unwrap();
            (certificate.signed_by(&key, &authority).unwrap(), key)
        };
        let (client, roots) = if asks_for_certificate {
            let (certificate, key) = issue("client");
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().clone()).unwrap();
            (Some((file(&certificate.pem()), file(&key.serialize_pem()))), Some(roots))
        } else {
            (None, None)
        };
        let (certificate, key) = issue(host);
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = config(vec![certificate.der().clone()], key, roots);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = CancellationToken::new();
        let proxy = serve(listener, TlsAcceptor::from(Arc::new(config)), server);
        tokio::spawn(stop.clone().run_until_cancelled_owned(proxy));
        Self { port, authority: file(&authority.pem()), client, _stop: stop.drop_guard() }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Where the certificate of its authority is, in PEM form.
    pub(crate) fn authority(&self) -> &Path {
        self.authority.path()
    }

    /// Where the certificate and the key of a known client are.
    pub(crate) fn client(&self) -> (PathBuf, PathBuf) {
        let (certificate, key) = self.client.as_ref().expect("it asks for a certificate");
        (certificate.path().into(), key.path().into())
    }
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    clients: Option<RootCertStore>,
) -> ServerConfig {
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        Some(roots) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, to: SocketAddr) {
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
