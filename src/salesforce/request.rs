//! Requests as values: built by pure functions, sent by [`SalesforceClient`](super::SalesforceClient).

mod any;
mod automation;
mod bulk;
mod composite;
mod files;
mod reading;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Map, Value};

use super::content::Content;
use super::types::{ExternalId, FieldName, NextRecordsUrl, ObjectName, RecordId};

pub use any::{FreeHeader, FreePath, Verb, WrittenPath};
pub use bulk::{BulkJob, BulkKind, BulkResult};
pub use files::{AnswerForm, FilePart};

/// Everything but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Whether a call may be repeated when it is not known what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallClass {
    /// Changes nothing.
    Read,
    /// Changes something, and a second time changes nothing more: update, upsert, delete.
    IdempotentWrite,
    /// A second time has a second effect: create.
    UnsafeWrite,
}

/// A request to an org's REST API, without host, credentials and API version.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The HTTP method.
    pub method: Method,
    /// The percent-encoded path, with its leading slash.
    pub path: Path,
    /// Names and values, not yet encoded.
    pub query: Vec<(String, String)>,
    /// Further headers, such as `Sforce-Query-Options`.
    pub headers: Vec<(&'static str, String)>,
    /// Headers that somebody named who is not of this house.
    pub free_headers: Vec<FreeHeader>,
    /// A JSON body, if any.
    pub body: Option<Value>,
    /// Another body in its place, such as CSV.
    pub content: Option<Content>,
    /// A file that goes with the body.
    pub file: Option<FilePart>,
    /// What the answer is read as.
    pub answer: AnswerForm,
    /// Whether it may be repeated.
    pub class: CallClass,
}

/// Where a request goes, below the org's base address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// Below `/services/data/vNN.N`, with the client's API version.
    Versioned(String),
    /// Below the host, such as a `nextRecordsUrl`, which carries its own version.
    Absolute(String),
}

/// Encodes one path segment: nothing in it can leave the segment.
///
/// `.` and `..` have no encoding that URL parsers leave alone; [`ExternalId`] refuses them.
pub(super) fn segment(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, ENCODED)
}

/// The path of these parts, each encoded.
fn path_of<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut path = String::new();
    for part in parts {
        path.push('/');
        path.extend(utf8_percent_encode(part, ENCODED));
    }
    path
}

impl Request {
    pub(super) fn new(method: Method, path: String, class: CallClass) -> Self {
        let (query, headers, free_headers) = (Vec::new(), Vec::new(), Vec::new());
        let (body, content) = (None, None);
        let path = Path::Versioned(path);
        let (file, answer) = (None, AnswerForm::Json);
        Self { method, path, query, headers, free_headers, body, content, file, answer, class }
    }

    fn with_body(mut self, body: Map<String, Value>) -> Self {
        self.body = Some(Value::Object(body));
        self
    }

    /// Whether it begins a job of the Bulk API, which makes many requests and can wait.
    pub(super) fn is_bulk(&self) -> bool {
        matches!(&self.path, Path::Versioned(path) if path.starts_with("/jobs/"))
            && self.method == Method::POST
    }

    /// Whether its content is a stream that was sent, so that it cannot be sent again.
    pub(super) fn is_spent(&self) -> bool {
        self.content.as_ref().is_some_and(Content::is_spent)
    }

    /// `GET /query?q=…`: the first page of a SOQL query.
    pub fn query(soql: &str) -> Self {
        Self::asking("q", soql)
    }

    /// `GET /query?explain=…`: the plans for a SOQL query, which is not run.
    pub fn explain(soql: &str) -> Self {
        Self::asking("explain", soql)
    }

    fn asking(name: &str, text: &str) -> Self {
        let mut request = Self::new(Method::GET, "/query".to_owned(), CallClass::Read);
        request.query.push((name.to_owned(), text.to_owned()));
        request
    }

    /// The next page of a query, from the `nextRecordsUrl` of the page before.
    pub fn next_records(url: &NextRecordsUrl) -> Self {
        let mut request = Self::new(Method::GET, String::new(), CallClass::Read);
        request.path = Path::Absolute(url.as_str().to_owned());
        request
    }

    /// `POST /sobjects/Account`: creates a record.
    pub fn create(object: &ObjectName, fields: Map<String, Value>) -> Self {
        let path = format!("/sobjects/{}", segment(object.as_str()));
        Self::new(Method::POST, path, CallClass::UnsafeWrite).with_body(fields)
    }

    /// `GET /sobjects/Account/001…[/Relationship]`: reads a record, or what it is related to.
    pub fn get(object: &ObjectName, id: &RecordId, relationship: Option<&FieldName>) -> Self {
        let mut path = record_path(object, id);
        if let Some(relationship) = relationship {
            path.push('/');
            path.push_str(&segment(relationship.as_str()).to_string());
        }
        Self::new(Method::GET, path, CallClass::Read)
    }

    /// `PATCH /sobjects/Account/001…`: changes fields of a record.
    pub fn update(object: &ObjectName, id: &RecordId, fields: Map<String, Value>) -> Self {
        Self::new(Method::PATCH, record_path(object, id), CallClass::IdempotentWrite).with_body(fields)
    }

