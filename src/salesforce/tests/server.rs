//! An HTTP/1.1 server on a free port, scripted by a function from request to reply.

use std::{
    collections::HashMap,
    fmt::Write as _,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::Instant,
};

use crate::{backoff::Backoff, metrics::Metrics};

use super::super::{
    AllowedHosts, ApiVersion, CallClass, Credentials, Path, Request, SalesforceClient, TimeLimit, Transport,
    TransportOptions, retry::RetryPolicy,
};

pub(super) const TOKEN_PATH: &str = "/services/oauth2/token";

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: String,
    /// With its query.
    pub(super) target: String,
    pub(super) headers: HashMap<String, String>,
    pub(super) body: String,
    /// Which request of its kind (login or call) this is, from 1.
    pub(super) number: usize,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The token it came with.
    pub(super) fn token(&self) -> &str {
        self.header("authorization").strip_prefix("Bearer ").unwrap_or_default()
    }

    fn is_login(&self) -> bool {
        self.target == TOKEN_PATH
    }
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// Status, further headers, body.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Closes the connection without a word.
    Cut,
    /// Announces ten bytes more than it sends, then closes the connection.
    CutInBody(u16, Vec<u8>),
    /// Answers, then closes the connection without having said so.
    AnswerAndCut(u16, Vec<u8>),
    /// Sends exactly these bytes, then closes the connection.
    Raw(&'static [u8]),
    /// Never answers.
    Hang,
    /// Answers with as much as it is waited for, a byte at a time.
    Drip,
}

/// JSON with a status.
pub(super) fn answer(status: u16, body: &Value) -> Reply {
    Reply::Answer(
        status,
        vec![("content-type", "application/json".to_owned())],
        body.to_string().into_bytes(),
    )
}

/// Text with a status.
pub(super) fn text(status: u16, body: &str) -> Reply {
    Reply::Answer(status, Vec::new(), body.as_bytes().to_vec())
}

/// Salesforce's usual form of an error.
pub(super) fn refusal(status: u16, code: &str, message: &str) -> Reply {
    answer(status, &json!([{"errorCode": code, "message": message}]))
}

pub(super) fn expired_session() -> Reply {
    refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
}

type Script = dyn Fn(&Seen) -> Reply + Send + Sync;

struct Shared {
    address: SocketAddr,
    login: Box<Script>,
    call: Box<Script>,
    seen: Mutex<Vec<Seen>>,
    logins: AtomicUsize,
    calls: AtomicUsize,
}

pub(super) struct Server {
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Server {
    /// Issues the tokens `token-1`, `token-2` … without looking at the credentials; calls go to the script.
    pub(super) async fn org(call: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(|seen| answer(200, &json!({"access_token": format!("token-{}", seen.number)})), call)
            .await
    }

    pub(super) async fn start(
        login: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
        call: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shared = Arc::new(Shared {
            address: listener.local_addr().unwrap(),
            login: Box::new(login),
            call: Box::new(call),
            seen: Mutex::default(),
            logins: AtomicUsize::new(0),
            calls: AtomicUsize::new(0),
        });
        let state = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let state = Arc::clone(&state);
                tokio::spawn(async move { serve(stream, &state).await });
            }
        });
        Self { shared, accepting }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.shared.address)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.shared.address
    }

    pub(super) fn logins(&self) -> usize {
        self.shared.logins.load(Ordering::SeqCst)
    }

    pub(super) fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::SeqCst)
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// A client that logs in here.
    pub(super) fn client(&self) -> SalesforceClient {
        transport().client(&self.url(), ApiVersion::DEFAULT, grant()).unwrap()
    }

    /// A client with a token that somebody else got.
    pub(super) fn bearer_client(&self, token: &str) -> SalesforceClient {
        let credentials = Credentials::Bearer { token: token.into() };
        transport().client(&self.url(), ApiVersion::DEFAULT, credentials).unwrap()
    }
}

