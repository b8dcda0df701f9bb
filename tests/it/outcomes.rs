//! What becomes of each kind of job, between a handler and DevOrg, without a gateway.

use std::time::Duration;

use salesforce_connector::{
    connector::{AuthenticationMethod, ConnectionAuthentication, NamedConnection},
    zeebe::{Job, JobHandler as _, Lock, Outcome},
};
use salesforce_connector_dev::org::{DevOrg, Fault, FaultRule, Gate, Reply};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::handler::{Bench, code, create, failed, job, login, query};

fn upsert(key: &str) -> Value {
    json!({"type": "upsertRecord", "objectType": "Account", "externalIdField": "External_Key__c",
           "externalId": key, "body": {"Name": "Acme", "External_Key__c": key}})
}

#[tokio::test]
async fn every_operation_that_names_a_record_gives_its_id() {
    let bench = Bench::start().await;
    let id = bench.result(create("Acme"), "id").await;
    assert_eq!(id.as_str().unwrap().len(), 18);
    for operation in [
        json!({"type": "getRecord", "objectType": "Account", "objectId": id, "fields": ["Name"]}),
        json!({"type": "updateRecord", "objectType": "Account", "objectId": id, "body": {"Phone": "1"}}),
        json!({"type": "deleteRecord", "objectType": "Account", "objectId": id}),
    ] {
        assert_eq!(bench.result(operation, "id").await, id);
    }
    let upserted = bench.result(upsert("k"), "body").await;
    assert_eq!((&upserted["success"], &upserted["created"]), (&json!(true), &json!(true)));
    assert_eq!(bench.result(upsert("k"), "id").await, upserted["id"]);
}

#[tokio::test]
async fn a_delete_whose_answer_was_lost_is_done_and_not_an_error() {
    let bench = Bench::start().await;
    let id = bench.org.insert("Account", json!({"Name": "Acme"})).unwrap();
    let delete = json!({"type": "deleteRecord", "objectType": "Account", "objectId": id});
    bench.strike("DELETE", "/sobjects/Account", Fault::CloseAfter);
    assert_eq!(bench.result(delete, "id").await, json!(id));
    assert_eq!(bench.org.records("Account").len(), 0);
    let never = json!({"type": "deleteRecord", "objectType": "Account", "objectId": "001000000000000"});
    assert_eq!(code(&bench.failure(never, &[]).await), "NOT_FOUND");
}

#[tokio::test]
async fn pages_are_merged_and_a_maximum_saves_calls() {
    let bench = Bench::start_with(DevOrg::builder().page_size(2).start().await.unwrap(), |_| ());
    for number in 0..7 {
        bench.org.insert("Account", json!({"Name": format!("A{number}")})).unwrap();
    }
    let names = |records: &Value| -> Vec<String> {
        records.as_array().unwrap().iter().map(|record| record["Name"].as_str().unwrap().to_owned()).collect()
    };
    let pages = |further: Value| {
        let mut operation = query();
        operation.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
        operation
    };
    let all = bench.result(pages(json!({"allPages": true})), "records").await;
    assert_eq!(names(&all), ["A0", "A1", "A2", "A3", "A4", "A5", "A6"]);

    let before = bench.org.counters().api_requests;
    let some = bench.result(pages(json!({"allPages": "true", "maxRecords": "3"})), "records").await;
    assert_eq!((names(&some).len(), bench.org.counters().api_requests - before), (3, 2));
    let one = bench.result(pages(json!({"maxRecords": 1})), "body").await;
    assert_eq!(
        (&one["totalSize"], &one["done"], names(&one["records"]).len()),
        (&json!(7), &json!(false), 1)
    );
    assert_eq!(bench.result(query(), "firstRecord").await["Name"], "A0");
}

