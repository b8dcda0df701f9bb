//! The address of a request inside another: below the org's data path, and nowhere else.

use std::fmt::Write as _;

use url::form_urlencoded::Serializer;

use super::super::{ApiVersion, InvalidText, request::segment};

/// Below this lies the data of an org; the version follows.
const DATA: &str = "/services/data/";

/// What is inside another request may not go several ways at once itself.
const NESTED: &[&str] = &["batch", "graph", "tree"];

/// A resource below `/services/data/vNN.N`, with or without a version of its own.
///
/// Salesforce reads it anew when it has filled in references, so that nothing in its path may change its meaning: no
/// dot segments in any encoding, no empty segments, no fragments, no `_HttpMethod`, which would do another thing than the
/// request's method says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceUrl {
    version: Option<ApiVersion>,
    /// With its leading slash, without one at its end.
    path: String,
    query: String,
}

impl ResourceUrl {
    /// Reads a text such as `/sobjects/Account` or `/services/data/v67.0/query?q=SELECT+Id+FROM+Account`, which is encoded
    /// already.
    ///
    /// # Errors
    /// What leads elsewhere, or is not one address.
    pub fn read(text: &str) -> Result<Self, InvalidText> {
        let refused = |expected| InvalidText::new(expected, text);
        let text = text.trim();
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        if text.chars().any(|c| c.is_control() || c == '#' || c == '\\') {
            return Err(refused("an address without control characters, fragments and backslashes"));
        }
        let (version, below) = match path.strip_prefix(DATA) {
            Some(rest) => {
                let (version, below) = rest.split_once('/').unwrap_or((rest, ""));
                let version = version.starts_with('v').then(|| version.parse().ok()).flatten();
                (Some(version.ok_or_else(|| refused(EXPECTED))?), format!("/{below}"))
            }
            None => (None, path.to_owned()),
        };
        let path = below.strip_suffix('/').unwrap_or(&below).to_owned();
        let is_services =
            decoded(path.split('/').nth(1).unwrap_or_default()).eq_ignore_ascii_case("services");
        if !path.starts_with('/') || is_services {
            return Err(refused(EXPECTED));
        }
        Self { version, path, query: query.to_owned() }.checked(text)
    }

