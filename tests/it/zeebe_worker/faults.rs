//! What goes wrong between a worker and its gateway; docs/faults.md tells where each fault is met.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use salesforce_connector::{
    metrics::Metrics,
    zeebe::{Job, Outcome},
};
use salesforce_connector_dev::gateway::{Account, DevGateway, JobState, Rpc};
use serde_json::json;
use tonic::Status;

use super::{Gate, Held, Setup, complete, completing, new_job, object, pass, settle, soon, until};

/// A handler that waits at a gate.
fn gated(gate: &Gate) -> impl Fn(Job) -> Held + use<> {
    let gate = gate.clone();
    move |_| {
        let gate = gate.clone();
        Box::pin(async move {
            gate.pass().await;
            complete()
        })
    }
}

#[tokio::test]
async fn a_poll_whose_answer_is_lost_after_activation_costs_one_lock_and_nothing_else() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.options.stream_enabled = false;
    setup.options.job_timeout = Duration::from_millis(400);
    gateway.faults().lose_reply(Rpc::ActivateJobs, 1, &Status::unavailable("connection reset"));
    let keys = gateway.create_jobs((0..3).map(|_| new_job()));
    let worker = setup.run(completing);
    let account = soon(gateway.all_finished()).await;
    assert_eq!((account.completed, account.expired_locks), (3, 3));
    assert!(keys.into_iter().all(|key| gateway.job(key).unwrap().activations() == 2));
    assert_eq!(worker.drain().await.completed, 3);
}

