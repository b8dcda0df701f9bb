//! A whole house in one line: the real `App` between DevOrg and DevGateway, on free ports.

use std::{collections::BTreeMap, process::Command, sync::Arc};

use salesforce_connector::{
    app::App,
    config::{Config, Environment},
    connector::{ConnectionAuthentication, NamedConnection},
    metrics::{Metrics, NAMESPACE},
    salesforce::AllowedHosts,
    zeebe::{StopSignal, WorkerSummary},
};
use salesforce_connector_dev::{
    gateway::{DevGateway, JobRecord, NewJob},
    org::{DevOrg, Fault, FaultRule, Gate},
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// The program as a worker of this gateway, whose log is JSON and which may call orgs in the clear on this machine.
pub(crate) fn worker_program(gateway: &DevGateway) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_salesforce-connector"));
    command
        .arg("run")
        .env_clear()
        .env("CAMUNDA_GRPC_ADDRESS", gateway.url())
        .env("SALESFORCE_CONNECTOR_ADMIN__LISTEN", "")
        .env("SALESFORCE_CONNECTOR_LOG__FORMAT", "json")
        .env("SALESFORCE_CONNECTOR_HOSTS__ALLOW_HTTP", "true")
        .env("SALESFORCE_CONNECTOR_HOSTS__ALLOW_LOOPBACK", "true");
    command
}

/// The job type of the configuration's default.
pub(crate) const JOB_TYPE: &str = "salesforce-connector:1";

/// A running worker between its doubles. The named connection `dev` leads to the org.
pub(crate) struct House {
    pub(crate) org: DevOrg,
    pub(crate) gateway: DevGateway,
    pub(crate) stop: StopSignal,
    pub(crate) admin: String,
    pub(crate) metrics: Arc<Metrics>,
    running: JoinHandle<WorkerSummary>,
}

impl House {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    /// Starts with a changed configuration.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let (org, gateway) = (DevOrg::start().await.unwrap(), DevGateway::start().await.unwrap());
        Self::start_between(org, gateway, change).await
    }

    /// Starts between doubles that the test has prepared.
    pub(crate) async fn start_between(
        org: DevOrg,
        gateway: DevGateway,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let mut config = config(&org, &gateway);
        change(&mut config);
        let app = App::build(config).await.unwrap();
        let admin = format!("http://{}", app.admin_address().unwrap());
        let metrics = app.metrics();
        let (status, stop) = (app.status(), StopSignal::default());
        let running = tokio::spawn(app.run_until(stop.clone()));
        status.ready().await;
        Self { org, gateway, stop, admin, metrics, running }
    }

    /// Runs one job to its end: an operation through the connection `dev`, with these headers.
    pub(crate) async fn run(&self, operation: Value, headers: &[(&str, &str)]) -> JobRecord {
        let key = self.gateway.create_job(job(operation).headers(headers.iter().copied()));
        self.gateway.finished(key).await
    }

    /// Stops gently and gives the worker's own account.
    pub(crate) async fn drain(self) -> (WorkerSummary, DevGateway, DevOrg) {
        self.stop.drain.cancel();
        (self.running.await.unwrap(), self.gateway, self.org)
    }
}

/// A job for an operation through the connection `dev`.
pub(crate) fn job(operation: Value) -> NewJob {
    let request = json!({"connection": {"name": "dev"}, "operation": operation});
    NewJob::new(JOB_TYPE).variables(json!({"salesforceRequest": request}))
}

/// The defaults, between these doubles, with a free admin port.
pub(crate) fn config(org: &DevOrg, gateway: &DevGateway) -> Config {
    let mut config = Config::load(None, &Environment::new()).unwrap();
    config.gateway.address = gateway.url();
    config.admin_listen = Some("127.0.0.1:0".parse().unwrap());
    config.connector.transport.hosts = AllowedHosts::new(&[], true, true).unwrap();
    let authentication = ConnectionAuthentication::client_credentials("dev-client", "dev-secret");
    let connection = NamedConnection::new(org.base_url(), authentication);
    config.connector.connections = BTreeMap::from([("dev".to_owned(), connection)]);
    config
}

/// Holds the next request with this method and path until the gate opens.
pub(crate) fn hold(org: &DevOrg, method: &str, path: &str) -> Gate {
    let gate = Gate::new();
    org.faults().add(FaultRule::new(Fault::Hold(gate.clone())).method(method).path(path));
    gate
}

/// Does this to the next request with this method and path.
pub(crate) fn strike(org: &DevOrg, method: &str, path: &str, fault: Fault) {
    org.faults().add(FaultRule::new(fault).method(method).path(path));
}

/// The sum of all series of a metric whose labels contain all of these.
pub(crate) fn sum(page: &str, name: &str, labels: &[&str]) -> i64 {
    let name = format!("{NAMESPACE}_{name}");
    let series = page.lines().filter(|line| {
        let rest = line.strip_prefix(&name);
        rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
            && labels.iter().all(|label| line.contains(label))
    });
    series.map(|line| line.rsplit(' ').next().unwrap().parse::<i64>().unwrap()).sum()
}
