//! The program as it is started from a shell.

use std::process::{Command, Output, Stdio};

fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_salesforce-connector")).args(arguments).env_clear().output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_demo_tells_its_story_and_ends_well() {
    let output = program(&["demo"]);
    let (story, complaints) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{story}\n{complaints}");
    for part in ["Create an account", "BPMN error", "NOT_FOUND", "as meant", "2 logins"] {
        assert!(story.contains(part), "{part:?} is missing in:\n{story}");
    }
    assert_eq!(complaints, "");
}

#[test]
fn help_names_every_command() {
    let help = text(&program(&["--help"]).stdout);
    for command in [
        "run",
        "demo",
        "check",
        "describe",
        "login",
        "config",
        "templates",
        "dev-org",
        "dev-gateway",
        "health",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is missing in:\n{help}");
    }
}

#[test]
fn a_wrong_configuration_exits_with_78_and_names_the_key() {
    let output = Command::new(env!("CARGO_BIN_EXE_salesforce-connector"))
        .arg("run")
        .env_clear()
        .env("SALESFORCE_CONNECTOR_WORKER__MAX_JOBS_ACTIVE", "many")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(text(&output.stderr).contains("worker.max_jobs_active"), "{}", text(&output.stderr));
}

#[test]
fn check_says_what_cannot_be_reached_and_exits_with_1() {
    // Port 1 of loopback: reserved, and nobody listens there.
    let output = Command::new(env!("CARGO_BIN_EXE_salesforce-connector"))
        .arg("check")
        .env_clear()
        .env("CAMUNDA_GRPC_ADDRESS", "http://127.0.0.1:1")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let table = text(&output.stdout);
    assert!(table.starts_with("gateway http://127.0.0.1:1\n  FAILED  reached"), "{table}");
    assert!(table.ends_with("Failed: the gateway.\n"), "{table}");
}

#[test]
fn templates_are_written_as_they_are_committed() {
    let directory = tempfile::tempdir().unwrap();
    let output = program(&["templates", "--out", directory.path().to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let written = std::fs::read_to_string(directory.path().join("salesforce-connector.json")).unwrap();
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/element-templates/salesforce-connector.json");
    assert_eq!(written, std::fs::read_to_string(committed).unwrap());
}

#[test]
fn config_prints_every_key_and_masks_secrets() {
    let output = Command::new(env!("CARGO_BIN_EXE_salesforce-connector"))
        .arg("config")
        .env_clear()
        .env("CAMUNDA_CLIENT_ID", "me")
        .env("CAMUNDA_CLIENT_SECRET", "hidden-secret")
        .output()
        .unwrap();
    let text = text(&output.stdout);
    assert!(text.contains("worker.max_jobs_active = 100") && !text.contains("hidden-secret"), "{text}");
}

#[test]
fn the_dev_org_has_a_flag_for_each_switch_of_its_logins() {
    let help = text(&program(&["dev-org", "--help"]).stdout);
    for flag in [
        "--jwt-public-key <FILE>",
        "--refuse-grant <FLOW>",
        "--rotate-refresh-tokens",
        "--logins-per-hour <COUNT>",
        "--session-lifetime <DURATION>",
        "--clock-skew <DURATION>",
        "authorization-code",
        "not-admin-approved",
    ] {
        assert!(help.contains(flag), "{flag} is missing in:\n{help}");
    }
    for (wrong, words) in [
        ("--clock-skew=late", "expected a duration such as"),
        ("--session-lifetime=0s", "above zero"),
        ("--refuse-grant=soap", "possible values: client-credentials"),
    ] {
        let output = program(&["dev-org", "--listen", "127.0.0.1:0", wrong]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(words), "{}", text(&output.stderr));
    }
    let output = program(&["dev-org", "--listen", "127.0.0.1:0", "--jwt-public-key", "Cargo.toml"]);
    assert_eq!(output.status.code(), Some(1));
}

fn feel(arguments: &[&str], input: Stdio) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_salesforce-connector"))
        .arg("feel")
        .args(arguments)
        .env_clear()
        .stdin(input)
        .output()
        .unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn feel_takes_its_context_from_an_argument_a_file_or_standard_input() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("context.json");
    std::fs::write(&path, r#"{"body": {"id": "1"}}"#).unwrap();
    let file = path.to_str().unwrap();
    let piped = || Stdio::from(std::fs::File::open(&path).unwrap());
    for (arguments, input, value) in [
        (&["={a: body.id}", "--context", r#"{"body": {"id": "1"}}"#][..], Stdio::null(), r#""1""#),
        (&["={a: body.id}", "--context-file", file], Stdio::null(), r#""1""#),
        (&["={a: response.body.id}"], piped(), r#""1""#),
        (&["{a: 1}"], Stdio::null(), "1"),
        (&["-1 + 2", "--context", "{}"], Stdio::null(), "1\n"),
    ] {
        let (code, told, complaints) = feel(arguments, input);
        assert!(told.contains(value) && told.contains("as a result expression: "), "{told}{complaints}");
        assert_eq!((code, complaints.as_str()), (0, ""), "{arguments:?}");
    }
}

#[test]
fn feel_says_what_is_wrong_and_where() {
    let missing = "there-is-no-such-file.json";
    for (arguments, code, words) in [
        (&["={a: 1 + }"][..], 1, &["line 1, column 10", "={a: 1 + }\n           ^"][..]),
        (&[" = "], 1, &["expected an expression", "found an empty text"]),
        (&["a", "--context", "[1]"], 1, &["--context: expected a JSON object"]),
        (&["a", "--context", "{a"], 1, &["--context: expected a JSON object", "line 1 column 2"]),
        (&["a", "--context-file", missing], 1, &["cannot read", missing]),
        (&["bpmnError(400)"], 1, &["'errorCode'", "must be a String"]),
        (&["--explain", "creatRecord"], 1, &["createRecord, ", "did you mean createRecord?"]),
        (&["a", "--context", "{}", "--context-file", missing], 2, &["cannot be used with"]),
        (&[], 2, &["EXPRESSION"]),
    ] {
        let (found, told, complaints) = feel(arguments, Stdio::null());
        assert_eq!((found, told.as_str()), (code, ""), "{arguments:?}: {complaints}");
        for word in words {
            assert!(complaints.contains(word), "{word:?} is missing in:\n{complaints}");
        }
    }
}
