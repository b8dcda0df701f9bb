//! Nothing is lost and nothing doubled by the gateway itself, whatever its clients do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use salesforce_connector_dev::gateway::{DevGateway, JobEventKind, JobRecord, JobState, NewJob};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, Streaming};

use crate::client::*;

/// Keys that some client was told are completed, and how often.
type Completions = Arc<Mutex<HashMap<i64, usize>>>;

/// A client that treats its jobs badly, by the dice.
struct Rough {
    client: Client,
    random: fastrand::Rng,
    completions: Completions,
    /// Seen between jobs only, so that every reply is counted.
    stop: CancellationToken,
}

impl Rough {
    async fn treat(&mut self, job: ActivatedJob) {
        let job_key = job.key;
        let outcome = match self.random.u8(0..20) {
            0..14 => self.complete(job_key).await,
            14 => {
                let fail = FailJobRequest { job_key, retries: job.retries, ..Default::default() };
                self.client.fail_job(fail).await.map(drop)
            }
            15 => {
                let retries = job.retries - 1;
                let fail = FailJobRequest { job_key, retries, retry_back_off: 3, ..Default::default() };
                self.client.fail_job(fail).await.map(drop)
            }
            16 => {
                let error = ThrowErrorRequest { job_key, error_code: "E".into(), ..Default::default() };
                self.client.throw_error(error).await.map(drop)
            }
            17 => {
                let brief = UpdateJobTimeoutRequest { job_key, timeout: 1, ..Default::default() };
                self.client.update_job_timeout(brief).await.map(drop)
            }
            18 => match self.complete(job_key).await {
                Ok(()) => self.complete(job_key).await,
                refused => refused,
            },
            // Forgotten: the lock has to bring it back.
            _ => Ok(()),
        };
        if let Err(status) = outcome {
            assert!(matches!(status.code(), Code::NotFound | Code::FailedPrecondition), "{status}");
        }
    }

    async fn complete(&mut self, key: i64) -> Result<(), Status> {
        complete(&mut self.client, key).await?;
        *self.completions.lock().unwrap().entry(key).or_default() += 1;
        Ok(())
    }

    async fn run_polls(mut self) {
        let request = ActivateJobsRequest { timeout: 30, max_jobs_to_activate: 7, ..long_poll_request() };
        let stop = self.stop.clone();
        while let Some(jobs) = stop.run_until_cancelled(poll(&mut self.client, request.clone())).await {
            for job in jobs.unwrap() {
                self.treat(job).await;
            }
        }
    }

    async fn run_streams(mut self) {
        let request = StreamActivatedJobsRequest { timeout: 30, ..stream_request() };
        let stop = self.stop.clone();
        while let Some(stream) =
            stop.run_until_cancelled(self.client.stream_activated_jobs(request.clone())).await
        {
            self.read_some(stream.unwrap().into_inner()).await;
        }
    }

    /// Reads a few jobs, then leaves with whatever is still on its way.
    async fn read_some(&mut self, mut stream: Streaming<ActivatedJob>) {
        let stop = self.stop.clone();
        for _ in 0..self.random.u8(1..40) {
            let Some(job) = stop.run_until_cancelled(next(&mut stream)).await else { return };
            self.treat(job).await;
        }
    }
}

async fn run_rough_clients(seed: u64) {
    const JOBS: usize = 300;
    let gateway = DevGateway::builder().seed(seed).start().await.unwrap();
    let completions = Completions::default();
    let stop = CancellationToken::new();
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..6 {
        let random = fastrand::Rng::with_seed(seed * 100 + number);
        let client = connect(&gateway).await;
        let rough = Rough { client, random, completions: Arc::clone(&completions), stop: stop.clone() };
        if number < 3 {
            clients.spawn(rough.run_polls())
        } else {
            clients.spawn(rough.run_streams())
        };
    }
    for _ in 0..JOBS {
        gateway.create_job(NewJob::new("t").retries(5));
        tokio::task::yield_now().await;
    }
    let account = tokio::select! {
        account = gateway.all_finished() => account,
        Some(ended) = clients.join_next() => panic!("seed {seed}: a client ended early: {ended:?}"),
    };
    stop.cancel();
    clients.join_all().await;
    check(&gateway, &completions, seed);
    assert_eq!(account.created, JOBS);
    assert_eq!(account.activated, account.pushed + account.polled, "seed {seed}");
    gateway.stop().await;
}

/// The account, the histories and what the clients were told have to agree.
fn check(gateway: &DevGateway, completions: &Completions, seed: u64) {
    let account = gateway.account();
    let jobs = gateway.jobs();
    let completions = completions.lock().unwrap();
    assert!(completions.values().all(|times| *times == 1), "seed {seed}: completed twice");
    assert_eq!(account.finished(), jobs.len(), "seed {seed}: {account:?}");
    assert_eq!(account.completed, completions.len(), "seed {seed}: {account:?}");
    let activations: usize = jobs.iter().map(JobRecord::activations).sum();
    assert_eq!(activations, account.activated, "seed {seed}");
    for job in &jobs {
        assert_eq!(
            job.state == JobState::Completed,
            completions.contains_key(&job.key),
            "seed {seed}: {job:?}"
        );
        let mut held = false;
        for event in &job.history {
            match event.kind {
                JobEventKind::Activated { .. } => {
                    assert!(!held, "seed {seed}: given to two workers at once: {job:?}");
                    held = true;
                }
                JobEventKind::LockExpired | JobEventKind::GivenBack | JobEventKind::Failed { .. } => {
                    held = false;
                }
                _ => {}
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rough_clients_lose_and_double_nothing() {
    for seed in 0..4 {
        run_rough_clients(seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_jobs_go_through() {
    const JOBS: usize = 10_000;
    let gateway = DevGateway::start().await.unwrap();
    gateway.create_jobs((0..JOBS).map(|_| NewJob::new("t")));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let mut client = connect(&gateway).await;
        clients.spawn(async move {
            loop {
                let jobs = poll(&mut client, poll_request()).await.unwrap();
                if jobs.is_empty() {
                    return;
                }
                for job in jobs {
                    complete(&mut client, job.key).await.unwrap();
                }
            }
        });
    }
    let account = gateway.all_finished().await;
    assert_eq!((account.completed, account.activated, account.refused), (JOBS, JOBS, 0));
    clients.join_all().await;
}
