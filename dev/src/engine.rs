//! A real Zeebe as tests drive it: deploy, start, look at what came back, mend.
//!
//! Only what concerns processes is here; taking jobs is the product's business. The calls are plain gRPC, so
//! any gateway that has them will do; [`DevGateway`](crate::gateway::DevGateway) has no processes.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

use crate::gateway::proto;
use proto::gateway_client::GatewayClient;

/// How long a call may take on top of what the gateway itself is asked to wait.
const CALL: Duration = Duration::from_secs(20);

/// The rest between two calls to an engine that is overloaded.
const OVERLOADED: Duration = Duration::from_millis(100);

/// The latest version of a process.
const LATEST: i32 = -1;

/// Why the engine did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The address cannot be used or nothing answers there.
    #[error("no engine at {address}: {source}")]
    Unreachable {
        /// The address that was asked for.
        address: String,
        /// What the transport said.
        source: tonic::transport::Error,
    },
    /// The engine refused the call or did not answer in time.
    #[error("{call}: {} ({:?})", status.message(), status.code())]
    Refused {
        /// The name of the call in the gateway protocol.
        call: &'static str,
        /// The engine's answer.
        status: Box<tonic::Status>,
    },
    /// A resource cannot be read.
    #[error("cannot read {path}: {source}")]
    Resource {
        /// The path of the resource.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The variables that came back are not JSON.
    #[error("the engine answered with variables that are not JSON: {0}")]
    Variables(#[from] serde_json::Error),
}

/// A process that was deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedProcess {
    /// The id of the process in its BPMN.
    pub bpmn_process_id: String,
    /// Counted from 1 by the engine; unchanged resources keep their version.
    pub version: i32,
    /// The key of this version.
    pub process_definition_key: i64,
}

/// A process instance that came to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// The key of the instance.
    pub process_instance_key: i64,
    /// The variables of its root scope when it ended.
    pub variables: Value,
}

/// A connection to an engine; clones share it.
#[derive(Debug, Clone)]
pub struct Engine {
    client: GatewayClient<Channel>,
}

impl Engine {
    /// Connects to the gateway at `address`, such as `http://127.0.0.1:26500`: plaintext, no authentication.
    pub async fn connect(address: &str) -> Result<Self, EngineError> {
        let unreachable = |source| EngineError::Unreachable { address: address.to_owned(), source };
        let endpoint = Endpoint::from_shared(address.to_owned()).map_err(unreachable)?;
        let channel = endpoint.connect_timeout(CALL).connect().await.map_err(unreachable)?;
        Ok(Self { client: GatewayClient::new(channel) })
    }

    /// The engine's version, such as `8.6.0`.
    pub async fn version(&self) -> Result<String, EngineError> {
        let answer = self
            .call("Topology", proto::TopologyRequest {}, CALL, |mut client, request| async move {
                client.topology(request).await
            })
            .await;
        Ok(answer?.gateway_version)
    }

    /// Deploys the file; its name decides what it is.
    pub async fn deploy(&self, path: &Path) -> Result<Vec<DeployedProcess>, EngineError> {
        let resource = |source| EngineError::Resource { path: path.display().to_string(), source };
        let content = std::fs::read(path).map_err(resource)?;
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        self.deploy_as(&name, content).await
    }

    /// Deploys a resource by the name of a file that holds it, such as `order.bpmn`.
    pub async fn deploy_as(
        &self,
        name: &str,
        content: impl Into<Vec<u8>>,
    ) -> Result<Vec<DeployedProcess>, EngineError> {
        let resource = proto::Resource { name: name.to_owned(), content: content.into() };
        let deploy = proto::DeployResourceRequest { resources: vec![resource], tenant_id: String::new() };
        let answer = self
            .call("DeployResource", deploy, CALL, |mut client, request| async move {
                client.deploy_resource(request).await
            })
            .await;
        let deployments = answer?.deployments;
        Ok(deployments.into_iter().filter_map(|deployment| deployment.metadata).map(process).collect())
    }

    /// Starts an instance of the latest version; answers its key as soon as it exists.
    pub async fn create(&self, bpmn_process_id: &str, variables: &Value) -> Result<i64, EngineError> {
        let create = creation(bpmn_process_id, variables);
        let answer = self
            .call("CreateProcessInstance", create, CALL, |mut client, request| async move {
                client.create_process_instance(request).await
            })
            .await;
        Ok(answer?.process_instance_key)
    }

    /// Starts an instance of the latest version and answers when it has ended, at most `patience` later.
    ///
    /// An instance that has not ended by then goes on; the error is DEADLINE_EXCEEDED.
    pub async fn create_with_result(
        &self,
        bpmn_process_id: &str,
        variables: &Value,
        patience: Duration,
    ) -> Result<Finished, EngineError> {
        let create = proto::CreateProcessInstanceWithResultRequest {
            request: Some(creation(bpmn_process_id, variables)),
            request_timeout: milliseconds(patience),
            fetch_variables: Vec::new(),
        };
        let name = "CreateProcessInstanceWithResult";
        let send = |mut client: GatewayClient<Channel>, request| async move {
            client.create_process_instance_with_result(request).await
        };
        let answer = self.call(name, create, patience + CALL, send).await?;
        let variables = serde_json::from_str(&answer.variables)?;
        Ok(Finished { process_instance_key: answer.process_instance_key, variables })
    }

