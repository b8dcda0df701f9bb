//! Which org, and how to get in: a named connection, or one of the ways to sign in with its own fields.
//!
//! Both are one choice, so that only fields show which belong together, and none of the twenty that a panel may have is
//! spent on a second list.

use super::builder::request;
use super::model::{Binding, Condition, FieldType, Property};
use super::sections::{in_group, text};
use crate::connector::authentication::AuthenticationMethod as Method;

/// The choice. It is kept in the diagram only: what the worker reads is a name, or an address and a type.
pub(super) const CONNECTION: &str = "connection";
const NAMED: &str = "named";

const SECRET_ONLY: (&str, &str) = (
    "^.*\\{\\{\\s*secrets\\..+\\}\\}.*$",
    "must refer to a secret, such as {{secrets.NAME}}; plain text can be read by everyone who opens the process",
);
const ANY_ADDRESS: (&str, &str) = (
    "^(https://[^\\s/]+/?|http://(localhost|127\\.0\\.0\\.1)(:\\d+)?/?|.*\\{\\{\\s*secrets\\..+\\}\\}.*)$",
    "must be an address such as https://acme.my.salesforce.com, without a path",
);
const OWN_ADDRESS: (&str, &str) = (
    "^(https://(?!(login|test)\\.salesforce\\.com)[^\\s/]+/?|http://(localhost|127\\.0\\.0\\.1)(:\\d+)?/?\
     |.*\\{\\{\\s*secrets\\..+\\}\\}.*)$",
    "must be the org's own address such as https://acme.my.salesforce.com, without a path",
);

/// Tells an inline login from a named connection.
const ENTERED_HERE: &str = "Entered here: ";

/// What a way to sign in is called in the list, in the order of the list.
const fn label(method: Method) -> &'static str {
    match method {
        Method::ClientCredentials => "Entered here: OAuth 2.0 client credentials",
        Method::JwtBearer => "Entered here: OAuth 2.0 JWT bearer (private key)",
        Method::RefreshToken => "Entered here: OAuth 2.0 refresh token",
        Method::Bearer => "Entered here: access token",
        Method::Password => "Entered here: username and password (legacy)",
    }
}

const WAYS: [Method; 5] =
    [Method::ClientCredentials, Method::JwtBearer, Method::RefreshToken, Method::Bearer, Method::Password];

/// Those that need the org's own address; the others may also log in at the hosts that all orgs share.
const OWN_DOMAIN: [Method; 2] = [Method::ClientCredentials, Method::Bearer];
const ANY_DOMAIN: [Method; 3] = [Method::JwtBearer, Method::RefreshToken, Method::Password];

/// The value and the name of each way to sign in.
pub(super) fn ways() -> impl Iterator<Item = (&'static str, &'static str)> {
    WAYS.iter().map(|way| (way.name(), label(*way).trim_start_matches(ENTERED_HERE)))
}

pub(super) fn connection() -> Vec<Property> {
    let ways = WAYS.iter().map(|way| (way.name(), label(*way)));
    let choice = Property::field(
        CONNECTION,
        FieldType::Dropdown,
        "Salesforce org",
        Binding::Extension { name: "salesforceConnection" },
    )
    .tooltip(
        "A named connection is set up once by the operator: ask yours for its name. Address and credentials then stay out \
         of the process. Every other choice shows fields for both here.",
    )
    .choices([(NAMED, "Named connection (ask your operator)")].into_iter().chain(ways))
    .value(NAMED)
    .required();
    let name = text("connection.name", "Connection name", "connection.name")
        .tooltip("The name that the operator gave to the connection, such as production.")
        .placeholder("production")
        .required()
        .when(Condition::is(CONNECTION, NAMED));
    let own = address("connection.baseUrl", &OWN_DOMAIN, OWN_ADDRESS).tooltip(
        "The org's My Domain address, such as https://acme.my.salesforce.com or, for a sandbox, \
         https://acme--dev.sandbox.my.salesforce.com (in Salesforce: Setup, My Domain).",
    );
    let any = address("connection.loginUrl", &ANY_DOMAIN, ANY_ADDRESS).tooltip(
        "Where the task signs in: best the org's My Domain address, such as https://acme.my.salesforce.com; or \
         https://login.salesforce.com for production, https://test.salesforce.com for a sandbox. Salesforce then tells \
         where the org is.",
    );
    let api_version = text("apiVersion", "API version", "apiVersion")
        .tooltip("The version of Salesforce's API, such as v67.0. Empty: the version of the connection, else v67.0.")
        .placeholder("v67.0")
        .optional()
        .pattern("^[vV]?(3[1-9]|[4-9]\\d)\\.0$", "must be a version such as v67.0, from v31.0 to v99.0");
    in_group("connection", [choice, name, own, any, api_version])
}

/// What each way signs in with; its type is written unseen.
pub(super) fn authentication() -> Vec<Property> {
    let kinds = WAYS.iter().map(|way| {
        let (id, binding) =
            (format!("authentication.{}", way.name()), request("connection.authentication.type"));
        Property::hidden(&id, way.name(), binding).when(Condition::is(CONNECTION, way.name()))
    });
    let fields = in_group(
        "authentication",
        [
            token(),
            client_id(),
            client_secret(),
            optional_client_secret(),
            client_authentication(),
            username(),
            private_key(),
            audience(),
            refresh_token(),
            password(),
        ],
    );
    kinds.chain(fields).collect()
}

