//! The west wing: a client of Salesforce's REST API. It has never heard of Camunda.

mod request;
mod types;

pub use request::{CallClass, Path, Request};
pub use types::{ApiVersion, ExternalId, FieldName, InvalidText, ObjectName, RecordId};
