//! What became of the jobs of one worker.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

/// What became of the jobs that a worker took, from its start to its end. Each job taken is counted once in
/// one of the other fields, so that `taken` is their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerSummary {
    /// Jobs received from stream and poll.
    pub taken: u64,
    /// Completed, as the gateway confirmed.
    pub completed: u64,
    /// Failed, as the gateway confirmed.
    pub failed: u64,
    /// Ended with a BPMN error, as the gateway confirmed.
    pub thrown: u64,
    /// Given back by their handlers with unchanged retries, to come again after a pause.
    pub parked: u64,
    /// Given back with unchanged retries at the shutdown.
    pub handed_back: u64,
    /// Given back with unchanged retries, since the gateway sent more than was asked for.
    pub surplus: u64,
    /// Given back with unchanged retries, since they came without the lease that was asked for.
    pub unleased: u64,
    /// Not started, since their lock had ended.
    pub expired: u64,
    /// Dropped, since the gateway said that they are no longer ours.
    pub superseded: u64,
    /// Done, but the gateway refused the report: mostly jobs that were cancelled meanwhile.
    pub rejected: u64,
    /// Done, but the gateway took no report before the lock ended.
    pub too_late: u64,
    /// Left as they were by an abort; their locks run out.
    pub abandoned: u64,
    /// Sent again while in hand already.
    pub duplicates: u64,
}

impl fmt::Display for WorkerSummary {
    /// `12 jobs: 10 completed, 2 handed back`: what is zero is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} jobs", self.taken)?;
        let counts = [
            (self.completed, "completed"),
            (self.failed, "failed"),
            (self.thrown, "ended with a BPMN error"),
            (self.parked, "parked"),
            (self.handed_back, "handed back"),
            (self.surplus, "given back as surplus"),
            (self.unleased, "given back without a lease"),
            (self.expired, "expired before their start"),
            (self.superseded, "superseded"),
            (self.rejected, "rejected"),
            (self.too_late, "reported too late"),
            (self.abandoned, "abandoned"),
            (self.duplicates, "sent twice"),
        ];
        let mut separator = ": ";
        for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, "{separator}{count} {what}")?;
            separator = ", ";
        }
        Ok(())
    }
}

impl WorkerSummary {
    /// The jobs whose end is known: all but those in hand.
    pub fn ended(&self) -> u64 {
        self.completed
            + self.failed
            + self.thrown
            + self.parked
            + self.handed_back
            + self.surplus
            + self.unleased
            + self.expired
            + self.superseded
            + self.rejected
            + self.too_late
            + self.abandoned
            + self.duplicates
    }
}

/// How one job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Completed,
    Failed,
    Thrown,
    Parked,
    HandedBack,
    Surplus,
    Unleased,
    Expired,
    Superseded,
    Rejected,
    TooLate,
    Abandoned,
    Duplicate,
}

impl End {
    /// The label of this end in metrics.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Thrown => "thrown",
            Self::Parked => "parked",
            Self::HandedBack | Self::Surplus | Self::Unleased => "returned",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
            Self::Rejected => "rejected",
            Self::TooLate => "too_late",
            Self::Abandoned => "abandoned",
            Self::Duplicate => "duplicate",
        }
    }
}

const ENDS: usize = End::Duplicate as usize + 1;

#[derive(Debug, Default)]
pub(super) struct Tally {
    taken: AtomicU64,
    ends: [AtomicU64; ENDS],
}

impl Tally {
    pub(super) fn taken(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn ended(&self, end: End) {
        self.ends[end as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn summary(&self) -> WorkerSummary {
        let count = |end: End| self.ends[end as usize].load(Ordering::Relaxed);
        WorkerSummary {
            taken: self.taken.load(Ordering::Relaxed),
            completed: count(End::Completed),
            failed: count(End::Failed),
            thrown: count(End::Thrown),
            parked: count(End::Parked),
            handed_back: count(End::HandedBack),
            surplus: count(End::Surplus),
            unleased: count(End::Unleased),
            expired: count(End::Expired),
            superseded: count(End::Superseded),
            rejected: count(End::Rejected),
            too_late: count(End::TooLate),
            abandoned: count(End::Abandoned),
            duplicates: count(End::Duplicate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_has_a_field_of_its_own() {
        let all = [
            End::Completed,
            End::Failed,
            End::Thrown,
            End::Parked,
            End::HandedBack,
            End::Surplus,
            End::Unleased,
            End::Expired,
            End::Superseded,
            End::Rejected,
            End::TooLate,
            End::Abandoned,
            End::Duplicate,
        ];
        let tally = Tally::default();
        for (number, end) in all.into_iter().enumerate() {
            tally.taken();
            tally.ended(end);
            assert_eq!(tally.summary().ended(), number as u64 + 1);
            assert_eq!(tally.summary().taken, tally.summary().ended());
        }
        assert_eq!(all.len(), ENDS);
    }
}
