//! Requests to what an org does by itself: actions, flows, approvals, quick actions, events, GraphQL.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{CallClass, Request, path_of};

impl Request {
    fn post(parts: &[&str], class: CallClass, body: Value) -> Self {
        let mut request = Self::new(Method::POST, path_of(parts.iter().copied()), class);
        request.body = Some(body);
        request
    }

    /// `POST /actions/…`: runs an invocable action once for each of the inputs.
    pub fn action(place: &[&str], inputs: &[Map<String, Value>], class: CallClass) -> Self {
        Self::post(&[&["actions"], place].concat(), class, json!({"inputs": inputs}))
    }
}
