//! What kind of gateway this one plays.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// The fixed properties of a gateway.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) listen: SocketAddr,
    pub(super) gateway_version: String,
    /// `None`: multi-tenancy is off. Else: the tenants that every caller is assigned to.
    pub(super) tenants: Option<Vec<String>>,
    pub(super) honour_leases: bool,
    /// Messages that wait in a stream before it counts as blocked.
    pub(super) stream_buffer: usize,
    pub(super) seed: u64,
    /// When a connection is told to go away.
    pub(super) connection_age: Option<Duration>,
    /// The most bytes of a message, in both directions.
    pub(super) largest_message: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            gateway_version: "8.10.0".into(),
            tenants: None,
            honour_leases: true,
            stream_buffer: 4,
            seed: 0,
            connection_age: None,
            largest_message: 4 * 1024 * 1024,
        }
    }
}

impl Settings {
    /// Leases, priority, business ids on jobs, physical tenants.
    pub(super) fn leases(&self) -> bool {
        self.honour_leases && self.at_least(10)
    }

    pub(super) fn tenant_filter(&self) -> bool {
        self.at_least(9)
    }

    /// Whether the version played is 8.`minor` or later. A text that is no version counts as new.
    pub(super) fn at_least(&self, minor: u32) -> bool {
        let mut parts = self.gateway_version.split('.').map(str::parse::<u32>);
        match (parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(own))) => (major, own) >= (8, minor),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_decides_what_the_gateway_knows() {
        let version = |text: &str| Settings { gateway_version: text.into(), ..Settings::default() };
        assert!(version("8.10.0").leases());
        assert!(version("9.0.0").leases());
        assert!(!version("8.9.4").leases());
        assert!(version("8.9.4").tenant_filter());
        assert!(!version("8.6.0").tenant_filter());
        assert!(!Settings { honour_leases: false, ..version("8.10.0") }.leases());
    }
}
