//! What each test lives in: the engine, an org of its own, and workers between them.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use salesforce_connector_dev::{
    engine::{Engine, EngineError, Finished},
    org::{DevOrg, Fault, FaultRule, Gate},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::{
    process::ServiceTask,
    records::{Record, Records},
    worker::Worker,
};

const HOW_TO_START: &str = "start an engine, run the suite and stop it again: scripts/e2e.sh";

/// The job type of the element template.
pub(crate) const DEFAULT_JOB_TYPE: &str = "salesforce-connector:1";

/// How long an instance may take to its end.
const PATIENCE: Duration = Duration::from_mins(2);

/// An engine, an org and the workers between them, for one test.
#[derive(Debug)]
pub(crate) struct House {
    /// The engine; all tests share it.
    pub(crate) engine: Engine,
    /// The org of this test.
    pub(crate) org: DevOrg,
    /// What the engine tells of itself.
    pub(crate) records: Records,
    /// The job type of this test.
    pub(crate) job_type: String,
    address: String,
    process_id: String,
    settings: Vec<(String, String)>,
    logs: TempDir,
    workers: u32,
    /// The keys of user tasks.
    completed: HashSet<i64>,
}

/// An instance on its way to its end.
#[derive(Debug)]
pub(crate) struct Running {
    process_id: String,
    result: JoinHandle<Result<Finished, EngineError>>,
}

impl House {
    /// A house of its own, with a job type that no other test has.
    pub(crate) async fn open(name: &str) -> Self {
        let unique = format!("e2e-{name}-{:08x}", fastrand::u32(..));
        let org = DevOrg::start().await.expect("an org can be started");
        Self::of(unique.clone(), unique, org).await
    }

    /// A house with the job type of the element template; only one test may have it.
    pub(crate) async fn with_default_job_type() -> Self {
        // No process of its own: it runs those of others.
        let org = DevOrg::start().await.expect("an org can be started");
        Self::of(DEFAULT_JOB_TYPE.to_owned(), String::new(), org).await
    }

    /// A house for a process of `examples/`, which is deployed with a job type of its own and the forms of that folder;
    /// the org is the one of `examples/org.json`. Only one test may have a process.
    pub(crate) async fn of_recipe(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        let read = |name: &str| fs::read_to_string(folder.join(name)).expect("the example is there");
        let seed = serde_json::from_str(&read("org.json")).expect("the seed is JSON");
        let org = DevOrg::builder().seed(seed).start().await.expect("an org can be started");
        let house = Self::of(format!("e2e-{name}-{:08x}", fastrand::u32(..)), name.to_owned(), org).await;
        let file = format!("{name}.bpmn");
        let bpmn = read(&file);
        for form in bpmn.split("formId=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let form = format!("{form}.form");
            house.engine.deploy_as(&form, read(&form)).await.expect("the form can be deployed");
        }
        let bpmn = bpmn.replace(DEFAULT_JOB_TYPE, &house.job_type);
        house.engine.deploy_as(&file, bpmn).await.expect("the process can be deployed");
        house
    }

    /// A house whose org has more objects and fields than others.
    pub(crate) async fn with_seed(name: &str, seed: Value) -> Self {
        let unique = format!("e2e-{name}-{:08x}", fastrand::u32(..));
        let org = DevOrg::builder().seed(seed).start().await.expect("an org can be started");
        Self::of(unique.clone(), unique, org).await
    }

    async fn of(job_type: String, process_id: String, org: DevOrg) -> Self {
        let address = setting("E2E_ZEEBE_ADDRESS");
        let records = Records::follow(&PathBuf::from(setting("E2E_ZEEBE_LOG")), &process_id);
        let engine =
            Engine::connect(&address).await.unwrap_or_else(|error| panic!("{error}; {HOW_TO_START}"));
        let logs = TempDir::new().expect("a directory for logs");
        Self {
            engine,
            org,
            records,
            job_type,
            address,
            process_id,
            settings: Vec::new(),
            logs,
            workers: 0,
            completed: HashSet::new(),
        }
    }

    /// Where the engine's gateway listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The id of the process of this test.
    pub(crate) fn process_id(&self) -> &str {
        &self.process_id
    }

    /// Sets a key of the configuration of workers started later, by its name in the environment without prefix.
    pub(crate) fn configure(&mut self, name: &str, value: &str) {
        self.settings.push((format!("SALESFORCE_CONNECTOR_{name}"), value.to_owned()));
    }

    /// Gives workers started later a secret.
    pub(crate) fn secret(&mut self, name: &str, value: &str) {
        self.settings.push((format!("SECRET_{name}"), value.to_owned()));
    }

    /// Starts a worker. It need not be awaited: jobs wait for it.
    pub(crate) fn worker(&mut self) -> Worker {
        self.workers += 1;
        let log = self.logs.path().join(format!("worker-{}.log", self.workers));
        Worker::start(&self.environment(), &log)
    }

