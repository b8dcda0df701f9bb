//! `check`, as a program between the doubles; its output in docs/connections.md is what it prints here.

use std::{fs, path::Path, process::Output};

use salesforce_connector_dev::{
    gateway::DevGateway,
    org::{DevOrg, Fault, FaultRule, Grant, Reply},
};
use serde_json::{Value, json};
use tokio::process::Command;

/// Runs `check` with this configuration, and with `SECRET_` variables.
async fn check(configuration: &str, arguments: &[&str], secrets: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("connector.toml");
    fs::write(&file, configuration).unwrap();
    Command::new(env!("CARGO_BIN_EXE_salesforce-connector"))
        .arg("check")
        .args(arguments)
        .arg("--config")
        .arg(&file)
        .env_clear()
        .envs(secrets.iter().map(|(name, value)| (format!("SECRET_{name}"), value)))
        .output()
        .await
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn configuration(gateway: &str, connections: &[String]) -> String {
    format!(
        "[gateway]\naddress = \"{gateway}\"\n[hosts]\nallow_http = true\nallow_loopback = true\n{}",
        connections.join("\n")
    )
}

fn connection(name: &str, org: &DevOrg, more: &str) -> String {
    format!(
        "[connections.{name}]\nbase_url = \"{}\"\n{more}\n[connections.{name}.authentication]\n\
         type = \"oauth-client-credentials-flow\"\nclient_id = \"dev-client\"\n\
         client_secret = \"{{{{secrets.{}}}}}\"\n",
        org.base_url(),
        name.to_uppercase()
    )
}

async fn json_of(org: &DevOrg, more: &str, secret: &str) -> (Value, Output) {
    let configuration = configuration("http://127.0.0.1:1", &[connection("dev", org, more)]);
    let output = check(&configuration, &["--json", "--connection", "dev"], &[("DEV", secret)]).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (report["connections"][0].clone(), output)
}

/// The block of the documentation that follows this line.
fn documented(after: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/connections.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, rest) =
        page.split_once(after).unwrap_or_else(|| panic!("{after:?} is not in docs/connections.md"));
    let (_, block) = rest.split_once("```text\n").unwrap();
    block.split("```").next().unwrap().to_owned()
}

