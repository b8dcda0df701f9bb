//! The generated stubs, in one place because lints of hand-written code do not apply to them.

#[allow(
    clippy::pedantic,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    dead_code,
    reason = "generated code; tests include the calls that only a worker makes themselves"
)]
mod generated {
    tonic::include_proto!("gateway_protocol");
}

pub(crate) use generated::*;
