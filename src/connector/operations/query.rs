//! `query`: how do I read records with SOQL, one page or all of them?

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
};
use crate::{
    connector::{Error, InvalidInput, codes, mapping::json_size},
    salesforce::{CallClass, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "query",
    area: Area::Query,
    label: "Query records (SOQL)",
    summary: "Reads records with a SOQL query.",
    keywords: &["soql", "query", "search", "find", "list", "select", "read records"],
    class: CallClass::Read,
    class_with: None,
    calls: "one for each page, `GET /query`, then the `nextRecordsUrl` of the page before.",
    body: "`totalSize`, `done` and `records`; `nextRecordsUrl` where there is more to read.",
    contents: &[
        ResultContent::Response,
        ResultContent::Body,
        ResultContent::Records,
        ResultContent::FirstRecord,
    ],
    inputs: &[
        Input {
            name: "soqlQuery",
            label: "SOQL query",
            kind: InputKind::LongText,
            required: true,
            tooltip: "The query, such as SELECT Id, Name FROM Account WHERE Name = 'Acme'. A value from the process inside \
                      quotes must have its quotes and backslashes escaped.",
            placeholder: "SELECT Id, Name FROM Account LIMIT 10",
        },
        Input {
            name: "allPages",
            label: "Read all pages",
            kind: InputKind::Boolean { default: false },
            required: false,
            tooltip: "Salesforce answers at most 2,000 records at a time. When checked, the following pages are read too, \
                      one call each, and merged into one result.",
            placeholder: "",
        },
        Input {
            name: "maxRecords",
            label: "Maximum number of records",
            kind: InputKind::Integer { min: 1 },
            required: false,
            tooltip: "Keeps at most this many records and reads no page beyond them. Empty: no maximum.",
            placeholder: "1000",
        },
    ],
    examples: Examples {
        answer: (
            200,
            r#"{"totalSize": 2, "done": true, "records": [{"Id": "003Hp00001aaaAAAAA",
            "Name": "Ada Lovelace", "Email": "ada@example.com"}, {"Id": "003Hp00001bbbBBBBB",
            "Name": "Charles Babbage", "Email": null}]}"#,
        ),
        refusal: (400, r#"[{"errorCode": "MALFORMED_QUERY", "message": "unexpected token: FORM"}]"#),
        result: "={found: body.totalSize, names: body.records.Name}",
        error: "=if body.totalSize = 0 then bpmnError(\"nothing found\") else null",
    },
};

/// The input of `query`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Query {
    #[serde(rename = "soqlQuery")]
    soql: String,
    #[serde(default, deserialize_with = "fields::flag")]
    all_pages: bool,
    #[serde(default, deserialize_with = "fields::count")]
    max_records: Option<usize>,
}

impl Operate for Query {
    fn request(self) -> Result<Request, InvalidInput> {
        Ok(Request::query(&self.soql))
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let mut pages = Pages::new(&self, call.max_result_bytes);
        let mut next = pages.begin(call.send(&self.request()?).await?)?;
        while let Some(url) = next {
            next = pages.add(call.send(&Request::next_records(&url)).await?)?;
        }
        Ok(pages.finish())
    }
}

/// The pages of one query, merged as they come.
///
/// `done` and `nextRecordsUrl` decide whether there is more; how many records a page has says nothing.
/// The merged body has `totalSize` as Salesforce counts it. When `maxRecords` left records out, `done` is false;
/// `nextRecordsUrl` then stands only where no record of its page before was cut off.
#[derive(Debug)]
struct Pages {
    /// The first page; its body holds what is not the records.
    response: Response,
    records: Vec<Value>,
    bytes: usize,
    max_bytes: usize,
    wants_all: bool,
    max_records: usize,
    seen: HashSet<String>,
}

impl Pages {
    fn new(query: &Query, max_bytes: usize) -> Self {
        Self {
            response: Response { status: 0, reason: String::new(), headers: Map::new(), body: Value::Null },
            records: Vec::new(),
            bytes: 0,
            max_bytes,
            wants_all: query.all_pages,
            max_records: query.max_records.unwrap_or(usize::MAX),
            seen: HashSet::new(),
        }
    }

