//! CSV on its way from a file to a bulk job: read, checked and sent on piece by piece, so that little of it is ever here.

use std::io::{self, BufWriter, Read, Write};

use bytes::Bytes;
use tokio::{sync::mpsc, task::spawn_blocking};

use super::{
    bulk_csv::{self, Flaw},
    bulk_input::Purpose,
};
use crate::{
    connector::{Error, codes},
    salesforce::{Content, SourceFile},
};

/// So many pieces wait on each side of the check.
const WAITING: usize = 4;

/// The size of the pieces that are sent, in bytes.
const PIECE: usize = 64 * 1024;

/// Sends a file on as the content of an upload; gives the number of its rows.
///
/// # Errors
/// Why it could not be read, else what is wrong with it, else why it could not be uploaded.
pub(super) async fn send_on<F: Future<Output = Result<(), Error>>>(
    mut file: SourceFile,
    (media_type, purpose): (&str, &Purpose),
    upload: impl FnOnce(Content) -> F,
) -> Result<u64, Error> {
    let (raw, arriving) = mpsc::channel(WAITING);
    let (leaving, pieces) = mpsc::channel(WAITING);
    let purpose = purpose.clone();
    let checking = spawn_blocking(move || checked(arriving, &leaving, &purpose));
    let reading = async move {
        while let Some(piece) = file.piece().await? {
            // Whoever takes no more of it says why.
            if raw.send(Some(piece)).await.is_err() {
                return Ok(());
            }
        }
        let _ = raw.send(None).await;
        Ok::<(), Error>(())
    };
    let (read, uploaded) = tokio::join!(reading, upload(Content::stream(media_type, pieces)));
    let checked = checking.await.unwrap_or_else(|_| Err(bulk_csv::flaw("CSV", "what could not be read")));
    read?;
    match checked {
        // What cannot be sent on is a matter of the upload, which breaks for every other flaw too.
        Err(flaw) if !flaw.is_of_sending => Err(refused(&flaw)),
        Err(flaw) => Err(uploaded.err().unwrap_or_else(|| refused(&flaw))),
        Ok(rows) => uploaded.map(|()| rows),
    }
}

fn refused(Flaw { expected, found, .. }: &Flaw) -> Error {
    Error::new(&codes::SOURCE_REFUSED, format!("the CSV file: expected {expected}, found {found}"))
}

/// Runs on a thread of its own, for the reader of CSV waits for its input.
fn checked(
    arriving: mpsc::Receiver<Option<Bytes>>,
    leaving: &mpsc::Sender<io::Result<Bytes>>,
    purpose: &Purpose,
) -> Result<u64, Flaw> {
    let arriving = Arriving { pieces: arriving, piece: Bytes::new(), is_over: false };
    let output = BufWriter::with_capacity(PIECE, Leaving(leaving.clone()));
    let checked = bulk_csv::normalized(arriving, output, purpose);
    if checked.is_err() {
        // Without it the upload would end as if it were whole.
        let _ = leaving.blocking_send(Err(io::Error::other("the rest of the file is not usable")));
    }
    checked
}

/// Pieces as a reader. Without an end that is said, they were cut.
struct Arriving {
    pieces: mpsc::Receiver<Option<Bytes>>,
    piece: Bytes,
    is_over: bool,
}

impl Read for Arriving {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && !self.is_over {
            match self.pieces.blocking_recv() {
                Some(Some(piece)) => self.piece = piece,
                Some(None) => self.is_over = true,
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let length = buffer.len().min(self.piece.len());
        buffer[..length].copy_from_slice(&self.piece.split_to(length));
        Ok(length)
    }
}

/// A writer whose pieces go to the upload.
struct Leaving(mpsc::Sender<io::Result<Bytes>>);

impl Write for Leaving {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