#[tokio::test]
async fn an_expired_cursor_on_the_second_page_is_an_error_and_not_half_a_result() {
    let bench = Bench::start_with(DevOrg::builder().page_size(1).start().await.unwrap(), |_| ());
    for number in 0..3 {
        bench.org.insert("Account", json!({"Name": format!("A{number}")})).unwrap();
    }
    let expired = Reply::error(400, "INVALID_QUERY_LOCATOR", "invalid query locator");
    bench.org.faults().add(FaultRule::new(Fault::Respond(expired)).path("/query/").times(usize::MAX));
    let mut operation = query();
    operation["allPages"] = json!(true);
    assert_eq!(code(&bench.failure(operation, &[]).await), "INVALID_QUERY_LOCATOR");
}

#[tokio::test]
async fn what_can_be_refused_is_refused_without_a_call() {
    let bench = Bench::start().await;
    for (operation, headers) in [
        (query(), vec![("resultExpression", "={a: body")]),
        (query(), vec![("errorExpression", "=bpmnError(")]),
        (query(), vec![("resultVariable", "r"), ("resultContent", "id")]),
        (query(), vec![("resultContent", "records")]),
        (query(), vec![("bpmnErrors", "a b")]),
        (query(), vec![("retryBackoff", "soon")]),
        (json!({"type": "query"}), vec![]),
        (json!({"type": "nothing"}), vec![]),
        (json!(null), vec![]),
    ] {
        let failure = bench.failure(operation, &headers).await;
        assert_eq!((code(&failure), failure.retries), ("INVALID_INPUT", 0), "{failure:?}");
        assert_eq!(failure.variables["error"]["type"], "input");
    }
    let missing =
        failed(bench.connector.handle(&Job { variables: Map::new(), ..job(Value::Null, &[]) }).await);
    assert_eq!(
        missing.message,
        "Salesforce task failed with INVALID_INPUT: salesforceRequest: expected an object, found nothing. It is not \
         tried again by itself. Correct the task's input in the model or the variables it uses."
    );
    assert_eq!(bench.org.requests().len(), 0);
}

#[tokio::test]
async fn an_unknown_connection_is_answered_with_those_there_are() {
    let bench = Bench::start().await;
    let request = json!({"connection": {"name": "Dev"}, "operation": query()});
    let failure = failed(bench.connector.handle(&job(request, &[])).await);
    assert_eq!(code(&failure), "UNKNOWN_CONNECTION");
    let words = "expected one of the configured connections: dev, found \"Dev\"; did you mean dev?";
    assert!(failure.message.contains(words), "{}", failure.message);
}

#[tokio::test]
async fn a_named_connection_that_cannot_be_used_names_its_key_in_the_configuration() {
    let bench = Bench::start_with(DevOrg::start().await.unwrap(), |options| {
        let address = |base_url: &str, secret: &str| NamedConnection::new(base_url, login(secret));
        options.connections.insert("far".to_owned(), address("https://evil.example.com", "secret"));
        options.connections.insert("bad".to_owned(), address("not an address", "secret"));
        options
            .connections
            .insert("bare".to_owned(), address("https://a.my.salesforce.com", "{{secrets.X}}"));
    });
    for (name, expected, place) in [
        ("far", "HOST_NOT_ALLOWED", "connections.far"),
        ("bad", "INVALID_ADDRESS", "connections.bad"),
        ("bare", "SECRET_NOT_FOUND", "connections.bare.authentication.client_secret"),
    ] {
        let request = json!({"connection": {"name": name}, "operation": query()});
        let failure = failed(bench.connector.handle(&job(request, &[])).await);
        assert_eq!((code(&failure), failure.retries), (expected, 0));
        assert!(failure.message.contains(&format!("{place}: ")), "{}", failure.message);
        assert_eq!(failure.variables["error"]["type"], "configuration");
    }
    assert_eq!(bench.org.requests().len(), 0);
}

