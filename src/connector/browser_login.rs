//! A login in a browser, for `login`: which connections have one, and where its token goes.

use std::path::PathBuf;

use super::{AuthenticationMethod, codes, connections::Connections, error::Error};
use crate::salesforce::{ApiVersion, Authorization};

/// A login that can begin.
#[derive(Debug)]
pub struct BrowserLogin {
    /// The login itself.
    pub authorization: Authorization,
    /// Where the connection keeps its refresh token; `None`: it has no such place.
    pub state_file: Option<PathBuf>,
    /// The API version of the connection.
    pub api_version: ApiVersion,
}

impl Connections {
    /// Begins a login in a browser for a connection of the configuration that uses a refresh token. Nothing is sent.
    ///
    /// `callback` is where the browser is sent afterwards. The connection's present refresh token is not looked at: it
    /// may not be there yet.
    pub async fn browser_login(&self, name: &str, callback: &str) -> Result<BrowserLogin, Error> {
        let mut connection = self.named(name)?.clone();
        let method = connection.authentication.method();
        if method != AuthenticationMethod::RefreshToken {
            let message = format!(
                "connections.{name}.authentication.type: expected {}, found {}, which needs no login in a browser",
                AuthenticationMethod::RefreshToken.name(),
                method.name()
            );
            return Err(Error::new(&codes::INVALID_CONNECTION, message));
        }
        connection.authentication = connection.authentication.with("refresh_token", "");
        let mut secrets = self.own_secrets();
        let parts = self.parts(name, &connection, &mut secrets).await;
        let begun = parts.and_then(|(transport, base_url, credentials)| {
            let state_file = credentials.state_file().map(PathBuf::from);
            let begun = transport.authorization(&base_url, credentials, callback);
            let authorization =
                begun.map_err(|error| Error::from(error).at(&format!("connections.{name}")))?;
            Ok(BrowserLogin { authorization, state_file, api_version: connection.api_version })
        });
        begun.map_err(|error| {
            let redactor = secrets.redactor();
            error.map_message(|message| redactor.text(&message).into_owned())
        })
    }
}
