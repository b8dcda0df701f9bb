//! A running org: start, look inside, stop.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use axum::Router;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::automation::{self, Automation};
use super::bulk::{self, BulkJobs, Jobs};
use super::connection::{Connection, CountingListener};
use super::faults::Faults;
use super::log::{Counters, RecordedRequest, RequestLog};
use super::oauth::{OAuth, Setup};
use super::query::Cursors;
use super::recorded::Recorded;
use super::seed::{self, SeedError};
use super::store::Store;
use super::validate::Save;
use super::{dispatch, rest, tls};

/// What all handlers share.
pub(crate) struct Org {
    store: RwLock<Store>,
    turns: RwLock<()>,
    pub(crate) oauth: OAuth,
    pub(crate) automation: Automation,
    pub(crate) recorded: Vec<Recorded>,
    pub(crate) page_size: usize,
    pub(crate) latency: Duration,
    pub(crate) daily_requests: u64,
    pub(crate) cursors: Cursors,
    pub(crate) bulk: Jobs,
    pub(crate) faults: Faults,
    pub(crate) log: RequestLog,
    pub(crate) stopping: CancellationToken,
}

impl Org {
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Store> {
        self.store.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out a request beside others; or alone, where what is taken back must not be another's work.
    pub(crate) fn take_turn<T>(&self, alone: bool, work: impl FnOnce() -> T) -> T {
        if alone {
            let _turn = self.turns.write().unwrap_or_else(PoisonError::into_inner);
            work()
        } else {
            let _turn = self.turns.read().unwrap_or_else(PoisonError::into_inner);
            work()
        }
    }
}

/// How an org is set up before it starts.
pub struct DevOrgBuilder {
    listen: SocketAddr,
    seed: Value,
    pub(crate) automation: Automation,
    recorded: Vec<Recorded>,
    pub(crate) login: Setup,
    page_size: usize,
    latency: Duration,
    daily_requests: u64,
    bulk: (Duration, usize),
    tls: Option<(String, String)>,
    base_url: Option<String>,
}

impl DevOrgBuilder {
    /// The address to listen on. Default: a free port on 127.0.0.1.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// What the org holds beside the standard objects and one user. Default: nothing.
    ///
    /// ```json
    /// { "objects": [{ "name": "Invoice__c", "keyPrefix": "a00", "fields": [
    ///       { "name": "Total__c", "type": "currency" },
    ///       { "name": "Account__c", "type": "reference", "referenceTo": ["Account"], "childRelationshipName": "Invoices__r" }] }],
    ///   "fields": { "Account": [{ "name": "Tier__c", "type": "picklist", "picklistValues": ["Gold"], "restrictedPicklist": true }] },
    ///   "records": { "Account": [{ "Name": "Acme", "External_Key__c": "acme" }],
    ///       "Contact": [{ "LastName": "Doe", "Account": { "External_Key__c": "acme" } }] },
    ///   "duplicateRules": [{ "name": "By_Email", "object": "Contact", "fields": ["Email"], "allowSave": true }],
    ///   "assignmentRules": [{ "id": "01QDv0000000001MAA", "object": "Case", "active": true, "entries": [
    ///       { "criteria": { "Origin": "Phone" }, "owner": "00GDv0000000001MAA" }] }],
    ///   "knowledgeArticles": [{ "id": "kA0000000000001CAA", "articleNumber": "000001000", "urlName": "reset-a-password",
    ///       "title": "Reset a password", "language": "en-US", "fields": { "Answer__c": "Click." }, "channels": ["Pkb"] }],
    ///   "reports": [{ "id": "00O000000000001EAA", "name": "Open cases", "object": "Case", "columns": ["Subject"],
    ///       "where": "IsClosed = false", "groupBy": "Status" }],
    ///   "listViews": [{ "id": "00B000000000001EAA", "developerName": "AllOpenLeads", "label": "All open leads", "object": "Lead",
    ///       "columns": ["Name", "Company"], "where": "IsConverted = false" }] }
    /// ```
    ///
    /// Fields are described in the words of a describe document: `label`, `length`, `precision`, `scale`, `nillable`,
    /// `createable`, `updateable`, `default`, `externalId`, `unique`, `caseSensitive`, `autoNumber` (a format such as
    /// `INV-{0000}`) and so on. Records are inserted in the order of the seed and may set any field, also `Id` and
    /// `CreatedDate`; a parent may be named by an external id.
    ///
    /// `automation` is what the org does by itself; `{!name}` stands for an input, `{!created.Id}` for the new record. An
    /// action may convert a lead as well: `"converts": { "lead": "{!leadId}", "opportunity": "{!name}" }` gives
    /// `{!accountId}`, `{!contactId}` and `{!opportunityId}`.
    ///
    /// ```json
    /// { "automation": {
    ///     "apexRest": [{ "method": "POST", "urlMapping": "/Orders/*", "status": 201, "does": {
    ///         "creates": { "object": "Case", "fields": { "Subject": "{!subject}" } }, "outputs": { "caseId": "{!created.Id}" } } }],
    ///     "actions": [{ "name": "custom/flow/Close_Case", "inputs": [{ "name": "caseId", "required": true }], "does": {
    ///         "updates": { "object": "Case", "id": "{!caseId}", "fields": { "Status": "Closed" } }, "outputs": { "done": true } } }],
    ///     "quickActions": [{ "object": "Case", "name": "LogACall", "does": {
    ///         "creates": { "object": "Task", "fields": { "WhatId": "{!contextId}", "Subject": "{!Subject}" } } } }],
    ///     "events": [{ "name": "Order__e", "fields": [{ "name": "Number__c", "required": true }] }],
    ///     "approvalProcesses": [{ "name": "Discount", "object": "Opportunity", "entryCriteria": { "StageName": "Negotiation" },
    ///         "steps": [["boss@example.com"], ["boss@example.com", "cfo@example.com"]] }] } }
    /// ```
    pub fn seed(mut self, seed: Value) -> Self {
        self.seed = seed;
        self
    }

