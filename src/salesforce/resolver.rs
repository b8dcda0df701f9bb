//! Names become addresses here, when a connection is opened: what leads into a private network is left out.
//!
//! The check stands where the connection is made, so a name that resolves differently the second time (DNS rebinding)
//! gains nothing.

use std::{
    collections::BTreeSet,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::lookups::Lookups;

/// A resolver that leaves out addresses which may not be called.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    /// Whether addresses of private networks are given.
    pub(super) allow_private: bool,
    /// Whether addresses of this machine are given.
    pub(super) allow_loopback: bool,
    /// Names of proxies, which usually stand in the private network: lower case.
    pub(super) proxies: BTreeSet<String>,
    /// What is being looked up.
    pub(super) lookups: Lookups,
}

/// Why a name has no address that may be called.
#[derive(Debug)]
pub(super) struct Forbidden {
    host: String,
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the name {:?} resolves to private, loopback or link-local addresses only, which may not be called \
             (hosts.allow_private allows them)",
            self.host
        )
    }
}

impl std::error::Error for Forbidden {}

impl Resolver {
    fn allows(&self, address: IpAddr) -> bool {
        match reach(address) {
            Reach::Public => true,
            Reach::Loopback => self.allow_loopback || self.allow_private,
            Reach::Private => self.allow_private,
        }
    }

    async fn addresses(
        self,
        host: String,
    ) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let found = self.lookups.addresses(&host).await?;
        if self.proxies.contains(&host.to_ascii_lowercase()) {
            return Ok(found.to_vec());
        }
        let was_found = !found.is_empty();
        let allowed: Vec<_> = found.iter().copied().filter(|address| self.allows(address.ip())).collect();
        if was_found && allowed.is_empty() { Err(Box::new(Forbidden { host })) } else { Ok(allowed) }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolver, host) = (self.clone(), name.as_str().to_owned());
        Box::pin(async move {
            let addresses = resolver.addresses(host).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Where an address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Public,
    Loopback,
    Private,
}

/// By IANA's special-purpose registries; an IPv6 address with an IPv4 address in it is what that is.
pub(super) fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => match embedded_v4(address) {
            Some(address) => reach_v4(address),
            None => reach_v6(address),
        },
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    if address.is_loopback() || address.is_unspecified() {
        return Reach::Loopback;
    }
    let [a, b, c, _] = address.octets();
    // 0.0.0.0/8, shared (RFC 6598), IETF protocols, benchmarks, multicast and reserved.
    let is_special = a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19))
        || a >= 224;
    if is_special || address.is_private() || address.is_link_local() { Reach::Private } else { Reach::Public }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    if address.is_loopback() || address.is_unspecified() {
        return Reach::Loopback;
    }
    let first = address.segments()[0];
    let is_site_local = first & 0xffc0 == 0xfec0;
    let is_inside = address.is_unique_local() || address.is_unicast_link_local() || address.is_multicast();
    if is_inside || is_site_local { Reach::Private } else { Reach::Public }
}

/// Mapped (`::ffff:a.b.c.d`), compatible (`::a.b.c.d`), NAT64 (`64:ff9b::/96`) and 6to4 (`2002::/16`) addresses.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let v4 = |at: usize| Ipv4Addr::from((u32::from(segments[at]) << 16) | u32::from(segments[at + 1]));
    match segments {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(v4(6)),
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => Some(v4(6)),
        [0x2002, ..] => Some(v4(1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::failure::{Failure, Kind};
    use super::*;

    #[test]
    fn each_special_range_is_known_also_inside_ipv6() {
        for (addresses, expected) in [
            (
                &["127.0.0.1", "127.9.9.9", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "::127.0.0.1"][..],
                Reach::Loopback,
            ),
            (
                &[
                    "10.0.0.1",
                    "172.16.0.1",
                    "172.31.255.255",
                    "192.168.1.1",
                    "169.254.169.254",
                    "100.64.0.1",
                    "0.1.2.3",
                    "192.0.0.8",
                    "198.18.0.1",
                    "224.0.0.1",
                    "255.255.255.255",
                    "fc00::1",
                    "fd12::1",
                    "fe80::1",
                    "fec0::1",
                    "ff02::1",
                    "::ffff:10.0.0.1",
                    "64:ff9b::a9fe:a9fe",
                    "2002:a00:1::",
                ],
                Reach::Private,
            ),
            (
                &[
                    "13.110.54.1",
                    "172.32.0.1",
                    "100.128.0.1",
                    "192.0.2.7",
                    "2606:4700::1111",
                    "64:ff9b::d6e:3601",
                ],
                Reach::Public,
            ),
        ] {
            for address in addresses {
                assert_eq!(reach(address.parse().unwrap()), expected, "{address}");
            }
        }
    }

    fn resolver(allow_private: bool, allow_loopback: bool, proxies: &[&str]) -> Resolver {
        let proxies = proxies.iter().map(|&name| name.to_owned()).collect();
        Resolver { allow_private, allow_loopback, proxies, lookups: Lookups::default() }
    }

    #[tokio::test]
    async fn a_connection_to_a_forbidden_name_is_never_opened_and_known_as_such() {
        crate::tls::use_ring();
        let builder = reqwest::Client::builder().no_proxy().tls_certs_only([]);
        let client = builder.dns_resolver(resolver(false, false, &[])).build().unwrap();
        let failure = Failure::from(client.get("http://localhost:1/").send().await.unwrap_err());
        assert_eq!(failure.kind, Kind::Forbidden);
        assert!(failure.detail.contains("\"localhost\""), "{}", failure.detail);
    }

    #[tokio::test]
    async fn a_name_of_this_machine_has_no_address_unless_it_is_allowed_or_a_proxy() {
        let error = resolver(false, false, &[]).addresses("localhost".to_owned()).await.unwrap_err();
        assert!(error.to_string().contains("hosts.allow_private"), "{error}");
        for allowed in
            [resolver(true, false, &[]), resolver(false, true, &[]), resolver(false, false, &["localhost"])]
        {
            assert!(!allowed.addresses("localhost".to_owned()).await.unwrap().is_empty());
        }
    }
}
