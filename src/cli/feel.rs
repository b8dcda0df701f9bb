//! `feel`: what a task's expression would do, tried on the command line.

use std::{
    io::{IsTerminal as _, Read as _},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context as _, anyhow};
use camunda_feel::{Expression, Scope};
use serde_json::{Map, Value, json};

use crate::connector::{
    Decision, FEEL_ENGINE, InvalidInput, check_allowed,
    operations::{self, Descriptor},
    sample_error, sample_response,
};

/// What to evaluate, and over what.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  salesforce-connector feel --explain query
  salesforce-connector feel '={names: body.records.Name}' --explain query
  salesforce-connector feel 'if error.code = \"NOT_FOUND\" then ignoreError() else null' --context '{\"error\": {\"code\": \"NOT_FOUND\"}}'")]
pub(super) struct Arguments {
    /// The expression; a leading = is cut off
    #[arg(value_name = "EXPRESSION", required_unless_present = "explain", allow_hyphen_values = true)]
    expression: Option<String>,
    /// What the expression sees, as a JSON object. Without it: the sample of --explain, else standard input.
    /// `response` is the whole and `job.retries` is 3, unless it says otherwise
    #[arg(long, value_name = "JSON", conflicts_with = "context_file")]
    context: Option<String>,
    /// The same from a file
    #[arg(long, value_name = "FILE")]
    context_file: Option<PathBuf>,
    /// Show what expressions of this operation see after a success and after a refusal, with an example for each
    #[arg(long, value_name = "OPERATION")]
    explain: Option<String>,
}

/// Evaluates and prints; a mistake in the expression is an error with its place.
pub(super) fn evaluate(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let operation = arguments.explain.as_deref().map(operation_named).transpose()?;
    let Some(text) = &arguments.expression else {
        return super::print(&operation.map(explained).unwrap_or_default());
    };
    if text.trim().trim_start_matches('=').trim().is_empty() {
        anyhow::bail!("expected an expression, such as {{id: body.id}}, found an empty text");
    }
    let expression = Expression::parse(text).map_err(|error| anyhow!("syntax error in {error}"))?;
    let report = match (context(arguments)?, operation) {
        (Some(context), _) => report(&expression, &context)?,
        (None, Some(operation)) => {
            let after_success = report(&expression, &sample_response(operation))?;
            let after_refusal = report(&expression, &sample_error(operation))?;
            format!("After a success:\n{after_success}\nAfter a refusal:\n{after_refusal}")
        }
        (None, None) => report(&expression, &from_input()?)?,
    };
    super::print(&report)
}

fn operation_named(name: &str) -> anyhow::Result<&'static Descriptor> {
    operations::ALL.iter().copied().find(|operation| operation.name == name).ok_or_else(|| {
        let names: Vec<&str> = operations::ALL.iter().map(|operation| operation.name).collect();
        anyhow!(InvalidInput::unknown("--explain", "one of the operations", name, &names).to_string())
    })
}

/// The context that the arguments name.
fn context(arguments: &Arguments) -> anyhow::Result<Option<Value>> {
    let (place, text) = match (&arguments.context, &arguments.context_file) {
        (Some(text), _) => ("--context".to_owned(), text.clone()),
        (None, Some(path)) => (path.display().to_string(), super::read_file(path)?),
        (None, None) => return Ok(None),
    };
    object(&place, &text).map(Some)
}

/// The context on standard input; nothing there is an empty one.
fn from_input() -> anyhow::Result<Value> {
    let mut text = String::new();
    if !std::io::stdin().is_terminal() {
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    }
    if text.trim().is_empty() { Ok(json!({})) } else { object("standard input", &text) }
}

fn object(place: &str, text: &str) -> anyhow::Result<Value> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| anyhow!("{place}: expected a JSON object: {error}"))?;
    match value {
        Value::Object(_) => Ok(value),
        _ => Err(anyhow!(
            "{place}: expected a JSON object with what the expression sees, such as {{\"body\": 1}}"
        )),
    }
}

/// The value, the warnings, and what a job would do.
fn report(expression: &Expression, context: &Value) -> anyhow::Result<String> {
    let job = json!({"retries": 3});
    let scope = Scope::new().variable("response", context).variable("job", &job).spread(context);
    let evaluation = expression
        .evaluate_with(&FEEL_ENGINE, &scope)
        .map_err(|error| anyhow!("the evaluation failed: {error}"))?;
    let value = evaluation.to_json().map_err(|error| anyhow!("the evaluation failed: {error}"))?;
    let mut report = format!("{value:#}\n");
    for warning in evaluation.warnings() {
        report.extend(["warning: ", &warning.to_string(), "\n"]);
    }
    if let Err(reason) = check_allowed("resultExpression or errorExpression", &value) {
        report.extend(["fails the job: ", &reason.to_string(), "\n"]);
        return Ok(report);
    }
    let error_type = value.get(camunda_feel::connector_functions::ERROR_TYPE).is_some();
    if !error_type {
        report.push_str(&as_result(&value));
    }
    report.push_str(&as_error(value));
    Ok(report)
}

