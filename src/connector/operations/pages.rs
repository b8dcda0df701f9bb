//! The pages of a query: read one after another, and merged into one answer.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::Call;
use crate::{
    connector::{Error, codes, mapping::json_size},
    salesforce::{NextRecordsUrl, Request, Response},
};

/// What of a query's pages is wanted.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) all_pages: bool,
    pub(super) max_records: Option<usize>,
    /// How many records a page should have; Salesforce takes it as advice.
    pub(super) batch_size: Option<usize>,
}

impl Wanted {
    /// The same request with what it should say about pages.
    pub(super) fn asked(&self, mut request: Request) -> Request {
        let size = self.batch_size.map(|size| ("Sforce-Query-Options", format!("batchSize={size}")));
        request.headers.extend(size);
        request
    }

    /// Reads the page behind this request, and those after it that are wanted.
    pub(super) async fn read(&self, first: Request, call: &Call<'_>) -> Result<Response, Error> {
        let mut pages = Pages::new(self, call.max_result_bytes);
        let mut next = pages.begin(call.send(&self.asked(first)).await?)?;
        loop {
            self.read_children(&mut pages, call).await?;
            let Some(url) = next else { return Ok(pages.finish()) };
            next = pages.add(self.page(&url, call).await?)?;
        }
    }

    async fn page(&self, url: &NextRecordsUrl, call: &Call<'_>) -> Result<Response, Error> {
        call.send(&self.asked(Request::next_records(url))).await
    }

    /// Sub-queries have pages of their own, which are as easily overlooked.
    async fn read_children(&self, pages: &mut Pages, call: &Call<'_>) -> Result<(), Error> {
        while let Some((place, url)) = pages.next_children()? {
            let page = self.page(&url, call).await?;
            pages.add_children(&place, page)?;
        }
        Ok(())
    }
}

/// Where a sub-query stands: a record's number, and a JSON pointer in the record.
type Place = (usize, String);

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
    /// The sub-queries that have more to read.
    children: Vec<Place>,
}

impl Pages {
    fn new(wanted: &Wanted, max_bytes: usize) -> Self {
        Self {
            response: Response { status: 0, reason: String::new(), headers: Map::new(), body: Value::Null },
            records: Vec::new(),
            bytes: 0,
            max_bytes,
            wants_all: wanted.all_pages,
            max_records: wanted.max_records.unwrap_or(usize::MAX),
            seen: HashSet::new(),
            children: Vec::new(),
        }
    }

    /// Takes the first page; gives the address of the next one that is wanted.
    fn begin(&mut self, mut first: Response) -> Result<Option<NextRecordsUrl>, Error> {
        let body = std::mem::take(&mut first.body);
        self.response = first;
        self.take(body)
    }

    /// Takes a further page; gives the address of the next one that is wanted.
    fn add(&mut self, page: Response) -> Result<Option<NextRecordsUrl>, Error> {
        self.take(page.body)
    }

    fn take(&mut self, body: Value) -> Result<Option<NextRecordsUrl>, Error> {
        let (mut records, body) = self.split(body)?;
        let room = self.max_records - self.records.len();
        let was_cut = records.len() > room;
        records.truncate(room);
        if self.wants_all {
            self.weigh(&records)?;
            for (number, record) in records.iter().enumerate() {
                unfinished(record, "", self.records.len() + number, &mut self.children);
            }
        }
        self.records.append(&mut records);
        let next = next_url(&body).map(str::to_owned);
        self.note_progress(body, was_cut, next.as_deref());
        let is_full = self.records.len() >= self.max_records;
        match next {
            Some(url) if self.wants_all && !is_full => self.once(&url).map(Some),
            _ => Ok(None),
        }
    }

