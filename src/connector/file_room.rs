//! How much memory files may take: each is held whole, and many jobs run side by side.

use tokio::sync::{Semaphore, SemaphorePermit};

use super::{codes, error::Error};

/// Room is given in units of so many bytes, so that a semaphore can count it.
const UNIT: usize = 1024;

/// How large files may be.
#[derive(Clone, Copy, Debug)]
pub struct FileOptions {
    /// The largest one, in bytes.
    pub max_bytes: usize,
    /// All that are in hand at the same time, in bytes.
    pub max_bytes_in_hand: usize,
}

impl Default for FileOptions {
    /// 50 MiB each, 100 MiB together.
    fn default() -> Self {
        Self { max_bytes: 50 * 1024 * 1024, max_bytes_in_hand: 100 * 1024 * 1024 }
    }
}

/// The room for the files of all jobs.
#[derive(Debug)]
pub(crate) struct FileRoom {
    max_bytes: usize,
    units: Semaphore,
}

impl FileRoom {
    pub(super) fn new(options: FileOptions) -> Self {
        let units = units(options.max_bytes_in_hand.max(options.max_bytes)) as usize;
        Self { max_bytes: options.max_bytes, units: Semaphore::new(units.min(Semaphore::MAX_PERMITS)) }
    }

    /// The largest file, in bytes.
    pub(crate) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Waits until there is room for a file of so many bytes, in the order in which jobs came; the room is given back
    /// with what is returned. Whoever has room is bound in time, so that the wait ends, and the job's lock is renewed meanwhile.
    ///
    /// # Errors
    /// `FILE_TOO_LARGE`; `what` says which file, such as "the document 7".
    pub(crate) async fn take(&self, what: &str, bytes: usize) -> Result<SemaphorePermit<'_>, Error> {
        if bytes > self.max_bytes {
            let message = format!(
                "{what} has {bytes} bytes, and {} are taken at most (files.max_bytes)",
                self.max_bytes
            );
            return Err(Error::new(&codes::FILE_TOO_LARGE, message));
        }
        Ok(self.units.acquire_many(units(bytes)).await.expect("the semaphore is never closed"))
    }
}

/// A file of one byte takes a unit too.
fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn files_wait_for_room_and_one_that_never_fits_is_refused() {
        let room = FileRoom::new(FileOptions { max_bytes: 3000, max_bytes_in_hand: 4096 });
        let first = room.take("a", 3000).await.unwrap();
        let small = room.take("b", 1).await.unwrap();
        assert!(room.take("c", 1).now_or_never().is_none(), "4 of 4 units are taken");
        drop(first);
        assert!(room.take("c", 3000).now_or_never().unwrap().is_ok());
        drop(small);
        let error = room.take("the document 7", 3001).await.unwrap_err();
        assert_eq!(error.code(), "FILE_TOO_LARGE");
        let message = "the document 7 has 3001 bytes, and 3000 are taken at most (files.max_bytes)";
        assert_eq!(error.to_string(), message);
    }
}
