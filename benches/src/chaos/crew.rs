//! Two workers that are killed, terminated and started again.

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use fastrand::Rng;
use tempfile::TempDir;
use tokio::time::{Instant, sleep_until};

use super::Arguments;
use crate::{
    child::{PREFIX, Spec},
    process::Measured,
};

/// Both workers, and what was done to them.
pub(super) struct Crew {
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    workers: [Option<Measured>; 2],
    random: Rng,
    logs: PathBuf,
    /// Removes the logs at the end.
    _folder: Option<TempDir>,
    /// Starts of workers, the first two included.
    pub(super) starts: usize,
    killed: usize,
    terminated: usize,
}

impl Crew {
    /// Starts both.
    pub(super) fn start(spec: &Spec, arguments: &Arguments, seed: u64) -> anyhow::Result<Self> {
        let mut environment = spec.environment();
        environment.push((format!("{PREFIX}WORKER__JOB_TIMEOUT"), arguments.job_timeout.clone()));
        environment.push((format!("{PREFIX}LOG__LEVEL"), "info".to_owned()));
        let (program, run) = match &arguments.program {
            Some(program) => (program.clone(), vec!["run".to_owned()]),
            None => (std::env::current_exe()?, vec!["child".to_owned(), serde_json::to_string(spec)?]),
        };
        let folder = if arguments.logs.is_none() { Some(tempfile::tempdir()?) } else { None };
        let logs = arguments.logs.clone().or_else(|| folder.as_ref().map(|folder| folder.path().to_owned()));
        let logs = logs.context("one of the two is there")?;
        std::fs::create_dir_all(&logs)?;
        let mut crew = Self {
            program,
            arguments: run,
            environment,
            workers: [None, None],
            random: Rng::with_seed(seed.wrapping_add(1)),
            logs,
            _folder: folder,
            starts: 0,
            killed: 0,
            terminated: 0,
        };
        crew.all_up()?;
        Ok(crew)
    }

    /// Starts those that are not there. A worker that has ended by itself is an error.
    pub(super) fn all_up(&mut self) -> anyhow::Result<()> {
        for (number, slot) in self.workers.iter_mut().enumerate() {
            if let Some(worker) = slot {
                anyhow::ensure!(worker.is_running(), "worker {number} has ended by itself");
                continue;
            }
            let log = self.logs.join(format!("worker-{number}.log"));
            *slot = Some(Measured::start(&self.program, &self.arguments, &self.environment, Some(&log))?);
            self.starts += 1;
        }
        Ok(())
    }

    /// Lets them work until then; unless they are kept, one of them ends every few seconds.
    pub(super) async fn serve(&mut self, until: Instant, keep: bool) -> anyhow::Result<()> {
        if keep {
            sleep_until(until).await;
            return Ok(());
        }
        self.restart(until).await
    }

    /// Ends one of them every few seconds, by SIGKILL or SIGTERM, and starts another in its place.
    async fn restart(&mut self, until: Instant) -> anyhow::Result<()> {
        loop {
            let rest = Duration::from_secs_f64(4.0 + 6.0 * self.random.f64());
            let next = Instant::now() + rest;
            if next > until {
                sleep_until(until).await;
                return Ok(());
            }
            sleep_until(next).await;
            let victim = self.random.usize(..self.workers.len());
            let worker = self.workers[victim].take().context("it was started")?;
            if self.random.bool() {
                self.killed += 1;
                worker.kill().await?;
            } else {
                self.terminated += 1;
                let status = worker.terminate().await?;
                anyhow::ensure!(status.success(), "worker {victim} answered SIGTERM with {status}");
            }
            self.all_up()?;
        }
    }

    /// Ends both gently.
    pub(super) async fn end(&mut self) -> anyhow::Result<()> {
        for worker in self.workers.iter_mut().filter_map(Option::take) {
            let status = worker.terminate().await?;
            anyhow::ensure!(status.success(), "a worker answered SIGTERM with {status}");
        }
        Ok(())
    }

    /// What was done to them.
    pub(super) fn told(&self) -> String {
        format!("{} started, {} killed, {} terminated", self.starts, self.killed, self.terminated)
    }
}
