//! What became of a request that has no complete answer.
//!
//! The question is whether it may have reached the server. The answer is found in the chain of sources of the HTTP
//! client's error; where it cannot be found, the request is taken as sent.

use std::{error::Error as StdError, time::Duration};

use super::obstacle;
use super::resolver::Forbidden;

/// Why there is no complete answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Not one byte was sent, or none of the body: name not found, connection refused, TLS handshake failed, no time left.
    NeverSent,
    /// Not one byte was sent: the address may not be called.
    Forbidden,
    /// Sent, or perhaps sent, and no answer in time.
    TimedOut,
    /// Sent, or perhaps sent, and the connection broke.
    Lost,
    /// The answer was larger than allowed.
    TooLarge,
    /// The request could not be built.
    Unbuildable,
    /// Not one byte was sent: address and headers are longer than Salesforce takes.
    TooLong,
    /// Not one byte was sent: the org is left alone for now. With the stable code of why.
    Held(&'static str),
}

/// A request without a complete answer.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: Kind,
    /// In words; without addresses and secrets.
    pub(super) detail: String,
    /// How long to leave the org alone, for a call that was held.
    pub(super) rest: Option<Duration>,
}

impl Failure {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), rest: None }
    }

    /// The same with the host that was not reached in front.
    pub(super) fn at(mut self, host: &str) -> Self {
        if self.kind == Kind::NeverSent {
            self.detail = format!("{host}: {}", self.detail);
        }
        self
    }

    /// Whether it may have reached the server.
    pub(super) fn may_have_left(&self) -> bool {
        matches!(self.kind, Kind::TimedOut | Kind::Lost)
    }

    /// The same, now that it is known that nothing of the body was sent.
    pub(super) fn never_left(self) -> Self {
        Self {
            kind: Kind::NeverSent,
            detail: format!("{}; nothing of the body was sent", self.detail),
            ..self
        }
    }

    /// A call that was not sent, to spare the org; without a `rest` it has failed.
    pub(super) fn held(code: &'static str, detail: String, rest: Option<Duration>) -> Self {
        Self { kind: Kind::Held(code), detail, rest }
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        // The address holds the query, the query holds data.
        let error = error.without_url();
        let kind = if sources(&error).any(<dyn StdError>::is::<Forbidden>) {
            Kind::Forbidden
        } else if error.is_builder() {
            Kind::Unbuildable
        } else if error.is_connect() || was_never_written(&error) || was_never_begun(&error) {
            Kind::NeverSent
        } else if error.is_timeout() {
            Kind::TimedOut
        } else {
            Kind::Lost
        };
        let chain = chain(&error);
        let detail = match obstacle::told(&error) {
            Some(told) => format!("{told} ({chain})"),
            None => chain,
        };
        Self { kind, detail, rest: None }
    }
}

fn sources<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&error| error.source())
}

/// A request that was still in the queue of a connection when that connection ended: hyper calls it canceled.
fn was_never_written(error: &reqwest::Error) -> bool {
    sources(error).filter_map(|source| source.downcast_ref::<hyper::Error>()).any(hyper::Error::is_canceled)
}

/// What HTTP/2 says of a request that the server has not begun to process (RFC 9113, sections 6.8 and 8.7): the stream
/// refused, or beyond the last one of a connection that ends gracefully. Only a request has that, not an answer's body.
fn was_never_begun(error: &reqwest::Error) -> bool {
    let says_so = |error: &h2::Error| match error.reason() {
        Some(h2::Reason::REFUSED_STREAM) => error.is_reset(),
        Some(h2::Reason::NO_ERROR) => error.is_go_away(),
        _ => false,
    };
    let mut causes = sources(error).filter_map(|source| source.downcast_ref::<h2::Error>());
    error.is_request() && causes.any(|cause| cause.is_remote() && says_so(cause))
}

/// The innermost causes say most; the outer layers repeat them.
fn chain(error: &reqwest::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for source in sources(error) {
        let text = source.to_string();
        if parts.last().is_none_or(|last| !last.contains(&text)) {
            parts.push(text);
        }
    }
    if parts.is_empty() {
        parts.push(error.to_string());
    }
    parts.join(": ")
}
