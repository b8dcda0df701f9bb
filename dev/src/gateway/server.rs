//! The gRPC service: each rpc in a few lines, from the wire to the state machine and back.

use std::pin::Pin;
use std::sync::Arc;

use prost::Message;
use tokio_stream::Stream;
use tonic::{Request, Response, Status};

use super::commands::{BpmnError, Failure, Target, Variables};
use super::faults::{Fault, Rpc};
use super::hub::{Hub, Inner};
use super::poll::{self, Batch};
use super::proto::gateway_server::Gateway;
use super::proto::{
    ActivateJobsRequest, ActivateJobsResponse, ActivatedJob, CancelProcessInstanceRequest,
    CancelProcessInstanceResponse, CompleteJobRequest, CompleteJobResponse, CreateProcessInstanceRequest,
    CreateProcessInstanceResponse, CreateProcessInstanceWithResultRequest,
    CreateProcessInstanceWithResultResponse, DeployResourceRequest, DeployResourceResponse, FailJobRequest,
    FailJobResponse, PublishMessageRequest, PublishMessageResponse, ResolveIncidentRequest,
    ResolveIncidentResponse, SetVariablesRequest, SetVariablesResponse, StreamActivatedJobsRequest,
    ThrowErrorRequest, ThrowErrorResponse, TopologyRequest, TopologyResponse, UpdateJobRetriesRequest,
    UpdateJobRetriesResponse, UpdateJobTimeoutRequest, UpdateJobTimeoutResponse,
};
use super::push::JobStream;
use super::subscription::{Subscription, duration};
use super::topology;

pub(super) struct Service {
    pub(super) hub: Arc<Hub>,
}

type Answer<T> = Result<Response<T>, Status>;
type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl Service {
    /// What comes before any rpc: authorization, physical tenant, size. And the fault it meets.
    fn enter<R: Message>(&self, rpc: Rpc, request: Request<R>) -> Result<(R, Option<Fault>), Status> {
        let (metadata, _, message) = request.into_parts();
        self.hub.auth.check(&metadata).inspect_err(|_| {
            self.hub.apply(|inner, _| inner.broker.account.unauthenticated += 1);
        })?;
        if let Some(tenant) = metadata.get("camunda-physical-tenant")
            && self.hub.settings.at_least(10)
            && tenant != "default"
        {
            return Err(Status::invalid_argument(format!(
                "Expected the physical tenant 'default', but found {tenant:?} in the header Camunda-Physical-Tenant"
            )));
        }
        let size = message.encoded_len();
        let largest = self.hub.settings.largest_message;
        if size > largest {
            let text = format!("gRPC message exceeds maximum size {largest}: {size}");
            return Err(Status::resource_exhausted(text));
        }
        Ok((message, self.hub.faults.take(rpc)))
    }

    /// Carries out a command, with the faults before and after it.
    async fn command<R: Message, T>(
        &self,
        rpc: Rpc,
        request: Request<R>,
        work: impl FnOnce(R, &mut Inner, tokio::time::Instant) -> Result<T, Status>,
    ) -> Answer<T> {
        let (message, fault) = self.enter(rpc, request)?;
        if let Some(fault) = &fault {
            fault.before().await?;
        }
        let answer = self.hub.apply(|inner, now| work(message, inner, now));
        if let Some(fault) = &fault {
            fault.after().await?;
        }
        answer.map(Response::new)
    }
}

#[tonic::async_trait]
impl Gateway for Service {
    type ActivateJobsStream = Responses<ActivateJobsResponse>;
    type StreamActivatedJobsStream = Responses<ActivatedJob>;

    async fn activate_jobs(&self, request: Request<ActivateJobsRequest>) -> Answer<Self::ActivateJobsStream> {
        let (request, fault) = self.enter(Rpc::ActivateJobs, request)?;
        if let Some(fault) = &fault {
            fault.before().await?;
        }
        let most =
            usize::try_from(request.max_jobs_to_activate).unwrap_or(0) + self.hub.faults.take_surplus();
        let wait = poll::wait_of(request.request_timeout);
        let wanted = Subscription::of_poll(request, &self.hub.settings)?;
        let batch = Batch::wait(Arc::clone(&self.hub), &wanted, most, wait).await;
        if batch.is_empty() {
            if let Some(lost @ Fault::LoseReply(_)) = fault {
                self.hub.faults.put_back(Rpc::ActivateJobs, lost);
            }
            return Ok(Response::new(Box::pin(tokio_stream::empty())));
        }
        if let Some(fault) = fault
            && let Err(status) = fault.after().await
        {
            // Lost on the way: the jobs are activated all the same.
            drop(batch.into_response());
            return Err(status);
        }
        // The batch is the worker's only when the connection asks for it.
        let answer = futures_util::stream::once(async move { Ok(batch.into_response()) });
        Ok(Response::new(Box::pin(answer)))
    }

