//! The proxy of a connection: what goes through it, and what its refusals say.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::super::{AllowedHosts, ApiVersion, Error, Network, SalesforceClient};
use super::server::{Server, grant, patient, query, transport_with};
use super::tls::{Authority, Front, org};

const HOST: &str = "acme.my.salesforce.com";
/// `user:p@ss` in Base64.
const CREDENTIALS: &str = "Basic dXNlcjpwQHNz";

/// A proxy that leads everything to one place, and keeps the heads of what it was asked.
struct Proxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    accepting: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Proxy {
    /// `refusal` is the status line for whoever comes without the credentials.
    async fn start(to: SocketAddr, refusal: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, heads) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<_>>>::default());
        let seen = Arc::clone(&heads);
        let accepting = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, to, refusal, Arc::clone(&seen)));
            }
        });
        Self { address, heads, accepting }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn serve(mut socket: TcpStream, to: SocketAddr, refusal: Option<&str>, heads: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let text = String::from_utf8(head.clone()).unwrap();
    let is_allowed = refusal.is_none() || text.contains(CREDENTIALS);
    let is_tunnel = text.starts_with("CONNECT ");
    heads.lock().unwrap().push(text);
    if !is_allowed {
        let answer = format!("HTTP/1.1 {}\r\ncontent-length: 0\r\n\r\n", refusal.unwrap());
        let _ = socket.write_all(answer.as_bytes()).await;
        return;
    }
    let mut target = TcpStream::connect(to).await.unwrap();
    if is_tunnel {
        socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    } else {
        target.write_all(&head).await.unwrap();
    }
    let _ = copy_bidirectional(&mut socket, &mut target).await;
}

/// A client of an org that only the proxy can find.
fn client(address: &str, network: &Network) -> Result<SalesforceClient, Error> {
    let hosts = AllowedHosts::new(&["*.my.salesforce.com".to_owned(), "10.0.0.1".to_owned()], true, true);
    let transport = transport_with(|options| options.hosts = hosts.unwrap()).over(network)?;
    transport.client(address, ApiVersion::DEFAULT, grant())
}

fn through(proxy: SocketAddr, credentials: &str) -> Network {
    Network { proxy: Some(format!("http://{credentials}{proxy}").into()), ..Network::default() }
}

async fn refusal(address: &str, network: &Network) -> Error {
    client(address, network).unwrap().send(&query(), patient()).await.unwrap_err()
}

fn assert_told(error: &Error, words: &[&str]) {
    assert_eq!(error.code(), "TOKEN_ENDPOINT_UNAVAILABLE", "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{word}: {error}");
    }
    assert!(!format!("{error} {error:?}").contains("p@ss"), "{error}");
    assert!(!format!("{error} {error:?}").contains("p%40ss"), "{error}");
}

/// An org behind TLS, and a proxy that leads to it.
async fn tunnelled(refusal: Option<&'static str>) -> (Server, Authority, Front, Proxy) {
    let (org, authority) = (org().await, Authority::new());
    let front = Front::start(org.address(), &authority, HOST).await;
    let proxy = Proxy::start(front.address, refusal).await;
    (org, authority, front, proxy)
}

#[tokio::test]
async fn https_goes_through_a_tunnel_and_the_name_is_resolved_by_the_proxy() {
    let (org, authority, _front, proxy) = tunnelled(None).await;
    let network = Network { ca_certificate: Some(authority.file()), ..through(proxy.address, "") };
    let client = client(&format!("https://{HOST}"), &network).unwrap();
    client.send(&query(), patient()).await.unwrap();
    assert_eq!((org.logins(), org.calls()), (1, 1));
    let heads = proxy.heads();
    assert!(
        heads.iter().all(|head| head.starts_with(&format!("CONNECT {HOST}:443 HTTP/1.1\r\n"))),
        "{heads:?}"
    );
    assert!(heads.iter().all(|head| !head.to_lowercase().contains("authorization")), "{heads:?}");
}

#[tokio::test]
async fn a_proxy_that_wants_credentials_gets_those_of_its_address_and_the_org_does_not() {
    let (org, authority, _front, proxy) = tunnelled(Some("407 Proxy Authentication Required")).await;
    let network =
        Network { ca_certificate: Some(authority.file()), ..through(proxy.address, "user:p%40ss@") };
    client(&format!("https://{HOST}"), &network).unwrap().send(&query(), patient()).await.unwrap();
    assert!(proxy.heads()[0].contains(CREDENTIALS));
    assert_eq!((org.logins(), org.calls()), (1, 1));
    assert!(org.seen().iter().all(|seen| seen.header("proxy-authorization").is_empty()));
}

#[tokio::test]
async fn a_proxys_refusals_are_explained_and_nothing_is_sent_past_it() {
    for (status, words) in [
        ("407 Proxy Authentication Required", &["407", "user:password@"][..]),
        ("403 Forbidden", &["the proxy does not lead there", "allow the host"]),
        ("502 Bad Gateway", &["the proxy does not lead there"]),
    ] {
        let (org, authority, _front, proxy) = tunnelled(Some(status)).await;
        for credentials in ["", "user:other-p%40ss@"] {
            let network =
                Network { ca_certificate: Some(authority.file()), ..through(proxy.address, credentials) };
            assert_told(&refusal(&format!("https://{HOST}"), &network).await, words);
        }
        assert!(org.seen().is_empty());
    }
}

#[tokio::test]
async fn plain_http_goes_through_the_proxy_too() {
    let org = org().await;
    let proxy = Proxy::start(org.address(), Some("407 Proxy Authentication Required")).await;
    let address = format!("http://{HOST}");
    client(&address, &through(proxy.address, "user:p%40ss@"))
        .unwrap()
        .send(&query(), patient())
        .await
        .unwrap();
    assert!(proxy.heads()[0].starts_with(&format!("POST http://{HOST}/services/oauth2/token HTTP/1.1\r\n")));
    assert_eq!((org.logins(), org.calls()), (1, 1));
    let error = refusal(&address, &through(proxy.address, "")).await;
    assert_told(&error, &["the proxy wants a user and a password", "407"]);
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named_as_the_obstacle() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = refusal(&format!("https://{HOST}"), &through(address, "")).await;
    assert_told(&error, &["the proxy cannot be reached"]);
}

#[tokio::test]
async fn addresses_of_private_networks_are_refused_behind_a_proxy_too() {
    let (org, _authority, _front, proxy) = tunnelled(None).await;
    for address in ["https://10.0.0.1", "https://[::ffff:10.0.0.1]", "https://169.254.169.254"] {
        let error = client(address, &through(proxy.address, "")).unwrap_err();
        assert_eq!(error.code(), "HOST_NOT_ALLOWED", "{address}");
    }
    assert!(proxy.heads().is_empty() && org.seen().is_empty());
}
