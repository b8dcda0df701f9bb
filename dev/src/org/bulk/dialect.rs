//! How the CSV of a job is written: column delimiter and line ending.

use serde_json::{Map, Value};

use crate::org::error::{ApiError, ApiResult};

const DELIMITERS: [(&str, u8); 6] = [
    ("BACKQUOTE", b'`'),
    ("CARET", b'^'),
    ("COMMA", b','),
    ("PIPE", b'|'),
    ("SEMICOLON", b';'),
    ("TAB", b'\t'),
];

/// The CSV of one job, both ways.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    delimiter: (&'static str, u8),
    crlf: bool,
}

impl Dialect {
    /// What a body asks for with `columnDelimiter` and `lineEnding`; commas and line feeds where it is silent.
    pub(super) fn read(body: &Map<String, Value>) -> ApiResult<Self> {
        let delimiter = text(body, "columnDelimiter")?.unwrap_or("COMMA");
        let known = DELIMITERS.iter().find(|(name, _)| *name == delimiter);
        let delimiter = *known.ok_or_else(|| invalid_value("columnDelimiter", delimiter))?;
        let crlf = match text(body, "lineEnding")? {
            None | Some("LF") => false,
            Some("CRLF") => true,
            Some(other) => return Err(invalid_value("lineEnding", other)),
        };
        Ok(Self { delimiter, crlf })
    }

    pub(super) fn delimiter_name(self) -> &'static str {
        self.delimiter.0
    }

    pub(super) fn line_ending_name(self) -> &'static str {
        if self.crlf { "CRLF" } else { "LF" }
    }

    fn line_ending(self) -> &'static str {
        if self.crlf { "\r\n" } else { "\n" }
    }

    /// Whether the first line, which ends outside quotes, ends as the job says.
    pub(super) fn fits(self, data: &[u8]) -> bool {
        let mut quoted = false;
        let end = data.iter().position(|byte| {
            quoted ^= *byte == b'"';
            *byte == b'\n' && !quoted
        });
        end.is_none_or(|end| (end > 0 && data[end - 1] == b'\r') == self.crlf)
    }

    /// A reader of rows without a header.
    pub(super) fn reader(self, data: &[u8]) -> csv::Reader<&[u8]> {
        csv::ReaderBuilder::new()
            .delimiter(self.delimiter.1)
            .has_headers(false)
            .flexible(true)
            .from_reader(data)
    }

    /// CSV as Salesforce answers it: its own columns and all values quoted, the columns of the upload as they came.
    pub(super) fn writer(self, own: &[&str], columns: &[String]) -> Writer {
        let quoted = own.iter().map(|name| format!("\"{name}\""));
        let header: Vec<String> = quoted.chain(columns.iter().cloned()).collect();
        let delimiter = char::from(self.delimiter.1).to_string();
        let text = header.join(&delimiter) + self.line_ending();
        let terminator = if self.crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let rows = csv::WriterBuilder::new()
            .delimiter(self.delimiter.1)
            .quote_style(csv::QuoteStyle::Always)
            .terminator(terminator)
            .flexible(true)
            .from_writer(text.into_bytes());
        Writer { rows }
    }
}

/// Rows below a header.
pub(super) struct Writer {
    rows: csv::Writer<Vec<u8>>,
}

impl Writer {
    /// Adds a row.
    pub(super) fn row<'a>(&mut self, cells: impl Iterator<Item = &'a [u8]>) {
        self.rows.write_record(cells).expect("memory takes every row");
    }

    /// All that was written.
    pub(super) fn finish(self) -> Vec<u8> {
        self.rows.into_inner().expect("memory takes every row")
    }
}

/// Refuses a body with other properties than these.
pub(super) fn known_properties(body: &Map<String, Value>, known: &[&str]) -> ApiResult<()> {
    body.keys().find(|name| !known.contains(&name.as_str())).map_or(Ok(()), |unknown| {
        let message = format!("Unrecognized field \"{unknown}\", not marked as ignorable");
        Err(ApiError::bad_request("JSON_PARSER_ERROR", message))
    })
}

/// A text in the body of a request; a value of another kind is refused as one that the property does not have.
pub(super) fn text<'a>(body: &'a Map<String, Value>, property: &str) -> ApiResult<Option<&'a str>> {
    match body.get(property) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(invalid_value(property, &other.to_string())),
    }
}

/// A value that a property cannot have.
pub(super) fn invalid_value(property: &str, value: &str) -> ApiError {
    let message = format!("Invalid value: '{value}' supplied for property: '{property}'");
    ApiError::bad_request("API_ERROR", message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn dialect(body: &Value) -> Dialect {
        Dialect::read(body.as_object().expect("an object")).expect("a known dialect")
    }

    #[test]
    fn a_line_ending_is_looked_for_outside_quotes() {
        let (lf, crlf) = (dialect(&json!({})), dialect(&json!({ "lineEnding": "CRLF" })));
        for (data, is_lf, is_crlf) in [
            ("Name\nA\n", true, false),
            ("Name\r\nA\r\n", false, true),
            ("\"Na\r\nme\"\nA\n", true, false),
            ("Name", true, true),
            ("", true, true),
            ("\nA", true, false),
        ] {
            assert_eq!((lf.fits(data.as_bytes()), crlf.fits(data.as_bytes())), (is_lf, is_crlf), "{data:?}");
        }
    }

    #[test]
    fn results_quote_their_values_and_salesforces_own_columns() {
        let dialect = dialect(&json!({ "columnDelimiter": "PIPE", "lineEnding": "CRLF" }));
        let mut writer = dialect.writer(&["sf__Id"], &["Name".into(), "Site".into()]);
        writer.row([&b"001"[..], b"a|\"b\"", b""].into_iter());
        let expected = "\"sf__Id\"|Name|Site\r\n\"001\"|\"a|\"\"b\"\"\"|\"\"\r\n";
        assert_eq!(String::from_utf8(writer.finish()).expect("text"), expected);
    }
}
