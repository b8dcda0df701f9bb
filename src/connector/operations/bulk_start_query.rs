//! `bulkStartQuery`: how do I begin a bulk query, and look after it in the process itself?

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Call, Operate,
    bulk_job::{self, Note, Stage, Standing},
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields, query,
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{BulkKind, CallClass, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "bulkStartQuery",
    area: Area::Bulk,
    label: "Begin bulk query",
    summary: "Begins a bulk job that reads very many records, and does not wait for it.",
    keywords: &["bulk", "query", "start", "begin", "soql", "extract", "export", "read", "job"],
    class: CallClass::Read,
    class_with: None,
    calls: "one, `POST /jobs/query`; for a task that is tried again one more, to find its bulk job.",
    body: "the job as Salesforce tells it: `id`, `state`, `object` and more.",
    contents: &[ResultContent::Response, ResultContent::Body, ResultContent::Id],
    inputs: &[SOQL_QUERY, query::PARAMETERS, DELETED_TOO],
    examples: Examples {
        answer: (
            200,
            r#"{"id": "7505g00000XyZaCAAV", "operation": "query", "object": "Account", "state": "UploadComplete",
            "contentType": "CSV", "lineEnding": "LF", "columnDelimiter": "COMMA"}"#,
        ),
        refusal: (400, r#"[{"errorCode": "MALFORMED_QUERY", "message": "unexpected token: FORM"}]"#),
        result: "={bulkJobId: body.id}",
        error: "=if error.code = \"MALFORMED_QUERY\" then bpmnError(\"not a bulk query\", error.message) else null",
    },
};

pub(super) const SOQL_QUERY: Input = Input {
    tooltip: "The query, such as SELECT Id, Name FROM Account WHERE CreatedDate > :since. Write values of the process as names with \
              a colon, without quotes, and give them in Parameters. A bulk query takes no GROUP BY, OFFSET, COUNT(), TYPEOF or \
              sub-query, and no address or location as a whole.",
    placeholder: "SELECT Id, Name FROM Account",
    ..query::SOQL_QUERY
};

pub(super) const DELETED_TOO: Input = Input {
    name: "deletedToo",
    label: "Read deleted and archived records too",
    kind: InputKind::Boolean { default: false },
    required: false,
    tooltip: "When checked, records in the recycle bin and archived ones are read as well (queryAll).",
    placeholder: "",
};

/// The input of `bulkStartQuery`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BulkStartQuery {
    #[serde(rename = "soqlQuery")]
    soql: String,
    #[serde(default, deserialize_with = "fields::object")]
    parameters: Map<String, Value>,
    #[serde(default, deserialize_with = "fields::flag")]
    deleted_too: bool,
}

/// The request that begins a bulk query.
pub(super) fn request(
    soql: &str,
    parameters: &Map<String, Value>,
    deleted_too: bool,
) -> Result<Request, InvalidInput> {
    let operation = if deleted_too { "queryAll" } else { "query" };
    let job = json!({"operation": operation, "query": query::bound(soql, parameters)?,
        "contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF"});
    Ok(Request::create_query_job(job.as_object().cloned().unwrap_or_default()))
}

/// Brings the task's bulk query to where it goes on by itself; whether it was begun by this try. One that is gone is
/// begun anew, for it only reads.
pub(super) async fn begin(call: &Call<'_>, request: &Request) -> Result<(Note, Standing, bool), Error> {
    if let Some(note) = Note::of(call)
        && let Some(standing) = bulk_job::look(call, &note.job(BulkKind::Query)).await?
    {
        return Ok((note, standing, false));
    }
    let created = call.send(request).await?;
    let note = Note::new(&created, Stage::Uploaded)?;
    note.leave(call).await?;
    Ok((note, Standing(created), true))
}

impl Operate for BulkStartQuery {
    fn checked(self) -> Result<Self, InvalidInput> {
        query::bound(&self.soql, &self.parameters)?;
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        request(&self.soql, &self.parameters, self.deleted_too)
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let (_, standing, _) = begin(call, &self.request()?).await?;
        Ok(standing.0)
    }
}
