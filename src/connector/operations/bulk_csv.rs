//! The CSV of a bulk job: made of records, or of other CSV, always with commas and line feeds.
//!
//! An empty cell leaves its field as it is, `#N/A` empties it.

use std::{
    borrow::Cow,
    collections::HashMap,
    io::{self, Read, Write},
};

use serde_json::Value;

use super::bulk_input::Purpose;
use crate::{
    connector::{
        InvalidInput,
        input::{Show, describe, shorten},
    },
    salesforce::FieldName,
};

/// What empties a field.
pub(super) const NULL: &str = "#N/A";

/// The most that Salesforce advises to upload to one job, in bytes: it holds 150 MB of base64.
pub(super) const MOST_BYTES: u64 = 100_000_000;

/// A header that is longer is none.
const LONGEST_HEADER: usize = 1024 * 1024;

/// What stands between the columns of CSV that Salesforce takes. No API name has one of them.
const DELIMITERS: &[u8] = b",\t;|^`";

/// What is wrong with CSV.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Flaw {
    pub(super) expected: String,
    pub(super) found: String,
    /// Nothing is: it could not be sent on.
    pub(super) is_of_sending: bool,
}

pub(super) fn flaw(expected: impl Into<String>, found: impl Into<String>) -> Flaw {
    Flaw { expected: expected.into(), found: found.into(), is_of_sending: false }
}

/// A name and a value of a record.
type Cell<'a> = (Cow<'a, str>, &'a Value);

/// The CSV of typed records: its columns are those of all of them, in the order in which they come up.
pub(super) fn of_records(records: &[Value], purpose: &Purpose) -> Result<Vec<u8>, InvalidInput> {
    let mut columns = Columns::default();
    for (index, record) in records.iter().enumerate() {
        let cells = cells(record, purpose);
        let cells = cells.map_err(|mistake| mistake.under(&format!("records[{index}]")))?;
        for (name, _) in cells {
            columns.add(name);
        }
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(columns.names.iter().map(|name| name.as_bytes()))
        .map_err(|error| unwritten(&error))?;
    for (index, record) in records.iter().enumerate() {
        let mut row = vec![Cow::Borrowed(""); columns.names.len()];
        for (name, value) in cells(record, purpose)? {
            row[columns.place(&name)] = text(value);
        }
        if let Some(place) = row.iter().position(|cell| cell.contains('\0')) {
            let path = format!("records[{index}].{}", columns.names[place]);
            return Err(InvalidInput::new(path, "text without NUL characters", "one with a NUL"));
        }
        writer.write_record(row.iter().map(|cell| cell.as_bytes())).map_err(|error| unwritten(&error))?;
    }
    let csv = writer.into_inner().map_err(|error| unwritten(&error.into_error().into()))?;
    if csv.len() as u64 > MOST_BYTES {
        let found = format!("{} bytes", csv.len());
        return Err(InvalidInput::new(
            "records",
            format!("at most {MOST_BYTES} bytes of CSV in one task"),
            found,
        ));
    }
    Ok(csv)
}

fn unwritten(error: &csv::Error) -> InvalidInput {
    InvalidInput::new("records", "what can be written as CSV", error.to_string())
}

/// The columns so far; Salesforce does not look at case.
#[derive(Default)]
struct Columns<'a> {
    names: Vec<Cow<'a, str>>,
    places: HashMap<String, usize>,
}

impl<'a> Columns<'a> {
    fn add(&mut self, name: Cow<'a, str>) {
        let places = self.names.len();
        self.places.entry(name.to_ascii_lowercase()).or_insert_with(|| {
            self.names.push(name);
            places
        });
    }

    fn place(&self, name: &str) -> usize {
        self.places[&name.to_ascii_lowercase()]
    }
}