#[tokio::test]
async fn secrets_of_an_inline_connection_come_from_files_and_never_go_out() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("SF_SECRET"), "dev-secret\n").unwrap();
    std::fs::write(directory.path().join("SF_ID"), "dev-client").unwrap();
    let bench = Bench::start_with(DevOrg::start().await.unwrap(), |options| {
        options.secrets.directory = Some(directory.path().to_owned());
    });
    bench.org.insert("Account", json!({"Name": "it is dev-secret, said dev-client"})).unwrap();
    let authentication = json!({"type": "oauth-client-credentials-flow", "clientId": "{{secrets.SF_ID}}",
                                "clientSecret": "{{ secrets.SF_SECRET }}"});
    let connection = json!({"baseUrl": bench.org.base_url(), "authentication": authentication});
    let request = json!({"connection": connection, "operation": query()});
    let headers = [("resultVariable", "a"), ("resultContent", "firstRecord")];
    let outcome = bench.connector.handle(&job(request.clone(), &headers)).await;
    let Outcome::Complete { variables } = &outcome else { panic!("{outcome:?}") };
    assert_eq!(variables["a"]["Name"], "it is ***, said ***");

    let told = Reply::error(400, "CODE_dev-secret", "no field dev-secret, nor ZGV2LXNlY3JldA==");
    bench.strike("GET", "/query", Fault::Respond(told));
    let outcome = bench.connector.handle(&job(request.clone(), &[])).await;
    let shown = format!("{outcome:?}");
    assert!(
        !shown.contains("dev-secret") && !shown.contains("ZGV2LXNlY3JldA") && shown.contains("***"),
        "{shown}"
    );

    // A secret that changes is read again, and a wrong one is an authentication error.
    std::fs::write(directory.path().join("SF_SECRET"), "another-secret").unwrap();
    let failure = failed(bench.connector.handle(&job(request, &[])).await);
    assert_eq!((code(&failure), failure.retries), ("AUTHENTICATION_FAILED", 0));
}

