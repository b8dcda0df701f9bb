//! `dev-org` and `dev-gateway`: the doubles as servers of their own.

use std::{net::SocketAddr, path::Path, process::ExitCode, time::Duration};

use anyhow::Context as _;
use salesforce_connector_dev::{gateway::DevGateway, org::DevOrg};

use crate::{
    config::{LogFormat, LogOptions},
    shutdown, telemetry,
};

/// Reads a duration as the configuration does.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("expected a duration such as 50ms, found {text:?}");
    let span = text.parse::<jiff::SignedDuration>().map_err(|_| wrong())?;
    span.try_into().map_err(|_| wrong())
}

/// Runs an org until a signal.
pub(super) async fn org(
    listen: SocketAddr,
    seed: Option<&Path>,
    latency: Duration,
    tls: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    log();
    let mut builder = DevOrg::builder().listen(listen).latency(latency);
    if let Some(path) = tls {
        let pem = super::read_file(path)?;
        builder = builder.tls(pem.clone(), pem);
    }
    if let Some(path) = seed {
        let seed = serde_json::from_str(&super::read_file(path)?)
            .with_context(|| format!("{} is not JSON", path.display()))?;
        builder = builder.seed(seed);
    }
    let org = builder.start().await.with_context(|| format!("cannot run an org on {listen}"))?;
    super::print(&format!(
        "DevOrg, a Salesforce org in memory, listens on {url}\n\
         \n\
         base URL        {url}\n\
         token endpoint  {url}/services/oauth2/token\n\
         client id       dev-client\n\
         client secret   dev-secret\n\
         \n\
         The worker calls it only where hosts.allow_loopback is true{more}. Ctrl-C ends it.\n",
        url = org.base_url(),
        more =
            if tls.is_some() { " and the certificate is trusted" } else { ", and hosts.allow_http as well" },
    ))?;
    shutdown::stop_on_signals()?.drain.cancelled().await;
    org.stop().await;
    Ok(ExitCode::SUCCESS)
}

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
