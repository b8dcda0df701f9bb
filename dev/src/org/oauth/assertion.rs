//! The JWT of the bearer flow (RFC 7523).
//!
//! Salesforce takes RS256 only, `exp` as a number or as text, and allows three minutes of clock skew.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::public_key::RsaPublicKey;

/// How far the clocks may be apart, in seconds.
const SKEW: i64 = 3 * 60;

/// A JWT, taken apart but not yet believed.
pub(super) struct Assertion<'a> {
    signed: &'a [u8],
    signature: Vec<u8>,
    claims: Map<String, Value>,
}

impl<'a> Assertion<'a> {
    /// Reads `header.claims.signature`; `None` for what is no RS256 token.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.trim().rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        if object(header)?.get("alg")? != "RS256" {
            return None;
        }
        Some(Self {
            signed: signed.as_bytes(),
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
            claims: object(claims)?,
        })
    }

    /// Whether the holder of the key signed it.
    pub(super) fn is_signed_by(&self, key: &RsaPublicKey) -> bool {
        key.verifies(self.signed, &self.signature)
    }

    /// A claim that is text.
    pub(super) fn claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }

    /// Whether `aud`, one text or several, names one of these; a slash at the end makes no difference.
    pub(super) fn is_for(&self, audiences: &[String]) -> bool {
        let matches = |named: &Value| {
            let named = named.as_str().map(|text| text.trim_end_matches('/'));
            named.is_some_and(|named| audiences.iter().any(|own| own.trim_end_matches('/') == named))
        };
        match self.claims.get("aud") {
            Some(Value::Array(several)) => several.iter().any(matches),
            Some(one) => matches(one),
            None => false,
        }
    }

    /// Whether `exp` lies more than the allowed skew before `now`, both in seconds; `None` if there is no `exp`.
    pub(super) fn has_expired(&self, now: i64) -> Option<bool> {
        let expires = match self.claims.get("exp")? {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            _ => return None,
        };
        let seconds: i64 = expires.split('.').next()?.parse().ok()?;
        Some(seconds.saturating_add(SKEW) <= now)
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.c2ln", part(header), part(claims))
    }

    fn expired(exp: &Value, now: i64) -> Option<bool> {
        Assertion::parse(&token(&json!({ "alg": "RS256" }), &json!({ "exp": exp }))).unwrap().has_expired(now)
    }

    #[test]
    fn three_minutes_of_skew_are_allowed() {
        assert_eq!(expired(&json!(1000), 1179), Some(false));
        assert_eq!(expired(&json!(1000), 1180), Some(true));
        assert_eq!(expired(&json!("1000"), 1180), Some(true));
        assert_eq!(expired(&json!(1000.5), 1179), Some(false));
        assert_eq!(expired(&json!(i64::MAX), 0), Some(false));
        assert_eq!(expired(&json!("soon"), 0), None);
        assert_eq!(expired(&Value::Null, 0), None);
    }

    #[test]
    fn other_algorithms_and_other_texts_are_no_assertions() {
        for algorithm in ["none", "HS256", "RS512", "rs256"] {
            assert!(
                Assertion::parse(&token(&json!({ "alg": algorithm }), &json!({}))).is_none(),
                "{algorithm}"
            );
        }
        for text in ["", "a", "a.b", "a.b.c", "..", "e30.e30.", "W10.e30.c2ln"] {
            assert!(Assertion::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn an_audience_may_be_one_of_several() {
        let own = ["https://login.salesforce.com".to_owned()];
        for (aud, fits) in [
            (json!("https://login.salesforce.com"), true),
            (json!("https://login.salesforce.com/"), true),
            (json!(["x", "https://login.salesforce.com"]), true),
            (json!("https://test.salesforce.com"), false),
            (json!([]), false),
            (json!(1), false),
        ] {
            let text = token(&json!({ "alg": "RS256" }), &json!({ "aud": aud }));
            assert_eq!(Assertion::parse(&text).unwrap().is_for(&own), fits, "{aud}");
        }
    }
}
