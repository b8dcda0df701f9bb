//! Requests that somebody else has written: any method, path and headers, checked so that they stay in the org and
//! touch neither its login nor the connection.

use std::fmt::Write as _;

use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::super::types::InvalidText;
use super::{CallClass, Path, Request, path_of};

/// An HTTP method that Salesforce's resources know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Verb {
    /// Reads.
    Get,
    /// Reads the headers alone.
    Head,
    /// Creates, or starts something.
    Post,
    /// Puts something in the place of what is there.
    Put,
    /// Changes a part.
    Patch,
    /// Deletes.
    Delete,
}

impl Verb {
    const ALL: [Self; 6] = [Self::Get, Self::Head, Self::Post, Self::Put, Self::Patch, Self::Delete];

    /// Its name in a request.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether it has a body.
    pub fn has_body(self) -> bool {
        !matches!(self, Self::Get | Self::Head)
    }

    /// What HTTP promises of it (RFC 9110, section 9.2): whether a second time has a second effect.
    pub fn class(self) -> CallClass {
        match self {
            Self::Get | Self::Head => CallClass::Read,
            Self::Put | Self::Delete => CallClass::IdempotentWrite,
            Self::Post | Self::Patch => CallClass::UnsafeWrite,
        }
    }
}

impl TryFrom<String> for Verb {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        let known = Self::ALL.into_iter().find(|verb| verb.name().eq_ignore_ascii_case(text.trim()));
        known.ok_or_else(|| InvalidText::new("one of GET, HEAD, POST, PUT, PATCH, DELETE", &text))
    }
}

impl From<Verb> for String {
    fn from(verb: Verb) -> Self {
        verb.name().to_owned()
    }
}

/// A path as it was written: in one piece, or in parts of which none can leave its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrittenPath {
    /// With its slashes. What is percent-encoded already stays so, everything else is encoded where it has to be.
    Whole(String),
    /// The parts between the slashes, not encoded.
    Segments(Vec<String>),
}

/// A path below `/services/` of the org.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreePath(Path);

/// What may follow `/services/oauth2/`; the others give and take tokens.
const HARMLESS_LOGIN: &[&str] = &["userinfo"];

impl FreePath {
    /// `/services/…` as it is; any other path below `/services/data/vNN.N`, with the client's API version.
    ///
    /// # Errors
    /// A path that names a host, a query or a fragment, that has empty or dot segments, or that leads to the login.
    pub fn of_org(path: &WrittenPath) -> Result<Self, InvalidText> {
        let encoded = encoded(path)?;
        if !encoded.starts_with("/services/") {
            return Ok(Self(Path::Versioned(encoded)));
        }
        let names: Vec<String> = encoded.split('/').skip(2).map(decoded).collect();
        let leads_to_login = names.first().is_some_and(|name| name.eq_ignore_ascii_case("oauth2"))
            && !names.get(1).is_some_and(|name| HARMLESS_LOGIN.contains(&name.as_str()));
        if leads_to_login {
            let expected =
                "a path outside of /services/oauth2, which gives and takes tokens: the connection logs in";
            return Err(InvalidText::new(expected, &encoded));
        }
        Ok(Self(Path::Absolute(encoded)))
    }

    /// Below `/services/apexrest`, which may stand in front.
    ///
    /// # Errors
    /// As [`FreePath::of_org`].
    pub fn of_apex(path: &WrittenPath) -> Result<Self, InvalidText> {
        const ROOT: &str = "/services/apexrest";
        let encoded = encoded(path)?;
        let below = encoded.strip_prefix(ROOT).filter(|below| below.starts_with('/')).unwrap_or(&encoded);
        Ok(Self(Path::Absolute(format!("{ROOT}{below}"))))
    }
}

fn encoded(path: &WrittenPath) -> Result<String, InvalidText> {
    const PARTS: &str = "parts of a path that are not empty, \".\" or \"..\"";
    match path {
        WrittenPath::Segments(parts) => {
            if let Some(part) = parts.iter().find(|part| matches!(part.as_str(), "" | "." | "..")) {
                return Err(InvalidText::new(PARTS, part));
            }
            if parts.is_empty() {
                return Err(InvalidText::new(PARTS, ""));
            }
            Ok(path_of(parts.iter().map(String::as_str)))
        }
        WrittenPath::Whole(text) => whole(text),
    }
}

