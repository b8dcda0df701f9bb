//! How jobs come: stream, poll, permits.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use salesforce_connector::zeebe::Outcome;
use salesforce_connector_dev::gateway::{DEFAULT_TENANT, DevGateway, JobState, Rpc};
use serde_json::json;
use tokio::sync::mpsc;
use tonic::Status;

use super::{Gate, Setup, complete, completing, failure, new_job, object, soon, until};

#[tokio::test]
async fn a_pushed_job_is_completed_with_its_variables() {
    let gateway = DevGateway::start().await.unwrap();
    let worker = Setup::of(&gateway).run_ready(completing).await;
    let key = gateway.create_job(new_job());
    let job = soon(gateway.finished(key)).await;
    assert_eq!((job.state, job.result), (JobState::Completed, Some(object(json!({ "answer": 42 })))));
    assert_eq!(gateway.account().pushed, 1);
    let summary = worker.drain().await;
    assert_eq!((summary.taken, summary.completed), (1, 1));
}

#[tokio::test]
async fn what_waited_before_the_stream_opened_is_found_by_the_poll() {
    let gateway = DevGateway::start().await.unwrap();
    gateway.create_jobs((0..20).map(|_| new_job()));
    let worker = Setup::of(&gateway).run(completing);
    let account = soon(gateway.all_finished()).await;
    assert_eq!((account.completed, account.activated), (20, 20));
    assert!(account.polled > 0);
    assert_eq!(worker.drain().await.completed, 20);
}

