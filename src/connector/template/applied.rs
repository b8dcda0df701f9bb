//! What the applied template gives is what the parser reads.
//!
//! `tests/template/applied.json` holds what Modeler's own engine writes into a task for each operation, way to
//! connect and way to sign in, with only the fields that must be filled, and with all fields filled.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::connector::authentication::AuthenticationMethod;
use crate::connector::expressions::Expressions;
use crate::connector::headers::Headers;
use crate::connector::operations::{self, Descriptor, InputKind};
use crate::connector::request::{Connection, Request};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    operation: String,
    connection: String,
    authentication: Option<String>,
    /// Whether every field was filled, or only those that must be.
    filled: bool,
    #[serde(rename = "type")]
    job_type: String,
    retries: String,
    inputs: Map<String, Value>,
    headers: BTreeMap<String, String>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../../../tests/template/applied.json")).unwrap()
}

impl Case {
    /// The job's variables, as the engine evaluates the inputs in their order.
    fn variables(&self) -> Map<String, Value> {
        let mut variables = Value::Object(Map::new());
        for (target, source) in &self.inputs {
            let place = target.split('.').fold(&mut variables, |place, name| &mut place[name]);
            assert!(place.is_null(), "{target} is there already");
            *place = evaluate(source.as_str().unwrap());
        }
        let Value::Object(variables) = variables else { unreachable!("it was one from the start") };
        variables
    }

    fn descriptor(&self) -> &'static Descriptor {
        operations::ALL.iter().find(|operation| operation.name == self.operation).unwrap()
    }

    fn request(&self) -> Request {
        Request::parse(&self.variables()).unwrap_or_else(|mistake| panic!("{mistake}; {self:#?}"))
    }
}

/// An expression that is also JSON, or text; in both, Zeebe reads a backslash as an escape.
fn evaluate(source: &str) -> Value {
    match source.strip_prefix('=') {
        Some(expression) => serde_json::from_str(expression).unwrap(),
        None => source.replace("\\\\", "\\").into(),
    }
}

/// The names, texts, numbers and booleans in a value.
fn leaves(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, value)| [vec![name.clone()], leaves(value)].concat()).collect()
        }
        Value::Array(items) => items.iter().flat_map(leaves).collect(),
        Value::String(text) => vec![text.clone()],
        Value::Null => vec![],
        other => vec![other.to_string()],
    }
}

#[test]
fn every_operation_is_applied_with_a_named_connection_and_one_with_every_way_to_sign_in() {
    let found: BTreeSet<_> = cases()
        .into_iter()
        .map(|case| (case.operation, case.connection, case.authentication, case.filled))
        .collect();
    let ways: Vec<_> = AuthenticationMethod::ALL.iter().map(|way| Some(way.name())).chain([None]).collect();
    let mut expected = BTreeSet::new();
    for (index, operation) in operations::ALL.iter().enumerate() {
        for &way in ways.iter().filter(|way| index == 0 || way.is_none()) {
            for filled in [false, true] {
                let connection = if way.is_some() { "inline" } else { "named" };
                let way = way.map(str::to_owned);
                expected.insert((operation.name.to_owned(), connection.to_owned(), way, filled));
            }
        }
    }
    assert_eq!(found, expected, "refresh tests/template/applied.json: node check.mjs --update");
}

#[test]
fn the_fields_of_an_operation_arrive_under_its_names_and_are_all_read() {
    for case in cases() {
        let variables = case.variables();
        let Value::Object(given) = &variables["salesforceRequest"]["operation"] else { panic!("{case:#?}") };
        let is_given = |kind: &InputKind, required| {
            case.filled || required || matches!(kind, InputKind::Boolean { .. } | InputKind::Choice { .. })
        };
        let inputs = case.descriptor().inputs.iter();
        let inputs = inputs.filter(|input| input.kind.is_general());
        let expected = inputs.filter(|input| is_given(&input.kind, input.required)).map(|input| input.name);
        let expected: Vec<&str> = std::iter::once("type").chain(expected).collect();
        assert_eq!(given.keys().collect::<Vec<_>>(), expected, "{case:#?}");

        let operation = case.request().operation;
        assert_eq!(operation.descriptor().name, case.operation);
        // A word of a list to choose from is a variant with a capital letter.
        let plain = |text: String| text.replace(' ', "").to_lowercase();
        let read = plain(format!("{operation:?}"));
        for (name, value) in given.iter().filter(|(name, _)| *name != "type") {
            // The object of a record is no column of a bulk job.
            let is_bulk = case.descriptor().area == operations::Area::Bulk;
            for leaf in leaves(value).into_iter().filter(|leaf| !(is_bulk && *leaf == "attributes")) {
                let shown = plain(format!("{leaf:?}"));
                assert!(read.contains(shown.trim_matches('"')), "{name}: {leaf} is not in {read}");
            }
        }
    }
}

