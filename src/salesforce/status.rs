//! What an operator sees of an org: numbers and words, never a secret, never data of a record.

use serde::Serialize;

use super::clock;
use super::codes;
use super::error::{Error, ErrorClass};

/// How things stand with one org, as seen from this process.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrgStatus {
    /// Its host, with the port where that is not the usual one; this is where calls go.
    pub host: String,
    /// The last call or login that failed, other than by a rule of the org's own.
    pub last_error: Option<LastError>,
    /// API requests of the last 24 hours, of all the org's clients, as its last answer told them.
    pub api_usage: Option<ApiUsage>,
    /// Whether it is called at all.
    pub circuit: CircuitStatus,
    /// Requests that are under way; logins too.
    pub calls_in_flight: usize,
    /// Requests that wait until they may be: the connection's `max_concurrent_requests` are under way.
    pub calls_waiting: usize,
    /// The time of an answer in milliseconds: a moving average, the last eight weigh most. `None` before the first.
    pub latency_ms: Option<u64>,
}

/// An error in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastError {
    /// Its stable code.
    pub code: String,
    /// What happened, without query strings.
    pub message: String,
    /// When, in UTC: `2026-11-27T12:00:00Z`.
    pub at: String,
}

impl LastError {
    /// `None` for what a rule of the org refused, which is about data, and the data is in the words; and for what was not
    /// sent, which would hide the reason.
    pub(super) fn of(error: &Error) -> Option<Self> {
        let is_held =
            matches!(error.code(), codes::ORG_PAUSED | codes::ORG_BUSY | codes::API_BUDGET_RESERVED);
        if error.class() == ErrorClass::Business || is_held {
            return None;
        }
        let (code, message) = (error.code().to_owned(), error.to_string());
        Some(Self { code, message, at: clock::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string() })
    }
}

/// What the header `Sforce-Limit-Info` said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiUsage {
    /// Requests made.
    pub used: u64,
    /// Requests allowed.
    pub max: u64,
    /// How long ago the org said so.
    pub age_seconds: u64,
}

/// A circuit: whether calls go through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CircuitStatus {
    /// Whether calls go through.
    pub state: CircuitState,
    /// Why not, in words.
    pub reason: Option<String>,
    /// When the next call may go through, in seconds from now.
    pub retry_in_seconds: Option<u64>,
}

/// Whether calls go through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum CircuitState {
    /// They do.
    #[default]
    Closed,
    /// They do not.
    Open,
    /// Writes do not; reads do.
    ReadOnly,
    /// One does, to see whether the org is well again.
    HalfOpen,
}
