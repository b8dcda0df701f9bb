//! How connections log in: one table of the ways and their fields, for the configuration and for tasks.

use std::{collections::BTreeMap, path::PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use super::{
    codes,
    error::Error,
    input::{self, InvalidInput, Show},
    secrets::JobSecrets,
};
use crate::salesforce::{ClientAuthentication, Credentials, LoginAddress, OAuthClient};

/// A way to log in, as `authentication.type` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthenticationMethod {
    /// A token that somebody else got.
    Bearer,
    /// OAuth 2.0 client credentials.
    ClientCredentials,
    /// OAuth 2.0 JWT bearer.
    JwtBearer,
    /// OAuth 2.0 refresh token.
    RefreshToken,
    /// OAuth 2.0 username and password; legacy.
    Password,
}

/// A field of a way to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthenticationField {
    /// Its key in the configuration, such as `client_id`.
    pub name: &'static str,
    /// Its name in a task, such as `clientId`; `None`: only the configuration has it.
    pub task: Option<&'static str>,
    /// Whether it must be given.
    pub required: bool,
    /// Whether its value must never be shown; the configuration may name a file instead, with the key `<name>_file`.
    pub secret: bool,
}

const fn field(name: &'static str, task: &'static str) -> AuthenticationField {
    AuthenticationField { name, task: Some(task), required: false, secret: false }
}

const fn required(field: AuthenticationField) -> AuthenticationField {
    AuthenticationField { required: true, ..field }
}

const fn secret(field: AuthenticationField) -> AuthenticationField {
    AuthenticationField { secret: true, ..field }
}

const TOKEN: AuthenticationField = required(secret(field("token", "token")));
const CLIENT_ID: AuthenticationField = required(field("client_id", "clientId"));
const CLIENT_SECRET: AuthenticationField = secret(field("client_secret", "clientSecret"));
const REQUIRED_SECRET: AuthenticationField = required(CLIENT_SECRET);
const PREVIOUS_SECRET: AuthenticationField = secret(field("previous_client_secret", "previousClientSecret"));
const CLIENT_AUTHENTICATION: AuthenticationField = field("client_authentication", "clientAuthentication");
const USERNAME: AuthenticationField = required(field("username", "username"));
const PRIVATE_KEY: AuthenticationField = required(secret(field("private_key", "privateKey")));
const AUDIENCE: AuthenticationField = field("audience", "audience");
const REFRESH_TOKEN: AuthenticationField = required(secret(field("refresh_token", "refreshToken")));
const STATE_FILE: AuthenticationField =
    AuthenticationField { name: "state_file", task: None, required: false, secret: false };
const PASSWORD: AuthenticationField = required(secret(field("password", "password")));
const SECURITY_TOKEN: AuthenticationField = secret(field("security_token", "securityToken"));
const ENVIRONMENT: AuthenticationField = field("environment", "environment");
const LOGIN_URL: AuthenticationField = field("login_url", "loginUrl");
const TOKEN_ENDPOINT: AuthenticationField = field("token_endpoint", "oauthTokenEndpoint");

/// Said to whoever asks for SOAP login.
const SOAP: &str = "SOAP login is not offered, for Salesforce retires it in Summer '27: use \
                    oauth-client-credentials-flow, or oauth-jwt-bearer-flow to act as a certain user";

const ENVIRONMENTS: &[(&str, LoginAddress)] = &[
    ("production", LoginAddress::Production),
    ("sandbox", LoginAddress::Sandbox),
    ("customDomain", LoginAddress::BaseUrl),
];

/// Ours, and what Camunda's templates call the same.
const CLIENT_AUTHENTICATIONS: &[(&str, ClientAuthentication)] = &[
    ("body", ClientAuthentication::Body),
    ("basic", ClientAuthentication::Basic),
    ("credentialsBody", ClientAuthentication::Body),
    ("basicAuthHeader", ClientAuthentication::Basic),
];

