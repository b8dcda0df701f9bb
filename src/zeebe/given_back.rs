//! Why jobs are given back as if nothing had been done.

use std::time::Duration;

use super::summary::End;

/// Why a job is given back as if nothing had been done.
#[derive(Clone, Copy, Debug)]
pub(super) struct GivenBack {
    /// For whoever looks at the engine.
    pub(super) message: &'static str,
    /// How long it rests.
    pub(super) pause: Duration,
    /// What it counts as.
    pub(super) end: End,
}

/// At the end of the grace period.
pub(super) const SHUT_DOWN: GivenBack = GivenBack {
    message: "The worker was shut down before it finished the job; the job was given back with unchanged retries.",
    pause: Duration::ZERO,
    end: End::HandedBack,
};

/// It came during the shutdown.
pub(super) const NOT_STARTED: GivenBack = GivenBack {
    message: "The worker was shutting down when it received the job; the job was given back with unchanged retries.",
    pause: Duration::ZERO,
    end: End::HandedBack,
};

/// It came without a permit.
pub(super) const SURPLUS: GivenBack = GivenBack {
    message: "The gateway sent the job though the worker had no room for it; the job was given back with unchanged retries.",
    pause: Duration::ZERO,
    end: End::Surplus,
};

/// Rests, since every worker like this one would give it back again.
pub(super) const UNLEASED: GivenBack = GivenBack {
    message: "The worker asked for the job with a lease and got it without one; the job was given back with unchanged \
              retries. Leases need Camunda 8.10, and all workers of a job type must agree on them (worker.lease).",
    pause: Duration::from_secs(30),
    end: End::Unleased,
};
