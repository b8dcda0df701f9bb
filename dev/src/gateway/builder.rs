//! How a gateway is set up before it starts.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::auth::Rule;
use super::dev_gateway::DevGateway;
use super::identity::DevIdentity;
use super::settings::Settings;

/// Options of a [`DevGateway`]. Defaults: a free loopback port, version 8.10.0, no multi-tenancy, leases
/// honoured, no authentication, four messages of buffer per stream.
#[derive(Debug, Default)]
#[must_use = "nothing happens before `start`"]
pub struct DevGatewayBuilder {
    settings: Settings,
    rule: Rule,
}

impl DevGatewayBuilder {
    /// The address to listen on; port 0 takes a free one.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.settings.listen = address;
        self
    }

    /// The version to play, as Topology tells it. A gateway ignores what came after it: tags and kinds
    /// before 8.8, the tenant filter before 8.9, leases, priorities and business ids before 8.10.
    pub fn gateway_version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.settings.gateway_version);
        self
    }

    /// Switches multi-tenancy on; every caller is assigned to these tenants.
    pub fn tenants<T: Into<String>>(mut self, tenants: impl IntoIterator<Item = T>) -> Self {
        self.settings.tenants = Some(tenants.into_iter().map(Into::into).collect());
        self
    }

    /// `false`: the wish for a lease is ignored, whatever the version.
    pub fn honour_leases(mut self, honour: bool) -> Self {
        self.settings.honour_leases = honour;
        self
    }

    /// How many jobs may wait in a stream for its connection before the stream counts as blocked; at least
    /// one. Beyond these, tonic holds up to 32 KiB and the client its HTTP/2 window.
    pub fn stream_buffer(mut self, jobs: usize) -> Self {
        self.settings.stream_buffer = jobs.max(1);
        self
    }

    /// Each connection gets a GOAWAY at this age: what runs on it may end, new calls need another one.
    pub fn connection_age(mut self, age: Duration) -> Self {
        self.settings.connection_age = Some(age);
        self
    }

    /// The most bytes of a message, which operators can change; 4 MiB. At most 64 MiB.
    pub fn largest_message(mut self, bytes: usize) -> Self {
        self.settings.largest_message = bytes;
        self
    }

    /// The seed of the choice among several streams.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Every call needs this bearer token.
    pub fn require_bearer(mut self, token: &str) -> Self {
        self.rule = Rule::bearer(token);
        self
    }

    /// Every call needs these credentials as HTTP Basic.
    pub fn require_basic(mut self, user: &str, password: &str) -> Self {
        self.rule = Rule::basic(user, password);
        self
    }

    /// Every call needs a living token that this identity has issued.
    pub fn oauth(mut self, identity: &DevIdentity) -> Self {
        self.rule = Rule::Issued(identity.tokens());
        self
    }

    /// Listens and serves.
    pub async fn start(self) -> io::Result<DevGateway> {
        DevGateway::serve(self.settings, self.rule).await
    }
}
