//! `dev-org` and `dev-gateway`: the doubles as servers of their own.

mod org;

use std::{net::SocketAddr, process::ExitCode};

use anyhow::Context as _;
use salesforce_connector_dev::gateway::DevGateway;

use crate::{
    config::{LogFormat, LogOptions},
    shutdown, telemetry,
};

pub(super) use org::{Arguments as OrgArguments, run as org};

/// Runs a gateway until a signal.
pub(super) async fn gateway(listen: SocketAddr, jobs_api: SocketAddr) -> anyhow::Result<ExitCode> {
    log();
    let gateway = DevGateway::builder().listen(listen).start().await;
    let gateway = gateway.with_context(|| format!("cannot run a gateway on {listen}"))?;
    let api = gateway.serve_jobs_api(jobs_api).await;
    let api = api.with_context(|| format!("cannot serve the jobs API on {jobs_api}"))?;
    super::print(&format!(
        "DevGateway, the job side of a Zeebe gateway in memory, listens on {url}\n\
         \n\
         address         {url}\n\
         authentication  none\n\
         jobs API        {api}: POST /jobs, GET /jobs/KEY, GET /jobs/KEY/finished, GET /account\n\
         \n\
         It deploys and runs no processes: it gives out jobs and takes their reports. Ctrl-C ends it.\n",
        url = gateway.url(),
        api = format_args!("http://{}", api.address())
    ))?;
    shutdown::stop_on_signals()?.drain.cancelled().await;
    gateway.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn log() {
    telemetry::start(&LogOptions { level: "info".to_owned(), format: LogFormat::Text });
}
