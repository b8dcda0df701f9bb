//! The generated messages and client stub of `proto/gateway.proto`. They never leave this folder.
#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::pedantic,
    reason = "generated code; the protocol file has the documentation"
)]

tonic::include_proto!("gateway_protocol");
