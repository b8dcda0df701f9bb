//! `invokeAction`: how do I run an invocable action of the org, such as an Apex method or an email?

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    invocable::{self, StatedClass},
    list_input::{FAIL_ON, FailOn},
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{CallClass, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "invokeAction",
    area: Area::Automation,
    label: "Invoke action",
    summary: "Runs an invocable action of the org: an Apex method, a standard action such as emailSimple, an email alert.",
    keywords: &["action", "invocable", "apex", "email", "alert", "notification", "automation", "invoke"],
    class: CallClass::UnsafeWrite,
    class_with: Some(("class", CallClass::Read)),
    calls: "one, `POST /actions/standard/{actionName}` or `POST /actions/custom/{actionType}/{actionName}`.",
    body: "`total`, `succeeded`, `failed`, and `results` in the order of the inputs, each with `index`, `success`, `outputs` and \
           `errors`. An action that says it failed is an error though HTTP says success: its own code for one input, `RECORDS_FAILED` \
           for several.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[
        Input {
            name: "actionType",
            label: "Kind of action",
            kind: InputKind::Choice {
                choices: &[
                    ("apex", "Apex: a class with an @InvocableMethod"),
                    ("standard", "Standard action, such as emailSimple or chatterPost"),
                    ("emailAlert", "Email alert"),
                    ("flow", "Flow"),
                    ("quickAction", "Quick action"),
                    ("externalService", "External service"),
                ],
            },
            required: true,
            tooltip: "Where the action comes from.",
            placeholder: "standard",
        },
        Input {
            name: "actionName",
            label: "Action",
            kind: InputKind::Text {
                pattern: Some((
                    ACTION_NAME,
                    "must be the name of an action, such as emailSimple or Case/Notify_Owner",
                )),
            },
            required: true,
            tooltip: "API name of the action: of the class, such as AssignCase; of a standard action, such as emailSimple; of an \
                      email alert with its object, such as Case/Notify_Owner.",
            placeholder: "emailSimple",
        },
        Input {
            name: "inputs",
            label: "Inputs",
            kind: InputKind::List,
            required: false,
            tooltip: "A list with the input parameters of each run by their names, such as [{emailAddresses: \"ada@example.com\", \
                      emailSubject: \"Order 17\", emailBody: text}]. Empty: one run without inputs.",
            placeholder: "=[{emailAddresses: email, emailSubject: \"Hello\", emailBody: \"…\"}]",
        },
        FAIL_ON,
        invocable::CLASS,
    ],
    examples: Examples {
        answer: (
            200,
            r#"{"total": 1, "succeeded": 1, "failed": 0, "results": [
            {"index": 0, "success": true, "outputs": {"score": 87}, "errors": []}]}"#,
        ),
        refusal: (
            400,
            r#"[{"errorCode": "INVALID_API_INPUT", "message": "Missing required input parameter: emailBody"}]"#,
        ),
        result: "={score: body.results[1].outputs.score}",
        error: "=if error.code = \"INVALID_API_INPUT\" then bpmnError(\"wrong inputs\", error.message) else null",
    },
};

/// Names, with a slash between that of an object and that of its alert or action.
const ACTION_NAME: &str = "^[A-Za-z][A-Za-z0-9_.]*(/[A-Za-z][A-Za-z0-9_.]*)?$";

/// Where an action comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum ActionType {
    Apex,
    Standard,
    EmailAlert,
    Flow,
    QuickAction,
    ExternalService,
}

impl ActionType {
    /// Where its actions stand.
    fn place(self) -> &'static [&'static str] {
        match self {
            Self::Apex => &["custom", "apex"],
            Self::Standard => &["standard"],
            Self::EmailAlert => &["custom", "emailAlert"],
            Self::Flow => &["custom", "flow"],
            Self::QuickAction => &["custom", "quickAction"],
            Self::ExternalService => &["custom", "externalService"],
        }
    }
}

/// The input of `invokeAction`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InvokeAction {
    action_type: ActionType,
    action_name: String,
    #[serde(default = "once", deserialize_with = "invocable::inputs")]
    inputs: Vec<Map<String, Value>>,
    #[serde(default)]
    fail_on: FailOn,
    #[serde(default)]
    class: StatedClass,
}

/// One run without inputs.
fn once() -> Vec<Map<String, Value>> {
    vec![Map::new()]
}

impl Operate for InvokeAction {
    fn checked(self) -> Result<Self, InvalidInput> {
        let is_name = |part: &str| {
            part.starts_with(|first: char| first.is_ascii_alphabetic())
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte))
        };
        let parts: Vec<&str> = self.action_name.split('/').collect();
        if parts.len() > 2 || !parts.into_iter().all(is_name) {
            let expected = "the name of an action, such as emailSimple or Case/Notify_Owner";
            return Err(InvalidInput::new("actionName", expected, format!("{:?}", self.action_name)));
        }
        if self.inputs.is_empty() {
            return Err(InvalidInput::new("inputs", "the inputs of one run or more", "an empty list"));
        }
        Ok(self)
    }

    fn class(&self) -> Option<CallClass> {
        Some(self.class.into())
    }

    fn request(self) -> Result<Request, InvalidInput> {
        let parts: Vec<&str> =
            self.action_type.place().iter().copied().chain(self.action_name.split('/')).collect();
        Ok(Request::action(&parts, &self.inputs, self.class.into()))
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let (inputs, fail_on) = (self.inputs.len(), self.fail_on);
        invocable::invoke(call, &self.request()?, inputs).await?.judged(fail_on)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        connector::operations::{Operation, tests::mistake},
        salesforce::{CallClass, Path},
    };

    #[test]
    fn each_kind_has_its_place_and_inputs_are_a_list() {
        for (kind, name, path) in [
            ("standard", "emailSimple", "/actions/standard/emailSimple"),
            ("apex", "acme__Assign", "/actions/custom/apex/acme__Assign"),
            ("emailAlert", "Case/Notify_Owner", "/actions/custom/emailAlert/Case/Notify_Owner"),
        ] {
            let input = json!({"actionType": kind, "actionName": name, "inputs": {"a": 1}});
            let request =
                Operation::parse("invokeAction", input.as_object().unwrap()).unwrap().request().unwrap();
            assert_eq!(
                (request.path, request.class),
                (Path::Versioned(path.to_owned()), CallClass::UnsafeWrite)
            );
            assert_eq!(request.body, Some(json!({"inputs": [{"a": 1}]})));
        }
        let alone = json!({"actionType": "standard", "actionName": "x", "inputs": null});
        let request =
            Operation::parse("invokeAction", alone.as_object().unwrap()).unwrap().request().unwrap();
        assert_eq!(request.body, Some(json!({"inputs": [{}]})));
    }

    #[test]
    fn what_is_no_action_is_refused() {
        let with = |name: &str, inputs: serde_json::Value| json!({"actionType": "apex", "actionName": name, "inputs": inputs});
        for (input, message) in [
            (
                with("../flow/X", json!([{}])),
                "actionName: expected the name of an action, such as emailSimple or Case/Notify_Owner, found \"../flow/X\"",
            ),
            (with("X", json!([])), "inputs: expected the inputs of one run or more, found an empty list"),
            (
                with("X", json!([1])),
                "inputs: expected a list of objects, one for each time that the action is to run, found a list of 1",
            ),
        ] {
            assert_eq!(mistake("invokeAction", input), message);
        }
    }
}
