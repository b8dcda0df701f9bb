//! Rows that a bulk job gives: CSV text, read into records; and what became of each.

use serde_json::{Map, Value, json};

use super::{
    bulk_csv::{NULL, delimiter},
    bulk_error,
};
use crate::connector::mapping::json_size;

/// What Salesforce says of a row stands in columns with this beginning.
const OWN: &str = "sf__";

/// How much is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) rows: usize,
    /// Of the rows as JSON.
    pub(super) bytes: usize,
}

/// Rows, and whether they are all.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Table {
    pub(super) rows: Vec<Value>,
    bytes: usize,
    /// Rows were left out, because they are more, or larger, than what is read.
    pub(super) were_cut: bool,
}

impl Table {
    /// Adds what `read` makes of each row of CSV text. Where the text was cut, its last row is none.
    pub(super) fn add(
        &mut self,
        (text, text_was_cut): (&str, bool),
        bounds: Bounds,
        read: impl Fn(&csv::StringRecord, &csv::StringRecord) -> Value,
    ) -> Result<(), csv::Error> {
        // Salesforce lets them into text, and no process can use them.
        let text = text.replace('\0', "");
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter(text.as_bytes()))
            .flexible(text_was_cut)
            .from_reader(text.as_bytes());
        let header = reader.headers()?.clone();
        let (mut row, mut next) = (csv::StringRecord::new(), csv::StringRecord::new());
        let mut is_one = reader.read_record(&mut row)?;
        while is_one {
            let is_last = !reader.read_record(&mut next)?;
            if is_last && text_was_cut {
                self.were_cut = true;
                break;
            }
            let made = read(&header, &row);
            self.bytes += json_size(&made);
            if self.rows.len() >= bounds.rows || self.bytes > bounds.bytes {
                self.were_cut = true;
                break;
            }
            self.rows.push(made);
            std::mem::swap(&mut row, &mut next);
            is_one = !is_last;
        }
        self.were_cut |= text_was_cut;
        Ok(())
    }
}

/// A row that a query found: an empty cell is a field that is empty.
pub(super) fn found(header: &csv::StringRecord, row: &csv::StringRecord) -> Value {
    let cells = header.iter().zip(row.iter());
    let cells =
        cells.map(|(name, cell)| (name.to_owned(), if cell.is_empty() { Value::Null } else { json!(cell) }));
    Value::Object(cells.collect())
}

/// What became of an uploaded row. Its `record` is as it was sent: nothing is said of a field whose cell was empty.
pub(super) fn result(header: &csv::StringRecord, row: &csv::StringRecord) -> Value {
    let (mut record, mut own) = (Map::new(), Map::new());
    for (name, cell) in header.iter().zip(row.iter()) {
        let value = if cell == NULL { Value::Null } else { json!(cell) };
        match name.strip_prefix(OWN) {
            Some(name) => _ = own.insert(name.to_lowercase(), json!(cell)),
            None if cell.is_empty() => {}
            None => _ = record.insert(name.to_owned(), value),
        }
    }
    let text = |name: &str| own.get(name).and_then(Value::as_str).unwrap_or_default();
    let id = Some(text("id")).filter(|id| !id.is_empty());
    let mut result = Map::new();
    let is_refused = own.contains_key("error");
    result.extend([("success".to_owned(), json!(!is_refused)), ("id".to_owned(), json!(id))]);
    if !is_refused {
        result.insert("created".to_owned(), json!(text("created") == "true"));
    }
    let errors: Vec<_> = bulk_error::errors(text("error")).iter().map(bulk_error::as_json).collect();
    result.insert("errors".to_owned(), json!(errors));
    result.insert("record".to_owned(), Value::Object(record));
    Value::Object(result)
}

/// The same for a row that the job did not come to.
pub(super) fn unprocessed(header: &csv::StringRecord, row: &csv::StringRecord) -> Value {
    let mut result = result(header, row);
    let error = json!({"errorCode": "NOT_PROCESSED", "message": "the bulk job did not come to this row", "fields": []});
    result["success"] = json!(false);
    result["errors"] = json!([error]);
    if let Value::Object(members) = &mut result {
        members.shift_remove("created");
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Bounds = Bounds { rows: usize::MAX, bytes: usize::MAX };

    fn rows(text: &str, was_cut: bool, bounds: Bounds) -> (Vec<Value>, bool) {
        let mut rows = Table::default();
        rows.add((text, was_cut), bounds, found).unwrap();
        (rows.rows, rows.were_cut)
    }

    #[test]
    fn rows_of_every_dialect_become_records_and_empty_cells_null() {
        let expected = vec![json!({"Id": "1", "Name": "a,b\nc"}), json!({"Id": "2", "Name": null})];
        for text in [
            "\"Id\",\"Name\"\n\"1\",\"a,b\nc\"\n\"2\",\"\"\n",
            "\"Id\"|\"Name\"\r\n\"1\"|\"a,b\nc\"\r\n\"2\"|\r\n",
            "Id\tName\n1\t\"a,b\n\0c\"\n2\t",
        ] {
            assert_eq!(rows(text, false, ALL), (expected.clone(), false), "{text:?}");
        }
        assert_eq!(rows("\"Id\"\n", false, ALL), (vec![], false));
        assert_eq!(rows("", false, ALL), (vec![], false));
    }

    #[test]
    fn of_more_than_is_read_the_first_rows_are_kept_whole() {
        let text = "Id\n1\n2\n3\n";
        assert_eq!(
            rows(text, false, Bounds { rows: 2, ..ALL }),
            (vec![json!({"Id": "1"}), json!({"Id": "2"})], true)
        );
        assert!(!rows(text, false, Bounds { rows: 3, ..ALL }).1);
        assert_eq!(rows(text, false, Bounds { bytes: 15, ..ALL }), (vec![json!({"Id": "1"})], true));
        assert_eq!(rows("Id,Name\n1,a\n2,\"b", true, ALL), (vec![json!({"Id": "1", "Name": "a"})], true));
        assert_eq!(rows("Id,Name\n1,a\n2", true, ALL), (vec![json!({"Id": "1", "Name": "a"})], true));
        assert_eq!(rows("Id,Na", true, ALL), (vec![], true));
    }

    #[test]
    fn a_row_says_what_became_of_it() {
        let mut rows = Table::default();
        let saved = "\"sf__Id\",\"sf__Created\",Name,Phone,Site\n\"001\",\"true\",\"Acme\",\"#N/A\",\"\"\n";
        rows.add((saved, false), ALL, result).unwrap();
        let refused =
            "\"sf__Id\",\"sf__Error\",Name\n\"\",\"REQUIRED_FIELD_MISSING:Missing: [Name]:Name --\",\"\"\n";
        rows.add((refused, false), ALL, result).unwrap();
        rows.add(("Name\nGlobex\n", false), ALL, unprocessed).unwrap();
        let error =
            json!({"errorCode": "REQUIRED_FIELD_MISSING", "message": "Missing: [Name]", "fields": ["Name"]});
        assert_eq!(
            rows.rows,
            [
                json!({"success": true, "id": "001", "created": true, "errors": [], "record": {"Name": "Acme", "Phone": null}}),
                json!({"success": false, "id": null, "errors": [error], "record": {}}),
                json!({"success": false, "id": null, "errors": [{"errorCode": "NOT_PROCESSED",
                       "message": "the bulk job did not come to this row", "fields": []}], "record": {"Name": "Globex"}}),
            ]
        );
    }
}
