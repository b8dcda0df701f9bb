//! The bare loop: the calls that a job needs, and nothing else. It is the limit that our worker is held against.
//!
//! Like ours it takes a permit first, has a stream and a poll, one pool of kept-alive connections and one token for
//! each org. Unlike ours it repeats nothing but what an overloaded gateway turned away, renews no lock, maps nothing,
//! counts nothing and checks nothing.

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::Context as _;
use reqwest::{Certificate, Client};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};

use crate::{
    child::{PERMITS, Spec},
    proto::{
        ActivateJobsRequest, ActivatedJob, CompleteJobRequest, SetVariablesRequest,
        StreamActivatedJobsRequest, gateway_client::GatewayClient,
    },
    workload::{RESULT, Workload},
};

/// How long jobs are locked, in milliseconds.
const LOCK: i64 = 60_000;
/// What one unread stream may hold, as in our worker.
const STREAM_WINDOW: u32 = 64 * 1024;
/// The pauses after empty polls.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LAST_PAUSE: Duration = Duration::from_secs(1);

struct Bare {
    spec: Spec,
    gateway: GatewayClient<Channel>,
    http: Client,
    orgs: HashMap<String, Org>,
}

struct Org {
    url: String,
    token: OnceCell<String>,
}

/// What is read of a job.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Variables<'a> {
    #[serde(borrow)]
    salesforce_request: Request<'a>,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    connection: Connection<'a>,
    #[serde(borrow)]
    operation: Operation<'a>,
}

#[derive(Deserialize)]
struct Connection<'a> {
    name: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Operation<'a> {
    soql_query: Option<&'a str>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

/// Works until it is dropped.
pub(crate) async fn run(spec: Spec) -> anyhow::Result<()> {
    salesforce_connector::tls::use_ring();
    let endpoint = Endpoint::from_shared(spec.gateway.clone())?.tcp_nodelay(true);
    let stream = endpoint.clone().initial_stream_window_size(STREAM_WINDOW).connect().await?;
    let gateway = GatewayClient::new(endpoint.connect().await?);
    let mut http = Client::builder();
    if let Some(authority) = &spec.authority {
        http = http.tls_certs_only([Certificate::from_pem(&std::fs::read(authority)?)?]);
    }
    let orgs = spec.orgs.iter().enumerate();
    let orgs = orgs
        .map(|(number, url)| (Spec::connection(number), Org { url: url.clone(), token: OnceCell::new() }));
    let bare = Arc::new(Bare { orgs: orgs.collect(), spec, gateway, http: http.build()? });
    let permits = Arc::new(Semaphore::new(PERMITS));
    let pushed = push(Arc::clone(&bare), GatewayClient::new(stream), Arc::clone(&permits));
    tokio::try_join!(pushed, poll(bare, permits)).map(drop)
}

async fn push(
    bare: Arc<Bare>,
    mut gateway: GatewayClient<Channel>,
    permits: Arc<Semaphore>,
) -> anyhow::Result<()> {
    let request = StreamActivatedJobsRequest {
        r#type: bare.spec.job_type.clone(),
        worker: "bare".to_owned(),
        timeout: LOCK,
        ..Default::default()
    };
    let mut jobs = gateway.stream_activated_jobs(request).await?.into_inner();
    loop {
        let permit = Arc::clone(&permits).acquire_owned().await?;
        let job = jobs.message().await?.context("the gateway ended the stream")?;
        tokio::spawn(Arc::clone(&bare).work(job, permit));
    }
}

