//! Nothing that is logged holds a secret, at any level, whoever logs it.

use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use salesforce_connector::zeebe::{JobHandler as _, Outcome};
use salesforce_connector_dev::org::{Fault, FaultRule, Reply};
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
async fn told(bench: &Bench, prepare: impl Fn(&Bench, &Value)) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for authentication in ways() {
        prepare(bench, &authentication);
        let connection = json!({"baseUrl": bench.org.base_url(), "authentication": authentication});
        let operation = json!({"type": "query", "soqlQuery": "SELECT Id FROM Account"});
        let request = json!({"connection": connection, "operation": operation});
        let log = Log::default();
        let guard = log.start();
        let outcome = bench.connector.handle(&job(request, &[])).await;
        drop(guard);
        assert!(matches!(outcome, Outcome::Fail(_)), "{outcome:?}");
        all.push((log.text(), format!("{outcome:?}")));
    }
    all
}

fn assert_silent(told: &[(String, String)]) {
    let line = KEY.lines().nth(3).unwrap();
    for (log, outcome) in told {
        assert!(log.contains("TRACE") && log.contains("job not carried out"), "nothing was captured:\n{log}");
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
    let bench = Bench::start().await;
    assert_silent(&told(&bench, |_, _| ()).await);
}

#[tokio::test]
async fn nor_does_one_that_is_cut_or_answered_with_what_it_sent() {
    let bench = Bench::start().await;
    let cut = |bench: &Bench, _: &Value| bench.strike("POST", "/services/oauth2/token", Fault::CloseBefore);
    assert_silent(&told(&bench, cut).await);
    let bench = Bench::start().await;
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
    assert_silent(&told(&bench, echo).await);
}
