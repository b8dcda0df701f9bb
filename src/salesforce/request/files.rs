//! Requests for files: a version's content up and down.

use std::fmt;

use bytes::Bytes;
use reqwest::Method;
use serde_json::{Map, Value};

use super::{CallClass, Request, segment};
use crate::salesforce::RecordId;

/// A file that goes with a JSON body, as the second part of `multipart/form-data`.
#[derive(Clone, PartialEq, Eq)]
pub struct FilePart {
    /// Named in the part's header; Salesforce goes by `PathOnClient`.
    pub(crate) name: String,
    /// Shared, never copied.
    pub(crate) content: Bytes,
}

impl fmt::Debug for FilePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilePart").field("name", &self.name).field("bytes", &self.content.len()).finish()
    }
}

/// What an answer is read as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AnswerForm {
    /// JSON, else text.
    #[default]
    Json,
    /// A file, whatever its bytes; the body of the response is its Base64.
    File {
        /// A larger one is refused.
        max_bytes: usize,
    },
    /// Text, whatever it looks like.
    Text {
        /// What is beyond so many bytes is left out; who wants to know whether something is asks for one more.
        up_to: usize,
    },
}

/// How a line of a header ends.
const LINE: &str = "\r\n";

impl FilePart {
    /// The content type with a new boundary, and the body in pieces, the file itself untouched.
    pub(in crate::salesforce) fn body(&self, entity: &Value) -> (String, [Bytes; 3]) {
        // 128 random bits do not occur in a file by chance, and nobody can know them beforehand.
        let boundary = format!("{:032x}", fastrand::u128(..));
        // As browsers write names (HTML, "multipart/form-data"), so that none can end its header.
        let name = self.name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
        let before = format!(
            "--{boundary}{LINE}Content-Disposition: form-data; name=\"entity_content\"{LINE}\
             Content-Type: application/json{LINE}{LINE}{entity}{LINE}\
             --{boundary}{LINE}Content-Disposition: form-data; name=\"VersionData\"; filename=\"{name}\"{LINE}\
             Content-Type: application/octet-stream{LINE}{LINE}"
        );
        let after = format!("{LINE}--{boundary}--{LINE}");
        (
            format!("multipart/form-data; boundary={boundary}"),
            [before.into(), self.content.clone(), after.into()],
        )
    }
}

impl Request {
    /// `POST /sobjects/ContentVersion`: creates a file, or a new version of one, from its fields and its content.
    pub fn create_file(fields: Map<String, Value>, name: &str, content: Bytes) -> Self {
        let path = "/sobjects/ContentVersion".to_owned();
        let mut request = Self::new(Method::POST, path, CallClass::UnsafeWrite).with_body(fields);
        request.file = Some(FilePart { name: name.to_owned(), content });
        request
    }

    /// `GET /sobjects/ContentVersion/068…?fields=…`: what a version is.
    pub fn file_fields(version: &RecordId, fields: &str) -> Self {
        Self::fields(format!("/sobjects/ContentVersion/{}", segment(version.as_str())), fields)
    }

    /// `GET /sobjects/ContentDocument/069…/LatestPublishedVersion?fields=…`: what the latest version of a file is.
    pub fn latest_file_fields(document: &RecordId, fields: &str) -> Self {
        let document = segment(document.as_str());
        Self::fields(format!("/sobjects/ContentDocument/{document}/LatestPublishedVersion"), fields)
    }

    fn fields(path: String, fields: &str) -> Self {
        let mut request = Self::new(Method::GET, path, CallClass::Read);
        request.query.push(("fields".to_owned(), fields.to_owned()));
        request
    }

    /// `POST /sobjects/ContentDocumentLink`: links a file to a record. It may be repeated: a second time is refused with
    /// `DUPLICATE_VALUE`.
    pub fn link_file(link: Value) -> Self {
        let path = "/sobjects/ContentDocumentLink".to_owned();
        let mut request = Self::new(Method::POST, path, CallClass::IdempotentWrite);
        request.body = Some(link);
        request
    }

    /// `GET /sobjects/ContentVersion/068…/VersionData`: the content of a version.
    pub fn file_content(version: &RecordId, max_bytes: usize) -> Self {
        let path = format!("/sobjects/ContentVersion/{}/VersionData", segment(version.as_str()));
        let mut request = Self::new(Method::GET, path, CallClass::Read);
        request.answer = AnswerForm::File { max_bytes };
        request
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::salesforce::Path;

    #[test]
    fn a_file_is_sent_beside_its_fields_and_no_name_ends_its_header() {
        let content = Bytes::from_static(b"\x00--\xff\r\n");
        let fields = json!({"PathOnClient": "a.bin"}).as_object().unwrap().clone();
        let request = Request::create_file(fields, "a\"\r\nX: y.bin", content.clone());
        assert_eq!((&request.method, request.class), (&Method::POST, CallClass::UnsafeWrite));
        let file = request.file.unwrap();
        let (kind, [before, middle, after]) = file.body(&request.body.unwrap());
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
        let before = std::str::from_utf8(&before).unwrap();
        let lines: Vec<&str> = before.split("\r\n").collect();
        assert_eq!(
            lines[1..5],
            [
                "Content-Disposition: form-data; name=\"entity_content\"",
                "Content-Type: application/json",
                "",
                "{\"PathOnClient\":\"a.bin\"}",
            ]
        );
        let disposition =
            "Content-Disposition: form-data; name=\"VersionData\"; filename=\"a%22%0D%0AX: y.bin\"";
        assert_eq!(
            (lines[0], lines[5], lines[6]),
            (&*format!("--{boundary}"), &*format!("--{boundary}"), disposition)
        );
        assert_eq!((middle, after), (content, Bytes::from(format!("\r\n--{boundary}--\r\n"))));
        assert_eq!(format!("{file:?}"), "FilePart { name: \"a\\\"\\r\\nX: y.bin\", bytes: 6 }");
    }

    #[test]
    fn a_content_is_read_as_a_file() {
        let request = Request::file_content(&"0685g00000ABCDEAA5".parse().unwrap(), 7);
        let path = "/sobjects/ContentVersion/0685g00000ABCDEAA5/VersionData";
        assert_eq!((request.path, request.class), (Path::Versioned(path.to_owned()), CallClass::Read));
        assert_eq!(request.answer, AnswerForm::File { max_bytes: 7 });
    }
}
