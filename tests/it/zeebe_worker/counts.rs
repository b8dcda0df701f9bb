//! What takes time, in the histograms; [`assert_counted`](super::assert_counted) looks at the counts of every other test.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use salesforce_connector::zeebe::{Failure, Job, JobHandler, Outcome, StopSignal, Worker};
use salesforce_connector_dev::gateway::{DevGateway, JobState, Rpc};
use serde_json::json;

use super::{Setup, completing, new_job, object, pass, soon, until};
use crate::support::sum;

/// How many took no longer than this.
fn within(page: &str, name: &str, seconds: &str, label: &str) -> i64 {
    sum(page, &format!("{name}_bucket"), &[&format!(r#"le="{seconds}""#), label])
}

#[tokio::test]
async fn the_time_until_a_job_begins_and_the_times_of_its_commands_are_measured() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.tuning.command_timeout = Duration::from_secs(10);
    let metrics = Arc::clone(&setup.metrics);
    let worker = setup.run_ready(completing).await;
    // The lock that the header asks for is set before the handler begins.
    let lock_set = gateway.faults().hold_reply(Rpc::UpdateJobTimeout);
    let completed = gateway.faults().hold_reply(Rpc::CompleteJob);
    gateway.create_job(new_job().headers([("jobTimeout", "PT1M")]));
    for (held, seconds) in [(lock_set, 3), (completed, 8)] {
        soon(held.reached()).await;
        pass(Duration::from_secs(seconds)).await;
        held.release();
    }
    assert_eq!(worker.drain().await.completed, 1);

    let page = metrics.encode_plain();
    for (name, label, less, most) in [
        ("job_start_delay_seconds", "", "2.5", "5.0"),
        ("gateway_call_seconds", r#"command="update_timeout""#, "2.5", "5.0"),
        ("gateway_call_seconds", r#"command="complete""#, "5.0", "10.0"),
        ("job_total_seconds", r#"operation="unknown""#, "10.0", "30.0"),
    ] {
        let counts = (within(&page, name, less, label), within(&page, name, most, label));
        assert_eq!(counts, (0, 1), "{name} {label} in\n{page}");
    }
}

/// The key of a job, and why and how the worker failed it.
type Heard = (i64, &'static str, Failure);

/// A handler that hears of the jobs that the worker fails by itself.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<Vec<Heard>>>);

impl JobHandler for Listener {
    async fn handle(&self, job: &Job) -> Outcome {
        match job.variables["do"].as_str() {
            Some("panic") => panic!("a bug"),
            _ => Outcome::Complete { variables: object(json!({ "text": "x".repeat(5_000_000) })) },
        }
    }

    fn unhandled(&self, job: &Job, reason: &'static str, failure: &Failure) {
        self.0.lock().unwrap().push((job.key, reason, failure.clone()));
    }
}

#[tokio::test]
async fn a_handler_hears_of_each_job_that_the_worker_fails_by_itself_and_metrics_have_its_reason() {
    let gateway = DevGateway::start().await.unwrap();
    let (setup, listener) = (Setup::of(&gateway), Listener::default());
    let metrics = Arc::clone(&setup.metrics);
    let worker = Worker::new(setup.client(), listener.clone(), setup.options.clone(), Arc::clone(&metrics));
    let stop = StopSignal::default();
    let running = tokio::spawn(worker.with_tuning(setup.tuning).run(stop.clone()));
    let jobs = [
        ("malformed", new_job().malformed_variables("[]")),
        ("job_timeout", new_job().headers([("jobTimeout", "soon")])),
        ("panic", new_job().retries(1).variables(json!({ "do": "panic" }))),
        ("result", new_job().variables(json!({ "do": "too much" }))),
    ];
    for (number, (reason, job)) in jobs.into_iter().enumerate() {
        let key = gateway.create_job(job);
        let state = soon(gateway.finished(key)).await.state;
        until(|| listener.0.lock().unwrap().len() > number).await;
        let heard = listener.0.lock().unwrap().clone();
        let (of, why, failure) = &heard[number];
        assert_eq!((heard.len(), *of, *why, failure.retries), (number + 1, key, reason, 0), "{failure:?}");
        assert_eq!(state, JobState::Incident);
    }
    stop.drain.cancel();
    soon(running).await.unwrap();
    let page = metrics.encode_plain();
    for reason in ["malformed", "job_timeout", "panic", "result"] {
        let failed = sum(&page, "jobs_ended_total", &[r#"end="failed""#, &format!(r#"reason="{reason}""#)]);
        assert_eq!(failed, 1, "{reason} in\n{page}");
    }
}
