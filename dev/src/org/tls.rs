//! TLS on the org's side: a connection whose handshake is made by whoever reads first, so that a slow client does not
//! hold up the others at the door.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::{Accept, TlsAcceptor, server::TlsStream};

/// Makes an acceptor of a certificate chain and its key, both PEM.
pub(super) fn acceptor(certificate: &str, key: &str) -> io::Result<TlsAcceptor> {
    let wrong = |what: &str, error: &dyn std::fmt::Display| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{what}: {error}"))
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificate.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| wrong("the certificate is not PEM", &error))?;
    let key =
        PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| wrong("the key is not PEM", &error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| wrong("certificate and key cannot be used", &error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What a connection speaks.
pub(super) enum Wire {
    Plain(TcpStream),
    Handshake(Box<Accept<TcpStream>>),
    Encrypted(Box<TlsStream<TcpStream>>),
}

impl Wire {
    pub(super) fn new(stream: TcpStream, acceptor: Option<&TlsAcceptor>) -> Self {
        match acceptor {
            Some(acceptor) => Self::Handshake(Box::new(acceptor.accept(stream))),
            None => Self::Plain(stream),
        }
    }

    /// Ready when bytes can be read and written.
    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Self::Handshake(accept) = self {
            let stream = ready!(Pin::new(accept.as_mut()).poll(cx))?;
            *self = Self::Encrypted(Box::new(stream));
        }
        Poll::Ready(Ok(()))
    }
}

/// Calls the same method of the stream inside, once the handshake is done.
macro_rules! inside {
    ($wire:expr, $cx:expr, $method:ident($($argument:expr),*)) => {{
        ready!($wire.poll_handshake($cx))?;
        match &mut *$wire {
            Wire::Plain(stream) => Pin::new(stream).$method($cx, $($argument),*),
            Wire::Encrypted(stream) => Pin::new(stream.as_mut()).$method($cx, $($argument),*),
            Wire::Handshake(_) => unreachable!("the handshake was just ended"),
        }
    }};
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        inside!(self, cx, poll_read(buf))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        inside!(self, cx, poll_write(buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        inside!(self, cx, poll_write_vectored(bufs))
    }

    fn is_write_vectored(&self) -> bool {
        matches!(self, Self::Plain(_) | Self::Encrypted(_))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        inside!(self, cx, poll_flush())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        inside!(self, cx, poll_shutdown())
    }
}
