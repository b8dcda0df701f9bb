//! The web server flow with PKCE (RFC 6749, section 4.1; RFC 7636): a person logs in once in a browser, and a refresh
//! token stays.
//!
//! Needs no secret: the code that the browser brings back is worth nothing without the verifier, which never leaves
//! this process but for the token endpoint.

use std::{io, path::Path, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest,
    rand::{SecureRandom as _, SystemRandom},
};
use secrecy::{ExposeSecret as _, SecretString};
use url::{Url, form_urlencoded};

use super::error::{Error, ErrorClass};
use super::grant::{Attempt, Flow, Grant, Secret};
use super::transport::Transport;
use super::{ApiVersion, Credentials, SalesforceClient, codes, login, token};

/// What the app must allow: calls, and to stay logged in.
const SCOPES: &str = "api refresh_token";

/// The end of a token endpoint's path, and of the authorization endpoint beside it.
const TOKEN: &str = "/token";
const AUTHORIZE: &str = "/authorize";

/// One login that is under way.
#[derive(Debug)]
pub struct Authorization {
    transport: Transport,
    grant: Grant,
    url: Url,
    state: Secret,
}

/// The code that a browser brought back.
#[derive(Debug)]
pub struct AuthorizedLogin(Secret);

/// What came of a login.
pub struct Obtained {
    transport: Transport,
    refresh_token: Secret,
    access_token: SecretString,
    address: String,
}

impl std::fmt::Debug for Obtained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Obtained").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Transport {
    /// Begins a login of a connection that logs in with a refresh token; the token it has does not matter. No request
    /// is sent.
    ///
    /// `callback` is the address that the browser is sent to afterwards; the app must list exactly it.
    pub fn authorization(
        &self,
        base_url: &str,
        credentials: Credentials,
        callback: &str,
    ) -> Result<Authorization, Error> {
        let base = self.base(base_url, &credentials)?;
        let (endpoint, client) = credentials.app(&base, self.hosts())?;
        let (verifier, state) = (random()?, random()?);
        let mut url = endpoint.clone();
        let Some(before) = endpoint.path().strip_suffix(TOKEN) else {
            let message = format!(
                "the token endpoint {endpoint} does not end in {TOKEN}, so that the address to log in at is not \
                 known; use login_url or environment"
            );
            return Err(Error::new(codes::INVALID_ADDRESS, ErrorClass::Permanent, message));
        };
        url.set_path(&format!("{before}{AUTHORIZE}"));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &client.id)
            .append_pair("redirect_uri", callback)
            .append_pair("scope", SCOPES)
            .append_pair("state", state.expose())
            .append_pair("code_challenge", &challenge(verifier.expose()))
            .append_pair("code_challenge_method", "S256");
        let flow = Flow::AuthorizationCode { verifier, callback: callback.to_owned() };
        Ok(Authorization { transport: self.clone(), grant: Grant { endpoint, client, flow }, url, state })
    }
}

impl Authorization {
    /// Where the person logs in.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Reads what the browser was sent back with: the query of the callback.
    ///
    /// # Errors
    /// `STATE_MISMATCH` where it belongs to another login, and the refusal where there was one.
    pub fn answered(&self, query: &str) -> Result<AuthorizedLogin, Error> {
        let get = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
        };
        let failed = |code, message| Err(Error::new(code, ErrorClass::Authentication, message));
        if get("state").as_deref() != Some(self.state.expose()) {
            let message = "this answer belongs to another login (its state is not the one that was sent); use the \
                           address that was printed last";
            return failed(STATE_MISMATCH, message.to_owned());
        }
        if let Some(error) = get("error") {
            let said = get("error_description").map(|text| format!(": {text}")).unwrap_or_default();
            let hint = if error == "access_denied" {
                "; the user turned the app down, or may not use it: its policies in Setup say who may"
            } else {
                ""
            };
            return failed(codes::AUTHENTICATION_FAILED, format!("no login: {error}{said}{hint}"));
        }
        match get("code").filter(|code| !code.trim().is_empty()) {
            Some(code) => Ok(AuthorizedLogin(Secret(code.into()))),
            None => failed(codes::AUTHENTICATION_FAILED, "the answer holds no code".to_owned()),
        }
    }

    /// Exchanges the code, within this time.
    pub async fn exchange(&self, code: AuthorizedLogin, time: Duration) -> Result<Obtained, Error> {
        let attempt = Attempt { secret: self.grant.client.secret.clone(), proof: Some(code.0) };
        let issued = token::exchange(&self.transport, &self.grant, &attempt, time).await?;
        let Some(refresh_token) = issued.refresh_token else {
            let message = "the login gave no refresh token: add the scope \"Perform requests at any time \
                           (refresh_token, offline_access)\" to the app, and log in again";
            return Err(Error::new(codes::AUTHENTICATION_FAILED, ErrorClass::Authentication, message));
        };
        let mut home = self.grant.endpoint.clone();
        home.set_path("");
        let address = issued.token.instance.as_ref().unwrap_or(&home).to_string();
        let access_token = issued.token.secret().clone();
        Ok(Obtained { transport: self.transport.clone(), refresh_token, access_token, address })
    }
}

