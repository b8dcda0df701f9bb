//! TLS to the gateway: a DevGateway behind a proxy that ends TLS.

use salesforce_connector::zeebe::GatewayOptions;
use salesforce_connector_dev::gateway::DevGateway;

use super::{Setup, address, completing, new_job, soon};
use crate::tls_end::TlsEnd;

/// A DevGateway behind TLS, with a certificate of an authority of its own.
struct TlsGateway {
    gateway: DevGateway,
    tls: TlsEnd,
}

impl TlsGateway {
    async fn start(host: &str) -> Self {
        let gateway = DevGateway::start().await.unwrap();
        let tls = TlsEnd::before(gateway.address(), host).await;
        Self { gateway, tls }
    }

    fn options(&self) -> GatewayOptions {
        GatewayOptions {
            ca_certificate: Some(self.tls.authority().into()),
            ..address(format!("https://localhost:{}", self.tls.port()))
        }
    }
}

#[tokio::test]
async fn with_its_authority_the_gateway_is_trusted_for_streams_and_commands() {
    let tls = TlsGateway::start("localhost").await;
    let worker = Setup::at(tls.options()).run_ready(completing).await;
    let key = tls.gateway.create_job(new_job());
    soon(tls.gateway.finished(key)).await;
    assert_eq!(worker.drain().await.completed, 1);
}

#[tokio::test]
async fn without_its_authority_the_gateway_is_not_trusted_and_the_error_says_what_to_do() {
    let (tls, other) = (TlsGateway::start("localhost").await, TlsGateway::start("localhost").await);
    let wrong = GatewayOptions { ca_certificate: other.options().ca_certificate, ..tls.options() };
    let none = GatewayOptions { ca_certificate: None, ..tls.options() };
    for options in [wrong, none] {
        let error = soon(Setup::at(options).client().info()).await.unwrap_err().to_string();
        assert!(error.contains("certificate"), "{error}");
        assert!(error.contains("name its CA certificate file"), "{error}");
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_needs_the_override() {
    let tls = TlsGateway::start("zeebe.example.com").await;
    let error = soon(Setup::at(tls.options()).client().info()).await.unwrap_err().to_string();
    assert!(error.contains("override the authority"), "{error}");

    let options = GatewayOptions { override_authority: Some("zeebe.example.com".into()), ..tls.options() };
    let info = soon(Setup::at(options).client().info()).await.unwrap();
    assert_eq!(info.brokers, 1);
}

#[tokio::test]
async fn plaintext_to_a_tls_port_and_tls_to_a_plaintext_port_fail_with_an_error() {
    let tls = TlsGateway::start("localhost").await;
    let plain = address(format!("http://localhost:{}", tls.tls.port()));
    soon(Setup::at(plain).client().info()).await.unwrap_err();

    let encrypted = GatewayOptions {
        address: format!("https://localhost:{}", tls.gateway.address().port()),
        ..tls.options()
    };
    let error = soon(Setup::at(encrypted).client().info()).await.unwrap_err().to_string();
    assert!(error.contains("http://"), "{error}");
}
