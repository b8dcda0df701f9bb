//! GraphQL: errors that come with a success, and mutations that are never sent twice.

use salesforce_connector::zeebe::Outcome;
use salesforce_connector_dev::org::Fault;
use serde_json::{Value, json};

use crate::handler::{Bench, code};

fn stored(bench: &Bench) -> usize {
    bench.org.records("Account").len()
}

fn graphql(document: &str, variables: Value) -> Value {
    json!({"type": "graphql", "query": document, "variables": variables})
}

#[tokio::test]
async fn graphql_reads_records_by_variables() {
    let bench = Bench::start().await;
    for name in ["Acme", "O'Brien", "Zeta"] {
        bench.org.insert("Account", json!({"Name": name})).unwrap();
    }
    let document = "query named($name: Picklist) { uiapi { query { Account(where: {Name: {eq: $name}}) {
        edges { node { Id Name { value } } } totalCount } } } }";
    bench.strike("POST", "/graphql", Fault::CloseAfter);
    let body = bench.result(graphql(document, json!({"name": "O'Brien"})), "body").await;
    let found = &body["data"]["uiapi"]["query"]["Account"];
    assert_eq!(
        (&found["totalCount"], &found["edges"][0]["node"]["Name"]["value"]),
        (&json!(1), &json!("O'Brien"))
    );
    let names = "= {names: body.data.uiapi.query.Account.edges.node.Name.value}";
    let all = graphql(
        "{ uiapi { query { Account(first: 2, orderBy: {Name: {order: DESC}}) { edges { node { Name { value } } } } } } }",
        json!({}),
    );
    let outcome = bench.run(all, &[("resultExpression", names)]).await;
    let Outcome::Complete { variables } = outcome else { panic!("{outcome:#?}") };
    assert_eq!(variables["names"], json!(["Zeta", "O'Brien"]));
}

#[tokio::test]
async fn errors_of_graphql_are_errors_though_the_status_is_success() {
    let bench = Bench::start().await;
    for (document, expected) in [
        ("{ uiapi { query { Account { edges { node { Nam { value } } } } } } }", "ValidationError"),
        ("{ uiapi { query { Nothing { totalCount } } } }", "ValidationError"),
        ("{ uiapi(x: [1) { a } }", "INVALID_INPUT"),
        ("{ uiapi }}", "INVALID_INPUT"),
        ("{ uiapi { query { Account(first: ) { totalCount } } } }", "InvalidSyntax"),
    ] {
        let failure = bench.failure(graphql(document, json!({})), &[]).await;
        assert_eq!((code(&failure), failure.retries), (expected, 0), "{document}");
    }
    let document = "{ uiapi { query { Account { edges { node { Nam { value } } } } } } }";
    let failure = bench.failure(graphql(document, json!({})), &[]).await;
    let error = &failure.variables["error"];
    assert_eq!(
        (&error["status"], &error["errors"][0]["fields"]),
        (&json!(200), &json!(["uiapi.query.Account"]))
    );
}

const CREATE: &str = "mutation open($name: String) { uiapi { AccountCreate(input: {Account: {Name: $name}}) { Record { Id } } } }";

#[tokio::test]
async fn a_mutation_changes_records_once() {
    let bench = Bench::start().await;
    let body = bench.result(graphql(CREATE, json!({"name": "Acme"})), "body").await;
    let id = &body["data"]["uiapi"]["AccountCreate"]["Record"]["Id"];
    assert_eq!(bench.org.records("Account")[0]["Id"], *id);
    let failure = bench.failure(graphql(CREATE, json!({"name": null})), &[]).await;
    assert_eq!((code(&failure), stored(&bench)), ("DataFetchingException", 1));
    bench.strike("POST", "/graphql", Fault::CloseAfter);
    let failure = bench.failure(graphql(CREATE, json!({"name": "Beta"})), &[]).await;
    assert_eq!((code(&failure), failure.retries, stored(&bench)), ("OUTCOME_UNKNOWN", 0, 2));
}

#[tokio::test]
async fn a_mutation_that_is_partly_done_is_not_sent_again_by_an_expression() {
    let bench = Bench::start().await;
    let document = "mutation { uiapi(input: {allOrNone: false}) { a: AccountCreate(input: {Account: {Name: \"A\"}}) { Record { Id } }
        b: AccountCreate(input: {Account: {}}) { Record { Id } } } }";
    let again = [("errorExpression", "=if error = null then null else jobError(\"again\", {}, 5)")];
    let failure = bench.failure(graphql(document, json!({})), &again).await;
    assert_eq!((failure.retries, stored(&bench)), (0, 1), "{failure:#?}");
    let all = document.replace("allOrNone: false", "allOrNone: true");
    let failure = bench.failure(graphql(&all, json!({})), &again).await;
    assert_eq!((failure.retries, stored(&bench)), (5, 1));
}
