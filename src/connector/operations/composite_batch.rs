//! `compositeBatch`: how do I send several requests that do not depend on each other in one call?

use serde::Deserialize;
use serde_json::Value;

use super::{
    Call, Operate,
    composite::ON_REFUSED_REQUESTS,
    composite_account::{self, SubAnswer},
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
    list_input::{FAIL_ON, FailOn},
    sub_requests,
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{ApiVersion, CallClass, Request, Response, SubRequest},
};

const BATCH_REQUESTS: Input = Input {
    name: "batchRequests",
    label: "Sub-requests",
    kind: InputKind::List,
    required: true,
    tooltip: "Up to 25, each with method, url, perhaps body and queryParameters: {method: \"GET\", url: \"/query\", queryParameters: \
              {q: soql}}. Values from the process belong in a list: url: [\"sobjects\", \"Account\", \"Key__c\", key].",
    placeholder: "=[{method: \"PATCH\", url: [\"sobjects\", \"Account\", accountId], body: {Phone: \"5\"}}]",
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "compositeBatch",
    area: Area::ManyRecords,
    label: "Independent requests in one call (batch)",
    summary: "Carries out up to 25 requests in their order; what was done stays done.",
    keywords: &["batch", "composite", "several", "independent"],
    class: CallClass::UnsafeWrite,
    class_with: None,
    calls: "one, `POST /composite/batch`; each sub-request counts against the org's limit as well. With nothing but GET it is a \
            read. With updates by id and upserts by external id, each of another record, and GET only after them it is an idempotent \
            write.",
    body: "`hasErrors`, and `results`: for each sub-request in order `statusCode` and `result`.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[
        BATCH_REQUESTS,
        Input {
            name: "haltOnError",
            label: "Stop at the first failure",
            kind: InputKind::Boolean { default: false },
            required: false,
            tooltip: "When checked, the sub-requests after one that failed are not carried out: statusCode 412, \
                      BATCH_PROCESSING_HALTED.",
            placeholder: "",
        },
        FAIL_ON,
    ],
    examples: Examples {
        answer: (
            200,
            r#"{"hasErrors": false, "results": [{"statusCode": 204, "result": null},
            {"statusCode": 200, "result": {"Id": "001Hp00002abcDEFGH", "Name": "Acme"}}]}"#,
        ),
        refusal: (
            200,
            r#"{"hasErrors": true, "results": [{"statusCode": 404, "result": [{"errorCode": "NOT_FOUND",
            "message": "The requested resource does not exist"}]}]}"#,
        ),
        result: "={name: body.results[2].result.Name}",
        error: ON_REFUSED_REQUESTS,
    },
};

/// The input of `compositeBatch`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CompositeBatch {
    #[serde(rename = "batchRequests")]
    subs: Vec<Value>,
    #[serde(default, deserialize_with = "fields::flag")]
    halt_on_error: bool,
    #[serde(default)]
    fail_on: FailOn,
}

impl CompositeBatch {
    fn read(&self) -> Result<Vec<SubRequest>, InvalidInput> {
        let path = BATCH_REQUESTS.name;
        for (index, sub) in self.subs.iter().enumerate() {
            let unknown = ["httpHeaders", "referenceId"].into_iter().find(|field| !sub[*field].is_null());
            if let Some(field) = unknown {
                let at = format!("{path}[{index}].{field}");
                return Err(InvalidInput::new(
                    at,
                    "nothing: a batch knows no headers and no names",
                    "a value",
                ));
            }
        }
        let subs = sub_requests::read_call(&self.subs, path)?;
        let refers = |sub: &SubRequest| sub.references().iter().any(|(place, _)| *place == "url");
        if let Some(index) = subs.iter().position(refers) {
            let expected = "no reference: the sub-requests of a batch do not know each other";
            return Err(InvalidInput::new(format!("{path}[{index}].url"), expected, "one"));
        }
        Ok(subs)
    }
}

impl Operate for CompositeBatch {
    fn checked(self) -> Result<Self, InvalidInput> {
        self.read()?;
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        Ok(Request::composite_batch(&self.read()?, ApiVersion::DEFAULT, self.halt_on_error))
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let subs = self.read()?;
        let request = Request::composite_batch(&subs, call.client.version(), self.halt_on_error);
        let response = call.send(&request).await?;
        let Some(answers) = SubAnswer::all(&subs, &response.body["results"], ("statusCode", "result")) else {
            return Err(composite_account::misfit(&response, request.class));
        };
        composite_account::judge(&answers, &response, self.fail_on, request.class)?;
        Ok(response)
    }
}
