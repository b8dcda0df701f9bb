//! The last door: nothing leaves with a secret in it.

use std::{borrow::Cow, fmt, ops::Range};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::zeebe::{Failure, Outcome};

/// What stands for a secret.
const MASK: &str = "***";

/// Shorter values are not masked: they occur everywhere, and `***` in their place would tell more than it hides.
const SHORTEST: usize = 4;

/// RFC 3986's unreserved characters stay as they are in a path segment.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Masks the secrets that one job used, in whatever goes out because of it.
///
/// A value is found as it is and in the forms that it takes in JSON, in addresses, in forms and in Base64.
/// Values of fewer than 4 characters are not masked.
#[derive(Default)]
pub struct Redactor {
    forms: Vec<SecretString>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

impl Redactor {
    /// Masks these values.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut forms: Vec<String> =
            secrets.into_iter().flat_map(|value| forms(value.expose_secret())).collect();
        forms.retain(|form| form.chars().count() >= SHORTEST);
        forms.sort_unstable();
        forms.dedup();
        Self { forms: forms.into_iter().map(SecretString::from).collect() }
    }

    /// The text without secrets.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut masked = Cow::Borrowed(text);
        // What is left can, put together around the mask, be a secret again; each round makes the text shorter.
        while let Some(next) = self.mask_once(&masked) {
            masked = Cow::Owned(next);
        }
        masked
    }

    fn mask_once(&self, text: &str) -> Option<String> {
        let mut places: Vec<Range<usize>> = Vec::new();
        for form in &self.forms {
            let form = form.expose_secret();
            let mut from = 0;
            while let Some(found) = text[from..].find(form) {
                let start = from + found;
                places.push(start..start + form.len());
                from = start + text[start..].chars().next().map_or(1, char::len_utf8);
            }
        }
        if places.is_empty() {
            return None;
        }
        places.sort_unstable_by_key(|place| place.start);
        let mut masked = String::with_capacity(text.len());
        let mut end = 0;
        for place in places {
            // Places that overlap or touch have one mask.
            if place.start > end || (place.start == 0 && end == 0) {
                masked.push_str(&text[end..place.start]);
                masked.push_str(MASK);
            }
            end = end.max(place.end);
        }
        masked.push_str(&text[end..]);
        Some(masked)
    }

    /// The value without secrets, in texts and keys at any depth; a number that is a secret becomes text.
    pub fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text).into_owned()),
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.value(item)).collect()),
            Value::Object(fields) => Value::Object(self.fields(fields)),
            Value::Number(number) => {
                let text = number.to_string();
                let is_secret = self.forms.iter().any(|form| form.expose_secret() == text);
                if is_secret { Value::String(MASK.to_owned()) } else { Value::Number(number) }
            }
            Value::Null | Value::Bool(_) => value,
        }
    }

    /// The same for the fields of an object.
    pub fn fields(&self, fields: Map<String, Value>) -> Map<String, Value> {
        fields.into_iter().map(|(name, value)| (self.text(&name).into_owned(), self.value(value))).collect()
    }

    /// The outcome without secrets.
    pub fn outcome(&self, outcome: Outcome) -> Outcome {
        if self.forms.is_empty() {
            return outcome;
        }
        match outcome {
            Outcome::Complete { variables } => Outcome::Complete { variables: self.fields(variables) },
            Outcome::Fail(failure) => Outcome::Fail(Failure {
                message: self.text(&failure.message).into_owned(),
                variables: self.fields(failure.variables),
                ..failure
            }),
            Outcome::Park { after, variables } => Outcome::Park { after, variables: self.fields(variables) },
            Outcome::ThrowError { code, message, variables } => Outcome::ThrowError {
                code: self.text(&code).into_owned(),
                message: self.text(&message).into_owned(),
                variables: self.fields(variables),
            },
        }
    }
}

/// A value in the forms in which it may come back.
fn forms(value: &str) -> Vec<String> {
    if value.chars().count() < SHORTEST {
        return Vec::new();
    }
    let unquoted = |quoted: String| quoted[1..quoted.len() - 1].to_owned();
    let percent = utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
    let form: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let component = utf8_percent_encode(value, UNRESERVED).to_string();
    let mut forms = vec![
        value.to_owned(),
        value.trim().to_owned(),
        unquoted(Value::String(value.to_owned()).to_string()),
        unquoted(format!("{value:?}")),
        STANDARD.encode(value),
        STANDARD_NO_PAD.encode(value),
        URL_SAFE_NO_PAD.encode(value),
    ];
    for encoded in [percent, form, component] {
        forms.push(lower_hex(&encoded));
        forms.push(encoded);
    }
    forms
}

