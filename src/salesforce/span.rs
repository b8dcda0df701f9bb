//! The span of one request, for a collector of traces.

use reqwest::Method;
use tracing::{Span, field::Empty};
use url::Url;

use super::Response;
use super::failure::{Failure, Kind};
use crate::spans;

/// Parts of paths that are words of the API. Whatever else stands behind the resource's name may be an id or a value.
const WORDS: &[&str] = &[
    "describe",
    "layouts",
    "deleted",
    "updated",
    "ingest",
    "query",
    "batches",
    "results",
    "successfulResults",
    "failedResults",
    "unprocessedrecords",
    "tree",
    "batch",
    "graph",
    "sobjects",
    "custom",
    "standard",
    "apex",
    "flow",
    "approvals",
];

/// One request, named by its method and the template of its path.
pub(super) fn of(method: &Method, url: &Url) -> Span {
    let span = tracing::info_span!(
        target: spans::TARGET,
        "call",
        otel.name = Empty,
        otel.kind = "client",
        otel.status_code = Empty,
        error.type = Empty,
        http.request.method = method.as_str(),
        http.response.status_code = Empty,
        server.address = url.host_str(),
        server.port = url.port_or_known_default().map(i64::from),
        url.scheme = url.scheme(),
        url.template = Empty,
    );
    if !span.is_disabled() {
        let template = template(url.path());
        span.record("otel.name", format!("{method} {template}")).record("url.template", template);
    }
    span
}

/// Says what came of a request.
pub(super) fn answered(span: &Span, result: &Result<Response, Failure>) {
    match result {
        Ok(response) => {
            span.record("http.response.status_code", i64::from(response.status));
            if response.status >= 400 {
                spans::failed(span, &response.status.to_string());
            }
        }
        Err(failure) => spans::failed(span, error_type(failure.kind)),
    }
}

fn error_type(kind: Kind) -> &'static str {
    match kind {
        Kind::NeverSent => "connection",
        Kind::Forbidden => "forbidden",
        Kind::TimedOut => "timeout",
        Kind::Lost => "connection_lost",
        Kind::TooLong => "too_long",
        Kind::TooLarge => "too_large",
        Kind::Unbuildable => "unbuildable",
        Kind::Held(code) => code,
    }
}

/// The path without what differs from call to call: version, ids, keys, cursors, paths of an org's own services.
fn template(path: &str) -> String {
    let mut parts = path.trim_start_matches('/').split('/');
    match (parts.next(), parts.next()) {
        (Some("services"), Some("data")) => {
            let mut template = "/services/data".to_owned();
            if parts.next().is_some() {
                template.push_str("/{version}");
            }
            let resource = parts.next().unwrap_or_default();
            for (place, part) in std::iter::once(resource).chain(parts).enumerate() {
                let is_object = place == 1 && resource == "sobjects";
                let is_kept = place == 0 || is_object || WORDS.contains(&part);
                if !part.is_empty() {
                    template.push('/');
                    template.push_str(if is_kept { part } else { "{}" });
                }
            }
            template
        }
        (Some("services"), Some("oauth2")) => path.to_owned(),
        (Some("services"), Some("apexrest")) => "/services/apexrest/{}".to_owned(),
        _ => "/{}".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_has_no_ids_keys_or_cursors() {
        for (path, expected) in [
            ("/services/data/v67.0/sobjects/Account", "/services/data/{version}/sobjects/Account"),
            (
                "/services/data/v67.0/sobjects/Account/001D000000IRFmaIAH",
                "/services/data/{version}/sobjects/Account/{}",
            ),
            (
                "/services/data/v67.0/sobjects/Account/Key__c/a%2Fb",
                "/services/data/{version}/sobjects/Account/{}/{}",
            ),
            ("/services/data/v67.0/query", "/services/data/{version}/query"),
            ("/services/data/v67.0/query/01gD0000002HU6KIAW-2000", "/services/data/{version}/query/{}"),
            (
                "/services/data/v67.0/jobs/ingest/7505/batches",
                "/services/data/{version}/jobs/ingest/{}/batches",
            ),
            ("/services/data/v67.0/", "/services/data/{version}"),
            ("/services/data", "/services/data"),
            ("/services/apexrest/orders/4711", "/services/apexrest/{}"),
            ("/services/oauth2/token", "/services/oauth2/token"),
            ("/anything/else", "/{}"),
        ] {
            assert_eq!(template(path), expected);
        }
    }
}