    /// The resource at these segments, such as `sobjects`, `Account`, `Key__c`, `a/b`; each is encoded, but for one that is
    /// a reference.
    ///
    /// # Errors
    /// An empty segment, or one of dots.
    pub fn of_segments<'a>(segments: impl Iterator<Item = &'a str>) -> Result<Self, InvalidText> {
        let (mut path, mut shown) = (String::new(), String::new());
        for text in segments {
            let is_reference = text.strip_prefix("@{").and_then(|rest| rest.strip_suffix('}'));
            let _ = match is_reference.filter(|inside| is_reference_path(inside)) {
                Some(_) => write!(path, "/{text}"),
                None => write!(path, "/{}", segment(text)),
            };
            let _ = write!(shown, "/{text}");
        }
        Self { version: None, path, query: String::new() }.checked(&shown)
    }

    /// The same address with further parameters, which are encoded.
    ///
    /// # Errors
    /// The parameter `_HttpMethod`.
    pub fn with_parameters(mut self, parameters: &[(String, String)]) -> Result<Self, InvalidText> {
        let mut query = Serializer::new(std::mem::take(&mut self.query));
        query.extend_pairs(parameters);
        self.query = query.finish();
        let shown = self.query.clone();
        self.checked(&shown)
    }

    fn checked(self, text: &str) -> Result<Self, InvalidText> {
        let refused = |expected| Err(InvalidText::new(expected, text));
        if self.path.len() < 2 || self.path[1..].split('/').any(is_no_segment) {
            return refused("a path without empty segments and dot segments");
        }
        if url::form_urlencoded::parse(self.query.as_bytes())
            .any(|(name, _)| name.eq_ignore_ascii_case("_HttpMethod"))
        {
            return refused("an address without _HttpMethod: method says what is done");
        }
        let segments = self.segments();
        let second = segments.get(1).map(String::as_str);
        let is_composite = segments.first().is_some_and(|first| first.eq_ignore_ascii_case("composite"));
        if is_composite
            && second.is_none_or(|second| NESTED.iter().any(|name| second.eq_ignore_ascii_case(name)))
        {
            return refused(
                "a single request: composite, batch, tree and graph cannot be part of another one",
            );
        }
        Ok(self)
    }

    /// The version that it names.
    pub(super) fn version(&self) -> Option<ApiVersion> {
        self.version
    }

    /// The path below the version, encoded, with its leading slash.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The query, encoded, without its question mark; empty where there is none.
    pub(super) fn query(&self) -> &str {
        &self.query
    }

    /// The parts of the path below the version, decoded.
    pub fn segments(&self) -> Vec<String> {
        self.path[1..].split('/').map(decoded).collect()
    }

    /// Whether it counts against the bound of five queries and lists of records in a composite request.
    pub fn is_query(&self) -> bool {
        let first = self.segments().first().map(|first| first.to_ascii_lowercase());
        // What is allowed of `composite` is lists of records.
        first.is_some_and(|first| matches!(first.as_str(), "query" | "queryall" | "composite"))
    }

    /// From the version on: `v67.0/sobjects/Account`.
    pub(super) fn below_data(&self, version: ApiVersion) -> String {
        let (version, path) = (self.version.unwrap_or(version), &self.path);
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        format!("{version}{path}{query}")
    }

    /// From the host on: `/services/data/v67.0/sobjects/Account`.
    pub(super) fn address(&self, version: ApiVersion) -> String {
        format!("{DATA}{}", self.below_data(version))
    }
}

const EXPECTED: &str = "a path such as /sobjects/Account, or one below /services/data/ with its version";

fn decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// Whether this may stand between the braces of a reference that is a whole segment.
fn is_reference_path(inside: &str) -> bool {
    !inside.is_empty() && inside.chars().all(|c| c.is_ascii_alphanumeric() || "_.[]".contains(c))
}

