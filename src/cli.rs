//! The command line: what can be asked for, and which exit code answers.

mod check;
mod describe;
mod dev;
mod feel;
mod health;
mod login;
mod templates;

use std::{
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, Subcommand};

use crate::{
    app::{self, App},
    config::{self, Config, ConfigError, Environment, LogFormat, LogOptions},
    demo, shutdown, spans, telemetry,
};

/// The exit code for a mistake in the configuration: `EX_CONFIG` of BSD's sysexits.
const EXIT_CONFIG: u8 = 78;

/// Carries out the Salesforce tasks of BPMN processes on Camunda 8 (Zeebe).
///
/// A process modeler drags the task "Salesforce" into a diagram and fills its form; this worker takes the jobs
/// from the engine, calls Salesforce, and completes each job with the response mapped to process variables,
/// fails it with a text that says what to do, or throws a BPMN error that a boundary event catches.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110, after_help = AFTER_HELP)]
struct Arguments {
    /// The configuration file (TOML); every key and its default: see `config`
    #[arg(long, short, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

const AFTER_HELP: &str = "\
Try it, without an engine and without Salesforce:
  salesforce-connector demo

Against an engine on this machine and an org in memory:
  salesforce-connector dev-org
  CAMUNDA_GRPC_ADDRESS=http://127.0.0.1:26500 salesforce-connector run

The configuration is the built-in defaults, then the file, then the environment:
SALESFORCE_CONNECTOR_WORKER__MAX_JOBS_ACTIVE=50 sets worker.max_jobs_active. For the gateway,
the CAMUNDA_* and ZEEBE_* names of Camunda's own clients are understood too.

Exit codes: 0 all well, 1 something failed, 2 wrong arguments, 78 wrong configuration.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Take jobs and carry them out, until SIGTERM or Ctrl-C (this is the default)
    Run,
    /// Show the worker at work: an org and a gateway in memory, a handful of jobs, told as a story
    Demo {
        /// Stay up afterwards, with the org, the gateway and the worker running, until Ctrl-C
        #[arg(long)]
        serve: bool,
    },
    /// Try the configuration: reach the gateway, log in to every connection, and say what is wrong
    Check(check::Arguments),
    /// Show the objects of a connection's org, or the fields of one
    Describe(describe::Arguments),
    /// Log in once in a browser, and keep the refresh token where a connection's configuration says
    Login(login::Arguments),
    /// Print the effective configuration, with the layer each value comes from; secrets are masked
    Config,
    /// Write the element templates for Camunda Modeler: the one for every object, or those of an org's own objects
    Templates(templates::Arguments),
    /// Try a result expression or an error expression: its value, its warnings, and what a job would do with it
    Feel(feel::Arguments),
    /// Run a Salesforce org in memory, with every way to log in
    DevOrg(dev::OrgArguments),
    /// Run the job side of a Zeebe gateway in memory
    DevGateway {
        /// Where to listen; port 0 takes a free one
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:26500")]
        listen: SocketAddr,
        /// Where jobs are created and looked at over HTTP; port 0 takes a free one
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:26501")]
        jobs_api: SocketAddr,
    },
    /// Ask a running worker on this machine whether it is ready (for container health checks)
    Health,
}

/// Reads the process's arguments and environment, does what they say, and answers with an exit code.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let runtime = match app::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error.into()),
    };
    match runtime.block_on(dispatch(arguments, &environment)) {
        Ok(code) => code,
        Err(error) => complain(&error),
    }
}

async fn dispatch(arguments: Arguments, environment: &Environment) -> anyhow::Result<ExitCode> {
    let file = arguments.config.as_deref();
    match arguments.command.unwrap_or(Command::Run) {
        Command::Run => run(Config::load(file, environment)?, environment).await,
        Command::Demo { serve } => demo(serve).await,
        Command::Check(arguments) => check::check(Config::load(file, environment)?, &arguments).await,
        Command::Describe(arguments) => {
            describe::describe(Config::load(file, environment)?, &arguments).await
        }
        Command::Login(arguments) => login::log_in(Config::load(file, environment)?, &arguments).await,
        Command::Config => print(&config::show(file, environment)?),
        Command::Templates(arguments) => {
            templates::templates(|| Config::load(file, environment), &arguments).await
        }
        Command::Feel(arguments) => feel::evaluate(&arguments),
        Command::DevOrg(arguments) => dev::org(&arguments).await,
        Command::DevGateway { listen, jobs_api } => dev::gateway(listen, jobs_api).await,
        Command::Health => health::ask(&Config::load(file, environment)?).await,
    }
}

async fn run(mut config: Config, environment: &Environment) -> anyhow::Result<ExitCode> {
    let traces = telemetry::start_with_traces(&config.log, environment);
    if traces.is_on() {
        config.worker.fetch_variables.push(spans::TRACEPARENT.to_owned());
    }
    let (gateway, job_type) = (config.gateway.address.clone(), config.worker.job_type.clone());
    let app = App::build(config).await?;
    let stop = shutdown::stop_on_signals()?;
    let version = env!("CARGO_PKG_VERSION");
    let admin = app.admin_address().map_or_else(|| "off".to_owned(), |address| format!("http://{address}"));
    tracing::info!(version, gateway, job_type, admin, "salesforce-connector started");
    let summary = app.run_until(stop).await;
    traces.finish().await;
    tracing::info!(%summary, "salesforce-connector stopped");
    Ok(ExitCode::SUCCESS)
}

async fn demo(serve: bool) -> anyhow::Result<ExitCode> {
    // The story is told; what the worker logs beside it is only shown where something goes wrong.
    telemetry::start(&LogOptions { level: "error".to_owned(), format: LogFormat::Text });
    let signal = if serve { Some(shutdown::stop_on_signals()?) } else { None };
    demo::play(|paragraph| print(paragraph).map(drop), signal).await?;
    Ok(ExitCode::SUCCESS)
}

/// Prints to standard output; a reader that has gone away (`| head`) is no failure.
fn print(text: &str) -> anyhow::Result<ExitCode> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn read_file(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).map_err(|error| anyhow::anyhow!("cannot read {}: {error}", path.display()))
}

/// Reads an argument that is a duration above zero, such as `30s`.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed = text.trim().parse::<jiff::SignedDuration>().ok();
    let parsed = parsed.and_then(|duration| Duration::try_from(duration).ok()).filter(|d| !d.is_zero());
    parsed.ok_or_else(|| "expected a duration above zero, such as \"30s\" or \"5m\"".to_owned())
}

fn complain(error: &anyhow::Error) -> ExitCode {
    // Nothing can be done about a standard error that is closed.
    drop(writeln!(std::io::stderr(), "salesforce-connector: {error:#}"));
    if error.is::<ConfigError>() { ExitCode::from(EXIT_CONFIG) } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn without_a_command_it_runs() {
        assert!(Arguments::try_parse_from(["salesforce-connector"]).unwrap().command.is_none());
    }
}
