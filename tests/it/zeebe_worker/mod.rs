//! The worker as a whole, on a DevGateway over real gRPC.
//!
//! What the status codes mean to a worker, and what users of other workers complain about, and the test in
//! which it is met. Names without a module are in [`faults`].
//!
//! | What happens | Test |
//! |---|---|
//! | UNAVAILABLE, RESOURCE_EXHAUSTED: not processed | [`reports`]`::a_command_that_was_not_taken_is_sent_again_until_it_is` |
//! | DEADLINE_EXCEEDED: outcome unknown | [`reports`]`::a_lost_answer_counts_as_accepted_when_the_second_try_finds_the_job_gone` |
//! | connection lost under a command | `a_completion_lost_on_the_way_back_is_sent_again_and_not_found_then_means_done` |
//! | NOT_FOUND, FAILED_PRECONDITION on a report | [`reports`]`::a_job_that_is_gone_or_elsewhere_is_counted_and_left_alone` |
//! | the same on a renewal | [`locks`]`::a_refused_renewal_drops_the_work_of_a_job_that_is_not_ours_any_more`; in the middle of a write: [`commit`] |
//! | our mistakes: INVALID_ARGUMENT, OUT_OF_RANGE, UNIMPLEMENTED, PERMISSION_DENIED | [`reports`]`::a_result_that_the_engine_will_never_take_becomes_an_incident_at_once` |
//! | UNAUTHENTICATED, once and in storms | [`connection`]`::a_token_that_is_not_accepted_any_more_is_replaced_once_for_all`, `a_storm_of_unauthenticated_passes_and_no_job_is_lost_or_done_twice` |
//! | token trouble | [`connection`]`::a_token_endpoint_that_fails_for_a_while_does_not_end_the_worker`, `::a_wrong_secret_does_not_become_a_storm_of_token_requests` |
//! | RESOURCE_EXHAUSTED for overload or for size; UNKNOWN for size | `resource_exhausted_is_waited_out_for_overload_and_an_incident_for_size` |
//! | ENHANCE_YOUR_CALM, which comes as RESOURCE_EXHAUSTED | [`transport`]`::a_call_for_calm_is_no_refusal_and_what_was_done_before_it_counts_as_done` |
//! | no answer to a command | [`reports`]`::a_command_without_an_answer_is_sent_again` |
//! | a slow answer | `a_slow_answer_is_waited_for_and_nothing_is_sent_twice` |
//! | an answer larger than we take | `an_answer_larger_than_we_take_ends_neither_the_stream_nor_the_poll_for_good` |
//! | a partition that does not exist: UNAVAILABLE for ever | [`reports`]`::a_report_that_is_not_taken_before_the_lock_ends_is_too_late`, `::a_report_is_not_tried_for_ever_although_the_lock_is_kept` |
//! | response lost after activation | `a_poll_whose_answer_is_lost_after_activation_costs_one_lock_and_nothing_else` |
//! | a poll that answers after its deadline | `a_poll_that_answers_after_its_deadline_gives_its_jobs_back` |
//! | a poll that answers at the stop | [`shutdown`]`::a_job_that_arrives_while_draining_is_handed_back` |
//! | RST | `connections_that_are_reset_are_made_again_and_jobs_in_hand_go_on` |
//! | GOAWAY | `a_gateway_that_says_goaway_again_and_again_costs_no_job` |
//! | silent stream | `a_stream_that_is_silent_for_ten_minutes_is_replaced_on_a_new_connection` |
//! | a dead connection | [`transport`]`::a_connection_that_answers_no_ping_is_given_up_and_the_stream_opened_on_another` |
//! | an idle stream; too many pings | [`transport`]`::a_silent_stream_is_kept_alive_by_pings_and_not_by_too_many`, `::a_connection_without_a_call_is_not_pinged` |
//! | 504 of a proxy | `a_proxy_that_cuts_streams_and_polls_with_504_is_ordinary`; in plain HTTP: [`transport`]`::a_504_in_plain_http_ends_a_stream_and_no_more` |
//! | no streams at all | [`jobs`]`::while_no_stream_can_be_opened_the_poll_brings_the_jobs` |
//! | a worker that stops polling for ever | [`jobs`]`::polls_that_fail_are_followed_by_others` |
//! | backlog behind push | [`jobs`]`::what_waited_before_the_stream_opened_is_found_by_the_poll`, and the tests of `zeebe::permits` |
//! | hoarding | [`jobs`]`::a_busy_worker_reads_no_more_than_it_has_permits_and_hoards_little` |
//! | a lock that ends before the start | [`locks`]`::a_job_whose_lock_ended_while_it_waited_unread_is_not_done_twice` |
//! | a handler that outlives its lock | [`locks`]`::renewal_keeps_a_job_that_takes_longer_than_its_lock` |
//! | a completion lost under load | [`reports`]`::the_lock_is_renewed_while_a_report_is_tried_again` |
//! | duplicate delivery | [`jobs`]`::a_job_that_comes_twice_is_done_once` |
//! | poison jobs | [`jobs`]`::a_malformed_job_becomes_an_incident_that_says_why` |
//! | clocks an hour apart | `a_clock_that_is_an_hour_off_changes_nothing` |
//! | leader change | `a_leader_change_of_thirty_seconds_delays_and_costs_nothing` |
//! | gateway restart | [`connection`]`::a_worker_outlives_restarts_of_the_gateway`, `a_job_in_hand_outlives_a_restart_of_the_gateway` |
//! | several gateways | `commands_take_turns_on_two_connections_and_streams_have_their_own`; one hangs: [`transport`]`::a_command_that_gets_lost_on_one_of_two_connections_is_sent_again_on_the_other` |
//! | load that must spread again | `streams_are_replaced_before_their_eighth_hour_ends_and_not_all_at_once` |
#![expect(clippy::unwrap_used, reason = "a test may unwrap, in its helpers too")]

