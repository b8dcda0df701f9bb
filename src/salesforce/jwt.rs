//! The assertion of the JWT bearer flow (RFC 7523): three claims, signed with RS256.
//!
//! rustls's ring does the signing: it is in the program anyway, reads PKCS#1 and PKCS#8, and its RSA runs in constant
//! time, which that of the `rsa` crate below `jsonwebtoken` does not (RUSTSEC-2023-0071).

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls::{
    SignatureScheme,
    crypto::ring::sign::any_supported_type,
    pki_types::{PrivateKeyDer, pem::PemObject as _},
    sign::SigningKey,
};
use secrecy::SecretString;
use serde_json::json;
use url::Url;

use super::credentials::invalid;
use super::error::Error;
use super::grant::{Client, Secret};

/// How long an assertion is good, in seconds: what Salesforce advises.
const LIFETIME: i64 = 180;

/// A private key, parsed.
#[derive(Clone)]
pub(super) struct Key(Arc<dyn SigningKey>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// Reads PEM text; line breaks may be written `\n`, as they are in environment variables.
    pub(super) fn parse(pem: &Secret) -> Result<Self, Error> {
        let text = pem.expose().trim();
        if text.is_empty() {
            return Err(invalid("the private key is empty"));
        }
        let text = text.replace("\\n", "\n");
        let der = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| unreadable(&text))?;
        let key = any_supported_type(&der).map_err(|_| {
            expected("an RSA key that is damaged, or not of 2048 to 4096 bits, or a key of another kind")
        })?;
        if key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).is_none() {
            return Err(expected("a key that is not RSA; Salesforce takes RS256 only"));
        }
        Ok(Self(key))
    }

    /// The assertion that this user logs in through this client, good for three minutes from `now`, in Unix seconds.
    pub(super) fn assertion(
        &self,
        client: &Client,
        (username, audience): (&str, &str),
        now: i64,
    ) -> Result<Secret, Error> {
        let claims = json!({"iss": client.id, "sub": username, "aud": audience, "exp": now + LIFETIME});
        let encode = |text: String| URL_SAFE_NO_PAD.encode(text);
        let message =
            format!("{}.{}", encode(json!({"alg": "RS256"}).to_string()), encode(claims.to_string()));
        let signer = self.0.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]);
        let signature = signer
            .and_then(|signer| signer.sign(message.as_bytes()).ok())
            .ok_or_else(|| invalid("the private key cannot sign with RS256"))?;
        let assertion = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
        Ok(Secret(SecretString::from(assertion)))
    }
}

fn unreadable(text: &str) -> Error {
    let found = if text.contains("ENCRYPTED") {
        "an encrypted key; decrypt it with \"openssl pkcs8 -in KEY -out PLAIN\""
    } else if text.contains("BEGIN PUBLIC KEY") || text.contains("BEGIN RSA PUBLIC KEY") {
        "a public key; the private one belongs here, the certificate to the app in Salesforce"
    } else if text.contains("BEGIN CERTIFICATE") {
        "a certificate; it belongs to the app in Salesforce, its private key here"
    } else if text.contains("BEGIN OPENSSH") {
        "a key in OpenSSH's form; convert it with \"ssh-keygen -p -m PEM -f KEY\""
    } else if text.contains("PRIVATE KEY") {
        "a private key whose text is damaged or cut"
    } else {
        "another text"
    };
    expected(found)
}

/// What was found is told by its kind only.
fn expected(found: &str) -> Error {
    invalid(&format!(
        "the private key is not usable: expected an RSA key as PEM text, which begins with \
         \"-----BEGIN PRIVATE KEY-----\" or \"-----BEGIN RSA PRIVATE KEY-----\", found {found}"
    ))
}

