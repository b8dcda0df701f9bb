//! The data of an ingest job: read once the client has closed it, then saved batch by batch.

use bytes::Bytes;

use serde_json::{Map, Value, json};

use super::dialect::Dialect;
use super::job::{State, Work};
use super::row::{Column, Operation, Outcome, Rows};
use crate::org::server::Org;
use crate::org::store::Store;

/// Salesforce saves a batch in such pieces; a key may stand in a piece only once.
const PIECE: usize = 200;

/// What a client uploads, and what became of it.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) operation: Operation,
    /// The index of the object.
    pub(super) object: usize,
    pub(super) external_id: Option<String>,
    pub(super) assignment_rule: Option<String>,
    pub(super) data: Option<Bytes>,
    columns: Vec<Column>,
    /// Where the next row begins that is not processed.
    next: usize,
    outcomes: Vec<Outcome>,
}

/// Which of the three results a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Results {
    Successful,
    Failed,
    Unprocessed,
}

impl Upload {
    /// Nothing is uploaded yet.
    pub(super) fn new(operation: Operation, object: usize) -> Self {
        Self {
            operation,
            object,
            external_id: None,
            assignment_rule: None,
            data: None,
            columns: Vec::new(),
            next: 0,
            outcomes: Vec::new(),
        }
    }

    fn data(&self) -> &[u8] {
        self.data.as_deref().unwrap_or_default()
    }

    /// Reads the header.
    fn read_header(&mut self, store: &Store, dialect: Dialect) -> Result<(), String> {
        if self.data().is_empty() {
            return Err("InvalidBatch : Records not found".into());
        }
        if !dialect.fits(self.data()) {
            let setting = dialect.line_ending_name();
            return Err(format!(
                "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {setting}"
            ));
        }
        let (header, first) = header(self.data(), dialect)?;
        self.columns = header
            .iter()
            .map(|name| {
                Column::find(store, self.object, name)
                    .map_err(|reason| format!("InvalidBatch : {reason} : {name}"))
            })
            .collect::<Result<_, _>>()?;
        let only_ids = matches!(&self.columns[..], [column] if column.is_id(store, self.object));
        if self.operation.is_delete() && !only_ids {
            let operation = self.operation.name();
            return Err(format!("InvalidBatch : The '{operation}' batch must contain only ids"));
        }
        self.next = first;
        Ok(())
    }

    /// Saves up to `size` rows; answers whether that were the last.
    fn batch(&mut self, store: &mut Store, dialect: Dialect, size: usize) -> Result<bool, String> {
        let data = self.data.clone().unwrap_or_default();
        let mut reader = dialect.reader(&data[self.next..]);
        let mut record = csv::ByteRecord::new();
        let rows = Rows {
            operation: self.operation,
            object: self.object,
            external_id: self.external_id.as_deref(),
            columns: &self.columns,
        };
        let mut left = size;
        while left > 0 {
            let mut piece = Vec::new();
            while piece.len() < PIECE.min(left) && read(&mut reader, &mut record)? {
                piece.push(cells(&record, self.columns.len())?);
            }
            if piece.is_empty() {
                return Ok(true);
            }
            left -= piece.len();
            self.outcomes.extend(rows.save(store, &piece));
        }
        self.next += offset(&reader);
        Ok(!read(&mut reader, &mut record)?)
    }

    /// One of the results, as CSV.
    pub(super) fn results(&self, dialect: Dialect, wanted: Results) -> Vec<u8> {
        let own: &[&str] = match wanted {
            Results::Successful => &["sf__Id", "sf__Created"],
            Results::Failed => &["sf__Id", "sf__Error"],
            Results::Unprocessed => &[],
        };
        let (header, first) = header(self.data(), dialect).unwrap_or_default();
        let mut writer = dialect.writer(own, &header);
        let mut reader = dialect.reader(&self.data()[first..]);
        for (row, record) in reader.byte_records().map_while(Result::ok).enumerate() {
            let (id, second) = match (self.outcomes.get(row), wanted) {
                (Some(Outcome::Saved { id, created }), Results::Successful) => {
                    (id.as_str(), created.to_string())
                }
                (Some(Outcome::Refused { id, error }), Results::Failed) => (id.as_str(), error.clone()),
                (None, Results::Unprocessed) => {
                    writer.row(record.iter());
                    continue;
                }
                _ => continue,
            };
            writer.row([id.as_bytes(), second.as_bytes()].into_iter().chain(&record));
        }
        writer.finish()
    }
}

impl Work for Upload {
    const JOB_TYPE: &'static str = "V2Ingest";
    const RESOURCE: &'static str = "ingest";
    const FIRST: State = State::Open;

    fn begin(&mut self, org: &Org, dialect: Dialect) -> Result<(), String> {
        self.read_header(&org.read(), dialect)
    }

    fn go_on(&mut self, org: &Org, dialect: Dialect, batch: usize) -> Result<bool, String> {
        self.batch(&mut org.write(), dialect, batch)
    }

    fn describe(&self, info: &mut Map<String, Value>) {
        if let Some(rule) = &self.assignment_rule {
            info.insert("assignmentRuleId".into(), json!(rule));
        }
        if let Some(field) = &self.external_id {
            info.insert("externalIdFieldName".into(), json!(field));
        }
    }

    fn measure(&self, info: &mut Map<String, Value>) {
        let failed =
            self.outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Refused { .. })).count();
        info.insert("numberRecordsProcessed".into(), json!(self.outcomes.len()));
        info.insert("numberRecordsFailed".into(), json!(failed));
        for name in ["apiActiveProcessingTime", "apexProcessingTime"] {
            info.insert(name.into(), json!(0));
        }
    }
}

/// The names of the columns, and where the rows begin.
fn header(data: &[u8], dialect: Dialect) -> Result<(Vec<String>, usize), String> {
    let mut reader = dialect.reader(data);
    let mut record = csv::ByteRecord::new();
    read(&mut reader, &mut record)?;
    let names = cells(&record, record.len())?;
    // The reader would drop a byte order mark; Salesforce takes it for a part of the first name.
    if data.starts_with(b"\xEF\xBB\xBF") {
        return Err(if data[3..].starts_with(b"\"") {
            "InvalidBatch : Failed to parse CSV. Found unescaped quote. A value with quote should be within a quote"
                .into()
        } else {
            format!(
                "InvalidBatch : Field name not found : \u{feff}{}",
                names.first().map_or("", String::as_str)
            )
        });
    }
    Ok((names, offset(&reader)))
}

fn read(reader: &mut csv::Reader<&[u8]>, record: &mut csv::ByteRecord) -> Result<bool, String> {
    reader.read_byte_record(record).map_err(|error| unreadable(&error))
}

/// How many bytes the rows take that were read.
fn offset(reader: &csv::Reader<&[u8]>) -> usize {
    usize::try_from(reader.position().byte()).unwrap_or(usize::MAX)
}

fn cells(record: &csv::ByteRecord, expected: usize) -> Result<Vec<String>, String> {
    if record.len() != expected {
        let found = record.len();
        return Err(format!(
            "InvalidBatch : Failed to parse CSV. The header has {expected} columns, a row has {found}"
        ));
    }
    record
        .iter()
        .map(|cell| String::from_utf8(cell.to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|error| unreadable(&error))
}

fn unreadable(error: &dyn std::fmt::Display) -> String {
    format!("InvalidBatch : Failed to parse CSV. {error}")
}
