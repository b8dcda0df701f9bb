//! Requests that search, and that ask an org about itself.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value;

use super::{CallClass, ObjectName, Request, segment};

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

    /// `GET /sobjects`: every object of the org, without its fields.
    pub fn describe_global() -> Self {
        Self::new(Method::GET, "/sobjects".to_owned(), CallClass::Read)
    }

    /// `GET /sobjects/Account/describe`: an object with its fields and relationships.
    pub fn describe(object: &ObjectName) -> Self {
        Self::below(object, "/describe")
    }

    /// `GET /sobjects/Account`: an object without them, and which of its records the user has used lately.
    pub fn describe_basic(object: &ObjectName) -> Self {
        Self::below(object, "")
    }

    /// `GET /recent`: the records that the user has used lately, at most 200 of them.
    pub fn recent(limit: Option<usize>) -> Self {
        let mut request = Self::new(Method::GET, "/recent".to_owned(), CallClass::Read);
        request.query.extend(limit.map(|limit| ("limit".to_owned(), limit.to_string())));
        request
    }

    /// `GET /sobjects/Account/updated`: the ids of the records that were created or changed from the one to the other
    /// moment.
    pub fn updated(object: &ObjectName, period: (Timestamp, Timestamp)) -> Self {
        Self::within(Self::below(object, "/updated"), period)
    }

    /// `GET /sobjects/Account/deleted`: the records that were deleted from the one to the other moment.
    pub fn deleted(object: &ObjectName, period: (Timestamp, Timestamp)) -> Self {
        Self::within(Self::below(object, "/deleted"), period)
    }

    fn below(object: &ObjectName, resource: &str) -> Self {
        let path = format!("/sobjects/{}{resource}", segment(object.as_str()));
        Self::new(Method::GET, path, CallClass::Read)
    }

    fn within(mut self, (start, end): (Timestamp, Timestamp)) -> Self {
        for (name, moment) in [("start", start), ("end", end)] {
            self.query.push((name.to_owned(), moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()));
        }
        self
    }
}