/// The cells of a record. Of one that is deleted, only its id is said.
fn cells<'a>(record: &'a Value, purpose: &Purpose) -> Result<Vec<Cell<'a>>, InvalidInput> {
    let mut cells = Vec::new();
    for (name, value) in record.as_object().into_iter().flatten() {
        if name == "attributes" || (purpose.verb.deletes() && !name.eq_ignore_ascii_case("Id")) {
            continue;
        }
        match value {
            Value::Object(related) => {
                for (key, value) in related.iter().filter(|(key, _)| *key != "attributes") {
                    let object = related.get("attributes").and_then(|attributes| attributes["type"].as_str());
                    let object = object.map(|object| format!("{object}:")).unwrap_or_default();
                    let path = format!("{object}{name}.{key}");
                    if matches!(value, Value::Object(_) | Value::Array(_)) {
                        return Err(not_a_value(&format!("{name}.{key}"), value));
                    }
                    cells.push((checked(path)?, value));
                }
            }
            Value::Array(_) => return Err(not_a_value(name, value)),
            value => cells.push((checked(name.as_str())?, value)),
        }
    }
    Ok(cells)
}

fn not_a_value(path: &str, value: &Value) -> InvalidInput {
    let expected = "a text, number, boolean or null; another record is named by one of its fields, as in {Owner: {External_Key__c: \
                    \"A-1\"}}";
    InvalidInput::new(shorten(path), expected, describe(Some(value), Show::Value))
}

fn checked<'a>(name: impl Into<Cow<'a, str>>) -> Result<Cow<'a, str>, InvalidInput> {
    let name = name.into();
    if is_column(&name) { Ok(name) } else { Err(InvalidInput::new(shorten(&name), COLUMN, "another name")) }
}

const COLUMN: &str =
    "the API name of a field, such as Name, Owner.External_Key__c or Contact:Who.External_Key__c";

/// Whether a column can be one of Salesforce's: a field, or one of another record over a relationship.
fn is_column(name: &str) -> bool {
    let path = name
        .split_once(':')
        .map_or(Some(name), |(object, path)| object.parse::<FieldName>().is_ok().then_some(path));
    path.is_some_and(|path| path.split('.').all(|part| part.parse::<FieldName>().is_ok()))
}

/// An empty text empties its field, as it does where a record is saved by itself.
fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(NULL),
        Value::String(text) if text.is_empty() => Cow::Borrowed(NULL),
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// Writes CSV of any dialect anew, and checks it on the way; gives the number of rows below the header.
pub(super) fn normalized(mut input: impl Read, output: impl Write, purpose: &Purpose) -> Result<u64, Flaw> {
    let start = first_line(&mut input)?;
    let delimiter = delimiter(&start);
    let whole = io::Cursor::new(start).chain(input);
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(whole);
    let mut writer = csv::Writer::from_writer(Bounded { output, written: 0 });
    let header = reader.headers().map_err(|error| unread(&error))?.clone();
    check_header(&header, purpose)?;
    writer.write_record(&header).map_err(|error| unsent(&error))?;
    let (mut row, mut rows) = (csv::StringRecord::new(), 0);
    while reader.read_record(&mut row).map_err(|error| unread(&error))? {
        rows += 1;
        if let Some(place) = row.iter().position(|cell| cell.contains('\0')) {
            let found = format!("one in row {rows}, column {}", &header[place]);
            return Err(flaw("CSV without NUL characters", found));
        }
        writer.write_record(&row).map_err(|error| unsent(&error))?;
    }
    writer.flush().map_err(|error| unsent(&error.into()))?;
    Ok(rows)
}

/// At least the first line, where there is one that may be a header.
fn first_line(input: &mut impl Read) -> Result<Vec<u8>, Flaw> {
    let mut start = Vec::new();
    let mut piece = [0; 8 * 1024];
    while !start.contains(&b'\n') && start.len() < LONGEST_HEADER {
        let read = input.read(&mut piece).map_err(|error| unread(&error.into()))?;
        if read == 0 {
            break;
        }
        start.extend_from_slice(&piece[..read]);
    }
    Ok(start)
}

/// What stands between the columns: the first in the header that can.
pub(super) fn delimiter(header: &[u8]) -> u8 {
    let line = header.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    line.iter().copied().find(|byte| DELIMITERS.contains(byte)).unwrap_or(b',')
}

