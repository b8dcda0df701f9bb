//! What a collector of traces is told: one span for each job, each call of it to Salesforce, each command to the gateway.
//!
//! These spans are apart from those of log lines: they have a target of their own, which no log line shows, and cost
//! nothing as long as nobody collects them. They hold names, statuses and times: no data, no ids of records, no secrets.

use std::collections::HashMap;

use opentelemetry::{propagation::TextMapPropagator as _, trace::TraceContextExt as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The target of every span that is meant for a collector.
pub const TARGET: &str = "salesforce_connector::spans";

/// The name of the variable or header that names the caller's span, as W3C Trace Context has it.
pub const TRACEPARENT: &str = "traceparent";

/// Makes a span the child of another process's span. What is no `traceparent` changes nothing; nor does one that comes
/// after the span was entered.
pub fn adopt(span: &Span, traceparent: &str) {
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    let context = TraceContextPropagator::new().extract(&carrier);
    if context.span().span_context().is_valid() {
        drop(span.set_parent(context));
    }
}

/// Says that what the span stands for failed, and with what word from a small set.
pub fn failed(span: &Span, error_type: &str) {
    span.record("otel.status_code", "ERROR").record("error.type", error_type);
}
