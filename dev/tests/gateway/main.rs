//! DevGateway as a client sees it: over gRPC, with the generated client and nothing of the product.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod client;
mod faults;
mod identity;
mod jobs;
mod streams;
mod stress;
