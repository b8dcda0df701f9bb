//! Requests for jobs of Bulk API 2.0: made, filled, closed, looked at, read and given up.

use std::fmt;

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{AnswerForm, CallClass, Content, RecordId, Request, segment};

/// What a job of the Bulk API does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkKind {
    /// It takes records.
    Ingest,
    /// It gives records.
    Query,
}

/// A job of the Bulk API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkJob {
    /// What it does.
    pub kind: BulkKind,
    /// Its id, which begins with 750.
    pub id: RecordId,
}

/// Rows that a job gives, as CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkResult {
    /// What was saved.
    Successful,
    /// What was refused.
    Failed,
    /// What the job did not come to.
    Unprocessed,
    /// What a query found.
    Query,
}

impl BulkKind {
    fn path(self) -> &'static str {
        match self {
            Self::Ingest => "/jobs/ingest",
            Self::Query => "/jobs/query",
        }
    }
}

impl BulkResult {
    fn path(self) -> &'static str {
        match self {
            Self::Successful => "successfulResults",
            Self::Failed => "failedResults",
            Self::Unprocessed => "unprocessedrecords",
            Self::Query => "results",
        }
    }
}

impl fmt::Display for BulkJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the bulk job {}", self.id.as_str())
    }
}

impl BulkJob {
    fn path(&self) -> String {
        format!("{}/{}", self.kind.path(), segment(self.id.as_str()))
    }

    /// `GET /jobs/ingest/750…`: how far it is.
    pub fn look(&self) -> Request {
        Request::new(Method::GET, self.path(), CallClass::Read)
    }

    /// `PUT /jobs/ingest/750…/batches`: its data, once. A second time on the same job spoils it.
    pub fn upload(&self, csv: Content) -> Request {
        let mut request =
            Request::new(Method::PUT, format!("{}/batches", self.path()), CallClass::UnsafeWrite);
        request.content = Some(csv);
        request
    }

    /// `PATCH /jobs/ingest/750…`: its data is complete, so that it may begin.
    pub fn close(&self) -> Request {
        self.enter("UploadComplete")
    }

    /// `PATCH /jobs/ingest/750…`: it shall not go on.
    pub fn abort(&self) -> Request {
        self.enter("Aborted")
    }

    fn enter(&self, state: &str) -> Request {
        let mut request = Request::new(Method::PATCH, self.path(), CallClass::IdempotentWrite);
        request.body = Some(json!({ "state": state }));
        request
    }

    /// `GET /jobs/query/750…/results?locator=…&maxRecords=…`: rows as CSV text, no more than about so many bytes.
    pub fn rows(
        &self,
        which: BulkResult,
        (locator, most_rows): (Option<&str>, Option<usize>),
        most_bytes: usize,
    ) -> Request {
        let mut request =
            Request::new(Method::GET, format!("{}/{}", self.path(), which.path()), CallClass::Read);
        request.headers.push(("Accept", "text/csv".to_owned()));
        request.query.extend(locator.map(|locator| ("locator".to_owned(), locator.to_owned())));
        request.query.extend(most_rows.map(|most| ("maxRecords".to_owned(), most.to_string())));
        request.answer = AnswerForm::Text { up_to: most_bytes };
        request
    }
}

impl Request {
    /// `POST /jobs/ingest`: makes a job that takes records, open and empty. May be repeated: a job without data does
    /// nothing, and Salesforce removes it after a week.
    pub fn create_ingest_job(job: Map<String, Value>) -> Self {
        Self::new(Method::POST, BulkKind::Ingest.path().to_owned(), CallClass::IdempotentWrite).with_body(job)
    }

    /// `POST /jobs/query`: makes a job that runs a query. A second one changes nothing either.
    pub fn create_query_job(job: Map<String, Value>) -> Self {
        Self::new(Method::POST, BulkKind::Query.path().to_owned(), CallClass::Read).with_body(job)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Path;
    use super::*;

    fn job(kind: BulkKind) -> BulkJob {
        BulkJob { kind, id: "7505g00000abcde".parse().unwrap() }
    }

    fn versioned(path: &str) -> Path {
        Path::Versioned(path.to_owned())
    }

    #[test]
    fn a_job_is_made_filled_closed_and_given_up_at_its_own_address() {
        let fields = Map::from_iter([("object".to_owned(), json!("Account"))]);
        let create = Request::create_ingest_job(fields);
        assert!(create.is_bulk());
        assert_eq!((create.method, create.path), (Method::POST, versioned("/jobs/ingest")));
        let csv = Content::whole("text/csv", "Name\nAcme\n");
        let upload = job(BulkKind::Ingest).upload(csv.clone());
        assert_eq!(
            (upload.method, upload.path),
            (Method::PUT, versioned("/jobs/ingest/7505g00000abcde/batches"))
        );
        assert_eq!((upload.content, upload.class), (Some(csv), CallClass::UnsafeWrite));
        for (request, state) in
            [(job(BulkKind::Query).close(), "UploadComplete"), (job(BulkKind::Query).abort(), "Aborted")]
        {
            assert_eq!(
                (request.method, request.path),
                (Method::PATCH, versioned("/jobs/query/7505g00000abcde"))
            );
            assert_eq!(request.body, Some(json!({ "state": state })));
        }
    }

    #[test]
    fn rows_are_read_as_text_from_a_place_on() {
        let rows = job(BulkKind::Query).rows(BulkResult::Query, (Some("MTAw"), Some(5)), 1000);
        assert_eq!(rows.path, versioned("/jobs/query/7505g00000abcde/results"));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(rows.query, [pair("locator", "MTAw"), pair("maxRecords", "5")]);
        assert_eq!((rows.answer, rows.class), (AnswerForm::Text { up_to: 1000 }, CallClass::Read));
        assert_eq!(rows.headers, [("Accept", "text/csv".to_owned())]);
        for (which, path) in [
            (BulkResult::Failed, "failedResults"),
            (BulkResult::Successful, "successfulResults"),
            (BulkResult::Unprocessed, "unprocessedrecords"),
        ] {
            let rows = job(BulkKind::Ingest).rows(which, (None, None), 1000);
            assert_eq!(rows.path, versioned(&format!("/jobs/ingest/7505g00000abcde/{path}")));
        }
    }
}