#[tokio::test]
async fn a_poll_that_answers_after_its_deadline_gives_its_jobs_back() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.options.stream_enabled = false;
    setup.options.request_timeout = Duration::from_millis(100);
    setup.tuning.poll_offset = Duration::from_millis(100);
    let metrics = Arc::clone(&setup.metrics);
    let key = gateway.create_job(new_job());
    let held = gateway.faults().hold_reply(Rpc::ActivateJobs);
    let worker = setup.run(completing);
    soon(held.reached()).await;
    until(|| metrics.encode().contains(r#"polls_total{result="error"} 1"#)).await;
    held.release();
    let job = soon(gateway.finished(key)).await;
    assert_eq!((job.state, gateway.account().expired_locks), (JobState::Completed, 0));
    assert_eq!(worker.drain().await.completed, 1);
}

#[tokio::test]
async fn connections_that_are_reset_are_made_again_and_jobs_in_hand_go_on() {
    let gateway = DevGateway::start().await.unwrap();
    let gate = Gate::closed();
    let worker = Setup::of(&gateway).run_ready(gated(&gate)).await;
    let keys = gateway.create_jobs((0..4).map(|_| new_job()));
    gate.arrivals(4).await;
    let opened = gateway.account().streams_opened;
    gateway.reset_connections();
    soon(gateway.wait_until(|account| account.streams_opened > opened)).await;
    gate.open();
    for key in keys {
        let job = soon(gateway.finished(key)).await;
        assert_eq!((job.state, job.activations()), (JobState::Completed, 1));
    }
    assert_eq!(worker.drain().await.completed, 4);
}

#[tokio::test]
async fn a_completion_lost_on_the_way_back_is_sent_again_and_not_found_then_means_done() {
    let gateway = DevGateway::start().await.unwrap();
    let setup = Setup::of(&gateway);
    let metrics = Arc::clone(&setup.metrics);
    let worker = setup.run_ready(completing).await;
    let held = gateway.faults().hold_reply(Rpc::CompleteJob);
    let key = gateway.create_job(new_job());
    soon(held.reached()).await;
    assert_eq!(gateway.job(key).unwrap().state, JobState::Completed);
    gateway.reset_connections();
    soon(gateway.wait_until(|account| account.double_completions_refused == 1)).await;
    let summary = worker.drain().await;
    assert_eq!((summary.completed, summary.rejected), (1, 0));
    assert!(metrics.encode().contains(r#"commands_total{command="complete",result="accepted"} 1"#));
}

#[tokio::test]
async fn a_gateway_that_says_goaway_again_and_again_costs_no_job() {
    let age = Duration::from_millis(100);
    let gateway = DevGateway::builder().connection_age(age).start().await.unwrap();
    let worker = Setup::of(&gateway).run_ready(completing).await;
    let mut created = 0;
    while gateway.connections() < 9 {
        let key = gateway.create_job(new_job());
        let job = soon(gateway.finished(key)).await;
        assert_eq!((job.state, job.activations()), (JobState::Completed, 1));
        created += 1;
    }
    assert_eq!(worker.drain().await.completed, created);
}

#[tokio::test]
async fn a_job_in_hand_outlives_a_restart_of_the_gateway() {
    let gateway = DevGateway::start().await.unwrap();
    let gate = Gate::closed();
    let worker = Setup::of(&gateway).run_ready(gated(&gate)).await;
    let key = gateway.create_job(new_job());
    gate.arrivals(1).await;
    gateway.go_down().await;
    gate.open();
    until(|| !worker.status.is_ready()).await;
    gateway.come_up().await.unwrap();
    let job = soon(gateway.finished(key)).await;
    assert_eq!((job.state, job.activations()), (JobState::Completed, 1));
    assert_eq!(worker.drain().await.completed, 1);
}

#[tokio::test]
async fn a_stream_that_is_silent_for_ten_minutes_is_replaced_on_a_new_connection() {
    let gateway = DevGateway::start().await.unwrap();
    let setup = Setup::of(&gateway);
    let metrics = Arc::clone(&setup.metrics);
    let worker = setup.run_ready(completing).await;
    soon(gateway.wait_until(|account| account.open_streams == 1)).await;
    gateway.mute_streams();
    pass(Duration::from_secs(599)).await;
    assert_eq!(gateway.account().streams_opened, 1);
    let connections = gateway.connections();
    pass(Duration::from_secs(2)).await;
    soon(gateway.wait_until(|account| account.open_streams == 1)).await;
    assert!(gateway.connections() > connections);
    assert!(metrics.encode().contains(r#"streams_closed_total{reason="inactivity"} 1"#));
    let pushed = gateway.account().pushed;
    let key = gateway.create_job(new_job());
    soon(gateway.finished(key)).await;
    assert_eq!(gateway.account().pushed, pushed + 1);
    worker.drain().await;
}

#[tokio::test]
async fn a_stream_that_is_silent_while_polls_find_jobs_is_replaced_long_before() {
    let gateway = DevGateway::start().await.unwrap();
    let setup = Setup::of(&gateway);
    let metrics = Arc::clone(&setup.metrics);
    let worker = setup.run_ready(completing).await;
    soon(gateway.wait_until(|account| account.open_streams == 1)).await;
    gateway.mute_streams();
    let finds = async |times: usize| {
        for _ in 0..times {
            // One that began before may end in between; the next finds nothing, and the one after it the job.
            let polls = gateway.account().empty_polls + 1;
            soon(gateway.wait_until(|account| account.empty_polls > polls)).await;
            let key = gateway.create_job(new_job());
            soon(gateway.finished(key)).await;
        }
    };
    // A stream that has just been opened may not be known to all brokers.
    finds(5).await;
    assert_eq!(gateway.account().streams_opened, 1);
    pass(Duration::from_secs(11)).await;
    finds(3).await;
    soon(gateway.wait_until(|account| account.streams_opened == 2 && account.open_streams == 1)).await;
    assert!(metrics.encode().contains(r#"streams_closed_total{reason="missed"} 1"#));
    let pushed = gateway.account().pushed;
    let key = gateway.create_job(new_job());
    soon(gateway.finished(key)).await;
    assert_eq!(gateway.account().pushed, pushed + 1);
    worker.drain().await;
}

#[tokio::test]
async fn a_proxy_that_cuts_streams_and_polls_with_504_is_ordinary() {
    let gateway = DevGateway::start().await.unwrap();
    let cut = Status::unavailable("HTTP status code 504");
    gateway.faults().refuse(Rpc::StreamActivatedJobs, 3, &cut);
    gateway.faults().refuse(Rpc::ActivateJobs, 3, &cut);
    gateway.create_jobs((0..3).map(|_| new_job()));
    let worker = Setup::of(&gateway).run_ready(completing).await;
    for _ in 0..3 {
        gateway.close_streams(&cut);
        let key = gateway.create_job(new_job());
        soon(gateway.finished(key)).await;
    }
    soon(gateway.all_finished()).await;
    assert_eq!(worker.drain().await.completed, 6);
}

#[tokio::test]
async fn a_storm_of_unauthenticated_passes_and_no_job_is_lost_or_done_twice() {
    let gateway = DevGateway::start().await.unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let refused = Status::unauthenticated("who are you?");
    for rpc in [Rpc::Topology, Rpc::StreamActivatedJobs, Rpc::ActivateJobs, Rpc::CompleteJob] {
        gateway.faults().refuse(rpc, 10, &refused);
    }
    gateway.create_jobs((0..10).map(|_| new_job()));
    let worker = Setup::of(&gateway)
        .run_ready(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            async { complete() }
        })
        .await;
    let account = soon(gateway.all_finished()).await;
    assert_eq!((account.completed, account.expired_locks), (10, 0));
    assert_eq!((worker.drain().await.completed, runs.load(Ordering::SeqCst)), (10, 10));
}

#[tokio::test]
async fn resource_exhausted_is_waited_out_for_overload_and_an_incident_for_size() {
    let gateway = DevGateway::start().await.unwrap();
    let worker = Setup::of(&gateway)
        .run_ready(|job| async move {
            let size = usize::try_from(job.variables["size"].as_u64().unwrap()).unwrap();
            Outcome::Complete { variables: object(json!({ "text": "x".repeat(size) })) }
        })
        .await;
    gateway.faults().refuse(Rpc::CompleteJob, 5, &Status::resource_exhausted("overloaded"));
    let small = gateway.create_job(new_job().variables(json!({ "size": 10 })));
    assert_eq!(soon(gateway.finished(small)).await.state, JobState::Completed);
    // The first is too large for the broker's log, the second for a message to the gateway.
    for size in [3_000_000, 5_000_000] {
        let key = gateway.create_job(new_job().variables(json!({ "size": size })));
        let job = soon(gateway.finished(key)).await;
        assert_eq!((job.state, job.activations()), (JobState::Incident, 1), "{size}");
        assert!(job.error_message.unwrap().contains("too large for the engine"));
    }
    let summary = worker.drain().await;
    assert_eq!((summary.completed, summary.failed), (1, 2));
}

#[tokio::test]
async fn an_answer_larger_than_we_take_ends_neither_the_stream_nor_the_poll_for_good() {
    for (stream_enabled, met) in
        [(true, r#"streams_closed_total{reason="error"} 1"#), (false, r#"polls_total{result="error"} 1"#)]
    {
        let gateway = DevGateway::builder().largest_message(32 * 1024 * 1024).start().await.unwrap();
        let mut setup = Setup::of(&gateway);
        setup.options.stream_enabled = stream_enabled;
        let metrics = Arc::clone(&setup.metrics);
        let worker = setup.run_ready(completing).await;
        let large = gateway.create_job(new_job().variables(json!({ "text": "x".repeat(9_000_000) })));
        // What the gateway sends behind it on the same stream would be lost with it, until its lock runs out.
        until(|| metrics.encode().contains(met)).await;
        for _ in 0..3 {
            let key = gateway.create_job(new_job());
            assert_eq!(soon(gateway.finished(key)).await.state, JobState::Completed);
        }
        assert_eq!(gateway.job(large).unwrap().state, JobState::Activated, "its lock runs out");
        assert_eq!(worker.drain().await.completed, 3);
    }
}

#[tokio::test]
async fn a_clock_that_is_an_hour_off_changes_nothing() {
    for hours in [-1, 1] {
        let gateway = DevGateway::start().await.unwrap();
        gateway.set_clock_skew_millis(hours * 3_600_000);
        let mut setup = Setup::of(&gateway);
        setup.options.job_timeout = Duration::from_millis(600);
        let gate = Gate::closed();
        let worker = setup.run_ready(gated(&gate)).await;
        let key = gateway.create_job(new_job());
        soon(gateway.wait_until(|account| account.timeout_updates >= 2)).await;
        gate.open();
        let job = soon(gateway.finished(key)).await;
        assert_eq!((job.state, job.activations()), (JobState::Completed, 1), "{hours}");
        let summary = worker.drain().await;
        assert_eq!((summary.completed, summary.expired), (1, 0));
    }
}

#[tokio::test]
async fn a_leader_change_of_thirty_seconds_delays_and_costs_nothing() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.options.job_timeout = Duration::from_mins(1);
    let gate = Gate::closed();
    let worker = setup.run_ready(gated(&gate)).await;
    let keys = gateway.create_jobs((0..4).map(|_| new_job()));
    gate.arrivals(4).await;
    let rpcs = [Rpc::CompleteJob, Rpc::UpdateJobTimeout, Rpc::ActivateJobs];
    for rpc in rpcs {
        gateway.faults().refuse(rpc, 10_000, &Status::unavailable("no leader for the partition"));
    }
    gate.open();
    until(|| gateway.faults().pending(Rpc::CompleteJob) < 9_990).await;
    pass(Duration::from_secs(30)).await;
    gateway.faults().clear();
    for key in keys {
        let job = soon(gateway.finished(key)).await;
        assert_eq!((job.state, job.activations()), (JobState::Completed, 1));
    }
    assert_eq!(gateway.account().expired_locks, 0);
    assert_eq!(worker.drain().await.completed, 4);
}

#[tokio::test]
async fn commands_take_turns_on_two_connections_and_streams_have_their_own() {
    let gateway = DevGateway::start().await.unwrap();
    let worker = Setup::of(&gateway).run_ready(completing).await;
    gateway.create_jobs((0..50).map(|_| new_job()));
    soon(gateway.all_finished()).await;
    assert_eq!(gateway.connections(), 3);
    worker.drain().await;
}

#[tokio::test]
async fn a_slow_answer_is_waited_for_and_nothing_is_sent_twice() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.tuning.command_timeout = Duration::from_secs(10);
    let metrics = Arc::clone(&setup.metrics);
    let worker = setup.run_ready(completing).await;
    let held = gateway.faults().hold_reply(Rpc::CompleteJob);
    gateway.create_job(new_job());
    soon(held.reached()).await;
    pass(Duration::from_secs(9)).await;
    held.release();
    assert_eq!(worker.drain().await.completed, 1);
    assert_eq!(gateway.account().double_completions_refused, 0);
    assert!(metrics.encode().contains(r#"commands_total{command="complete",result="accepted"} 1"#));
}

#[tokio::test]
async fn streams_are_replaced_before_their_eighth_hour_ends_and_not_all_at_once() {
    const WORKERS: usize = 12;
    let (gateway, metrics) = (DevGateway::start().await.unwrap(), Arc::<Metrics>::default());
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        let mut setup = Setup::of(&gateway);
        // Its silence would have it replaced much earlier.
        setup.tuning.stream_inactivity = Duration::from_hours(24);
        setup.metrics = Arc::clone(&metrics);
        workers.push(setup.run_ready(completing).await);
    }
    soon(gateway.wait_until(|account| account.open_streams == WORKERS)).await;
    let connections = gateway.connections();
    let replaced = || {
        let text = metrics.encode();
        let line =
            text.lines().find_map(|line| line.split_once(r#"streams_closed_total{reason="lifetime"} "#));
        line.map_or(0, |(_, count)| count.parse::<usize>().unwrap())
    };
    let mut counts = Vec::new();
    // The last tenth of eight hours is 48 minutes.
    for minutes in [7 * 60 + 11, 12, 12, 12] {
        pass(Duration::from_mins(minutes)).await;
        settle().await;
        counts.push(replaced());
    }
    pass(Duration::from_mins(14)).await;
    let all = |account: &Account| (account.streams_opened, account.open_streams) == (2 * WORKERS, WORKERS);
    soon(gateway.wait_until(all)).await;
    counts.push(replaced());
    assert_eq!((counts.first(), counts.last()), (Some(&0), Some(&WORKERS)));
    assert!(counts.windows(2).all(|two| two[1] - two[0] < WORKERS), "all at once: {counts:?}");
    assert!(gateway.connections() >= connections + WORKERS);
    for worker in workers {
        worker.drain().await;
    }
}
