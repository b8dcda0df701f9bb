//! Why a command is refused, and how the gateway says so.

use tonic::{Code, Status};

/// A command on a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Complete,
    Fail,
    ThrowError,
    UpdateTimeout,
    UpdateRetries,
}

impl Command {
    /// The command's name in texts.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Complete => "COMPLETE",
            Self::Fail => "FAIL",
            Self::ThrowError => "THROW_ERROR",
            Self::UpdateTimeout => "UPDATE_TIMEOUT",
            Self::UpdateRetries => "UPDATE_RETRIES",
        }
    }

    /// What was expected, up to the key.
    pub(super) fn expected(self, key: i64) -> String {
        let verb = match self {
            Self::Complete => "complete job",
            Self::Fail => "fail job",
            Self::ThrowError => "throw an error for job",
            Self::UpdateTimeout => "update the timeout of job",
            Self::UpdateRetries => "update retries for job",
        };
        format!("Expected to {verb} with key '{key}', ")
    }
}

/// The broker's kinds of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    NotFound,
    InvalidState,
    InvalidArgument,
    ExceededBatchRecordSize,
}

/// A refused command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rejection {
    pub(super) command: &'static str,
    pub(super) kind: Kind,
    pub(super) reason: String,
}

impl Rejection {
    pub(super) fn code(&self) -> Code {
        match self.kind {
            Kind::NotFound => Code::NotFound,
            Kind::InvalidState => Code::FailedPrecondition,
            Kind::InvalidArgument => Code::InvalidArgument,
            Kind::ExceededBatchRecordSize => Code::Unknown,
        }
    }
}

impl From<Rejection> for Status {
    fn from(rejection: Rejection) -> Self {
        let kind = match rejection.kind {
            Kind::NotFound => "NOT_FOUND",
            Kind::InvalidState => "INVALID_STATE",
            Kind::InvalidArgument => "INVALID_ARGUMENT",
            Kind::ExceededBatchRecordSize => "EXCEEDED_BATCH_RECORD_SIZE",
        };
        let Rejection { command, reason, .. } = &rejection;
        Status::new(rejection.code(), format!("Command '{command}' rejected with code '{kind}': {reason}"))
    }
}
