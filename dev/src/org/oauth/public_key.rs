//! The public key that JWTs are checked with.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

use super::der::{BIT_STRING, INTEGER, OBJECT_IDENTIFIER, Reader, SEQUENCE, key_of_certificate};

/// 1.2.840.113549.1.1.1, rsaEncryption (RFC 8017, appendix A).
const RSA_ENCRYPTION: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// An RSA key of 2,048 to 8,192 bits.
pub(super) struct RsaPublicKey {
    /// RSAPublicKey (RFC 8017, appendix A.1.1) in DER.
    key: UnparsedPublicKey<Vec<u8>>,
}

/// Why a text is no such key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "the JWT public key is {found}; expected an RSA key of 2048 to 8192 bits as PEM: PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE"
)]
pub(super) struct KeyError {
    found: String,
}

impl KeyError {
    fn new(found: impl Into<String>) -> Self {
        Self { found: found.into() }
    }
}

impl RsaPublicKey {
    /// Reads PEM (RFC 7468): SubjectPublicKeyInfo, PKCS#1, or the certificate that was uploaded to the app.
    pub(super) fn from_pem(text: &str) -> Result<Self, KeyError> {
        let (label, der) = pem(text)?;
        let key = match label {
            "PUBLIC KEY" => pkcs1_of_key_info(&der),
            "CERTIFICATE" => key_of_certificate(&der).and_then(pkcs1_of_key_info),
            "RSA PUBLIC KEY" => Some(der.as_slice()),
            other if other.ends_with("PRIVATE KEY") => {
                return Err(KeyError::new(format!("a {other}, which the org must not see")));
            }
            other => return Err(KeyError::new(format!("a {other}"))),
        };
        let key = key.ok_or_else(|| KeyError::new(format!("a {label} that holds no RSA key")))?;
        let bits = modulus_bits(key).ok_or_else(|| KeyError::new(format!("a {label} that is damaged")))?;
        if !(2048..=8192).contains(&bits) {
            return Err(KeyError::new(format!("an RSA key of {bits} bits")));
        }
        Ok(Self { key: UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.to_vec()) })
    }

    /// Whether `signature` is this key's RS256 signature of `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify(message, signature).is_ok()
    }
}

impl fmt::Debug for RsaPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaPublicKey").finish_non_exhaustive()
    }
}

fn pem(text: &str) -> Result<(&str, Vec<u8>), KeyError> {
    let none = || KeyError::new("not PEM");
    let (_, text) = text.split_once("-----BEGIN ").ok_or_else(none)?;
    let (label, text) = text.split_once("-----").ok_or_else(none)?;
    let (body, _) = text.split_once(&format!("-----END {label}-----")).ok_or_else(none)?;
    let body: String = body.split_whitespace().collect();
    let der =
        STANDARD.decode(body).map_err(|_| KeyError::new(format!("a {label} whose Base64 is damaged")))?;
    Ok((label, der))
}

fn pkcs1_of_key_info(info: &[u8]) -> Option<&[u8]> {
    let mut info = Reader::new(Reader::new(info).take(SEQUENCE)?);
    let algorithm = Reader::new(info.take(SEQUENCE)?).take(OBJECT_IDENTIFIER)?;
    // The first byte counts the unused bits at the end: none in a key.
    let key = info.take(BIT_STRING)?.strip_prefix(&[0])?;
    (algorithm == RSA_ENCRYPTION).then_some(key)
}

fn modulus_bits(key: &[u8]) -> Option<usize> {
    let mut key = Reader::new(Reader::new(key).take(SEQUENCE)?);
    let modulus = key.take(INTEGER)?;
    key.take(INTEGER)?;
    if !key.is_empty() {
        return None;
    }
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let first = modulus.get(zeros)?;
    Some((modulus.len() - zeros) * 8 - first.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPKI: &str = include_str!("../../../tests/org/keys/jwt-public.pem");
    const PKCS1: &str = include_str!("../../../tests/org/keys/jwt-public-pkcs1.pem");
    const CERTIFICATE: &str = include_str!("../../../tests/org/keys/jwt-certificate.pem");

    fn refusal(text: &str) -> String {
        RsaPublicKey::from_pem(text).unwrap_err().found
    }

    #[test]
    fn all_three_wrappings_hold_the_same_key() {
        let key = |text| RsaPublicKey::from_pem(text).unwrap().key.as_ref().to_vec();
        assert_eq!(key(SPKI), key(PKCS1));
        assert_eq!(key(SPKI), key(CERTIFICATE));
        assert_eq!(key(SPKI), key(&SPKI.replace('\n', "\r\n")));
    }

    #[test]
    fn what_is_no_rsa_public_key_is_named() {
        assert_eq!(refusal("ssh-rsa AAAA"), "not PEM");
        assert_eq!(
            refusal(&SPKI.replace("PUBLIC KEY", "PRIVATE KEY")),
            "a PRIVATE KEY, which the org must not see"
        );
        assert_eq!(refusal(&SPKI.replace("PUBLIC KEY", "PARAMETERS")), "a PARAMETERS");
        assert_eq!(refusal(&SPKI.replace("MII", "MI*")), "a PUBLIC KEY whose Base64 is damaged");
        assert_eq!(
            refusal(&SPKI.replace("PUBLIC KEY", "RSA PUBLIC KEY")),
            "a RSA PUBLIC KEY that is damaged"
        );
        assert_eq!(refusal(&PKCS1.replace("RSA PUBLIC", "PUBLIC")), "a PUBLIC KEY that holds no RSA key");
        let elliptic = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n-----END PUBLIC KEY-----";
        assert_eq!(refusal(elliptic), "a PUBLIC KEY that holds no RSA key");
    }

    #[test]
    fn a_key_that_was_cut_anywhere_is_refused() {
        let (_, der) = pem(SPKI).unwrap();
        for length in 0..der.len() {
            let cut = STANDARD.encode(&der[..length]);
            let text = format!("-----BEGIN PUBLIC KEY-----\n{cut}\n-----END PUBLIC KEY-----");
            assert!(RsaPublicKey::from_pem(&text).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn a_key_that_is_too_short_is_refused() {
        // SEQUENCE { INTEGER of 1,024 bits, INTEGER 65537 }
        let mut der = vec![0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00];
        der.extend([0xff; 128]);
        der.extend([0x02, 0x03, 0x01, 0x00, 0x01]);
        let text =
            format!("-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----", STANDARD.encode(der));
        assert_eq!(refusal(&text), "an RSA key of 1024 bits");
    }
}
