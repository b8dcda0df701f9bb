use salesforce_connector_dev::vault::DevVault;
use serde_json::json;
use tokio::time::{advance, pause, resume};

use super::*;

const FIVE_MINUTES: Duration = Duration::from_mins(5);

fn options(server: &DevVault) -> VaultOptions {
    VaultOptions {
        address: server.url(),
        allow_http: false,
        namespace: None,
        mount: "secret".to_owned(),
        path: "salesforce".to_owned(),
        key: "value".to_owned(),
        ca_certificate: None,
        refresh: FIVE_MINUTES,
        authentication: VaultAuthentication::Token("hvs.static".into()),
    }
}

/// A Vault with a token, a role and the secret `A`.
async fn server() -> DevVault {
    let server = DevVault::start().await.unwrap();
    server.add_token("hvs.static", false);
    server.add_role("worker", "the-service-account-jwt");
    server.put("secret/salesforce", json!({"A": "value-a", "NUMBER": 12345, "EMPTY": "", "LIST": []}));
    server
}

fn vault_with(server: &DevVault, change: impl FnOnce(&mut VaultOptions)) -> Vault {
    let mut options = options(server);
    change(&mut options);
    Vault::new(options, Arc::default()).unwrap()
}

/// The service account's token in a file, as Kubernetes mounts it.
fn kubernetes(jwt: &str) -> (tempfile::NamedTempFile, VaultAuthentication) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), jwt).unwrap();
    let (role, mount) = ("worker".to_owned(), "kubernetes".to_owned());
    let jwt_file = file.path().to_owned();
    (file, VaultAuthentication::Kubernetes { role, mount, jwt_file })
}

async fn find(vault: &Vault, name: &str) -> Result<Option<String>, String> {
    use secrecy::ExposeSecret as _;

    match vault.find(name).await {
        Ok(value) => Ok(value.map(|value| value.expose_secret().to_owned())),
        Err(Problem::Unusable(problem)) => Err(format!("unusable: {problem}")),
        Err(Problem::Unavailable(problem)) => Err(format!("unavailable: {problem}")),
    }
}

#[allow(clippy::unnecessary_wraps, reason = "what `find` gives")]
fn found(value: &str) -> Result<Option<String>, String> {
    Ok(Some(value.to_owned()))
}

/// Time passes, and no request is under way meanwhile.
async fn later(time: Duration) {
    pause();
    advance(time).await;
    resume();
}

fn reads(server: &DevVault) -> usize {
    server.requests().iter().filter(|request| request.starts_with("GET")).count()
}

fn logins(server: &DevVault) -> usize {
    server.requests().iter().filter(|request| request.ends_with("/login")).count()
}

#[tokio::test]
async fn keys_of_one_secret_are_read_once_for_all_jobs() {
    let server = server().await;
    let vault = vault_with(&server, |_| ());
    let all = futures_util::future::join_all((0..50).map(|_| find(&vault, "A"))).await;
    assert!(all.iter().all(|value| *value == found("value-a")), "{all:?}");
    assert_eq!(find(&vault, "NUMBER").await, found("12345"));
    assert_eq!(find(&vault, "MISSING").await, Ok(None));
    for name in ["EMPTY", "LIST"] {
        assert_eq!(find(&vault, name).await, Err("unusable: is empty or no text".to_owned()));
    }
    assert_eq!(reads(&server), 1);
}

#[tokio::test]
async fn a_path_with_a_name_in_it_is_one_secret_for_each_name() {
    let server = server().await;
    server.put("kv/apps/sf/TOKEN", json!({"value": "value-t"}));
    let vault = vault_with(&server, |options| {
        options.mount = "kv".to_owned();
        options.path = "apps/sf/{name}".to_owned();
    });
    assert_eq!(find(&vault, "TOKEN").await, found("value-t"));
    assert_eq!(find(&vault, "OTHER").await, Ok(None));
    assert!(
        vault.place("TOKEN").starts_with("the key value of kv/apps/sf/TOKEN in Vault at http://127.0.0.1:")
    );
}

#[tokio::test]
async fn a_rotated_value_is_seen_after_the_refresh_and_a_new_key_sooner() {
    let server = server().await;
    let vault = vault_with(&server, |_| ());
    assert_eq!(find(&vault, "A").await, found("value-a"));
    server.put("secret/salesforce", json!({"A": "rotated", "NEW": "value-n"}));
    assert_eq!(find(&vault, "NEW").await, Ok(None));
    later(RECHECK).await;
    assert_eq!(find(&vault, "NEW").await, found("value-n"));
    assert_eq!(find(&vault, "A").await, found("value-a"));
    later(FIVE_MINUTES).await;
    assert_eq!(find(&vault, "A").await, found("rotated"));
}

