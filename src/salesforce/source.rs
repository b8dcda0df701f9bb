//! Files on other hosts that somebody names by their address: read piece by piece, from hosts of a list of their own, and
//! nothing is sent there that would say who asks.

use std::{fmt, time::Duration};

use bytes::Bytes;
use reqwest::{
    StatusCode, Version,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING},
};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};
use url::Url;

use super::codes;
use super::error::{Error, ErrorClass};
use super::failure::{Failure, Kind};
use super::{SalesforceClient, transport::Transport};

/// How long a job rests while as many files are being read as may be.
const REST: Duration = Duration::from_secs(15);

/// The address of a file. Its query may hold a signature, so that only its host is ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceAddress(Url);

impl SourceAddress {
    /// What an address has to be.
    pub const EXPECTED: &'static str =
        "an https address without a user, such as https://files.acme.com/accounts.csv";

    /// `None` where the text is no address; whether its host may be called is asked when it is opened.
    pub fn new(text: &str) -> Option<Self> {
        let url = Url::parse(text.trim()).ok()?;
        let is_one = matches!(url.scheme(), "https" | "http")
            && url.host().is_some()
            && url.username().is_empty()
            && url.password().is_none();
        is_one.then_some(Self(url))
    }

    fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

impl fmt::Debug for SourceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceAddress({})", self.host())
    }
}

/// A file that is being read.
#[derive(Debug)]
pub struct SourceFile {
    answer: reqwest::Response,
    host: String,
    patience: Duration,
    _reader: OwnedSemaphorePermit,
}

impl SalesforceClient {
    /// Opens a file. It has so much time for its answer, and again for each piece.
    ///
    /// # Errors
    /// `HOST_NOT_ALLOWED`, and those of [`SourceFile::piece`].
    pub async fn open(&self, address: &SourceAddress, patience: Duration) -> Result<SourceFile, Error> {
        open(self.transport(), address, patience).await
    }
}

async fn open(
    transport: &Transport,
    address: &SourceAddress,
    patience: Duration,
) -> Result<SourceFile, Error> {
    transport.source_hosts().check("CSV file", &address.0)?;
    let host = address.host();
    let Some(reader) = transport.reader() else {
        let rest = Some(REST);
        return Err(Error {
            rest,
            ..unavailable(host, "as many files as may be read at once are being read")
        });
    };
    tracing::debug!(host, "reads a file");
    let sent = timeout(patience, transport.source_http(&address.0)?.get(address.0.clone()).send()).await;
    let answer = match sent {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(broken(host, &Failure::from(error))),
        Err(_) => return Err(unavailable(host, "no answer in time")),
    };
    check(host, &answer)?;
    Ok(SourceFile { answer, host: host.to_owned(), patience, _reader: reader })
}

/// Refuses an answer that is not the whole file, or of which nobody could tell.
fn check(host: &str, answer: &reqwest::Response) -> Result<(), Error> {
    let (status, headers) = (answer.status(), answer.headers());
    match status.as_u16() {
        200 => {}
        408 | 425 | 429 | 500.. => return Err(unavailable(host, &format!("status {}", status.as_u16()))),
        _ => return Err(refused(host, "status 200", &unwanted(status))),
    }
    if let Some(coding) = headers.get(CONTENT_ENCODING).filter(|coding| *coding != "identity") {
        return Err(refused(
            host,
            "it as it is, not compressed",
            &format!("the Content-Encoding {coding:?}"),
        ));
    }
    // Without either, the end of the connection is the end of the file, and a cut one looks whole.
    let tells_its_end = answer.version() >= Version::HTTP_2
        || headers.contains_key(CONTENT_LENGTH)
        || headers.contains_key(TRANSFER_ENCODING);
    if !tells_its_end {
        return Err(refused(host, "an answer that says where it ends", "neither a length nor chunks"));
    }
    Ok(())
}

fn unwanted(status: StatusCode) -> String {
    let what =
        if status.is_redirection() { ", which is not followed: give the address it leads to" } else { "" };
    format!("{}{what}", status.as_u16())
}

impl SourceFile {
    /// The next piece; `None` at the end of the file.
    ///
    /// # Errors
    /// `SOURCE_UNAVAILABLE` where it breaks off, or takes too long; `SOURCE_REFUSED` where something else is there.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Error> {
        match timeout(self.patience, self.answer.chunk()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(error)) => Err(broken(&self.host, &Failure::from(error))),
            Err(_) => Err(unavailable(&self.host, "its next part did not come in time")),
        }
    }
}

fn broken(host: &str, failure: &Failure) -> Error {
    if failure.kind == Kind::Forbidden {
        let message = format!("the CSV file on {host}: {}", failure.detail);
        return Error::new(codes::HOST_NOT_ALLOWED, ErrorClass::Permanent, message);
    }
    unavailable(host, &failure.detail)
}

fn unavailable(host: &str, why: &str) -> Error {
    let message = format!("the CSV file on {host} could not be read: {why}");
    Error::new(codes::SOURCE_UNAVAILABLE, ErrorClass::Transient, message)
}

fn refused(host: &str, expected: &str, found: &str) -> Error {
    let message = format!("the CSV file on {host}: expected {expected}, found {found}");
    Error::new(codes::SOURCE_REFUSED, ErrorClass::Permanent, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_query_and_shows_its_host_alone() {
        let address = SourceAddress::new(" https://files.acme.com/a.csv?sig=s3cret ").unwrap();
        assert_eq!(address.0.query(), Some("sig=s3cret"));
        assert_eq!(format!("{address:?}"), "SourceAddress(files.acme.com)");
        for text in
            ["accounts.csv", "", "ftp://a.b/c", "file:///etc/passwd", "https://u:p@files.acme.com/a.csv"]
        {
            assert_eq!(SourceAddress::new(text), None, "{text}");
        }
    }
}