/// The code of an answer that belongs to another login.
pub const STATE_MISMATCH: &str = "STATE_MISMATCH";

impl Obtained {
    /// The refresh token itself, for whoever keeps it elsewhere.
    pub fn refresh_token(&self) -> &str {
        self.refresh_token.expose()
    }

    /// Writes the refresh token to a connection's state file: whole or not at all, and for its owner only.
    pub fn keep(&self, state_file: &Path) -> io::Result<()> {
        login::write_state(state_file, &self.refresh_token)
    }

    /// A client of the org with the access token that came along.
    pub fn client(&self, version: ApiVersion) -> Result<SalesforceClient, Error> {
        let token = self.access_token.expose_secret().into();
        self.transport.client(&self.address, version, Credentials::Bearer { token })
    }
}

/// 256 bits that nobody can guess, as 43 characters.
fn random() -> Result<Secret, Error> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| {
        let message = "the system gives no random numbers";
        Error::new(codes::INVALID_REQUEST, ErrorClass::Permanent, message)
    })?;
    Ok(Secret(URL_SAFE_NO_PAD.encode(bytes).into()))
}

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{LoginAddress, OAuthClient, TransportOptions};
    use super::*;
    use crate::metrics::Metrics;

    fn begin(login: LoginAddress) -> Result<Authorization, Error> {
        let transport = Transport::new(TransportOptions::default(), Arc::new(Metrics::new())).unwrap();
        let client = OAuthClient::public("app");
        let credentials =
            Credentials::RefreshToken { login, client, refresh_token: "".into(), state_file: None };
        transport.authorization("https://acme.my.salesforce.com", credentials, "http://localhost:1/x")
    }

    #[test]
    fn the_challenge_is_that_of_the_standard() {
        // RFC 7636, appendix B.
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn the_address_asks_for_a_code_and_holds_no_verifier() {
        let login = begin(LoginAddress::Sandbox).unwrap();
        let Flow::AuthorizationCode { verifier, .. } = &login.grant.flow else { panic!("another flow") };
        assert!(
            login
                .url()
                .starts_with("https://test.salesforce.com/services/oauth2/authorize?response_type=code&")
        );
        assert!(
            login.url().contains("&scope=api+refresh_token&") && !login.url().contains(verifier.expose())
        );
        assert_eq!(verifier.expose().len(), 43);
        assert_ne!(begin(LoginAddress::Sandbox).unwrap().url(), login.url());
    }

    #[test]
    fn answers_of_other_logins_and_refusals_are_told_apart() {
        let login = begin(LoginAddress::BaseUrl).unwrap();
        let state = login.state.expose();
        for (query, code, words) in [
            ("code=x".to_owned(), STATE_MISMATCH, "another login"),
            ("code=x&state=guess".to_owned(), STATE_MISMATCH, "another login"),
            (
                format!("error=access_denied&error_description=end-user+denied&state={state}"),
                "AUTHENTICATION_FAILED",
                "access_denied: end-user denied; the user turned the app down",
            ),
            (format!("error=server_error&state={state}"), "AUTHENTICATION_FAILED", "no login: server_error"),
            (format!("code=&state={state}"), "AUTHENTICATION_FAILED", "no code"),
        ] {
            let error = login.answered(&query).unwrap_err();
            assert_eq!(error.code(), code, "{query}");
            assert!(error.to_string().contains(words), "{error}");
        }
        let code = login.answered(&format!("code=a%3D%3D&state={state}")).unwrap();
        assert_eq!(code.0.expose(), "a==");
    }

    #[test]
    fn a_token_endpoint_of_another_path_is_refused() {
        let endpoint = LoginAddress::Endpoint("https://acme.my.salesforce.com/gateway/issue".to_owned());
        assert_eq!(begin(endpoint).unwrap_err().code(), "INVALID_ADDRESS");
    }
}