    /// Takes the first page; gives the address of the next one that is wanted.
    fn begin(&mut self, mut first: Response) -> Result<Option<String>, Error> {
        let body = std::mem::take(&mut first.body);
        self.response = first;
        self.take(body)
    }

    /// Takes a further page; gives the address of the next one that is wanted.
    fn add(&mut self, page: Response) -> Result<Option<String>, Error> {
        self.take(page.body)
    }

    fn take(&mut self, body: Value) -> Result<Option<String>, Error> {
        let Value::Object(mut body) = body else { return Err(self.misfit(body, "no object")) };
        let Some(Value::Array(mut records)) = body.remove("records") else {
            return Err(self.misfit(Value::Object(body), "no list of records"));
        };
        let room = self.max_records - self.records.len();
        let was_cut = records.len() > room;
        records.truncate(room);
        if self.wants_all {
            self.weigh(&records)?;
        }
        self.records.append(&mut records);
        let next = match body.get("nextRecordsUrl") {
            Some(Value::String(url)) if body.get("done") != Some(&Value::Bool(true)) => Some(url.clone()),
            _ => None,
        };
        self.note_progress(body, was_cut, next.as_deref());
        let is_full = self.records.len() >= self.max_records;
        match next {
            Some(url) if self.wants_all && !is_full => self.once(url).map(Some),
            _ => Ok(None),
        }
    }

    /// Keeps the body of the first page, and of later ones what they say about being done.
    fn note_progress(&mut self, page: Map<String, Value>, was_cut: bool, next: Option<&str>) {
        if !self.response.body.is_object() {
            self.response.body = Value::Object(page);
        }
        let Value::Object(body) = &mut self.response.body else { return };
        body.insert("done".to_owned(), Value::Bool(next.is_none() && !was_cut));
        match next {
            Some(url) if !was_cut => body.insert("nextRecordsUrl".to_owned(), Value::String(url.to_owned())),
            _ => body.remove("nextRecordsUrl"),
        };
    }

    fn weigh(&mut self, records: &[Value]) -> Result<(), Error> {
        self.bytes += records.iter().map(json_size).sum::<usize>();
        if self.bytes <= self.max_bytes {
            return Ok(());
        }
        let read = self.records.len() + records.len();
        let message = format!(
            "the result of the query is larger than {} bytes after {read} records of {}; reading was stopped",
            self.max_bytes,
            self.response.body.get("totalSize").unwrap_or(&Value::Null)
        );
        Err(Error::new(&codes::RESULT_TOO_LARGE, message))
    }

    /// A locator that comes again would be followed for ever.
    fn once(&mut self, url: String) -> Result<String, Error> {
        if self.seen.insert(url.clone()) {
            return Ok(url);
        }
        let message = format!(
            "the pages of the query go round in circles: the same nextRecordsUrl came twice, after {} records",
            self.records.len()
        );
        Err(Error::new(&codes::INVALID_RESPONSE, message))
    }

    fn misfit(&self, body: Value, found: &str) -> Error {
        let message = format!(
            "expected the answer to a query to be an object with a list of records, found {found} (HTTP {})",
            self.response.status
        );
        let response = Response { body, ..self.response.clone() };
        Error::new(&codes::INVALID_RESPONSE, message).with_response(response)
    }

