//! What an org answered.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use crate::redactor::Redactor;

/// An answer, whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Reason phrase; HTTP/2 has none, then it is the standard one.
    pub reason: String,
    /// Header names in lower case; one value is a string, several are a list.
    pub headers: Map<String, Value>,
    /// JSON, else the text; null where there is none.
    pub body: Value,
}

/// How much of a body is kept that is an error and not JSON: enough to recognise a page, bytes.
const ERROR_TEXT: usize = 8 * 1024;

impl Response {
    /// Reads the parts of an answer.
    pub(super) fn read(
        status: reqwest::StatusCode,
        reason: Option<&str>,
        headers: &reqwest::header::HeaderMap,
        body: &[u8],
    ) -> Self {
        let reason = reason.filter(|reason| !reason.is_empty()).or_else(|| status.canonical_reason());
        let reason = reason.unwrap_or_default().to_owned();
        let bound = if status.as_u16() < 300 { usize::MAX } else { ERROR_TEXT };
        Self { status: status.as_u16(), reason, headers: read_headers(headers), body: read_body(body, bound) }
    }

    /// Reads the parts of an answer that is a file; its body becomes the file's Base64.
    pub(super) fn read_file(
        status: reqwest::StatusCode,
        reason: Option<&str>,
        headers: &reqwest::header::HeaderMap,
        body: Vec<u8>,
    ) -> Self {
        let response = Self::read(status, reason, headers, &[]);
        Self { body: Value::String(STANDARD.encode(body)), ..response }
    }

    /// The same for a success whose body is text, even where it could be read as JSON.
    pub(super) fn read_text(
        status: reqwest::StatusCode,
        reason: Option<&str>,
        headers: &reqwest::header::HeaderMap,
        body: Vec<u8>,
    ) -> Self {
        let text = String::from_utf8(body)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Self { body: Value::String(text), ..Self::read(status, reason, headers, &[]) }
    }

    /// Whether it says that it succeeded with JSON, and its bytes are none: cut somewhere on its way.
    pub(super) fn is_broken(&self, bytes: &[u8]) -> bool {
        let says_json = || self.header("content-type").is_some_and(|kind| kind.contains("json"));
        self.status < 300
            && self.body.is_string()
            && says_json()
            && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_err()
    }

    /// The value of a header, the first where there are several; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let value = self.headers.get(name)?;
        value.as_str().or_else(|| value.get(0).and_then(Value::as_str))
    }

    /// Masks secrets that the server echoed, wherever they stand.
    pub(super) fn mask(&mut self, redactor: &Redactor) {
        self.body = redactor.value(self.body.take());
        self.headers.values_mut().for_each(|value| *value = redactor.value(value.take()));
        self.reason = redactor.text(&self.reason).into_owned();
    }
}

fn read_headers(headers: &reqwest::header::HeaderMap) -> Map<String, Value> {
    let mut map = Map::new();
    for name in headers.keys() {
        let value = |value: &reqwest::header::HeaderValue| {
            Value::String(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let mut values: Vec<Value> = headers.get_all(name).iter().map(value).collect();
        let value = if values.len() == 1 { values.remove(0) } else { Value::Array(values) };
        map.insert(name.as_str().to_owned(), value);
    }
    map
}

fn read_body(body: &[u8], bound: usize) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    if let Ok(json) = serde_json::from_slice(body) {
        return json;
    }
    let text = String::from_utf8_lossy(&body[..body.len().min(bound)]);
    // Cutting may have split a character, which then ends as a replacement character.
    let text = if body.len() > bound { text.trim_end_matches('\u{fffd}') } else { &text };
    Value::String(text.to_owned())
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
    use serde_json::json;

    use super::*;

    fn read(status: u16, headers: &[(&'static str, &'static str)], body: &[u8]) -> Response {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        Response::read(reqwest::StatusCode::from_u16(status).unwrap(), None, &map, body)
    }

    #[test]
    fn json_keeps_its_numbers_and_its_order() {
        let body = br#"{"b":12345678901234567890.123456789,"a":1e400,"c":9007199254740993}"#;
        assert_eq!(serde_json::to_vec(&read(200, &[], body).body).unwrap().as_slice(), {
            br#"{"b":12345678901234567890.123456789,"a":1e+400,"c":9007199254740993}"#
        });
    }

    #[test]
    fn what_is_not_json_is_text_and_nothing_is_null() {
        assert_eq!(read(200, &[], b"name,phone\n").body, json!("name,phone\n"));
        assert_eq!(read(204, &[], b"").body, Value::Null);
        assert_eq!(read(200, &[], b"\xff\xfe").body, json!("\u{fffd}\u{fffd}"));
    }

    #[test]
    fn an_error_page_is_cut_between_characters() {
        let page = "ä".repeat(ERROR_TEXT);
        let Value::String(kept) = read(503, &[], format!("<{page}").as_bytes()).body else {
            panic!("no text")
        };
        assert_eq!(kept.len(), ERROR_TEXT - 1);
        assert!(kept.ends_with('ä'));
    }

    #[test]
    fn headers_are_strings_and_repeated_ones_lists() {
        let response = read(200, &[("set-cookie", "a"), ("vary", "x"), ("set-cookie", "b")], b"");
        assert_eq!(Value::Object(response.headers.clone()), json!({"set-cookie": ["a", "b"], "vary": "x"}));
        assert_eq!(response.header("set-cookie"), Some("a"));
    }

    #[test]
    fn a_missing_reason_is_the_standard_one() {
        assert_eq!(read(201, &[], b"").reason, "Created");
        assert_eq!(read(420, &[], b"").reason, "");
    }

    #[test]
    fn an_echoed_secret_is_masked_everywhere_and_in_other_forms() {
        let mut response = read(
            400,
            &[("x-echo", "Basic aWQ6czNjcmV0"), ("x-same", "s3cret")],
            br#"[{"s3cret":"s3cret, czNjcmV0"}]"#,
        );
        response.mask(&Redactor::new([&"s3cret".into()]));
        assert_eq!(response.body, json!([{"***": "***, ***"}]));
        let printed = format!("{response:?}");
        assert!(!printed.contains("s3cret") && !printed.contains("czNjcmV0"), "{printed}");
    }
}
