//! The command line of the programs.

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{chaos, child, doubles, engine, org, soak};

/// Measures what the worker costs, and tries what it survives.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Load between the doubles: the worker beside a bare loop (cargo bench -p salesforce-connector-bench --bench doubles)
    Doubles(doubles::Arguments),
    /// Load on a real engine (scripts/bench-engine.sh starts one)
    Engine(engine::Arguments),
    /// Minutes of random faults between the doubles (scripts/soak.sh)
    Soak(soak::Arguments),
    /// Random faults around a real engine (scripts/chaos.sh starts one)
    Chaos(chaos::Arguments),
    /// A worker of a benchmark; started by the others
    #[command(hide = true)]
    Child {
        /// What to run, as JSON
        spec: String,
    },
    /// An org of a benchmark; started by the others
    #[command(hide = true)]
    Org {
        /// How long every answer takes, in milliseconds
        latency: u64,
        /// A PEM file with certificate and key: HTTPS
        tls: Option<PathBuf>,
    },
}

/// The program with subcommands.
pub fn main() -> ExitCode {
    run(Arguments::parse())
}

/// The benchmark between the doubles; its children are this same program.
pub fn benchmark() -> ExitCode {
    // cargo adds `--bench` to what it was given.
    let mut arguments: Vec<String> = std::env::args().filter(|argument| argument != "--bench").collect();
    if arguments.get(1).is_none_or(|first| first != "child") {
        arguments.insert(1, "doubles".to_owned());
    }
    run(Arguments::parse_from(arguments))
}

fn run(arguments: Arguments) -> ExitCode {
    let runtime = match salesforce_connector::app::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error.into()),
    };
    match runtime.block_on(dispatch(arguments.command)) {
        Ok(code) => code,
        Err(error) => complain(&error),
    }
}

async fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Doubles(arguments) => doubles::run(&arguments).await,
        Command::Engine(arguments) => engine::run(&arguments).await,
        Command::Soak(arguments) => soak::run(&arguments).await,
        Command::Chaos(arguments) => chaos::run(&arguments).await,
        Command::Child { spec } => child::run(serde_json::from_str(&spec)?).await,
        Command::Org { latency, tls } => org::serve(latency, tls.as_deref()).await,
    }
}

fn complain(error: &anyhow::Error) -> ExitCode {
    // Nothing can be done about a standard error that is closed.
    drop(writeln!(std::io::stderr(), "salesforce-connector-bench: {error:#}"));
    ExitCode::FAILURE
}
