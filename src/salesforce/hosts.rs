//! Which hosts may be called and given secrets.

use std::net::{IpAddr, Ipv4Addr};

use url::{Host, Url};

use super::codes;
use super::error::{Error, ErrorClass};
use super::host_pattern::Pattern;
use super::resolver::{Reach, reach};

/// The hosts of Salesforce that serve its APIs and its token endpoints.
///
/// `*.salesforce.com` holds every My Domain host (`acme.my.salesforce.com`, `acme--dev.sandbox.my.salesforce.com` …),
/// the older instance hosts (`na1.salesforce.com`), `login.` and `test.salesforce.com`. `*.cloudforce.com` is an older
/// form of My Domain, `*.my.salesforce.mil` the one of Government Cloud Plus Defense.
///
/// `*.force.com` is left out on purpose: it serves Lightning pages, which are no API, and sites, whose pages customers
/// write; a secret has no business there. Name your own hosts instead of these, and nobody can send anything to
/// another customer's org.
pub const DEFAULT_HOSTS: &[&str] = &["*.salesforce.com", "*.cloudforce.com", "*.my.salesforce.mil"];

/// Said to whoever brings the address of SOAP login.
const SOAP: &str = "SOAP login is not offered, for Salesforce retires it in Summer '27; use the OAuth client credentials \
                    flow, or the JWT bearer flow to act as a certain user, with an address without a path";

/// Hosts that may be called: exact names or patterns such as `*.my.salesforce.com`, which match one or more labels.
///
/// Only `https`, unless `http` is allowed; the machine itself (`localhost`, 127.0.0.0/8, ::1) only when loopback is
/// allowed, and then without being listed. Other addresses must be listed as they are. Names are compared as ASCII
/// without regard to case. Addresses of private networks are refused even when listed, unless they are allowed; for
/// names that is checked when a connection is opened.
#[derive(Clone, Debug)]
pub struct AllowedHosts {
    patterns: Vec<Pattern>,
    allow_http: bool,
    allow_loopback: bool,
    allow_private: bool,
    /// The key of the configuration that lists them.
    key: &'static str,
}

/// The key that lists the hosts of orgs.
const OF_ORGS: &str = "hosts.allow";

impl Default for AllowedHosts {
    /// Salesforce's own domains ([`DEFAULT_HOSTS`]), `https` only, no loopback.
    fn default() -> Self {
        let patterns = DEFAULT_HOSTS.iter().filter_map(|pattern| Pattern::parse(pattern)).collect();
        Self { patterns, ..Self::none() }
    }
}

