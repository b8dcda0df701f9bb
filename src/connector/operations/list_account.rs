//! What became of each record of a list: told in the order of the list, whatever happens on the way.
//!
//! | A call | Its records |
//! |---|---|
//! | was answered | as Salesforce says of each |
//! | was refused, or could not be sent | `success` false, with the code of the call's error |
//! | was sent, and its answer was lost | `success` null, `OUTCOME_UNKNOWN` |
//! | was not sent, because one before it failed | `success` false, `NOT_SENT` |

use std::ops::Range;

use serde_json::{Map, Value, json};

use super::{
    Call,
    list_input::{FailOn, Part, no_answer},
};
use crate::{
    connector::{Error, ErrorType, codes, mapping::json_size},
    salesforce::{CallClass, ErrorDetail, Request, Response},
};

/// Said of records that failed because a sibling did.
const CONSEQUENCES: &[&str] =
    &["ALL_OR_NONE_OPERATION_ROLLED_BACK", "PROCESSING_HALTED", "BATCH_PROCESSING_HALTED"];

/// The errors of a longer list are told without their texts, so that the list stays whole in the `error` variable.
const MOST_BYTES: usize = 100_000;
const MOST_ERRORS: usize = 100;

/// How the answers are judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    pub(super) all_or_none: bool,
    pub(super) fail_on: FailOn,
    /// A refusal that says that what was wanted is so already.
    pub(super) forgives: Option<&'static str>,
}

/// Sends the calls one after the other and accounts for every record.
///
/// # Errors
/// `RECORDS_FAILED` by the policy. A call that fails as a whole ends the operation: before a write that must not be
/// repeated has done anything, with its own error; else with `PARTLY_DONE` or `OUTCOME_UNKNOWN`.
pub(super) async fn send_all(
    call: &Call<'_>,
    parts: Vec<Part<Request>>,
    policy: Policy,
) -> Result<Response, Error> {
    let total = parts.last().map_or(0, |part| part.places.end);
    let mut account = Account::new(policy, total);
    for part in &parts {
        call.watchman.begins(&told(&part.places));
        match call.send(&part.items).await {
            Ok(response) => account.answered(part, response)?,
            Err(error) => match error.response().filter(|response| is_list(&response.body, part)).cloned() {
                // All of them were refused, told by a status too.
                Some(response) => account.answered(part, response)?,
                None => return Err(account.interrupted(part, error)),
            },
        }
        if account.succeeded() > 0 {
            call.watchman.has_done(&format!("{} of {}", account.succeeded(), told(&(0..part.places.end))));
        }
    }
    let class = parts.first().map_or(CallClass::Read, |part| part.items.class);
    account.settle(class)
}

fn told(places: &Range<usize>) -> String {
    format!("records {} to {}", places.start, places.end.saturating_sub(1))
}

fn is_list(body: &Value, part: &Part<Request>) -> bool {
    let is_result = |item: &Value| item.get("success").is_some_and(Value::is_boolean);
    body.as_array().is_some_and(|items| items.len() == part.places.len() && items.iter().all(is_result))
}

struct Account {
    policy: Policy,
    total: usize,
    results: Vec<Value>,
    calls: Vec<Value>,
    /// The last answer; its body is in the results.
    last: Response,
}

impl Account {
    fn new(policy: Policy, total: usize) -> Self {
        Self { policy, total, results: Vec::with_capacity(total), calls: Vec::new(), last: no_answer() }
    }

    fn answered(&mut self, part: &Part<Request>, mut response: Response) -> Result<(), Error> {
        if !is_list(&response.body, part) {
            let message = format!(
                "expected one result for each of {} records, found something else (HTTP {})",
                part.places.len(),
                response.status
            );
            let misfit = Error::new(&codes::INVALID_RESPONSE, message).with_response(response);
            return Err(self.interrupted(part, misfit));
        }
        let Value::Array(items) = response.body.take() else { return Ok(()) };
        self.last = response;
        let rolled_back = items.iter().any(|item| codes_of(item).any(|code| CONSEQUENCES.contains(&code)));
        let forgives = self.policy.forgives.filter(|_| !rolled_back);
        self.results
            .extend(part.places.clone().zip(items).map(|(index, item)| result(index, item, forgives)));
        self.note_call(&part.places, "answered");
        Ok(())
    }

