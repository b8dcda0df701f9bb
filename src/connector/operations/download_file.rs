//! `downloadFile`: how does a file of Salesforce get into the process?

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    documents,
};
use crate::{
    connector::{Error, InvalidInput, codes},
    salesforce::{CallClass, RecordId, Request, Response},
    zeebe::{DocumentMetadata, NewDocument},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "downloadFile",
    area: Area::Files,
    label: "Download file",
    summary: "Reads a file, its latest version or a certain one, as text, Base64 or a Camunda document.",
    keywords: &["file", "download", "read", "attachment", "document", "content", "contentversion", "pdf"],
    class: CallClass::Read,
    class_with: None,
    calls: "two, one for what the file is (`GET /sobjects/ContentVersion/{id}` or `GET \
            /sobjects/ContentDocument/{id}/LatestPublishedVersion`), and `GET /sobjects/ContentVersion/{id}/VersionData`.",
    body: "`id` of the version, `contentDocumentId`, `title`, `fileName`, `extension`, `size` in bytes, `versionNumber`, and \
           `content` (text or Base64) or `document` (the reference of a Camunda document).",
    contents: &[ResultContent::Response, ResultContent::Body, ResultContent::Id],
    inputs: &[
        Input {
            name: "fileId",
            label: "File id",
            kind: InputKind::Text {
                pattern: Some((
                    "^06[89][A-Za-z0-9]{12}([A-Za-z0-9]{3})?$",
                    "must be the id of a file (069…) or of a version (068…)",
                )),
            },
            required: true,
            tooltip: "The id of a file (ContentDocument, 069D00000000so2IAA) for its latest version, or of a certain version \
                      (ContentVersion, 068D00000000so2IAA).",
            placeholder: "=fileId",
        },
        Input {
            name: "contentAs",
            label: "Hand over as",
            kind: InputKind::Choice {
                choices: &[
                    ("base64", "Base64, for a small file"),
                    ("text", "text in UTF-8, for a small file"),
                    ("document", "a Camunda document"),
                ],
            },
            required: false,
            tooltip: "Base64 and text are variables of the process and must be small (about 1 MB). A Camunda document may be \
                      large, and needs Camunda 8.7 or later.",
            placeholder: "",
        },
    ],
    examples: Examples {
        answer: (
            200,
            r#"{"id": "0685g00000ABCDEAA5", "contentDocumentId": "0695g00000ABCDEAA5", "title": "Quote", "fileName": "quote.txt",
            "extension": "txt", "size": 5, "versionNumber": "1", "content": "UXVvdGU="}"#,
        ),
        refusal: (404, r#"[{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]"#),
        result: "={name: body.fileName, content: body.content}",
        error: "=if error.code = \"NOT_FOUND\" then ignoreError({content: null}) else null",
    },
};

/// What is asked about a version.
const FIELDS: &str = "Title,PathOnClient,FileExtension,ContentSize,VersionNumber,ContentDocumentId";

/// What the other members of the body take at most, in bytes of JSON.
const BESIDE: usize = 8 * 1024;

/// The input of `downloadFile`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DownloadFile {
    file_id: RecordId,
    #[serde(default)]
    content_as: ContentAs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ContentAs {
    #[default]
    Base64,
    Text,
    Document,
}

/// What Salesforce says about a version.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct About {
    id: RecordId,
    title: Option<String>,
    path_on_client: Option<String>,
    file_extension: Option<String>,
    content_size: usize,
    version_number: Option<String>,
    content_document_id: Option<String>,
}

impl About {
    fn read(response: &Response) -> Result<Self, Error> {
        Self::deserialize(&response.body).map_err(|mistake| {
            let message = format!("expected the fields of a ContentVersion with its size: {mistake}");
            Error::new(&codes::INVALID_RESPONSE, message).with_response(response.clone())
        })
    }

    /// Without the folders that it may have had on somebody's machine.
    fn file_name(&self) -> String {
        let path = self.path_on_client.as_deref().unwrap_or_default();
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
        match (name, &self.title, &self.file_extension) {
            ("", Some(title), Some(extension)) => format!("{title}.{extension}"),
            ("", title, _) => title.clone().unwrap_or_else(|| self.id.to_string()),
            (name, ..) => name.to_owned(),
        }
    }

