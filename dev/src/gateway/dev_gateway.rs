//! The handle that tests and the demo hold.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Status;
use tonic::transport::Server;

use super::account::Account;
use super::auth::{GatewayAuth, Rule};
use super::builder::DevGatewayBuilder;
use super::commands::Variables;
use super::faults::GatewayFaults;
use super::hub::Hub;
use super::identity::DevIdentity;
use super::job::{JobRecord, NewJob};
use super::jobs_api::JobsApi;
use super::listener::Listener;
use super::proto::gateway_server::GatewayServer;
use super::server::Service;
use super::settings::Settings;

/// tonic answers a message above its limit with another code than the real gateway; the service itself
/// refuses at 4 MiB, and only what is far above meets this one.
const DECODE_LIMIT: usize = 64 * 1024 * 1024;

/// The job side of a Zeebe gateway, in memory, serving gRPC. Dropping it stops it.
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// use salesforce_connector_dev::gateway::{DevGateway, NewJob};
///
/// let gateway = DevGateway::start().await?;
/// let key = gateway.create_job(NewJob::new("greet").variables(serde_json::json!({ "name": "Ada" })));
/// // … a worker connects to gateway.url() …
/// let job = gateway.finished(key).await;
/// assert_eq!(job.activations(), 1);
/// # Ok(())
/// # }
/// ```
pub struct DevGateway {
    hub: Arc<Hub>,
    listener: Listener,
    server: JoinHandle<Result<(), tonic::transport::Error>>,
    stop: DropGuard,
}

impl DevGateway {
    /// Options first.
    pub fn builder() -> DevGatewayBuilder {
        DevGatewayBuilder::default()
    }

