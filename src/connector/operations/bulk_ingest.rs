//! A bulk job that takes records is made, filled and told to begin: once, whatever happens on the way.
//!
//! | The task's job comes again with | and its bulk job is | Then |
//! |---|---|---|
//! | no note | made or not: it has no data | a new one is made |
//! | `created` | open: its data is there, in part, or not | it is given up for good, then a new one is made |
//! | `created` | given up, or gone | a new one is made |
//! | `uploaded` | open | it is told to begin |
//! | either | running, or over | it is gone on with |
//!
//! Nothing is done with the data of an open job, and one that was given up can never begin: an upload that was cut is made
//! good by another job. Uploading to the same job a second time would spoil it.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::{
    Call,
    bulk_csv::MOST_BYTES,
    bulk_input::{Data, Ingest},
    bulk_job::{self, Note, Stage, Standing},
    bulk_stream,
};
use crate::{
    connector::{Error, ErrorType, codes},
    salesforce::{BulkJob, BulkKind, Content, SourceFile},
};

const CSV: &str = "text/csv; charset=UTF-8";

/// An upload is given a second more for each so many bytes.
const BYTES_A_SECOND: u64 = 128 * 1024;

/// What a file is given whose size nobody knows.
const LONGEST_UPLOAD: Duration = Duration::from_secs(MOST_BYTES / BYTES_A_SECOND);

/// A bulk job that runs, or is over.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) note: Note,
    pub(super) standing: Standing,
    /// It was begun by this try of the task.
    pub(super) is_new: bool,
}

/// Brings the task's bulk job to where it goes on by itself; `None` where a file has no rows.
pub(super) async fn begin(call: &Call<'_>, ingest: &Ingest) -> Result<Option<Begun>, Error> {
    let Some(note) = Note::of(call) else { return afresh(call, ingest, 0).await };
    let job = note.job(BulkKind::Ingest);
    let Some(standing) = bulk_job::look(call, &job).await? else {
        return match note.stage {
            Stage::Created => afresh(call, ingest, note.losses).await,
            Stage::Uploaded => Err(bulk_job::gone(&job)),
        };
    };
    match (note.stage, standing.state()) {
        (Stage::Created, "Open") => match give_up(call, &job).await? {
            None => afresh(call, ingest, note.losses).await,
            Some(standing) => Ok(Some(Begun { note, standing, is_new: false })),
        },
        (Stage::Created, "Aborted") => afresh(call, ingest, note.losses).await,
        (Stage::Uploaded, "Open") => close(call, note).await.map(Some),
        _ => Ok(Some(Begun { note, standing, is_new: false })),
    }
}

/// Gives up a job that was not told to begin; else how far it is, since somebody has told it.
async fn give_up(call: &Call<'_>, job: &BulkJob) -> Result<Option<Standing>, Error> {
    if let Err(error) = call.send(&job.abort()).await
        && !bulk_job::is_of_state(&error)
    {
        return Err(error);
    }
    let Some(standing) = bulk_job::look(call, job).await? else { return Ok(None) };
    match standing.state() {
        "Aborted" if standing.count("numberRecordsProcessed") == 0 => Ok(None),
        "Open" => {
            let message = format!("{job} is still open, though it was given up");
            Err(Error::new(&codes::INVALID_RESPONSE, message).passing())
        }
        _ => Ok(Some(standing)),
    }
}

/// Makes a job, fills it and tells it to begin.
async fn afresh(call: &Call<'_>, ingest: &Ingest, losses: u32) -> Result<Option<Begun>, Error> {
    let data = Opened::of(call, &ingest.data).await?;
    let created = call.send(&ingest.create()).await?;
    let mut note = Note::new(&created, Stage::Created)?;
    note.losses = losses;
    note.leave(call).await?;
    let rows = match data {
        Opened::Csv(csv, rows) => {
            let more = Duration::from_secs(csv.len() as u64 / BYTES_A_SECOND);
            send_data(call, &note, Content::whole(CSV, csv), call.timeout + more).await?;
            rows
        }
        Opened::File(file) => {
            let upload = |content| send_data(call, &note, content, call.timeout + LONGEST_UPLOAD);
            bulk_stream::send_on(file, (CSV, &ingest.purpose), upload).await?
        }
    };
    if rows == 0 {
        give_up(call, &note.job(BulkKind::Ingest)).await?;
        return Ok(None);
    }
    (note.rows, note.stage, note.losses) = (Some(rows), Stage::Uploaded, 0);
    note.leave(call).await?;
    close(call, note).await.map(Some)
}

/// What is uploaded.
enum Opened {
    Csv(Bytes, u64),
    File(SourceFile),
}

impl Opened {
    /// Comes before the bulk job: a file that is not there needs none.
    async fn of(call: &Call<'_>, data: &Data) -> Result<Self, Error> {
        Ok(match data {
            Data::Csv { csv, rows } => Self::Csv(csv.clone(), *rows),
            Data::File(address) => Self::File(call.client.open(address, call.timeout).await?),
        })
    }
}

/// Uploads the data. A failure leaves the job open, for the next try to give up.
async fn send_data(call: &Call<'_>, note: &Note, content: Content, timeout: Duration) -> Result<(), Error> {
    let upload = note.job(BulkKind::Ingest).upload(content);
    match call.send_without_mark(&upload, timeout).await {
        Ok(_) => Ok(()),
        Err(error) if error.error_type() == ErrorType::OutcomeUnknown => Err(note.lost(call)),
        Err(error) => Err(error),
    }
}

/// Tells a job to begin. The lock must outlast that: who gets the task's job next shall find the bulk job begun, or open
/// for good.
async fn close(call: &Call<'_>, note: Note) -> Result<Begun, Error> {
    let job = note.job(BulkKind::Ingest);
    call.watchman.ensure_lock(call.timeout).await?;
    let standing = match call.send(&job.close()).await {
        Ok(response) => Standing(response),
        // It was told before, and the answer was lost.
        Err(error) if bulk_job::is_of_state(&error) => {
            let standing = bulk_job::look(call, &job).await?.ok_or_else(|| bulk_job::gone(&job))?;
            if standing.state() == "Open" {
                return Err(error.noting(Value::Null));
            }
            standing
        }
        Err(error) => return Err(error),
    };
    Ok(Begun { note, standing, is_new: true })
}
