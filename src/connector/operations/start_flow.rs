//! `startFlow`: how do I run a flow of the org, and what does it give?

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
    invocable::{self, StatedClass},
    list_input::FailOn,
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{CallClass, FieldName, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "startFlow",
    area: Area::Automation,
    label: "Start flow",
    summary: "Runs an autolaunched flow of the org and gives its output variables.",
    keywords: &["flow", "autolaunched", "start", "run", "interview", "automation", "process builder"],
    class: CallClass::UnsafeWrite,
    class_with: Some(("class", CallClass::Read)),
    calls: "one, `POST /actions/custom/flow/{flowName}`.",
    body: "`outputs`: the variables of the flow that are available for output; `status` of its interview, such as `Finished` or, for a \
           flow that waits, `Paused`; `interviewGuid`. A flow that fails is an error though HTTP may say success, mostly \
           `UNKNOWN_EXCEPTION`, or `ACTION_FAILED` where it names no code.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[
        Input {
            name: "flowName",
            label: "Flow",
            kind: InputKind::Text {
                pattern: Some((fields::API_NAME, "must be the API name of a flow, such as Close_Case")),
            },
            required: true,
            tooltip: "API name of an active, autolaunched flow, such as Close_Case. Flows with screens cannot be run from outside.",
            placeholder: "Close_Case",
        },
        Input {
            name: "inputVariables",
            label: "Input variables",
            kind: InputKind::Context,
            required: false,
            tooltip: "The variables of the flow that are available for input, by their API names, such as {caseId: caseId, \
                      reason: \"done\"}. Capital letters count.",
            placeholder: "={caseId: caseId}",
        },
        invocable::CLASS,
    ],
    examples: Examples {
        answer: (
            200,
            r#"{"status": "Finished", "interviewGuid": "4a7c-17f2-8d31", "outputs": {"ticket": "T-17"}}"#,
        ),
        refusal: (
            400,
            r#"[{"actionName": "Close_Case", "isSuccess": false, "outputValues": null, "errors": [
            {"statusCode": "UNKNOWN_EXCEPTION", "message": "An error occurred when executing a flow interview.", "fields": []}]}]"#,
        ),
        result: "={ticket: body.outputs.ticket}",
        error: "=if error.code = \"UNKNOWN_EXCEPTION\" then bpmnError(\"flow failed\", error.message) else null",
    },
};

/// The input of `startFlow`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StartFlow {
    flow_name: FieldName,
    #[serde(default, deserialize_with = "fields::object")]
    input_variables: Map<String, Value>,
    #[serde(default)]
    class: StatedClass,
}

impl Operate for StartFlow {
    fn class(&self) -> Option<CallClass> {
        Some(self.class.into())
    }

    fn request(self) -> Result<Request, InvalidInput> {
        let place = ["custom", "flow", self.flow_name.as_str()];
        Ok(Request::action(&place, &[self.input_variables], self.class.into()))
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let results = invocable::invoke(call, &self.request()?, 1).await?;
        results.judged(FailOn::Any).map(of_interview)
    }
}

/// What the one interview gave; what Salesforce says about it stands among its variables.
fn of_interview(mut response: Response) -> Response {
    let mut outputs = match response.body["results"][0]["outputs"].take() {
        Value::Object(outputs) => outputs,
        _ => Map::new(),
    };
    let mut about = |name: &str| outputs.shift_remove(name).unwrap_or_default();
    let (status, guid) = (about("Flow__InterviewStatus"), about("Flow__InterviewGuid"));
    response.body = json!({"status": status, "interviewGuid": guid, "outputs": outputs});
    response
}