#[tokio::test]
async fn without_streaming_the_long_poll_brings_the_jobs() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.options.stream_enabled = false;
    let worker = setup.run(completing);
    soon(gateway.wait_until(|account| account.parked_polls == 1)).await;
    let key = gateway.create_job(new_job());
    soon(gateway.finished(key)).await;
    soon(worker.status.ready()).await;
    assert_eq!((gateway.account().streams_opened, gateway.account().polled), (0, 1));
    assert_eq!(worker.drain().await.completed, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_jobs_none_is_lost_and_none_is_done_twice() {
    let gateway = DevGateway::start().await.unwrap();
    let runs = Arc::new(Mutex::new(HashMap::<i64, usize>::new()));
    let mut setup = Setup::of(&gateway);
    setup.options.max_jobs_active = 32;
    gateway.create_jobs((0..500).map(|_| new_job()));
    let counted = Arc::clone(&runs);
    let worker = setup.run(move |job| {
        *counted.lock().unwrap().entry(job.key).or_default() += 1;
        async { complete() }
    });
    soon(worker.status.ready()).await;
    gateway.create_jobs((0..500).map(|_| new_job()));
    let account = soon(gateway.all_finished()).await;
    assert_eq!((account.completed, account.activated, account.refused), (1000, 1000, 0));
    let runs = runs.lock().unwrap().clone();
    assert_eq!((runs.len(), runs.values().max()), (1000, Some(&1)));
    assert_eq!(worker.drain().await.completed, 1000);
}

#[tokio::test]
async fn a_busy_worker_reads_no_more_than_it_has_permits_and_hoards_little() {
    let gateway = DevGateway::start().await.unwrap();
    let (gate, running, most) =
        (Gate::closed(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut setup = Setup::of(&gateway);
    setup.options.max_jobs_active = 4;
    let (held, now, max) = (gate.clone(), Arc::clone(&running), Arc::clone(&most));
    let worker = setup
        .run_ready(move |_| {
            let (held, now, max) = (held.clone(), Arc::clone(&now), Arc::clone(&max));
            async move {
                max.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                held.pass().await;
                now.fetch_sub(1, Ordering::SeqCst);
                complete()
            }
        })
        .await;
    let text = "x".repeat(8 * 1024);
    for _ in 0..200 {
        gateway.create_job(new_job().variables(json!({ "text": text })));
        tokio::task::yield_now().await;
    }
    gate.arrivals(4).await;
    // The receive window is full when the gateway finds the stream blocked.
    let account = soon(gateway.wait_until(|account| account.yielded > 0)).await;
    assert_eq!(running.load(Ordering::SeqCst), 4);
    assert!(account.activated < 40, "{account:?}");
    gate.open();
    assert_eq!(soon(gateway.all_finished()).await.completed, 200);
    assert_eq!(most.load(Ordering::SeqCst), 4);
    assert_eq!(worker.drain().await.completed, 200);
}

#[tokio::test]
async fn one_permit_serves_stream_and_poll() {
    let gateway = DevGateway::start().await.unwrap();
    let running = Arc::new(AtomicUsize::new(0));
    let mut setup = Setup::of(&gateway);
    setup.options.max_jobs_active = 1;
    gateway.create_jobs((0..10).map(|_| new_job()));
    let worker = setup
        .run_ready(move |_| {
            let running = Arc::clone(&running);
            async move {
                assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
                tokio::task::yield_now().await;
                running.fetch_sub(1, Ordering::SeqCst);
                complete()
            }
        })
        .await;
    gateway.create_jobs((0..10).map(|_| new_job()));
    assert_eq!(soon(gateway.all_finished()).await.completed, 20);
    assert_eq!(worker.drain().await.completed, 20);
}

#[tokio::test]
async fn a_malformed_job_becomes_an_incident_that_says_why() {
    let gateway = DevGateway::start().await.unwrap();
    let worker = Setup::of(&gateway).run_ready(completing).await;
    let variables = gateway.create_job(new_job().malformed_variables("[1]"));
    let headers = gateway.create_job(new_job().malformed_headers("nonsense"));
    for (key, part) in [(variables, "variables"), (headers, "custom headers")] {
        let job = soon(gateway.finished(key)).await;
        assert_eq!((job.state, job.retries), (JobState::Incident, 0));
        let message = job.error_message.unwrap();
        assert!(message.starts_with(&format!("The job's {part} must be a JSON object")), "{message}");
    }
    assert_eq!(worker.drain().await.failed, 2);
}

#[tokio::test]
async fn a_job_arrives_whole() {
    let gateway = DevGateway::start().await.unwrap();
    let (sender, mut jobs) = mpsc::channel(1);
    let worker = Setup::of(&gateway)
        .run_ready(move |job| {
            sender.try_send(job).unwrap();
            async { complete() }
        })
        .await;
    let key = gateway.create_job(
        new_job()
            .variables(json!({ "n": 1 }))
            .headers([("h", "v")])
            .retries(5)
            .element_id("task")
            .bpmn_process_id("process")
            .process_definition_version(3)
            .process_instance_key(99)
            .tags(["urgent"]),
    );
    let job = soon(jobs.recv()).await.unwrap();
    assert_eq!((job.key, job.job_type.as_str(), job.retries), (key, "test-job", 5));
    assert_eq!((job.variables, job.headers["h"].as_str()), (object(json!({ "n": 1 })), "v"));
    assert_eq!((job.element_id.as_str(), job.bpmn_process_id.as_str()), ("task", "process"));
    assert_eq!((job.process_definition_version, job.process_instance_key), (3, 99));
    assert_eq!((job.tenant_id.as_str(), job.tags), (DEFAULT_TENANT, vec!["urgent".to_owned()]));
    assert_eq!(gateway.job(key).unwrap().element_instance_key, job.element_instance_key);
    worker.drain().await;
}

#[tokio::test]
async fn only_the_named_tenants_jobs_are_taken() {
    let gateway = DevGateway::builder().tenants(["a", "b"]).start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.options.tenant_ids = vec!["a".into()];
    let worker = setup.run_ready(completing).await;
    let other = gateway.create_job(new_job().tenant("b"));
    let ours = gateway.create_job(new_job().tenant("a"));
    soon(gateway.finished(ours)).await;
    assert_eq!(worker.drain().await.taken, 1);
    assert_eq!(gateway.job(other).unwrap().state, JobState::Activatable);
}

#[tokio::test]
async fn a_lease_is_asked_for_and_shown_with_every_command() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.options.with_lease = true;
    // The header has the lock renewed; each outcome has a command of its own.
    let outcomes = [
        complete(),
        failure("no", 0),
        Outcome::ThrowError { code: "C".into(), message: "m".into(), variables: object(json!({})) },
    ];
    let worker = setup
        .run_ready(move |job| {
            let number = usize::try_from(job.variables["number"].as_u64().unwrap()).unwrap();
            std::future::ready(outcomes[number].clone())
        })
        .await;
    for (number, state) in
        [JobState::Completed, JobState::Incident, JobState::ErrorThrown].into_iter().enumerate()
    {
        let key = gateway
            .create_job(new_job().variables(json!({ "number": number })).headers([("jobTimeout", "PT10S")]));
        let job = soon(gateway.finished(key)).await;
        assert_eq!((job.state, job.lease.is_some()), (state, true));
    }
    assert_eq!((gateway.account().refused, gateway.account().timeout_updates), (0, 3));
    assert_eq!(worker.drain().await.taken, 3);
}

#[tokio::test]
async fn a_gateway_that_gives_no_lease_gets_its_jobs_back_with_unchanged_retries_and_a_rest() {
    for gateway in [
        DevGateway::builder().gateway_version("8.6.0").start().await.unwrap(),
        DevGateway::builder().honour_leases(false).start().await.unwrap(),
    ] {
        let mut setup = Setup::of(&gateway);
        setup.options.with_lease = true;
        let metrics = Arc::clone(&setup.metrics);
        let worker = setup.run_ready(completing).await;
        let key = gateway.create_job(new_job().retries(2));
        let job = soon(gateway.job_when(key, |job| job.state == JobState::BackingOff)).await;
        assert_eq!((job.failures(), job.backoff), (vec![2], Some(Duration::from_secs(30))));
        assert!(job.error_message.unwrap().contains("worker.lease"));
        let summary = worker.drain().await;
        assert_eq!((summary.unleased, summary.completed), (1, 0));
        let returned = r#"jobs_ended_total{operation="unknown",end="returned",reason="unleased"} 1"#;
        assert!(metrics.encode().contains(returned));
    }
}

#[tokio::test]
async fn the_jobs_of_all_assigned_tenants_are_taken_where_that_is_wanted() {
    for stream_enabled in [true, false] {
        let gateway = DevGateway::builder().tenants(["a", "b"]).start().await.unwrap();
        let mut setup = Setup::of(&gateway);
        setup.options.assigned_tenants = true;
        setup.options.stream_enabled = stream_enabled;
        let worker = setup.run_ready(completing).await;
        for tenant in ["a", "b"] {
            let key = gateway.create_job(new_job().tenant(tenant));
            assert_eq!(soon(gateway.finished(key)).await.state, JobState::Completed, "{tenant}");
        }
        assert_eq!(worker.drain().await.completed, 2);
    }
}

#[tokio::test]
async fn jobs_beyond_what_was_asked_for_are_given_back_with_unchanged_retries() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.options.stream_enabled = false;
    setup.options.max_jobs_active = 2;
    let metrics = Arc::clone(&setup.metrics);
    gateway.faults().surplus(3);
    let keys = gateway.create_jobs((0..5).map(|_| new_job().retries(2)));
    let worker = setup.run(completing);
    assert_eq!(soon(gateway.all_finished()).await.completed, 5);
    let returned: Vec<_> = keys.iter().flat_map(|key| gateway.job(*key).unwrap().failures()).collect();
    assert_eq!(returned, [2, 2, 2]);
    let summary = worker.drain().await;
    assert_eq!((summary.completed, summary.surplus), (5, 3));
    let returned = r#"jobs_ended_total{operation="unknown",end="returned",reason="surplus"} 3"#;
    assert!(metrics.encode().contains(returned));
}

#[tokio::test]
async fn a_job_that_comes_twice_is_done_once() {
    for (stream_enabled, source) in [(true, "stream"), (false, "poll")] {
        let gateway = DevGateway::start().await.unwrap();
        let gate = Gate::closed();
        let held = gate.clone();
        let mut setup = Setup::of(&gateway);
        setup.options.stream_enabled = stream_enabled;
        let metrics = Arc::clone(&setup.metrics);
        let worker = setup
            .run_ready(move |_| {
                let held = held.clone();
                async move {
                    held.pass().await;
                    complete()
                }
            })
            .await;
        gateway.faults().duplicate_deliveries(1);
        let key = gateway.create_job(new_job());
        gate.arrivals(1).await;
        let received = format!(r#"jobs_activated_total{{source="{source}"}} 2"#);
        until(|| metrics.encode().contains(&received)).await;
        gate.open();
        soon(gateway.finished(key)).await;
        let summary = worker.drain().await;
        assert_eq!((summary.taken, summary.completed, summary.duplicates), (2, 1, 1), "{source}");
    }
}

#[tokio::test]
async fn a_stream_that_ends_with_an_error_is_opened_again() {
    let gateway = DevGateway::start().await.unwrap();
    let worker = Setup::of(&gateway).run_ready(completing).await;
    for status in [Status::unavailable("HTTP status code 504"), Status::internal("oops")] {
        let opened = gateway.account().streams_opened;
        gateway.close_streams(&status);
        soon(gateway.wait_until(|account| account.streams_opened > opened && account.open_streams == 1))
            .await;
        let pushed = gateway.account().pushed;
        let key = gateway.create_job(new_job());
        soon(gateway.finished(key)).await;
        assert_eq!(gateway.account().pushed, pushed + 1);
    }
    assert_eq!(worker.drain().await.completed, 2);
}

#[tokio::test]
async fn a_stream_that_has_gone_silent_is_replaced() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    setup.tuning.stream_inactivity = Duration::from_millis(300);
    let worker = setup.run_ready(completing).await;
    gateway.mute_streams();
    soon(gateway.wait_until(|account| account.streams_opened >= 2 && account.open_streams == 1)).await;
    let key = gateway.create_job(new_job());
    soon(gateway.finished(key)).await;
    assert_eq!(worker.drain().await.completed, 1);
}

#[tokio::test]
async fn an_old_stream_is_replaced_and_all_jobs_get_done() {
    let gateway = DevGateway::start().await.unwrap();
    let mut setup = Setup::of(&gateway);
    // A job that is sent in the very moment of the change comes again when its lock has run out.
    setup.options.job_timeout = Duration::from_millis(500);
    setup.tuning.stream_lifetime = Duration::from_millis(150);
    let worker = setup.run_ready(completing).await;
    let mut created = 0;
    while gateway.account().streams_opened < 3 {
        let key = gateway.create_job(new_job());
        soon(gateway.finished(key)).await;
        created += 1;
    }
    assert_eq!(worker.drain().await.completed, created);
}

#[tokio::test]
async fn while_no_stream_can_be_opened_the_poll_brings_the_jobs() {
    let gateway = DevGateway::start().await.unwrap();
    gateway.faults().refuse(Rpc::StreamActivatedJobs, 10_000, &Status::unimplemented("no streams here"));
    let worker = Setup::of(&gateway).run(completing);
    for _ in 0..3 {
        let key = gateway.create_job(new_job());
        soon(gateway.finished(key)).await;
    }
    assert!(!worker.status.is_ready());
    assert_eq!((gateway.account().pushed, gateway.account().polled), (0, 3));
    assert_eq!(worker.drain().await.completed, 3);
}

#[tokio::test]
async fn polls_that_fail_are_followed_by_others() {
    let gateway = DevGateway::start().await.unwrap();
    for status in [
        Status::resource_exhausted("overload"),
        Status::unavailable("no leader"),
        Status::deadline_exceeded("too slow"),
        Status::internal("oops"),
        Status::permission_denied("no"),
    ] {
        gateway.faults().refuse(Rpc::ActivateJobs, 2, &status);
    }
    gateway.create_jobs((0..3).map(|_| new_job()));
    let worker = Setup::of(&gateway).run(completing);
    soon(gateway.all_finished()).await;
    assert_eq!(worker.drain().await.completed, 3);
}