mod commit;
mod connection;
mod faults;
mod jobs;
mod locks;
mod parking;
mod reports;
mod scope;
mod shutdown;
mod tls;
mod transport;
mod wire;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use salesforce_connector::{
    backoff::Backoff,
    metrics::Metrics,
    zeebe::{
        Failure, GatewayAuthentication, GatewayClient, GatewayOptions, Job, JobHandler, Outcome, StopSignal,
        Worker, WorkerOptions, WorkerStatus, WorkerSummary, WorkerTuning,
    },
};
use salesforce_connector_dev::gateway::{DevGateway, NewJob};
use serde_json::{Map, Value, json};
use tokio::{sync::Semaphore, task::JoinHandle, time::timeout};

const JOB_TYPE: &str = "test-job";

/// How a test's worker differs from the usual one.
struct Setup {
    gateway: GatewayOptions,
    options: WorkerOptions,
    tuning: WorkerTuning,
    metrics: Arc<Metrics>,
}

/// A worker that runs.
struct Running {
    status: WorkerStatus,
    stop: StopSignal,
    task: JoinHandle<WorkerSummary>,
}

/// A handler made of a closure.
struct Handler<F>(F);

impl<F, R> JobHandler for Handler<F>
where
    F: Fn(Job) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send,
{
    fn handle(&self, job: &Job) -> impl Future<Output = Outcome> + Send {
        (self.0)(job.clone())
    }
}

fn address(url: String) -> GatewayOptions {
    GatewayOptions {
        address: url,
        ca_certificate: None,
        override_authority: None,
        rest_address: None,
        authentication: GatewayAuthentication::None,
    }
}

impl Setup {
    fn of(gateway: &DevGateway) -> Self {
        Self::at(address(gateway.url()))
    }

    /// Short times, so that nothing that goes wrong takes long.
    fn at(gateway: GatewayOptions) -> Self {
        let options = WorkerOptions {
            job_type: JOB_TYPE.into(),
            name: "tester".into(),
            max_jobs_active: 8,
            job_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(2),
            fetch_variables: Vec::new(),
            tenant_ids: Vec::new(),
            assigned_tenants: false,
            with_lease: false,
            stream_enabled: true,
            shutdown_grace: Duration::from_secs(10),
        };
        let quick = Backoff::new(Duration::from_millis(5), Duration::from_millis(50), 2.0, 0.1).unwrap();
        let tuning = WorkerTuning {
            command_timeout: Duration::from_secs(5),
            stream_quiet: Duration::from_millis(40),
            poll_pause: Duration::from_millis(10),
            idle_poll_backoff: quick,
            error_backoff: quick,
            credentials_backoff: quick,
            ..WorkerTuning::default()
        };
        Self { gateway, options, tuning, metrics: Arc::default() }
    }

    fn client(&self) -> GatewayClient {
        GatewayClient::new(self.gateway.clone(), Arc::clone(&self.metrics)).unwrap()
    }

    fn run<F, R>(self, handler: F) -> Running
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future<Output = Outcome> + Send + 'static,
    {
        let worker =
            Worker::new(self.client(), Handler(handler), self.options, self.metrics).with_tuning(self.tuning);
        let (status, stop) = (worker.status(), StopSignal::default());
        let task = tokio::spawn(worker.run(stop.clone()));
        Running { status, stop, task }
    }

    async fn run_ready<F, R>(self, handler: F) -> Running
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future<Output = Outcome> + Send + 'static,
    {
        let running = self.run(handler);
        soon(running.status.ready()).await;
        running
    }
}

impl Running {
    async fn drain(self) -> WorkerSummary {
        self.stop.drain.cancel();
        self.ended().await
    }

    async fn ended(self) -> WorkerSummary {
        let summary = soon(self.task).await.unwrap();
        assert_eq!(summary.taken, summary.ended(), "{summary:?}");
        summary
    }
}

/// Fails the test instead of hanging.
async fn soon<T>(event: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), event).await.expect("should have happened within 20 seconds")
}

/// Lets this much time pass at once.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Lets everybody act who has something to do.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// For what can only be looked at, not awaited.
async fn until(holds: impl Fn() -> bool) {
    let watching = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    soon(watching).await;
}

fn new_job() -> NewJob {
    NewJob::new(JOB_TYPE)
}

#[expect(clippy::needless_pass_by_value, reason = "it reads better with a literal")]
fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

fn complete() -> Outcome {
    Outcome::Complete { variables: object(json!({ "answer": 42 })) }
}

async fn completing(_: Job) -> Outcome {
    complete()
}

fn failure(message: &str, retries: i32) -> Outcome {
    Outcome::Fail(Failure { message: message.into(), retries, ..Failure::default() })
}

/// The work of a job that waits for something.
type Held = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Jobs wait at the gate until the test opens it.
#[derive(Clone)]
struct Gate {
    arrived: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Gate {
    fn closed() -> Self {
        Self { arrived: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) }
    }

    async fn pass(&self) {
        self.arrived.add_permits(1);
        let _ = self.open.acquire().await.unwrap();
    }

    async fn arrivals(&self, jobs: u32) {
        soon(self.arrived.acquire_many(jobs)).await.unwrap().forget();
    }

    fn open(&self) {
        self.open.add_permits(Semaphore::MAX_PERMITS / 2);
    }
}
