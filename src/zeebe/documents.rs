//! The documents of the cluster: files that processes refer to, beside their variables. They are read and stored over
//! the cluster's REST API, which has them from 8.7 on.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use reqwest::{Client, RequestBuilder, Response, StatusCode, header, redirect::Policy};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, timeout};
use url::Url;

use super::{
    GatewayError, GatewayOptions,
    auth::{Authenticator, Authorization},
    document::{DocumentError, DocumentReference, NewDocument},
    error::chain,
    oauth::{certificates, excerpt},
};
use crate::tls::use_ring;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// An answer that is no document is not read further, in bytes.
const MOST_WORDS: usize = 64 * 1024;

/// The documents of one cluster. Cheap to clone.
#[derive(Clone, Default)]
pub struct Documents(Option<Arc<Inner>>);

struct Inner {
    /// Of `/v2/documents`.
    address: Url,
    http: Client,
    authenticator: Arc<Authenticator>,
}

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Documents").field(&self.0.as_ref().map(|inner| inner.address.as_str())).finish()
    }
}

impl Documents {
    /// No documents: whoever wants one is told that the REST API is not configured.
    pub fn none() -> Self {
        Self::default()
    }

    /// Those of the cluster behind the options; nothing is sent. Calls carry the credentials of the gateway.
    pub(super) fn new(
        options: &GatewayOptions,
        authenticator: Arc<Authenticator>,
    ) -> Result<Self, GatewayError> {
        let Some(address) = &options.rest_address else { return Ok(Self::none()) };
        let address = address_of_documents(address)?;
        use_ring();
        let mut builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            // A redirect would carry the token to a host that nobody named.
            .redirect(Policy::none());
        if let Some(path) = options.ca_certificate.as_deref().filter(|_| address.scheme() == "https") {
            builder = builder.tls_certs_merge(certificates(path)?);
        }
        let http = builder.build().map_err(|error| {
            GatewayError::options(format!("no HTTP client for documents: {}", chain(&error)))
        })?;
        Ok(Self(Some(Arc::new(Inner { address, http, authenticator }))))
    }

    /// Reads a document of at most so many bytes, within this time.
    pub async fn read(
        &self,
        reference: &DocumentReference,
        max_bytes: usize,
        limit: Duration,
    ) -> Result<Bytes, DocumentError> {
        let inner = self.inner()?;
        within(limit, inner.read(reference, max_bytes)).await
    }

    /// Stores a document, within this time, and gives its reference as a process holds it. When the answer is lost, a
    /// document may stay behind that nobody refers to.
    pub async fn store(&self, document: NewDocument, limit: Duration) -> Result<Value, DocumentError> {
        let inner = self.inner()?;
        within(limit, inner.store(document)).await
    }

    /// Whether there is an address to read from and to store at.
    pub fn check(&self) -> Result<(), DocumentError> {
        self.inner().map(drop)
    }

    fn inner(&self) -> Result<&Inner, DocumentError> {
        self.0.as_deref().ok_or(DocumentError::NotConfigured)
    }
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, DocumentError>>,
) -> Result<T, DocumentError> {
    timeout(limit, work).await.unwrap_or_else(|_| {
        let message = format!("the cluster's REST API did not answer within {:.1} s", limit.as_secs_f64());
        Err(DocumentError::Unavailable(message))
    })
}

impl Inner {
    async fn read(&self, reference: &DocumentReference, max_bytes: usize) -> Result<Bytes, DocumentError> {
        let id = &reference.document_id;
        let mut url = self.address.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(id);
        }
        let parameters = [("storeId", &reference.store_id), ("contentHash", &reference.content_hash)];
        for (name, value) in parameters {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        let answer = self.send(|| self.http.get(url.clone())).await?;
        let call = format!("GET {}", url.path());
        if answer.status() != StatusCode::OK {
            return Err(refusal(&call, answer, true).await);
        }
        let too_large =
            || DocumentError::TooLarge(format!("the document {id} has more than {max_bytes} bytes"));
        if answer.content_length().is_some_and(|length| length > max_bytes as u64) {
            return Err(too_large());
        }
        bounded(answer, max_bytes).await.map_err(|error| broken(&call, &error))?.ok_or_else(too_large)
    }

