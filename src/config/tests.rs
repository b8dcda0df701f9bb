use std::{collections::BTreeMap, io::Write as _};

use secrecy::ExposeSecret as _;

use super::*;

fn environment(names: &[(&str, &str)]) -> Environment {
    names.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn load(names: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::load(None, &environment(names))
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn problems(error: &ConfigError) -> BTreeMap<&str, &str> {
    error.mistakes.iter().map(|mistake| (mistake.key.as_str(), mistake.problem.as_str())).collect()
}

#[test]
fn the_defaults_are_a_whole_configuration() {
    let config = load(&[]).unwrap();
    assert_eq!(config.gateway.address, "http://127.0.0.1:26500");
    assert_eq!(config.worker.job_type, "salesforce-connector:1");
    assert_eq!(config.worker.fetch_variables, ["salesforceRequest", "salesforceState"]);
    assert!(config.connector.mark_unsafe_writes);
    assert!(matches!(config.gateway.authentication, GatewayAuthentication::None));
    assert!(config.connector.connections.is_empty());
}

#[test]
fn every_default_key_is_read() {
    let error = load(&[("SALESFORCE_CONNECTOR_NO__SUCH_KEY", "1")]).unwrap_err();
    assert_eq!(error.mistakes.len(), 1, "a default key is unread: {error}");
}

#[test]
fn a_file_overrides_the_defaults_and_the_environment_overrides_the_file() {
    let file = file("[worker]\nname = \"from the file\"\nmax_jobs_active = 7\n");
    let environment = environment(&[("SALESFORCE_CONNECTOR_WORKER__MAX_JOBS_ACTIVE", "9")]);
    let config = Config::load(Some(file.path()), &environment).unwrap();
    assert_eq!((config.worker.name.as_str(), config.worker.max_jobs_active), ("from the file", 9));
}

#[test]
fn the_environment_may_name_the_file() {
    let file = file("[worker]\nname = \"named\"\n");
    let path = file.path().to_str().unwrap();
    assert_eq!(load(&[("SALESFORCE_CONNECTOR_CONFIG", path)]).unwrap().worker.name, "named");
}

#[test]
fn a_file_that_is_missing_or_broken_is_named() {
    let missing = Config::load(Some(Path::new("no/such.toml")), &Environment::new()).unwrap_err().to_string();
    assert!(missing.contains("no/such.toml"), "{missing}");
    let broken = file("[worker\n");
    let error = Config::load(Some(broken.path()), &Environment::new()).unwrap_err().to_string();
    assert!(error.contains(broken.path().to_str().unwrap()), "{error}");
}

#[test]
fn every_mistake_is_reported_at_once_with_its_key_and_its_layer() {
    let file = file(
        "[worker]\nmax_jobs_active = 0\njob_timeout = \"soon\"\nmax_job_active = 3\n\
         [gateway]\naddress = \"localhost:26500\"\n[log]\nformat = \"xml\"\n",
    );
    let environment = environment(&[("SALESFORCE_CONNECTOR_WORKER__STREAM_ENABLED", "maybe")]);
    let error = Config::load(Some(file.path()), &environment).unwrap_err();
    let problems = problems(&error);
    assert_eq!(problems["worker.max_jobs_active"], "expected a whole number of at least 1, found 0");
    assert!(problems["worker.job_timeout"].ends_with("found \"soon\""));
    assert_eq!(
        problems["worker.max_job_active"],
        "there is no such key; did you mean worker.max_jobs_active?"
    );
    assert!(problems["gateway.address"].contains("http:// or https://"));
    assert_eq!(problems["log.format"], "expected \"text\" or \"json\", found \"xml\"");
    assert_eq!(problems["worker.stream_enabled"], "expected true or false, found \"maybe\"");
    assert_eq!(problems.len(), 6, "{error}");
    let text = error.to_string();
    assert!(text.contains("6 mistakes") && text.contains(file.path().to_str().unwrap()), "{text}");
    assert!(text.contains("(in the environment)"), "{text}");
}

#[test]
fn bad_bounds_for_orgs_are_named_with_their_keys() {
    let share = "expected a number from 0 to 1, such as 0.05, found";
    let wait = "expected a duration above zero, such as \"20s\", \"5m\" or \"PT20S\", found";
    let count = "expected a whole number of at least 1, found";
    for (key, text, expected) in [
        ("slow_org_share", "1.5", format!("{share} 1.5")),
        ("slow_org_share", "\"most\"", format!("{share} \"most\"")),
        ("slow_org_share", "nan", format!("{share} NaN")),
        ("api_reserve", "-0.01", format!("{share} -0.01")),
        ("api_reserve", "5", format!("{share} 5")),
        ("api_reserve", "[0.1]", format!("{share} a list")),
        ("max_wait", "\"0s\"", format!("{wait} \"0s\"")),
        ("max_wait", "5", format!("{wait} 5")),
        ("max_body_bytes", "0", format!("{count} 0")),
    ] {
        let file = file(&format!("[salesforce]\n{key} = {text}\n"));
        let error = Config::load(Some(file.path()), &Environment::new()).unwrap_err();
        assert_eq!(problems(&error)[format!("salesforce.{key}").as_str()], expected, "{key} = {text}");
    }
    for (key, text, expected) in [
        ("api_reserve", "1.01", format!("{share} 1.01")),
        ("max_concurrent_requests", "0", format!("{count} 0")),
        ("request_timeout", "\"soon\"", format!("{wait} \"soon\"")),
    ] {
        let file =
            file(&format!("[connections.dev]\nbase_url = \"https://a.my.salesforce.com\"\n{key} = {text}\n"));
        let error = Config::load(Some(file.path()), &Environment::new()).unwrap_err();
        assert_eq!(problems(&error)[format!("connections.dev.{key}").as_str()], expected, "{key} = {text}");
    }
}

#[test]
fn durations_are_read_in_both_spellings() {
    for text in ["90s", "1m 30s", "PT1M30S"] {
        let config = load(&[("SALESFORCE_CONNECTOR_WORKER__JOB_TIMEOUT", text)]).unwrap();
        assert_eq!(config.worker.job_timeout.as_secs(), 90, "{text}");
    }
    for text in ["0s", "-5s", "90", ""] {
        assert!(load(&[("SALESFORCE_CONNECTOR_WORKER__JOB_TIMEOUT", text)]).is_err(), "{text}");
    }
}

#[test]
fn camunda_names_come_before_zeebe_names_and_ours_before_both() {
    let both = [("ZEEBE_GRPC_ADDRESS", "http://old:1"), ("CAMUNDA_GRPC_ADDRESS", "http://new:1")];
    assert_eq!(load(&both).unwrap().gateway.address, "http://new:1");
    let ours = [
        ("CAMUNDA_GRPC_ADDRESS", "http://new:1"),
        ("SALESFORCE_CONNECTOR_GATEWAY__ADDRESS", "http://ours:1"),
    ];
    assert_eq!(load(&ours).unwrap().gateway.address, "http://ours:1");
}

#[test]
fn an_address_without_a_scheme_is_tls_unless_said_to_be_insecure() {
    assert_eq!(load(&[("ZEEBE_ADDRESS", "zeebe:26500")]).unwrap().gateway.address, "https://zeebe:26500");
    let insecure = [("ZEEBE_ADDRESS", "zeebe:26500"), ("ZEEBE_INSECURE_CONNECTION", "true")];
    assert_eq!(load(&insecure).unwrap().gateway.address, "http://zeebe:26500");
}

#[test]
fn a_client_id_means_oauth_and_a_username_means_basic() {
    let oauth = load(&[("ZEEBE_CLIENT_ID", "id"), ("ZEEBE_CLIENT_SECRET", "hidden")]).unwrap();
    let GatewayAuthentication::OAuth { client_id, client_secret, audience, .. } =
        oauth.gateway.authentication
    else {
        panic!("not OAuth");
    };
    assert_eq!((client_id.as_str(), client_secret.expose_secret()), ("id", "hidden"));
    assert_eq!(audience, "zeebe.camunda.io");
    let basic = load(&[("CAMUNDA_BASIC_AUTH_USERNAME", "u"), ("CAMUNDA_BASIC_AUTH_PASSWORD", "p")]).unwrap();
    assert!(matches!(basic.gateway.authentication, GatewayAuthentication::Basic { .. }));
    let none = load(&[("ZEEBE_CLIENT_ID", "id"), ("CAMUNDA_AUTH_STRATEGY", "NONE")]).unwrap();
    assert!(matches!(none.gateway.authentication, GatewayAuthentication::None));
}

#[test]
fn half_an_authentication_is_a_mistake_that_names_the_missing_key() {
    let error = load(&[("CAMUNDA_CLIENT_ID", "id")]).unwrap_err();
    assert!(problems(&error).contains_key("gateway.authentication.client_secret"), "{error}");
}

#[test]
fn tenants_are_separated_by_commas_in_the_environment() {
    let config = load(&[("CAMUNDA_DEFAULT_JOB_WORKER_TENANT_IDS", "red, blue")]).unwrap();
    assert_eq!(config.worker.tenant_ids, ["red", "blue"]);
}

#[test]
fn connections_come_from_tables_with_free_names() {
    let file = file(
        "[connections.production]\nbase_url = \"https://acme.my.salesforce.com\"\napi_version = \"66.0\"\n\
         authentication = { type = \"oauth-client-credentials-flow\", client_id = \"id\", client_secret = \"{{secrets.S}}\" }\n\
         [connections.sandbox]\nbase_url = \"https://acme--dev.sandbox.my.salesforce.com\"\n\
         authentication = { type = \"bearer\", token = \"t\" }\n",
    );
    let config = Config::load(Some(file.path()), &Environment::new()).unwrap();
    let names: Vec<_> = config.connector.connections.keys().collect();
    assert_eq!(names, ["production", "sandbox"]);
    assert_eq!(config.connector.connections["production"].api_version.to_string(), "v66.0");
}

#[test]
fn mistakes_in_a_connection_carry_its_name() {
    let file = file(
        "[connections.production]\nurl = \"https://acme.my.salesforce.com\"\napi_version = \"latest\"\n",
    );
    let error = Config::load(Some(file.path()), &Environment::new()).unwrap_err();
    let problems = problems(&error);
    for key in ["base_url", "url", "api_version", "authentication.type"] {
        assert!(problems.contains_key(format!("connections.production.{key}").as_str()), "{key}: {error}");
    }
}

#[test]
fn the_effective_configuration_names_layers_and_masks_secrets() {
    let names = [
        ("CAMUNDA_CLIENT_ID", "id"),
        ("CAMUNDA_CLIENT_SECRET", "hidden"),
        ("SALESFORCE_CONNECTOR_CONNECTIONS__DEV__BASE_URL", "https://x.my.salesforce.com"),
        ("SALESFORCE_CONNECTOR_CONNECTIONS__DEV__AUTHENTICATION__TYPE", "bearer"),
        ("SALESFORCE_CONNECTOR_CONNECTIONS__DEV__AUTHENTICATION__TOKEN", "{{secrets.T}}"),
    ];
    let text = show(None, &environment(&names)).unwrap();
    assert!(!text.contains("hidden"), "{text}");
    assert!(text.contains("gateway.authentication.client_secret = \"***\""), "{text}");
    assert!(text.contains("connections.dev.authentication.token = \"{{secrets.T}}\""), "{text}");
    let line = |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
    assert!(line("gateway.authentication.client_id").ends_with("# the environment"), "{text}");
    assert!(line("worker.name").ends_with("# the built-in defaults"), "{text}");
}

#[test]
fn every_key_of_a_connection_is_read() {
    let file = file(
        "[connections]\nallow_inline = false\n\
         [connections.jwt]\napi_version = \"v66.0\"\nrequest_timeout = \"5s\"\nmax_concurrent_requests = 7\n\
         tenants = [\"red\"]\nprocesses = [\"order\", \"invoice\"]\nproxy = \"http://u:hidden@proxy:3128\"\n\
         ca_certificate = \"/ca.pem\"\nclient_certificate = \"/c.pem\"\nclient_key = \"/k.pem\"\n\
         authentication = { type = \"oauth-jwt-bearer-flow\", client_id = \"id\", username = \"u\", \
         private_key_file = \"/key.pem\", audience = \"a\", environment = \"sandbox\" }\n",
    );
    let config = Config::load(Some(file.path()), &Environment::new()).unwrap();
    assert!(!config.connector.allow_inline);
    let connection = &config.connector.connections["jwt"];
    assert_eq!(connection.authentication.method().name(), "oauth-jwt-bearer-flow");
    assert_eq!((connection.base_url.as_str(), connection.request_timeout.unwrap().as_secs()), ("", 5));
    assert_eq!((connection.tenants.len(), connection.processes.len()), (1, 2));
    assert_eq!(connection.network.max_concurrent_requests, Some(7));
    assert_eq!(connection.network.client_key.as_deref(), Some(Path::new("/k.pem")));
    let printed = format!("{config:?} {}", show(Some(file.path()), &Environment::new()).unwrap());
    assert!(!printed.contains("hidden"), "{printed}");
}

#[test]
fn what_does_not_fit_the_way_of_logging_in_is_told_with_what_does() {
    let file = file(
        "[connections.a]\nbase_url = \"https://a.my.salesforce.com\"\nclient_key = \"/k.pem\"\n\
         authentication = { type = \"bearer\", token = \"t\", password = \"hunter2\" }\n\
         [connections.b]\nauthentication = { type = \"soapLogin\" }\n\
         [connections.c]\nauthentication = { type = \"oauth-password-flow\", client_id = \"i\", \
         client_secret = \"hunter2\", client_secret_file = \"/f\", username = \"u\", environment = \"prod\" }\n",
    );
    let error = Config::load(Some(file.path()), &Environment::new()).unwrap_err();
    let problems = problems(&error);
    for (key, words) in [
        ("connections.a.authentication.password", "does not belong to bearer, which has token"),
        ("connections.a.client_certificate", "must be set where client_key is"),
        ("connections.b.authentication.type", "SOAP login is not offered"),
        ("connections.c.authentication.client_secret_file", "found both"),
        ("connections.c.authentication.password", "(or password_file)"),
        ("connections.c.authentication.environment", "one of production, sandbox, customDomain"),
    ] {
        assert!(problems.get(key).is_some_and(|problem| problem.contains(words)), "{key}: {error}");
    }
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn secrets_have_an_order_of_providers_and_lists_by_process_id() {
    let read = |text: &str| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Config::load(Some(file.path()), &Environment::new())
    };
    let config = read(
        "[secrets]\nproviders = [\"environment\"]\nscope = \"everywhere\"\n[secrets.allow]\n\"com.acme.Order-1\" = \
         [\"A\", \"B_*\"]\n\"*\" = []\n",
    );
    let secrets = config.unwrap().connector.secrets;
    assert_eq!(secrets.providers, [crate::connector::SecretProvider::Environment]);
    assert_eq!(secrets.scope, crate::connector::SecretScope::Everywhere);
    let lists: Vec<_> =
        secrets.allow.iter().map(|(process, names)| (process.as_str(), names.len())).collect();
    assert_eq!(lists, [("*", 0), ("com.acme.Order-1", 2)]);

    let error =
        read("secrets.providers = [\"files\", \"environment\", \"environment\"]\nsecrets.scope = \"all\"");
    let error = error.unwrap_err().to_string();
    for problem in [
        "secrets.providers: expected some of directory, environment, vault, found \"files\"",
        "secrets.providers: names environment twice",
        "secrets.scope: expected \"connection\" or \"everywhere\", found \"all\"",
    ] {
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn vault_is_read_whole_or_not_at_all() {
    let vault = |text: &str| {
        let config = file(&format!("secrets.providers = [\"vault\"]\n{text}"));
        let config = Config::load(Some(config.path()), &Environment::new());
        config.map(|config| config.connector.secrets.vault.unwrap()).map_err(|error| error.to_string())
    };
    let read = vault(
        "[secrets.vault]\naddress = \"https://v\"\nrefresh = \"1m\"\n[secrets.vault.authentication]\nmethod = \
         \"kubernetes\"\nrole = \"r\"",
    );
    let read = read.unwrap();
    assert_eq!((read.mount.as_str(), read.path.as_str()), ("secret", "salesforce-connector"));
    assert_eq!(read.refresh, std::time::Duration::from_mins(1));
    assert!(matches!(read.authentication, crate::connector::VaultAuthentication::Kubernetes { .. }));
    for (text, problem) in [
        ("", "secrets.vault.address: must be set where secrets.providers names vault"),
        ("", "secrets.vault.authentication.method: must be \"token\" or \"kubernetes\""),
        (
            "secrets.vault.authentication.method = \"kubernetes\"",
            "secrets.vault.authentication.role: must be set",
        ),
        (
            "secrets.vault.authentication.method = \"token\"",
            "secrets.vault.authentication.token: must be set",
        ),
        (
            "secrets.vault.authentication.method = \"ldap\"",
            "expected \"token\" or \"kubernetes\", found \"ldap\"",
        ),
    ] {
        let error = vault(text).unwrap_err();
        assert!(error.contains(problem), "{error}");
    }
    let unasked = file("secrets.vault.address = \"https://v\"");
    let error = Config::load(Some(unasked.path()), &Environment::new()).unwrap_err().to_string();
    assert!(error.contains("is set, but secrets.providers does not name vault"), "{error}");
}

#[test]
fn a_refresh_token_may_be_missing_where_a_login_writes_it_to_a_file() {
    let table = "[connections.a]\nbase_url = \"https://a.my.salesforce.com\"\nauthentication = { type = \
                 \"oauth-refresh-token-flow\", client_id = \"i\"";
    let error = Config::load(Some(file(&format!("{table} }}\n")).path()), &Environment::new()).unwrap_err();
    assert!(problems(&error).contains_key("connections.a.authentication.refresh_token"), "{error}");
    let with_file = file(&format!("{table}, state_file = \"/state.json\" }}\n"));
    assert!(Config::load(Some(with_file.path()), &Environment::new()).is_ok());
}