    async fn stream_activated_jobs(
        &self,
        request: Request<StreamActivatedJobsRequest>,
    ) -> Answer<Self::StreamActivatedJobsStream> {
        let (request, fault) = self.enter(Rpc::StreamActivatedJobs, request)?;
        let wanted = Subscription::of_stream(request, &self.hub.settings)?;
        if let Some(fault) = &fault {
            fault.before().await?;
            fault.after().await?;
        }
        let stream = JobStream::open(Arc::clone(&self.hub), wanted).first().await?;
        Ok(Response::new(Box::pin(stream)))
    }

    async fn complete_job(&self, request: Request<CompleteJobRequest>) -> Answer<CompleteJobResponse> {
        self.command(Rpc::CompleteJob, request, |request, inner, now| {
            let target = Target { key: request.job_key, lease: request.job_lease_token };
            inner.broker.complete(&target, Variables::parse(&request.variables)?, now)?;
            Ok(CompleteJobResponse {})
        })
        .await
    }

    async fn fail_job(&self, request: Request<FailJobRequest>) -> Answer<FailJobResponse> {
        self.command(Rpc::FailJob, request, |request, inner, now| {
            let target = Target { key: request.job_key, lease: request.job_lease_token };
            let failure = Failure {
                retries: request.retries,
                message: request.error_message,
                backoff: duration(request.retry_back_off),
                variables: Variables::parse(&request.variables)?,
            };
            inner.broker.fail(&target, failure, now)?;
            Ok(FailJobResponse {})
        })
        .await
    }

    async fn throw_error(&self, request: Request<ThrowErrorRequest>) -> Answer<ThrowErrorResponse> {
        self.command(Rpc::ThrowError, request, |request, inner, now| {
            let target = Target { key: request.job_key, lease: request.job_lease_token };
            let error = BpmnError {
                code: request.error_code,
                message: request.error_message,
                variables: Variables::parse(&request.variables)?,
            };
            inner.broker.throw(&target, error, now)?;
            Ok(ThrowErrorResponse {})
        })
        .await
    }

    async fn update_job_timeout(
        &self,
        request: Request<UpdateJobTimeoutRequest>,
    ) -> Answer<UpdateJobTimeoutResponse> {
        self.command(Rpc::UpdateJobTimeout, request, |request, inner, now| {
            let target = Target { key: request.job_key, lease: request.job_lease_token };
            inner.broker.update_timeout(&target, duration(request.timeout), now)?;
            Ok(UpdateJobTimeoutResponse {})
        })
        .await
    }

    async fn update_job_retries(
        &self,
        request: Request<UpdateJobRetriesRequest>,
    ) -> Answer<UpdateJobRetriesResponse> {
        self.command(Rpc::UpdateJobRetries, request, |request, inner, now| {
            let target = Target { key: request.job_key, lease: request.job_lease_token };
            inner.broker.update_retries(&target, request.retries, now)?;
            Ok(UpdateJobRetriesResponse {})
        })
        .await
    }

    async fn set_variables(&self, request: Request<SetVariablesRequest>) -> Answer<SetVariablesResponse> {
        self.command(Rpc::SetVariables, request, |request, inner, now| {
            let variables = Variables::parse(&request.variables)?;
            let element = request.element_instance_key;
            let key = inner.broker.set_variables(element, variables, request.local, now)?;
            Ok(SetVariablesResponse { key })
        })
        .await
    }

    async fn resolve_incident(
        &self,
        request: Request<ResolveIncidentRequest>,
    ) -> Answer<ResolveIncidentResponse> {
        self.command(Rpc::ResolveIncident, request, |request, inner, now| {
            inner.broker.resolve(request.incident_key, now)?;
            Ok(ResolveIncidentResponse {})
        })
        .await
    }

    async fn topology(&self, request: Request<TopologyRequest>) -> Answer<TopologyResponse> {
        let settings = &self.hub.settings;
        self.command(Rpc::Topology, request, |_, _, _| Ok(topology::of(settings))).await
    }

    async fn deploy_resource(&self, _: Request<DeployResourceRequest>) -> Answer<DeployResourceResponse> {
        no_engine("DeployResource")
    }

    async fn create_process_instance(
        &self,
        _: Request<CreateProcessInstanceRequest>,
    ) -> Answer<CreateProcessInstanceResponse> {
        no_engine("CreateProcessInstance")
    }

    async fn create_process_instance_with_result(
        &self,
        _: Request<CreateProcessInstanceWithResultRequest>,
    ) -> Answer<CreateProcessInstanceWithResultResponse> {
        no_engine("CreateProcessInstanceWithResult")
    }

    async fn cancel_process_instance(
        &self,
        _: Request<CancelProcessInstanceRequest>,
    ) -> Answer<CancelProcessInstanceResponse> {
        no_engine("CancelProcessInstance")
    }

    async fn publish_message(&self, _: Request<PublishMessageRequest>) -> Answer<PublishMessageResponse> {
        no_engine("PublishMessage")
    }
}

fn no_engine<T>(rpc: &str) -> Answer<T> {
    Err(Status::unimplemented(format!(
        "{rpc}: DevGateway has jobs but no process engine; create jobs with DevGateway::create_job, or use a real \
         Zeebe"
    )))
}