fn whole(text: &str) -> Result<String, InvalidText> {
    let refused = |expected| Err(InvalidText::new(expected, text));
    if text.contains("://") || text.starts_with("//") {
        return refused("a path of the org without a host, such as /services/data/v67.0/limits");
    }
    if text.contains(['?', '#']) {
        return refused("a path without ? and #; parameters have a field of their own");
    }
    if text.contains('\\') || text.contains(char::is_control) {
        return refused("a path without backslashes and control characters");
    }
    let text = text.strip_prefix('/').unwrap_or(text);
    let parts: Vec<&str> = text.strip_suffix('/').unwrap_or(text).split('/').collect();
    if parts.iter().any(|part| part.is_empty() || matches!(decoded(part).as_str(), "." | "..")) {
        return refused("a path without empty parts, \".\" and \"..\"");
    }
    let mut path = String::new();
    for part in parts {
        path.push('/');
        push_encoded(&mut path, part);
    }
    if text.ends_with('/') {
        path.push('/');
    }
    Ok(path)
}

/// Keeps what a path may hold (RFC 3986, `pchar`), escapes included, and encodes the rest.
fn push_encoded(path: &mut String, part: &str) {
    let bytes = part.as_bytes();
    for (index, byte) in bytes.iter().enumerate() {
        let is_escape =
            || bytes.get(index + 1..index + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        let is_kept = byte.is_ascii_alphanumeric()
            || b"-._~!$&'()*+,;=:@".contains(byte)
            || (*byte == b'%' && is_escape());
        if is_kept {
            path.push(char::from(*byte));
        } else {
            write!(path, "%{byte:02X}").expect("writing to a String does not fail");
        }
    }
}

fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}

/// A header that somebody named who is not of this house.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreeHeader {
    name: String,
    value: String,
}

/// Who calls, where to, how the bytes travel and what they are: not for others to say.
const RESERVED: &[&str] = &[
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-http-method-override",
    "x-sfdc-session",
];

impl FreeHeader {
    /// Checks a name and its value.
    ///
    /// # Errors
    /// What is no header, and headers that belong to the connection or to the body.
    pub fn new(name: &str, value: &str) -> Result<Self, InvalidText> {
        let is_token = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        if !is_token {
            return Err(InvalidText::new("the name of a header", name));
        }
        let lower = name.to_ascii_lowercase();
        if RESERVED.contains(&lower.as_str()) || lower.starts_with("proxy-") {
            let expected = "no header of the connection, its login or the body's kind: the worker sets these";
            return Err(InvalidText::new(expected, name));
        }
        if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(InvalidText::new("the value of a header, in ASCII and on one line", value));
        }
        Ok(Self { name: lower, value: value.to_owned() })
    }

    /// In lower case.
    pub(in crate::salesforce) fn name(&self) -> &str {
        &self.name
    }

    pub(in crate::salesforce) fn value(&self) -> &str {
        &self.value
    }
}

