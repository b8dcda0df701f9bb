//! The connection to the gateway, and the calls that a worker makes.

use std::{collections::BTreeSet, fmt, future::Future, path::PathBuf, sync::Arc, time::Duration};

use secrecy::SecretString;
use tokio::time::Instant;
use tonic::{Code, Request, Response, Status, Streaming, transport::Channel};
use tracing::Instrument as _;

use super::{
    GatewayError,
    auth::Authenticator,
    channel::Channels,
    documents::Documents,
    error::Cause,
    protocol::{self, gateway_client::GatewayClient as Stub},
    spans,
};
use crate::metrics::Metrics;

/// Above the 5 MB of the Java client; the gateway sends messages of up to 4 MB.
const DECODE_LIMIT: usize = 8 * 1024 * 1024;
/// How long `Topology` may take.
const INFO_TIMEOUT: Duration = Duration::from_secs(10);

/// How to reach the gateway.
#[derive(Clone, Debug)]
pub struct GatewayOptions {
    /// `http://host:port` (plaintext) or `https://host:port` (TLS).
    pub address: String,
    /// PEM file of roots that are trusted beside the machine's own, for the gateway and the token endpoint.
    pub ca_certificate: Option<PathBuf>,
    /// The host name expected in the certificate and sent as `:authority`, where it differs from the address.
    pub override_authority: Option<String>,
    /// The address of the cluster's REST API, such as `http://host:8080`, where documents are; `None`: no documents.
    pub rest_address: Option<String>,
    /// How the worker says who it is.
    pub authentication: GatewayAuthentication,
}

/// How the worker says who it is. Secrets are not shown by `Debug`.
#[derive(Clone, Debug, Default)]
pub enum GatewayAuthentication {
    /// Not at all.
    #[default]
    None,
    /// HTTP Basic, which gateways know from 8.8 on.
    Basic {
        /// The user's name; without a colon.
        username: String,
        /// The user's password.
        password: SecretString,
    },
    /// OAuth 2.0 client credentials (RFC 6749, 4.4).
    OAuth {
        /// Where tokens come from.
        token_url: String,
        /// The client's id.
        client_id: String,
        /// The client's secret.
        client_secret: SecretString,
        /// What the token is for; `zeebe.camunda.io` on Camunda's SaaS.
        audience: String,
        /// The scope to ask for, if any.
        scope: Option<String>,
    },
}

/// A client of the gateway. Cheap to clone; clones share their connections and tokens.
#[derive(Clone)]
pub struct GatewayClient(Arc<Inner>);

struct Inner {
    channels: Channels,
    metrics: Arc<Metrics>,
    authenticator: Arc<Authenticator>,
    documents: Documents,
}

/// What the gateway says of itself and its cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayInfo {
    /// The gateway's version, such as `8.6.0`.
    pub version: String,
    /// How many brokers it knows.
    pub brokers: usize,
    /// How many brokers the cluster should have.
    pub cluster_size: i32,
    /// How many partitions the cluster has.
    pub partitions: i32,
    /// How many of them have a leader that is healthy; jobs of the others stand still.
    pub healthy_partitions: usize,
}

fn healthy_partitions(brokers: &[protocol::BrokerInfo]) -> usize {
    use protocol::partition::{PartitionBrokerHealth::Healthy, PartitionBrokerRole::Leader};
    let partitions = brokers.iter().flat_map(|broker| &broker.partitions);
    let healthy = partitions.filter(|own| own.role() == Leader && own.health() == Healthy);
    healthy.map(|own| own.partition_id).collect::<BTreeSet<_>>().len()
}

impl fmt::Debug for GatewayClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayClient").finish_non_exhaustive()
    }
}

impl GatewayClient {
    /// Connects on first use, and again whenever the connection is lost; an error is a mistake in the options.
    /// Must be called within a tokio runtime.
    #[expect(clippy::needless_pass_by_value, reason = "options are given away; the callers keep no secrets")]
    pub fn new(options: GatewayOptions, metrics: Arc<Metrics>) -> Result<Self, GatewayError> {
        let channels = Channels::open(&options)?;
        let authenticator = Arc::new(Authenticator::new(&options, Arc::clone(&metrics))?);
        let documents = Documents::new(&options, Arc::clone(&authenticator))?;
        Ok(Self(Arc::new(Inner { channels, metrics, authenticator, documents })))
    }