#[test]
fn the_connection_is_read_as_it_was_chosen() {
    for case in cases() {
        match (&case.request().connection, case.connection.as_str(), case.authentication.as_deref()) {
            (Connection::Named(name), "named", None) => assert_eq!(name.0, "dev"),
            (Connection::Inline { base_url, authentication }, "inline", Some(way)) => {
                assert_eq!(base_url.0, "https://acme.my.salesforce.com");
                assert_eq!(authentication.method().name(), way);
                let given = case.inputs.iter().filter_map(|(target, source)| {
                    let name = target.strip_prefix("salesforceRequest.connection.authentication.")?;
                    (name != "type").then(|| (name, source.as_str().unwrap()))
                });
                let given: Vec<_> = given.collect();
                let names: Vec<_> = given.iter().map(|(name, _)| *name).collect();
                assert_eq!(names, offered(authentication.method(), case.filled));
                for (name, source) in given {
                    let fields = authentication.method().fields();
                    let field = fields.iter().find(|field| field.task == Some(name)).unwrap();
                    assert_eq!(authentication.plain(field.name), Some(source), "{name}");
                    assert!(!field.secret || source.contains("{{secrets."), "{name}");
                }
            }
            _ => panic!("{case:#?}"),
        }
    }
}

/// The fields that a way to sign in shows: all, or those that must be filled.
fn offered(way: AuthenticationMethod, all: bool) -> Vec<&'static str> {
    let (needed, optional): (&[_], &[_]) = match way {
        AuthenticationMethod::Bearer => (&["token"], &[]),
        AuthenticationMethod::ClientCredentials => {
            (&["clientId", "clientSecret", "clientAuthentication"], &[])
        }
        AuthenticationMethod::JwtBearer => (&["clientId", "username", "privateKey"], &["audience"]),
        AuthenticationMethod::RefreshToken => (&["clientId", "refreshToken"], &["clientSecret"]),
        AuthenticationMethod::Password => (&["clientId", "clientSecret", "username", "password"], &[]),
    };
    let mut names = needed.to_vec();
    // Where it stands in the panel.
    let place = if way == AuthenticationMethod::RefreshToken { 1 } else { names.len() };
    names.splice(place..place, if all { optional.to_vec() } else { vec![] });
    names
}

#[test]
fn version_and_timeout_are_read() {
    for case in cases() {
        let request = case.request();
        let version = case.filled.then_some("v66.0");
        assert_eq!(request.api_version.map(|version| version.to_string()).as_deref(), version);
        assert_eq!(request.timeout, case.filled.then_some(Duration::from_secs(20)));
    }
}

#[test]
fn the_headers_are_read_and_fit_the_operation() {
    for case in cases() {
        let headers = Headers::parse(&case.headers, &Expressions::default())
            .unwrap_or_else(|mistake| panic!("{mistake}; {case:#?}"));
        assert_eq!(headers.check(case.descriptor()), Ok(()));
        let last = *case.descriptor().contents.last().unwrap();
        assert_eq!(headers.result, case.filled.then(|| ("account".to_owned(), last)));
        assert_eq!(headers.result_expression.is_some(), case.filled);
        assert_eq!(headers.error_expression, None, "the codes are chosen");
        assert_eq!(headers.retry_backoff, case.filled.then_some(Duration::from_secs(10)));
        assert_eq!(case.headers.contains_key("bpmnErrors"), case.filled);
        assert_eq!(case.headers.contains_key("jobTimeout"), case.filled);
    }
}

#[test]
fn the_task_has_the_workers_job_type_and_retries() {
    for case in cases() {
        assert_eq!(case.job_type, "salesforce-connector:1");
        assert_eq!(case.retries, if case.filled { "5" } else { "3" });
    }
}
