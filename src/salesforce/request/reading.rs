//! Requests that search, and that ask an org about itself.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::super::types::ArticleName;
use super::{CallClass, ObjectName, RecordId, Request, segment};

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

    /// `GET /sobjects/Account/describe/layouts`: its page layouts, and which record type has which; with a record type, its
    /// layout.
    pub fn layouts(object: &ObjectName, record_type: Option<&RecordId>) -> Self {
        let own = record_type.map(|id| format!("/{}", segment(id.as_str()))).unwrap_or_default();
        Self::below(object, &format!("/describe/layouts{own}"))
    }

    /// `GET /ui-api/object-info/Account/picklist-values/012…`: the values of each picklist that a record type allows.
    pub fn picklist_values(object: &ObjectName, record_type: &RecordId) -> Self {
        let (object, record_type) = (segment(object.as_str()), segment(record_type.as_str()));
        let path = format!("/ui-api/object-info/{object}/picklist-values/{record_type}");
        Self::new(Method::GET, path, CallClass::Read)
    }

    /// `GET /sobjects/Account`: an object without them, and which of its records the user has used lately.
    pub fn describe_basic(object: &ObjectName) -> Self {
        Self::below(object, "")
    }

    /// `GET /sobjects/Account/listviews/00B…/describe`: the query behind a list view.
    pub fn describe_list_view(object: &ObjectName, id: &RecordId) -> Self {
        Self::below(object, &format!("/listviews/{}/describe", segment(id.as_str())))
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

    /// `GET /support/knowledgeArticles/kA0…`: an article in a language, such as `en-US`, as it is seen in a channel, such as
    /// `App`. It is not counted as a view.
    pub fn knowledge_article(article: &ArticleName, language: &str, channel: &str) -> Self {
        let path = format!("/support/knowledgeArticles/{}", segment(article.as_str()));
        let mut request = Self::new(Method::GET, path, CallClass::Read);
        request.headers.push(("Accept-Language", language.to_owned()));
        let mut query = vec![("channel", channel), ("updateViewStat", "false")];
        query.extend(article.is_url_name().then_some(("isUrlName", "true")));
        request.query = query.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        request
    }

    /// `GET /analytics/reports/00O…/describe`: a report's columns, groupings and filters.
    pub fn describe_report(id: &RecordId) -> Self {
        let path = format!("/analytics/reports/{}/describe", segment(id.as_str()));
        Self::new(Method::GET, path, CallClass::Read)
    }

    /// `GET /analytics/reports/00O…`: a report's result; `POST` with metadata that differs from the saved one, of which
    /// nothing is saved.
    pub fn run_report(id: &RecordId, details: bool, metadata: &Map<String, Value>) -> Self {
        let method = if metadata.is_empty() { Method::GET } else { Method::POST };
        let mut request =
            Self::new(method, format!("/analytics/reports/{}", segment(id.as_str())), CallClass::Read);
        request.query.push(("includeDetails".to_owned(), details.to_string()));
        request.body = (!metadata.is_empty()).then(|| json!({ "reportMetadata": metadata }));
        request
    }
}
