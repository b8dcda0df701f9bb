//! DevGateway: the job side of a Zeebe gateway, in memory, over real gRPC.
//!
//! It is a double, made for tests and for the demo. The judge of what a gateway does is a real Zeebe; the
//! same suites run on both. What it does: jobs with locks, retries, backoff, incidents and BPMN errors; push
//! and long poll; the refusals of the real gateway in its words; tenants, leases, tags and priorities of 8.8
//! to 8.10; and [faults by script](GatewayFaults), which a real one cannot be asked for.
//!
//! What it does not do:
//! - No process engine: jobs are created by [`DevGateway::create_job`], or from outside over a small
//!   HTTP interface ([`DevGateway::serve_jobs_api`]); deploying, starting and correlating
//!   answer UNIMPLEMENTED. A completed job leads nowhere, its variables are kept in its [`JobRecord`].
//! - One broker, one partition, no replication, nothing on disk, no REST, no TLS.
//! - Locks and backoffs end on time; the real engine looks about once a second.
//! - Streams are not aggregated by equal properties: each open stream counts, and a random one is picked.
//! - It does not police keepalive pings, and it has no overload of its own: script one with
//!   [`GatewayFaults::refuse`].
//!
//! | Room | What happens there |
//! |---|---|
//! | `dev_gateway`, `builder`, `settings` | the handle, its options |
//! | `job`, `account` | what a test puts in and reads back |
//! | `state`, `commands`, `backlog`, `rejection`, `clock` | the state machine of jobs: pure |
//! | `hub` | the lock around it, timers, who is told of a change |
//! | `push`, `poll`, `subscription` | the two ways to a worker |
//! | `server`, `topology`, `listener`, `proto` | gRPC and sockets |
//! | `jobs_api` | jobs over HTTP |
//! | `faults`, `auth`, `identity` | what goes wrong by script, who may call |

mod account;
mod auth;
mod backlog;
mod builder;
mod clock;
mod commands;
mod dev_gateway;
mod faults;
mod hub;
mod identity;
mod job;
mod jobs_api;
mod listener;
mod poll;
pub(crate) mod proto;
mod push;
mod rejection;
mod server;
mod settings;
mod state;
mod subscription;
mod topology;

pub use account::Account;
pub use builder::DevGatewayBuilder;
pub use dev_gateway::DevGateway;
pub use faults::{GatewayFaults, Held, Rpc};
pub use identity::{DevIdentity, DevIdentityBuilder, TokenRequest};
pub use job::{DEFAULT_TENANT, Delivery, JobEvent, JobEventKind, JobKind, JobRecord, JobState, NewJob};
pub use jobs_api::JobsApi;
