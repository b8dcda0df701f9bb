//! Instances: a backlog that waits for a worker, a steady flow, and single ones that are timed.

use std::{future::Future, time::Duration};

use futures_util::{StreamExt as _, TryStreamExt as _, future::try_join_all, stream};
use salesforce_connector_dev::engine::{Engine, EngineError};
use serde_json::json;
use tokio::{
    task::JoinHandle,
    time::{Instant, interval, sleep},
};

use super::cell::Setting;
use crate::{
    child::{PERMITS, Side, Spec},
    process_model::bpmn,
    report::say,
    workload::Workload,
};

/// How long an instance may take, with everything before it in the backlog.
const PATIENCE: Duration = Duration::from_mins(5);

/// Calls that create instances at one time.
const CREATING: usize = 32;

/// How long the engine may take to create the awaited instances: their calls do not tell when that is done.
const CREATED: Duration = Duration::from_millis(1500);

type Ended = JoinHandle<Result<Instant, EngineError>>;

/// Instances whose jobs wait. Jobs are taken in the order of their creation, so that the first and the last ones tell
/// when it began and when it was over, and most need not be awaited.
pub(super) struct Backlog {
    jobs: usize,
    first: Ended,
    last: Vec<Ended>,
}

impl Backlog {
    /// Creates so many instances, and at least one more than there are permits.
    pub(super) async fn create(engine: &Engine, process: &str, jobs: usize) -> Result<Self, EngineError> {
        let jobs = jobs.max(PERMITS + 2);
        let first = ended(engine, process);
        sleep(CREATED).await;
        create(engine, process, jobs - 1 - PERMITS).await?;
        let last = (0..PERMITS).map(|_| ended(engine, process)).collect();
        sleep(CREATED).await;
        Ok(Self { jobs, first, last })
    }

    /// How many jobs there are, when the first was completed, and when the last one will have been.
    pub(super) async fn first(
        self,
    ) -> anyhow::Result<(usize, Instant, impl Future<Output = anyhow::Result<Instant>>)> {
        let first = self.first.await??;
        let rest = async move {
            let mut latest = first;
            for ended in try_join_all(self.last).await? {
                latest = latest.max(ended?);
            }
            Ok(latest)
        };
        Ok((self.jobs, first, rest))
    }
}

/// An instance to be awaited; its end.
fn ended(engine: &Engine, process: &str) -> Ended {
    let (engine, process) = (engine.clone(), process.to_owned());
    tokio::spawn(async move {
        engine.create_with_result(&process, &json!({}), PATIENCE).await?;
        Ok(Instant::now())
    })
}

async fn create(engine: &Engine, process: &str, instances: usize) -> Result<(), EngineError> {
    let one = |_| async move { engine.create(process, &json!({})).await };
    stream::iter(0..instances).map(one).buffer_unordered(CREATING).try_for_each(|_| async { Ok(()) }).await
}

/// Creates instances as fast as they are completed, with as many on their way as there are permits; how many a second.
pub(super) async fn steady(engine: &Engine, process: &str, instances: usize) -> Result<f64, EngineError> {
    let began = Instant::now();
    let one = |_| async move { engine.create_with_result(process, &json!({}), PATIENCE).await };
    let all = stream::iter(0..instances).map(one).buffer_unordered(PERMITS);
    all.try_for_each(|_| async { Ok(()) }).await?;
    Ok(instances as f64 / began.elapsed().as_secs_f64())
}

/// Creates instances at a steady rate, however long they take; the time of each from its creation to its result, in ms.
pub(super) async fn timed(
    engine: &Engine,
    process: &str,
    rate: u32,
    seconds: u32,
) -> anyhow::Result<Vec<f64>> {
    let mut tick = interval(Duration::from_secs(1) / rate);
    let mut running = Vec::new();
    for _ in 0..rate * seconds {
        tick.tick().await;
        let began = Instant::now();
        let ended = ended(engine, process);
        running.push(async move { anyhow::Ok(ended.await??.duration_since(began).as_secs_f64() * 1000.0) });
    }
    try_join_all(running).await
}

/// Runs instances through an empty worker, so that the engine is measured warm.
pub(super) async fn warm_up(setting: &Setting) -> anyhow::Result<()> {
    let instances = setting.arguments.warm_up;
    if instances == 0 {
        return Ok(());
    }
    let (process, began) = (format!("warm-up-{:08x}", fastrand::u32(..)), Instant::now());
    let model = bpmn(&process, &process, Workload::Empty, &[]);
    setting.engine.deploy_as(&format!("{process}.bpmn"), model).await?;
    let spec = Spec {
        side: Side::Bare,
        workload: Workload::Empty,
        mark: false,
        gateway: setting.arguments.gateway.clone(),
        job_type: process.clone(),
        orgs: Vec::new(),
        authority: None,
    };
    let worker = spec.start(None)?;
    create(&setting.engine, &process, instances).await?;
    ended(&setting.engine, &process).await??;
    worker.terminate().await?;
    say(&format!("warmed up by {instances} instances in {:.0} s", began.elapsed().as_secs_f64()));
    Ok(())
}