    async fn store(&self, document: NewDocument) -> Result<Value, DocumentError> {
        let (content_type, body) = parts(&document);
        drop(document);
        let post = || {
            self.http
                .post(self.address.clone())
                .header(header::CONTENT_TYPE, &content_type)
                .header(header::ACCEPT, "application/json")
                .body(body.clone())
        };
        let answer = self.send(post).await?;
        let call = format!("POST {}", self.address.path());
        if !answer.status().is_success() {
            return Err(refusal(&call, answer, false).await);
        }
        let body = bounded(answer, MOST_WORDS).await.map_err(|error| broken(&call, &error))?;
        let reference = body.and_then(|body| serde_json::from_slice::<Value>(&body).ok());
        // Whatever else is in it is kept as it came.
        reference.filter(|reference| reference.get("documentId").is_some_and(Value::is_string)).ok_or_else(
            || {
                DocumentError::Refused(format!(
                    "{call}: expected the reference of a document in the answer, found none"
                ))
            },
        )
    }

    /// Sends with the current token; once more with a new one where it is not accepted.
    async fn send(&self, request: impl Fn() -> RequestBuilder) -> Result<Response, DocumentError> {
        let used = self.authorization().await?;
        let answer = self.send_as(request(), &used).await?;
        if answer.status() != StatusCode::UNAUTHORIZED || !self.authenticator.invalidate(&used) {
            return Ok(answer);
        }
        let renewed = self.authorization().await?;
        let answer = self.send_as(request(), &renewed).await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            let reason = "a new token was not accepted by the REST API either".to_owned();
            self.authenticator.reject(&renewed, reason);
        }
        Ok(answer)
    }

    async fn authorization(&self) -> Result<Authorization, DocumentError> {
        let authorization = self.authenticator.authorization().await;
        authorization.map_err(|error| DocumentError::Unavailable(error.to_string()))
    }

    async fn send_as(
        &self,
        mut request: RequestBuilder,
        who: &Authorization,
    ) -> Result<Response, DocumentError> {
        if let Some(header) = who.header() {
            let mut value = header::HeaderValue::from_bytes(header.as_bytes()).expect("it is one already");
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        let began = Instant::now();
        let result = request.send().await;
        let (status, elapsed_ms) =
            (result.as_ref().ok().map(|answer| answer.status().as_u16()), began.elapsed().as_millis());
        tracing::debug!(status, elapsed_ms, "called the cluster's REST API");
        result.map_err(|error| broken(self.address.as_str(), &error.without_url()))
    }
}

fn broken(call: &str, error: &(dyn Error + 'static)) -> DocumentError {
    DocumentError::Unavailable(format!("{call}: {}", chain(error)))
}

/// `multipart/form-data` with the file and what is said about it: its type, and the body.
fn parts(document: &NewDocument) -> (String, Bytes) {
    let NewDocument { content, metadata } = document;
    let boundary = format!("{:032x}", fastrand::u128(..));
    let name = metadata.file_name.as_deref().unwrap_or("document");
    let name = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    let kind = metadata.content_type.as_deref().unwrap_or("application/octet-stream");
    let said = serde_json::to_string(metadata).expect("metadata is JSON");
    let before = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"metadata\"\r\nContent-Type: application/json\r\n\r\n\
         {said}\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: {kind}\r\n\r\n"
    );
    let after = format!("\r\n--{boundary}--\r\n");
    let body = [before.as_bytes(), content, after.as_bytes()].concat();
    (format!("multipart/form-data; boundary={boundary}"), body.into())
}

/// The body of an answer; `None` where it has more bytes.
async fn bounded(mut answer: Response, max_bytes: usize) -> Result<Option<Bytes>, reqwest::Error> {
    let length = answer.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    let mut body = Vec::with_capacity(length.min(max_bytes));
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > max_bytes {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body.into()))
}

