//! `composite`: how do I do several things in one call, where later ones use what earlier ones gave?

use serde::Deserialize;
use serde_json::Value;

use super::{
    Call, Operate, composite_account,
    composite_account::SubAnswer,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
    list_input::{FAIL_ON, FailOn},
    sub_requests::{self, COMPOSITE_REQUEST},
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{ApiVersion, CallClass, Request, Response, SubRequest},
};

/// So many of them may be queries or lists of records.
const MOST_QUERIES: usize = 5;

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "composite",
    area: Area::ManyRecords,
    label: "Several requests in one call (composite)",
    summary: "Carries out up to 25 requests, all of them or none; later ones may use what earlier ones gave.",
    keywords: &["composite", "several", "transaction", "atomic", "reference", "related records", "rollback"],
    class: CallClass::UnsafeWrite,
    class_with: None,
    calls: "one, `POST /composite`. With nothing but GET it is a read. It is an idempotent write where a second time does nothing \
            more and answers the same: updates by id and upserts by external id, each of another record, which take nothing but \
            `@{name.id}` of earlier upserts, and GET only after them.",
    body: "`compositeResponse`: for each sub-request in order `body`, `httpHeaders`, `httpStatusCode` and `referenceId`.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[
        COMPOSITE_REQUEST,
        Input {
            name: "allOrNone",
            label: "All or none",
            kind: InputKind::Boolean { default: true },
            required: false,
            tooltip: "When checked, a sub-request that fails takes all the others back. Else what does not depend on it is done.",
            placeholder: "",
        },
        Input {
            name: "collateSubrequests",
            label: "Put similar sub-requests together",
            kind: InputKind::Boolean { default: false },
            required: false,
            tooltip: "When checked, Salesforce saves similar sub-requests together, which is quicker, and keeps no order but that \
                      of the references. Else they are carried out in the order of the list.",
            placeholder: "",
        },
        FAIL_ON,
    ],
    examples: Examples {
        answer: (
            200,
            r#"{"compositeResponse": [{"body": {"id": "001Hp00002abcDEFGH", "success": true, "errors": []},
            "httpHeaders": {"Location": "/services/data/v67.0/sobjects/Account/001Hp00002abcDEFGH"},
            "httpStatusCode": 201, "referenceId": "account"}]}"#,
        ),
        refusal: (
            200,
            r#"{"compositeResponse": [{"body": [{"errorCode": "DUPLICATE_VALUE",
            "message": "duplicate value found: External_Key__c", "fields": ["External_Key__c"]}],
            "httpHeaders": {}, "httpStatusCode": 400, "referenceId": "account"}]}"#,
        ),
        result: "={accountId: body.compositeResponse[referenceId = \"account\"][1].body.id}",
        error: ON_REFUSED_REQUESTS,
    },
};

/// What a process may do about them.
pub(super) const ON_REFUSED_REQUESTS: &str = "=if error.code = \"RECORDS_FAILED\" \
    then bpmnError(\"not done\", error.message, {refusals: error.errors}) else null";

/// The input of `composite`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Composite {
    #[serde(rename = "compositeRequest")]
    subs: Vec<Value>,
    #[serde(default = "yes", deserialize_with = "fields::flag")]
    all_or_none: bool,
    #[serde(default, deserialize_with = "fields::flag")]
    collate_subrequests: bool,
    #[serde(default)]
    fail_on: FailOn,
}

fn yes() -> bool {
    true
}

impl Composite {
    fn read(&self) -> Result<Vec<SubRequest>, InvalidInput> {
        let path = COMPOSITE_REQUEST.name;
        let subs = sub_requests::read_call(&self.subs, path)?;
        let queries = subs.iter().filter(|sub| sub.url.is_query()).count();
        if queries > MOST_QUERIES {
            let expected = format!("at most {MOST_QUERIES} queries and lists of records among them");
            return Err(InvalidInput::new(path, expected, queries.to_string()));
        }
        sub_requests::check_references(&subs, path)?;
        Ok(subs)
    }

    fn request_of(&self, subs: &[SubRequest], version: ApiVersion) -> Request {
        Request::composite(subs, version, self.all_or_none, self.collate_subrequests)
    }
}

impl Operate for Composite {
    fn checked(self) -> Result<Self, InvalidInput> {
        self.read()?;
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        Ok(self.request_of(&self.read()?, ApiVersion::DEFAULT))
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let subs = self.read()?;
        let request = self.request_of(&subs, call.client.version());
        let response = call.send(&request).await?;
        let answers = &response.body["compositeResponse"];
        let Some(answers) = SubAnswer::all(&subs, answers, ("httpStatusCode", "body")) else {
            return Err(composite_account::misfit(&response, request.class));
        };
        composite_account::judge(&answers, &response, self.fail_on, request.class)?;
        Ok(response)
    }
}
