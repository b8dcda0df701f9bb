//! The sections that are the same for every operation.

use super::builder::{header, request};
use super::model::{Binding, Condition, Feel, FieldType, Group, Property};

/// The sections, in the order in which they are shown.
pub(super) const GROUPS: [Group; 6] = [
    Group { id: "connection", label: "Connection", tooltip: "Which Salesforce org the task talks to." },
    Group { id: "authentication", label: "Authentication", tooltip: "How the task signs in to Salesforce." },
    Group { id: "operation", label: "Operation", tooltip: "What the task does in Salesforce." },
    Group {
        id: "output",
        label: "Output mapping",
        tooltip: "Which process variable receives Salesforce's answer.",
    },
    Group { id: "errors", label: "Error handling", tooltip: "Which failures the process handles itself." },
    Group {
        id: "retries",
        label: "Retries",
        tooltip: "How often, and how soon, a failed task is tried again.",
    },
];

/// The choice between a named connection and one entered in the task. It is kept in the diagram only: what the
/// worker reads is a name or an address.
const CONNECTION: &str = "connection";
const INLINE: &str = "inline";
const AUTHENTICATION: &str = "authentication.type";
pub(super) const BPMN_ERRORS: &str = "bpmnErrors";
/// The choice that shows the error expression. It stands there, because a further field for everyone would be one too
/// many.
pub(super) const BY_EXPRESSION: &str = "expression";
pub(super) const RESULT_VARIABLE: &str = "resultVariable";

const DURATION: (&str, &str) = (
    "^P(?=.)(\\d+D)?(T(?=\\d)(\\d+H)?(\\d+M)?(\\d+(\\.\\d+)?S)?)?$",
    "must be a duration such as PT30S (30 seconds) or PT5M (5 minutes)",
);
const SECRET_ONLY: (&str, &str) = (
    "^.*\\{\\{\\s*secrets\\..+\\}\\}.*$",
    "must refer to a secret, such as {{secrets.NAME}}; plain text can be read by everyone who opens the process",
);

pub(super) fn connection() -> Vec<Property> {
    let named = Property::field(
        CONNECTION,
        FieldType::Dropdown,
        "Salesforce org",
        Binding::Extension { name: "salesforceConnection" },
    )
    .tooltip(
        "A named connection is set up once by the operator; address and credentials stay out of the process. \
         The other choice shows fields for both here.",
    )
    .choices([
        ("named", "Named connection, set up by the operator"),
        (INLINE, "Address and credentials entered here"),
    ])
    .value("named")
    .required();
    let name = text("connection.name", "Connection name", "connection.name")
        .tooltip("The name that the operator gave to the connection, such as production.")
        .placeholder("production")
        .required()
        .when(Condition::is(CONNECTION, "named"));
    let base_url = text("connection.baseUrl", "Salesforce address", "connection.baseUrl")
        .tooltip(
            "The org's My Domain address, such as https://acme.my.salesforce.com (in Salesforce: Setup, My Domain).",
        )
        .placeholder("https://acme.my.salesforce.com")
        .pattern(
            "^(https://[^\\s/]+/?|http://(localhost|127\\.0\\.0\\.1)(:\\d+)?/?|.*\\{\\{\\s*secrets\\..+\\}\\}.*)$",
            "must be an address such as https://acme.my.salesforce.com, without a path",
        )
        .required()
        .when(Condition::is(CONNECTION, INLINE));
    let api_version = text("apiVersion", "API version", "apiVersion")
        .tooltip("The version of Salesforce's API, such as v67.0. Empty: the version of the connection, else v67.0.")
        .placeholder("v67.0")
        .optional()
        .pattern("^[vV]?(3[1-9]|[4-9]\\d)\\.0$", "must be a version such as v67.0, from v31.0 to v99.0");
    in_group("connection", [named, name, base_url, api_version])
}

pub(super) fn authentication() -> Vec<Property> {
    let kind = Property::field(
        AUTHENTICATION,
        FieldType::Dropdown,
        "Sign in with",
        request("connection.authentication.type"),
    )
    .tooltip("Client credentials are a client id and secret of a connected app; an access token must be obtained before.")
    .choices([
        ("oauth-client-credentials-flow", "OAuth 2.0 client credentials"),
        ("bearer", "Access token"),
    ])
    .value("oauth-client-credentials-flow")
    .required()
    .when(Condition::is(CONNECTION, INLINE));
    in_group(
        "authentication",
        [
            kind,
            credential("bearer", "token", "Access token")
                .tooltip("A token that Salesforce issued, by its secret's name. It must outlive the task.")
                .placeholder("{{secrets.SALESFORCE_TOKEN}}")
                .pattern(SECRET_ONLY.0, SECRET_ONLY.1)
                .required(),
            credential("oauth-client-credentials-flow", "clientId", "Client id")
                .tooltip("The consumer key of the connected app.")
                .placeholder("{{secrets.SALESFORCE_CLIENT_ID}}")
                .required(),
            credential("oauth-client-credentials-flow", "clientSecret", "Client secret")
                .tooltip("The consumer secret of the connected app, by its secret's name.")
                .placeholder("{{secrets.SALESFORCE_CLIENT_SECRET}}")
                .pattern(SECRET_ONLY.0, SECRET_ONLY.1)
                .required(),
            credential("oauth-client-credentials-flow", "oauthTokenEndpoint", "Token endpoint")
                .tooltip("Where tokens are issued. Empty: /services/oauth2/token at the Salesforce address.")
                .placeholder("https://acme.my.salesforce.com/services/oauth2/token")
                .optional()
                .pattern(
                    "^(https://\\S+|http://(localhost|127\\.0\\.0\\.1)(:\\d+)?/\\S*|.*\\{\\{\\s*secrets\\..+\\}\\}.*)$",
                    "must be an https address",
                ),
        ],
    )
}