    fn body(&self) -> Map<String, Value> {
        let body = json!({
            "id": self.id.as_str(),
            "contentDocumentId": self.content_document_id,
            "title": self.title,
            "fileName": self.file_name(),
            "extension": self.file_extension,
            "size": self.content_size,
            "versionNumber": self.version_number,
        });
        match body {
            Value::Object(body) => body,
            _ => Map::new(),
        }
    }
}

impl DownloadFile {
    /// Asks what the file is.
    fn about(&self) -> Request {
        if self.file_id.as_str().starts_with("068") {
            Request::file_fields(&self.file_id, FIELDS)
        } else {
            Request::latest_file_fields(&self.file_id, FIELDS)
        }
    }

    /// Said before the file is fetched, as far as its size says it.
    fn check_size(&self, version: &About, most: usize) -> Result<(), Error> {
        let (bytes, kind) = match self.content_as {
            ContentAs::Document => return Ok(()),
            ContentAs::Base64 => (version.content_size.div_ceil(3) * 4, " as Base64"),
            ContentAs::Text => (version.content_size, ""),
        };
        if bytes <= most.saturating_sub(BESIDE) {
            return Ok(());
        }
        let message = format!(
            "the file {:?} has {} bytes, {bytes}{kind}, and a result may have {most}; it was not fetched. Hand it over as a \
             Camunda document (contentAs: document)",
            version.file_name(),
            version.content_size
        );
        Err(Error::new(&codes::RESULT_TOO_LARGE, message))
    }

    /// What the content becomes in the body, and under which name.
    async fn hand_over(
        &self,
        encoded: String,
        version: &About,
        call: &Call<'_>,
    ) -> Result<(&'static str, Value), Error> {
        let misfit = |what: &str| {
            let message = format!("the file {:?} {what}", version.file_name());
            Error::new(&codes::INVALID_RESPONSE, message)
        };
        let content = STANDARD.decode(&encoded).map_err(|_| misfit("did not come as bytes"))?;
        if content.len() != version.content_size {
            let (told, came) = (version.content_size, content.len());
            return Err(misfit(&format!("should have {told} bytes, and {came} came")));
        }
        match self.content_as {
            ContentAs::Base64 => Ok(("content", Value::String(encoded))),
            ContentAs::Text => {
                let text = String::from_utf8(content);
                let text = text.map_err(|_| misfit("is no text in UTF-8; hand it over as Base64"))?;
                Ok(("content", Value::String(text)))
            }
            ContentAs::Document => {
                drop(encoded);
                let metadata = DocumentMetadata {
                    content_type: Some(
                        documents::media_type(version.file_extension.as_deref().unwrap_or_default())
                            .to_owned(),
                    ),
                    file_name: Some(version.file_name()),
                    size: Some(content.len() as u64),
                };
                let document = NewDocument { content: content.into(), metadata };
                Ok(("document", call.documents.store(document, call.timeout).await?))
            }
        }
    }
}

impl Operate for DownloadFile {
    fn checked(self) -> Result<Self, InvalidInput> {
        let id = self.file_id.as_str();
        if id.starts_with("068") || id.starts_with("069") {
            return Ok(self);
        }
        let expected = "the id of a file (069…) or of a version (068…)";
        Err(InvalidInput::new("fileId", expected, format!("{id:?}")))
    }

    fn request(self) -> Result<Request, InvalidInput> {
        Ok(self.about())
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        if self.content_as == ContentAs::Document {
            call.documents.check()?;
        }
        let version = About::read(&call.send(&self.about()).await?)?;
        self.check_size(&version, call.max_result_bytes)?;
        let what = format!("the file {:?}", version.file_name());
        let _room = call.files.take(&what, version.content_size).await?;
        let mut response = call.send(&Request::file_content(&version.id, version.content_size)).await?;
        let Value::String(encoded) = response.body.take() else {
            return Err(Error::new(&codes::INVALID_RESPONSE, format!("{what} came without content")));
        };
        let (name, content) = self.hand_over(encoded, &version, call).await?;
        let mut body = version.body();
        body.insert(name.to_owned(), content);
        response.body = Value::Object(body);
        Ok(response)
    }
}
