//! The hall: the only place where "Salesforce" and "job" stand in one sentence.
//!
//! [`Connector`] is the handler of the worker's jobs; the way of one job is told in `handler.rs`.

mod authentication;
mod browser_login;
mod checkup;
mod codes;
mod connections;
mod decision;
pub(crate) mod described;
mod duplicates;
mod error;
mod explore;
mod expressions;
mod failure;
mod failures;
mod file_room;
mod handler;
mod headers;
mod input;
mod mapping;
mod mark;
mod note;
pub mod operations;
mod redactor;
mod request;
mod sample;
mod secrets;
mod settlement;
pub mod template;

pub(crate) use authentication::check_word;
pub use authentication::{AuthenticationField, AuthenticationMethod, ConnectionAuthentication};
pub use browser_login::BrowserLogin;
pub use checkup::{Checkup, Finding, Part};
pub use codes::{CODES, Code, ErrorType};
pub use connections::{ConnectionStatus, Connections, NamedConnection};
pub use decision::Decision;
pub use error::Error;
pub use expressions::ENGINE as FEEL_ENGINE;
pub(crate) use expressions::check_allowed;
pub use failures::{FailedJob, FailureLog};
pub use file_room::FileOptions;
pub use handler::{Connector, ConnectorOptions};
pub use input::InvalidInput;
pub use mark::STATE_VARIABLE;
pub use operations::Operation;
pub use redactor::Redactor;
pub use request::Request;
pub use sample::{sample_error, sample_response};
pub use secrets::{SecretProvider, SecretScope, SecretsOptions, VaultAuthentication, VaultOptions};

/// The one variable that a job's input is in.
pub const INPUT_VARIABLE: &str = "salesforceRequest";
