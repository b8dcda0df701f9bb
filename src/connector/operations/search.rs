//! `search`: how do I find records of several objects by the words in them?

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields, query,
};
use crate::{
    connector::InvalidInput,
    salesforce::{CallClass, Request, sosl},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "search",
    area: Area::Query,
    label: "Search records (SOSL)",
    summary: "Finds records of one or several objects by the words in their fields.",
    keywords: &["sosl", "search", "find", "full text", "lookup", "duplicates", "fuzzy"],
    class: CallClass::Read,
    class_with: None,
    calls: "one, `GET /search?q=…`.",
    body: "`searchRecords`: the records of all objects in one list, at most 2,000, each with its `attributes.type`. What was saved \
           a moment ago may not be found yet: Salesforce's index follows within minutes.",
    contents: &[
        ResultContent::Response,
        ResultContent::Body,
        ResultContent::Records,
        ResultContent::FirstRecord,
    ],
    inputs: &[
        Input {
            name: "soslQuery",
            label: "SOSL search",
            kind: InputKind::LongText,
            required: true,
            tooltip: "The search, such as FIND {:name} IN NAME FIELDS RETURNING Contact(Id, Name WHERE AccountId = :account). Write \
                      values of the process as names with a colon, without quotes, and give them in Parameters: no value can \
                      then change the search.",
            placeholder: "FIND {Acme} IN ALL FIELDS RETURNING Account(Id, Name)",
        },
        Input {
            tooltip: "A value for each :name of the search, such as {name: customerName, account: accountId}. In the braces a text is \
                      searched for by its words, a list by any of its texts; {phrase: …} keeps words side by side, {startsWith: …} \
                      finds the beginning of a word. Behind the braces values are those of a SOQL query.",
            ..query::PARAMETERS
        },
    ],
    examples: Examples {
        answer: (
            200,
            r#"{"searchRecords": [{"attributes": {"type": "Account"}, "Id": "001Hp00002abcDEFGH", "Name": "Acme"},
            {"attributes": {"type": "Contact"}, "Id": "003Hp00001aaaAAAAA", "Name": "Ada Lovelace"}]}"#,
        ),
        refusal: (400, r#"[{"errorCode": "MALFORMED_SEARCH", "message": "unexpected token: RETURN"}]"#),
        result: "={found: count(body.searchRecords), ids: body.searchRecords.Id}",
        error: "=if error.code = \"MALFORMED_SEARCH\" then bpmnError(\"not a search\", error.message) else null",
    },
};

/// The input of `search`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Search {
    #[serde(rename = "soslQuery")]
    sosl: String,
    #[serde(default, deserialize_with = "fields::object")]
    parameters: Map<String, Value>,
}

impl Search {
    fn bound(&self) -> Result<String, InvalidInput> {
        sosl::bind(&self.sosl, &self.parameters).map_err(|mistake| query::misfit("soslQuery", mistake))
    }
}

impl Operate for Search {
    fn checked(self) -> Result<Self, InvalidInput> {
        self.bound()?;
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        Ok(Request::search(&self.bound()?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::connector::operations::{Operation, tests::mistake};

    #[test]
    fn parameters_stand_in_the_search_that_is_sent() {
        let search = "FIND {:name} RETURNING Contact(Id WHERE Email = :email)";
        let fields = json!({"soslQuery": search, "parameters": {"name": "O'Brien", "email": "o'b@acme.com"}});
        let request = Operation::parse("search", fields.as_object().unwrap()).unwrap().request().unwrap();
        let sent = "FIND {O\\'Brien} RETURNING Contact(Id WHERE Email = 'o\\'b@acme.com')".to_owned();
        assert_eq!(request.query, [("q".to_owned(), sent)]);
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_path() {
        let message = mistake("search", json!({"soslQuery": "FIND {:a}", "parameters": {"a": true}}));
        assert!(message.starts_with("parameters.a: expected a text, a number"), "{message}");
        let message = mistake("search", json!({"soslQuery": "Acme"}));
        assert_eq!(
            message,
            "soslQuery: expected FIND {…} with what to search for in the braces, found \"Acme\""
        );
    }
}
