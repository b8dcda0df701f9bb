//! From Salesforce's answer to process variables.

use std::io;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    codes,
    error::Error,
    operations::{Descriptor, ResultContent},
};
use crate::salesforce::{CallClass, Response};

/// Where the result goes and what of it.
#[derive(Debug)]
pub(super) struct Mapping<'a> {
    /// The variable and its content; `None`: no variables.
    pub(super) result: Option<&'a (String, ResultContent)>,
    /// The operation whose answer it is.
    pub(super) operation: &'static Descriptor,
    /// The record that the input named, where it did.
    pub(super) record_id: Option<String>,
    /// The variables' JSON may not be larger.
    pub(super) max_bytes: usize,
}

impl Mapping<'_> {
    /// The variables to complete the job with.
    ///
    /// # Errors
    /// `RESULT_TOO_LARGE`; after a write it carries the answer, for the write was done.
    pub(super) fn variables(self, response: Response) -> Result<Map<String, Value>, Error> {
        let Some((name, content)) = self.result else { return Ok(Map::new()) };
        let kept = (self.operation.class != CallClass::Read).then(|| response.clone());
        let mut variables = Map::new();
        variables.insert(name.clone(), content_of(*content, response, self.record_id.as_deref()));
        let size = json_size(&variables);
        if size <= self.max_bytes {
            return Ok(variables);
        }
        let mut message = format!("the result has {size} bytes, and {} may be handed over", self.max_bytes);
        if kept.is_some() {
            message.push_str(". The write itself was done: it is in error.variables.response");
        }
        let error = Error::new(&codes::RESULT_TOO_LARGE, message);
        Err(match kept {
            Some(response) => error.with_response(response),
            None => error,
        })
    }
}

fn content_of(content: ResultContent, mut response: Response, record_id: Option<&str>) -> Value {
    match content {
        ResultContent::Response => {
            let Response { status, reason, headers, body } = response;
            json!({"status": status, "reason": reason, "headers": headers, "body": body})
        }
        ResultContent::Body => response.body,
        ResultContent::Records => records(&mut response).map_or(Value::Null, Value::Array),
        ResultContent::FirstRecord => {
            records(&mut response).and_then(|records| records.into_iter().next()).unwrap_or(Value::Null)
        }
        ResultContent::Id => {
            let told = response.body.get("id").or_else(|| response.body.get("Id"));
            told.filter(|id| id.is_string()).cloned().unwrap_or_else(|| json!(record_id))
        }
    }
}

fn records(response: &mut Response) -> Option<Vec<Value>> {
    match response.body.get_mut("records")?.take() {
        Value::Array(records) => Some(records),
        _ => None,
    }
}

/// How many bytes a value has as JSON, counted without writing it.
pub(super) fn json_size(value: &impl Serialize) -> usize {
    struct Count(usize);

    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut count = Count(0);
    serde_json::to_writer(&mut count, value).expect("JSON values can be written, and counting does not fail");
    count.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::operations;

    fn response(status: u16, body: Value) -> Response {
        let mut headers = Map::new();
        headers.insert("sforce-limit-info".to_owned(), json!("api-usage=1/100"));
        Response { status, reason: "OK".to_owned(), headers, body }
    }

    fn map(operation: &str, content: ResultContent, body: Value) -> Value {
        let result = ("result".to_owned(), content);
        let mapping = Mapping {
            result: Some(&result),
            operation: operations::ALL.iter().find(|descriptor| descriptor.name == operation).unwrap(),
            record_id: Some("001D000000IRFmaIAH".to_owned()),
            max_bytes: 1000,
        };
        Value::Object(mapping.variables(response(200, body)).unwrap())
    }

    #[test]
    fn each_content_takes_its_part_of_the_answer() {
        use ResultContent::{Body, FirstRecord, Id, Records, Response};
        let found = || json!({"totalSize": 2, "done": true, "records": [{"Id": "1"}, {"Id": "2"}]});
        let headers = json!({"sforce-limit-info": "api-usage=1/100"});
        let whole = json!({"status": 200, "reason": "OK", "headers": headers, "body": null});
        for (operation, content, body, expected) in [
            ("deleteRecord", Response, Value::Null, whole),
            ("query", Body, found(), found()),
            ("query", Records, found(), json!([{"Id": "1"}, {"Id": "2"}])),
            ("query", FirstRecord, found(), json!({"Id": "1"})),
            ("query", FirstRecord, json!({"totalSize": 0, "done": true, "records": []}), Value::Null),
            ("query", Records, json!({"totalSize": 0, "done": true, "records": []}), json!([])),
            ("createRecord", Id, json!({"id": "new", "success": true}), json!("new")),
            ("getRecord", Id, json!({"attributes": {}, "Id": "read"}), json!("read")),
            ("updateRecord", Id, Value::Null, json!("001D000000IRFmaIAH")),
            ("getRecord", Id, json!({"Id": 5}), json!("001D000000IRFmaIAH")),
        ] {
            assert_eq!(map(operation, content, body), json!({"result": expected}), "{operation} {content:?}");
        }
    }

    #[test]
    fn without_a_result_variable_there_are_no_variables() {
        let mapping = Mapping { result: None, operation: operations::ALL[0], record_id: None, max_bytes: 0 };
        assert_eq!(mapping.variables(response(200, json!({"large": "x".repeat(5000)}))).unwrap(), Map::new());
    }

    #[test]
    fn a_result_that_is_too_large_says_its_size_and_after_a_write_that_it_was_done() {
        let result = ("r".to_owned(), ResultContent::Body);
        for (operation, is_write) in [("query", false), ("createRecord", true)] {
            let mapping = Mapping {
                result: Some(&result),
                operation: operations::ALL.iter().find(|descriptor| descriptor.name == operation).unwrap(),
                record_id: None,
                max_bytes: 9,
            };
            let error = mapping.variables(response(201, json!("12345"))).unwrap_err();
            assert_eq!(error.code(), "RESULT_TOO_LARGE");
            assert!(
                error.to_string().starts_with("the result has 13 bytes, and 9 may be handed over"),
                "{error}"
            );
            assert_eq!(error.to_string().contains("was done"), is_write);
            assert_eq!(error.response().is_some(), is_write);
        }
    }

    #[test]
    fn the_size_is_that_of_the_json_text() {
        let value = json!({"a": [1, 2.50, "ä\n", null], "b": {}});
        assert_eq!(json_size(&value), serde_json::to_string(&value).unwrap().len());
    }
}
