//! `getRecords`: how do I read many records whose ids I have, and which of them are missing?

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
    list_input::{self, FailOn, OBJECT_IDS, Part},
};
use crate::{
    connector::{Error, InvalidInput, codes, mapping::json_size},
    salesforce::{CallClass, ErrorDetail, ObjectName, RecordId, Request, Response},
};

/// Salesforce gives so many records in one call when their ids come in a body.
const MOST_IN_A_CALL: usize = 2000;
const MOST_IDS: usize = 10_000;

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "getRecords",
    area: Area::ManyRecords,
    label: "Get records",
    summary: "Reads many records of one object by their ids, in the order of the ids.",
    keywords: &["get", "read", "retrieve", "many", "list", "collection", "records", "ids"],
    class: CallClass::Read,
    class_with: None,
    calls: "one for each 2,000 ids, `POST /composite/sobjects/{objectType}`; none for an empty list.",
    body: "`total`, `found`, `missing`, and `records` in the order of the ids, with null where there is no such record or the \
           user may not see it.",
    contents: &[
        ResultContent::Response,
        ResultContent::Body,
        ResultContent::Records,
        ResultContent::FirstRecord,
    ],
    inputs: &[
        fields::OBJECT_TYPE,
        Input {
            tooltip: "The ids of the records, up to 10,000, such as [\"001D000000IRFmaIAH\"] or accounts.Id.",
            ..OBJECT_IDS
        },
        Input {
            name: "fields",
            label: "Fields to read",
            kind: InputKind::Text { pattern: None },
            required: true,
            tooltip: "API names, separated by commas, or a FEEL list of them.",
            placeholder: "Id, Name, Phone",
        },
        Input {
            name: "failOn",
            label: "The task fails when",
            kind: InputKind::Choice {
                choices: &[
                    ("none", "never: the process looks at the answer"),
                    ("any", "any of them is missing"),
                    ("all", "all of them are missing"),
                ],
            },
            required: false,
            tooltip: "When missing records are an error, RECORDS_FAILED, which lists them in error.errors.",
            placeholder: "",
        },
    ],
    examples: Examples {
        answer: (
            200,
            r#"{"total": 2, "found": 1, "missing": 1, "records": [{"Id": "001Hp00002abcDEFGH", "Name": "Acme"}, null]}"#,
        ),
        refusal: (
            400,
            r#"[{"errorCode": "INVALID_FIELD", "message": "No such column 'Nam' on entity 'Account'"}]"#,
        ),
        result: "={accounts: body.records, missing: body.missing}",
        error: "=if error.code = \"INVALID_FIELD\" then bpmnError(\"no such field\", error.message) else null",
    },
};

/// The input of `getRecords`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetRecords {
    object_type: ObjectName,
    object_ids: Vec<Value>,
    #[serde(deserialize_with = "fields::names")]
    fields: Option<String>,
    #[serde(default = "never")]
    fail_on: FailOn,
}

fn never() -> FailOn {
    FailOn::None
}

impl GetRecords {
    fn parts(&self) -> Result<Vec<Part<Request>>, InvalidInput> {
        let ids = list_input::record_ids(&self.object_ids, MOST_IDS)?;
        let fields: Vec<&str> = self.fields.iter().flat_map(|fields| fields.split(',')).collect();
        let request = |items: &[RecordId]| Request::get_records(&self.object_type, items, &fields);
        Ok(list_input::calls_of(&ids, MOST_IN_A_CALL).into_iter().map(|part| part.map(request)).collect())
    }

    fn settle(&self, mut last: Response, records: Vec<Value>) -> Result<Response, Error> {
        let missing: Vec<usize> = (0..records.len()).filter(|index| records[*index].is_null()).collect();
        let (total, found) = (records.len(), records.len() - missing.len());
        last.body = json!({"total": total, "found": found, "missing": missing.len()});
        last.body["records"] = Value::Array(records);
        if !self.fail_on.is_error(missing.len(), found) {
            return Ok(last);
        }
        let reason = "no such record, or the user may not see it";
        let message = format!(
            "{} of {total} records are missing (failOn: {}); record {}: {reason}",
            missing.len(),
            self.fail_on.name(),
            missing[0]
        );
        let detail = || ErrorDetail {
            error_code: "NOT_FOUND".to_owned(),
            message: reason.to_owned(),
            fields: Vec::new(),
        };
        let error = Error::new(&codes::RECORDS_FAILED, message).with_response(last);
        Err(error.with_places(missing.into_iter().map(|index| (index, detail()))))
    }
}

impl Operate for GetRecords {
    fn checked(self) -> Result<Self, InvalidInput> {
        self.parts()?;
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        list_input::first(self.parts()?)
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let mut last = list_input::no_answer();
        let (mut records, mut bytes) = (Vec::with_capacity(self.object_ids.len()), 0);
        for part in self.parts()? {
            let mut response = call.send(&part.items).await?;
            let Value::Array(own) = response.body.take() else {
                let message = "expected a list of records, found something else";
                return Err(Error::new(&codes::INVALID_RESPONSE, message).with_response(response));
            };
            if own.len() != part.places.len() {
                let message = format!("expected {} records, found {}", part.places.len(), own.len());
                return Err(Error::new(&codes::INVALID_RESPONSE, message));
            }
            bytes += own.iter().map(json_size).sum::<usize>();
            if bytes > call.max_result_bytes {
                let message = format!(
                    "the records have more than {} bytes after {} of {}; reading was stopped",
                    call.max_result_bytes,
                    part.places.end,
                    self.object_ids.len()
                );
                return Err(Error::new(&codes::RESULT_TOO_LARGE, message));
            }
            records.extend(own);
            last = response;
        }
        self.settle(last, records)
    }
}
