//! `apexRest`: how do I call an Apex class of the org that is a REST resource?

use serde::Deserialize;

use super::{
    Operate,
    any_request::AnyRequest,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    written_call,
};
use crate::{
    connector::InvalidInput,
    salesforce::{CallClass, FreePath, Request},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "apexRest",
    area: Area::Automation,
    label: "Call Apex REST",
    summary: "Calls an Apex class of the org that is a REST resource (@RestResource).",
    keywords: &["apex", "rest", "class", "code", "custom", "endpoint", "restresource"],
    class: CallClass::UnsafeWrite,
    class_with: Some(("class", CallClass::Read)),
    calls: "one, `{method} /services/apexrest/{path}`.",
    body: "What the class answers: JSON, else text, or null for nothing. A status of 300 or more is an error: `APEX_ERROR` for an \
           exception that the class does not catch, else what the class says.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[
        written_call::METHOD,
        Input {
            name: "path",
            label: "Path",
            kind: InputKind::Text { pattern: None },
            required: true,
            tooltip: "What stands behind /services/apexrest: the urlMapping of the class, such as /Orders/17, with the namespace of \
                      its package in front. With values of the process, write a FEEL list of its parts, such as [\"Orders\", orderId]: \
                      no value can then leave its place.",
            placeholder: "/Orders",
        },
        written_call::QUERY_PARAMETERS,
        written_call::HEADERS,
        written_call::BODY,
        written_call::CONTENT_TYPE,
        written_call::CLASS,
    ],
    examples: Examples {
        answer: (200, r#"{"orderId": "801Hp00001aaaAAAAA", "status": "Activated"}"#),
        refusal: (
            500,
            r#"[{"errorCode": "APEX_ERROR", "message": "System.DmlException: Insert failed. Required fields are missing: [Name]"}]"#,
        ),
        result: "={orderId: body.orderId}",
        error: "=if error.code = \"APEX_ERROR\" then bpmnError(\"Apex failed\", error.message) else null",
    },
};

/// The input of `apexRest`: that of `request`, below another root.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct ApexRest(AnyRequest);

impl Operate for ApexRest {
    fn checked(self) -> Result<Self, InvalidInput> {
        self.0.checked_parts()?.checked_path(FreePath::of_apex).map(Self)
    }

    fn class(&self) -> Option<CallClass> {
        self.0.class()
    }

    fn request(self) -> Result<Request, InvalidInput> {
        self.0.to(FreePath::of_apex)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        connector::operations::{Operation, tests::mistake},
        salesforce::{CallClass, Path},
    };

    #[test]
    fn the_path_is_below_apexrest_and_its_class_that_of_the_method() {
        for (path, sent) in [
            (json!("/Orders/17"), "/services/apexrest/Orders/17"),
            (json!("services/apexrest/Orders"), "/services/apexrest/Orders"),
            (json!(["acme", "Orders", "a/b"]), "/services/apexrest/acme/Orders/a%2Fb"),
        ] {
            let input = json!({"method": "DELETE", "path": path});
            let request =
                Operation::parse("apexRest", input.as_object().unwrap()).unwrap().request().unwrap();
            assert_eq!(request.path, Path::Absolute(sent.to_owned()));
            assert_eq!(request.class, CallClass::IdempotentWrite);
        }
        let message = mistake("apexRest", json!({"method": "GET", "path": "../data"}));
        assert_eq!(message, "path: expected a path without empty parts, \".\" and \"..\", found \"../data\"");
    }
}