    /// Asks the gateway for its topology; waits for 10 seconds at most.
    pub async fn info(&self) -> Result<GatewayInfo, GatewayError> {
        let topology = self.topology(self.0.channels.commands()).await?;
        Ok(GatewayInfo {
            version: topology.gateway_version,
            brokers: topology.brokers.len(),
            cluster_size: topology.cluster_size,
            partitions: topology.partitions_count,
            healthy_partitions: healthy_partitions(&topology.brokers),
        })
    }

    /// The documents of the cluster.
    pub fn documents(&self) -> &Documents {
        &self.0.documents
    }

    /// Asks for the topology on the connection of the streams: it is up, and we are known, when this returns.
    pub(super) async fn reach_for_streams(&self) -> Result<(), GatewayError> {
        self.topology(&self.0.channels.streams()).await.map(drop)
    }

    /// The next stream gets a connection of its own making, and with it perhaps another gateway.
    pub(super) fn renew_stream_connection(&self) {
        self.0.channels.renew_streams();
    }

    /// Opens a stream of jobs. The gateway sends headers only with the first job, so that this stays pending
    /// for as long as there is none; it must not be given a timeout.
    pub(super) async fn stream_jobs(
        &self,
        request: protocol::StreamActivatedJobsRequest,
    ) -> Result<Streaming<protocol::ActivatedJob>, GatewayError> {
        let stub = stub(&self.0.channels.streams());
        self.authorized("StreamActivatedJobs", request, |request| {
            let mut stub = stub.clone();
            async move { stub.stream_activated_jobs(request).await }
        })
        .await
    }

    /// Asks for jobs. The caller bounds the time, since the answer is a stream.
    pub(super) async fn activate_jobs(
        &self,
        request: protocol::ActivateJobsRequest,
    ) -> Result<Streaming<protocol::ActivateJobsResponse>, GatewayError> {
        let stub = self.commands();
        self.authorized("ActivateJobs", request, |request| {
            let mut stub = stub.clone();
            async move { stub.activate_jobs(request).await }
        })
        .await
    }

    pub(super) async fn complete_job(
        &self,
        request: protocol::CompleteJobRequest,
        timeout: Duration,
    ) -> Result<(), GatewayError> {
        let stub = self.commands();
        let call = |request| {
            let mut stub = stub.clone();
            async move { within("CompleteJob", timeout, stub.complete_job(request)).await }
        };
        self.authorized_within("CompleteJob", request, call).await.map(drop)
    }

    pub(super) async fn fail_job(
        &self,
        request: protocol::FailJobRequest,
        timeout: Duration,
    ) -> Result<(), GatewayError> {
        let stub = self.commands();
        let call = |request| {
            let mut stub = stub.clone();
            async move { within("FailJob", timeout, stub.fail_job(request)).await }
        };
        self.authorized_within("FailJob", request, call).await.map(drop)
    }

    pub(super) async fn throw_error(
        &self,
        request: protocol::ThrowErrorRequest,
        timeout: Duration,
    ) -> Result<(), GatewayError> {
        let stub = self.commands();
        let call = |request| {
            let mut stub = stub.clone();
            async move { within("ThrowError", timeout, stub.throw_error(request)).await }
        };
        self.authorized_within("ThrowError", request, call).await.map(drop)
    }

    pub(super) async fn update_job_timeout(
        &self,
        request: protocol::UpdateJobTimeoutRequest,
        timeout: Duration,
    ) -> Result<(), GatewayError> {
        let stub = self.commands();
        let call = |request| {
            let mut stub = stub.clone();
            async move { within("UpdateJobTimeout", timeout, stub.update_job_timeout(request)).await }
        };
        self.authorized_within("UpdateJobTimeout", request, call).await.map(drop)
    }

    pub(super) async fn set_variables(
        &self,
        request: protocol::SetVariablesRequest,
        timeout: Duration,
    ) -> Result<(), GatewayError> {
        let stub = self.commands();
        let call = |request| {
            let mut stub = stub.clone();
            async move { within("SetVariables", timeout, stub.set_variables(request)).await }
        };
        self.authorized_within("SetVariables", request, call).await.map(drop)
    }

