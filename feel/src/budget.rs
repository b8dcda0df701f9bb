//! What an evaluation has used of its limits.

use std::cell::Cell;

use crate::error::EvalError;
use crate::limits::{self, Limits};

/// Bytes of text that count as one step.
const BYTES_PER_STEP: usize = 64;

#[derive(Debug)]
pub(crate) struct Budget {
    limits: Limits,
    left: Cell<u64>,
    depth: Cell<u32>,
}

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, left: Cell::new(limits.steps), depth: Cell::new(0) }
    }

    pub(crate) fn step(&self) -> Result<(), EvalError> {
        self.steps(1)
    }

    pub(crate) fn steps(&self, count: u64) -> Result<(), EvalError> {
        match self.left.get().checked_sub(count) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(EvalError::StepsExceeded { limit: self.limits.steps }),
        }
    }

    /// Work on so many items.
    pub(crate) fn items(&self, count: usize) -> Result<(), EvalError> {
        self.steps(count as u64)
    }

    /// Work on so many bytes of text.
    pub(crate) fn bytes(&self, count: usize) -> Result<(), EvalError> {
        self.steps((count / BYTES_PER_STEP) as u64)
    }

    /// A list may have so many items.
    pub(crate) fn check_items(&self, count: usize) -> Result<(), EvalError> {
        if count > self.limits.list_items {
            return Err(EvalError::ListTooLong { limit: self.limits.list_items });
        }
        Ok(())
    }

    /// A text may have so many bytes.
    pub(crate) fn check_text(&self, bytes: usize) -> Result<(), EvalError> {
        if bytes > self.limits.text_bytes {
            return Err(EvalError::TextTooLong { limit: self.limits.text_bytes });
        }
        Ok(())
    }

    /// Runs one level deeper.
    pub(crate) fn deeper<T, E: From<EvalError>>(&self, run: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let depth = self.depth.get();
        if depth >= limits::EVALUATION_DEPTH {
            return Err(EvalError::TooDeep.into());
        }
        self.depth.set(depth + 1);
        let result = run();
        self.depth.set(depth);
        result
    }
}
