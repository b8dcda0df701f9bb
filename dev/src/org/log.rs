//! What the org remembers of the requests it got.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::{Deserialize, Serialize};

/// Older requests are forgotten, so that a long run stays small.
const KEPT: usize = 10_000;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct RecordedRequest {
    /// The HTTP method.
    pub method: String,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query, still percent-encoded, without the question mark; empty if there was none.
    pub query: String,
    /// Header names in lower case, and values; credentials are replaced by `***`.
    pub headers: Vec<(String, String)>,
    /// The status of the answer; `None` while there is none, and for a connection that was cut.
    pub status: Option<u16>,
}

impl RecordedRequest {
    /// The value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// How often things happened since the org was started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Requests to the token endpoint, also those that a fault struck.
    pub token_requests: u64,
    /// Tokens handed out.
    pub tokens_issued: u64,
    /// Token requests that were answered with an error.
    pub tokens_refused: u64,
    /// API requests that were carried out with a valid token; the number that `Sforce-Limit-Info` tells.
    pub api_requests: u64,
    /// Requests whose token was refused: with 401 by the API, with 403 by the identity endpoints.
    pub unauthorized_requests: u64,
    /// API requests with a valid token by method and resource, for example `POST sobjects/{object}`.
    pub by_resource: BTreeMap<String, u64>,
    /// Connections accepted.
    pub connections: u64,
    /// Requests that arrived and are not answered yet.
    pub in_flight: u64,
    /// The most requests that were in flight at one time.
    pub most_in_flight: u64,
}

/// Counts a request as in flight while it lives.
pub(crate) struct InFlight<'a>(&'a RequestLog);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.count(|counters| counters.in_flight -= 1);
    }
}

#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    first: u64,
    requests: VecDeque<RecordedRequest>,
    counters: Counters,
}

impl RequestLog {
    /// Notes a request; answers the number under which its answer is noted later.
    pub(crate) fn arrived(&self, parts: &Parts) -> u64 {
        let request = RecordedRequest {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: masked(&parts.headers),
            status: None,
        };
        let mut state = self.lock();
        if state.requests.len() == KEPT {
            state.requests.pop_front();
            state.first += 1;
        }
        state.requests.push_back(request);
        state.first + state.requests.len() as u64 - 1
    }

    /// Counts a request until the answer is dropped.
    pub(crate) fn in_flight(&self) -> InFlight<'_> {
        self.count(|counters| {
            counters.in_flight += 1;
            counters.most_in_flight = counters.most_in_flight.max(counters.in_flight);
        });
        InFlight(self)
    }

    /// Notes the status of an answer.
    pub(crate) fn answered(&self, number: u64, status: u16) {
        let mut state = self.lock();
        let position = number.checked_sub(state.first).and_then(|position| usize::try_from(position).ok());
        if let Some(request) = position.and_then(|position| state.requests.get_mut(position)) {
            request.status = Some(status);
        }
    }

    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        self.lock().requests.iter().cloned().collect()
    }

    pub(crate) fn counters(&self) -> Counters {
        self.lock().counters.clone()
    }

    /// Changes the counters.
    pub(crate) fn count(&self, change: impl FnOnce(&mut Counters)) {
        change(&mut self.lock().counters);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn masked(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let secret = name == header::AUTHORIZATION || name == header::COOKIE;
            let text = if secret { "***".into() } else { String::from_utf8_lossy(value.as_bytes()) };
            (name.as_str().to_owned(), text.into_owned())
        })
        .collect()
}
