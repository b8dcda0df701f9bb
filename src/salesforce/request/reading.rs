//! Requests that search, and that ask an org about itself.

use reqwest::Method;
use serde_json::Value;

use super::{CallClass, Request};

impl Request {
    /// `GET /search?q=…`: a SOSL search.
    pub fn search(sosl: &str) -> Self {
        let mut request = Self::new(Method::GET, "/search".to_owned(), CallClass::Read);
        request.query.push(("q".to_owned(), sosl.to_owned()));
        request
    }

    /// `POST /parameterizedSearch`: a search whose parts stand in a body of any length.
    pub fn parameterized_search(body: Value) -> Self {
        let mut request = Self::new(Method::POST, "/parameterizedSearch".to_owned(), CallClass::Read);
        request.body = Some(body);
        request
    }
}
