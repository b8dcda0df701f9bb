//! `query`: how do I read records with SOQL, one page or all of them?

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
    pages::Wanted,
};
use crate::{
    connector::{Error, InvalidInput, input},
    salesforce::{
        CallClass, Request, Response,
        soql::{self, InvalidBinding},
    },
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "query",
    area: Area::Query,
    label: "Query records (SOQL)",
    summary: "Reads records with a SOQL query.",
    keywords: &["soql", "query", "search", "find", "list", "select", "read records"],
    class: CallClass::Read,
    class_with: None,
    calls: "one for each page, `GET /query`, then the `nextRecordsUrl` of the page before. With `allPages` \
            also one for each further page of a sub-query.",
    body: "`totalSize`, `done` and `records`; `nextRecordsUrl` where there is more to read.",
    contents: &[
        ResultContent::Response,
        ResultContent::Body,
        ResultContent::Records,
        ResultContent::FirstRecord,
    ],
    inputs: &[SOQL_QUERY, PARAMETERS, fields::ALL_PAGES, fields::MAX_RECORDS, fields::BATCH_SIZE],
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

pub(super) const SOQL_QUERY: Input = Input {
    name: "soqlQuery",
    label: "SOQL query",
    kind: InputKind::LongText,
    required: true,
    tooltip: "The query, such as SELECT Id, Name FROM Account WHERE Name = :name. Write values of the process as names with a \
              colon, without quotes, and give them in Parameters: no value can then change the query.",
    placeholder: "SELECT Id, Name FROM Account LIMIT 10",
};

pub(super) const PARAMETERS: Input = Input {
    name: "parameters",
    label: "Parameters",
    kind: InputKind::Context,
    required: false,
    tooltip: "A value for each :name of the query, such as {name: customer, ids: idList, since: {date: \"2026-01-31\"}}. A text \
              is always a text; mark others as {date: …}, {dateTime: …} or, for LIKE, {startsWith: …}, {endsWith: …}, \
              {contains: …}. A list is for IN.",
    placeholder: "={name: customerName}",
};

/// The query with its parameters in it.
pub(super) fn bound(query: &str, parameters: &Map<String, Value>) -> Result<String, InvalidInput> {
    soql::bind(query, parameters).map_err(|mistake| misfit("soqlQuery", mistake))
}

/// A mistake in a parameter, or in the field where the query stands.
pub(super) fn misfit(query: &str, mistake: InvalidBinding) -> InvalidInput {
    match mistake.name.as_str() {
        "" => InvalidInput::new(query, mistake.expected, mistake.found),
        name => {
            InvalidInput::new(format!("parameters.{}", input::shorten(name)), mistake.expected, mistake.found)
        }
    }
}

/// The input of `query`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Query {
    #[serde(rename = "soqlQuery")]
    soql: String,
    #[serde(default, deserialize_with = "fields::object")]
    parameters: Map<String, Value>,
    #[serde(default, deserialize_with = "fields::flag")]
    all_pages: bool,
    #[serde(default, deserialize_with = "fields::count")]
    max_records: Option<usize>,
    #[serde(default, deserialize_with = "fields::batch_size")]
    batch_size: Option<usize>,
}

impl Query {
    /// Reads what is wanted, by a changed request.
    pub(super) async fn read(
        self,
        call: &Call<'_>,
        change: impl FnOnce(Request) -> Request,
    ) -> Result<Response, Error> {
        let Self { all_pages, max_records, batch_size, .. } = self;
        let wanted = Wanted { all_pages, max_records, batch_size };
        wanted.read(change(self.request()?), call).await
    }
}

impl Operate for Query {
    fn checked(self) -> Result<Self, InvalidInput> {
        bound(&self.soql, &self.parameters)?;
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        Ok(Request::query(&bound(&self.soql, &self.parameters)?))
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        self.read(call, |request| request).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::connector::operations::{Operation, tests::mistake};

    fn request(fields: &Value) -> Request {
        Operation::parse("query", fields.as_object().unwrap()).unwrap().request().unwrap()
    }

    #[test]
    fn parameters_stand_in_the_query_that_is_sent() {
        let query = "SELECT Id FROM Account WHERE Name = :name";
        let request = request(&json!({"soqlQuery": query, "parameters": {"name": "O'Brien"}}));
        let sent = "SELECT Id FROM Account WHERE Name = 'O\\'Brien'".to_owned();
        assert_eq!(request.query, [("q".to_owned(), sent)]);
    }

    #[test]
    fn parameters_that_do_not_fit_are_told_with_their_path() {
        let query = |soql: &str, parameters: Value| json!({"soqlQuery": soql, "parameters": parameters});
        let message = mistake("query", query("SELECT Id FROM A WHERE x = :y", json!({"z": 1})));
        assert_eq!(message, "parameters.y: expected a value for :y of the query, found only z");
        let message = mistake("query", query("SELECT Id FROM A WHERE x = 'y", json!({})));
        assert_eq!(message, "soqlQuery: expected a query whose quotes are closed, found an open one");
        let message = mistake("query", query("SELECT Id FROM A WHERE x = :y", json!({"y": []})));
        assert_eq!(message, "parameters.y: expected a list of one value or more, found an empty list");
    }
}