impl Request {
    /// Any request below `/services/`.
    pub fn any(verb: Verb, path: FreePath, class: CallClass) -> Self {
        let method = Method::from_bytes(verb.name().as_bytes()).expect("these are methods of HTTP");
        let mut request = Self::new(method, String::new(), class);
        request.path = path.0;
        request
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of_org(text: &str) -> Result<String, String> {
        match FreePath::of_org(&WrittenPath::Whole(text.to_owned())) {
            Ok(FreePath(Path::Absolute(path))) => Ok(path),
            Ok(FreePath(Path::Versioned(path))) => Ok(format!("…{path}")),
            Err(mistake) => Err(mistake.expected.to_owned()),
        }
    }

    #[test]
    fn a_path_is_kept_and_encoded_where_it_has_to_be() {
        for (text, path) in [
            ("/services/data/v60.0/limits/", "/services/data/v60.0/limits/"),
            ("/services/apexrest/a b/%2F/50%/é", "/services/apexrest/a%20b/%2F/50%25/%C3%A9"),
            ("/sobjects/Account/a,b;c=d", "…/sobjects/Account/a,b;c=d"),
            ("limits", "…/limits"),
            ("/services/oauth2/userinfo", "/services/oauth2/userinfo"),
        ] {
            assert_eq!(of_org(text).as_deref(), Ok(path), "{text}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        for (text, part) in [
            ("https://evil.example/services/data", "without a host"),
            ("//evil.example/services/data", "without a host"),
            ("/services/data?q=x", "without ? and #"),
            ("/services/data#x", "without ? and #"),
            ("/services\\..\\x", "without backslashes"),
            ("/services/a\nb", "control characters"),
            ("/services/../secur/frontdoor.jsp", "without empty parts"),
            ("/services/%2E%2e/secur", "without empty parts"),
            ("/services/.%2e/secur", "without empty parts"),
            ("/services//data", "without empty parts"),
            ("", "without empty parts"),
            ("/", "without empty parts"),
            ("/services/oauth2/token", "outside of /services/oauth2"),
            ("/services/OAuth2/singleaccess", "outside of /services/oauth2"),
            ("/services/%6fauth2/revoke", "outside of /services/oauth2"),
        ] {
            let expected = of_org(text).unwrap_err();
            assert!(expected.contains(part), "{text}: {expected}");
        }
    }

    #[test]
    fn an_apex_path_may_bring_its_root() {
        for text in ["Orders/17", "/Orders/17", "/services/apexrest/Orders/17"] {
            let path = FreePath::of_apex(&WrittenPath::Whole(text.to_owned())).unwrap();
            assert_eq!(path.0, Path::Absolute("/services/apexrest/Orders/17".to_owned()));
        }
    }

    #[test]
    fn headers_of_the_connection_are_refused() {
        for name in
            ["Authorization", "HOST", "Cookie", "Proxy-Authorization", "X-SFDC-Session", "Content-Type"]
        {
            assert!(FreeHeader::new(name, "x").unwrap_err().expected.starts_with("no header"), "{name}");
        }
        for (name, value) in [("", "x"), ("a b", "x"), ("a:b", "x"), ("X-A", "a\r\nHost: b"), ("X-A", "é")] {
            assert!(FreeHeader::new(name, value).is_err(), "{name}: {value}");
        }
        assert_eq!(FreeHeader::new("Sforce-Auto-Assign", "FALSE").unwrap().name(), "sforce-auto-assign");
    }

    #[test]
    fn methods_are_read_in_any_case_and_have_the_class_that_http_gives_them() {
        let verb = |text: &str| Verb::try_from(text.to_owned());
        assert_eq!(verb("patch").unwrap().class(), CallClass::UnsafeWrite);
        assert_eq!(verb("PUT").unwrap().class(), CallClass::IdempotentWrite);
        assert_eq!(verb("Head").unwrap().class(), CallClass::Read);
        assert!(verb("TRACE").is_err());
    }

    proptest! {
        #[test]
        fn no_path_leaves_the_services_of_the_org(text in "/?(services/)?[./%25eEfF?#;:@\\\\a-c é\\PC]{0,40}") {
            let Ok(path) = FreePath::of_org(&WrittenPath::Whole(text)) else { return Ok(()) };
            let org = url::Url::parse("https://acme.my.salesforce.com").unwrap();
            let request = Request::any(Verb::Post, path, CallClass::UnsafeWrite);
            let url = super::super::super::address::of(&org, crate::salesforce::ApiVersion::DEFAULT, &request).unwrap();
            prop_assert!(url.as_str().starts_with("https://acme.my.salesforce.com/services/"));
            prop_assert_eq!((url.query(), url.fragment()), (None, None));
        }

        #[test]
        fn no_part_leaves_its_place(parts in prop::collection::vec("[./%25?#;\\\\a-c é\\PC]{0,12}", 0..5)) {
            let written = WrittenPath::Segments(parts.clone());
            let Ok(path) = FreePath::of_apex(&written) else { return Ok(()) };
            let org = url::Url::parse("https://acme.my.salesforce.com").unwrap();
            let request = Request::any(Verb::Get, path, CallClass::Read);
            let url = super::super::super::address::of(&org, crate::salesforce::ApiVersion::DEFAULT, &request).unwrap();
            let decoded: Vec<String> = url.path_segments().unwrap().skip(2).map(decoded).collect();
            prop_assert_eq!(decoded, parts);
        }
    }
}
