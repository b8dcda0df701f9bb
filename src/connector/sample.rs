//! What expressions see, made from an operation's examples.

use serde_json::{Map, Value, json};

use super::operations::Descriptor;

/// What the expressions of an operation see after a success, beside `response` and `job`.
pub fn sample_response(operation: &Descriptor) -> Value {
    let (status, body) = operation.examples.answer;
    json!({"status": status, "reason": reason(status), "headers": headers(), "body": json(body)})
}

/// What its error expression sees after a refusal, beside `response` and `job`.
pub fn sample_error(operation: &Descriptor) -> Value {
    let (status, body) = operation.examples.refusal;
    let body = json(body);
    let mut errors: Vec<Value> = body.as_array().into_iter().flatten().flat_map(told).collect();
    errors.extend(body["results"].as_array().into_iter().flatten().flat_map(refusals));
    errors.extend(body["errors"].as_array().into_iter().flatten().map(graphql));
    let first = errors.first().cloned().unwrap_or_default();
    let is_of_records = body.is_object() && body.get("errors").is_none();
    let code = if is_of_records { json!("RECORDS_FAILED") } else { first["errorCode"].clone() };
    json!({"error": {
        "code": code,
        "message": format!("{}: {}", text(&first["errorCode"]), text(&first["message"])),
        "type": "business",
        "status": status,
        "errors": errors,
        "variables": {"response": {"status": status, "headers": headers(), "body": body}},
    }})
}

/// An error, or those of an action that failed.
fn told(item: &Value) -> Vec<Value> {
    item["errors"].as_array().map_or_else(|| vec![detail(item)], |errors| errors.iter().map(detail).collect())
}

fn detail(error: &Value) -> Value {
    let fields = error.get("fields").cloned().unwrap_or_else(|| json!([]));
    let code = error.get("errorCode").unwrap_or(&error["statusCode"]);
    json!({"errorCode": code, "message": error["message"], "fields": fields})
}

/// An error of a GraphQL answer.
fn graphql(error: &Value) -> Value {
    json!({"errorCode": error["extensions"]["ErrorType"], "message": error["message"], "fields": []})
}

/// The errors of one record of several, with its place.
fn refusals(result: &Value) -> Vec<Value> {
    let errors = result["errors"].as_array().into_iter().flatten().map(detail);
    let placed = errors.map(|mut error| {
        error["index"] = result["index"].clone();
        error
    });
    placed.collect()
}

fn headers() -> Map<String, Value> {
    Map::from_iter([("content-type".to_owned(), json!("application/json;charset=UTF-8"))])
}

fn reason(status: u16) -> &'static str {
    match status {
        201 => "Created",
        204 => "No Content",
        _ => "OK",
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("the examples of operations are JSON")
}

#[cfg(test)]
mod tests {
    use camunda_feel::{Expression, Scope};

    use super::*;
    use crate::connector::{Decision, FEEL_ENGINE, operations};

    fn value(text: &str, seen: &Value) -> (Value, Vec<String>) {
        let job = json!({"retries": 3});
        let scope = Scope::new().spread(seen).variable("response", seen).variable("job", &job);
        let expression = Expression::parse(text).unwrap();
        let evaluation = expression.evaluate_with(&FEEL_ENGINE, &scope).unwrap();
        (evaluation.to_json().unwrap(), evaluation.warnings().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_example_works_on_its_sample() {
        for operation in operations::ALL {
            let (variables, warnings) = value(operation.examples.result, &sample_response(operation));
            let variables = variables.as_object().unwrap();
            assert!(
                !variables.is_empty() && variables.values().all(|value| !value.is_null()),
                "{variables:?}"
            );
            assert!(warnings.is_empty(), "{}: {warnings:?}", operation.name);

            let after_a_success = value(operation.examples.error, &sample_response(operation)).0;
            assert_eq!(Decision::read(after_a_success), Ok(None), "{}", operation.name);
        }
    }

    #[test]
    fn every_example_for_errors_decides_about_its_sample() {
        for operation in operations::ALL.iter().filter(|operation| operation.name != "query") {
            let decision = Decision::read(value(operation.examples.error, &sample_error(operation)).0);
            assert!(decision.clone().unwrap().is_some(), "{}: {decision:?}", operation.name);
        }
        let query = operations::ALL.iter().find(|operation| operation.name == "query").unwrap();
        let nothing = json!({"status": 200, "body": {"totalSize": 0, "done": true, "records": []}});
        let decision = Decision::read(value(query.examples.error, &nothing).0);
        assert!(matches!(decision, Ok(Some(Decision::BpmnError { .. }))), "{decision:?}");
    }
}
