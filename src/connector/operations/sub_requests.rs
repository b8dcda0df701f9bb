//! Requests inside a request: how a task writes them, each checked before anything is called.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    descriptor::{Input, InputKind},
    fields,
};
use crate::{
    connector::{
        InvalidInput,
        input::{self, Show, describe},
    },
    salesforce::{InvalidText, ResourceUrl, SubMethod, SubRequest},
};

/// Salesforce takes so many in one call.
pub(super) const MOST: usize = 25;

/// Said of a name that is not one.
pub(super) const A_NAME: &str = "letters, digits and underscores, beginning with a letter or digit";

/// Subrequests have these of the call around them; with their own, Salesforce refuses the whole call.
const INHERITED_HEADERS: &[&str] = &["accept", "authorization", "content-type"];

pub(super) const COMPOSITE_REQUEST: Input = Input {
    name: "compositeRequest",
    label: "Sub-requests",
    kind: InputKind::List,
    required: true,
    tooltip: "Up to 25, each with method, url, perhaps body, queryParameters, httpHeaders, and a referenceId by which later ones \
              use what it gave: {method: \"POST\", url: \"/sobjects/Contact\", body: {LastName: name, AccountId: \
              \"@{account.id}\"}}. Values from the process belong in a list: url: [\"sobjects\", \"Account\", \"Key__c\", key].",
    placeholder: "=[{method: \"POST\", url: \"/sobjects/Account\", referenceId: \"account\", body: {Name: \"Acme\"}}]",
};

/// One of them as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    method: String,
    url: Value,
    #[serde(default, deserialize_with = "fields::parameters")]
    query_parameters: Vec<(String, String)>,
    reference_id: Option<String>,
    body: Option<Value>,
    #[serde(default, deserialize_with = "fields::parameters")]
    http_headers: Vec<(String, String)>,
}

/// Reads a list of at least one; `path` is the list's name for messages.
pub(super) fn read(list: &[Value], path: &str) -> Result<Vec<SubRequest>, InvalidInput> {
    if list.is_empty() {
        return Err(InvalidInput::new(path, "at least one sub-request", "an empty list"));
    }
    let (mut names, mut read) = (HashSet::new(), Vec::with_capacity(list.len()));
    for (index, value) in list.iter().enumerate() {
        let under = |mistake: InvalidInput| mistake.under(&format!("{path}[{index}]"));
        let sub = read_one(value, index).map_err(under)?;
        if !names.insert(sub.reference_id.clone()) {
            let found = format!("{:?} twice", sub.reference_id);
            return Err(under(InvalidInput::new("referenceId", "a name that no other has", found)));
        }
        read.push(sub);
    }
    Ok(read)
}

/// The same, for one call with as many as Salesforce takes.
pub(super) fn read_call(list: &[Value], path: &str) -> Result<Vec<SubRequest>, InvalidInput> {
    if list.len() > MOST {
        let expected = format!("at most {MOST} sub-requests");
        return Err(InvalidInput::new(path, expected, format!("a list of {}", list.len())));
    }
    read(list, path)
}

fn read_one(value: &Value, index: usize) -> Result<SubRequest, InvalidInput> {
    let written = input::object("", Some(value), Show::Value)?;
    let found = |name: &str| describe(written.get(name), Show::Value);
    let Written { method, url, query_parameters, reference_id, body, http_headers } =
        input::read(written, None, Show::Value)?;
    let method: SubMethod = method
        .parse()
        .map_err(|mistake: InvalidText| InvalidInput::new("method", mistake.expected, found("method")))?;
    let mut url = read_url(&url)?;
    if !query_parameters.is_empty() {
        let with = url.with_parameters(&query_parameters);
        url = with.map_err(|mistake| in_words("queryParameters", &mistake))?;
    }
    let reference_id = reference_id.unwrap_or_else(|| format!("request{index}"));
    if !is_name(&reference_id) {
        return Err(InvalidInput::new("referenceId", A_NAME, found("referenceId")));
    }
    Ok(SubRequest { method, url, reference_id, body, headers: headers(http_headers)? })
}