impl AuthenticationMethod {
    /// All of them, the usual ones first.
    pub const ALL: &[Self] =
        &[Self::Bearer, Self::ClientCredentials, Self::JwtBearer, Self::RefreshToken, Self::Password];

    /// Its name in `authentication.type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::ClientCredentials => "oauth-client-credentials-flow",
            Self::JwtBearer => "oauth-jwt-bearer-flow",
            Self::RefreshToken => "oauth-refresh-token-flow",
            Self::Password => "oauth-password-flow",
        }
    }

    /// What it takes.
    pub fn fields(self) -> &'static [AuthenticationField] {
        match self {
            Self::Bearer => &[TOKEN],
            Self::ClientCredentials => &[
                CLIENT_ID,
                REQUIRED_SECRET,
                TOKEN_ENDPOINT,
                PREVIOUS_SECRET,
                CLIENT_AUTHENTICATION,
                ENVIRONMENT,
                LOGIN_URL,
            ],
            Self::JwtBearer => {
                &[CLIENT_ID, USERNAME, PRIVATE_KEY, AUDIENCE, ENVIRONMENT, LOGIN_URL, TOKEN_ENDPOINT]
            }
            Self::RefreshToken => &[
                CLIENT_ID,
                CLIENT_SECRET,
                REFRESH_TOKEN,
                STATE_FILE,
                PREVIOUS_SECRET,
                CLIENT_AUTHENTICATION,
                ENVIRONMENT,
                LOGIN_URL,
                TOKEN_ENDPOINT,
            ],
            Self::Password => &[
                CLIENT_ID,
                REQUIRED_SECRET,
                USERNAME,
                PASSWORD,
                SECURITY_TOKEN,
                PREVIOUS_SECRET,
                CLIENT_AUTHENTICATION,
                ENVIRONMENT,
                LOGIN_URL,
                TOKEN_ENDPOINT,
            ],
        }
    }

    /// Every field of every way, once.
    pub(crate) fn all_fields() -> Vec<AuthenticationField> {
        let mut fields: Vec<AuthenticationField> = Vec::new();
        for field in Self::ALL.iter().flat_map(|method| method.fields()) {
            if !fields.iter().any(|known| known.name == field.name) {
                fields.push(*field);
            }
        }
        fields
    }

    /// The way of this name; the error says what is expected instead.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        let name = name.trim();
        let found = Self::ALL.iter().copied().find(|method| method.name() == name);
        found.ok_or_else(|| {
            let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
            let is_soap = plain.to_ascii_lowercase().contains("soap");
            let known: Vec<_> = Self::ALL.iter().map(|method| method.name()).collect();
            let known = format!("one of {}", known.join(", "));
            if is_soap { format!("{known} ({SOAP})") } else { known }
        })
    }
}

/// How a connection logs in; every text may have `{{secrets.NAME}}`.
#[derive(Clone, Debug)]
pub struct ConnectionAuthentication {
    method: AuthenticationMethod,
    /// By the name of the field in the configuration.
    texts: BTreeMap<&'static str, Text>,
}

/// A field's text, or where it is read each time.
#[derive(Clone, Debug)]
enum Text {
    Given(SecretString),
    File(PathBuf),
}

/// Where an authentication is written: decides what its fields are called in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    InConfiguration,
    InTask,
}

impl ConnectionAuthentication {
    /// Without any field yet.
    pub fn new(method: AuthenticationMethod) -> Self {
        Self { method, texts: BTreeMap::new() }
    }

    /// A token that somebody else got.
    pub fn bearer(token: impl Into<SecretString>) -> Self {
        Self::new(AuthenticationMethod::Bearer).with("token", token)
    }

    /// Client credentials.
    pub fn client_credentials(client_id: impl Into<SecretString>, secret: impl Into<SecretString>) -> Self {
        let empty = Self::new(AuthenticationMethod::ClientCredentials);
        empty.with("client_id", client_id).with("client_secret", secret)
    }

