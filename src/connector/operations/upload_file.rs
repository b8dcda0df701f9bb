//! `uploadFile`: how does a file of the process get into Salesforce, and to a record?

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    documents, fields,
};
use crate::{
    connector::{Error, InvalidInput, codes, input},
    salesforce::{CallClass, RecordId, Request, Response},
    zeebe::DocumentReference,
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "uploadFile",
    area: Area::Files,
    label: "Upload file",
    summary: "Uploads a file, or a new version of one, and links it to a record.",
    keywords: &["file", "upload", "attach", "attachment", "document", "content", "contentversion", "pdf"],
    class: CallClass::UnsafeWrite,
    class_with: None,
    calls: "two, `POST /sobjects/ContentVersion` with the file in a part of its own, and `GET /sobjects/ContentVersion/{id}` for the \
            id of the document; the latter only for a new file.",
    body: "`id` of the new ContentVersion, `contentDocumentId` of the file that it is a version of, `success`, `errors`.",
    contents: &[ResultContent::Response, ResultContent::Body, ResultContent::Id],
    inputs: &[
        Input {
            name: "content",
            label: "File",
            kind: InputKind::Value,
            required: true,
            tooltip: "A Camunda document (a reference, or a list with one, as forms give it), or text, such as invoiceDocument. \
                      Documents need Camunda 8.7 or later.",
            placeholder: "=invoiceDocument",
        },
        Input {
            name: "encoding",
            label: "Text is",
            kind: InputKind::Choice {
                choices: &[("base64", "Base64 of the file"), ("text", "the file itself, in UTF-8")],
            },
            required: false,
            tooltip: "How a text in File is read, such as \"UXVvdGU=\" or \"Quote\". Of no meaning for a Camunda document.",
            placeholder: "",
        },
        Input {
            name: "pathOnClient",
            label: "File name",
            kind: InputKind::Text { pattern: None },
            required: false,
            tooltip: "The name with its ending, which tells Salesforce the type, such as invoice-17.pdf. Empty: the name of the \
                      Camunda document; text must have one.",
            placeholder: "invoice-17.pdf",
        },
        Input {
            name: "title",
            label: "Title",
            kind: InputKind::Text { pattern: None },
            required: false,
            tooltip: "What people see in Salesforce, such as Invoice 17. Empty: the file name without its ending.",
            placeholder: "Invoice 17",
        },
        Input {
            name: "firstPublishLocationId",
            label: "Link to record",
            kind: InputKind::Text { pattern: Some((fields::RECORD_ID, fields::NO_RECORD_ID)) },
            required: false,
            tooltip: "The id of a record that the new file is attached to, such as 500D000000IRFmaIAH; it costs no further call. \
                      Not together with New version of.",
            placeholder: "=caseId",
        },
        Input {
            name: "contentDocumentId",
            label: "New version of",
            kind: InputKind::Text { pattern: Some((fields::RECORD_ID, fields::NO_RECORD_ID)) },
            required: false,
            tooltip: "The id of a file (ContentDocument) that gets a new version, such as 069D00000000so2IAA. Empty: a new file.",
            placeholder: "=fileId",
        },
        Input {
            name: "body",
            label: "Further fields",
            kind: InputKind::Context,
            required: false,
            tooltip: "Further fields of ContentVersion by their API names, such as {Description: \"Signed\"}.",
            placeholder: "={Description: \"Signed\"}",
        },
    ],
    examples: Examples {
        answer: (
            201,
            r#"{"id": "0685g00000ABCDEAA5", "success": true, "errors": [], "contentDocumentId": "0695g00000ABCDEAA5"}"#,
        ),
        refusal: (
            400,
            r#"[{"errorCode": "INVALID_CROSS_REFERENCE_KEY", "message": "invalid cross reference id", "fields": []}]"#,
        ),
        result: "={fileId: body.contentDocumentId}",
        error: "=if error.code = \"INVALID_CROSS_REFERENCE_KEY\" \
                then bpmnError(\"no such record\", error.message) else null",
    },
};

/// The input of `uploadFile`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UploadFile {
    content: Value,
    #[serde(default)]
    encoding: Encoding,
    path_on_client: Option<String>,
    title: Option<String>,
    first_publish_location_id: Option<RecordId>,
    content_document_id: Option<RecordId>,
    #[serde(default, deserialize_with = "fields::object")]
    body: Map<String, Value>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    #[default]
    Base64,
    Text,
}

