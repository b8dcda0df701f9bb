//! One column of the table, once: a fresh org, a fresh process, a fresh worker.

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use salesforce_connector_dev::engine::Engine;
use tokio::time::{Instant, sleep};

use super::{
    Arguments,
    load::{Backlog, steady, timed},
};
use crate::{
    child::{Side, Spec},
    org::OrgProcess,
    process_model::bpmn,
    report::percentile,
    workload::Workload,
};

/// How long a worker is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(2);

/// Instances per second while they are timed; half of it where an answer takes long.
const RATE: u32 = 10;

/// What all columns share.
pub(super) struct Setting {
    pub(super) engine: Engine,
    pub(super) arguments: Arguments,
    /// The org's certificate and key.
    pub(super) certificate: PathBuf,
    /// The certificate alone.
    pub(super) authority: PathBuf,
}

/// A column.
pub(super) struct Cell {
    pub(super) name: &'static str,
    pub(super) side: Side,
    pub(super) workload: Workload,
    pub(super) latency_ms: u64,
    pub(super) tls: bool,
}

/// What one run of a column showed.
#[derive(Clone, Copy)]
pub(super) struct Sample {
    pub(super) drained: f64,
    pub(super) steady: f64,
    pub(super) cpu_ms: f64,
    pub(super) logins: f64,
    pub(super) connections_per_job: f64,
    pub(super) most_in_flight: f64,
    pub(super) first_job: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) peak_rss_mib: f64,
    pub(super) idle_rss_mib: f64,
}

impl Cell {
    /// Measures the column.
    pub(super) async fn measure(&self, setting: &Setting) -> anyhow::Result<Sample> {
        self.measured(setting).await.with_context(|| format!("column {}", self.name))
    }

    async fn measured(&self, setting: &Setting) -> anyhow::Result<Sample> {
        let Setting { engine, arguments, .. } = setting;
        let mut org =
            OrgProcess::start(self.latency_ms, self.tls.then_some(setting.certificate.as_path())).await?;
        let process = format!("bench-{:08x}", fastrand::u32(..));
        let spec = self.spec(setting, &process, &org.url);
        self.deploy(engine, &process).await?;

        let idle = spec.start(arguments.program.as_ref())?;
        sleep(IDLE).await;
        let idle_rss_mib = idle.usage()?.rss_mib;
        idle.terminate().await?;

        let backlog = Backlog::create(engine, &process, arguments.backlog).await?;
        let started = Instant::now();
        let worker = spec.start(arguments.program.as_ref())?;
        let (jobs, first, rest) = backlog.first().await?;
        let before = worker.usage()?;
        let last = rest.await?;
        let after = worker.usage()?;
        let steady = steady(engine, &process, arguments.steady).await?;
        let rate = if self.latency_ms > 100 { RATE / 2 } else { RATE };
        let times = timed(engine, &process, rate, arguments.seconds).await?;
        let peak_rss_mib = worker.usage()?.peak_rss_mib;
        worker.terminate().await?;

        let counters = org.counters().await?;
        let calls = counters.api_requests as f64;
        let all = (arguments.backlog + arguments.steady + times.len()) as f64;
        anyhow::ensure!(self.workload == Workload::Empty || calls >= all, "{calls} calls for {all} jobs");
        Ok(Sample {
            drained: (jobs - 1) as f64 / last.duration_since(first).as_secs_f64(),
            steady,
            cpu_ms: (after.cpu_ms - before.cpu_ms) / jobs as f64,
            logins: counters.tokens_issued as f64,
            connections_per_job: counters.connections as f64 / all,
            most_in_flight: counters.most_in_flight as f64,
            first_job: first.duration_since(started).as_secs_f64(),
            p50: percentile(&times, 0.5),
            p99: percentile(&times, 0.99),
            peak_rss_mib,
            idle_rss_mib,
        })
    }

    fn spec(&self, setting: &Setting, process: &str, org: &str) -> Spec {
        Spec {
            side: self.side,
            workload: self.workload,
            mark: true,
            gateway: setting.arguments.gateway.clone(),
            job_type: process.to_owned(),
            orgs: vec![org.to_owned()],
            authority: self.tls.then(|| setting.authority.clone()),
        }
    }

    async fn deploy(&self, engine: &Engine, process: &str) -> anyhow::Result<()> {
        let headers = [("resultExpression", "={accounts: response.body.records}")];
        let model = bpmn(process, process, self.workload, &headers);
        engine.deploy_as(&format!("{process}.bpmn"), model).await?;
        Ok(())
    }
}
