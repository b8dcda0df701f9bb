//! Invocable actions, flows among them: HTTP may say success where the action does not.

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value, json};

use super::{
    Call,
    descriptor::{Input, InputKind},
    list_account::detail,
    list_input::FailOn,
};
use crate::{
    connector::{Error, codes},
    salesforce::{CallClass, ErrorDetail, Request, Response},
};

/// What became of each input.
pub(super) struct Results {
    /// The answer, without its body.
    pub(super) answer: Response,
    /// One for each input, in their order: `index`, `success`, `outputs`, `errors`.
    pub(super) items: Vec<Value>,
    class: CallClass,
}

pub(super) const CLASS: Input = Input {
    name: "class",
    label: "When the answer is lost",
    kind: InputKind::Choice {
        choices: &[
            ("unsafeWrite", "do not send it again: a second time has a second effect"),
            ("idempotentWrite", "send it again: a second time changes nothing more"),
            ("read", "send it again: it changes nothing"),
        ],
    },
    required: false,
    tooltip: "What must not happen twice ends in an incident OUTCOME_UNKNOWN when its answer is lost. Only you know what it does \
              in the org: choose another class only where a second time does no harm.",
    placeholder: "",
};

/// Whether it may be repeated, as the modeler says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum StatedClass {
    Read,
    IdempotentWrite,
    #[default]
    UnsafeWrite,
}

impl From<StatedClass> for CallClass {
    fn from(stated: StatedClass) -> Self {
        match stated {
            StatedClass::Read => Self::Read,
            StatedClass::IdempotentWrite => Self::IdempotentWrite,
            StatedClass::UnsafeWrite => Self::UnsafeWrite,
        }
    }
}

/// Reads the inputs of several calls, or of one.
pub(super) fn inputs<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Map<String, Value>>, D::Error> {
    const EXPECTED: &str = "expected a list of objects, one for each time that the action is to run";
    let items = match Value::deserialize(deserializer)? {
        Value::Array(items) => items,
        one @ Value::Object(_) => vec![one],
        _ => return Err(D::Error::custom(EXPECTED)),
    };
    let object = |item| match item {
        Value::Object(members) => Ok(members),
        _ => Err(D::Error::custom(EXPECTED)),
    };
    items.into_iter().map(object).collect()
}

/// Calls an action, and reads what became of each input, whatever the status.
pub(super) async fn invoke(call: &Call<'_>, request: &Request, inputs: usize) -> Result<Results, Error> {
    let mut answer = match call.send(request).await {
        Ok(response) => response,
        // Where every input failed, a status says so too.
        Err(error) => match error.response().filter(|response| are_results(&response.body, inputs)) {
            Some(response) => response.clone(),
            None => return Err(error),
        },
    };
    if !are_results(&answer.body, inputs) {
        let message = format!("expected one result for each of {inputs} inputs, found something else");
        return Err(Error::new(&codes::INVALID_RESPONSE, message).with_response(answer));
    }
    let Value::Array(items) = answer.body.take() else { unreachable!("these are results") };
    let items = items.into_iter().enumerate().map(|(index, item)| result(index, item)).collect();
    Ok(Results { answer, items, class: request.class })
}

fn are_results(body: &Value, inputs: usize) -> bool {
    let is_result = |item: &Value| item["isSuccess"].is_boolean();
    body.as_array().is_some_and(|items| items.len() == inputs && items.iter().all(is_result))
}

/// A result in our form. A flow whose interview ended in an error says so among its outputs only.
fn result(index: usize, mut item: Value) -> Value {
    let outputs = item["outputValues"].take();
    let success = item["isSuccess"] == true && outputs["Flow__InterviewStatus"] != "Error";
    let errors = item["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let errors: Vec<Value> = errors.iter().map(|error| told(&detail(error))).collect();
    json!({"index": index, "success": success, "outputs": outputs, "errors": errors})
}

fn told(error: &ErrorDetail) -> Value {
    json!({"errorCode": error.error_code, "message": error.message, "fields": error.fields})
}

impl Results {
    fn succeeded(&self) -> usize {
        self.items.iter().filter(|item| item["success"] == true).count()
    }

    /// `total`, `succeeded`, `failed` and `results`.
    fn response(self) -> Response {
        let (total, succeeded) = (self.items.len(), self.succeeded());
        let body = json!({"total": total, "succeeded": succeeded, "failed": total - succeeded, "results": self.items});
        Response { body, ..self.answer }
    }

    /// The answer, or the error that it is.
    pub(super) fn judged(self, fail_on: FailOn) -> Result<Response, Error> {
        let (succeeded, total) = (self.succeeded(), self.items.len());
        if fail_on.is_error(total - succeeded, succeeded) {
            return Err(self.error(fail_on));
        }
        Ok(self.response())
    }

    fn failures(&self) -> Vec<(usize, ErrorDetail)> {
        let failed = self.items.iter().enumerate().filter(|(_, item)| item["success"] != true);
        let details = failed.flat_map(|(index, item)| {
            let errors = item["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
            let mut own: Vec<_> = errors.iter().map(detail).collect();
            if own.is_empty() {
                let message =
                    item["outputs"]["Flow__FaultMessage"].as_str().unwrap_or("it says no more").to_owned();
                let error_code = codes::ACTION_FAILED.name.to_owned();
                own.push(ErrorDetail { error_code, message, fields: Vec::new() });
            }
            own.into_iter().map(move |detail| (index, detail))
        });
        details.collect()
    }

    /// One input has the action's own error; several have `RECORDS_FAILED`, with the index of each.
    fn error(self, fail_on: FailOn) -> Error {
        let (failures, succeeded, total) = (self.failures(), self.succeeded(), self.items.len());
        let is_unsafe = self.class == CallClass::UnsafeWrite;
        let passes = failures.iter().all(|(_, detail)| detail.error_code == "UNABLE_TO_LOCK_ROW");
        let first = failures
            .first()
            .map(|(index, first)| (*index, format!("{}: {}", first.error_code, first.message)));
        let (index, first) = first.unwrap_or_default();
        let response = self.response();
        let error = if total == 1 {
            let details = failures.into_iter().map(|(_, detail)| detail).collect();
            Error::refused(&codes::ACTION_FAILED, details, format!("the action failed: {first}"))
        } else {
            let message = format!(
                "{} of {total} inputs failed, {succeeded} are done (failOn: {}); input {index}: {first}",
                total - succeeded,
                fail_on.name()
            );
            Error::new(&codes::RECORDS_FAILED, message).with_places(failures)
        };
        let error = error.with_response(response);
        match is_unsafe && succeeded > 0 {
            true => error.after_writing(),
            false if passes => error.passing(),
            false => error,
        }
    }
}
