//! The names by which Camunda's own clients are configured in the environment, and which of our keys they mean.

use std::collections::{BTreeMap, HashMap};

/// Environment variables, handed in so that tests need not touch the process's own.
pub type Environment = BTreeMap<String, String>;

/// The prefix of our own names; a key follows in capitals, with two underscores for each dot.
pub(super) const PREFIX: &str = "SALESFORCE_CONNECTOR_";
/// The one name with our prefix that is not a key: the path of the configuration file.
pub(super) const FILE: &str = "SALESFORCE_CONNECTOR_CONFIG";

/// Our key, and the names that mean it: the first one that is set wins.
///
/// CAMUNDA_* comes before ZEEBE_*; of two spellings the newer comes first.
const CAMUNDA_NAMES: &[(&str, &[&str])] = &[
    (
        "gateway.address",
        &["CAMUNDA_GRPC_ADDRESS", "CAMUNDA_CLIENT_GRPCADDRESS", "ZEEBE_GRPC_ADDRESS", "ZEEBE_ADDRESS"],
    ),
    ("gateway.rest_address", &["CAMUNDA_REST_ADDRESS", "CAMUNDA_CLIENT_RESTADDRESS", "ZEEBE_REST_ADDRESS"]),
    ("gateway.ca_certificate", &["CAMUNDA_CA_CERTIFICATE_PATH", "ZEEBE_CA_CERTIFICATE_PATH"]),
    ("gateway.override_authority", &["CAMUNDA_OVERRIDE_AUTHORITY", "ZEEBE_OVERRIDE_AUTHORITY"]),
    (
        "gateway.tenant_ids",
        &[
            "CAMUNDA_DEFAULT_JOB_WORKER_TENANT_IDS",
            "CAMUNDA_DEFAULT_TENANT_ID",
            "ZEEBE_DEFAULT_JOB_WORKER_TENANT_IDS",
            "ZEEBE_DEFAULT_TENANT_ID",
        ],
    ),
    ("gateway.authentication.method", &["CAMUNDA_AUTH_STRATEGY", "CAMUNDA_CLIENT_AUTH_METHOD"]),
    ("gateway.authentication.username", &["CAMUNDA_BASIC_AUTH_USERNAME", "CAMUNDA_CLIENT_AUTH_USERNAME"]),
    ("gateway.authentication.password", &["CAMUNDA_BASIC_AUTH_PASSWORD", "CAMUNDA_CLIENT_AUTH_PASSWORD"]),
    (
        "gateway.authentication.client_id",
        &["CAMUNDA_CLIENT_ID", "CAMUNDA_CLIENT_AUTH_CLIENTID", "ZEEBE_CLIENT_ID"],
    ),
    (
        "gateway.authentication.client_secret",
        &["CAMUNDA_CLIENT_SECRET", "CAMUNDA_CLIENT_AUTH_CLIENTSECRET", "ZEEBE_CLIENT_SECRET"],
    ),
    (
        "gateway.authentication.token_url",
        &["CAMUNDA_OAUTH_URL", "CAMUNDA_AUTHORIZATION_SERVER_URL", "ZEEBE_AUTHORIZATION_SERVER_URL"],
    ),
    ("gateway.authentication.audience", &["CAMUNDA_TOKEN_AUDIENCE", "ZEEBE_TOKEN_AUDIENCE"]),
    ("gateway.authentication.scope", &["CAMUNDA_TOKEN_SCOPE", "ZEEBE_TOKEN_SCOPE"]),
    (
        "worker.stream_enabled",
        &["CAMUNDA_CLIENT_WORKER_STREAM_ENABLED", "ZEEBE_CLIENT_WORKER_STREAM_ENABLED"],
    ),
];

/// Says that an address without a scheme is plaintext.
const INSECURE: &[&str] = &["CAMUNDA_INSECURE_CONNECTION", "ZEEBE_INSECURE_CONNECTION"];

/// What Camunda's names say, by our keys.
pub(super) fn camunda_values(environment: &Environment) -> Vec<(&'static str, String)> {
    let set = |name: &&&str| environment.get(**name).filter(|value| !value.trim().is_empty()).cloned();
    CAMUNDA_NAMES
        .iter()
        .filter_map(|(key, names)| names.iter().find_map(|name| set(&name)).map(|value| (*key, value)))
        .map(
            |(key, value)| {
                if key == "gateway.address" { (key, with_scheme(value, environment)) } else { (key, value) }
            },
        )
        .collect()
}

/// Older clients take `host:port`; TLS is then the default, unless the connection is said to be insecure.
fn with_scheme(address: String, environment: &Environment) -> String {
    if address.contains("://") {
        return address;
    }
    let insecure = INSECURE.iter().find_map(|name| environment.get(*name));
    let scheme =
        if insecure.is_some_and(|value| value.eq_ignore_ascii_case("true")) { "http" } else { "https" };
    format!("{scheme}://{address}")
}

/// Our own names, as the `config` crate wants them.
pub(super) fn own_values(environment: &Environment) -> HashMap<String, String> {
    let own = environment.iter().filter(|(name, _)| name.starts_with(PREFIX) && *name != FILE);
    own.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The name of this layer in messages.
pub(super) const ORIGIN: &str = "the environment";