    fn split(&self, body: Value) -> Result<(Vec<Value>, Map<String, Value>), Error> {
        let Value::Object(mut body) = body else { return Err(self.misfit(body, "no object")) };
        match body.remove("records") {
            Some(Value::Array(records)) => Ok((records, body)),
            _ => Err(self.misfit(Value::Object(body), "no list of records")),
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

    /// The next sub-query that has more to read: where it stands, and the address of its next page.
    fn next_children(&mut self) -> Result<Option<(Place, NextRecordsUrl)>, Error> {
        let Some((number, place)) = self.children.pop() else { return Ok(None) };
        let children = self.records[number].pointer(&place).and_then(Value::as_object);
        let Some(url) = children.and_then(next_url).map(str::to_owned) else { return self.next_children() };
        Ok(Some(((number, place), self.once(&url)?)))
    }

    /// Appends a page of children to those that stand there.
    fn add_children(&mut self, (number, place): &Place, page: Response) -> Result<(), Error> {
        let (mut more, page) = self.split(page.body)?;
        self.weigh(&more)?;
        let Some(Value::Object(children)) = self.records[*number].pointer_mut(place) else { return Ok(()) };
        for name in ["done", "nextRecordsUrl"] {
            match page.get(name) {
                Some(value) => children.insert(name.to_owned(), value.clone()),
                None => children.remove(name),
            };
        }
        if let Some(Value::Array(records)) = children.get_mut("records") {
            for (index, record) in more.iter().enumerate() {
                let place = format!("{place}/records/{}", records.len() + index);
                unfinished(record, &place, *number, &mut self.children);
            }
            records.append(&mut more);
        }
        if next_url(children).is_some() {
            self.children.push((*number, place.clone()));
        }
        Ok(())
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
    fn once(&mut self, url: &str) -> Result<NextRecordsUrl, Error> {
        if !self.seen.insert(url.to_owned()) {
            let message = format!(
                "the pages of the query go round in circles: the same nextRecordsUrl came twice, after {} records",
                self.records.len()
            );
            return Err(Error::new(&codes::INVALID_RESPONSE, message));
        }
        url.parse().map_err(|mistake| {
            Error::new(&codes::INVALID_RESPONSE, format!("the nextRecordsUrl of the answer: {mistake}"))
        })
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

/// Where a page says that there are more.
fn next_url(page: &Map<String, Value>) -> Option<&str> {
    let is_done = page.get("done") == Some(&Value::Bool(true));
    page.get("nextRecordsUrl").and_then(Value::as_str).filter(|_| !is_done)
}

/// Notes the sub-queries below a record that have more to read.
fn unfinished(record: &Value, place: &str, number: usize, found: &mut Vec<Place>) {
    let Value::Object(members) = record else { return };
    for (name, value) in members {
        let Value::Object(children) = value else { continue };
        let Some(Value::Array(records)) = children.get("records") else { continue };
        let place = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
        for (index, record) in records.iter().enumerate() {
            unfinished(record, &format!("{place}/records/{index}"), number, found);
        }
        if next_url(children).is_some() {
            found.push((number, place));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(body: Value) -> Response {
        Response { status: 200, reason: "OK".to_owned(), headers: Map::new(), body }
    }

    fn wanted(all_pages: bool, max_records: Option<usize>) -> Wanted {
        Wanted { all_pages, max_records, batch_size: None }
    }

    fn url(page: u32) -> String {
        format!("/services/data/v67.0/query/01g-{page}")
    }

    fn three_pages() -> Vec<Value> {
        vec![
            json!({"totalSize": 5, "done": false, "nextRecordsUrl": url(1), "records": [1, 2]}),
            json!({"totalSize": 5, "done": false, "nextRecordsUrl": url(2), "records": [3, 4]}),
            json!({"totalSize": 5, "done": true, "records": [5]}),
        ]
    }

    /// Feeds pages as long as more are wanted; gives the merged body and how many pages were read.
    fn read(wanted: &Wanted, pages: Vec<Value>, max_bytes: usize) -> Result<(Value, usize), Error> {
        let mut pages = pages.into_iter().map(page);
        let mut merged = Pages::new(wanted, max_bytes);
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
        assert_eq!(read(&wanted(false, None), three_pages(), 1000).unwrap(), (first, 1));
    }

    #[test]
    fn all_pages_are_merged_until_one_says_done() {
        let merged = json!({"totalSize": 5, "done": true, "records": [1, 2, 3, 4, 5]});
        assert_eq!(read(&wanted(true, None), three_pages(), 1000).unwrap(), (merged, 3));
    }

    #[test]
    fn an_empty_page_in_the_middle_is_not_the_end() {
        let mut pages = three_pages();
        pages[1]["records"] = json!([]);
        let merged = json!({"totalSize": 5, "done": true, "records": [1, 2, 5]});
        assert_eq!(read(&wanted(true, None), pages, 1000).unwrap(), (merged, 3));
    }

    #[test]
    fn no_page_beyond_the_maximum_is_read() {
        let (body, pages) = read(&wanted(true, Some(3)), three_pages(), 1000).unwrap();
        assert_eq!((body, pages), (json!({"totalSize": 5, "done": false, "records": [1, 2, 3]}), 2));
        let (body, pages) = read(&wanted(true, Some(2)), three_pages(), 1000).unwrap();
        assert_eq!((body, pages), (three_pages().remove(0), 1));
        let (body, pages) = read(&wanted(true, Some(5)), three_pages(), 1000).unwrap();
        assert_eq!((body["done"].clone(), pages), (json!(true), 3));
    }

    #[test]
    fn the_maximum_also_cuts_a_single_page() {
        let (body, _) = read(&wanted(false, Some(1)), three_pages(), 1000).unwrap();
        assert_eq!(body, json!({"totalSize": 5, "done": false, "records": [1]}));
    }

    #[test]
    fn a_count_query_has_no_records_and_is_done() {
        let count = json!({"totalSize": 42, "done": true, "records": []});
        assert_eq!(read(&wanted(true, None), vec![count.clone()], 1000).unwrap(), (count, 1));
    }

    #[test]
    fn a_locator_that_comes_again_is_an_error() {
        let mut pages = three_pages();
        pages[1]["nextRecordsUrl"] = json!(url(1));
        let error = read(&wanted(true, None), pages, 1000).unwrap_err();
        assert_eq!(error.code(), "INVALID_RESPONSE");
        assert!(error.to_string().contains("the same nextRecordsUrl came twice, after 4 records"), "{error}");
    }

    #[test]
    fn reading_stops_as_soon_as_the_result_is_too_large() {
        let error = read(&wanted(true, None), three_pages(), 3).unwrap_err();
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
            let error = read(&wanted(true, None), vec![body], 1000).unwrap_err();
            assert_eq!(error.code(), "INVALID_RESPONSE");
            assert_eq!(error.response().unwrap().status, 200);
        }
    }

    #[test]
    fn an_address_outside_of_queries_is_not_followed() {
        let mut pages = three_pages();
        pages[0]["nextRecordsUrl"] = json!("/services/oauth2/revoke");
        let error = read(&wanted(true, None), pages, 1000).unwrap_err();
        assert_eq!(error.code(), "INVALID_RESPONSE");
    }

    #[test]
    fn children_and_their_children_are_read_to_their_end() {
        let children = |records: Value, next: Option<u32>| {
            let mut page = json!({"totalSize": 3, "done": next.is_none(), "records": records});
            if let Some(next) = next {
                page["nextRecordsUrl"] = json!(url(next));
            }
            page
        };
        let grandchild = json!({"Id": "g", "Tasks": children(json!([1]), Some(8))});
        let record = json!({"Id": "a", "Contacts": children(json!([{"Id": "c"}]), Some(7)), "Cases": null});
        let body = json!({"totalSize": 1, "done": true, "records": [record]});
        let mut pages = Pages::new(&wanted(true, None), 1000);
        assert!(pages.begin(page(body)).unwrap().is_none());
        let mut asked = Vec::new();
        while let Some((place, url)) = pages.next_children().unwrap() {
            asked.push(url.to_string().chars().last().unwrap());
            let more = match asked.len() {
                1 => children(json!([grandchild]), Some(9)),
                2 => children(json!([{"Id": "d"}]), None),
                _ => children(json!([2]), None),
            };
            pages.add_children(&place, page(more)).unwrap();
        }
        assert_eq!(asked, ['7', '9', '8']);
        let contacts = &pages.finish().body["records"][0]["Contacts"];
        assert_eq!((&contacts["done"], contacts.get("nextRecordsUrl")), (&json!(true), None));
        assert_eq!(contacts["records"].as_array().unwrap().len(), 3);
        assert_eq!(contacts["records"][1]["Tasks"]["records"], json!([1, 2]));
    }
}
