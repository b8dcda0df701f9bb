//! Nothing that is logged holds a secret, at any level, whoever logs it.

use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use salesforce_connector::{
    connector::{AuthenticationMethod, ConnectionAuthentication, NamedConnection},
    zeebe::{JobHandler as _, Outcome},
};
use salesforce_connector_dev::org::{DevOrg, Fault, FaultRule, Reply};
use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;

use crate::handler::{Bench, job};

const KEY: &str = include_str!("../../src/salesforce/tests/keys/rsa.pkcs8.pem");

/// All that is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn start(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let lines = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_ansi(false);
        tracing::subscriber::set_default(lines.with_writer(move || log.clone()).finish())
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// Every way to log in, with secrets that can be told apart.
fn ways() -> Vec<Value> {
    vec![
        json!({"type": "bearer", "token": "hunter2-token"}),
        json!({"type": "oauth-client-credentials-flow", "clientId": "c", "clientSecret": "hunter2-client",
               "previousClientSecret": "hunter2-previous"}),
        json!({"type": "oauth-client-credentials-flow", "clientId": "c", "clientSecret": "hunter2-client",
               "clientAuthentication": "basic"}),
        json!({"type": "oauth-jwt-bearer-flow", "clientId": "c", "username": "u", "privateKey": KEY}),
        json!({"type": "oauth-refresh-token-flow", "clientId": "c", "clientSecret": "hunter2-client",
               "refreshToken": "hunter2-refresh"}),
        json!({"type": "oauth-password-flow", "clientId": "c", "clientSecret": "hunter2-client", "username": "u",
               "password": "hunter2-password", "securityToken": "hunter2-security"}),
    ]
}

/// Runs a job with each way to log in, and gives what was logged and what came out.
async fn told(prepare: impl Fn(&Bench, &Value)) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for authentication in ways() {
        // An org that is out of reach too often is left alone, and then nothing is sent.
        let bench = Bench::start().await;
        prepare(&bench, &authentication);
        let connection = json!({"baseUrl": bench.org.base_url(), "authentication": authentication});
        let operation = json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"});
        let request = json!({"connection": connection, "operation": operation});
        let log = Log::default();
        let guard = log.start();
        let outcome = bench.connector.handle(&job(request, &[])).await;
        drop(guard);
        assert!(matches!(outcome, Outcome::Fail(_) | Outcome::Park { .. }), "{outcome:?}");
        all.push((log.text(), format!("{outcome:?}")));
    }
    all
}

fn assert_silent(told: &[(String, String)]) {
    let line = KEY.lines().nth(3).unwrap();
    for (log, outcome) in told {
        // A job that waits for a login has not failed; then the login itself is told of.
        let told = ["job failed: an incident", "job not carried out", "got no access token"];
        let is_told = told.iter().any(|line| log.contains(line));
        assert!(log.contains("TRACE") && is_told, "nothing was captured:\n{log}");
        for text in [log, outcome] {
            // How they begin, also in Base64 at each of its three places.
            for trace in ["hunter2", "aHVudGVyM", "h1bnRlcj", "odW50ZXIy", line] {
                assert!(!text.contains(trace), "{trace} in\n{text}");
            }
        }
    }
}

#[tokio::test]
async fn a_login_that_fails_tells_no_secret_at_any_level() {
    assert_silent(&told(|_, _| ()).await);
}

#[tokio::test]
async fn nor_does_one_that_is_cut_or_answered_with_what_it_sent() {
    let cut = |bench: &Bench, _: &Value| bench.strike("POST", "/services/oauth2/token", Fault::CloseBefore);
    assert_silent(&told(cut).await);
    let echo = |bench: &Bench, authentication: &Value| {
        let sent: Vec<_> = authentication.as_object().unwrap().values().filter_map(Value::as_str).collect();
        let basic =
            STANDARD.encode(format!("c:{}", authentication["clientSecret"].as_str().unwrap_or_default()));
        let words = format!("you sent {}, that is, Basic {basic}", sent.join(""));
        let body = json!({"error": "invalid_grant", "error_description": words}).to_string();
        let reply = Reply::new(400, body).header("content-type", "application/json").header("x-echo", &basic);
        bench.org.faults().clear();
        bench.org.faults().add(FaultRule::new(Fault::Respond(reply)).times(2));
    };
    assert_silent(&told(echo).await);
}

#[tokio::test]
async fn a_legacy_way_to_log_in_is_told_once_for_each_connection_and_names_it() {
    let bench = Bench::start_with(DevOrg::start().await.unwrap(), |options| {
        let password = ConnectionAuthentication::new(AuthenticationMethod::Password)
            .with("client_id", "dev-client")
            .with("client_secret", "dev-secret")
            .with("username", "dev@example.com")
            .with("password", "dev-password")
            .with("security_token", "dev-token");
        let dev = options.connections["dev"].clone();
        // The same credentials: one login for both, and still two connections to move over.
        for name in ["old", "older"] {
            let connection = NamedConnection { authentication: password.clone(), ..dev.clone() };
            options.connections.insert(name.to_owned(), connection);
        }
    });
    let log = Log::default();
    let guard = log.start();
    for name in ["old", "older", "dev", "old", "older"] {
        let operation = json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"});
        let request = json!({"connection": {"name": name}, "operation": operation});
        bench.connector.handle(&job(request, &[])).await;
    }
    drop(guard);
    let log = log.text();
    let told: Vec<&str> = log.lines().filter(|line| line.contains("which is legacy")).collect();
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].contains("connection=\"old\"") && told[1].contains("connection=\"older\""), "{told:#?}");
    assert_eq!(bench.org.counters().token_requests, 2);
}

#[tokio::test]
async fn tokens_that_were_received_are_masked_in_incidents_and_in_results() {
    let bench = Bench::start().await;
    let issue = json!({"access_token": "00D!received-access", "refresh_token": "received-refresh",
                       "instance_url": bench.org.base_url(), "token_type": "Bearer"});
    let json = |status, body: &Value| {
        let reply = Reply::new(status, body.to_string()).header("content-type", "application/json");
        Fault::Respond(reply)
    };
    bench.strike("POST", "/services/oauth2/token", json(200, &issue));
    let words = format!(
        "00D!received-access, 00D%21received-access, {} and received-refresh",
        STANDARD.encode("Bearer 00D!received-access")
    );
    let refusal = json!([{"errorCode": "INVALID_FIELD", "message": words}]);
    let answer = json!({"totalSize": 1, "done": true, "records": [{"Name": words}]});
    let query = json!({"type": "query", "soqlQuery": "SELECT Name FROM Account"});
    for body in [json(400, &refusal), json(200, &answer)] {
        bench.strike("GET", "/query", body);
        let outcome = bench.run(query.clone(), &[("resultVariable", "result")]).await;
        let told = format!("{outcome:?}");
        assert!(told.contains("***"), "{told}");
        for trace in ["received-", &STANDARD.encode("00D!received-access")[4..20]] {
            assert!(!told.contains(trace), "{trace} in {told}");
        }
    }
    assert_eq!(bench.org.counters().token_requests, 1, "the second job used the same token");
}
