//! The integration tests, in one binary: the plan of the house, each wing on its wire, and the whole house between its
//! doubles.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::needless_pass_by_value, reason = "a test reads better where JSON is written in place")]

mod account;
mod admin;
mod api_version;
mod check;
mod deploy;
mod describe;
mod dev_org;
mod docs;
mod expressions;
mod faults;
mod file_server;
mod floors;
mod guides;
mod handler;
mod jobs;
mod logging;
mod login;
mod logins;
mod marks;
#[cfg(target_os = "linux")]
mod memory;
mod metrics;
mod operations;
mod operations_page;
mod org_templates;
mod orgs;
mod outcomes;
mod program;
mod protection;
mod proxies;
mod refusals;
mod salesforce_client;
mod secrecy;
mod secrets;
mod shutdown;
mod support;
mod template;
mod tls_end;
mod traces;
mod zeebe_worker;
