//! The limit on what precedes a request's body.

use super::failure::{Failure, Kind};

/// Salesforce refuses requests whose address and headers are longer, with an HTML page and status 414 or 431.
const LIMIT: usize = 16_384;

/// What the HTTP client adds on the way: the host, the length of the body, what may be compressed, `traceparent`.
const ADDED: usize = 256;

/// Refuses a request that would be refused for its length, so that the error can say what to do.
pub(super) fn check(http: &reqwest::Request) -> Result<(), Failure> {
    let (url, headers) = (http.url(), http.headers());
    let address = url.path().len() + url.query().map_or(0, |query| query.len() + 1);
    let headers: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let length = address + headers + ADDED;
    if length <= LIMIT {
        return Ok(());
    }
    let detail = format!(
        "not sent: its address has {address} bytes, about {length} with the headers, and Salesforce takes {LIMIT}; \
         ask for fewer fields, or split a long list of values over several tasks"
    );
    Err(Failure::new(Kind::TooLong, detail))
}
