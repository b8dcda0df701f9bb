//! DevGateway as a client sees it: over gRPC, with the generated client and nothing of the product.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod client;
mod faults;
mod http;
mod identity;
mod jobs;
mod jobs_api;
mod streams;
mod stress;
