//! The address of a request: below the org's own, and nowhere else.

use url::Url;

use super::codes;
use super::error::{Error, ErrorClass};
use super::{ApiVersion, Path, Request};

/// Where a request goes.
///
/// Nothing in a path may change its meaning on the way: no dot segments, no backslashes, nothing that would have to be
/// encoded. An absolute path stays below `/services/`; it alone may bring a query of its own.
pub(super) fn of(org: &Url, version: ApiVersion, request: &Request) -> Result<Url, Error> {
    let (path, query) = match &request.path {
        Path::Versioned(path) if path.starts_with('/') => (format!("/services/data/{version}{path}"), None),
        Path::Absolute(path) if path.starts_with("/services/") => match path.split_once('?') {
            Some((path, query)) => (path.to_owned(), Some(query)),
            None => (path.clone(), None),
        },
        Path::Versioned(_) => return Err(invalid("expected a path that starts with /", &request.path)),
        Path::Absolute(_) => {
            return Err(invalid("expected a path that starts with /services/", &request.path));
        }
    };
    let mut url = org.clone();
    url.set_path(&path);
    if url.path() != path || path.contains("//") {
        return Err(invalid(
            "expected an encoded path without dot segments and empty segments",
            &request.path,
        ));
    }
    url.set_query(query.filter(|query| !query.is_empty()));
    if !request.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&request.query);
    }
    Ok(url)
}

fn invalid(expected: &str, path: &Path) -> Error {
    let (Path::Versioned(path) | Path::Absolute(path)) = path;
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let found = super::error_body::shortened(path, 200);
    Error::new(codes::INVALID_ADDRESS, ErrorClass::Permanent, format!("{expected}, found {found:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(request: &Request) -> Result<String, Error> {
        let org = Url::parse("https://acme.my.salesforce.com").unwrap();
        of(&org, ApiVersion::DEFAULT, request).map(String::from)
    }

    fn with_path(path: Path) -> Request {
        Request { path, ..Request::query("") }
    }

    fn next(path: &str) -> Result<String, Error> {
        let mut request = with_path(Path::Absolute(path.to_owned()));
        request.query.clear();
        url(&request)
    }

    #[test]
    fn a_query_is_encoded_below_the_version() {
        let request = Request::query("SELECT Id FROM Account WHERE Name = 'A+B&C=D#é'");
        assert_eq!(
            url(&request).unwrap(),
            "https://acme.my.salesforce.com/services/data/v67.0/query\
             ?q=SELECT+Id+FROM+Account+WHERE+Name+%3D+%27A%2BB%26C%3DD%23%C3%A9%27"
        );
    }

    #[test]
    fn the_next_page_keeps_its_own_version_and_query() {
        let page = "/services/data/v55.0/query/01gD0000002HU6KIAW-2000";
        assert_eq!(next(page).unwrap(), format!("https://acme.my.salesforce.com{page}"));
        let page = "/services/data/v55.0/query?q=x%20y&z";
        assert_eq!(next(page).unwrap(), format!("https://acme.my.salesforce.com{page}"));
    }

    #[test]
    fn no_path_leaves_the_services_of_the_org() {
        for path in [
            "",
            "query",
            "/query",
            "//evil.example/services/",
            "https://evil.example/services/data",
            "/services",
            "/services/../secur/frontdoor.jsp",
            "/services/%2e%2e/secur",
            "/services/./data",
            "/services//evil.example",
            "/services/data\\..\\..",
            "/services/a b",
            "/services/a#b",
            "/services/a\nb",
        ] {
            let error = next(path).unwrap_err();
            assert_eq!(error.code(), "INVALID_ADDRESS", "{path}");
        }
        for path in ["sobjects", "/../../secur", "/sobjects/%2E%2e/x", "/a?b", "/a#b", "//a"] {
            assert!(url(&with_path(Path::Versioned(path.to_owned()))).is_err(), "{path}");
        }
    }

    #[test]
    fn a_refused_path_is_told_without_its_query() {
        let error = next("/query?q=s3cret").unwrap_err();
        assert_eq!(error.to_string(), "expected a path that starts with /services/, found \"/query\"");
    }
}
