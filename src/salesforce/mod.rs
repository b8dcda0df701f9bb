//! The west wing: a client of Salesforce's REST API. It has never heard of Camunda.
//!
//! A [`Request`] is built by a pure function and sent by a [`SalesforceClient`], which a [`Transport`] makes from a
//! base URL and [`Credentials`]. The transport is one per program and holds what all clients share: connections and
//! access tokens. What fails is an [`Error`] with a class and a stable code ([`codes`]).

mod about;
mod address;
mod authorize;
mod budget;
mod call_options;
mod callback;
mod circuit;
mod client;
mod clock;
pub mod codes;
mod content;
mod credentials;
mod error;
mod error_body;
mod error_codes;
mod failure;
mod grant;
mod graphql;
mod guard;
mod head;
mod host_pattern;
mod hosts;
mod jwt;
mod load;
mod login;
mod lookups;
mod network;
mod oauth_error;
mod obstacle;
mod org;
mod orgs;
mod outage;
mod parcel;
mod replay;
mod request;
mod resolver;
mod response;
mod retry;
mod seats;
mod session;
pub mod soql;
pub mod sosl;
mod source;
mod span;
mod status;
mod sub_request;
mod token;
mod transport;
mod types;
mod versions;

pub use about::{DailyRequests, Organization, User, Versions};
pub use authorize::{Authorization, AuthorizedLogin, Obtained, STATE_MISMATCH};
pub use call_options::CallOptions;
pub use callback::{Callback, CallbackPage, CallbackServer};
pub use client::{SalesforceClient, TimeLimit};
pub use content::{Content, Pieces};
pub use credentials::{ClientAuthentication, Credentials, LoginAddress, OAuthClient};
pub use error::{Error, ErrorClass, ErrorDetail};
pub use graphql::{GraphOperation, OperationKind, operations as graph_operations};
pub use guard::Guard;
pub use hosts::{AllowedHosts, DEFAULT_HOSTS};
pub use network::Network;
pub use request::{
    AnswerForm, BulkJob, BulkKind, BulkResult, CallClass, FilePart, FreeHeader, FreePath, Path, Request,
    Verb, WrittenPath,
};
pub use response::Response;
pub use source::{SourceAddress, SourceFile};
pub use status::{ApiUsage, CircuitState, CircuitStatus, LastError, OrgStatus};
pub use sub_request::{Reference, ResourceUrl, SubMethod, SubRequest};
pub use transport::{Transport, TransportOptions};
pub use types::{
    ApiVersion, ArticleName, ExternalId, FieldName, InvalidText, NextRecordsUrl, ObjectName, RecordId,
};

#[cfg(test)]
mod tests;
