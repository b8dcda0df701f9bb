//! The spans of a job and of a command: for log lines, and for a collector of traces.

use serde::Deserialize;
use serde_json::Value;
use tonic::Code;
use tracing::{Span, field::Empty};

use super::{GatewayError, protocol::ActivatedJob, summary::End};
use crate::spans;

/// Of the metadata of a job, what says where its trace began.
#[derive(Deserialize)]
struct Carrier {
    traceparent: Option<Value>,
}

/// What each log line about a job shows. As an error's, so that no log level takes the job's key off its lines.
pub(super) fn logged(job: &ActivatedJob) -> Span {
    tracing::error_span!(
        "job",
        "job.key" = job.key,
        "job.type" = %job.r#type,
        "process.instance" = job.process_instance_key,
        "bpmn.process" = %job.bpmn_process_id,
        "element" = %job.element_id,
    )
}

/// The job as a trace shows it, from its receipt to the end of its report. Its parent is the one that the task's header
/// names, else the one that the process's variable names; else it begins a trace.
pub(super) fn traced(job: &ActivatedJob) -> Span {
    let span = tracing::info_span!(
        target: spans::TARGET,
        parent: None,
        "job",
        otel.kind = "consumer",
        otel.status_code = Empty,
        error.type = Empty,
        "job.key" = job.key,
        "job.type" = %job.r#type,
        "job.retries" = job.retries,
        "process.instance" = job.process_instance_key,
        "bpmn.process" = %job.bpmn_process_id,
        "element" = %job.element_id,
        "operation" = Empty,
        "end" = Empty,
    );
    if !span.is_disabled()
        && let Some(traceparent) =
            [&job.custom_headers, &job.variables].into_iter().find_map(|object| traceparent(object))
    {
        spans::adopt(&span, &traceparent);
    }
    span
}

fn traceparent(object: &str) -> Option<String> {
    match serde_json::from_str::<Carrier>(object).ok()?.traceparent? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// Says how a job ended.
pub(super) fn ended(span: &Span, end: End, operation: &str, reason: &str) {
    span.record("operation", operation).record("end", end.label());
    if matches!(end, End::Failed | End::Rejected | End::TooLate | End::Abandoned) {
        spans::failed(span, if reason == "none" { end.label() } else { reason });
    }
}

/// One command to the gateway, with its second try where the token had to be renewed.
pub(super) fn command(rpc: &'static str) -> Span {
    tracing::info_span!(
        target: spans::TARGET,
        "command",
        otel.name = format_args!("gateway_protocol.Gateway/{rpc}"),
        otel.kind = "client",
        otel.status_code = Empty,
        error.type = Empty,
        rpc.system = "grpc",
        rpc.service = "gateway_protocol.Gateway",
        rpc.method = rpc,
        rpc.grpc.status_code = Empty,
    )
}

/// Says what came of a command.
pub(super) fn answered<T>(span: &Span, result: &Result<T, GatewayError>) {
    let code = match result {
        Ok(_) => Some(Code::Ok),
        Err(error) => error.code(),
    };
    if let Some(code) = code {
        span.record("rpc.grpc.status_code", i32::from(code));
    }
    if let Err(error) = result {
        spans::failed(span, error.label());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_text_names_a_parent() {
        assert_eq!(
            traceparent(r#"{"a":{"traceparent":"no"},"traceparent":"00-1-2-01"}"#).as_deref(),
            Some("00-1-2-01")
        );
        for nothing in
            ["", "{}", "[]", "{\"traceparent\":", r#"{"traceparent":null}"#, r#"{"traceparent":{"a":1}}"#]
        {
            assert_eq!(traceparent(nothing), None, "{nothing}");
        }
    }
}
