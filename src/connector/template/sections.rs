//! The sections that are the same for every operation.

use super::builder::{header, request};
use super::model::{Binding, Condition, Feel, FieldType, Group, Property};

/// The sections, in the order in which they are shown.
pub(super) const GROUPS: [Group; 6] = [
    Group {
        id: "connection",
        label: "Connection",
        tooltip: "Which Salesforce org the task talks to, and how it gets in.",
    },
    Group {
        id: "authentication",
        label: "Authentication",
        tooltip: "What the task signs in to Salesforce with.",
    },
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

pub(super) const BPMN_ERRORS: &str = "bpmnErrors";
/// The choice that shows the error expression. It stands there, because a further field for everyone would be one too
/// many.
pub(super) const BY_EXPRESSION: &str = "expression";
pub(super) const RESULT_VARIABLE: &str = "resultVariable";

const DURATION: (&str, &str) = (
    "^P(?=.)(\\d+D)?(T(?=\\d)(\\d+H)?(\\d+M)?(\\d+(\\.\\d+)?S)?)?$",
    "must be a duration such as PT30S (30 seconds) or PT5M (5 minutes)",
);

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
         DUPLICATES_DETECTED; its variable error tells the details. Any other failure is tried again or becomes an incident. The last choice \
         shows the error expression, for bpmnError, jobError and ignoreError as in Camunda's own connectors.",
    )
    .choices([
        ("none", "No failure"),
        ("business", "Business errors: Salesforce refused the data"),
        ("codes", "Only these error codes"),
        (BY_EXPRESSION, "What an error expression decides (FEEL)"),
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
pub(super) fn text(id: &str, label: &'static str, path: &str) -> Property {
    Property::field(id, FieldType::String, label, request(path)).feel(Feel::Optional)
}

pub(super) fn in_group<const N: usize>(group: &'static str, properties: [Property; N]) -> Vec<Property> {
    properties.into_iter().map(|property| property.group(group)).collect()
}
