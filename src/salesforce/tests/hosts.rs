//! Nothing leads a token or a secret to a place that was not allowed.

use serde_json::json;

use super::super::{ApiVersion, Credentials, ErrorClass, LoginAddress, OAuthClient};
use super::server::{Reply, Server, answer, grant, of_each_class, patient, query, text, transport};

fn redirect(status: u16, to: &str) -> Reply {
    Reply::Answer(status, vec![("location", format!("{to}/services/oauth2/token"))], Vec::new())
}

const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

#[tokio::test]
async fn no_redirect_of_an_org_takes_the_token_along() {
    for status in REDIRECTS {
        let elsewhere = Server::org(|_| text(200, "{}")).await;
        let url = elsewhere.url();
        let org = Server::org(move |_| redirect(status, &url)).await;
        for request in of_each_class() {
            let error = org.client().send(&request, patient()).await.unwrap_err();
            assert_eq!(
                (error.code(), error.class()),
                ("REDIRECT_NOT_FOLLOWED", ErrorClass::Permanent),
                "{status}"
            );
        }
        assert_eq!(org.calls(), 3, "each was sent once");
        assert!(elsewhere.seen().is_empty(), "{status}");
    }
}

#[tokio::test]
async fn no_redirect_of_a_token_endpoint_takes_the_secret_along() {
    for status in REDIRECTS {
        let elsewhere = Server::org(|_| text(200, "{}")).await;
        let url = elsewhere.url();
        let org = Server::start(move |_| redirect(status, &url), |_| text(200, "{}")).await;
        let error = org.client().send(&query(), patient()).await.unwrap_err();
        assert_eq!(error.code(), "AUTHENTICATION_FAILED", "{status}");
        assert!(error.to_string().contains("redirect"), "{error}");
        assert_eq!((org.logins(), org.calls()), (1, 0));
        assert!(elsewhere.seen().is_empty(), "{status}");
    }
}

#[tokio::test]
async fn an_instance_in_a_private_network_is_refused_before_anything_is_sent_there() {
    for instance in [
        "https://10.0.0.1",
        "https://169.254.169.254",
        "http://[fd00:ec2::254]",
        "https://[::ffff:192.168.0.1]",
        "https://user@acme.my.salesforce.com",
        "https://acme.my.salesforce.com.evil.example",
        "https://acme.my.salesf\u{43e}rce.com",
    ] {
        let reply = json!({"access_token": "t", "instance_url": instance});
        let org = Server::start(move |_| answer(200, &reply), |_| text(200, "{}")).await;
        let error = org.client().send(&query(), patient()).await.unwrap_err();
        assert!(["HOST_NOT_ALLOWED", "INVALID_ADDRESS"].contains(&error.code()), "{instance}: {error}");
        assert!(error.to_string().contains("instance_url"), "{error}");
        assert_eq!((org.logins(), org.calls()), (1, 0));
    }
}

#[tokio::test]
async fn login_hosts_and_token_endpoints_are_held_to_the_same_list() {
    let client = || OAuthClient::new("consumer-key", "consumer-s3cret");
    for login in [
        LoginAddress::Host("https://evil.example".to_owned()),
        LoginAddress::Host("https://10.0.0.1".to_owned()),
        LoginAddress::Endpoint("https://169.254.169.254/latest/api/token".to_owned()),
        LoginAddress::Endpoint("https://evil.example/services/oauth2/token".to_owned()),
    ] {
        let credentials = Credentials::ClientCredentials { login: login.clone(), client: client() };
        let error = transport().client("http://127.0.0.1:1", ApiVersion::DEFAULT, credentials).unwrap_err();
        assert_eq!(error.code(), "HOST_NOT_ALLOWED", "{login:?}");
    }
    assert!(transport().client("http://127.0.0.1:1", ApiVersion::DEFAULT, grant()).is_ok());
}

#[test]
fn soap_is_answered_with_what_replaces_it() {
    for (base, login) in [
        ("http://localhost/services/Soap/u/64.0", LoginAddress::BaseUrl),
        (
            "http://localhost",
            LoginAddress::Host("https://login.salesforce.com/services/Soap/u/64.0".to_owned()),
        ),
        ("http://localhost", LoginAddress::Endpoint("http://localhost/services/soap/c/64.0".to_owned())),
    ] {
        let client = OAuthClient::new("consumer-key", "consumer-s3cret");
        let credentials = Credentials::ClientCredentials { login, client };
        let error = transport().client(base, ApiVersion::DEFAULT, credentials).unwrap_err();
        assert_eq!(error.code(), "INVALID_ADDRESS");
        for word in ["SOAP", "Summer '27", "client credentials", "JWT bearer"] {
            assert!(error.to_string().contains(word), "{word}: {error}");
        }
    }
}
