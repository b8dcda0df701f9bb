//! Load between DevOrg and DevGateway: our worker beside the bare loop, case by case.
//!
//! The doubles live in this process, each worker in one of its own, so that its CPU and memory are its alone. Every
//! run has fresh doubles and a fresh worker; the two sides take turns, and the table shows medians.

use std::{process::ExitCode, time::Duration};

use anyhow::Context as _;
use futures_util::future::try_join_all;
use salesforce_connector_dev::{
    gateway::{DevGateway, NewJob},
    org::DevOrg,
};
use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::{
    child::{PERMITS, Side, Spec},
    report::{conditions, figure, median, say, table},
    workload::Workload,
};

const JOB_TYPE: &str = "salesforce-connector:1";

/// How long one run may take: far more than it needs.
const PATIENCE: Duration = Duration::from_mins(1);

/// Arguments of the benchmark.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// One round with a quarter of the jobs: a look, not a measurement
    #[arg(long)]
    quick: bool,
    /// Only the cases whose name holds this text
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
}

struct Case {
    name: &'static str,
    workload: Workload,
    mark: bool,
    latency_ms: u32,
    orgs: usize,
    jobs: usize,
}

const CASES: [Case; 9] = [
    Case {
        name: "no-op handler",
        workload: Workload::Empty,
        mark: false,
        latency_ms: 0,
        orgs: 1,
        jobs: 4000,
    },
    Case { name: "query", workload: Workload::Query, mark: false, latency_ms: 0, orgs: 1, jobs: 4000 },
    Case {
        name: "query, 100 orgs",
        workload: Workload::Query,
        mark: false,
        latency_ms: 0,
        orgs: 100,
        jobs: 4000,
    },
    Case {
        name: "create, marked",
        workload: Workload::Create,
        mark: true,
        latency_ms: 0,
        orgs: 1,
        jobs: 4000,
    },
    Case {
        name: "create, not marked",
        workload: Workload::Create,
        mark: false,
        latency_ms: 0,
        orgs: 1,
        jobs: 4000,
    },
    Case {
        name: "query, 50 ms",
        workload: Workload::Query,
        mark: false,
        latency_ms: 50,
        orgs: 1,
        jobs: 4000,
    },
    Case {
        name: "create, marked, 50 ms",
        workload: Workload::Create,
        mark: true,
        latency_ms: 50,
        orgs: 1,
        jobs: 4000,
    },
    Case {
        name: "query, 200 ms",
        workload: Workload::Query,
        mark: false,
        latency_ms: 200,
        orgs: 1,
        jobs: 2000,
    },
    Case {
        name: "create, marked, 200 ms",
        workload: Workload::Create,
        mark: true,
        latency_ms: 200,
        orgs: 1,
        jobs: 2000,
    },
];

/// What one run showed.
#[derive(Clone, Copy)]
struct Sample {
    jobs_per_second: f64,
    cpu_ms: f64,
    peak_rss_mib: f64,
    logins: f64,
    connections: f64,
}

/// The samples of both sides of a case.
#[derive(Default)]
struct Samples {
    ours: Vec<Sample>,
    bare: Vec<Sample>,
}

/// Runs all cases and prints the table.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (rounds, divisor) = if arguments.quick { (1, 4) } else { (3, 1) };
    say(&format!("Between the doubles: {}. Median of {rounds}.\n", conditions()));
    let began = Instant::now();
    let mut results = Vec::new();
    for case in CASES.iter().filter(|case| case.name.contains(&arguments.only)) {
        let mut samples = Samples::default();
        for _ in 0..rounds {
            samples.ours.push(measure(case, Side::Ours, case.jobs / divisor).await?);
            samples.bare.push(measure(case, Side::Bare, case.jobs / divisor).await?);
        }
        results.push((case, samples));
    }
    say(&rendered(&results));
    say(&verdicts(&results));
    say(&format!("Took {:.0} s.", began.elapsed().as_secs_f64()));
    Ok(ExitCode::SUCCESS)
}

