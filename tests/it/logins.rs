//! Logins under load: one for many jobs where they work, and few where they do not.

use std::{collections::BTreeSet, time::Duration};

use salesforce_connector::connector::{AuthenticationMethod, ConnectionAuthentication, NamedConnection};
use salesforce_connector_dev::{
    gateway::{DevGateway, JobRecord, JobState, NewJob},
    org::{DevOrg, Fault, FaultRule, Gate, LoginPolicy, Reply},
};
use serde_json::json;
use tokio::time::Instant;

use crate::support::{House, JOB_TYPE, job};

const ORGS: usize = 20;
const JOBS: usize = 1_000;

/// Creates an account of this name through the connection `org-N`.
fn creation(name: usize) -> NewJob {
    let operation =
        json!({"type": "createRecord", "objectType": "Account", "body": {"Name": name.to_string()}});
    let connection = json!({"name": format!("org-{}", name % ORGS)});
    NewJob::new(JOB_TYPE)
        .variables(json!({"salesforceRequest": {"connection": connection, "operation": operation}}))
}

fn logins(orgs: &[DevOrg]) -> Vec<u64> {
    orgs.iter().map(|org| org.counters().token_requests).collect()
}

/// The names of all accounts; a doubled one is there twice.
fn accounts(orgs: &[DevOrg]) -> Vec<usize> {
    let records = orgs.iter().flat_map(|org| org.records("Account"));
    let mut names: Vec<usize> =
        records.map(|record| record["Name"].as_str().unwrap().parse().unwrap()).collect();
    names.sort_unstable();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_jobs_on_twenty_connections_cost_twenty_logins_and_twenty_more_once_all_tokens_are_revoked()
 {
    let mut orgs = Vec::new();
    for _ in 0..ORGS {
        orgs.push(DevOrg::start().await.unwrap());
    }
    let (first, gateway) = (DevOrg::start().await.unwrap(), DevGateway::start().await.unwrap());
    let house = House::start_between(first, gateway, |config| {
        config.worker.max_jobs_active = JOBS;
        config.connector.connections = (0..ORGS)
            .map(|number| {
                let authentication = ConnectionAuthentication::client_credentials("dev-client", "dev-secret");
                let mut connection = NamedConnection::new(orgs[number].base_url(), authentication);
                // A busy machine may hold them for long.
                connection.request_timeout = Some(Duration::from_mins(5));
                (format!("org-{number}"), connection)
            })
            .collect();
    })
    .await;

    // All at once, so that nobody finds a token: the first of each org logs in, the others wait for it.
    house.gateway.create_jobs((0..JOBS).map(creation));
    house.gateway.wait_until(|account| account.completed == JOBS).await;
    assert_eq!(logins(&orgs), [1; ORGS]);

    // The next thousand are under way with good tokens when these are revoked.
    let gate = Gate::new();
    for org in &orgs {
        let hold = FaultRule::new(Fault::Hold(gate.clone())).method("POST").path("/sobjects/Account");
        org.faults().add(hold.times(JOBS / ORGS));
    }
    house.gateway.create_jobs((JOBS..2 * JOBS).map(creation));
    gate.held(JOBS).await;
    for org in &orgs {
        org.revoke_tokens();
    }
    gate.open();
    house.gateway.wait_until(|account| account.completed == 2 * JOBS).await;
    assert_eq!(logins(&orgs), [2; ORGS]);
    let refused: u64 = orgs.iter().map(|org| org.counters().unauthorized_requests).sum();
    assert_eq!(refused, JOBS as u64, "each of them met the revoked token");

    assert_eq!(accounts(&orgs), (0..2 * JOBS).collect::<Vec<_>>(), "one record for each job");
    let jobs = house.gateway.jobs();
    assert!(jobs.iter().all(|job| job.activations() == 1 && job.failures().is_empty()));
    let (summary, ..) = house.drain().await;
    assert_eq!(summary.completed, 2 * JOBS as u64, "{summary}");
}

const PUBLIC_KEY: &str = include_str!("../../dev/tests/org/keys/jwt-public.pem");
const PRIVATE_KEY: &str = include_str!("../../dev/tests/org/keys/jwt-private.pem");
const OTHER_KEY: &str = include_str!("../../dev/tests/org/keys/other-private.pem");

fn client_credentials(secret: &str) -> ConnectionAuthentication {
    ConnectionAuthentication::client_credentials("dev-client", secret)
}

fn jwt(key: &str, audience: &str) -> ConnectionAuthentication {
    ConnectionAuthentication::new(AuthenticationMethod::JwtBearer)
        .with("client_id", "dev-client")
        .with("username", "dev@example.com")
        .with("private_key", key)
        .with("audience", audience)
}

const AUDIENCE: &str = "https://login.salesforce.com";

async fn jwt_org(change: impl FnOnce(&mut LoginPolicy)) -> DevOrg {
    DevOrg::builder().jwt_public_key(PUBLIC_KEY).login_policy(change).start().await.unwrap()
}

/// An org whose token endpoint does this to every request.
async fn org_with(fault: Fault) -> DevOrg {
    let org = DevOrg::start().await.unwrap();
    org.faults().add(FaultRule::new(fault).path("/oauth2/token").times(usize::MAX));
    org
}

async fn org_that_answers(status: u16, body: impl Into<Vec<u8>>) -> DevOrg {
    org_with(Fault::Respond(Reply::new(status, body.into()))).await
}

const TWO_HUNDRED: usize = 200;

/// A busy machine may hold an answer for long.
const PATIENT: Duration = Duration::from_mins(5);

/// How long a job rests, at least, while the token endpoint is not available.
const REST: Duration = Duration::from_secs(5);

/// How often a login that fails may be tried within this time: at once, and after 1, 5 and 30 s.
fn allowed(elapsed: Duration) -> u64 {
    1 + [1, 6, 36].into_iter().filter(|seconds| elapsed.as_secs() >= *seconds).count() as u64
}

/// Two hundred jobs fail through this connection: all with the same code, which cost few logins and no call, and say
/// these words.
async fn two_hundred_jobs_fail(org: DevOrg, authentication: ConnectionAuthentication, told: (&str, &[&str])) {
    two_hundred_jobs_fail_within(PATIENT, (org, authentication), told).await;
}

/// A worker with this login and this patience, and two hundred queries of one retry that need it.
async fn two_hundred_queries(
    patience: Duration,
    (org, authentication): (DevOrg, ConnectionAuthentication),
) -> House {
    let gateway = DevGateway::start().await.unwrap();
    let house = House::start_between(org, gateway, |config| {
        let connection = config.connector.connections.get_mut("dev").unwrap();
        connection.authentication = authentication;
        connection.request_timeout = Some(patience);
    })
    .await;
    let query = || job(json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"})).retries(1);
    house.gateway.create_jobs((0..TWO_HUNDRED).map(|_| query()));
    house
}

/// They cost few logins and no call, and say these words but no secret.
fn told_without_a_call(house: &House, started: Instant, words: &[&str]) {
    let counters = house.org.counters();
    assert!(counters.token_requests <= allowed(started.elapsed()), "{counters:?}");
    assert_eq!((counters.tokens_issued, counters.api_requests), (0, 0), "{counters:?}");
    let message = house.gateway.jobs()[0].error_message.clone().unwrap();
    for word in words {
        assert!(message.contains(word), "{word:?} is missing in: {message}");
    }
    for secret in ["wrong-secret", "PRIVATE KEY", &PRIVATE_KEY[60..100], "s3cret"] {
        assert!(!message.contains(secret), "{message}");
    }
}

async fn two_hundred_jobs_fail_within(
    patience: Duration,
    connection: (DevOrg, ConnectionAuthentication),
    (code, words): (&str, &[&str]),
) {
    let started = Instant::now();
    let house = two_hundred_queries(patience, connection).await;
    house.gateway.wait_until(|account| account.incidents == TWO_HUNDRED).await;
    told_without_a_call(&house, started, words);
    let jobs: Vec<JobRecord> = house.gateway.jobs();
    let codes: BTreeSet<_> =
        jobs.iter().map(|job| job.local_variables["error"]["code"].to_string()).collect();
    assert_eq!(codes, BTreeSet::from([format!("{code:?}")]));
    assert!(jobs.iter().all(|job| job.state == JobState::Incident));
}

/// Two hundred jobs wait, with the one retry that they came with, for a login that is not available.
async fn two_hundred_jobs_wait(patience: Duration, org: DevOrg) {
    let started = Instant::now();
    let house = two_hundred_queries(patience, (org, client_credentials("dev-secret"))).await;
    house.gateway.wait_until(|account| account.returned_unchanged >= TWO_HUNDRED).await;
    told_without_a_call(&house, started, &["given back with unchanged retries"]);
    let backoffs: Vec<Duration> = house.gateway.jobs().iter().filter_map(|job| job.backoff).collect();
    assert!(backoffs.iter().all(|backoff| *backoff >= REST), "{backoffs:?}");
    assert_eq!(house.gateway.account().incidents, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_client_secret() {
    let words = ["client id and client secret do not fit", "External Client App", "10 minutes"];
    let org = DevOrg::start().await.unwrap();
    two_hundred_jobs_fail(org, client_credentials("wrong-secret"), ("AUTHENTICATION_FAILED", &words)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_private_key() {
    let words = ["does not belong to the certificate", "External Client App", "dev@example.com", AUDIENCE];
    let org = jwt_org(|_| ()).await;
    two_hundred_jobs_fail(org, jwt(OTHER_KEY, AUDIENCE), ("AUTHENTICATION_FAILED", &words)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_the_app_that_has_expired() {
    let refusal = json!({"error": "invalid_grant", "error_description": "invalid assertion"}).to_string();
    let org = org_that_answers(400, refusal).await;
    let words = ["certificate has expired", "upload"];
    two_hundred_jobs_fail(org, jwt(PRIVATE_KEY, AUDIENCE), ("AUTHENTICATION_FAILED", &words)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_audience() {
    let org = jwt_org(|policy| policy.jwt_audiences = vec![AUDIENCE.to_owned()]).await;
    let wrong = jwt(PRIVATE_KEY, "https://test.salesforce.com");
    let words = ["the audience does not fit the org", "audience \"https://test.salesforce.com\""];
    two_hundred_jobs_fail(org, wrong, ("AUTHENTICATION_FAILED", &words)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_two_hours_off() {
    let org = jwt_org(|policy| policy.clock_skew_seconds = 7_200).await;
    let words = ["this machine's clock is 2 h 0 min behind Salesforce's", "NTP"];
    two_hundred_jobs_fail(org, jwt(PRIVATE_KEY, AUDIENCE), ("CLOCK_SKEW", &words)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_is_missing() {
    let org = DevOrg::start().await.unwrap();
    let words = ["NOWHERE", "connections.dev.authentication.client_secret"];
    let missing = client_credentials("{{secrets.NOWHERE}}");
    two_hundred_jobs_fail(org, missing, ("SECRET_NOT_FOUND", &words)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_endpoint_that_answers_html() {
    let page =
        Reply::new(200, "<html><head><title>Login</title></head></html>").header("content-type", "text/html");
    let org = org_with(Fault::Respond(page)).await;
    let words = ["expected JSON with access_token, found an HTML page", "is this the token endpoint"];
    two_hundred_jobs_fail(org, client_credentials("dev-secret"), ("AUTHENTICATION_FAILED", &words)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_reply_without_a_token() {
    let org = org_that_answers(200, "{}").await;
    let words = ["expected JSON with access_token, found JSON without it"];
    two_hundred_jobs_fail(org, client_credentials("dev-secret"), ("AUTHENTICATION_FAILED", &words)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_endpoint_in_trouble() {
    let org = org_that_answers(500, "<html>oops</html>").await;
    two_hundred_jobs_wait(PATIENT, org).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_endpoint_that_hangs_up() {
    let org = org_with(Fault::CloseBefore).await;
    two_hundred_jobs_wait(PATIENT, org).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_endpoint_that_answers_ten_megabytes() {
    let org = org_that_answers(200, vec![b'x'; 10 * 1024 * 1024]).await;
    let words = ["larger than 65536 bytes", "is this the token endpoint"];
    two_hundred_jobs_fail(org, client_credentials("dev-secret"), ("AUTHENTICATION_FAILED", &words)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_endpoint_that_never_answers() {
    let org = org_with(Fault::Hold(Gate::new())).await;
    two_hundred_jobs_wait(Duration::from_millis(500), org).await;
}

/// A wrong configuration does not start: the mistake is told before the first job.
async fn refused_at_the_start(authentication: ConnectionAuthentication) -> String {
    let (org, gateway) = (DevOrg::start().await.unwrap(), DevGateway::start().await.unwrap());
    let mut config = crate::support::config(&org, &gateway);
    config.connector.connections.get_mut("dev").unwrap().authentication = authentication;
    let error = salesforce_connector::app::App::build(config).await.err().unwrap();
    assert!(org.requests().is_empty());
    format!("{error:#}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_none_and_a_secret_that_is_empty_are_told_at_the_start() {
    let message = refused_at_the_start(jwt("hunter2-hunter2", AUDIENCE)).await;
    for word in ["connections.dev", "expected an RSA key as PEM text", "BEGIN PRIVATE KEY"] {
        assert!(message.contains(word), "{word:?} is missing in: {message}");
    }
    assert!(!message.contains("hunter2"), "{message}");
    let message = refused_at_the_start(client_credentials(" ")).await;
    for word in ["connections.dev", "the client secret is empty"] {
        assert!(message.contains(word), "{word:?} is missing in: {message}");
    }
}
