//! The names, ids and versions of Salesforce's APIs, checked when they are made.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Why a text is not what it should be: what was expected and what was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found:?}")]
pub struct InvalidText {
    /// What the text should have been, in words.
    pub expected: &'static str,
    /// The text, cut after 80 characters.
    pub found: String,
}

impl InvalidText {
    pub(super) fn new(expected: &'static str, found: &str) -> Self {
        Self { expected, found: found.chars().take(80).collect() }
    }
}

/// A version of the REST API, such as `v67.0`.
///
/// Accepts `v67.0` and `67.0`. Versions below 31 are retired; the parser takes 31 to 99, the org has the last word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ApiVersion(u8);

impl ApiVersion {
    /// Summer '26, the version used where none is named.
    pub const DEFAULT: Self = Self(67);

    /// Whether it has composite graphs, which came with v50.0.
    pub fn has_graphs(self) -> bool {
        self.0 >= 50
    }

    /// Its number: 67 for `v67.0`.
    pub(super) fn number(self) -> u8 {
        self.0
    }

    /// The one that comes after it, if there can be one.
    pub(super) fn next(self) -> Option<Self> {
        (self.0 < 99).then(|| Self(self.0 + 1))
    }

    const EXPECTED: &'static str = "an API version such as \"v67.0\", from v31.0 to v99.0";
}

impl FromStr for ApiVersion {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let digits = text.strip_prefix(['v', 'V']).unwrap_or(text).strip_suffix(".0");
        digits
            .filter(|digits| digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok())
            .filter(|number| (31..=99).contains(number))
            .map(Self)
            .ok_or_else(|| InvalidText::new(Self::EXPECTED, text))
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.0", self.0)
    }
}

/// The API name of an object: `Account`, `Invoice__c`, `acme__Invoice__c`.
///
/// 1 to 80 characters: a letter, then letters, digits and underscores.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectName(String);

/// The API name of a field or relationship: `Name`, `External_Key__c`, `Contacts`, `Parent__r`.
///
/// The same characters as an [`ObjectName`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FieldName(String);

fn is_api_name(text: &str) -> bool {
    (1..=80).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl FromStr for ObjectName {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        if is_api_name(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidText::new("the API name of an object, such as \"Account\" or \"Invoice__c\"", text))
    }
}

impl FromStr for FieldName {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        if is_api_name(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidText::new("the API name of a field or relationship, such as \"Name\" or \"Key__c\"", text))
    }
}

/// The id of a record: 15 characters, or 18 with a checksum that tells upper from lower case.
///
/// Kept as it came; [`RecordId::as_str`] of an 18-character id whose checksum is wrong never exists.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecordId(String);

impl RecordId {
    const EXPECTED: &'static str = "a record id of 15 or 18 letters and digits";
    const EXPECTED_CHECKSUM: &'static str = "a record id whose last three characters are its checksum";

    /// The three characters that Salesforce appends to the first 15: a bit for each upper-case letter, in groups of five.
    fn checksum(first_15: &[u8]) -> [u8; 3] {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
        let mut suffix = [0; 3];
        for (group, character) in first_15.chunks(5).zip(&mut suffix) {
            let bits = group.iter().enumerate().filter(|(_, byte)| byte.is_ascii_uppercase());
            *character = ALPHABET[bits.map(|(index, _)| 1 << index).sum::<usize>()];
        }
        suffix
    }
}

impl FromStr for RecordId {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let bytes = text.as_bytes();
        if !matches!(bytes.len(), 15 | 18) || !bytes.iter().all(u8::is_ascii_alphanumeric) {
            return Err(InvalidText::new(Self::EXPECTED, text));
        }
        if bytes.len() == 18 && !Self::checksum(&bytes[..15]).eq_ignore_ascii_case(&bytes[15..]) {
            return Err(InvalidText::new(Self::EXPECTED_CHECKSUM, text));
        }
        Ok(Self(text.to_owned()))
    }
}

/// An external id: the field that holds it and the value that names one record.
///
/// A value is text of 1 to 255 characters. `.` and `..` cannot travel as a path segment and are refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExternalId {
    field: FieldName,
    value: String,
}

impl ExternalId {
    /// Pairs a field with a value.
    pub fn new(field: FieldName, value: &str) -> Result<Self, InvalidText> {
        if matches!(value, "." | "..") || !(1..=255).contains(&value.chars().count()) {
            return Err(InvalidText::new(
                "an external id of 1 to 255 characters, other than \".\" and \"..\"",
                value,
            ));
        }
        Ok(Self { field, value: value.to_owned() })
    }

    /// The external id field.
    pub fn field(&self) -> &FieldName {
        &self.field
    }

    /// The value, not encoded.
    pub fn value(&self) -> &str {
        &self.value
    }
}

/// The address of a query's next page, as Salesforce gave it: `/services/data/v67.0/query/01gD0000002HU6KIAW-2000`.
///
/// Leads to queries and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NextRecordsUrl(String);