impl AllowedHosts {
    /// Checks the patterns; the error names the first that is none.
    pub fn new(patterns: &[String], allow_http: bool, allow_loopback: bool) -> Result<Self, String> {
        let parse = |text: &String| {
            Pattern::parse(text).ok_or_else(|| {
                format!(
                    "expected a host such as \"acme.my.salesforce.com\" or a pattern such as \
                     \"*.my.salesforce.com\" (at least two labels after the star; no scheme, port or path), found {text:?}"
                )
            })
        };
        let patterns = patterns.iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { patterns, allow_http, allow_loopback, ..Self::none() })
    }

    /// No host at all.
    pub fn none() -> Self {
        let patterns = Vec::new();
        Self { patterns, allow_http: false, allow_loopback: false, allow_private: false, key: OF_ORGS }
    }

    /// The same hosts for files that are read there, which are no orgs'.
    pub fn of_sources(self) -> Self {
        Self { key: "hosts.sources", ..self }
    }

    /// Allows listed hosts whose addresses are of private networks, or not.
    pub fn with_private(self, allow_private: bool) -> Self {
        Self { allow_private, ..self }
    }

    pub(super) fn allows_private(&self) -> bool {
        self.allow_private
    }

    pub(super) fn allows_loopback(&self) -> bool {
        self.allow_loopback
    }

    /// Reads the address of an org: a scheme and a host, perhaps a port. `what` names it in the error.
    pub(super) fn org_address(&self, what: &str, text: &str) -> Result<Url, Error> {
        let url = self.address(what, text)?;
        if url.path() != "/" {
            return Err(invalid(what, "expected no path after the host", Some(&url)));
        }
        Ok(url)
    }

    /// Reads the address of a token endpoint, which has a path.
    pub(super) fn endpoint(&self, what: &str, text: &str) -> Result<Url, Error> {
        self.address(what, text)
    }

    fn address(&self, what: &str, text: &str) -> Result<Url, Error> {
        // The text itself is never told: where an address is expected, a secret may stand by mistake.
        let mut url = Url::parse(text.trim())
            .map_err(|error| invalid(what, &format!("expected an https address ({error})"), None))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid(what, "expected no user or password in it", None));
        }
        if url.path().to_ascii_lowercase().starts_with("/services/soap") {
            return Err(invalid(what, SOAP, Some(&url)));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid(what, "expected neither a query nor a fragment", Some(&url)));
        }
        if let Some(Host::Domain(name)) = url.host()
            && let Some(name) = name.strip_suffix('.')
        {
            let name = name.to_owned();
            url.set_host(Some(&name)).map_err(|_| invalid(what, "expected a host", None))?;
        }
        self.check(what, &url)?;
        Ok(url)
    }

    pub(super) fn check(&self, what: &str, url: &Url) -> Result<(), Error> {
        let Some(host) = url.host() else { return Err(invalid(what, "expected a host", None)) };
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            "http" => return Err(refused(what, url, "only https is allowed (hosts.allow_http allows http)")),
            _ => return Err(invalid(what, "expected an address that starts with https://", None)),
        }
        if is_loopback(&host) {
            let refusal = "the machine itself may not be called (hosts.allow_loopback allows it)";
            return if self.allow_loopback { Ok(()) } else { Err(refused(what, url, refusal)) };
        }
        if is_private(&host) && !self.allow_private {
            let refusal = "addresses of private networks may not be called (hosts.allow_private allows them)";
            return Err(refused(what, url, refusal));
        }
        let name = host.to_string();
        if is_below(&name, "lightning.force.com") {
            let hint = "Lightning pages are no API; use the My Domain host, such as acme.my.salesforce.com";
            return Err(refused(what, url, hint));
        }
        if self.patterns.iter().any(|pattern| pattern.matches(&name)) {
            return Ok(());
        }
        let key = self.key;
        let hint = if key == OF_ORGS && is_below(&name, "force.com") {
            "sites are no API; use the My Domain host, such as acme.my.salesforce.com, or list this one in hosts.allow"
        } else {
            &format!("it is not in the list of allowed hosts; {key} in the configuration names them")
        };
        Err(refused(what, url, hint))
    }
}

fn is_below(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether a connection to this host ends at this machine. 0.0.0.0 and :: do so on Linux.
fn is_loopback(host: &Host<&str>) -> bool {
    let v4 = |address: &Ipv4Addr| address.is_loopback() || address.is_unspecified();
    match host {
        Host::Domain(name) => is_below(name, "localhost"),
        Host::Ipv4(address) => v4(address),
        Host::Ipv6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.to_ipv4_mapped().is_some_and(|mapped| v4(&mapped))
        }
    }
}

fn is_private(host: &Host<&str>) -> bool {
    let address: IpAddr = match host {
        Host::Domain(_) => return false,
        Host::Ipv4(address) => (*address).into(),
        Host::Ipv6(address) => (*address).into(),
    };
    reach(address) != Reach::Public
}

pub(super) fn is_loopback_url(url: &Url) -> bool {
    url.host().is_some_and(|host| is_loopback(&host))
}

fn refused(what: &str, url: &Url, why: &str) -> Error {
    let host = url.host_str().unwrap_or_default();
    Error::new(
        codes::HOST_NOT_ALLOWED,
        ErrorClass::Permanent,
        format!("the {what} is on the host {host:?}: {why}"),
    )
}