/// Letters, digits and underscores; not an underscore first.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A text, which is encoded already, or a list of segments, which are encoded here.
fn read_url(url: &Value) -> Result<ResourceUrl, InvalidInput> {
    let read = match url {
        Value::String(text) => ResourceUrl::read(text),
        Value::Array(segments) => {
            let texts: Option<Vec<String>> = segments.iter().map(segment).collect();
            let texts = texts.ok_or_else(|| {
                InvalidInput::new("url", "texts and numbers in the list of its segments", "something else")
            })?;
            ResourceUrl::of_segments(texts.iter().map(String::as_str))
        }
        other => {
            let expected = "a text such as \"/sobjects/Account\", or the list of its segments";
            return Err(InvalidInput::new("url", expected, describe(Some(other), Show::Value)));
        }
    };
    read.map_err(|mistake| in_words("url", &mistake))
}

fn segment(segment: &Value) -> Option<String> {
    match segment {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn in_words(path: &str, mistake: &InvalidText) -> InvalidInput {
    InvalidInput::new(path, mistake.expected, format!("{:?}", mistake.found))
}

fn headers(written: Vec<(String, String)>) -> Result<Map<String, Value>, InvalidInput> {
    for (name, value) in &written {
        let at = || format!("httpHeaders.{}", input::shorten(name));
        if INHERITED_HEADERS.iter().any(|inherited| name.eq_ignore_ascii_case(inherited)) {
            return Err(InvalidInput::new(at(), "no header that is that of the whole call", "one"));
        }
        let is_token = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !is_token || value.chars().any(char::is_control) {
            return Err(InvalidInput::new(at(), "the name and the value of a header", "other characters"));
        }
    }
    Ok(written.into_iter().map(|(name, value)| (name, Value::String(value))).collect())
}

/// Refuses references to what does not come before.
pub(super) fn check_references(subs: &[SubRequest], path: &str) -> Result<(), InvalidInput> {
    for (index, sub) in subs.iter().enumerate() {
        let before: Vec<&str> = subs[..index].iter().map(|sub| sub.reference_id.as_str()).collect();
        let unknown = sub.references().into_iter().find(|(_, reference)| !before.contains(&reference.name()));
        let Some((place, reference)) = unknown else { continue };
        let path = format!("{path}[{index}].{place}");
        return Err(if before.is_empty() {
            let found = format!("a reference to {:?}", input::shorten(reference.name()));
            InvalidInput::new(path, "no reference in the first sub-request", found)
        } else {
            InvalidInput::unknown(
                path,
                "a reference to one of the sub-requests before it",
                reference.name(),
                &before,
            )
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mistake(list: &Value) -> String {
        let read = read_call(list.as_array().unwrap(), "compositeRequest");
        let checked = read.and_then(|subs| check_references(&subs, "compositeRequest"));
        checked.unwrap_err().to_string()
    }

    #[test]
    fn a_sub_request_is_read_with_its_parameters_headers_and_a_name_that_tells_its_place() {
        let list = json!([
            {"method": "patch", "url": ["sobjects", "Account", "Key__c", "a/b"], "body": {"Name": null},
             "httpHeaders": {"Sforce-Auto-Assign": false}, "referenceId": "a"},
            {"method": "GET", "url": "/query", "queryParameters": {"q": "SELECT Id"}, "body": null},
        ]);
        let subs = read(list.as_array().unwrap(), "x").unwrap();
        assert_eq!((subs[0].method, subs[0].reference_id.as_str()), (SubMethod::Patch, "a"));
        assert_eq!(subs[0].url, ResourceUrl::read("/sobjects/Account/Key__c/a%2Fb").unwrap());
        assert_eq!(subs[0].body, Some(json!({"Name": null})));
        assert_eq!(Value::Object(subs[0].headers.clone()), json!({"Sforce-Auto-Assign": "false"}));
        assert_eq!((subs[1].reference_id.as_str(), &subs[1].body), ("request1", &None));
        assert_eq!(subs[1].url, ResourceUrl::read("/query?q=SELECT+Id").unwrap());
    }

    #[test]
    #[allow(clippy::too_many_lines, reason = "a table of cases")]
    fn a_mistake_names_the_sub_request_what_was_expected_and_what_was_found() {
        let first = json!({"method": "GET", "url": "/limits", "referenceId": "account"});
        for (second, message) in [
            (json!(1), "[1]: expected an object, found the number 1"),
            (json!({"method": "GET"}), "[1].url: expected a value, found nothing"),
            (
                json!({"method": "TRACE", "url": "/x"}),
                "[1].method: expected GET, POST, PATCH, PUT or DELETE, found the string \"TRACE\"",
            ),
            (
                json!({"method": "GET", "uri": "/x"}),
                "[1].uri: expected one of the fields: method, url, queryParameters, referenceId, body, httpHeaders, \
                 found \"uri\"; did you mean url?",
            ),
            (
                json!({"method": "GET", "url": "/services/apexrest/x"}),
                "[1].url: expected a path such as /sobjects/Account, or one below /services/data/ with its version, found \
                 \"/services/apexrest/x\"",
            ),
            (
                json!({"method": "POST", "url": "/composite/batch"}),
                "[1].url: expected a single request: composite, batch, tree and graph cannot be part of another one, found \
                 \"/composite/batch\"",
            ),
            (
                json!({"method": "GET", "url": ["sobjects", ".."]}),
                "[1].url: expected a path without empty segments and dot segments, found \"/sobjects/..\"",
            ),
            (
                json!({"method": "GET", "url": [{}]}),
                "[1].url: expected texts and numbers in the list of its segments, found something else",
            ),
            (
                json!({"method": "GET", "url": 5}),
                "[1].url: expected a text such as \"/sobjects/Account\", or the list of its segments, found the number 5",
            ),
            (
                json!({"method": "GET", "url": "/x", "queryParameters": {"_HttpMethod": "DELETE"}}),
                "[1].queryParameters: expected an address without _HttpMethod: method says what is done, found \
                 \"_HttpMethod=DELETE\"",
            ),
            (first.clone(), "[1].referenceId: expected a name that no other has, found \"account\" twice"),
            (
                json!({"method": "GET", "url": "/x", "referenceId": "a.b"}),
                "[1].referenceId: expected letters, digits and underscores, beginning with a letter or digit, found the \
                 string \"a.b\"",
            ),
            (
                json!({"method": "GET", "url": "/x", "httpHeaders": {"Authorization": "Bearer x"}}),
                "[1].httpHeaders.Authorization: expected no header that is that of the whole call, found one",
            ),
            (
                json!({"method": "GET", "url": "/x", "httpHeaders": {"X": "a\r\nb"}}),
                "[1].httpHeaders.X: expected the name and the value of a header, found other characters",
            ),
            (
                json!({"method": "PATCH", "url": "/sobjects/Account/@{acount.id}", "body": {}}),
                "[1].url: expected a reference to one of the sub-requests before it: account, found \"acount\"; did you \
                 mean account?",
            ),
            (
                json!({"method": "POST", "url": "/x", "referenceId": "own", "body": {"a": ["@{own.id}"]}}),
                "[1].body: expected a reference to one of the sub-requests before it: account, found \"own\"",
            ),
        ] {
            assert_eq!(mistake(&json!([first, second])), format!("compositeRequest{message}"));
        }
    }

    #[test]
    fn too_few_too_many_and_a_reference_to_nothing() {
        assert_eq!(
            mistake(&json!([])),
            "compositeRequest: expected at least one sub-request, found an empty list"
        );
        let many = vec![json!({"method": "GET", "url": "/limits"}); 26];
        assert_eq!(
            mistake(&json!(many)),
            "compositeRequest: expected at most 25 sub-requests, found a list of 26"
        );
        let list = json!([{"method": "POST", "url": "/x", "body": {"a": "@{b.id}"}}]);
        let message = "compositeRequest[0].body: expected no reference in the first sub-request, found a reference to \"b\"";
        assert_eq!(mistake(&list), message);
    }
}