/// Where the bytes come from.
enum Source {
    Here(Bytes),
    Document(DocumentReference),
}

impl UploadFile {
    fn source(&self) -> Result<Source, InvalidInput> {
        if let Some(reference) = documents::reference("content", &self.content)? {
            return Ok(Source::Document(reference));
        }
        let Value::String(text) = &self.content else {
            let found = input::describe(Some(&self.content), input::Show::Type);
            return Err(InvalidInput::new("content", "a Camunda document, or text", found));
        };
        let content = match self.encoding {
            Encoding::Text => Bytes::from(text.clone()),
            Encoding::Base64 => {
                // Mail and shells break long lines.
                let packed: String = text.split_whitespace().collect();
                let decoded = STANDARD.decode(packed).map_err(|mistake| {
                    let expected = "the Base64 of a file (or encoding \"text\")";
                    InvalidInput::new("content", expected, format!("a text that is not: {mistake}"))
                })?;
                Bytes::from(decoded)
            }
        };
        Ok(Source::Here(content))
    }

    fn file_name(&self, source: &Source) -> Result<String, InvalidInput> {
        let of_document = match source {
            Source::Document(reference) => reference.metadata.file_name.clone(),
            Source::Here(_) => None,
        };
        let expected = "the name of the file with its ending, such as \"invoice-17.pdf\"";
        let name = self.path_on_client.clone().or(of_document);
        name.ok_or_else(|| InvalidInput::new("pathOnClient", expected, "nothing"))
    }

    /// Refuses what Salesforce refuses: a new version has the links of its file, and gets no first one.
    fn request_with(self, name: &str, content: Bytes) -> Result<Request, InvalidInput> {
        if let (Some(_), Some(found)) = (&self.content_document_id, &self.first_publish_location_id) {
            let expected = "nothing beside contentDocumentId, whose links a new version keeps; use linkFile";
            return Err(InvalidInput::new(
                "firstPublishLocationId",
                expected,
                format!("{:?}", found.as_str()),
            ));
        }
        let mut entity = self.body;
        let own = [
            ("Title", self.title),
            ("FirstPublishLocationId", self.first_publish_location_id.map(|id| id.to_string())),
            ("ContentDocumentId", self.content_document_id.map(|id| id.to_string())),
        ];
        for (field, value) in own {
            if let Some(value) = value {
                entity.insert(field.to_owned(), json!(value));
            }
        }
        entity.insert("PathOnClient".to_owned(), json!(name));
        Ok(Request::create_file(entity, name, content))
    }
}

impl Operate for UploadFile {
    fn checked(self) -> Result<Self, InvalidInput> {
        let source = self.source()?;
        self.file_name(&source)?;
        let own = ["VersionData", "PathOnClient", "Title", "FirstPublishLocationId", "ContentDocumentId"];
        let is_own = |name: &&String| own.iter().any(|own| own.eq_ignore_ascii_case(name));
        if let Some(name) = self.body.keys().find(is_own) {
            let expected = "no field that the task has a field of its own for";
            return Err(InvalidInput::new(format!("body.{name}"), expected, "one"));
        }
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        let source = self.source()?;
        let name = self.file_name(&source)?;
        let content = match source {
            Source::Here(content) => content,
            Source::Document(_) => Bytes::new(),
        };
        self.request_with(&name, content)
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let source = self.source()?;
        let (name, known) = (self.file_name(&source)?, self.content_document_id.clone());
        let (content, _room) = match source {
            Source::Here(content) => {
                let room = call.files.take(&format!("the file {name:?}"), content.len()).await?;
                (content, room)
            }
            Source::Document(reference) => {
                let most = call.files.max_bytes();
                let told = reference.metadata.size.map(|size| usize::try_from(size).unwrap_or(usize::MAX));
                let what = format!("the document {:?}", reference.document_id);
                let room = call.files.take(&what, told.unwrap_or(most)).await?;
                // A document that is larger than it says is not read beyond the room that was taken for it.
                (call.documents.read(&reference, told.unwrap_or(most), call.timeout).await?, room)
            }
        };
        let request = self.request_with(&name, content)?;
        let response = call.send(&request).await?;
        drop(request);
        with_document(response, known, call).await
    }
}

