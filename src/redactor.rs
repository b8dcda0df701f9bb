//! The last door: nothing leaves with a secret in it. Both wings and the hall have the same one.

use std::{borrow::Cow, fmt, ops::Range, sync::Arc};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use base64::{
    Engine as _,
    engine::general_purpose::{GeneralPurpose, STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use url::form_urlencoded;

/// What stands for a secret.
const MASK: &str = "***";

/// Shorter values are not masked: they occur everywhere, and `***` in their place would tell more than it hides.
const SHORTEST: usize = 4;

/// From here on, a line of a value is masked on its own, for a key in PEM form may come back without its line ends.
const SHORTEST_LINE: usize = 16;

/// RFC 3986's unreserved characters stay as they are in a path segment.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Masks secrets in whatever goes out: those that one job used, or those that one request was sent with.
///
/// A value is found as it is and in the forms that it takes in JSON, in addresses, in forms and in Base64, there also as
/// a part of something longer, such as `id:secret`. Values of fewer than 4 characters are not masked. Cheap to clone.
#[derive(Clone, Default)]
pub struct Redactor {
    forms: Arc<[SecretString]>,
    /// Finds all forms in one pass: a result has thousands of texts, and a job a few dozen forms. `None`: there are none.
    finder: Option<AhoCorasick>,
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
        // A table of all transitions would be faster by little and, at 400 KB for each login, larger than all else.
        let builder = AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).clone();
        // Fails beyond four billion bytes of forms only; values are at most megabytes.
        let finder = (!forms.is_empty()).then(|| builder.build(&forms).expect("the forms are short"));
        Self { forms: forms.into_iter().map(SecretString::from).collect(), finder }
    }

    /// Whether there is nothing to mask.
    pub fn is_empty(&self) -> bool {
        self.forms.is_empty()
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
        let finder = self.finder.as_ref()?;
        let found = finder.find_overlapping_iter(text).map(|found| found.range());
        let mut places: Vec<Range<usize>> = found.collect();
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
}

/// A value in the forms in which it may come back.
fn forms(value: &str) -> Vec<String> {
    if value.chars().count() < SHORTEST {
        return Vec::new();
    }
    let mut forms = vec![value.to_owned(), value.trim().to_owned()];
    forms.extend(value.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE).map(str::to_owned));
    forms.retain(|form| !is_pem_mark(form));
    forms.extend(forms.iter().flat_map(|form| in_json(form)).collect::<Vec<_>>());
    forms.extend(in_base64(value));
    forms.extend(forms.iter().flat_map(|form| in_addresses(form)).collect::<Vec<_>>());
    forms
}

/// `-----BEGIN PRIVATE KEY-----` is no secret, and messages speak of it.
fn is_pem_mark(line: &str) -> bool {
    line.starts_with("-----") && line.ends_with("-----") && !line.contains('\n')
}

/// As it stands in a JSON text: as serde, browsers, and writers that escape `/` or all but ASCII make it; and in a JSON
/// text within a JSON text.
fn in_json(value: &str) -> Vec<String> {
    let quoted = |text: &str| {
        let quoted = Value::String(text.to_owned()).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let debug = format!("{value:?}");
    let json = quoted(value);
    let escaped = |character: char| -> String {
        if character.is_ascii() {
            return character.to_string();
        }
        let units: Vec<_> =
            character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
        units.concat()
    };
    let ascii: String = json.chars().map(escaped).collect();
    let slashes = |text: &str| text.replace('/', "\\/");
    vec![debug[1..debug.len() - 1].to_owned(), slashes(&json), slashes(&ascii), quoted(&json), ascii, json]
}

/// Base64 of the value alone, and what is always the same of it within something longer, at each of the three places that
/// it can begin in a group of three bytes; then a few bits of its first and last characters remain.
fn in_base64(value: &str) -> Vec<String> {
    let within = |engine: &GeneralPurpose, before: usize| {
        let bytes = [&vec![0; before], value.as_bytes()].concat();
        let (start, end) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        engine.encode(&bytes)[start..end].to_owned()
    };
    let mut forms = vec![STANDARD.encode(value), URL_SAFE.encode(value)];
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        forms.push(engine.encode(value));
        forms.extend((0..3).map(|before| within(engine, before)));
    }
    forms
}

