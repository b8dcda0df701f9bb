//! What is read of a job, and what each mistake says.

use proptest::prelude::*;
use serde_json::json;

use super::super::authentication::AuthenticationMethod;
use super::*;

fn parse(request: Value) -> Result<Request, String> {
    let mut variables = Map::new();
    variables.insert(INPUT_VARIABLE.to_owned(), request);
    Request::parse(&variables).map_err(|mistake| mistake.to_string())
}

fn with(part: &str, value: Value) -> Value {
    let mut request = json!({
        "connection": {"name": "production"},
        "operation": {"type": "query", "soqlQuery": "SELECT Id FROM Account"},
    });
    request[part] = value;
    request
}

fn inline(authentication: &Value) -> Value {
    let url = "https://acme.my.salesforce.com";
    with("connection", json!({"baseUrl": url, "authentication": authentication}))
}

#[test]
fn a_named_connection_and_defaults() {
    let mut request = with("options", json!({"timeout": ""}));
    request["apiVersion"] = Value::Null;
    let request = parse(request).unwrap();
    assert!(matches!(&request.connection, Connection::Named(name) if name.0 == "production"));
    assert_eq!((request.api_version, request.timeout), (None, None));
}

#[test]
fn an_inline_connection_version_and_timeout() {
    let credentials = json!({
        "type": "oauth-client-credentials-flow", "clientId": "id", "clientSecret": "{{secrets.S}}",
        "oauthTokenEndpoint": " "
    });
    let mut request = inline(&credentials);
    request["apiVersion"] = json!("68.0");
    request["options"] = json!({"timeout": "PT1M"});
    let request = parse(request).unwrap();
    let Connection::Inline { base_url, authentication } = &request.connection else { panic!("named") };
    assert_eq!(base_url.0, "https://acme.my.salesforce.com");
    assert_eq!(authentication.method(), AuthenticationMethod::ClientCredentials);
    assert_eq!(
        (authentication.plain("client_id"), authentication.plain("token_endpoint")),
        (Some("id"), None)
    );
    assert_eq!(request.api_version, Some("v68.0".parse().unwrap()));
    assert_eq!(request.timeout, Some(Duration::from_mins(1)));
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn each_mistake_names_its_path_what_was_expected_and_what_was_found() {
    let either = "salesforceRequest.connection: expected either name, or baseUrl and authentication, found";
    let types = "one of bearer, oauth-client-credentials-flow, oauth-jwt-bearer-flow, oauth-refresh-token-flow, \
                 oauth-password-flow";
    let operations: Vec<_> = operations::ALL.iter().map(|operation| operation.name).collect();
    let operations = operations.join(", ");
    for (request, message) in [
        (Value::Null, "salesforceRequest: expected an object, found null".to_owned()),
        (json!("{}"), "salesforceRequest: expected an object, found a string".to_owned()),
        (json!("query"), "salesforceRequest: expected an object, found the string \"query\"".to_owned()),
        (json!({}), "salesforceRequest.connection: expected a value, found nothing".to_owned()),
        (
            with("operation", json!("query")),
            "salesforceRequest.operation: expected an object, found the string \"query\"".to_owned(),
        ),
        (
            with("operation", json!({"soqlQuery": "SELECT"})),
            format!("salesforceRequest.operation.type: expected one of the operations: {operations}, found nothing"),
        ),
        (
            with("operation", json!({"type": "query"})),
            "salesforceRequest.operation.soqlQuery: expected a string, found nothing".to_owned(),
        ),
        (
            with("apiversion", json!("v67.0")),
            "salesforceRequest.apiversion: expected one of the fields: connection, apiVersion, operation, \
             options, found \"apiversion\"; did you mean apiVersion?"
                .to_owned(),
        ),
        (
            with("apiVersion", json!("67")),
            "salesforceRequest.apiVersion: expected an API version such as \"v67.0\", from v31.0 to v99.0, found \
             the string \"67\""
                .to_owned(),
        ),
        (
            with("options", json!({"timeout": "20"})),
            "salesforceRequest.options.timeout: expected an ISO 8601 duration greater than zero, such as \
             \"PT20S\", found the string \"20\""
                .to_owned(),
        ),
        (
            with("options", json!({"timeout": "PT0S"})),
            "salesforceRequest.options.timeout: expected an ISO 8601 duration greater than zero, such as \
             \"PT20S\", found the string \"PT0S\""
                .to_owned(),
        ),
        (
            with("options", json!({"callOptions": {"client": "a, defaultNamespace=b"}})),
            "salesforceRequest.options.callOptions.client: expected a name of up to 100 letters, digits, spaces and . _ \
             / -, found the string \"a, defaultNamespace=b\""
                .to_owned(),
        ),
        (
            with("options", json!({"callOptions": {"defaultNamespace": "1a"}})),
            "salesforceRequest.options.callOptions.defaultNamespace: expected the namespace of a package, up to 15 \
             letters, digits and underscores, found the string \"1a\""
                .to_owned(),
        ),
        (with("connection", json!({})), format!("{either} neither")),
        (with("connection", json!({"name": " "})), format!("{either} neither")),
        (
            with("connection", json!({"name": "a", "baseUrl": "https://b"})),
            format!("{either} name and one of the others"),
        ),
        (
            with("connection", json!({"baseUrl": "https://b"})),
            "salesforceRequest.connection.authentication: expected an object, found nothing".to_owned(),
        ),
        (
            with("connection", json!({"authentication": {"type": "bearer", "token": "t"}})),
            "salesforceRequest.connection.baseUrl: expected a string, found nothing".to_owned(),
        ),
        (
            inline(&json!({"type": "basic"})),
            format!("salesforceRequest.connection.authentication.type: expected {types}, found a string"),
        ),
        (
            inline(&json!({"type": "soapLogin", "username": "u"})),
            format!(
                "salesforceRequest.connection.authentication.type: expected {types} (SOAP login is not offered, for \
                 Salesforce retires it in Summer '27: use oauth-client-credentials-flow, or oauth-jwt-bearer-flow \
                 to act as a certain user), found a string"
            ),
        ),
        (
            inline(&json!({"type": "oauth-jwt-bearer-flow", "clientId": "c", "username": "u"})),
            "salesforceRequest.connection.authentication.privateKey: expected a value, found nothing".to_owned(),
        ),
        (
            inline(&json!({"type": "oauth-refresh-token-flow", "clientId": "c", "stateFile": "/etc/passwd"})),
            "salesforceRequest.connection.authentication.stateFile: expected one of the fields: clientId, \
             clientSecret, refreshToken, previousClientSecret, clientAuthentication, environment, loginUrl, \
             oauthTokenEndpoint, found \"stateFile\""
                .to_owned(),
        ),
        (
            inline(&json!({"type": "oauth-password-flow", "environment": "prod"})),
            "salesforceRequest.connection.authentication.environment: expected one of production, sandbox, \
             customDomain, found another text"
                .to_owned(),
        ),
        (
            inline(&json!({"type": "bearer"})),
            "salesforceRequest.connection.authentication.token: expected a value, found nothing".to_owned(),
        ),
        (
            inline(&json!({"type": "bearer", "tokn": "t", "token": "t"})),
            "salesforceRequest.connection.authentication.tokn: expected one of the fields: token, found \"tokn\"; \
             did you mean token?"
                .to_owned(),
        ),
    ] {
        assert_eq!(parse(request).unwrap_err(), message);
    }
    assert_eq!(
        Request::parse(&Map::new()).unwrap_err().to_string(),
        "salesforceRequest: expected an object, found nothing"
    );
}

#[test]
fn no_value_below_the_connection_is_repeated() {
    for connection in [
        json!("hunter2-hunter2"),
        json!({"baseUrl": 5, "authentication": "hunter2-hunter2"}),
        json!({"baseUrl": "b", "authentication": {"type": "hunter2-hunter2"}}),
        json!({"baseUrl": "b", "authentication": {"type": "bearer", "token": {"hunter2-hunter2": 1}}}),
        json!({"baseUrl": "b", "authentication": {"type": "bearer", "token": ["hunter2-hunter2"]}}),
    ] {
        let message = parse(with("connection", connection)).unwrap_err();
        assert!(!message.contains("hunter2"), "{message}");
    }
    let request = parse(inline(&json!({"type": "bearer", "token": "hunter2-hunter2"}))).unwrap();
    assert!(!format!("{request:?}").contains("hunter2"));
}

#[test]
fn the_operation_is_known_even_where_its_input_is_wrong() {
    let mut variables = Map::new();
    variables.insert(INPUT_VARIABLE.to_owned(), json!({"operation": {"type": "query"}}));
    assert_eq!(operation_named(&variables).unwrap().name, "query");
    assert!(operation_named(&Map::new()).is_none());
}

/// JSON of any shape, with names and values that occur in requests so that it gets somewhere.
fn any_json() -> impl Strategy<Value = Value> {
    let word = "connection|name|baseUrl|authentication|type|bearer|token|operation|options|timeout|query|body|\
                createRecord|objectType|soqlQuery|allPages|externalId|\\$serde_json::private::Number|.{0,5}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        word.prop_map(Value::String),
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((word, inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_input_is_read_or_refused_without_a_panic(
        request in any_json(),
        operation in any_json(),
        name in "query|createRecord|getRecord|upsertRecord",
    ) {
        let _ = parse(request.clone());
        let mut fields = match operation {
            Value::Object(fields) => fields,
            other => Map::from_iter([("body".to_owned(), other)]),
        };
        fields.insert("type".to_owned(), json!(name));
        let _ = parse(json!({"connection": request, "operation": fields}));
        let _ = parse(json!({"connection": {"name": "a"}, "operation": fields}));
    }
}