/// The answer with the id of the file, which Salesforce does not tell.
async fn with_document(
    mut response: Response,
    known: Option<RecordId>,
    call: &Call<'_>,
) -> Result<Response, Error> {
    let version = response.body["id"].as_str().unwrap_or_default().to_owned();
    let document = match known {
        Some(id) => json!(id.as_str()),
        None => match read_document(&version, call).await {
            Ok(id) => id,
            Err(error) => {
                let message = format!(
                    "the file is uploaded as ContentVersion {version}, but the id of its ContentDocument could not be read: \
                     {error}. Resolving the incident would upload it again"
                );
                return Err(Error::new(&codes::PARTLY_DONE, message).with_response(response).after_writing());
            }
        },
    };
    if let Value::Object(body) = &mut response.body {
        body.insert("contentDocumentId".to_owned(), document);
    }
    Ok(response)
}

async fn read_document(version: &str, call: &Call<'_>) -> Result<Value, Error> {
    let misfit =
        |found: String| Error::new(&codes::INVALID_RESPONSE, format!("expected an id, found {found}"));
    let id: RecordId = version.parse().map_err(|_| misfit(format!("{version:?}")))?;
    let response = call.send(&Request::file_fields(&id, "ContentDocumentId")).await?;
    let document = &response.body["ContentDocumentId"];
    document.as_str().map(|id| json!(id)).ok_or_else(|| misfit(document.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::operations::{Operation, tests::mistake};

    fn input(further: &Value) -> Value {
        let mut input = json!({"content": "QWNtZQ==", "pathOnClient": "a.txt"});
        input.as_object_mut().unwrap().append(&mut further.as_object().unwrap().clone());
        input
    }

    fn request(input: &Value) -> Request {
        Operation::parse("uploadFile", input.as_object().unwrap()).unwrap().request().unwrap()
    }

    #[test]
    fn text_is_the_file_or_its_base64() {
        for (further, content) in [
            (json!({}), "Acme"),
            (json!({"content": "QWNt\r\nZQ==\n"}), "Acme"),
            (json!({"encoding": "text"}), "QWNtZQ=="),
        ] {
            assert_eq!(request(&input(&further)).file.unwrap().content, content);
        }
        let message = mistake("uploadFile", input(&json!({"content": "Acme Inc."})));
        let expected =
            "content: expected the Base64 of a file (or encoding \"text\"), found a text that is not: ";
        assert!(message.starts_with(expected), "{message}");
        let message = mistake("uploadFile", input(&json!({"content": 5})));
        assert_eq!(message, "content: expected a Camunda document, or text, found a number");
    }

    #[test]
    fn fields_of_the_task_become_fields_of_the_version() {
        let further =
            json!({"title": "A", "firstPublishLocationId": "500D000000IRFma", "body": {"Description": "d"}});
        let body = request(&input(&further)).body.unwrap();
        let expected = json!({"Description": "d", "Title": "A", "FirstPublishLocationId": "500D000000IRFma",
                              "PathOnClient": "a.txt"});
        assert_eq!(body, expected);
        let body = request(&input(&json!({"contentDocumentId": "069D00000000so2"}))).body.unwrap();
        assert_eq!(body, json!({"ContentDocumentId": "069D00000000so2", "PathOnClient": "a.txt"}));
    }

    #[test]
    fn the_name_of_a_document_is_enough_and_text_must_have_one() {
        let document =
            json!({"camunda.document.type": "camunda", "documentId": "d", "metadata": {"fileName": "b.pdf"}});
        let body = request(&json!({"content": document})).body.unwrap();
        assert_eq!(body["PathOnClient"], "b.pdf");
        assert_eq!(request(&input(&json!({"content": document}))).body.unwrap()["PathOnClient"], "a.txt");
        let message = mistake("uploadFile", json!({"content": "QWNtZQ=="}));
        assert_eq!(
            message,
            "pathOnClient: expected the name of the file with its ending, such as \"invoice-17.pdf\", found nothing"
        );
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let both =
            json!({"contentDocumentId": "069D00000000so2", "firstPublishLocationId": "500D000000IRFma"});
        let expected = "firstPublishLocationId: expected nothing beside contentDocumentId, whose links a new version keeps; use \
                        linkFile, found \"500D000000IRFma\"";
        let both = Operation::parse("uploadFile", input(&both).as_object().unwrap()).unwrap();
        assert_eq!(both.request().unwrap_err().to_string(), expected);
        let expected = "body.title: expected no field that the task has a field of its own for, found one";
        assert_eq!(mistake("uploadFile", input(&json!({"body": {"title": "x"}}))), expected);
    }
}
