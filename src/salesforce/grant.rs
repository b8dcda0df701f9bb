//! What the token endpoint is asked with.

use std::path::PathBuf;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::ClientAuthentication;

/// A secret that can be compared, to tell logins apart.
#[derive(Clone, Debug)]
pub(super) struct Secret(pub(super) SecretString);

impl Secret {
    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub(super) fn is_blank(&self) -> bool {
        self.expose().trim().is_empty()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

/// Checked credentials that a token endpoint is asked with; equal ones share a login.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Grant {
    pub(super) endpoint: Url,
    pub(super) client: Client,
    pub(super) flow: Flow,
}

/// The app.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: Option<Secret>,
    pub(super) previous_secret: Option<Secret>,
    pub(super) authentication: ClientAuthentication,
}

/// The kind of grant, and what only it has.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Flow {
    ClientCredentials,
    JwtBearer {
        username: String,
        private_key: Secret,
        audience: String,
    },
    RefreshToken {
        token: Secret,
        state_file: Option<PathBuf>,
    },
    Password {
        username: String,
        password: Secret,
        security_token: Option<Secret>,
    },
    /// The code is the proof of the attempt.
    AuthorizationCode {
        verifier: Secret,
        callback: String,
    },
}

/// One form for the token endpoint, and which secrets are in it.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    /// Of the client.
    pub(super) secret: Option<Secret>,
    /// Of the flow, where it changes: a refresh token, a signed assertion or a code.
    pub(super) proof: Option<Secret>,
}

impl Grant {
    /// The fields of the form, in the order in which Salesforce's documents have them.
    pub(super) fn form(&self, attempt: &Attempt) -> Vec<(&'static str, String)> {
        let mut form = vec![("grant_type", self.flow.grant_type().to_owned())];
        let proof = || attempt.proof.as_ref().map(|proof| proof.expose().to_owned()).unwrap_or_default();
        if matches!(self.flow, Flow::JwtBearer { .. }) {
            form.push(("assertion", proof()));
            return form;
        }
        if self.basic(attempt).is_none() {
            form.push(("client_id", self.client.id.clone()));
            if let Some(secret) = &attempt.secret {
                form.push(("client_secret", secret.expose().to_owned()));
            }
        }
        match &self.flow {
            Flow::ClientCredentials | Flow::JwtBearer { .. } => {}
            Flow::RefreshToken { .. } => form.push(("refresh_token", proof())),
            Flow::Password { username, password, security_token } => {
                form.push(("username", username.clone()));
                form.push(("password", joined(password, security_token.as_ref())));
            }
            Flow::AuthorizationCode { verifier, callback } => {
                form.push(("code", proof()));
                form.push(("redirect_uri", callback.clone()));
                form.push(("code_verifier", verifier.expose().to_owned()));
            }
        }
        form
    }

    /// Id and secret for HTTP Basic, where they are sent so.
    pub(super) fn basic(&self, attempt: &Attempt) -> Option<(&str, String)> {
        let secret = attempt.secret.as_ref()?;
        let is_basic = self.client.authentication == ClientAuthentication::Basic;
        is_basic.then(|| (self.client.id.as_str(), secret.expose().to_owned()))
    }

    /// Everything that must not be told.
    pub(super) fn secrets(&self, attempt: &Attempt) -> Vec<SecretString> {
        let mut all: Vec<SecretString> = Vec::new();
        all.extend(attempt.proof.iter().chain(&attempt.secret).map(|secret| secret.0.clone()));
        match &self.flow {
            Flow::Password { password, security_token, .. } => {
                all.push(joined(password, security_token.as_ref()).into());
                all.push(password.0.clone());
                all.extend(security_token.iter().map(|token| token.0.clone()));
            }
            Flow::JwtBearer { private_key, .. } => all.push(private_key.0.clone()),
            Flow::AuthorizationCode { verifier, .. } => all.push(verifier.0.clone()),
            Flow::ClientCredentials | Flow::RefreshToken { .. } => {}
        }
        if let Some((id, secret)) = self.basic(attempt) {
            all.push(STANDARD.encode(format!("{id}:{secret}")).into());
        }
        all
    }
}

impl Flow {
    /// The grant type on the wire.
    pub(super) fn grant_type(&self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::JwtBearer { .. } => "urn:ietf:params:oauth:grant-type:jwt-bearer",
            Self::RefreshToken { .. } => "refresh_token",
            Self::Password { .. } => "password",
            Self::AuthorizationCode { .. } => "authorization_code",
        }
    }
}

/// Salesforce wants the security token at the end of the password.
fn joined(password: &Secret, security_token: Option<&Secret>) -> String {
    format!("{}{}", password.expose(), security_token.map_or("", Secret::expose))
}
