//! Load on a real Zeebe: the rows that Camunda's own runtime was measured by, for an empty worker, the bare loop and
//! ours, in one run.

mod cell;
mod load;

use std::{path::PathBuf, process::ExitCode};

use salesforce_connector_dev::engine::Engine;
use tokio::time::Instant;

use self::{
    cell::{Cell, Sample, Setting},
    load::warm_up,
};
use crate::{
    child::Side,
    org::write_certificate,
    report::{conditions, say, spread, table},
    workload::Workload,
};

/// Arguments of the benchmark.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the engine's gateway listens
    #[arg(long, value_name = "URL", env = "ZEEBE_ADDRESS")]
    gateway: String,
    /// The worker under test; default: the same in this program
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// How often each column is measured; columns take turns
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Instances that are run before anything is measured: a fresh engine gives half
    #[arg(long, default_value_t = 24_000)]
    warm_up: usize,
    /// Instances whose jobs wait when a worker starts
    #[arg(long, default_value_t = 2_000)]
    backlog: usize,
    /// Instances that are created while the worker runs
    #[arg(long, default_value_t = 1_500)]
    steady: usize,
    /// How long instances are timed at a steady rate, in seconds
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// Only the columns whose name holds this text
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
}

const fn cell(name: &'static str, side: Side, workload: Workload, latency_ms: u64, tls: bool) -> Cell {
    Cell { name, side, workload, latency_ms, tls }
}

const CELLS: [Cell; 11] = [
    cell("empty worker", Side::Bare, Workload::Empty, 0, false),
    cell("bare 0 ms", Side::Bare, Workload::Query, 0, false),
    cell("ours 0 ms", Side::Ours, Workload::Query, 0, false),
    cell("bare 50 ms", Side::Bare, Workload::Query, 50, false),
    cell("ours 50 ms", Side::Ours, Workload::Query, 50, false),
    cell("bare 200 ms", Side::Bare, Workload::Query, 200, false),
    cell("ours 200 ms", Side::Ours, Workload::Query, 200, false),
    cell("bare 0 ms TLS", Side::Bare, Workload::Query, 0, true),
    cell("ours 0 ms TLS", Side::Ours, Workload::Query, 0, true),
    cell("bare 50 ms TLS", Side::Bare, Workload::Query, 50, true),
    cell("ours 50 ms TLS", Side::Ours, Workload::Query, 50, true),
];

/// A row of the table.
type Row = (&'static str, fn(&Sample) -> f64);

const ROWS: [Row; 11] = [
    ("backlog drained, jobs/s", |sample| sample.drained),
    ("created and completed, instances/s", |sample| sample.steady),
    ("worker CPU per job, ms", |sample| sample.cpu_ms),
    ("logins in all", |sample| sample.logins),
    ("TCP connections per job", |sample| sample.connections_per_job),
    ("most requests in flight", |sample| sample.most_in_flight),
    ("start to first completed job, s", |sample| sample.first_job),
    ("instance time p50, ms", |sample| sample.p50),
    ("instance time p99, ms", |sample| sample.p99),
    ("peak RSS, MiB", |sample| sample.peak_rss_mib),
    ("RSS before the first job, MiB", |sample| sample.idle_rss_mib),
];

/// Runs all cells and prints the tables.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let engine = Engine::connect(&arguments.gateway).await?;
    let version = engine.version().await?;
    say(&format!(
        "On a real engine: Zeebe {version}; {}. Median of {}; {} instances of warm-up, {} of backlog.\n",
        conditions(),
        arguments.rounds,
        arguments.warm_up,
        arguments.backlog
    ));
    let folder = tempfile::tempdir()?;
    let (certificate, authority) = (folder.path().join("org.pem"), folder.path().join("authority.pem"));
    write_certificate(&certificate, &authority)?;
    let setting = Setting { engine, arguments: arguments.clone(), certificate, authority };
    warm_up(&setting).await?;

    let cells: Vec<&Cell> = CELLS.iter().filter(|cell| cell.name.contains(&arguments.only)).collect();
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); cells.len()];
    for round in 1..=arguments.rounds {
        for (cell, samples) in cells.iter().zip(&mut samples) {
            let sample = cell.measure(&setting).await?;
            say(&format!("round {round}, {}: {:.0} jobs/s drained", cell.name, sample.drained));
            samples.push(sample);
        }
    }
    say(&format!("\n{}", rendered(&cells, &samples)));
    say(&format!("Took {:.0} s.", began.elapsed().as_secs_f64()));
    Ok(ExitCode::SUCCESS)
}

fn rendered(cells: &[&Cell], samples: &[Vec<Sample>]) -> String {
    let head: Vec<&str> = [""].into_iter().chain(cells.iter().map(|cell| cell.name)).collect();
    let rows = ROWS.iter().map(|(name, value)| {
        let cells = samples.iter().map(|samples| spread(&samples.iter().map(value).collect::<Vec<_>>()));
        [(*name).to_owned()].into_iter().chain(cells).collect()
    });
    table(&head, &rows.collect::<Vec<_>>())
}