/// Percent-encoded in the usual ways, in capitals and small letters.
fn in_addresses(value: &str) -> Vec<String> {
    let percent = utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
    let form: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let component = utf8_percent_encode(value, UNRESERVED).to_string();
    [percent, form, component].into_iter().flat_map(|encoded| [lower_hex(&encoded), encoded]).collect()
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
    fn a_secret_within_something_longer_is_masked_in_base64_too() {
        let redactor = redactor(&["the-client-secret"]);
        for id in ["", "i", "id", "3MVG9-consumer-key"] {
            for engine in [&STANDARD, &URL_SAFE_NO_PAD] {
                let header = format!("Basic {}", engine.encode(format!("{id}:the-client-secret")));
                let masked = redactor.text(&header).into_owned();
                let before = (id.len() + 1).div_ceil(3) * 4 + "Basic ".len();
                assert!(
                    masked.contains(MASK) && masked.len() <= before + MASK.len() + 4,
                    "{header} -> {masked}"
                );
            }
        }
    }

    #[test]
    fn lines_of_a_key_are_masked_and_the_words_around_them_are_not() {
        let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG\n9w0BAQEFAASCBKcwggSj\n-----END PRIVATE KEY-----\n";
        let redactor = redactor(&[key]);
        assert_eq!(
            redactor.text(&key.replace('\n', " ")),
            "-----BEGIN PRIVATE KEY----- *** *** -----END PRIVATE KEY----- "
        );
        assert_eq!(
            redactor.text("expected -----BEGIN PRIVATE KEY-----"),
            "expected -----BEGIN PRIVATE KEY-----"
        );
        assert_eq!(redactor.text(key.trim()), MASK);
    }

    /// The ways in which an answer repeats what it was sent.
    fn echoes(secret: &str) -> Vec<String> {
        let json = Value::String(secret.to_owned()).to_string();
        let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
        let within = |engine: &GeneralPurpose, around: usize| {
            engine.encode(format!("{}{secret}x", "i".repeat(around)))
        };
        let mut echoes = vec![
            secret.to_owned(),
            json[1..json.len() - 1].to_owned(),
            Value::String(json.clone()).to_string(),
            format!("{secret:?}"),
            lower_hex(&percent),
            percent,
            form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
            format!("https://x.example/?q={}", utf8_percent_encode(secret, UNRESERVED)),
        ];
        for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
            echoes.push(engine.encode(secret));
            echoes.push(utf8_percent_encode(&engine.encode(secret), NON_ALPHANUMERIC).to_string());
            echoes.extend((0..3).map(|around| within(engine, around)));
        }
        echoes
    }

    /// What must not be left: the secret, and its longest part that is the same wherever it stands in Base64.
    fn traces(secret: &str) -> Vec<String> {
        let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
        let mut traces = vec![secret.to_owned(), lower_hex(&percent), percent];
        traces.extend(in_base64(secret));
        traces.extend(in_json(secret));
        traces
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

    proptest! {
        // Each case tries some dozens of forms.
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_secret_survives_whatever_an_answer_echoes(
            secrets in prop::collection::vec("[a-z0-9+/=]{4,24}|[!-~]{6,40}|.{4,20}", 1..4),
            words in prop::collection::vec("[a-zA-Z *:]{0,6}", 3),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 6),
        ) {
            let references: Vec<&str> = secrets.iter().map(String::as_str).collect();
            let redactor = redactor(&references);
            let all: Vec<String> = secrets.iter().flat_map(|secret| echoes(secret)).collect();
            let echo = |index: usize| format!("{}{}{}", words[index % 3], picks[index].get(&all), words[(index + 1) % 3]);
            let body = json!({echo(0): [{"message": echo(1), "fields": [echo(2), {echo(3): null}]}, 5, true], "e": echo(4)});
            let mut texts = vec![redactor.text(&echo(5)).into_owned()];
            gather(&redactor.value(body), &mut texts);
            for trace in secrets.iter().flat_map(|secret| traces(secret)).filter(|trace| trace.chars().count() >= SHORTEST) {
                for text in &texts {
                    prop_assert!(!text.contains(&trace), "{trace:?} is in {text:?}");
                }
            }
        }
    }

    /// All texts and keys of a value.
    fn gather(value: &Value, texts: &mut Vec<String>) {
        match value {
            Value::String(text) => texts.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| gather(item, texts)),
            Value::Object(fields) => fields.iter().for_each(|(name, item)| {
                texts.push(name.clone());
                gather(item, texts);
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
