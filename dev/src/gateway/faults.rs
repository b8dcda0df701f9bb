//! Faults by script: what the next calls of an rpc meet instead of an ordinary answer.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic::Status;

/// The calls that faults can be scripted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rpc {
    /// The long poll.
    ActivateJobs,
    /// The push stream.
    StreamActivatedJobs,
    /// CompleteJob.
    CompleteJob,
    /// FailJob.
    FailJob,
    /// ThrowError.
    ThrowError,
    /// UpdateJobTimeout.
    UpdateJobTimeout,
    /// UpdateJobRetries.
    UpdateJobRetries,
    /// SetVariables.
    SetVariables,
    /// ResolveIncident.
    ResolveIncident,
    /// Topology.
    Topology,
}

/// The script. Faults of one rpc are met in the order in which they were written down, one per call.
///
/// For a stream, "the call" is its opening.
#[derive(Debug, Default)]
pub struct GatewayFaults {
    script: Mutex<HashMap<Rpc, VecDeque<Fault>>>,
    duplicates: AtomicUsize,
    surplus: AtomicUsize,
}

#[derive(Debug, Clone)]
pub(super) enum Fault {
    Refuse(Status),
    LoseReply(Status),
    Delay(Duration),
    HoldRequest(Gate),
    HoldReply(Gate),
    Silence,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Gate {
    reached: CancellationToken,
    released: CancellationToken,
}

/// A call that a fault holds up. Dropping this lets it go on.
#[derive(Debug)]
#[must_use = "the call goes on when this is dropped"]
pub struct Held {
    gate: Gate,
}

impl GatewayFaults {
    /// The next `calls` calls are not carried out and get this status.
    pub fn refuse(&self, rpc: Rpc, calls: usize, status: &Status) {
        self.add(rpc, calls, &Fault::Refuse(status.clone()));
    }

    /// The next `calls` calls are carried out, but the caller gets this status: a lost reply.
    ///
    /// A poll without jobs leaves the fault for the next one: the lost answer is one with activated jobs,
    /// which stay locked. For a stream this is the same as [`GatewayFaults::refuse`].
    pub fn lose_reply(&self, rpc: Rpc, calls: usize, status: &Status) {
        self.add(rpc, calls, &Fault::LoseReply(status.clone()));
    }

    /// The next `calls` calls are carried out only after this time.
    pub fn delay(&self, rpc: Rpc, calls: usize, by: Duration) {
        self.add(rpc, calls, &Fault::Delay(by));
    }

    /// Holds the next call before it is carried out.
    pub fn hold(&self, rpc: Rpc) -> Held {
        let gate = Gate::default();
        self.add(rpc, 1, &Fault::HoldRequest(gate.clone()));
        Held { gate }
    }

    /// Holds the reply of the next call: it is carried out already.
    pub fn hold_reply(&self, rpc: Rpc) -> Held {
        let gate = Gate::default();
        self.add(rpc, 1, &Fault::HoldReply(gate.clone()));
        Held { gate }
    }

    /// The next `streams` streams stay open and never get a job; the gateway does not know them.
    pub fn silence(&self, streams: usize) {
        self.add(Rpc::StreamActivatedJobs, streams, &Fault::Silence);
    }

    /// The next `jobs` jobs that are sent, on whichever way, are sent twice.
    pub fn duplicate_deliveries(&self, jobs: usize) {
        self.duplicates.fetch_add(jobs, Ordering::SeqCst);
    }

    /// The next poll gets up to so many jobs more than it asked for.
    pub fn surplus(&self, jobs: usize) {
        self.surplus.fetch_add(jobs, Ordering::SeqCst);
    }

    /// Faults of this rpc that nobody has met yet.
    pub fn pending(&self, rpc: Rpc) -> usize {
        self.lock().get(&rpc).map_or(0, VecDeque::len)
    }

    /// Forgets everything that nobody has met yet. Held calls stay held.
    pub fn clear(&self) {
        self.lock().clear();
        self.duplicates.store(0, Ordering::SeqCst);
        self.surplus.store(0, Ordering::SeqCst);
    }

    pub(super) fn take(&self, rpc: Rpc) -> Option<Fault> {
        self.lock().get_mut(&rpc)?.pop_front()
    }

    pub(super) fn put_back(&self, rpc: Rpc, fault: Fault) {
        self.lock().entry(rpc).or_default().push_front(fault);
    }

    pub(super) fn take_duplicate(&self) -> bool {
        let less = |left: usize| left.checked_sub(1);
        self.duplicates.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok()
    }

    pub(super) fn take_surplus(&self) -> usize {
        self.surplus.swap(0, Ordering::SeqCst)
    }

    fn add(&self, rpc: Rpc, calls: usize, fault: &Fault) {
        self.lock().entry(rpc).or_default().extend(std::iter::repeat_n(fault.clone(), calls));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Rpc, VecDeque<Fault>>> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fault {
    /// What happens before the call is carried out.
    pub(super) async fn before(&self) -> Result<(), Status> {
        match self {
            Self::Refuse(status) => return Err(status.clone()),
            Self::Delay(by) => tokio::time::sleep(*by).await,
            Self::HoldRequest(gate) => gate.pass().await,
            Self::Silence => std::future::pending().await,
            Self::LoseReply(_) | Self::HoldReply(_) => {}
        }
        Ok(())
    }

    /// What happens once it is.
    pub(super) async fn after(&self) -> Result<(), Status> {
        match self {
            Self::LoseReply(status) => return Err(status.clone()),
            Self::HoldReply(gate) => gate.pass().await,
            Self::Refuse(_) | Self::Delay(_) | Self::HoldRequest(_) | Self::Silence => {}
        }
        Ok(())
    }
}

impl Gate {
    async fn pass(&self) {
        self.reached.cancel();
        self.released.cancelled().await;
    }
}

impl Held {
    /// Resolves when a call has arrived and is being held.
    pub async fn reached(&self) {
        self.gate.reached.cancelled().await;
    }

    /// Lets the call go on; one that has not arrived yet will not be held.
    pub fn release(self) {}
}

impl Drop for Held {
    fn drop(&mut self) {
        self.gate.released.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn faults_are_met_in_order_and_once_per_call() {
        let faults = GatewayFaults::default();
        faults.refuse(Rpc::Topology, 2, &Status::unavailable("away"));
        faults.delay(Rpc::Topology, 1, Duration::ZERO);
        assert_eq!(faults.pending(Rpc::Topology), 3);
        for _ in 0..2 {
            let fault = faults.take(Rpc::Topology).unwrap();
            assert_eq!(fault.before().await.unwrap_err().message(), "away");
        }
        faults.take(Rpc::Topology).unwrap().before().await.unwrap();
        assert!(faults.take(Rpc::Topology).is_none());
        assert!(faults.take(Rpc::CompleteJob).is_none());
    }

    #[tokio::test]
    async fn a_held_call_waits_for_its_release() {
        let faults = GatewayFaults::default();
        let held = faults.hold(Rpc::CompleteJob);
        let fault = faults.take(Rpc::CompleteJob).unwrap();
        let call = tokio::spawn(async move { fault.before().await });
        held.reached().await;
        assert!(!call.is_finished());
        held.release();
        call.await.unwrap().unwrap();
    }

    #[test]
    fn a_duplicate_is_taken_as_often_as_it_was_asked_for() {
        let faults = GatewayFaults::default();
        faults.duplicate_deliveries(1);
        assert!(faults.take_duplicate());
        assert!(!faults.take_duplicate());
    }
}