/// What the cluster means by a status that is no success.
async fn refusal(call: &str, answer: Response, names_document: bool) -> DocumentError {
    let status = answer.status();
    let body = bounded(answer, MOST_WORDS).await.ok().flatten().unwrap_or_default();
    let told = Problem::read(&body);
    let message = format!("{call}: {status}{}", told.words);
    match status {
        StatusCode::NOT_FOUND if names_document && told.knows_documents => DocumentError::NotFound(message),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
            DocumentError::NotSupported(message)
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => DocumentError::Unavailable(message),
        status if status.is_server_error() => DocumentError::Unavailable(message),
        _ => DocumentError::Refused(message),
    }
}

/// What stands in the answer to a refused request.
struct Problem {
    /// With a colon in front, or nothing.
    words: String,
    /// It comes from the API of documents, and not from a server that has none.
    knows_documents: bool,
}

impl Problem {
    /// Problem details (RFC 9457), else the words as they are.
    fn read(body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Details {
            title: Option<String>,
            detail: Option<String>,
        }
        let details = serde_json::from_slice::<Details>(body).ok();
        // The API of documents gives the problem a name of its own; a server without such a path says "Not Found".
        let named =
            details.as_ref().and_then(|details| details.title.as_deref().zip(details.detail.as_deref()));
        let knows_documents = named.is_some_and(|(title, _)| title != "Not Found");
        let words = match details {
            Some(Details { title, detail }) => detail.or(title).unwrap_or_default(),
            None => String::from_utf8_lossy(body).into_owned(),
        };
        let words =
            if words.trim().is_empty() { String::new() } else { format!(": {}", excerpt(words.trim())) };
        Self { words, knows_documents }
    }
}

/// `/v2/documents` below the address, with which some configurations name `/v2` already.
fn address_of_documents(text: &str) -> Result<Url, GatewayError> {
    let invalid = |reason: &str| {
        let message = "the address of the REST API must look like http://host:8080 or https://host/path";
        GatewayError::options(format!("{message}, but {text:?} {reason}"))
    };
    let mut url = Url::parse(text.trim()).map_err(|_| invalid("is not an address"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(GatewayError::options(
            "the address of the REST API must not hold a user or a password: use the authentication options",
        ));
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid("has another scheme"));
    }
    url.set_query(None);
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/').trim_end_matches("/v2").to_owned();
    url.set_path(&format!("{path}/v2/documents"));
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_below_the_address_whatever_its_end() {
        for (address, expected) in [
            ("http://localhost:8080", "http://localhost:8080/v2/documents"),
            (" http://localhost:8080/v2/ ", "http://localhost:8080/v2/documents"),
            ("https://bru-2.zeebe.camunda.io:443/id/?x#y", "https://bru-2.zeebe.camunda.io/id/v2/documents"),
        ] {
            assert_eq!(address_of_documents(address).unwrap().as_str(), expected);
        }
        for address in ["localhost:8080", "", "ftp://a", "http://"] {
            let message = address_of_documents(address).unwrap_err().to_string();
            assert!(message.contains("must look like http://host:8080"), "{message}");
        }
        let message = address_of_documents("http://demo:geheim@a").unwrap_err().to_string();
        assert!(message.contains("authentication options") && !message.contains("geheim"), "{message}");
    }

    #[test]
    fn a_store_that_misses_a_document_is_told_from_a_server_without_documents() {
        let store = br#"{"type":"about:blank","title":"NOT_FOUND","status":404,"detail":"Document with id 'a' not found"}"#;
        let told = Problem::read(store);
        assert_eq!((told.words.as_str(), told.knows_documents), (": Document with id 'a' not found", true));
        for (body, words) in [
            (
                r#"{"title":"Not Found","detail":"No static resource v2/documents/a."}"#,
                ": No static resource v2/documents/a.",
            ),
            (r#"{"timestamp":"2026","status":404,"error":"Not Found"}"#, ""),
            ("<html>", ": <html>"),
            ("", ""),
        ] {
            let told = Problem::read(body.as_bytes());
            assert_eq!((told.words.as_str(), told.knows_documents), (words, false));
        }
    }
}
