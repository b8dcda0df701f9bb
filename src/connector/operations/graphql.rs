//! `graphql`: how do I read or change records with GraphQL?

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
};
use crate::{
    connector::{Error, InvalidInput, codes},
    salesforce::{
        CallClass, ErrorDetail, GraphOperation, OperationKind, Request, Response, graph_operations,
    },
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "graphql",
    area: Area::Other,
    label: "Send GraphQL",
    summary: "Sends a query or a mutation to Salesforce's GraphQL API.",
    keywords: &["graphql", "uiapi", "query", "mutation", "related records"],
    class: CallClass::Read,
    class_with: None,
    calls: "one, `POST /graphql`. A mutation (API version v66.0 or later) is an unsafe write, and is not sent again when its answer is \
            lost.",
    body: "`data`, as the query asks. `errors` in the answer are an error though HTTP says success; its code is Salesforce's `ErrorType`, \
           such as `ValidationError`.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[
        Input {
            name: "query",
            label: "Query or mutation",
            kind: InputKind::LongText,
            required: true,
            tooltip: "The GraphQL document, such as query accounts($name: Picklist) { uiapi { query { Account(first: 5) { edges { node { \
                      Id } } } } } }. Give values of the process in Variables: no value can then change the query.",
            placeholder: "query accounts { uiapi { query { Account(first: 5) { edges { node { Id Name { value } } } } } } }",
        },
        Input {
            name: "variables",
            label: "Variables",
            kind: InputKind::Context,
            required: false,
            tooltip: "A value for each $name of the document, such as {name: customerName}.",
            placeholder: "={name: customerName}",
        },
        Input {
            name: "operationName",
            label: "Operation",
            kind: InputKind::Text { pattern: None },
            required: false,
            tooltip: "Which one is meant, where the document defines several, such as accounts.",
            placeholder: "accounts",
        },
    ],
    examples: Examples {
        answer: (
            200,
            r#"{"data": {"uiapi": {"query": {"Account": {"edges": [
            {"node": {"Id": "001Hp00002abcDEFGH", "Name": {"value": "Acme"}}}]}}}}, "errors": []}"#,
        ),
        refusal: (
            200,
            r#"{"data": {}, "errors": [{"message": "Object type Invoice__c is not accessible by this user",
            "paths": [], "locations": [], "extensions": {"ErrorType": "DataFetchingException"}}]}"#,
        ),
        result: "={names: body.data.uiapi.query.Account.edges.node.Name.value}",
        error: "=if error.code = \"DataFetchingException\" then bpmnError(\"not read\", error.message) else null",
    },
};

/// The input of `graphql`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Graphql {
    query: String,
    #[serde(default, deserialize_with = "fields::object")]
    variables: Map<String, Value>,
    operation_name: Option<String>,
}

impl Graphql {
    /// The operation that will run.
    fn meant(&self) -> Result<GraphOperation, InvalidInput> {
        let mistake = |expected: &str, found: String| Err(InvalidInput::new("query", expected, found));
        let operations = match graph_operations(&self.query) {
            Ok(operations) => operations,
            Err(expected) => return mistake(expected, "something else".to_owned()),
        };
        let names: Vec<&str> = operations.iter().filter_map(|one| one.name.as_deref()).collect();
        let meant = match &self.operation_name {
            Some(name) => operations.iter().find(|one| one.name.as_ref() == Some(name)),
            None if operations.len() > 1 => None,
            None => operations.first(),
        };
        match meant {
            Some(GraphOperation { kind: OperationKind::Subscription, .. }) => {
                mistake("a query or a mutation", "a subscription".to_owned())
            }
            Some(meant) => Ok(meant.clone()),
            None if operations.is_empty() => mistake("a query or a mutation", "none".to_owned()),
            None => {
                let expected = format!("the name of an operation of the document: {}", names.join(", "));
                let found =
                    self.operation_name.as_ref().map_or("nothing".to_owned(), |name| format!("{name:?}"));
                Err(InvalidInput::new("operationName", expected, found))
            }
        }
    }

    fn call_class(&self) -> CallClass {
        match self.meant().map(|operation| operation.kind) {
            Ok(OperationKind::Query) => CallClass::Read,
            _ => CallClass::UnsafeWrite,
        }
    }
}

impl Operate for Graphql {
    fn checked(self) -> Result<Self, InvalidInput> {
        self.meant()?;
        Ok(self)
    }

    fn class(&self) -> Option<CallClass> {
        Some(self.call_class())
    }

    fn request(self) -> Result<Request, InvalidInput> {
        let class = self.call_class();
        let mut body = Map::new();
        body.insert("query".to_owned(), self.query.into());
        if !self.variables.is_empty() {
            body.insert("variables".to_owned(), self.variables.into());
        }
        if let Some(name) = self.operation_name {
            body.insert("operationName".to_owned(), name.into());
        }
        Ok(Request::graphql(body, class))
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let class = self.call_class();
        judged(call.send(&self.request()?).await?, class)
    }
}