    fn environment(&self) -> Vec<(String, String)> {
        let own = [
            ("GATEWAY__ADDRESS", self.address.as_str()),
            ("WORKER__JOB_TYPE", &self.job_type),
            ("HOSTS__ALLOW_HTTP", "true"),
            ("HOSTS__ALLOW_LOOPBACK", "true"),
            ("ADMIN__LISTEN", "127.0.0.1:0"),
            ("CONNECTIONS__DEV__BASE_URL", &self.org.base_url()),
            ("CONNECTIONS__DEV__AUTHENTICATION__TYPE", "oauth-client-credentials-flow"),
            ("CONNECTIONS__DEV__AUTHENTICATION__CLIENT_ID", "dev-client"),
            ("CONNECTIONS__DEV__AUTHENTICATION__CLIENT_SECRET", "{{secrets.DEV_CLIENT_SECRET}}"),
        ]
        .map(|(name, value)| (format!("SALESFORCE_CONNECTOR_{name}"), value.to_owned()));
        let secret = ("SECRET_DEV_CLIENT_SECRET".to_owned(), "dev-secret".to_owned());
        own.into_iter().chain([secret]).chain(self.settings.iter().cloned()).collect()
    }

    /// Deploys the process of a task as the process of this test.
    pub(crate) async fn deploy(&self, task: &ServiceTask) {
        let bpmn = task.process(&self.process_id, &self.job_type);
        let name = format!("{}.bpmn", self.process_id);
        self.engine.deploy_as(&name, bpmn).await.expect("the process can be deployed");
    }

    /// Starts an instance of the process of this test; answers its key.
    pub(crate) async fn create(&self, variables: &Value) -> i64 {
        self.engine.create(&self.process_id, variables).await.expect("an instance can be started")
    }

    /// Starts an instance of the process of this test, to be awaited by [`Self::finish`].
    pub(crate) fn start(&self, variables: Value) -> Running {
        self.start_of(&self.process_id, variables)
    }

    /// Starts an instance of any process.
    pub(crate) fn start_of(&self, process_id: &str, variables: Value) -> Running {
        let (engine, process_id) = (self.engine.clone(), process_id.to_owned());
        let id = process_id.clone();
        let result = tokio::spawn(async move { engine.create_with_result(&id, &variables, PATIENCE).await });
        Running { process_id, result }
    }

    /// The variables of an instance at its end; an incident on the way fails the test at once.
    pub(crate) async fn finish(&mut self, running: Running) -> Value {
        tokio::select! {
            result = running.result => match result.expect("the call does not panic") {
                Ok(finished) => finished.variables,
                Err(error) => panic!("{} does not end: {error}", running.process_id),
            },
            incident = self.records.incident_in(&running.process_id) => {
                panic!("{} has an incident: {}", running.process_id, incident.text("errorMessage"))
            }
        }
    }

    /// Starts an instance of the process of this test and awaits its end.
    pub(crate) async fn run(&mut self, variables: Value) -> Value {
        let running = self.start(variables);
        self.finish(running).await
    }

    /// The next user task of the process of this test that was not completed here.
    pub(crate) async fn user_task(&mut self) -> Record {
        let process_id = self.process_id.clone();
        self.records.user_task(&process_id, &self.completed).await
    }

    /// Completes a user task, as a list of tasks does when its user is done.
    pub(crate) async fn complete(&mut self, task: &Record, variables: &Value) {
        // The engine's REST API is asked, because its gRPC has no call for this.
        let url = format!("{}/v2/user-tasks/{}/completion", setting("E2E_ZEEBE_REST_ADDRESS"), task.key);
        let answer = http().post(url).json(&json!({ "variables": variables })).send().await;
        let answer = answer.expect("the engine answers");
        assert!(answer.status().is_success(), "{}: {:?}", answer.status(), answer.text().await);
        self.completed.insert(task.key);
    }

    /// Completes the next user task of the process of this test.
    pub(crate) async fn complete_user_task(&mut self, variables: &Value) {
        let task = self.user_task().await;
        self.complete(&task, variables).await;
    }

    /// Lets the org hold the next `count` requests of this kind: before it carries them out.
    pub(crate) fn hold(&self, method: &str, path: &str, count: usize) -> Gate {
        self.hold_after(0, method, path, count)
    }

    /// The same, once `skip` requests of this kind went by.
    pub(crate) fn hold_after(&self, skip: usize, method: &str, path: &str, count: usize) -> Gate {
        let gate = Gate::new();
        let rule = FaultRule::new(Fault::Hold(gate.clone())).method(method).path(path);
        self.org.faults().add(rule.skip(skip).times(count));
        gate
    }

    /// Lets the org hold its answer to the next request of this kind, which it has carried out.
    pub(crate) fn hold_answer(&self, method: &str, path: &str) -> Gate {
        self.hold_answers_after(0, method, path, 1)
    }

    /// The same for `count` requests, once `skip` of them went by.
    pub(crate) fn hold_answers_after(&self, skip: usize, method: &str, path: &str, count: usize) -> Gate {
        let gate = Gate::new();
        let rule = FaultRule::new(Fault::HoldAfter(gate.clone())).method(method).path(path);
        self.org.faults().add(rule.skip(skip).times(count));
        gate
    }
}

/// A client for plain HTTP on loopback.
pub(crate) fn http() -> reqwest::Client {
    // It wants to know how it would do TLS all the same.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

fn setting(name: &str) -> String {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => value,
        _ => panic!("{name} is not set: this suite needs a real engine; {HOW_TO_START}"),
    }
}
