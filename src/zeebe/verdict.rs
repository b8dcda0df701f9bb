//! What a refused command means: by the status code, and by the text where the code alone would mislead.

use tonic::Code;

use super::{GatewayError, error::Cause};

/// Commands of this size and more are taken for the cause when the gateway says `RESOURCE_EXHAUSTED`.
/// Its limit is 4 MiB unless it was changed.
const LARGE: usize = 4_000_000;
/// How often an answer is tried that may be a passing trouble or a fault of ours.
const TRIES_IN_DOUBT: u32 = 3;

/// What to do after a refused command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Try again while there is time.
    Retry {
        /// The command may have been carried out all the same.
        outcome_unknown: bool,
    },
    /// The job is gone: completed, cancelled, or finished by another worker.
    NotFound,
    /// The job is there, but not in our hands.
    NotOurs,
    /// The command is too large for the gateway or the broker, and always will be.
    TooLarge,
    /// The gateway will never take this command.
    Refused,
}

/// `size` is that of the command in bytes; `attempt` counts from 1.
pub(super) fn judge(error: &GatewayError, size: usize, attempt: u32) -> Verdict {
    match &error.0 {
        Cause::Options(_) => return Verdict::Refused,
        Cause::Credentials(_) => return Verdict::Retry { outcome_unknown: false },
        Cause::Timeout { .. } => return Verdict::Retry { outcome_unknown: true },
        Cause::Status { .. } => {}
    }
    if is_too_large(error, size) {
        return Verdict::TooLarge;
    }
    match error.code().unwrap_or(Code::Unknown) {
        Code::NotFound => Verdict::NotFound,
        Code::FailedPrecondition => Verdict::NotOurs,
        // Not processed. A key of a partition that does not exist looks the same for ever: the job's
        // deadline bounds it.
        Code::Unavailable if !error.is_transport() => Verdict::Retry { outcome_unknown: false },
        // Tonic gives this code to a connection too that ended with a call for calm.
        Code::ResourceExhausted | Code::Unauthenticated => {
            Verdict::Retry { outcome_unknown: error.is_transport() }
        }
        // A connection that was refused or lost.
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Aborted => {
            Verdict::Retry { outcome_unknown: true }
        }
        Code::Unknown | Code::Internal | Code::DataLoss
            if error.is_transport() || attempt < TRIES_IN_DOUBT =>
        {
            Verdict::Retry { outcome_unknown: true }
        }
        _ => Verdict::Refused,
    }
}

/// Three limits, three texts: the gateway's for a message, the broker's for a record (which comes as
/// `UNKNOWN`), tonic's own.
fn is_too_large(error: &GatewayError, size: usize) -> bool {
    let text = error.text();
    text.contains("EXCEEDED_BATCH_RECORD_SIZE")
        || text.contains("exceeds maximum size")
        || text.contains("message length too large")
        || (error.code() == Some(Code::ResourceExhausted) && size >= LARGE)
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use tonic::Status;

    use super::*;

    const SMALL: usize = 1_000;

    fn verdict(code: Code, text: &str) -> Verdict {
        judge(&GatewayError::status("CompleteJob", Status::new(code, text)), SMALL, 1)
    }

    fn retry(outcome_unknown: bool) -> Verdict {
        Verdict::Retry { outcome_unknown }
    }

    #[test]
    fn what_was_not_processed_is_tried_again_without_doubt() {
        for code in [Code::Unavailable, Code::ResourceExhausted, Code::Unauthenticated] {
            assert_eq!(verdict(code, "overloaded"), retry(false), "{code:?}");
        }
        let credentials = GatewayError(Cause::Credentials("503".into()));
        assert_eq!(judge(&credentials, SMALL, 9), retry(false));
    }

    #[test]
    fn a_lost_answer_is_tried_again_in_doubt() {
        for code in [Code::DeadlineExceeded, Code::Cancelled, Code::Aborted] {
            assert_eq!(verdict(code, "?"), retry(true), "{code:?}");
        }
        let timeout = Cause::Timeout { rpc: "CompleteJob", after: Duration::from_secs(1) };
        assert_eq!(judge(&GatewayError(timeout), SMALL, 9), retry(true));
    }

    #[test]
    fn a_lost_connection_is_no_refusal_whatever_its_code() {
        for code in [Code::Unknown, Code::Internal, Code::Unavailable, Code::ResourceExhausted] {
            let mut status = Status::new(code, "transport error");
            status.set_source(Arc::new(std::io::Error::other("connection reset")));
            assert_eq!(judge(&GatewayError::status("FailJob", status), SMALL, 9), retry(true), "{code:?}");
        }
    }

    #[test]
    fn an_unknown_answer_of_the_gateway_is_tried_three_times() {
        for code in [Code::Unknown, Code::Internal, Code::DataLoss] {
            let error = || GatewayError::status("CompleteJob", Status::new(code, "what?"));
            assert_eq!(judge(&error(), SMALL, 1), retry(true));
            assert_eq!(judge(&error(), SMALL, 2), retry(true));
            assert_eq!(judge(&error(), SMALL, 3), Verdict::Refused, "{code:?}");
        }
    }

    #[test]
    fn a_job_that_is_gone_or_in_other_hands_is_told_apart() {
        assert_eq!(verdict(Code::NotFound, "no such job was found"), Verdict::NotFound);
        assert_eq!(verdict(Code::FailedPrecondition, "INVALID_STATE"), Verdict::NotOurs);
    }

    #[test]
    fn our_mistakes_are_not_repeated() {
        for code in [
            Code::InvalidArgument,
            Code::OutOfRange,
            Code::Unimplemented,
            Code::PermissionDenied,
            Code::AlreadyExists,
        ] {
            assert_eq!(verdict(code, "no"), Verdict::Refused, "{code:?}");
        }
    }

    #[test]
    fn too_large_is_permanent_under_each_of_its_names() {
        for (code, text) in [
            (Code::ResourceExhausted, "gRPC message exceeds maximum size 4194304: 5000000"),
            (Code::Unknown, "Command 'COMPLETE' rejected with code 'EXCEEDED_BATCH_RECORD_SIZE'"),
            (
                Code::OutOfRange,
                "Error, encoded message length too large: found 5 bytes, the limit is: 4 bytes",
            ),
        ] {
            assert_eq!(verdict(code, text), Verdict::TooLarge, "{text}");
        }
        let busy = GatewayError::status("CompleteJob", Status::resource_exhausted(""));
        assert_eq!(judge(&busy, LARGE, 1), Verdict::TooLarge);
    }
}