    /// Ends an instance wherever it is.
    pub async fn cancel(&self, process_instance_key: i64) -> Result<(), EngineError> {
        let cancel = proto::CancelProcessInstanceRequest { process_instance_key, operation_reference: None };
        let answer = self
            .call("CancelProcessInstance", cancel, CALL, |mut client, request| async move {
                client.cancel_process_instance(request).await
            })
            .await;
        answer.map(drop)
    }

    /// Publishes a message that is kept for `time_to_live`, for instances that wait for it or will.
    pub async fn publish(
        &self,
        name: &str,
        correlation_key: &str,
        variables: &Value,
        time_to_live: Duration,
    ) -> Result<(), EngineError> {
        let publish = proto::PublishMessageRequest {
            name: name.to_owned(),
            correlation_key: correlation_key.to_owned(),
            time_to_live: milliseconds(time_to_live),
            message_id: String::new(),
            variables: variables.to_string(),
            tenant_id: String::new(),
        };
        let answer = self
            .call("PublishMessage", publish, CALL, |mut client, request| async move {
                client.publish_message(request).await
            })
            .await;
        answer.map(drop)
    }

    /// Sets variables in exactly the scope of an element instance, without looking further up.
    pub async fn set_local_variables(
        &self,
        element_instance_key: i64,
        variables: &Value,
    ) -> Result<(), EngineError> {
        let set = proto::SetVariablesRequest {
            element_instance_key,
            variables: variables.to_string(),
            local: true,
            operation_reference: None,
        };
        let answer = self
            .call("SetVariables", set, CALL, |mut client, request| async move {
                client.set_variables(request).await
            })
            .await;
        answer.map(drop)
    }

    /// Gives a job new retries: what an incident about used-up retries wants before it can be resolved.
    pub async fn update_retries(&self, job_key: i64, retries: i32) -> Result<(), EngineError> {
        let update = proto::UpdateJobRetriesRequest {
            job_key,
            retries,
            operation_reference: None,
            job_lease_token: None,
        };
        let answer = self
            .call("UpdateJobRetries", update, CALL, |mut client, request| async move {
                client.update_job_retries(request).await
            })
            .await;
        answer.map(drop)
    }

    /// Lets the lock of a job end after this time from now on, whoever holds the job.
    pub async fn update_timeout(&self, job_key: i64, timeout: Duration) -> Result<(), EngineError> {
        let update = proto::UpdateJobTimeoutRequest {
            job_key,
            timeout: i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX),
            operation_reference: None,
            job_lease_token: None,
        };
        let answer = self
            .call("UpdateJobTimeout", update, CALL, |mut client, request| async move {
                client.update_job_timeout(request).await
            })
            .await;
        answer.map(drop)
    }

    /// Resolves an incident: the engine tries again what failed.
    pub async fn resolve_incident(&self, incident_key: i64) -> Result<(), EngineError> {
        let resolve = proto::ResolveIncidentRequest { incident_key, operation_reference: None };
        let answer = self
            .call("ResolveIncident", resolve, CALL, |mut client, request| async move {
                client.resolve_incident(request).await
            })
            .await;
        answer.map(drop)
    }

    /// Makes a call, again and again while the engine is overloaded: it has done nothing then.
    async fn call<M: Clone, A, F>(
        &self,
        name: &'static str,
        message: M,
        deadline: Duration,
        send: impl Fn(GatewayClient<Channel>, tonic::Request<M>) -> F,
    ) -> Result<A, EngineError>
    where
        F: Future<Output = Result<tonic::Response<A>, tonic::Status>>,
    {
        let started = Instant::now();
        loop {
            let mut request = tonic::Request::new(message.clone());
            request.set_timeout(deadline);
            match send(self.client.clone(), request).await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) if status.code() == Code::ResourceExhausted && started.elapsed() < deadline => {
                    tokio::time::sleep(OVERLOADED).await;
                }
                Err(status) => return Err(EngineError::Refused { call: name, status: Box::new(status) }),
            }
        }
    }
}

fn creation(bpmn_process_id: &str, variables: &Value) -> proto::CreateProcessInstanceRequest {
    proto::CreateProcessInstanceRequest {
        bpmn_process_id: bpmn_process_id.to_owned(),
        version: LATEST,
        variables: variables.to_string(),
        ..Default::default()
    }
}

fn process(metadata: proto::deployment::Metadata) -> DeployedProcess {
    let proto::deployment::Metadata::Process(process) = metadata;
    DeployedProcess {
        bpmn_process_id: process.bpmn_process_id,
        version: process.version,
        process_definition_key: process.process_definition_key,
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
