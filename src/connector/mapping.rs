//! From Salesforce's answer to process variables.

use std::io;

use serde::Serialize;
use serde_json::{Map, Value, json};

use camunda_feel::Scope;

use super::{
    codes,
    error::Error,
    expressions::{HeaderExpression, check_allowed, kind},
    headers::{Headers, RESULT_VARIABLE},
    input,
    operations::ResultContent,
    redactor::Redactor,
};
use crate::salesforce::{CallClass, Response};

/// Where the result goes and what of it.
#[derive(Debug)]
pub(super) struct Mapping<'a> {
    /// What the modeler wants.
    pub(super) headers: &'a Headers,
    /// Whether the operation whose answer it is may be repeated.
    pub(super) class: CallClass,
    /// The record that the input named, where it did.
    pub(super) record_id: Option<String>,
    /// The variables' JSON may not be larger.
    pub(super) max_bytes: usize,
    /// For what is logged on the way.
    pub(super) redactor: &'a Redactor,
}

/// What an operation that succeeded gives.
#[derive(Debug, PartialEq)]
pub(super) struct Done {
    /// The variables to complete the job with.
    pub(super) variables: Map<String, Value>,
    /// `{status, reason, headers, body}`. Whole only where an expression is there to see it.
    pub(super) answer: Value,
}

impl Mapping<'_> {
    /// Makes the variables: first those of `resultVariable`, then those of `resultExpression`, which win.
    ///
    /// # Errors
    /// `RESULT_TOO_LARGE`, `EXPRESSION_FAILED` or `FORBIDDEN_RESULT`. They carry the answer after a write, for it
    /// was done; a failed expression carries it in any case, for it shows why.
    pub(super) fn variables(self, response: Response) -> Result<Done, Error> {
        let mut done = Done { variables: Map::new(), answer: as_json(response) };
        let error = match self.fill(&mut done) {
            Ok(()) => return Ok(done),
            Err(error) => error,
        };
        let was_write = self.class != CallClass::Read;
        if was_write || error.code() == codes::EXPRESSION_FAILED.name {
            let error = if was_write {
                error.map_message(|message| {
                    format!("{message}. The write itself was done: it is in error.variables.response")
                })
            } else {
                error
            };
            return Err(error.with_response(as_response(done.answer)));
        }
        Err(error)
    }

    fn fill(&self, done: &mut Done) -> Result<(), Error> {
        if let Some((name, content)) = &self.headers.result {
            let value = self.content(*content, &mut done.answer);
            check_allowed(RESULT_VARIABLE, &value)?;
            done.variables.insert(name.clone(), value);
        }
        if let Some(expression) = &self.headers.result_expression {
            done.variables.extend(mapped(expression, &done.answer, self.redactor)?);
        }
        let (size, most) = (json_size(&done.variables), self.max_bytes);
        if size > most {
            let message = format!("the result has {size} bytes, and {most} may be handed over");
            return Err(Error::new(&codes::RESULT_TOO_LARGE, message));
        }
        Ok(())
    }

    /// The part of the answer that the result variable holds; moved out where nobody needs the answer any more.
    fn content(&self, content: ResultContent, answer: &mut Value) -> Value {
        let is_needed = self.class != CallClass::Read
            || self.headers.result_expression.is_some()
            || self.headers.error_expression.is_some();
        let take = |part: &mut Value| if is_needed { part.clone() } else { part.take() };
        match content {
            ResultContent::Response => take(answer),
            ResultContent::Body => take(&mut answer["body"]),
            ResultContent::Records => records(answer).map_or(Value::Null, take),
            ResultContent::FirstRecord => {
                records(answer).and_then(|records| records.get_mut(0)).map_or(Value::Null, take)
            }
            ResultContent::Id => {
                let body = &answer["body"];
                let told = body.get("id").or_else(|| body.get("Id"));
                told.filter(|id| id.is_string()).cloned().unwrap_or_else(|| json!(self.record_id))
            }
        }
    }
}

/// The variables that a result expression makes of an answer: its fields are variables of their own, and `response`
/// is the whole.
fn mapped(
    expression: &HeaderExpression,
    answer: &Value,
    redactor: &Redactor,
) -> Result<Map<String, Value>, Error> {
    let scope = Scope::new().spread(answer).variable("response", answer);
    match expression.evaluate(&scope, redactor)? {
        Value::Null => Ok(Map::new()),
        Value::Object(variables) => Ok(variables),
        other => {
            let (kind, shown) = (kind(&other), input::shorten(&other.to_string()));
            Err(expression.failed(format!(
                "Result expression must return a JSON object, but got {kind}. Evaluated value: {shown}"
            )))
        }
    }
}

