//! How a client says who it is: in the form, or as HTTP Basic (RFC 6749, section 2.3.1).

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::OAuthError;

/// The external client app that may ask for tokens.
pub(super) struct Client {
    /// Consumer key.
    pub(super) id: String,
    /// Consumer secret.
    pub(super) secret: String,
    /// The secret before the last rotation, while it is still good.
    pub(super) previous_secret: Option<String>,
}

/// How much of a client a grant asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// Key and secret.
    Secret,
    /// The key; a secret that is sent must be right.
    Id,
    /// Nothing: the grant names the client itself. What is sent must be right.
    Nothing,
}

impl Client {
    /// Checks the client of a request; answers whether it proved that it knows the secret.
    pub(super) fn authenticate(
        &self,
        form: &Form,
        headers: &HeaderMap,
        proof: Proof,
    ) -> Result<bool, OAuthError> {
        let (basic_id, basic_secret) = basic(headers).unzip();
        let sent = |name, basic| form.get(name).map(str::to_owned).or(basic);
        match sent("client_id", basic_id) {
            None if proof == Proof::Nothing => return Ok(false),
            None => return Err(OAuthError::missing("client_id")),
            Some(id) if id != self.id => return Err(OAuthError::UNKNOWN_CLIENT),
            Some(_) => {}
        }
        match sent("client_secret", basic_secret) {
            None if proof == Proof::Secret => Err(OAuthError::missing("client_secret")),
            None => Ok(false),
            Some(secret) if secret == self.secret || Some(&secret) == self.previous_secret.as_ref() => {
                Ok(true)
            }
            Some(_) => Err(OAuthError::WRONG_SECRET),
        }
    }
}

/// The parameters of a request: of a form, or of a query.
pub(super) struct Form(pub(super) Vec<(String, String)>);

impl Form {
    /// The first parameter of this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that must be there.
    pub(super) fn require(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name).ok_or_else(|| OAuthError::missing(name))
    }
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn authenticate(form: &[(&str, &str)], proof: Proof) -> Result<bool, OAuthError> {
        let client =
            Client { id: "id".into(), secret: "secret".into(), previous_secret: Some("previous".into()) };
        let form = form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        client.authenticate(&Form(form), &HeaderMap::new(), proof)
    }

    #[test]
    fn each_grant_asks_for_as_much_of_a_client_as_it_needs() {
        let (id, secret) = (("client_id", "id"), ("client_secret", "secret"));
        assert_eq!(authenticate(&[], Proof::Nothing), Ok(false));
        assert_eq!(authenticate(&[], Proof::Id), Err(OAuthError::missing("client_id")));
        assert_eq!(authenticate(&[id], Proof::Id), Ok(false));
        assert_eq!(authenticate(&[id], Proof::Secret), Err(OAuthError::missing("client_secret")));
        assert_eq!(authenticate(&[id, secret], Proof::Secret), Ok(true));
        assert_eq!(authenticate(&[id, ("client_secret", "previous")], Proof::Secret), Ok(true));
    }

    #[test]
    fn what_is_sent_must_be_right_even_where_it_is_not_needed() {
        for proof in [Proof::Secret, Proof::Id, Proof::Nothing] {
            assert_eq!(authenticate(&[("client_id", "other")], proof), Err(OAuthError::UNKNOWN_CLIENT));
            let wrong = [("client_id", "id"), ("client_secret", "guess")];
            assert_eq!(authenticate(&wrong, proof), Err(OAuthError::WRONG_SECRET));
        }
    }

    #[test]
    fn a_basic_header_that_is_none_is_no_client() {
        for value in ["Basic", "Basic ***", "Basic aWQ=", "Bearer aWQ6c2VjcmV0"] {
            let headers =
                HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap())]);
            assert_eq!(basic(&headers), None, "{value}");
        }
    }
}
