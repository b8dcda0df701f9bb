//! Minutes of random faults on both wires between the doubles, and an exact account at the end.
//!
//! A quarter of the jobs are plain creates, a quarter upserts, the rest queries. What must hold:
//! - every job is completed, or stands in an incident that is expected: a create whose outcome is really unknown;
//! - each completed create has made one record, no name exists twice, and a record without a completed job belongs to
//!   such an incident;
//! - memory at the end is at most 1.2 times what it was after the first minute.

mod account;
mod faults;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context as _;
use salesforce_connector_dev::{
    gateway::{DevGateway, NewJob},
    org::DevOrg,
};
use serde_json::json;
use tokio::time::{Instant, interval, sleep, timeout};

use self::{account::Settlement, faults::Strikes};
use crate::{
    child::{Side, Spec},
    process::Measured,
    report::{conditions, median, say},
    workload::Workload,
};

const JOB_TYPE: &str = "salesforce-connector:1";

/// Jobs that are not done at one time: more than come while the locks of those last whose activation was lost.
const UNFINISHED: usize = 3000;
/// How often jobs are created and faults drawn.
const TICK: Duration = Duration::from_millis(50);
/// The lock of a job: short, so that it is renewed often, and that jobs whose activation was lost come again soon.
const LOCK: &str = "10s";
/// A silent stream swallows every job for so long; with the default of 10 minutes little else would be tried.
const INACTIVITY: &str = "2s";
/// After the faults: the lock of a lost job, its rest, and its calls.
const SETTLE: Duration = Duration::from_mins(1);
/// More retries than faults can use up: that a job is given up by bad luck is no finding.
const RETRIES: i32 = 50;

/// Arguments of the soak.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How long faults strike, in minutes
    #[arg(default_value_t = 10.0)]
    minutes: f64,
    /// Repeats the faults of an earlier run; which jobs they hit depends on time
    #[arg(long)]
    seed: Option<u64>,
    /// Jobs created per second, as long as the worker keeps up
    #[arg(long, default_value_t = 240)]
    rate: u32,
    /// The worker under test; default: the same in this program
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// The two doubles.
struct Doubles {
    org: DevOrg,
    gateway: DevGateway,
}

/// The workload of job `number`.
fn workload(number: usize) -> Workload {
    match number % 4 {
        0 => Workload::Create,
        1 => Workload::Upsert,
        _ => Workload::Query,
    }
}

/// Runs the soak and settles the account.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    say(&format!("Soak: {} minutes, seed {seed}; {}.\n", arguments.minutes, conditions()));
    let records = json!({"records": {"Account": [{"Name": "Acme"}]}});
    // More than a run can use: with the last of the day's requests the worker would hold its creates back.
    let org = DevOrg::builder().seed(records).daily_requests(10_000_000).start().await?;
    let doubles = Doubles { org, gateway: DevGateway::start().await? };
    let spec = Spec {
        side: Side::Ours,
        workload: Workload::Create,
        mark: true,
        gateway: doubles.gateway.url(),
        job_type: JOB_TYPE.to_owned(),
        orgs: vec![doubles.org.base_url()],
        authority: None,
    };
    let settings = [("WORKER__JOB_TIMEOUT", LOCK), ("WORKER__STREAM_INACTIVITY", INACTIVITY)];
    let mut worker = spec.start_with(arguments.program.as_ref(), &settings)?;
    let mut strikes = Strikes::new(seed);
    let memory = strike(&doubles, &worker, arguments, &mut strikes).await?;

    doubles.org.faults().clear();
    doubles.gateway.faults().clear();
    let settling = Instant::now();
    let settled = timeout(SETTLE, doubles.gateway.all_finished()).await.is_ok();
    say(&format!(
        "faults ended; {} {:.1} s later",
        if settled { "settled" } else { "NOT settled" },
        settling.elapsed().as_secs_f64()
    ));
    anyhow::ensure!(worker.is_running(), "the worker ended by itself");
    worker.terminate().await.context("at the end")?;
    let settlement = Settlement::of(&doubles.gateway, &doubles.org, &strikes);
    let problems = [settlement.problems(), growth(&memory)].concat();
    say(&settlement.told());
    say(&format!("faults drawn: {}", strikes.told()));
    say(&format!("memory: {}", memory.told()));
    if problems.is_empty() {
        say("\nThe account is settled.");
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("\nThe account is NOT settled:\n- {}", problems.join("\n- ")));
    Ok(ExitCode::FAILURE)
}

/// Resident memory, each second.
#[derive(Default)]
struct Memory {
    mib: Vec<f64>,
}

impl Memory {
    /// After the first minute, or in the middle of a short run; and at the end.
    fn early_and_late(&self) -> (f64, f64) {
        let middle = 60.min(self.mib.len() / 2);
        let around = |end: usize| median(&self.mib[end.saturating_sub(5)..end]);
        (around(middle.max(1)), around(self.mib.len()))
    }

    fn told(&self) -> String {
        let (early, late) = self.early_and_late();
        let most = self.mib.iter().copied().fold(0.0, f64::max);
        format!("{early:.1} MiB early, {late:.1} MiB at the end, {most:.1} MiB at most")
    }
}

fn growth(memory: &Memory) -> Vec<String> {
    let (early, late) = memory.early_and_late();
    let grown = late > 1.2 * early;
    grown
        .then(|| format!("memory grew: {early:.1} MiB early, {late:.1} MiB at the end"))
        .into_iter()
        .collect()
}

/// Creates jobs and draws faults until the time is over.
async fn strike(
    doubles: &Doubles,
    worker: &Measured,
    arguments: &Arguments,
    strikes: &mut Strikes,
) -> anyhow::Result<Memory> {
    let mut memory = Memory::default();
    let (began, mut tick) = (Instant::now(), interval(TICK));
    let per_tick = f64::from(arguments.rate) * TICK.as_secs_f64();
    let (mut number, mut due) = (0, 0.0);
    while began.elapsed() < Duration::from_secs_f64(arguments.minutes * 60.0) {
        tick.tick().await;
        let account = doubles.gateway.account();
        let room = UNFINISHED.saturating_sub(account.created - account.finished());
        due = f64::min(due + per_tick, 2.0 * per_tick);
        let create = (due as usize).min(room);
        due -= create as f64;
        doubles.gateway.create_jobs((number..number + create).map(job));
        number += create;
        strikes.draw(doubles).await?;
        if began.elapsed().as_secs() as usize >= memory.mib.len() {
            memory.mib.push(worker.usage()?.rss_mib);
            if memory.mib.len() % 30 == 1 {
                let (done, created) = (account.finished(), account.created);
                say(&format!("{:4} s: {created} created, {done} done", began.elapsed().as_secs()));
            }
        }
    }
    // The last fault may have left the gateway down.
    doubles.gateway.come_up().await?;
    sleep(TICK).await;
    Ok(memory)
}

fn job(number: usize) -> NewJob {
    let variables = workload(number).variables(&Spec::connection(0), number);
    let headers = Workload::headers().into_iter().chain([("retryBackoff", "PT1S")]);
    NewJob::new(JOB_TYPE).variables(variables).headers(headers).retries(RETRIES)
}
