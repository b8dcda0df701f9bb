//! DevIdentity: an OAuth token endpoint in memory, for gateways that want tokens.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::IntoFuture;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

/// An identity provider with one client: `POST /oauth/token` with the client credentials grant, the client's
/// id and secret in the form or as HTTP Basic. Dropping it stops it.
#[derive(Debug)]
pub struct DevIdentity {
    address: SocketAddr,
    tokens: Arc<Tokens>,
    _stop: DropGuard,
}

/// Options of a [`DevIdentity`]. Defaults: client `dev-client` with secret `dev-secret`, any audience,
/// tokens that live five minutes, a free loopback port.
#[derive(Debug)]
#[must_use = "nothing happens before `start`"]
pub struct DevIdentityBuilder {
    listen: SocketAddr,
    client: Client,
}

#[derive(Clone)]
struct Client {
    id: String,
    secret: String,
    audience: Option<String>,
    lifetime: Duration,
}

/// A token request as it came in, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRequest {
    /// The client id.
    pub client_id: String,
    /// The audience, if one was sent.
    pub audience: Option<String>,
    /// The scope, if one was sent.
    pub scope: Option<String>,
    /// The resource, if one was sent.
    pub resource: Option<String>,
    /// Whether the credentials came as HTTP Basic.
    pub basic: bool,
    /// The HTTP status of the answer.
    pub status: u16,
}

/// The tokens issued so far, and the script of the endpoint.
pub(super) struct Tokens {
    client: Client,
    state: Mutex<Issued>,
}

#[derive(Default)]
struct Issued {
    alive: HashMap<String, Instant>,
    count: usize,
    requests: Vec<TokenRequest>,
    refusals: VecDeque<u16>,
}

impl DevIdentity {
    /// Options first.
    pub fn builder() -> DevIdentityBuilder {
        DevIdentityBuilder {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            client: Client {
                id: "dev-client".into(),
                secret: "dev-secret".into(),
                audience: None,
                lifetime: Duration::from_mins(5),
            },
        }
    }

    /// An identity provider with default options.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The token endpoint, `http://127.0.0.1:PORT/oauth/token`.
    pub fn token_url(&self) -> String {
        format!("http://{}/oauth/token", self.address)
    }

    /// Every request so far, oldest first.
    pub fn requests(&self) -> Vec<TokenRequest> {
        self.tokens.lock().requests.clone()
    }

    /// How many tokens were issued.
    pub fn tokens_issued(&self) -> usize {
        self.tokens.lock().count
    }

    /// Every token issued so far stops being valid.
    pub fn revoke_all(&self) {
        self.tokens.lock().alive.clear();
    }

    /// The next `requests` requests are answered with this HTTP status and no token.
    pub fn refuse(&self, requests: usize, status: u16) {
        self.tokens.lock().refusals.extend(std::iter::repeat_n(status, requests));
    }

    pub(super) fn tokens(&self) -> Arc<Tokens> {
        Arc::clone(&self.tokens)
    }
}

impl DevIdentityBuilder {
    /// The address to listen on; port 0 takes a free one.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// The one client that gets tokens.
    pub fn client(mut self, id: &str, secret: &str) -> Self {
        id.clone_into(&mut self.client.id);
        secret.clone_into(&mut self.client.secret);
        self
    }

    /// Tokens are given for this audience only.
    pub fn audience(mut self, audience: &str) -> Self {
        self.client.audience = Some(audience.to_owned());
        self
    }

    /// How long a token lives; `expires_in` tells it in whole seconds.
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.client.lifetime = lifetime;
        self
    }

    /// Listens and serves.
    pub async fn start(self) -> io::Result<DevIdentity> {
        let socket = TcpListener::bind(self.listen).await?;
        let address = socket.local_addr()?;
        let tokens = Arc::new(Tokens { client: self.client, state: Mutex::default() });
        let router = Router::new().route("/oauth/token", post(issue)).with_state(Arc::clone(&tokens));
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                _ = axum::serve(socket, router).into_future() => {}
            }
        });
        Ok(DevIdentity { address, tokens, _stop: stop.drop_guard() })
    }
}

impl Tokens {
    pub(super) fn accepts(&self, token: &str) -> bool {
        self.lock().alive.get(token).is_some_and(|until| Instant::now() < *until)
    }

    /// The answer to a form with these credentials.
    fn answer(&self, form: &HashMap<String, String>, basic: Option<(String, String)>) -> (u16, Value) {
        let client = &self.client;
        let field = |name: &str| form.get(name).cloned();
        let sent_basic = basic.is_some();
        let (id, secret) = basic.unwrap_or_else(|| {
            (field("client_id").unwrap_or_default(), field("client_secret").unwrap_or_default())
        });
        let audience_fits = client.audience.is_none() || client.audience == field("audience");
        let mut state = self.lock();
        let (status, body) = if let Some(status) = state.refusals.pop_front() {
            (status, json!({ "error": "temporarily_unavailable" }))
        } else if field("grant_type").as_deref() != Some("client_credentials") {
            (400, json!({ "error": "unsupported_grant_type" }))
        } else if (&id, &secret) != (&client.id, &client.secret) {
            // Some providers, and proxies before them, repeat what they were sent.
            let basic = STANDARD.encode(format!("{id}:{secret}"));
            let words = format!("no client has {id} and {secret}, that is, Basic {basic}");
            (401, json!({ "error": "invalid_client", "error_description": words }))
        } else if !audience_fits {
            (403, json!({ "error": "access_denied", "error_description": "unknown audience" }))
        } else {
            (200, state.issue(client.lifetime))
        };
        state.requests.push(TokenRequest {
            client_id: id,
            audience: field("audience"),
            scope: field("scope"),
            resource: field("resource"),
            basic: sent_basic,
            status,
        });
        (status, body)
    }

    fn lock(&self) -> MutexGuard<'_, Issued> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Issued {
    fn issue(&mut self, lifetime: Duration) -> Value {
        self.count += 1;
        let token = format!("dev-gateway-token-{}-{:016x}", self.count, fastrand::u64(..));
        self.alive.insert(token.clone(), Instant::now() + lifetime);
        json!({ "access_token": token, "token_type": "Bearer", "expires_in": lifetime.as_secs() })
    }
}

async fn issue(
    State(tokens): State<Arc<Tokens>>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let (status, body) = tokens.answer(&form, basic(&headers));
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(body)).into_response()
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let encoded = headers.get("authorization")?.to_str().ok()?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("issued", &self.lock().count).finish_non_exhaustive()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("id", &self.id).finish_non_exhaustive()
    }
}
