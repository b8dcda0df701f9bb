//! The whole house, put together: build, then run until told to stop.

use std::{net::SocketAddr, sync::Arc};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    admin::{Admin, Sources},
    config::Config,
    connector::Connector,
    metrics::Metrics,
    zeebe::{GatewayClient, StopSignal, Worker, WorkerStatus, WorkerSummary},
};

/// A worker with everything it needs, its admin port bound and its connections not yet opened.
///
/// Tests, `demo` and embedders start the same `App` in their own process, on port 0, with their own stop signal.
pub struct App {
    worker: Worker<Connector>,
    status: WorkerStatus,
    admin: Option<Admin>,
    metrics: Arc<Metrics>,
    shown: Sources,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("admin", &self.admin).finish_non_exhaustive()
    }
}

/// Why an `App` could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The gateway's address, certificate or credentials cannot be used.
    #[error("gateway: {0}")]
    Gateway(#[from] crate::zeebe::GatewayError),
    /// A connection or the HTTP client cannot be used.
    #[error("{0}")]
    Connector(#[from] crate::connector::Error),
    /// The admin port cannot be bound.
    #[error("admin.listen: cannot listen on {address}: {source}")]
    Admin {
        /// The address that was asked for.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
}

/// Threads for what blocks, which is the look-up of names: so many at once.
const BLOCKING_THREADS: usize = 8;

/// The runtime that a worker is made for: a thread for each core, and a few for the look-up of names. More of these
/// would cost more memory than all jobs together, each with its stack and its part of the heap.
///
/// # Errors
/// The machine gives no threads.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().max_blocking_threads(BLOCKING_THREADS).enable_all().build()
}

impl App {
    /// Puts the house together; nothing is called yet.
    pub async fn build(config: Config) -> Result<Self, BuildError> {
        let metrics = Arc::new(Metrics::new());
        let admin = match config.admin_listen {
            Some(address) => {
                Some(Admin::bind(address).await.map_err(|source| BuildError::Admin { address, source })?)
            }
            None => None,
        };
        let (address, job_type) = (config.gateway.address.clone(), config.worker.job_type.clone());
        let gateway = GatewayClient::new(config.gateway, Arc::clone(&metrics))?;
        let connector = Connector::new(config.connector, Arc::clone(&metrics))?;
        connector.connections().check().await?;
        let (connections, failures) = (Arc::clone(connector.connections()), Arc::clone(connector.failures()));
        let worker = Worker::new(gateway, connector, config.worker, Arc::clone(&metrics));
        let worker = worker.with_tuning(config.tuning);
        let status = worker.status();
        let shown = Sources {
            metrics: Arc::clone(&metrics),
            worker: status.clone(),
            connections,
            failures,
            started: Instant::now(),
            gateway: address,
            job_type,
        };
        Ok(Self { worker, status, admin, metrics, shown })
    }

    /// Where the admin port listens, if it does.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(Admin::address)
    }

    /// Whether jobs are being taken; outlives the app.
    pub fn status(&self) -> WorkerStatus {
        self.status.clone()
    }

    /// What was counted; outlives the app.
    pub fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.metrics)
    }

    /// Works until told to stop and every job in hand is reported or handed back.
    pub async fn run_until(self, stop: StopSignal) -> WorkerSummary {
        let admin_stop = CancellationToken::new();
        let admin = self.admin.map(|admin| tokio::spawn(admin.serve(self.shown, admin_stop.clone())));
        let summary = self.worker.run(stop).await;
        admin_stop.cancel();
        if let Some(admin) = admin
            && let Err(error) = admin.await
        {
            tracing::error!(%error, "the admin port ended badly");
        }
        summary
    }
}
