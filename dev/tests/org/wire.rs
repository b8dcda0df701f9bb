//! What lies between the org and its clients: TLS, latency, a proxy.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use salesforce_connector_dev::org::DevOrg;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::client::{send, token};

const LOGIN: &str = "grant_type=client_credentials&client_id=dev-client&client_secret=dev-secret";

#[tokio::test(start_paused = true)]
async fn an_answer_takes_as_long_as_the_latency_says_and_counts_as_in_flight() {
    let org = DevOrg::builder().latency(Duration::from_mins(5)).start().await.unwrap();
    let began = Instant::now();
    let asked = async || send(org.address(), "GET", "/services/data", &[], "").await.unwrap().status;
    assert_eq!(tokio::join!(asked(), asked()), (200, 200));
    assert!(began.elapsed() >= Duration::from_mins(5));
    let counters = org.counters();
    assert_eq!((counters.in_flight, counters.most_in_flight), (0, 2));
}

#[tokio::test]
async fn a_client_behind_a_proxy_is_told_the_address_of_the_proxy() {
    let org = DevOrg::builder().base_url("http://proxy.example.com:8080").start().await.unwrap();
    let answer = token(&org, LOGIN).await;
    assert_eq!(answer.body["instance_url"], "http://proxy.example.com:8080");
}

#[tokio::test]
async fn an_org_with_a_certificate_speaks_https_and_one_bad_client_does_not_stop_it() {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let org = DevOrg::builder().tls(cert.pem(), signing_key.serialize_pem()).start().await.unwrap();
    assert!(org.base_url().starts_with("https://127.0.0.1:"), "{}", org.base_url());

    // Neither a client that says nothing nor one in the clear keeps others waiting.
    let _silent = TcpStream::connect(org.address()).await.unwrap();
    assert!(send(org.address(), "GET", "/services/data", &[], "").await.is_err());

    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = TcpStream::connect(org.address()).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap();
    let request = "GET /services/data HTTP/1.1\r\nhost: org\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test]
async fn a_certificate_that_is_none_is_refused_at_the_start() {
    let error = DevOrg::builder().tls("not a certificate", "not a key").start().await.unwrap_err();
    assert!(error.to_string().contains("key is not PEM"), "{error}");
}