    /// Describes an object with this document, such as one that a real org gave, instead of by what the org holds. It need not
    /// hold the object.
    pub fn describe(mut self, document: Value) -> Self {
        self.recorded.push(Recorded::description(None, document));
        self
    }

    /// The same for those who ask in this language, such as `de`.
    pub fn describe_in(mut self, language: &str, document: Value) -> Self {
        self.recorded.push(Recorded::description(Some(language), document));
        self
    }

    /// Answers a GET of this resource with this document, such as `sobjects/Case/describe/layouts`, of which the org itself
    /// has no notion.
    pub fn resource(mut self, path: &str, document: Value) -> Self {
        self.recorded.push(Recorded::new(path, None, document));
        self
    }

    /// The largest page of a query, in records; at least one. Salesforce's is 2,000, which is the default.
    pub fn page_size(mut self, records: usize) -> Self {
        self.page_size = records.max(1);
        self
    }

    /// How long every answer takes, logins included; what is asked for has been done by then. Default: no time.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// How many API requests a day it tells that it allows; more are counted, and answered as well. Default: 15,000, those
    /// of a Developer Edition.
    pub fn daily_requests(mut self, requests: u64) -> Self {
        self.daily_requests = requests;
        self
    }

    /// How bulk jobs get on: how long a job waits in the queue and each of its batches takes, and the most rows of a
    /// batch, at least one. Default: no time, so that a job is complete when it is first looked at, and 10,000 rows.
    pub fn bulk_pace(mut self, step: Duration, batch: usize) -> Self {
        self.bulk = (step, batch.max(1));
        self
    }

    /// Serves HTTPS with this certificate (chain) and its private key, both PEM. Default: plain HTTP.
    pub fn tls(mut self, certificate: impl Into<String>, key: impl Into<String>) -> Self {
        self.tls = Some((certificate.into(), key.into()));
        self
    }

    /// The address that the org tells its clients, without a slash at the end, where they reach it through a proxy.
    /// Default: where it listens.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Starts the org. A wrong seed or key is an error of kind `InvalidInput` that names the place.
    pub async fn start(self) -> std::io::Result<DevOrg> {
        let (store, seeded) = fill(&self.seed, &self.login.user.username)?;
        let mut automation = self.automation;
        automation.extend(seeded);
        let tls = self.tls.map(|(certificate, key)| tls::acceptor(&certificate, &key)).transpose()?;
        let listener = TcpListener::bind(self.listen).await?;
        let address = listener.local_addr()?;
        let host = if address.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { address.ip() };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let own_url = || format!("{scheme}://{}", SocketAddr::new(host, address.port()));
        let base_url = self.base_url.unwrap_or_else(own_url);
        let org = Arc::new(Org {
            oauth: self.login.build(base_url, store.organization.clone(), store.user.clone())?,
            automation,
            recorded: self.recorded,
            store: RwLock::new(store),
            turns: RwLock::default(),
            page_size: self.page_size,
            latency: self.latency,
            daily_requests: self.daily_requests,
            cursors: Cursors::default(),
            bulk: Jobs::new(self.bulk.0, self.bulk.1),
            faults: Faults::default(),
            log: RequestLog::default(),
            stopping: CancellationToken::new(),
        });
        let connections = Arc::new(AtomicU64::new(0));
        let listener = CountingListener { inner: listener, accepted: Arc::clone(&connections), tls };
        let router = Router::new().fallback(dispatch::handle).with_state(Arc::clone(&org));
        let stopping = org.stopping.clone();
        let server = tokio::spawn(async move {
            axum::serve(listener, router.into_make_service_with_connect_info::<Connection>())
                .with_graceful_shutdown(stopping.cancelled_owned())
                .await
        });
        Ok(DevOrg { org, address, connections, server: Some(server) })
    }
}

impl std::fmt::Debug for DevOrgBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DevOrgBuilder").field("listen", &self.listen).finish_non_exhaustive()
    }
}

