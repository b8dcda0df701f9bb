//! `runReport`: what does a report say now, as records, and is that all of it?

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
};
use crate::{
    connector::{Error, InvalidInput, codes},
    salesforce::{CallClass, RecordId, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "runReport",
    area: Area::Other,
    label: "Run a report",
    summary: "Runs a report now and gives its rows as records, with its own filters or others.",
    keywords: &["report", "analytics", "run", "rows", "summary", "totals", "dashboard"],
    class: CallClass::Read,
    class_with: None,
    calls: "one, `GET /analytics/reports/{reportId}`, or `POST` where `reportMetadata` is filled: nothing of it is saved. An org may \
            run 500 reports an hour this way.",
    body: "The result as Salesforce gives it: `factMap`, `groupingsDown`, `reportMetadata`, and `allData`, which is false where the \
           report has more than the 2,000 rows that Salesforce gives; and `records`, made from the rows: each with the values of \
           its columns by their names, and of its groupings.",
    contents: &[
        ResultContent::Response,
        ResultContent::Body,
        ResultContent::Records,
        ResultContent::FirstRecord,
    ],
    inputs: &[
        REPORT_ID,
        Input {
            name: "includeDetails",
            label: "With its rows",
            kind: InputKind::Boolean { default: true },
            required: false,
            tooltip: "When not checked, only totals are given.",
            placeholder: "",
        },
        Input {
            name: "reportMetadata",
            label: "Other filters",
            kind: InputKind::Context,
            required: false,
            tooltip: "What differs from the saved report, in Salesforce's words, such as {reportFilters: [{column: \"ACCOUNT.NAME\", \
                      operator: \"equals\", value: customer}]}. The operation describeReport tells the names.",
            placeholder: "={reportFilters: [{column: \"ACCOUNT.NAME\", operator: \"equals\", value: customer}]}",
        },
        Input {
            name: "whenIncomplete",
            label: "When rows are missing",
            kind: InputKind::Choice {
                choices: &[
                    ("fail", "the task fails with REPORT_INCOMPLETE"),
                    ("give", "the rows that there are are given"),
                ],
            },
            required: false,
            tooltip: "Salesforce gives 2,000 rows of a report, and body.allData is false where there are more.",
            placeholder: "",
        },
    ],
    examples: Examples {
        answer: (
            200,
            r#"{"allData": true, "hasDetailRows": true, "records": [{"CASE_NUMBER": "00001026", "SUBJECT": "Rocket fails"}],
            "factMap": {"T!T": {"aggregates": [{"label": "1", "value": 1}], "rows": [{"dataCells": [
            {"label": "00001026", "value": "00001026"}, {"label": "Rocket fails", "value": "Rocket fails"}]}]}},
            "reportMetadata": {"name": "Open cases", "detailColumns": ["CASE_NUMBER", "SUBJECT"]}}"#,
        ),
        refusal: (404, r#"[{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]"#),
        result: "={openCases: body.records, complete: body.allData}",
        error: "=if error.code = \"NOT_FOUND\" then bpmnError(\"no such report\", error.message) else null",
    },
};

pub(super) const REPORT_ID: Input = Input {
    name: "reportId",
    label: "Report id",
    tooltip: "The id of the report, 15 or 18 characters, such as 00OHp000000abcdMAA: it stands in the address of the report's page.",
    placeholder: "00OHp000000abcdMAA",
    ..fields::OBJECT_ID
};

/// The input of `runReport`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunReport {
    report_id: RecordId,
    #[serde(default = "yes", deserialize_with = "fields::flag")]
    include_details: bool,
    #[serde(default, deserialize_with = "fields::object")]
    report_metadata: Map<String, Value>,
    #[serde(default)]
    when_incomplete: WhenIncomplete,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum WhenIncomplete {
    #[default]
    Fail,
    Give,
}

fn yes() -> bool {
    true
}

impl Operate for RunReport {
    fn request(self) -> Result<Request, InvalidInput> {
        Ok(Request::run_report(&self.report_id, self.include_details, &self.report_metadata))
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let Self { include_details, when_incomplete, .. } = self;
        let mut response = call.send(&self.request()?).await?;
        let records = records(&response.body);
        let is_incomplete = response.body.get("allData") == Some(&Value::Bool(false));
        if is_incomplete && include_details && when_incomplete == WhenIncomplete::Fail {
            let message = format!(
                "the report has more rows than the {} that Salesforce gave; filter it further, or read the records with a query",
                records.len()
            );
            let without_body = Response { body: Value::Null, ..response };
            return Err(Error::new(&codes::REPORT_INCOMPLETE, message).with_response(without_body));
        }
        if let Value::Object(body) = &mut response.body {
            body.insert("records".to_owned(), Value::Array(records));
        }
        Ok(response)
    }
}

/// The rows of all facts, with the names of their columns and the values of the groupings that they stand in.
///
/// A fact's key says where it stands: `0_1!0` is the second grouping within the first one down, and the first across; T
/// is the total. Only the innermost groupings have rows. Source: Reports API guide, "Decode the Fact Map".
fn records(report: &Value) -> Vec<Value> {
    let columns = names(&report["reportMetadata"]["detailColumns"], Value::as_str);
    let facts = report["factMap"].as_object().into_iter().flatten();
    let rows = facts.flat_map(|(key, fact)| {
        let (down, across) = key.split_once('!').unwrap_or((key, "T"));
        let mut groupings = grouped(report, "groupingsDown", down);
        groupings.extend(grouped(report, "groupingsAcross", across));
        let columns = &columns;
        fact["rows"].as_array().into_iter().flatten().map(move |row| {
            let cells = row["dataCells"].as_array().into_iter().flatten().map(|cell| cell["value"].clone());
            let mut record = groupings.clone();
            record.extend(columns.iter().cloned().zip(cells));
            Value::Object(record)
        })
    });
    rows.collect()
}

/// The values of the groupings behind one half of a fact's key, by the names of the columns that are grouped by.
fn grouped(report: &Value, side: &str, key: &str) -> Map<String, Value> {
    let names = names(&report["reportMetadata"][side], |grouping| grouping["name"].as_str());
    let mut level = &report[side];
    let mut values = Map::new();
    for (index, name) in key.split('_').map(str::parse::<usize>).zip(names) {
        let Some(grouping) = index.ok().and_then(|index| level["groupings"].get(index)) else { break };
        values.insert(name, grouping["value"].clone());
        level = grouping;
    }
    values
}

fn names(list: &Value, name: impl Fn(&Value) -> Option<&str>) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|item| name(item).map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_have_the_names_of_their_columns_and_the_values_of_their_groupings() {
        let row = |name: &str| json!({"dataCells": [{"label": name, "value": name}, {"label": "$5", "value": {"amount": 5}}]});
        let group = |value: &str, inner: Value| json!({"key": "0", "label": value, "value": value, "groupings": inner});
        let report = json!({
            "reportMetadata": {"detailColumns": ["NAME", "AMOUNT"], "groupingsDown": [{"name": "STAGE"}, {"name": "OWNER"}],
                               "groupingsAcross": [{"name": "YEAR"}]},
            "groupingsDown": {"groupings": [group("Won", json!([group("Ada", json!([])), group("Bob", json!([]))]))]},
            "groupingsAcross": {"groupings": [group("2026", json!([]))]},
            "factMap": {"T!T": {"aggregates": [], "rows": []}, "0!T": {"aggregates": []},
                        "0_1!0": {"rows": [row("x"), row("y")]}}});
        let record = |name: &str| json!({"STAGE": "Won", "OWNER": "Bob", "YEAR": "2026", "NAME": name, "AMOUNT": {"amount": 5}});
        assert_eq!(records(&report), [record("x"), record("y")]);
        assert!(records(&json!({"factMap": {"T!T": {"aggregates": []}}})).is_empty());
        assert!(records(&json!("<html>")).is_empty());
    }
}
