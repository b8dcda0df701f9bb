//! `check`: does what is configured work?

use std::{process::ExitCode, sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde::Serialize;

use crate::{
    config::Config,
    connector::Connections,
    metrics::Metrics,
    zeebe::{GatewayClient, GatewayOptions},
};

/// How long one check may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The result of one check.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    what: String,
    ok: bool,
    /// What was found, or what is wrong and what to do.
    detail: String,
}

/// Reaches the gateway and logs in to every connection, or to one; 1 where anything failed.
pub(super) async fn check(config: Config, only: Option<&str>, json: bool) -> anyhow::Result<ExitCode> {
    let metrics = Arc::new(Metrics::new());
    let connections = Connections::new(&config.connector, Arc::clone(&metrics))?;
    let names: Vec<_> = connections.names().filter(|name| only.is_none_or(|only| only == *name)).collect();
    if let (Some(only), true) = (only, names.is_empty()) {
        let known: Vec<_> = connections.names().collect();
        anyhow::bail!("there is no connection {only:?} in the configuration; there is: {}", known.join(", "));
    }
    let logins = names.iter().map(|name| log_in(&connections, name));
    let (gateway, logins) = tokio::join!(reach(config.gateway, metrics), join_all(logins));
    let mut checked = vec![gateway];
    checked.extend(logins);
    super::print(&if json { as_json(&checked)? } else { as_table(&checked) })?;
    Ok(if checked.iter().all(|row| row.ok) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn reach(options: GatewayOptions, metrics: Arc<Metrics>) -> Checked {
    let what = format!("gateway {}", options.address);
    let answer = match GatewayClient::new(options, metrics) {
        Ok(client) => client.info().await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(info) => {
            let detail = format!(
                "Zeebe {}, {} broker(s), {} partition(s)",
                info.version, info.brokers, info.partitions
            );
            Checked { what, ok: true, detail }
        }
        Err(error) => Checked { what, ok: false, detail: error.to_string() },
    }
}

async fn log_in(connections: &Connections, name: &str) -> Checked {
    let what = format!("connection {name}");
    match connections.log_in(name, PATIENCE).await {
        Ok(instance_url) => {
            Checked { what, ok: true, detail: format!("logged in, calls go to {instance_url}") }
        }
        Err(error) => Checked { what, ok: false, detail: format!("{}: {error}", error.code()) },
    }
}

fn as_table(rows: &[Checked]) -> String {
    let width = rows.iter().map(|row| row.what.chars().count()).max().unwrap_or_default();
    let line = |row: &Checked| {
        format!("{:<6} {:<width$}  {}\n", if row.ok { "ok" } else { "FAILED" }, row.what, row.detail)
    };
    rows.iter().map(line).collect()
}

fn as_json(rows: &[Checked]) -> serde_json::Result<String> {
    serde_json::to_string_pretty(rows).map(|text| text + "\n")
}