/// The store of a seed, with the users and the organization that every org has.
fn fill(seed: &Value, username: &str) -> Result<(Store, Automation), SeedError> {
    let seed = seed::read(seed)?;
    let mut store = Store::new(seed.schema, seed.duplicate_rules);
    (store.articles, store.reports, store.list_views) = (seed.articles, seed.reports, seed.list_views);
    store.assignment_rules = seed.assignment_rules;
    let (user, organization) = (store.user.clone(), store.organization.clone());
    let own = [
        (
            "User",
            json!({ "Id": user, "Username": username, "FirstName": "Integration",
            "LastName": "User", "Email": username, "Alias": "integ" }),
        ),
        (
            "Organization",
            json!({ "Id": organization, "Name": "Dev Org", "InstanceName": "DEV1", "IsSandbox": true }),
        ),
    ];
    for (name, fields) in own {
        insert(&mut store, name, fields)?;
    }
    automation::define(&mut store, &seed.automation.approvals)?;
    for record in seed.records {
        store
            .create(record.object, &record.fields, Save::SEED)
            .map_err(|error| SeedError::new(record.path, error.summary()))?;
    }
    Ok((store, seed.automation))
}

fn insert(store: &mut Store, name: &str, fields: Value) -> Result<String, SeedError> {
    let object = store.schema.index_of(name);
    let object = object.ok_or_else(|| SeedError::new(name, format!("the org has no object {name}")))?;
    let Value::Object(fields) = fields else {
        return Err(SeedError::new(name, "expected the fields as a JSON object"));
    };
    store.create(object, &fields, Save::SEED).map_err(|error| SeedError::new(name, error.summary()))
}

/// A Salesforce org in memory, served over HTTP/1.1, in the clear or encrypted. It stops when it is dropped.
pub struct DevOrg {
    pub(crate) org: Arc<Org>,
    address: SocketAddr,
    connections: Arc<AtomicU64>,
    server: Option<JoinHandle<std::io::Result<()>>>,
}

impl DevOrg {
    /// An org to be set up; see [`DevOrgBuilder`] for the defaults.
    pub fn builder() -> DevOrgBuilder {
        DevOrgBuilder {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: Value::Null,
            automation: Automation::default(),
            recorded: Vec::new(),
            login: Setup::default(),
            page_size: 2000,
            latency: Duration::ZERO,
            daily_requests: 15_000,
            bulk: (Duration::ZERO, bulk::BATCH),
            tls: None,
            base_url: None,
        }
    }

    /// Starts an org with all defaults.
    pub async fn start() -> std::io::Result<Self> {
        Self::builder().start().await
    }

    /// Where the org listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The org's My Domain address, without a slash at the end: `http://127.0.0.1:PORT` (or `https`), unless it was
    /// given another.
    pub fn base_url(&self) -> String {
        self.org.oauth.base_url().to_owned()
    }

    /// How often things happened so far.
    pub fn counters(&self) -> Counters {
        let mut counters = self.org.log.counters();
        counters.connections = self.connections.load(Ordering::SeqCst);
        counters
    }

    /// The last 10,000 requests, oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.org.log.requests()
    }

    /// The live records of an object with all their fields, in the order of their creation; empty for an object
    /// that the org does not have.
    pub fn records(&self, object: &str) -> Vec<Value> {
        self.org.bulk.catch_up(&self.org);
        let store = self.org.read();
        let Some(index) = store.schema.index_of(object) else { return Vec::new() };
        let table = &store.tables[index];
        table.live().map(|row| rest::all_fields(store.object(index), &table.records[row])).collect()
    }

    /// Puts a record into the org and answers its id. As in a seed, system fields such as `CreatedDate` may be set
    /// and duplicate rules do not apply.
    pub fn insert(&self, object: &str, fields: Value) -> Result<String, SeedError> {
        insert(&mut self.org.write(), object, fields)
    }

    /// The content of a file's version; `None` where there is no such ContentVersion.
    pub fn file(&self, version: &str) -> Option<bytes::Bytes> {
        self.org.read().blobs.get(version).cloned()
    }

    /// Forgets every query cursor: the next page of a running query is answered with INVALID_QUERY_LOCATOR.
    pub fn expire_query_locators(&self) {
        self.org.cursors.clear();
    }

    /// The bulk jobs, to steer them.
    pub fn bulk(&self) -> BulkJobs<'_> {
        BulkJobs { org: &self.org }
    }

    /// The script of faults.
    pub fn faults(&self) -> &Faults {
        &self.org.faults
    }

    /// Stops listening, lets the requests that are being answered end, and closes all connections. Held and
    /// delayed requests are dropped.
    pub async fn stop(mut self) {
        self.org.stopping.cancel();
        if let Some(server) = self.server.take()
            && let Ok(Err(error)) = server.await
        {
            tracing::warn!(%error, "the dev org ended with an error");
        }
    }
}

impl Drop for DevOrg {
    fn drop(&mut self) {
        self.org.stopping.cancel();
    }
}

impl std::fmt::Debug for DevOrg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DevOrg").field("address", &self.address).finish_non_exhaustive()
    }
}