    fn note_call(&mut self, places: &Range<usize>, outcome: &str) {
        let own = &self.results[places.clone()];
        let succeeded = own.iter().filter(|result| result["success"] == true).count();
        let rolled_back = self.policy.all_or_none && outcome == "answered" && succeeded == 0;
        self.calls.push(json!({"first": places.start, "count": places.len(), "outcome": outcome,
            "succeeded": succeeded, "failed": places.len() - succeeded, "rolledBack": rolled_back}));
    }

    fn succeeded(&self) -> usize {
        self.results.iter().filter(|result| result["success"] == true).count()
    }

    fn body(&self) -> Value {
        let succeeded = self.succeeded();
        json!({"allOrNone": self.policy.all_or_none, "total": self.total, "succeeded": succeeded,
            "failed": self.total - succeeded, "calls": self.calls, "results": self.results})
    }

    /// The account in place of an answer, small enough to stay whole.
    fn response(&self) -> Response {
        let mut body = self.body();
        if json_size(&body) > MOST_BYTES {
            for result in body["results"].as_array_mut().into_iter().flatten() {
                for error in result["errors"].as_array_mut().into_iter().flatten() {
                    *error = json!({"errorCode": error["errorCode"]});
                }
            }
        }
        Response { body, ..self.last.clone() }
    }

