//! What a job leaves on the engine for its own next try: a note in its scope, kept when the job is handed back.
//!
//! A mark ([`super::mark`]) says that a write must not be sent again; a note says where to go on.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{
    codes,
    error::Error,
    mark::{STATE_VARIABLE, Watchman},
};

impl Watchman<'_> {
    /// The note of this kind with which the job came. One of another job is none.
    pub(crate) fn note<T: DeserializeOwned>(&self, kind: &str) -> Option<T> {
        let note = self.job.variables.get(STATE_VARIABLE)?.get(kind)?;
        let own_key = self.job.key.to_string();
        (note.get("jobKey")?.as_str()? == own_key).then(|| T::deserialize(note).ok()).flatten()
    }

    /// The job's state with this note in it.
    pub(crate) fn noted(&self, kind: &str, note: &impl Serialize) -> Value {
        let mut note = json!(note);
        note["jobKey"] = json!(self.job.key.to_string());
        json!({ kind: note })
    }

    /// Leaves a note, in place of one before. Where no marks are left, none is left either.
    pub(crate) async fn leave_note(&self, kind: &str, note: &impl Serialize) -> Result<(), Error> {
        if !self.leaves_marks {
            return Ok(());
        }
        let state = Map::from_iter([(STATE_VARIABLE.to_owned(), self.noted(kind, note))]);
        let left = self.job.scope.keep_local(&state).await;
        left.map_err(|error| Error::new(&codes::MARK_NOT_SET, format!("it is not gone on with: {error}")))
    }
}
