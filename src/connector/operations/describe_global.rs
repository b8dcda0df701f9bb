//! `describeGlobal`: which objects does the org have?

use serde::Deserialize;

use super::{
    Operate,
    descriptor::{Area, Descriptor, Examples, ResultContent},
};
use crate::{
    connector::InvalidInput,
    salesforce::{CallClass, Request},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "describeGlobal",
    area: Area::Other,
    label: "List the objects of the org",
    summary: "Tells which objects the org has, and what the user may do with each.",
    keywords: &["describe global", "objects", "metadata", "schema", "sobjects", "key prefix"],
    class: CallClass::Read,
    class_with: None,
    calls: "one, `GET /sobjects`.",
    body: "`sobjects`: each object with `name`, `label`, `keyPrefix`, `createable`, `queryable` and more, without fields. An org \
           has many hundreds, so take what is needed with a result expression.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[],
    examples: Examples {
        answer: (
            200,
            r#"{"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [
            {"name": "Account", "label": "Account", "keyPrefix": "001", "custom": false, "createable": true},
            {"name": "Invoice__c", "label": "Invoice", "keyPrefix": "a00", "custom": true, "createable": true}]}"#,
        ),
        refusal: (
            403,
            r#"[{"errorCode": "API_DISABLED_FOR_ORG", "message": "The REST API is not enabled for this Organization."}]"#,
        ),
        result: "={customObjects: body.sobjects[custom = true].name}",
        error: "=if error.code = \"API_DISABLED_FOR_ORG\" then bpmnError(\"no access\", error.message) else null",
    },
};

/// The input of `describeGlobal`: nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DescribeGlobal {}

impl Operate for DescribeGlobal {
    fn request(self) -> Result<Request, InvalidInput> {
        Ok(Request::describe_global())
    }
}