/// Breaks of lines depend on the length of ports, what is left on who else called; everything else has to be equal.
fn normalised(text: &str, replacements: &[(String, &str)]) -> String {
    let mut text = text.to_owned();
    for (found, stands_for) in replacements {
        text = text.replace(found.as_str(), stands_for);
    }
    let words = text.split_whitespace().map(|word| if word.starts_with("14,9") { "14,9xx" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn the_documentation_shows_what_check_prints() {
    let (gateway, org) = (DevGateway::start().await.unwrap(), DevOrg::start().await.unwrap());
    let addresses = [(gateway.url(), "http://127.0.0.1:26500"), (org.base_url(), "http://127.0.0.1:8090")];
    let production = connection("production", &org, "");
    let well = configuration(&gateway.url(), std::slice::from_ref(&production));
    let sandbox = connection("sandbox", &org, "api_version = \"v90.0\"");
    let staging = connection("staging", &org, "");
    let ill = configuration(&gateway.url(), &[production, sandbox, staging]);
    let secrets = [("PRODUCTION", "dev-secret"), ("SANDBOX", "dev-secret"), ("STAGING", "mistyped-secret")];
    for (configuration, code, place) in
        [(well, 0, "When all is well, `check` prints:"), (ill, 1, "When something is wrong, `check` prints:")]
    {
        let output = check(&configuration, &[], &secrets).await;
        let printed = text(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{printed}{}", text(&output.stderr));
        assert_eq!(output.stderr, b"", "the progress is for terminals");
        assert!(!printed.contains("-secret") && !printed.contains('\x1b'), "{printed}");
        assert_eq!(normalised(&printed, &addresses), normalised(&documented(place), &[]), "{printed}");
    }
}

#[tokio::test]
async fn json_has_the_documented_fields() {
    let (gateway, org) = (DevGateway::start().await.unwrap(), DevOrg::start().await.unwrap());
    let configuration = configuration(&gateway.url(), &[connection("dev", &org, "")]);
    let output = check(&configuration, &["--json"], &[("DEV", "dev-secret")]).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let organization = &org.records("Organization")[0]["Id"];
    assert_eq!(report["ok"], true);
    let questions = org.requests().into_iter().filter(|request| request.path == "/services/data");
    assert_eq!(questions.count(), 1, "the look at the versions serves the calls beside it");
    assert_eq!(
        report["gateway"],
        json!({"ok": true, "address": gateway.url(), "authentication": "none", "version": report["gateway"]["version"],
            "brokers": 1, "clusterSize": 1, "partitions": 1, "healthyPartitions": 1, "problem": null})
    );
    let connection = &report["connections"][0];
    let available = connection["apiVersion"]["available"].as_array().unwrap();
    assert_eq!((available.len(), &available[37]), (38, &json!("v68.0")));
    assert_eq!(
        connection,
        &json!({"ok": true, "name": "dev", "authentication": "oauth-client-credentials-flow", "secretsFound": true,
            "address": org.base_url(),
            "user": {"id": org.records("User")[0]["Id"], "username": "dev@example.com"},
            "org": {"id": organization, "name": "Dev Org", "instance": "DEV1", "sandbox": true},
            "apiVersion": {"wanted": "v67.0", "available": available},
            "dailyApiRequests": connection["dailyApiRequests"], "clockSkewSeconds": 0, "findings": []})
    );
    assert_eq!(connection["dailyApiRequests"]["max"], 15_000);
    assert_eq!(org.counters().tokens_issued, 1, "one login for all looks");
}

#[tokio::test]
async fn each_failure_has_its_part_its_causes_and_a_next_step() {
    let org = DevOrg::builder().login_policy(|policy| policy.run_as_user = false).start().await.unwrap();
    let (report, output) = json_of(&org, "", "dev-secret").await;
    assert_eq!(output.status.code(), Some(1));
    let finding = &report["findings"][0];
    assert_eq!((&finding["part"], &finding["code"]), (&json!("login"), &json!("AUTHENTICATION_FAILED")));
    assert!(finding["causes"][0].as_str().unwrap().contains("run-as user"), "{finding}");
    assert!(finding["next"].as_str().unwrap().starts_with("Check the credentials"), "{finding}");

    let (report, _) = json_of(&org, "", "").await;
    let finding = &report["findings"][0];
    assert_eq!(
        (&finding["part"], &finding["code"], &report["secretsFound"]),
        (&json!("configuration"), &json!("SECRET_NOT_FOUND"), &json!(false))
    );
    assert!(finding["message"].as_str().unwrap().contains("SECRET_DEV"), "{finding}");
}

#[tokio::test]
async fn a_user_that_may_not_use_the_api_is_a_failure_of_the_org() {
    let org = DevOrg::start().await.unwrap();
    let disabled =
        Reply::error(403, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization.");
    org.faults().add(FaultRule::new(Fault::Respond(disabled)).path("/services/data/v67.0/query"));
    let (report, output) = json_of(&org, "", "dev-secret").await;
    assert_eq!(output.status.code(), Some(1));
    let finding = &report["findings"][0];
    assert_eq!((&finding["part"], &finding["code"]), (&json!("org"), &json!("API_DISABLED_FOR_ORG")));
    assert_eq!(report["address"], json!(org.base_url()));
}

#[tokio::test]
async fn what_an_app_may_not_see_is_a_hint_and_no_failure() {
    let org = DevOrg::start().await.unwrap();
    let forbidden = || Reply::error(403, "FORBIDDEN", "You do not have access to this resource.");
    for path in ["/services/oauth2/userinfo", "/services/data/v67.0/limits"] {
        org.faults().add(FaultRule::new(Fault::Respond(forbidden())).path(path));
    }
    let (report, output) = json_of(&org, "", "dev-secret").await;
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert_eq!(
        (&report["findings"][0]["part"], &report["findings"][0]["fails"]),
        (&json!("user"), &json!(false))
    );
    assert_eq!(report["dailyApiRequests"]["max"], 15_000, "every answer says it in a header");
}

#[tokio::test]
async fn a_clock_that_is_off_is_named() {
    let org =
        DevOrg::builder().login_policy(|policy| policy.clock_skew_seconds = 7200).start().await.unwrap();
    let (report, output) = json_of(&org, "", "dev-secret").await;
    assert_eq!(output.status.code(), Some(0));
    let skew = report["clockSkewSeconds"].as_i64().unwrap();
    assert!((-7205..=-7195).contains(&skew), "{skew}");
    let message = report["findings"][0]["message"].as_str().unwrap();
    assert_eq!(message, "this machine's clock is 2 h 0 min behind Salesforce's");
}

#[tokio::test]
async fn a_silent_org_costs_no_more_than_the_stated_time() {
    let org = DevOrg::start().await.unwrap();
    let gate = salesforce_connector_dev::org::Gate::new();
    org.faults().add(FaultRule::new(Fault::Hold(gate)).path("/services/oauth2/token"));
    let configuration = configuration("http://127.0.0.1:1", &[connection("dev", &org, "")]);
    let output =
        check(&configuration, &["--connection", "dev", "--timeout", "300ms"], &[("DEV", "dev-secret")]).await;
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(printed.contains("FAILED  login") && printed.contains("0.3 s"), "{printed}");
}

#[tokio::test]
async fn connections_that_are_not_there_are_told_with_those_that_are() {
    let org = DevOrg::start().await.unwrap();
    let two = configuration("http://127.0.0.1:1", &[connection("a", &org, ""), connection("b", &org, "")]);
    let output = check(&two, &["--connection", "c"], &[]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("no connection \"c\" in the configuration; there is: a, b"),
        "{output:?}"
    );
    let none = configuration("http://127.0.0.1:1", &[]);
    let output = check(&none, &["--connection", "c"], &[]).await;
    assert!(text(&output.stderr).contains("no connections are configured"), "{output:?}");
    let output = check(&none, &[], &[]).await;
    assert!(text(&output.stdout).contains("note    configuration  none is configured"), "{output:?}");
    assert_eq!(org.counters().token_requests, 0);
}

#[tokio::test]
async fn a_bearer_token_that_is_refused_is_a_failure_of_the_login() {
    let org = DevOrg::start().await.unwrap();
    let bearer = format!(
        "[connections.dev]\nbase_url = \"{}\"\n[connections.dev.authentication]\ntype = \"bearer\"\ntoken = \"expired-token\"\n",
        org.base_url()
    );
    let configuration = configuration("http://127.0.0.1:1", &[bearer]);
    let output = check(&configuration, &["--json", "--connection", "dev"], &[]).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["connections"][0]["findings"].as_array().unwrap();
    assert_eq!((findings.len(), &findings[0]["part"]), (1, &json!("login")), "{report}");
    assert!(!text(&output.stdout).contains("expired-token"));
}

#[tokio::test]
async fn the_flag_of_a_refused_grant_is_what_the_org_answers() {
    let org = DevOrg::builder().login_policy(|policy| {
        policy.refused_grants.insert(Grant::ClientCredentials);
    });
    let org = org.start().await.unwrap();
    let (report, _) = json_of(&org, "", "dev-secret").await;
    assert!(report["findings"][0]["causes"][0].as_str().unwrap().contains("this flow is off"), "{report}");
}
