//! `cargo bench -p salesforce-connector-bench --bench doubles [-- --quick]`: the worker beside a bare loop, between DevOrg and DevGateway.

use std::process::ExitCode;

fn main() -> ExitCode {
    salesforce_connector_bench::benchmark()
}
