//! Who has the last word before a request leaves.

use std::{future::Future, time::Duration};

use super::Error;

/// Asked before each attempt of a call leaves, and told when it certainly did nothing.
///
/// For writes that must not happen twice: what has to be certain before the first byte goes out is made certain here.
pub trait Guard: Sync {
    /// Awaited when the attempt waits for nothing else any more: it has its token and its place among the connection's
    /// requests. `call` says what is sent, such as `POST /services/data/v67.0/sobjects/Account`; `time` is how long the
    /// attempt may take from then on.
    ///
    /// # Errors
    /// The attempt is not sent, and the call ends with this error.
    fn before(&self, call: &str, time: Duration) -> impl Future<Output = Result<(), Error>> + Send;

    /// The attempt was refused, or never left: nothing was done, and nothing is under way.
    fn nothing_done(&self);
}

/// Lets everything pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unguarded;

impl Guard for Unguarded {
    async fn before(&self, _: &str, _: Duration) -> Result<(), Error> {
        Ok(())
    }

    fn nothing_done(&self) {}
}
