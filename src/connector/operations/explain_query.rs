//! `explainQuery`: how would Salesforce find the records of a query?

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Operate,
    descriptor::{Area, Descriptor, Examples, ResultContent},
    fields, query,
};
use crate::{
    connector::InvalidInput,
    salesforce::{CallClass, Request},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "explainQuery",
    area: Area::Query,
    label: "Explain query (SOQL)",
    summary: "Gives the plans that Salesforce weighs for a query, without running it.",
    keywords: &["soql", "query plan", "explain", "performance", "selective", "index"],
    class: CallClass::Read,
    class_with: None,
    calls: "one, `GET /query?explain=…`.",
    body: "`plans`, the cheapest first, each with `cardinality`, `leadingOperationType`, `relativeCost` and `notes`; a \
           `relativeCost` above 1 says that no index helps.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[query::SOQL_QUERY, query::PARAMETERS],
    examples: Examples {
        answer: (
            200,
            r#"{"plans": [{"cardinality": 1, "fields": ["Id"], "leadingOperationType": "Index", "notes": [],
            "relativeCost": 0.1, "sobjectCardinality": 5000, "sobjectType": "Account"}],
            "sourceQuery": "SELECT Id FROM Account WHERE Id = '001Hp00002abcDEFGH'"}"#,
        ),
        refusal: (400, r#"[{"errorCode": "MALFORMED_QUERY", "message": "unexpected token: FORM"}]"#),
        result: "={cost: body.plans[1].relativeCost}",
        error: "=if error.code = \"MALFORMED_QUERY\" then bpmnError(\"not a query\", error.message) else null",
    },
};

/// The input of `explainQuery`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExplainQuery {
    #[serde(rename = "soqlQuery")]
    soql: String,
    #[serde(default, deserialize_with = "fields::object")]
    parameters: Map<String, Value>,
}

impl Operate for ExplainQuery {
    fn checked(self) -> Result<Self, InvalidInput> {
        query::bound(&self.soql, &self.parameters)?;
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        Ok(Request::explain(&query::bound(&self.soql, &self.parameters)?))
    }
}
