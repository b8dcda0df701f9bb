//! The `salesforce-connector` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    salesforce_connector::cli::main()
}