fn as_json(response: Response) -> Value {
    let Response { status, reason, headers, body } = response;
    let fields: [(&str, Value); 4] = [
        ("status", status.into()),
        ("reason", reason.into()),
        ("headers", headers.into()),
        // Moved, not copied: it may be large.
        ("body", body),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The way back.
pub(super) fn as_response(mut answer: Value) -> Response {
    let headers = match answer["headers"].take() {
        Value::Object(headers) => headers,
        _ => Map::new(),
    };
    Response {
        status: answer["status"].as_u64().and_then(|status| status.try_into().ok()).unwrap_or_default(),
        reason: answer["reason"].as_str().unwrap_or_default().to_owned(),
        headers,
        body: answer["body"].take(),
    }
}

/// The list of records: the body itself, or what it has under one of the names that Salesforce gives to records.
fn records(answer: &mut Value) -> Option<&mut Value> {
    let body = &mut answer["body"];
    if body.is_array() {
        return Some(body);
    }
    let name =
        ["records", "searchRecords", "deletedRecords"].into_iter().find(|name| body.get(name).is_some())?;
    body.get_mut(name).filter(|records| records.is_array())
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
    use crate::connector::{
        expressions::Expressions,
        operations::{self, Descriptor},
    };

    fn response(status: u16, body: Value) -> Response {
        let mut headers = Map::new();
        headers.insert("sforce-limit-info".to_owned(), json!("api-usage=1/100"));
        Response { status, reason: "OK".to_owned(), headers, body }
    }

    fn operation(name: &str) -> &'static Descriptor {
        operations::ALL.iter().find(|descriptor| descriptor.name == name).unwrap()
    }

    fn keeping(name: &str, content: ResultContent) -> Headers {
        Headers { result: Some((name.to_owned(), content)), ..Headers::default() }
    }

    fn map(
        name: &str,
        headers: &Headers,
        max_bytes: usize,
        body: Value,
    ) -> Result<Map<String, Value>, Error> {
        let mapping = Mapping {
            headers,
            class: operation(name).class,
            record_id: Some("001D000000IRFmaIAH".to_owned()),
            max_bytes,
            redactor: &Redactor::default(),
        };
        mapping.variables(response(200, body)).map(|done| done.variables)
    }

    #[test]
    fn each_content_takes_its_part_of_the_answer() {
        use ResultContent::{Body, FirstRecord, Id, Records, Response};
        let found = || json!({"totalSize": 2, "done": true, "records": [{"Id": "1"}, {"Id": "2"}]});
        let headers = json!({"sforce-limit-info": "api-usage=1/100"});
        let whole = json!({"status": 200, "reason": "OK", "headers": headers, "body": null});
        let expressions = Expressions::default();
        let expression = expressions.parse("resultExpression", "= {status: status}").unwrap();
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
            let headers = keeping("result", content);
            let alone = Value::Object(map(operation, &headers, 1000, body.clone()).unwrap());
            assert_eq!(alone, json!({"result": expected}), "{operation} {content:?}");
            let both = Headers { result_expression: Some(expression.clone()), ..headers };
            let both = Value::Object(map(operation, &both, 1000, body).unwrap());
            assert_eq!(both, json!({"result": expected, "status": 200}), "{operation} {content:?}");
        }
    }

    #[test]
    fn without_a_result_variable_there_are_no_variables() {
        let body = json!({"large": "x".repeat(5000)});
        assert_eq!(map("query", &Headers::default(), 2, body).unwrap(), Map::new());
    }

    #[test]
    fn a_result_that_is_too_large_says_its_size_and_after_a_write_that_it_was_done() {
        for (operation, is_write) in [("query", false), ("createRecord", true)] {
            let error = map(operation, &keeping("r", ResultContent::Body), 9, json!("12345")).unwrap_err();
            assert_eq!(error.code(), "RESULT_TOO_LARGE");
            assert!(
                error.to_string().starts_with("the result has 13 bytes, and 9 may be handed over"),
                "{error}"
            );
            assert_eq!(error.to_string().contains("was done"), is_write);
            assert_eq!(error.response(), is_write.then(|| response(200, json!("12345"))).as_ref());
        }
    }

    #[test]
    fn a_failed_expression_keeps_the_answer_after_a_read_too() {
        let expression = Expressions::default().parse("resultExpression", "= 1").unwrap();
        let headers = Headers { result_expression: Some(expression), ..Headers::default() };
        let error = map("query", &headers, 1000, json!([1])).unwrap_err();
        assert_eq!((error.code(), error.response()), ("EXPRESSION_FAILED", Some(&response(200, json!([1])))));
    }

    #[test]
    fn the_size_is_that_of_the_json_text() {
        let value = json!({"a": [1, 2.50, "ä\n", null], "b": {}});
        assert_eq!(json_size(&value), serde_json::to_string(&value).unwrap().len());
    }
}