/// The audience that Salesforce expects where none is configured: that of the shared host for the kind of org.
///
/// Sandboxes are recognised by their domains (`acme--dev.sandbox.my.salesforce.com`, and the older
/// `acme--dev.my.salesforce.com`); a host that is not Salesforce's is its own audience.
pub(super) fn audience_of(endpoint: &Url) -> String {
    let host = endpoint.host_str().unwrap_or_default();
    let is_salesforce = host.ends_with(".salesforce.com");
    if !is_salesforce {
        return endpoint.origin().ascii_serialization();
    }
    let first = host.split('.').next().unwrap_or_default();
    let is_sandbox = host == "test.salesforce.com" || host.contains(".sandbox.") || first.contains("--");
    let shared = if is_sandbox { "test" } else { "login" };
    format!("https://{shared}.salesforce.com")
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::AlgorithmIdentifier;
    use serde_json::Value;

    use super::super::ClientAuthentication;
    use super::*;

    const PKCS1: &str = include_str!("tests/keys/rsa.pkcs1.pem");
    const PKCS8: &str = include_str!("tests/keys/rsa.pkcs8.pem");
    const PUBLIC: &str = include_str!("tests/keys/rsa.public.pem");

    fn key(pem: &str) -> Result<Key, Error> {
        Key::parse(&Secret(pem.into()))
    }

    fn assertion(pem: &str) -> String {
        let (secret, previous_secret) = (None, None);
        let authentication = ClientAuthentication::Body;
        let client = Client { id: "consumer".to_owned(), secret, previous_secret, authentication };
        let who = ("müller@acme.com", "https://login.salesforce.com");
        key(pem).unwrap().assertion(&client, who, 1_000).unwrap().expose().to_owned()
    }

    #[test]
    fn an_assertion_has_the_four_claims_and_a_signature_that_the_public_key_confirms() {
        for pem in [PKCS1, PKCS8, &PKCS8.replace('\n', "\\n")] {
            let assertion = assertion(pem);
            let parts: Vec<&str> = assertion.split('.').collect();
            let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
            let json = |part: &str| serde_json::from_slice::<Value>(&decode(part)).unwrap();
            assert_eq!(json(parts[0]), json!({"alg": "RS256"}));
            let claims = json!({
                "iss": "consumer", "sub": "müller@acme.com", "aud": "https://login.salesforce.com", "exp": 1_180
            });
            assert_eq!(json(parts[1]), claims);
            let body: String = PUBLIC.lines().filter(|line| !line.starts_with('-')).collect();
            let public = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
            let provider = rustls::crypto::ring::default_provider();
            let (_, algorithms) = provider
                .signature_verification_algorithms
                .mapping
                .iter()
                .find(|(scheme, _)| *scheme == SignatureScheme::RSA_PKCS1_SHA256)
                .unwrap();
            let _: AlgorithmIdentifier = algorithms[0].public_key_alg_id();
            let signed = format!("{}.{}", parts[0], parts[1]);
            algorithms[0].verify_signature(&public, signed.as_bytes(), &decode(parts[2])).unwrap();
        }
    }

    #[test]
    fn what_is_no_usable_key_is_told_by_its_kind_and_never_repeated() {
        let cut = &PKCS8[..PKCS8.len() / 2];
        let damaged = PKCS1.replacen("MII", "MIJ", 1);
        for (pem, words) in [
            ("", "the private key is empty"),
            (" \n", "the private key is empty"),
            ("hunter2-hunter2", "found another text"),
            (include_str!("tests/keys/rsa.encrypted.pem"), "an encrypted key"),
            (include_str!("tests/keys/rsa.spki.pem"), "a public key"),
            (PUBLIC, "a public key"),
            (include_str!("tests/keys/ec.sec1.pem"), "not RSA"),
            (include_str!("tests/keys/rsa.weak.pem"), "2048"),
            ("-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----", "a certificate"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n-----END OPENSSH PRIVATE KEY-----", "OpenSSH"),
            (cut, "damaged or cut"),
            (&damaged, "damaged"),
        ] {
            let error = key(pem).unwrap_err();
            assert_eq!(error.code(), "INVALID_CREDENTIALS");
            let text = error.to_string();
            assert!(text.contains(words), "{words}: {text}");
            let line = pem.lines().nth(1).unwrap_or("hunter2");
            assert!(!text.contains(line) && !text.contains("hunter2"), "{text}");
        }
        assert!(!format!("{:?}", key(PKCS1)).contains("MII"));
    }

    #[test]
    fn the_audience_follows_the_host() {
        for (endpoint, audience) in [
            ("https://login.salesforce.com/x", "https://login.salesforce.com"),
            ("https://test.salesforce.com/x", "https://test.salesforce.com"),
            ("https://acme.my.salesforce.com/x", "https://login.salesforce.com"),
            ("https://acme--dev.sandbox.my.salesforce.com/x", "https://test.salesforce.com"),
            ("https://acme--dev.my.salesforce.com/x", "https://test.salesforce.com"),
            ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080"),
        ] {
            assert_eq!(audience_of(&Url::parse(endpoint).unwrap()), audience, "{endpoint}");
        }
    }
}