fn token() -> Property {
    secret("token", "Access token", Method::Bearer, "{{secrets.SALESFORCE_TOKEN}}")
        .tooltip(
            "A token that Salesforce issued, by its secret's name: {{secrets.NAME}}. It is not renewed, so it must outlive \
             the task.",
        )
        .required()
        .pattern(SECRET_ONLY.0, SECRET_ONLY.1)
}

fn client_id() -> Property {
    let ways = [Method::ClientCredentials, Method::JwtBearer, Method::RefreshToken, Method::Password];
    field("clientId", "Client id", &ways)
        .tooltip(
            "The consumer key of the External Client App (or Connected App), also by its secret's name: {{secrets.NAME}}.",
        )
        .placeholder("{{secrets.SALESFORCE_CLIENT_ID}}")
        .required()
}

fn client_secret() -> Property {
    let ways = [Method::ClientCredentials, Method::Password];
    field("clientSecret", "Client secret", &ways)
        .tooltip(
            "The consumer secret of the External Client App (or Connected App), by its secret's name: {{secrets.NAME}}.",
        )
        .placeholder("{{secrets.SALESFORCE_CLIENT_SECRET}}")
        .required()
        .pattern(SECRET_ONLY.0, SECRET_ONLY.1)
}

fn optional_client_secret() -> Property {
    let property =
        secret("clientSecret", "Client secret", Method::RefreshToken, "{{secrets.SALESFORCE_CLIENT_SECRET}}");
    Property { id: "authentication.clientSecret.optional".to_owned(), ..property }
        .tooltip(
            "The consumer secret of the app, by its secret's name: {{secrets.NAME}}. Empty: the app does not ask for one.",
        )
        .optional()
        .pattern(SECRET_ONLY.0, SECRET_ONLY.1)
}

fn client_authentication() -> Property {
    Property::field(
        "authentication.clientAuthentication",
        FieldType::Dropdown,
        "Send id and secret",
        request("connection.authentication.clientAuthentication"),
    )
    .tooltip("Salesforce takes both. A gateway in front of it may want the header.")
    .choices([("body", "In the body of the request"), ("basic", "In the header (HTTP Basic)")])
    .value("body")
    .required()
    .when(Condition::is(CONNECTION, Method::ClientCredentials.name()))
}

fn username() -> Property {
    field("username", "Username", &[Method::JwtBearer, Method::Password])
        .tooltip("The Salesforce user that the task acts as; a sandbox's usernames end in its name.")
        .placeholder("integration@acme.com")
        .required()
}

fn private_key() -> Property {
    secret("privateKey", "Private key", Method::JwtBearer, "{{secrets.SALESFORCE_PRIVATE_KEY}}")
        .tooltip(
            "The RSA key, as PEM text, whose certificate was uploaded to the app; by its secret's name: {{secrets.NAME}}.",
        )
        .required()
        .pattern(SECRET_ONLY.0, SECRET_ONLY.1)
}

fn audience() -> Property {
    field("audience", "Audience", &[Method::JwtBearer])
        .tooltip(
            "Empty: https://login.salesforce.com, or https://test.salesforce.com where the address is that of a sandbox. \
             Experience Cloud sites have their own address as audience.",
        )
        .placeholder("https://login.salesforce.com")
        .optional()
}

fn refresh_token() -> Property {
    secret("refreshToken", "Refresh token", Method::RefreshToken, "{{secrets.SALESFORCE_REFRESH_TOKEN}}")
        .tooltip(
            "By its secret's name: {{secrets.NAME}}. Where Salesforce rotates refresh tokens, use a named connection: only \
             it keeps the new ones over a restart.",
        )
        .required()
        .pattern(SECRET_ONLY.0, SECRET_ONLY.1)
}

fn password() -> Property {
    secret(
        "password",
        "Password and security token",
        Method::Password,
        "{{secrets.SALESFORCE_PASSWORD}}{{secrets.SALESFORCE_SECURITY_TOKEN}}",
    )
    .tooltip(
        "By their secrets' names, one behind the other; the security token is not needed from trusted addresses. Legacy: \
         off by default in newer orgs, and External Client Apps do not have it. Use it to move over, then change to client \
         credentials or JWT bearer.",
    )
    .required()
    .pattern(SECRET_ONLY.0, SECRET_ONLY.1)
}

/// A field of some ways to sign in.
fn field(name: &str, label: &'static str, ways: &[Method]) -> Property {
    let path = format!("connection.authentication.{name}");
    text(&format!("authentication.{name}"), label, &path).when(chosen(ways))
}

fn secret(name: &str, label: &'static str, way: Method, placeholder: &'static str) -> Property {
    field(name, label, &[way]).placeholder(placeholder)
}

fn address(id: &str, ways: &[Method], (pattern, message): (&str, &'static str)) -> Property {
    text(id, "Salesforce address", "connection.baseUrl")
        .placeholder("https://acme.my.salesforce.com")
        .required()
        .pattern(pattern, message)
        .when(chosen(ways))
}

fn chosen(ways: &[Method]) -> Condition {
    let names: Vec<&'static str> = ways.iter().map(|way| way.name()).collect();
    Condition::one_of(CONNECTION, &names)
}
