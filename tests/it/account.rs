//! Nothing is lost and nothing is done twice: the account of many jobs through one worker.

use serde_json::json;

use crate::support::{House, job};

const JOBS: usize = 10_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_jobs_are_each_done_once_with_one_login() {
    let house = House::start().await;
    let create = |number: usize| {
        let body = json!({"Name": format!("Account {number}")});
        job(json!({"type": "createRecord", "objectType": "Account", "body": body}))
            .headers([("resultVariable", "id"), ("resultContent", "id")])
    };
    let keys = house.gateway.create_jobs((0..JOBS).map(create));
    let account = house.gateway.all_finished().await;
    assert_eq!((account.completed, account.incidents, account.thrown), (JOBS, 0, 0), "{account:?}");

    let mut names: Vec<_> =
        house.org.records("Account").iter().map(|record| record["Name"].to_string()).collect();
    names.sort();
    names.dedup();
    assert_eq!(
        (names.len(), house.org.records("Account").len()),
        (JOBS, JOBS),
        "a record is missing or doubled"
    );
    let mut ids: Vec<_> =
        keys.iter().map(|key| house.gateway.job(*key).unwrap().result.unwrap()["id"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), JOBS, "two jobs were completed with the same record");
    assert_eq!(house.org.counters().tokens_issued, 1);

    let (summary, gateway, org) = house.drain().await;
    assert_eq!(summary.completed, JOBS as u64, "{summary}");
    gateway.stop().await;
    org.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_401_in_the_middle_costs_one_more_login_for_all() {
    const HALF: usize = 300;
    let house = House::start().await;
    let query = |_| job(json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"}));
    house.gateway.create_jobs((0..HALF).map(query));
    house.gateway.wait_until(|account| account.completed >= HALF / 2).await;
    house.org.revoke_tokens();
    house.gateway.create_jobs((0..HALF).map(query));
    let account = house.gateway.all_finished().await;
    assert_eq!((account.completed, account.incidents), (2 * HALF, 0), "{account:?}");
    assert_eq!(house.org.counters().tokens_issued, 2);
}
