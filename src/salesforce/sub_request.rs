//! Requests inside a request, as the composite resources take them: where they go, and whether they may be repeated.

pub(super) mod class;
mod references;
mod url;

use serde_json::{Map, Value, json};

use super::{ApiVersion, InvalidText};
pub use references::Reference;
pub use url::ResourceUrl;

/// The method of a request inside another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubMethod {
    /// Reads.
    Get,
    /// Creates, or calls something.
    Post,
    /// Changes or upserts.
    Patch,
    /// Puts something in the place of something else.
    Put,
    /// Deletes.
    Delete,
}

impl SubMethod {
    const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Patch, Self::Put, Self::Delete];

    /// Its name, in capitals as Salesforce wants it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

impl std::str::FromStr for SubMethod {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let method = Self::ALL.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(text.trim()));
        method.ok_or_else(|| InvalidText::new("GET, POST, PATCH, PUT or DELETE", text))
    }
}

/// One request inside another.
#[derive(Clone, Debug, PartialEq)]
pub struct SubRequest {
    /// What to do.
    pub method: SubMethod,
    /// With what.
    pub url: ResourceUrl,
    /// By which name later requests refer to its answer: letters, digits and underscores.
    pub reference_id: String,
    /// A JSON body, if any.
    pub body: Option<Value>,
    /// Further headers by their names; a batch takes none.
    pub headers: Map<String, Value>,
}

impl SubRequest {
    /// Whether it changes nothing.
    pub fn is_read(&self) -> bool {
        self.method == SubMethod::Get
    }

    /// What it takes from the answers of others, with the member that names it: `url` or `body`.
    pub fn references(&self) -> Vec<(&'static str, Reference<'_>)> {
        let in_url = Reference::all_in(self.url.path()).chain(Reference::all_in(self.url.query()));
        let mut found: Vec<_> = in_url.map(|reference| ("url", reference)).collect();
        let mut in_body = Vec::new();
        if let Some(body) = &self.body {
            Reference::collect(body, &mut in_body);
        }
        found.extend(in_body.into_iter().map(|reference| ("body", reference)));
        found
    }

    /// As `/composite` and `/composite/graph` take it.
    pub(super) fn in_composite(&self, version: ApiVersion) -> Value {
        let mut sub = json!({"method": self.method.as_str(), "url": self.url.address(version),
            "referenceId": self.reference_id});
        if let Some(body) = &self.body {
            sub["body"] = body.clone();
        }
        if !self.headers.is_empty() {
            sub["httpHeaders"] = Value::Object(self.headers.clone());
        }
        sub
    }

    /// As `/composite/batch` takes it, which knows neither names nor headers.
    pub(super) fn in_batch(&self, version: ApiVersion) -> Value {
        let mut sub = json!({"method": self.method.as_str(), "url": self.url.below_data(version)});
        if let Some(body) = &self.body {
            sub["richInput"] = body.clone();
        }
        sub
    }
}