    /// Every refusal with its place, the causes before what only follows from them.
    fn refusals(&self) -> Vec<(usize, ErrorDetail)> {
        let failed = self.results.iter().enumerate().filter(|(_, result)| result["success"] != true);
        let mut refusals: Vec<_> = failed
            .flat_map(|(index, result)| {
                let errors = result["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
                errors.iter().map(move |error| (index, detail(error)))
            })
            .collect();
        refusals.sort_by_key(|(_, detail)| CONSEQUENCES.contains(&detail.error_code.as_str()));
        refusals
    }

    fn settle(self, class: CallClass) -> Result<Response, Error> {
        let (succeeded, failed) = (self.succeeded(), self.total - self.succeeded());
        if !self.policy.fail_on.is_error(failed, succeeded) {
            let body = self.body();
            return Ok(Response { body, ..self.last });
        }
        let refusals = self.refusals();
        let mut message = format!(
            "{failed} of {} records were refused, {succeeded} are done (failOn: {})",
            self.total,
            self.policy.fail_on.name()
        );
        if let Some((index, first)) = refusals.first() {
            message = format!("{message}; record {index}: {}: {}", first.error_code, first.message);
        }
        let error = Error::new(&codes::RECORDS_FAILED, message).with_response(self.response());
        let is_unsafe = class == CallClass::UnsafeWrite;
        let passes = (!is_unsafe || succeeded == 0) && all_pass(&refusals);
        let error = error.with_places(refusals.into_iter().take(MOST_ERRORS));
        Err(match (passes, is_unsafe && succeeded > 0) {
            (true, _) => error.passing(),
            (false, true) => error.after_writing(),
            (false, false) => error,
        })
    }

    /// A call failed as a whole, and those after it are not sent.
    fn interrupted(&mut self, part: &Part<Request>, error: Error) -> Error {
        let is_unsafe = part.items.class == CallClass::UnsafeWrite;
        let before = self.succeeded();
        let may_be_done = match error.error_type() {
            ErrorType::OutcomeUnknown | ErrorType::Result => true,
            // Something answered that was not Salesforce, or not this resource.
            _ if error.code() == codes::INVALID_RESPONSE.name => true,
            ErrorType::Transient => !is_unsafe,
            _ => false,
        };
        if before == 0 && !(is_unsafe && may_be_done) {
            return error;
        }
        let (success, code) = if may_be_done {
            (Value::Null, codes::OUTCOME_UNKNOWN.name)
        } else {
            (json!(false), error.code())
        };
        let entry = |index, success: &Value, code: &str| json!({"index": index, "success": success, "errors": [{"errorCode": code}]});
        self.results.extend(part.places.clone().map(|index| entry(index, &success, code)));
        self.note_call(&part.places, if may_be_done { "unknown" } else { "refused" });
        let rest = part.places.end..self.total;
        self.results.extend(rest.clone().map(|index| entry(index, &json!(false), "NOT_SENT")));
        if !rest.is_empty() {
            self.note_call(&rest, "notSent");
        }
        let message = format!("{}; {}", error, self.standing(part, before, may_be_done));
        let reason = ErrorDetail {
            error_code: error.code().to_owned(),
            message: error.to_string(),
            fields: Vec::new(),
        };
        if !is_unsafe {
            return error.map_message(|_| message).with_response(self.response());
        }
        let code = if may_be_done { &codes::OUTCOME_UNKNOWN } else { &codes::PARTLY_DONE };
        let interrupted = Error::new(code, message).with_response(self.response());
        interrupted.with_places([(part.places.start, reason)]).after_writing()
    }

    fn standing(&self, part: &Part<Request>, before: usize, may_be_done: bool) -> String {
        let done = match part.places.start {
            0 => String::new(),
            end => format!("{before} of {} are done, ", told(&(0..end))),
        };
        let outcome = if may_be_done { "of unknown outcome" } else { "not done" };
        let rest = match part.places.end..self.total {
            rest if rest.is_empty() => String::new(),
            rest => format!(", {} were not sent", told(&rest)),
        };
        format!("{done}{} are {outcome}{rest}", told(&part.places))
    }
}

/// One record's result in our form: with its place, and `errorCode` where Salesforce says `statusCode`.
fn result(index: usize, item: Value, forgives: Option<&str>) -> Value {
    let is_so_already = forgives.is_some() && codes_of(&item).eq(forgives);
    let mut result = Map::from_iter([("index".to_owned(), json!(index))]);
    if let Value::Object(members) = item {
        result.extend(members);
    }
    if is_so_already {
        result.insert("success".to_owned(), json!(true));
        result.insert("alreadyDone".to_owned(), json!(true));
        result.insert("errors".to_owned(), json!([]));
    }
    for error in result.get_mut("errors").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::Object(members) = error
            && let Some(code) = members.shift_remove("statusCode")
        {
            members.entry("errorCode").or_insert(code);
        }
    }
    Value::Object(result)
}

fn codes_of(item: &Value) -> impl Iterator<Item = &str> {
    let errors = item["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    errors.iter().filter_map(|error| error["statusCode"].as_str().or_else(|| error["errorCode"].as_str()))
}

/// An error of a record, as Salesforce names it.
pub(super) fn detail(error: &Value) -> ErrorDetail {
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    let code = if error["errorCode"].is_string() { "errorCode" } else { "statusCode" };
    let fields = error["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
    ErrorDetail {
        error_code: text(code),
        message: text("message"),
        fields: fields.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
    }
}

/// Whether a detail only follows from another one.
pub(super) fn is_consequence(detail: &ErrorDetail) -> bool {
    CONSEQUENCES.contains(&detail.error_code.as_str())
}

/// Whether another try of the whole has a good chance: somebody else held the records for a moment.
pub(super) fn all_pass(refusals: &[(usize, ErrorDetail)]) -> bool {
    let mut causes =
        refusals.iter().map(|(_, detail)| detail).filter(|detail| !is_consequence(detail)).peekable();
    causes.peek().is_some() && causes.all(|detail| detail.error_code == "UNABLE_TO_LOCK_ROW")
}
