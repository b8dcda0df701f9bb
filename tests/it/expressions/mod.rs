//! Result and error expressions, by the cases of Camunda's connector runtime: R for results, E for errors, T for the
//! retries, rests and locks that headers ask for. Where we decide otherwise, the test says so, and so does
//! docs/expressions.md.
//!
//! What the runtime's tests call the response stands in the body of Salesforce's answer here.

mod errors;
mod results;
mod retries;

use salesforce_connector::zeebe::{Failure, Outcome};
use salesforce_connector_dev::org::{Fault, FaultRule, Reply};
use serde_json::{Map, Value, json};

use crate::handler::Bench;

/// A read, to which an org answers whatever the test wants.
fn read() -> Value {
    json!({"type": "getRecord", "objectType": "Account", "objectId": "001000000000001AAA"})
}

/// What becomes of a read that is answered with this.
async fn answered(status: u16, body: impl Into<String>, headers: &[(&str, &str)]) -> Outcome {
    let bench = Bench::start().await;
    let reply = Reply::new(status, body.into());
    bench.org.faults().add(FaultRule::new(Fault::Respond(reply)).path("/sobjects").times(usize::MAX));
    let outcome = bench.run(read(), headers).await;
    let calls = bench.org.requests().iter().filter(|request| request.path.contains("/sobjects")).count();
    assert_eq!(calls, 1, "one call, whatever the expressions do");
    outcome
}

/// What becomes of a read whose answer has this body.
async fn with_body(body: Value, headers: &[(&str, &str)]) -> Outcome {
    answered(200, body.to_string(), headers).await
}

/// What becomes of a read that Salesforce refuses with the code 1013.
async fn refused(expression: &str) -> Outcome {
    let body = json!([{"errorCode": "1013", "message": "exception message"}]);
    answered(400, body.to_string(), &[("errorExpression", expression)]).await
}

fn completed(outcome: Outcome) -> Value {
    match outcome {
        Outcome::Complete { variables } => Value::Object(variables),
        other => panic!("{other:#?}"),
    }
}

fn failed(outcome: Outcome) -> Failure {
    crate::handler::failed(outcome)
}

fn thrown(outcome: Outcome) -> (String, String, Map<String, Value>) {
    match outcome {
        Outcome::ThrowError { code, message, variables } => (code, message, variables),
        other => panic!("{other:#?}"),
    }
}
