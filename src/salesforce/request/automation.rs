//! Requests to what an org does by itself: actions, flows, approvals, quick actions, events, GraphQL.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{CallClass, FieldName, ObjectName, RecordId, Request, path_of};

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

    /// `POST /process/approvals`: one request to submit, approve or reject. None of them may happen twice: a second one
    /// would be about the next step.
    pub fn approval(action: &str, mut fields: Map<String, Value>) -> Self {
        fields.insert("actionType".to_owned(), action.into());
        Self::post(&["process", "approvals"], CallClass::UnsafeWrite, json!({"requests": [fields]}))
    }

    /// `POST /sobjects/Case/quickActions/LogACall`, or `POST /quickActions/NewTask`: runs a quick action, on the page of a
    /// record where one is named.
    pub fn quick_action(
        object: Option<&ObjectName>,
        name: &FieldName,
        (context, record): (Option<&RecordId>, Map<String, Value>),
        class: CallClass,
    ) -> Self {
        let place = object.map(|object| ["sobjects", object.as_str()]);
        let place = place.as_ref().map_or(&[][..], |place| &place[..]);
        let mut body = Map::new();
        if let Some(context) = context {
            body.insert("contextId".to_owned(), json!(context));
        }
        body.insert("record".to_owned(), record.into());
        Self::post(&[place, &["quickActions", name.as_str()]].concat(), class, body.into())
    }

    /// `POST /graphql`: a document with what belongs to it.
    pub fn graphql(body: Map<String, Value>, class: CallClass) -> Self {
        Self::post(&["graphql"], class, body.into())
    }
}
