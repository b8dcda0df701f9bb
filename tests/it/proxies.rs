//! The proxy of the environment, for the program as it is started from a shell.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use salesforce_connector_dev::{gateway::DevGateway, org::DevOrg};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    process::Command,
};

/// A name that nobody can have (RFC 6761), so that no test speaks to a stranger.
const HOST: &str = "acme.invalid";

/// A proxy that counts who asks it for what, and lets nobody through.
struct Proxy {
    address: SocketAddr,
    tunnels: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Proxy {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (tunnels, requests) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            tunnels: Arc::clone(&tunnels),
            requests: Arc::clone(&requests),
        };
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut head = vec![0; 4096];
                let read = socket.read(&mut head).await.unwrap_or_default();
                let head = String::from_utf8_lossy(&head[..read]).into_owned();
                // The org's name, so that nothing else is counted.
                if head.starts_with(&format!("CONNECT {HOST}:443 ")) {
                    tunnels.fetch_add(1, Ordering::SeqCst);
                } else if head.starts_with(&format!("POST http://{HOST}/services/oauth2/token ")) {
                    requests.fetch_add(1, Ordering::SeqCst);
                }
                let _ = socket.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
            }
        });
        proxy
    }

    fn seen(&self) -> (usize, usize) {
        (self.tunnels.load(Ordering::SeqCst), self.requests.load(Ordering::SeqCst))
    }
}

/// Runs `check` for one connection to this address, with these variables; gives what it printed.
async fn check(base_url: &str, variables: &[(&str, &str)]) -> String {
    let gateway = DevGateway::start().await.unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_salesforce-connector"))
        .arg("check")
        .env_clear()
        .env("CAMUNDA_GRPC_ADDRESS", gateway.url())
        .env("SALESFORCE_CONNECTOR_HOSTS__ALLOW", HOST)
        .env("SALESFORCE_CONNECTOR_HOSTS__ALLOW_HTTP", "true")
        .env("SALESFORCE_CONNECTOR_HOSTS__ALLOW_LOOPBACK", "true")
        .env("SALESFORCE_CONNECTOR_CONNECTIONS__ACME__BASE_URL", base_url)
        .env("SALESFORCE_CONNECTOR_CONNECTIONS__ACME__AUTHENTICATION__TYPE", "oauth-client-credentials-flow")
        .env("SALESFORCE_CONNECTOR_CONNECTIONS__ACME__AUTHENTICATION__CLIENT_ID", "dev-client")
        .env("SALESFORCE_CONNECTOR_CONNECTIONS__ACME__AUTHENTICATION__CLIENT_SECRET", "dev-secret")
        .envs(variables.iter().copied())
        .output()
        .await
        .unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proxy_of_the_environment_is_used_for_https_and_for_http_and_its_refusal_is_told() {
    let proxy = Proxy::start().await;
    let url = format!("http://{}", proxy.address);
    let told = check("https://acme.invalid", &[("HTTPS_PROXY", &url)]).await;
    assert_eq!(proxy.seen(), (1, 0), "{told}");
    assert!(told.contains("the proxy does not lead there"), "{told}");
    let told = check("http://acme.invalid", &[("HTTP_PROXY", &url)]).await;
    assert_eq!(proxy.seen(), (1, 1), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_of_the_connection_goes_before_that_of_the_environment() {
    let (own, other) = (Proxy::start().await, Proxy::start().await);
    let (own_url, other_url) = (format!("http://{}", own.address), format!("http://{}", other.address));
    let key = "SALESFORCE_CONNECTOR_CONNECTIONS__ACME__PROXY";
    check("https://acme.invalid", &[("HTTPS_PROXY", &other_url), (key, &own_url)]).await;
    assert_eq!((own.seen(), other.seen()), ((1, 0), (0, 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_proxy_is_honoured_for_both() {
    let proxy = Proxy::start().await;
    let url = format!("http://{}", proxy.address);
    for key in ["HTTPS_PROXY", "SALESFORCE_CONNECTOR_CONNECTIONS__ACME__PROXY"] {
        let told = check("https://acme.invalid", &[(key, &url), ("NO_PROXY", "acme.invalid")]).await;
        assert!(told.contains("dns error"), "it was looked up here: {told}");
    }
    assert_eq!(proxy.seen(), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn this_machine_is_never_called_through_a_proxy() {
    let (proxy, org) = (Proxy::start().await, DevOrg::start().await.unwrap());
    let url = format!("http://{}", proxy.address);
    let told = check(&org.base_url(), &[("HTTP_PROXY", &url), ("HTTPS_PROXY", &url)]).await;
    assert_eq!(org.counters().tokens_issued, 1, "{told}");
    assert_eq!(proxy.seen(), (0, 0));
}
