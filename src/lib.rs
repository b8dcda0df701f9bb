//! A job worker that carries out the Salesforce tasks of BPMN processes on Camunda 8 (Zeebe).
//!
//! Most people want the program; this library is the same house for tests and for those who embed it. The map:
//!
//! - [`app`]: everything put together; [`config`] says how. [`cli`], [`admin`], [`telemetry`], [`shutdown`] and [`demo`]
//!   stand around it.
//! - [`connector`]: the hall, where a job becomes a call and the answer becomes variables.
//! - [`zeebe`]: the east wing, a gateway client and job worker that has never heard of Salesforce.
//! - [`salesforce`]: the west wing, a client of the REST API that has never heard of Camunda.
//! - [`backoff`], [`metrics`], [`redactor`], [`spans`], [`tls`], [`token_cache`]: the foundation.
//!
//! Dependencies point down this list and never up; the wings never see each other. `ARCHITECTURE.md` walks through it.
//!
//! ```no_run
//! use salesforce_connector::{app::App, config::{Config, Environment}, shutdown};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::load(None, &Environment::new())?;
//! let summary = App::build(config).await?.run_until(shutdown::stop_on_signals()?).await;
//! println!("{summary}");
//! # Ok(())
//! # }
//! ```

pub mod admin;
pub mod app;
pub mod backoff;
pub mod cli;
pub mod config;
pub mod connector;
pub mod demo;
pub mod metrics;
pub mod redactor;
pub mod salesforce;
pub mod shutdown;
pub mod spans;
pub mod telemetry;
pub mod tls;
pub mod token_cache;
pub mod zeebe;
