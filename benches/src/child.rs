//! The workers of a benchmark, each in a process of its own: ours, and the bare loop beside it.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Context as _;
use salesforce_connector::{
    app::App,
    config::{Config, Environment},
    metrics::Metrics,
    shutdown, telemetry,
    zeebe::{GatewayClient, Job, JobHandler, Outcome, Worker},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use crate::{bare, process::Measured, workload::Workload};

/// Jobs in hand at most, for all workers alike: the product's default.
pub(crate) const PERMITS: usize = 100;

/// What precedes the name of a setting in the environment.
pub(crate) const PREFIX: &str = "SALESFORCE_CONNECTOR_";

/// Which worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Side {
    /// The product; without a call, its east wing alone.
    Ours,
    /// A tonic and reqwest loop: permit first, stream and poll, one pool, one token.
    Bare,
}

/// A worker and what it is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Spec {
    pub(crate) side: Side,
    pub(crate) workload: Workload,
    /// Whether an unsafe write leaves its mark on the engine first.
    pub(crate) mark: bool,
    /// Where the gateway listens.
    pub(crate) gateway: String,
    pub(crate) job_type: String,
    /// The orgs; the connection to the first is `org0`.
    pub(crate) orgs: Vec<String>,
    /// A PEM file with the authority of the orgs' certificates.
    pub(crate) authority: Option<PathBuf>,
}

impl Spec {
    /// The name of the connection to an org.
    pub(crate) fn connection(org: usize) -> String {
        format!("org{org}")
    }

    /// Starts the worker; ours from `program`, where one is given.
    pub(crate) fn start(&self, program: Option<&PathBuf>) -> anyhow::Result<Measured> {
        self.start_with(program, &[])
    }

    /// The same with further settings of ours, by their names in the environment without prefix.
    pub(crate) fn start_with(
        &self,
        program: Option<&PathBuf>,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Measured> {
        let mut environment = self.environment();
        let settings = settings.iter().map(|(name, value)| (format!("{PREFIX}{name}"), (*value).to_owned()));
        environment.extend(settings);
        match program {
            Some(program) if self.side == Side::Ours && self.workload != Workload::Empty => {
                Measured::start(program, &["run".to_owned()], &environment, None)
            }
            _ => {
                let arguments = ["child".to_owned(), serde_json::to_string(self)?];
                Measured::start(&std::env::current_exe()?, &arguments, &environment, None)
            }
        }
    }

    /// The configuration of the product, which the bare loop does not read.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let mut settings = vec![
            ("GATEWAY__ADDRESS".to_owned(), self.gateway.clone()),
            ("WORKER__JOB_TYPE".to_owned(), self.job_type.clone()),
            ("WORKER__MAX_JOBS_ACTIVE".to_owned(), PERMITS.to_string()),
            ("UNSAFE_WRITES__MARK".to_owned(), self.mark.to_string()),
            ("HOSTS__ALLOW_HTTP".to_owned(), "true".to_owned()),
            ("HOSTS__ALLOW_LOOPBACK".to_owned(), "true".to_owned()),
            ("ADMIN__LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("LOG__LEVEL".to_owned(), "error".to_owned()),
        ];
        for (number, org) in self.orgs.iter().enumerate() {
            let key = |name: &str| format!("CONNECTIONS__ORG{number}__{name}");
            settings.push((key("BASE_URL"), org.clone()));
            settings.push((key("AUTHENTICATION__TYPE"), "oauth-client-credentials-flow".to_owned()));
            settings.push((key("AUTHENTICATION__CLIENT_ID"), "dev-client".to_owned()));
            settings.push((key("AUTHENTICATION__CLIENT_SECRET"), "{{secrets.CLIENT_SECRET}}".to_owned()));
            if let Some(authority) = &self.authority {
                settings.push((key("CA_CERTIFICATE"), authority.display().to_string()));
            }
        }
        let named = settings.into_iter().map(|(name, value)| (format!("{PREFIX}{name}"), value));
        named.chain([("SECRET_CLIENT_SECRET".to_owned(), "dev-secret".to_owned())]).collect()
    }
}

/// Runs a worker until SIGTERM.
pub(crate) async fn run(spec: Spec) -> anyhow::Result<ExitCode> {
    let stop = shutdown::stop_on_signals()?;
    if spec.side == Side::Bare {
        tokio::select! {
            () = stop.drain.cancelled() => {}
            result = bare::run(spec) => result.context("the bare loop")?,
        }
        return Ok(ExitCode::SUCCESS);
    }
    let environment: Environment = std::env::vars().collect();
    let config = Config::load(None, &environment)?;
    telemetry::start(&config.log);
    if spec.workload == Workload::Empty {
        let metrics = Arc::new(Metrics::new());
        let gateway = GatewayClient::new(config.gateway, Arc::clone(&metrics))?;
        Worker::new(gateway, Idle, config.worker, metrics).run(stop).await;
    } else {
        App::build(config).await?.run_until(stop).await;
    }
    Ok(ExitCode::SUCCESS)
}

/// The handler that does nothing.
struct Idle;

impl JobHandler for Idle {
    async fn handle(&self, _: &Job) -> Outcome {
        Outcome::Complete { variables: Map::from_iter([(crate::workload::RESULT.to_owned(), json!(null))]) }
    }
}