async fn serve(stream: TcpStream, state: &Shared) {
    let mut stream = BufReader::new(stream);
    while let Some(mut seen) = receive(&mut stream).await {
        let (counter, script) =
            if seen.is_login() { (&state.logins, &state.login) } else { (&state.calls, &state.call) };
        seen.number = counter.fetch_add(1, Ordering::SeqCst) + 1;
        state.seen.lock().unwrap().push(seen.clone());
        let (head, body, goes_on) = match script(&seen) {
            Reply::Answer(status, headers, body) => (head(status, &headers, body.len()), body, true),
            Reply::AnswerAndCut(status, body) => (head(status, &[], body.len()), body, false),
            Reply::CutInBody(status, body) => (head(status, &[], body.len() + 10), body, false),
            Reply::Raw(bytes) => (String::new(), bytes.to_vec(), false),
            Reply::Cut => return,
            Reply::Hang => std::future::pending().await,
            Reply::Drip => return drip(stream.get_mut()).await,
        };
        // The client may have gone away by now; then the next read ends the loop.
        let _ = stream.get_mut().write_all(&[head.into_bytes(), body].concat()).await;
        if !goes_on {
            return;
        }
    }
}

async fn drip(stream: &mut TcpStream) {
    let head = head(200, &[], 1_000_000);
    let bytes = head.bytes().chain(std::iter::repeat(b' '));
    let mut pause = tokio::time::interval(Duration::from_millis(5));
    for byte in bytes {
        pause.tick().await;
        if stream.write_all(&[byte]).await.is_err() {
            return;
        }
    }
}

fn head(status: u16, headers: &[(&str, String)], length: usize) -> String {
    let mut head = format!("HTTP/1.1 {status} \r\ncontent-length: {length}\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    head + "\r\n"
}

async fn receive(stream: &mut BufReader<TcpStream>) -> Option<Seen> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|&read| read > 0)?;
    let mut parts = line.split(' ');
    let (method, target) = (parts.next()?.to_owned(), parts.next()?);
    // A proxy is asked with the whole address, and may hand it on so.
    let target = match target.strip_prefix("http://") {
        Some(rest) => rest[rest.find('/')?..].to_owned(),
        None => target.to_owned(),
    };
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Seen { method, target, headers, body: String::from_utf8(body).ok()?, number: 0 })
}

/// Calls this machine over http, and retries without a noticeable pause.
pub(super) fn transport() -> Transport {
    transport_with(|_| {})
}

pub(super) fn transport_with(change: impl FnOnce(&mut TransportOptions)) -> Transport {
    let hosts = AllowedHosts::new(&[], true, true).unwrap();
    let mut options = TransportOptions { hosts, ..TransportOptions::default() };
    change(&mut options);
    let millisecond = Duration::from_millis(1);
    let backoff = Backoff::new(millisecond, millisecond, 1.0, 0.0).unwrap();
    Transport::bare(options, Arc::new(Metrics::new()), RetryPolicy { attempts: 3, backoff })
}

pub(super) fn grant() -> Credentials {
    Credentials::client_credentials("consumer-key", "consumer-s3cret")
}

/// More time than any test needs.
pub(super) fn patient() -> TimeLimit {
    within(Duration::from_secs(30))
}

pub(super) fn within(deadline: Duration) -> TimeLimit {
    TimeLimit { request_timeout: Duration::from_secs(30), deadline: Instant::now() + deadline }
}

pub(super) fn query() -> Request {
    Request::query("SELECT Id FROM Account WHERE Name = 'Confidential'")
}

pub(super) fn create() -> Request {
    let fields = json!({"Name": "Acme"}).as_object().unwrap().clone();
    Request::create(&"Account".parse().unwrap(), fields)
}

pub(super) fn update() -> Request {
    let id = "001D000000IRFmaIAH".parse().unwrap();
    Request::update(&"Account".parse().unwrap(), &id, serde_json::Map::new())
}

/// A request of each class.
pub(super) fn of_each_class() -> [Request; 3] {
    let requests = [query(), update(), create()];
    let classes = requests.each_ref().map(|request| request.class);
    assert_eq!(classes, [CallClass::Read, CallClass::IdempotentWrite, CallClass::UnsafeWrite]);
    requests
}

pub(super) fn absolute(path: &str) -> Request {
    Request { path: Path::Absolute(path.to_owned()), query: Vec::new(), ..query() }
}