#[tokio::test]
async fn a_business_error_is_thrown_where_the_model_asks_for_it() {
    let bench = Bench::start().await;
    let contact = json!({"LastName": "One", "External_Key__c": "k"});
    bench.org.insert("Contact", contact.clone()).unwrap();
    let twin = json!({"type": "createRecord", "objectType": "Contact", "body": contact});
    let outcome = bench.run(twin.clone(), &[("bpmnErrors", "NOT_FOUND, duplicate_value")]).await;
    let Outcome::ThrowError { code: thrown, variables, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!((thrown.as_str(), &variables["error"]["status"]), ("DUPLICATE_VALUE", &json!(400)));
    let failure = bench.failure(twin, &[("bpmnErrors", "NOT_FOUND")]).await;
    assert_eq!((code(&failure), failure.retries), ("DUPLICATE_VALUE", 0));
    assert!(failure.message.contains("bpmnErrors"), "{}", failure.message);
}

#[tokio::test]
async fn an_upsert_that_finds_several_records_is_a_business_error() {
    let bench = Bench::start().await;
    let urls = r#"["/services/data/v67.0/sobjects/Account/1","/services/data/v67.0/sobjects/Account/2"]"#;
    bench.strike("PATCH", "/Account/", Fault::Respond(Reply::new(300, urls)));
    let outcome = bench.run(upsert("k"), &[("bpmnErrors", "business")]).await;
    let Outcome::ThrowError { code, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(code, "MULTIPLE_CHOICES");
}

#[tokio::test]
async fn a_create_that_times_out_has_an_unknown_outcome_and_a_query_is_tried_again() {
    let bench = Bench::start().await;
    let gate = Gate::new();
    bench.org.faults().add(FaultRule::new(Fault::Hold(gate.clone())).path("/sobjects").times(usize::MAX));
    bench.org.faults().add(FaultRule::new(Fault::Hold(gate.clone())).path("/query").times(usize::MAX));
    for (operation, expected, retries) in [(create("Acme"), "OUTCOME_UNKNOWN", 0), (query(), "TIMEOUT", 2)] {
        let request =
            json!({"connection": {"name": "dev"}, "operation": operation, "options": {"timeout": "PT0.2S"}});
        let failure = failed(bench.connector.handle(&job(request, &[("retryBackoff", "PT7S")])).await);
        assert_eq!((code(&failure), failure.retries), (expected, retries), "{failure:?}");
        let rest = if retries > 0 { Duration::from_secs(7) } else { Duration::ZERO };
        assert_eq!(failure.backoff, rest);
        if retries == 0 {
            assert!(failure.message.contains("upsertRecord"), "{}", failure.message);
        }
    }
    gate.open();
}

#[tokio::test]
async fn with_too_little_of_the_lock_left_a_create_is_not_sent() {
    let bench = Bench::start().await;
    let request = json!({"connection": {"name": "dev"}, "operation": create("Acme")});
    let lock = Lock::until(Instant::now() + Duration::from_millis(900));
    let failure = failed(bench.connector.handle(&Job { lock, ..job(request, &[]) }).await);
    assert_eq!((code(&failure), failure.retries), ("TOO_LITTLE_TIME", 2));
    assert_eq!(bench.org.requests().len(), 0);
}

#[tokio::test]
async fn a_result_that_is_too_large_after_a_write_says_that_the_write_was_done() {
    let bench = Bench::start_with(DevOrg::start().await.unwrap(), |options| options.max_result_bytes = 50);
    let failure = bench.failure(create("Acme"), &[("resultVariable", "response")]).await;
    assert_eq!((code(&failure), failure.retries), ("RESULT_TOO_LARGE", 0));
    assert!(failure.message.contains("The write itself was done"), "{}", failure.message);
    let id = &failure.variables["error"]["variables"]["response"]["body"]["id"];
    assert_eq!(*id, bench.org.records("Account")[0]["Id"]);

    let failure = bench.failure(query(), &[("resultVariable", "response")]).await;
    assert!(
        failure.message.contains("LIMIT") && failure.message.contains("maxRecords"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn a_huge_error_answer_still_fits_into_the_report() {
    let bench = Bench::start().await;
    let huge = Reply::error(400, "INVALID_FIELD", &"x".repeat(2_000_000));
    bench.strike("GET", "/query", Fault::Respond(huge));
    let failure = bench.failure(query(), &[]).await;
    assert!(failure.message.chars().count() <= 6000);
    let size = serde_json::to_vec(&failure.variables).unwrap().len();
    assert!(size < 260 * 1024, "{size}");
}

#[tokio::test]
async fn jobs_are_counted_by_operation_and_outcome() {
    let bench = Bench::start().await;
    bench.run(query(), &[]).await;
    bench.run(json!({"type": "createRecord"}), &[]).await;
    bench.run(json!({"type": "mystery"}), &[]).await;
    let page = bench.metrics.encode();
    for line in [
        r#"salesforce_connector_jobs_handled_total{operation="query",outcome="completed"} 1"#,
        r#"salesforce_connector_jobs_handled_total{operation="createRecord",outcome="failed"} 1"#,
        r#"salesforce_connector_jobs_handled_total{operation="unknown",outcome="failed"} 1"#,
    ] {
        assert!(page.contains(line), "{line}\nis missing in\n{page}");
    }
}

#[tokio::test]
async fn check_logs_in_by_name_and_masks_what_fails() {
    let bench = Bench::start_with(DevOrg::start().await.unwrap(), |options| {
        let mut wrong = options.connections["dev"].clone();
        wrong.authentication = login("wrong-secret");
        options.connections.insert("wrong".to_owned(), wrong);
    });
    let connections = bench.connector.connections();
    assert_eq!(connections.names().collect::<Vec<_>>(), ["dev", "wrong"]);
    let patience = Duration::from_secs(30);
    let well = connections.look_at("dev", patience).await.unwrap();
    assert!(well.is_well() && well.address == Some(bench.org.base_url()), "{well:?}");
    let wrong = connections.look_at("wrong", patience).await.unwrap();
    assert_eq!(wrong.findings[0].code, "AUTHENTICATION_FAILED");
    assert!(!format!("{wrong:?}").contains("wrong-secret"), "{wrong:?}");
    assert_eq!(connections.look_at("nowhere", patience).await.unwrap_err().code(), "UNKNOWN_CONNECTION");
}

#[tokio::test]
async fn a_connection_is_only_for_the_tenants_and_processes_it_names() {
    let bench = Bench::start_with(DevOrg::start().await.unwrap(), |options| {
        options.allow_inline = false;
        let mut limited = options.connections["dev"].clone();
        limited.processes = vec!["order".to_owned()];
        options.connections.insert("orders".to_owned(), limited.clone());
        limited.processes = vec!["process".to_owned()];
        limited.tenants = vec!["red".to_owned()];
        options.connections.insert("red".to_owned(), limited.clone());
        limited.tenants.clear();
        options.connections.insert("mine".to_owned(), limited);
    });
    let inline =
        json!({"baseUrl": bench.org.base_url(), "authentication": {"type": "bearer", "token": "hunter2"}});
    for (connection, words) in [
        (json!({"name": "orders"}), "connections.orders.processes"),
        (json!({"name": "red"}), "connections.red.tenants"),
        (inline, "connections.allow_inline"),
    ] {
        let failure = failed(
            bench.connector.handle(&job(json!({"connection": connection, "operation": query()}), &[])).await,
        );
        assert_eq!((code(&failure), failure.retries), ("CONNECTION_NOT_ALLOWED", 0));
        assert!(
            failure.message.contains(words) && !failure.message.contains("hunter2"),
            "{}",
            failure.message
        );
    }
    assert_eq!(bench.org.requests().len(), 0);
    let allowed = json!({"connection": {"name": "mine"}, "operation": query()});
    assert!(matches!(bench.connector.handle(&job(allowed, &[])).await, Outcome::Complete { .. }));
}

#[tokio::test]
async fn a_bad_private_key_is_found_at_the_start_and_a_secret_that_may_come_later_is_not() {
    let jwt = |key: &str| {
        let empty = ConnectionAuthentication::new(AuthenticationMethod::JwtBearer);
        empty.with("client_id", "c").with("username", "u").with("private_key", key)
    };
    for (key, expected) in [("hunter2-hunter2", Some("INVALID_CREDENTIALS")), ("{{secrets.LATER}}", None)] {
        let bench = Bench::start_with(DevOrg::start().await.unwrap(), |options| {
            let connection = NamedConnection::new(options.connections["dev"].base_url.clone(), jwt(key));
            options.connections.insert("jwt".to_owned(), connection);
        });
        let checked = bench.connector.connections().check().await;
        assert_eq!(checked.as_ref().err().map(salesforce_connector::connector::Error::code), expected);
        if let Err(error) = checked {
            let text = error.to_string();
            assert!(text.contains("connections.jwt") && !text.contains("hunter2"), "{text}");
        }
    }
}

#[tokio::test]
async fn calls_name_the_client_and_the_namespace_that_the_task_gives() {
    let bench = Bench::start().await;
    let called = async |options: Value| {
        let request = json!({"connection": {"name": "dev"}, "operation": query(), "options": options});
        let outcome = bench.connector.handle(&job(request, &[])).await;
        assert!(matches!(outcome, Outcome::Complete { .. }), "{outcome:#?}");
        let last = bench.org.requests().pop().unwrap();
        last.header("sforce-call-options").unwrap().to_owned()
    };
    let own = called(
        json!({"timeout": "PT5S", "callOptions": {"client": "Order desk", "defaultNamespace": "acme"}}),
    )
    .await;
    assert_eq!(own, "client=Order desk, defaultNamespace=acme");
    assert!(
        called(json!({})).await.starts_with("client=salesforce-connector"),
        "the next job says nothing of it"
    );
}
