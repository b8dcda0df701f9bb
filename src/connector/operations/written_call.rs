//! The fields of a call that the modeler writes: what `request` and `apexRest` have in common.

use serde::Deserialize;

use super::descriptor::{Input, InputKind};
use crate::salesforce::{CallClass, Verb};

pub(super) const METHOD: Input = Input {
    name: "method",
    label: "Method",
    kind: InputKind::Choice {
        choices: &[
            ("POST", "POST: create or start"),
            ("GET", "GET: read"),
            ("PATCH", "PATCH: change a part"),
            ("PUT", "PUT: replace"),
            ("DELETE", "DELETE: delete"),
            ("HEAD", "HEAD: read the headers"),
        ],
    },
    required: true,
    tooltip: "The HTTP method.",
    placeholder: "POST",
};

pub(super) const QUERY_PARAMETERS: Input = Input {
    name: "queryParameters",
    label: "Query parameters",
    kind: InputKind::Context,
    required: false,
    tooltip: "What stands behind the question mark of the address, such as {sObjects: \"Account,Contact\"}. Values are text, \
              numbers or booleans, and are encoded.",
    placeholder: "={sObjects: \"Account,Contact\"}",
};

pub(super) const HEADERS: Input = Input {
    name: "headers",
    label: "Headers",
    kind: InputKind::Context,
    required: false,
    tooltip: "Further HTTP headers, such as {\"Sforce-Auto-Assign\": \"FALSE\"}. Not those of the login, the connection or the \
              body's kind: the worker sets these.",
    placeholder: "={\"Sforce-Auto-Assign\": \"FALSE\"}",
};

pub(super) const BODY: Input = Input {
    name: "body",
    label: "Body",
    kind: InputKind::Value,
    required: false,
    tooltip: "Sent as JSON, such as {Name: \"Acme\"}. A text is sent as it is, with the content type that is entered below. Not with \
              GET and HEAD.",
    placeholder: "={Name: \"Acme\"}",
};

pub(super) const CONTENT_TYPE: Input = Input {
    name: "contentType",
    label: "Content type",
    kind: InputKind::Text { pattern: None },
    required: false,
    tooltip: "What a text in Body is, such as text/csv or application/xml. Empty: the body is JSON.",
    placeholder: "text/csv",
};

pub(super) const CLASS: Input = Input {
    name: "class",
    label: "When the answer is lost",
    kind: InputKind::Choice {
        choices: &[
            (
                "byMethod",
                "as the method says: GET, HEAD, PUT and DELETE are sent again, POST and PATCH are not",
            ),
            ("read", "send it again: it changes nothing"),
            ("idempotentWrite", "send it again: a second time changes nothing more"),
            ("unsafeWrite", "do not send it again: a second time has a second effect"),
        ],
    },
    required: false,
    tooltip: "A call that must not happen twice ends in an incident OUTCOME_UNKNOWN when its answer is lost. Only you know what a \
              resource does: choose a safer class only where a second time does no harm.",
    placeholder: "",
};

/// Whether the call may be repeated, as the modeler says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum StatedClass {
    #[default]
    ByMethod,
    Read,
    IdempotentWrite,
    UnsafeWrite,
}

impl StatedClass {
    pub(super) fn of(self, method: Verb) -> CallClass {
        match self {
            Self::ByMethod => method.class(),
            Self::Read => CallClass::Read,
            Self::IdempotentWrite => CallClass::IdempotentWrite,
            Self::UnsafeWrite => CallClass::UnsafeWrite,
        }
    }
}
