//! `dev-org` as a program: what each of its flags does to a login, as `check` sees it.

use std::{fs, path::Path, process::Stdio};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/dev/tests/org/keys");

/// A running `dev-org`; it is killed when it is dropped.
struct Program {
    _child: Child,
    url: String,
}

fn program(command: &str) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_salesforce-connector"));
    program.arg(command).env_clear().stdin(Stdio::null()).kill_on_drop(true);
    program
}

async fn dev_org(flags: &[String]) -> Program {
    let mut program = program("dev-org");
    program.args(["--listen", "127.0.0.1:0"]).args(flags).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = program.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let greeting = lines.next_line().await.unwrap().unwrap_or_else(|| panic!("{flags:?} does not start"));
    let url = greeting.split(' ').next_back().unwrap().to_owned();
    // Read to its end, so that the program is not stopped by a closed pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Program { _child: child, url }
}

/// The fields of each way to log in, with DevOrg's known credentials.
fn authentication(way: &str) -> String {
    let fields = match way {
        "oauth-client-credentials-flow" => "client_secret = \"dev-secret\"".to_owned(),
        "oauth-jwt-bearer-flow" => format!(
            "username = \"dev@example.com\"\naudience = \"https://login.salesforce.com\"\n\
             private_key_file = \"{KEYS}/jwt-private.pem\""
        ),
        "oauth-refresh-token-flow" => "refresh_token = \"dev-refresh\"".to_owned(),
        "oauth-password-flow" => "client_secret = \"dev-secret\"\nusername = \"dev@example.com\"\n\
                                  password = \"dev-password\"\nsecurity_token = \"dev-token\""
            .to_owned(),
        way => panic!("{way}"),
    };
    format!("type = \"{way}\"\nclient_id = \"dev-client\"\n{fields}\n")
}

/// What `check` says of a connection that logs in this way.
async fn check(folder: &Path, url: &str, way: &str) -> Value {
    let file = folder.join("connector.toml");
    let configuration = format!(
        "[hosts]\nallow_http = true\nallow_loopback = true\n[connections.dev]\nbase_url = \"{url}\"\n\
         [connections.dev.authentication]\n{}",
        authentication(way)
    );
    fs::write(&file, configuration).unwrap();
    let mut program = program("check");
    let output =
        program.args(["--json", "--connection", "dev", "--config"]).arg(&file).output().await.unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    report["connections"][0].clone()
}

fn flags(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

const CLIENT: &str = "oauth-client-credentials-flow";
const JWT: &str = "oauth-jwt-bearer-flow";
const REFRESH: &str = "oauth-refresh-token-flow";
const PASSWORD: &str = "oauth-password-flow";

#[tokio::test]
async fn without_a_flag_every_flow_works_but_jwt_which_needs_the_public_key() {
    let folder = tempfile::tempdir().unwrap();
    let org = dev_org(&[]).await;
    for way in [CLIENT, REFRESH, PASSWORD] {
        let report = check(folder.path(), &org.url, way).await;
        assert_eq!(
            (&report["ok"], &report["user"]["username"]),
            (&json!(true), &json!("dev@example.com")),
            "{report}"
        );
    }
    assert!(check(folder.path(), &org.url, JWT).await.to_string().contains("invalid assertion"));
    let org = dev_org(&flags(&format!("--jwt-public-key {KEYS}/jwt-public.pem"))).await;
    let report = check(folder.path(), &org.url, JWT).await;
    assert_eq!(report["ok"], true, "{report}");
}

#[tokio::test]
async fn each_flag_that_refuses_is_told_in_salesforces_words() {
    let folder = tempfile::tempdir().unwrap();
    let key = format!("--jwt-public-key {KEYS}/jwt-public.pem");
    for (switch, way, words) in [
        ("--refuse-grant client-credentials", CLIENT, "unsupported_grant_type"),
        // Of this one Salesforce does not tell why.
        ("--refuse-grant password,refresh-token", PASSWORD, "authentication failure"),
        ("--refuse-grant password --refuse-grant refresh-token", REFRESH, "unsupported_grant_type"),
        ("--user-access not-approved", JWT, "user hasn't approved this consumer"),
        ("--user-access not-admin-approved", CLIENT, "user is not admin approved"),
        ("--user-access user-inactive", CLIENT, "inactive_user"),
        ("--user-access org-inactive", CLIENT, "inactive_org"),
        ("--no-run-as-user", CLIENT, "no client credentials user enabled"),
        ("--shared-login-host", CLIENT, "request not supported on this domain"),
        ("--logins-per-hour 0", CLIENT, "login rate exceeded"),
        ("--jwt-audience https://test.salesforce.com", JWT, "Audience validation failed"),
        ("--session-lifetime 1ms", CLIENT, "INVALID_SESSION_ID"),
    ] {
        let org = dev_org(&flags(&format!("{switch} {key}"))).await;
        let report = check(folder.path(), &org.url, way).await;
        let message = report["findings"][0]["message"].as_str().unwrap_or_default();
        assert!(report["ok"] == false && message.contains(words), "{switch}: {report:#}");
    }
}

#[tokio::test]
async fn a_refresh_token_that_is_rotated_works_once() {
    let folder = tempfile::tempdir().unwrap();
    let org = dev_org(&flags("--rotate-refresh-tokens")).await;
    assert_eq!(check(folder.path(), &org.url, REFRESH).await["ok"], true);
    let report = check(folder.path(), &org.url, REFRESH).await;
    assert_eq!(report["findings"][0]["code"], "REFRESH_TOKEN_EXPIRED", "{report:#}");
}

#[tokio::test]
async fn the_clock_of_the_org_may_be_off() {
    let folder = tempfile::tempdir().unwrap();
    for (flag, seconds) in [("--clock-skew 2h", -7_200), ("--clock-skew=-2h", 7_200)] {
        let org = dev_org(&flags(flag)).await;
        let report = check(folder.path(), &org.url, CLIENT).await;
        let skew = report["clockSkewSeconds"].as_i64().unwrap();
        assert!((skew - seconds).abs() < 60, "{flag}: {skew}");
    }
}

#[tokio::test]
async fn a_user_who_says_no_sends_the_browser_back_with_that() {
    let org = dev_org(&flags("--user-access denied")).await;
    salesforce_connector::tls::use_ring();
    let client =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let query = "response_type=code&client_id=dev-client&redirect_uri=http://127.0.0.1:1/back&state=s";
    let answer = client.get(format!("{}/services/oauth2/authorize?{query}", org.url)).send().await.unwrap();
    let place = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    let error = place.query_pairs().find(|(name, _)| name == "error").map(|(_, value)| value.into_owned());
    assert_eq!((answer.status().as_u16(), error.as_deref()), (302, Some("access_denied")), "{place}");
}

#[tokio::test]
async fn a_flag_that_makes_no_sense_is_told_before_anything_runs() {
    for (switch, words) in [
        (
            "--refuse-grant soap",
            "client-credentials, jwt-bearer, refresh-token, password, authorization-code",
        ),
        ("--user-access maybe", "not-admin-approved"),
        ("--clock-skew soon", "expected a duration"),
        ("--latency fast", "expected a duration such as 50ms"),
        ("--jwt-public-key there-is-no-such-file.pem", "cannot read there-is-no-such-file.pem"),
    ] {
        let output =
            program("dev-org").args(["--listen", "127.0.0.1:0"]).args(flags(switch)).output().await.unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && complaint.contains(words), "{switch}: {complaint}");
    }
}
