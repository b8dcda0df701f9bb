//! The generated stubs, in one place because lints of hand-written code do not apply to them.

#[allow(
    clippy::pedantic,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    dead_code,
    reason = "generated code; the client half is used by the tests, which include it themselves"
)]
mod generated {
    tonic::include_proto!("gateway_protocol");
}

pub(super) use generated::*;