    /// `DELETE /sobjects/Account/001…`: moves a record to the recycle bin.
    pub fn delete(object: &ObjectName, id: &RecordId) -> Self {
        Self::new(Method::DELETE, record_path(object, id), CallClass::IdempotentWrite)
    }

    /// `PATCH /sobjects/Account/Key__c/value`: creates or changes the record that has this external id.
    pub fn upsert(object: &ObjectName, key: &ExternalId, fields: Map<String, Value>) -> Self {
        Self::new(Method::PATCH, key_path(object, key), CallClass::IdempotentWrite).with_body(fields)
    }

    /// `GET /sobjects/Account/Key__c/value`: reads the record that has this external id.
    pub fn get_by_key(object: &ObjectName, key: &ExternalId) -> Self {
        Self::new(Method::GET, key_path(object, key), CallClass::Read)
    }

    /// `DELETE /sobjects/Account/Key__c/value`: moves the record that has this external id to the recycle bin.
    pub fn delete_by_key(object: &ObjectName, key: &ExternalId) -> Self {
        Self::new(Method::DELETE, key_path(object, key), CallClass::IdempotentWrite)
    }
}

fn key_path(object: &ObjectName, key: &ExternalId) -> String {
    let (field, value) = (segment(key.field().as_str()), segment(key.value()));
    format!("/sobjects/{}/{field}/{value}", segment(object.as_str()))
}

fn record_path(object: &ObjectName, id: &RecordId) -> String {
    format!("/sobjects/{}/{}", segment(object.as_str()), segment(id.as_str()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn object() -> ObjectName {
        "Account".parse().unwrap()
    }

    fn id() -> RecordId {
        "001D000000IRFmaIAH".parse().unwrap()
    }

    fn versioned(path: &str) -> Path {
        Path::Versioned(path.to_owned())
    }

    fn fields(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_create_posts_its_fields_and_is_unsafe_to_repeat() {
        let request = Request::create(&object(), fields(&json!({"Name": "Acme"})));
        assert_eq!((request.method, request.path), (Method::POST, versioned("/sobjects/Account")));
        assert_eq!(request.body, Some(json!({"Name": "Acme"})));
        assert_eq!(request.class, CallClass::UnsafeWrite);
    }

    #[test]
    fn a_record_is_read_with_or_without_a_relationship() {
        let plain = Request::get(&object(), &id(), None);
        assert_eq!(plain.path, versioned("/sobjects/Account/001D000000IRFmaIAH"));
        let related = Request::get(&object(), &id(), Some(&"Contacts".parse().unwrap()));
        assert_eq!(related.path, versioned("/sobjects/Account/001D000000IRFmaIAH/Contacts"));
        assert_eq!(related.class, CallClass::Read);
    }

    #[test]
    fn update_and_delete_name_the_record_and_may_be_repeated() {
        let update = Request::update(&object(), &id(), fields(&json!({"Phone": null})));
        assert_eq!((update.method, update.class), (Method::PATCH, CallClass::IdempotentWrite));
        assert_eq!(update.body, Some(json!({"Phone": null})));
        let delete = Request::delete(&object(), &id());
        assert_eq!(
            (delete.method, delete.class, delete.body),
            (Method::DELETE, CallClass::IdempotentWrite, None)
        );
    }

    #[test]
    fn an_upsert_encodes_its_key() {
        let key = ExternalId::new("Key__c".parse().unwrap(), "a/b?c#d%2F é").unwrap();
        let request = Request::upsert(&object(), &key, Map::new());
        assert_eq!(request.path, versioned("/sobjects/Account/Key__c/a%2Fb%3Fc%23d%252F%20%C3%A9"));
    }

    proptest! {
        #[test]
        fn no_text_can_leave_its_path_segment(text in ".{1,40}") {
            let encoded = segment(&text).to_string();
            prop_assert!(!encoded.contains(['/', '?', '#', '\\', ' ']));
            let decoded = percent_encoding::percent_decode_str(&encoded).decode_utf8().unwrap();
            prop_assert_eq!(decoded, text.as_str());
        }

        #[test]
        fn an_external_id_stays_the_last_segment_of_every_request(text in "[./%?#;\\\\a-c é\\PC]{1,40}") {
            let Ok(key) = ExternalId::new("Key__c".parse().unwrap(), &text) else { return Ok(()) };
            for request in [
                Request::upsert(&object(), &key, Map::new()),
                Request::get_by_key(&object(), &key),
                Request::delete_by_key(&object(), &key),
            ] {
                let org = url::Url::parse("https://acme.my.salesforce.com").unwrap();
                let url = super::super::address::of(&org, crate::salesforce::ApiVersion::DEFAULT, &request).unwrap();
                let segments: Vec<&str> = url.path_segments().unwrap().collect();
                prop_assert_eq!(&segments[..6], ["services", "data", "v67.0", "sobjects", "Account", "Key__c"]);
                let last = percent_encoding::percent_decode_str(segments[6]).decode_utf8().unwrap();
                prop_assert_eq!((segments.len(), &*last, url.query()), (7, text.as_str(), None));
            }
        }
    }
}
