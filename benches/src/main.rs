//! The program behind `scripts/bench-engine.sh`, `scripts/soak.sh` and `scripts/chaos.sh`.

use std::process::ExitCode;

fn main() -> ExitCode {
    salesforce_connector_bench::main()
}
