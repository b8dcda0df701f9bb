//! What a call says of itself: who makes it, and in which package its names are meant.

use serde::{Deserialize, Deserializer, de::Error as _};

use super::transport::PRODUCT;

/// The header `Sforce-Call-Options`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallOptions {
    /// The name of the caller, as the org's logs show it; `None`: that of this product.
    #[serde(default, deserialize_with = "client")]
    pub client: Option<String>,
    /// The namespace of a managed package, which the names of its objects and fields may then leave out.
    #[serde(default, deserialize_with = "namespace")]
    pub default_namespace: Option<String>,
}

impl CallOptions {
    pub(super) fn header(&self) -> String {
        let client = self.client.as_deref().unwrap_or(PRODUCT);
        match &self.default_namespace {
            Some(namespace) => format!("client={client}, defaultNamespace={namespace}"),
            None => format!("client={client}"),
        }
    }
}

/// A name that cannot be taken for a further option.
fn client<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b" ._/-".contains(&byte);
    if text.trim().is_empty() || text.len() > 100 || !text.bytes().all(is_part) {
        return Err(D::Error::custom("expected a name of up to 100 letters, digits, spaces and . _ / -"));
    }
    Ok(Some(text.trim().to_owned()))
}

fn namespace<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_name = text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(is_part);
    if !is_name || text.len() > 15 {
        return Err(D::Error::custom(
            "expected the namespace of a package, up to 15 letters, digits and underscores",
        ));
    }
    Ok(Some(text))
}
