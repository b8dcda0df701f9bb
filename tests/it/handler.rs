//! A handler before an org, without a gateway: what most tests of operations run on.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use salesforce_connector::{
    connector::{
        ConnectionAuthentication, Connector, ConnectorOptions, FileOptions, NamedConnection, SecretsOptions,
    },
    metrics::Metrics,
    salesforce::{AllowedHosts, TransportOptions},
    zeebe::{CommitPoint, Documents, Failure, Job, JobHandler, JobLabels, JobScope, Lock, Outcome},
};
use salesforce_connector_dev::org::{DevOrg, Fault, FaultRule};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

/// A handler before an org; the connection `dev` of its configuration leads there.
pub(crate) struct Bench {
    pub(crate) org: DevOrg,
    pub(crate) connector: Connector,
    pub(crate) metrics: Arc<Metrics>,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::start_with(DevOrg::start().await.unwrap(), |_| ())
    }

    pub(crate) fn start_with(org: DevOrg, change: impl FnOnce(&mut ConnectorOptions)) -> Self {
        let connection = NamedConnection::new(org.base_url(), login("dev-secret"));
        let mut options = ConnectorOptions {
            transport: TransportOptions {
                hosts: AllowedHosts::new(&[], true, true).unwrap(),
                ..TransportOptions::default()
            },
            connections: BTreeMap::from([("dev".to_owned(), connection)]),
            allow_inline: true,
            secrets: SecretsOptions::default(),
            request_timeout: Duration::from_secs(30),
            retry_backoff: Duration::from_secs(10),
            max_result_bytes: 1_572_864,
            bulk_wait: Duration::from_millis(20),
            // There is no engine to leave a mark on.
            mark_unsafe_writes: false,
            files: FileOptions::default(),
        };
        change(&mut options);
        let metrics = Arc::new(Metrics::new());
        let connector = Connector::new(options, Arc::clone(&metrics)).unwrap();
        Self { org, connector, metrics }
    }

    pub(crate) async fn run(&self, operation: Value, headers: &[(&str, &str)]) -> Outcome {
        self.connector
            .handle(&job(json!({"connection": {"name": "dev"}, "operation": operation}), headers))
            .await
    }

    /// The variable `result` of an operation that must succeed.
    pub(crate) async fn result(&self, operation: Value, content: &str) -> Value {
        let outcome = self.run(operation, &[("resultVariable", "result"), ("resultContent", content)]).await;
        let Outcome::Complete { mut variables } = outcome else { panic!("{outcome:#?}") };
        variables.remove("result").unwrap()
    }

    /// The failure of an operation that must fail.
    pub(crate) async fn failure(&self, operation: Value, headers: &[(&str, &str)]) -> Failure {
        failed(self.run(operation, headers).await)
    }

    pub(crate) fn strike(&self, method: &str, path: &str, fault: Fault) {
        self.org.faults().add(FaultRule::new(fault).method(method).path(path));
    }
}

pub(crate) fn login(secret: &str) -> ConnectionAuthentication {
    ConnectionAuthentication::client_credentials("dev-client", secret)
}

pub(crate) fn job(request: Value, headers: &[(&str, &str)]) -> Job {
    Job {
        key: 1,
        job_type: "salesforce-connector:1".to_owned(),
        process_instance_key: 2,
        bpmn_process_id: "process".to_owned(),
        process_definition_version: 1,
        process_definition_key: 3,
        element_id: "task".to_owned(),
        element_instance_key: 4,
        retries: 3,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        variables: Map::from_iter([("salesforceRequest".to_owned(), request)]),
        tenant_id: "<default>".to_owned(),
        tags: Vec::new(),
        lock: Lock::until(Instant::now() + Duration::from_mins(1)),
        scope: JobScope::detached(),
        documents: Documents::none(),
        commit_point: CommitPoint::default(),
        labels: JobLabels::default(),
    }
}

pub(crate) fn failed(outcome: Outcome) -> Failure {
    match outcome {
        Outcome::Fail(failure) => failure,
        other => panic!("{other:#?}"),
    }
}

pub(crate) fn code(failure: &Failure) -> &str {
    failure.variables["error"]["code"].as_str().unwrap()
}

pub(crate) fn create(name: &str) -> Value {
    json!({"type": "createRecord", "objectType": "Account", "body": {"Name": name}})
}

pub(crate) fn query() -> Value {
    json!({"type": "query", "soqlQuery": "SELECT Id, Name FROM Account ORDER BY Name"})
}
