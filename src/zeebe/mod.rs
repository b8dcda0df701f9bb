//! The east wing: a client of the Zeebe gateway and a job worker. It has never heard of Salesforce.
//!
//! A [`Worker`] takes the jobs of one type from a gateway ([`GatewayClient`]), by a push stream with a poll
//! beside it, and has a [`JobHandler`] decide about each [`Job`]: the decision is an [`Outcome`], which the
//! worker reports until the gateway has accepted or refused it. A permit precedes each job and lives as
//! long as it.
//!
//! A job is never simply dropped in the middle of something that must not happen twice. Its handler says
//! when that begins ([`Job::commit_point`]), and may leave a note for whoever gets the job next
//! ([`Job::scope`]). What the worker then does at a stop, when the job is no longer its own, or when the
//! handler panics, stands at [`CommitPoint`].

mod auth;
mod channel;
mod commit_point;
mod crew;
mod document;
mod documents;
mod error;
mod gateway;
mod given_back;
mod in_hand;
mod job;
mod job_timeout;
mod labels;
mod lock;
mod locking;
mod misses;
mod oauth;
mod options;
mod outcome;
mod permits;
mod poll;
mod protocol;
mod report;
mod scope;
mod spans;
mod status;
mod stream;
mod summary;
mod verdict;
mod worker;

pub use commit_point::CommitPoint;
pub use document::{DocumentError, DocumentMetadata, DocumentReference, NewDocument};
pub use documents::Documents;
pub use error::GatewayError;
pub use gateway::{GatewayAuthentication, GatewayClient, GatewayInfo, GatewayOptions};
pub use job::Job;
pub use labels::JobLabels;
pub use lock::{Lock, LockError};
pub use options::{StopSignal, WorkerOptions, WorkerTuning};
pub use outcome::{Failure, Outcome};
pub use scope::{JobScope, ScopeError};
pub use status::{WorkerHealth, WorkerStatus};
pub use summary::WorkerSummary;
pub use worker::{JobHandler, Worker};
