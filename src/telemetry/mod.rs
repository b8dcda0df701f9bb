//! Log lines, as text or JSON, to standard error; and traces, to a collector.

mod panics;
mod traces;

use std::io::IsTerminal as _;

use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, filter::filter_fn, fmt, layer::SubscriberExt as _, registry::LookupSpan,
    util::SubscriberInitExt as _,
};

pub use traces::Traces;

use crate::{
    config::{Environment, LogFormat, LogOptions},
    spans,
};

/// Starts logging for the whole process; a second call changes nothing.
///
/// The level was checked with the configuration; one that does not parse here falls back to `info`.
pub fn start(options: &LogOptions) {
    install(options, &Traces::default());
}

/// Starts logging for the whole process, and traces where the environment names a collector; a second call changes
/// nothing. Traces that cannot be started are a log line, and no reason not to work. Must be
/// called within a tokio runtime.
pub fn start_with_traces(options: &LogOptions, environment: &Environment) -> Traces {
    let (traces, problem) = match Traces::open(environment) {
        Ok(traces) => (traces, None),
        Err(problem) => (Traces::default(), Some(problem)),
    };
    install(options, &traces);
    if let Some(problem) = problem {
        tracing::error!(problem, "traces are not exported");
    }
    traces
}

fn install(options: &LogOptions, traces: &Traces) {
    let registry = tracing_subscriber::registry().with(lines(options)).with(traces.layer());
    if registry.try_init().is_err() {
        tracing::debug!("logging was started before");
        return;
    }
    panics::are_logged();
}

/// Each layer has a filter of its own: what is traced is not what is logged.
fn lines<S: Subscriber + for<'a> LookupSpan<'a>>(options: &LogOptions) -> impl Layer<S> {
    let level = EnvFilter::try_new(&options.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let filter = tracing_subscriber::filter::FilterExt::and(
        level,
        filter_fn(|metadata| metadata.target() != spans::TARGET).with_max_level_hint(LevelFilter::TRACE),
    );
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    match options.format {
        LogFormat::Text => lines.with_target(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    }
    .with_filter(filter)
}
