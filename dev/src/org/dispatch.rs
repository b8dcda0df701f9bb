//! The way of a request: note it, let a fault strike, check the token, find the resource.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use super::connection::Connection;
use super::error::{ApiError, json_response};
use super::request::{self, ApiRequest, FIRST_VERSION, LAST_VERSION};
use super::server::Org;
use super::{
    about, automation, bulk, composite, describe, knowledge, list_views, oauth, query, recorded, reports,
    rest, search, strike,
};

/// Where tokens come from.
const TOKEN_PATH: &str = "/services/oauth2/token";
/// Salesforce takes bodies of up to 50 MB.
const BODY_LIMIT: usize = 50 * 1024 * 1024;
/// URI and headers together, in bytes.
const HEAD_LIMIT: usize = 16_384;

/// Handles every request to the org.
pub(crate) async fn handle(
    State(org): State<Arc<Org>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let number = org.log.arrived(&parts);
    let _in_flight = org.log.in_flight();
    if parts.uri.path().trim_end_matches('/').eq_ignore_ascii_case(TOKEN_PATH) {
        org.log.count(|counters| counters.token_requests += 1);
    }
    let Ok(body) = axum::body::to_bytes(body, body_limit(&parts)).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let answer = match org.faults.next(parts.method.as_str(), parts.uri.path()) {
        None => Some(carry_out(&org, &parts, &body)),
        Some(fault) => {
            // A request that is slow here is carried out even if its client has gone, as on a real server.
            let strike = tokio::spawn(strike::strike(Arc::clone(&org), fault, parts, body));
            strike.await.unwrap_or_default()
        }
    };
    if !org.latency.is_zero() {
        tokio::time::sleep(org.latency).await;
    }
    if let Some(mut response) = answer {
        set_date(&org, &mut response);
        org.log.answered(number, response.status().as_u16());
        response
    } else {
        connection.cut();
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

/// The data of bulk jobs may be larger than other bodies.
fn body_limit(parts: &Parts) -> usize {
    let is_upload =
        parts.method == Method::PUT && parts.uri.path().to_ascii_lowercase().contains("/jobs/ingest/");
    if is_upload { bulk::UPLOAD_LIMIT } else { BODY_LIMIT }
}

/// Tells the org's own time, unless a script has set another; without a skew the server tells the machine's.
fn set_date(org: &Org, response: &mut Response) {
    if let Some(date) = org.oauth.skewed_date().and_then(|date| HeaderValue::try_from(date).ok()) {
        response.headers_mut().entry(header::DATE).or_insert(date);
    }
}

pub(super) fn carry_out(org: &Org, parts: &Parts, body: &Bytes) -> Response {
    if let Some(refusal) = too_long(parts) {
        return refusal;
    }
    org.bulk.catch_up(org);
    let path: Vec<String> =
        parts.uri.path().split('/').filter(|part| !part.is_empty()).map(request::decode).collect();
    if let Some(response) = oauth::route(&org.oauth, &org.log, (parts, body), &path) {
        return response;
    }
    let names: Vec<String> = path.iter().map(|part| part.to_ascii_lowercase()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match names[..] {
        ["services", "data"] if parts.method == Method::GET => json_response(StatusCode::OK, &versions()),
        ["services", "data", version, ..] => api(org, parts, body, version, path[3..].to_vec()),
        ["services", "apexrest", ..] => authorized(org, parts, || {
            let request = taken_apart(parts, body, LAST_VERSION, path[2..].to_vec());
            served(org, &request, |org, request, _| automation::apex_rest(org, request))
        }),
        _ => ApiError::resource_not_found().into_response(),
    }
}

/// The limit on URI and headers; the answers come from the edge, not from the API.
fn too_long(parts: &Parts) -> Option<Response> {
    let uri = parts.uri.path_and_query().map_or(0, |path| path.as_str().len());
    let headers: usize =
        parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let (status, reason) = if uri > HEAD_LIMIT {
        (StatusCode::URI_TOO_LONG, "URI Too Long")
    } else if uri + headers > HEAD_LIMIT {
        (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large")
    } else {
        return None;
    };
    let page = format!("<h1>Bad Message {}</h1><pre>reason: {reason}</pre>", status.as_u16());
    Some((status, [(header::CONTENT_TYPE, "text/html;charset=iso-8859-1")], page).into_response())
}

fn authorized(org: &Org, parts: &Parts, answer: impl FnOnce() -> Response) -> Response {
    if org.oauth.authorize(&parts.headers) {
        return answer();
    }
    org.log.count(|counters| counters.unauthorized_requests += 1);
    let error = ApiError::new(StatusCode::UNAUTHORIZED, "INVALID_SESSION_ID", "Session expired or invalid");
    ([(header::WWW_AUTHENTICATE, "Token")], error).into_response()
}

fn versions() -> Value {
    (FIRST_VERSION..=LAST_VERSION)
        .map(|version| {
            // Three releases a year; v31.0 was Summer '14.
            let season = ["Summer", "Winter", "Spring"][(version as usize - 31) % 3];
            let year = 14 + (version - 31).div_ceil(3);
            json!({ "label": format!("{season} '{year}"), "url": format!("/services/data/v{version}.0"),
                "version": format!("{version}.0") })
        })
        .collect()
}

fn api(org: &Org, parts: &Parts, body: &Bytes, version: &str, path: Vec<String>) -> Response {
    let version = match request::version(version) {
        Some(version @ FIRST_VERSION..=LAST_VERSION) => version,
        Some(1..FIRST_VERSION) => {
            let message = "Invalid Api version specified on URL";
            return ApiError::new(StatusCode::GONE, "UNSUPPORTED_API_VERSION", message).into_response();
        }
        _ => return ApiError::resource_not_found().into_response(),
    };
    authorized(org, parts, || {
        let mut request = taken_apart(parts, body, version, path);
        // For clients that cannot send PATCH.
        if let Some(method) =
            request.parameter("_HttpMethod").and_then(|name| Method::from_bytes(name.as_bytes()).ok())
        {
            request.method = method;
        }
        served(org, &request, route)
    })
}

fn taken_apart(parts: &Parts, body: &Bytes, version: u32, path: Vec<String>) -> ApiRequest {
    ApiRequest {
        method: parts.method.clone(),
        version,
        path,
        query: request::form(parts.uri.query().unwrap_or_default()),
        headers: parts.headers.clone(),
        body: body.clone(),
    }
}

/// The answer to a request that counts, with what Salesforce tells in the headers of each.
fn served(
    org: &Org,
    request: &ApiRequest,
    route: impl FnOnce(&Org, &ApiRequest, u64) -> Result<Response, ApiError>,
) -> Response {
    let mut used = 0;
    org.log.count(|counters| {
        counters.api_requests += 1;
        used = counters.api_requests;
        *counters.by_resource.entry(resource_name(request)).or_default() += 1;
    });
    let answer = org.take_turn(composite::is_transaction(request), || route(org, request, used));
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    if let Ok(usage) = HeaderValue::from_str(&format!("api-usage={used}/{}", org.daily_requests)) {
        response.headers_mut().insert("sforce-limit-info", usage);
    }
    // Salesforce's edge names each request, under two names.
    if let Ok(id) = HeaderValue::from_str(&format!("{:032x}", fastrand::u128(..))) {
        response.headers_mut().insert("x-request-id", id.clone());
        response.headers_mut().insert("x-sfdc-request-id", id);
    }
    response
}

pub(super) fn route(org: &Org, request: &ApiRequest, used: u64) -> Result<Response, ApiError> {
    let path: Vec<String> = request.path.iter().map(|part| part.to_ascii_lowercase()).collect();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let get = || match request.method {
        Method::GET | Method::HEAD => Ok(()),
        _ => Err(ApiError::method_not_allowed(request.method.as_str(), "GET,HEAD")),
    };
    if let Some(document) = recorded::answer(org, request).filter(|_| get().is_ok()) {
        return Ok(json_response(StatusCode::OK, document));
    }
    match path[..] {
        [] => get().map(|()| json_response(StatusCode::OK, &describe::resources(request))),
        ["limits"] => get().map(|()| {
            json_response(StatusCode::OK, &describe::limits(&org.read(), (used, org.daily_requests)))
        }),
        ["support", "knowledgearticles", _] => get().and_then(|()| knowledge::article(org, request)),
        ["analytics", "reports", _, ..] => reports::route(org, request),
        ["recent"] => get().map(|()| about::recent(org, request)),
        ["query" | "queryall"] => get().and_then(|()| query::first_page(org, request, path[0] == "queryall")),
        ["query" | "queryall", locator] => {
            get().and_then(|()| query::next_page(org, request, locator_text(request, locator)))
        }
        ["search"] => search::route(org, request, false),
        ["parameterizedsearch"] => search::route(org, request, true),
        ["sobjects", _, "listviews", _, "describe"] => {
            get().and_then(|()| list_views::describe(org, request))
        }
        ["sobjects", _, "quickactions", ..] => {
            automation::quick_actions(org, request, Some(&request.path[1]), &request.path[3..])
        }
        ["quickactions", ..] => automation::quick_actions(org, request, None, &request.path[1..]),
        ["process", "approvals"] => automation::approvals(org, request),
        // The org has no workflow rules.
        ["process", "rules"] => get().map(|()| json_response(StatusCode::OK, &json!({ "rules": {} }))),
        ["graphql"] => automation::graphql(org, request),
        ["sobjects", event] if event.ends_with("__e") => automation::events(org, request, event),
        ["sobjects", ..] => rest::route(org, request),
        ["actions", ..] => automation::actions(org, request),
        ["composite", ..] => composite::route(org, request),
        ["jobs", ..] => bulk::route(org, request),
        _ => Err(ApiError::resource_not_found()),
    }
}

/// The locator as it was sent: ids keep their case.
fn locator_text<'a>(request: &'a ApiRequest, lower: &'a str) -> &'a str {
    request.path.last().map_or(lower, String::as_str)
}

/// The name of a resource that has nothing below it.
fn known(name: &str) -> &'static str {
    let names = ["limits", "recent", "search", "parameterizedSearch"];
    names.into_iter().find(|known| known.eq_ignore_ascii_case(name)).unwrap_or("{other}")
}

/// The request's resource with its variable parts named, for the counters.
fn resource_name(request: &ApiRequest) -> String {
    let names = ["{object}", "{id}", "{relationship}"];
    let path: Vec<&str> = match request.path.split_first() {
        Some((first, rest)) if first.eq_ignore_ascii_case("sobjects") => {
            let fixed = |part: &String| {
                ["describe", "updated", "deleted"].into_iter().find(|fixed| part.eq_ignore_ascii_case(fixed))
            };
            let rest = rest.iter().zip(names).map(|(part, name)| fixed(part).unwrap_or(name));
            std::iter::once("sobjects").chain(rest).collect()
        }
        Some((first, rest)) if ["query", "queryall"].iter().any(|name| first.eq_ignore_ascii_case(name)) => {
            let name = if first.eq_ignore_ascii_case("query") { "query" } else { "queryAll" };
            if rest.is_empty() { vec![name] } else { vec![name, "{locator}"] }
        }
        Some((first, rest)) if first.eq_ignore_ascii_case("composite") => {
            let below = rest.iter().map(String::as_str).zip(0..).map(|(part, place)| match place {
                0 => part,
                1 => "{object}",
                _ => "{field}",
            });
            std::iter::once("composite").chain(below).collect()
        }
        Some((first, rest)) if first.eq_ignore_ascii_case("jobs") => {
            let below = rest.iter().map(String::as_str).zip(0..);
            let below = below.map(|(part, place)| if place == 1 { "{id}" } else { part });
            std::iter::once("jobs").chain(below).collect()
        }
        Some((first, rest)) if first.eq_ignore_ascii_case("actions") => {
            std::iter::once("actions").chain(rest.iter().map(String::as_str)).collect()
        }
        Some((first, rest)) if first.eq_ignore_ascii_case("analytics") => {
            ["analytics", "reports", "{id}", "describe"].into_iter().take(rest.len() + 1).collect()
        }
        Some((first, [])) => vec![known(first)],
        Some(_) => vec!["{other}"],
        None => vec!["/"],
    };
    format!("{} {}", request.method, path.join("/"))
}