/// An answer with errors is one, whatever its status.
fn judged(response: Response, class: CallClass) -> Result<Response, Error> {
    if !response.body.is_object() {
        let message = "expected data and errors, found something else";
        return Err(Error::new(&codes::INVALID_RESPONSE, message).with_response(response));
    }
    let details: Vec<ErrorDetail> = match &response.body["errors"] {
        Value::Array(errors) => errors.iter().map(detail).collect(),
        _ => Vec::new(),
    };
    let Some(first) = details.first() else { return Ok(response) };
    let first = match first.error_code.as_str() {
        "" => first.message.clone(),
        code => format!("{code}: {}", first.message),
    };
    let more = if details.len() > 1 { format!(" ({} errors)", details.len()) } else { String::new() };
    let message = format!("GraphQL says {first}{more}");
    if class == CallClass::Read {
        return Err(Error::refused(&codes::GRAPHQL_FAILED, details, message).with_response(response));
    }
    let is_cut = details.iter().any(|detail| detail.error_code == "ExecutionAborted");
    let has_done = has_value(&response.body["data"]);
    let error = if is_cut {
        let message = format!("{message}; the mutation may have been carried out, so it was not repeated");
        Error::new(&codes::OUTCOME_UNKNOWN, message)
    } else {
        Error::refused(&codes::GRAPHQL_FAILED, details, message)
    };
    let error = error.with_response(response);
    Err(if has_done { error.after_writing() } else { error })
}

/// An error in our form; its path takes the place of fields.
fn detail(error: &Value) -> ErrorDetail {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let path = error.get("paths").or_else(|| error.get("path")).and_then(Value::as_array);
    let path: Vec<String> = path
        .into_iter()
        .flatten()
        .map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned))
        .collect();
    ErrorDetail {
        error_code: text(&error["extensions"]["ErrorType"]),
        message: text(&error["message"]),
        fields: if path.is_empty() { Vec::new() } else { vec![path.join(".")] },
    }
}

/// Whether anything came back: of a mutation without `allOrNone`, a part may be done.
fn has_value(data: &Value) -> bool {
    match data {
        Value::Null => false,
        Value::Object(members) => members.values().any(has_value),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::connector::operations::{Operation, tests::mistake};

    const BOTH: &str = "query read { a } mutation write { b }";

    #[test]
    fn a_mutation_is_an_unsafe_write_and_a_query_a_read() {
        for (document, name, class) in [
            ("{ uiapi { a } }", None, CallClass::Read),
            ("mutation { uiapi { a } }", None, CallClass::UnsafeWrite),
            (BOTH, Some("read"), CallClass::Read),
            (BOTH, Some("write"), CallClass::UnsafeWrite),
        ] {
            let input = json!({"query": document, "operationName": name});
            let operation = Operation::parse("graphql", input.as_object().unwrap()).unwrap();
            assert_eq!(operation.class(), class, "{document} {name:?}");
            assert_eq!(operation.request().unwrap().class, class, "{document} {name:?}");
        }
    }

    #[test]
    fn what_cannot_run_is_refused() {
        for (input, message) in [
            (
                json!({"query": BOTH}),
                "operationName: expected the name of an operation of the document: read, write, found nothing",
            ),
            (
                json!({"query": BOTH, "operationName": "reed"}),
                "operationName: expected the name of an operation of the document: read, write, found \"reed\"",
            ),
            (
                json!({"query": "subscription { a }"}),
                "query: expected a query or a mutation, found a subscription",
            ),
            (json!({"query": "fragment F on A { a }"}), "query: expected a query or a mutation, found none"),
            (
                json!({"query": "SELECT Id FROM Account"}),
                "query: expected a document of queries, mutations and fragments, found something else",
            ),
        ] {
            assert_eq!(mistake("graphql", input), message);
        }
    }

    fn answer(body: Value) -> Response {
        Response { status: 200, reason: "OK".to_owned(), headers: Map::new(), body }
    }

    #[test]
    fn errors_of_a_mutation_say_whether_something_may_be_done() {
        let errors =
            |kind: &str| json!([{"message": "m", "paths": ["uiapi", 0], "extensions": {"ErrorType": kind}}]);
        let judge = |data: Value, kind: &str| {
            judged(answer(json!({"data": data, "errors": errors(kind)})), CallClass::UnsafeWrite).unwrap_err()
        };
        let refused = judge(json!({"uiapi": {"AccountCreate": null}}), "ValidationError");
        assert_eq!((refused.code(), refused.has_written()), ("ValidationError", false));
        let partly =
            judge(json!({"uiapi": {"A": {"Record": {"Id": "001"}}, "B": null}}), "DataFetchingException");
        assert!(partly.has_written());
        assert_eq!(judge(json!(null), "ExecutionAborted").code(), "OUTCOME_UNKNOWN");
        let unnamed = judged(answer(json!({"errors": [{"message": "m"}]})), CallClass::Read).unwrap_err();
        assert_eq!((unnamed.code(), unnamed.to_string().as_str()), ("GRAPHQL_FAILED", "GraphQL says m"));
        assert!(judged(answer(json!({"data": {}, "errors": []})), CallClass::Read).is_ok());
        assert_eq!(judged(answer(json!("x")), CallClass::Read).unwrap_err().code(), "INVALID_RESPONSE");
    }
}
