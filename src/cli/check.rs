//! `check`: does what is configured work?

mod report;
mod table;

use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};

use crate::{
    config::Config,
    connector::{Checkup, Connections},
    metrics::Metrics,
    zeebe::{GatewayClient, GatewayOptions},
};
use report::{ConnectionReport, GatewayReport, Report};

/// What to try, and how to tell it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
For the gateway: is it reached, does it know us, have all partitions a leader. For each connection: are its secrets
there, does it log in, as which user, to which org, does the org have the API version, how many API calls are left, do
the clocks agree. A failure comes with its likely causes, the most likely first, and the next step.

It logs in once to each connection and reads a little there. Nothing is changed.

Exit codes: 0 all well, 1 something failed, 2 wrong arguments, 78 wrong configuration.")]
pub(super) struct Arguments {
    /// Only this connection, and not the gateway
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    /// Print JSON instead of a table; its fields are described in docs/connections.md
    #[arg(long)]
    json: bool,
    /// How long the gateway and each connection may take, all of them at once
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = super::duration)]
    timeout: Duration,
}

/// What one of the looks found.
enum Looked {
    Gateway(GatewayReport),
    Connection(Box<ConnectionReport>),
}

/// Reaches the gateway and logs in to every connection, or to one; 1 where anything failed.
pub(super) async fn check(config: Config, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (metrics, patience) = (Arc::new(Metrics::new()), arguments.timeout);
    let allow_inline = config.connector.allow_inline;
    let connections = Connections::new(&config.connector, Arc::clone(&metrics))?;
    let only = arguments.connection.as_deref();
    let names = chosen(&connections, only)?;
    let looks = FuturesUnordered::new();
    if only.is_none() {
        looks.push(reach(config.gateway, metrics, patience).boxed());
    }
    for name in &names {
        looks.push(look(&connections, name, patience).boxed());
    }
    let report = Report::new(collect(looks).await, only.is_none().then_some(allow_inline));
    let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let text = if arguments.json { report.json()? } else { table::of(&report, colours) };
    super::print(&text)?;
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn chosen<'a>(connections: &'a Connections, only: Option<&str>) -> anyhow::Result<Vec<&'a str>> {
    let known: Vec<&str> = connections.names().collect();
    match only {
        None => Ok(known),
        Some(_) if known.is_empty() => {
            anyhow::bail!(
                "no connections are configured; each is a table [connections.NAME] of the configuration"
            )
        }
        Some(only) => match known.iter().find(|name| **name == only) {
            Some(name) => Ok(vec![name]),
            None => anyhow::bail!(
                "there is no connection {only:?} in the configuration; there is: {}",
                known.join(", ")
            ),
        },
    }
}

/// Waits for all looks, with a line that says how far it is; on a terminal only.
async fn collect(mut looks: FuturesUnordered<BoxFuture<'_, Looked>>) -> Vec<Looked> {
    let (all, mut done) = (looks.len(), Vec::new());
    let shown = std::io::stderr().is_terminal();
    let tell = |text: &str| {
        if shown {
            // Nothing is lost where the line cannot be written.
            let mut stderr = std::io::stderr().lock();
            let _ = write!(stderr, "\r\x1b[K{text}").and_then(|()| stderr.flush());
        }
    };
    tell(&format!("checking: 0 of {all} done"));
    while let Some(looked) = looks.next().await {
        done.push(looked);
        tell(&format!("checking: {} of {all} done", done.len()));
    }
    tell("");
    done
}

async fn reach(options: GatewayOptions, metrics: Arc<Metrics>, patience: Duration) -> Looked {
    let mut report = GatewayReport::new(&options);
    let asked = async {
        let client = GatewayClient::new(options, metrics).map_err(|error| error.to_string())?;
        client.info().await.map_err(|error| error.to_string())
    };
    match tokio::time::timeout(patience, asked).await {
        Ok(Ok(info)) => report.reached(info),
        Ok(Err(problem)) => report.failed(problem),
        Err(_) => report.failed(format!("no answer within {patience:?}")),
    }
    Looked::Gateway(report)
}

async fn look(connections: &Connections, name: &str, patience: Duration) -> Looked {
    // The connection bounds its own calls; this holds where it does not.
    let looked = Box::pin(connections.look_at(name, patience));
    let looked = tokio::time::timeout(patience + Duration::from_secs(1), looked);
    let report = match looked.await {
        Ok(Ok(checkup)) => ConnectionReport::from(checkup),
        Ok(Err(error)) => ConnectionReport::failed(name, error.code(), &error.to_string()),
        Err(_) => ConnectionReport::failed(name, "TIMEOUT", &format!("no answer within {patience:?}")),
    };
    Looked::Connection(Box::new(report))
}

impl From<Checkup> for ConnectionReport {
    fn from(checkup: Checkup) -> Self {
        Self::of(&checkup)
    }
}