/// `%2F` as `%2f`.
fn lower_hex(encoded: &str) -> String {
    let mut digits = 0;
    let lower = encoded.chars().map(|character| {
        if character == '%' {
            digits = 2;
            return character;
        }
        let is_digit = digits > 0;
        digits = if is_digit { digits - 1 } else { 0 };
        if is_digit { character.to_ascii_lowercase() } else { character }
    });
    lower.collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn redactor(secrets: &[&str]) -> Redactor {
        let secrets: Vec<_> = secrets.iter().map(|secret| SecretString::from(*secret)).collect();
        Redactor::new(&secrets)
    }

    #[test]
    fn a_secret_is_masked_wherever_it_stands() {
        let redactor = redactor(&["s3cr3t", "s3cr3t-longer"]);
        assert_eq!(redactor.text("s3cr3t"), "***");
        assert_eq!(redactor.text("a s3cr3t, s3cr3ts3cr3t."), "a ***, ***.");
        assert_eq!(redactor.text("s3cr3t-longer s3cr3t-long"), "*** ***-long");
        assert_eq!(redactor.text("nothing here"), "nothing here");
    }

    #[test]
    fn its_forms_in_json_addresses_forms_and_base64_are_masked_too() {
        let secret = "p/ä \"q+\n=";
        let redactor = redactor(&[secret]);
        for form in [
            Value::String(secret.to_owned()).to_string(),
            format!("{secret:?}"),
            format!("q={}", utf8_percent_encode(secret, NON_ALPHANUMERIC)),
            format!("q={}", form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>()),
            "q=p%2f%c3%a4%20%22q%2b%0a%3d".to_owned(),
            format!("Basic {}", STANDARD.encode(secret)),
            format!("jwt.{}.x", URL_SAFE_NO_PAD.encode(secret)),
        ] {
            let masked = redactor.text(&form).into_owned();
            assert!(masked.contains(MASK) && masked.len() <= 14, "{form} -> {masked}");
        }
    }

    #[test]
    fn values_of_fewer_than_four_characters_and_empty_ones_are_left_alone() {
        let redactor = redactor(&["", "a", "abc", "äöü"]);
        assert_eq!(redactor.text("a abc äöü"), "a abc äöü");
    }

    #[test]
    fn texts_keys_and_numbers_are_masked_at_any_depth() {
        let redactor = redactor(&["s3cr3t", "1234567"]);
        let value =
            json!({"a": [{"s3cr3t": "xs3cr3tx"}], "n": 1_234_567, "m": 12_345_678, "b": true, "z": null});
        let masked = json!({"a": [{"***": "x***x"}], "n": "***", "m": 12_345_678, "b": true, "z": null});
        assert_eq!(redactor.value(value), masked);
    }

    #[test]
    fn every_outcome_goes_through_the_door() {
        let redactor = redactor(&["s3cr3t"]);
        let variables = json!({"s3cr3t": "s3cr3t"}).as_object().unwrap().clone();
        let failure = Failure {
            message: "m s3cr3t".to_owned(),
            retries: 2,
            backoff: Duration::from_secs(1),
            variables: variables.clone(),
        };
        let error = Outcome::ThrowError {
            code: "s3cr3t".into(),
            message: "s3cr3t".into(),
            variables: variables.clone(),
        };
        for outcome in [Outcome::Complete { variables }, Outcome::Fail(failure), error] {
            let masked = redactor.outcome(outcome.clone());
            assert_eq!(masked.label(), outcome.label());
            assert!(!format!("{masked:?}").contains("s3cr3t"), "{masked:?}");
        }
    }

    proptest! {
        #[test]
        fn no_secret_survives(
            secrets in prop::collection::vec("[ab*\"é%+/ ]{4,8}|.{4,12}", 1..4),
            pieces in prop::collection::vec("[ab*é]{0,6}|.{0,6}", 1..6),
        ) {
            let references: Vec<&str> = secrets.iter().map(String::as_str).collect();
            let redactor = redactor(&references);
            let mut text = String::new();
            for (index, piece) in pieces.iter().enumerate() {
                text.push_str(piece);
                text.push_str(&secrets[index % secrets.len()]);
            }
            let masked = redactor.text(&text).into_owned();
            for secret in &secrets {
                prop_assert!(!masked.contains(secret.as_str()), "{secret:?} is in {masked:?}");
            }
            prop_assert_eq!(redactor.text(&masked), masked.as_str());
        }
    }
}