fn check_header(header: &csv::StringRecord, purpose: &Purpose) -> Result<(), Flaw> {
    let unusable = header.iter().find(|name| !is_column(name)).or(header.is_empty().then_some(""));
    if let Some(name) = unusable {
        return Err(flaw(
            format!("CSV with a first line of columns, each {COLUMN}"),
            format!("{:?}", shorten(name)),
        ));
    }
    let mut names: Vec<_> = header.iter().map(str::to_ascii_lowercase).collect();
    names.sort_unstable();
    if let Some([name, _]) = names.array_windows().find(|[first, second]| first == second) {
        return Err(flaw("CSV with each column once", format!("the column {} twice", shorten(name))));
    }
    let told = || shorten(&header.iter().collect::<Vec<_>>().join(", "));
    match purpose.key() {
        Some(key) if !names.contains(&key.to_ascii_lowercase()) => {
            let expected = format!("CSV with the column {key}, which says which record is meant");
            Err(flaw(expected, format!("the columns {}", told())))
        }
        Some(_) if purpose.verb.deletes() && names.len() > 1 => {
            Err(flaw("CSV with no other column than Id for a deletion", format!("the columns {}", told())))
        }
        _ => Ok(()),
    }
}

fn unread(error: &csv::Error) -> Flaw {
    let place = |position: &Option<csv::Position>| {
        position.as_ref().map(|position| format!(" in line {}", position.line())).unwrap_or_default()
    };
    let found = match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            format!("{len} columns{} under a header of {expected_len}", place(pos))
        }
        csv::ErrorKind::Utf8 { pos, .. } => format!("bytes that are no UTF-8{}", place(pos)),
        _ => error.to_string(),
    };
    flaw("CSV in UTF-8 with as many columns in every row as in the first", found)
}

fn unsent(error: &csv::Error) -> Flaw {
    match error.kind() {
        csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            flaw(format!("at most {MOST_BYTES} bytes of CSV in one task"), "more")
        }
        _ => Flaw { is_of_sending: true, ..flaw("what can be sent on", error.to_string()) },
    }
}

/// Refuses more than Salesforce takes.
struct Bounded<W> {
    output: W,
    written: u64,
}

