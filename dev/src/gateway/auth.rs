//! Who may call.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tonic::Status;
use tonic::metadata::MetadataMap;

use super::identity::Tokens;

/// What the `authorization` of each call has to be. Can change while calls come in; open streams stay open,
/// as on the real gateway, which looks at the start of a call only.
#[derive(Default)]
pub(super) struct GatewayAuth {
    rule: Mutex<Rule>,
}

/// Whom the gateway lets in.
#[derive(Clone, Default)]
pub(super) enum Rule {
    #[default]
    Everybody,
    /// Exactly this value of the header.
    Value(String),
    /// Every token that this identity has issued and that still lives.
    Issued(Arc<Tokens>),
}

impl GatewayAuth {
    pub(super) fn new(rule: Rule) -> Self {
        Self { rule: Mutex::new(rule) }
    }

    pub(super) fn set(&self, rule: Rule) {
        *self.lock() = rule;
    }

    pub(super) fn check(&self, metadata: &MetadataMap) -> Result<(), Status> {
        let head = "Expected authentication information at header with key [authorization], but";
        let found = metadata.get("authorization").and_then(|value| value.to_str().ok());
        let rule = self.lock().clone();
        let accepted = match (&rule, found) {
            (Rule::Everybody, _) => true,
            (_, None) => return Err(Status::unauthenticated(format!("{head} found nothing"))),
            (Rule::Value(expected), Some(found)) => expected == found,
            (Rule::Issued(tokens), Some(found)) => {
                found.strip_prefix("Bearer ").is_some_and(|token| tokens.accepts(token))
            }
        };
        if accepted {
            Ok(())
        } else {
            Err(Status::unauthenticated(format!("{head} found one that is not valid")))
        }
    }

    fn lock(&self) -> MutexGuard<'_, Rule> {
        self.rule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rule {
    pub(super) fn bearer(token: &str) -> Self {
        Self::Value(format!("Bearer {token}"))
    }

    pub(super) fn basic(user: &str, password: &str) -> Self {
        Self::Value(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Everybody => "Everybody",
            Self::Value(_) => "Value(***)",
            Self::Issued(_) => "Issued",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(value: &str) -> MetadataMap {
        let mut metadata = MetadataMap::new();
        metadata.insert("authorization", value.parse().unwrap());
        metadata
    }

    #[test]
    fn a_missing_and_a_wrong_header_are_unauthenticated() {
        let auth = GatewayAuth::new(Rule::bearer("one"));
        auth.check(&with("Bearer one")).unwrap();
        for metadata in [MetadataMap::new(), with("Bearer two"), with("one")] {
            assert_eq!(auth.check(&metadata).unwrap_err().code(), tonic::Code::Unauthenticated);
        }
    }

    #[test]
    fn the_rule_can_change() {
        let auth = GatewayAuth::new(Rule::bearer("one"));
        auth.set(Rule::basic("demo", "demo"));
        auth.check(&with("Basic ZGVtbzpkZW1v")).unwrap();
        auth.set(Rule::Everybody);
        auth.check(&MetadataMap::new()).unwrap();
    }

    #[test]
    fn debug_shows_no_credential() {
        assert!(!format!("{:?}", Rule::bearer("very-secret")).contains("very-secret"));
    }
}