    /// A gateway with default options on a free loopback port.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    pub(super) async fn serve(mut settings: Settings, rule: Rule) -> io::Result<Self> {
        let (listener, connections) = Listener::bind(settings.listen).await?;
        settings.listen = listener.address();
        let hub = Arc::new(Hub::new(settings, GatewayAuth::new(rule)));
        let stop = CancellationToken::new();
        tokio::spawn(Arc::clone(&hub).run_timers(stop.clone()));
        let service = GatewayServer::new(Service { hub: Arc::clone(&hub) });
        let server = match hub.settings.connection_age {
            Some(age) => Server::builder().max_connection_age(age),
            None => Server::builder(),
        };
        let router = { server }.add_service(service.max_decoding_message_size(DECODE_LIMIT));
        let stopped = stop.clone().cancelled_owned();
        let serving = router.serve_with_incoming_shutdown(ReceiverStream::new(connections), stopped);
        Ok(Self { hub, listener, server: tokio::spawn(serving), stop: stop.drop_guard() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// The same as a URL, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Creates a job and returns its key. A matching stream gets it at once; else it waits for a poll.
    pub fn create_job(&self, job: NewJob) -> i64 {
        self.hub.apply(|inner, now| inner.broker.create(job, now))
    }

    /// Creates jobs at one moment. Streams take what their buffers hold; the rest waits for polls.
    pub fn create_jobs(&self, jobs: impl IntoIterator<Item = NewJob>) -> Vec<i64> {
        let jobs: Vec<NewJob> = jobs.into_iter().collect();
        self.hub.apply(|inner, now| jobs.into_iter().map(|job| inner.broker.create(job, now)).collect())
    }

    /// A job as it stands now.
    pub fn job(&self, key: i64) -> Option<JobRecord> {
        self.hub.record(key)
    }

    /// Every job as it stands now, in the order of creation.
    pub fn jobs(&self) -> Vec<JobRecord> {
        self.hub.read(|broker| broker.jobs.values().map(|job| job.record.clone()).collect())
    }

    /// Waits until the job is completed, has an incident, or was ended by an error.
    ///
    /// # Panics
    /// If there is no such job.
    pub async fn finished(&self, key: i64) -> JobRecord {
        self.job_when(key, |job| job.state.is_terminal()).await
    }

    /// Waits until this is true of the job. Sees the job after each change of any job, except for changes
    /// that follow one another at once. The predicate runs under the gateway's lock: it must not use the
    /// gateway.
    ///
    /// # Panics
    /// If there is no such job.
    pub async fn job_when(&self, key: i64, predicate: impl Fn(&JobRecord) -> bool) -> JobRecord {
        self.hub.record_when(key, predicate).await.expect("expected the key of a created job")
    }

    /// Waits until every created job is in a terminal state; at once if there is none.
    pub async fn all_finished(&self) -> Account {
        self.wait_until(Account::all_finished).await
    }

    /// Waits until this is true of the account, and returns it.
    pub async fn wait_until(&self, predicate: impl Fn(&Account) -> bool) -> Account {
        let mut changes = self.hub.watch();
        loop {
            let account = *changes.borrow_and_update();
            if predicate(&account) {
                return account;
            }
            changes.changed().await.expect("the hub lives as long as the gateway");
        }
    }

    /// The counts of this moment.
    pub fn account(&self) -> Account {
        self.hub.read(|broker| broker.account)
    }

    /// Resolves the incident of a job and gives it so many retries. `false`: it has none, or the retries
    /// are not above zero.
    pub fn resolve_incident(&self, key: i64, retries: i32) -> bool {
        self.hub.apply(|inner, now| {
            let Some(job) = inner.broker.jobs.get_mut(&key) else { return false };
            let Some(incident) = job.record.incident_key.filter(|_| retries > 0) else { return false };
            job.record.retries = retries;
            inner.broker.resolve(incident, now).is_ok()
        })
    }

    /// Sets variables in the job's own scope, as SetVariables with `local` does. `false`: the job is gone.
    pub fn set_variables(&self, key: i64, variables: Map<String, Value>) -> bool {
        let variables = Variables { map: variables, bytes: 0 };
        self.hub.apply(|inner, now| {
            let Some(job) = inner.broker.jobs.get(&key) else { return false };
            let element = job.record.element_instance_key;
            inner.broker.set_variables(element, variables, true, now).is_ok()
        })
    }

    /// The faults that the next calls meet.
    pub fn faults(&self) -> &GatewayFaults {
        &self.hub.faults
    }

    /// Shifts the wall clock that job deadlines are told by; locks run as before.
    pub fn set_clock_skew_millis(&self, millis: i64) {
        self.hub.apply(|inner, _| inner.broker.set_clock_skew(millis));
    }

    /// Ends every open stream with this status.
    pub fn close_streams(&self, status: &Status) {
        self.hub.apply(|inner, _| inner.streams.close_all(&mut inner.broker, status));
    }

    /// Leaves every open stream open for its client, and never sends a job on it again.
    pub fn mute_streams(&self) {
        self.hub.apply(|inner, _| inner.streams.mute_all(&mut inner.broker));
    }

    /// From now on every call needs this bearer token.
    pub fn require_bearer(&self, token: &str) {
        self.hub.auth.set(Rule::bearer(token));
    }

    /// From now on every call needs these credentials as HTTP Basic.
    pub fn require_basic(&self, user: &str, password: &str) {
        self.hub.auth.set(Rule::basic(user, password));
    }

    /// From now on every call needs a living token of this identity.
    pub fn require_identity(&self, identity: &DevIdentity) {
        self.hub.auth.set(Rule::Issued(identity.tokens()));
    }

    /// From now on everybody may call.
    pub fn require_nothing(&self) {
        self.hub.auth.set(Rule::Everybody);
    }

    /// Serves jobs over HTTP as long as the answer lives, for use without a test around it:
    /// `POST /jobs` with `{"type", "variables", "headers", "retries", "elementId", "bpmnProcessId",
    /// "tenantId", "tags", "priority", "businessId"}` (all but the type may be left out),
    /// `GET /jobs/{key}`, `GET /jobs/{key}/finished`, `GET /account`.
    pub async fn serve_jobs_api(&self, listen: SocketAddr) -> io::Result<JobsApi> {
        JobsApi::start(Arc::clone(&self.hub), listen).await
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> usize {
        self.listener.accepted()
    }

    /// Breaks every connection with a TCP reset; the port stays open.
    pub fn reset_connections(&self) {
        self.listener.reset();
    }

    /// Goes down: the port is closed, every connection cut. Jobs and their clocks go on.
    pub async fn go_down(&self) {
        self.close_streams(&Status::unavailable("the gateway goes down"));
        self.listener.down().await;
    }

    /// Comes up again on the same port.
    pub async fn come_up(&self) -> io::Result<()> {
        self.listener.up().await
    }

    /// Goes down and comes up again with all its jobs.
    pub async fn restart(&self) -> io::Result<()> {
        self.go_down().await;
        self.come_up().await
    }

    /// Stops; returns when no connection is left.
    pub async fn stop(self) {
        self.go_down().await;
        drop(self.stop);
        // The task ends by the stop signal; a panic in it would have been seen by its clients.
        let _ = self.server.await;
    }
}

impl fmt::Debug for DevGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevGateway").field("address", &self.address()).finish_non_exhaustive()
    }
}
