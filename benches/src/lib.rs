//! What the worker costs and what it survives. `docs/performance.md` tells of the results.
//!
//! | Room | What happens there |
//! |---|---|
//! | `doubles` | load between DevOrg and DevGateway: the worker beside a bare loop |
//! | `engine` | the same on a real Zeebe, with the rows that Camunda's runtime was measured by |
//! | `soak` | minutes of random faults between the doubles, and an exact account |
//! | `chaos` | a real Zeebe, two workers, toxiproxy on both wires, and an exact account |
//! | `bare` | the bare loop: what a worker costs that does nothing but the calls |
//! | `child`, `process` | a worker in a process of its own, and what that process used |
//! | `org` | DevOrg in a process of its own |
//! | `workload`, `process_model` | what the jobs ask for, and a process around one |
//! | `report` | medians, tables in Markdown, the conditions of a run |
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts and times become figures with three digits"
)]

mod bare;
mod chaos;
mod child;
mod cli;
mod doubles;
mod engine;
mod org;
mod process;
mod process_model;
mod report;
mod soak;
mod workload;

pub use cli::{benchmark, main};

/// The client side of the gateway protocol, generated.
mod proto {
    #![allow(missing_docs, unreachable_pub, unused_qualifications, clippy::pedantic, reason = "generated")]
    tonic::include_proto!("gateway_protocol");
}