    async fn topology(&self, channel: &Channel) -> Result<protocol::TopologyResponse, GatewayError> {
        let stub = stub(channel);
        let call = |request| {
            let mut stub = stub.clone();
            async move { within("Topology", INFO_TIMEOUT, stub.topology(request)).await }
        };
        self.authorized_within("Topology", protocol::TopologyRequest {}, call).await
    }

    fn commands(&self) -> Stub<Channel> {
        stub(self.0.channels.commands())
    }

    async fn authorized<M, T, F, R>(&self, rpc: &'static str, message: M, send: F) -> Result<T, GatewayError>
    where
        M: Clone,
        F: Fn(Request<M>) -> R,
        R: Future<Output = Result<Response<T>, Status>>,
    {
        let call = |request| {
            let answer = send(request);
            async move { answer.await.map_err(|status| GatewayError::status(rpc, status)) }
        };
        self.with_token(rpc, message, call).await
    }

    /// One call that is answered at once, or not at all: its time is counted.
    async fn authorized_within<M, T, F, R>(
        &self,
        rpc: &'static str,
        message: M,
        send: F,
    ) -> Result<T, GatewayError>
    where
        M: Clone,
        F: Fn(Request<M>) -> R,
        R: Future<Output = Result<Response<T>, GatewayError>>,
    {
        let began = Instant::now();
        let span = spans::command(rpc);
        // On the heap: it stands in the future of a job many times over.
        let result = Box::pin(self.with_token(rpc, message, send)).instrument(span.clone()).await;
        spans::answered(&span, &result);
        self.0.metrics.gateway_called(label(rpc), began.elapsed());
        result
    }

    /// Sends with the current token. When it is not accepted, once more with a new one; when that is not
    /// accepted either, no token is asked for until the memory of the failure has faded.
    async fn with_token<M, T, F, R>(&self, rpc: &'static str, message: M, send: F) -> Result<T, GatewayError>
    where
        M: Clone,
        F: Fn(Request<M>) -> R,
        R: Future<Output = Result<Response<T>, GatewayError>>,
    {
        let authenticator = &self.0.authenticator;
        let used = authenticator.authorization().await?;
        let error = match send(authorize(message.clone(), used.header())).await {
            Ok(response) => return Ok(response.into_inner()),
            Err(error) => error,
        };
        if error.code() != Some(Code::Unauthenticated) || !authenticator.invalidate(&used) {
            return Err(error);
        }
        tracing::debug!(rpc, "the gateway did not accept the access token; asking for a new one");
        let renewed = authenticator.authorization().await?;
        let result = send(authorize(message, renewed.header())).await;
        if let Err(error) = &result
            && error.code() == Some(Code::Unauthenticated)
        {
            authenticator.reject(&renewed, format!("a new token was not accepted either: {error}"));
        }
        result.map(Response::into_inner)
    }
}

/// The label in metrics of a call that is answered at once.
pub(super) fn label(rpc: &'static str) -> &'static str {
    match rpc {
        "CompleteJob" => "complete",
        "FailJob" => "fail",
        "ThrowError" => "throw_error",
        "UpdateJobTimeout" => "update_timeout",
        "SetVariables" => "set_variables",
        _ => "topology",
    }
}

fn stub(channel: &Channel) -> Stub<Channel> {
    Stub::new(channel.clone()).max_decoding_message_size(DECODE_LIMIT)
}

fn authorize<M>(
    message: M,
    header: Option<tonic::metadata::MetadataValue<tonic::metadata::Ascii>>,
) -> Request<M> {
    let mut request = Request::new(message);
    if let Some(header) = header {
        request.metadata_mut().insert("authorization", header);
    }
    request
}

/// The deadline of one call. Tonic's own would come back as `Cancelled`, like a lost connection.
async fn within<T>(
    rpc: &'static str,
    timeout: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<Response<T>, GatewayError> {
    match tokio::time::timeout(timeout, call).await {
        Ok(result) => result.map_err(|status| GatewayError::status(rpc, status)),
        Err(_) => Err(GatewayError(Cause::Timeout { rpc, after: timeout })),
    }
}
