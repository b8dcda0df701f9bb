//! What stands between us and a server, in words for whoever runs the worker: certificates, and proxies.

use std::error::Error as StdError;

use rustls::{AlertDescription as Alert, CertificateError as Certificate, Error as TlsError};

/// Of a proxy, where the request itself met it or where a tunnel was asked for.
pub(super) const PROXY_WANTS_CREDENTIALS: &str = "the proxy wants a user and a password, or other ones (status 407): write them into the connection's proxy, or \
     HTTPS_PROXY, as in http://user:password@proxy.acme.com:3128";

/// What went wrong on the way, and what to do about it; `None` where the error's own words have to do.
pub(super) fn told(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    let chain = || std::iter::successors(Some(error), |&error| cause(error));
    let tls = chain().find_map(|error| error.downcast_ref().and_then(of_tls));
    // The others cannot be named: the HTTP client keeps their types to itself.
    tls.or_else(|| chain().find_map(|error| of_text(&error.to_string())))
}

/// What is behind an error; an I/O error tells the source of what it holds, not what it holds.
fn cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    held.map(|held| held as &(dyn StdError + 'static)).or_else(|| error.source())
}

fn of_tls(error: &TlsError) -> Option<&'static str> {
    Some(match error {
        TlsError::InvalidCertificate(Certificate::UnknownIssuer | Certificate::BadSignature) => {
            "the server's certificate is of an authority that is not trusted here; where it is rightly so, as behind a \
             proxy that opens TLS, name that authority in the connection's ca_certificate"
        }
        TlsError::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
            "the server's certificate has expired: whoever runs the server has to renew it, or this machine's clock is wrong"
        }
        TlsError::InvalidCertificate(Certificate::NotValidYet | Certificate::NotValidYetContext { .. }) => {
            "the server's certificate is not valid yet: is this machine's clock right?"
        }
        TlsError::InvalidCertificate(
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
        ) => "the server's certificate is for another name: is the address right?",
        TlsError::AlertReceived(Alert::ProtocolVersion) | TlsError::PeerIncompatible(_) => {
            "the server does not speak TLS 1.2 or 1.3 in a way that is spoken here; older ones are not offered"
        }
        TlsError::AlertReceived(
            Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnknownCA
            | Alert::CertificateUnknown
            | Alert::CertificateExpired
            | Alert::AccessDenied,
        ) => {
            "the server wants a client certificate that it knows: check the connection's client_certificate and client_key"
        }
        TlsError::InvalidMessage(_) => "what answers there does not speak TLS: is the port right?",
        _ => return None,
    })
}

fn of_text(text: &str) -> Option<&'static str> {
    if text == "tls handshake eof" {
        return Some(
            "the connection was closed in the middle of the TLS handshake: by something that does not speak TLS, or by a \
             firewall or a proxy on the way",
        );
    }
    Some(match text.strip_prefix("tunnel error: ")? {
        "proxy authorization required" => PROXY_WANTS_CREDENTIALS,
        "failed to create underlying connection" => "the proxy cannot be reached: is its address right?",
        _ => "the proxy does not lead there: ask whoever runs it to allow the host",
    })
}