/// Whatever is decoded once more on the way must not become a way out either.
fn is_no_segment(segment: &str) -> bool {
    let once = decoded(segment);
    let twice = decoded(&once);
    [segment, &once, &twice].into_iter().any(|text| {
        text.is_empty()
            || text.chars().any(char::is_control)
            || text
                .split(['/', '\\'])
                .any(|part| matches!(part, "." | ".." | "...") || part.starts_with("..;"))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version() -> ApiVersion {
        "v60.0".parse().unwrap()
    }

    fn address(text: &str) -> Result<String, InvalidText> {
        ResourceUrl::read(text).map(|url| url.address(version()))
    }

    #[test]
    fn an_address_without_a_version_gets_that_of_the_task() {
        for (text, expected) in [
            ("/sobjects/Account", "/services/data/v60.0/sobjects/Account"),
            ("/sobjects/Account/", "/services/data/v60.0/sobjects/Account"),
            ("/services/data/v58.0/sobjects/Account", "/services/data/v58.0/sobjects/Account"),
            ("/query/?q=SELECT Id FROM Account", "/services/data/v60.0/query?q=SELECT Id FROM Account"),
            (
                "/sobjects/Account/@{a.id}?fields=Id",
                "/services/data/v60.0/sobjects/Account/@{a.id}?fields=Id",
            ),
            ("/sobjects/Account/K__c/a%2Fb", "/services/data/v60.0/sobjects/Account/K__c/a%2Fb"),
            ("/composite/sobjects", "/services/data/v60.0/composite/sobjects"),
        ] {
            assert_eq!(address(text).unwrap(), expected);
        }
        assert_eq!(ResourceUrl::read("/limits").unwrap().below_data(version()), "v60.0/limits");
    }

    #[test]
    fn nothing_but_the_data_path_is_addressed() {
        for text in [
            "",
            "/",
            "sobjects/Account",
            "https://evil.example/x",
            "//evil.example/x",
            "/services/apexrest/x",
            "/services/data/sobjects",
            "/services/data/v60.0",
            "/services/data/latest/x",
            "/services/data/60.0/x",
            "/SERVICES/apexrest/x",
            "/%73ervices/apexrest/x",
            "/services/data/v60.0/../../apexrest/x",
            "/sobjects/%2e%2e/x",
            "/sobjects/%252e%252e/x",
            "/sobjects/..%2f..%2fx",
            "/sobjects/a%2f..%2fx",
            "/sobjects\\..\\x",
            "/sobjects/a\r\nHost: x",
            "/sobjects/a%0d%0aHost:x",
            "/sobjects/..;/x",
            "/sobjects/x#y",
            "/sobjects//x",
            "/composite",
            "/composite/batch",
            "/Composite/GRAPH",
            "/composite/tree/Account",
            "/sobjects/Account/001?_HttpMethod=DELETE",
            "/sobjects/Account/001?a=b&%5FHttpMethod=DELETE",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn segments_and_parameters_are_encoded() {
        let segments = ["sobjects", "Account", "Key__c", "a/b?c%2F é", "@{a.id}"];
        let url = ResourceUrl::of_segments(segments.into_iter()).unwrap();
        let parameters = [("q".to_owned(), "Name = 'A&B+C'".to_owned())];
        let url = url.with_parameters(&parameters).unwrap();
        let expected =
            "v60.0/sobjects/Account/Key__c/a%2Fb%3Fc%252F%20%C3%A9/@{a.id}?q=Name+%3D+%27A%26B%2BC%27";
        assert_eq!(url.below_data(version()), expected);
        for segments in
            [&[][..], &["sobjects", ""], &["sobjects", ".."], &["composite"], &["sobjects", "a/../b"]]
        {
            assert!(ResourceUrl::of_segments(segments.iter().copied()).is_err(), "{segments:?}");
        }
        let parameters = [("_HttpMethod".to_owned(), "DELETE".to_owned())];
        assert!(ResourceUrl::read("/limits").unwrap().with_parameters(&parameters).is_err());
    }

    proptest! {
        #[test]
        fn no_address_leaves_the_data_path(
            text in "(/|/services|/services/data|/services/data/v60.0)?([./\\\\;?#%25eEfF&@{}]|[a-z]{1,3}|%2e|%2f|%5c|%09|\\PC){0,14}"
        ) {
            let Ok(built) = address(&text) else { return Ok(()) };
            let base = url::Url::parse("https://acme.my.salesforce.com").unwrap();
            let seen = base.join(&built).unwrap();
            prop_assert_eq!(seen.host_str(), Some("acme.my.salesforce.com"));
            let mut path = seen.path().to_owned();
            for _ in 0..3 {
                let below = path.strip_prefix("/services/data/v");
                let below = below.ok_or_else(|| TestCaseError::fail(path.clone()))?;
                prop_assert!(below.split('/').all(|part| part != ".." && part != "."), "{}", path);
                path = decoded(&path).replace('\\', "/");
            }
        }

        #[test]
        fn no_text_leaves_its_segment(text in "[./%?#;\\\\@{}a-c é\\PC]{1,40}") {
            let segments = ["sobjects", "Account", "Key__c", &text];
            let Ok(url) = ResourceUrl::of_segments(segments.into_iter()) else { return Ok(()) };
            let base = url::Url::parse("https://acme.my.salesforce.com").unwrap();
            let seen = base.join(&url.address(version())).unwrap();
            let parts: Vec<&str> = seen.path_segments().unwrap().collect();
            prop_assert_eq!(&parts[..6], ["services", "data", "v60.0", "sobjects", "Account", "Key__c"]);
            prop_assert_eq!((parts.len(), seen.query(), seen.fragment()), (7, None, None));
            prop_assert_eq!(decoded(parts[6]), text);
        }
    }
}
