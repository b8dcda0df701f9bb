//! The end-to-end suite: the real worker, as a process of its own, between a real Zeebe and a DevOrg.
//!
//! `scripts/e2e.sh` starts an engine, runs this suite and stops the engine. By hand, an engine is named by three
//! variables:
//! - `E2E_ZEEBE_ADDRESS`: where its gateway listens, such as `http://127.0.0.1:26500`;
//! - `E2E_ZEEBE_REST_ADDRESS`: where its REST API listens, such as `http://127.0.0.1:8080`;
//! - `E2E_ZEEBE_LOG`: its log, to which its debug log exporter writes every record (see [`records`]).
//!
//! Each test has an org, job type and process of its own, so that they share the engine without meeting. Only
//! [`examples`] takes the job type that everybody has.

mod bpmn_errors;
mod bulk;
mod crashes;
mod examples;
mod expressions;
mod facts;
mod house;
mod incidents;
mod job_worker;
mod load;
mod org_templates;
mod process;
mod recipes;
mod records;
mod shutdown;
mod worker;

use house::House;
use process::ServiceTask;
