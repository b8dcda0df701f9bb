//! Queries as bulk jobs: all their pages, waited for without a permit, begun anew where they are gone.

use std::time::Duration;

use salesforce_connector::{
    connector::STATE_VARIABLE,
    zeebe::{JobHandler, Outcome},
};
use salesforce_connector_dev::org::DevOrg;
use serde_json::{Value, json};

use super::bulk::{body, calls, id, parked, with};
use crate::handler::{Bench, code, failed, job};

fn query(soql: &str) -> Value {
    json!({"type": "bulkRunQuery", "soqlQuery": soql})
}

#[tokio::test]
async fn a_bulk_query_gives_the_records_of_all_its_pages() {
    let org = DevOrg::builder().page_size(10).start().await.unwrap();
    let bench = Bench::start_with(org, |_| ());
    for number in 0..25 {
        let phone = if number == 7 { Value::Null } else { json!("1") };
        bench.org.insert("Account", json!({"Name": format!("A{number:02}"), "Phone": phone})).unwrap();
    }
    let soql = "SELECT Name, Phone FROM Account WHERE Name LIKE :name ORDER BY Name";
    let all = with(query(soql), "parameters", json!({"name": {"startsWith": "A"}}));
    let found = body(&bench, all.clone()).await;
    assert_eq!((&found["totalSize"], &found["done"]), (&json!(25), &json!(true)));
    assert_eq!(found["records"].as_array().unwrap().len(), 25);
    assert_eq!(found["records"][7], json!({"Name": "A07", "Phone": null}));
    assert_eq!((calls(&bench.org, "GET", "/results"), calls(&bench.org, "POST", "/query")), (3, 1));

    let few = body(&bench, with(all.clone(), "maxRecords", 12)).await;
    assert_eq!((few["records"].as_array().unwrap().len(), &few["done"]), (12, &json!(false)));
    let first = bench.result(all, "firstRecord").await;
    assert_eq!(first["Name"], "A00");
}

#[tokio::test]
async fn a_bulk_query_waits_as_a_bulk_job_does_and_is_begun_anew_when_it_is_gone() {
    let bench =
        Bench::start_with(DevOrg::start().await.unwrap(), |options| options.bulk_wait = Duration::ZERO);
    bench.org.insert("Account", json!({"Name": "Acme"})).unwrap();
    bench.org.bulk().hold();
    let operation = query("SELECT Name FROM Account");
    let headers = [("resultVariable", "found"), ("resultContent", "records")];
    let mut task = job(json!({"connection": {"name": "dev"}, "operation": operation}), &headers);
    let mut note = parked(&bench.connector.handle(&task).await);
    task.variables.insert(STATE_VARIABLE.to_owned(), note.clone());
    assert_eq!(parked(&bench.connector.handle(&task).await), note);
    bench.org.bulk().release();
    let Outcome::Complete { variables } = bench.connector.handle(&task).await else { panic!("it is over") };
    assert_eq!((&variables["found"], calls(&bench.org, "POST", "/query")), (&json!([{"Name": "Acme"}]), 1));

    note["bulk"]["id"] = json!("7505g00000XyZaBAAV");
    task.variables.insert(STATE_VARIABLE.to_owned(), note);
    let _ = bench.connector.handle(&task).await;
    assert_eq!(calls(&bench.org, "POST", "/query"), 2);
}

#[tokio::test]
async fn a_bulk_query_that_fails_or_is_refused_says_why() {
    let bench =
        Bench::start_with(DevOrg::start().await.unwrap(), |options| options.bulk_wait = Duration::ZERO);
    let failure = bench.failure(query("SELECT Name FORM Account"), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("MALFORMED_QUERY", 0));
    bench.org.bulk().hold();
    let mut task =
        job(json!({"connection": {"name": "dev"}, "operation": query("SELECT Name FROM Account")}), &[]);
    let note = parked(&bench.connector.handle(&task).await);
    bench.org.bulk().fail("InternalServerError : try again");
    task.variables.insert(STATE_VARIABLE.to_owned(), note);
    let failure = failed(bench.connector.handle(&task).await);
    assert_eq!((code(&failure), failure.retries), ("BULK_JOB_FAILED", 0));
    assert!(failure.message.contains("ended as Failed: InternalServerError"), "{}", failure.message);
    assert_eq!(failure.variables[STATE_VARIABLE], Value::Null);
}

#[tokio::test]
async fn a_bulk_query_is_begun_looked_at_and_read_step_by_step() {
    let bench = Bench::start().await;
    bench.org.insert("Account", json!({"Name": "Acme", "External_Key__c": "k"})).unwrap();
    let key = json!({"type": "deleteRecordByExternalId", "objectType": "Account", "externalIdField": "External_Key__c",
                     "externalId": "k"});
    bench.run(key, &[]).await;
    let begin = |deleted_too: bool| json!({"type": "bulkStartQuery", "soqlQuery": "SELECT Name FROM Account", "deletedToo": deleted_too});
    for (deleted_too, expected) in [(false, json!([])), (true, json!([{"Name": "Acme"}]))] {
        let job_id = id(&bench, begin(deleted_too)).await;
        let status = json!({"type": "bulkStatus", "bulkJobId": job_id, "jobType": "query"});
        assert_eq!(body(&bench, status).await["state"], "JobComplete");
        let results = json!({"type": "bulkResults", "bulkJobId": job_id, "rows": "query"});
        assert_eq!(bench.result(results, "records").await, expected);
    }
}