    fn finish(mut self) -> Response {
        if let Value::Object(body) = &mut self.response.body {
            body.insert("records".to_owned(), Value::Array(self.records));
        }
        self.response
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(body: Value) -> Response {
        Response { status: 200, reason: "OK".to_owned(), headers: Map::new(), body }
    }

    fn query(all_pages: bool, max_records: Option<usize>) -> Query {
        Query { soql: "SELECT Id FROM Account".to_owned(), all_pages, max_records }
    }

    fn three_pages() -> Vec<Value> {
        vec![
            json!({"totalSize": 5, "done": false, "nextRecordsUrl": "/q/1", "records": [1, 2]}),
            json!({"totalSize": 5, "done": false, "nextRecordsUrl": "/q/2", "records": [3, 4]}),
            json!({"totalSize": 5, "done": true, "records": [5]}),
        ]
    }

    /// Feeds pages as long as more are wanted; gives the merged body and how many pages were read.
    fn read(query: &Query, pages: Vec<Value>, max_bytes: usize) -> Result<(Value, usize), Error> {
        let mut pages = pages.into_iter().map(page);
        let mut merged = Pages::new(query, max_bytes);
        let mut next = merged.begin(pages.next().unwrap())?;
        let mut read = 1;
        while next.is_some() {
            next = merged.add(pages.next().unwrap())?;
            read += 1;
        }
        Ok((merged.finish().body, read))
    }

    #[test]
    fn one_page_is_given_as_it_came() {
        let first = three_pages().remove(0);
        assert_eq!(read(&query(false, None), three_pages(), 1000).unwrap(), (first, 1));
    }

    #[test]
    fn all_pages_are_merged_until_one_says_done() {
        let merged = json!({"totalSize": 5, "done": true, "records": [1, 2, 3, 4, 5]});
        assert_eq!(read(&query(true, None), three_pages(), 1000).unwrap(), (merged, 3));
    }

    #[test]
    fn an_empty_page_in_the_middle_is_not_the_end() {
        let mut pages = three_pages();
        pages[1]["records"] = json!([]);
        let merged = json!({"totalSize": 5, "done": true, "records": [1, 2, 5]});
        assert_eq!(read(&query(true, None), pages, 1000).unwrap(), (merged, 3));
    }

    #[test]
    fn no_page_beyond_the_maximum_is_read() {
        let (body, pages) = read(&query(true, Some(3)), three_pages(), 1000).unwrap();
        assert_eq!((body, pages), (json!({"totalSize": 5, "done": false, "records": [1, 2, 3]}), 2));
        let (body, pages) = read(&query(true, Some(2)), three_pages(), 1000).unwrap();
        assert_eq!((body, pages), (three_pages().remove(0), 1));
        let (body, pages) = read(&query(true, Some(5)), three_pages(), 1000).unwrap();
        assert_eq!((body["done"].clone(), pages), (json!(true), 3));
    }

    #[test]
    fn the_maximum_also_cuts_a_single_page() {
        let (body, _) = read(&query(false, Some(1)), three_pages(), 1000).unwrap();
        assert_eq!(body, json!({"totalSize": 5, "done": false, "records": [1]}));
    }

    #[test]
    fn a_count_query_has_no_records_and_is_done() {
        let count = json!({"totalSize": 42, "done": true, "records": []});
        assert_eq!(read(&query(true, None), vec![count.clone()], 1000).unwrap(), (count, 1));
    }

    #[test]
    fn a_locator_that_comes_again_is_an_error() {
        let mut pages = three_pages();
        pages[1]["nextRecordsUrl"] = json!("/q/1");
        let error = read(&query(true, None), pages, 1000).unwrap_err();
        assert_eq!(error.code(), "INVALID_RESPONSE");
        assert!(error.to_string().contains("the same nextRecordsUrl came twice, after 4 records"), "{error}");
    }

    #[test]
    fn reading_stops_as_soon_as_the_result_is_too_large() {
        let error = read(&query(true, None), three_pages(), 3).unwrap_err();
        assert_eq!(error.code(), "RESULT_TOO_LARGE");
        let message =
            "the result of the query is larger than 3 bytes after 4 records of 5; reading was stopped";
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn an_answer_that_is_no_query_result_is_an_error_that_keeps_it() {
        for body in
            [json!("<html>"), json!({"totalSize": 0, "done": true}), json!(null), json!({"records": 5})]
        {
            let error = read(&query(true, None), vec![body], 1000).unwrap_err();
            assert_eq!(error.code(), "INVALID_RESPONSE");
            assert_eq!(error.response().unwrap().status, 200);
        }
    }
}
