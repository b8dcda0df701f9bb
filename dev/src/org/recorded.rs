//! Documents that stand for what the org would say by itself: those of real orgs, and of what it has no notion of.

use serde_json::Value;

use super::request::ApiRequest;
use super::server::Org;

/// A document, and the resource that it is the answer of.
#[derive(Debug)]
pub(crate) struct Recorded {
    /// Below the version, in lower case.
    path: String,
    language: Option<String>,
    document: Value,
}

impl Recorded {
    pub(crate) fn new(path: &str, language: Option<&str>, document: Value) -> Self {
        let path = path.trim_matches('/').to_ascii_lowercase();
        Self { path, language: language.map(str::to_owned), document }
    }

    /// What is said of an object.
    pub(crate) fn description(language: Option<&str>, document: Value) -> Self {
        let path = format!("sobjects/{}/describe", document["name"].as_str().unwrap_or_default());
        Self::new(&path, language, document)
    }

    fn is_description(&self) -> bool {
        self.path.starts_with("sobjects/") && self.path.ends_with("/describe")
    }
}

/// The document for this request, in the language that was asked for if there is one.
pub(crate) fn answer<'a>(org: &'a Org, request: &ApiRequest) -> Option<&'a Value> {
    let path = request.path.join("/").to_ascii_lowercase();
    let wanted = request.headers.get("accept-language").and_then(|value| value.to_str().ok());
    let documents = || org.recorded.iter().filter(|own| own.path == path);
    let translated = documents().find(|own| own.language.is_some() && own.language.as_deref() == wanted);
    translated.or_else(|| documents().find(|own| own.language.is_none())).map(|own| &own.document)
}

/// What is said of objects, in short.
pub(crate) fn summaries(org: &Org) -> impl Iterator<Item = Value> {
    let documents = org.recorded.iter().filter(|own| own.is_description() && own.language.is_none());
    documents.map(|own| {
        let members = own.document.as_object().into_iter().flatten();
        members
            .filter(|(_, value)| !value.is_array())
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    })
}