#[tokio::test]
async fn while_vault_is_down_the_last_values_stay_in_use() {
    let server = server().await;
    let vault = vault_with(&server, |_| ());
    assert_eq!(find(&vault, "A").await, found("value-a"));
    for down in [
        (503, r#"{"errors":["Vault is sealed"]}"#),
        (500, ""),
        (200, "<html>"),
        (403, r#"{"errors":["permission denied"]}"#),
    ] {
        server.break_with(Some(down));
        later(FIVE_MINUTES * 300).await;
        assert_eq!(find(&vault, "A").await, found("value-a"), "{down:?}");
    }
    assert!(vault.metrics.encode().contains(r#"secrets_provider_errors_total{provider="vault"} 4"#));
    server.break_with(None);
    server.put("secret/salesforce", json!({"A": "rotated"}));
    later(FIVE_MINUTES * 2).await;
    assert_eq!(find(&vault, "A").await, found("rotated"));
}

#[tokio::test]
async fn a_vault_that_is_down_at_the_start_is_no_missing_secret_and_is_found_when_it_comes() {
    let server = server().await;
    let vault = vault_with(&server, |_| ());
    server.seal();
    let sealed = Err("unavailable: could not be read: it answered 503: Vault is sealed".to_owned());
    for _ in 0..20 {
        assert_eq!(find(&vault, "A").await, sealed);
    }
    assert_eq!(server.requests().len(), 1, "a failure is remembered for a moment");
    server.break_with(None);
    later(Duration::from_mins(1)).await;
    assert_eq!(find(&vault, "A").await, found("value-a"));
}

#[tokio::test]
async fn nothing_that_listens_is_told_as_such() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = server().await;
    let vault = vault_with(&server, |options| options.address = format!("http://{address}"));
    let error = find(&vault, "A").await.unwrap_err();
    assert!(
        error.starts_with("unavailable") && error.to_lowercase().contains("connection refused"),
        "{error}"
    );
}

#[tokio::test]
async fn a_vault_that_does_not_answer_costs_a_bounded_time_and_one_request() {
    let server = server().await;
    let vault = Arc::new(vault_with(&server, |_| ()));
    server.hold(true);
    pause();
    let all = futures_util::future::join_all((0..20).map(|_| find(&vault, "A"))).await;
    resume();
    for error in all {
        let error = error.unwrap_err();
        assert!(error.starts_with("unavailable") && error.ends_with("within 5 s"), "{error}");
    }
    assert!(server.requests().len() <= 1, "{:?}", server.requests());
}

#[tokio::test]
async fn a_secret_that_is_not_there_or_deleted_is_missing() {
    let server = server().await;
    let vault = vault_with(&server, |options| options.path = "other".to_owned());
    assert_eq!(find(&vault, "A").await, Ok(None));
    server.put("secret/other", json!({"A": "now"}));
    later(RECHECK).await;
    assert_eq!(find(&vault, "A").await, found("now"));
    server.delete("secret/other");
    later(FIVE_MINUTES).await;
    assert_eq!(find(&vault, "A").await, Ok(None));
}

#[tokio::test]
async fn kubernetes_logs_in_before_its_token_ends_and_when_it_is_refused() {
    let server = server().await;
    server.grant_for(3600);
    let (_file, authentication) = kubernetes("the-service-account-jwt\n");
    let vault = vault_with(&server, |options| options.authentication = authentication);
    assert_eq!(find(&vault, "A").await, found("value-a"));
    later(FIVE_MINUTES).await;
    assert_eq!(find(&vault, "A").await, found("value-a"));
    assert_eq!((logins(&server), reads(&server)), (1, 2), "the token is used again");
    later(Duration::from_mins(40)).await;
    assert_eq!(find(&vault, "A").await, found("value-a"));
    assert_eq!(logins(&server), 2, "two thirds of the lease are over");
    server.revoke_tokens();
    server.put("secret/salesforce", json!({"A": "rotated"}));
    later(FIVE_MINUTES).await;
    assert_eq!(find(&vault, "A").await, found("rotated"));
    assert_eq!(logins(&server), 3, "403, and one more login");
}

#[tokio::test]
async fn a_refused_login_and_a_refused_read_say_why_and_repeat_no_token() {
    let server = server().await;
    let (_file, authentication) = kubernetes("another-jwt");
    let vault = vault_with(&server, |options| options.authentication = authentication);
    let error = find(&vault, "A").await.unwrap_err();
    let expected = "unavailable: could not be read: the login as \"worker\" failed: it answered 403: permission denied; ***";
    assert_eq!(error, expected);

    server.deny("secret/salesforce");
    let vault = vault_with(&server, |_| ());
    let error = find(&vault, "A").await.unwrap_err();
    assert!(error.contains("it answered 403") && error.contains("permission denied"), "{error}");
    assert!(!format!("{error} {vault:?} {:?}", vault.options).contains("hvs."), "{error}");

    let vault = vault_with(&server, |options| {
        options.authentication = VaultAuthentication::TokenFile("/no/such/file".into());
    });
    let error = find(&vault, "A").await.unwrap_err();
    assert_eq!(error, "unavailable: could not be read: the file /no/such/file is not there");
}

#[tokio::test]
async fn a_token_is_renewed_where_it_can_be_and_read_anew_from_its_file() {
    let server = server().await;
    server.add_token("hvs.renewable", true);
    server.grant_for(900);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "hvs.renewable").unwrap();
    let path = file.path().to_owned();
    let vault = vault_with(&server, |options| options.authentication = VaultAuthentication::TokenFile(path));
    let renewals = || server.requests().iter().filter(|request| request.ends_with("renew-self")).count();
    for expected in [1, 1, 2] {
        assert_eq!(find(&vault, "A").await, found("value-a"));
        assert_eq!(renewals(), expected);
        later(FIVE_MINUTES).await;
    }
    server.revoke_tokens();
    server.add_token("hvs.next", false);
    std::fs::write(file.path(), "hvs.next\n").unwrap();
    server.put("secret/salesforce", json!({"A": "rotated"}));
    assert_eq!(find(&vault, "A").await, found("rotated"));
}

#[tokio::test]
async fn a_namespace_is_named_in_each_request() {
    let server = server().await;
    server.serve_namespace("team-a");
    let (_file, authentication) = kubernetes("the-service-account-jwt");
    let vault = vault_with(&server, |options| {
        options.namespace = Some("team-a".to_owned());
        options.authentication = authentication;
    });
    assert_eq!(find(&vault, "A").await, found("value-a"));
    let other = vault_with(&server, |_| ());
    assert!(find(&other, "A").await.unwrap_err().contains("permission denied"));
}

#[tokio::test]
async fn redirects_are_not_followed_and_large_answers_not_read() {
    let server = server().await;
    let vault = vault_with(&server, |_| ());
    server.break_with(Some((307, "")));
    let error = find(&vault, "A").await.unwrap_err();
    assert!(error.contains("it answered 307: redirects are not followed"), "{error}");
    let large = format!("\"{}\"", "x".repeat(3_000_000));
    server.break_with(Some((200, &large)));
    later(Duration::from_mins(2)).await;
    let error = find(&vault, "A").await.unwrap_err();
    assert!(error.contains("more than 2097152 bytes"), "{error}");
}

#[test]
fn mistakes_in_the_options_are_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "hunter2").unwrap();
    let ca = Some(file.path().to_owned());
    for (address, ca_certificate, words) in [
        (
            "vault.acme.com:8200",
            None,
            "secrets.vault.address: expected an address such as https://vault.acme.com:8200",
        ),
        ("", None, "secrets.vault.address"),
        ("http://vault.acme.com:8200", None, "hosts.allow_http"),
        ("https://u:hunter2@vault.acme.com", None, "a user, a password or a query"),
        ("https://vault.acme.com", ca, "secrets.vault.ca_certificate: expected certificates in PEM form"),
    ] {
        let options = VaultOptions {
            address: address.to_owned(),
            allow_http: false,
            namespace: None,
            mount: "secret".to_owned(),
            path: "p".to_owned(),
            key: "value".to_owned(),
            ca_certificate,
            refresh: FIVE_MINUTES,
            authentication: VaultAuthentication::Token("t".into()),
        };
        let mistake = Vault::new(options, Arc::default()).err().unwrap();
        assert!(mistake.contains(words) && !mistake.contains("hunter2"), "{mistake}");
    }
}
