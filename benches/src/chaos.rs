//! A real Zeebe, two workers and an org, toxiproxy on both wires between them; then the account.
//!
//! While it lasts: 15 creates per second; latency, cuts, resets, half answers, slowness and outages on both wires;
//! tokens revoked; workers killed, terminated and restarted. Then all is healthy, and these must hold (the goal that
//! Camunda's runtime was measured by):
//! - nothing is doubled: no unique name has two records;
//! - nothing is lost: every job is completed and has its record, or stands in an incident;
//! - incidents only where the outcome is unknown, for at most 2 % of the jobs; none with upserts;
//! - settled within 60 s: from the last fault to the end of the last job;
//! - at most five logins beside those that are forced: one for each start of a worker, and one for each worker after
//!   each revocation of tokens.

mod account;
mod crew;
mod engine_log;
mod toxics;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use salesforce_connector_dev::{
    engine::{Engine, EngineError},
    org::DevOrg,
};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tonic::Code;

use self::{account::Account, crew::Crew, engine_log::EngineLog, toxics::Toxics};
use crate::{
    child::{Side, Spec},
    process_model::bpmn,
    report::{conditions, say},
    workload::Workload,
};

/// How long jobs may take after the last fault before the account is settled without them.
const PATIENCE: Duration = Duration::from_mins(6);
/// How often the engine's log is read while the account is open.
const LOOK: Duration = Duration::from_millis(250);

/// Arguments of the run.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How long faults strike, in seconds
    #[arg(default_value_t = 60)]
    seconds: u64,
    /// Repeats the faults of an earlier run; which jobs they hit depends on time
    seed: Option<u64>,
    /// Upserts by external id instead of plain creates
    #[arg(long)]
    upsert: bool,
    /// Faults on the wires only: no worker is killed or terminated
    #[arg(long)]
    keep_workers: bool,
    /// Instances created per second
    #[arg(long, default_value_t = 15)]
    rate: u32,
    /// The lock of a job: what a killed worker held comes back after it
    #[arg(long, value_name = "DURATION", default_value = "20s")]
    job_timeout: String,
    /// Where the engine's gateway listens
    #[arg(long, value_name = "URL", env = "ZEEBE_ADDRESS")]
    gateway: String,
    /// The engine's log, to which its debug log exporter writes
    #[arg(long, value_name = "FILE", env = "ZEEBE_LOG")]
    engine_log: PathBuf,
    /// The program toxiproxy-server
    #[arg(long, value_name = "FILE", env = "TOXIPROXY")]
    toxiproxy: PathBuf,
    /// The worker under test; default: the same in this program
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Where the workers' logs go; default: a folder that is removed
    #[arg(long, value_name = "DIR")]
    logs: Option<PathBuf>,
}

impl Arguments {
    fn workload(&self) -> Workload {
        if self.upsert { Workload::Upsert } else { Workload::Create }
    }
}

/// Runs the chaos and settles the account.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let workload = arguments.workload();
    say(&format!("Chaos: {} s of {workload:?}, seed {seed}; {}.\n", arguments.seconds, conditions()));
    let engine = Engine::connect(&arguments.gateway).await?;
    let process = format!("chaos-{:08x}", fastrand::u32(..));
    let headers = [("resultVariable", "account"), ("resultContent", "body"), ("retryBackoff", "PT5S")];
    engine.deploy_as(&format!("{process}.bpmn"), bpmn(&process, &process, workload, &headers)).await?;
    let mut toxics = Toxics::start(&arguments.toxiproxy, seed).await?;
    let gateway = toxics.proxy("gateway", arguments.gateway.trim_start_matches("http://")).await?;
    // The org tells its address at a login, so that its proxy comes first.
    let salesforce = toxics.proxy("salesforce", "127.0.0.1:1").await?;
    let org = DevOrg::builder().base_url(format!("http://{salesforce}")).start().await?;
    toxics.lead("salesforce", &org.address().to_string()).await?;
    let spec = Spec {
        side: Side::Ours,
        workload,
        mark: true,
        gateway: format!("http://{gateway}"),
        job_type: process.clone(),
        orgs: vec![format!("http://{salesforce}")],
        authority: None,
    };
    let mut log = EngineLog::follow(&arguments.engine_log, &process)?;
    let mut crew = Crew::start(&spec, arguments, seed)?;

    let until = Instant::now() + Duration::from_secs(arguments.seconds);
    let (created, revocations, ()) = tokio::try_join!(
        create(&engine, &process, arguments.rate, until),
        toxics.strike(until, &org),
        crew.serve(until, arguments.keep_workers)
    )?;
    crew.all_up()?;
    say("the faults have ended");

    let healed = Instant::now();
    let (settled, late) = settle(&mut log, &created, healed).await?;
    crew.end().await?;
    let account = Account::of(&created, &log, &org, workload, (settled, late));
    say(&account.told());
    let problems = [account.problems(), account.excess_logins(crew.starts, revocations)].concat();
    say(&format!("faults: {}; workers: {}", toxics.told(), crew.told()));
    if problems.is_empty() {
        say("\nThe account is settled.");
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("\nThe goal is MISSED:\n- {}", problems.join("\n- ")));
    Ok(ExitCode::FAILURE)
}

/// The instances that the engine has started: number and key.
type Instances = Vec<(usize, i64)>;

/// Starts instances at a steady rate. An engine that is overloaded refuses some, which then are not there; any other
/// failure would make the account a guess.
async fn create(engine: &Engine, process: &str, rate: u32, until: Instant) -> anyhow::Result<Instances> {
    let mut tick = interval(Duration::from_secs(1) / rate);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut creating = Vec::new();
    while Instant::now() < until {
        tick.tick().await;
        let (engine, process, name) = (engine.clone(), process.to_owned(), Workload::name(creating.len()));
        creating.push(tokio::spawn(async move { engine.create(&process, &json!({ "name": name })).await }));
    }
    let (mut instances, tried) = (Vec::new(), creating.len());
    for (number, created) in creating.into_iter().enumerate() {
        match created.await? {
            Ok(key) => instances.push((number, key)),
            Err(EngineError::Refused { status, .. }) if status.code() == Code::ResourceExhausted => {}
            Err(error) => return Err(error.into()),
        }
    }
    anyhow::ensure!(!instances.is_empty(), "the engine refused all {tried} instances: it is overloaded");
    if instances.len() < tried {
        say(&format!(
            "the engine was overloaded and refused {} of {tried} instances",
            tried - instances.len()
        ));
    }
    Ok(instances)
}

/// Waits until each instance has ended or has an incident; whether that came, and how long after `healed`.
async fn settle(
    log: &mut EngineLog,
    created: &[(usize, i64)],
    healed: Instant,
) -> anyhow::Result<(bool, Duration)> {
    loop {
        log.read()?;
        if created.iter().all(|(_, key)| log.is_settled(*key)) {
            return Ok((true, healed.elapsed()));
        }
        if healed.elapsed() > PATIENCE {
            return Ok((false, healed.elapsed()));
        }
        sleep(LOOK).await;
    }
}
