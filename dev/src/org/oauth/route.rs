//! From a path to an endpoint of the authorization server.

use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use super::super::log::RequestLog;
use super::super::request;
use super::client::Form;
use super::error::OAuthError;
use super::server::OAuth;

/// Answers a request to one of the endpoints; `None` if the path is another's. `path` is decoded, without empty parts.
pub(crate) fn route(
    oauth: &OAuth,
    log: &RequestLog,
    (parts, body): (&Parts, &Bytes),
    path: &[String],
) -> Option<Response> {
    let names: Vec<String> = path.iter().map(|part| part.to_ascii_lowercase()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let endpoint = match names[..] {
        ["id", _, _] => return Some(counted(log, oauth.identity(&parts.headers, &path[1], &path[2]))),
        ["services", "oauth2", endpoint] => endpoint,
        _ => return None,
    };
    let response = match endpoint {
        "token" => token(oauth, log, parts, body),
        "authorize" => {
            let query = parts.uri.query().unwrap_or_default();
            let sent = if parts.method == Method::POST { form(body) } else { Form(request::form(query)) };
            answer(oauth.approve(&sent))
        }
        "userinfo" => counted(log, oauth.userinfo(&parts.headers)),
        "introspect" => answer(posted(parts, body).and_then(|form| oauth.introspect(&form, &parts.headers))),
        "revoke" => answer(posted(parts, body).and_then(|form| oauth.revoke(&form))),
        _ => return None,
    };
    Some(response)
}

fn token(oauth: &OAuth, log: &RequestLog, parts: &Parts, body: &Bytes) -> Response {
    let granted = posted(parts, body).and_then(|form| oauth.token(&form, &parts.headers));
    log.count(|counters| match granted {
        Ok(_) => counters.tokens_issued += 1,
        Err(_) => counters.tokens_refused += 1,
    });
    answer(granted)
}

fn counted(log: &RequestLog, response: Response) -> Response {
    if response.status() == StatusCode::FORBIDDEN {
        log.count(|counters| counters.unauthorized_requests += 1);
    }
    response
}

fn posted(parts: &Parts, body: &Bytes) -> Result<Form, OAuthError> {
    if parts.method == Method::POST { Ok(form(body)) } else { Err(OAuthError::NOT_POST) }
}

fn form(body: &Bytes) -> Form {
    Form(request::form(&String::from_utf8_lossy(body)))
}

fn answer(result: Result<Response, OAuthError>) -> Response {
    result.unwrap_or_else(IntoResponse::into_response)
}
