//! The last word about a job: that of the error expression, where it has one.

use camunda_feel::Scope;
use serde_json::{Map, Value, json};

use super::{
    codes::{self, ErrorType},
    decision::Decision,
    error::Error,
    expressions::HeaderExpression,
    failure::Situation,
    mapping::{Done, as_response, json_size},
    mark::STATE_VARIABLE,
    redactor::Redactor,
};
use crate::zeebe::{Failure, Outcome};

/// What is needed to say what becomes of a job.
#[derive(Debug)]
pub(super) struct Settlement<'a> {
    /// What is known of the job.
    pub(super) situation: Situation<'a>,
    /// The variables' JSON may not be larger.
    pub(super) max_bytes: usize,
    /// For what is logged on the way.
    pub(super) redactor: &'a Redactor,
}

impl Settlement<'_> {
    /// What becomes of the job, and the error that it had, if any.
    ///
    /// The error expression decides first, after a success as well; then `bpmnErrors`; then the kind of the error.
    /// A job that waits for its org has had neither: no expression sees it.
    pub(super) fn settle(&self, result: Result<Done, Error>) -> (Outcome, Option<Error>) {
        if let Err(error) = &result
            && let Some(after) = error.parks()
        {
            let note = error.note().map(|note| (STATE_VARIABLE.to_owned(), note.clone()));
            return (Outcome::Park { after, variables: note.into_iter().collect() }, result.err());
        }
        let decided = match &self.situation.headers.error_expression {
            Some(expression) => self.decide(expression, &result),
            None => Ok(None),
        };
        match (decided, result) {
            (Ok(Some(decision)), result) => (self.outcome(decision, result.as_ref().err()), result.err()),
            (Ok(None), Ok(done)) => (Outcome::Complete { variables: done.variables }, None),
            (Ok(None), Err(error)) => (self.situation.outcome(&error), Some(error)),
            (Err(failure), result) => {
                let failure = about(failure, result);
                (self.situation.outcome(&failure), Some(failure))
            }
        }
    }

    fn decide(
        &self,
        expression: &HeaderExpression,
        result: &Result<Done, Error>,
    ) -> Result<Option<Decision>, Error> {
        let (seen, job) = (seen(result), json!({"retries": self.situation.retries}));
        let scope = Scope::new().spread(&seen).variable("response", &seen).variable("job", &job);
        let value = expression.evaluate(&scope, self.redactor)?;
        let decision = Decision::read(value).map_err(|reason| expression.failed(reason))?;
        let size = decision.as_ref().map_or(0, |decision| json_size(decision.variables()));
        if size > self.max_bytes {
            let message = format!(
                "the variables of the error expression have {size} bytes, and {} may be handed over",
                self.max_bytes
            );
            return Err(Error::new(&codes::RESULT_TOO_LARGE, message));
        }
        Ok(decision)
    }

    fn outcome(&self, decision: Decision, error: Option<&Error>) -> Outcome {
        match decision {
            Decision::BpmnError { code, message, variables } => {
                Outcome::ThrowError { code, message, variables }
            }
            Decision::Ignore { variables } => Outcome::Complete { variables },
            Decision::JobError { mut message, mut variables, mut retries, mut backoff } => {
                variables.insert("error".to_owned(), json!(message));
                if retries > 0 && error.is_some_and(|error| self.may_be_done(error)) {
                    message.push_str(". It is not tried again, because the write was or may have been done.");
                    (retries, backoff) = (0, std::time::Duration::ZERO);
                }
                Outcome::Fail(Failure { message, retries, backoff, variables })
            }
        }
    }

    /// Whether another try could do the same write a second time: no expression allows that for all errors alike.
    fn may_be_done(&self, error: &Error) -> bool {
        match error.error_type() {
            ErrorType::OutcomeUnknown => true,
            ErrorType::Result => self.situation.is_write(),
            _ => error.has_written(),
        }
    }
}

/// What the error expression sees beside `job`: the error; or the answer with the variables that were made of it, which
/// win.
fn seen(result: &Result<Done, Error>) -> Value {
    match result {
        Err(error) => json!({"error": error.variable()}),
        Ok(Done { variables, answer }) => {
            let mut seen = answer.as_object().cloned().unwrap_or_default();
            seen.extend(variables.clone());
            Value::Object(seen)
        }
    }
}

/// A failed error expression with what it was to decide about, which shall not be lost.
fn about(failure: Error, result: Result<Done, Error>) -> Error {
    match result {
        Ok(done) => failure
            .map_message(|message| {
                format!("{message}\nThe operation itself was done: it is in error.variables.response")
            })
            .with_response(as_response(done.answer)),
        Err(error) => {
            let failure =
                failure.map_message(|message| format!("{message}\nIt was to decide about: {error}"));
            match error.response().cloned() {
                Some(response) => failure.with_response(response),
                None => failure,
            }
        }
    }
}

impl Decision {
    fn variables(&self) -> &Map<String, Value> {
        match self {
            Self::BpmnError { variables, .. }
            | Self::JobError { variables, .. }
            | Self::Ignore { variables } => variables,
        }
    }
}
