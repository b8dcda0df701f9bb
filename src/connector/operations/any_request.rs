//! `request`: how do I call what has no operation of its own?

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use super::{
    Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
    written_call::{BODY, CLASS, CONTENT_TYPE, HEADERS, METHOD, QUERY_PARAMETERS, StatedClass},
};
use crate::{
    connector::{
        InvalidInput,
        input::{Show, describe},
    },
    salesforce::{CallClass, Content, FreeHeader, FreePath, InvalidText, Request, Verb, WrittenPath},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "request",
    area: Area::Other,
    label: "Send any request",
    summary: "Calls any resource of the org below /services, with the connection's login.",
    keywords: &["request", "http", "rest", "raw", "any", "custom", "call", "api", "tooling"],
    class: CallClass::UnsafeWrite,
    class_with: Some(("class", CallClass::Read)),
    calls: "one, what `method` and `path` say.",
    body: "What the resource answers: JSON, else text, or null for nothing. A status of 300 or more is an error, and so is the result \
           of a save that says `success` false.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[
        METHOD,
        Input {
            name: "path",
            label: "Path",
            kind: InputKind::Text { pattern: None },
            required: true,
            tooltip: "Where to, such as /services/data/v67.0/limits/recordCount. A path that does not begin with /services/ is \
                      below /services/data and the API version, such as /limits. With values of the process, write a FEEL list of \
                      its parts, such as [\"sobjects\", \"Account\", accountId]: no value can then leave its place.",
            placeholder: "/services/data/v67.0/limits/recordCount",
        },
        QUERY_PARAMETERS,
        HEADERS,
        BODY,
        CONTENT_TYPE,
        CLASS,
    ],
    examples: Examples {
        answer: (200, r#"{"sObjects": [{"count": 3, "name": "Account"}, {"count": 10, "name": "Contact"}]}"#),
        refusal: (404, r#"[{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]"#),
        result: "={accounts: body.sObjects[1].count}",
        error: "=if error.status = 404 then bpmnError(\"not there\", error.message) else null",
    },
};

/// The input of `request`, and, below another root, of `apexRest`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AnyRequest {
    method: Verb,
    #[serde(deserialize_with = "written_path")]
    path: WrittenPath,
    #[serde(default, deserialize_with = "fields::parameters")]
    query_parameters: Vec<(String, String)>,
    #[serde(default, deserialize_with = "headers")]
    headers: Vec<FreeHeader>,
    body: Option<Value>,
    content_type: Option<String>,
    #[serde(default)]
    class: StatedClass,
}

/// Where a written path leads.
type Place = fn(&WrittenPath) -> Result<FreePath, InvalidText>;

/// A path in one piece, or the list of its parts.
fn written_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<WrittenPath, D::Error> {
    const EXPECTED: &str = "expected a path, or a list of its parts that are strings or numbers";
    let part = |part: Value| match part {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(D::Error::custom(EXPECTED)),
    };
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(WrittenPath::Whole(text.trim().to_owned())),
        Value::Array(parts) => {
            Ok(WrittenPath::Segments(parts.into_iter().map(part).collect::<Result<_, _>>()?))
        }
        _ => Err(D::Error::custom(EXPECTED)),
    }
}

fn headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<FreeHeader>, D::Error> {
    let given = fields::parameters(deserializer)?;
    let checked = given.iter().map(|(name, value)| {
        FreeHeader::new(name, value)
            .map_err(|mistake| D::Error::custom(format!("expected {}", mistake.expected)))
    });
    checked.collect()
}

impl AnyRequest {
    pub(super) fn stated_class(&self) -> CallClass {
        self.class.of(self.method)
    }

    fn has_kind_of_json(&self) -> bool {
        self.content_type.as_ref().is_none_or(|kind| kind.to_ascii_lowercase().contains("json"))
    }

    /// Refuses what does not go together, wherever the request leads.
    pub(super) fn checked_parts(self) -> Result<Self, InvalidInput> {
        let found = |value: &Value| describe(Some(value), Show::Value);
        if let Some(body) = self.body.as_ref().filter(|_| !self.method.has_body()) {
            let expected = format!("no body with the method {}", self.method.name());
            return Err(InvalidInput::new("body", expected, found(body)));
        }
        match (&self.body, &self.content_type) {
            (Some(Value::String(_)), None) => {
                let expected = "what the text in body is, such as text/csv or application/json";
                return Err(InvalidInput::new("contentType", expected, "nothing"));
            }
            (Some(body), Some(_)) if !body.is_string() && !self.has_kind_of_json() => {
                return Err(InvalidInput::new("body", "a text of the content type", found(body)));
            }
            _ => {}
        }
        let is_kind =
            |kind: &String| kind.contains('/') && kind.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if let Some(kind) = self.content_type.as_ref().filter(|kind| !is_kind(kind)) {
            return Err(InvalidInput::new(
                "contentType",
                "a content type, such as text/csv",
                format!("{kind:?}"),
            ));
        }
        // Salesforce takes it for the method.
        if let Some((name, _)) =
            self.query_parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case("_HttpMethod"))
        {
            let path = format!("queryParameters.{name}");
            return Err(InvalidInput::new(path, "the method in the field method", "another one"));
        }
        Ok(self)
    }

    /// Refuses a path that leads elsewhere.
    pub(super) fn checked_path(self, place: Place) -> Result<Self, InvalidInput> {
        self.path_in(place)?;
        Ok(self)
    }

    fn path_in(&self, place: Place) -> Result<FreePath, InvalidInput> {
        let refused = |mistake: InvalidText| {
            InvalidInput::new("path", mistake.expected, format!("{:?}", mistake.found))
        };
        place(&self.path).map_err(refused)
    }

    /// The request to a place that is made of the path.
    pub(super) fn to(self, place: Place) -> Result<Request, InvalidInput> {
        let path = self.path_in(place)?;
        let mut request = Request::any(self.method, path, self.stated_class());
        request.query = self.query_parameters;
        request.free_headers = self.headers;
        match (self.body, self.content_type) {
            (Some(Value::String(text)), Some(kind)) => {
                request.content = Some(Content::whole(kind, text));
            }
            (Some(json), Some(kind)) => {
                request.content = Some(Content::whole(kind, json.to_string()));
            }
            (body, _) => request.body = body,
        }
        Ok(request)
    }
}