    /// Sets a field by its name in the configuration; a name that this way does not have is left out.
    pub fn with(mut self, name: &str, text: impl Into<SecretString>) -> Self {
        if let Some(field) = self.method.fields().iter().find(|field| field.name == name) {
            self.texts.insert(field.name, Text::Given(text.into()));
        }
        self
    }

    /// Sets a field to the content of a file, which is read whenever the connection is used.
    pub fn with_file(mut self, name: &str, path: impl Into<PathBuf>) -> Self {
        if let Some(field) = self.method.fields().iter().find(|field| field.name == name) {
            self.texts.insert(field.name, Text::File(path.into()));
        }
        self
    }

    /// How it logs in.
    pub fn method(&self) -> AuthenticationMethod {
        self.method
    }

    /// Whether the place of the login is known without a base URL.
    pub(crate) fn has_login_address(&self) -> bool {
        let is_shared = matches!(self.plain("environment").map(str::trim), Some("production" | "sandbox"));
        is_shared || self.plain("login_url").is_some_and(|text| !text.trim().is_empty())
    }

    /// A text as it was written.
    pub(super) fn plain(&self, name: &str) -> Option<&str> {
        match self.texts.get(name) {
            Some(Text::Given(text)) => Some(text.expose_secret()),
            Some(Text::File(_)) | None => None,
        }
    }

    /// Reads `authentication` of a task; no value is repeated in a mistake.
    pub(super) fn read(fields: &Map<String, Value>) -> Result<Self, InvalidInput> {
        let found = || input::describe(fields.get("type"), Show::Type);
        let name = fields.get("type").and_then(Value::as_str).unwrap_or_default();
        let method = AuthenticationMethod::parse(name)
            .map_err(|expected| InvalidInput::new("type", expected, found()))?;
        let task_fields = || method.fields().iter().filter_map(|field| Some((field.task?, field)));
        let mut authentication = Self::new(method);
        for (name, value) in fields {
            if name == "type" || input::is_absent(Some(value)) {
                continue;
            }
            let Some((_, field)) = task_fields().find(|(task, _)| task == name) else {
                let known: Vec<&str> = task_fields().map(|(task, _)| task).collect();
                return Err(InvalidInput::unknown(input::shorten(name), "one of the fields", name, &known));
            };
            let Value::String(text) = value else {
                let found = input::describe(Some(value), Show::Type);
                return Err(InvalidInput::new(name, "a string", found));
            };
            if let Err(expected) = check_word(field.name, text) {
                return Err(InvalidInput::new(name, expected, "another text"));
            }
            authentication.texts.insert(field.name, Text::Given(text.as_str().into()));
        }
        for (task, field) in task_fields() {
            if field.required && !authentication.texts.contains_key(field.name) {
                return Err(InvalidInput::new(
                    task,
                    "a value",
                    input::describe(fields.get(task), Show::Type),
                ));
            }
        }
        Ok(authentication)
    }

    /// With secrets looked up. `root` is the path of the connection, for messages.
    pub(super) async fn credentials(
        &self,
        (root, written): (&str, Written),
        secrets: &mut JobSecrets<'_>,
    ) -> Result<Credentials, Error> {
        let mut texts = BTreeMap::new();
        for field in self.method.fields() {
            let Some(text) = self.texts.get(field.name) else { continue };
            let name = if written == Written::InTask { field.task.unwrap_or(field.name) } else { field.name };
            let place = format!("{root}.authentication.{name}");
            let text = match text {
                Text::Given(text) if field.secret => secrets.credential((&place, written), text).await?,
                Text::Given(text) => secrets.text((&place, written), text.expose_secret()).await?.into(),
                Text::File(path) => secrets.file(&format!("{place}_file"), path).await?,
            };
            texts.insert(field.name, text);
        }
        let mut parts = Parts(texts);
        let conflict = |message: &str| {
            Error::new(&codes::INVALID_CONNECTION, format!("{root}.authentication: {message}"))
        };
        let login = parts.login().map_err(conflict)?;
        Ok(self.assembled(parts, login))
    }

