//! `describeReport`: which columns, groupings and filters does a report have?

use serde::Deserialize;

use super::{
    Operate,
    descriptor::{Area, Descriptor, Examples, ResultContent},
    run_report,
};
use crate::{
    connector::InvalidInput,
    salesforce::{CallClass, RecordId, Request},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "describeReport",
    area: Area::Other,
    label: "Describe a report",
    summary: "Tells which columns, groupings and filters a report has, without running it.",
    keywords: &["report", "describe", "metadata", "columns", "filters", "analytics"],
    class: CallClass::Read,
    class_with: None,
    calls: "one, `GET /analytics/reports/{reportId}/describe`.",
    body: "`reportMetadata`, which `runReport` takes in parts; `reportTypeMetadata` with every column and operator there could be; \
           `reportExtendedMetadata` with the labels.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[run_report::REPORT_ID],
    examples: Examples {
        answer: (
            200,
            r#"{"reportMetadata": {"id": "00OHp000000abcdMAA", "name": "Open cases", "reportFormat": "TABULAR",
            "detailColumns": ["CASE_NUMBER", "SUBJECT"], "reportFilters": []}}"#,
        ),
        refusal: (404, r#"[{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]"#),
        result: "={columns: body.reportMetadata.detailColumns}",
        error: "=if error.code = \"NOT_FOUND\" then bpmnError(\"no such report\", error.message) else null",
    },
};

/// The input of `describeReport`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DescribeReport {
    report_id: RecordId,
}

impl Operate for DescribeReport {
    fn request(self) -> Result<Request, InvalidInput> {
        Ok(Request::describe_report(&self.report_id))
    }
}
