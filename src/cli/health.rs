//! `health`: the question of a container's health check, asked without further programs.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, bail};

use crate::config::Config;

const PATIENCE: Duration = Duration::from_secs(3);

/// Asks `/ready` of the worker that listens on `admin.listen`; the exit code is the answer.
pub(super) async fn ask(config: &Config) -> anyhow::Result<ExitCode> {
    let Some(listen) = config.admin_listen else {
        bail!("admin.listen is empty: the worker has no port to ask at");
    };
    let url = format!("http://{}/ready", reachable(listen));
    crate::tls::use_ring();
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
    let answer = client.get(&url).send().await.with_context(|| format!("{url} does not answer"))?;
    let ready = answer.status().is_success();
    super::print(&answer.text().await.unwrap_or_default())?;
    Ok(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A wildcard address is listened on, not called.
fn reachable(listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        ip if !ip.is_unspecified() => listen,
        ip if ip.is_ipv4() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), listen.port()),
        _ => SocketAddr::new(Ipv6Addr::LOCALHOST.into(), listen.port()),
    }
}
