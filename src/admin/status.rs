//! What the page and `/api/status` show: one snapshot, without secrets.

use std::sync::Arc;

use serde::Serialize;
use tokio::time::Instant;

use crate::{
    connector::{ConnectionStatus, Connections, FailedJob, FailureLog},
    metrics::Metrics,
    zeebe::{WorkerHealth, WorkerStatus},
};

/// Where the snapshot comes from. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sources {
    /// What was counted.
    pub metrics: Arc<Metrics>,
    /// What the worker is doing.
    pub worker: WorkerStatus,
    /// The connections and their orgs.
    pub connections: Arc<Connections>,
    /// The jobs that were not carried out.
    pub failures: Arc<FailureLog>,
    /// When the program was started.
    pub started: Instant,
    /// The gateway's address.
    pub gateway: String,
    /// The job type that is worked on.
    pub job_type: String,
}

/// How things stand at one moment.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    pub(super) version: &'static str,
    pub(super) uptime_seconds: u64,
    pub(super) gateway: String,
    pub(super) job_type: String,
    pub(super) worker: WorkerHealth,
    pub(super) permits: Permits,
    pub(super) connections: Vec<ConnectionStatus>,
    /// The newest first.
    pub(super) failures: Vec<FailedJob>,
}

/// How many jobs may be in hand.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Permits {
    pub(super) free: i64,
    pub(super) limit: i64,
}

impl Sources {
    pub(super) fn status(&self) -> Status {
        let (free, limit) = self.metrics.permits();
        Status {
            version: env!("CARGO_PKG_VERSION"),
            uptime_seconds: self.started.elapsed().as_secs(),
            gateway: self.gateway.clone(),
            job_type: self.job_type.clone(),
            worker: self.worker.health(),
            permits: Permits { free, limit },
            connections: self.connections.status(),
            failures: self.failures.last(),
        }
    }
}
