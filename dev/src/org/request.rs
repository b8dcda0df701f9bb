//! One API request, taken apart.

use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::error::{ApiError, ApiResult};

/// The first API version that the org serves; older ones are retired.
pub(crate) const FIRST_VERSION: u32 = 31;
/// The newest API version that the org serves.
pub(crate) const LAST_VERSION: u32 = 68;

/// A request below `/services/data/vNN.0`.
pub(crate) struct ApiRequest {
    pub(crate) method: Method,
    pub(crate) version: u32,
    /// The path below the version, decoded, without empty parts.
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl ApiRequest {
    /// The value of a query parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// One setting out of a header such as `Sforce-Query-Options: batchSize=200, x=y`.
    pub(crate) fn setting(&self, header: &str, name: &str) -> Option<String> {
        let text = self.headers.get(header)?.to_str().ok()?;
        text.split([',', ';']).find_map(|part| {
            let (own, value) = part.split_once('=')?;
            own.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }

    /// The path of a resource in this version, as replies show it.
    pub(crate) fn url(&self, below: &str) -> String {
        format!("/services/data/v{}.0/{below}", self.version)
    }

    /// The body as text and as a JSON object.
    pub(crate) fn json(&self) -> ApiResult<(&str, Map<String, Value>)> {
        let content_type =
            self.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !content_type.to_ascii_lowercase().contains("json") {
            let message =
                format!("Content-Type header specified in HTTP request is not supported: {content_type}");
            let status = axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(ApiError::new(status, "UNSUPPORTED_MEDIA_TYPE", message));
        }
        let text = std::str::from_utf8(&self.body)
            .map_err(|_| ApiError::bad_request("JSON_PARSER_ERROR", "Invalid UTF-8 at [line:1, column:1]"))?;
        let value: Value = serde_json::from_str(text).map_err(|error| broken_json(text, &error))?;
        match value {
            Value::Object(members) => Ok((text, members)),
            other => {
                let found = if other.is_array() { "START_ARRAY" } else { "a value" };
                let message = format!(
                    "Unexpected parameter encountered during deserialization: {found} at [line:1, column:1]"
                );
                Err(ApiError::bad_request("JSON_PARSER_ERROR", message))
            }
        }
    }
}

fn broken_json(text: &str, error: &serde_json::Error) -> ApiError {
    let (line, column) = (error.line().max(1), error.column().max(1));
    let found =
        text.lines().nth(line - 1).and_then(|row| row.get(column - 1..)).and_then(|rest| rest.chars().next());
    let message = match found.filter(|_| !error.is_eof()) {
        Some(character) => format!(
            "Unexpected character ('{character}' (code {})) at [line:{line}, column:{column}]",
            u32::from(character)
        ),
        None => format!("Unexpected end-of-input at [line:{line}, column:{column}]"),
    };
    ApiError::bad_request("JSON_PARSER_ERROR", message)
}

/// Reads `v67.0`; the version's major number.
pub(crate) fn version(part: &str) -> Option<u32> {
    part.strip_prefix(['v', 'V'])?.strip_suffix(".0")?.parse().ok()
}

/// Decodes one part of a path.
pub(crate) fn decode(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

/// Reads `application/x-www-form-urlencoded`, which queries use as well.
pub(crate) fn form(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
        })
        .collect()
}
