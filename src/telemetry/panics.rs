//! A panic is a log line like any other.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic::{self, PanicHookInfo},
};

/// Has each panic logged, in the span in which it happened, instead of printed between the lines.
pub(super) fn are_logged() {
    panic::set_hook(Box::new(log));
}

fn log(panic: &PanicHookInfo<'_>) {
    let (text, place) = (panic.payload_as_str().unwrap_or("without a message"), panic.location());
    let place = place.map(ToString::to_string);
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    tracing::error!(panic = text, place, backtrace, "a bug: the program panicked");
}
