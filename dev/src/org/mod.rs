//! DevOrg: a Salesforce org, in memory, over real HTTP.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use salesforce_connector_dev::org::{DevOrg, Fault, FaultRule, Reply};
//!
//! let org = DevOrg::start().await?;
//! let busy = Reply::error(503, "SERVER_UNAVAILABLE", "maintenance");
//! org.faults().add(FaultRule::new(Fault::Respond(busy)).method("POST").path("/sobjects/Case"));
//! // ... let the product talk to org.base_url() with dev-client and dev-secret ...
//! assert_eq!(org.counters().tokens_issued, 1);
//! # Ok(()) }
//! ```
//!
//! A request goes through `dispatch` (log, faults, token), then to `oauth` (all logins), `rest`, `composite`, `query`, `search`,
//! `bulk`, `describe` or `automation` (what the org does by itself). These stand on `store` (records and indexes), `write`,
//! `validate` and `assignment` (saves), `soql` and `sosl`, and `schema` with `seed` (objects and fields). Status codes and error texts follow the
//! REST API Developer Guide and recorded replies.

mod about;
mod assignment;
mod automation;
mod bulk;
mod composite;
mod connection;
mod datetime;
mod decimal;
mod derive;
mod describe;
mod dispatch;
mod error;
mod faults;
mod files;
mod ids;
mod knowledge;
mod list_views;
mod log;
mod oauth;
mod query;
mod recorded;
mod reports;
mod request;
mod rest;
mod schema;
mod search;
mod seed;
mod server;
mod soql;
mod sosl;
mod store;
mod strike;
mod tls;
mod validate;
mod write;

pub use automation::{Apex, Exception};
pub use bulk::{BATCH as BULK_BATCH, BulkJobs};
pub use faults::{Fault, FaultRule, Faults, Gate, Reply};
pub use log::{Counters, RecordedRequest};
pub use oauth::{Grant, LoginPolicy, UserAccess};
pub use seed::SeedError;
pub use server::{DevOrg, DevOrgBuilder};
pub use soql::{QuotedText, reading as soql_reading};
pub use sosl::reading as sosl_reading;