async fn poll(bare: Arc<Bare>, permits: Arc<Semaphore>) -> anyhow::Result<()> {
    let mut gateway = bare.gateway.clone();
    let mut pause = FIRST_PAUSE;
    loop {
        let mut held = Arc::clone(&permits).acquire_owned().await?;
        let more = Arc::clone(&permits).try_acquire_many_owned(u32::try_from(permits.available_permits())?);
        if let Ok(more) = more {
            held.merge(more);
        }
        let request = ActivateJobsRequest {
            r#type: bare.spec.job_type.clone(),
            worker: "bare".to_owned(),
            timeout: LOCK,
            max_jobs_to_activate: i32::try_from(held.num_permits())?,
            request_timeout: -1,
            ..Default::default()
        };
        let answer = async {
            let mut answer = gateway.activate_jobs(request).await?.into_inner();
            let mut jobs = Vec::new();
            while let Some(page) = answer.message().await? {
                jobs.extend(page.jobs);
            }
            Ok::<_, Status>(jobs)
        };
        let jobs = match answer.await {
            Err(status) if status.code() == Code::ResourceExhausted => Vec::new(),
            answer => answer?,
        };
        let empty = jobs.is_empty();
        for job in jobs {
            let permit = held.split(1).context("more jobs than asked for")?;
            tokio::spawn(Arc::clone(&bare).work(job, permit));
        }
        drop(held);
        pause = if empty { LAST_PAUSE.min(pause * 2) } else { FIRST_PAUSE };
        if empty {
            tokio::time::sleep(pause).await;
        }
    }
}

/// Makes a call again while the gateway is overloaded: it has done nothing then.
async fn patiently<T, F>(call: impl Fn() -> F) -> Result<T, Status>
where
    F: Future<Output = Result<T, Status>>,
{
    loop {
        match call().await {
            Err(status) if status.code() == Code::ResourceExhausted => tokio::time::sleep(FIRST_PAUSE).await,
            answer => return answer,
        }
    }
}

impl Bare {
    async fn work(self: Arc<Self>, job: ActivatedJob, permit: OwnedSemaphorePermit) {
        let key = job.key;
        if let Err(error) = self.carry_out(job).await {
            crate::report::warn(&format!("bare loop: job {key}: {error:#}"));
        }
        drop(permit);
    }

    async fn carry_out(&self, job: ActivatedJob) -> anyhow::Result<()> {
        let body = match self.spec.workload {
            Workload::Empty => "null".to_owned(),
            Workload::Query | Workload::Create | Workload::Upsert => self.call(&job).await?,
        };
        let variables = format!("{{\"{RESULT}\":{body}}}");
        let complete = CompleteJobRequest { job_key: job.key, variables, job_lease_token: None };
        patiently(|| async { self.gateway.clone().complete_job(complete.clone()).await }).await?;
        Ok(())
    }

    async fn call(&self, job: &ActivatedJob) -> anyhow::Result<String> {
        let variables: Variables<'_> = serde_json::from_str(&job.variables)?;
        let Request { connection, operation } = variables.salesforce_request;
        let org = self.orgs.get(connection.name).context("no such connection")?;
        let token = org.token.get_or_try_init(|| self.log_in(&org.url)).await?;
        let base = format!("{}/services/data/v67.0", org.url);
        let request = match (operation.soql_query, operation.body) {
            (Some(soql), _) => {
                let mut url = reqwest::Url::parse(&base)?.join("v67.0/query")?;
                url.query_pairs_mut().append_pair("q", soql);
                self.http.get(url)
            }
            (None, Some(body)) => {
                if self.spec.mark {
                    self.leave_mark(job).await?;
                }
                let post = self.http.post(format!("{base}/sobjects/Account"));
                post.header("content-type", "application/json").body(body.get().to_owned())
            }
            (None, None) => anyhow::bail!("neither a query nor a body"),
        };
        let answer = request.bearer_auth(token).send().await?.error_for_status()?;
        Ok(answer.text().await?)
    }

    async fn leave_mark(&self, job: &ActivatedJob) -> anyhow::Result<()> {
        let set = SetVariablesRequest {
            element_instance_key: job.element_instance_key,
            variables: r#"{"salesforceState":{"sent":"2026-01-01T00:00:00Z"}}"#.to_owned(),
            local: true,
            operation_reference: None,
        };
        patiently(|| async { self.gateway.clone().set_variables(set.clone()).await }).await?;
        Ok(())
    }

    async fn log_in(&self, url: &str) -> anyhow::Result<String> {
        #[derive(Deserialize)]
        struct Token {
            access_token: String,
        }
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "dev-client"),
            ("client_secret", "dev-secret"),
        ];
        let request = self.http.post(format!("{url}/services/oauth2/token")).form(&form);
        let answer = request.send().await?.error_for_status()?;
        Ok(answer.json::<Token>().await?.access_token)
    }
}
