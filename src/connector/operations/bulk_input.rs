//! What a bulk job is to do with which records: read and checked before anything is called.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    bulk_csv::{self, Flaw},
    descriptor::{Input, InputKind},
    external_id, fields,
    list_input::{each_has, each_has_id, each_is, with_type},
};
use crate::{
    connector::{
        InvalidInput,
        input::{Show, describe},
    },
    salesforce::{FieldName, ObjectName, RecordId, Request, SourceAddress},
};

/// What is done with each record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Verb {
    Upsert,
    Insert,
    Update,
    Delete,
    HardDelete,
}

impl Verb {
    fn name(self) -> &'static str {
        match self {
            Self::Upsert => "upsert",
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::HardDelete => "hardDelete",
        }
    }

    pub(super) fn deletes(self) -> bool {
        matches!(self, Self::Delete | Self::HardDelete)
    }
}

pub(super) const BULK_OPERATION: Input = Input {
    name: "bulkOperation",
    label: "What is done with the records",
    kind: InputKind::Choice {
        choices: &[
            ("upsert", "they are created or changed (upsert)"),
            ("insert", "they are created (insert)"),
            ("update", "they are changed (update)"),
            ("delete", "they are moved to the recycle bin (delete)"),
            ("hardDelete", "they are deleted for good (hardDelete)"),
        ],
    },
    required: true,
    tooltip: "An upsert is the safest way to save: a second time changes nothing more. For hardDelete the connection's user needs \
              the permission \"Bulk API Hard Delete\".",
    placeholder: "upsert",
};

pub(super) const EXTERNAL_ID_FIELD: Input = Input {
    kind: InputKind::Dependent { on: ("bulkOperation", "upsert"), kind: &external_id::FIELD_NAME },
    tooltip: "API name of the field by which records are found again, such as External_Key__c: marked External ID and Unique. \
              Every record needs a value in it.",
    ..external_id::FIELD
};

pub(super) const RECORDS: Input = Input {
    name: "records",
    label: "Records, CSV or its address",
    kind: InputKind::Value,
    required: true,
    tooltip: "A list of records, such as [{Name: \"Acme\", Phone: null}], where null empties a field; for deletions a list of ids \
              does too. Or CSV as text, with API names in its first line; an empty cell leaves a field as it is, #N/A empties it. Or the \
              address of such a file, up to 100 MB on a host that the operator lists: {csvUrl: \"https://files.acme.com/a.csv\"}.",
    placeholder: "=[{External_Key__c: \"A-1\", Name: \"Acme\"}]",
};

pub(super) const ASSIGNMENT_RULE: Input = Input {
    name: "assignmentRuleId",
    label: "Assignment rule",
    kind: fields::OBJECT_ID.kind,
    required: false,
    tooltip: "The id of an assignment rule for cases or leads, such as 01QD0000000EqAnMAK. Empty: none runs.",
    placeholder: "01QD0000000EqAnMAK",
};

/// What a bulk job is to do.
#[derive(Debug)]
pub(super) struct Ingest {
    /// What it is made with.
    job: Map<String, Value>,
    pub(super) purpose: Purpose,
    pub(super) data: Data,
}

/// Whose columns there must be.
#[derive(Clone, Debug)]
pub(super) struct Purpose {
    pub(super) verb: Verb,
    key: Option<FieldName>,
}

/// What it takes.
#[derive(Debug)]
pub(super) enum Data {
    /// As it is uploaded: with a header, commas and line feeds.
    Csv { csv: Bytes, rows: u64 },
    /// A file, read while it is uploaded.
    File(SourceAddress),
}

impl Purpose {
    /// The column that says which record is meant.
    pub(super) fn key(&self) -> Option<&str> {
        match self.verb {
            Verb::Upsert => self.key.as_ref().map(FieldName::as_str),
            Verb::Insert => None,
            Verb::Update | Verb::Delete | Verb::HardDelete => Some("Id"),
        }
    }
}

/// The fields that make a bulk job, as they stand in the task.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) object: &'a ObjectName,
    pub(super) verb: Verb,
    pub(super) key: Option<&'a FieldName>,
    pub(super) assignment_rule: Option<&'a RecordId>,
}

impl Ingest {
    /// Checks the parts with each other, and makes the CSV of the records.
    pub(super) fn of(parts: &Parts<'_>, records: Value) -> Result<Self, InvalidInput> {
        if let Some(key) = parts.key.filter(|_| parts.verb != Verb::Upsert) {
            let found = format!("{:?} with bulkOperation {}", key.as_str(), parts.verb.name());
            return Err(InvalidInput::new(
                "externalIdField",
                "nothing, for only upsert finds records by it",
                found,
            ));
        }
        let mut job = Map::new();
        job.insert("object".to_owned(), json!(parts.object.as_str()));
        job.insert("operation".to_owned(), json!(parts.verb.name()));
        for (name, value) in [
            ("externalIdFieldName", parts.key.map(FieldName::as_str)),
            ("assignmentRuleId", parts.assignment_rule.map(RecordId::as_str)),
        ] {
            job.extend(value.map(|value| (name.to_owned(), json!(value))));
        }
        for (name, value) in [("contentType", "CSV"), ("columnDelimiter", "COMMA"), ("lineEnding", "LF")] {
            job.insert(name.to_owned(), json!(value));
        }
        let purpose = Purpose { verb: parts.verb, key: parts.key.cloned() };
        let data = data(&purpose, parts.object, records)?;
        Ok(Self { job, purpose, data })
    }

    /// The first request.
    pub(super) fn create(&self) -> Request {
        Request::create_ingest_job(self.job.clone())
    }

    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self.data, Data::Csv { rows: 0, .. })
    }
}