impl FromStr for NextRecordsUrl {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let mut parts = text.strip_prefix("/services/data/").unwrap_or_default().splitn(3, '/');
        let version =
            parts.next().is_some_and(|part| part.starts_with('v') && part.parse::<ApiVersion>().is_ok());
        let resource = parts.next().is_some_and(|part| matches!(part, "query" | "queryAll"));
        let locator = parts.next().is_some_and(|part| {
            part.contains(|character: char| character.is_ascii_alphanumeric())
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        });
        if version && resource && locator {
            return Ok(Self(text.to_owned()));
        }
        let expected =
            "the nextRecordsUrl of a query, such as \"/services/data/v67.0/query/01gD0000002HU6KIAW-2000\"";
        Err(InvalidText::new(expected, text))
    }
}

/// What names an article of Salesforce Knowledge: its id, `kA0…`, or its URL name.
///
/// Text of 1 to 255 characters. `.` and `..` cannot travel as a path segment and are refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ArticleName(String);

impl ArticleName {
    /// Whether it is no id, but a URL name.
    pub fn is_url_name(&self) -> bool {
        !(self.0.starts_with("kA") && self.0.parse::<RecordId>().is_ok())
    }
}

impl FromStr for ArticleName {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        if matches!(text, "." | "..") || !(1..=255).contains(&text.chars().count()) {
            let expected = "the id or the URL name of an article, such as \"how-to-reset-a-password\"";
            return Err(InvalidText::new(expected, text));
        }
        Ok(Self(text.to_owned()))
    }
}

macro_rules! text_newtypes {
    ($($name:ident),*) => {$(
        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    )*};
}

macro_rules! from_string_by_parsing {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = InvalidText;

            fn try_from(text: String) -> Result<Self, InvalidText> {
                text.parse()
            }
        }
    )*};
}

text_newtypes!(ObjectName, FieldName, RecordId, NextRecordsUrl, ArticleName);
from_string_by_parsing!(ApiVersion, ObjectName, FieldName, RecordId, NextRecordsUrl, ArticleName);

impl From<ApiVersion> for String {
    fn from(version: ApiVersion) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_version_is_read_with_and_without_its_letter() {
        assert_eq!("v68.0".parse::<ApiVersion>().unwrap().to_string(), "v68.0");
        assert_eq!("68.0".parse::<ApiVersion>().unwrap().to_string(), "v68.0");
        assert_eq!(ApiVersion::DEFAULT.to_string(), "v67.0");
    }

    #[test]
    fn a_next_page_is_one_of_a_query() {
        for text in
            ["/services/data/v67.0/query/01gD0000002HU6KIAW-2000", "/services/data/v31.0/queryAll/a-1"]
        {
            assert_eq!(text.parse::<NextRecordsUrl>().unwrap().as_str(), text);
        }
        for text in [
            "",
            "01gD0000002HU6KIAW-2000",
            "https://evil.example/services/data/v67.0/query/a-1",
            "/services/data/v67.0/query/",
            "/services/data/v67.0/query/..",
            "/services/data/v67.0/query/a-1/../../sobjects",
            "/services/data/v67.0/query/a-1?q=SELECT",
            "/services/data/v67.0/query/a%2F1",
            "/services/data/67.0/query/a-1",
            "/services/data/v67.0/sobjects/Account",
            "/services/data/v67.0/query/a-1#x",
        ] {
            assert!(text.parse::<NextRecordsUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_impossible_api_version_is_refused_with_what_was_expected() {
        for text in ["", "v", "67", "v67", "67.5", "v30.0", "vv67.0", "v067.0", "latest", "v67.0 "] {
            let error = text.parse::<ApiVersion>().unwrap_err();
            assert!(error.to_string().starts_with("expected an API version such as \"v67.0\""), "{error}");
        }
    }

    #[test]
    fn object_names_are_standard_custom_and_namespaced() {
        for text in ["Account", "Invoice__c", "acme__Invoice__c", "Order_Event__e", "A"] {
            assert_eq!(text.parse::<ObjectName>().unwrap().as_str(), text);
        }
        for text in
            ["", "1Account", "_x", "Account/001", "Acc ount", "Account?x", "Ünder__c", &"a".repeat(81)]
        {
            assert!(text.parse::<ObjectName>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_external_id_that_cannot_be_a_path_segment_is_refused() {
        let field: FieldName = "Key__c".parse().unwrap();
        for value in ["", ".", "..", &"x".repeat(256)] {
            assert!(ExternalId::new(field.clone(), value).is_err(), "{value}");
        }
        assert_eq!(ExternalId::new(field, "...").unwrap().value(), "...");
    }

    #[test]
    fn an_id_of_18_characters_must_have_the_right_checksum() {
        assert!("001D000000IRFma".parse::<RecordId>().is_ok());
        assert!("001D000000IRFmaIAH".parse::<RecordId>().is_ok());
        let error = "001D000000IRFmaIAX".parse::<RecordId>().unwrap_err();
        assert!(error.to_string().contains("checksum"), "{error}");
    }

    #[test]
    fn an_id_of_another_length_or_with_other_characters_is_refused() {
        for text in ["", "001", "001D000000IRFm", "001D000000IRFmaI", "001D000000IRFm/", "001D000000IRFmä"] {
            let error = text.parse::<RecordId>().unwrap_err();
            assert!(error.to_string().starts_with("expected a record id of 15 or 18"), "{error}");
        }
    }
}
