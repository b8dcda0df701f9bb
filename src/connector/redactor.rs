//! What leaves the hall passes the last door.

pub use crate::redactor::Redactor;
use crate::zeebe::{Failure, Outcome};

impl Redactor {
    /// The outcome without secrets.
    pub fn outcome(&self, outcome: Outcome) -> Outcome {
        if self.is_empty() {
            return outcome;
        }
        match outcome {
            Outcome::Complete { variables } => Outcome::Complete { variables: self.fields(variables) },
            Outcome::Fail(failure) => Outcome::Fail(Failure {
                message: self.text(&failure.message).into_owned(),
                variables: self.fields(failure.variables),
                ..failure
            }),
            Outcome::Park { after, variables } => Outcome::Park { after, variables: self.fields(variables) },
            Outcome::ThrowError { code, message, variables } => Outcome::ThrowError {
                code: self.text(&code).into_owned(),
                message: self.text(&message).into_owned(),
                variables: self.fields(variables),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use secrecy::SecretString;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_outcome_goes_through_the_door() {
        let redactor = Redactor::new([&SecretString::from("s3cr3t")]);
        let variables = json!({"s3cr3t": "s3cr3t"}).as_object().unwrap().clone();
        let failure = Failure {
            message: "m s3cr3t".to_owned(),
            retries: 2,
            backoff: Duration::from_secs(1),
            variables: variables.clone(),
        };
        let error = Outcome::ThrowError {
            code: "s3cr3t".into(),
            message: "s3cr3t".into(),
            variables: variables.clone(),
        };
        let park = Outcome::Park { after: Duration::ZERO, variables: variables.clone() };
        for outcome in [Outcome::Complete { variables }, Outcome::Fail(failure), park, error] {
            let masked = redactor.outcome(outcome.clone());
            assert_eq!(masked.label(), outcome.label());
            assert!(!format!("{masked:?}").contains("s3cr3t"), "{masked:?}");
        }
    }
}