fn data(purpose: &Purpose, object: &ObjectName, records: Value) -> Result<Data, InvalidInput> {
    let (csv, rows) = match records {
        Value::Array(records) => {
            let records = listed(purpose, object, records)?;
            (bulk_csv::of_records(&records, purpose)?, records.len() as u64)
        }
        Value::String(text) => {
            let mut csv = Vec::with_capacity(text.len());
            let rows = bulk_csv::normalized(text.as_bytes(), &mut csv, purpose);
            let rows =
                rows.map_err(|Flaw { expected, found, .. }| InvalidInput::new("records", expected, found))?;
            (csv, rows)
        }
        Value::Object(file) if file.contains_key(CSV_URL) => return address(&file).map(Data::File),
        other => {
            let expected = "a list of records, CSV as text, or {csvUrl: …} with the address of a CSV file";
            return Err(InvalidInput::new("records", expected, describe(Some(&other), Show::Value)));
        }
    };
    Ok(Data::Csv { csv: csv.into(), rows })
}

/// The one member of an object in the place of records.
const CSV_URL: &str = "csvUrl";

fn address(file: &Map<String, Value>) -> Result<SourceAddress, InvalidInput> {
    if let Some(other) = file.keys().find(|name| *name != CSV_URL) {
        return Err(InvalidInput::unknown("records", "the one field", other, &[CSV_URL]));
    }
    // The address itself is not told: it may hold a signature.
    let address = &file[CSV_URL];
    address.as_str().and_then(SourceAddress::new).ok_or_else(|| {
        let path = format!("records.{CSV_URL}");
        InvalidInput::new(path, SourceAddress::EXPECTED, describe(Some(address), Show::Type))
    })
}

/// The records of a list, each with its object and the field that says which it is.
fn listed(purpose: &Purpose, object: &ObjectName, records: Vec<Value>) -> Result<Vec<Value>, InvalidInput> {
    let records = records.into_iter().enumerate().map(|(index, record)| {
        let record = match record {
            Value::String(id) if purpose.verb.deletes() => json!({ "Id": id }),
            record => record,
        };
        with_type(record, Some(object)).map_err(|mistake| mistake.under(&format!("records[{index}]")))
    });
    let records = records.collect::<Result<Vec<_>, _>>()?;
    each_is(&records, object)?;
    match (purpose.verb, purpose.key()) {
        (Verb::Upsert, Some(key)) => {
            let expected = "the external id, without which the record would be created again and again";
            each_has(&records, key, expected)?;
        }
        (_, Some(_)) => each_has_id(&records)?,
        (_, None) => {}
    }
    Ok(records)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn purpose(verb: Verb, key: Option<&str>) -> Purpose {
        Purpose { verb, key: key.map(|key| key.parse().unwrap()) }
    }

    fn ingest(verb: Verb, key: Option<&str>, records: Value) -> Result<Ingest, String> {
        let (object, key) = ("Account".parse().unwrap(), key.map(|key| key.parse().unwrap()));
        let parts = Parts { object: &object, verb, key: key.as_ref(), assignment_rule: None };
        Ingest::of(&parts, records).map_err(|mistake| mistake.to_string())
    }

    fn csv(verb: Verb, key: Option<&str>, records: Value) -> String {
        let Data::Csv { csv, .. } = ingest(verb, key, records).unwrap().data else { panic!("it is here") };
        String::from_utf8(csv.to_vec()).unwrap()
    }

    #[test]
    fn the_job_says_what_is_done_by_which_field_and_how_its_csv_is_written() {
        let job = ingest(Verb::Upsert, Some("Key__c"), json!([{"Key__c": "k"}])).unwrap().job;
        let expected = json!({"object": "Account", "operation": "upsert", "externalIdFieldName": "Key__c",
            "contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF"});
        assert_eq!(Value::Object(job), expected);
    }

    #[test]
    fn ids_do_for_deletions_and_nothing_else_of_a_record_goes_there() {
        let records = json!(["001D000000IRFmaIAH", {"Id": "001D000000IRFmb", "Name": "Acme"}]);
        assert_eq!(csv(Verb::Delete, None, records), "Id\n001D000000IRFmaIAH\n001D000000IRFmb\n");
    }

    #[test]
    fn csv_as_text_is_taken_whatever_its_dialect() {
        assert_eq!(
            csv(Verb::Insert, None, json!("Name;Phone\r\nAcme;\"1;2\"\r\n")),
            "Name,Phone\nAcme,1;2\n"
        );
        assert!(ingest(Verb::Insert, None, json!("Name\n")).unwrap().is_empty());
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        for (verb, key, records, message) in [
            (
                Verb::Insert,
                Some("Key__c"),
                json!([]),
                "externalIdField: expected nothing, for only upsert finds records by it, found \"Key__c\" with \
                 bulkOperation insert",
            ),
            (
                Verb::Upsert,
                Some("Key__c"),
                json!([{"Name": "A"}]),
                "records[0].Key__c: expected the external id, without which the record would be created again and \
                 again, found nothing",
            ),
            (
                Verb::Update,
                None,
                json!([{"Name": "A"}]),
                "records[0].Id: expected the id of the record, found nothing",
            ),
            (
                Verb::Insert,
                None,
                json!([{"attributes": {"type": "Contact"}}]),
                "records[0].attributes.type: expected Account, as objectType says, found \"Contact\"",
            ),
            (
                Verb::Insert,
                None,
                json!({"Name": "A"}),
                "records: expected a list of records, CSV as text, or {csvUrl: …} with the address of a CSV file, found an object",
            ),
            (
                Verb::Update,
                None,
                json!("Name\nAcme\n"),
                "records: expected CSV with the column Id, which says which record is meant, found the columns Name",
            ),
        ] {
            assert_eq!(ingest(verb, key, records).unwrap_err(), message);
        }
    }
}
