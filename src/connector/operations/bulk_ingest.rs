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

use serde_json::Value;

use super::{
    Call,
    bulk_input::{Data, Ingest},
    bulk_job::{self, Note, Stage, Standing},
};
use crate::{
    connector::{Error, ErrorType, codes},
    salesforce::{BulkJob, BulkKind, Content, Response},
};

const CSV: &str = "text/csv; charset=UTF-8";

/// An upload is given a second more for each so many bytes.
const BYTES_A_SECOND: usize = 128 * 1024;

/// A bulk job that runs, or is over.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) note: Note,
    pub(super) standing: Standing,
    /// It was begun by this try of the task.
    pub(super) is_new: bool,
}

/// Brings the task's bulk job to where it goes on by itself.
pub(super) async fn begin(call: &Call<'_>, ingest: &Ingest) -> Result<Begun, Error> {
    let Some(note) = Note::of(call) else { return afresh(call, ingest).await };
    let job = note.job(BulkKind::Ingest);
    let Some(standing) = bulk_job::look(call, &job).await? else {
        return match note.stage {
            Stage::Created => afresh(call, ingest).await,
            Stage::Uploaded => Err(bulk_job::gone(&job)),
        };
    };
    match (note.stage, standing.state()) {
        (Stage::Created, "Open") => match give_up(call, &job).await? {
            None => afresh(call, ingest).await,
            Some(standing) => Ok(Begun { note, standing, is_new: false }),
        },
        (Stage::Created, "Aborted") => afresh(call, ingest).await,
        (Stage::Uploaded, "Open") => close(call, note).await,
        _ => Ok(Begun { note, standing, is_new: false }),
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
async fn afresh(call: &Call<'_>, ingest: &Ingest) -> Result<Begun, Error> {
    let created = call.send(&ingest.create()).await?;
    let mut note = Note::new(&created, Stage::Created)?;
    note.leave(call).await?;
    note.rows = Some(upload(call, &note.job(BulkKind::Ingest), &ingest.data).await?);
    note.stage = Stage::Uploaded;
    note.leave(call).await?;
    close(call, note).await
}

/// Uploads the data, and gives how many rows they are. A failure leaves the job open, for the next try to give up.
async fn upload(call: &Call<'_>, job: &BulkJob, data: &Data) -> Result<u64, Error> {
    let Data::Csv { csv, rows } = data;
    let more = Duration::from_secs((csv.len() / BYTES_A_SECOND) as u64);
    send_data(call, job, Content::whole(CSV, csv.clone()), call.timeout + more).await?;
    Ok(*rows)
}

async fn send_data(
    call: &Call<'_>,
    job: &BulkJob,
    content: Content,
    timeout: Duration,
) -> Result<Response, Error> {
    let sent = call.send_without_mark(&job.upload(content), timeout).await;
    sent.map_err(|error| match error.error_type() {
        ErrorType::OutcomeUnknown => {
            let message = format!(
                "{job}: the upload got no answer; nothing comes of it, for the job was not told to begin"
            );
            Error::new(&codes::CONNECTION_LOST, message)
        }
        _ => error,
    })
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