impl Operate for AnyRequest {
    fn checked(self) -> Result<Self, InvalidInput> {
        self.checked_parts()?.checked_path(FreePath::of_org)
    }

    fn class(&self) -> Option<CallClass> {
        Some(self.stated_class())
    }

    fn request(self) -> Result<Request, InvalidInput> {
        self.to(FreePath::of_org)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        connector::operations::{Operation, tests::mistake},
        salesforce::Path,
    };

    fn request(input: &Value) -> Request {
        Operation::parse("request", input.as_object().unwrap()).unwrap().request().unwrap()
    }

    fn with(fields: Value) -> Value {
        let mut input = json!({"method": "POST", "path": "/services/apexrest/x"});
        let Value::Object(fields) = fields else { panic!("not an object") };
        input.as_object_mut().unwrap().extend(fields);
        input
    }

    #[test]
    fn a_body_is_json_or_a_text_with_its_kind() {
        let sent = |fields: Value| {
            let request = request(&with(fields));
            (request.body, request.content)
        };
        let content = |kind: &str, text: &'static str| Some(Content::whole(kind, text));
        assert_eq!(sent(json!({"body": {"a": 1.50}})), (Some(json!({"a": 1.50})), None));
        assert_eq!(sent(json!({"body": [1]})), (Some(json!([1])), None));
        assert_eq!(
            sent(json!({"body": " a,b ", "contentType": "text/csv"})),
            (None, content("text/csv", " a,b "))
        );
        let kind = "application/merge-patch+json";
        assert_eq!(sent(json!({"body": {"a": 1}, "contentType": kind})), (None, content(kind, r#"{"a":1}"#)));
        assert_eq!(sent(json!({"body": null, "contentType": "text/csv"})), (None, None));
    }

    #[test]
    fn the_class_is_that_of_the_method_unless_the_modeler_says_another() {
        for (method, class, expected) in [
            ("get", "byMethod", CallClass::Read),
            ("PUT", "byMethod", CallClass::IdempotentWrite),
            ("DELETE", "byMethod", CallClass::IdempotentWrite),
            ("PATCH", "byMethod", CallClass::UnsafeWrite),
            ("POST", "byMethod", CallClass::UnsafeWrite),
            ("POST", "read", CallClass::Read),
            ("PATCH", "idempotentWrite", CallClass::IdempotentWrite),
            ("GET", "unsafeWrite", CallClass::UnsafeWrite),
        ] {
            let input = with(json!({"method": method, "class": class}));
            assert_eq!(request(&input).class, expected, "{method} {class}");
            let operation = Operation::parse("request", input.as_object().unwrap()).unwrap();
            assert_eq!(operation.class(), expected);
        }
    }

    #[test]
    fn parts_of_a_path_are_encoded_and_parameters_and_headers_are_taken_over() {
        let request = request(&with(json!({
            "method": "GET", "path": ["sobjects", "Account", "Key__c", "a/b?c", 17],
            "queryParameters": {"fields": "Id", "n": 5, "no": null},
            "headers": {"Sforce-Auto-Assign": "FALSE"},
        })));
        assert_eq!(request.path, Path::Versioned("/sobjects/Account/Key__c/a%2Fb%3Fc/17".to_owned()));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(request.query, [pair("fields", "Id"), pair("n", "5")]);
        assert_eq!(request.free_headers, [FreeHeader::new("Sforce-Auto-Assign", "FALSE").unwrap()]);
    }

    #[test]
    fn what_cannot_be_sent_is_refused_with_what_was_expected() {
        for (fields, message) in [
            (
                json!({"path": "https://evil.example/services/data"}),
                "path: expected a path of the org without a host, such as /services/data/v67.0/limits, found \
                 \"https://evil.example/services/data\"",
            ),
            (
                json!({"path": ["services", ".."]}),
                "path: expected parts of a path that are not empty, \".\" or \"..\", found \"..\"",
            ),
            (
                json!({"method": "TRACE"}),
                "method: expected one of GET, HEAD, POST, PUT, PATCH, DELETE, found the string \"TRACE\"",
            ),
            (
                json!({"headers": {"Authorization": "Bearer x"}}),
                "headers: expected no header of the connection, its login or the body's kind: the worker sets these, found an object",
            ),
            (
                json!({"method": "GET", "body": {}}),
                "body: expected no body with the method GET, found an object",
            ),
            (
                json!({"body": "a,b"}),
                "contentType: expected what the text in body is, such as text/csv or application/json, found nothing",
            ),
            (
                json!({"body": {}, "contentType": "text/csv"}),
                "body: expected a text of the content type, found an object",
            ),
            (
                json!({"body": "a", "contentType": "csv"}),
                "contentType: expected a content type, such as text/csv, found \"csv\"",
            ),
            (
                json!({"queryParameters": {"_httpmethod": "DELETE"}}),
                "queryParameters._httpmethod: expected the method in the field method, found another one",
            ),
        ] {
            assert_eq!(mistake("request", with(fields)), message);
        }
    }
}