fn as_result(value: &Value) -> String {
    let meaning = match value {
        Value::Null => "no variables".to_owned(),
        Value::Object(fields) => format!("sets {}", names(fields)),
        _ => "fails the job: it must give a context".to_owned(),
    };
    format!("as a result expression: {meaning}\n")
}

fn as_error(value: Value) -> String {
    let meaning = match Decision::read(value) {
        Ok(None) => "decides nothing; bpmnErrors and the default apply".to_owned(),
        Ok(Some(Decision::BpmnError { code, message, variables })) => {
            let message =
                if message.is_empty() { String::new() } else { format!(" with the message {message:?}") };
            format!("throws the BPMN error {code:?}{message}; sets {}", names(&variables))
        }
        Ok(Some(Decision::JobError { message, mut variables, retries, backoff })) => {
            let then = match retries {
                0 => "no retries left, so an incident".to_owned(),
                left if backoff.is_zero() => format!("retries left {left}, at once"),
                left => format!("retries left {left}, after a rest of {backoff:?}"),
            };
            // The message replaces what the expression may have put there.
            variables.insert("error".to_owned(), message.clone().into());
            format!("fails the job with {message:?}, {then}; sets {}", names(&variables))
        }
        Ok(Some(Decision::Ignore { variables })) => format!("completes the job; sets {}", names(&variables)),
        Err(reason) => format!("fails the job: {reason}"),
    };
    format!("as an error expression: {meaning}\n")
}

fn names(variables: &Map<String, Value>) -> String {
    if variables.is_empty() {
        return "no variables".to_owned();
    }
    variables.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// What expressions see, and an example for each.
fn explained(operation: &Descriptor) -> String {
    let examples = &operation.examples;
    format!(
        "After a success, expressions of {} see this, with the whole as response too:\n{:#}\n\n\
         A result expression:\n  {}\n\n\
         After a refusal, the error expression sees this, with job.retries beside it:\n{:#}\n\n\
         An error expression:\n  {}\n",
        operation.name,
        sample_response(operation),
        examples.result,
        sample_error(operation),
        examples.error
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(expression: &str, context: &Value) -> String {
        report(&Expression::parse(expression).unwrap(), context).unwrap()
    }

    #[test]
    fn a_context_is_what_a_result_expression_sets() {
        let context = json!({"body": {"id": "1"}});
        assert_eq!(
            tried("= {id: body.id, same: response.body.id, left: job.retries}", &context),
            "{\n  \"id\": \"1\",\n  \"same\": \"1\",\n  \"left\": 3\n}\n\
             as a result expression: sets id, same, left\n\
             as an error expression: fails the job: expected bpmnError(…), jobError(…), ignoreError(…) or null; found \
             an object whose errorType is null\n"
        );
    }

    #[test]
    fn what_is_not_there_is_a_warning() {
        let report = tried("= nothing", &json!({}));
        assert!(report.starts_with("null\nwarning: NO_VARIABLE_FOUND: "), "{report}");
        assert!(report.contains("as a result expression: no variables\n"), "{report}");
        assert!(report.contains("as an error expression: decides nothing"), "{report}");
    }

    #[test]
    fn each_function_says_what_the_job_would_do() {
        for (expression, words) in [
            (
                "bpmnError(\"A\", \"m\", {x: 1})",
                "throws the BPMN error \"A\" with the message \"m\"; sets x\n",
            ),
            ("bpmnError(\"A\")", "throws the BPMN error \"A\"; sets no variables\n"),
            (
                "jobError(\"m\", {}, job.retries - 1, @\"PT1M\")",
                "fails the job with \"m\", retries left 2, after a rest of 60s; sets error\n",
            ),
            ("jobError(\"m\", {x: 1}, 2)", "retries left 2, at once; sets x, error\n"),
            ("jobError(\"m\", {error: 1})", "no retries left, so an incident; sets error\n"),
            ("ignoreError()", "completes the job; sets no variables\n"),
            ("ignoreError({x: 1})", "completes the job; sets x\n"),
        ] {
            let report = tried(expression, &json!({}));
            assert!(report.contains(words) && !report.contains("as a result expression"), "{report}");
        }
        let report = tried("{file: createDocument(\"aGk=\")}", &json!({}));
        assert!(
            report.contains("\nfails the job: ") && report.contains("does not store documents"),
            "{report}"
        );
        assert!(!report.contains("sets"), "{report}");
    }

    #[test]
    fn the_explanation_shows_both_sides_of_every_operation() {
        for operation in operations::ALL {
            let page = explained(operation);
            assert!(page.contains("\"body\"") && page.contains("\"errorCode\""), "{page}");
            assert!(page.contains(operation.examples.result) && page.contains(operation.examples.error));
        }
        let message = operation_named("creatRecord").unwrap_err().to_string();
        for part in ["--explain", "upsertRecord, createRecord", "did you mean createRecord?"] {
            assert!(message.contains(part), "{part:?} is missing in {message}");
        }
    }
}