impl<W: Write> Write for Bounded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.written + bytes.len() as u64 > MOST_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let written = self.output.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{
        super::bulk_input::{Verb, tests::purpose},
        *,
    };

    fn made(records: Value) -> Result<String, String> {
        let Value::Array(records) = records else { panic!("a list") };
        let csv = of_records(&records, &purpose(Verb::Insert, None));
        csv.map(|csv| String::from_utf8(csv).unwrap()).map_err(|mistake| mistake.to_string())
    }

    fn anew(csv: &[u8]) -> Result<(String, u64), String> {
        let mut output = Vec::new();
        let rows = normalized(csv, &mut output, &purpose(Verb::Insert, None));
        let rows =
            rows.map_err(|Flaw { expected, found, .. }| format!("expected {expected}, found {found}"))?;
        Ok((String::from_utf8(output).unwrap(), rows))
    }

    #[test]
    fn columns_are_those_of_all_records_and_what_a_record_does_not_say_is_left_as_it_is() {
        let exact: Value = serde_json::from_str("5.50").unwrap();
        let records = json!([
            {"attributes": {"type": "Account"}, "Name": "Acme", "Phone": null, "IsActive": true},
            {"NAME": "Globex, \"Inc\"", "Employees": exact, "Phone": ""},
            {"Owner": {"attributes": {"type": "User"}, "Key__c": "u"}, "Parent": {"Key__c": "p"}, "Name": "two\nlines"},
        ]);
        let expected = "Name,Phone,IsActive,Employees,User:Owner.Key__c,Parent.Key__c\n\
                        Acme,#N/A,true,,,\n\
                        \"Globex, \"\"Inc\"\"\",#N/A,,5.50,,\n\
                        \"two\nlines\",,,,u,p\n";
        assert_eq!(made(records).unwrap(), expected);
    }

    #[test]
    fn what_a_cell_cannot_hold_is_refused_with_its_place() {
        for (record, message) in [
            (
                json!({"Tags": ["a"]}),
                "records[1].Tags: expected a text, number, boolean or null; another record is named",
            ),
            (
                json!({"Owner": {"Parent": {"Key__c": "k"}}}),
                "records[1].Owner.Parent: expected a text, number, boolean or",
            ),
            (json!({"Na,me": "a"}), "records[1].Na,me: expected the API name of a field, such as Name"),
            (
                json!({"Name": "a\u{0}b"}),
                "records[1].Name: expected text without NUL characters, found one with a NUL",
            ),
        ] {
            let message_found = made(json!([{"Name": "A"}, record])).unwrap_err();
            assert!(message_found.starts_with(message), "{message_found}");
        }
    }

    #[test]
    fn csv_of_every_dialect_becomes_the_same() {
        let expected = ("Name,Owner.Key__c\nAcme,\"a,b\"\nGlobex,\n".to_owned(), 2);
        for csv in [
            "Name,Owner.Key__c\nAcme,\"a,b\"\nGlobex,\n",
            "Name;Owner.Key__c\r\nAcme;a,b\r\n\r\nGlobex;",
            "\u{feff}\"Name\"\t\"Owner.Key__c\"\r\"Acme\"\ta,b\rGlobex\t\r",
            "Name|Owner.Key__c\nAcme|a,b\nGlobex|\n",
        ] {
            assert_eq!(anew(csv.as_bytes()).unwrap(), expected, "{csv:?}");
        }
        assert_eq!(anew(b"Name\n\"two\r\nlines\"\n").unwrap(), ("Name\n\"two\r\nlines\"\n".to_owned(), 1));
        assert_eq!(anew(b"Name").unwrap(), ("Name\n".to_owned(), 0));
    }

    #[test]
    fn csv_that_cannot_be_right_is_refused_with_its_place() {
        for (csv, message) in [
            (&b"Name,Phone\nAcme\n"[..], "1 columns in line 2 under a header of 2"),
            (b"Name\nAc\xffme\n", "bytes that are no UTF-8 in line 2"),
            (b"Name\nAc\0me\n", "found one in row 1, column Name"),
            (b"Name,name\n", "expected CSV with each column once, found the column name twice"),
            (b"", "found \"\""),
            (b"Acme Inc.,5\n", "found \"Acme Inc.\""),
        ] {
            let found = anew(csv).unwrap_err();
            assert!(found.contains(message), "{message} is not in {found}");
        }
        let mut output = Vec::new();
        let flaw = normalized(&b"Id,Name\n"[..], &mut output, &purpose(Verb::HardDelete, None)).unwrap_err();
        assert_eq!(flaw.found, "the columns Id, Name");
    }

    #[test]
    fn more_than_salesforce_takes_is_refused_and_never_handed_on() {
        struct Endless(usize);
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let line: &[u8] = if self.0 == 0 { b"Name\n" } else { b"0123456789012345678901234567890\n" };
                self.0 += 1;
                buffer[..line.len()].copy_from_slice(line);
                Ok(line.len())
            }
        }
        let flaw = normalized(Endless(0), io::sink(), &purpose(Verb::Insert, None)).unwrap_err();
        assert_eq!(flaw.expected, "at most 100000000 bytes of CSV in one task");
    }

    proptest! {
        #[test]
        fn whatever_stands_in_a_cell_comes_out_of_it_again(
            cells in prop::collection::vec("[\",;\\r\\n a-bé#']{1,12}", 1..6)
        ) {
            let records: Vec<_> = cells.iter().map(|cell| json!({"Name": cell, "Phone": "5"})).collect();
            let csv = made(Value::Array(records)).unwrap();
            let (again, rows) = anew(csv.as_bytes()).unwrap();
            prop_assert_eq!((&again, rows), (&csv, cells.len() as u64));
            let mut reader = csv::Reader::from_reader(csv.as_bytes());
            let read: Vec<String> = reader.records().map(|row| row.unwrap()[0].to_owned()).collect();
            prop_assert_eq!(read, cells);
        }
    }
}