pub(super) fn timeout() -> Property {
    text("options.timeout", "Timeout", "options.timeout")
        .tooltip(
            "How long Salesforce may take to answer one call, such as PT20S. Empty: the worker's own limit.",
        )
        .placeholder("PT20S")
        .optional()
        .pattern(DURATION.0, DURATION.1)
        .group("operation")
}

pub(super) fn result_variable() -> Property {
    Property::field(RESULT_VARIABLE, FieldType::String, "Result variable", header("resultVariable"))
        .tooltip(
            "The process variable that receives the result, such as account. Empty: the result is not kept.",
        )
        .placeholder("account")
        .optional()
        .pattern(
            "^(?!salesforceRequest$)[A-Za-z_\\u00C0-\\uFFFF][A-Za-z0-9_\\u00C0-\\uFFFF]*$",
            "must be a variable name: letters, digits and underscores, not salesforceRequest",
        )
        .group("output")
}

pub(super) fn errors() -> Vec<Property> {
    let which = Property::field(
        BPMN_ERRORS,
        FieldType::Dropdown,
        "Throw a BPMN error for",
        Binding::Extension { name: "salesforceBpmnErrors" },
    )
    .tooltip(
        "A BPMN error is caught by an error boundary event at the task. Its code is Salesforce's own, such as \
         DUPLICATES_DETECTED; its variable error tells the details. Any other failure is tried again or becomes an incident.",
    )
    .choices([
        ("none", "No failure"),
        ("business", "Business errors: Salesforce refused the data"),
        ("codes", "Only these error codes"),
        (BY_EXPRESSION, "What an expression decides"),
    ])
    .value("none")
    .required();
    let business = Property::hidden("bpmnErrors.business", "business", header("bpmnErrors"))
        .when(Condition::is(BPMN_ERRORS, "business"));
    let codes = Property::field("bpmnErrors.codes", FieldType::String, "Error codes", header("bpmnErrors"))
        .tooltip("Separated by commas, such as DUPLICATES_DETECTED, NOT_FOUND.")
        .placeholder("DUPLICATES_DETECTED, NOT_FOUND")
        .required()
        .pattern("^\\s*\\w+(\\s*,\\s*\\w+)*\\s*$", "must be error codes, separated by commas")
        .when(Condition::is(BPMN_ERRORS, "codes"));
    let mut errors = in_group("errors", [which, codes]);
    errors.push(business);
    errors
}

pub(super) fn retries() -> Vec<Property> {
    let retries = Property::field(
        "retries",
        FieldType::String,
        "Attempts",
        Binding::TaskDefinition { property: "retries" },
    )
    .tooltip(
        "How often the task is tried before it becomes an incident. What cannot succeed is not tried again.",
    )
    .feel(Feel::Optional)
    .value("3")
    .required()
    .pattern("^[1-9]\\d*$", "must be a whole number of 1 or more");
    let backoff = Property::field("retryBackoff", FieldType::String, "Wait between attempts", header("retryBackoff"))
        .tooltip("Such as PT30S. Empty: the worker waits longer after each failure. A longer wait that Salesforce asks for is kept.")
        .placeholder("PT30S")
        .optional()
        .pattern(DURATION.0, DURATION.1);
    let job_timeout = Property::field("jobTimeout", FieldType::String, "Job timeout", header("jobTimeout"))
        .tooltip("How long the worker may hold the task before the engine gives it to another, such as PT5M. Empty: the worker's own setting.")
        .placeholder("PT5M")
        .optional()
        .pattern(DURATION.0, DURATION.1);
    in_group("retries", [retries, backoff, job_timeout])
}

/// One line of text or an expression, written to the field `path` of the request.
fn text(id: &str, label: &'static str, path: &str) -> Property {
    Property::field(id, FieldType::String, label, request(path)).feel(Feel::Optional)
}

/// A field of one way of authenticating.
fn credential(kind: &'static str, field: &str, label: &'static str) -> Property {
    // The type's value may linger while the modeler switches to a named connection; so both are asked.
    let condition = Condition::both(Condition::is(CONNECTION, INLINE), Condition::is(AUTHENTICATION, kind));
    let path = format!("connection.authentication.{field}");
    text(&format!("authentication.{field}"), label, &path).when(condition)
}

fn in_group<const N: usize>(group: &'static str, properties: [Property; N]) -> Vec<Property> {
    properties.into_iter().map(|property| property.group(group)).collect()
}