fn invalid(what: &str, expected: &str, url: Option<&Url>) -> Error {
    let host = url.and_then(Url::host_str).map(|host| format!(", on the host {host:?}")).unwrap_or_default();
    let message =
        format!("the {what} is not usable{host}: {expected}, as in \"https://acme.my.salesforce.com\"");
    Error::new(codes::INVALID_ADDRESS, ErrorClass::Permanent, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_is_accepted_is_https_on_a_host_of_salesforce(
            start in "(https://|http://)?[a-z@:.\\\\/#?]{0,8}",
            host in "((acme|evil|my)\\.){0,2}(salesforce\\.com|evilsalesforce\\.com|com|evil\\.example)",
            end in "[a-z0-9@:.\\\\/#?%]{0,8}",
        ) {
            if let Ok(url) = AllowedHosts::default().org_address("base URL", &format!("{start}{host}{end}")) {
                let name = url.host_str().unwrap();
                prop_assert!(name.ends_with(".salesforce.com"), "{}", url);
                prop_assert_eq!(url.as_str(), format!("https://{name}{}/", url.port().map(|port| format!(":{port}")).unwrap_or_default()));
            }
        }
    }

    fn hosts(patterns: &[&str], allow_http: bool, allow_loopback: bool) -> AllowedHosts {
        let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        AllowedHosts::new(&patterns, allow_http, allow_loopback).unwrap()
    }

    fn code(hosts: &AllowedHosts, text: &str) -> String {
        match hosts.org_address("base URL", text) {
            Ok(url) => url.to_string(),
            Err(error) => error.code().to_owned(),
        }
    }

    #[test]
    fn salesforces_own_domains_are_allowed_by_default() {
        let hosts = AllowedHosts::default();
        for text in [
            "https://acme.my.salesforce.com",
            "https://acme.my.salesforce.com/",
            " https://ACME--Dev.sandbox.my.Salesforce.com ",
            "https://login.salesforce.com",
            "https://na1.salesforce.com:443",
            "https://acme.my.salesforce.mil",
            "https://acme.cloudforce.com",
        ] {
            assert!(hosts.org_address("base URL", text).is_ok(), "{text}");
        }
        assert_eq!(DEFAULT_HOSTS.len(), hosts.patterns.len(), "each default is a pattern");
    }

    #[test]
    fn other_hosts_are_refused_by_name_and_with_what_to_configure() {
        let hosts = AllowedHosts::default();
        for text in [
            "https://salesforce.com.evil.example",
            "https://evilsalesforce.com",
            "https://salesforce.com",
            "https://acme.force.com",
            "https://acme.my.salesforce.com.",
            "https://10.0.0.1",
            "https://[2001:db8::1]",
        ] {
            let expected =
                if text.ends_with("com.") { "https://acme.my.salesforce.com/" } else { "HOST_NOT_ALLOWED" };
            assert_eq!(code(&hosts, text), expected, "{text}");
        }
        let error = hosts.org_address("base URL", "https://evil.example").unwrap_err();
        assert!(error.to_string().contains("\"evil.example\""), "{error}");
        assert!(error.to_string().contains("hosts.allow"), "{error}");
    }

    #[test]
    fn lightning_is_never_an_api_host_even_when_listed() {
        let hosts = hosts(&["*.force.com", "acme.lightning.force.com"], false, false);
        assert_eq!(code(&hosts, "https://acme.lightning.force.com"), "HOST_NOT_ALLOWED");
        assert!(hosts.org_address("base URL", "https://acme.force.com").is_ok());
        let error = hosts.org_address("base URL", "https://acme.lightning.force.com").unwrap_err();
        assert!(error.to_string().contains("My Domain"), "{error}");
    }

    #[test]
    fn loopback_and_http_need_their_own_permission() {
        let loopback = [
            "localhost",
            "LOCALHOST",
            "org.localhost",
            "127.0.0.1",
            "127.1",
            "0x7f.0.0.1",
            "2130706433",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "0.0.0.0",
            "[::]",
        ];
        let (none, http) = (hosts(&["localhost"], false, false), hosts(&["127.0.0.1"], true, false));
        let (both, no_http) = (hosts(&[], true, true), hosts(&[], false, true));
        for host in loopback {
            assert_eq!(code(&none, &format!("https://{host}:8443")), "HOST_NOT_ALLOWED", "{host}");
            assert_eq!(code(&http, &format!("http://{host}:8080")), "HOST_NOT_ALLOWED", "{host}");
            assert_eq!(code(&no_http, &format!("http://{host}:8080")), "HOST_NOT_ALLOWED", "{host}");
            assert!(both.org_address("base URL", &format!("http://{host}:8080")).is_ok(), "{host}");
        }
        assert_eq!(code(&both, "http://evil.example"), "HOST_NOT_ALLOWED");
        assert_eq!(code(&both, "http://notlocalhost"), "HOST_NOT_ALLOWED");
    }

    #[test]
    fn exact_names_and_addresses_can_be_listed() {
        let hosts = hosts(&["Org.Example.", "192.0.2.7", "[2001:DB8::1]"], false, false);
        for host in ["org.example", "ORG.EXAMPLE.", "192.0.2.7", "[2001:db8:0::1]"] {
            assert!(hosts.org_address("base URL", &format!("https://{host}")).is_ok(), "{host}");
        }
        for host in ["a.org.example", "192.0.2.8", "xorg.example"] {
            assert_eq!(code(&hosts, &format!("https://{host}")), "HOST_NOT_ALLOWED", "{host}");
        }
    }

    #[test]
    fn addresses_of_private_networks_need_their_own_permission() {
        let listed = hosts(&["10.0.0.1", "169.254.169.254", "[fd00::1]"], false, true);
        for host in ["10.0.0.1", "169.254.169.254", "[fd00::1]"] {
            let url = format!("https://{host}");
            assert_eq!(code(&listed, &url), "HOST_NOT_ALLOWED", "{host}");
            assert!(listed.clone().with_private(true).org_address("base URL", &url).is_ok(), "{host}");
        }
        assert_eq!(code(&listed.with_private(true), "https://10.0.0.2"), "HOST_NOT_ALLOWED", "not listed");
    }

    #[test]
    fn no_way_of_writing_a_host_gets_past_the_list() {
        let hosts = AllowedHosts::default();
        for text in [
            // Cyrillic letters, as names and as what they are called on the wire.
            "https://acme.my.s\u{430}lesforce.com",
            "https://acme.my.xn--slesforce-y7g.com",
            "https://acme.my.salesforce.com..",
            "https://acme.my.salesforce.com%2eevil.example",
            "https://evil.example#.salesforce.com/",
            "https://evil.example\\.salesforce.com",
            "https://acme.my.salesforce.com:443@evil.example",
            "https://evil.example:443/.salesforce.com",
            "https://0xa9fea9fe",
            "https://2852039166",
            "https://[::ffff:a9fe:a9fe]",
            "https://0",
        ] {
            assert!(hosts.org_address("base URL", text).is_err(), "{text}");
        }
        for (text, same) in [
            ("https://acme.my.salesforce.com.:443/", "https://acme.my.salesforce.com/"),
            ("https://acme.my.salesforce.com:8443", "https://acme.my.salesforce.com:8443/"),
            // Full-width letters and dots are the plain ones to every resolver.
            ("https://\u{ff41}cme\u{3002}my.salesforce.com", "https://acme.my.salesforce.com/"),
            ("https://ACME.my.sale\u{17f}force.com", "https://acme.my.salesforce.com/"),
        ] {
            assert_eq!(code(&hosts, text), same);
        }
    }

    #[test]
    fn what_is_no_org_address_is_refused_without_being_told() {
        let hosts = AllowedHosts::default();
        for text in [
            "",
            "s3cret",
            "acme.my.salesforce.com",
            "ftp://acme.my.salesforce.com",
            "https://user:s3cret@acme.my.salesforce.com",
            "https://s3cret@acme.my.salesforce.com",
            "https://acme.my.salesforce.com/?token=s3cret",
            "https://acme.my.salesforce.com/#s3cret",
            "https://acme.my.salesforce.com/s3cret",
            "https://s3cret:99999",
            "file:///s3cret",
        ] {
            let error = hosts.org_address("base URL", text).unwrap_err();
            assert_eq!(error.code(), "INVALID_ADDRESS", "{text}");
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_pattern_that_allows_nearly_everybody_or_nobody_is_refused() {
        for text in
            ["", "*", "*.com", "*.", "**.a.b", "a.*.b", "https://a.b", "a.b:443", "a b", "a..b", "*.a.b/c"]
        {
            let error = AllowedHosts::new(&[text.to_owned()], false, false).unwrap_err();
            assert!(error.contains(&format!("found {text:?}")), "{error}");
        }
    }
}