/// One worker, from its start to the last of its jobs.
async fn measure(case: &Case, side: Side, jobs: usize) -> anyhow::Result<Sample> {
    let latency = Duration::from_millis(case.latency_ms.into());
    let seed = json!({"records": {"Account": [{"Name": "Acme"}]}});
    let start = |_| DevOrg::builder().seed(seed.clone()).latency(latency).start();
    let orgs = try_join_all((0..case.orgs).map(start)).await?;
    let gateway = DevGateway::start().await?;
    let spec = Spec {
        side,
        workload: case.workload,
        mark: case.mark,
        gateway: gateway.url(),
        job_type: JOB_TYPE.to_owned(),
        orgs: orgs.iter().map(DevOrg::base_url).collect(),
        authority: None,
    };
    let mut worker = spec.start(None)?;
    let result = async {
        gateway.wait_until(|account| account.open_streams > 0).await;
        // Logins, connections and the first pages of memory do not belong to the cost of a job.
        let warm_up = (5 * PERMITS).max(2 * case.orgs);
        drain(&gateway, case, 0..warm_up).await;
        let (began, before) = (Instant::now(), worker.usage()?);
        drain(&gateway, case, warm_up..warm_up + jobs).await;
        Ok::<_, anyhow::Error>((began.elapsed(), before, worker.usage()?))
    };
    let what = || format!("{}, {side:?}: the jobs are not done within {PATIENCE:?}", case.name);
    let result = timeout(PATIENCE, result).await.with_context(what);
    anyhow::ensure!(worker.is_running(), "{}, {side:?}: the worker ended by itself", case.name);
    let (elapsed, before, after) = result??;
    worker.terminate().await?;
    let account = gateway.account();
    anyhow::ensure!(account.completed_now == account.created, "{}: {account:?}", case.name);
    let counters: Vec<_> = orgs.iter().map(DevOrg::counters).collect();
    Ok(Sample {
        jobs_per_second: jobs as f64 / elapsed.as_secs_f64(),
        cpu_ms: (after.cpu_ms - before.cpu_ms) / jobs as f64,
        peak_rss_mib: after.peak_rss_mib,
        logins: counters.iter().map(|counters| counters.tokens_issued as f64).sum(),
        connections: counters.iter().map(|counters| counters.connections as f64).sum(),
    })
}

/// Creates jobs at one moment and waits until all are done.
async fn drain(gateway: &DevGateway, case: &Case, numbers: std::ops::Range<usize>) {
    let jobs = numbers.map(|number| {
        let connection = Spec::connection(number % case.orgs);
        NewJob::new(JOB_TYPE)
            .variables(case.workload.variables(&connection, number))
            .headers(Workload::headers())
    });
    gateway.create_jobs(jobs);
    gateway.all_finished().await;
}

fn of(samples: &[Sample], value: impl Fn(&Sample) -> f64) -> f64 {
    median(&samples.iter().map(value).collect::<Vec<_>>())
}

/// What the permits allow at a latency; there is no such limit at 0 ms.
fn allowed(case: &Case) -> Option<f64> {
    (case.latency_ms > 0).then(|| PERMITS as f64 * 1000.0 / f64::from(case.latency_ms))
}

fn rendered(results: &[(&Case, Samples)]) -> String {
    let head = [
        "",
        "jobs/s",
        "bare",
        "of bare",
        "of permits/latency",
        "CPU ms/job",
        "bare",
        "peak RSS MiB",
        "bare",
        "logins",
        "connections",
    ];
    let rows = results.iter().map(|(case, samples)| {
        let pair = |value: fn(&Sample) -> f64| (of(&samples.ours, value), of(&samples.bare, value));
        let rate = pair(|sample| sample.jobs_per_second);
        let cpu = pair(|sample| sample.cpu_ms);
        let rss = pair(|sample| sample.peak_rss_mib);
        let of_allowed = allowed(case).map_or_else(|| "–".to_owned(), |most| percent(rate.0 / most));
        vec![
            case.name.to_owned(),
            figure(rate.0),
            figure(rate.1),
            percent(rate.0 / rate.1),
            of_allowed,
            figure(cpu.0),
            figure(cpu.1),
            figure(rss.0),
            figure(rss.1),
            format!("{:.0}", of(&samples.ours, |sample| sample.logins)),
            format!("{:.0}", of(&samples.ours, |sample| sample.connections)),
        ]
    });
    table(&head, &rows.collect::<Vec<_>>())
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// The goals, and whether they are met.
fn verdicts(results: &[(&Case, Samples)]) -> String {
    let mut lines = Vec::new();
    for (case, samples) in results {
        let ours = of(&samples.ours, |sample| sample.jobs_per_second);
        let bare = of(&samples.bare, |sample| sample.jobs_per_second);
        // What neither side can reach is the machine's limit, not the worker's.
        let (goal, limit) = allowed(case).map_or((0.9, bare), |most| (0.95, most.min(bare)));
        lines.push(verdict(case.name, "jobs/s of the limit", ours / limit, goal));
    }
    let cpu = |name: &str| {
        let found = results.iter().find(|(case, _)| case.name == name);
        found.map(|(_, samples)| of(&samples.ours, |sample| sample.cpu_ms))
    };
    if let (Some(one), Some(many)) = (cpu("query"), cpu("query, 100 orgs")) {
        // Flat: within a tenth.
        lines.push(verdict("1 to 100 orgs", "CPU per job kept", one / many, 0.9));
    }
    lines.join("\n")
}

fn verdict(case: &str, what: &str, share: f64, goal: f64) -> String {
    let word = if share >= goal { "met" } else { "MISSED" };
    format!("- {word}: {case}: {what} {}, goal {}", percent(share), percent(goal))
}
