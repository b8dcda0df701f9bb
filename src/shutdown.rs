//! From signals to a stop: the first one drains, the second one ends everything at once.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::zeebe::StopSignal;

/// A stop signal that follows SIGTERM and SIGINT. It must be called inside a runtime.
pub fn stop_on_signals() -> io::Result<StopSignal> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = StopSignal::default();
    let told = stop.clone();
    tokio::spawn(async move {
        let name = either(&mut terminate, &mut interrupt).await;
        tracing::info!(
            "{name} received: taking no more jobs, finishing those in hand; a second signal stops at once"
        );
        told.drain.cancel();
        let name = either(&mut terminate, &mut interrupt).await;
        tracing::warn!(
            "{name} received again: stopping at once, jobs in hand stay locked until their timeout"
        );
        told.abort.cancel();
    });
    Ok(stop)
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