    fn assembled(&self, mut parts: Parts, login: LoginAddress) -> Credentials {
        match self.method {
            AuthenticationMethod::Bearer => Credentials::Bearer { token: parts.secret("token") },
            AuthenticationMethod::ClientCredentials => {
                Credentials::ClientCredentials { login, client: parts.client() }
            }
            AuthenticationMethod::JwtBearer => Credentials::JwtBearer {
                login,
                client_id: parts.text("client_id"),
                username: parts.text("username"),
                private_key: parts.secret("private_key"),
                audience: parts.optional("audience").map(|text| text.expose_secret().to_owned()),
            },
            AuthenticationMethod::RefreshToken => Credentials::RefreshToken {
                login,
                client: parts.client(),
                refresh_token: parts.secret("refresh_token"),
                state_file: parts.optional("state_file").map(|path| PathBuf::from(path.expose_secret())),
            },
            AuthenticationMethod::Password => Credentials::Password {
                login,
                client: parts.client(),
                username: parts.text("username"),
                password: parts.secret("password"),
                security_token: parts.optional("security_token"),
            },
        }
    }
}

/// Whether a field of a closed set of words has one of them; the error says what is expected.
pub(crate) fn check_word(name: &str, text: &str) -> Result<(), String> {
    let words: Vec<&str> = match name {
        "environment" => ENVIRONMENTS.iter().map(|(word, _)| *word).collect(),
        "client_authentication" => CLIENT_AUTHENTICATIONS.iter().map(|(word, _)| *word).collect(),
        _ => return Ok(()),
    };
    if words.contains(&text.trim()) { Ok(()) } else { Err(format!("one of {}", words.join(", "))) }
}

/// Texts with their secrets, by the names of the fields.
struct Parts(BTreeMap<&'static str, SecretString>);

impl Parts {
    fn optional(&mut self, name: &str) -> Option<SecretString> {
        self.0.remove(name).filter(|text| !text.expose_secret().trim().is_empty())
    }

    /// What is empty is refused when the credentials are checked.
    fn secret(&mut self, name: &str) -> SecretString {
        self.0.remove(name).unwrap_or_default()
    }

    fn text(&mut self, name: &str) -> String {
        self.secret(name).expose_secret().trim().to_owned()
    }

    fn client(&mut self) -> OAuthClient {
        let authentication = self.optional("client_authentication");
        let word = authentication.as_ref().map(|text| text.expose_secret().trim());
        let found = CLIENT_AUTHENTICATIONS.iter().find(|(known, _)| Some(*known) == word);
        OAuthClient {
            id: self.text("client_id"),
            secret: self.0.remove("client_secret"),
            previous_secret: self.optional("previous_client_secret"),
            authentication: found.map(|(_, authentication)| *authentication).unwrap_or_default(),
        }
    }

    fn login(&mut self) -> Result<LoginAddress, &'static str> {
        let environment = self.optional("environment");
        let environment = environment.as_ref().map(|text| text.expose_secret().trim());
        let shared = ENVIRONMENTS.iter().find(|(known, _)| Some(*known) == environment);
        let shared = shared.map(|(_, address)| address.clone()).unwrap_or_default();
        let own = |text: SecretString| text.expose_secret().trim().to_owned();
        let (url, endpoint) = (self.optional("login_url").map(own), self.optional("token_endpoint").map(own));
        match (shared, url, endpoint) {
            (shared, None, None) => Ok(shared),
            (LoginAddress::BaseUrl, Some(url), None) => Ok(LoginAddress::Host(url)),
            (LoginAddress::BaseUrl, None, Some(endpoint)) => Ok(LoginAddress::Endpoint(endpoint)),
            _ => {
                Err("expected one of environment, login URL and token endpoint, found several that disagree")
            }
        }
    }
}
