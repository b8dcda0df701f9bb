//! How the login of an org is set up, and changed while it runs.

use std::io;
use std::sync::Mutex;

use super::super::server::{DevOrg, DevOrgBuilder};
use super::client::Client;
use super::identity::Identity;
use super::policy::LoginPolicy;
use super::public_key::RsaPublicKey;
use super::server::{OAuth, User, lock};
use super::sessions::{RefreshToken, Sessions};

/// What a builder knows of the login.
pub(crate) struct Setup {
    client: Client,
    pub(crate) user: User,
    refresh_token: String,
    jwt_public_key: Option<String>,
    policy: LoginPolicy,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            client: Client { id: "dev-client".into(), secret: "dev-secret".into(), previous_secret: None },
            user: User {
                username: "dev@example.com".into(),
                password: "dev-password".into(),
                security_token: "dev-token".into(),
            },
            refresh_token: "dev-refresh".into(),
            jwt_public_key: None,
            policy: LoginPolicy::default(),
        }
    }
}

impl Setup {
    /// The authorization server of the org at `base_url`; a wrong key is an error of kind `InvalidInput`.
    pub(crate) fn build(self, base_url: String, organization: String, user: String) -> io::Result<OAuth> {
        let key = self.jwt_public_key.as_deref().map(RsaPublicKey::from_pem).transpose();
        let jwt_key = key.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let mut sessions = Sessions::default();
        sessions.add_refresh(RefreshToken {
            token: self.refresh_token,
            issued: jiff::Timestamp::now(),
            scope: "refresh_token api".into(),
        });
        Ok(OAuth {
            identity: Identity { base_url, organization, user },
            user: self.user,
            jwt_key,
            client: Mutex::new(self.client),
            policy: Mutex::new(self.policy),
            sessions: Mutex::new(sessions),
        })
    }
}

impl DevOrgBuilder {
    /// The credentials that the token endpoint accepts; the id is the issuer of JWTs as well. Default: `dev-client`,
    /// `dev-secret`.
    pub fn client(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.login.client.id = id.into();
        self.login.client.secret = secret.into();
        self
    }

    /// A second client secret that is good as well, as in the middle of a rotation. Default: none.
    pub fn previous_client_secret(mut self, secret: impl Into<String>) -> Self {
        self.login.client.previous_secret = Some(secret.into());
        self
    }

    /// The username of the org's one user, which is its e-mail address as well. Default: `dev@example.com`.
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.login.user.username = username.into();
        self
    }

    /// What the password grant takes: password and security token, one after the other. Default: `dev-password`,
    /// `dev-token`.
    pub fn password(mut self, password: impl Into<String>, security_token: impl Into<String>) -> Self {
        self.login.user.password = password.into();
        self.login.user.security_token = security_token.into();
        self
    }

    /// The refresh token that is good from the start. Default: `dev-refresh`. As in Salesforce, it ends when the user
    /// gets a fifth one beside it.
    pub fn refresh_token(mut self, token: impl Into<String>) -> Self {
        self.login.refresh_token = token.into();
        self
    }

    /// The RSA key (2,048 to 8,192 bits) that JWT assertions are checked with, as PEM: `PUBLIC KEY`, `RSA PUBLIC KEY`
    /// or the `CERTIFICATE` that one uploads to a real app. Default: none; every assertion is then refused as
    /// "invalid assertion". A text that is no such key is an error of the start.
    pub fn jwt_public_key(mut self, pem: impl Into<String>) -> Self {
        self.login.jwt_public_key = Some(pem.into());
        self
    }

    /// Changes how the org treats logins.
    ///
    /// ```
    /// use salesforce_connector_dev::org::{DevOrg, Grant};
    ///
    /// let builder = DevOrg::builder().login_policy(|policy| {
    ///     policy.refused_grants.insert(Grant::Password);
    ///     policy.rotate_refresh_tokens = true;
    /// });
    /// # drop(builder);
    /// ```
    pub fn login_policy(mut self, change: impl FnOnce(&mut LoginPolicy)) -> Self {
        change(&mut self.login.policy);
        self
    }
}

impl DevOrg {
    /// Changes how the org treats logins from now on; sessions that are open stay open.
    pub fn login_policy(&self, change: impl FnOnce(&mut LoginPolicy)) {
        change(&mut lock(&self.org.oauth.policy));
    }

    /// Gives the client a new secret. The one before stays good if `keep_previous` is set, else it ends at once.
    pub fn rotate_client_secret(&self, secret: impl Into<String>, keep_previous: bool) {
        let mut client = lock(&self.org.oauth.client);
        let previous = std::mem::replace(&mut client.secret, secret.into());
        client.previous_secret = keep_previous.then_some(previous);
    }

    /// Ends every session: requests with the tokens issued so far are answered with 401 INVALID_SESSION_ID. Refresh
    /// tokens stay good.
    pub fn revoke_tokens(&self) {
        self.org.oauth.sessions().revoke_access();
    }

    /// Ends every refresh token, also the one of the start, and the sessions that came from them.
    pub fn revoke_refresh_tokens(&self) {
        self.org.oauth.sessions().revoke_refresh();
    }
}
